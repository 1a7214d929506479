/* SPDX-License-Identifier: Apache-2.0 */
/* watch_private.h - the parts of a watch, each calling only those after it: watch.c (threads, and
 * what each does next), list_watch.c (one request), events.c (what an answer holds), reflector.c
 * (how one resource's watch is doing), framer.c (bytes to objects). */
#ifndef CF_WATCH_PRIVATE_H
#define CF_WATCH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "curfew/arena.h"
#include "curfew/client.h"
#include "curfew/watch.h"
#include "framer.h"

#define CF_MICROS ((int64_t)1000000) /* a second */

/* A longer resourceVersion is invalid: today's are numbers of up to 20 digits. */
#define CF_VERSION_MAX 64

/* Why a request ended: one of enum cf_watch_failure, or: */
enum {
    CF_ENDED_WELL = -1,
    CF_ENDED_QUIET = -2, /* without a result, and not a failure */
    CF_ENDED_STOPPED = -3,
};

enum cf_watch_phase {
    CF_LISTING,       /* pages */
    CF_WATCH_LISTING, /* a watch that starts with all objects */
    CF_WATCHING,
};

/* One resource. Only its thread uses it, except for the counters. Times are monotonic micros. */
struct cf_reflector {
    struct cf_watch *watch;
    enum cf_resource resource;
    struct cf_api *api; /* NULL: it is not watched */
    pthread_t thread;
    bool running;

    char version[CF_VERSION_MAX]; /* the store has the state of this version; "": list first */
    bool no_watch_list;           /* the server does not support watch-lists */
    bool one_page;                /* pages ended with 410: list without a limit */
    bool doubted;   /* check the server's version, and that no version went backwards */
    bool kept;      /* the last stream's connection had answered before */
    unsigned moves; /* watches in a row that were given up because their connection was new */

    /* The open request. */
    enum cf_watch_phase phase;
    int64_t began, bytes_at, object_at; /* its start, the last bytes, the last complete object */
    int64_t lasts;                      /* timeoutSeconds, in micros */
    bool was_list;                      /* this watch started as CF_WATCH_LISTING */
    int ended;                          /* why Curfew ended it; CF_ENDED_WELL: it did not */
    struct cf_err err;                  /* the same as a message */
    int64_t code;                       /* of the Status with the reason; 0: none */
    bool in_stream;                     /* that Status came as an ERROR event */
    bool only_head;                     /* the version of the list is all that is wanted */
    struct cf_framer framer;

    /* Changes that are not applied yet, in the arena, and the version after them. */
    struct cf_arena *arena;
    struct cf_store_change changes[CF_STORE_BATCH];
    size_t count;
    char next[CF_VERSION_MAX];
    struct cf_err why; /* why the last object could not be read completely */

    bool is_no_event;   /* the open request ended at something that is not an event */
    unsigned no_events; /* requests that ended so since the last contact */

    int64_t pause;     /* before the next try, without its jitter */
    int last;          /* how the last try failed; CF_ENDED_WELL: there was contact since */
    unsigned in_a_row; /* failures since the last contact */

    /* What was logged. */
    bool failing, stale;
    int failure;
    int64_t logged_at[CF_WATCH_FAILURES]; /* 0: never */
    int64_t failing_since;
    int64_t unread_logged_at; /* 0: never */

    /* Other threads read these. */
    atomic_uint_fast64_t events, unread, lists, failures[CF_WATCH_FAILURES];
    atomic_uint minor; /* of the server that answered last; 0: not known */
};

struct cf_watch {
    struct cf_store *store;
    char *kubeconfig, *context;
    _Atomic int64_t stale_after;            /* seconds */
    int64_t pause_min, pause_max, patience; /* micros */
    int64_t started;
    atomic_bool stopping, synced;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    struct cf_reflector reflectors[CF_RESOURCES];
};

static inline bool cf_watch_stopping(const struct cf_watch *watch)
{
    return atomic_load(&watch->stopping);
}

/* A third of stale_after, in micros: how long a watch lasts. */
static inline int64_t cf_watch_third(const struct cf_watch *watch)
{
    return atomic_load(&watch->stale_after) * CF_MICROS / 3;
}

/* ---- watch.c ---- */

/* What a reflector's thread does, until the watch stops. */
void cf_reflector_run(struct cf_reflector *r);

/* ---- list_watch.c ---- */

/* Each returns an enum cf_watch_failure or CF_ENDED_..., with the reason in r->err. */
int cf_reflector_list(struct cf_reflector *r);
int cf_reflector_watch_list(struct cf_reflector *r);
int cf_reflector_watch(struct cf_reflector *r);
/* Reads the server's version, and checks that its resourceVersions did not go backwards. */
int cf_reflector_check_server(struct cf_reflector *r);

/* ---- events.c ---- */

cf_framer_take cf_reflector_take; /* arg is the reflector */
/* Applies the changes taken so far. */
int cf_reflector_apply(struct cf_reflector *r, struct cf_err *err);
/* Drops the changes that are not applied. */
void cf_reflector_drop(struct cf_reflector *r);
/* Reads the members of a list beside its items. "" for no token. */
int cf_reflector_head(struct cf_reflector *r, char version[CF_VERSION_MAX], struct cf_buf *token,
                      struct cf_err *err);
/* Reads a Status: returns an enum cf_watch_failure, and sets r->err. */
int cf_reflector_status(struct cf_reflector *r, unsigned http, const struct cf_json *status);
/* Whether both are numbers and the first is smaller. */
bool cf_version_before(const char *a, const char *b);

/* What can be read of an object that cf_json_parse() refuses. An API server stores what people
 * write, and prints it in ways that strict parsing rejects: two keys that were not UTF-8 and became
 * equal, more values than the arena holds. The store keeps the metadata of such an object, so that
 * no other object is affected.
 *
 * `text` is an event, or an item as framer.h wraps it; it may be cut off. Returns a document of the
 * same form with the event's type, the object's kind, and of its metadata what the store reads (of
 * duplicate members the last), without values of the wrong type. *unread: which of the metadata
 * could not be read. NULL: out of memory. */
const struct cf_json *cf_identify(struct cf_arena *arena, const char *text, size_t len,
                                  unsigned *unread, struct cf_err *err);

/* ---- reflector.c ---- */

/* The list is complete; it was requested at this time. */
void cf_reflector_listed(struct cf_reflector *r, int64_t requested);
/* There was contact with the server at this time: the store is as fresh as that. */
void cf_reflector_received(struct cf_reflector *r, int64_t when);
/* Records a failure and what it means for the next try. Returns whether to pause before that. */
bool cf_reflector_failed(struct cf_reflector *r, int failure);
/* How long to pause before the next try; grows from call to call. Micros. */
int64_t cf_reflector_next_pause(struct cf_reflector *r);
/* Records the server's minor version; the store gets the lowest of all reflectors. */
void cf_reflector_set_minor(struct cf_reflector *r, unsigned minor);

/* Logs an object of which only the metadata are known (NULL: the object is unknown, too). */
void cf_reflector_log_unread(struct cf_reflector *r, const struct cf_json *object,
                             const struct cf_err *why);
/* Logs when the resource becomes stale or fresh; called a few times a second. */
void cf_reflector_log_age(struct cf_reflector *r);

#endif
