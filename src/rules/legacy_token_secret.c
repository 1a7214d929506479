/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-token-secret: no new Secret of type kubernetes.io/service-account-token, and no second
 * life for an old one.
 *
 * The control plane fills such a Secret with a token that carries no expiry (KEP-2799). It fills
 * it again when the token is emptied, or when the Secret is pointed at another account.
 *
 * Anyone with a copy of such a token can make it valid again in a Secret of any type: the API
 * server only compares it with data.token of the Secret that the token names (pkg/serviceaccount/
 * legacy.go). So a Secret that holds its own token counts, for every type.
 *
 * Reads:  type, metadata.annotations (service-account.name, .uid), metadata.labels, data.token,
 *         stringData.token
 * Allows: every other type, but with its own token; other updates; for the type also
 *         kube-controller-manager and the API server.
 * Fixtures: test/rules/legacy-token-secret/ */
#include "common.h"

/* A token when one is needed, in place of one that is kept. */
static void advise_requested_token(const struct cf_rule_input *in, struct cf_findings *out,
                                   struct cf_finding *f, const char *account)
{
    struct cf_wanted_token wanted = {
        .account = account, .seconds = 3600, .restricted = in->lookups->account_restricted};

    cf_finding_remedy(out, f,
                      "mount a projected serviceAccountToken volume, or request a token when it is "
                      "needed: %s",
                      cf_token_command(in, out, &wanted));
}

static void created(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_secret *secret = &in->object->secret;
    struct cf_path at = CF_PATH_KEY(NULL, "type");
    struct cf_finding *f = cf_finding_add(out, "type", &at, "\"" CF_SA_TOKEN_TYPE "\"");

    cf_finding_what(out, f, "type " CF_SA_TOKEN_TYPE " creates a token that never expires");
    if (!cf_str_empty(secret->invalid_since))
        cf_finding_detail(out, f,
                          "the label " CF_INVALID_SINCE_LABEL
                          " is not an end date: removing it makes the token work");
    else if (cf_str_empty(secret->account))
        cf_finding_detail(out, f,
                          "such a Secret is filled with a token that works until someone "
                          "deletes it");
    else
        cf_finding_detail(out, f,
                          "the token of ServiceAccount \"%s\" would work from anywhere until "
                          "someone deletes this Secret",
                          secret->account);
    advise_requested_token(in, out, f, secret->account);
}

/* The other contents of the Secret may stay. */
static void advise_without_token(const struct cf_rule_input *in, struct cf_findings *out,
                                 struct cf_finding *f, const struct cf_own_token *own)
{
    struct cf_wanted_token wanted = {
        .account = own->account, .seconds = 3600, .restricted = in->lookups->account_restricted};

    cf_finding_remedy(out, f, "leave %s.token out, and request a token when it is needed: %s",
                      own->map, cf_token_command(in, out, &wanted));
}

static void token_put_in(const struct cf_rule_input *in, struct cf_findings *out,
                         const struct cf_own_token *own)
{
    struct cf_path up = CF_PATH_KEY(NULL, own->map);
    struct cf_path at = CF_PATH_KEY(&up, "token");
    const char *value = cf_arena_printf(out->arena, "\"sha256:%s\"", own->hash);
    struct cf_finding *f = cf_finding_add(out, "token", &at, value);

    cf_finding_what(out, f, "%s.token holds a token of this Secret itself, which never expires",
                    own->map);
    if (!cf_str_empty(in->object->secret.invalid_since))
        cf_finding_detail(
            out, f,
            "the label " CF_INVALID_SINCE_LABEL
            " is not an end date: removing it makes the token work; the API server does "
            "not look at the type");
    else if (cf_str_empty(own->account))
        cf_finding_detail(out, f,
                          "the token would work from anywhere until someone deletes this Secret: "
                          "the API server does not look at the type");
    else
        cf_finding_detail(out, f,
                          "the token of ServiceAccount \"%s\" would work from anywhere until "
                          "someone deletes this Secret: the API server does not look at the type",
                          own->account);
    advise_without_token(in, out, f, own);
}

/* The way to be rid of it. */
static void advise_delete(const struct cf_rule_input *in, struct cf_findings *out,
                          struct cf_finding *f, const char *keep)
{
    const char *command = cf_object_command(in, out, "delete", "secret", in->object->name, "");

    if (command != NULL)
        cf_finding_remedy(out, f, "%s, or delete the Secret when nothing needs it: %s", keep,
                          command);
    else
        cf_finding_remedy(out, f, "%s, or delete the Secret when nothing needs it", keep);
}

static void annotation_changed(const struct cf_rule_input *in, struct cf_findings *out,
                               const char *key, const char *was, const char *is)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations = CF_PATH_KEY(&meta, "annotations");
    struct cf_path at = CF_PATH_KEY(&annotations, key);
    struct cf_finding *f;

    if (cf_str_empty(was) || cf_streq(was, is))
        return;
    f = cf_finding_add(out, key, &at, cf_value_str(out, is));
    cf_finding_what(out, f, "changing the annotation %s makes a new token that never expires", key);
    cf_finding_detail(out, f, "it was \"%s\", and would be %s", was,
                      is == NULL    ? "gone"
                      : *is == '\0' ? "empty"
                                    : "another");
    advise_delete(in, out, f, "keep the annotation");
}

static void token_changed(const struct cf_rule_input *in, struct cf_findings *out)
{
    const char *was = in->old_object->secret.token, *is = in->object->secret.token;
    struct cf_path data = CF_PATH_KEY(NULL, "data");
    struct cf_path at = CF_PATH_KEY(&data, "token");
    struct cf_own_token own;
    struct cf_finding *f;

    if (cf_str_empty(was)) {
        if (cf_holds_own_token(in, in->object, out, &own))
            token_put_in(in, out, &own);
        return;
    }
    if (cf_streq(was, is))
        return;
    f = cf_finding_add(out, "data.token", &at, "null");
    cf_finding_what(out, f, "changing data.token makes a new token that never expires");
    cf_finding_detail(out, f, "the control plane replaces a missing or foreign token immediately");
    advise_delete(in, out, f,
                  "leave data.token as it is (kubectl label, annotate, edit and patch do; kubectl "
                  "replace drops what the manifest lacks)");
}

/* A Secret of any other type. Its type can't change, and a token that it held before is allowed. */
static void check_other(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_secret *now = &in->object->secret;
    struct cf_own_token own;

    if (in->old_object != NULL && now->plain_token == NULL &&
        cf_streq(now->any_token, in->old_object->secret.any_token))
        return;
    if (cf_holds_own_token(in, in->object, out, &own))
        token_put_in(in, out, &own);
}

static void check_legacy_secret(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_object *old = in->old_object;

    if (!in->object->secret.legacy_type) {
        check_other(in, out);
        return;
    }
    if (old == NULL || !old->secret.legacy_type) {
        created(in, out);
        return;
    }
    if (cf_caller_is_control_plane(&in->request->caller))
        return;
    annotation_changed(in, out, CF_SA_NAME_ANNOTATION, old->secret.account,
                       in->object->secret.account);
    annotation_changed(in, out, CF_SA_UID_ANNOTATION, old->secret.account_uid,
                       in->object->secret.account_uid);
    token_changed(in, out);
}

const struct cf_rule cf_rule_legacy_token_secret = {
    .id = "legacy-token-secret",
    .title = "a Secret holds a token that never expires",
    .remedy = "mount a projected serviceAccountToken volume, or request a token when it is needed "
              "(kubectl create token)",
    .level = CF_BASELINE,
    .kinds = CF_KIND_SECRET,
    .traits = CF_RULE_TRANSITION,
    .needs = CF_NEEDS_ACCOUNT,
    .existing = CF_EXISTING_PODS_OF_SECRET,
    .existing_text = "will hold its token",
    .check = check_legacy_secret,
};
