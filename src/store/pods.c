/* SPDX-License-Identifier: Apache-2.0 */
/* pods.c - the pods of a namespace as objects that rules can evaluate. */
#include <stdlib.h>
#include <string.h>

#include "curfew/refs.h"
#include "curfew/str.h"
#include "store_private.h"

/* ---- one shape as an object ---- */

static struct cf_secret_ref secret_ref(const struct cf_store *store, struct cf_arena *arena,
                                       uint32_t word)
{
    const struct cf_item_secret *secret = cf_secret_at(store, word >> CF_VIA_BITS);

    return (struct cf_secret_ref){.name = cf_text_copy(store, arena, secret->target.item.name)};
}

/* Of the reference in the newest volume or variable: below the number of both. */
static size_t ref_index(const struct cf_pod_spec *pod)
{
    return pod->volume_count + pod->env_count - 1;
}

static void make_env(const struct cf_store *store, struct cf_arena *arena, const uint32_t *words,
                     struct cf_pod_spec *out)
{
    struct cf_env_ref *env = &out->env[out->env_count++];

    env->secret = secret_ref(store, arena, words[0]);
    env->secret.index = ref_index(out);
    env->container = cf_text_copy(store, arena, words[1]);
    env->variable = (words[0] & CF_VIA_MASK) == CF_VIA_ENV ? "" : NULL;
}

/* A projected volume of one source; several such volumes may have the same name. */
static struct cf_volume_source *make_source(struct cf_arena *arena, struct cf_volume *volume,
                                            enum cf_source_type type)
{
    volume->type = CF_VOLUME_PROJECTED;
    volume->sources = cf_arena_array(arena, 1, sizeof(*volume->sources));
    if (volume->sources == NULL)
        return NULL;
    volume->source_count = 1;
    volume->sources[0].type = type;
    return volume->sources;
}

static struct cf_volume *make_volume(const struct cf_store *store, struct cf_arena *arena,
                                     uint32_t place, struct cf_pod_spec *out)
{
    struct cf_volume *volume = &out->volumes[out->volume_count];

    volume->index = out->volume_count++;
    volume->name = cf_text_copy(store, arena, place);
    volume->called = volume->name;
    volume->default_mode = CF_MODE_NONE;
    return volume;
}

static void make_secret_volume(const struct cf_store *store, struct cf_arena *arena,
                               const uint32_t *words, struct cf_pod_spec *out)
{
    struct cf_volume *volume = make_volume(store, arena, words[1], out);
    struct cf_secret_ref *ref = cf_arena_alloc(arena, sizeof(*ref));
    uint32_t via = words[0] & CF_VIA_MASK;

    if (ref == NULL)
        return;
    *ref = secret_ref(store, arena, words[0]);
    ref->index = ref_index(out);
    if (via == CF_VIA_PROJECTED) {
        struct cf_volume_source *source = make_source(arena, volume, CF_SOURCE_SECRET);

        if (source != NULL)
            source->secret = ref;
        return;
    }
    volume->secret = ref;
    if (via == CF_VIA_VOLUME)
        volume->type = CF_VOLUME_SECRET;
    else
        volume->secret_via = cf_drivers[via - CF_VIA_DRIVER].via;
}

static void make_token(const struct cf_store *store, struct cf_arena *arena, const uint32_t *words,
                       struct cf_pod_spec *out)
{
    struct cf_volume *volume = make_volume(store, arena, words[0], out);
    struct cf_volume_source *source = make_source(arena, volume, CF_SOURCE_TOKEN);

    if (source == NULL)
        return;
    source->audience = words[1] != 0 ? cf_text_copy(store, arena, words[1]) : NULL;
    source->expiration.given = words[2] != 0;
    source->expiration.seconds = (int64_t)((uint64_t)words[3] << 32 | words[4]);
}

static void make_spec(const struct cf_store *store, struct cf_arena *arena,
                      const struct cf_shape *shape, struct cf_pod_spec *out)
{
    const uint32_t *words = cf_shape_words(store, shape);
    size_t volumes = (size_t)shape->key.secrets + shape->key.tokens;

    out->volumes = cf_arena_array(arena, volumes, sizeof(*out->volumes));
    out->env = cf_arena_array(arena, shape->key.secrets, sizeof(*out->env));
    if (cf_arena_failed(arena))
        return;
    for (uint32_t i = 0; i < shape->key.secrets; i++, words += CF_SECRET_WORDS) {
        uint32_t via = words[0] & CF_VIA_MASK;

        if (via == CF_VIA_ENV || via == CF_VIA_ENV_FROM)
            make_env(store, arena, words, out);
        else if (via != CF_VIA_IMAGE_PULL)
            make_secret_volume(store, arena, words, out);
    }
    if (words != NULL)
        words += shape->key.maps;
    for (uint32_t i = 0; i < shape->key.tokens; i++, words += CF_TOKEN_WORDS)
        make_token(store, arena, words, out);
}

/* The owner's name after "WORKLOAD-": the template hash of a ReplicaSet, the digits of a CronJob's
 * Job. */
static const char *template_hash(const char *owner, const char *workload)
{
    size_t len = strlen(workload);

    if (len > 0 && cf_starts_with(owner, workload) && owner[len] == '-')
        return owner + len + 1;
    return NULL;
}

static void make_owner(const struct cf_store *store, struct cf_arena *arena,
                       const struct cf_shape *shape, struct cf_object *out)
{
    const char *workload = cf_text_copy(store, arena, shape->key.workload);

    if (shape->key.owner_name != 0) {
        out->owner_kind = cf_text_copy(store, arena, shape->key.owner_kind);
        out->owner_name = cf_text_copy(store, arena, shape->key.owner_name);
        out->template_hash = template_hash(out->owner_name, workload);
    } else if (workload[0] != '\0') {
        out->generate_name = cf_arena_printf(arena, "%s-", workload);
    }
}

static struct cf_object *make_object(const struct cf_store *store, struct cf_arena *arena,
                                     uint32_t pod_id, const struct cf_store_pod *pod)
{
    const struct cf_item_pod *item = cf_pod_at(store, pod_id);
    const struct cf_shape *shape = cf_shape_at(store, item->shape);
    struct cf_object *object = cf_arena_alloc(arena, sizeof(*object));

    if (object == NULL)
        return NULL;
    object->kind = CF_KIND_POD;
    object->kind_name = "pod";
    object->name = pod->name;
    object->has_metadata = true;
    object->mirror = pod->mirror;
    make_owner(store, arena, shape, object);
    object->pod.account = pod->account;
    object->pod.node_name = pod->node[0] != '\0' ? pod->node : NULL;
    make_spec(store, arena, shape, &object->pod);
    object->secret_ref_count = ref_index(&object->pod) + 1;
    return cf_arena_failed(arena) ? NULL : object;
}

/* ---- all pods of a namespace ---- */

struct pod_visit {
    const struct cf_store *store;
    struct cf_arena *arena;
    bool (*visit)(const struct cf_store_pod *pod, struct cf_object *object, void *arg);
    void *arg;
    size_t left;
};

static bool visit_pod(struct pod_visit *visit, uint32_t id)
{
    struct cf_store_pod *pod = cf_arena_alloc(visit->arena, sizeof(*pod));
    struct cf_object *object;

    if (visit->left == 0 || pod == NULL)
        return false;
    cf_store_copy_pod(visit->store, visit->arena, id, pod);
    object = make_object(visit->store, visit->arena, id, pod);
    if (object == NULL)
        return false;
    visit->left--;
    return visit->visit(pod, object, visit->arg);
}

/* A shape, and whether it is the first one of its controller. */
struct shape_candidate {
    uint32_t shape;
    uint32_t owner_kind, owner_name;
    bool first;
};

static int compare_owners(const void *a, const void *b)
{
    const struct shape_candidate *x = a, *y = b;

    if (x->owner_name != y->owner_name)
        return x->owner_name < y->owner_name ? -1 : 1;
    if (x->owner_kind != y->owner_kind)
        return x->owner_kind < y->owner_kind ? -1 : 1;
    return x->shape < y->shape ? -1 : x->shape > y->shape;
}

static struct shape_candidate *list_candidates(const struct cf_store *store, struct cf_arena *arena,
                                               const struct cf_item_namespace *ns, size_t *count)
{
    struct shape_candidate *list = cf_arena_array(arena, (size_t)ns->pods + 1, sizeof(*list));
    size_t n = 0;

    *count = 0;
    if (list == NULL)
        return NULL;
    for (uint32_t at = ns->first_shape; at != 0; at = cf_shape_at(store, at)->of_namespace.next) {
        const struct cf_shape_key *key = &cf_shape_at(store, at)->key;

        list[n++] = (struct shape_candidate){at, key->owner_kind, key->owner_name, true};
    }
    qsort(list, n, sizeof(*list), compare_owners);
    for (size_t i = 1; i < n; i++)
        list[i].first = list[i].owner_name == 0 || list[i].owner_name != list[i - 1].owner_name ||
                        list[i].owner_kind != list[i - 1].owner_kind;
    *count = n;
    return list;
}

/* The first round visits one pod of each controller and all pods without one; the second the rest.
 */
static bool visit_shape(struct pod_visit *visit, const struct shape_candidate *candidate,
                        bool first_round)
{
    uint32_t at = cf_shape_at(visit->store, candidate->shape)->first_pod;

    for (bool first = candidate->first; at != 0; first = first && candidate->owner_name == 0) {
        const struct cf_item_pod *pod = cf_pod_at(visit->store, at);

        if (first == first_round && !visit_pod(visit, at))
            return false;
        at = pod->of_shape.next;
    }
    return true;
}

size_t cf_store_pods_in(
    const struct cf_store *store, struct cf_arena *arena, const char *namespace, size_t max,
    bool (*visit)(const struct cf_store_pod *pod, struct cf_object *object, void *arg), void *arg)
{
    const struct cf_item_namespace *ns = cf_namespace_find(store, namespace);
    struct pod_visit all = {store, arena, visit, arg, max};
    struct shape_candidate *list;
    bool more;
    size_t count;

    if (ns == NULL || ns->pods == 0)
        return 0;
    list = list_candidates(store, arena, ns, &count);
    more = list != NULL;
    for (int n = 0; n < 2; n++) {
        for (size_t i = 0; more && i < count; i++)
            more = visit_shape(&all, &list[i], n == 0);
    }
    return ns->pods;
}
