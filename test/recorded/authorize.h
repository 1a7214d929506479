/* SPDX-License-Identifier: Apache-2.0 */
/* authorize.h - the recorded SubjectAccessReviews. */
#ifndef CURFEW_TEST_RECORDED_AUTHORIZE_H
#define CURFEW_TEST_RECORDED_AUTHORIZE_H

#include <stdbool.h>

/* Calls `result` for each file of ROOT/authorize. */
void check_authorize(const char *root, bool update,
                     void (*result)(bool ok, const char *name, const char *why));

#endif
