/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_merge.h - what merge keys (<<) stand for.
 *
 * To kubectl a merge key is one more assignment: what it stands for overwrites the members that
 * come before it, and is overwritten by those behind it. Of the mappings of a sequence the first
 * one overwrites the others. In a configuration the mapping's own members always stay. */
#ifndef CURFEW_JSON_YAML_MERGE_H
#define CURFEW_JSON_YAML_MERGE_H

#include "yaml_build.h"

/* Keeps what a merge key of the innermost mapping stands for: a mapping, or a sequence of
 * mappings. */
int cf_yaml_merge_note(struct cf_yaml_build *b, struct cf_yaml_place at,
                       const struct cf_json *value);

/* At the end of the mapping: copies into it what was kept. */
int cf_yaml_merge_all(struct cf_yaml_build *b, struct cf_yaml_frame *frame);

#endif
