/* SPDX-License-Identifier: Apache-2.0 */
/* list_watch.c - one request of a reflector: a list in pages, a watch-list, a watch, and the checks
 * after a connection was lost. */
#include <stdio.h>
#include <string.h>

#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "watch_private.h"

/* client-go's page size: etcd answers a page with one read. */
#define PAGE 500
/* Of a path; an escaped continue token is most of it. */
#define PATH_MAX_BYTES (3 * CF_LIST_HEAD_MAX)
/* A watch is given up at most this many times in a row because its connection is new. */
#define MOVES_MAX 4
/* A watch lasts at most this long, at random between the two (client-go: 5 to 10 minutes). */
#define WATCH_MIN_SECONDS 240
#define WATCH_MAX_SECONDS 480

#define META "meta.k8s.io"
#define PARTIAL "application/json;as=PartialObjectMetadata;g=" META ";v=v1"
#define PARTIAL_LIST "application/json;as=PartialObjectMetadataList;g=" META ";v=v1"
#define LEGACY_ONLY "fieldSelector=type%3Dkubernetes.io%2Fservice-account-token&"

/* ---- the open request ---- */

/* How long nothing complete may come. A list may take long, so its bytes count; a watch ends after
 * its timeoutSeconds. An object that is on its way may take longer while its bytes come. */
static bool is_silent(const struct cf_reflector *r, int64_t now)
{
    int64_t third = cf_watch_third(r->watch), patience = r->watch->patience, most;

    if (r->phase != CF_WATCHING)
        return now - r->bytes_at > patience;
    most = r->was_list ? third /* it was meant to last as long as the list */
                       : r->lasts + third / 2;
    if (cf_framer_whole(&r->framer))
        return now - r->object_at > most;
    return now - r->bytes_at > most || now - r->object_at > most + patience;
}

/* Called four times a second; true ends the request. */
static bool check_open(void *arg)
{
    struct cf_reflector *r = arg;
    int64_t now = cf_monotonic_micros();

    if (cf_watch_stopping(r->watch)) {
        r->ended = CF_ENDED_STOPPED;
        return true;
    }
    cf_reflector_log_age(r);
    if (!is_silent(r, now))
        return false;
    if (r->phase == CF_WATCHING && r->was_list) {
        r->ended = CF_ENDED_QUIET;
        return true;
    }
    r->ended = CF_WATCH_SILENT;
    cf_err_system(
        &r->err, "received nothing for %lld s",
        (long long)((now - (r->phase == CF_WATCHING ? r->object_at : r->bytes_at)) / CF_MICROS));
    return true;
}

/* A watch uses the connection that carried the last answer. A new connection may lead to a server
 * whose etcd was restored from a backup meanwhile: then the watch is not sent, the versions are
 * compared first, and the watch follows over the connection of that answer. With a server that
 * closes each connection after its answer, a watch uses a new one after MOVES_MAX tries. */
static bool on_stream_connection(void *arg, bool kept)
{
    struct cf_reflector *r = arg;

    r->kept = kept;
    if (kept || r->phase != CF_WATCHING || r->moves == MOVES_MAX)
        return true;
    r->moves++;
    r->doubted = true;
    r->ended = CF_ENDED_QUIET;
    return false;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
    struct cf_reflector *r = arg;
    struct cf_err why = {.kind = CF_ERR_NONE};

    r->bytes_at = cf_monotonic_micros();
    if (cf_framer_feed(&r->framer, bytes, len, &why) == 0 && cf_reflector_apply(r, &why) == 0)
        return true;
    if (r->ended == CF_ENDED_WELL) {
        r->ended = CF_WATCH_BROKEN;
        r->no_events += r->is_no_event;
        cf_err_system(&r->err, "not a valid %s: %.300s", r->phase == CF_LISTING ? "list" : "event",
                      why.msg);
    } else if (r->err.kind == CF_ERR_NONE) {
        r->err = why;
    }
    cf_reflector_drop(r);
    return false;
}

/* ---- requests ---- */

static struct cf_api_call make_call(struct cf_reflector *r, const char *path, const char *verb)
{
    static const char *const resources[CF_RESOURCES] = {
        [CF_NAMESPACES] = "namespaces in API group \"\"",
        [CF_SECRETS] = "secrets in API group \"\"",
        [CF_ACCOUNTS] = "serviceaccounts in API group \"\"",
        [CF_PODS] = "pods in API group \"\"",
        [CF_CLAIMS] = "persistentvolumeclaims in API group \"\"",
        [CF_VOLUMES] = "persistentvolumes in API group \"\"",
    };
    bool list = r->phase == CF_LISTING;

    return (struct cf_api_call){
        .method = "GET",
        .path = path,
        .accept = r->resource != CF_SECRETS ? NULL
                  : list                    ? PARTIAL_LIST
                                            : PARTIAL,
        .verb = verb,
        .resource = resources[r->resource],
        .max = CF_STATUS_MAX,
        .timeout_seconds = 3600, /* check_open() ends it */
        .tries = 1,
        .cancelled = check_open,
        .arg = r,
    };
}

static void begin_request(struct cf_reflector *r, enum cf_watch_phase phase)
{
    r->phase = phase;
    r->was_list = phase == CF_WATCH_LISTING;
    r->ended = CF_ENDED_WELL;
    r->err = (struct cf_err){.kind = CF_ERR_NONE};
    r->code = 0;
    r->in_stream = r->is_no_event = false;
    r->began = r->bytes_at = r->object_at = cf_monotonic_micros();
    cf_framer_reset(&r->framer, phase == CF_LISTING ? CF_FRAMER_LIST : CF_FRAMER_EVENTS);
    cf_reflector_drop(r);
}

static int read_refusal(struct cf_reflector *r, unsigned status, const struct cf_buf *body)
{
    const struct cf_json *root =
        body->len > 0 ? cf_json_parse(r->arena, body->data, body->len, NULL, NULL, NULL) : NULL;
    int failure = cf_reflector_status(r, status, root);

    cf_reflector_drop(r);
    return failure;
}

/* CF_ENDED_WELL: a 200 with a complete body. */
static int run_stream(struct cf_reflector *r, const char *path, struct cf_buf *body)
{
    struct cf_api_call call = make_call(r, path, r->phase == CF_LISTING ? "list" : "watch");
    struct cf_api_stream stream = {
        .data = on_data, .connected = on_stream_connection, .arg = r, .silence_seconds = 3600};
    struct cf_err err = {.kind = CF_ERR_NONE};
    const char *why = "";
    unsigned status = 0;
    int rc = cf_api_stream(r->api, &call, &stream, &status, body, &why, &err);

    if (r->ended != CF_ENDED_WELL)
        return r->ended;
    if (rc != 0) {
        r->err = err;
        return status == 401 || status == 403 ? CF_WATCH_REFUSED : CF_WATCH_UNREACHABLE;
    }
    if (status != 200)
        return read_refusal(r, status, body);
    if (!cf_streq(why, CF_API_WHOLE) || !cf_framer_whole(&r->framer)) {
        cf_err_system(&r->err, "the answer broke off: %s", why);
        return CF_WATCH_BROKEN;
    }
    return CF_ENDED_WELL;
}

static int run_request(struct cf_reflector *r, const char *path)
{
    struct cf_buf body;
    int ended;

    cf_buf_init(&body, CF_STATUS_MAX);
    ended = run_stream(r, path, &body);
    cf_buf_wipe(&body);
    cf_buf_free(&body);
    return ended;
}

/* Escapes all but the unreserved characters of RFC 3986. */
static void add_escaped(struct cf_buf *to, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            c == '-' || c == '_' || c == '.' || c == '~')
            cf_buf_addc(to, (char)c);
        else
            cf_buf_addf(to, "%%%02X", c);
    }
}

static void add_path(struct cf_buf *to, const struct cf_reflector *r)
{
    cf_buf_wipe(to);
    cf_buf_addf(to, "/api/v1/%s?%s", cf_resource_name(r->resource),
                r->resource == CF_SECRETS ? LEGACY_ONLY : "");
}

/* ---- a list in pages ---- */

static int list_page(struct cf_reflector *r, struct cf_buf *path, struct cf_buf *token)
{
    char version[CF_VERSION_MAX];
    bool first = token->len == 0;
    int ended;

    begin_request(r, CF_LISTING);
    add_path(path, r);
    if (!r->one_page)
        cf_buf_addf(path, "limit=%d", PAGE);
    if (!first) {
        cf_buf_adds(path, "&continue=");
        add_escaped(path, token->data);
    }
    ended = cf_buf_ok(path) ? run_request(r, path->data) : CF_WATCH_BROKEN;
    if (ended == CF_ENDED_WELL && cf_reflector_head(r, version, token, &r->err) != 0)
        ended = CF_WATCH_BROKEN;
    if (ended == CF_ENDED_WELL)
        memcpy(r->next, version, sizeof(version));
    /* The token is too old to continue. One page needs no token. */
    if (ended == CF_WATCH_GONE && !first)
        r->one_page = true;
    return ended;
}

static int list_pages(struct cf_reflector *r, struct cf_buf *path, struct cf_buf *token)
{
    int64_t requested = cf_monotonic_micros();
    int ended;

    cf_store_list_begin(r->watch->store, r->resource);
    do
        ended = list_page(r, path, token);
    while (ended == CF_ENDED_WELL && token->len > 0);
    if (ended != CF_ENDED_WELL)
        return ended;
    memcpy(r->version, r->next, sizeof(r->version));
    r->one_page = false;
    cf_reflector_listed(r, requested);
    return ended;
}

int cf_reflector_list(struct cf_reflector *r)
{
    struct cf_buf path, token;
    int ended;

    cf_buf_init(&path, PATH_MAX_BYTES);
    cf_buf_init(&token, CF_LIST_HEAD_MAX);
    ended = list_pages(r, &path, &token);
    cf_buf_free(&path);
    cf_buf_free(&token);
    return ended;
}

/* ---- watches ---- */

static int open_watch(struct cf_reflector *r, const char *more, int64_t seconds)
{
    struct cf_buf path;
    int ended = CF_WATCH_BROKEN;

    r->lasts = seconds * CF_MICROS;
    cf_buf_init(&path, PATH_MAX_BYTES);
    add_path(&path, r);
    cf_buf_addf(&path, "watch=1&allowWatchBookmarks=true&timeoutSeconds=%lld&%sresourceVersion=",
                (long long)seconds, more);
    if (r->phase == CF_WATCHING)
        add_escaped(&path, r->version);
    if (cf_buf_ok(&path))
        ended = run_request(r, path.data);
    else
        cf_err_memory(&r->err);
    cf_buf_free(&path);
    return ended;
}

int cf_reflector_watch_list(struct cf_reflector *r)
{
    int ended;

    begin_request(r, CF_WATCH_LISTING);
    cf_store_list_begin(r->watch->store, r->resource);
    ended = open_watch(r, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&",
                       cf_jitter(WATCH_MIN_SECONDS, WATCH_MAX_SECONDS));
    if (r->phase == CF_WATCHING) /* the list was complete, and the watch continued */
        return ended;
    /* The server rejected it, its storage can't do it (etcd 3.4), or it did not understand and so
     * never sent the end: list in pages instead. An unrelated failure is returned as it is. */
    if ((ended == CF_WATCH_SERVER && (r->in_stream || r->code < 500)) || ended == CF_WATCH_SILENT ||
        ended == CF_ENDED_WELL) {
        r->no_watch_list = true;
        return CF_ENDED_QUIET;
    }
    return ended;
}

int cf_reflector_watch(struct cf_reflector *r)
{
    int64_t third = cf_watch_third(r->watch) / CF_MICROS;
    int64_t seconds = cf_jitter(third - third / 5, third);
    int64_t most = cf_jitter(WATCH_MIN_SECONDS, WATCH_MAX_SECONDS);
    int ended;

    begin_request(r, CF_WATCHING);
    ended = open_watch(r, "", seconds < 1 ? 1 : seconds < most ? seconds : most);
    /* The orderly end means that nothing else happened. */
    if (ended == CF_ENDED_WELL)
        cf_reflector_received(r, cf_monotonic_micros());
    return ended;
}

/* ---- after a connection was lost ---- */

/* An enum cf_watch_failure, or CF_ENDED_WELL, and then the answer in `out`. */
static int get_answer(struct cf_reflector *r, const char *path, struct cf_buf *out)
{
    struct cf_api_call call = make_call(r, path, "list");
    struct cf_err err = {.kind = CF_ERR_NONE};
    unsigned status = 0;
    int ended = CF_ENDED_WELL, rc;

    r->bytes_at = cf_monotonic_micros();
    rc = cf_api_call(r->api, &call, &status, out, &err);
    if (r->ended != CF_ENDED_WELL)
        return r->ended;
    if (rc != 0) {
        r->err = err;
        ended = status == 401 || status == 403 ? CF_WATCH_REFUSED
                : status != 0                  ? CF_WATCH_BROKEN
                                               : CF_WATCH_UNREACHABLE;
    } else if (status != 200) {
        ended = read_refusal(r, status, out);
    }
    if (ended != CF_ENDED_WELL)
        cf_buf_wipe(out);
    return ended;
}

/* "1.36": the minor version; some write "36+". */
static unsigned read_minor(const struct cf_json *root)
{
    const char *text = cf_str_or_empty(cf_json_str(cf_json_get(root, "minor")));
    char digits[8];
    int64_t minor = 0;

    if (!cf_streq(cf_json_str(cf_json_get(root, "major")), "1"))
        return 0;
    snprintf(digits, sizeof(digits), "%.*s", (int)strspn(text, "0123456789"), text);
    return cf_str_int64(digits, &minor) && minor > 0 && minor < 10000 ? (unsigned)minor : 0;
}

static const struct cf_json *parse_answer(struct cf_reflector *r, const struct cf_buf *out)
{
    return out->len > 0 ? cf_json_parse(r->arena, out->data, out->len, NULL, NULL, NULL) : NULL;
}

/* Without a version in the answer the last one stays. */
static int get_version(struct cf_reflector *r, struct cf_buf *out)
{
    int ended = get_answer(r, "/version", out);
    const struct cf_json *root = parse_answer(r, out);

    if (root != NULL)
        cf_reflector_set_minor(r, read_minor(root));
    cf_reflector_drop(r);
    return r->ended == CF_ENDED_WELL && ended != CF_WATCH_UNREACHABLE ? CF_ENDED_WELL : ended;
}

/* The version of the list; its one item is ignored. */
static int get_list_version(struct cf_reflector *r, const char *path, char version[CF_VERSION_MAX])
{
    struct cf_buf token;
    int ended;

    cf_buf_init(&token, CF_LIST_HEAD_MAX);
    r->only_head = true;
    ended = run_request(r, path);
    r->only_head = false;
    if (ended == CF_ENDED_WELL && cf_reflector_head(r, version, &token, &r->err) != 0)
        ended = CF_WATCH_BROKEN;
    cf_buf_free(&token);
    return ended;
}

/* A server whose etcd was restored from a backup has lower versions than the store, and would send
 * nothing until it reaches the store's. Without an answer the check is repeated. */
static int check_backwards(struct cf_reflector *r)
{
    char version[CF_VERSION_MAX];
    struct cf_buf path;
    int ended = CF_WATCH_BROKEN;

    begin_request(r, CF_LISTING);
    cf_buf_init(&path, PATH_MAX_BYTES);
    add_path(&path, r);
    cf_buf_adds(&path, "limit=1");
    if (!cf_buf_ok(&path))
        cf_err_memory(&r->err);
    else
        ended = get_list_version(r, path.data, version);
    if (ended == CF_ENDED_WELL && cf_version_before(version, r->version)) {
        cf_err_system(&r->err, "the server's resourceVersions went backwards, from %s to %s",
                      r->version, version);
        ended = CF_WATCH_GONE;
    }
    cf_buf_free(&path);
    return ended;
}

int cf_reflector_check_server(struct cf_reflector *r)
{
    struct cf_buf out;
    int ended;

    begin_request(r, CF_LISTING);
    cf_buf_init(&out, CF_STATUS_MAX);
    ended = get_version(r, &out);
    cf_buf_free(&out);
    if (ended == CF_ENDED_WELL && r->version[0] != '\0')
        ended = check_backwards(r);
    return ended;
}
