/* SPDX-License-Identifier: Apache-2.0 */
/* webhooks.c - our authority in the caBundle of our own webhook configurations, and the names that
 * they call us by; see certs_cluster.h. */
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
/* Looks at one configuration that others write at the same time. */
#define TRIES_MAX 5

/* One configuration that is being looked at. */
struct look {
    const struct cf_api_caller *asker;
    struct cf_arena *arena;
    const char *kind; /* "mutating" or "validating" */
    const char *name;
    const char *path;
    const struct cf_buf *bundle, *cert;
    struct cf_webhooks *out;
};

static int call_configuration(const struct look *look, struct cf_api_call *call, unsigned *status,
                              struct cf_buf *body, struct cf_err *err)
{
    call->path = look->path;
    call->resource = cf_arena_printf(
        look->arena, "the %swebhookconfiguration \"%s\" (API group admissionregistration.k8s.io)",
        look->kind, look->name);
    return cf_api_call_object(look->asker, look->arena, call, status, body, err);
}

static int fail_configuration(const struct look *look, const char *what, unsigned status,
                              const struct cf_buf *body, struct cf_err *err)
{
    what = cf_arena_printf(look->arena, "%s %swebhookconfiguration \"%s\"", what, look->kind,
                           look->name);
    return cf_api_fail_status(look->arena, what, status, body, err);
}

/* ---- names ---- */

static void add_name(struct cf_webhooks *out, const char *name)
{
    for (size_t i = 0; i < out->name_count; i++) {
        if (cf_streq(out->names[i], name))
            return;
    }
    if (name != NULL && cf_certs_is_name(name) && out->name_count < CF_WEBHOOK_NAMES)
        out->names[out->name_count++] = name;
}

/* "https://[::1]:8443/validate" is "::1". */
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

/* An API server takes NAME.NAMESPACE.svc for a service, the host for a URL (k8s.io/apiserver
 * pkg/util/webhook/client.go). */
static void take_name(const struct look *look, const struct cf_json *client)
{
    const struct cf_json *service = cf_json_get(client, "service");
    const char *name = cf_json_str(cf_json_get(service, "name"));
    const char *namespace = cf_json_str(cf_json_get(service, "namespace"));
    const char *url = cf_json_str(cf_json_get(client, "url"));

    if (name != NULL && namespace != NULL)
        add_name(look->out, cf_arena_printf(look->out->arena, "%s.%s.svc", name, namespace));
    if (url != NULL)
        add_name(look->out, host_of(look->out->arena, url));
}

/* ---- bundles ---- */

static void take_trusted(const struct look *look, const struct cf_json *webhook)
{
    const char *text = cf_json_str(cf_json_get(cf_json_get(webhook, "clientConfig"), "caBundle"));
    struct cf_buf *trusted = look->out->trusted;

    if (trusted != NULL && trusted->len == 0 && text != NULL &&
        !cf_base64_decode(text, strlen(text), trusted))
        cf_buf_wipe(trusted);
}

/* Whether the webhook's caBundle is ours; counts those that are not. */
static bool compare(const struct look *look, const struct cf_json *webhook)
{
    const char *text = cf_json_str(cf_json_get(cf_json_get(webhook, "clientConfig"), "caBundle"));
    struct cf_webhooks *out = look->out;
    struct cf_buf pem;
    bool same;

    cf_buf_init_arena(&pem, look->arena, CF_CREDENTIAL_MAX);
    if (text != NULL && !cf_base64_decode(text, strlen(text), &pem))
        pem.len = 0;
    same = pem.len == look->bundle->len &&
           memcmp(cf_buf_str(&pem), cf_buf_str(look->bundle), pem.len) == 0;
    if (same)
        return true;
    if (out->differing++ == 0)
        snprintf(out->first, sizeof(out->first), "%swebhookconfiguration %s, webhook %.120s",
                 look->kind, look->name,
                 cf_str_or_empty(cf_json_str(cf_json_get(webhook, "name"))));
    out->distrusting +=
        !cf_certs_trusts(cf_buf_str(&pem), pem.len, look->cert->data, look->cert->len, cf_now());
    return false;
}

/* A strategic merge patch: webhooks are merged by name, and nothing else of them is touched; the
 * resourceVersion keeps one that was removed meanwhile from coming back. */
static void write_patch(const struct look *look, const struct cf_json *object, struct cf_buf *text)
{
    const char *bundle = cf_base64(look->arena, look->bundle->data, look->bundle->len);
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

/* *conflict: somebody else wrote it meanwhile, likely another replica, and the same. */
static int patch(const struct look *look, const struct cf_json *object, bool *conflict,
                 struct cf_err *err)
{
    struct cf_api_call what = {.method = "PATCH",
                               .verb = "patch",
                               .content_type = "application/strategic-merge-patch+json"};
    struct cf_buf text, body;
    unsigned status;

    cf_buf_init_arena(&text, look->arena, CONFIGURATION_MAX);
    write_patch(look, object, &text);
    if (!cf_buf_ok(&text) || cf_arena_failed(look->arena))
        return cf_err_memory(err);
    what.body = text.data;
    what.body_len = text.len;
    if (call_configuration(look, &what, &status, &body, err) != 0)
        return -1;
    *conflict = status == 409;
    return status == 200 || *conflict
               ? 0
               : fail_configuration(look, "writing the caBundle of", status, &body, err);
}

/* ---- one of the two ---- */

static int look_once(const struct look *look, bool write, bool *conflict, struct cf_err *err)
{
    const struct cf_json *object, *v;
    bool all_same = true;
    struct cf_api_call what = {.method = "GET", .verb = "get"};
    struct cf_buf body;
    unsigned status;

    if (call_configuration(look, &what, &status, &body, err) != 0)
        return -1;
    if (status == 404)
        return 0;
    if (status != 200)
        return fail_configuration(look, "reading", status, &body, err);
    object = cf_json_parse(look->arena, cf_buf_str(&body), body.len, NULL, NULL, err);
    if (object == NULL)
        return cf_err_wrap(err, "reading %swebhookconfiguration \"%s\"", look->kind, look->name);
    look->out->configurations++;
    for (v = cf_json_first(cf_json_get(object, "webhooks")); v != NULL; v = cf_json_next(v)) {
        take_name(look, cf_json_get(v, "clientConfig"));
        take_trusted(look, v);
        all_same = (look->bundle == NULL || compare(look, v)) && all_same;
    }
    return all_same || !write ? 0 : patch(look, object, conflict, err);
}

/* What counts is the last look: of a conflict nothing is left but the names. */
static int look_at(struct look *look, bool write, struct cf_err *err)
{
    const struct cf_webhooks before = *look->out;

    for (unsigned i = 0; i < TRIES_MAX; i++) {
        bool conflict = false;
        int result;

        look->arena = cf_arena_new(ARENA_MAX);
        if (look->arena == NULL)
            return cf_err_memory(err);
        look->path = cf_arena_printf(
            look->arena, "/apis/admissionregistration.k8s.io/v1/%swebhookconfigurations/%s",
            look->kind, look->name);
        result = look->path != NULL ? look_once(look, write, &conflict, err) : cf_err_memory(err);
        cf_arena_free(look->arena);
        if (result != 0 || !conflict)
            return result;
        look->out->configurations = before.configurations;
        look->out->differing = before.differing;
        look->out->distrusting = before.distrusting;
    }
    return cf_err_system(err, "%swebhookconfiguration \"%s\": others write it all the time",
                         look->kind, look->name);
}

int cf_webhooks_look(const struct cf_api_caller *asker, const char *name,
                     const struct cf_buf *bundle, const struct cf_buf *cert, bool write,
                     struct cf_webhooks *out, struct cf_err *err)
{
    static const char *const kinds[] = {"mutating", "validating"};

    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        struct look look = {asker, NULL, kinds[i], name, NULL, bundle, cert, out};

        if (look_at(&look, write, err) != 0)
            return -1;
    }
    return 0;
}
