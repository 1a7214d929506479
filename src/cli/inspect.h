/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - one run of `curfew inspect`: cmd_inspect.c reads the inputs, inspect_find.c finds the
 * tokens in them, inspect_keep.c collects the tokens, inspect_print.c prints them.
 *
 * "Sanitized" strings have control characters and tokens replaced, so that a terminal can print
 * them. */
#ifndef CURFEW_CLI_INSPECT_H
#define CURFEW_CLI_INSPECT_H

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/cmd.h"
#include "curfew/jwks.h"
#include "curfew/path.h"
#include "curfew/token.h"

/* Where a token was found. Strings are sanitized; NULL: unknown. */
struct cf_inspect_place {
    struct cf_inspect_place *next;
    const char *file;    /* or "standard input", "the command line" */
    const char *subject; /* `Secret "web-token" in namespace "shop"`, `user "admin"` */
    const char *path;    /* users[0].user.token */
    size_t line;         /* 0: unknown */
};

enum cf_inspect_signature { CF_SIGNATURE_UNCHECKED, CF_SIGNATURE_GOOD, CF_SIGNATURE_BAD };

/* The claims of a token, sanitized; or something like a token that was not read, which has places
 * only. */
struct cf_inspected {
    struct cf_token token;
    enum cf_token_kind kind;
    enum cf_token_unread unread;
    char hash[CF_TOKEN_HASH + 1];
    enum cf_inspect_signature signature;
    const char *reason; /* why the signature is bad; else NULL */
    struct cf_inspect_place *places, *last_place;
    size_t place_count, more_places; /* more_places: those that are counted only */
};

/* A hash table from the keyed hash of a string to a value (inspect_keep.c). */
struct cf_inspect_index {
    struct cf_inspect_slot *slots; /* open addressing, linear probing */
    size_t capacity, count;
};

/* Tokens in the list, and tokens that are counted only. */
struct cf_inspect_count {
    size_t listed, unlisted;
};

struct cf_inspect {
    struct cf_arena *arena;
    const struct cf_jwks *jwks;  /* NULL: signatures are not verified */
    int64_t now, max;            /* Unix seconds; seconds */
    struct cf_inspected **items; /* in the order in which they were found */
    size_t count, capacity;
    struct cf_inspect_count tokens[2]; /* [true]: findings; [false]: other tokens */
    struct cf_inspect_count unread;
    struct cf_inspect_index known; /* tokens, also unread ones */
    bool at_most;                  /* some may have been counted twice */
    struct cf_inspect_index texts; /* strings in claims and places, each once */
    size_t errors;
    int status;  /* enum cf_exit: the worst so far */
    bool failed; /* out of memory */
};

/* ---- cmd_inspect.c ---- */

/* Prints a line on stderr, sanitized, and raises the status. */
void cf_inspect_print(struct cf_inspect *run, enum cf_exit status, const char *fmt, ...)
    CF_PRINTF(3, 4);

/* Whether the token is long-lived or its signature is bad: the exit code is then 1. */
bool cf_inspect_is_finding(const struct cf_inspected *item);

enum cf_inspect_input {
    CF_INPUT_ANY,        /* a token, a kubeconfig, a manifest, or any other text */
    CF_INPUT_KUBECONFIG, /* only a kubeconfig */
    CF_INPUT_MANIFEST,   /* only YAML or JSON documents */
};

/* ---- inspect_keep.c ---- */

/* A sanitized copy in the run's arena; equal strings share one copy. NULL for NULL, and when out of
 * memory (run->failed). */
const char *cf_inspect_shown(struct cf_inspect *run, const char *text);

/* Adds a token and a copy of its place. `once`: a token whose last place is in the same file is not
 * added again. */
void cf_inspect_keep(struct cf_inspect *run, const struct cf_token_hit *hit,
                     const struct cf_inspect_place *place, bool once);

/* Frees the members of `run`. */
void cf_inspect_free(struct cf_inspect *run);

/* ---- inspect_find.c ---- */

/* One file, and the current position in it. */
struct cf_finder {
    struct cf_inspect *run;
    struct cf_arena *arena; /* reset after the file */
    struct cf_token_scanner *scanner;
    const char *file;
    bool is_text; /* the file is scanned as text: places have a line, but no path */
    const char *subject;
    const struct cf_path *path;
    size_t line;
    size_t found; /* tokens in this file */
};

/* Adds a token that a scan found: the callback of cf_token_scan(). */
bool cf_finder_take(const struct cf_token_hit *hit, void *finder);

/* Adds the argument of the command line. False: it is not a token; an error was printed. */
bool cf_inspect_argument(struct cf_inspect *run, const char *text);

/* Finds the tokens in the contents of a file, text[len] being a NUL. Prints an error if there are
 * none, or if the file is not an `input`. */
void cf_finder_search(struct cf_finder *f, const char *text, size_t len, const char *path,
                      enum cf_inspect_input input);

/* Finds the tokens in a file or a directory of documents, of any size. */
void cf_finder_documents(struct cf_finder *f, const char *path);

/* Prints the error that no token was found. */
void cf_finder_report_nothing(struct cf_finder *f);

/* ---- inspect_print.c ---- */

/* Write to standard output through the buffer; the last part stays in the buffer. */
void cf_inspect_text(const struct cf_inspect *run, struct cf_buf *out);
void cf_inspect_json(const struct cf_inspect *run, struct cf_buf *out);

#endif
