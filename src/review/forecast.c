/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.c - whether a request that /mutate repairs will be denied all the same: then nobody
 * needs to hear of the repair.
 *
 * Nearly always nothing would be denied as it is, and that is known after one more run of the
 * rules, without a lookup. Only else is the object patched, decoded and judged as /validate will do
 * it. */
#include "forecast.h"

#include "curfew/limits.h"
#include "warnings.h"

static struct cf_engine_input enforcing(const struct cf_review_input *in)
{
    return (struct cf_engine_input){
        .policy = in->policy,
        .store = in->store,
        .now = in->now,
        .modes = CF_MODE_BIT(CF_ENFORCE),
        .own_namespace = in->own_namespace,
        .level = in->level,
    };
}

static bool denies(struct cf_arena *arena, const struct cf_engine_input *engine,
                   struct cf_request *request)
{
    struct cf_evaluation judgement;

    if (cf_engine_evaluate(arena, engine, request, &judgement, NULL) != 0)
        return false; /* out of memory, which the arena tells of */
    for (size_t i = 0; i < judgement.count; i++) {
        if (cf_verdict_denies(request, &judgement.items[i]))
            return true;
    }
    return false;
}

/* The kinds that are ever patched. */
static const struct cf_kind_info *info_of(enum cf_kind kind)
{
    if (kind == CF_KIND_TOKEN_REQUEST)
        return cf_kind_find("authentication.k8s.io", "TokenRequest");
    return cf_kind_find("", kind == CF_KIND_POD ? "Pod" : "ServiceAccount");
}

/* The request with its object repaired; false: that is not known. */
static bool repair(struct cf_arena *arena, struct cf_request *request, const char *patch)
{
    struct cf_json *json = (struct cf_json *)(uintptr_t)request->object->json;
    struct cf_object *object = cf_arena_alloc(arena, sizeof(*object));
    struct cf_err err;

    if (object == NULL || cf_json_patch(arena, json, patch, &err) != 0 ||
        cf_object_decode(arena, json, info_of(request->kind), "", object, &err) != 0)
        return false;
    request->object = object;
    return true;
}

/* Where both modes have one level, the findings are known, and all that have a fix are repaired. */
static bool something_stays(const struct cf_evaluation *judgement)
{
    for (size_t i = 0; i < judgement->count; i++) {
        const struct cf_verdict *v = &judgement->items[i];

        if (v->exempt == CF_EXEMPT_NO && !v->finding.never_denied && v->finding.fix == NULL)
            return true;
    }
    return false;
}

bool cf_will_be_denied(struct cf_arena *arena, const struct cf_review_input *in,
                       const struct cf_request *request, const struct cf_evaluation *judgement,
                       const char *patch, size_t len)
{
    const enum cf_level *level = judgement->levels.mode;
    struct cf_engine_input engine = enforcing(in);
    struct cf_request copy = *request;

    engine.known = &judgement->levels;
    engine.known_caller = &judgement->caller_levels;
    engine.caller_only = true;
    if (denies(arena, &engine, &copy))
        return true;
    if (level[CF_FIX] == level[CF_ENFORCE])
        return something_stays(judgement);
    engine.caller_only = false;
    if (!denies(arena, &engine, &copy))
        return false;
    if (len > CF_FORECAST_MAX || !repair(arena, &copy, patch))
        return true;
    engine.known = engine.known_caller = NULL;
    return denies(arena, &engine, &copy);
}
