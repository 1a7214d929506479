/* SPDX-License-Identifier: Apache-2.0 */
/* convert.h - from a volume with a legacy token to one with the same files and a token that
 * ends: the fix of legacy-token-mount. */
#ifndef CURFEW_RULES_CONVERT_H
#define CURFEW_RULES_CONVERT_H

#include "common.h"

/* What prevents a conversion, and what to do about it. */
struct cf_obstacle {
    const char *why;
    const char *remedy; /* NULL: the rule's own */
};

/* What all sources of one volume share, so that it is worked out once: a hostile volume may have
 * 100,000 of them. {0} at first. */
struct cf_shared_paths {
    bool known;
    const char *clash; /* a path that two of them write; NULL: all differ */
};

/* The fix, with room for cf_fix_mark(), for a `secret` volume (source NULL) or for a `secret`
 * source of a projected volume, whose Secret belongs to the pod's own account. NULL with the
 * obstacle filled in, or, with its `why` NULL, when out of memory. */
struct cf_fix *cf_convert(const struct cf_rule_input *in, struct cf_findings *out,
                          const struct cf_volume *volume, const struct cf_volume_source *source,
                          struct cf_shared_paths *shared, struct cf_obstacle *obstacle);

#endif
