/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - what comes: events and items become changes of the store, a Status a reason.
 *
 * Whatever one object holds, the stream goes on: one that can't be read whole is known by its
 * metadata (identify.h). Only what is no event at all ends a stream, so that the same is asked for
 * again; and not for ever.
 *
 * Nothing of an object outlives its batch: the arena is wiped with each, since annotations hold
 * what people put there (kubectl's last-applied-configuration: a Secret's data). */
#include <string.h>

#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "identify.h"
#include "watch_private.h"

/* A batch is applied when it has taken so much, though it could hold more changes. */
#define BATCH_BYTES (1 * CF_MIB)

/* What is no event came so often in a row: then it is passed over. A line that a broken connection
 * has mixed up comes right when it is asked for again; one that the server always prints so must
 * not hide what is behind it. */
#define NO_EVENT_MAX 5

/* What the store never asks for, of an event or of an item in its wrapping: people may write there
 * what they like. */
static const struct cf_json_skip skips[] = {
    {"metadata", "managedFields"},
    {"annotations", "kubectl.kubernetes.io/last-applied-configuration"},
    {"object", "data"},
    {"object", "stringData"},
    {"object", "status"},
    {"spec", "affinity"},
    {"spec", "nodeSelector"},
    {"spec", "tolerations"},
    {"containers", "resources"},
    {"initContainers", "resources"},
    {"csi", "volumeAttributes"},
    {"flexVolume", "options"},
    {NULL, NULL},
};

bool cf_version_before(const char *a, const char *b)
{
    int64_t x, y;

    return cf_str_int64(a, &x) && cf_str_int64(b, &y) && x < y;
}

static bool copy_version(const struct cf_json *meta, char to[CF_VERSION_MAX])
{
    const char *version = cf_json_str(cf_json_get(meta, "resourceVersion"));
    size_t len = version != NULL ? strlen(version) : 0;

    if (len == 0 || len >= CF_VERSION_MAX)
        return false;
    memcpy(to, version, len + 1);
    return true;
}

/* ---- batches ---- */

void cf_reflector_drop(struct cf_reflector *r)
{
    r->count = 0;
    r->next[0] = '\0';
    cf_arena_reset(r->arena, true);
}

/* Those that could not be read whole, by us or by the store. */
static void count_unread(struct cf_reflector *r, const struct cf_err *why)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->changes[i].unread == 0 || r->changes[i].deleted)
            continue;
        atomic_fetch_add(&r->unread, 1);
        cf_reflector_log_unread(r, r->changes[i].object, why->kind != CF_ERR_NONE ? why : &r->why);
    }
}

int cf_reflector_apply(struct cf_reflector *r, struct cf_err *err)
{
    struct cf_err why = {.kind = CF_ERR_NONE};
    int rc = 0;

    if (r->count > 0)
        rc = cf_store_apply(r->watch->store, r->resource, r->changes, r->count, &why);
    if (rc == 0) {
        count_unread(r, &why);
        if (r->next[0] != '\0')
            memcpy(r->version, r->next, sizeof(r->version));
        if (r->phase == CF_WATCHING && (r->count > 0 || r->next[0] != '\0'))
            cf_reflector_received(r, cf_monotonic_micros());
        atomic_fetch_add(&r->events, r->count);
    } else {
        *err = why;
    }
    cf_reflector_drop(r);
    return rc;
}

static int push(struct cf_reflector *r, const struct cf_json *object, bool deleted, unsigned unread,
                struct cf_err *err)
{
    r->changes[r->count++] =
        (struct cf_store_change){.object = object, .deleted = deleted, .unread = unread};
    if (unread == 0 && r->count < CF_STORE_BATCH && cf_arena_used(r->arena) < BATCH_BYTES)
        return 0;
    return cf_reflector_apply(r, err);
}

/* ---- one object ---- */

/* It does not say which object it is, or what became of it. */
static int no_event(struct cf_reflector *r, const char *what, struct cf_err *err)
{
    if (r->no_events < NO_EVENT_MAX) {
        r->is_no_event = true;
        return cf_err_set(err, "%s", what);
    }
    (void)cf_err_set(&r->why, "%s", what);
    atomic_fetch_add(&r->unread, 1);
    cf_reflector_log_unread(r, NULL, &r->why);
    return 0;
}

static int item(struct cf_reflector *r, const struct cf_json *object, unsigned unread,
                struct cf_err *err)
{
    if (cf_str_empty(cf_json_str(cf_json_get(cf_json_get(object, "metadata"), "name"))))
        return no_event(r, "an item without a name", err);
    return push(r, object, false, unread, err);
}

/* The version of the last event, which may not have been applied yet. */
static const char *last_version(const struct cf_reflector *r)
{
    return r->next[0] != '\0' ? r->next : r->version;
}

static int gone_back(struct cf_reflector *r, const char *version, struct cf_err *err)
{
    r->ended = CF_WATCH_GONE;
    return cf_err_set(err, "its versions went backwards, from %s to %s", last_version(r), version);
}

static int bookmark(struct cf_reflector *r, const struct cf_json *meta, const char *version,
                    struct cf_err *err)
{
    const struct cf_json *notes = cf_json_get(meta, "annotations");
    bool end = r->phase == CF_WATCH_LISTING &&
               cf_streq(cf_json_str(cf_json_get(notes, "k8s.io/initial-events-end")), "true");

    if (cf_reflector_apply(r, err) != 0)
        return -1;
    if (!end)
        return 0;
    memcpy(r->version, version, CF_VERSION_MAX);
    cf_reflector_listed(r, r->began);
    r->phase = CF_WATCHING;
    return 0;
}

static int failed(struct cf_reflector *r, const struct cf_json *status, struct cf_err *err)
{
    r->ended = cf_reflector_status(r, 0, status);
    *err = r->err;
    return -1;
}

static bool is_whole_secret(const struct cf_reflector *r, const struct cf_json *object,
                            unsigned unread)
{
    const char *kind = cf_json_str(cf_json_get(object, "kind"));

    return r->resource == CF_SECRETS && !cf_streq(kind, "PartialObjectMetadata") &&
           (kind != NULL || unread == 0);
}

static int event(struct cf_reflector *r, const char *type, const struct cf_json *object,
                 unsigned unread, struct cf_err *err)
{
    const struct cf_json *meta = cf_json_get(object, "metadata");
    char version[CF_VERSION_MAX] = "";

    if (cf_streq(type, "ERROR"))
        return failed(r, object, err);
    if (is_whole_secret(r, object, unread))
        return cf_err_set(err, "a whole Secret, though only metadata was asked for");
    if (!copy_version(meta, version))
        return no_event(r, "no resourceVersion", err);
    if (r->phase == CF_WATCHING && cf_version_before(version, last_version(r)))
        return gone_back(r, version, err);
    if (r->phase == CF_WATCHING)
        memcpy(r->next, version, sizeof(version));
    if (cf_streq(type, "BOOKMARK"))
        return bookmark(r, meta, version, err);
    if (cf_str_empty(cf_json_str(cf_json_get(meta, "name"))))
        return no_event(r, "an event of an object without a name", err);
    if (cf_streq(type, "ADDED") || cf_streq(type, "MODIFIED"))
        return push(r, object, false, unread, err);
    if (cf_streq(type, "DELETED"))
        return push(r, object, true, unread, err);
    return no_event(r, "an event of an unknown type", err);
}

static int take_document(struct cf_reflector *r, const struct cf_json *root, unsigned unread,
                         struct cf_err *err)
{
    const struct cf_json *object = cf_json_get(root, "object");
    const char *type = cf_json_str(cf_json_get(root, "type"));

    if (cf_json_type(object) != CF_JSON_OBJECT)
        return no_event(r, "an event without an object", err);
    if (r->phase == CF_LISTING)
        return item(r, object, unread, err);
    return event(r, type, object, unread, err);
}

/* What is pending goes first: so all of the arena is there, and r->why is of this object alone. */
static int take_unread(struct cf_reflector *r, const struct cf_framer_object *o,
                       const struct cf_err *why, struct cf_err *err)
{
    const struct cf_json *root;
    unsigned unread = 0;

    if (cf_reflector_apply(r, err) != 0)
        return -1;
    r->why = *why;
    root = cf_identify(r->arena, o->text, o->len, &unread, err);
    return root != NULL ? take_document(r, root, unread, err) : -1;
}

int cf_reflector_take(void *arg, const struct cf_framer_object *o, struct cf_err *err)
{
    struct cf_reflector *r = arg;
    struct cf_err why = {.kind = CF_ERR_NONE};
    const struct cf_json *root = NULL;

    r->told = cf_monotonic_micros();
    if (r->only_head)
        return 0;
    if (o->torn && r->no_events < NO_EVENT_MAX)
        return no_event(r, "a line ended in the middle of an event", err);
    if (o->torn)
        (void)cf_err_set(&why, "its line ended before it did");
    else if (o->large)
        (void)cf_err_set(&why, "more than %zu bytes", CF_OBJECT_MAX);
    else
        root = cf_json_parse(r->arena, o->text, o->len, skips, NULL, &why);
    return root != NULL ? take_document(r, root, 0, err) : take_unread(r, o, &why, err);
}

/* ---- around the objects ---- */

/* The same one again would never end. */
static int next_token(const char *next, struct cf_buf *token, struct cf_err *err)
{
    if (next[0] != '\0' && cf_streq(next, cf_buf_str(token)))
        return cf_err_set(err, "its pages do not go on");
    cf_buf_wipe(token);
    cf_buf_adds(token, next);
    return cf_buf_ok(token) ? 0 : cf_err_memory(err);
}

int cf_reflector_head(struct cf_reflector *r, char version[CF_VERSION_MAX], struct cf_buf *token,
                      struct cf_err *err)
{
    const struct cf_json *root =
        cf_json_parse(r->arena, cf_buf_str(&r->cut.head), r->cut.head.len, NULL, NULL, err);
    const struct cf_json *meta = cf_json_get(root, "metadata");
    const struct cf_json *items = cf_json_get(root, "items");
    const char *kind = cf_json_str(cf_json_get(root, "kind"));
    int rc = root != NULL ? 0 : -1;

    /* Whole Secrets are not what was asked for, and something that is no list holds nothing. */
    if (rc == 0 &&
        (!cf_ends_with(cf_str_or_empty(kind), "List") || cf_json_get(root, "items") == NULL ||
         (cf_json_type(items) != CF_JSON_ARRAY && !cf_json_is_null(items)) ||
         (r->resource == CF_SECRETS && !cf_streq(kind, "PartialObjectMetadataList"))))
        rc = cf_err_set(err, "it is no list of the kind that was asked for");
    if (rc == 0 && !copy_version(meta, version))
        rc = cf_err_set(err, "no resourceVersion");
    if (rc == 0)
        rc = next_token(cf_str_or_empty(cf_json_str(cf_json_get(meta, "continue"))), token, err);
    cf_arena_reset(r->arena, true);
    return rc;
}

static bool has_cause(const struct cf_json *status, const char *reason)
{
    const struct cf_json *causes = cf_json_get(cf_json_get(status, "details"), "causes");

    for (const struct cf_json *c = cf_json_first(causes); c != NULL; c = cf_json_next(c)) {
        if (cf_streq(cf_json_str(cf_json_get(c, "reason")), reason))
            return true;
    }
    return false;
}

int cf_reflector_status(struct cf_reflector *r, unsigned http, const struct cf_json *status)
{
    const char *message = cf_json_str(cf_json_get(status, "message"));
    const char *reason = cf_json_str(cf_json_get(status, "reason"));
    int64_t code = http;

    (void)cf_json_int(cf_json_get(status, "code"), &code);
    cf_err_system(&r->err, "%s%.300s (%lld%s%.60s)", http == 0 ? "an ERROR event: " : "",
                  message != NULL ? message : "refused", (long long)code,
                  reason != NULL ? ", " : "", cf_str_or_empty(reason));
    r->code = code;
    r->in_stream = http == 0;
    if (code == 410 || cf_streq(reason, "Expired") || cf_streq(reason, "Gone") ||
        has_cause(status, "ResourceVersionTooLarge") ||
        cf_starts_with(cf_str_or_empty(message), "Too large resource version"))
        return CF_WATCH_GONE;
    if (code == 401 || code == 403)
        return CF_WATCH_REFUSED;
    return code == 429 ? CF_WATCH_BUSY : CF_WATCH_SERVER;
}
