/* SPDX-License-Identifier: Apache-2.0 */
/* workload_names.c - what to call an object whose own name is generated. */
#include "curfew/str.h"
#include "curfew/request.h"

const char *cf_workload_name(struct cf_arena *arena, const struct cf_request *request)
{
    const struct cf_object *object = request->object;
    const char *name;

    if (object == NULL || request->kind == CF_KIND_TOKEN_REQUEST)
        name = request->name;
    else
        name = cf_object_workload(arena, object);
    if (cf_str_empty(name))
        name = cf_str_empty(request->name) && object != NULL ? object->name : request->name;
    return cf_str_or_empty(name);
}

size_t cf_workload_names(struct cf_arena *arena, const struct cf_request *request,
                         const char *names[CF_WORKLOAD_NAMES])
{
    const struct cf_object *object = request->object;

    names[0] = cf_workload_name(arena, request);
    if (object == NULL || cf_streq(object->owner_kind, "ReplicaSet") ||
        cf_str_empty(object->owner_name) || cf_streq(object->owner_name, names[0]))
        return 1;
    names[1] = object->owner_name;
    return 2;
}
