/* SPDX-License-Identifier: Apache-2.0 */
/* store_private.h - how the store keeps the cluster; store.c explains it with a drawing.
 *
 * Everything refers to everything by id: of a record in its slab, or of a text among the names.
 * An item exists while the API server has its object (`known`), or while something refers to it.
 * Only writers change anything here, under the lock; no pointer into it outlives the lock. */
#ifndef CF_STORE_PRIVATE_H
#define CF_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "curfew/store.h"
#include "memory.h"

/* ---- items ---- */

/* The six resources, and what is only referred to. */
enum cf_item_kind {
    CF_ITEM_NAMESPACE = CF_NAMESPACES,
    CF_ITEM_SECRET = CF_SECRETS,
    CF_ITEM_ACCOUNT = CF_ACCOUNTS,
    CF_ITEM_POD = CF_PODS,
    CF_ITEM_CLAIM = CF_CLAIMS,
    CF_ITEM_VOLUME = CF_VOLUMES,
    CF_ITEM_CONFIG_MAP,
    CF_ITEM_NODE,
};
#define CF_ITEM_KINDS 8

/* What all kinds start with. */
struct cf_item_head {
    uint32_t namespace; /* string; 0 for cluster-scoped objects */
    uint32_t name;      /* string */
    uint32_t refs;      /* from other items and shapes */
    uint8_t known;      /* the object exists, as far as the store knows */
    uint8_t mark;       /* the number of the last list that had it; see cf_store_list_begin() */
    uint8_t flags;      /* CF_FLAG_* of its kind */
    uint8_t unused;
};

/* What pods refer to, and the number of references from bound pods; a pod that names it twice
 * counts twice. */
struct cf_target {
    struct cf_item_head item;
    uint32_t bound;
};

struct cf_item_namespace {
    struct cf_item_head item;
    uint8_t label[CF_MODES]; /* a level, or CF_NO_LABEL */
    uint32_t first_shape;
    uint32_t pods;
    uint32_t legacy_used, legacy_unused, legacy_invalid; /* Secrets */
};
#define CF_NO_LABEL 0xff

#define CF_FLAG_LEGACY 1u  /* Secret */
#define CF_FLAG_USED 2u    /* legacy Secret: kubernetes.io/legacy-token-last-used is set */
#define CF_FLAG_INVALID 4u /* legacy Secret: kubernetes.io/legacy-token-invalid-since is set */
struct cf_item_secret {
    struct cf_target target;
    uint32_t via;       /* like `bound`, through claims and their volumes */
    uint32_t owner;     /* string: a legacy Secret's account */
    uint32_t namespace; /* item: the namespace that counts it; legacy Secrets only */
};

#define CF_FLAG_RESTRICTED 1u /* account */

struct cf_item_claim {
    struct cf_target target;
    struct cf_uid uid;
    uint32_t first_volume; /* of those whose claimRef names it */
};

#define CF_FLAG_LINKED 1u /* volume: its claimRef's uid is the claim's */
struct cf_item_volume {
    struct cf_item_head item;
    uint32_t claim; /* 0: no claimRef */
    struct cf_uid uid, claim_uid;
    struct cf_links of_claim; /* the volumes whose claimRef names the same claim */
    uint32_t node;            /* string: the only node that its required affinity names */
    uint32_t secrets;         /* cf_ids of items */
};

struct cf_item_node {
    struct cf_item_head item;
    uint32_t first_pod;
    uint32_t pods;
};

struct cf_item_pod {
    struct cf_item_head item;
    struct cf_uid uid;
    uint32_t shape;
    struct cf_links of_shape;
    uint32_t node;
    struct cf_links of_node;
    uint32_t claims; /* cf_ids of items, sorted */
};

/* ---- shapes ---- */

/* What all pods of one template have in common, stored once: namespace, account, controller, what
 * they refer to (except claims: each pod of a StatefulSet has its own), and what rules evaluate.
 * The words of a shape:
 *   2 for each Secret: item << 5 | cf_ref_via, text (the volume's or container's name), sorted
 *   1 for each ConfigMap: item, sorted
 *   5 for each token source: text (the volume's name), text (audience), whether it names a
 *     lifetime, and the lifetime's seconds, high word first */
struct cf_shape_key {
    uint32_t namespace, account;     /* items */
    uint32_t owner_kind, owner_name; /* strings; 0: no controller */
    uint32_t workload;               /* string; 0: the pod's own name */
    uint32_t mirror;
    uint32_t secrets, maps, tokens; /* how many there are */
};

struct cf_shape {
    struct cf_shape_key key;
    uint32_t words; /* in the heap; 0: none */
    uint32_t hash;
    uint32_t first_pod, pods;
    struct cf_links of_namespace;
};

#define CF_SECRET_WORDS 2
#define CF_TOKEN_WORDS 5
#define CF_VIA_BITS 5
#define CF_VIA_MASK ((1u << CF_VIA_BITS) - 1)

/* An array of ids in the heap; 0 is the empty one. */
struct cf_ids {
    uint32_t count;
    uint32_t id[];
};

/* ---- the store ---- */

/* Every review reads this and each watch writes it, so it is atomic and not under the lock. */
struct cf_freshness {
    _Atomic int64_t contact[CF_RESOURCES]; /* monotonic microseconds; -1: never */
    atomic_bool synced[CF_RESOURCES];      /* it was listed once */
    atomic_bool expected[CF_RESOURCES];    /* there is a watch */
    atomic_uint minor;                     /* of the API server's version; 0: not known */
};

struct cf_store {
    enum cf_store_absent absent;
    /* Pointers, because readers of a const store lock it too. */
    pthread_rwlock_t *lock;
    struct cf_freshness *fresh;

    struct cf_heap heap;
    struct cf_names names;
    struct cf_slab items[CF_ITEM_KINDS];
    struct cf_table index[CF_ITEM_KINDS];
    size_t known[CF_ITEM_KINDS];
    size_t accounts_restricted;
    struct cf_slab shapes;
    struct cf_table shape_index;
    uint8_t mark[CF_RESOURCES]; /* the number of the list that began last, from 1 */
};

static inline const char *cf_text_at(const struct cf_store *store, uint32_t id)
{
    return cf_names_text(&store->names, id);
}

/* A copy in the arena; "" for 0, and when out of memory. */
const char *cf_text_copy(const struct cf_store *store, struct cf_arena *arena, uint32_t id);

/* ---- store.c: items ---- */

static inline void *cf_item_at(const struct cf_store *store, enum cf_item_kind kind, uint32_t id)
{
    return cf_slab_at(&store->items[kind], id);
}

static inline struct cf_item_head *cf_account_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_ACCOUNT, id);
}

static inline struct cf_item_claim *cf_claim_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_CLAIM, id);
}

static inline struct cf_item_namespace *cf_namespace_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_NAMESPACE, id);
}

static inline struct cf_item_node *cf_node_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_NODE, id);
}

static inline struct cf_item_pod *cf_pod_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_POD, id);
}

static inline struct cf_item_secret *cf_secret_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_SECRET, id);
}

static inline struct cf_item_volume *cf_volume_at(const struct cf_store *store, uint32_t id)
{
    return cf_item_at(store, CF_ITEM_VOLUME, id);
}

static inline struct cf_shape *cf_shape_at(const struct cf_store *store, uint32_t id)
{
    return cf_slab_at(&store->shapes, id);
}

/* 0: not found. The namespace of cluster-scoped objects is "". */
uint32_t cf_item_find(const struct cf_store *store, enum cf_item_kind kind, const char *namespace,
                      const char *name);
/* NULL: not found. */
const struct cf_item_namespace *cf_namespace_find(const struct cf_store *store, const char *name);

/* Finds the item or creates it, and adds a reference; 0: out of memory. */
uint32_t cf_item_ref(struct cf_store *store, enum cf_item_kind kind, const char *namespace,
                     const char *name);
void cf_item_unref(struct cf_store *store, enum cf_item_kind kind, uint32_t id); /* takes 0 */

/* Sets `known` and what is counted with it; the caller holds a reference. */
void cf_item_know(struct cf_store *store, enum cf_item_kind kind, uint32_t id, bool known);

/* An array of ids; 0: out of memory, or `count` is 0. */
uint32_t cf_ids_new(struct cf_store *store, const uint32_t *ids, size_t count);
const struct cf_ids *cf_ids_at(const struct cf_store *store, uint32_t id);

/* ---- shapes.c ---- */

const uint32_t *cf_shape_words(const struct cf_store *store, const struct cf_shape *shape);

/* How often the shape names the Secret, or the ConfigMap. */
size_t cf_shape_names_secret(const struct cf_store *store, const struct cf_shape *shape,
                             uint32_t item);
size_t cf_shape_names_map(const struct cf_store *store, const struct cf_shape *shape,
                          uint32_t item);

struct cf_pod_facts;
/* Finds or creates the shape of such a pod; 0: out of memory. A shape that gets no pod must be
 * given to cf_shape_unref(). */
uint32_t cf_shape_of(struct cf_store *store, struct cf_arena *arena,
                     const struct cf_pod_facts *facts);
/* Frees it if it has no pods. */
void cf_shape_unref(struct cf_store *store, uint32_t id);

/* Counts the references of a bound pod of this shape, by +1 or -1. */
void cf_shape_count(struct cf_store *store, const struct cf_shape *shape, int by);

/* ---- graph.c ---- */

struct cf_facts;
/* 0; or -1 when out of memory, and then nothing has changed. */
int cf_graph_put_pod(struct cf_store *store, struct cf_arena *arena, const struct cf_facts *facts);
int cf_graph_put_claim(struct cf_store *store, const struct cf_facts *facts);
int cf_graph_put_volume(struct cf_store *store, const struct cf_facts *facts);
void cf_graph_drop_pod(struct cf_store *store, uint32_t id);
void cf_graph_drop_claim(struct cf_store *store, uint32_t id);
void cf_graph_drop_volume(struct cf_store *store, uint32_t id);

/* ---- query.c ---- */

/* Copies what the store knows of a pod into the arena. */
void cf_store_copy_pod(const struct cf_store *store, struct cf_arena *arena, uint32_t id,
                       struct cf_store_pod *out);

#endif
