/* SPDX-License-Identifier: Apache-2.0 */
/* certs_flags.c - the flags of `curfew certs`: which Secret, for which names, for how long. */
#include "certs_flags.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/buf.h"
#include "curfew/certs.h"

int cf_split_secret(const struct cf_cmd *cmd, const char *flag, const char *text, char **namespace,
                    const char **name)
{
    char *slash;

    *namespace = strdup(text);
    if (*namespace == NULL)
        return CF_EXIT_FAILED;
    slash = strchr(*namespace, '/');
    if (slash != NULL) {
        *slash = '\0';
        *name = slash + 1;
    }
    if (slash == NULL || !cf_certs_is_name(*namespace) || !cf_certs_is_name(*name))
        return cf_usage_error(cmd, "%s should be NAMESPACE/NAME, not '%s'", flag, text);
    return CF_EXIT_OK;
}

static int take_configurations(const struct cf_cmd *cmd, const struct cf_certs_flags *flags,
                               struct cf_certs_given *out)
{
    out->configurations = calloc(flags->configurations.count + 1, sizeof(*out->configurations));
    if (out->configurations == NULL)
        return CF_EXIT_FAILED;
    for (size_t i = 0; i < flags->configurations.count; i++) {
        const char *name = flags->configurations.items[i];

        if (!cf_certs_is_name(name))
            return cf_usage_error(cmd, "--webhook-configuration should be a name, not '%s'", name);
        out->configurations[i] = name;
    }
    return CF_EXIT_OK;
}

static char *service_name(const char *service)
{
    struct cf_buf name;
    char *text = NULL;

    cf_buf_init(&name, 300);
    if (cf_certs_service_name(service, &name))
        text = cf_buf_take(&name, NULL);
    cf_buf_free(&name);
    return text;
}

static int take_names(const struct cf_cmd *cmd, const struct cf_certs_flags *flags,
                      struct cf_certs_given *out)
{
    out->names = calloc(flags->services.count + flags->names.count + 1, sizeof(*out->names));
    out->services = calloc(flags->services.count + 1, sizeof(*out->services));
    if (out->names == NULL || out->services == NULL)
        return CF_EXIT_FAILED;
    for (size_t i = 0; i < flags->services.count; i++) {
        out->services[i] = service_name(flags->services.items[i]);
        if (out->services[i] == NULL)
            return cf_usage_error(cmd, "--service should be NAME.NAMESPACE, not '%s'",
                                  flags->services.items[i]);
        out->names[out->name_count++] = out->services[i];
    }
    for (size_t i = 0; i < flags->names.count; i++) {
        if (!cf_certs_is_name(flags->names.items[i]))
            return cf_usage_error(cmd, "--dns should be a DNS name or an IP address, not '%s'",
                                  flags->names.items[i]);
        out->names[out->name_count++] = flags->names.items[i];
    }
    return CF_EXIT_OK;
}

/* An authority is renewed when a third of its life is left, in which the old one's last certificate
 * has to have its own. */
static int take_lifetimes(const struct cf_cmd *cmd, const struct cf_certs_flags *flags,
                          struct cf_certs_given *out)
{
    int64_t leaf = flags->leaf_lifetime != 0 ? flags->leaf_lifetime : CF_LEAF_LIFETIME;
    int64_t ca = flags->ca_lifetime;

    if (leaf < CF_LIFETIME_MIN || leaf > CF_LIFETIME_MAX)
        return cf_usage_error(cmd, "--cert-lifetime is from 30s to ten years");
    if (ca == 0)
        ca = 4 * leaf > CF_CA_LIFETIME ? 4 * leaf : CF_CA_LIFETIME;
    if (ca < 3 * leaf || ca > 4 * CF_LIFETIME_MAX)
        return cf_usage_error(cmd, "--ca-lifetime is at least three times --cert-lifetime (an "
                                   "authority is renewed in the last third of its life), and at "
                                   "most forty years");
    out->leaf_lifetime = leaf;
    out->ca_lifetime = ca;
    return CF_EXIT_OK;
}

int cf_certs_given_make(const struct cf_cmd *cmd, const struct cf_certs_flags *flags,
                        struct cf_certs_given *out)
{
    int status = CF_EXIT_OK;

    memset(out, 0, sizeof(*out));
    if (flags->secret != NULL)
        status = cf_split_secret(cmd, "--secret", flags->secret, &out->namespace, &out->name);
    if (status == CF_EXIT_OK)
        status = take_configurations(cmd, flags, out);
    if (status == CF_EXIT_OK)
        status = take_names(cmd, flags, out);
    if (status == CF_EXIT_OK)
        status = take_lifetimes(cmd, flags, out);
    if (status != CF_EXIT_OK)
        cf_certs_given_free(out);
    return status;
}

void cf_certs_given_free(struct cf_certs_given *wish)
{
    for (size_t i = 0; wish->services != NULL && wish->services[i] != NULL; i++)
        free(wish->services[i]);
    free(wish->services);
    free(wish->names);
    free(wish->configurations);
    free(wish->namespace);
    memset(wish, 0, sizeof(*wish));
}

void cf_certs_flags_free(struct cf_certs_flags *flags)
{
    cf_opt_list_free(&flags->services);
    cf_opt_list_free(&flags->names);
    cf_opt_list_free(&flags->configurations);
}
