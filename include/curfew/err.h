/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - the one error idiom.
 *
 * A function that can fail takes `struct cf_err *err` last and returns 0, or -1 with a
 * message in err (or NULL for functions that return a pointer). Out-parameters are unchanged
 * on failure. The message is inside the struct, so that reporting "out of memory" needs none.
 * Messages are lower-case, without a full stop, and say what is wrong, where, and what is expected.
 * They may quote input, and are sanitized (cf_str_sanitize). */
#ifndef CURFEW_ERR_H
#define CURFEW_ERR_H

#include "curfew/attr.h"

enum cf_err_kind {
    CF_ERR_NONE = 0,
    CF_ERR_INPUT,  /* invalid input: HTTP 400, exit 2 or 3 */
    CF_ERR_SYSTEM, /* memory, files, network: HTTP 500, exit 3 */
};

struct cf_err {
    enum cf_err_kind kind;
    char msg[512];
};

/* Sets a message of kind CF_ERR_INPUT; err may be NULL. Longer ones are cut, and end with "...".
 * Returns -1, so that a caller can `return cf_err_set(...)`. */
int cf_err_set(struct cf_err *err, const char *fmt, ...) CF_PRINTF(2, 3);

/* The same with kind CF_ERR_SYSTEM. */
int cf_err_system(struct cf_err *err, const char *fmt, ...) CF_PRINTF(2, 3);

/* "out of memory", CF_ERR_SYSTEM. Returns -1. */
int cf_err_memory(struct cf_err *err);

/* Puts an outer context in front: "reading 'x': no such file". Returns -1. */
int cf_err_wrap(struct cf_err *err, const char *fmt, ...) CF_PRINTF(2, 3);

#endif
