/* SPDX-License-Identifier: Apache-2.0 */
/* serve_own.c - Curfew fills its store with its own ServiceAccount, through the very door that
 * /authorize guards: it must never refuse itself. */
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

static char *username(const char *namespace_, size_t len, const char *name)
{
    char *text = NULL;

    if (asprintf(&text, "system:serviceaccount:%.*s:%s", (int)len, namespace_, name) < 0)
        return NULL;
    return text;
}

/* What the token says of itself is enough: whoever can write it is Curfew anyway. */
static char *user_of_mounted_token(void)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    struct cf_token token = {.service_account = false};
    struct cf_err err;
    struct cf_buf text;
    char *user = NULL;

    cf_buf_init(&text, CF_TOKEN_MAX);
    if (arena != NULL && cf_file_read(MOUNTED_TOKEN, &text, &err) == 0 && text.len > 0 &&
        cf_token_decode(arena, text.data, text.len, &token, &err) == 0 && token.service_account &&
        !cf_str_empty(token.namespace_) && !cf_str_empty(token.account))
        user = username(token.namespace_, strlen(token.namespace_), token.account);
    cf_buf_wipe(&text);
    cf_buf_free(&text);
    if (arena != NULL)
        cf_arena_reset(arena, true);
    return user;
}

int cf_own_user(const struct cf_cmd *cmd, const char *flag, char **out)
{
    const char *slash = flag != NULL ? strchr(flag, '/') : NULL;

    if (flag == NULL) {
        *out = user_of_mounted_token();
        return CF_EXIT_OK;
    }
    if (slash == NULL || slash == flag || slash[1] == '\0' || strchr(slash + 1, '/') != NULL ||
        strchr(flag, ':') != NULL)
        return cf_usage_error(cmd, "--service-account must be NAMESPACE/NAME, not '%s'", flag);
    *out = username(flag, (size_t)(slash - flag), slash + 1);
    return *out != NULL ? CF_EXIT_OK : CF_EXIT_FAILED;
}
