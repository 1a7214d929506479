/* SPDX-License-Identifier: Apache-2.0 */
/* store_private.h - how the store keeps the cluster: items found by kind, namespace and name, and
 * the shapes of pods. Ids everywhere: of a record in its slab, or of a text in the pool.
 *
 * An item is there while an object of the API server stands behind it (`known`), or while
 * something refers to it. Only writers change anything here, under the lock; no pointer into it is
 * kept longer. */
#ifndef CURFEW_KUBE_STORE_PRIVATE_H
#define CURFEW_KUBE_STORE_PRIVATE_H

#include <pthread.h>

#include "fresh.h"
#include "names.h"

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

/* What all kinds begin with. */
struct cf_item_head {
    uint32_t namespace; /* texts; 0 for what is cluster-scoped */
    uint32_t name;
    uint32_t refs; /* of other items and shapes */
    uint8_t known; /* it exists, as far as the store heard */
    uint8_t mark;  /* the list, or the watch after it, that told of it last */
    uint8_t flags; /* CF_FLAG_* of its kind */
    uint8_t unused;
};

/* An object's uid in 16 bytes: of a canonical UUID its value; of others {0, 0, 0, text}. All zero:
 * none. */
struct cf_uid {
    uint32_t word[4];
};

/* What pods refer to, and how many references of bound pods there are; a pod that names it twice
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
    uint32_t via;       /* as `bound`, through claims and their volumes */
    uint32_t owner;     /* text: a legacy Secret's account */
    uint32_t namespace; /* item: where it is counted; legacy Secrets only */
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
    uint32_t prev, next; /* of the same claim */
    uint32_t node;       /* text: the only node that its required affinity names */
    uint32_t secrets;    /* cf_list of items */
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
    uint32_t shape_prev, shape_next;
    uint32_t node;
    uint32_t node_prev, node_next;
    uint32_t claims; /* cf_list of items, in order of their ids */
};

/* ---- shapes ---- */

/* Everything that the pods of one template have in common, once: their namespace, account and
 * controller, what they refer to (but claims, which each pod of a StatefulSet has of its own), and
 * what rules judge. The words behind it:
 *   2 a Secret: item << 5 | cf_ref_via, text (the volume's or container's name), in order of items
 *   1 a ConfigMap: item, in order
 *   5 a token source: text (volume), text (audience), given, and the seconds in two */
struct cf_shape_key {
    uint32_t namespace; /* items */
    uint32_t account;
    uint32_t owner_kind, owner_name; /* texts; 0: no controller */
    uint32_t workload;               /* text; 0: the pod's own name */
    uint32_t mirror;
    uint32_t secrets, maps, tokens; /* how many there are */
};

struct cf_shape {
    struct cf_shape_key key;
    uint32_t words; /* in the heap; 0: none */
    uint32_t hash;
    uint32_t first_pod, pods;
    uint32_t prev, next; /* of its namespace */
};

#define CF_SECRET_WORDS 2
#define CF_TOKEN_WORDS 5
#define CF_VIA_BITS 5

/* A list of ids in the heap; 0 is the empty one. */
struct cf_list {
    uint32_t count;
    uint32_t id[];
};

struct cf_store {
    enum cf_store_absent absent;
    /* Behind pointers, since who only asks a store locks it too. */
    pthread_rwlock_t *lock;
    struct cf_store_fresh *fresh;

    struct cf_heap heap;
    struct cf_names names;
    struct cf_slab items[CF_ITEM_KINDS];
    struct cf_table index[CF_ITEM_KINDS];
    size_t known[CF_ITEM_KINDS];
    size_t accounts_restricted;
    struct cf_slab shapes;
    struct cf_table shape_index;
    uint8_t mark[CF_RESOURCES]; /* of the list that began last, from 1 */
};

static inline void *cf_item_at(const struct cf_store *store, enum cf_item_kind kind, uint32_t id)
{
    return cf_slab_at(&store->items[kind], id);
}

static inline const char *cf_text_at(const struct cf_store *store, uint32_t id)
{
    return cf_names_text(&store->names, id);
}

/* ---- items (store_items.c) ---- */

void cf_items_init(struct cf_store *store);

/* 0: there is none. "" is the namespace of what is cluster-scoped. */
uint32_t cf_item_find(const struct cf_store *store, enum cf_item_kind kind, const char *namespace,
                      const char *name);
/* The item, made if there is none, and one more reference to it; 0 when out of memory. */
uint32_t cf_item_ref(struct cf_store *store, enum cf_item_kind kind, const char *namespace,
                     const char *name);
void cf_item_unref(struct cf_store *store, enum cf_item_kind kind, uint32_t id); /* takes 0 */

/* Sets `known` and what is counted with it; the caller holds a reference. */
void cf_item_know(struct cf_store *store, enum cf_item_kind kind, uint32_t id, bool known);

/* A list of ids; 0 when out of memory, or where there are none. */
uint32_t cf_list_new(struct cf_store *store, const uint32_t *ids, size_t count);
const struct cf_list *cf_list_at(const struct cf_store *store, uint32_t id);

/* ---- shapes (store_shapes.c) ---- */

const uint32_t *cf_shape_words(const struct cf_store *store, const struct cf_shape *shape);
static inline struct cf_shape *cf_shape_at(const struct cf_store *store, uint32_t id)
{
    return cf_slab_at(&store->shapes, id);
}

/* How often the shape names the Secret, or the ConfigMap. */
size_t cf_shape_names_secret(const struct cf_store *store, const struct cf_shape *shape,
                             uint32_t item);
size_t cf_shape_names_map(const struct cf_store *store, const struct cf_shape *shape,
                          uint32_t item);

struct cf_pod_facts;
/* The shape of such a pod, found or made; 0 when out of memory. One that stays without pods is to
 * be given to cf_shape_unref(). */
uint32_t cf_shape_of(struct cf_store *store, struct cf_arena *arena,
                     const struct cf_pod_facts *facts);
/* Frees it if it has no pods. */
void cf_shape_unref(struct cf_store *store, uint32_t id);

/* Counts the references of a bound pod of this shape, by +1 or -1. */
void cf_shape_count(struct cf_store *store, const struct cf_shape *shape, int by);

/* ---- what an object changes (store_graph.c, store_graph_pods.c) ---- */

struct cf_facts;
/* 0, or -1 when out of memory, and then nothing changed. */
int cf_graph_put_pod(struct cf_store *store, struct cf_arena *arena, const struct cf_facts *facts);
int cf_graph_put_claim(struct cf_store *store, const struct cf_facts *facts);
int cf_graph_put_volume(struct cf_store *store, const struct cf_facts *facts);
void cf_graph_drop_pod(struct cf_store *store, uint32_t id);
void cf_graph_drop_claim(struct cf_store *store, uint32_t id);
void cf_graph_drop_volume(struct cf_store *store, uint32_t id);

/* Counts a bound pod, by +1 or -1, of the claim and of what lies behind it. */
void cf_claim_count(struct cf_store *store, uint32_t id, int by);

/* ---- uids (store_uid.c) ---- */

/* False: out of memory. */
bool cf_uid_ref(struct cf_store *store, const char *text, struct cf_uid *out);
void cf_uid_unref(struct cf_store *store, const struct cf_uid *uid);
bool cf_uid_is_none(const struct cf_uid *uid);
/* A uid as text: 37 bytes at most, or a text of the pool; "" for none. */
const char *cf_uid_text(const struct cf_store *store, const struct cf_uid *uid, char out[40]);

/* A copy of what is known of a pod, in the arena. */
void cf_store_copy_pod(const struct cf_store *store, struct cf_arena *arena, uint32_t id,
                       struct cf_store_pod *out);

#endif
