/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the cluster as manifests describe it: three search trees by namespace and name.
 *
 * It is filled by one thread and only read afterwards, which tfind(3) allows in parallel. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "store_private.h"

/* What is known of one object; each tree uses its part. */
struct known {
    const char *namespace_; /* "" for a Namespace */
    const char *name;
    char *names;             /* what the two point into */
    bool legacy;             /* Secret */
    char *owner;             /* legacy Secret; NULL: belongs to nobody */
    bool restricted;         /* ServiceAccount */
    bool labelled[CF_MODES]; /* Namespace */
    enum cf_level label[CF_MODES];
};

static int by_name(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : strcmp(x->namespace_, y->namespace_);
}

static void known_free(void *arg)
{
    struct known *e = arg;

    if (e == NULL)
        return;
    free(e->names);
    free(e->owner);
    free(e);
}

static pthread_rwlock_t *lock_new(void)
{
    pthread_rwlock_t *lock = calloc(1, sizeof(*lock));
    pthread_rwlockattr_t attr;
    int rc;

    if (lock == NULL || pthread_rwlockattr_init(&attr) != 0) {
        free(lock);
        return NULL;
    }
    /* Reviews never lock twice, and a watch that waits for ever is a stale store. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    rc = pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (rc == 0)
        return lock;
    free(lock);
    return NULL;
}

struct cf_store *cf_store_new(enum cf_store_absent absent)
{
    struct cf_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->absent = absent;
    store->lock = lock_new();
    store->fresh = calloc(1, sizeof(*store->fresh));
    if (store->lock == NULL || store->fresh == NULL) {
        cf_store_free(store);
        return NULL;
    }
    cf_store_fresh_init(store->fresh);
    return store;
}

void cf_store_free(struct cf_store *store)
{
    if (store == NULL)
        return;
    tdestroy(store->namespaces, known_free);
    tdestroy(store->secrets, known_free);
    tdestroy(store->accounts, known_free);
    if (store->lock != NULL)
        pthread_rwlock_destroy(store->lock);
    free(store->lock);
    free(store->fresh);
    free(store);
}

void cf_store_lock(const struct cf_store *store)
{
    pthread_rwlock_rdlock(store->lock);
}

void cf_store_unlock(const struct cf_store *store)
{
    pthread_rwlock_unlock(store->lock);
}

static struct known *known_new(const char *namespace_, const char *name)
{
    size_t len = strlen(namespace_) + 1;
    struct known *e = calloc(1, sizeof(*e));

    if (e == NULL)
        return NULL;
    e->names = malloc(len + strlen(name) + 1);
    if (e->names == NULL) {
        free(e);
        return NULL;
    }
    e->namespace_ = memcpy(e->names, namespace_, len);
    e->name = memcpy(e->names + len, name, strlen(name) + 1);
    return e;
}

static const struct known *find(void *const *tree, const char *namespace_, const char *name)
{
    const struct known key = {.namespace_ = namespace_, .name = name};
    struct known *const *node = tfind(&key, tree, by_name);

    return node != NULL ? *node : NULL;
}

/* Takes the entry; one that was there under the same name is replaced. */
static int put(void **tree, struct known *e, size_t *count, struct cf_err *err)
{
    struct known **node = tsearch(e, tree, by_name);

    if (node == NULL) {
        known_free(e);
        return cf_err_memory(err);
    }
    if (*node == e) {
        (*count)++;
        return 0;
    }
    known_free(*node);
    *node = e;
    return 0;
}

static void read_labels(const struct cf_json *labels, struct known *e)
{
    static const char *const keys[CF_MODES] = {
        [CF_ENFORCE] = "curfew.dev/enforce",
        [CF_FIX] = "curfew.dev/fix",
        [CF_AUDIT] = "curfew.dev/audit",
        [CF_WARN] = "curfew.dev/warn",
    };

    for (int mode = 0; mode < CF_MODES; mode++) {
        const struct cf_json *label = cf_json_get(labels, keys[mode]);

        if (cf_json_is_null(label))
            continue;
        e->labelled[mode] = true;
        if (!cf_level_parse(cf_json_str(label), &e->label[mode]))
            e->label[mode] = CF_RESTRICTED;
    }
}

static int add_known(struct cf_store *store, struct known *e, const struct cf_object *object,
                     struct cf_err *err)
{
    if (object->kind == CF_KIND_SERVICE_ACCOUNT) {
        e->restricted = cf_streq(object->account.restricted_by_node, "true");
        return put(&store->accounts, e, &store->counts.accounts, err);
    }
    e->legacy = object->secret.legacy_type;
    if (e->legacy && !cf_str_empty(object->secret.account)) {
        e->owner = strdup(object->secret.account);
        if (e->owner == NULL) {
            known_free(e);
            return cf_err_memory(err);
        }
    }
    return put(&store->secrets, e, &store->counts.secrets, err);
}

static int add_object(struct cf_store *store, struct cf_arena *arena, const struct cf_json *json,
                      const char *namespace_, struct cf_err *err)
{
    const char *kind = cf_json_str(cf_json_get(json, "kind"));
    const char *group = cf_api_group(arena, cf_json_str(cf_json_get(json, "apiVersion")));
    const struct cf_json *meta = cf_json_get(json, "metadata");
    const char *name = cf_json_str(cf_json_get(meta, "name"));
    const char *own = cf_json_str(cf_json_get(meta, "namespace"));
    const struct cf_kind_info *info = cf_kind_find(group, kind);
    struct cf_object object;
    struct known *e;

    if (cf_str_empty(name))
        return 0;
    if (cf_str_empty(group) && cf_streq(kind, "Namespace")) {
        e = known_new("", name);
        if (e == NULL)
            return cf_err_memory(err);
        read_labels(cf_json_get(meta, "labels"), e);
        return put(&store->namespaces, e, &store->counts.namespaces, err);
    }
    if (info == NULL || (info->bit != CF_KIND_SECRET && info->bit != CF_KIND_SERVICE_ACCOUNT))
        return 0;
    if (cf_object_decode(arena, json, info, "", &object, err) != 0)
        return -1;
    e = known_new(cf_str_empty(own) ? cf_str_or_empty(namespace_) : own, name);
    if (e == NULL)
        return cf_err_memory(err);
    return add_known(store, e, &object, err);
}

static int add_locked(struct cf_store *store, const struct cf_json *json, const char *namespace_,
                      struct cf_err *err)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    int rc;

    if (arena == NULL)
        return cf_err_memory(err);
    pthread_rwlock_wrlock(store->lock);
    rc = add_object(store, arena, json, namespace_, err);
    pthread_rwlock_unlock(store->lock);
    cf_arena_free(arena);
    return rc;
}

int cf_store_add(struct cf_store *store, const struct cf_json *json, const char *namespace_,
                 struct cf_err *err)
{
    const struct cf_json *items = cf_json_get(json, "items"), *v;
    int rc = 0;

    if (cf_json_type(json) != CF_JSON_OBJECT)
        return 0;
    if (!cf_ends_with(cf_str_or_empty(cf_json_str(cf_json_get(json, "kind"))), "List"))
        return add_locked(store, json, namespace_, err);
    for (v = cf_json_first(items); v != NULL && rc == 0; v = cf_json_next(v))
        rc = cf_store_add(store, v, namespace_, err);
    return rc;
}

void cf_store_secret(const struct cf_store *store, struct cf_arena *arena, const char *namespace_,
                     int64_t stale_after, struct cf_secret_ref *ref)
{
    const struct known *e = find(&store->secrets, namespace_, ref->name);

    ref->owner = NULL;
    if (e == NULL) {
        ref->state =
            store->absent != CF_ABSENT_IS_UNKNOWN && cf_store_fresh(store, CF_SECRETS, stale_after)
                ? CF_SECRET_PLAIN
                : CF_SECRET_UNKNOWN;
        return;
    }
    ref->state = e->legacy ? CF_SECRET_LEGACY : CF_SECRET_PLAIN;
    if (e->owner != NULL)
        ref->owner = cf_arena_strdup(arena, e->owner);
}

bool cf_store_restricted(const struct cf_store *store, const char *namespace_, const char *name)
{
    const struct known *e = find(&store->accounts, namespace_, name);

    return e != NULL && e->restricted;
}

struct cf_levels cf_store_levels(const struct cf_store *store, const struct cf_policy *policy,
                                 const char *namespace_)
{
    const struct known *e =
        cf_str_empty(namespace_) ? NULL : find(&store->namespaces, "", namespace_);
    struct cf_levels levels = policy->defaults;

    for (int mode = 0; e != NULL && mode < CF_MODES; mode++) {
        if (e->labelled[mode])
            levels.mode[mode] = e->label[mode];
    }
    if (policy->fix_follows_enforce && (e == NULL || !e->labelled[CF_FIX]))
        levels.mode[CF_FIX] = levels.mode[CF_ENFORCE];
    return levels;
}

struct cf_store_counts cf_store_counts(const struct cf_store *store)
{
    return store->counts;
}

int cf_store_apply(struct cf_store *store, enum cf_resource resource,
                   const struct cf_store_change *changes, size_t count, struct cf_err *err)
{
    (void)resource;
    for (size_t i = 0; i < count; i++) {
        if (!changes[i].deleted && add_locked(store, changes[i].object, "", err) != 0)
            return -1;
    }
    return 0;
}

void cf_store_list_begin(struct cf_store *store, enum cf_resource resource)
{
    (void)store;
    (void)resource;
}

void cf_store_list_end(struct cf_store *store, enum cf_resource resource)
{
    atomic_store(&store->fresh->synced[resource], true);
}

/* ---- pods: none yet ---- */

bool cf_store_pod(const struct cf_store *store, struct cf_arena *arena, const char *namespace_,
                  const char *name, struct cf_store_pod *out)
{
    (void)store, (void)arena, (void)namespace_, (void)name, (void)out;
    return false;
}

enum cf_reach cf_store_reach(const struct cf_store *store, enum cf_edge edge,
                             const char *namespace_, const char *name, const char *node)
{
    (void)store, (void)edge, (void)namespace_, (void)name, (void)node;
    return CF_REACH_NONE;
}

size_t cf_store_pods_of_secret(const struct cf_store *store, struct cf_arena *arena,
                               const char *namespace_, const char *secret, size_t max,
                               struct cf_store_pod **out)
{
    (void)store, (void)arena, (void)namespace_, (void)secret, (void)max, (void)out;
    return 0;
}

size_t cf_store_pods_in(
    const struct cf_store *store, struct cf_arena *arena, const char *namespace_, size_t max,
    bool (*visit)(const struct cf_store_pod *pod, struct cf_object *object, void *arg), void *arg)
{
    (void)store, (void)arena, (void)namespace_, (void)max, (void)visit, (void)arg;
    return 0;
}

void cf_store_inventory(const struct cf_store *store,
                        void (*visit)(const struct cf_store_inventory *row, void *arg), void *arg)
{
    (void)store, (void)visit, (void)arg;
}

struct cf_store_totals cf_store_totals(const struct cf_store *store, const struct cf_policy *policy)
{
    (void)store, (void)policy;
    return (struct cf_store_totals){.accounts_restricted = 0};
}
