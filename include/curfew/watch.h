/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - keeps a store in sync with a cluster: list and watch of everything that it holds.
 *
 * No object ends a stream. A user may write an object that can't be read completely (two keys that
 * print the same, more values or bytes than are read, a member of another type). The other objects
 * are read, the version moves on after it, and a list that has it is complete. Curfew counts it,
 * logs it, and keeps its metadata; store.h says what that means for each resource.
 *
 * Each resource has one thread and one connection. A list comes first (a watch-list, KEP-3157,
 * where the server supports it; else pages), then watches from the version of the list, each from
 * where the last one ended. A failure has one of three results. The next watch continues after the
 * last complete event (a dropped or silent connection, half a line, a line that is not an event, an
 * ERROR event, 429, 5xx). Or everything is listed again (410, versions that went backwards, the
 * same failure three times). Or nothing arrives: the resource is not fresh, its age grows,
 * and what the store lacks is unknown. Between two tries there is a pause that doubles, with jitter
 * (client-go's 0.8 to 30 s; at most 5 s for a server that can't be reached).
 *
 * When is a watch fresh? It needs contact with its server within `stale_after` (30 s), but on a
 * quiet cluster nothing happens for hours and bookmarks come once a minute, or never for a resource
 * without an event since the API server started. An answer to another request, or a connection
 * whose peer is alive, proves nothing about a stream that a balancer or a hung server holds open.
 * So every watch is short: it requests to end after a third of stale_after (timeoutSeconds; at most
 * 4 to 8 minutes), and the next one starts where it ended, on the same connection. The server sends
 * a bookmark 2 s before that end, which moves the version on, and the orderly end says that nothing
 * else happened. A watch that has sent nothing and not ended half that time later is dropped. The
 * cost is a request for each resource every 8 to 10 s: all six together are about as many as one
 * controller's leader election. A longer `staleAfter` makes fewer.
 *
 * After a connection was lost, the watch reads the server's version (cf_store_server_minor) and
 * compares resourceVersions: an etcd that was restored from a backup has lower ones, and would send
 * nothing until it reaches the store's. (An etcd that reached it before the watch is back goes
 * unnoticed, as with every client; that is why an etcd restore can bump its revision.)
 *
 * "Contact at a time" means: nothing from before that time is missing. An event, a bookmark and an
 * orderly end count when they come; a list counts from when it was requested, however long it took.
 * It is what that API server knows: Curfew can't detect one that is cut off from its etcd and still
 * answers watches. */
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
    bool no_secrets; /* Secrets are not watched: whether one is legacy stays unknown */
    /* Milliseconds; 0: 800, 30000, and 30000 without a byte of a list. For tests. */
    int64_t pause_min, pause_max, patience;
};

/* Starts the threads. NULL: a missing or wrong kubeconfig, or out of memory. A server that does not
 * answer is not an error: the threads retry until it does. Copies the configuration's strings. */
struct cf_watch *cf_watch_start(const struct cf_watch_config *config, struct cf_err *err);

/* Ends all threads within about half a second, also during a request. Takes NULL. */
void cf_watch_stop(struct cf_watch *watch);

/* Changes stale_after; takes effect with the next watch. */
void cf_watch_stale_after(struct cf_watch *watch, int64_t seconds);

const char *cf_watch_server(const struct cf_watch *watch); /* "https://10.0.0.1:443" */

/* Why a list or a watch failed. */
enum cf_watch_failure {
    CF_WATCH_UNREACHABLE, /* no answer */
    CF_WATCH_REFUSED,     /* 401, 403 */
    CF_WATCH_GONE,        /* 410: the version is too old (or, after a restore, too new) */
    CF_WATCH_BUSY,        /* 429 */
    CF_WATCH_SERVER,      /* another status, or an ERROR event */
    CF_WATCH_BROKEN,      /* it broke off, or sent something that is not an event */
    CF_WATCH_SILENT,      /* it sent nothing */
};
#define CF_WATCH_FAILURES 7
const char *cf_watch_failure_name(enum cf_watch_failure failure); /* the label `reason` */

/* What one resource's watch counted since the start; all 0 for a resource without one. */
struct cf_watch_counts {
    uint64_t events; /* added, modified, deleted */
    uint64_t unread; /* of those listed, added and modified: could not be read completely */
    uint64_t lists;  /* complete ones */
    uint64_t failures[CF_WATCH_FAILURES];
};
struct cf_watch_counts cf_watch_counts(const struct cf_watch *watch, enum cf_resource resource);

#endif
