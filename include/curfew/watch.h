/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - keeps a store in step with a cluster: list and watch of all that the store holds.
 *
 * No object ends a stream. Whoever may write an object may make it one that can't be read whole
 * (two keys that print the same, more values or bytes than are read, a member of another type):
 * then its neighbours are known, the version goes on behind it, and a list with it is complete. It
 * is counted, logged, and known by its metadata; store.h says what that means for each resource.
 *
 * One thread and one connection for each resource. A list comes first (a watch-list, KEP-3157,
 * where the server has it; else pages), then watches from the version that it had, each from where
 * the last one ended. What can go wrong ends in one of three ways: the next watch goes on where the
 * last whole event was (a dropped or silent connection, half a line, a line that is no event, an
 * ERROR event, 429, 5xx), or everything is listed anew (410, versions that went backwards, the same
 * failure three times), or the server is not heard of, and the store says so: the resource is not
 * fresh, its age grows, and what it lacks is unknown. Between two tries there is a pause that
 * doubles, with jitter (client-go's 0.8 to 30 s; 5 s where nobody answers at all).
 *
 * When is a watch fresh? Its server has to be heard of within `stale_after` (30 s), but on a quiet
 * cluster nothing happens for hours and bookmarks come once a minute, or never for a resource that
 * had no event since the API server began; that another request is answered, or that the
 * connection's peer is alive, proves nothing about a stream that a balancer or a hung server holds
 * open. So every watch is short: it asks to be ended after a third of stale_after (timeoutSeconds;
 * at most 4 to 8 minutes), and the next begins where it ended, on the same connection. The server
 * sends a bookmark 2 s before that end, which carries the version forward, and its orderly end says
 * that there was nothing else. One that has neither spoken nor ended half that time later is
 * dropped. The cost is a request for each resource every 8 to 10 s, all six together about as many
 * as one controller's leader election; a longer `staleAfter` makes it less.
 *
 * After a connection was lost the server is asked for its version (cf_store_server_minor), and how
 * far it has come: an etcd that was restored from a backup has lower resourceVersions, and would
 * let us wait in silence until it has reached ours. (One that has done so before we are back goes
 * unnoticed, as with every client; that is why etcd's restore can bump its revision.)
 *
 * Heard of means: as of then nothing is missing. An event, a bookmark and an orderly end count when
 * they come; a list counts as of when it was asked for, however long it took. It is what that API
 * server knows: one that is cut off from its etcd, and still answers watches, we can't tell. */
#ifndef CURFEW_WATCH_H
#define CURFEW_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "curfew/err.h"
#include "curfew/store.h"

struct cf_watch;

struct cf_watch_config {
    const char *kubeconfig, *context; /* as for cf_api_open() */
    struct cf_store *store;           /* CF_ABSENT_DEPENDS; outlives the watch */
    int64_t stale_after;              /* seconds */
    bool no_secrets; /* Secrets are not listed: whether one is legacy is unknown for ever */
    /* Milliseconds; 0: 800, 30000, and 30000 for a list that says nothing. For tests. */
    int64_t pause_min, pause_max, patience;
};

/* Starts the threads. NULL: a kubeconfig that is missing or wrong, or no memory; a server that does
 * not answer is none of these, it is tried again until it does. The configuration's texts are
 * copied. */
struct cf_watch *cf_watch_start(const struct cf_watch_config *config, struct cf_err *err);

/* Ends all threads, within about half a second, also in the midst of a request. Takes NULL. */
void cf_watch_stop(struct cf_watch *watch);

/* The configuration changed; from the next watch on. */
void cf_watch_stale_after(struct cf_watch *watch, int64_t seconds);

const char *cf_watch_server(const struct cf_watch *watch); /* "https://10.0.0.1:443" */

/* Why a list or a watch ended that should not have. */
enum cf_watch_failure {
    CF_WATCH_UNREACHABLE, /* no answer */
    CF_WATCH_REFUSED,     /* 401, 403 */
    CF_WATCH_GONE,        /* 410: the version is too old (or, after a restore, too new) */
    CF_WATCH_BUSY,        /* 429 */
    CF_WATCH_SERVER,      /* another status, or an ERROR event */
    CF_WATCH_BROKEN,      /* it broke off, or what came is no event */
    CF_WATCH_SILENT,      /* nothing came */
};
#define CF_WATCH_FAILURES 7
const char *cf_watch_failure_name(enum cf_watch_failure failure); /* the label `reason` */

/* What one resource's watch has seen since the start; all 0 where there is none. */
struct cf_watch_counts {
    uint64_t events; /* added, modified, deleted */
    uint64_t unread; /* of those listed, added and modified: could not be read whole */
    uint64_t lists;  /* complete ones */
    uint64_t failures[CF_WATCH_FAILURES];
};
struct cf_watch_counts cf_watch_counts(const struct cf_watch *watch, enum cf_resource resource);

#endif
