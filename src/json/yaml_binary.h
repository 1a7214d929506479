/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_binary.h - the text that a !!binary scalar stands for. */
#ifndef CURFEW_JSON_YAML_BINARY_H
#define CURFEW_JSON_YAML_BINARY_H

#include <stddef.h>

struct cf_arena;

enum cf_yaml_binary {
    CF_YAML_BINARY_DECODED,
    CF_YAML_BINARY_BROKEN, /* not base64 */
    CF_YAML_BINARY_NO_MEMORY,
};

/* Replaces base64 by its text, as go-yaml and encoding/json make it: line ends between the digits
 * are ignored, the padding must be there, and each byte that is not UTF-8 becomes U+FFFD. */
enum cf_yaml_binary cf_yaml_binary(struct cf_arena *arena, const char **text, size_t *len);

#endif
