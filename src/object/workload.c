/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c - what replicas of one workload have in common: its name. */
#include <string.h>

#include "curfew/object.h"
#include "curfew/str.h"

/* "web-7fddb57d69" of a ReplicaSet, less the hash that the Deployment put there; of any owner whose
 * name ends in what a label of the pod says is a template's hash. */
static const char *less_hash(struct cf_arena *arena, const char *owner, const char *hash)
{
    return cf_arena_strndup(arena, owner, strlen(owner) - strlen(hash) - 1);
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
    if (object->template_hash != NULL)
        return less_hash(arena, object->owner_name, object->template_hash);
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

const char *cf_object_workload(struct cf_arena *arena, const struct cf_object *object)
{
    if (!cf_str_empty(object->owner_name))
        return owner_name(arena, object);
    if (!cf_str_empty(object->generate_name))
        return less_dash(arena, object->generate_name);
    return NULL;
}
