/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h - writing compact JSON into a buffer, always escaped, commas placed by the writer.
 * Failures stick to the buffer: check cf_buf_ok() at the end. */
#ifndef CURFEW_WRITER_H
#define CURFEW_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/buf.h"
#include "curfew/json.h"

struct cf_out {
    struct cf_buf *buf;
    bool comma; /* the next value of this container needs one before it */
};

void cf_out_init(struct cf_out *out, struct cf_buf *buf);

/* With a key: a member of the open object. With NULL: an item of the open array, or the root. */
void cf_out_object(struct cf_out *out, const char *key);
void cf_out_end_object(struct cf_out *out);
void cf_out_array(struct cf_out *out, const char *key);
void cf_out_end_array(struct cf_out *out);
void cf_out_str(struct cf_out *out, const char *key, const char *text); /* NULL writes null */
void cf_out_int(struct cf_out *out, const char *key, int64_t number);
void cf_out_bool(struct cf_out *out, const char *key, bool value);
void cf_out_null(struct cf_out *out, const char *key);
/* `json` is JSON already. */
void cf_out_raw(struct cf_out *out, const char *key, const char *json);
/* A parsed value, numbers as they were written. NULL writes null. */
void cf_out_value(struct cf_out *out, const char *key, const struct cf_json *value);

#endif
