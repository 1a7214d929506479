/* SPDX-License-Identifier: Apache-2.0 */
/* certs_secret.c - the Secret that holds the authorities and the serving certificate: of type
 * kubernetes.io/tls, with the keys ca.crt, ca.key, tls.crt and tls.key. */
#include <stdlib.h>
#include <string.h>

#include "curfew/base64.h"
#include "curfew/certs_cluster.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define MARK "curfew.dev/certificates"
#define MARK_VALUE "managed"
#define SECRET_MAX (2 * CF_MIB)
#define ARENA_MAX (16 * CF_MIB)

struct cf_certs_secret {
    const char *namespace, *name;
    struct cf_arena *arena; /* of the object that was read */
    const struct cf_json *object;
};

struct secret_part {
    const char *key;
    struct cf_buf *buf;
};

#define PARTS 4

static void secret_parts(struct cf_certs *certs, struct secret_part out[PARTS])
{
    out[0] = (struct secret_part){"ca.crt", &certs->ca};
    out[1] = (struct secret_part){"ca.key", &certs->ca_key};
    out[2] = (struct secret_part){"tls.crt", &certs->cert};
    out[3] = (struct secret_part){"tls.key", &certs->key};
}

struct cf_certs_secret *cf_certs_secret_new(const char *namespace, const char *name)
{
    struct cf_certs_secret *secret = calloc(1, sizeof(*secret));

    if (secret == NULL)
        return NULL;
    secret->namespace = namespace;
    secret->name = name;
    secret->arena = cf_arena_new(ARENA_MAX);
    if (secret->arena != NULL)
        return secret;
    free(secret);
    return NULL;
}

void cf_certs_secret_free(struct cf_certs_secret *secret)
{
    if (secret == NULL)
        return;
    cf_arena_reset(secret->arena, true);
    cf_arena_free(secret->arena);
    free(secret);
}

static void empty_certs(struct cf_certs *certs)
{
    cf_certs_free(certs);
    cf_certs_init(certs);
}

/* `body` belongs to the arena, and is wiped with it. */
static int call_secret(struct cf_certs_secret *secret, const struct cf_api_caller *caller,
                       struct cf_api_call *call, unsigned *status, struct cf_buf *body,
                       struct cf_err *err)
{
    call->resource =
        cf_arena_printf(secret->arena, "the Secret \"%s\" (API group \"\")", secret->name);
    return cf_api_call_object(caller, secret->arena, call, status, body, err);
}

static int fail_secret(const struct cf_certs_secret *secret, const char *what, unsigned status,
                       const struct cf_buf *body, struct cf_err *err)
{
    what = cf_arena_printf(secret->arena, "%s Secret %s/%s", what, secret->namespace, secret->name);
    return cf_api_fail_status(secret->arena, what, status, body, err);
}

/* ---- reading ---- */

int cf_certs_secret_check_owner(const struct cf_certs_secret *secret, struct cf_err *err)
{
    const struct cf_json *meta = cf_json_get(secret->object, "metadata");
    const struct cf_json *mark = cf_json_get(cf_json_get(meta, "annotations"), MARK);

    if (cf_streq(cf_json_str(mark), MARK_VALUE) ||
        cf_json_count(cf_json_get(secret->object, "data")) == 0)
        return 0;
    return cf_err_set(err,
                      "Secret %s/%s is not managed by Curfew: it holds data and lacks the "
                      "annotation " MARK ": " MARK_VALUE "; name another Secret, or mount this one "
                      "and use --tls-cert and --tls-key",
                      secret->namespace, secret->name);
}

/* A part that is not base64 counts as missing; cf_certs_next() replaces it. */
static void decode_secret_part(const struct cf_json *data, const struct secret_part *part)
{
    const char *text = cf_json_str(cf_json_get(data, part->key));

    if (text != NULL && !cf_base64_decode(text, strlen(text), part->buf)) {
        part->buf->failed = false;
        cf_buf_wipe(part->buf);
    }
}

static int read_object(struct cf_certs_secret *secret, const struct cf_buf *body,
                       struct cf_certs *out, struct cf_err *err)
{
    struct cf_err why = {.kind = CF_ERR_NONE};
    const struct cf_json *data;
    struct secret_part parts[PARTS];

    secret->object = cf_json_parse(secret->arena, cf_buf_str(body), body->len, NULL, NULL, &why);
    if (secret->object == NULL)
        return cf_err_system(err, "reading Secret %s/%s: %s", secret->namespace, secret->name,
                             why.msg);
    data = cf_json_get(secret->object, "data");
    secret_parts(out, parts);
    for (size_t i = 0; i < PARTS; i++)
        decode_secret_part(data, &parts[i]);
    return 0;
}

void cf_certs_secret_forget(struct cf_certs_secret *secret)
{
    secret->object = NULL;
    cf_arena_reset(secret->arena, true);
}

int cf_certs_secret_read(struct cf_certs_secret *secret, const struct cf_api_caller *caller,
                         struct cf_certs *out, bool *exists, struct cf_err *err)
{
    struct cf_api_call call = {.method = "GET", .verb = "get"};
    struct cf_buf body;
    unsigned status;

    empty_certs(out);
    cf_certs_secret_forget(secret);
    call.path = cf_arena_printf(secret->arena, "/api/v1/namespaces/%s/secrets/%s",
                                secret->namespace, secret->name);
    if (call.path == NULL)
        return cf_err_memory(err);
    if (call_secret(secret, caller, &call, &status, &body, err) != 0)
        return -1;
    *exists = status == 200;
    if (status == 404)
        return 0;
    if (status != 200)
        return fail_secret(secret, "reading", status, &body, err);
    return read_object(secret, &body, out, err);
}

/* ---- writing ---- */

static void write_secret_annotations(struct cf_out *out, const struct cf_json *old)
{
    cf_out_object(out, "annotations");
    for (const struct cf_json *v = cf_json_first(old); v != NULL; v = cf_json_next(v)) {
        if (!cf_streq(cf_json_key(v), MARK))
            cf_out_value(out, cf_json_key(v), v);
    }
    cf_out_str(out, MARK, MARK_VALUE);
    cf_out_end_object(out);
}

/* Includes the resourceVersion that was read, so that a write since then makes this one conflict.
 */
static void write_metadata(const struct cf_certs_secret *secret, struct cf_out *out)
{
    const struct cf_json *old = cf_json_get(secret->object, "metadata");

    cf_out_object(out, "metadata");
    if (secret->object == NULL) {
        cf_out_str(out, "name", secret->name);
        cf_out_str(out, "namespace", secret->namespace);
    }
    for (const struct cf_json *v = cf_json_first(old); v != NULL; v = cf_json_next(v)) {
        if (!cf_streq(cf_json_key(v), "annotations") && !cf_streq(cf_json_key(v), "managedFields"))
            cf_out_value(out, cf_json_key(v), v);
    }
    write_secret_annotations(out, cf_json_get(old, "annotations"));
    cf_out_end_object(out);
}

static bool is_part(const char *key, const struct secret_part parts[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        if (cf_streq(key, parts[i].key))
            return true;
    }
    return false;
}

static void write_data(const struct cf_certs_secret *secret, struct cf_out *out,
                       const struct secret_part parts[PARTS])
{
    const struct cf_json *v = cf_json_first(cf_json_get(secret->object, "data"));

    cf_out_object(out, "data");
    for (; v != NULL; v = cf_json_next(v)) {
        if (!is_part(cf_json_key(v), parts))
            cf_out_value(out, cf_json_key(v), v);
    }
    for (size_t i = 0; i < PARTS; i++)
        cf_out_str(out, parts[i].key,
                   cf_base64(secret->arena, cf_buf_str(parts[i].buf), parts[i].buf->len));
    cf_out_end_object(out);
}

static void write_object(const struct cf_certs_secret *secret, const struct cf_certs *certs,
                         struct cf_buf *body)
{
    const char *type = cf_json_str(cf_json_get(secret->object, "type"));
    struct secret_part parts[PARTS];
    struct cf_out out;

    secret_parts((struct cf_certs *)(uintptr_t)certs, parts);
    cf_out_init(&out, body);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "apiVersion", "v1");
    cf_out_str(&out, "kind", "Secret");
    write_metadata(secret, &out);
    cf_out_str(&out, "type", type != NULL ? type : "kubernetes.io/tls");
    write_data(secret, &out, parts);
    cf_out_end_object(&out);
}

int cf_certs_secret_write(struct cf_certs_secret *secret, const struct cf_api_caller *caller,
                          const struct cf_certs *certs, bool *conflict, struct cf_err *err)
{
    bool creates = secret->object == NULL;
    struct cf_api_call call = {.method = creates ? "POST" : "PUT",
                               .verb = creates ? "create" : "update"};
    struct cf_buf text, body;
    unsigned status;

    *conflict = false;
    call.path = cf_arena_printf(secret->arena, "/api/v1/namespaces/%s/secrets%s%s",
                                secret->namespace, creates ? "" : "/", creates ? "" : secret->name);
    cf_buf_init_arena(&text, secret->arena, SECRET_MAX);
    write_object(secret, certs, &text);
    if (call.path == NULL || !cf_buf_ok(&text) || cf_arena_failed(secret->arena))
        return cf_err_memory(err);
    call.body = text.data;
    call.body_len = text.len;
    if (call_secret(secret, caller, &call, &status, &body, err) != 0)
        return -1;
    /* 404: it was deleted after it was read. */
    if (status == 409 || (status == 404 && !creates)) {
        *conflict = true;
        return 0;
    }
    return status == 200 || status == 201 ? 0 : fail_secret(secret, "writing", status, &body, err);
}
