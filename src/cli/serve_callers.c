/* SPDX-License-Identifier: Apache-2.0 */
/* serve_callers.c - see serve_callers.h. */
#include "serve_callers.h"

#include <stdio.h>
#include <stdlib.h>

#include "curfew/attr.h"
#include "curfew/str.h"

/* ---- which flags go together ---- */

static int check_client(const struct cf_cmd *cmd, const struct cf_callers_flags *flags)
{
    if (flags->client_ca == NULL && (flags->client_names.count > 0 || flags->client_crl != NULL))
        return cf_usage_error(cmd, "%s needs --client-ca",
                              flags->client_crl != NULL ? "--client-crl" : "--client-name");
    return CF_EXIT_OK;
}

/* What a token has to say, each with the reason why it cannot be left open. */
struct demand {
    const char *flag, *why;
    bool given;
    bool empty; /* one of its values is */
};
#define DEMANDS 3

static bool has_empty(const struct cf_opt_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (cf_str_empty(list->items[i]))
            return true;
    }
    return false;
}

static int needs(const struct cf_cmd *cmd, const struct demand demands[DEMANDS])
{
    char names[128] = "", whys[256] = "";
    size_t name_len = 0, why_len = 0;

    for (int i = 0; i < DEMANDS; i++) {
        const char *comma = name_len > 0 ? ", " : "";

        if (demands[i].given)
            continue;
        name_len += (size_t)snprintf(names + name_len, sizeof(names) - name_len, "%s%s", comma,
                                     demands[i].flag);
        why_len += (size_t)snprintf(whys + why_len, sizeof(whys) - why_len, "%s%s",
                                    why_len > 0 ? "; " : "", demands[i].why);
    }
    return name_len == 0 ? CF_EXIT_OK
                         : cf_usage_error(cmd, "--bearer-jwks needs %s: %s", names, whys);
}

static int check_bearer(const struct cf_cmd *cmd, const struct cf_callers_flags *flags)
{
    const struct demand demands[DEMANDS] = {
        {"--bearer-issuer", "only one issuer's tokens may do", flags->bearer_issuer != NULL,
         flags->bearer_issuer != NULL && flags->bearer_issuer[0] == '\0'},
        {"--bearer-subject", "the keys of a cluster sign a token for every pod",
         flags->bearer_subjects.count > 0, has_empty(&flags->bearer_subjects)},
        {"--bearer-audience", "a token that was made for another service must not do here",
         flags->bearer_audiences.count > 0, has_empty(&flags->bearer_audiences)},
    };

    for (int i = 0; i < DEMANDS; i++) {
        if (demands[i].given && flags->bearer_jwks == NULL)
            return cf_usage_error(cmd, "%s needs --bearer-jwks", demands[i].flag);
        if (demands[i].empty)
            return cf_usage_error(cmd, "%s must not be empty", demands[i].flag);
    }
    return flags->bearer_jwks != NULL ? needs(cmd, demands) : CF_EXIT_OK;
}

int cf_callers_check_flags(const struct cf_cmd *cmd, const struct cf_callers_flags *flags)
{
    int status = check_client(cmd, flags);

    if (status == CF_EXIT_OK)
        status = check_bearer(cmd, flags);
    if (status != CF_EXIT_OK)
        return status;
    if (flags->authorize_anonymous && (flags->client_ca != NULL || flags->bearer_jwks != NULL))
        return cf_usage_error(cmd,
                              "--authorize-anonymous and %s: callers are either asked who they are "
                              "or not; leave out one of the two",
                              flags->client_ca != NULL ? "--client-ca" : "--bearer-jwks");
    return CF_EXIT_OK;
}

/* ---- what they say ---- */

static const char **take(const struct cf_opt_list *list)
{
    const char **names = calloc(list->count + 1, sizeof(*names));

    for (size_t i = 0; names != NULL && i < list->count; i++)
        names[i] = list->items[i];
    return names;
}

int cf_callers_take(const struct cf_callers_flags *flags, struct cf_callers *out,
                    struct cf_server_config *config, struct cf_err *err)
{
    *out = (struct cf_callers){
        .client_names = take(&flags->client_names),
        .bearer_subjects = take(&flags->bearer_subjects),
        .bearer_audiences = take(&flags->bearer_audiences),
    };
    if (out->client_names == NULL || out->bearer_subjects == NULL ||
        out->bearer_audiences == NULL) {
        cf_callers_free(out);
        return cf_err_memory(err);
    }
    config->client_ca = flags->client_ca;
    config->client_crl = flags->client_crl;
    config->client_names = out->client_names;
    config->bearer_jwks = flags->bearer_jwks;
    config->bearer_issuer = flags->bearer_issuer;
    config->bearer_subjects = out->bearer_subjects;
    config->bearer_audiences = out->bearer_audiences;
    config->authorize_anonymous = flags->authorize_anonymous;
    return 0;
}

void cf_callers_free(struct cf_callers *callers)
{
    free(callers->client_names);
    free(callers->bearer_subjects);
    free(callers->bearer_audiences);
    *callers = (struct cf_callers){.client_names = NULL};
}

void cf_callers_flags_free(struct cf_callers_flags *flags)
{
    cf_opt_list_free(&flags->client_names);
    cf_opt_list_free(&flags->bearer_subjects);
    cf_opt_list_free(&flags->bearer_audiences);
}
