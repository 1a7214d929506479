/* SPDX-License-Identifier: Apache-2.0 */
/* existing_pods.c - warnings about pods that exist already: the pods of a namespace whose enforce
 * or warn level rises, and the pods that name a new legacy Secret. Nothing is denied.
 *
 * As in Pod Security Admission (pod-security-admission admission/admission.go), pods are evaluated
 * unchanged, one of each controller first, within a number and half of the time that the API
 * server waits, and are grouped by finding. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "review_private.h"

/* Adds a warning, printf-like. */
static void add_warning(struct cf_note_lines *lines, struct cf_arena *arena, const char *fmt, ...)
    CF_PRINTF(3, 4);

static void add_warning(struct cf_note_lines *lines, struct cf_arena *arena, const char *fmt, ...)
{
    const char **items =
        cf_arena_grow(arena, lines->items, lines->count, &lines->capacity, sizeof(*items));
    const char *text;
    va_list args;

    if (items == NULL)
        return;
    lines->items = items;
    va_start(args, fmt);
    text = cf_arena_vprintf(arena, fmt, args);
    va_end(args);
    if (text != NULL)
        lines->items[lines->count++] = cf_line(arena, CF_WARNING_MAX, "%s", text);
}

/* ---- a new legacy Secret ---- */

/* The verdict about the creation of the Secret, unless it is exempt. */
static const struct cf_verdict *creation_verdict(const struct cf_rule *rule,
                                                 const struct cf_request *request,
                                                 const struct cf_evaluation *evaluation)
{
    if (request->operation != CF_CREATE)
        return NULL;
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];

        if (v->finding.rule == rule &&
            (v->exempt == CF_EXEMPT_NO || v->exempt == CF_EXEMPT_EXCEPTION))
            return v;
    }
    return NULL;
}

static int by_workload(const void *a, const void *b)
{
    const struct cf_store_pod *x = a, *y = b;

    return strcmp(x->workload, y->workload);
}

/* `"api", "web" and 3 more` of the pods' workloads, each once; `beyond`: there are more pods than
 * were queried. */
static const char *workload_names(struct cf_arena *arena, struct cf_store_pod *pods, size_t count,
                                  bool beyond)
{
    size_t distinct = 0;
    const char *text = "";

    qsort(pods, count, sizeof(*pods), by_workload);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && cf_streq(pods[i].workload, pods[i - 1].workload))
            continue;
        if (distinct++ < CF_EXISTING_NAMED_MAX)
            text = cf_arena_printf(arena, "%s%s\"%s\"", cf_str_or_empty(text),
                                   distinct > 1 ? ", " : "", pods[i].workload);
    }
    if (beyond)
        text = cf_arena_printf(arena, "%s and more", cf_str_or_empty(text));
    else if (distinct > CF_EXISTING_NAMED_MAX)
        text = cf_arena_printf(arena, "%s and %zu more", cf_str_or_empty(text),
                               distinct - CF_EXISTING_NAMED_MAX);
    return cf_str_or_empty(text);
}

/* Pods wait for a Secret that does not exist yet, and start with its token. */
static void secret_lines(struct cf_arena *arena, const struct cf_review_input *in,
                         const struct cf_rule *rule, const struct cf_request *request,
                         const struct cf_evaluation *evaluation, struct cf_note_lines *out)
{
    const char *name = cf_str_empty(request->name) ? request->object->name : request->name;
    const struct cf_verdict *verdict = creation_verdict(rule, request, evaluation);
    struct cf_store_pod *pods = NULL;
    size_t count, taken;

    if (verdict == NULL || cf_str_empty(name))
        return;
    cf_store_lock(in->store);
    count = cf_store_pods_of_secret(in->store, arena, request->namespace, name,
                                    CF_EXISTING_PODS_OF_SECRET_MAX, &pods);
    cf_store_unlock(in->store);
    taken = count < CF_EXISTING_PODS_OF_SECRET_MAX ? count : CF_EXISTING_PODS_OF_SECRET_MAX;
    if (taken == 0 || pods == NULL)
        return;
    add_warning(out, arena, "%s: %s: %zu %s it already, and %s: %s", cf_subject(arena, request),
                rule->id, count, count == 1 ? "pod names" : "pods name", rule->existing_text,
                workload_names(arena, pods, taken, count > taken));
}

/* ---- a higher level ---- */

#define MICROS ((int64_t)1000000)

/* A finding about a pod. */
struct hit {
    const struct cf_finding *finding;
    enum cf_mode mode;
    size_t pod;
    const char *workload;
};

struct relabel {
    struct cf_arena *arena;
    const struct cf_review_input *in;
    const char *rule; /* its id */
    const char *namespace, *subject;
    struct cf_levels levels; /* those that rise; the others privileged */
    unsigned modes;
    struct cf_request *pods;
    struct cf_lookups *lookups; /* of pods[i] */
    size_t count;               /* of pods[] */
    size_t mirrors;             /* pods that the API server does not start: without warnings */
    size_t total;               /* pods of the namespace */
    size_t unknown;             /* pods with Secrets that can't be looked up */
    const char *why;            /* they can't */
    struct hit *hits;
    size_t hit_count, hit_capacity;
};

/* ---- which levels rise ---- */

static bool find_rising(struct relabel *r, const struct cf_request *request)
{
    static const enum cf_mode modes[] = {CF_ENFORCE, CF_WARN};
    const struct cf_policy *policy = r->in->policy;
    struct cf_levels from, to = cf_levels_of(policy, request->object->namespace.labels);

    if (request->old_object == NULL)
        return false;
    from = cf_levels_of(policy, request->old_object->namespace.labels);
    for (size_t i = 0; i < CF_COUNT(modes); i++) {
        if (to.mode[modes[i]] <= from.mode[modes[i]])
            continue;
        r->modes |= CF_MODE_BIT(modes[i]);
        r->levels.mode[modes[i]] = to.mode[modes[i]];
    }
    return r->modes != 0;
}

/* ---- its pods ---- */

static struct cf_engine_input pod_input(const struct relabel *r)
{
    return (struct cf_engine_input){
        .policy = r->in->policy, .store = r->in->store, .now = r->in->now, .modes = r->modes};
}

/* Runs under the store's lock: copies and looks up, no more. */
static bool collect_pod(const struct cf_store_pod *pod, struct cf_object *object, void *arg)
{
    struct relabel *r = arg;
    const struct cf_engine_input in = pod_input(r);
    struct cf_request *request = &r->pods[r->count];

    if (pod->mirror) {
        r->mirrors++;
        return true;
    }
    *request = (struct cf_request){
        .uid = "",
        .operation = CF_UPDATE, /* it exists: nothing can be repaired */
        .resource = "pods",
        .subresource = "",
        .namespace = r->namespace,
        .name = pod->name,
        .caller = {.username = "", .uid = ""},
        .kind = CF_KIND_POD,
        .object = cf_arena_alloc(r->arena, sizeof(*object)),
    };
    if (request->object == NULL)
        return false;
    *request->object = *object;
    r->lookups[r->count] = (struct cf_lookups){.levels = r->levels};
    cf_engine_lookup_object(r->arena, &in, request, &r->lookups[r->count]);
    r->count++;
    return cf_arena_used(r->arena) < CF_RELABEL_BYTES_MAX;
}

static bool collect_pods(struct relabel *r)
{
    r->pods = cf_arena_array(r->arena, CF_RELABEL_PODS_MAX, sizeof(*r->pods));
    r->lookups = cf_arena_array(r->arena, CF_RELABEL_PODS_MAX, sizeof(*r->lookups));
    if (r->pods == NULL || r->lookups == NULL)
        return false;
    cf_store_lock(r->in->store);
    r->total =
        cf_store_pods_in(r->in->store, r->arena, r->namespace, CF_RELABEL_PODS_MAX, collect_pod, r);
    cf_store_unlock(r->in->store);
    return true;
}

/* ---- what they violate ---- */

static bool add_hit(struct relabel *r, const struct hit *hit)
{
    struct hit *hits =
        cf_arena_grow(r->arena, r->hits, r->hit_count, &r->hit_capacity, sizeof(*hits));

    if (hits == NULL)
        return false;
    r->hits = hits;
    r->hits[r->hit_count++] = *hit;
    return true;
}

/* Findings that are never denied do not count for enforce: every automounted pod has an extended
 * token. */
static bool counts_for(const struct cf_verdict *v, enum cf_mode *mode)
{
    *mode = (v->modes & CF_MODE_BIT(CF_ENFORCE)) != 0 ? CF_ENFORCE : CF_WARN;
    return (v->modes & (CF_MODE_BIT(CF_ENFORCE) | CF_MODE_BIT(CF_WARN))) != 0;
}

static bool evaluate_existing_pod(struct relabel *r, size_t pod)
{
    const struct cf_engine_input in = pod_input(r);
    const struct cf_request *request = &r->pods[pod];
    struct hit hit = {.pod = pod, .workload = cf_workload_name(r->arena, request)};
    struct cf_evaluation evaluation;
    bool unknown = false;

    if (cf_engine_evaluate(r->arena, &in, request, &r->lookups[pod], &evaluation, NULL) != 0 ||
        cf_engine_exempt(r->arena, &in, request, &evaluation, NULL) != 0)
        return false;
    for (size_t i = 0; i < evaluation.count; i++) {
        hit.finding = &evaluation.items[i].finding;
        if (hit.finding->unknown)
            unknown = true;
        else if (counts_for(&evaluation.items[i], &hit.mode) && !add_hit(r, &hit))
            return false;
    }
    r->unknown += unknown;
    if (unknown)
        r->why = r->lookups[pod].unknown_why;
    return true;
}

/* Evaluates in order, until the time or the room is used up; returns how many. */
static size_t evaluate_existing_pods(struct relabel *r)
{
    int64_t now = cf_monotonic_micros();
    int64_t end = r->in->deadline != 0 ? r->in->deadline : now + CF_REVIEW_SECONDS * MICROS;
    int64_t until = now + (end - now) / 2;
    size_t i;

    for (i = 0; i < r->count; i++) {
        if (cf_monotonic_micros() >= until || cf_arena_used(r->arena) >= 2 * CF_RELABEL_BYTES_MAX ||
            !evaluate_existing_pod(r, i))
            break;
    }
    return i;
}

/* ---- warnings ---- */

static int by_finding(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    int order = cf_rule_index(x->finding->rule->id) - cf_rule_index(y->finding->rule->id);

    if (order == 0)
        order = (int)x->mode - (int)y->mode;
    return order != 0 ? order : strcmp(x->finding->value, y->finding->value);
}

static int by_finding_and_pod(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    int order = by_finding(a, b);

    if (order == 0)
        order = strcmp(x->workload, y->workload);
    if (order == 0)
        order = x->pod < y->pod ? -1 : x->pod > y->pod;
    return order;
}

static const char *other_pods(struct cf_arena *arena, size_t count)
{
    const char *text = "";

    if (count > 0)
        text = cf_arena_printf(arena, " (and %zu other %s)", count, count == 1 ? "pod" : "pods");
    return cf_str_or_empty(text);
}

/* Hits first..end are one finding of one or more pods. */
static void warn_group(struct relabel *r, size_t first, size_t end, struct cf_note_lines *out)
{
    const struct hit *hit = &r->hits[first];
    size_t pods = 1;

    for (size_t i = first + 1; i < end; i++)
        pods += r->hits[i].pod != r->hits[i - 1].pod;
    add_warning(out, r->arena,
                "%s: existing pods violate the new %s level \"%s\": %s: %s%s: %s: %s", r->subject,
                cf_mode_name(hit->mode), cf_level_name(r->levels.mode[hit->mode]),
                hit->finding->rule->id, cf_subject(r->arena, &r->pods[hit->pod]),
                other_pods(r->arena, pods - 1), hit->finding->rule->title, hit->finding->value);
}

static void warn_hits(struct relabel *r, struct cf_note_lines *out)
{
    size_t next;

    if (r->hit_count > 0)
        qsort(r->hits, r->hit_count, sizeof(*r->hits), by_finding_and_pod);
    for (size_t i = 0; i < r->hit_count; i = next) {
        for (next = i + 1; next < r->hit_count && by_finding(&r->hits[i], &r->hits[next]) == 0;
             next++)
            ;
        warn_group(r, i, next, out);
    }
}

static void warn_about_pods(struct relabel *r, struct cf_note_lines *out)
{
    size_t checked;

    if (!collect_pods(r))
        return;
    checked = evaluate_existing_pods(r) + r->mirrors;
    if (checked < r->total)
        add_warning(out, r->arena,
                    "%s: %s: only the first %zu of %zu existing pods were checked against the "
                    "new level",
                    r->subject, r->rule, checked, r->total);
    if (r->unknown > 0)
        add_warning(out, r->arena, "%s: %s: %zu existing %s could not be evaluated: %s", r->subject,
                    r->rule, r->unknown, r->unknown == 1 ? "pod" : "pods", cf_str_or_empty(r->why));
    warn_hits(r, out);
}

/* Labels without an effect, because the configuration exempts the namespace. */
static void warn_exempt_namespace(struct relabel *r, const struct cf_request *request,
                                  struct cf_note_lines *out)
{
    for (int mode = 0; mode < CF_MODES; mode++) {
        const char *was =
            request->old_object != NULL ? request->old_object->namespace.labels[mode] : NULL;
        const char *is = request->object->namespace.labels[mode];

        if (is == NULL || cf_streq(was, is))
            continue;
        add_warning(out, r->arena,
                    "%s: %s: the namespace is exempt from Curfew (exemptions.namespaces), its "
                    "label %s has no effect",
                    r->subject, r->rule, cf_mode_label((enum cf_mode)mode));
        return;
    }
}

static void relabel_lines(struct cf_arena *arena, const struct cf_review_input *in,
                          const struct cf_rule *rule, const struct cf_request *request,
                          struct cf_note_lines *out)
{
    struct relabel r = {.arena = arena,
                        .in = in,
                        .rule = rule->id,
                        .namespace = request->namespace,
                        .levels = {{CF_PRIVILEGED}}};

    r.subject = cf_subject(arena, request);
    if (cf_strings_has(&in->policy->exempt_namespaces, r.namespace))
        warn_exempt_namespace(&r, request, out);
    else if (!find_rising(&r, request))
        return;
    else if (!cf_store_fresh(in->store, CF_PODS, in->policy->stale_after))
        add_warning(out, arena,
                    "%s: %s: existing pods were not checked against the new level: Curfew has "
                    "no current list of them",
                    r.subject, r.rule);
    else
        warn_about_pods(&r, out);
}

/* ---- both ---- */

void cf_existing_lines(struct cf_arena *arena, const struct cf_review_input *in,
                       const struct cf_request *request, const struct cf_evaluation *evaluation,
                       struct cf_note_lines *out)
{
    for (size_t i = 0; i < cf_rule_count; i++) {
        const struct cf_rule *rule = cf_rules[i];

        if ((rule->kinds & (unsigned)request->kind) == 0)
            continue;
        if (rule->existing == CF_EXISTING_PODS_OF_NAMESPACE)
            relabel_lines(arena, in, rule, request, out);
        else if (rule->existing == CF_EXISTING_PODS_OF_SECRET)
            secret_lines(arena, in, rule, request, evaluation, out);
    }
}
