/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-token-env: no container reads a legacy token from its environment.
 *
 * A variable is read once, shows up in dumps and child processes, and can never be renewed, so
 * there is nothing to convert it to.
 *
 * Reads:  env[].valueFrom.secretKeyRef, envFrom[].secretRef of all containers, also optional ones
 * Allows: Secrets that are no legacy Secrets; those that nobody can look up where lookupFailure
 *         says so.
 * Fixtures: test/rules/legacy-token-env/ */
#include "common.h"

static void found(const struct cf_rule_input *in, struct cf_findings *out,
                  const struct cf_env_ref *env)
{
    const struct cf_secret_ref *ref = &env->secret;
    const char *variable = env->variable;
    struct cf_finding *f =
        cf_finding_add(out,
                       variable != NULL ? cf_key2(out, env->container, variable)
                                        : cf_key3(out, env->container, "", ref->name),
                       ref->at, cf_value_str(out, ref->name));
    const char *spoken = "", *secret;

    if (ref->state == CF_SECRET_UNKNOWN) {
        if (cf_finding_kept(out, f))
            spoken = cf_arena_printf(out->arena, "container \"%s\" reads", env->container);
        cf_tell_unknown(in, out, f, ref, cf_str_or_empty(spoken));
        return;
    }
    if (!cf_finding_kept(out, f))
        return;
    secret = cf_name_fit(out->arena, ref->name);
    variable = cf_name_fit(out->arena, variable);
    cf_finding_what(out, f,
                    "container \"%s\" reads Secret \"%s\", a token that never expires, into its "
                    "environment",
                    env->container, secret);
    if (variable != NULL)
        cf_finding_detail(out, f,
                          "variable \"%s\" of container \"%s\" comes from legacy Secret "
                          "\"%s\"",
                          variable, env->container, secret);
    else
        cf_finding_detail(out, f,
                          "the whole of legacy Secret \"%s\" becomes variables of container \"%s\"",
                          secret, env->container);
    if (ref->owner != NULL && !cf_streq(ref->owner, in->object->pod.account))
        cf_finding_remedy(out, f,
                          "set serviceAccountName: %s and read the mounted token file, which is "
                          "renewed: /var/run/secrets/kubernetes.io/serviceaccount/token",
                          ref->owner);
}

static void check(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_pod_spec *pod = &in->object->pod;

    for (size_t i = 0; i < pod->env_count; i++) {
        if (cf_is_legacy(in, &pod->env[i].secret))
            found(in, out, &pod->env[i]);
    }
}

const struct cf_rule cf_rule_legacy_token_env = {
    .id = "legacy-token-env",
    .title = "a container reads a legacy token from its environment",
    .remedy = "read the mounted token file instead, which is renewed: "
              "/var/run/secrets/kubernetes.io/serviceaccount/token",
    .level = CF_RESTRICTED,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE,
    .check = check,
};
