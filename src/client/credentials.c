/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - where an API server is and who the client is there: checked, kept fresh, and read
 * from a pod's files. */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"

/* A file is read again after a minute even if it looks unchanged, as client-go does. */
#define REREAD_AFTER_MICROS ((int64_t)60 * 1000000)

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

/* ---- data, or a file that others replace ---- */

static bool same_file(const struct cf_kept *kept, const struct stat *st)
{
    return kept->seen.dev == st->st_dev && kept->seen.ino == st->st_ino &&
           kept->seen.size == st->st_size && kept->seen.changed.tv_sec == st->st_mtim.tv_sec &&
           kept->seen.changed.tv_nsec == st->st_mtim.tv_nsec;
}

static void remember_file(struct cf_kept *kept, const struct stat *st)
{
    kept->seen.dev = st->st_dev;
    kept->seen.ino = st->st_ino;
    kept->seen.size = st->st_size;
    kept->seen.changed = st->st_mtim;
}

static int reread_file(struct cf_kept *kept, struct cf_err *err)
{
    struct cf_buf bytes;

    cf_buf_init(&bytes, CF_CREDENTIAL_MAX);
    if (cf_file_read(kept->path, &bytes, err) != 0 || bytes.len == 0) {
        if (bytes.len == 0 && err != NULL && err->kind == CF_ERR_NONE)
            cf_err_system(err, "'%s' is empty", kept->path);
        cf_buf_wipe(&bytes);
        cf_buf_free(&bytes);
        return -1;
    }
    cf_buf_wipe(&kept->bytes);
    cf_buf_free(&kept->bytes);
    kept->bytes = bytes;
    kept->read_at = cf_monotonic_micros();
    return 0;
}

int cf_kept_refresh(struct cf_kept *kept, bool again, struct cf_err *err)
{
    struct cf_err why = {.kind = CF_ERR_NONE};
    struct stat st;

    if (kept->path == NULL)
        return 0;
    if (stat(kept->path, &st) != 0)
        cf_err_system(&why, "opening '%s': %s", kept->path, strerror(errno));
    else if (!again && kept->read_at != 0 && same_file(kept, &st) &&
             cf_monotonic_micros() - kept->read_at < REREAD_AFTER_MICROS)
        return 0;
    else if (reread_file(kept, &why) == 0)
        remember_file(kept, &st);
    if (why.kind == CF_ERR_NONE || kept->bytes.len > 0)
        return 0;
    *err = why;
    err->kind = CF_ERR_SYSTEM;
    return -1;
}

static void kept_free(struct cf_kept *kept)
{
    cf_buf_wipe(&kept->bytes);
    cf_buf_free(&kept->bytes);
}

/* ---- all credentials ---- */

struct cf_credentials *cf_credentials_new(struct cf_err *err)
{
    struct cf_credentials *creds = calloc(1, sizeof(*creds));

    if (creds != NULL)
        creds->arena = cf_arena_new(16 * CF_KUBECONFIG_MAX);
    if (creds == NULL || creds->arena == NULL) {
        cf_err_memory(err);
        cf_credentials_free(creds);
        return NULL;
    }
    cf_buf_init(&creds->ca.bytes, CF_CREDENTIAL_MAX);
    cf_buf_init(&creds->cert.bytes, CF_CREDENTIAL_MAX);
    cf_buf_init(&creds->key.bytes, CF_CREDENTIAL_MAX);
    cf_buf_init(&creds->token.bytes, CF_TOKEN_MAX);
    return creds;
}

void cf_credentials_free(struct cf_credentials *creds)
{
    if (creds == NULL)
        return;
    kept_free(&creds->ca);
    kept_free(&creds->cert);
    kept_free(&creds->key);
    kept_free(&creds->token);
    if (creds->arena != NULL)
        cf_arena_reset(creds->arena, true);
    cf_arena_free(creds->arena);
    free(creds);
}

static bool kept_is_given(const struct cf_kept *kept)
{
    return kept->path != NULL || kept->bytes.len > 0;
}

int cf_credentials_check(const struct cf_credentials *creds, struct cf_err *err)
{
    bool https = cf_starts_with(creds->server, "https://");
    bool secret = kept_is_given(&creds->token) || kept_is_given(&creds->key) || creds->exec != NULL;

    if (!https && !cf_starts_with(creds->server, "http://"))
        return cf_err_set(err, "%s: the server is '%s', and should begin with https://",
                          creds->trust, creds->server);
    if (!https && secret)
        return cf_err_set(err,
                          "%s: the server is '%s', and credentials are never sent without TLS: it "
                          "should begin with https://",
                          creds->trust, creds->server);
    if (kept_is_given(&creds->cert) != kept_is_given(&creds->key))
        return cf_err_set(err, "%s: it has a client %s; both are needed", creds->who,
                          kept_is_given(&creds->cert) ? "certificate and no key"
                                                      : "key and no certificate");
    if (creds->insecure && kept_is_given(&creds->ca))
        return cf_err_set(
            err,
            "%s: it has insecure-skip-tls-verify and a certificate-authority; remove one "
            "of them",
            creds->trust);
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
    a->who = "a client without credentials";
    a->trust = cf_arena_printf(a->arena, "'%s'", ca_file);
    if (cf_arena_failed(a->arena))
        cf_err_memory(err);
    else if (cf_credentials_check(a, err) == 0)
        return a;
    cf_credentials_free(a);
    return NULL;
}

/* ---- one request ---- */

/* Trims white space; a token with a line break would end the header. */
static int trim_token(struct cf_credentials *creds, struct cf_err *err)
{
    struct cf_buf *token = &creds->token.bytes;
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
            return cf_err_system(
                err, "%s: invalid token%s%s%s: it contains white space or non-ASCII characters",
                creds->who, creds->token.path != NULL ? " in '" : "",
                cf_str_or_empty(creds->token.path), creds->token.path != NULL ? "'" : "");
    }
    return 0;
}

static void replace_kept(struct cf_kept *into, struct cf_buf *from)
{
    kept_free(into);
    into->bytes = *from;
    cf_buf_init(from, 0);
}

/* A minute before the end, or a fifth of a shorter lifetime. */
static int64_t renewal_time(int64_t expires, int64_t now)
{
    int64_t early = (expires - now) / 5;

    if (expires == 0)
        return INT64_MAX;
    return expires - (early < 60 ? early : 60);
}

static int refresh_exec(struct cf_credentials *creds, bool again, bool (*cancelled)(void *arg),
                        void *arg, struct cf_err *err)
{
    struct cf_exec_result result;
    int64_t now = cf_now();

    if (creds->exec == NULL || (!again && now < creds->exec->renew_at))
        return 0;
    if (cf_exec_run(creds->exec, cancelled, arg, &result, err) != 0)
        return cf_err_wrap(err, "%s", creds->who);
    creds->exec->renew_at = renewal_time(result.expires, now);
    replace_kept(&creds->token, &result.token);
    replace_kept(&creds->cert, &result.cert);
    replace_kept(&creds->key, &result.key);
    cf_exec_result_free(&result);
    return 0;
}

int cf_credentials_refresh(struct cf_credentials *creds, bool again, bool (*cancelled)(void *arg),
                           void *arg, struct cf_err *err)
{
    if (refresh_exec(creds, again, cancelled, arg, err) != 0)
        return -1;
    if (cf_kept_refresh(&creds->ca, again, err) != 0)
        return cf_err_wrap(err, "%s", creds->trust);
    if (cf_kept_refresh(&creds->token, again, err) != 0 ||
        cf_kept_refresh(&creds->cert, again, err) != 0 ||
        cf_kept_refresh(&creds->key, again, err) != 0)
        return cf_err_wrap(err, "%s", creds->who);
    return trim_token(creds, err);
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

static int fail_no_pod(const char *name, struct cf_err *err)
{
    return cf_err_system(
        err, "no cluster: %s is not set, so this is not a pod; use --kubeconfig FILE", name);
}

static int read_pod_files(struct cf_credentials *creds, const char *folder, struct cf_err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    bool is_v6 = host != NULL && strchr(host, ':') != NULL;
    const char *token = cf_arena_printf(creds->arena, "%s/token", folder);

    if (cf_str_empty(host))
        return fail_no_pod("KUBERNETES_SERVICE_HOST", err);
    if (cf_str_empty(port))
        return fail_no_pod("KUBERNETES_SERVICE_PORT", err);
    creds->server = cf_arena_printf(creds->arena, "https://%s%s%s:%s", is_v6 ? "[" : "", host,
                                    is_v6 ? "]" : "", port);
    creds->ca.path = cf_arena_printf(creds->arena, "%s/ca.crt", folder);
    creds->token.path = token;
    creds->namespace = pod_namespace(creds->arena, folder);
    creds->who = cf_arena_printf(creds->arena, "the pod's ServiceAccount ('%s')", token);
    creds->trust = cf_arena_printf(creds->arena, "the pod's cluster ('%s/ca.crt')", folder);
    if (cf_arena_failed(creds->arena))
        return cf_err_memory(err);
    if (faccessat(AT_FDCWD, token, R_OK, AT_EACCESS) != 0)
        return cf_err_system(err,
                             "no token: '%s': %s; mount one (automountServiceAccountToken, or a "
                             "projected volume), or use --kubeconfig FILE",
                             token, strerror(errno));
    return 0;
}

struct cf_credentials *cf_credentials_in_cluster(const char *folder, struct cf_err *err)
{
    struct cf_credentials *creds = cf_credentials_new(err);

    if (creds != NULL && read_pod_files(creds, folder != NULL ? folder : POD_FOLDER, err) != 0) {
        cf_credentials_free(creds);
        return NULL;
    }
    return creds;
}
