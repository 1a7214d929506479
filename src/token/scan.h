/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - what scan.c (the layers of a text, each seen through a window) and dots.c (tokens around
 * dots) share. */
#ifndef CURFEW_CRYPTO_SCAN_H
#define CURFEW_CRYPTO_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/base64.h"
#include "curfew/limits.h"
#include "curfew/token.h"

/* ---- texts that were met before, as keyed hashes of 64 bits ---- */

/* Start with zeroes. */
struct cf_seen {
    uint64_t *slots; /* open addressing, linear probing; 0: free */
    size_t capacity; /* a power of two */
    size_t count;
};

enum cf_seen_answer { CF_SEEN_NEW, CF_SEEN_BEFORE, CF_SEEN_FAILED };

/* Notes the text. Never holds more than CF_TOKENS_SEEN_MAX: then it forgets them all, and says so
 * of none of them again. CF_SEEN_FAILED: out of memory. */
enum cf_seen_answer cf_seen_add(struct cf_seen *seen, const char *text, size_t len);

/* Forgets all, at a cost that is no more than that of adding them. */
void cf_seen_clear(struct cf_seen *seen);
void cf_seen_free(struct cf_seen *seen);

/* ---- layers ---- */

/* A run of base64 that is read piece by piece; zeroed where it begins. */
struct cf_base64_run {
    unsigned bits, have; /* of the last digits: less than a byte */
    bool between;        /* the line has ended, and another may follow */
    bool broken;         /* there was a line break since */
    size_t digits;       /* so far */
    size_t line;         /* of them on this line */
    size_t first_line;   /* on the first one; 0: it has not ended */
};

/* What a layer has of its text: the whole, or as much as is needed to find what goes over the
 * edge of what is there already. */
#define CF_WINDOW_MAX (4 * CF_MIB)

struct cf_layer {
    const char *text; /* the window: the bytes below, or the text that the caller has */
    size_t len;
    size_t dots; /* where to look for the next dot, for the next run */
    size_t runs;
    bool in_run;
    struct cf_base64_run run;
    char *bytes;
    size_t cap, used; /* used: the most that it ever held */
};

/* A place of the text that the caller has. Lines are counted up to `at`, which only moves on. */
struct cf_scan_place {
    size_t at;           /* in the window */
    size_t lines;        /* that end before it */
    size_t offset, line; /* of what was found last */
};

struct cf_token_scanner {
    enum cf_token_scan_flags flags;
    struct cf_arena *arena; /* of the token that is being read */
    struct cf_layer layers[CF_TOKEN_LAYERS + 1];
    struct cf_seen seen; /* what was read already, told or not */
    size_t tries;        /* what may still be read, of all texts together, if it is bounded */
    unsigned char bytes[CF_BASE64URL_BYTES(CF_TOKEN_MAX)];

    /* Of the text that is searched. */
    cf_token_visit *visit;
    void *arg;
    unsigned depth;
    bool failed;  /* out of memory */
    bool stopped; /* the visitor wants no more */
    size_t base;  /* bytes of the text before its window */
    size_t deep;  /* the run in which something deep was told last, its offset and 1 */
    struct cf_scan_place token, run; /* the newest of each */
};

/* In the text that the caller has, something begins there. */
void cf_scan_at(struct cf_token_scanner *s, struct cf_scan_place *place, size_t at);
/* Tells the visitor, with the place. */
void cf_scan_report(struct cf_token_scanner *s, struct cf_token_hit *hit);
/* Whether to read what looks like a token: it was not met before in this text. */
bool cf_scan_is_new(struct cf_token_scanner *s, const char *text, size_t len);

/* ---- tokens (dots.c) ---- */

/* Shorter is no JWT with an alg and a claim that tells of a ServiceAccount. */
#define CF_TOKEN_MIN 48

/* Tells of the tokens in the window of the layer. `last`: behind it there is nothing. */
void cf_scan_dots(struct cf_token_scanner *s, struct cf_layer *layer, bool last);

#endif
