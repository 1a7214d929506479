/* SPDX-License-Identifier: Apache-2.0 */
/* workload.h - the name of a workload, the same for every replica. */
#ifndef CURFEW_REVIEW_WORKLOAD_H
#define CURFEW_REVIEW_WORKLOAD_H

#include "curfew/rule.h"

#define CF_WORKLOAD_NAMES 2

/* Under which names exceptions find the object: cf_workload_name() first, and where that is less
 * than the whole of its owner's name, the whole, too: a Job's may end in digits of its own. Not of
 * a ReplicaSet, whose name is generated. Returns how many. */
size_t cf_workload_names(struct cf_arena *arena, const struct cf_request *request,
                         const char *names[CF_WORKLOAD_NAMES]);

#endif
