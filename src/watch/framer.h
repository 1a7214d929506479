/* SPDX-License-Identifier: Apache-2.0 */
/* framer.h - cuts what an API server sends into its objects while the bytes come, so that of a list
 * or a watch never more than one object is held.
 *
 * It only finds where objects begin and end; each is then parsed by itself, strictly (json.h).
 * Nothing that an object holds ends the stream: one that is too large is cut off, and the next one
 * begins behind it. */
#ifndef CF_KUBE_CUT_H
#define CF_KUBE_CUT_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/buf.h"
#include "curfew/err.h"

enum cf_framer_form {
    CF_CUT_EVENTS, /* {"type":"ADDED","object":{...}} and a newline, again and again */
    CF_CUT_LIST,   /* {"kind":"PodList",...,"items":[{...},...]} */
};

/* One event; an item of a list comes as {"object":{...}}. */
struct cf_framer_object {
    const char *text;
    size_t len;
    bool large; /* it has more than CF_OBJECT_MAX bytes; these are the first ones */
    bool torn;  /* its line ended before it did */
};

/* 0 to go on; -1 and a sentence ends it all. */
typedef int cf_framer_take(void *arg, const struct cf_framer_object *object, struct cf_err *err);

struct cf_framer {
    enum cf_framer_form form;
    cf_framer_take *take;
    void *arg;

    struct cf_buf text; /* the object so far */
    struct cf_buf head; /* a list without its items */
    struct cf_buf *to;  /* where the bytes go; NULL: nowhere */
    size_t depth;       /* open objects and arrays */
    size_t key;         /* where the last text begins in `head` */
    bool large;         /* the object has more bytes than are kept */
    bool in_string;
    bool escaped; /* behind a backslash */
    bool in_items;
    bool comma; /* between two items: it has come */
    bool items; /* the list had an array of them */
};

void cf_framer_init(struct cf_framer *cut, cf_framer_take *take, void *arg);
/* Forgets what it has, for the next answer. */
void cf_framer_reset(struct cf_framer *cut, enum cf_framer_form form);
void cf_framer_free(struct cf_framer *cut); /* what it held is wiped, here and above */

/* -1: what came is no such thing, or what `take` said. */
int cf_framer_feed(struct cf_framer *cut, const char *bytes, size_t len, struct cf_err *err);

/* Nothing was begun that has not ended: of a list, that it is whole. */
bool cf_framer_whole(const struct cf_framer *cut);

#endif
