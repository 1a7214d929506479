/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_probe.c - curfew probe: sends one review to a server, as an API server does, and prints the
 * response. `helm test` runs it, since the image has no other client. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "curfew/client.h"
#include "curfew/attr.h"
#include "curfew/cmd.h"
#include "curfew/json.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"

struct probe_options {
    const char *server, *server_name, *ca_file, *namespace, *expect;
};

/* The CREATE of a legacy Secret, which every level but privileged denies. No Secret is created,
 * since no request goes to the API server; dryRun shows that in the log. */
static bool write_review(struct cf_buf *buf, const char *namespace, const char *uid)
{
    static const char meta[] = "{\"group\":\"\",\"version\":\"v1\",\"%s\":\"%s\"}";
    char kind[80], resource[80];
    struct cf_out out;

    snprintf(kind, sizeof(kind), meta, "kind", "Secret");
    snprintf(resource, sizeof(resource), meta, "resource", "secrets");
    cf_out_init(&out, buf);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "apiVersion", "admission.k8s.io/v1");
    cf_out_str(&out, "kind", "AdmissionReview");
    cf_out_object(&out, "request");
    cf_out_str(&out, "uid", uid);
    cf_out_raw(&out, "kind", kind);
    cf_out_raw(&out, "resource", resource);
    cf_out_str(&out, "name", "curfew-probe");
    cf_out_str(&out, "namespace", namespace);
    cf_out_str(&out, "operation", "CREATE");
    cf_out_raw(&out, "userInfo", "{\"username\":\"curfew-probe\"}");
    cf_out_object(&out, "object");
    cf_out_str(&out, "apiVersion", "v1");
    cf_out_str(&out, "kind", "Secret");
    cf_out_object(&out, "metadata");
    cf_out_str(&out, "name", "curfew-probe");
    cf_out_str(&out, "namespace", namespace);
    cf_out_raw(&out, "annotations", "{\"kubernetes.io/service-account.name\":\"default\"}");
    cf_out_end_object(&out);
    cf_out_str(&out, "type", "kubernetes.io/service-account-token");
    cf_out_end_object(&out);
    cf_out_null(&out, "oldObject");
    cf_out_bool(&out, "dryRun", true);
    cf_out_end_object(&out);
    cf_out_end_object(&out);
    return cf_buf_ok(buf);
}

static int fail_probe(const struct cf_err *err)
{
    fprintf(stderr, "curfew probe: %s\n", err->msg);
    return err->kind == CF_ERR_INPUT ? CF_EXIT_USAGE : CF_EXIT_FAILED;
}

/* The response is not a review: prints its first line, sanitized. */
static int fail_answer(const struct probe_options *o, const char *why, const char *body)
{
    char line[300];

    cf_str_show(line, sizeof(line), "%.*s", (int)strcspn(body, "\n"), body);
    fprintf(stderr, "curfew probe: %s %s: %s\n", o->server, why, line);
    return CF_EXIT_FAILED;
}

static int print_response(const struct probe_options *o, const struct cf_json *response)
{
    bool allowed = cf_json_true(cf_json_get(response, "allowed"));
    const char *what = allowed ? "allowed" : "denied";
    const char *message = cf_json_str(cf_json_get(cf_json_get(response, "status"), "message"));
    char line[512];

    message = cf_str_or_empty(message);
    cf_str_show(line, sizeof(line), "%.*s", (int)strcspn(message, "\n"), message);
    printf("%s answers: %s%s%s\n", o->server, what, *line != '\0' ? ": " : "", line);
    if (o->expect == NULL || cf_streq(o->expect, what))
        return CF_EXIT_OK;
    fprintf(stderr, "curfew probe: expected %s\n", o->expect);
    return CF_EXIT_FINDINGS;
}

static int read_answer(const struct probe_options *o, const struct cf_buf *body, const char *uid)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_arena *arena = cf_arena_new(8 * CF_PROBE_ANSWER_MAX);
    const struct cf_json *review, *response;
    int status;

    if (arena == NULL) {
        cf_err_memory(&err);
        return fail_probe(&err);
    }
    review = cf_json_parse(arena, body->data, body->len, NULL, NULL, &err);
    response = cf_json_get(review, "response");
    if (review == NULL)
        status = fail_answer(o, "answers with invalid JSON", err.msg);
    else if (!cf_streq(cf_json_str(cf_json_get(review, "kind")), "AdmissionReview") ||
             cf_json_type(cf_json_get(response, "allowed")) != CF_JSON_BOOL)
        status = fail_answer(o, "does not answer with an AdmissionReview", cf_buf_str(body));
    else if (!cf_streq(cf_json_str(cf_json_get(response, "uid")), uid))
        status = fail_answer(o, "answers another review", cf_buf_str(body));
    else
        status = print_response(o, response);
    cf_arena_free(arena);
    return status;
}

static int send_review(const struct probe_options *o, struct cf_api *api, struct cf_buf *review,
                       const char *uid)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    const struct cf_api_call call = {.method = "POST",
                                     .path = "/validate?timeout=10s",
                                     .body = cf_buf_str(review),
                                     .body_len = review->len,
                                     .max = CF_PROBE_ANSWER_MAX,
                                     .timeout_seconds = 10,
                                     .tries = 3};
    struct cf_buf answer;
    unsigned http = 0;
    char why[64];
    int status;

    cf_buf_init(&answer, CF_PROBE_ANSWER_MAX);
    if (cf_api_call(api, &call, &http, &answer, &err) != 0) {
        status = fail_probe(&err);
    } else if (http != 200) {
        snprintf(why, sizeof(why), "answers with status %u", http);
        status = fail_answer(o, why, cf_buf_str(&answer));
    } else {
        status = read_answer(o, &answer, uid);
    }
    cf_buf_free(&answer);
    return status;
}

/* A random uid: the response to another review, or a cached one, is detected. */
static int new_uid(char uid[32], struct cf_err *err)
{
    unsigned long long random;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return cf_err_system(err, "cannot get a random number");
    snprintf(uid, 32, "probe-%016llx", random);
    return 0;
}

static int probe_server(const struct probe_options *o)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_api *api = cf_api_open_at(o->server, o->ca_file, o->server_name, &err);
    struct cf_buf review;
    char uid[32];
    int status;

    if (api == NULL)
        return fail_probe(&err);
    cf_buf_init(&review, CF_PROBE_ANSWER_MAX);
    if (new_uid(uid, &err) != 0) {
        status = fail_probe(&err);
    } else if (!write_review(&review, o->namespace, uid)) {
        cf_err_memory(&err);
        status = fail_probe(&err);
    } else {
        status = send_review(o, api, &review, uid);
    }
    cf_buf_free(&review);
    cf_api_close(api);
    return status;
}

static int run_probe(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct probe_options o = {.namespace = "default"};
    const struct cf_opt opts[] = {
        {"--server", 0, CF_OPT_STRING, &o.server, "URL",
         .help = "server to send the review to, https://HOST[:PORT]", .required = true},
        {"--ca-file", 0, CF_OPT_STRING, &o.ca_file, "FILE",
         .help = "authorities of the serving certificate, PEM", .required = true},
        {"--server-name", 0, CF_OPT_STRING, &o.server_name, "NAME",
         .help = "name in the serving certificate (default: the host)"},
        {"--namespace", 'n', CF_OPT_STRING, &o.namespace, "NAMESPACE",
         .help = "namespace of the Secret in the review (default default)"},
        {"--expect", 0, CF_OPT_WORD, &o.expect, "allowed|denied",
         .help = "exit 1 when the response differs"},
        {0},
    };
    int status = cf_opts_parse(cmd, opts, argc, argv, NULL);

    if (status != CF_EXIT_OK)
        return status < 0 ? CF_EXIT_OK : status;
    if (!cf_starts_with(o.server, "https://"))
        return cf_usage_error(cmd, "--server must begin with https://, not '%s'", o.server);
    return probe_server(&o);
}

const struct cf_cmd cf_cmd_probe = {
    .name = "probe",
    .summary = "send one review to a running server, as an API server does",
    .usage = "curfew probe --server URL --ca-file FILE [flags]",
    .run = run_probe,
};
