/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-token-mount: no volume gives a pod a token that never expires.
 *
 * Where the Secret belongs to the pod's own account, the same files with a token that ends can
 * take its place (convert.c): that is the fix.
 *
 * Reads:  volumes[].secret, volumes[].projected.sources[].secret, the Secret references of other
 *         volume types, volumeMounts[].subPath and subPathExpr
 * Allows: Secrets that are not legacy Secrets; unknown ones where lookupFailure is allow.
 * Fixtures: test/rules/legacy-token-mount/ */
#include "common.h"
#include "convert.h"

/* What is known of the volume, and of those before it. */
struct search {
    struct cf_shared_paths shared;
    bool marked; /* a fix of the object has the mark */
};

static void report_foreign(const struct cf_rule_input *in, struct cf_findings *out,
                           struct cf_finding *f, const struct cf_secret_ref *ref)
{
    const char *account = in->object->pod.account, *owner = in->secrets[ref->index].owner;

    if (owner == NULL) {
        cf_finding_detail(out, f, "Secret \"%s\" names no ServiceAccount that it belongs to",
                          ref->name);
        return;
    }
    cf_finding_detail(out, f,
                      "Secret \"%s\" belongs to ServiceAccount \"%s\", but the pod runs as \"%s\"",
                      ref->name, owner, account);
    cf_finding_remedy(out, f,
                      "set serviceAccountName: %s, or give \"%s\" the permissions it needs, and %s",
                      owner, account,
                      in->object->pod.no_automount
                          ? "use a projected volume with a serviceAccountToken source instead of "
                            "the Secret: the pod mounts no other token"
                          : "remove the volume");
}

static void try_to_convert(const struct cf_rule_input *in, struct cf_findings *out,
                           struct cf_finding *f, const struct cf_volume *volume,
                           const struct cf_volume_source *source, const struct cf_secret_ref *ref,
                           struct search *search)
{
    const char *owner = in->secrets[ref->index].owner;
    struct cf_obstacle obstacle;
    struct cf_fix *fix;

    if (!cf_streq(owner, in->object->pod.account)) {
        report_foreign(in, out, f, ref);
        return;
    }
    fix = cf_convert(in, out, volume, source, &search->shared, &obstacle);
    if (f == NULL)
        return;
    f->fix = fix;
    if (fix != NULL && !search->marked)
        cf_fix_mark(in, out, fix);
    search->marked |= fix != NULL;
    if (fix != NULL)
        cf_finding_detail(out, f,
                          "Secret \"%s\" belongs to the pod's own ServiceAccount \"%s\": a "
                          "projected token gives the same files",
                          ref->name, owner);
    else if (obstacle.why != NULL)
        cf_finding_detail(out, f, "Secret \"%s\" can't be converted: %s", ref->name, obstacle.why);
    if (fix == NULL && obstacle.remedy != NULL)
        cf_finding_remedy(out, f, "%s", obstacle.remedy);
}

/* What a driver is given are its own credentials, and a projected volume is nothing to it. */
static void advise_driver(struct cf_findings *out, struct cf_finding *f,
                          const struct cf_volume *volume)
{
    const char *via = volume->secret_via, *driver = cf_name_fit(out->arena, volume->driver);

    if (cf_starts_with(via, "csi."))
        cf_finding_remedy(out, f,
                          "name a Secret of another type with the driver's own credentials in %s, "
                          "or none: a driver that needs the pod's token gets one that ends by "
                          "spec.tokenRequests of CSIDriver \"%s\"",
                          via, cf_str_or_empty(driver));
    else if (cf_starts_with(via, "azureFile."))
        cf_finding_remedy(out, f,
                          "name a Secret of another type in %s: it holds the storage account "
                          "(azurestorageaccountname, azurestorageaccountkey)",
                          via);
    else
        cf_finding_remedy(
            out, f, "name a Secret of another type with the storage's own credentials in %s", via);
}

static struct cf_finding *report_mount(const struct cf_rule_input *in, struct cf_findings *out,
                                       const char *key, const struct cf_volume *volume,
                                       const struct cf_secret_ref *ref)
{
    struct cf_finding *f = cf_finding_add(out, key, ref->at, cf_value_str(out, ref->name));
    const char *spoken = "";

    if (in->secrets[ref->index].state == CF_SECRET_UNKNOWN) {
        if (cf_finding_kept(out, f))
            spoken = cf_arena_printf(out->arena, "%s %s", cf_volume_spoken(out, volume),
                                     volume->secret_via != NULL ? "refers to" : "mounts");
        cf_report_unknown(in, out, f, ref, cf_str_or_empty(spoken));
        return f;
    }
    if (!cf_finding_kept(out, f))
        return NULL;
    cf_finding_what(out, f, "%s %s Secret \"%s\", a token that never expires%s",
                    cf_volume_spoken(out, volume), volume->secret_via != NULL ? "hands" : "mounts",
                    ref->name, volume->secret_via != NULL ? ", to a driver" : "");
    return f;
}

static void check_sources(const struct cf_rule_input *in, struct cf_findings *out,
                          const struct cf_volume *volume, struct search *search)
{
    for (size_t i = 0; i < volume->source_count; i++) {
        const struct cf_volume_source *source = &volume->sources[i];
        const struct cf_secret_ref *ref = source->secret;
        struct cf_finding *f;
        const char *key;

        if (ref == NULL || !cf_is_legacy(in, ref))
            continue;
        key = cf_key2(out, volume->called, ref->name);
        f = report_mount(in, out, key, volume, ref);
        if (in->secrets[ref->index].state == CF_SECRET_LEGACY && f != NULL)
            try_to_convert(in, out, f, volume, source, ref, search);
    }
}

static void check_mount(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_pod_spec *pod = &in->object->pod;
    struct search search = {0};

    for (size_t i = 0; i < pod->volume_count; i++) {
        const struct cf_volume *volume = &pod->volumes[i];
        const struct cf_secret_ref *ref = volume->secret;
        struct cf_finding *f;

        search.shared = (struct cf_shared_paths){0};
        check_sources(in, out, volume, &search);
        if (ref == NULL || !cf_is_legacy(in, ref))
            continue;
        f = report_mount(in, out, volume->called, volume, ref);
        if (in->secrets[ref->index].state == CF_SECRET_UNKNOWN || f == NULL)
            continue;
        if (volume->type == CF_VOLUME_SECRET) {
            try_to_convert(in, out, f, volume, NULL, ref, &search);
        } else {
            cf_finding_detail(out, f, "%s hands legacy Secret \"%s\" to a driver",
                              volume->secret_via, ref->name);
            advise_driver(out, f, volume);
        }
    }
}

const struct cf_rule cf_rule_legacy_token_mount = {
    .id = "legacy-token-mount",
    .title = "a volume holds a token that never expires",
    .remedy = "use a projected volume with a serviceAccountToken source instead of the Secret",
    .level = CF_RESTRICTED,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE,
    .needs = CF_NEEDS_SECRETS,
    .considers = &cf_rule_extended_token,
    .check = check_mount,
};
