/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_mend.c - see yaml_mend.h. */
#include "yaml_mend.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"

/* U+E000 to U+EFFF, which mean nothing: the bytes EE 80 80 to EE BF BF. */
#define LEAD '\xEE'
#define CANDIDATES 4096

static size_t candidate_at(const char *p)
{
    return ((size_t)((unsigned char)p[1] & 0x3F) << 6) | ((unsigned char)p[2] & 0x3F);
}

/* Characters that the text contains verbatim. */
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

/* Characters that escapes stand for: \uE123, \U0000E123. */
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

/* The next character, from *candidate on, that no scalar of the text has. */
static bool choose(const bool used[CANDIDATES], size_t *candidate, char stand_in[CF_YAML_STAND_IN])
{
    while (*candidate < CANDIDATES && used[*candidate])
        ++*candidate;
    if (*candidate == CANDIDATES)
        return false;
    stand_in[0] = LEAD;
    stand_in[1] = (char)(0x80 | *candidate >> 6);
    stand_in[2] = (char)(0x80 | (*candidate & 0x3F));
    ++*candidate;
    return true;
}

bool cf_yaml_mend_knows(const char *problem)
{
    return cf_streq(problem, "found unexpected ':'") ||
           cf_streq(problem, "found unknown escape character");
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Whether the colon at p, in a word that begins at `word`, can only be one of a plain scalar's
 * characters. In a quoted scalar, a comment and a block it does no harm. */
static bool is_of_plain(const char *p, const char *end, const char *word)
{
    return *p == ':' && p > word && end - p > 1 && is_in(p[1], ",?[]{}") && !is_in(p[-1], "\"'") &&
           !is_in(*word, "*&!\"'");
}

/* Whether the backslash at p, after this number of other ones, escapes an apostrophe. Outside of
 * double quotes replacing it is harmless. */
static bool is_of_apostrophe(const char *p, const char *end, size_t others)
{
    return *p == '\\' && others % 2 == 0 && end - p > 1 && p[1] == '\'';
}

static char *add_stand_in(char *out, const char stand_in[CF_YAML_STAND_IN])
{
    memcpy(out, stand_in, CF_YAML_STAND_IN);
    return out + CF_YAML_STAND_IN;
}

bool cf_yaml_mend_copy(struct cf_yaml_mend *mend, const char *bytes, size_t len)
{
    const char *end = bytes + len, *word = bytes;
    bool used[CANDIDATES] = {false};
    size_t candidate = 0, backslashes = 0;
    char *out;

    note_raw(bytes, end, used);
    note_escaped(bytes, end, used);
    if (!choose(used, &candidate, mend->colon) || !choose(used, &candidate, mend->backslash))
        return false;
    /* At most every other byte is replaced. */
    mend->copy = out = malloc(2 * len + CF_YAML_STAND_IN);
    if (out == NULL)
        return false;
    for (const char *p = bytes; p < end; p++) {
        if (is_of_plain(p, end, word))
            out = add_stand_in(out, mend->colon);
        else if (is_of_apostrophe(p, end, backslashes))
            out = add_stand_in(out, mend->backslash);
        else
            *out++ = *p;
        backslashes = *p == '\\' ? backslashes + 1 : 0;
        if (is_in(*p, " \t\r\n,?[]{}"))
            word = p + 1;
    }
    mend->len = (size_t)(out - mend->copy);
    return true;
}

/* The byte of the character; the length when there is none. */
static size_t byte_of(const struct cf_yaml_mend *mend, size_t index)
{
    size_t at = 0;

    for (; at < mend->len; at++) {
        if (((unsigned char)mend->copy[at] & 0xC0) != 0x80 && index-- == 0)
            break;
    }
    return at;
}

bool cf_yaml_mend_replace(struct cf_yaml_mend *mend, size_t index)
{
    size_t at = byte_of(mend, index);
    const char *stand_in = mend->colon;
    char *larger;

    if (at + 1 < mend->len && mend->copy[at] == '\\' && mend->copy[at + 1] == '\'')
        stand_in = mend->backslash;
    else if (at == mend->len || mend->copy[at] != ':')
        return false;
    larger = realloc(mend->copy, mend->len + CF_YAML_STAND_IN);
    if (larger == NULL)
        return false;
    mend->copy = larger;
    memmove(larger + at + CF_YAML_STAND_IN, larger + at + 1, mend->len - at - 1);
    memcpy(larger + at, stand_in, CF_YAML_STAND_IN);
    mend->len += CF_YAML_STAND_IN - 1;
    return true;
}

static bool is_at(const char *p, const char *end, const char stand_in[CF_YAML_STAND_IN])
{
    return end - p >= CF_YAML_STAND_IN && memcmp(p, stand_in, CF_YAML_STAND_IN) == 0;
}

size_t cf_yaml_mend_restore(const struct cf_yaml_mend *mend, bool double_quoted, char *text,
                            size_t len)
{
    const char *end = text + len, *from = text;
    char *out = text;

    while (from < end) {
        bool colon = is_at(from, end, mend->colon);

        if (!colon && !is_at(from, end, mend->backslash)) {
            *out++ = *from++;
            continue;
        }
        from += CF_YAML_STAND_IN;
        if (colon)
            *out++ = ':';
        else if (!double_quoted)
            *out++ = '\\';
    }
    *out = '\0';
    return (size_t)(out - text);
}

void cf_yaml_mend_free(struct cf_yaml_mend *mend)
{
    free(mend->copy);
    mend->copy = NULL;
}
