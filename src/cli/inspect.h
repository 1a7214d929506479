/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - one run of `curfew inspect`: from what it was given to the tokens in it, and what is
 * told of them. */
#ifndef CURFEW_CLI_INSPECT_H
#define CURFEW_CLI_INSPECT_H

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/cmd.h"
#include "curfew/jwks.h"
#include "curfew/path.h"
#include "curfew/token.h"

/* Where a token was found. Texts are fit to print; NULL for none. */
struct cf_inspect_place {
    struct cf_inspect_place *next;
    const char *file;    /* or "standard input", "the command line" */
    const char *subject; /* `Secret "web-token" in namespace "shop"`, `user "admin"` */
    const char *path;    /* users[0].user.token */
    size_t line;         /* 0: unknown */
};

enum cf_inspect_signature { CF_SIGNATURE_UNCHECKED, CF_SIGNATURE_GOOD, CF_SIGNATURE_BAD };

/* A token, without the token: its texts are fit to print. Or what looks like one, and was not read:
 * then it has nothing but places. */
struct cf_inspected {
    struct cf_token token;
    enum cf_token_kind kind;
    enum cf_token_unread unread;
    char hash[CF_TOKEN_HASH + 1];
    enum cf_inspect_signature signature;
    const char *reason; /* why it is bad; else NULL */
    struct cf_inspect_place *places, *last_place;
    size_t place_count, more_places; /* that are not kept */
};

/* What is known of a text, by its keyed hash (inspect_keep.c). */
struct cf_inspect_index {
    struct cf_inspect_slot *slots; /* open addressing, linear probing */
    size_t capacity, count;
};

/* What is listed of so many tokens, and what is not: tokens that are no finding, and those that
 * are. */
struct cf_inspect_count {
    size_t listed, unlisted;
};

struct cf_inspect {
    struct cf_arena *arena;
    const struct cf_jwks *jwks; /* NULL: nothing is verified */
    int64_t now, max;
    struct cf_inspected **items; /* in the order in which they were found */
    size_t count, capacity;
    struct cf_inspect_count tokens[2]; /* [true]: findings */
    struct cf_inspect_count unread;
    struct cf_inspect_index known; /* tokens, and what was not read */
    bool at_most;                  /* some may have been counted twice */
    struct cf_inspect_index texts; /* what tokens say, each once */
    size_t errors;
    int status;  /* enum cf_exit: the worst so far */
    bool failed; /* out of memory */
};

/* Frees what it holds. */
void cf_inspect_free(struct cf_inspect *run);

/* A line on stderr, fit to print; raises the status. */
void cf_inspect_print(struct cf_inspect *run, enum cf_exit status, const char *fmt, ...)
    CF_PRINTF(3, 4);

/* Its kind is one that lives long, or its signature is bad: the exit code is 1. */
bool cf_inspect_is_finding(const struct cf_inspected *item);

enum cf_inspect_input {
    CF_INPUT_ANY,        /* a token, a kubeconfig, a manifest, or any other text */
    CF_INPUT_KUBECONFIG, /* nothing but a kubeconfig */
    CF_INPUT_MANIFEST,   /* nothing but YAML or JSON documents */
};

/* ---- inspect_keep.c ---- */

/* A copy that is fit to print, the same one for the same text. */
const char *cf_inspect_fit(struct cf_inspect *run, const char *text);

/* Keeps what a token says, and where it was found; the place is copied. `again`: one whose newest
 * place is in the same file has been told there. */
void cf_inspect_keep(struct cf_inspect *run, const struct cf_token_hit *hit,
                     const struct cf_inspect_place *place, bool again);

/* ---- inspect_find.c ---- */

/* One file, and where in it we are. */
struct cf_finder {
    struct cf_inspect *run;
    struct cf_arena *arena; /* gone with the file */
    struct cf_token_scanner *scanner;
    const char *file;
    bool is_text; /* it is searched as a text: that has lines, and nothing else */
    const char *subject;
    const struct cf_path *path;
    size_t line;
    size_t found; /* in this file */
};

/* Takes what a scan has found. */
bool cf_finder_take(const struct cf_token_hit *hit, void *finder);

/* The argument of the command line; false when it is no token, which has been told. */
bool cf_inspect_argument(struct cf_inspect *run, const char *text);

/* A file's text that ends with a NUL at text[len]. What it is not is told. */
void cf_finder_search(struct cf_finder *f, const char *text, size_t len, const char *path,
                      enum cf_inspect_input input);

/* A file, or a folder, of documents and nothing else, of any size. */
void cf_finder_documents(struct cf_finder *f, const char *path);

/* It holds no token, which is told. */
void cf_finder_report_nothing(struct cf_finder *f);

/* ---- inspect_read.c ---- */

/* ---- inspect_tell.c ---- */

/* What is told goes to standard output, through the buffer; the end of it is left there. */
void cf_inspect_text(const struct cf_inspect *run, struct cf_buf *out);
void cf_inspect_json(const struct cf_inspect *run, struct cf_buf *out);

#endif
