/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - functions on strings that <string.h> lacks, and keyed hashes of strings; see str.h and
 * hash.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "curfew/arena.h"
#include "curfew/hash.h"
#include "curfew/str.h"

bool cf_streq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

bool cf_starts_with(const char *text, const char *prefix)
{
    return text != NULL && prefix != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool cf_ends_with(const char *text, const char *suffix)
{
    size_t len, tail;

    if (text == NULL || suffix == NULL)
        return false;
    len = strlen(text);
    tail = strlen(suffix);
    return tail <= len && memcmp(text + len - tail, suffix, tail) == 0;
}

const char *cf_str_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

bool cf_str_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

/* Backtracks to the last star only: the matches of the stars before it never need to change. */
bool cf_glob(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *retry = NULL;

    if (pattern == NULL || text == NULL)
        return false;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool cf_str_int64(const char *text, int64_t *out)
{
    bool negative;
    int64_t value = 0;

    if (text == NULL)
        return false;
    negative = *text == '-';
    text += negative;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        /* Counted downwards: there is one more negative number than positive ones. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, *text - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

/* The length of what looks like a JWT, three base64url parts or the beginning of them. */
static size_t token_run(const char *p)
{
    size_t len = 0;

    if (strncmp(p, "eyJ", 3) != 0)
        return 0;
    while (is_token_char((unsigned char)p[len]) || p[len] == '.' || p[len] == '=')
        len++;
    return len;
}

/* The bytes of a character that must not be shown, at p; 0 for all others. */
static size_t unprintable(const unsigned char *p)
{
    if (p[0] < 0x20 || p[0] == 0x7F)
        return 1;
    if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F)
        return 2;
    if (p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9))
        return 3;
    return 0;
}

size_t cf_utf8_decode(const char *text, size_t len, uint32_t *code)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    size_t size;
    uint32_t value;

    if (len == 0 || (p[0] >= 0x80 && p[0] < 0xC2) || p[0] > 0xF4)
        return 0;
    size = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    value = size == 1 ? p[0] : p[0] & (0x7FU >> size);
    for (size_t i = 1; i < size; i++) {
        if (i == len || (p[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3FU);
    }
    /* Overlong forms, surrogates, and what lies beyond Unicode. */
    if (value < lowest[size] || (value >= 0xD800 && value < 0xE000) || value > 0x10FFFF)
        return 0;
    *code = value;
    return size;
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Replacements that do not make the text longer: tokens, and without `tokens_alone` also bytes that
 * are not printable. */
static void redact(char *text, bool tokens_alone)
{
    static const char redacted[] = "[redacted]";
    const char *from = text;
    char *to = text;
    bool inside = false; /* a word: "monkeyJar" is not a token */

    while (*from != '\0') {
        size_t run = inside ? 0 : token_run(from);
        size_t bad = tokens_alone ? 0 : unprintable((const unsigned char *)from);

        if (run > 0) {
            size_t shown = run < sizeof(redacted) - 1 ? run : sizeof(redacted) - 1;

            memcpy(to, redacted, shown);
            to += shown;
            from += run;
        } else if (bad > 0) {
            *to++ = '?';
            from += bad;
            inside = false;
        } else {
            inside = is_token_char((unsigned char)*from);
            *to++ = *from++;
        }
    }
    *to = '\0';
}

bool cf_utf8_is_invisible(uint32_t code)
{
    return code == 0xAD || code == 0x61C || code == 0x180E || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
           code == 0xFEFF || (code >= 0xE0000 && code <= 0xE007F);
}

size_t cf_utf8_escape(uint32_t code, char out[CF_ESCAPE_SIZE])
{
    if (code <= 0xFFFF)
        return (size_t)snprintf(out, CF_ESCAPE_SIZE, "\\u%04x", (unsigned)code);
    code -= 0x10000;
    return (size_t)snprintf(out, CF_ESCAPE_SIZE, "\\u%04x\\u%04x", 0xD800U + (code >> 10),
                            0xDC00U + (code & 0x3FF));
}

/* The bytes of an invisible character at p and its escape; 0 for all others. */
static size_t invisible(const char *p, char escape[CF_ESCAPE_SIZE], size_t *len)
{
    uint32_t code;
    size_t size;

    if ((unsigned char)*p < 0x80)
        return 0;
    size = cf_utf8_decode(p, strnlen(p, 4), &code);
    if (size == 0 || !cf_utf8_is_invisible(code))
        return 0;
    *len = cf_utf8_escape(code, escape);
    return size;
}

/* How much longer a text gets. */
static size_t growth(const char *text)
{
    char escape[CF_ESCAPE_SIZE];
    size_t more = 0, len;

    for (; *text != '\0'; text++) {
        size_t size = invisible(text, escape, &len);

        more += size > 0 ? len - size : 0;
    }
    return more;
}

/* Writes `from`, a copy of the text, with escapes; cut where it does not fit. */
static void write_escaped(const char *from, char *text, size_t size)
{
    char piece[CF_ESCAPE_SIZE];
    size_t used = 0, fits = 0, len, took;

    for (; *from != '\0'; from += took) {
        took = invisible(from, piece, &len);
        if (took == 0) {
            len = took = 1;
            piece[0] = *from;
        }
        if (used + len >= size)
            break;
        memcpy(text + used, piece, len);
        used += len;
        /* The next byte begins a character, and there is room for the dots. */
        if (starts_character(from[took]) && used + sizeof("...") <= size)
            fits = used;
    }
    if (*from == '\0')
        text[used] = '\0';
    else
        memcpy(text + fits, "...", sizeof("..."));
}

void cf_str_redact(char *text)
{
    redact(text, true);
}

void cf_str_sanitize(char *text, size_t size)
{
    char *copy;

    redact(text, false);
    if (growth(text) == 0)
        return;
    copy = strdup(text);
    if (copy == NULL)
        text[0] = '\0'; /* no output is better than unsanitized output */
    else
        write_escaped(copy, text, size);
    free(copy);
}

/* A text that was cut between two bytes may end inside a character, and would make the answer that
 * contains it invalid UTF-8. */
static void drop_half_character(char *text)
{
    size_t len = strlen(text), start = len;
    size_t want;

    while (start > 0 && !starts_character(text[start - 1]))
        start--;
    if (start == 0)
        return;

    unsigned char lead = (unsigned char)text[start - 1];

    want = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (len - (start - 1) < want)
        text[start - 1] = '\0';
}

void cf_str_end_cut(char *text, size_t size)
{
    size_t len, max = size - sizeof("...");

    drop_half_character(text);
    len = strlen(text);
    if (len > max) {
        for (len = max; len > 0 && !starts_character(text[len]); len--)
            continue;
    }
    while (len > 0 && text[len - 1] == '.')
        len--; /* it had been cut before */
    memcpy(text + len, "...", sizeof("..."));
}

void cf_str_vshow(char *out, size_t size, const char *fmt, va_list args)
{
    int len = vsnprintf(out, size, fmt, args);

    if (len < 0)
        out[0] = '\0';
    if (len >= (int)size)
        drop_half_character(out);
    cf_str_sanitize(out, size);
    /* After the redaction, which would treat the dots as a part of a token. */
    if (len >= (int)size)
        cf_str_end_cut(out, size);
}

void cf_str_show(char *out, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    cf_str_vshow(out, size, fmt, args);
    va_end(args);
}

char *cf_str_shown(struct cf_arena *arena, const char *text)
{
    size_t len, more;
    char *copy;

    if (text == NULL)
        return NULL;
    len = strlen(text);
    more = growth(text);
    copy = cf_arena_alloc(arena, len + more + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len + 1);
    redact(copy, false);
    if (more > 0)
        cf_str_sanitize(copy, len + more + 1);
    return copy;
}

size_t cf_utf8_count(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += starts_character(*text);
    return count;
}

void cf_utf8_cut(char *text, size_t max)
{
    size_t count = 0;
    char *cut = text;

    if (cf_utf8_count(text) <= max)
        return;
    /* At least four characters go, so the dots fit where they were. */
    for (; *cut != '\0'; cut++) {
        if (starts_character(*cut) && count++ == max - 3)
            break;
    }
    memcpy(cut, "...", 4);
}

bool cf_utf8_old_break(const char *bytes, size_t len)
{
    const char *end = bytes + len, *p = bytes;

    while ((p = memchr(p, 0xC2, (size_t)(end - p))) != NULL) {
        if (end - p > 1 && (unsigned char)p[1] == 0x85)
            return true;
        p++;
    }
    for (p = bytes; (p = memchr(p, 0xE2, (size_t)(end - p))) != NULL; p++) {
        if (end - p > 2 && (unsigned char)p[1] == 0x80 && ((unsigned char)p[2] & 0xFE) == 0xA8)
            return true;
    }
    return false;
}

/* ---- "did you mean" ---- */

#define WORD_MAX 40 /* no flag, command or key is longer; a longer word is near to none */
#define SLIPS_MAX 2

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time. Both words are shorter than WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t len = strlen(b), row[WORD_MAX];

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = least(change, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[len];
}

void cf_suggest(struct cf_suggestion *s, const char *candidate)
{
    size_t typed = strlen(s->word), d;

    if (typed >= WORD_MAX || strlen(candidate) >= WORD_MAX)
        return;
    d = distance(s->word, candidate);
    if (typed > 2 && cf_starts_with(candidate, s->word))
        d = 1;
    if (d > SLIPS_MAX || d + 1 >= typed || (s->best != NULL && d >= s->distance))
        return;
    s->best = candidate;
    s->distance = d;
}

const char *cf_suggestion_text(const struct cf_suggestion *s, char out[96])
{
    out[0] = '\0';
    if (s->best != NULL)
        snprintf(out, 96, ": did you mean '%s'?", s->best);
    return out;
}

/* ---- keyed hashes ---- */

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

uint64_t cf_hash64(const uint64_t key[2], const char *text, size_t len)
{
    struct sip s = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                    key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t word;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        memcpy(&word, text + i, 8);
        sip_word(&s, word);
    }
    word = (uint64_t)len << 56;
    for (unsigned shift = 0; i < len; i++, shift += 8)
        word |= (uint64_t)(unsigned char)text[i] << shift;
    sip_word(&s, word);
    s.v2 ^= 0xff;
    for (int n = 0; n < 3; n++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static uint64_t process_key[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    if (getrandom(process_key, sizeof(process_key), 0) != (ssize_t)sizeof(process_key))
        process_key[0] = (uintptr_t)&once; /* where the program is loaded is random, too */
}

const uint64_t *cf_hash_key(void)
{
    pthread_once(&once, make_key);
    return process_key;
}
