/* SPDX-License-Identifier: Apache-2.0 */
/* node-boundary: an account that is restricted by node accesses no objects of another node, and its
 * tokens always belong to a node.
 *
 * An attacker on one node has the tokens of its agents, and RBAC grants them their permissions on
 * all nodes. The annotation confines them to the node that the token belongs to. It filters, it
 * never grants. boundary/decision.c decides; this file writes the messages.
 *
 * Reads:  the question (boundary.h): who, from which node, does what with which object
 * Allows: what belongs to the caller's node; every caller and resource that it is not about.
 * Fixtures: test/rules/node-boundary/, and test/unit/test_boundary.c for the whole table */
#include "common.h"

static const char *const token_for_words[] = {"own", "podsOnNode", NULL};
static const char *const shared_words[] = {"allow", "deny", NULL};

static const struct cf_config_option option_table[] = {
    {.key = "tokenFor",
     .want = "own or podsOnNode",
     .read = cf_config_choice,
     .offset = offsetof(struct cf_boundary_settings, token_for_pods_on_node),
     .words = token_for_words},
    {.key = "allowPodCreate",
     .want = "true or false, without quotes",
     .read = cf_config_bool,
     .offset = offsetof(struct cf_boundary_settings, allow_pod_create)},
    {.key = "sharedObjects",
     .want = "allow or deny",
     .read = cf_config_choice,
     .offset = offsetof(struct cf_boundary_settings, deny_shared_objects),
     .words = shared_words},
    {0},
};

static const struct cf_rule_options options = {
    .want = "a mapping, such as {tokenFor: own}",
    .table = option_table,
    .size = sizeof(struct cf_boundary_settings),
};

/* While nothing is known of the cluster the level decides, as for Secrets. */
static struct cf_boundary_verdict unknown(const struct cf_rule_input *in)
{
    struct cf_boundary_verdict v = {.place = CF_BOUNDARY_NO_OPINION};

    if (in->policy->lookup_failure[in->level] == CF_LOOKUP_DENY) {
        v.place = CF_BOUNDARY_OUTSIDE;
        v.reason = "Curfew has not listed the cluster yet";
    }
    return v;
}

/* For a request of a token of a restricted account. */
static void advise_loose(const struct cf_rule_input *in, struct cf_findings *out,
                         struct cf_finding *f)
{
    const struct cf_boundary *q = in->request->boundary;
    struct cf_wanted_token wanted = {
        .account = q->name, .namespace = q->namespace, .seconds = 3600, .restricted = true};

    cf_finding_remedy(
        out, f, "mount a projected serviceAccountToken volume, or bind the token to a pod: %s",
        cf_token_command(in, out, &wanted));
}

/* The account requests its own token, from a known node. */
static bool is_own_token_request(const struct cf_boundary *q, const struct cf_boundary_facts *f)
{
    return f->node != NULL && cf_streq(q->resource, "serviceaccounts") &&
           cf_streq(q->subresource, "token") && cf_streq(q->verb, "create") &&
           cf_streq(q->namespace, q->caller_namespace) && cf_streq(q->name, q->caller_account);
}

static void advise_own_node(const struct cf_rule_input *in, struct cf_findings *out,
                            struct cf_finding *f)
{
    const struct cf_boundary *q = in->request->boundary;
    struct cf_wanted_token wanted = {.account = q->name,
                                     .namespace = q->namespace,
                                     .seconds = 3600,
                                     .bound_kind = "Node",
                                     .bound_name = in->lookups->boundary.node,
                                     .restricted = true};

    cf_finding_remedy(out, f, "bind the token to its own node: %s",
                      cf_token_command(in, out, &wanted));
}

static void report_boundary(const struct cf_rule_input *in, struct cf_findings *out,
                            const struct cf_boundary_verdict *verdict)
{
    const struct cf_boundary *q = in->request->boundary;
    const struct cf_boundary_facts *facts = &in->lookups->boundary;
    bool loose = q->caller_account == NULL || !facts->restricted;
    struct cf_path spec = CF_PATH_KEY(NULL, "spec");
    struct cf_path bound_at = CF_PATH_KEY(&spec, "boundObjectRef");
    struct cf_path user_at = CF_PATH_KEY(NULL, "userInfo");
    struct cf_finding *f = cf_finding_add(out, "", loose ? &bound_at : &user_at,
                                          cf_value_str(out, loose ? q->bound_kind : facts->node));

    cf_finding_what(out, f, "%s", verdict->reason);
    if (loose)
        cf_finding_detail(out, f,
                          "a token that belongs to no node would be no better confined "
                          "than one without the restriction");
    else if (facts->node == NULL)
        cf_finding_detail(out, f, "ServiceAccount \"%s/%s\" is restricted by node",
                          q->caller_namespace, q->caller_account);
    else
        cf_finding_detail(out, f,
                          "ServiceAccount \"%s/%s\" is restricted by node, and this token "
                          "belongs to node \"%s\"",
                          q->caller_namespace, q->caller_account, facts->node);
    if (loose)
        advise_loose(in, out, f);
    else if (is_own_token_request(q, facts))
        advise_own_node(in, out, f);
}

static void check_boundary(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_boundary *q = in->request->boundary;
    const struct cf_boundary_facts *facts = &in->lookups->boundary;
    struct cf_boundary_verdict verdict;

    if (q == NULL)
        return;
    verdict = facts->known ? cf_boundary_evaluate(out->arena, q, facts, in->settings) : unknown(in);
    if (verdict.place == CF_BOUNDARY_OUTSIDE)
        report_boundary(in, out, &verdict);
}

static const char *explain_boundary(struct cf_arena *arena, const struct cf_request *request,
                                    const struct cf_lookups *lookups, const void *settings)
{
    static const char *const places[] = {
        [CF_BOUNDARY_NO_OPINION] = "no opinion",
        [CF_BOUNDARY_INSIDE] = "inside the boundary",
        [CF_BOUNDARY_OUTSIDE] = "outside the boundary",
    };
    struct cf_boundary_verdict verdict;
    const char *text;

    if (request->caller.account == NULL && request->boundary == NULL)
        return "no opinion: the caller is not a ServiceAccount";
    if (request->boundary == NULL)
        return "no opinion: the boundary of a node does not cover this";
    if (lookups == NULL || !lookups->boundary.known)
        return "no opinion: the cluster is not known yet";
    verdict = cf_boundary_evaluate(arena, request->boundary, &lookups->boundary, settings);
    text = cf_arena_printf(arena, "%s: %s%s%s%s", places[verdict.place], verdict.reason,
                           verdict.nearest != NULL ? " (" : "", cf_str_or_empty(verdict.nearest),
                           verdict.nearest != NULL ? ")" : "");
    return cf_str_or_empty(text);
}

const struct cf_rule cf_rule_node_boundary = {
    .id = "node-boundary",
    .title = "a restricted account leaves its node",
    .remedy = "use an account without rbac.kubernetes.io/restricted-by-node for what concerns "
              "other nodes, or a token of a pod on the right node",
    .level = CF_BASELINE,
    .traits = CF_RULE_ALWAYS | CF_RULE_CALLER,
    .needs = CF_NEEDS_BOUNDARY,
    .options = &options,
    .check = check_boundary,
    .explain = explain_boundary,
};
