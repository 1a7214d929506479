/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - the lookups that rules need, and the rules in their order.
 *
 * Each mode evaluates with the parameters of its own level, so rules run once for each level that
 * some mode requires; a finding of two levels is one verdict. */
#include "curfew/attr.h"
#include "curfew/engine.h"
#include "curfew/str.h"
#include "review_private.h"

const char *cf_exempt_name(enum cf_exempt exempt)
{
    static const char *const names[] = {
        [CF_EXEMPT_NO] = NULL,       [CF_EXEMPT_NAMESPACE] = "namespace", [CF_EXEMPT_USER] = "user",
        [CF_EXEMPT_GROUP] = "group", [CF_EXEMPT_EXCEPTION] = "exception",
    };

    return names[exempt];
}

/* ---- objects that are not evaluated ---- */

/* The mirror of a static pod, created by the kubelet of its own node: the pod runs already, and a
 * denial would only hide it. */
static bool is_mirror_pod(const struct cf_request *request)
{
    const struct cf_object *object = request->object;
    const char *node = object->pod.node_name;

    return object->kind == CF_KIND_POD && object->mirror && node != NULL &&
           cf_caller_is_node(&request->caller) &&
           cf_streq(request->caller.username + sizeof("system:node:") - 1, node);
}

/* The template of its owner was evaluated already. */
static bool is_owned_template(const struct cf_object *object)
{
    return object->kind == CF_KIND_TEMPLATE && object->owner_kind != NULL &&
           (cf_streq(object->kind_name, "replicaset") || cf_streq(object->kind_name, "job"));
}

bool cf_is_kubelet_token(enum cf_kind kind, const struct cf_caller *caller, const char *bound_kind)
{
    return kind == CF_KIND_TOKEN_REQUEST && cf_caller_is_node(caller) &&
           cf_streq(bound_kind, "Pod");
}

static bool is_kubelet_token(const struct cf_request *request)
{
    return request->kind == CF_KIND_TOKEN_REQUEST &&
           cf_is_kubelet_token(request->kind, &request->caller,
                               request->object->token_request.bound_kind);
}

static bool is_not_evaluated(const struct cf_engine_input *in, const struct cf_request *request)
{
    return is_mirror_pod(request) || is_owned_template(request->object) ||
           (!in->kubelets && is_kubelet_token(request));
}

/* ---- lookups ---- */

struct secret_lookup {
    const struct cf_engine_input *in;
    struct cf_arena *arena;
    const char *namespace;
    struct cf_secret_facts *facts;
    bool unknown; /* some Secret is */
};

static void lookup_secret(const struct cf_secret_ref *ref, void *arg)
{
    struct secret_lookup *l = arg;
    struct cf_secret_facts *facts = &l->facts[ref->index];

    cf_store_secret(l->in->store, l->arena, l->namespace, ref->name, l->in->policy->stale_after,
                    facts);
    l->unknown |= facts->state == CF_SECRET_UNKNOWN;
}

/* Why a Secret that the store lacks is unknown. */
static const char *why_unknown(struct cf_arena *arena, const struct cf_policy *policy,
                               const struct cf_store *store)
{
    int64_t age = cf_store_age(store, CF_SECRETS) / 1000000;
    const char *text;

    if (!cf_store_expected(store, CF_SECRETS))
        return "Curfew runs without a list of the cluster's legacy Secrets";
    if (age < policy->stale_after)
        return "Curfew has not listed the cluster's legacy Secrets yet";
    text = cf_arena_printf(arena, "Curfew's list of the cluster's legacy Secrets is %lld s old",
                           (long long)age);
    return cf_str_or_empty(text);
}

/* What the rules about this kind need; with CF_KIND_OTHER those about the caller. */
static unsigned needs_of(enum cf_kind kind)
{
    unsigned needs = 0;

    for (size_t i = 0; i < cf_rule_count; i++) {
        if (kind == CF_KIND_OTHER ? (cf_rules[i]->traits & CF_RULE_CALLER) != 0
                                  : (cf_rules[i]->kinds & (unsigned)kind) != 0)
            needs |= cf_rules[i]->needs;
    }
    return needs;
}

/* The facts of an object's Secrets; NULL: it is absent, or out of memory. */
static struct cf_secret_facts *new_facts(struct cf_arena *arena, const struct cf_object *object)
{
    if (object == NULL)
        return NULL;
    return cf_arena_array(arena, object->secret_ref_count + 1, sizeof(struct cf_secret_facts));
}

static void lookup_secrets(struct cf_arena *arena, const struct cf_engine_input *in,
                           const struct cf_request *request, struct cf_lookups *out)
{
    struct secret_lookup l = {in, arena, request->namespace, out->secrets, false};

    if (out->secrets != NULL)
        cf_object_secret_refs(request->object, lookup_secret, &l);
    l.facts = out->old_secrets;
    if (out->old_secrets != NULL)
        cf_object_secret_refs(request->old_object, lookup_secret, &l);
    if (l.unknown)
        out->unknown_why = why_unknown(arena, in->policy, in->store);
    out->unknown_stays = !cf_store_expected(in->store, CF_SECRETS);
}

/* The account of a request that rules need looked up; NULL: none. */
static const char *account_to_look_up(const struct cf_request *request)
{
    switch (request->kind) {
    case CF_KIND_TOKEN_REQUEST:
        return request->name;
    case CF_KIND_TEMPLATE:
        return request->object->pod.account;
    case CF_KIND_SECRET:
        return request->object->secret.account;
    default:
        return NULL;
    }
}

void cf_engine_lookup_object(struct cf_arena *arena, const struct cf_engine_input *in,
                             const struct cf_request *request, struct cf_lookups *out)
{
    unsigned needs = needs_of(request->kind);
    const char *account = (needs & CF_NEEDS_ACCOUNT) != 0 ? account_to_look_up(request) : NULL;

    out->secrets = new_facts(arena, request->object);
    out->old_secrets = new_facts(arena, request->old_object);
    if ((needs & CF_NEEDS_SECRETS) != 0)
        lookup_secrets(arena, in, request, out);
    if (account != NULL)
        out->account_restricted = cf_store_restricted(in->store, request->namespace, account);
}

void cf_engine_lookup(struct cf_arena *arena, const struct cf_engine_input *in,
                      const struct cf_request *request, struct cf_lookups *out)
{
    *out = (struct cf_lookups){0};
    cf_store_lock(in->store);
    out->levels = cf_store_levels(in->store, in->policy, request->namespace);
    out->caller_levels = cf_store_levels(in->store, in->policy, request->caller.namespace);
    out->server_minor = cf_store_server_minor(in->store);
    if (request->kind != CF_KIND_OTHER && !is_not_evaluated(in, request))
        cf_engine_lookup_object(arena, in, request, out);
    if (request->boundary != NULL && (needs_of(CF_KIND_OTHER) & CF_NEEDS_BOUNDARY) != 0)
        cf_boundary_lookup(arena, in->store, request->boundary, in->own_namespace, &out->boundary);
    cf_store_unlock(in->store);
    /* The labels that a namespace will have, not those that it had. */
    if (request->kind == CF_KIND_NAMESPACE)
        out->levels = cf_levels_of(in->policy, request->object->namespace.labels);
    for (int mode = 0; in->level != NULL && mode < CF_MODES; mode++)
        out->levels.mode[mode] = out->caller_levels.mode[mode] = *in->level;
}

/* ---- rules ---- */

static bool rule_holds(const struct cf_rule *rule, const struct cf_policy *policy,
                       enum cf_level level)
{
    enum cf_level own;

    return cf_rule_level(rule, policy, &own) &&
           ((rule->traits & (CF_RULE_ALWAYS | CF_RULE_ANY_LEVEL)) != 0 || own <= level);
}

/* Whether another rule, which this one takes into account, applies to the object. */
static bool is_considered(struct cf_arena *arena, const struct cf_engine_input *in,
                          const struct cf_request *request, const struct cf_rule *other,
                          enum cf_level level)
{
    return other != NULL && rule_holds(other, in->policy, level) &&
           cf_exception_find(arena, in, request, other) == NULL;
}

/* `prints`: the findings of the old object, which are left out. */
static void check_object(const struct cf_rule *rule, struct cf_rule_input *in,
                         struct cf_prints *prints, struct cf_findings *out)
{
    const struct cf_request *request = in->request;

    in->object = request->object;
    in->secrets = in->lookups->secrets;
    in->old_object = (rule->traits & CF_RULE_TRANSITION) != 0 ? request->old_object : NULL;
    in->may_fix = request->kind != CF_KIND_POD ||
                  (request->operation == CF_CREATE && cf_str_empty(request->subresource));
    cf_findings_begin(out, rule, prints, false);
    rule->check(in, out);
}

/* All findings of the old object, without a limit: otherwise old findings could count as new. NULL
 * when out of memory. */
static struct cf_prints *check_old_object(const struct cf_rule *rule, struct cf_rule_input *in,
                                          struct cf_arena *arena)
{
    struct cf_findings old = {.arena = arena};
    struct cf_prints *prints = cf_prints_new(arena);

    if (prints == NULL)
        return NULL;
    in->object = in->request->old_object;
    in->secrets = in->lookups->old_secrets;
    in->may_fix = false;
    cf_findings_begin(&old, rule, prints, true);
    rule->check(in, &old);
    return old.failed ? NULL : prints;
}

static void drop_old_findings(struct cf_findings *out, struct cf_prints *prints)
{
    size_t kept = out->first;

    for (size_t i = out->first; i < out->count; i++) {
        if (!cf_prints_take(prints, &out->items[i]))
            out->items[kept++] = out->items[i];
    }
    out->count = kept;
}

static void run_rule(const struct cf_rule *rule, struct cf_rule_input *in, struct cf_findings *out)
{
    bool both = (rule->traits & (CF_RULE_TRANSITION | CF_RULE_CALLER)) != 0;
    struct cf_prints *prints;

    check_object(rule, in, NULL, out);
    if (in->request->old_object != NULL && !both && out->count > out->first && !out->failed) {
        prints = check_old_object(rule, in, out->arena);
        out->failed = prints == NULL;
        if (prints != NULL && out->more == 0) {
            drop_old_findings(out, prints);
        } else if (prints != NULL && cf_prints_count(prints) > 0) {
            /* New findings may be among those that were not kept. */
            out->count = out->first;
            check_object(rule, in, prints, out);
        }
    }
    cf_findings_end(out);
}

/* Rules about the object, or (`caller`) those about the caller. */
static bool rule_is_due(const struct cf_rule *rule, const struct cf_request *request,
                        const struct cf_lookups *lookups, bool caller)
{
    if (lookups->server_minor < rule->since_minor)
        return false;
    if (caller || (rule->traits & CF_RULE_CALLER) != 0)
        return caller && (rule->traits & CF_RULE_CALLER) != 0;
    return (rule->kinds & (unsigned)request->kind) != 0;
}

static int run_level(struct cf_arena *arena, const struct cf_engine_input *in,
                     const struct cf_request *request, const struct cf_lookups *lookups,
                     bool caller, enum cf_level level, struct cf_findings *out, struct cf_err *err)
{
    struct cf_rule_input input = {.request = request,
                                  .lookups = lookups,
                                  .policy = in->policy,
                                  .level = level,
                                  .now = in->now};

    *out = (struct cf_findings){.arena = arena};
    for (size_t i = 0; i < cf_rule_count; i++) {
        const struct cf_rule *rule = cf_rules[i];

        if (!rule_is_due(rule, request, lookups, caller) || !rule_holds(rule, in->policy, level))
            continue;
        input.settings = cf_rule_settings(rule, in->policy);
        input.considered = is_considered(arena, in, request, rule->considers, level);
        run_rule(rule, &input, out);
    }
    return out->failed || cf_arena_failed(arena) ? cf_err_memory(err) : 0;
}

/* The modes of `wanted` that have this level. */
static unsigned modes_at(const struct cf_levels *levels, unsigned wanted, enum cf_level level)
{
    unsigned modes = 0;

    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((wanted & CF_MODE_BIT(mode)) != 0 && levels->mode[mode] == level)
            modes |= CF_MODE_BIT(mode);
    }
    return modes;
}

static int run_levels(struct cf_arena *arena, const struct cf_engine_input *in,
                      const struct cf_request *request, bool caller, struct cf_evaluation *out,
                      struct cf_err *err)
{
    const struct cf_levels *levels = caller ? &out->lookups->caller_levels : &out->lookups->levels;

    /* The strictest first: it finds the most, so that the others only add their modes. */
    for (int level = CF_RESTRICTED; level >= CF_PRIVILEGED; level--) {
        unsigned modes = modes_at(levels, in->modes, (enum cf_level)level);
        struct cf_findings found;

        if (modes == 0)
            continue;
        if (run_level(arena, in, request, out->lookups, caller, (enum cf_level)level, &found,
                      err) != 0)
            return -1;
        if (cf_verdicts_merge(arena, out, &found, modes) != 0)
            return cf_err_memory(err);
    }
    return 0;
}

/* Whether rules about the caller apply: not to a manifest, nor where only fixes matter. */
static bool has_caller(const struct cf_engine_input *in, const struct cf_request *request)
{
    return (in->modes & CF_MODE_BIT(CF_ENFORCE)) != 0 &&
           (request->caller.account != NULL || request->boundary != NULL);
}

int cf_engine_evaluate(struct cf_arena *arena, const struct cf_engine_input *in,
                       const struct cf_request *request, const struct cf_lookups *lookups,
                       struct cf_evaluation *out, struct cf_err *err)
{
    struct cf_evaluation evaluation = {.lookups = lookups};
    bool about_object;

    evaluation.skipped = request->kind != CF_KIND_OTHER && is_not_evaluated(in, request);
    about_object = request->kind != CF_KIND_OTHER && !evaluation.skipped && !in->caller_only;
    if (cf_arena_failed(arena)) /* facts may be missing */
        return cf_err_memory(err);
    if (about_object && run_levels(arena, in, request, false, &evaluation, err) != 0)
        return -1;
    if (has_caller(in, request) && run_levels(arena, in, request, true, &evaluation, err) != 0)
        return -1;
    *out = evaluation;
    return 0;
}
