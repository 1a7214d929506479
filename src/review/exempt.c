/* SPDX-License-Identifier: Apache-2.0 */
/* exempt.c - exemptions and exceptions: what is found, and yet not acted on.
 *
 * An exemption silences every mode but the audit annotation; so does an exception, which also
 * ends by itself and warns before it does. */
#include <string.h>

#include "curfew/str.h"
#include "engine_private.h"
#include "curfew/request.h"

/* A TokenRequest by somebody who is no ServiceAccount is a matter of its account's namespace. */
const char *cf_rule_namespace(const struct cf_rule *rule, const struct cf_request *request)
{
    if ((rule->traits & CF_RULE_CALLER) != 0 && request->caller.namespace != NULL)
        return request->caller.namespace;
    return request->namespace;
}

static bool has_trait(const struct cf_finding *finding, enum cf_rule_traits trait)
{
    return (finding->rule->traits & (unsigned)trait) != 0 && !finding->by_level;
}

bool cf_in_guard_groups(const struct cf_policy *policy, const struct cf_caller *caller)
{
    for (size_t i = 0; i < caller->group_count; i++) {
        if (cf_strings_has(&policy->guard_groups, caller->groups[i]))
            return true;
    }
    return false;
}

enum cf_exempt cf_exempt_caller(const struct cf_policy *policy, const struct cf_caller *caller)
{
    if (cf_strings_has(&policy->exempt_usernames, caller->username))
        return CF_EXEMPT_USER;
    for (size_t i = 0; i < caller->group_count; i++) {
        if (cf_strings_has(&policy->exempt_groups, caller->groups[i]))
            return CF_EXEMPT_GROUP;
    }
    return CF_EXEMPT_NO;
}

static enum cf_exempt exemption(const struct cf_policy *policy, const struct cf_request *request,
                                const struct cf_finding *finding)
{
    enum cf_exempt caller;

    if (!has_trait(finding, CF_RULE_ALWAYS) &&
        cf_strings_has(&policy->exempt_namespaces, cf_rule_namespace(finding->rule, request)))
        return CF_EXEMPT_NAMESPACE;
    caller = cf_exempt_caller(policy, &request->caller);
    if (caller == CF_EXEMPT_NO && has_trait(finding, CF_RULE_GUARDED) &&
        cf_in_guard_groups(policy, &request->caller))
        return CF_EXEMPT_GROUP;
    return caller;
}

/* The account that an exception's serviceAccounts are about; NULL: none. */
static const char *account_of(const struct cf_rule *rule, const struct cf_request *request)
{
    const struct cf_object *object = request->object;

    if ((rule->traits & CF_RULE_CALLER) != 0 && request->caller.account != NULL)
        return request->caller.account;
    switch (request->kind) {
    case CF_KIND_POD:
    case CF_KIND_TEMPLATE:
        return object->pod.account;
    case CF_KIND_SECRET:
        return object->secret.account;
    case CF_KIND_SERVICE_ACCOUNT:
    case CF_KIND_TOKEN_REQUEST:
        return cf_str_empty(request->name) ? object->name : request->name;
    default:
        return NULL;
    }
}

static bool any_glob(const struct cf_strings *globs, const char *text)
{
    for (size_t i = 0; text != NULL && i < globs->count; i++) {
        if (cf_glob(globs->items[i], text))
            return true;
    }
    return false;
}

static bool names_match(struct cf_arena *arena, const struct cf_strings *globs,
                        const struct cf_request *request)
{
    const char *names[CF_WORKLOAD_NAMES];
    size_t count = cf_workload_names(arena, request, names);

    for (size_t i = 0; i < count; i++) {
        if (any_glob(globs, names[i]))
            return true;
    }
    return false;
}

static bool applies(struct cf_arena *arena, const struct cf_exception *exception,
                    const struct cf_request *request, const struct cf_rule *rule)
{
    if (!cf_streq(exception->rule, rule->id) ||
        !cf_streq(exception->namespace, cf_rule_namespace(rule, request)))
        return false;
    if (exception->names.count > 0 && !names_match(arena, &exception->names, request))
        return false;
    return exception->service_accounts.count == 0 ||
           any_glob(&exception->service_accounts, account_of(rule, request));
}

const struct cf_exception *cf_exception_find(struct cf_arena *arena,
                                             const struct cf_engine_input *in,
                                             const struct cf_request *request,
                                             const struct cf_rule *rule)
{
    const struct cf_exception *best = NULL;

    for (size_t i = 0; i < in->policy->exception_count; i++) {
        const struct cf_exception *e = &in->policy->exceptions[i];

        /* Of several, the one that holds longest, so that nobody is warned for nothing. */
        if (e->ends > in->now && (best == NULL || e->ends > best->ends) &&
            applies(arena, e, request, rule))
            best = e;
    }
    return best;
}

static void apply(struct cf_arena *arena, const struct cf_engine_input *in,
                  const struct cf_request *request, struct cf_verdict *verdict)
{
    const struct cf_rule *rule = verdict->finding.rule;

    verdict->exempt = exemption(in->policy, request, &verdict->finding);
    if (verdict->exempt == CF_EXEMPT_NO) {
        verdict->exception = cf_exception_find(arena, in, request, rule);
        if (verdict->exception != NULL)
            verdict->exempt = CF_EXEMPT_EXCEPTION;
    }
}

void cf_exempt_apply(struct cf_arena *arena, const struct cf_engine_input *in,
                     const struct cf_request *request, struct cf_evaluation *judgement)
{
    struct cf_verdict *last = NULL;

    for (size_t i = 0; i < judgement->count; i++) {
        struct cf_verdict *v = &judgement->items[i];

        if (v->finding.malformed) {
            v->exempt = CF_EXEMPT_NO;
        } else if (last != NULL && last->finding.rule == v->finding.rule &&
                   last->finding.by_level == v->finding.by_level) {
            v->exempt = last->exempt;
            v->exception = last->exception;
        } else {
            apply(arena, in, request, v);
        }
        v->modes = v->reached;
        if (v->exempt != CF_EXEMPT_NO)
            v->modes &= CF_MODE_BIT(CF_AUDIT);
        if (v->finding.never_denied)
            v->modes &= ~CF_MODE_BIT(CF_ENFORCE);
        if (v->finding.fix == NULL)
            v->modes &= ~CF_MODE_BIT(CF_FIX);
        if (!v->finding.malformed)
            last = v;
    }
}
