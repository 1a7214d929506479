/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c - what to call an object whose own name is generated. */
#include <string.h>

#include "curfew/review.h"
#include "curfew/str.h"
#include "workload.h"

/* "web-7fddb57d69" of a ReplicaSet, less the hash that the Deployment put there. */
static const char *less_hash(struct cf_arena *arena, const char *owner, const char *hash)
{
    size_t len = strlen(owner), tail;

    if (cf_str_empty(hash))
        return owner;
    tail = strlen(hash) + 1;
    if (len > tail && owner[len - tail] == '-' && cf_streq(owner + len - tail + 1, hash))
        return cf_arena_strndup(arena, owner, len - tail);
    return owner;
}

/* "nightly-29123456" of a CronJob's Job, less the minute that the CronJob put there. */
static const char *less_digits(struct cf_arena *arena, const char *owner)
{
    size_t len = strlen(owner), digits = 0;

    while (digits < len && owner[len - 1 - digits] >= '0' && owner[len - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || len < digits + 2 || owner[len - 1 - digits] != '-')
        return owner;
    return cf_arena_strndup(arena, owner, len - 1 - digits);
}

static const char *owner_name(struct cf_arena *arena, const struct cf_object *object)
{
    if (cf_streq(object->owner_kind, "ReplicaSet"))
        return less_hash(arena, object->owner_name, object->pod_template_hash);
    if (cf_streq(object->owner_kind, "Job"))
        return less_digits(arena, object->owner_name);
    return object->owner_name;
}

static const char *less_dash(struct cf_arena *arena, const char *generate_name)
{
    size_t len = strlen(generate_name);

    if (len > 0 && generate_name[len - 1] == '-')
        return cf_arena_strndup(arena, generate_name, len - 1);
    return generate_name;
}

const char *cf_workload_name(struct cf_arena *arena, const struct cf_request *request)
{
    const struct cf_object *object = request->object;
    const char *name = NULL;

    if (object == NULL || request->kind == CF_KIND_TOKEN_REQUEST)
        name = request->name;
    else if (!cf_str_empty(object->owner_name))
        name = owner_name(arena, object);
    else if (!cf_str_empty(object->generate_name))
        name = less_dash(arena, object->generate_name);
    if (cf_str_empty(name))
        name = cf_str_empty(request->name) && object != NULL ? object->name : request->name;
    return cf_str_or_empty(name);
}

size_t cf_workload_names(struct cf_arena *arena, const struct cf_request *request,
                         const char *names[CF_WORKLOAD_NAMES])
{
    const struct cf_object *object = request->object;

    names[0] = cf_workload_name(arena, request);
    if (object == NULL || !cf_streq(object->owner_kind, "Job") ||
        cf_str_empty(object->owner_name) || cf_streq(object->owner_name, names[0]))
        return 1;
    names[1] = object->owner_name;
    return 2;
}
