/* SPDX-License-Identifier: Apache-2.0 */
/* restricted-by-node-annotation: an account that is restricted by node stays so, and one that the
 * configuration selects becomes so.
 *
 * The annotation limits what a stolen token of a node agent can access; a caller that can remove it
 * removes that limit. That half ignores levels and exempt namespaces, because node
 * agents live in kube-system. The other half, `require`, is a matter of the level restricted, like
 * any other rule.
 *
 * Reads:  metadata.annotations and labels of ServiceAccounts, old and new; a DaemonSet's account,
 *         and whether the store has it as restricted
 * Allows: "true", "false", none; adding it; guard.groups; with `require`, "true" alone where it
 *         selects.
 * Fixtures: test/rules/restricted-by-node-annotation/ */
#include "common.h"

struct annotation_settings {
    struct cf_config_labels require; /* of the accounts that must have the annotation */
    bool warn_daemonsets;
};

static const struct cf_config_option selector_options[] = {
    {.key = "matchLabels",
     .want = "a mapping of at least one label, such as {role: node-agent}",
     .read = cf_config_labels,
     .offset = offsetof(struct annotation_settings, require),
     .required = true},
    {0},
};

static const char *const daemonset_words[] = {"ignore", "warn", NULL};

static const struct cf_config_option require_options[] = {
    {.key = "serviceAccountSelector",
     .want = "a mapping, such as {matchLabels: {role: node-agent}}",
     .read = cf_config_mapping,
     .members = selector_options},
    {.key = "usedByDaemonSets",
     .want = "warn or ignore",
     .read = cf_config_choice,
     .offset = offsetof(struct annotation_settings, warn_daemonsets),
     .words = daemonset_words},
    {0},
};

static const struct cf_config_option option_table[] = {
    {.key = "require",
     .want = "a mapping, such as {usedByDaemonSets: warn}",
     .read = cf_config_mapping,
     .members = require_options},
    {0},
};

static const struct cf_rule_options options = {
    .want = "a mapping, such as {require: {usedByDaemonSets: warn}}",
    .table = option_table,
    .size = sizeof(struct annotation_settings),
};

static void advise_keep(const struct cf_rule_input *in, struct cf_findings *out,
                        struct cf_finding *f)
{
    const char *command = cf_object_command(in, out, "annotate", "serviceaccount", in->object->name,
                                            " " CF_RESTRICTED_ANNOTATION "-");

    cf_finding_remedy(out, f, "keep the annotation; %s may take it off%s%s", cf_guards(in, out),
                      command != NULL ? ": " : "", cf_str_or_empty(command));
}

/* Whether the configuration requires the annotation on this account (require). */
static bool is_selected(const struct cf_rule_input *in, const struct cf_object *object)
{
    const struct annotation_settings *settings = in->settings;
    const struct cf_config_labels *require = &settings->require;

    for (size_t i = 0; i < require->keys.count; i++) {
        const struct cf_json *label = cf_json_get(object->account.labels, require->keys.items[i]);

        if (!cf_streq(cf_json_str(label), require->values.items[i]))
            return false;
    }
    return require->keys.count > 0;
}

/* True: it added a finding, and no other one is necessary. */
static bool check_change(const struct cf_rule_input *in, struct cf_findings *out,
                         const struct cf_path *at)
{
    const char *now = in->object->account.restricted_by_node;
    const char *was = in->old_object != NULL ? in->old_object->account.restricted_by_node : NULL;
    struct cf_finding *f;

    if (cf_streq(was, "true") && !cf_streq(now, "true")) {
        f = cf_finding_add(out, CF_RESTRICTED_ANNOTATION, at, cf_value_str(out, now));
        cf_finding_what(out, f, "the annotation " CF_RESTRICTED_ANNOTATION " would be %s",
                        now == NULL ? "removed" : "changed");
        cf_finding_detail(out, f,
                          "it is \"true\": the account's tokens may touch only what "
                          "belongs to their own node");
        advise_keep(in, out, f);
        return true;
    }
    if (now == NULL || cf_streq(now, "true") || cf_streq(now, "false") || cf_streq(now, was))
        return false;
    f = cf_finding_add(out, CF_RESTRICTED_ANNOTATION, at, cf_value_str(out, now));
    cf_finding_what(
        out, f, "the annotation " CF_RESTRICTED_ANNOTATION " is neither \"true\" nor \"false\"");
    cf_finding_detail(out, f, "\"%s\" would restrict nothing", now);
    cf_finding_remedy(
        out, f, "set it to \"true\" (quoted)%s",
        in->level >= CF_RESTRICTED && is_selected(in, in->object) ? "" : ", or leave it out");
    return true;
}

/* ---- require ---- */

static bool is_missing(const struct cf_rule_input *in, const struct cf_object *object)
{
    return is_selected(in, object) && !cf_streq(object->account.restricted_by_node, "true");
}

/* Adds the annotation, with metadata and annotations where they are missing. */
static struct cf_fix *fix_annotation(struct cf_findings *out, const struct cf_object *object,
                                     const struct cf_path *at)
{
    struct cf_fix *fix = cf_fix_new(out, CF_ANNOTATION_OPS);

    if (fix == NULL)
        return NULL;
    cf_fix_annotation(fix, object, cf_path_pointer(out->arena, at), "\"true\"");
    fix->warning = "the annotation " CF_RESTRICTED_ANNOTATION ": \"true\" was added";
    fix->replacement = "{\"" CF_RESTRICTED_ANNOTATION "\":\"true\"}";
    fix->replaces = cf_path_text(out->arena, at); /* the other annotations stay */
    return fix;
}

static void check_require(const struct cf_rule_input *in, struct cf_findings *out,
                          const struct cf_path *at)
{
    const char *now = in->object->account.restricted_by_node;
    struct cf_finding *f;

    if (!is_missing(in, in->object) || (in->old_object != NULL && is_missing(in, in->old_object)))
        return;
    f = cf_finding_add(out, CF_RESTRICTED_ANNOTATION, at, cf_value_str(out, now));
    cf_finding_what(out, f, "the annotation " CF_RESTRICTED_ANNOTATION " is %s",
                    now == NULL ? "missing" : "not \"true\"");
    cf_finding_detail(
        out, f,
        "the configuration requires it on accounts with these labels (require), whose "
        "tokens may then touch only what belongs to their own node");
    cf_finding_remedy(out, f, "add the annotation " CF_RESTRICTED_ANNOTATION ": \"true\"");
    if (f == NULL)
        return;
    f->by_level = true;
    f->fix = fix_annotation(out, in->object, at);
}

/* A DaemonSet is what runs on every node: its account is worth restricting. */
static void check_daemonset(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct annotation_settings *settings = in->settings;
    const struct cf_object *object = in->object;
    const char *account = object->pod.account;
    struct cf_path spec = *object->pod.at, at = CF_PATH_KEY(&spec, "serviceAccountName");
    const char *command;
    struct cf_finding *f;

    if (!settings->warn_daemonsets || !cf_streq(object->kind_name, "daemonset") ||
        in->lookups->account_restricted ||
        (in->old_object != NULL && cf_streq(in->old_object->pod.account, account)))
        return;
    f = cf_finding_add(out, account, &at, cf_value_str(out, account));
    cf_finding_what(out, f,
                    "it runs on every node as ServiceAccount \"%s\", which is not restricted "
                    "by node",
                    account);
    cf_finding_detail(out, f,
                      "an attacker on one node could use its token for everything that \"%s\" "
                      "may do, on all nodes",
                      account);
    command = cf_object_command(in, out, "annotate", "serviceaccount", account,
                                " " CF_RESTRICTED_ANNOTATION "=true");
    cf_finding_remedy(out, f,
                      "annotate the ServiceAccount if it needs no objects of other nodes%s%s",
                      command != NULL ? ": " : "", cf_str_or_empty(command));
    if (f == NULL)
        return;
    f->by_level = true;
    f->never_denied = true;
}

static void check_annotation(const struct cf_rule_input *in, struct cf_findings *out)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations = CF_PATH_KEY(&meta, "annotations");
    struct cf_path at = CF_PATH_KEY(&annotations, CF_RESTRICTED_ANNOTATION);
    bool account = in->object->kind == CF_KIND_SERVICE_ACCOUNT;

    if (account && check_change(in, out, &at))
        return;
    if (in->level < CF_RESTRICTED)
        return;
    if (account)
        check_require(in, out, &at);
    else
        check_daemonset(in, out);
}

const struct cf_rule cf_rule_restricted_by_node_annotation = {
    .id = "restricted-by-node-annotation",
    .title = "an account would lose its restriction to its node",
    .remedy = "keep rbac.kubernetes.io/restricted-by-node: \"true\"",
    .level = CF_BASELINE,
    .kinds = CF_KIND_SERVICE_ACCOUNT | CF_KIND_TEMPLATE,
    .traits = CF_RULE_TRANSITION | CF_RULE_ALWAYS | CF_RULE_GUARDED,
    .needs = CF_NEEDS_ACCOUNT,
    .options = &options,
    .check = check_annotation,
};
