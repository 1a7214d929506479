/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.h - what a plain YAML scalar means to kubectl. */
#ifndef CURFEW_JSON_YAML_SCALAR_H
#define CURFEW_JSON_YAML_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

struct cf_arena;

/* More than any number needs that is written as Go does. */
#define CF_SCALAR_DIGITS 64

enum cf_scalar_kind {
    CF_SCALAR_TEXT,
    CF_SCALAR_NULL,
    CF_SCALAR_FALSE,
    CF_SCALAR_TRUE,
    CF_SCALAR_INT,
    CF_SCALAR_FLOAT,
    CF_SCALAR_NOT_FINITE, /* .inf or .nan: no JSON can hold it */
};

struct cf_scalar {
    enum cf_scalar_kind kind;
    char digits[CF_SCALAR_DIGITS]; /* of an int or a float: a JSON number */
    double value;                  /* of a float */
};

/* Resolves a plain scalar as go-yaml v2 does, which kubectl and the API server use. */
void cf_scalar_resolve(const char *text, struct cf_scalar *scalar);

/* Makes a float of an int, as !!float does; false: it is above what kubectl makes one of. */
bool cf_scalar_to_float(struct cf_scalar *scalar);

/* What go-yaml takes with !!timestamp: "2001-2-3", "2001-02-03T04:05:06.7Z", ... */
bool cf_scalar_is_timestamp(const char *text);

/* The scalar as a key of a JSON object: kubectl makes strings of numbers and booleans. `text` is
 * the scalar that was resolved. */
const char *cf_scalar_key(const struct cf_scalar *scalar, const char *text,
                          char out[CF_SCALAR_DIGITS]);

/* ---- !!binary ---- */

enum cf_yaml_binary {
    CF_YAML_BINARY_DECODED,
    CF_YAML_BINARY_BROKEN, /* not base64 */
    CF_YAML_BINARY_NO_MEMORY,
};

/* Replaces base64 by its text, as go-yaml and encoding/json make it: line ends between the digits
 * are ignored, the padding must be there, and each byte that is not UTF-8 becomes U+FFFD. */
enum cf_yaml_binary cf_yaml_binary(struct cf_arena *arena, const char **text, size_t *len);

#endif
