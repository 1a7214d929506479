/* SPDX-License-Identifier: Apache-2.0 */
/* restricted-by-node-annotation: an account that is restricted by node stays so.
 *
 * The annotation confines what a stolen token of a node agent can touch; whoever could take it
 * off would take the confinement off. It ignores levels and exempt namespaces, because node
 * agents live in kube-system.
 *
 * Reads:  metadata.annotations of ServiceAccounts, old and new
 * Allows: "true", "false", none; adding it; guard.groups.
 * Fixtures: test/rules/restricted-by-node-annotation/ */
#include "common.h"

static void check(const struct cf_rule_input *in, struct cf_findings *out)
{
    const char *now = in->object->account.restricted_by_node;
    const char *was = in->old_object != NULL ? in->old_object->account.restricted_by_node : NULL;
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations = CF_PATH_KEY(&meta, "annotations");
    struct cf_path at = CF_PATH_KEY(&annotations, CF_RESTRICTED_ANNOTATION);
    struct cf_finding *f;

    if (cf_streq(was, "true") && !cf_streq(now, "true")) {
        f = cf_finding_add(out, CF_RESTRICTED_ANNOTATION, &at, cf_value_str(out, now));
        cf_finding_what(out, f, "the annotation " CF_RESTRICTED_ANNOTATION " would be %s",
                        now == NULL ? "removed" : "changed");
        cf_finding_detail(out, f,
                          "it is \"true\": the account's tokens may touch only what "
                          "belongs to their own node");
        cf_finding_remedy(out, f,
                          "keep the annotation; only the groups of guard.groups may take "
                          "it off");
    } else if (now != NULL && !cf_streq(now, "true") && !cf_streq(now, "false") &&
               !cf_streq(now, was)) {
        f = cf_finding_add(out, CF_RESTRICTED_ANNOTATION, &at, cf_value_str(out, now));
        cf_finding_what(out, f,
                        "the annotation " CF_RESTRICTED_ANNOTATION
                        " is neither \"true\" nor \"false\"");
        cf_finding_detail(out, f, "\"%s\" would restrict nothing", now);
        cf_finding_remedy(out, f, "set it to \"true\" (quoted), or leave it out");
    }
}

const struct cf_rule cf_rule_restricted_by_node_annotation = {
    .id = "restricted-by-node-annotation",
    .title = "an account would lose its restriction to its node",
    .remedy = "keep rbac.kubernetes.io/restricted-by-node: \"true\"",
    .level = CF_BASELINE,
    .kinds = CF_KIND_SERVICE_ACCOUNT,
    .traits = CF_RULE_TRANSITION | CF_RULE_ALWAYS | CF_RULE_GUARDED,
    .check = check,
};
