/* SPDX-License-Identifier: Apache-2.0 */
/* lex.c - JSON's strings and numbers, and its structure; see lex.h. */
#include "lex.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "curfew/arena.h"
#include "curfew/json.h"
#include "curfew/str.h"

static const char *set_fault(struct cf_fault *fault, const char *at, const char *what)
{
    *fault = (struct cf_fault){at, what};
    return NULL;
}

/* Replaces \u0000, since a C string cannot contain a NUL; Go writes it for invalid characters. */
#define REPLACEMENT 0xFFFD

/* ---- strings ---- */

/* The character that a backslash and this one mean; 0 for invalid escapes and for 'u'. */
static const char meanings[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* The first byte at or after p that a string cannot just hold: its end, an escape, a control
 * character, or one of a character of several bytes. */
static const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i escape = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');

    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed: the bytes from 0x80 on are below the space, too. */
        __m128i found =
            _mm_or_si128(_mm_cmplt_epi8(bytes, space),
                         _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);

        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && (unsigned char)*p >= ' ' && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The code of "\uXXXX" at p; -1 for anything else. */
static long unicode_escape(const char *p, const char *end)
{
    long code = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static const char *lex_unicode(const char *p, const char *end, struct cf_escapes *escapes,
                               struct cf_fault *fault)
{
    long code = unicode_escape(p, end);
    long low;

    if (code < 0)
        return set_fault(fault, end - p < 6 ? end : p,
                         "expected four hexadecimal digits after \\u");
    if (code == 0)
        escapes->nul = true;
    p += 6;
    if (code < 0xD800 || code > 0xDFFF)
        return p;
    low = unicode_escape(p, end);
    if (code > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return set_fault(fault, p - 6, "unpaired surrogate");
    return p + 6;
}

static const char *lex_escape(const char *p, const char *end, struct cf_escapes *escapes,
                              struct cf_fault *fault)
{
    escapes->any = true;
    if (end - p < 2)
        return set_fault(fault, end, "unexpected end");
    if (p[1] == 'u')
        return lex_unicode(p, end, escapes, fault);
    if (meanings[(unsigned char)p[1]] == '\0')
        return set_fault(fault, p, "unknown escape in a string");
    return p + 2;
}

static const char *lex_multibyte(const char *p, const char *end, struct cf_fault *fault)
{
    uint32_t code;

    while (p < end && (unsigned char)*p >= 0x80) {
        size_t len = cf_utf8_decode(p, (size_t)(end - p), &code);

        if (len == 0)
            return set_fault(fault, p, "not UTF-8");
        p += len;
    }
    return p;
}

const char *cf_lex_string(const char *p, const char *end, struct cf_escapes *escapes,
                          struct cf_fault *fault)
{
    while (p != NULL) {
        p = skip_plain(p, end);
        if (p == end)
            return set_fault(fault, p, "unexpected end");
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p = lex_escape(p, end, escapes, fault);
        } else if ((unsigned char)*p < ' ') {
            return set_fault(fault, p, "unescaped control character in a string");
        } else {
            p = lex_multibyte(p, end, fault);
        }
    }
    return NULL;
}

/* ---- what an escape stands for ---- */

static size_t encode(uint32_t code, char *out)
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = len; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[len] | code);
    return len;
}

/* Writes the character of the escape at p; *len becomes its bytes. Returns the end of the escape.
 */
static const char *unescape_one(const char *p, char *out, size_t *len)
{
    uint32_t code;

    if (p[1] != 'u') {
        *out = meanings[(unsigned char)p[1]];
        *len = 1;
        return p + 2;
    }
    code = (uint32_t)unicode_escape(p, p + 6);
    p += 6;
    if (code == 0)
        code = REPLACEMENT;
    if (code >= 0xD800 && code <= 0xDBFF) {
        code = 0x10000 + ((code & 0x3FF) << 10) + ((uint32_t)unicode_escape(p, p + 6) & 0x3FF);
        p += 6;
    }
    *len = encode(code, out);
    return p;
}

size_t cf_lex_unescape(const char *string, size_t len, char *text)
{
    const char *end = string + len;
    char *out = text;
    size_t step;

    while (string < end) {
        if (*string != '\\') {
            *out++ = *string++;
            continue;
        }
        string = unescape_one(string, out, &step);
        out += step;
    }
    return (size_t)(out - text);
}

/* ---- numbers ---- */

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* At least one digit at p; NULL and a fault without. */
static const char *lex_digits(const char *p, const char *end, struct cf_fault *fault)
{
    const char *after = skip_digits(p, end);

    return after > p ? after : set_fault(fault, p, "expected a digit");
}

const char *cf_lex_number(const char *p, const char *end, struct cf_fault *fault)
{
    const char *start = p += *p == '-';

    p = lex_digits(p, end, fault);
    if (p == NULL)
        return NULL;
    if (*start == '0' && p > start + 1)
        return set_fault(fault, start, "a number with a leading zero");
    if (p < end && *p == '.') {
        p = lex_digits(p + 1, end, fault);
        if (p == NULL)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = lex_digits(p, end, fault);
    }
    return p;
}

/* ---- passing over values by their structure alone ---- */

/* No recursion and no ceiling of the depth: each open container is a bit in the arena. So a value
 * of n bytes needs n / 4 bytes at most, and linear time. */

/* ---- what is open ---- */

static bool push_container(struct cf_skip *skip, bool object)
{
    size_t word = skip->depth / 64;
    uint64_t bit = UINT64_C(1) << skip->depth % 64;

    if (word == skip->words) {
        uint64_t *bits = cf_arena_grow(skip->arena, skip->bits, word, &skip->words, sizeof(*bits));

        if (bits == NULL)
            return false;
        skip->bits = bits;
    }
    if (object)
        skip->bits[word] |= bit;
    else
        skip->bits[word] &= ~bit;
    skip->depth++;
    return true;
}

static bool in_object(const struct cf_skip *skip)
{
    size_t innermost = skip->depth - 1;

    return (skip->bits[innermost / 64] >> innermost % 64 & 1) != 0;
}

/* ---- scalars ---- */

const char *cf_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* The first quote or backslash at or after p. */
static const char *find_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i escape = _mm_set1_epi8('\\');

    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned mask = (unsigned)_mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)));

        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

const char *cf_skip_string(const char *p, const char *end)
{
    while ((p = find_end(p, end)) < end && *p == '\\') {
        if (end - p < 2)
            return NULL;
        p += 2;
    }
    return p < end ? p + 1 : NULL;
}

static const char *pass_string(const char *p, const char *end, struct cf_fault *fault)
{
    const char *after = cf_skip_string(p, end);

    return after != NULL ? after : set_fault(fault, end, "unexpected end");
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* A number or a word, whichever. */
static const char *pass_word(const char *p, const char *end, struct cf_fault *fault)
{
    const char *after = p;

    while (after < end && is_word(*after))
        after++;
    return after > p ? after : set_fault(fault, p, "expected a value");
}

/* ---- structure ---- */

/* Passes a key and its colon: to the value. */
static const char *skip_key(const char *p, const char *end, struct cf_fault *fault)
{
    p = cf_skip_space(p, end);
    if (p == end || *p != '"')
        return set_fault(fault, p, "expected a key");
    p = pass_string(p + 1, end, fault);
    if (p == NULL)
        return NULL;
    p = cf_skip_space(p, end);
    return p < end && *p == ':' ? p + 1 : set_fault(fault, p, "expected ':'");
}

/* At a bracket: moves to the first value in it, or after its end (*empty). */
static const char *enter_container(struct cf_skip *skip, const char *p, const char *end,
                                   bool *empty, struct cf_fault *fault)
{
    bool object = *p == '{';

    p = cf_skip_space(p + 1, end);
    *empty = p < end && *p == (object ? '}' : ']');
    if (*empty)
        return p + 1;
    if (!push_container(skip, object))
        return set_fault(fault, p, NULL);
    return object ? skip_key(p, end, fault) : p;
}

/* After a value: moves to the next one, or to the end of the outermost value. */
static const char *leave_value(struct cf_skip *skip, const char *p, const char *end,
                               struct cf_fault *fault)
{
    while (skip->depth > 0) {
        bool object = in_object(skip);

        p = cf_skip_space(p, end);
        if (p < end && *p == (object ? '}' : ']')) {
            skip->depth--;
            p++;
            continue;
        }
        if (p == end || *p != ',')
            return set_fault(fault, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
        return object ? skip_key(p + 1, end, fault) : p + 1;
    }
    return p;
}

const char *cf_skip_value(struct cf_skip *skip, const char *p, const char *end,
                          struct cf_fault *fault)
{
    skip->depth = 0;
    do {
        bool complete = true;

        p = cf_skip_space(p, end);
        if (p == end)
            return set_fault(fault, p, "expected a value");
        if (*p == '"')
            p = pass_string(p + 1, end, fault);
        else if (*p == '{' || *p == '[')
            p = enter_container(skip, p, end, &complete, fault);
        else
            p = pass_word(p, end, fault);
        if (p != NULL && complete)
            p = leave_value(skip, p, end, fault);
    } while (p != NULL && skip->depth > 0);
    return p;
}

/* ---- the members of an object ---- */

bool cf_json_walk_open(struct cf_json_walk *walk, struct cf_arena *arena, const char *bytes,
                       size_t len)
{
    const char *end = bytes + len, *p = cf_skip_space(bytes, end);

    *walk = (struct cf_json_walk){.arena = arena, .p = p, .end = end};
    if (p == end || *p != '{')
        return false;
    walk->p = p + 1;
    return true;
}

/* The bytes end, or invalid structure follows: no more members. */
static bool stop(struct cf_json_walk *walk)
{
    walk->broken = true;
    return false;
}

bool cf_json_walk_next(struct cf_json_walk *walk, struct cf_json_member *member)
{
    struct cf_skip skip = {.arena = walk->arena};
    const char *p = cf_skip_space(walk->p, walk->end), *after;
    struct cf_fault fault;

    if (walk->broken || (p < walk->end && *p == '}'))
        return false;
    if (walk->begun) {
        if (p == walk->end || *p != ',')
            return stop(walk);
        p = cf_skip_space(p + 1, walk->end);
    }
    walk->begun = true;
    after = skip_key(p, walk->end, &fault);
    if (after == NULL)
        return stop(walk);
    member->key = p + 1;
    member->key_len = (size_t)(cf_skip_string(p + 1, walk->end) - 1 - member->key);
    p = cf_skip_space(after, walk->end);
    after = cf_skip_value(&skip, p, walk->end, &fault);
    walk->broken = after == NULL;
    walk->p = after != NULL ? after : walk->end;
    member->value = p;
    member->value_len = (size_t)(walk->p - p);
    return true;
}
