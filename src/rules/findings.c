/* SPDX-License-Identifier: Apache-2.0 */
/* findings.c - collecting what rules find. */
#include <string.h>

#include "curfew/rule.h"
#include "curfew/str.h"

static struct cf_finding *room(struct cf_findings *out)
{
    size_t wanted = out->capacity == 0 ? 8 : out->capacity * 2;
    struct cf_finding *bigger;

    if (out->count < out->capacity)
        return &out->items[out->count++];
    bigger = cf_arena_array(out->arena, wanted, sizeof(*bigger));
    if (bigger == NULL) {
        out->failed = true;
        return NULL;
    }
    if (out->count > 0)
        memcpy(bigger, out->items, out->count * sizeof(*bigger));
    out->items = bigger;
    out->capacity = wanted;
    return &out->items[out->count++];
}

struct cf_finding *cf_finding_add(struct cf_findings *out, const char *key,
                                  const struct cf_path *at, const char *value)
{
    struct cf_finding *f = room(out);

    if (f == NULL)
        return NULL;
    *f = (struct cf_finding){
        .rule = out->rule,
        .key = key,
        .path = cf_path_text(out->arena, at),
        .value = value,
        .what = out->rule->title,
        .detail = out->rule->title,
        .never_denied = (out->rule->traits & CF_RULE_NEVER_DENIES) != 0,
    };
    if (f->key == NULL || f->path == NULL || f->value == NULL)
        out->failed = true;
    return f;
}

static const char *text(struct cf_findings *out, const char *fmt, va_list args) CF_PRINTF(2, 0);

/* A text for people, without what a name must not smuggle into a terminal or a header. */
static const char *text(struct cf_findings *out, const char *fmt, va_list args)
{
    char *made = cf_arena_vprintf(out->arena, fmt, args);

    if (made == NULL) {
        out->failed = true;
        return "";
    }
    cf_str_sanitize(made);
    return made;
}

void cf_finding_what(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
{
    va_list args;

    if (f == NULL)
        return;
    va_start(args, fmt);
    f->what = text(out, fmt, args);
    va_end(args);
}

void cf_finding_detail(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
{
    va_list args;

    if (f == NULL)
        return;
    va_start(args, fmt);
    f->detail = text(out, fmt, args);
    va_end(args);
}

void cf_finding_remedy(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
{
    va_list args;

    if (f == NULL)
        return;
    va_start(args, fmt);
    f->remedy = text(out, fmt, args);
    va_end(args);
}
