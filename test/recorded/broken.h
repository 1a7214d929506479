/* SPDX-License-Identifier: Apache-2.0 */
/* broken.h - the recorded reviews, broken at every byte. */
#ifndef CURFEW_TEST_RECORDED_BROKEN_H
#define CURFEW_TEST_RECORDED_BROKEN_H

#include <stdbool.h>

struct cf_store;

/* Calls `result` for each review of ROOT that is broken, under each of a few configurations. */
void check_broken(const char *root, const struct cf_store *store,
                  void (*result)(bool ok, const char *name, const char *why));

#endif
