/* SPDX-License-Identifier: Apache-2.0 */
/* exec_credential.c - reads what a credential program printed: an ExecCredential
 * (k8s.io/client-go pkg/apis/clientauthentication v1, v1beta1). What it said is a secret. */
#include <string.h>

#include "credentials.h"
#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/str.h"

void cf_exec_result_free(struct cf_exec_result *result)
{
    struct cf_buf *all[] = {&result->token, &result->cert, &result->key};

    for (size_t i = 0; i < CF_COUNT(all); i++) {
        cf_buf_wipe(all[i]);
        cf_buf_free(all[i]);
    }
}

/* ---- times ---- */

static bool two_digits(const char *text, int64_t *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* RFC 3339 as Go writes it: a fraction, which is dropped, and "Z" or "+02:00". */
static bool read_time(const char *text, int64_t *when)
{
    char utc[] = "2026-01-01T00:00:00Z";
    size_t whole = strlen(utc) - 1;
    int64_t base, hours, minutes, sign;

    if (strlen(text) < whole + 1)
        return false;
    memcpy(utc, text, whole);
    text += whole;
    if (!cf_time_parse(utc, &base))
        return false;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (cf_streq(text, "Z")) {
        *when = base;
        return true;
    }
    if (strlen(text) != strlen("+02:00") || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !two_digits(text + 1, &hours) || !two_digits(text + 4, &minutes))
        return false;
    sign = text[0] == '+' ? 1 : -1;
    *when = base - sign * (hours * 3600 + minutes * 60);
    return true;
}

/* ---- the answer ---- */

/* A text of `status` into a buffer; absent is empty. */
static int take_text(const struct cf_json *status, const char *key, struct cf_buf *out,
                     struct cf_err *err)
{
    const struct cf_json *value = cf_json_get(status, key);

    if (!cf_json_is_null(value) && cf_json_str(value) == NULL)
        return cf_err_system(err, "status.%s should be a string, not %s", key,
                             cf_json_type_name(cf_json_type(value)));
    cf_buf_adds(out, cf_json_str(value));
    return cf_buf_ok(out) ? 0 : cf_err_system(err, "status.%s is too long to be one", key);
}

static int take_expiry(const struct cf_json *status, int64_t now, struct cf_exec_result *out,
                       struct cf_err *err)
{
    const char *text = cf_json_str(cf_json_get(status, "expirationTimestamp"));
    char at[32];

    if (cf_json_is_null(cf_json_get(status, "expirationTimestamp")))
        return 0;
    if (text == NULL || !read_time(text, &out->expires))
        return cf_err_system(err, "status.expirationTimestamp should be a time like "
                                  "2026-11-22T15:12:51Z");
    if (out->expires <= now)
        return cf_err_system(err, "the credentials that it gave ended at %s",
                             cf_time_format(out->expires, at));
    return 0;
}

static int read_answer(const char *api_version, const struct cf_json *root, int64_t now,
                       struct cf_exec_result *out, struct cf_err *err)
{
    const char *version = cf_str_or_empty(cf_json_str(cf_json_get(root, "apiVersion")));
    const struct cf_json *status = cf_json_get(root, "status");

    if (!cf_streq(cf_json_str(cf_json_get(root, "kind")), "ExecCredential"))
        return cf_err_system(err, "what it printed is no ExecCredential");
    if (!cf_streq(version, api_version))
        return cf_err_system(err, "it answered in %.80s, the kubeconfig says %s", version,
                             api_version);
    if (cf_json_type(status) != CF_JSON_OBJECT)
        return cf_err_system(err, "its answer has no status, and so no credentials");
    if (take_text(status, "token", &out->token, err) != 0 ||
        take_text(status, "clientCertificateData", &out->cert, err) != 0 ||
        take_text(status, "clientKeyData", &out->key, err) != 0 ||
        take_expiry(status, now, out, err) != 0)
        return -1;
    if ((out->cert.len == 0) != (out->key.len == 0))
        return cf_err_system(err, "it gave a client %s; both are needed",
                             out->cert.len > 0 ? "certificate and no key"
                                               : "key and no "
                                                 "certificate");
    if (out->token.len == 0 && out->cert.len == 0)
        return cf_err_system(err, "its answer has neither a token nor a client certificate");
    return 0;
}

int cf_exec_parse(const char *api_version, const char *text, size_t len, int64_t now,
                  struct cf_exec_result *out, struct cf_err *err)
{
    struct cf_arena *arena = cf_arena_new(8 * CF_MIB);
    const struct cf_json *root;
    struct cf_err why = {.kind = CF_ERR_NONE};
    int result = -1;

    memset(out, 0, sizeof(*out));
    cf_buf_init(&out->token, CF_TOKEN_MAX);
    cf_buf_init(&out->cert, CF_CREDENTIAL_MAX);
    cf_buf_init(&out->key, CF_CREDENTIAL_MAX);
    if (arena == NULL)
        return cf_err_memory(err);
    root = cf_json_parse(arena, text, len, NULL, NULL, &why);
    if (root == NULL)
        cf_err_system(err, "what it printed is no JSON: %s", why.msg);
    else
        result = read_answer(api_version, root, now, out, err);
    cf_arena_reset(arena, true);
    cf_arena_free(arena);
    if (result != 0)
        cf_exec_result_free(out);
    return result;
}
