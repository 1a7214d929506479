/* SPDX-License-Identifier: Apache-2.0 */
/* messages.c - what people read in kubectl: the subject, one line of bounded length, the denial,
 * and the warnings, which the API server passes on as `Warning:` lines (k8s.io/apiserver
 * endpoints/filters/warning.go). */
#include <stdio.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_private.h"

/* Of a kind that no rule knows, or without an object: `pods/exec "web"`. */
static const char *named_resource(struct cf_arena *arena, const struct cf_request *request)
{
    const char *name = cf_str_empty(request->name) && request->boundary != NULL
                           ? request->boundary->name
                           : request->name;
    char *text;

    if (cf_str_empty(request->resource))
        return "object";
    text = cf_arena_printf(
        arena, "%s%s%s%s%s%s", cf_name_fit(arena, request->resource),
        cf_str_empty(request->subresource) ? "" : "/", cf_name_fit(arena, request->subresource),
        cf_str_empty(name) ? "" : " \"", cf_name_fit(arena, name), cf_str_empty(name) ? "" : "\"");
    return cf_str_or_empty(cf_str_shown(arena, text));
}

/* The levels that apply to the rule: of the object's namespace, or of the caller's. */
static const struct cf_levels *evaluation_levels(const struct cf_evaluation *evaluation,
                                                 const struct cf_rule *rule)
{
    return (rule->traits & CF_RULE_CALLER) != 0 ? &evaluation->lookups->caller_levels
                                                : &evaluation->lookups->levels;
}

const char *cf_subject(struct cf_arena *arena, const struct cf_request *request)
{
    const char *name = cf_workload_name(arena, request);
    const struct cf_object *object = request->object;
    const char *link = " ";
    char *text;

    if (object == NULL)
        return named_resource(arena, request);
    if (request->kind == CF_KIND_TOKEN_REQUEST)
        link = " for service account ";
    else if (request->kind == CF_KIND_POD && !cf_str_empty(object->owner_name))
        link = " of ";
    text = cf_arena_printf(arena, "%s%s\"%s\"", object->kind_name, link, cf_name_fit(arena, name));
    return cf_str_or_empty(cf_str_shown(arena, text));
}

/* ---- one line ---- */

/* Copies `text`, each quoted part of it cut to `max` characters. */
static char *cut_quotes(struct cf_arena *arena, const char *text, size_t max)
{
    char *out = cf_arena_alloc(arena, strlen(text) + 1), *to = out;

    while (out != NULL && *text != '\0') {
        const char *end = *text == '"' ? strchr(text + 1, '"') : NULL;
        size_t len;

        if (end == NULL) {
            *to++ = *text++;
            continue;
        }
        len = (size_t)(end - text - 1);
        *to++ = '"';
        memcpy(to, text + 1, len);
        to[len] = '\0';
        cf_utf8_cut(to, max);
        to += strlen(to);
        *to++ = '"';
        text = end + 1;
    }
    if (out != NULL)
        *to = '\0'; /* the rest was cut */
    return out;
}

static char *format_bounded(struct cf_arena *arena, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* Strings may be as long as a review, and there may be 1,000 such lines. */
static char *format_bounded(struct cf_arena *arena, const char *fmt, va_list args)
{
    CF_UNINITIALIZED char made[CF_LINE_BYTES_MAX];
    size_t end = sizeof(made) - 1;

    if (vsnprintf(made, sizeof(made), fmt, args) >= (int)sizeof(made)) {
        while (end > 0 && ((unsigned char)made[end - 1] & 0x80) != 0)
            end--;
        made[end] = '\0';
    }
    return cf_arena_strdup(arena, made);
}

const char *cf_line(struct cf_arena *arena, size_t max, const char *fmt, ...)
{
    static const size_t lengths[] = {63, 48, 36, 24, 16};
    va_list args;
    char *text, *line;

    va_start(args, fmt);
    text = format_bounded(arena, fmt, args);
    va_end(args);
    text = cf_str_shown(arena, text);
    if (text == NULL)
        return "";
    line = text;
    for (size_t i = 0; i < CF_COUNT(lengths) && cf_utf8_count(line) > max; i++) {
        line = cut_quotes(arena, text, lengths[i]);
        if (line == NULL)
            return "";
    }
    cf_utf8_cut(line, max);
    return line;
}

/* ---- the denial ---- */

static void add_findings(struct cf_buf *buf, struct cf_arena *arena,
                         const struct cf_verdict *const *denied, size_t count)
{
    for (size_t i = 0; i < count && i < CF_DENIAL_FINDINGS_MAX; i++)
        cf_buf_addf(buf, "\n  %s",
                    cf_line(arena, CF_DENIAL_LINE_MAX, "%s: %s", denied[i]->finding.path,
                            denied[i]->finding.detail));
    if (count > CF_DENIAL_FINDINGS_MAX)
        cf_buf_addf(buf, "\n  and %zu more", count - CF_DENIAL_FINDINGS_MAX);
    for (size_t i = CF_DENIAL_FINDINGS_MAX; i < count; i++) {
        if (denied[i]->finding.more)
            cf_buf_addf(buf, "\n  %s: %s", denied[i]->finding.rule->id, denied[i]->finding.what);
    }
}

static const char *remedy_of(const struct cf_verdict *verdict)
{
    const char *own = verdict->finding.remedy;

    return own != NULL ? own : verdict->finding.rule->remedy;
}

static bool is_repeated_remedy(const struct cf_verdict *const *denied, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (cf_streq(remedy_of(denied[i]), remedy_of(denied[index])))
            return true;
    }
    return false;
}

/* Each remedy once, of the findings that were named. */
static void add_remedies(struct cf_buf *buf, struct cf_arena *arena,
                         const struct cf_verdict *const *denied, size_t count)
{
    for (size_t i = 0; i < count && i < CF_DENIAL_FINDINGS_MAX; i++) {
        if (!is_repeated_remedy(denied, i))
            cf_buf_addf(buf, "\n  do this: %s",
                        cf_line(arena, CF_DENIAL_LINE_MAX, "%s", remedy_of(denied[i])));
    }
}

/* The YAML to paste, of the first finding that has some. */
static const char *replacement_text(struct cf_arena *arena, const struct cf_verdict *const *denied,
                                    size_t count)
{
    const struct cf_fix *fix = NULL;
    const struct cf_json *value;
    struct cf_buf buf;

    for (size_t i = 0; i < count && fix == NULL; i++) {
        if (denied[i]->finding.fix != NULL && denied[i]->finding.fix->replacement != NULL)
            fix = denied[i]->finding.fix;
    }
    if (fix == NULL)
        return "";
    value = cf_json_parse(arena, fix->replacement, strlen(fix->replacement), NULL, NULL, NULL);
    if (value == NULL)
        return "";
    cf_buf_init_arena(&buf, arena, CF_DENIAL_MAX);
    cf_buf_addf(&buf, "\n  replace %s with:\n", fix->replaces);
    cf_yaml_write(&buf, value, 4);
    if (!cf_buf_ok(&buf))
        return "";
    while (buf.len > 0 && buf.data[buf.len - 1] == '\n')
        buf.data[--buf.len] = '\0';
    cf_str_redact(buf.data); /* YAML is escaped, but a path may be a token */
    return buf.data;
}

/* Whether the object is in a manifest that `curfew review` could read: an existing object is
 * evaluated differently, and a token request is in no manifest. */
static bool is_in_file(const struct cf_request *request)
{
    return request->operation == CF_CREATE && request->kind != CF_KIND_TOKEN_REQUEST;
}

/* A review of the manifest cannot show what only the cluster or the caller decides. */
static bool helps_in_file(const struct cf_request *request, const struct cf_verdict *const *denied,
                          size_t count)
{
    bool known = false;

    for (size_t i = 0; i < count; i++)
        known = known || (!denied[i]->finding.unknown &&
                          (denied[i]->finding.rule->traits & CF_RULE_CALLER) == 0);
    return known && is_in_file(request);
}

/* The command that shows the same findings before the next attempt, or repairs them. Manifests do
 * not say whether a Secret is legacy: then those of the cluster are piped in. */
static const char *review_command(struct cf_arena *arena, const struct cf_request *request,
                                  enum cf_level level, bool looks_up, const char *flag)
{
    const char *pipe = "", *objects = "", *at_level = "", *text;

    if (looks_up && cf_is_object_name(request->namespace)) {
        pipe = cf_arena_printf(arena,
                               "kubectl get secrets -n %s --field-selector type=" CF_SA_TOKEN_TYPE
                               " -o yaml | ",
                               request->namespace);
        objects = " --objects -";
    }
    /* A namespace brings its own levels. */
    if (request->kind != CF_KIND_NAMESPACE)
        at_level = cf_arena_printf(arena, " --level %s", cf_level_name(level));
    text = cf_arena_printf(arena, "%scurfew review%s%s%s -f FILE", cf_str_or_empty(pipe),
                           cf_str_or_empty(at_level), flag, objects);
    return cf_str_or_empty(text);
}

static void add_check(struct cf_buf *buf, struct cf_arena *arena, const struct cf_request *request,
                      enum cf_level level, const struct cf_verdict *const *denied, size_t count)
{
    const char *name = cf_name_fit(arena, cf_workload_name(arena, request));
    bool has_fix = false, looks_up = false;

    for (size_t i = 0; i < count; i++) {
        has_fix = has_fix || denied[i]->finding.fix != NULL;
        looks_up = looks_up || (denied[i]->finding.rule->needs & CF_NEEDS_SECRETS) != 0;
    }
    cf_buf_addf(buf, "\n  check:   %s",
                cf_line(arena, CF_DENIAL_LINE_MAX, "%s (FILE is the manifest%s%s%s)",
                        review_command(arena, request, level, looks_up, ""),
                        cf_str_empty(name) ? "" : " of \"", name, cf_str_empty(name) ? "" : "\""));
    if (has_fix)
        cf_buf_addf(buf, "\n  repair:  %s",
                    review_command(arena, request, level, looks_up, " --fix"));
}

static const char *first_line(struct cf_arena *arena, const struct cf_request *request,
                              enum cf_level level, const struct cf_verdict *first, size_t count)
{
    const struct cf_finding *f = &first->finding;
    const char *verb = "violates Curfew", *standard = "", *more = "";

    if (f->malformed)
        verb = "is invalid";
    else if ((f->rule->traits & (CF_RULE_ALWAYS | CF_RULE_ANY_LEVEL)) == 0 || f->by_level)
        standard = cf_arena_printf(arena, " level \"%s\"", cf_level_name(level));
    if (count > 1)
        more = cf_arena_printf(arena, " (and %zu more)", count - 1);
    return cf_line(arena, CF_FIRST_LINE_MAX, "%s %s%s: %s: %s%s", cf_subject(arena, request), verb,
                   cf_str_or_empty(standard), f->rule->id, f->what, cf_str_or_empty(more));
}

const char *cf_denial(struct cf_arena *arena, const struct cf_request *request,
                      const struct cf_evaluation *evaluation,
                      const struct cf_verdict *const *denied, size_t count)
{
    enum cf_level level = evaluation_levels(evaluation, denied[0]->finding.rule)->mode[CF_ENFORCE];
    bool in_file = helps_in_file(request, denied, count);
    const char *yaml = in_file ? replacement_text(arena, denied, count) : "";
    struct cf_buf head, tail;

    cf_buf_init_arena(&head, arena, CF_ANSWER_MAX);
    cf_buf_init_arena(&tail, arena, CF_ANSWER_MAX);
    cf_buf_adds(&head, first_line(arena, request, level, denied[0], count));
    add_findings(&head, arena, denied, count);
    add_remedies(&head, arena, denied, count);
    if (in_file)
        add_check(&tail, arena, request, level, denied, count);
    if (head.len + strlen(yaml) + tail.len <= CF_DENIAL_MAX)
        cf_buf_adds(&head, yaml);
    cf_buf_adds(&head, cf_buf_str(&tail));
    return cf_buf_ok(&head) ? cf_buf_str(&head) : NULL;
}

/* ---- warnings ---- */

struct warnings {
    struct cf_out *out;
    bool open;
    size_t used;
    size_t dropped;
};

static void put_warning(struct warnings *w, const char *text)
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

static void end_warnings(struct warnings *w, struct cf_arena *arena, bool more_than_a_file)
{
    if (w->dropped > 0)
        cf_out_str(w->out, NULL,
                   cf_line(arena, 80, "Curfew has %zu more warnings%s", w->dropped,
                           more_than_a_file ? "" : "; curfew review shows them all"));
    if (w->open)
        cf_out_end_array(w->out);
}

/* ---- warnings of /mutate ---- */

/* Where a controller created the object, no user reads the warning. */
static bool worth_warning(const struct cf_request *request, const struct cf_verdict *v)
{
    if (cf_caller_is_node(&request->caller))
        return false;
    return (v->finding.rule->traits & CF_RULE_QUIET_TO_CONTROLLERS) == 0 ||
           !cf_caller_is_controller(&request->caller);
}

bool cf_fixed_worth_reporting(const struct cf_request *request,
                              const struct cf_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        if ((evaluation->items[i].modes & CF_MODE_BIT(CF_FIX)) != 0 &&
            worth_warning(request, &evaluation->items[i]))
            return true;
    }
    return false;
}

void cf_warnings_fixed(struct cf_out *out, struct cf_arena *arena, const struct cf_request *request,
                       const struct cf_evaluation *evaluation)
{
    struct warnings w = {.out = out};
    const char *subject = cf_subject(arena, request);
    size_t next;

    for (size_t i = 0; i < evaluation->count; i = next) {
        const struct cf_verdict *first = NULL;
        const char *more = "";
        size_t count = 0;

        for (next = i; next < evaluation->count &&
                       evaluation->items[next].finding.rule == evaluation->items[i].finding.rule;
             next++) {
            if ((evaluation->items[next].modes & CF_MODE_BIT(CF_FIX)) == 0)
                continue;
            if (first == NULL)
                first = &evaluation->items[next];
            count++;
        }
        if (first == NULL || !worth_warning(request, first))
            continue;
        if (count > 1)
            more = cf_arena_printf(arena, " (and %zu more)", count - 1);
        put_warning(&w,
                    cf_line(arena, CF_WARNING_MAX, "%s: %s: %s%s", subject, first->finding.rule->id,
                            cf_str_or_empty(first->finding.fix->warning), cf_str_or_empty(more)));
    }
    end_warnings(&w, arena, false);
}

void cf_warnings_unfixed(struct cf_out *out, struct cf_arena *arena,
                         const struct cf_request *request, const struct cf_evaluation *evaluation)
{
    struct warnings w = {.out = out};
    const char *subject = cf_subject(arena, request);

    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];

        if (v->finding.more && v->exempt == CF_EXEMPT_NO && (v->reached & CF_MODE_BIT(CF_FIX)) != 0)
            put_warning(&w,
                        cf_line(arena, CF_WARNING_MAX,
                                "%s: %s: it has more than %d findings, and nothing was repaired",
                                subject, v->finding.rule->id, CF_FINDINGS_MAX));
    }
    end_warnings(&w, arena, false);
}

/* ---- warnings of /validate ---- */

bool cf_verdict_denies(const struct cf_request *request, const struct cf_verdict *verdict)
{
    bool about_object = (verdict->finding.rule->traits & CF_RULE_CALLER) == 0;

    return (request->kind != CF_KIND_TEMPLATE || !about_object) &&
           (verdict->modes & CF_MODE_BIT(CF_ENFORCE)) != 0;
}

/* A finding that is never denied is a warning in every mode but audit. */
static unsigned warning_modes(const struct cf_request *request, const struct cf_verdict *v)
{
    unsigned all = CF_MODE_BIT(CF_ENFORCE) | CF_MODE_BIT(CF_FIX) | CF_MODE_BIT(CF_WARN);
    bool always = v->finding.never_denied || request->kind == CF_KIND_TEMPLATE;

    if (v->exempt != CF_EXEMPT_NO)
        return 0;
    return v->reached & (always ? all : CF_MODE_BIT(CF_WARN));
}

static enum cf_level strictest_level(const struct cf_levels *levels, unsigned modes)
{
    enum cf_level level = CF_PRIVILEGED;

    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((modes & CF_MODE_BIT(mode)) != 0 && levels->mode[mode] > level)
            level = levels->mode[mode];
    }
    return level;
}

/* A remedy that would be cut does not help: then the shorter one of the rule, or the command that
 * prints all of it, where there is a manifest to review. */
static const char *remedy_that_fits(const struct cf_request *request, const struct cf_finding *f,
                                    size_t used)
{
    const char *own = f->remedy != NULL ? f->remedy : f->rule->remedy;
    bool in_file = is_in_file(request) && (f->rule->traits & CF_RULE_CALLER) == 0;

    if (used + cf_utf8_count(own) <= CF_WARNING_MAX)
        return own;
    if (in_file && f->fix != NULL)
        return "curfew review --fix repairs the manifest";
    if (!in_file || used + cf_utf8_count(f->rule->remedy) <= CF_WARNING_MAX)
        return f->rule->remedy;
    return "curfew review prints the remedy";
}

/* It is unknown whether it violates anything. */
static void warn_unknown(struct warnings *w, struct cf_arena *arena, const char *subject,
                         const struct cf_evaluation *evaluation, const struct cf_verdict *v,
                         unsigned modes, const char *why)
{
    put_warning(w, cf_line(arena, CF_WARNING_MAX,
                           "%s could not be evaluated at Curfew level \"%s\": %s: %s: %s", subject,
                           cf_level_name(strictest_level(
                               evaluation_levels(evaluation, v->finding.rule), modes)),
                           v->finding.rule->id, v->finding.what, cf_str_or_empty(why)));
}

static void warn_finding(struct warnings *w, struct cf_arena *arena,
                         const struct cf_request *request, const char *subject,
                         const struct cf_evaluation *evaluation, const struct cf_verdict *v,
                         unsigned modes)
{
    const struct cf_finding *f = &v->finding;
    const char *level =
        cf_level_name(strictest_level(evaluation_levels(evaluation, f->rule), modes));
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
        put_warning(w, cf_line(arena, CF_WARNING_MAX, "%s%s", line,
                               remedy_that_fits(request, f, cf_utf8_count(line))));
}

static void warn_exception(struct warnings *w, struct cf_arena *arena, const char *subject,
                           const struct cf_verdict *v, int64_t now)
{
    if (cf_exception_state(v->exception, now) != CF_EXCEPTION_ENDING)
        return;
    put_warning(w, cf_line(arena, CF_WARNING_MAX, "%s: %s: the exception ends on %s (%s); then: %s",
                           subject, v->finding.rule->id, v->exception->until, v->exception->reason,
                           v->finding.what));
}

void cf_warnings_validate(struct cf_out *out, struct cf_arena *arena,
                          const struct cf_request *request, const struct cf_evaluation *evaluation,
                          const struct cf_note_lines *more, int64_t now)
{
    struct warnings w = {.out = out};
    const char *subject = cf_subject(arena, request);
    const struct cf_exception *warned = NULL;

    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];
        unsigned modes = warning_modes(request, v);

        if (cf_verdict_denies(request, v))
            continue;
        /* No line is made that has no room. */
        if (w.dropped > 0 && modes != 0) {
            w.dropped++;
            continue;
        }
        if (v->exempt == CF_EXEMPT_EXCEPTION && v->exception != warned) {
            warned = v->exception;
            warn_exception(&w, arena, subject, v, now);
        } else if (modes != 0 && v->finding.unknown) {
            warn_unknown(&w, arena, subject, evaluation, v, modes,
                         evaluation->lookups->unknown_why);
        } else if (modes != 0) {
            warn_finding(&w, arena, request, subject, evaluation, v, modes);
        }
    }
    for (size_t i = 0; i < more->count; i++)
        put_warning(&w, more->items[i]);
    end_warnings(&w, arena, more->count > 0);
}
