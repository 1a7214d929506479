/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - the API client, from the command line, for run.sh.
 *
 *   api-test open   FLAG...                 who and where: server, namespace
 *   api-test call   METHOD PATH FLAG...     the status, then the body
 *   api-test stream PATH FLAG...            the bytes, then the status and why it ended
 *   api-test secret NAME SECONDS [SECONDS]  a Secret with an authority that was made then (from now
 *                                           on, or -SECONDS before), and a certificate of then, or
 *                                           of the second point of time, as JSON
 *
 * An error is "error: SENTENCE", after "status N" where there is one. Exit code 0 in any case but
 * that of wrong usage: what was printed is what is tested. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/client/transport.h"
#include "curfew/base64.h"
#include "curfew/certs.h"
#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/str.h"

struct flags {
    const char *kubeconfig, *context, *in_cluster;
    struct cf_api_call call;
    struct cf_api_stream stream;
    unsigned repeat;
    int64_t pause_millis;      /* between the repeats */
    int64_t cancel_at, enough; /* micros; bytes */
    int64_t got;
};

static bool is_cancelled(void *arg)
{
    const struct flags *flags = arg;

    return flags->cancel_at != 0 && cf_monotonic_micros() >= flags->cancel_at;
}

static bool take(void *arg, const char *bytes, size_t len)
{
    struct flags *flags = arg;

    fwrite(bytes, 1, len, stdout);
    flags->got += (int64_t)len;
    return flags->enough == 0 || flags->got < flags->enough;
}

static int64_t number(const char *text)
{
    int64_t value = 0;

    if (!cf_str_int64(text, &value)) {
        fprintf(stderr, "no number: %s\n", text);
        exit(2);
    }
    return value;
}

static bool read_text(struct flags *f, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **target;
    } texts[] = {
        {"--kubeconfig", &f->kubeconfig},  {"--context", &f->context},
        {"--in-cluster", &f->in_cluster},  {"--accept", &f->call.accept},
        {"--type", &f->call.content_type}, {"--body", &f->call.body},
        {"--verb", &f->call.verb},         {"--resource", &f->call.resource},
    };

    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        if (cf_streq(name, texts[i].name)) {
            *texts[i].target = value;
            return true;
        }
    }
    return false;
}

static bool read_number(struct flags *f, const char *name, const char *value)
{
    if (cf_streq(name, "--tries"))
        f->call.tries = (unsigned)number(value);
    else if (cf_streq(name, "--timeout"))
        f->call.timeout_seconds = number(value);
    else if (cf_streq(name, "--max"))
        f->call.max = (size_t)number(value);
    else if (cf_streq(name, "--silence"))
        f->stream.silence_seconds = number(value);
    else if (cf_streq(name, "--enough"))
        f->enough = number(value);
    else if (cf_streq(name, "--repeat"))
        f->repeat = (unsigned)number(value);
    else if (cf_streq(name, "--pause"))
        f->pause_millis = number(value);
    else if (cf_streq(name, "--cancel-after"))
        f->cancel_at = cf_monotonic_micros() + number(value) * 1000;
    else
        return false;
    return true;
}

static struct cf_api *open_api(const struct flags *f, struct cf_err *err)
{
    struct cf_api *api;

    if (f->in_cluster == NULL)
        return cf_api_open(f->kubeconfig, f->context, err);
    api = calloc(1, sizeof(*api));
    api->creds = cf_credentials_in_cluster(f->in_cluster, err);
    api->wire = cf_wire_new();
    if (api->creds != NULL)
        return api;
    cf_api_close(api);
    return NULL;
}

static void once(struct flags *f, struct cf_api *api, bool is_stream)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    const char *why = "?";
    unsigned status = 0;
    struct cf_buf out;
    int result;

    cf_buf_init(&out, f->call.max != 0 ? 1 << 30 : 1 << 20);
    if (is_stream)
        result = cf_api_stream(api, &f->call, &f->stream, &status, &out, &why, &err);
    else
        result = cf_api_call(api, &f->call, &status, &out, &err);
    printf("status %u\n", status);
    if (result != 0)
        printf("error: %s\n", err.msg);
    else if (is_stream && status == 200)
        printf("ended: %s\n", why);
    else if (out.len > 4096)
        printf("%zu bytes\n", out.len);
    else
        printf("%s\n", cf_buf_str(&out));
    fflush(stdout);
    cf_buf_free(&out);
}

static int run(struct flags *f, const char *what)
{
    struct timespec pause = {.tv_sec = f->pause_millis / 1000,
                             .tv_nsec = f->pause_millis % 1000 * 1000000};
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_api *api = open_api(f, &err);

    if (api == NULL) {
        printf("error: %s\n", err.msg);
        return 0;
    }
    if (cf_streq(what, "open"))
        printf("%s %s\n", cf_api_server(api), cf_api_namespace(api));
    for (unsigned i = 0; !cf_streq(what, "open") && i < f->repeat; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        once(f, api, cf_streq(what, "stream"));
    }
    cf_api_close(api);
    return 0;
}

static void print_part(struct cf_arena *arena, const char *key, const struct cf_buf *part)
{
    printf(",\"%s\":\"%s\"", key, cf_base64(arena, part->data, part->len));
}

/* Takes one step in place. */
static bool step(struct cf_certs *certs, const struct cf_certs_spec *spec)
{
    enum cf_certs_step did;
    struct cf_certs next;

    cf_certs_init(&next);
    if (cf_certs_next(certs, spec, &next, &did, NULL, NULL) != 0)
        return false;
    cf_certs_free(certs);
    *certs = next;
    return true;
}

static int print_secret(const char *name, const char *seconds, const char *leaf_seconds)
{
    char service[300];
    const char *const names[] = {"x", service};
    struct cf_certs_spec spec = {.names = names,
                                 .name_count = 2,
                                 .leaf_lifetime = CF_LEAF_LIFETIME,
                                 .ca_lifetime = CF_CA_LIFETIME,
                                 .now = cf_now() + number(seconds)};
    struct cf_arena *arena = cf_arena_new(1 << 20);
    struct cf_certs made;

    snprintf(service, sizeof(service), "%s.curfew-system.svc", name);
    cf_certs_init(&made);
    if (arena == NULL || !step(&made, &spec))
        return 1;
    if (leaf_seconds != NULL) {
        spec.now = cf_now() + number(leaf_seconds);
        spec.renew_leaf = true;
        if (!step(&made, &spec))
            return 1;
    }
    printf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"curfew-system\",\"annotations\":{"
           "\"curfew.dev/certificates\":\"managed\"}},\"type\":\"kubernetes.io/tls\","
           "\"data\":{\"x\":\"eA==\"",
           name);
    print_part(arena, "ca.crt", &made.ca);
    print_part(arena, "ca.key", &made.ca_key);
    print_part(arena, "tls.crt", &made.cert);
    print_part(arena, "tls.key", &made.key);
    printf("}}\n");
    cf_certs_free(&made);
    cf_arena_free(arena);
    return 0;
}

int main(int argc, char **argv)
{
    struct flags f = {.repeat = 1, .call = {.method = "GET", .cancelled = is_cancelled}};
    const char *what = argc > 1 ? argv[1] : "";
    int at = 2;

    if (cf_streq(what, "secret") && argc >= 4)
        return print_secret(argv[2], argv[3], argv[4]);
    f.call.arg = f.stream.arg = &f;
    f.stream.data = take;
    f.stream.silence_seconds = 10;
    if (cf_streq(what, "call") && argc > 3)
        f.call.method = argv[at++];
    if (!cf_streq(what, "open") && argc > at)
        f.call.path = argv[at++];
    for (; at + 1 < argc; at += 2) {
        if (!read_text(&f, argv[at], argv[at + 1]) && !read_number(&f, argv[at], argv[at + 1])) {
            fprintf(stderr, "unknown flag %s\n", argv[at]);
            return 2;
        }
    }
    f.call.body_len = f.call.body != NULL ? strlen(f.call.body) : 0;
    cf_json_init();
    return run(&f, what);
}
