/* SPDX-License-Identifier: Apache-2.0 */
/* unbound-token: a requested token ends with the object it is bound to.
 *
 * A token bound to nothing outlives the client that requested it. One bound to a Secret does, too:
 * anyone can create the Secret and keep it. One bound to a Node is right for an account that is
 * restricted by node, and for no other.
 *
 * Reads:  spec.boundObjectRef of TokenRequests, the caller, the account's annotation
 * Allows: kind Pod; kind Node for an account restricted by node; the pivot: a legacy token that
 *         requests a token of its own account, in exchange (token-lifetime bounds it).
 * Fixtures: test/rules/unbound-token/ */
#include "common.h"

static const char *bound_to(const struct cf_token_request *request)
{
    if (cf_str_empty(request->bound_kind))
        return "nothing";
    return cf_streq(request->bound_kind, "Secret") ? "a Secret, which anyone can keep"
                                                   : "a Node, without being restricted by node";
}

static void advise_binding(const struct cf_rule_input *in, struct cf_findings *out,
                           struct cf_finding *f)
{
    struct cf_wanted_token wanted = {.account = in->request->name,
                                     .seconds = in->object->token_request.expiration.seconds,
                                     .restricted = in->lookups->account_restricted};

    cf_bind_requested(in->request, &wanted);
    cf_finding_remedy(
        out, f, "mount a projected serviceAccountToken volume, or bind the token to a pod: %s",
        cf_token_command(in, out, &wanted));
}

static void check_unbound(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_token_request *request = &in->object->token_request;
    const struct cf_request *asked = in->request;
    struct cf_path spec = CF_PATH_KEY(NULL, "spec");
    struct cf_path at = CF_PATH_KEY(&spec, "boundObjectRef");
    struct cf_finding *f;

    if (cf_streq(request->bound_kind, "Node") ? in->lookups->account_restricted
                                              : !cf_is_unbound(request))
        return;
    if (cf_is_pivot(asked))
        return;
    f = cf_finding_add(out, "", &at,
                       cf_str_empty(request->bound_kind) ? "null"
                                                         : cf_value_str(out, request->bound_kind));
    cf_finding_what(out, f, "the token would be bound to %s", bound_to(request));
    if (cf_caller_is_account(&asked->caller, asked->namespace, asked->name))
        cf_finding_detail(out, f,
                          "an account that requests its own unbound tokens can renew them "
                          "forever, even after its pod is deleted");
    else
        cf_finding_detail(out, f,
                          "it would work until it expires, for anyone who holds it, even "
                          "after its pod is deleted");
    advise_binding(in, out, f);
}

const struct cf_rule cf_rule_unbound_token = {
    .id = "unbound-token",
    .title = "a token is not bound to a pod",
    .remedy = "bind it to a pod of the account, or mount a projected serviceAccountToken volume",
    .level = CF_RESTRICTED,
    .kinds = CF_KIND_TOKEN_REQUEST,
    .needs = CF_NEEDS_ACCOUNT,
    .check = check_unbound,
};
