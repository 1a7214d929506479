/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - what scan.c (the layers of a text, each seen through a window) and dots.c (tokens around
 * dots) share. */
#ifndef CURFEW_TOKEN_SCAN_H
#define CURFEW_TOKEN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/base64.h"
#include "curfew/limits.h"
#include "curfew/token.h"

/* ---- strings that were seen before, as keyed hashes of 64 bits ---- */

/* Start with zeroes. */
struct cf_seen {
    uint64_t *slots; /* open addressing, linear probing; 0: free */
    size_t capacity; /* a power of two */
    size_t count;
};

enum cf_seen_answer { CF_SEEN_NEW, CF_SEEN_BEFORE, CF_SEEN_FAILED };

/* Adds the string. After CF_TOKENS_SEEN_MAX of them the table is emptied first, and they count as
 * new again. CF_SEEN_FAILED: out of memory. */
enum cf_seen_answer cf_seen_add(struct cf_seen *seen, const char *text, size_t len);

/* Empties the table, at most at the cost of adding the strings. */
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

/* The largest window of a layer: enough to find a token that crosses its edge. */
#define CF_WINDOW_MAX (4 * CF_MIB)

struct cf_layer {
    const char *text; /* the window: the bytes below, or the caller's input */
    size_t len;
    size_t dots; /* where the search for the next dot and the next run continues */
    size_t runs;
    bool in_run;
    struct cf_base64_run run;
    char *bytes;
    size_t cap, used; /* used: the most bytes so far */
};

/* A place in the caller's input. Lines are counted up to `at`, which only moves forward. */
struct cf_scan_place {
    size_t at;           /* in the window */
    size_t lines;        /* that end before it */
    size_t offset, line; /* of the last hit */
};

struct cf_token_scanner {
    enum cf_token_scan_flags flags;
    struct cf_arena *arena; /* for the token that is decoded */
    struct cf_layer layers[CF_TOKEN_LAYERS + 1];
    struct cf_seen seen; /* candidates that were decoded */
    size_t tries;        /* remaining decodings of all searches, with CF_SCAN_BOUNDED */
    unsigned char bytes[CF_BASE64URL_BYTES(CF_TOKEN_MAX)];

    /* Of the input that is searched. */
    cf_token_visit *visit;
    void *arg;
    unsigned depth;
    bool failed;  /* out of memory */
    bool stopped; /* the visitor stopped the search */
    size_t base;  /* bytes of the input before its window */
    size_t deep;  /* 1 + the offset of the last run that was reported as too deep */
    struct cf_scan_place token, run; /* the newest of each */
};

/* Sets the place of a hit in the caller's input. */
void cf_scan_at(struct cf_token_scanner *s, struct cf_scan_place *place, size_t at);
/* Reports a hit to the visitor, with its place. */
void cf_scan_report(struct cf_token_scanner *s, struct cf_token_hit *hit);
/* Whether to decode a candidate: it is new in this input. */
bool cf_scan_is_new(struct cf_token_scanner *s, const char *text, size_t len);

/* ---- tokens (dots.c) ---- */

/* No JWT with an alg and a claim of a ServiceAccount is shorter. */
#define CF_TOKEN_MIN 48

/* Reports the tokens in the window of the layer. `last`: the input ends with it. */
void cf_scan_dots(struct cf_token_scanner *s, struct cf_layer *layer, bool last);

#endif
