/* SPDX-License-Identifier: Apache-2.0 */
/* serve_tls.c - the flags that say where the serving certificate comes from. */
#include "serve_tls.h"

#include "certs_flags.h"

int cf_tls_check_flags(const struct cf_cmd *cmd, const struct cf_tls_flags *flags)
{
    if (flags->secret != NULL && (flags->cert != NULL || flags->key != NULL))
        return cf_usage_error(cmd,
                              "--tls-secret and %s: the certificate comes from one of them, "
                              "not from both",
                              flags->cert != NULL ? "--tls-cert" : "--tls-key");
    if (flags->secret == NULL && flags->cert == NULL && flags->key == NULL)
        return cf_usage_error(cmd, "--tls-secret is needed, or --tls-cert and --tls-key: API "
                                   "servers call webhooks over TLS only");
    if (flags->secret == NULL && (flags->cert == NULL || flags->key == NULL))
        return cf_usage_error(cmd, "%s is needed beside %s",
                              flags->cert == NULL ? "--tls-cert" : "--tls-key",
                              flags->cert == NULL ? "--tls-key" : "--tls-cert");
    return CF_EXIT_OK;
}

int cf_tls_take_secret(const struct cf_cmd *cmd, const struct cf_tls_flags *flags, char **namespace,
                       struct cf_tls_secret_config *out)
{
    int status;

    *namespace = NULL;
    out->name = NULL;
    if (flags->secret == NULL)
        return CF_EXIT_OK;
    status = cf_split_secret(cmd, "--tls-secret", flags->secret, namespace, &out->name);
    out->namespace = *namespace;
    return status;
}
