/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - what the programs of this folder share. */
#ifndef CURFEW_TEST_RULES_FIXTURE_H
#define CURFEW_TEST_RULES_FIXTURE_H

#include "fixtures.h"

#include "../../src/cli/report.h"

struct fixture {
    const struct cf_rule *rule;
    const char *path; /* without .yaml */
    bool deny;
    const struct cf_store *store;
};

/* remedies.c: what the findings about the review advise is itself allowed, at every level, and has
 * the real names. */
void check_remedies(const struct fixture *fx, const struct cf_policy *policy, const char *bytes);

/* fixes.c: the fixes that `-o json` writes, applied one after the other, make the object of
 * `--fix`. */
void check_fixes(const struct fixture *fx, const struct cf_policy *policy, const char *bytes);

/* How many pieces of advice were tried, and findings with a fix. */
extern unsigned advice_tried, fixes_tried;

#endif
