/* SPDX-License-Identifier: Apache-2.0 */
/* serve_tls.c - the flags that say where a serving certificate comes from. */
#include "serve_tls.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/certs.h"
#include "curfew/str.h"

/* ---- which flags go together ---- */

int cf_tls_check_flags(const struct cf_cmd *cmd, const struct cf_tls_flags *flags)
{
    const struct {
        const char *name;
        bool given;
    } of_secret[] = {
        {"--service", flags->services.count > 0},
        {"--dns", flags->names.count > 0},
        {"--webhook-configuration", flags->configurations.count > 0},
        {"--cert-lifetime", flags->leaf_lifetime != 0},
        {"--ca-lifetime", flags->ca_lifetime != 0},
    };

    if (flags->secret != NULL && (flags->cert != NULL || flags->key != NULL))
        return cf_usage_error(cmd,
                              "--tls-secret and %s: the certificate comes from one of them, "
                              "not from both",
                              flags->cert != NULL ? "--tls-cert" : "--tls-key");
    if (flags->secret != NULL && flags->configurations.count == 0)
        return cf_usage_error(cmd, "--tls-secret needs --webhook-configuration: there the API "
                                   "server has to be told of the certificate's authority");
    for (size_t i = 0; flags->secret == NULL && i < CF_COUNT(of_secret); i++) {
        if (of_secret[i].given)
            return cf_usage_error(cmd, "%s needs --tls-secret", of_secret[i].name);
    }
    if (flags->secret == NULL && flags->cert == NULL && flags->key == NULL)
        return cf_usage_error(cmd, "--tls-secret is needed, or --tls-cert and --tls-key: API "
                                   "servers call webhooks over TLS only");
    if (flags->secret == NULL && (flags->cert == NULL || flags->key == NULL))
        return cf_usage_error(cmd, "%s is needed beside %s",
                              flags->cert == NULL ? "--tls-cert" : "--tls-key",
                              flags->cert == NULL ? "--tls-key" : "--tls-cert");
    return CF_EXIT_OK;
}

/* ---- what they say ---- */

/* "NAMESPACE/NAME", split in a copy. They become parts of a path, so nothing else will do. */
static int split_secret(const struct cf_cmd *cmd, const char *text, struct cf_tls_wish *out)
{
    char *slash;

    out->namespace_ = strdup(text);
    if (out->namespace_ == NULL)
        return CF_EXIT_FAILED;
    slash = strchr(out->namespace_, '/');
    if (slash != NULL) {
        *slash = '\0';
        out->name = slash + 1;
    }
    if (slash == NULL || !cf_certs_is_name(out->namespace_) || !cf_certs_is_name(out->name))
        return cf_usage_error(cmd, "%s should be NAMESPACE/NAME, not '%s'",
                              cf_streq(cmd->name, "serve") ? "--tls-secret" : "--secret", text);
    return CF_EXIT_OK;
}

static int take_configurations(const struct cf_cmd *cmd, const struct cf_tls_flags *flags,
                               struct cf_tls_wish *out)
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

static int take_names(const struct cf_cmd *cmd, const struct cf_tls_flags *flags,
                      struct cf_tls_wish *out)
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
static int take_lifetimes(const struct cf_cmd *cmd, const struct cf_tls_flags *flags,
                          struct cf_tls_wish *out)
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

int cf_tls_wish_make(const struct cf_cmd *cmd, const struct cf_tls_flags *flags,
                     struct cf_tls_wish *out)
{
    int status = CF_EXIT_OK;

    memset(out, 0, sizeof(*out));
    if (flags->secret != NULL)
        status = split_secret(cmd, flags->secret, out);
    if (status == CF_EXIT_OK)
        status = take_configurations(cmd, flags, out);
    if (status == CF_EXIT_OK)
        status = take_names(cmd, flags, out);
    if (status == CF_EXIT_OK)
        status = take_lifetimes(cmd, flags, out);
    if (status != CF_EXIT_OK)
        cf_tls_wish_free(out);
    return status;
}

void cf_tls_wish_free(struct cf_tls_wish *wish)
{
    for (size_t i = 0; wish->services != NULL && wish->services[i] != NULL; i++)
        free(wish->services[i]);
    free(wish->services);
    free(wish->names);
    free(wish->configurations);
    free(wish->namespace_);
    memset(wish, 0, sizeof(*wish));
}

void cf_tls_flags_free(struct cf_tls_flags *flags)
{
    cf_opt_list_free(&flags->services);
    cf_opt_list_free(&flags->names);
    cf_opt_list_free(&flags->configurations);
}
