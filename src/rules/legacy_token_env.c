/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-token-env: no container reads a legacy token from its environment.
 *
 * A variable is read once, shows up in dumps and child processes, and can never be renewed, so
 * there is nothing to convert it to.
 *
 * Reads:  env[].valueFrom.secretKeyRef, envFrom[].secretRef of all containers, also optional ones;
 *         for the advice, whether the container mounts a token, and where
 * Allows: Secrets that are not legacy Secrets; unknown ones where lookupFailure is allow.
 * Fixtures: test/rules/legacy-token-env/ */
#include <string.h>

#include "common.h"

/* Sources of a volume that are searched for a file; real volumes have fewer. */
#define SOURCES_MAX 16

/* ---- where a container finds the same as a file ---- */

enum mount {
    MOUNTED,   /* the container has a token volume */
    TO_MOUNT,  /* it has none, and could */
    NO_VOLUME, /* an ephemeral container of a pod without one: no pod gets one later */
    NOT_KNOWN, /* a manifest, or another account: admission decides whether it gets one */
};

/* The API server does not accept a token for another audience. */
static bool is_token(const struct cf_volume_source *source)
{
    return source->type == CF_SOURCE_TOKEN && cf_str_empty(source->audience);
}

static const struct cf_volume *token_volume(const struct cf_pod_spec *pod)
{
    for (size_t i = 0; i < pod->volume_count; i++) {
        const struct cf_volume *volume = &pod->volumes[i];

        for (size_t j = 0; j < volume->source_count && j < SOURCES_MAX; j++) {
            if (is_token(&volume->sources[j]))
                return volume;
        }
    }
    return NULL;
}

/* A pod that a webhook sees has been given its token volume before, or gets none. */
static enum mount mount_of(const struct cf_rule_input *in, const struct cf_env_ref *env, bool own)
{
    const struct cf_request *request = in->request;

    if (env->token.volume != NULL)
        return MOUNTED;
    if (env->ephemeral)
        return token_volume(&in->object->pod) != NULL ? TO_MOUNT : NO_VOLUME;
    if (in->object->pod.no_automount)
        return TO_MOUNT;
    return !request->manifest && request->kind == CF_KIND_POD && own ? TO_MOUNT : NOT_KNOWN;
}

static bool has_file(const struct cf_items *items, const char *file)
{
    for (size_t i = 0; i < items->count && i < SOURCES_MAX; i++) {
        if (cf_streq(items->items[i].path, file))
            return true;
    }
    return false;
}

/* The file's path in the volume; NULL: it has no such file. */
static const char *path_in(const struct cf_volume *volume, const char *key)
{
    for (size_t i = 0; i < volume->source_count && i < SOURCES_MAX; i++) {
        const struct cf_volume_source *source = &volume->sources[i];

        if (cf_streq(key, "token") && is_token(source))
            return source->token_path;
        if (cf_streq(key, "ca.crt") && cf_streq(source->config_map, CF_ROOT_CA_CONFIG_MAP) &&
            (source->items.count == 0 || has_file(&source->items, key)))
            return key;
        if (cf_streq(key, "namespace") && source->type == CF_SOURCE_DOWNWARD_API &&
            has_file(&source->items, key))
            return key;
    }
    return NULL;
}

/* Where the container reads the key as a file, now or once a token is mounted. NULL: its token
 * volume has no such file. */
static const char *file_of(struct cf_findings *out, const struct cf_env_ref *env, const char *key)
{
    const char *dir = CF_TOKEN_DIR, *file = key;
    size_t len;

    if (env->token.volume != NULL) {
        dir = env->token.path;
        file = path_in(env->token.volume, key);
    }
    len = strlen(dir);
    return file == NULL ? NULL
                        : cf_arena_printf(out->arena, "%s%s%s", dir,
                                          len > 0 && dir[len - 1] == '/' ? "" : "/", file);
}

/* ---- advice ---- */

/* What has to be done before there is such a file: "", or a clause that ends in "and ". */
static const char *mount_first(const struct cf_rule_input *in, struct cf_findings *out,
                               const struct cf_env_ref *env, enum mount mount)
{
    const char *text = "";

    if (mount == TO_MOUNT && env->ephemeral)
        text = cf_arena_printf(out->arena,
                               "mount volume \"%s\" at " CF_TOKEN_DIR " in the container, and ",
                               token_volume(&in->object->pod)->called);
    else if (mount == TO_MOUNT)
        text = "set automountServiceAccountToken: true in the pod's spec, which mounts no token "
               "now, and ";
    return cf_str_or_empty(text);
}

/* "set serviceAccountName: api, and ": of a token of another account. */
static const char *account_first(const struct cf_rule_input *in, struct cf_findings *out,
                                 const struct cf_env_ref *env)
{
    const char *owner = in->secrets[env->secret.index].owner;

    if (owner == NULL || cf_streq(owner, in->object->pod.account))
        return "";
    return cf_str_or_empty(cf_arena_printf(out->arena, "set serviceAccountName: %s and ", owner));
}

/* The certificate and the namespace are the same for every account, and no secret. */
static void advise_public(const struct cf_rule_input *in, struct cf_findings *out,
                          struct cf_finding *f, const struct cf_env_ref *env, const char *instead)
{
    enum mount mount = mount_of(in, env, true);
    const char *file = mount == NO_VOLUME ? NULL : file_of(out, env, env->key);

    if (file == NULL)
        cf_finding_remedy(out, f, "take it from a source that is not secret: valueFrom: %s",
                          instead);
    else
        cf_finding_remedy(
            out, f,
            "take it from a source that is not secret: valueFrom: %s; or %sread the file "
            "%s",
            instead, mount_first(in, out, env, mount), file);
}

static void advise_minted_token(const struct cf_rule_input *in, struct cf_findings *out,
                                struct cf_finding *f, const struct cf_env_ref *env)
{
    bool own = cf_streq(in->secrets[env->secret.index].owner, in->object->pod.account);
    enum mount mount = mount_of(in, env, own);
    const char *file = file_of(out, env, "token");

    if (mount == NO_VOLUME)
        cf_finding_remedy(
            out, f, "leave it out: the pod mounts no token, and its volumes can't be changed");
    else if (file != NULL)
        cf_finding_remedy(out, f, "%s%sread the mounted token file%s, which is renewed: %s",
                          account_first(in, out, env), mount_first(in, out, env, mount),
                          own ? " instead" : "", file);
}

static void advise_all(const struct cf_rule_input *in, struct cf_findings *out,
                       struct cf_finding *f, const struct cf_env_ref *env)
{
    bool own = cf_streq(in->secrets[env->secret.index].owner, in->object->pod.account);
    enum mount mount = mount_of(in, env, own);
    const char *file = file_of(out, env, "token");

    if (mount == NO_VOLUME || file == NULL)
        advise_minted_token(in, out, f, env);
    else
        cf_finding_remedy(out, f,
                          "%s%sread the mounted files, which are renewed: %s, and ca.crt and "
                          "namespace beside it",
                          account_first(in, out, env), mount_first(in, out, env, mount), file);
}

static void advise_file(const struct cf_rule_input *in, struct cf_findings *out,
                        struct cf_finding *f, const struct cf_env_ref *env)
{
    if (env->key == NULL)
        advise_all(in, out, f, env);
    else if (cf_streq(env->key, "ca.crt"))
        advise_public(in, out, f, env,
                      "{configMapKeyRef: {name: " CF_ROOT_CA_CONFIG_MAP ", key: ca.crt}}");
    else if (cf_streq(env->key, "namespace"))
        advise_public(in, out, f, env, "{fieldRef: {fieldPath: metadata.namespace}}");
    else if (cf_str_empty(env->key) || cf_streq(env->key, "token"))
        advise_minted_token(in, out, f, env);
    else
        cf_finding_remedy(out, f,
                          "move key \"%s\" to a Secret of type Opaque, and take it from "
                          "there",
                          cf_name_fit(out->arena, env->key));
}

/* ---- findings ---- */

/* What it reads, for the first line. */
static void describe_env(struct cf_findings *out, struct cf_finding *f,
                         const struct cf_env_ref *env, const char *secret)
{
    if (cf_str_empty(env->key) || cf_streq(env->key, "token"))
        cf_finding_what(out, f,
                        "container \"%s\" reads Secret \"%s\", a token that never expires, into "
                        "its environment",
                        env->container, secret);
    else
        cf_finding_what(out, f,
                        "container \"%s\" reads %s into its environment from Secret \"%s\", a "
                        "token that never expires",
                        env->container, cf_name_fit(out->arena, env->key), secret);
}

static void report_env(const struct cf_rule_input *in, struct cf_findings *out,
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

    if (in->secrets[ref->index].state == CF_SECRET_UNKNOWN) {
        if (cf_finding_kept(out, f))
            spoken = cf_arena_printf(out->arena, "container \"%s\" reads", env->container);
        cf_report_unknown(in, out, f, ref, cf_str_or_empty(spoken));
        return;
    }
    if (!cf_finding_kept(out, f))
        return;
    secret = cf_name_fit(out->arena, ref->name);
    variable = cf_name_fit(out->arena, variable);
    describe_env(out, f, env, secret);
    if (variable != NULL)
        cf_finding_detail(out, f,
                          "variable \"%s\" of container \"%s\" comes from legacy Secret "
                          "\"%s\"",
                          variable, env->container, secret);
    else
        cf_finding_detail(out, f,
                          "the whole of legacy Secret \"%s\" becomes variables of container \"%s\"",
                          secret, env->container);
    advise_file(in, out, f, env);
}

static void check_env(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_pod_spec *pod = &in->object->pod;

    for (size_t i = 0; i < pod->env_count; i++) {
        if (cf_is_legacy(in, &pod->env[i].secret))
            report_env(in, out, &pod->env[i]);
    }
}

const struct cf_rule cf_rule_legacy_token_env = {
    .id = "legacy-token-env",
    .title = "a container reads a legacy token from its environment",
    .remedy = "read the mounted token file instead, which is renewed: " CF_TOKEN_DIR "/token",
    .level = CF_RESTRICTED,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE,
    .needs = CF_NEEDS_SECRETS,
    .check = check_env,
};
