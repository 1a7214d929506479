/* SPDX-License-Identifier: Apache-2.0 */
/* framer.h - cuts the answer of an API server into its objects while the bytes come, so that of a
 * list or a watch at most one object is in memory.
 *
 * It only finds where objects begin and end; each is then parsed by itself, strictly (json.h). No
 * content of an object ends the stream: an object that is too large is cut off, and the next one is
 * read after it. */
#ifndef CF_WATCH_FRAMER_H
#define CF_WATCH_FRAMER_H

#include <stdbool.h>
#include <stddef.h>

#include "curfew/buf.h"
#include "curfew/err.h"

enum cf_framer_form {
    CF_FRAMER_EVENTS, /* {"type":"ADDED","object":{...}} and a newline, repeated */
    CF_FRAMER_LIST,   /* {"kind":"PodList",...,"items":[{...},...]} */
};

/* One event; an item of a list comes as {"object":{...}}. */
struct cf_framer_object {
    const char *text;
    size_t len;
    bool large; /* more than CF_OBJECT_MAX bytes; these are the first ones */
    bool torn;  /* its line ended before the object did */
};

/* 0: continue. -1 with an error: cf_framer_feed() fails with it. */
typedef int cf_framer_take(void *arg, const struct cf_framer_object *object, struct cf_err *err);

struct cf_framer {
    enum cf_framer_form form;
    cf_framer_take *take;
    void *arg;

    struct cf_buf text; /* the object so far */
    struct cf_buf head; /* a list without its items */
    struct cf_buf *to;  /* where the bytes go; NULL: nowhere */
    size_t depth;       /* open objects and arrays */
    size_t key;         /* where the last string begins in `head` */
    bool large;         /* the object has more bytes than are kept */
    bool in_string;
    bool escaped; /* after a backslash */
    bool in_items;
    bool comma; /* the comma between two items has come */
    bool items; /* the list had an array of items */
};

void cf_framer_init(struct cf_framer *f, cf_framer_take *take, void *arg);
/* Starts over, for the next answer. */
void cf_framer_reset(struct cf_framer *f, enum cf_framer_form form);
void cf_framer_free(struct cf_framer *f); /* wipes its bytes, as a reset does */

/* -1: the bytes are not of this form, or `take` failed. */
int cf_framer_feed(struct cf_framer *f, const char *bytes, size_t len, struct cf_err *err);

/* Whether no object is open; for a list: whether it is complete. */
bool cf_framer_whole(const struct cf_framer *f);

#endif
