/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_mend.h - what libyaml takes for a mistake and go-yaml does not:
 *
 * - In a flow collection a plain scalar may have no colon in front of , ? [ ] { or }. To go-yaml it
 *   belongs to the scalar: [2001:db8::] has one item.
 * - In double quotes \' is an apostrophe to go-yaml.
 *
 * A copy of the text has other characters in the place of such colons and backslashes, ones that
 * the text does not have, and every scalar gets its own back: lines and columns stay as they are.
 */
#ifndef CURFEW_JSON_YAML_MEND_H
#define CURFEW_JSON_YAML_MEND_H

#include <stdbool.h>
#include <stddef.h>

#define CF_YAML_STAND_IN 3 /* bytes */

struct cf_yaml_mend {
    char *copy; /* NULL: there is none; cf_yaml_mend_free() */
    size_t len;
    char colon[CF_YAML_STAND_IN]; /* what stands in for it */
    char backslash[CF_YAML_STAND_IN];
};

/* Whether libyaml complains of one of these. */
bool cf_yaml_mend_knows(const char *problem);

/* Makes the copy, in which all is replaced that is seen to be one of these. False: out of memory,
 * or the text has all characters that could stand in. */
bool cf_yaml_mend_copy(struct cf_yaml_mend *mend, const char *bytes, size_t len);

/* Replaces the character number `index` (from 0), of which libyaml said that it is a mistake.
 * False: it is none of these, or out of memory. */
bool cf_yaml_mend_replace(struct cf_yaml_mend *mend, size_t index);

/* Puts back in a scalar what stood there, and returns the new length. */
size_t cf_yaml_mend_restore(const struct cf_yaml_mend *mend, bool double_quoted, char *text,
                            size_t len);

void cf_yaml_mend_free(struct cf_yaml_mend *mend);

#endif
