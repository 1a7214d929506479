/* SPDX-License-Identifier: Apache-2.0 */
/* watch_private.h - the parts of a watch: watch.c (threads), reflector.c (what one does next),
 * reflect_request.c (one request of it), reflect_events.c (what comes), reflect_say.c. */
#ifndef CF_KUBE_WATCH_PRIVATE_H
#define CF_KUBE_WATCH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "curfew/client.h"
#include "curfew/arena.h"
#include "curfew/watch.h"
#include "framer.h"

#define CF_MICROS ((int64_t)1000000) /* a second */

/* Longer ones are none: today's are numbers of up to 20 digits. */
#define CF_VERSION_MAX 64

/* Why a request ended: one of enum cf_watch_failure, or: */
enum { CF_ENDED_WELL = -1, CF_ENDED_QUIET = -2, CF_ENDED_STOPPED = -3 };

enum cf_phase_of_watch {
    CF_LISTING,       /* pages */
    CF_WATCH_LISTING, /* a watch that begins with all there is */
    CF_WATCHING,
};

/* One resource. Only its thread touches it, but for the counters. */
struct cf_reflector {
    struct cf_watch *watch;
    enum cf_resource resource;
    struct cf_api *api; /* NULL: it is not watched */
    pthread_t thread;
    bool running;

    char version[CF_VERSION_MAX]; /* the store is as of then; "": a list is needed */
    bool no_watch_list;           /* the server has none */
    bool one_page;                /* pages ended with 410: the list in one */
    bool doubted;   /* the server may be another one: its version, and whether it went backwards */
    bool kept;      /* the last stream's connection had answered before */
    unsigned moves; /* watches in a row that were given up because their connection was new */

    /* The request that is open. */
    enum cf_phase_of_watch phase;
    int64_t began, spoke, told; /* monotonic micros: it, the last bytes, the last whole object */
    int64_t lasts;              /* timeoutSeconds, in micros */
    bool was_list;              /* this watch began as CF_WATCH_LISTING */
    int ended;                  /* why we ended it; CF_ENDED_WELL: we did not */
    struct cf_err err;          /* and in words */
    int64_t code;               /* of the Status that says why; 0: none */
    bool in_stream;             /* which came as an ERROR event */
    bool only_head;             /* of a list nothing but its version is wanted */
    struct cf_framer cut;

    /* Changes that are not applied yet, in the arena, and the version after them. */
    struct cf_arena *arena;
    struct cf_store_change changes[CF_STORE_BATCH];
    size_t count;
    char next[CF_VERSION_MAX];
    struct cf_err why; /* why the last object could not be read whole */

    bool is_no_event;   /* the request that is open ended at what is no event */
    unsigned no_events; /* requests that did, since it was last heard of */

    int64_t pause;     /* before the next try, without its jitter; micros */
    int last;          /* how the last one failed; CF_ENDED_WELL: heard of since */
    unsigned in_a_row; /* failures since it was last heard of */

    /* What the log was told: */
    bool failing, stale;
    int failure;
    int64_t told_at[CF_WATCH_FAILURES]; /* monotonic micros; 0: never */
    int64_t failing_since;
    int64_t unread_told; /* monotonic micros; 0: never */

    /* Read by others. */
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

/* ---- watch.c ---- */

bool cf_watch_stopping(const struct cf_watch *watch);
/* A third of stale_after, in micros: how long a watch lasts. */
int64_t cf_watch_third(const struct cf_watch *watch);
/* The lowest version of the servers that the reflectors are connected to. */
void cf_watch_note_minor(struct cf_reflector *r, unsigned minor);

/* ---- reflector.c ---- */

/* The thread's life. */
void cf_reflector_run(struct cf_reflector *r);

/* ---- reflect_request.c ---- */

/* Each returns an enum cf_watch_failure or CF_ENDED_..., and why in r->err. */
int cf_reflector_list(struct cf_reflector *r);
int cf_reflector_watch_list(struct cf_reflector *r);
int cf_reflector_watch(struct cf_reflector *r);
/* Reads the server's version, and that its resources' did not go backwards. */
int cf_reflector_distrust(struct cf_reflector *r);

/* ---- reflect_events.c ---- */

cf_framer_take cf_reflector_take; /* arg is the reflector */
/* Applies what was taken. */
int cf_reflector_apply(struct cf_reflector *r, struct cf_err *err);
/* Forgets what was taken and not applied. */
void cf_reflector_drop(struct cf_reflector *r);
/* Reads what a list has beside its items. "" for no token. */
int cf_reflector_head(struct cf_reflector *r, char version[CF_VERSION_MAX], struct cf_buf *token,
                      struct cf_err *err);
/* What a Status says: an enum cf_watch_failure, and the sentence into r->err. */
int cf_reflector_status(struct cf_reflector *r, unsigned http, const struct cf_json *status);
/* The list is complete; it was asked for then. */
void cf_reflector_listed(struct cf_reflector *r, int64_t asked);
void cf_reflector_received(struct cf_reflector *r, int64_t when);
/* Both are numbers, and the first is smaller. */
bool cf_version_before(const char *a, const char *b);

/* ---- reflect_say.c ---- */

/* The log hears of changes only. */
void cf_reflector_log_failure(struct cf_reflector *r, int failure);
void cf_reflector_log_heard(struct cf_reflector *r);
/* Of this object (NULL: nobody knows which one) only the metadata are known. */
void cf_reflector_log_unread(struct cf_reflector *r, const struct cf_json *object,
                             const struct cf_err *why);
/* Often: whether what is known has become too old. */
void cf_reflector_log_age(struct cf_reflector *r);
void cf_reflector_log_synced(struct cf_watch *watch);

#endif
