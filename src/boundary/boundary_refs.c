/* SPDX-License-Identifier: Apache-2.0 */
/* boundary_refs.c - what a pod under review names that it did not name before. */
#include <stdlib.h>
#include <string.h>

#include "curfew/refs.h"
#include "curfew/str.h"
#include "curfew/boundary.h"

/* A growing list; a hostile pod may name 100,000 things, so it is sorted, never searched. */
struct refs {
    struct cf_fields *r;
    const char *namespace;
    struct cf_store_ref *items;
    size_t count, capacity;
};

static bool edge_of(enum cf_ref_what what, enum cf_edge *out)
{
    switch (what) {
    case CF_REF_SECRET:
        *out = CF_EDGE_SECRET;
        return true;
    case CF_REF_CONFIG_MAP:
        *out = CF_EDGE_CONFIG_MAP;
        return true;
    case CF_REF_CLAIM:
        *out = CF_EDGE_CLAIM;
        return true;
    case CF_REF_TOKEN: /* of the pod's own account */
        break;
    }
    return false;
}

static void note(const struct cf_ref *ref, void *arg)
{
    struct refs *refs = arg;
    size_t wanted = refs->capacity == 0 ? 16 : 2 * refs->capacity;
    struct cf_store_ref *bigger;
    enum cf_edge edge;

    if (!edge_of(ref->what, &edge))
        return;
    if (refs->count == refs->capacity) {
        bigger = cf_arena_array(refs->r->arena, wanted, sizeof(*bigger));
        if (bigger == NULL) {
            cf_field_fail_memory(refs->r);
            return;
        }
        if (refs->count > 0)
            memcpy(bigger, refs->items, refs->count * sizeof(*bigger));
        refs->items = bigger;
        refs->capacity = wanted;
    }
    refs->items[refs->count++] = (struct cf_store_ref){
        .edge = edge,
        .namespace = ref->namespace != NULL ? ref->namespace : refs->namespace,
        .name = ref->name};
}

static int by_name(const void *a, const void *b)
{
    const struct cf_store_ref *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (int)x->edge - (int)y->edge;
}

static void gather(struct refs *refs, const struct cf_json *request, const char *where,
                   const char *pod)
{
    struct cf_path root = {.key = "request"}, at = CF_PATH_KEY(&root, where);
    struct cf_path spec_at = CF_PATH_KEY(&at, "spec");
    const struct cf_json *json = cf_field_object(refs->r, &root, request, where);
    const struct cf_json *spec = cf_field_object(refs->r, &at, json, "spec");

    if (spec != NULL)
        cf_pod_refs(refs->r, &spec_at, spec, pod, note, refs);
    if (refs->count > 1)
        qsort(refs->items, refs->count, sizeof(*refs->items), by_name);
}

void cf_boundary_refs(struct cf_fields *r, const struct cf_json *json, struct cf_boundary *q)
{
    struct refs now = {.r = r, .namespace = q->namespace};
    struct refs was = {.r = r, .namespace = q->namespace};
    size_t old = 0, kept = 0;

    gather(&now, json, "object", q->name);
    gather(&was, json, "oldObject", q->name);
    for (size_t i = 0; i < now.count; i++) {
        if (i > 0 && by_name(&now.items[i - 1], &now.items[i]) == 0)
            continue;
        while (old < was.count && by_name(&was.items[old], &now.items[i]) < 0)
            old++;
        if (old == was.count || by_name(&was.items[old], &now.items[i]) != 0)
            now.items[kept++] = now.items[i];
    }
    q->refs = now.items;
    q->ref_count = kept;
}
