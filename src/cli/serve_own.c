/* SPDX-License-Identifier: Apache-2.0 */
/* serve_own.c - who Curfew is itself. It fills its store with its own ServiceAccount, and the API
 * server may ask /authorize about that: it must never refuse itself. And what restricted accounts
 * may not change is what Curfew reads: the ConfigMaps and Secrets of its namespace. */
#include "serve_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/token.h"

#define MOUNTED_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"

/* Leaves *out without anything when out of memory. */
static void set(struct cf_own *out, const char *namespace, size_t len, const char *name)
{
    *out = (struct cf_own){.namespace = strndup(namespace, len)};
    if (out->namespace == NULL ||
        asprintf(&out->user, "system:serviceaccount:%s:%s", out->namespace, name) < 0) {
        free(out->namespace);
        *out = (struct cf_own){.user = NULL};
    }
}

/* What the token says of itself is enough: whoever can write it is Curfew anyway. */
static void of_mounted_token(struct cf_own *out)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    struct cf_token token = {.service_account = false};
    struct cf_err err;
    struct cf_buf text;

    cf_buf_init(&text, CF_TOKEN_MAX);
    if (arena != NULL && cf_file_read(MOUNTED_TOKEN, &text, &err) == 0 && text.len > 0 &&
        cf_token_decode(arena, text.data, text.len, &token, &err) == 0 && token.service_account &&
        !cf_str_empty(token.namespace) && !cf_str_empty(token.account))
        set(out, token.namespace, strlen(token.namespace), token.account);
    cf_buf_wipe(&text);
    cf_buf_free(&text);
    if (arena != NULL)
        cf_arena_reset(arena, true);
}

int cf_own_find(const struct cf_cmd *cmd, const char *flag, struct cf_own *out)
{
    const char *slash = flag != NULL ? strchr(flag, '/') : NULL;

    *out = (struct cf_own){.user = NULL};
    if (flag == NULL) {
        of_mounted_token(out);
        return CF_EXIT_OK;
    }
    if (slash == NULL || slash == flag || slash[1] == '\0' || strchr(slash + 1, '/') != NULL ||
        strchr(flag, ':') != NULL)
        return cf_usage_error(cmd, "--service-account must be NAMESPACE/NAME, not '%s'", flag);
    set(out, flag, (size_t)(slash - flag), slash + 1);
    return out->user != NULL ? CF_EXIT_OK : CF_EXIT_FAILED;
}

void cf_own_free(struct cf_own *own)
{
    free(own->user);
    free(own->namespace);
    *own = (struct cf_own){.user = NULL};
}
