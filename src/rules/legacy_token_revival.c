/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-token-revival: an invalidated legacy token stays invalid.
 *
 * The label kubernetes.io/legacy-token-invalid-since makes the API server refuse the token;
 * without it the token works again (pkg/serviceaccount/legacy.go), for every type of Secret
 * that holds it. And a legacy Secret that is
 * no longer in a ServiceAccount's secrets[] counts as made by hand, which the cluster's cleaner
 * never removes: that is a warning, not a denial.
 *
 * Reads:  type, metadata.labels and data.token of Secrets, secrets[] of ServiceAccounts, each old
 *         and new
 * Allows: kube-controller-manager, the API server, guard.groups; another non-empty label value.
 * Fixtures: test/rules/legacy-token-revival/ */
#include <stdlib.h>
#include <string.h>

#include "common.h"

/* How it stays in quarantine, and who releases it with what. */
static void advise_release(const struct cf_rule_input *in, struct cf_findings *out,
                           struct cf_finding *f)
{
    const char *command = cf_object_command(in, out, "label", "secret", in->object->name,
                                            " " CF_INVALID_SINCE_LABEL "-");

    cf_finding_remedy(out, f,
                      "keep it in the manifest (labels: {" CF_INVALID_SINCE_LABEL
                      ": \"%s\"}); %s may release the token%s%s",
                      in->old_object->secret.invalid_since, cf_guards(in, out),
                      command != NULL ? ": " : "", cf_str_or_empty(command));
}

static void label_removed(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_secret *old = &in->old_object->secret, *now = &in->object->secret;
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata");
    struct cf_path labels = CF_PATH_KEY(&meta, "labels");
    struct cf_path at = CF_PATH_KEY(&labels, CF_INVALID_SINCE_LABEL);
    struct cf_own_token own;
    struct cf_finding *f;

    if (cf_str_empty(old->invalid_since) || !cf_str_empty(now->invalid_since))
        return;
    /* One of another type without its token has none that could work again. */
    if (!old->legacy_type && !cf_holds_own_token(in, in->object, out, &own))
        return;
    f = cf_finding_add(out, CF_INVALID_SINCE_LABEL, &at, cf_value_str(out, now->invalid_since));
    cf_finding_what(out, f, "removing the label %s makes a token work again that never expires",
                    CF_INVALID_SINCE_LABEL);
    cf_finding_detail(out, f,
                      "it is \"%s\"; kubectl replace, edit, patch and label drop it, kubectl "
                      "apply keeps a label that it never set%s",
                      old->invalid_since,
                      old->legacy_type ? "" : "; the API server does not look at the type");
    advise_release(in, out, f);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void secret_dropped(const struct cf_rule_input *in, struct cf_findings *out,
                           const struct cf_secret_ref *ref)
{
    const char *key = cf_key2(out, "", ref->name);
    struct cf_finding *f = cf_finding_add(out, key, ref->at, cf_value_str(out, ref->name));
    const char *command;

    if (f != NULL)
        f->never_denied = true;
    if (!cf_finding_kept(out, f))
        return;
    cf_finding_what(out, f, "legacy Secret \"%s\" leaves secrets[] and will never be cleaned up",
                    ref->name);
    cf_finding_detail(out, f, "the cluster's cleaner only knows tokens that are listed there");
    command = cf_object_command(in, out, "delete", "secret", ref->name, "");
    cf_finding_remedy(out, f, "keep it in secrets[], or delete the Secret if nothing uses it%s%s",
                      command != NULL ? ": " : "", cf_str_or_empty(command));
}

static void secrets_dropped(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_service_account *old = &in->old_object->account, *now = &in->object->account;
    const char **names = cf_arena_array(out->arena, now->secret_count + 1, sizeof(*names));

    if (names == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < now->secret_count; i++)
        names[i] = now->secrets[i].name;
    qsort(names, now->secret_count, sizeof(*names), by_text);
    for (size_t i = 0; i < old->secret_count; i++) {
        const struct cf_secret_ref *ref = &old->secrets[i];

        if (in->lookups->old_secrets[ref->index].state == CF_SECRET_LEGACY &&
            bsearch(&ref->name, names, now->secret_count, sizeof(*names), by_text) == NULL)
            secret_dropped(in, out, ref);
    }
}

static void check_revival(const struct cf_rule_input *in, struct cf_findings *out)
{
    if (in->old_object == NULL || cf_caller_is_control_plane(&in->request->caller))
        return;
    if (in->object->kind == CF_KIND_SECRET)
        label_removed(in, out);
    else
        secrets_dropped(in, out);
}

const struct cf_rule cf_rule_legacy_token_revival = {
    .id = "legacy-token-revival",
    .title = "an invalidated legacy token works again",
    .remedy = "keep the label kubernetes.io/legacy-token-invalid-since",
    .level = CF_BASELINE,
    .kinds = CF_KIND_SECRET | CF_KIND_SERVICE_ACCOUNT,
    .traits = CF_RULE_TRANSITION | CF_RULE_GUARDED,
    .needs = CF_NEEDS_SECRETS,
    .check = check_revival,
};
