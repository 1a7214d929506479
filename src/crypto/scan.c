/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - finds tokens in other texts.
 *
 * The claims of a JWT begin with `{"`, which is `eyJ` in base64url, behind a dot: that is searched
 * for, since dots are rare where tokens hide. Around it there must be three parts, and what they
 * stand for must say that it is a ServiceAccount's. Then every run of base64 is decoded, and the
 * result searched the same way.
 *
 * Linear: a part is looked at once as header, claims and signature each, and a layer of base64
 * is three quarters of the one around it. What looks like a token and is none costs more, so its
 * number is limited. Compressed, encrypted and otherwise encoded tokens are not found. */
#include <stdlib.h>
#include <string.h>

#include "curfew/base64.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "digits.h"
#include "parts.h"
#include "scan.h"

/* Shorter is no JWT with an alg and a claim that tells of a ServiceAccount. */
#define TOKEN_MIN 48
/* What was glued to a header in front of it (an escape, a word) is at most tried so often. */
#define HEADERS_MAX 8

struct layer {
    unsigned char *bytes;
    size_t cap, used; /* used: the most that it ever held */
};

struct cf_token_scanner {
    enum cf_token_scan_flags flags;
    struct cf_arena *arena; /* of the token that is being read */
    size_t tries;           /* left, of all texts together */
    struct layer layers[CF_TOKEN_LAYERS];
    unsigned char claims[CF_BASE64URL_BYTES(CF_TOKEN_MAX)];

    /* Of the text that is searched. */
    cf_token_visit *visit;
    void *arg;
    unsigned depth;
    size_t offset;
    size_t seen_count;
    char seen[CF_TOKEN_HITS_MAX][CF_TOKEN_HASH + 1];
};

struct cf_token_scanner *cf_token_scanner_new(enum cf_token_scan_flags flags)
{
    struct cf_token_scanner *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->flags = flags;
    s->tries = CF_TOKEN_TRIES_MAX;
    s->arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    if (s->arena == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void cf_token_scanner_free(struct cf_token_scanner *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < CF_TOKEN_LAYERS; i++) {
        if (s->layers[i].used > 0)
            explicit_bzero(s->layers[i].bytes, s->layers[i].used);
        free(s->layers[i].bytes);
    }
    cf_arena_reset(s->arena, true);
    cf_arena_free(s->arena);
    explicit_bzero(s, sizeof(*s));
    free(s);
}

/* ---- one token ---- */

/* What is between two characters that can't be in a part of a JWT. */
struct part {
    const char *begin, *end;
};

static bool is_url_digit(char c)
{
    return cf_is_digit(c) && c != '+' && c != '/';
}

static struct part part_behind(const char *begin, const char *end)
{
    struct part part = {begin, begin};

    while (part.end < end && is_url_digit(*part.end))
        part.end++;
    return part;
}

static struct part part_before(const char *begin, const char *end)
{
    struct part part = {end, end};

    while (part.begin > begin && is_url_digit(part.begin[-1]) &&
           end - part.begin < (int)CF_TOKEN_MAX)
        part.begin--;
    return part;
}

static bool is_seen(struct cf_token_scanner *s, const char *hash)
{
    for (size_t i = 0; i < s->seen_count; i++) {
        if (cf_streq(s->seen[i], hash))
            return true;
    }
    if (s->seen_count == CF_TOKEN_HITS_MAX)
        return true;
    memcpy(s->seen[s->seen_count++], hash, CF_TOKEN_HASH + 1);
    return false;
}

/* Tells of a token, if it is of the kind that is wanted and its claims can be read. */
static void take_token(struct cf_token_scanner *s, struct cf_token *token, const char *text,
                       const struct part *claims, const char *end)
{
    struct cf_token_hit hit = {.token = token, .text = text, .len = (size_t)(end - text)};

    if (hit.len > CF_TOKEN_MAX ||
        cf_token_read_claims(s->arena, claims->begin, (size_t)(claims->end - claims->begin), token,
                             NULL) != 0)
        return;
    if (!token->service_account && (s->flags & CF_SCAN_ANY) == 0)
        return;
    hit.layers = s->depth;
    hit.offset = s->offset;
    cf_token_hash(text, hit.len, hit.hash);
    if (!is_seen(s, hit.hash))
        s->visit(&hit, s->arg);
}

/* Whether a token's header begins at `text`. What is behind it is then told, if it fits. */
static bool try_token(struct cf_token_scanner *s, const char *text, const char *dot,
                      const struct part *claims, const char *end)
{
    struct cf_token token = {0};
    bool is_header;

    if (s->tries == 0)
        return true;
    s->tries--;
    is_header = cf_token_read_header(s->arena, text, (size_t)(dot - text), &token, NULL) == 0;
    if (is_header)
        take_token(s, &token, text, claims, end);
    cf_arena_reset(s->arena, true);
    return is_header;
}

/* Cheap, and false for nearly all that only looks like a token. */
static bool claims_fit(struct cf_token_scanner *s, const struct part *claims)
{
    size_t len = (size_t)(claims->end - claims->begin), n;

    if (len > CF_TOKEN_MAX || !cf_base64url_decode(claims->begin, len, s->claims, &n))
        return false;
    return (s->flags & CF_SCAN_ANY) != 0 || memmem(s->claims, n, "kubernetes", 10) != NULL;
}

/* At the dot between a header and claims. */
static void try_at(struct cf_token_scanner *s, const char *begin, const char *dot, const char *end)
{
    struct part claims = part_behind(dot + 1, end), header, signature;
    const char *at;

    if (claims.end == end || *claims.end != '.')
        return;
    signature = part_behind(claims.end + 1, end);
    if (signature.begin == signature.end || !claims_fit(s, &claims))
        return;
    header = part_before(begin, dot);
    at = header.begin;
    for (int i = 0; i < HEADERS_MAX; i++, at++) {
        at = memmem(at, (size_t)(dot - at), "eyJ", 3);
        if (at == NULL)
            return;
        if (s->depth == 0)
            s->offset = (size_t)(at - begin);
        if (try_token(s, at, dot, &claims, signature.end))
            return;
    }
}

static void find_tokens(struct cf_token_scanner *s, const char *text, size_t len)
{
    const char *end = text + len, *dot = text;

    while ((dot = memchr(dot, '.', (size_t)(end - dot))) != NULL) {
        if (end - dot > 4 && memcmp(dot + 1, "eyJ", 3) == 0)
            try_at(s, text, dot, end);
        dot++;
    }
}

/* ---- layers ---- */

static unsigned char *layer_room(struct cf_token_scanner *s, size_t len)
{
    struct layer *layer = &s->layers[s->depth];

    if (layer->cap >= len)
        return layer->bytes;
    if (layer->used > 0)
        explicit_bzero(layer->bytes, layer->used);
    free(layer->bytes);
    *layer = (struct layer){.bytes = malloc(len)};
    layer->cap = layer->bytes != NULL ? len : 0;
    return layer->bytes;
}

static int search(struct cf_token_scanner *s, const char *text, size_t len);

static int search_runs(struct cf_token_scanner *s, const char *text, size_t len)
{
    const char *end = text + len, *at = text;
    int rc = 0;

    while (rc == 0 && (at = cf_run_find(at, end)) != NULL) {
        struct layer *layer = &s->layers[s->depth];
        unsigned char *bytes = layer_room(s, CF_RUN_BYTES(len));
        size_t n;

        if (bytes == NULL)
            return -1;
        if (s->depth == 0)
            s->offset = (size_t)(at - text);
        at = cf_run_decode(text, at, end, bytes, &n);
        layer->used = n > layer->used ? n : layer->used;
        if (n == 0)
            continue;
        s->depth++;
        rc = search(s, (const char *)bytes, n);
        s->depth--;
    }
    return rc;
}

static int search(struct cf_token_scanner *s, const char *text, size_t len)
{
    if (len < TOKEN_MIN)
        return 0;
    find_tokens(s, text, len);
    return s->depth < CF_TOKEN_LAYERS ? search_runs(s, text, len) : 0;
}

int cf_token_scan(struct cf_token_scanner *s, const char *bytes, size_t len, cf_token_visit *visit,
                  void *arg)
{
    s->visit = visit;
    s->arg = arg;
    s->depth = 0;
    s->offset = 0;
    s->seen_count = 0;
    return search(s, bytes, len);
}

bool cf_token_may_hold(const char *text, size_t len)
{
    return len >= TOKEN_MIN &&
           (memmem(text, len, ".eyJ", 4) != NULL || cf_run_find(text, text + len) != NULL);
}
