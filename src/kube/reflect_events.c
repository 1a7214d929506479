/* SPDX-License-Identifier: Apache-2.0 */
/* reflect_events.c - what comes: events and items become changes of the store, a Status a reason.
 *
 * Nothing of an object outlives its batch: the arena is wiped with each, since annotations hold
 * what people put there (kubectl's last-applied-configuration: a Secret's data). */
#include <string.h>

#include "curfew/clock.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "watch_private.h"

/* A batch is applied when it has taken so much, though it could hold more changes. */
#define BATCH_BYTES (1 * CF_MIB)

/* What the store never asks for, of an event or of an item in its wrapping. */
static const struct cf_json_skip skips[] = {
    {"metadata", "managedFields"},
    {"annotations", "kubectl.kubernetes.io/last-applied-configuration"},
    {"object", "data"},
    {"object", "stringData"},
    {NULL, NULL},
};

bool cf_version_before(const char *a, const char *b)
{
    int64_t x, y;

    return cf_str_int64(a, &x) && cf_str_int64(b, &y) && x < y;
}

static int copy_version(const struct cf_json *meta, char to[CF_VERSION_MAX], struct cf_err *err)
{
    const char *version = cf_json_str(cf_json_get(meta, "resourceVersion"));
    size_t len = version != NULL ? strlen(version) : 0;

    if (len == 0 || len >= CF_VERSION_MAX)
        return cf_err_set(err, "no resourceVersion");
    memcpy(to, version, len + 1);
    return 0;
}

/* ---- batches ---- */

void cf_reflect_drop(struct cf_reflector *r)
{
    r->count = 0;
    r->next[0] = '\0';
    cf_arena_reset(r->arena, true);
}

int cf_reflect_apply(struct cf_reflector *r, struct cf_err *err)
{
    int rc = 0;

    if (r->count > 0)
        rc = cf_store_apply(r->watch->store, r->resource, r->changes, r->count, err);
    if (rc == 0) {
        if (r->next[0] != '\0')
            memcpy(r->version, r->next, sizeof(r->version));
        if (r->phase == CF_WATCHING && (r->count > 0 || r->next[0] != '\0'))
            cf_reflect_heard(r, cf_monotonic_micros());
        atomic_fetch_add(&r->events, r->count);
    }
    cf_reflect_drop(r);
    return rc;
}

static int push(struct cf_reflector *r, const struct cf_json *object, bool deleted,
                struct cf_err *err)
{
    r->changes[r->count++] = (struct cf_store_change){.object = object, .deleted = deleted};
    if (r->count < CF_STORE_BATCH && cf_arena_used(r->arena) < BATCH_BYTES)
        return 0;
    return cf_reflect_apply(r, err);
}

/* ---- one object ---- */

/* Of an object that is more than we read, what says which one it is: it must not keep all others
 * from being known. It then has no edges, which is never more than it really has. */
static const struct cf_json *parse_meta(struct cf_reflector *r, const struct cf_cut_object *o,
                                        struct cf_err *err)
{
    struct cf_buf text;

    if (o->meta_len == 0) {
        cf_err_set(err, "an object without metadata, and of too many values");
        return NULL;
    }
    cf_buf_init_arena(&text, r->arena, o->object + o->meta_len + 32);
    cf_buf_add(&text, o->text, o->object);
    cf_buf_adds(&text, "{\"metadata\":");
    cf_buf_add(&text, o->text + o->meta, o->meta_len);
    cf_buf_adds(&text, "}}");
    cf_reflect_say_large(r);
    if (!cf_buf_ok(&text)) {
        cf_err_memory(err);
        return NULL;
    }
    return cf_json_parse(r->arena, text.data, text.len, skips, NULL, err);
}

static int item(struct cf_reflector *r, const struct cf_json *object, struct cf_err *err)
{
    if (cf_json_str(cf_json_get(cf_json_get(object, "metadata"), "name")) == NULL)
        return cf_err_set(err, "an item without a name");
    return push(r, object, false, err);
}

static int gone_back(struct cf_reflector *r, const char *version, struct cf_err *err)
{
    r->ended = CF_WATCH_GONE;
    return cf_err_set(err, "its versions went backwards, from %s to %s", r->version, version);
}

static int bookmark(struct cf_reflector *r, const struct cf_json *meta, const char *version,
                    struct cf_err *err)
{
    const struct cf_json *notes = cf_json_get(meta, "annotations");
    bool end = r->phase == CF_WATCH_LISTING &&
               cf_streq(cf_json_str(cf_json_get(notes, "k8s.io/initial-events-end")), "true");

    if (cf_reflect_apply(r, err) != 0)
        return -1;
    if (!end)
        return 0;
    memcpy(r->version, version, CF_VERSION_MAX);
    cf_reflect_listed(r, r->began);
    r->phase = CF_WATCHING;
    return 0;
}

static int failed(struct cf_reflector *r, const struct cf_json *status, struct cf_err *err)
{
    r->ended = cf_reflect_status(r, 0, status);
    *err = r->err;
    return -1;
}

static int event(struct cf_reflector *r, const char *type, const struct cf_json *object,
                 struct cf_err *err)
{
    const struct cf_json *meta = cf_json_get(object, "metadata");
    char version[CF_VERSION_MAX] = "";

    if (cf_streq(type, "ERROR"))
        return failed(r, object, err);
    if (r->resource == CF_SECRETS &&
        !cf_streq(cf_json_str(cf_json_get(object, "kind")), "PartialObjectMetadata"))
        return cf_err_set(err, "a whole Secret, though only metadata was asked for");
    if (copy_version(meta, version, err) != 0)
        return -1;
    if (r->phase == CF_WATCHING && cf_version_before(version, r->version))
        return gone_back(r, version, err);
    if (r->phase == CF_WATCHING)
        memcpy(r->next, version, sizeof(version));
    if (cf_streq(type, "BOOKMARK"))
        return bookmark(r, meta, version, err);
    if (cf_json_str(cf_json_get(meta, "name")) == NULL)
        return cf_err_set(err, "an event of an object without a name");
    if (cf_streq(type, "ADDED") || cf_streq(type, "MODIFIED"))
        return push(r, object, false, err);
    if (cf_streq(type, "DELETED"))
        return push(r, object, true, err);
    return cf_err_set(err, "an event of an unknown type");
}

int cf_reflect_take(void *arg, const struct cf_cut_object *o, struct cf_err *err)
{
    struct cf_reflector *r = arg;
    const struct cf_json *root = o->over
                                     ? parse_meta(r, o, err)
                                     : cf_json_parse(r->arena, o->text, o->len, skips, NULL, err);
    const struct cf_json *object = cf_json_get(root, "object");
    const char *type = cf_json_str(cf_json_get(root, "type"));

    r->told = cf_monotonic_micros();
    if (root == NULL)
        return -1;
    if (cf_json_type(object) != CF_JSON_OBJECT)
        return cf_err_set(err, "an event without an object");
    if (r->phase == CF_LISTING)
        return item(r, object, err);
    return event(r, type, object, err);
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

int cf_reflect_head(struct cf_reflector *r, char version[CF_VERSION_MAX], struct cf_buf *token,
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
    if (rc == 0)
        rc = copy_version(meta, version, err);
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

int cf_reflect_status(struct cf_reflector *r, unsigned http, const struct cf_json *status)
{
    const char *message = cf_json_str(cf_json_get(status, "message"));
    const char *reason = cf_json_str(cf_json_get(status, "reason"));
    int64_t code = http;

    (void)cf_json_int(cf_json_get(status, "code"), &code);
    cf_err_system(&r->err, "%s%.300s (%lld%s%.60s)", http == 0 ? "an ERROR event: " : "",
                  message != NULL ? message : "refused", (long long)code,
                  reason != NULL ? ", " : "", cf_str_or_empty(reason));
    cf_str_sanitize(r->err.msg);
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
