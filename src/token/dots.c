/* SPDX-License-Identifier: Apache-2.0 */
/* dots.c - finds tokens in text by their first dots.
 *
 * The claims of a JWT begin with `{"`, which is `eyJ` in base64url, after a dot. The search is for
 * this, since dots are rare in other data. Around it there must be three parts, which decode to a
 * token of a ServiceAccount.
 *
 * Linear: each part is examined once as header, claims and signature, and no token is read twice.
 */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/base64.h"
#include "curfew/limits.h"
#include "scan.h"

/* A part of a JWT: base64url between other characters. */
struct jwt_part {
    const char *begin, *end;
};

/* The parts around one dot. */
struct jwt_candidate {
    struct jwt_part header, claims, signature;
};

static size_t part_len(const struct jwt_part *part)
{
    return (size_t)(part->end - part->begin);
}

static bool is_url_digit(char c)
{
    return cf_is_digit(c) && c != '+' && c != '/';
}

static struct jwt_part part_after(const char *begin, const char *end, size_t max)
{
    struct jwt_part part = {begin, begin};

    if ((size_t)(end - begin) > max)
        end = begin + max;
    while (part.end < end && is_url_digit(*part.end))
        part.end++;
    return part;
}

static struct jwt_part part_before(const char *begin, const char *end, size_t max)
{
    struct jwt_part part = {end, end};

    if ((size_t)(end - begin) > max)
        begin = end - max;
    while (part.begin > begin && is_url_digit(part.begin[-1]))
        part.begin--;
    return part;
}

/* ---- where a header begins ---- */

/* The quote that begins the string which ends with the quote at `p`; NULL: none does. */
static const unsigned char *string_begin(const unsigned char *begin, const unsigned char *p)
{
    while (p > begin) {
        const unsigned char *quote = --p;

        if (*quote != '"')
            continue;
        while (p > begin && p[-1] == '\\')
            p--;
        if ((quote - p) % 2 == 0)
            return quote;
    }
    return NULL;
}

/* The JSON object that ends at the end of the bytes, read backwards: the end determines what is
 * inside a string, so only one place can be the beginning, regardless of the bytes before it. */
static const unsigned char *object_begin(const unsigned char *begin, const unsigned char *end)
{
    const unsigned char *p = end;
    size_t depth = 0;

    while (p > begin && strchr(" \t\r\n", p[-1]) != NULL && p[-1] != '\0')
        p--;
    while (p > begin) {
        p--;
        if (*p == '"') {
            p = string_begin(begin, p);
            if (p == NULL)
                return NULL;
        } else if (*p == '}' || *p == ']') {
            depth++;
        } else if (*p == '{' || *p == '[') {
            if (depth <= 1)
                return depth == 1 && *p == '{' ? p : NULL;
            depth--;
        } else if (depth == 0) {
            return NULL;
        }
    }
    return NULL;
}

/* The header that ends with the part, and may have other text glued to its front: an escape, a
 * word. It begins at one of three distances from the end, modulo 4; NULL: not found. */
static const char *find_header(struct cf_token_scanner *s, const struct jwt_part *part)
{
    static const size_t rests[] = {0, 2, 3};

    for (size_t i = 0; i < CF_COUNT(rests); i++) {
        const char *begin = part->begin + (part_len(part) + 4 - rests[i]) % 4, *header;
        const unsigned char *object;
        size_t n;

        if (begin >= part->end ||
            !cf_base64url_decode(begin, (size_t)(part->end - begin), s->bytes, &n))
            continue;
        object = object_begin(s->bytes, s->bytes + n);
        if (object == NULL || (object - s->bytes) % 3 != 0)
            continue;
        header = begin + (object - s->bytes) / 3 * 4;
        if (part->end - header >= 3 && memcmp(header, "eyJ", 3) == 0)
            return header;
    }
    return NULL;
}

/* ---- one token ---- */

/* A fast check, which is false for nearly all strings that only look like claims. Reads very long
 * ones in pieces. */
static bool claims_fit(struct cf_token_scanner *s, const struct jwt_part *claims)
{
    static const char word[] = "kubernetes";
    const char *at = claims->begin;
    bool is_long = part_len(claims) > CF_TOKEN_MAX;
    size_t n = 0;

    if (!is_long && !cf_base64url_decode(at, part_len(claims), s->bytes, &n))
        return false;
    if ((s->flags & CF_SCAN_ANY) != 0)
        return true;
    if (!is_long)
        return memmem(s->bytes, n, word, sizeof(word) - 1) != NULL;
    for (; claims->end - at >= 16; at += CF_TOKEN_MAX - 16) {
        size_t left = (size_t)(claims->end - at) & ~(size_t)3;

        if (cf_base64url_decode(at, left < CF_TOKEN_MAX ? left : CF_TOKEN_MAX, s->bytes, &n) &&
            memmem(s->bytes, n, word, sizeof(word) - 1) != NULL)
            return true;
    }
    return false;
}

/* Whether the claims decode, and are of a ServiceAccount if the flags require it. */
static bool read_claims(struct cf_token_scanner *s, const struct jwt_candidate *c,
                        struct cf_token *token)
{
    return cf_token_read_claims(s->arena, c->claims.begin, part_len(&c->claims), token, NULL) ==
               0 &&
           (token->service_account || (s->flags & CF_SCAN_ANY) != 0);
}

static void read_candidate(struct cf_token_scanner *s, const struct jwt_candidate *c)
{
    const char *text = c->header.begin;
    struct cf_token token = {0};
    struct cf_token_hit hit = {.text = text, .len = (size_t)(c->signature.end - text)};
    bool is_header = cf_token_read_header(s->arena, text, part_len(&c->header), &token, NULL) == 0;

    if (hit.len > CF_TOKEN_MAX)
        hit.unread = CF_UNREAD_LONG;
    else
        hit.token = &token;
    if (is_header && (part_len(&c->claims) > CF_TOKEN_MAX || read_claims(s, c, &token)))
        cf_scan_report(s, &hit);
    s->failed = s->failed || cf_arena_failed(s->arena);
    cf_arena_reset(s->arena, true);
}

static void try_candidate(struct cf_token_scanner *s, const struct cf_layer *layer,
                          struct jwt_candidate *c)
{
    if (part_len(&c->signature) == 0 || !claims_fit(s, &c->claims))
        return;
    c->header.begin = find_header(s, &c->header);
    if (c->header.begin == NULL)
        return;
    if (s->depth == 0)
        cf_scan_at(s, &s->token, (size_t)(c->header.begin - layer->text));
    if (cf_scan_is_new(s, c->header.begin, (size_t)(c->signature.end - c->header.begin)))
        read_candidate(s, c);
}

/* At a dot that may be between a header and claims. False: the window ends too early to decide. */
static bool try_at(struct cf_token_scanner *s, const struct cf_layer *layer, const char *dot,
                   bool last)
{
    const char *end = layer->text + layer->len;
    struct jwt_candidate c;

    if (end - dot <= 4)
        return last;
    if (memcmp(dot + 1, "eyJ", 3) != 0)
        return true;
    c.claims = part_after(dot + 1, end, CF_TOKEN_LONG_MAX);
    if (c.claims.end == end)
        return last;
    if (*c.claims.end != '.')
        return true;
    c.signature = part_after(c.claims.end + 1, end, CF_TOKEN_MAX);
    if (c.signature.end == end && !last)
        return false;
    c.header = part_before(layer->text, dot, CF_TOKEN_MAX);
    try_candidate(s, layer, &c);
    return true;
}

void cf_scan_dots(struct cf_token_scanner *s, struct cf_layer *layer, bool last)
{
    const char *end = layer->text + layer->len, *at = layer->text + layer->dots, *dot;

    while (!s->failed && !s->stopped && (dot = memchr(at, '.', (size_t)(end - at))) != NULL) {
        if (!try_at(s, layer, dot, last)) {
            layer->dots = (size_t)(dot - layer->text);
            return;
        }
        at = dot + 1;
    }
    layer->dots = layer->len;
}
