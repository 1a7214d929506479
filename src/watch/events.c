/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - what an answer holds: events and items become changes of the store, a Status a reason.
 *
 * The stream continues, regardless of what an object holds: of one that can't be read completely
 * the metadata are kept (cf_identify). Only something that is not an event at all ends a stream, so
 * that the next request gets it again; after NO_EVENT_MAX times it is skipped.
 *
 * No object outlives its batch. The arena is wiped with each, since annotations hold
 * what people put there (kubectl's last-applied-configuration: a Secret's data). */
#include <string.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "watch_private.h"

/* A batch of this many bytes is applied, even if it could hold more changes. */
#define BATCH_BYTES (1 * CF_MIB)

/* What is not an event is skipped when it comes for the sixth time in a row. A line that a broken
 * connection garbled is right when it is requested again; one that the server always prints like
 * this must not hide the events after it. */
#define NO_EVENT_MAX 5

#define INITIAL_EVENTS_END "k8s.io/initial-events-end" /* of a watch-list */

/* Members of an event (or of an item in its wrapping) that the store does not read: users may write
 * anything there. */
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

/* ---- objects that can't be read completely ---- */

/* A member to look for, and its value, unparsed. */
struct member_value {
    const char *key; /* NULL after the last one */
    const char *text;
    size_t len; /* 0: not found */
};

/* At most 8 labels *-template-hash are kept; a pod has one. */
#define HASHES_MAX 8

/* The members of the metadata that src/store/read.c and this file read. */
struct identity {
    struct cf_arena *arena;
    struct member_value type[2], kind[2], meta[6];
    struct member_value labels[CF_MODES + 3], hashes[HASHES_MAX + 1], annotations[5], owners;
    bool has_labels, has_annotations; /* they were reached in the text */
    unsigned unread;
};

static void want_keys(struct member_value *list, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i].key = keys[i];
}

static void init_identity(struct identity *id)
{
    static const char *const names[] = {"name", "namespace", "uid", "resourceVersion",
                                        "generateName"};
    static const char *const labels[] = {CF_LAST_USED_LABEL, CF_INVALID_SINCE_LABEL};
    static const char *const annotations[] = {CF_SA_NAME_ANNOTATION, CF_RESTRICTED_ANNOTATION,
                                              CF_MIRROR_ANNOTATION, INITIAL_EVENTS_END};

    id->type[0].key = "type";
    id->kind[0].key = "kind";
    want_keys(id->meta, names, CF_COUNT(names));
    want_keys(id->labels, labels, CF_COUNT(labels));
    for (int mode = 0; mode < CF_MODES; mode++)
        id->labels[CF_COUNT(labels) + (size_t)mode].key = cf_mode_label((enum cf_mode)mode);
    want_keys(id->annotations, annotations, CF_COUNT(annotations));
}

static bool is_key(const struct cf_json_member *member, const char *key)
{
    return member->key_len == strlen(key) && memcmp(member->key, key, member->key_len) == 0;
}

static bool has_type(const struct identity *id, const struct cf_json_member *member,
                     enum cf_json_type type)
{
    const struct cf_json *json =
        cf_json_parse(id->arena, member->value, member->value_len, NULL, NULL, NULL);

    return json != NULL && cf_json_type(json) == type;
}

static void clear_value(struct member_value *value)
{
    *value = (struct member_value){.key = value->key};
}

/* False: it can't be read. */
static bool keep_value(const struct identity *id, struct member_value *value,
                       const struct cf_json_member *member, enum cf_json_type type)
{
    clear_value(value);
    if (!has_type(id, member, type))
        return false;
    *value =
        (struct member_value){.key = value->key, .text = member->value, .len = member->value_len};
    return true;
}

/* False: it is one of the wanted members, and can't be read. */
static bool keep_string(const struct identity *id, struct member_value *list,
                        const struct cf_json_member *member)
{
    for (; list->key != NULL; list++) {
        if (is_key(member, list->key))
            return keep_value(id, list, member, CF_JSON_STRING);
    }
    return true;
}

/* Keeps the last value of each label *-template-hash. */
static void keep_hash(struct identity *id, const struct cf_json_member *member)
{
    size_t end = strlen(CF_TEMPLATE_HASH), n = 0;

    if (member->key_len < end ||
        memcmp(member->key + member->key_len - end, CF_TEMPLATE_HASH, end) != 0)
        return;
    while (id->hashes[n].key != NULL && !is_key(member, id->hashes[n].key))
        n++;
    if (n == HASHES_MAX)
        return;
    if (id->hashes[n].key == NULL)
        id->hashes[n].key = cf_arena_strndup(id->arena, member->key, member->key_len);
    if (id->hashes[n].key != NULL)
        (void)keep_value(id, &id->hashes[n], member, CF_JSON_STRING);
}

static void walk_hashes(struct identity *id, const struct cf_json_member *labels)
{
    struct cf_json_member member;
    struct cf_json_walk walk;

    memset(id->hashes, 0, sizeof(id->hashes));
    if (!cf_json_walk_open(&walk, id->arena, labels->value, labels->value_len))
        return;
    while (cf_json_walk_next(&walk, &member))
        keep_hash(id, &member);
}

/* A map of strings: labels, annotations. False: a part of it could not be read. */
static bool walk_map(const struct identity *id, struct member_value *list,
                     const struct cf_json_member *map)
{
    struct cf_json_member member;
    struct cf_json_walk walk;
    bool whole = true;

    for (struct member_value *f = list; f->key != NULL; f++)
        clear_value(f);
    if (!cf_json_walk_open(&walk, id->arena, map->value, map->value_len))
        return has_type(id, map, CF_JSON_NULL);
    while (cf_json_walk_next(&walk, &member))
        whole = keep_string(id, list, &member) && whole;
    return whole && !walk.broken;
}

static void set_unread(struct identity *id, bool whole, enum cf_store_unread which)
{
    id->unread = whole ? id->unread & ~(unsigned)which : id->unread | (unsigned)which;
}

static void walk_metadata(struct identity *id, const struct cf_json_member *metadata)
{
    struct cf_json_member member;
    struct cf_json_walk walk;

    if (!cf_json_walk_open(&walk, id->arena, metadata->value, metadata->value_len))
        return;
    set_unread(id, true, CF_UNREAD_LABELS);
    set_unread(id, true, CF_UNREAD_ANNOTATIONS);
    while (cf_json_walk_next(&walk, &member)) {
        if (is_key(&member, "labels")) {
            id->has_labels = true;
            set_unread(id, walk_map(id, id->labels, &member), CF_UNREAD_LABELS);
            walk_hashes(id, &member);
        } else if (is_key(&member, "annotations")) {
            id->has_annotations = true;
            set_unread(id, walk_map(id, id->annotations, &member), CF_UNREAD_ANNOTATIONS);
        } else if (is_key(&member, "ownerReferences")) {
            (void)keep_value(id, &id->owners, &member, CF_JSON_ARRAY);
        } else {
            (void)keep_string(id, id->meta, &member);
        }
    }
    /* A missing map may have been cut off. */
    if (walk.broken && !id->has_labels)
        set_unread(id, false, CF_UNREAD_LABELS);
    if (walk.broken && !id->has_annotations)
        set_unread(id, false, CF_UNREAD_ANNOTATIONS);
}

static void walk_object(struct identity *id, const struct cf_json_member *object)
{
    struct cf_json_member member;
    struct cf_json_walk walk;

    if (!cf_json_walk_open(&walk, id->arena, object->value, object->value_len))
        return;
    while (cf_json_walk_next(&walk, &member)) {
        if (is_key(&member, "metadata"))
            walk_metadata(id, &member);
        else
            (void)keep_string(id, id->kind, &member);
    }
}

static void walk_event(struct identity *id, const char *text, size_t len)
{
    struct cf_json_member member;
    struct cf_json_walk walk;
    size_t types = 0;

    if (!cf_json_walk_open(&walk, id->arena, text, len))
        return;
    while (cf_json_walk_next(&walk, &member)) {
        if (is_key(&member, "object"))
            walk_object(id, &member);
        else
            (void)keep_string(id, id->type, &member);
        types += is_key(&member, "type");
    }
    /* The server writes this member: with two of them it is not an event. */
    if (types > 1)
        clear_value(&id->type[0]);
}

static void add_member(struct cf_buf *out, const char *key, const char *text, size_t len)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        cf_buf_addc(out, ',');
    cf_buf_addf(out, "\"%s\":", key); /* a constant, or verbatim from the input */
    cf_buf_add(out, text, len);
}

static void add_values(struct cf_buf *out, const struct member_value *list)
{
    for (; list->key != NULL; list++) {
        if (list->len > 0)
            add_member(out, list->key, list->text, list->len);
    }
}

static void add_map(struct cf_buf *out, const char *key, const struct member_value *list,
                    const struct member_value *more)
{
    add_member(out, key, "{", 1);
    add_values(out, list);
    if (more != NULL)
        add_values(out, more);
    cf_buf_addc(out, '}');
}

static void write_identity(struct cf_buf *out, const struct identity *id)
{
    cf_buf_addc(out, '{');
    add_values(out, id->type);
    add_member(out, "object", "{", 1);
    add_values(out, id->kind);
    add_member(out, "metadata", "{", 1);
    add_values(out, id->meta);
    add_map(out, "labels", id->labels, id->hashes);
    add_map(out, "annotations", id->annotations, NULL);
    if (id->owners.len > 0)
        add_member(out, "ownerReferences", id->owners.text, id->owners.len);
    cf_buf_adds(out, "}}}");
}

const struct cf_json *cf_identify(struct cf_arena *arena, const char *text, size_t len,
                                  unsigned *unread, struct cf_err *err)
{
    struct identity id = {
        .arena = arena,
        .unread = CF_UNREAD_REST | CF_UNREAD_LABELS | CF_UNREAD_ANNOTATIONS,
    };
    const struct cf_json *root;
    struct cf_buf out;

    init_identity(&id);
    walk_event(&id, text, len);
    cf_buf_init_arena(&out, arena, len + CF_KIB);
    write_identity(&out, &id);
    /* Out of memory is not the object's fault. */
    if (!cf_buf_ok(&out) || cf_arena_failed(arena)) {
        cf_err_memory(err);
        return NULL;
    }
    root = cf_json_parse(arena, out.data, out.len, NULL, NULL, err);
    if (root != NULL)
        *unread = id.unread;
    return root;
}

/* ---- batches ---- */

void cf_reflector_drop(struct cf_reflector *r)
{
    r->count = 0;
    r->next[0] = '\0';
    cf_arena_reset(r->arena, true);
}

/* Those that could not be read completely, here or in the store. */
static void count_unread_changes(struct cf_reflector *r, const struct cf_err *why)
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
        count_unread_changes(r, &why);
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

static int push_change(struct cf_reflector *r, const struct cf_json *object, bool deleted,
                       unsigned unread, struct cf_err *err)
{
    r->changes[r->count++] =
        (struct cf_store_change){.object = object, .deleted = deleted, .unread = unread};
    if (unread == 0 && r->count < CF_STORE_BATCH && cf_arena_used(r->arena) < BATCH_BYTES)
        return 0;
    return cf_reflector_apply(r, err);
}

/* ---- one object ---- */

/* The event lacks the object, or what happened to it. */
static int reject_event(struct cf_reflector *r, const char *what, struct cf_err *err)
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

static int take_item(struct cf_reflector *r, const struct cf_json *object, unsigned unread,
                     struct cf_err *err)
{
    if (cf_str_empty(cf_json_str(cf_json_get(cf_json_get(object, "metadata"), "name"))))
        return reject_event(r, "an item without a name", err);
    return push_change(r, object, false, unread, err);
}

/* The version of the last event, which may not have been applied yet. */
static const char *last_version(const struct cf_reflector *r)
{
    return r->next[0] != '\0' ? r->next : r->version;
}

static int fail_backwards(struct cf_reflector *r, const char *version, struct cf_err *err)
{
    r->ended = CF_WATCH_GONE;
    return cf_err_set(err, "resourceVersions went backwards, from %s to %s", last_version(r),
                      version);
}

static int take_bookmark(struct cf_reflector *r, const struct cf_json *meta, const char *version,
                         struct cf_err *err)
{
    const struct cf_json *notes = cf_json_get(meta, "annotations");
    bool end = r->phase == CF_WATCH_LISTING &&
               cf_streq(cf_json_str(cf_json_get(notes, INITIAL_EVENTS_END)), "true");

    if (cf_reflector_apply(r, err) != 0)
        return -1;
    if (!end)
        return 0;
    memcpy(r->version, version, CF_VERSION_MAX);
    cf_reflector_listed(r, r->began);
    r->phase = CF_WATCHING;
    return 0;
}

static int take_error(struct cf_reflector *r, const struct cf_json *status, struct cf_err *err)
{
    r->ended = cf_reflector_status(r, 0, status);
    *err = r->err;
    return -1;
}

static bool is_full_secret(const struct cf_reflector *r, const struct cf_json *object,
                           unsigned unread)
{
    const char *kind = cf_json_str(cf_json_get(object, "kind"));

    return r->resource == CF_SECRETS && !cf_streq(kind, "PartialObjectMetadata") &&
           (kind != NULL || unread == 0);
}

static int take_event(struct cf_reflector *r, const char *type, const struct cf_json *object,
                      unsigned unread, struct cf_err *err)
{
    const struct cf_json *meta = cf_json_get(object, "metadata");
    char version[CF_VERSION_MAX] = "";

    if (cf_streq(type, "ERROR"))
        return take_error(r, object, err);
    if (is_full_secret(r, object, unread))
        return cf_err_set(err, "a complete Secret, though only metadata was requested");
    if (!copy_version(meta, version))
        return reject_event(r, "no resourceVersion", err);
    if (r->phase == CF_WATCHING && cf_version_before(version, last_version(r)))
        return fail_backwards(r, version, err);
    if (r->phase == CF_WATCHING)
        memcpy(r->next, version, sizeof(version));
    if (cf_streq(type, "BOOKMARK"))
        return take_bookmark(r, meta, version, err);
    if (cf_str_empty(cf_json_str(cf_json_get(meta, "name"))))
        return reject_event(r, "an event of an object without a name", err);
    if (cf_streq(type, "ADDED") || cf_streq(type, "MODIFIED"))
        return push_change(r, object, false, unread, err);
    if (cf_streq(type, "DELETED"))
        return push_change(r, object, true, unread, err);
    return reject_event(r, "an event of an unknown type", err);
}

static int take_document(struct cf_reflector *r, const struct cf_json *root, unsigned unread,
                         struct cf_err *err)
{
    const struct cf_json *object = cf_json_get(root, "object");
    const char *type = cf_json_str(cf_json_get(root, "type"));

    if (cf_json_type(object) != CF_JSON_OBJECT)
        return reject_event(r, "an event without an object", err);
    if (r->phase == CF_LISTING)
        return take_item(r, object, unread, err);
    return take_event(r, type, object, unread, err);
}

/* Applies the pending changes first, so that the whole arena is free and r->why is about this
 * object alone. */
static int take_identified(struct cf_reflector *r, const struct cf_framer_object *o,
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

    r->object_at = cf_monotonic_micros();
    if (r->only_head)
        return 0;
    if (o->torn && r->no_events < NO_EVENT_MAX)
        return reject_event(r, "a line ended in the middle of an event", err);
    if (o->torn)
        (void)cf_err_set(&why, "its line ends before the object does");
    else if (o->large)
        (void)cf_err_set(&why, "more than %zu bytes", CF_OBJECT_MAX);
    else
        root = cf_json_parse(r->arena, o->text, o->len, skips, NULL, &why);
    return root != NULL ? take_document(r, root, 0, err) : take_identified(r, o, &why, err);
}

/* ---- around the objects ---- */

/* The same token again would never end. */
static int set_token(const char *next, struct cf_buf *token, struct cf_err *err)
{
    if (next[0] != '\0' && cf_streq(next, cf_buf_str(token)))
        return cf_err_set(err, "the server repeats a continue token");
    cf_buf_wipe(token);
    cf_buf_adds(token, next);
    return cf_buf_ok(token) ? 0 : cf_err_memory(err);
}

int cf_reflector_head(struct cf_reflector *r, char version[CF_VERSION_MAX], struct cf_buf *token,
                      struct cf_err *err)
{
    const struct cf_json *root =
        cf_json_parse(r->arena, cf_buf_str(&r->framer.head), r->framer.head.len, NULL, NULL, err);
    const struct cf_json *meta = cf_json_get(root, "metadata");
    const struct cf_json *items = cf_json_get(root, "items");
    const char *kind = cf_json_str(cf_json_get(root, "kind"));
    int rc = root != NULL ? 0 : -1;

    /* Metadata of Secrets was requested; and an answer that is not a list must not count as empty.
     */
    if (rc == 0 &&
        (!cf_ends_with(cf_str_or_empty(kind), "List") || cf_json_get(root, "items") == NULL ||
         (cf_json_type(items) != CF_JSON_ARRAY && !cf_json_is_null(items)) ||
         (r->resource == CF_SECRETS && !cf_streq(kind, "PartialObjectMetadataList"))))
        rc = cf_err_set(err, "not a list of the requested kind");
    if (rc == 0 && !copy_version(meta, version))
        rc = cf_err_set(err, "no resourceVersion");
    if (rc == 0)
        rc = set_token(cf_str_or_empty(cf_json_str(cf_json_get(meta, "continue"))), token, err);
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
