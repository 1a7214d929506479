/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - one run of `curfew inspect`: from what it was given to the tokens in it, and what is
 * told of them. */
#ifndef CURFEW_CLI_INSPECT_H
#define CURFEW_CLI_INSPECT_H

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/cmd.h"
#include "curfew/jwks.h"
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

/* A token, without the token: its texts are fit to print. */
struct cf_inspected {
    struct cf_token token;
    enum cf_token_kind kind;
    char hash[CF_TOKEN_HASH + 1];
    enum cf_inspect_signature signature;
    const char *reason; /* why it is bad; else NULL */
    struct cf_inspect_place *places, *last_place;
};

struct cf_inspect {
    struct cf_arena *arena;
    const struct cf_jwks *jwks; /* NULL: nothing is verified */
    int64_t now, max;
    struct cf_inspected *items;
    size_t count, capacity;
    size_t errors;
    int status;  /* enum cf_exit: the worst so far */
    bool failed; /* out of memory */
};

/* A line on stderr, fit to print; raises the status. */
void cf_inspect_say(struct cf_inspect *run, enum cf_exit status, const char *fmt, ...)
    CF_PRINTF(3, 4);

/* Its kind is one that lives long, or its signature is bad: the exit code is 1. */
bool cf_inspect_is_finding(const struct cf_inspected *item);

/* ---- inspect_find.c ---- */

/* The argument of the command line; false when it is no token, which has been told. */
bool cf_inspect_argument(struct cf_inspect *run, const char *text);

enum cf_inspect_input {
    CF_INPUT_ANY,        /* a token, a kubeconfig, a manifest, or any other text */
    CF_INPUT_KUBECONFIG, /* nothing but a kubeconfig */
    CF_INPUT_MANIFEST,   /* nothing but YAML or JSON documents */
};

/* A file ("-": standard input). What goes wrong is told, and hides nothing else. */
void cf_inspect_file(struct cf_inspect *run, const char *path, enum cf_inspect_input input);

/* ---- inspect_tell.c ---- */

void cf_inspect_text(const struct cf_inspect *run, struct cf_buf *out);
void cf_inspect_json(const struct cf_inspect *run, struct cf_buf *out);

#endif
