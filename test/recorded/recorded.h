/* SPDX-License-Identifier: Apache-2.0 */
/* recorded.h - the parts of the tests of recorded reviews. */
#ifndef CURFEW_TEST_RECORDED_H
#define CURFEW_TEST_RECORDED_H

#include "fixtures.h"

/* authorize.c: the SubjectAccessReviews in the files of ROOT/authorize. */
void check_authorize(const char *root);

/* broken.c: reviews of ROOT, broken at every byte, each under a configuration. */
void check_broken(const char *root, const struct cf_store *store);

#endif
