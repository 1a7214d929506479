/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_colons.h - colons that libyaml takes for a mistake: in a flow collection a plain scalar may
 * have none in front of , ? [ ] { or }. To go-yaml such a colon belongs to the scalar:
 * [2001:db8::] has one item.
 *
 * A copy of the text has another character in the place of such colons, one that the text does not
 * have, and that is a colon again in every scalar: lines and columns stay as they are. */
#ifndef CURFEW_JSON_YAML_COLONS_H
#define CURFEW_JSON_YAML_COLONS_H

#include <stdbool.h>
#include <stddef.h>

#define CF_YAML_STAND_IN 3 /* bytes */

struct cf_yaml_colons {
    char *copy; /* NULL: there is none; cf_yaml_colons_free() */
    size_t len;
    char stand_in[CF_YAML_STAND_IN];
};

/* Makes the copy, in which all such colons are replaced that are seen to be in a plain scalar.
 * False: out of memory, or the text has all characters that could stand in. */
bool cf_yaml_colons_copy(struct cf_yaml_colons *colons, const char *bytes, size_t len);

/* Replaces the colon that is the character number `index` (from 0), of which libyaml said that it
 * is a mistake. False: it is none, or out of memory. */
bool cf_yaml_colons_replace(struct cf_yaml_colons *colons, size_t index);

/* Puts the colons back, and returns the new length. */
size_t cf_yaml_colons_restore(const struct cf_yaml_colons *colons, char *text, size_t len);

void cf_yaml_colons_free(struct cf_yaml_colons *colons);

#endif
