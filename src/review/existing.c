/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "existing.h"
#include "messages.h"

void cf_lines_add(struct cf_note_lines *lines, struct cf_arena *arena, const char *fmt, ...)
{
    size_t wanted = lines->capacity == 0 ? 8 : 2 * lines->capacity;
    const char **bigger, *text;
    va_list args;

    if (lines->count == lines->capacity) {
        bigger = cf_arena_array(arena, wanted, sizeof(*bigger));
        if (bigger == NULL)
            return;
        if (lines->count > 0)
            memcpy(bigger, lines->items, lines->count * sizeof(*bigger));
        lines->items = bigger;
        lines->capacity = wanted;
    }
    va_start(args, fmt);
    text = cf_arena_vprintf(arena, fmt, args);
    va_end(args);
    if (text != NULL)
        lines->items[lines->count++] = cf_line(arena, CF_WARNING_MAX, "%s", text);
}

/* ---- a new legacy Secret ---- */

/* The verdict about the Secret's creation, where somebody is to be told of it. */
static const struct cf_verdict *creation(const struct cf_request *request,
                                         const struct cf_evaluation *judgement)
{
    if (request->kind != CF_KIND_SECRET || request->operation != CF_CREATE)
        return NULL;
    for (size_t i = 0; i < judgement->count; i++) {
        const struct cf_verdict *v = &judgement->items[i];

        if (cf_streq(v->finding.rule->id, "legacy-token-secret") &&
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

/* `"api", "web" and 3 more` of the pods' workloads, each once; `beyond` were not even asked for. */
static const char *workloads(struct cf_arena *arena, struct cf_store_pod *pods, size_t count,
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

/* Pods wait for a Secret that is not there yet: they start with its token. */
static void secret_lines(struct cf_arena *arena, const struct cf_review_input *in,
                         const struct cf_request *request, const struct cf_evaluation *judgement,
                         struct cf_note_lines *out)
{
    const char *name = cf_str_empty(request->name) ? request->object->name : request->name;
    const struct cf_verdict *verdict = creation(request, judgement);
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
    cf_lines_add(out, arena, "%s: %s: %zu %s it already, and will hold its token: %s",
                 cf_subject(arena, request), verdict->finding.rule->id, count,
                 count == 1 ? "pod names" : "pods name",
                 workloads(arena, pods, taken, count > taken));
}

/* ---- both ---- */

void cf_existing_lines(struct cf_arena *arena, const struct cf_review_input *in,
                       const struct cf_request *request, const struct cf_evaluation *judgement,
                       struct cf_note_lines *out)
{
    if (request->kind == CF_KIND_NAMESPACE)
        cf_relabel_lines(arena, in, request, out);
    else if (request->kind == CF_KIND_SECRET)
        secret_lines(arena, in, request, judgement, out);
}
