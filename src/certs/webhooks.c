/* SPDX-License-Identifier: Apache-2.0 */
/* webhooks.c - the caBundles of Curfew's webhook configurations, and the names by which API servers
 * call its webhooks. */
#include <stdio.h>
#include <string.h>

#include "curfew/base64.h"
#include "curfew/certs_cluster.h"
#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define CONFIGURATION_MAX (2 * CF_MIB)
#define ARENA_MAX (16 * CF_MIB)
/* Reads of one configuration that other clients write at the same time. */
#define TRIES_MAX 5

/* One configuration, and what to do with it. */
struct configuration {
    const struct cf_api_caller *caller;
    struct cf_arena *arena;
    const char *kind; /* "mutating" or "validating" */
    const char *name;
    const char *path;
    const struct cf_buf *bundle, *cert;
    struct cf_webhooks *out;
};

static int call_configuration(const struct configuration *conf, struct cf_api_call *call,
                              unsigned *status, struct cf_buf *body, struct cf_err *err)
{
    call->path = conf->path;
    call->resource = cf_arena_printf(
        conf->arena, "the %swebhookconfiguration \"%s\" (API group admissionregistration.k8s.io)",
        conf->kind, conf->name);
    return cf_api_call_object(conf->caller, conf->arena, call, status, body, err);
}

static int fail_configuration(const struct configuration *conf, const char *what, unsigned status,
                              const struct cf_buf *body, struct cf_err *err)
{
    what = cf_arena_printf(conf->arena, "%s %swebhookconfiguration \"%s\"", what, conf->kind,
                           conf->name);
    return cf_api_fail_status(conf->arena, what, status, body, err);
}

/* ---- names ---- */

static void add_webhook_name(struct cf_webhooks *out, const char *name)
{
    for (size_t i = 0; i < out->name_count; i++) {
        if (cf_streq(out->names[i], name))
            return;
    }
    if (name != NULL && cf_certs_is_name(name) && out->name_count < CF_WEBHOOK_NAMES)
        out->names[out->name_count++] = name;
}

/* "https://[::1]:8443/validate" gives "::1". */
static const char *host_of(struct cf_arena *arena, const char *url)
{
    const char *host = strstr(url, "://");
    size_t len;

    if (host == NULL)
        return NULL;
    host += 3;
    if (*host == '[')
        return cf_arena_strndup(arena, host + 1, strcspn(host + 1, "]"));
    len = strcspn(host, ":/");
    return cf_arena_strndup(arena, host, len);
}

/* An API server expects NAME.NAMESPACE.svc in the certificate for a service, and the host for a URL
 * (k8s.io/apiserver pkg/util/webhook/client.go). */
static void add_client_name(const struct configuration *conf, const struct cf_json *client)
{
    const struct cf_json *service = cf_json_get(client, "service");
    const char *name = cf_json_str(cf_json_get(service, "name"));
    const char *namespace = cf_json_str(cf_json_get(service, "namespace"));
    const char *url = cf_json_str(cf_json_get(client, "url"));

    if (name != NULL && namespace != NULL)
        add_webhook_name(conf->out,
                         cf_arena_printf(conf->out->arena, "%s.%s.svc", name, namespace));
    if (url != NULL)
        add_webhook_name(conf->out, host_of(conf->out->arena, url));
}

/* ---- bundles ---- */

static void keep_first_bundle(const struct configuration *conf, const struct cf_json *webhook)
{
    const char *text = cf_json_str(cf_json_get(cf_json_get(webhook, "clientConfig"), "caBundle"));
    struct cf_buf *trusted = conf->out->trusted;

    if (trusted != NULL && trusted->len == 0 && text != NULL &&
        !cf_base64_decode(text, strlen(text), trusted))
        cf_buf_wipe(trusted);
}

/* Whether the webhook's caBundle is the wanted one; counts it if not. */
static bool compare_bundle(const struct configuration *conf, const struct cf_json *webhook)
{
    const char *text = cf_json_str(cf_json_get(cf_json_get(webhook, "clientConfig"), "caBundle"));
    struct cf_webhooks *out = conf->out;
    struct cf_buf pem;
    bool same;

    cf_buf_init_arena(&pem, conf->arena, CF_CREDENTIAL_MAX);
    if (text != NULL && !cf_base64_decode(text, strlen(text), &pem))
        pem.len = 0;
    same = pem.len == conf->bundle->len &&
           memcmp(cf_buf_str(&pem), cf_buf_str(conf->bundle), pem.len) == 0;
    if (same)
        return true;
    if (out->differing++ == 0)
        snprintf(out->first, sizeof(out->first), "%swebhookconfiguration %s, webhook %.120s",
                 conf->kind, conf->name,
                 cf_str_or_empty(cf_json_str(cf_json_get(webhook, "name"))));
    out->distrusting +=
        !cf_certs_trusts(cf_buf_str(&pem), pem.len, conf->cert->data, conf->cert->len, cf_now());
    return false;
}

/* A strategic merge patch: webhooks are merged by name, and no other field changes. The
 * resourceVersion prevents that a webhook which was removed meanwhile is added again. */
static void write_patch(const struct configuration *conf, const struct cf_json *object,
                        struct cf_buf *text)
{
    const char *bundle = cf_base64(conf->arena, conf->bundle->data, conf->bundle->len);
    const struct cf_json *v = cf_json_first(cf_json_get(object, "webhooks"));
    struct cf_out out;

    cf_out_init(&out, text);
    cf_out_object(&out, NULL);
    cf_out_object(&out, "metadata");
    cf_out_value(&out, "resourceVersion",
                 cf_json_get(cf_json_get(object, "metadata"), "resourceVersion"));
    cf_out_end_object(&out);
    cf_out_array(&out, "webhooks");
    for (; v != NULL; v = cf_json_next(v)) {
        cf_out_object(&out, NULL);
        cf_out_value(&out, "name", cf_json_get(v, "name"));
        cf_out_object(&out, "clientConfig");
        cf_out_str(&out, "caBundle", bundle);
        cf_out_end_object(&out);
        cf_out_end_object(&out);
    }
    cf_out_end_array(&out);
    cf_out_end_object(&out);
}

/* *conflict: another client wrote the configuration since it was read, most likely another replica
 * that wrote the same. */
static int patch_bundles(const struct configuration *conf, const struct cf_json *object,
                         bool *conflict, struct cf_err *err)
{
    struct cf_api_call what = {.method = "PATCH",
                               .verb = "patch",
                               .content_type = "application/strategic-merge-patch+json"};
    struct cf_buf text, body;
    unsigned status;

    cf_buf_init_arena(&text, conf->arena, CONFIGURATION_MAX);
    write_patch(conf, object, &text);
    if (!cf_buf_ok(&text) || cf_arena_failed(conf->arena))
        return cf_err_memory(err);
    what.body = text.data;
    what.body_len = text.len;
    if (call_configuration(conf, &what, &status, &body, err) != 0)
        return -1;
    *conflict = status == 409;
    return status == 200 || *conflict
               ? 0
               : fail_configuration(conf, "writing the caBundle of", status, &body, err);
}

/* ---- one configuration ---- */

static int sync_once(const struct configuration *conf, bool write, bool *conflict,
                     struct cf_err *err)
{
    const struct cf_json *object, *v;
    bool all_same = true;
    struct cf_api_call what = {.method = "GET", .verb = "get"};
    struct cf_buf body;
    unsigned status;

    if (call_configuration(conf, &what, &status, &body, err) != 0)
        return -1;
    if (status == 404)
        return 0;
    if (status != 200)
        return fail_configuration(conf, "reading", status, &body, err);
    object = cf_json_parse(conf->arena, cf_buf_str(&body), body.len, NULL, NULL, err);
    if (object == NULL)
        return cf_err_wrap(err, "reading %swebhookconfiguration \"%s\"", conf->kind, conf->name);
    conf->out->configurations++;
    for (v = cf_json_first(cf_json_get(object, "webhooks")); v != NULL; v = cf_json_next(v)) {
        add_client_name(conf, cf_json_get(v, "clientConfig"));
        keep_first_bundle(conf, v);
        all_same = (conf->bundle == NULL || compare_bundle(conf, v)) && all_same;
    }
    return all_same || !write ? 0 : patch_bundles(conf, object, conflict, err);
}

/* Counts are those of the last try; names of earlier tries stay. */
static int sync_configuration(struct configuration *conf, bool write, struct cf_err *err)
{
    const struct cf_webhooks before = *conf->out;

    for (unsigned i = 0; i < TRIES_MAX; i++) {
        bool conflict = false;
        int result;

        conf->arena = cf_arena_new(ARENA_MAX);
        if (conf->arena == NULL)
            return cf_err_memory(err);
        conf->path = cf_arena_printf(
            conf->arena, "/apis/admissionregistration.k8s.io/v1/%swebhookconfigurations/%s",
            conf->kind, conf->name);
        result = conf->path != NULL ? sync_once(conf, write, &conflict, err) : cf_err_memory(err);
        cf_arena_free(conf->arena);
        if (result != 0 || !conflict)
            return result;
        conf->out->configurations = before.configurations;
        conf->out->differing = before.differing;
        conf->out->distrusting = before.distrusting;
    }
    return cf_err_system(err, "%swebhookconfiguration \"%s\" changed each time that it was read",
                         conf->kind, conf->name);
}

int cf_webhooks_sync(const struct cf_api_caller *caller, const char *name,
                     const struct cf_buf *bundle, const struct cf_buf *cert, bool write,
                     struct cf_webhooks *out, struct cf_err *err)
{
    static const char *const kinds[] = {"mutating", "validating"};

    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        struct configuration conf = {caller, NULL, kinds[i], name, NULL, bundle, cert, out};

        if (sync_configuration(&conf, write, err) != 0)
            return -1;
    }
    return 0;
}
