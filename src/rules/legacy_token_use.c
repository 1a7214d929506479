/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-token-use: a legacy token may only be exchanged for a short-lived one.
 *
 * Since Kubernetes 1.32 every token that TokenRequest made carries a credential id
 * (authentication.kubernetes.io/credential-id: JTI=...; KEP-4193), and so do those of the control
 * plane's controllers. A request of a ServiceAccount without one uses a legacy token, or
 * impersonates the account, which looks the same. Before 1.32 they cannot be distinguished, and the
 * rule finds nothing.
 *
 * Reads:  the caller, the API server's version
 * Allows: tokens with a credential id, a pod or a node; the pivot: creating serviceaccounts/token
 *         for itself, which is the exchange; at /authorize everything, but audited, unless
 *         authorize.legacyTokenUse is enforce.
 * Fixtures: test/rules/legacy-token-use/ */
#include "common.h"

struct use_settings {
    bool enforce_at_authorize; /* authorize.legacyTokenUse: enforce; else it is only audited */
};

static const char *const use_words[] = {"audit", "enforce", NULL};

static const struct cf_config_option option_table[] = {
    {.key = "legacyTokenUse",
     .section = "authorize",
     .want = "audit or enforce",
     .read = cf_config_choice,
     .offset = offsetof(struct use_settings, enforce_at_authorize),
     .words = use_words},
    {0},
};

static const struct cf_rule_options options = {
    .want = "a mapping, such as {level: off}",
    .table = option_table,
    .size = sizeof(struct use_settings),
};

static bool is_pivot(const struct cf_request *request)
{
    return (request->operation == CF_CREATE && cf_streq(request->resource, "serviceaccounts") &&
            cf_streq(request->subresource, "token") &&
            cf_caller_is_account(&request->caller, request->namespace, request->name));
}

/* Advises the exchange, in which an account that is restricted by node has to name a pod, too. */
static void advise_exchange(const struct cf_rule_input *in, struct cf_findings *out,
                            struct cf_finding *f)
{
    const struct cf_caller *caller = &in->request->caller;
    struct cf_wanted_token wanted = {.account = caller->account,
                                     .namespace = caller->namespace,
                                     .seconds = 3600,
                                     .restricted = in->lookups->boundary.restricted,
                                     .pivot = true};

    cf_finding_remedy(out, f,
                      "run in a pod with a projected token, or exchange the legacy token for a "
                      "short-lived one: %s",
                      cf_token_command(in, out, &wanted));
}

static void check_use(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct use_settings *settings = in->settings;
    const struct cf_caller *caller = &in->request->caller;
    struct cf_path at = CF_PATH_KEY(NULL, "userInfo");
    struct cf_finding *f;

    if (caller->account == NULL || !cf_caller_is_legacy_token(caller) || is_pivot(in->request))
        return;
    f = cf_finding_add(out, caller->username, &at, cf_value_str(out, caller->username));
    cf_finding_what(out, f,
                    "ServiceAccount \"%s/%s\" is used by a legacy token, which never expires, or "
                    "by impersonation",
                    caller->namespace, caller->account);
    cf_finding_detail(out, f,
                      "the request of \"%s\" carries no credential id; such a token may only ask "
                      "for a short-lived one",
                      caller->username);
    advise_exchange(in, out, f);
    if (f != NULL && in->request->authorize)
        f->never_denied = !settings->enforce_at_authorize;
}

const struct cf_rule cf_rule_legacy_token_use = {
    .id = "legacy-token-use",
    .title = "a legacy token is used",
    .remedy = "exchange it for a short-lived one (kubectl create token, TokenRequest), or run in a "
              "pod with a projected token",
    .level = CF_RESTRICTED,
    .traits = CF_RULE_CALLER,
    .needs = CF_NEEDS_BOUNDARY,
    .since_minor = CF_CREDENTIAL_ID_MINOR,
    .options = &options,
    .check = check_use,
};
