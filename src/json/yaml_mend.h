/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_mend.h - input that go-yaml accepts and libyaml rejects:
 *
 * - In a flow collection a plain scalar may have no colon in front of , ? [ ] { or }. To go-yaml it
 *   belongs to the scalar: [2001:db8::] has one item.
 * - In double quotes \' is an apostrophe to go-yaml.
 *
 * In a copy of the text, such colons and backslashes are replaced by characters that the text does
 * not contain, and restored in every scalar: lines and columns do not change.
 */
#ifndef CURFEW_JSON_YAML_MEND_H
#define CURFEW_JSON_YAML_MEND_H

#include <stdbool.h>
#include <stddef.h>

#define CF_YAML_STAND_IN 3 /* bytes */

struct cf_yaml_mend {
    char *copy; /* NULL: there is none; cf_yaml_mend_free() */
    size_t len;
    char colon[CF_YAML_STAND_IN]; /* replaces a colon */
    char backslash[CF_YAML_STAND_IN];
};

/* Whether the error of libyaml is one of these. */
bool cf_yaml_mend_knows(const char *problem);

/* Makes the copy, and replaces all characters that are recognized. False: out of memory, or the
 * text contains all candidates for a replacement. */
bool cf_yaml_mend_copy(struct cf_yaml_mend *mend, const char *bytes, size_t len);

/* Replaces the character number `index` (from 0), which libyaml rejected. False: it is not such a
 * character, or out of memory. */
bool cf_yaml_mend_replace(struct cf_yaml_mend *mend, size_t index);

/* Restores the characters of a scalar, and returns the new length. */
size_t cf_yaml_mend_restore(const struct cf_yaml_mend *mend, bool double_quoted, char *text,
                            size_t len);

void cf_yaml_mend_free(struct cf_yaml_mend *mend);

#endif
