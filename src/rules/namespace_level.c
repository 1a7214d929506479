/* SPDX-License-Identifier: Apache-2.0 */
/* namespace-level: the labels of a namespace set valid levels, and only guard.groups lower
 * them.
 *
 * Anyone who can label a namespace could switch Curfew off there: guard.lowering denies that,
 * through every resource that carries labels. Setting an invalid level is rejected with 422, for
 * everyone, as in Pod Security; a misspelt label is a warning, because it has no effect.
 *
 * Reads:  metadata.labels of Namespaces, old and new; guard.lowering, the defaults
 * Allows: labels that stay as they were; raising a level; lowering it by guard.groups.
 * Fixtures: test/rules/namespace-level/ */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "curfew/limits.h"
#include "curfew/str.h"

struct namespace_settings {
    bool lowering; /* guard.lowering: only guard.groups may lower a level */
};

static const struct cf_config_option option_table[] = {
    {.key = "lowering",
     .section = "guard",
     .want = "true or false, without quotes",
     .read = cf_config_bool,
     .offset = offsetof(struct namespace_settings, lowering)},
    {0},
};

static const struct cf_rule_options options = {
    .want = "left out: its settings are those of the mapping 'guard' beside 'rules'",
    .table = option_table,
    .size = sizeof(struct namespace_settings),
};

static struct cf_finding *report_label(struct cf_findings *out, const char *label,
                                       const char *value)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata"), labels = CF_PATH_KEY(&meta, "labels");
    struct cf_path at = CF_PATH_KEY(&labels, label);

    return cf_finding_add(out, label, &at, cf_value_str(out, value));
}

/* ---- invalid levels ---- */

/* The levels that the caller may set: with guard.lowering none below the one that holds. */
static const char *levels_from(struct cf_findings *out, enum cf_level lowest, bool may_leave_out)
{
    struct cf_buf text;

    cf_buf_init_arena(&text, out->arena, CF_FINDING_TEXT_MAX);
    for (int level = lowest; level < CF_LEVELS; level++)
        cf_buf_addf(&text, "%s%s",
                    level == (int)lowest     ? ""
                    : level == CF_LEVELS - 1 ? " or "
                                             : ", ",
                    cf_level_name((enum cf_level)level));
    if (may_leave_out)
        cf_buf_adds(&text, ", or leave it out");
    return cf_buf_str(&text);
}

static void advise_level(const struct cf_rule_input *in, const struct cf_namespace *was,
                         struct cf_findings *out, struct cf_finding *f, enum cf_mode mode)
{
    const char *without[CF_MODES];
    struct cf_levels from = cf_levels_of(in->policy, was->labels), to;
    const struct namespace_settings *settings = in->settings;
    enum cf_level lowest = settings->lowering ? from.mode[mode] : CF_PRIVILEGED;

    memcpy(without, in->object->namespace.labels, sizeof(without));
    without[mode] = NULL;
    to = cf_levels_of(in->policy, without);
    cf_finding_remedy(out, f, "set it to %s", levels_from(out, lowest, to.mode[mode] >= lowest));
}

static struct cf_finding *bad_level(struct cf_findings *out, const char *label, const char *value)
{
    struct cf_finding *f = report_label(out, label, value);
    struct cf_suggestion near = {.word = value};
    char text[96];

    for (int level = 0; level < CF_LEVELS; level++)
        cf_suggest(&near, cf_level_name((enum cf_level)level));
    cf_finding_what(out, f, "label %s is \"%s\", not privileged, baseline or restricted", label,
                    value);
    cf_finding_detail(out, f, "\"%s\" is not a level%s", value, cf_suggestion_text(&near, text));
    if (f != NULL)
        f->malformed = true;
    return f;
}

static void check_levels(const struct cf_rule_input *in, const struct cf_namespace *was,
                         const struct cf_namespace *is, struct cf_findings *out)
{
    for (int mode = 0; mode < CF_MODES; mode++) {
        const char *value = is->labels[mode];
        enum cf_level level;

        if (value != NULL && !cf_level_parse(value, &level) && !cf_streq(value, was->labels[mode]))
            advise_level(in, was, out, bad_level(out, cf_mode_label((enum cf_mode)mode), value),
                         (enum cf_mode)mode);
    }
}

/* ---- labels that mean nothing ---- */

static bool is_mode_label(const char *label)
{
    for (int mode = 0; mode < CF_MODES; mode++) {
        if (cf_streq(label, cf_mode_label((enum cf_mode)mode)))
            return true;
    }
    return false;
}

static void no_such_label(struct cf_findings *out, const char *label, const char *value)
{
    struct cf_finding *f = report_label(out, label, value);
    struct cf_suggestion near = {.word = label + strlen(CF_LABEL_PREFIX)};

    for (int mode = 0; mode < CF_MODES; mode++)
        cf_suggest(&near, cf_mode_name((enum cf_mode)mode));
    cf_finding_what(out, f, "label %s sets nothing", label);
    if (near.best != NULL)
        cf_finding_detail(out, f, "did you mean " CF_LABEL_PREFIX "%s?", near.best);
    else
        cf_finding_detail(out, f, "Curfew does not know this label");
    if (near.best != NULL)
        cf_finding_remedy(out, f, "use the label " CF_LABEL_PREFIX "%s", near.best);
    if (f == NULL)
        return;
    f->malformed = true;
    f->never_denied = true; /* a newer Curfew may know it */
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_unknown(const char *label)
{
    return cf_starts_with(label, CF_LABEL_PREFIX) && !is_mode_label(label);
}

/* The unknown labels that were there before, sorted: of them there may be as many as fit into a
 * review. NULL: out of memory. */
static const char **unknown_before(const struct cf_namespace *was, struct cf_findings *out,
                                   size_t *count)
{
    const struct cf_json *v = cf_json_first(was->all_labels);
    const char **names =
        cf_arena_array(out->arena, cf_json_count(was->all_labels) + 1, sizeof(*names));

    *count = 0;
    for (; names != NULL && v != NULL; v = cf_json_next(v)) {
        if (is_unknown(cf_json_key(v)))
            names[(*count)++] = cf_json_key(v);
    }
    if (names == NULL)
        out->failed = true;
    else
        qsort(names, *count, sizeof(*names), by_name);
    return names;
}

static void check_names(const struct cf_namespace *was, const struct cf_namespace *is,
                        struct cf_findings *out)
{
    const struct cf_json *v = cf_json_first(is->all_labels);
    size_t count;
    const char **before = unknown_before(was, out, &count);

    for (; before != NULL && v != NULL; v = cf_json_next(v)) {
        const char *label = cf_json_key(v);

        if (is_unknown(label) && bsearch(&label, before, count, sizeof(*before), by_name) == NULL)
            no_such_label(out, label, cf_json_str(v));
    }
}

/* ---- lowering ---- */

static void lowered(const struct cf_rule_input *in, struct cf_findings *out, enum cf_mode mode,
                    enum cf_level from, enum cf_level to)
{
    const struct cf_strings *groups = &in->policy->guard_groups;
    const char *label = cf_mode_label(mode), *value = in->object->namespace.labels[mode];
    struct cf_finding *f = report_label(out, label, value);

    if (value == NULL)
        cf_finding_what(out, f, "without the label %s the level falls from \"%s\" to \"%s\"", label,
                        cf_level_name(from), cf_level_name(to));
    else if (in->old_object == NULL)
        cf_finding_what(out, f, "label %s is \"%s\", below the default \"%s\"", label, value,
                        cf_level_name(from));
    else
        cf_finding_what(out, f, "label %s lowers the level from \"%s\" to \"%s\"", label,
                        cf_level_name(from), cf_level_name(to));
    cf_finding_detail(out, f, "only guard.groups may lower a namespace's level");
    if (groups->count > 0)
        cf_finding_remedy(out, f, "ask a member of %s to do it, or keep the level",
                          cf_listed(out, groups));
    else
        cf_finding_remedy(out, f, "keep the level");
    /* Who will apply a file is not known. */
    if (f != NULL && in->request->manifest)
        f->never_denied = true;
}

static void check_lowering(const struct cf_rule_input *in, const struct cf_namespace *was,
                           const struct cf_namespace *is, struct cf_findings *out)
{
    struct cf_levels from = cf_levels_of(in->policy, was->labels);
    struct cf_levels to = cf_levels_of(in->policy, is->labels);

    for (int mode = 0; mode < CF_MODES; mode++) {
        /* A level that only follows enforce is reported with enforce. */
        if (mode == CF_FIX && was->labels[mode] == NULL && is->labels[mode] == NULL)
            continue;
        if (to.mode[mode] < from.mode[mode])
            lowered(in, out, (enum cf_mode)mode, from.mode[mode], to.mode[mode]);
    }
}

static void check_namespace(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct namespace_settings *settings = in->settings;
    static const struct cf_namespace none = {0};
    const struct cf_namespace *is = &in->object->namespace;
    const struct cf_namespace *was = in->old_object != NULL ? &in->old_object->namespace : &none;

    check_levels(in, was, is, out);
    check_names(was, is, out);
    if (settings->lowering)
        check_lowering(in, was, is, out);
}

const struct cf_rule cf_rule_namespace_level = {
    .id = "namespace-level",
    .former_id = "guard",
    .title = "a namespace's labels are wrong, or lower its level",
    .remedy = "the labels are curfew.dev/enforce, curfew.dev/fix, curfew.dev/audit and "
              "curfew.dev/warn, each privileged, baseline or restricted",
    .level = CF_BASELINE,
    .kinds = CF_KIND_NAMESPACE,
    .traits = CF_RULE_TRANSITION | CF_RULE_GUARDED | CF_RULE_ANY_LEVEL,
    .options = &options,
    .existing = CF_EXISTING_PODS_OF_NAMESPACE,
    .check = check_namespace,
};
