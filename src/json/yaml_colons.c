/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_colons.c - see yaml_colons.h. */
#include "yaml_colons.h"

#include <stdlib.h>
#include <string.h>

/* U+E000 to U+EFFF, which mean nothing: the bytes EE 80 80 to EE BF BF. */
#define LEAD '\xEE'
#define CANDIDATES 4096

static size_t candidate_at(const char *p)
{
    return ((size_t)((unsigned char)p[1] & 0x3F) << 6) | ((unsigned char)p[2] & 0x3F);
}

/* Characters that stand in the text as they are. */
static void note_raw(const char *p, const char *end, bool used[CANDIDATES])
{
    while ((p = memchr(p, LEAD, (size_t)(end - p))) != NULL) {
        if (end - p >= CF_YAML_STAND_IN)
            used[candidate_at(p)] = true;
        p++;
    }
}

static unsigned hex_value(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : ((unsigned)(c | 0x20) - 'a' + 10) & 0xF;
}

/* And those of escapes: \uE123, \U0000E123. */
static void note_escaped(const char *p, const char *end, bool used[CANDIDATES])
{
    while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        size_t digits = end - p < 2 ? 0 : p[1] == 'u' ? 4 : p[1] == 'U' ? 8 : 0;
        unsigned code = 0;

        for (size_t i = 0; i < digits && (size_t)(end - p) >= 2 + digits; i++)
            code = code << 4 | hex_value(p[2 + i]);
        if (code >> 12 == 0xE)
            used[code & 0xFFF] = true;
        p++;
    }
}

/* A character that no scalar of the text has. */
static bool choose(const char *bytes, size_t len, char stand_in[CF_YAML_STAND_IN])
{
    bool used[CANDIDATES] = {false};
    size_t free_one = 0;

    note_raw(bytes, bytes + len, used);
    note_escaped(bytes, bytes + len, used);
    while (free_one < CANDIDATES && used[free_one])
        free_one++;
    if (free_one == CANDIDATES)
        return false;
    stand_in[0] = LEAD;
    stand_in[1] = (char)(0x80 | free_one >> 6);
    stand_in[2] = (char)(0x80 | (free_one & 0x3F));
    return true;
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Whether the colon at p, in a word that begins at `word`, can only be one of a plain scalar's
 * characters. In a quoted scalar, a comment and a block it does no harm. */
static bool is_of_plain(const char *p, const char *end, const char *word)
{
    return p > word && end - p > 1 && is_in(p[1], ",?[]{}") && !is_in(p[-1], "\"'") &&
           !is_in(*word, "*&!\"'");
}

bool cf_yaml_colons_copy(struct cf_yaml_colons *colons, const char *bytes, size_t len)
{
    const char *end = bytes + len, *word = bytes;
    char *out;

    if (!choose(bytes, len, colons->stand_in))
        return false;
    /* At most every other byte is such a colon. */
    colons->copy = out = malloc(2 * len + CF_YAML_STAND_IN);
    if (out == NULL)
        return false;
    for (const char *p = bytes; p < end; p++) {
        if (*p == ':' && is_of_plain(p, end, word)) {
            memcpy(out, colons->stand_in, CF_YAML_STAND_IN);
            out += CF_YAML_STAND_IN;
            continue;
        }
        if (is_in(*p, " \t\r\n,?[]{}"))
            word = p + 1;
        *out++ = *p;
    }
    colons->len = (size_t)(out - colons->copy);
    return true;
}

bool cf_yaml_colons_replace(struct cf_yaml_colons *colons, size_t index)
{
    size_t at = 0, behind;
    char *larger;

    for (; at < colons->len; at++) {
        if (((unsigned char)colons->copy[at] & 0xC0) != 0x80 && index-- == 0)
            break;
    }
    if (at == colons->len || colons->copy[at] != ':')
        return false;
    larger = realloc(colons->copy, colons->len + CF_YAML_STAND_IN);
    if (larger == NULL)
        return false;
    colons->copy = larger;
    behind = colons->len - at - 1;
    memmove(larger + at + CF_YAML_STAND_IN, larger + at + 1, behind);
    memcpy(larger + at, colons->stand_in, CF_YAML_STAND_IN);
    colons->len += CF_YAML_STAND_IN - 1;
    return true;
}

size_t cf_yaml_colons_restore(const struct cf_yaml_colons *colons, char *text, size_t len)
{
    const char *end = text + len, *from = text;
    char *out = text;

    while (from < end) {
        if (end - from >= CF_YAML_STAND_IN &&
            memcmp(from, colons->stand_in, CF_YAML_STAND_IN) == 0) {
            *out++ = ':';
            from += CF_YAML_STAND_IN;
        } else {
            *out++ = *from++;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

void cf_yaml_colons_free(struct cf_yaml_colons *colons)
{
    free(colons->copy);
    colons->copy = NULL;
}
