/* SPDX-License-Identifier: Apache-2.0 */
/* identify.c - an object's metadata, member by member; see identify.h.
 *
 * The structure alone leads to the members (cf_json_walk), and each of them is then parsed by
 * itself, strictly. What was found is put together as a small object of its own, so that the rest
 * of the program reads one form. */
#include "identify.h"

#include <string.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/str.h"

/* The end of a watch-list's first part. */
#define INITIAL_EVENTS_END "k8s.io/initial-events-end"

struct found {
    const char *key; /* NULL behind the last one */
    const char *text;
    size_t len; /* 0: it is not there */
};

/* Labels *-template-hash that are kept: a pod has one. */
#define HASHES_MAX 8

/* All that store_read.c and reflect_events.c read of metadata. */
struct identity {
    struct cf_arena *arena;
    struct found type[2], kind[2], meta[6];
    struct found labels[CF_MODES + 3], hashes[HASHES_MAX + 1], annotations[5], owners;
    bool has_labels, has_annotations; /* each of them was reached */
    unsigned unread;
};

static void want(struct found *list, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i].key = keys[i];
}

static void prepare(struct identity *id)
{
    static const char *const names[] = {"name", "namespace", "uid", "resourceVersion",
                                        "generateName"};
    static const char *const labels[] = {CF_LAST_USED_LABEL, CF_INVALID_SINCE_LABEL};
    static const char *const annotations[] = {CF_SA_NAME_ANNOTATION, CF_RESTRICTED_ANNOTATION,
                                              CF_MIRROR_ANNOTATION, INITIAL_EVENTS_END};

    id->type[0].key = "type";
    id->kind[0].key = "kind";
    want(id->meta, names, CF_COUNT(names));
    want(id->labels, labels, CF_COUNT(labels));
    for (int mode = 0; mode < CF_MODES; mode++)
        id->labels[CF_COUNT(labels) + (size_t)mode].key = cf_mode_label((enum cf_mode)mode);
    want(id->annotations, annotations, CF_COUNT(annotations));
}

/* ---- finding ---- */

static bool is_key(const struct cf_json_member *member, const char *key)
{
    return member->key_len == strlen(key) && memcmp(member->key, key, member->key_len) == 0;
}

static bool is_of(const struct identity *id, const struct cf_json_member *member,
                  enum cf_json_type type)
{
    const struct cf_json *value =
        cf_json_parse(id->arena, member->value, member->value_len, NULL, NULL, NULL);

    return value != NULL && cf_json_type(value) == type;
}

/* Text and length only change together: here, and in take(). */
static void forget(struct found *found)
{
    *found = (struct found){.key = found->key};
}

/* False: it can't be read. */
static bool take(const struct identity *id, struct found *found,
                 const struct cf_json_member *member, enum cf_json_type type)
{
    forget(found);
    if (!is_of(id, member, type))
        return false;
    *found = (struct found){.key = found->key, .text = member->value, .len = member->value_len};
    return true;
}

/* False: it is one of those that are wanted, and can't be read. */
static bool take_text(const struct identity *id, struct found *list,
                      const struct cf_json_member *member)
{
    for (; list->key != NULL; list++) {
        if (is_key(member, list->key))
            return take(id, list, member, CF_JSON_STRING);
    }
    return true;
}

/* Of labels whose names are not known before the last ones of each name, up to HASHES_MAX. */
static void take_hash(struct identity *id, const struct cf_json_member *member)
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
        (void)take(id, &id->hashes[n], member, CF_JSON_STRING);
}

static void take_hashes(struct identity *id, const struct cf_json_member *labels)
{
    struct cf_json_member member;
    struct cf_json_walk walk;

    memset(id->hashes, 0, sizeof(id->hashes));
    if (!cf_json_walk_open(&walk, id->arena, labels->value, labels->value_len))
        return;
    while (cf_json_walk_next(&walk, &member))
        take_hash(id, &member);
}

/* A map of texts: labels, annotations. False: something in it may be hidden from us. */
static bool take_map(const struct identity *id, struct found *list,
                     const struct cf_json_member *map)
{
    struct cf_json_member member;
    struct cf_json_walk walk;
    bool whole = true;

    for (struct found *f = list; f->key != NULL; f++)
        forget(f);
    if (!cf_json_walk_open(&walk, id->arena, map->value, map->value_len))
        return is_of(id, map, CF_JSON_NULL);
    while (cf_json_walk_next(&walk, &member))
        whole = take_text(id, list, &member) && whole;
    return whole && !walk.broken;
}

static void take_flag(struct identity *id, bool whole, enum cf_store_unread which)
{
    id->unread = whole ? id->unread & ~(unsigned)which : id->unread | (unsigned)which;
}

static void take_metadata(struct identity *id, const struct cf_json_member *metadata)
{
    struct cf_json_member member;
    struct cf_json_walk walk;

    if (!cf_json_walk_open(&walk, id->arena, metadata->value, metadata->value_len))
        return;
    take_flag(id, true, CF_UNREAD_LABELS);
    take_flag(id, true, CF_UNREAD_ANNOTATIONS);
    while (cf_json_walk_next(&walk, &member)) {
        if (is_key(&member, "labels")) {
            id->has_labels = true;
            take_flag(id, take_map(id, id->labels, &member), CF_UNREAD_LABELS);
            take_hashes(id, &member);
        } else if (is_key(&member, "annotations")) {
            id->has_annotations = true;
            take_flag(id, take_map(id, id->annotations, &member), CF_UNREAD_ANNOTATIONS);
        } else if (is_key(&member, "ownerReferences")) {
            (void)take(id, &id->owners, &member, CF_JSON_ARRAY);
        } else {
            (void)take_text(id, id->meta, &member);
        }
    }
    /* What did not come may have been cut off. */
    if (walk.broken && !id->has_labels)
        take_flag(id, false, CF_UNREAD_LABELS);
    if (walk.broken && !id->has_annotations)
        take_flag(id, false, CF_UNREAD_ANNOTATIONS);
}

static void take_object(struct identity *id, const struct cf_json_member *object)
{
    struct cf_json_member member;
    struct cf_json_walk walk;

    if (!cf_json_walk_open(&walk, id->arena, object->value, object->value_len))
        return;
    while (cf_json_walk_next(&walk, &member)) {
        if (is_key(&member, "metadata"))
            take_metadata(id, &member);
        else
            (void)take_text(id, id->kind, &member);
    }
}

static void take_event(struct identity *id, const char *text, size_t len)
{
    struct cf_json_member member;
    struct cf_json_walk walk;
    size_t types = 0;

    if (!cf_json_walk_open(&walk, id->arena, text, len))
        return;
    while (cf_json_walk_next(&walk, &member)) {
        if (is_key(&member, "object"))
            take_object(id, &member);
        else
            (void)take_text(id, id->type, &member);
        types += is_key(&member, "type");
    }
    /* This one is the server's own: what has two is no event. */
    if (types > 1)
        forget(&id->type[0]);
}

/* ---- putting together ---- */

static void add_member(struct cf_buf *out, const char *key, const char *text, size_t len)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        cf_buf_addc(out, ',');
    cf_buf_addf(out, "\"%s\":", key); /* ours, or as it stood there */
    cf_buf_add(out, text, len);
}

static void add_found(struct cf_buf *out, const struct found *list)
{
    for (; list->key != NULL; list++) {
        if (list->len > 0)
            add_member(out, list->key, list->text, list->len);
    }
}

static void add_map(struct cf_buf *out, const char *key, const struct found *list,
                    const struct found *more)
{
    add_member(out, key, "{", 1);
    add_found(out, list);
    if (more != NULL)
        add_found(out, more);
    cf_buf_addc(out, '}');
}

static void write_identity(struct cf_buf *out, const struct identity *id)
{
    cf_buf_addc(out, '{');
    add_found(out, id->type);
    add_member(out, "object", "{", 1);
    add_found(out, id->kind);
    add_member(out, "metadata", "{", 1);
    add_found(out, id->meta);
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

    prepare(&id);
    take_event(&id, text, len);
    cf_buf_init_arena(&out, arena, len + CF_KIB);
    write_identity(&out, &id);
    /* Without memory nothing could be read, and that is not the object's. */
    if (!cf_buf_ok(&out) || cf_arena_failed(arena)) {
        cf_err_memory(err);
        return NULL;
    }
    root = cf_json_parse(arena, out.data, out.len, NULL, NULL, err);
    if (root != NULL)
        *unread = id.unread;
    return root;
}
