/* SPDX-License-Identifier: Apache-2.0 */
/* verdicts.c - from findings to verdicts: the findings of several levels are merged, then
 * exemptions and exceptions take modes from them, and the fixes that are left become one JSON
 * Patch.
 *
 * Each level has up to CF_FINDINGS_MAX findings of a rule, so merging sorts. An exemption silences
 * every mode but the audit annotation; so does an exception, which also ends, and warns before. */
#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/request.h"
#include "curfew/review.h"
#include "curfew/str.h"
#include "curfew/writer.h"
#include "review_private.h"

/* ---- one JSON Patch of all fixes (RFC 6902) ----
 *
 * Never a `test` operation: one that fails is a 500 even under failurePolicy Ignore. The patch is
 * the fixes one after the other, in the findings' order; a program that takes them from `-o json`
 * does the same. Where a fix replaces one source by several, the sources after it move: later
 * fixes are adjusted before they are used. */

/* ---- fixes that account for those before them ---- */

/* How far those that were applied before move a source: at most CF_FINDINGS_MAX of a rule. */
static size_t shift_of(const struct cf_fix *const *before, size_t count, const struct cf_fix *fix)
{
    size_t shift = 0;

    for (size_t i = 0; i < count; i++) {
        if (before[i]->source->up == fix->source->up &&
            before[i]->source->index < fix->source->index)
            shift += before[i]->inserts;
    }
    return shift;
}

/* "/spec/volumes/0/projected/sources/1/secret" of the list at "/spec/.../sources" becomes
 * ".../sources/3/secret"; what is not in the list stays. NULL when out of memory. */
static const char *moved_path(struct cf_arena *arena, const char *list, const char *path,
                              size_t shift)
{
    size_t len = strlen(list), index = 0;

    if (!cf_starts_with(path, list) || path[len] != '/')
        return path;
    for (path += len + 1; *path >= '0' && *path <= '9'; path++)
        index = 10 * index + (size_t)(*path - '0');
    return cf_arena_printf(arena, "%s/%zu%s", list, index + shift, path);
}

static const struct cf_fix *move_fix(struct cf_arena *arena, const struct cf_fix *fix, size_t shift)
{
    struct cf_fix *copy = cf_arena_alloc(arena, sizeof(*copy));
    const char *list = cf_path_pointer(arena, fix->source->up);

    if (copy == NULL || list == NULL)
        return NULL;
    *copy = *fix;
    copy->ops = cf_arena_array(arena, fix->op_count, sizeof(*copy->ops));
    if (copy->ops == NULL)
        return NULL;
    for (size_t i = 0; i < fix->op_count; i++) {
        copy->ops[i] = fix->ops[i];
        copy->ops[i].path = moved_path(arena, list, cf_str_or_empty(fix->ops[i].path), shift);
    }
    return copy;
}

/* Adjusts each fix to the sources that the fixes before it insert into the same volume, so that all
 * fixes that are not exempt can be applied in the order of the verdicts. -1: out of memory. */
static int settle_fixes(struct cf_arena *arena, struct cf_evaluation *evaluation)
{
    const struct cf_fix **inserting = NULL;
    size_t count = 0;

    for (size_t i = 0; i < evaluation->count; i++) {
        struct cf_verdict *v = &evaluation->items[i];
        const struct cf_fix *fix = v->exempt == CF_EXEMPT_NO ? v->finding.fix : NULL;
        size_t shift;

        if (fix == NULL || fix->source == NULL)
            continue;
        shift = shift_of(inserting, count, fix);
        if (shift > 0 && (v->finding.fix = move_fix(arena, fix, shift)) == NULL)
            return -1;
        if (fix->inserts == 0)
            continue;
        if (inserting == NULL)
            inserting = cf_arena_array(arena, evaluation->count, sizeof(*inserting));
        if (inserting == NULL)
            return -1;
        inserting[count++] = fix;
    }
    return 0;
}

/* ---- the patch ---- */

struct patch {
    struct cf_out out;
    struct cf_buf buf;
};

static void write_patch_op(struct patch *patch, const struct cf_patch_op *op)
{
    if (op->path == NULL || (op->value == NULL && !cf_streq(op->op, "remove"))) {
        patch->buf.failed = true;
        return;
    }
    cf_out_object(&patch->out, NULL);
    cf_out_str(&patch->out, "op", op->op);
    cf_out_str(&patch->out, "path", op->path);
    if (op->value != NULL)
        cf_out_raw(&patch->out, "value", op->value);
    cf_out_end_object(&patch->out);
}

const char *cf_patch_text(struct cf_arena *arena, const struct cf_request *request,
                          const struct cf_evaluation *evaluation, struct cf_err *err)
{
    struct patch patch;
    size_t count = 0;

    if (err != NULL)
        err->kind = CF_ERR_NONE;
    if (request->object == NULL) /* a patch of a DELETE is a 500, too */
        return NULL;
    cf_buf_init_arena(&patch.buf, arena, CF_ANSWER_MAX);
    cf_out_init(&patch.out, &patch.buf);
    cf_out_array(&patch.out, NULL);
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];

        if ((v->modes & CF_MODE_BIT(CF_FIX)) == 0)
            continue;
        count++;
        for (size_t j = 0; j < v->finding.fix->op_count; j++)
            write_patch_op(&patch, &v->finding.fix->ops[j]);
    }
    if (count == 0)
        return NULL;
    cf_out_end_array(&patch.out);
    if (!cf_buf_ok(&patch.buf) || cf_arena_failed(arena)) {
        cf_err_memory(err);
        return NULL;
    }
    return cf_buf_str(&patch.buf);
}

/* ---- two levels: what both found ---- */

static int same_place(const struct cf_finding *x, const struct cf_finding *y)
{
    int order;

    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    order = strcmp(x->path, y->path);
    if (order == 0)
        order = strcmp(x->key, y->key);
    /* One text may hold several tokens. */
    return order != 0 ? order : strcmp(x->value, y->value);
}

static int by_place(const void *a, const void *b)
{
    const struct cf_verdict *x = *(struct cf_verdict *const *)a;
    const struct cf_verdict *y = *(struct cf_verdict *const *)b;

    return same_place(&x->finding, &y->finding);
}

static struct cf_verdict *find_same_place(struct cf_verdict **list, size_t count,
                                          struct cf_verdict *wanted)
{
    struct cf_verdict **found = bsearch(&wanted, list, count, sizeof(*list), by_place);

    return found != NULL ? *found : NULL;
}

static unsigned lowest_bit(unsigned bits)
{
    return bits & (~bits + 1);
}

/* The text is that of the first mode (enforce before warn); the fix is that of the fix level. */
static void join_verdicts(struct cf_verdict *into, const struct cf_verdict *from)
{
    const struct cf_fix *fix = into->finding.fix;

    if ((from->reached & CF_MODE_BIT(CF_FIX)) != 0)
        fix = from->finding.fix;
    if (lowest_bit(from->reached) < lowest_bit(into->reached))
        into->finding = from->finding;
    into->finding.fix = fix;
    into->reached |= from->reached;
}

/* Keeps the rules' order after findings of a second level were appended. */
static void restore_order(struct cf_arena *arena, struct cf_evaluation *evaluation)
{
    struct cf_verdict *ordered = cf_arena_array(arena, evaluation->count, sizeof(*ordered));
    size_t n = 0;

    for (size_t rule = 0; ordered != NULL && rule < cf_rule_count; rule++) {
        for (size_t i = 0; i < evaluation->count; i++) {
            if (evaluation->items[i].finding.rule == cf_rules[rule])
                ordered[n++] = evaluation->items[i];
        }
    }
    if (ordered != NULL)
        evaluation->items = ordered;
}

int cf_verdicts_merge(struct cf_arena *arena, struct cf_evaluation *evaluation,
                      const struct cf_findings *found, unsigned modes)
{
    size_t before = evaluation->count;
    struct cf_verdict *all, **places;

    if (found->count == 0)
        return 0;
    all = cf_arena_array(arena, before + found->count, sizeof(*all));
    places = cf_arena_array(arena, before + 1, sizeof(struct cf_verdict *));
    if (all == NULL || places == NULL)
        return -1;
    if (before > 0)
        memcpy(all, evaluation->items, before * sizeof(*all));
    for (size_t i = 0; i < before; i++)
        places[i] = &all[i];
    qsort(places, before, sizeof(struct cf_verdict *), by_place);
    evaluation->items = all;
    for (size_t i = 0; i < found->count; i++) {
        struct cf_verdict verdict = {.finding = found->items[i], .reached = modes};
        struct cf_verdict *same = find_same_place(places, before, &verdict);

        if (same != NULL)
            join_verdicts(same, &verdict);
        else
            all[evaluation->count++] = verdict;
    }
    if (before > 0 && evaluation->count > before)
        restore_order(arena, evaluation);
    return 0;
}

/* ---- exemptions and exceptions ---- */

/* A TokenRequest of a user or a node counts for the namespace of the requested account. */
static const char *namespace_of_rule(const struct cf_rule *rule, const struct cf_request *request)
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
        cf_strings_has(&policy->exempt_namespaces, namespace_of_rule(finding->rule, request)))
        return CF_EXEMPT_NAMESPACE;
    caller = cf_exempt_caller(policy, &request->caller);
    if (caller == CF_EXEMPT_NO && has_trait(finding, CF_RULE_GUARDED) &&
        cf_in_guard_groups(policy, &request->caller))
        return CF_EXEMPT_GROUP;
    return caller;
}

/* The account that an exception's serviceAccounts are about; NULL: none. */
static const char *excepted_account(const struct cf_rule *rule, const struct cf_request *request)
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

static bool exception_applies(struct cf_arena *arena, const struct cf_exception *exception,
                              const struct cf_request *request, const struct cf_rule *rule)
{
    if (!cf_streq(exception->rule, rule->id) ||
        !cf_streq(exception->namespace, namespace_of_rule(rule, request)))
        return false;
    if (exception->names.count > 0 && !names_match(arena, &exception->names, request))
        return false;
    return exception->service_accounts.count == 0 ||
           any_glob(&exception->service_accounts, excepted_account(rule, request));
}

const struct cf_exception *cf_exception_find(struct cf_arena *arena,
                                             const struct cf_engine_input *in,
                                             const struct cf_request *request,
                                             const struct cf_rule *rule)
{
    const struct cf_exception *best = NULL;

    for (size_t i = 0; i < in->policy->exception_count; i++) {
        const struct cf_exception *e = &in->policy->exceptions[i];

        /* Of several, the one that ends last, so that warnings are not premature. */
        if (e->ends > in->now && (best == NULL || e->ends > best->ends) &&
            exception_applies(arena, e, request, rule))
            best = e;
    }
    return best;
}

static void exempt_verdict(struct cf_arena *arena, const struct cf_engine_input *in,
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

static void exempt_all(struct cf_arena *arena, const struct cf_engine_input *in,
                       const struct cf_request *request, struct cf_evaluation *evaluation)
{
    struct cf_verdict *last = NULL;

    for (size_t i = 0; i < evaluation->count; i++) {
        struct cf_verdict *v = &evaluation->items[i];

        if (v->finding.malformed) {
            v->exempt = CF_EXEMPT_NO;
        } else if (last != NULL && last->finding.rule == v->finding.rule &&
                   last->finding.by_level == v->finding.by_level) {
            v->exempt = last->exempt;
            v->exception = last->exception;
        } else {
            exempt_verdict(arena, in, request, v);
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

int cf_engine_exempt(struct cf_arena *arena, const struct cf_engine_input *in,
                     const struct cf_request *request, struct cf_evaluation *evaluation,
                     struct cf_err *err)
{
    exempt_all(arena, in, request, evaluation);
    if (settle_fixes(arena, evaluation) != 0 || cf_arena_failed(arena))
        return cf_err_memory(err);
    return 0;
}
