/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - what a kubeconfig and a pod's files have in common; and the pod's files. */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curfew/time.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

struct cf_credentials *cf_credentials_new(struct cf_err *err)
{
    struct cf_credentials *access = calloc(1, sizeof(*access));

    if (access != NULL)
        access->arena = cf_arena_new(16 * CF_KUBECONFIG_MAX);
    if (access == NULL || access->arena == NULL) {
        cf_err_memory(err);
        cf_credentials_free(access);
        return NULL;
    }
    cf_buf_init(&access->ca.bytes, CF_CREDENTIAL_MAX);
    cf_buf_init(&access->cert.bytes, CF_CREDENTIAL_MAX);
    cf_buf_init(&access->key.bytes, CF_CREDENTIAL_MAX);
    cf_buf_init(&access->token.bytes, CF_TOKEN_MAX);
    return access;
}

void cf_credentials_free(struct cf_credentials *access)
{
    if (access == NULL)
        return;
    cf_kept_free(&access->ca);
    cf_kept_free(&access->cert);
    cf_kept_free(&access->key);
    cf_kept_free(&access->token);
    if (access->arena != NULL)
        cf_arena_reset(access->arena, true);
    cf_arena_free(access->arena);
    free(access);
}

static bool is_given(const struct cf_kept *kept)
{
    return kept->path != NULL || kept->bytes.len > 0;
}

int cf_credentials_check(const struct cf_credentials *access, struct cf_err *err)
{
    bool https = cf_starts_with(access->server, "https://");
    bool secret = is_given(&access->token) || is_given(&access->key) || access->exec != NULL;

    if (!https && !cf_starts_with(access->server, "http://"))
        return cf_err_set(err, "%s: the server is '%s', and should begin with https://",
                          access->trust, access->server);
    if (!https && secret)
        return cf_err_set(err,
                          "%s: the server is '%s', and credentials are never sent without TLS: it "
                          "should begin with https://",
                          access->trust, access->server);
    if (is_given(&access->cert) != is_given(&access->key))
        return cf_err_set(err, "%s: it has a client %s; both are needed", access->who,
                          is_given(&access->cert) ? "certificate and no key"
                                                  : "key and no certificate");
    if (access->insecure && is_given(&access->ca))
        return cf_err_set(err,
                          "%s: it has insecure-skip-tls-verify and a certificate-authority: one of "
                          "them has to go",
                          access->trust);
    return 0;
}

struct cf_credentials *cf_credentials_at(const char *url, const char *ca_file,
                                         const char *server_name, struct cf_err *err)
{
    struct cf_credentials *a = cf_credentials_new(err);
    size_t len = strlen(url);

    if (a == NULL)
        return NULL;
    while (len > 0 && url[len - 1] == '/')
        len--;
    a->server = cf_arena_strndup(a->arena, url, len);
    a->namespace = "default";
    a->server_name = server_name != NULL ? cf_arena_strdup(a->arena, server_name) : NULL;
    a->ca.path = cf_arena_strdup(a->arena, ca_file);
    a->who = "somebody without credentials";
    a->trust = cf_arena_printf(a->arena, "'%s'", ca_file);
    if (cf_arena_failed(a->arena))
        cf_err_memory(err);
    else if (cf_credentials_check(a, err) == 0)
        return a;
    cf_credentials_free(a);
    return NULL;
}

/* ---- one request ---- */

/* A line break in it would end the header. */
static int tidy_token(struct cf_credentials *access, struct cf_err *err)
{
    struct cf_buf *token = &access->token.bytes;
    size_t begin = 0;

    while (token->len > 0 && strchr(" \t\r\n", token->data[token->len - 1]) != NULL)
        token->len--;
    while (begin < token->len && strchr(" \t\r\n", token->data[begin]) != NULL)
        begin++;
    if (begin > 0)
        memmove(token->data, token->data + begin, token->len - begin);
    token->len -= begin;
    if (token->data != NULL)
        token->data[token->len] = '\0';
    for (size_t i = 0; i < token->len; i++) {
        if ((unsigned char)token->data[i] <= ' ' || (unsigned char)token->data[i] >= 0x7F)
            return cf_err_system(err, "%s: the token%s%s%s is none: it holds other characters",
                                 access->who, access->token.path != NULL ? " in '" : "",
                                 cf_str_or_empty(access->token.path),
                                 access->token.path != NULL ? "'" : "");
    }
    return 0;
}

static void take(struct cf_kept *into, struct cf_buf *from)
{
    cf_kept_free(into);
    into->bytes = *from;
    cf_buf_init(from, 0);
}

/* Before it ends: a minute, or a fifth of a short life. */
static int64_t renew_at(int64_t expires, int64_t now)
{
    int64_t early = (expires - now) / 5;

    if (expires == 0)
        return INT64_MAX;
    return expires - (early < 60 ? early : 60);
}

static int refresh_exec(struct cf_credentials *access, bool again, bool (*cancelled)(void *arg),
                        void *arg, struct cf_err *err)
{
    struct cf_exec_result result;
    int64_t now = cf_now();

    if (access->exec == NULL || (!again && now < access->exec->renew_at))
        return 0;
    if (cf_exec_run(access->exec, cancelled, arg, &result, err) != 0)
        return cf_err_wrap(err, "%s", access->who);
    access->exec->renew_at = renew_at(result.expires, now);
    take(&access->token, &result.token);
    take(&access->cert, &result.cert);
    take(&access->key, &result.key);
    cf_exec_result_free(&result);
    return 0;
}

int cf_credentials_refresh(struct cf_credentials *access, bool again, bool (*cancelled)(void *arg),
                           void *arg, struct cf_err *err)
{
    if (refresh_exec(access, again, cancelled, arg, err) != 0)
        return -1;
    if (cf_kept_refresh(&access->ca, again, err) != 0)
        return cf_err_wrap(err, "%s", access->trust);
    if (cf_kept_refresh(&access->token, again, err) != 0 ||
        cf_kept_refresh(&access->cert, again, err) != 0 ||
        cf_kept_refresh(&access->key, again, err) != 0)
        return cf_err_wrap(err, "%s", access->who);
    return tidy_token(access, err);
}

/* ---- in a pod ---- */

/* The pod's namespace; "default" where the file is not mounted. */
static const char *pod_namespace(struct cf_arena *arena, const char *folder)
{
    const char *path = cf_arena_printf(arena, "%s/namespace", folder);
    struct cf_buf text;

    cf_buf_init_arena(&text, arena, 4096);
    if (path == NULL || cf_file_read(path, &text, NULL) != 0 || text.len == 0)
        return "default";
    text.data[strcspn(text.data, " \r\n")] = '\0';
    return text.data[0] != '\0' ? text.data : "default";
}

static int no_pod(const char *name, struct cf_err *err)
{
    return cf_err_system(err,
                         "no cluster: %s is not set, so this is no pod; name a kubeconfig with "
                         "--kubeconfig FILE",
                         name);
}

static int read_pod(struct cf_credentials *access, const char *folder, struct cf_err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    bool is_v6 = host != NULL && strchr(host, ':') != NULL;
    const char *token = cf_arena_printf(access->arena, "%s/token", folder);

    if (cf_str_empty(host))
        return no_pod("KUBERNETES_SERVICE_HOST", err);
    if (cf_str_empty(port))
        return no_pod("KUBERNETES_SERVICE_PORT", err);
    access->server = cf_arena_printf(access->arena, "https://%s%s%s:%s", is_v6 ? "[" : "", host,
                                     is_v6 ? "]" : "", port);
    access->ca.path = cf_arena_printf(access->arena, "%s/ca.crt", folder);
    access->token.path = token;
    access->namespace = pod_namespace(access->arena, folder);
    access->who = cf_arena_printf(access->arena, "the pod's ServiceAccount ('%s')", token);
    access->trust = cf_arena_printf(access->arena, "the pod's cluster ('%s/ca.crt')", folder);
    if (cf_arena_failed(access->arena))
        return cf_err_memory(err);
    if (faccessat(AT_FDCWD, token, R_OK, AT_EACCESS) != 0)
        return cf_err_system(err,
                             "no token: '%s': %s; mount one (automountServiceAccountToken, or a "
                             "projected volume), or name a kubeconfig with --kubeconfig FILE",
                             token, strerror(errno));
    return 0;
}

struct cf_credentials *cf_credentials_in_cluster(const char *folder, struct cf_err *err)
{
    struct cf_credentials *access = cf_credentials_new(err);

    if (access != NULL && read_pod(access, folder != NULL ? folder : POD_FOLDER, err) != 0) {
        cf_credentials_free(access);
        return NULL;
    }
    return access;
}
