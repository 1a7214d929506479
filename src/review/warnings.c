/* SPDX-License-Identifier: Apache-2.0 */
#include "warnings.h"

#include "curfew/limits.h"
#include "curfew/str.h"
#include "messages.h"

struct warnings {
    struct cf_out *out;
    bool open;
    size_t used;
    size_t dropped;
};

static void add(struct warnings *w, const char *text)
{
    size_t len = cf_utf8_count(text);

    if (w->dropped > 0 || w->used + len > CF_WARNINGS_TOTAL_MAX) {
        w->dropped++;
        return;
    }
    if (!w->open)
        cf_out_array(w->out, "warnings");
    w->open = true;
    w->used += len;
    cf_out_str(w->out, NULL, text);
}

static void finish(struct warnings *w, struct cf_arena *arena, bool more_than_a_file)
{
    if (w->dropped > 0)
        cf_out_str(w->out, NULL,
                   cf_line(arena, 80, "Curfew has %zu more warnings%s", w->dropped,
                           more_than_a_file ? "" : "; curfew review shows them all"));
    if (w->open)
        cf_out_end_array(w->out);
}

/* ---- /mutate ---- */

/* Every automounted pod has an extended token; where a controller made the pod, nobody reads it. */
static bool worth_telling(const struct cf_request *request, const struct cf_verdict *v)
{
    if (cf_caller_is_node(&request->caller))
        return false;
    return !cf_streq(v->finding.rule->id, "extended-token") ||
           !cf_caller_is_controller(&request->caller);
}

bool cf_fixed_worth_reporting(const struct cf_request *request,
                              const struct cf_evaluation *judgement)
{
    for (size_t i = 0; i < judgement->count; i++) {
        if ((judgement->items[i].modes & CF_MODE_BIT(CF_FIX)) != 0 &&
            worth_telling(request, &judgement->items[i]))
            return true;
    }
    return false;
}

void cf_warnings_fixed(struct cf_out *out, struct cf_arena *arena, const struct cf_request *request,
                       const struct cf_evaluation *judgement)
{
    struct warnings w = {.out = out};
    const char *subject = cf_subject(arena, request);
    size_t next;

    for (size_t i = 0; i < judgement->count; i = next) {
        const struct cf_verdict *first = NULL;
        const char *more = "";
        size_t count = 0;

        for (next = i; next < judgement->count &&
                       judgement->items[next].finding.rule == judgement->items[i].finding.rule;
             next++) {
            if ((judgement->items[next].modes & CF_MODE_BIT(CF_FIX)) == 0)
                continue;
            if (first == NULL)
                first = &judgement->items[next];
            count++;
        }
        if (first == NULL || !worth_telling(request, first))
            continue;
        if (count > 1)
            more = cf_arena_printf(arena, " (and %zu more)", count - 1);
        add(&w, cf_line(arena, CF_WARNING_MAX, "%s: %s: %s%s", subject, first->finding.rule->id,
                        cf_str_or_empty(first->finding.fix->warning), cf_str_or_empty(more)));
    }
    finish(&w, arena, false);
}

void cf_warnings_unfixed(struct cf_out *out, struct cf_arena *arena,
                         const struct cf_request *request, const struct cf_evaluation *judgement)
{
    struct warnings w = {.out = out};
    const char *subject = cf_subject(arena, request);

    for (size_t i = 0; i < judgement->count; i++) {
        const struct cf_verdict *v = &judgement->items[i];

        if (v->finding.more && v->exempt == CF_EXEMPT_NO && (v->reached & CF_MODE_BIT(CF_FIX)) != 0)
            add(&w, cf_line(arena, CF_WARNING_MAX,
                            "%s: %s: it has more than %d findings, and nothing was repaired",
                            subject, v->finding.rule->id, CF_FINDINGS_MAX));
    }
    finish(&w, arena, false);
}

/* ---- /validate ---- */

bool cf_verdict_denies(const struct cf_request *request, const struct cf_verdict *verdict)
{
    bool about_object = (verdict->finding.rule->traits & CF_RULE_CALLER) == 0;

    return (request->kind != CF_KIND_TEMPLATE || !about_object) &&
           (verdict->modes & CF_MODE_BIT(CF_ENFORCE)) != 0;
}

/* What is never denied is told wherever some mode but audit reaches it. */
static unsigned warning_modes(const struct cf_request *request, const struct cf_verdict *v)
{
    unsigned all = CF_MODE_BIT(CF_ENFORCE) | CF_MODE_BIT(CF_FIX) | CF_MODE_BIT(CF_WARN);
    bool told = v->finding.never_denied || request->kind == CF_KIND_TEMPLATE;

    if (v->exempt != CF_EXEMPT_NO)
        return 0;
    return v->reached & (told ? all : CF_MODE_BIT(CF_WARN));
}

static enum cf_level level_of(const struct cf_levels *levels, unsigned modes)
{
    enum cf_level level = CF_PRIVILEGED;

    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((modes & CF_MODE_BIT(mode)) != 0 && levels->mode[mode] > level)
            level = levels->mode[mode];
    }
    return level;
}

/* A remedy that would be cut is no help: then the rule's shorter one, or the tool that tells it
 * whole, where there is a manifest that it can look at. */
static const char *way_out(const struct cf_request *request, const struct cf_finding *f,
                           size_t used)
{
    const char *own = f->remedy != NULL ? f->remedy : f->rule->remedy;
    bool in_file = cf_in_file(request) && (f->rule->traits & CF_RULE_CALLER) == 0;

    if (used + cf_utf8_count(own) <= CF_WARNING_MAX)
        return own;
    if (in_file && f->fix != NULL)
        return "curfew review --fix repairs the manifest";
    if (!in_file || used + cf_utf8_count(f->rule->remedy) <= CF_WARNING_MAX)
        return f->rule->remedy;
    return "curfew review says what to do";
}

/* Nobody can say whether it violates anything. */
static void warn_unknown(struct warnings *w, struct cf_arena *arena, const char *subject,
                         const struct cf_evaluation *judgement, const struct cf_verdict *v,
                         unsigned modes, const char *why)
{
    add(w, cf_line(arena, CF_WARNING_MAX,
                   "%s could not be judged at Curfew level \"%s\": %s: %s: %s", subject,
                   cf_level_name(level_of(cf_evaluation_levels(judgement, v->finding.rule), modes)),
                   v->finding.rule->id, v->finding.what, cf_str_or_empty(why)));
}

static void warn_finding(struct warnings *w, struct cf_arena *arena,
                         const struct cf_request *request, const char *subject,
                         const struct cf_evaluation *judgement, const struct cf_verdict *v,
                         unsigned modes)
{
    const struct cf_finding *f = &v->finding;
    const char *level = cf_level_name(level_of(cf_evaluation_levels(judgement, f->rule), modes));
    const char *line;

    if (f->malformed)
        line = cf_arena_printf(arena, "%s: %s: %s; ", subject, f->rule->id, f->what);
    else if ((f->rule->traits & (CF_RULE_ALWAYS | CF_RULE_ANY_LEVEL)) != 0 && !f->by_level)
        line = cf_arena_printf(arena, "%s would violate Curfew: %s: %s; ", subject, f->rule->id,
                               f->what);
    else
        line = cf_arena_printf(arena, "%s would violate Curfew level \"%s\": %s: %s; ", subject,
                               level, f->rule->id, f->what);
    if (line != NULL)
        add(w,
            cf_line(arena, CF_WARNING_MAX, "%s%s", line, way_out(request, f, cf_utf8_count(line))));
}

static void warn_exception(struct warnings *w, struct cf_arena *arena, const char *subject,
                           const struct cf_verdict *v, int64_t now)
{
    if (cf_exception_state(v->exception, now) != CF_EXCEPTION_ENDING)
        return;
    add(w,
        cf_line(arena, CF_WARNING_MAX, "%s: %s: the exception ends on %s (%s); then: %s", subject,
                v->finding.rule->id, v->exception->until, v->exception->reason, v->finding.what));
}

void cf_warnings_validate(struct cf_out *out, struct cf_arena *arena,
                          const struct cf_request *request, const struct cf_evaluation *judgement,
                          const struct cf_note_lines *more, int64_t now)
{
    struct warnings w = {.out = out};
    const char *subject = cf_subject(arena, request);
    const struct cf_exception *told = NULL;

    for (size_t i = 0; i < judgement->count; i++) {
        const struct cf_verdict *v = &judgement->items[i];
        unsigned modes = warning_modes(request, v);

        if (cf_verdict_denies(request, v))
            continue;
        /* No line is made that has no room. */
        if (w.dropped > 0 && modes != 0) {
            w.dropped++;
            continue;
        }
        if (v->exempt == CF_EXEMPT_EXCEPTION && v->exception != told) {
            told = v->exception;
            warn_exception(&w, arena, subject, v, now);
        } else if (modes != 0 && v->finding.unknown) {
            warn_unknown(&w, arena, subject, judgement, v, modes, request->unknown_why);
        } else if (modes != 0) {
            warn_finding(&w, arena, request, subject, judgement, v, modes);
        }
    }
    for (size_t i = 0; i < more->count; i++)
        add(&w, more->items[i]);
    finish(&w, arena, more->count > 0);
}
