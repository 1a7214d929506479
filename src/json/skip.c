/* SPDX-License-Identifier: Apache-2.0 */
/* skip.c - passes over JSON by its structure alone; see skip.h.
 *
 * There is no recursion, and no ceiling of the depth: what is open is a bit each, in the arena. So
 * a value of n bytes needs n / 4 bytes at most, and a time that grows with n and nothing else. */
#include "skip.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "curfew/arena.h"
#include "curfew/json.h"

static const char *refuse(struct cf_fault *fault, const char *at, const char *what)
{
    *fault = (struct cf_fault){at, what};
    return NULL;
}

/* ---- what is open ---- */

static bool push(struct cf_skip *skip, bool object)
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

static const char *skip_string(const char *p, const char *end, struct cf_fault *fault)
{
    const char *behind = cf_skip_string(p, end);

    return behind != NULL ? behind : refuse(fault, end, "unexpected end");
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* A number or a word, whichever. */
static const char *skip_word(const char *p, const char *end, struct cf_fault *fault)
{
    const char *behind = p;

    while (behind < end && is_word(*behind))
        behind++;
    return behind > p ? behind : refuse(fault, p, "expected a value");
}

/* ---- structure ---- */

/* A key and its colon: to the value. */
static const char *skip_key(const char *p, const char *end, struct cf_fault *fault)
{
    p = cf_skip_space(p, end);
    if (p == end || *p != '"')
        return refuse(fault, p, "expected a key");
    p = skip_string(p + 1, end, fault);
    if (p == NULL)
        return NULL;
    p = cf_skip_space(p, end);
    return p < end && *p == ':' ? p + 1 : refuse(fault, p, "expected ':'");
}

/* At a bracket: to the first value in it, or behind its end; *empty tells which. */
static const char *enter(struct cf_skip *skip, const char *p, const char *end, bool *empty,
                         struct cf_fault *fault)
{
    bool object = *p == '{';

    p = cf_skip_space(p + 1, end);
    *empty = p < end && *p == (object ? '}' : ']');
    if (*empty)
        return p + 1;
    if (!push(skip, object))
        return refuse(fault, p, NULL);
    return object ? skip_key(p, end, fault) : p;
}

/* Behind a value: to the next one. With nothing open any more it is over. */
static const char *leave(struct cf_skip *skip, const char *p, const char *end,
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
            return refuse(fault, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
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
            return refuse(fault, p, "expected a value");
        if (*p == '"')
            p = skip_string(p + 1, end, fault);
        else if (*p == '{' || *p == '[')
            p = enter(skip, p, end, &complete, fault);
        else
            p = skip_word(p, end, fault);
        if (p != NULL && complete)
            p = leave(skip, p, end, fault);
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

/* The bytes ended, or what comes is no JSON: there are no more members. */
static bool stop(struct cf_json_walk *walk)
{
    walk->broken = true;
    return false;
}

bool cf_json_walk_next(struct cf_json_walk *walk, struct cf_json_member *member)
{
    struct cf_skip skip = {.arena = walk->arena};
    const char *p = cf_skip_space(walk->p, walk->end), *behind;
    struct cf_fault fault;

    if (walk->broken || (p < walk->end && *p == '}'))
        return false;
    if (walk->begun) {
        if (p == walk->end || *p != ',')
            return stop(walk);
        p = cf_skip_space(p + 1, walk->end);
    }
    walk->begun = true;
    behind = skip_key(p, walk->end, &fault);
    if (behind == NULL)
        return stop(walk);
    member->key = p + 1;
    member->key_len = (size_t)(cf_skip_string(p + 1, walk->end) - 1 - member->key);
    p = cf_skip_space(behind, walk->end);
    behind = cf_skip_value(&skip, p, walk->end, &fault);
    walk->broken = behind == NULL;
    walk->p = behind != NULL ? behind : walk->end;
    member->value = p;
    member->value_len = (size_t)(walk->p - p);
    return true;
}
