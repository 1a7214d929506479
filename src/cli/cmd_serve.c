/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_serve.c - curfew serve: the webhook server. */
#include <stdio.h>
#include <stdlib.h>

#include "curfew/attr.h"
#include "curfew/client.h"
#include "curfew/cmd.h"
#include "curfew/config.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/rule.h"
#include "curfew/server.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "options.h"
#include "serve.h"

struct tls_flags {
    const char *cert, *key; /* files */
    const char *secret;     /* NAMESPACE/NAME */
};

struct callers_flags {
    const char *client_ca, *client_crl;
    struct cf_opt_list client_names;
    const char *bearer_jwks, *bearer_issuer;
    struct cf_opt_list bearer_subjects, bearer_audiences;
    bool authorize_anonymous;
};

/* The lists of the flags as the server takes them: arrays that end with a NULL. */
struct callers {
    const char **client_names, **bearer_subjects, **bearer_audiences;
};

/* ---- the certificate ---- */

/* Checks what the table of options cannot express: one of the two sources is required. */
static int check_certificate_flags(const struct cf_cmd *cmd, const struct tls_flags *flags)
{
    if (flags->secret != NULL || flags->cert != NULL)
        return CF_EXIT_OK;
    return cf_usage_error(cmd, "--tls-secret is required, or --tls-cert and --tls-key: API servers "
                               "call webhooks over TLS only");
}

/* Fills in the Secret's name; the caller frees *namespace. */
static int tls_take_secret(const struct cf_cmd *cmd, const struct tls_flags *flags,
                           char **namespace, struct cf_tls_secret_config *out)
{
    int status;

    *namespace = NULL;
    out->name = NULL;
    if (flags->secret == NULL)
        return CF_EXIT_OK;
    status = cf_split_secret(cmd, "--tls-secret", flags->secret, namespace, &out->name);
    out->namespace = *namespace;
    return status;
}

/* ---- callers ---- */

static int check_not_empty(const struct cf_cmd *cmd, const char *flag,
                           const struct cf_opt_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i][0] == '\0')
            return cf_usage_error(cmd, "%s must not be empty", flag);
    }
    return CF_EXIT_OK;
}

static int check_callers_flags(const struct cf_cmd *cmd, const struct callers_flags *flags)
{
    int status = check_not_empty(cmd, "--bearer-subject", &flags->bearer_subjects);

    if (status == CF_EXIT_OK)
        status = check_not_empty(cmd, "--bearer-audience", &flags->bearer_audiences);
    if (status == CF_EXIT_OK && flags->bearer_issuer != NULL && flags->bearer_issuer[0] == '\0')
        status = cf_usage_error(cmd, "--bearer-issuer must not be empty");
    return status;
}

static const char **list_names(const struct cf_opt_list *list)
{
    const char **names = calloc(list->count + 1, sizeof(*names));

    for (size_t i = 0; names != NULL && i < list->count; i++)
        names[i] = list->items[i];
    return names;
}

static void callers_free(struct callers *callers)
{
    free(callers->client_names);
    free(callers->bearer_subjects);
    free(callers->bearer_audiences);
    *callers = (struct callers){.client_names = NULL};
}

/* Fills in the members of the configuration about callers, which borrow from the flags and from
 * *out. -1: out of memory. */
static int callers_take(const struct callers_flags *flags, struct callers *out,
                        struct cf_server_config *config, struct cf_err *err)
{
    *out = (struct callers){
        .client_names = list_names(&flags->client_names),
        .bearer_subjects = list_names(&flags->bearer_subjects),
        .bearer_audiences = list_names(&flags->bearer_audiences),
    };
    if (out->client_names == NULL || out->bearer_subjects == NULL ||
        out->bearer_audiences == NULL) {
        callers_free(out);
        return cf_err_memory(err);
    }
    config->client_ca = flags->client_ca;
    config->client_crl = flags->client_crl;
    config->client_names = out->client_names;
    config->bearer_jwks = flags->bearer_jwks;
    config->bearer_issuer = flags->bearer_issuer;
    config->bearer_subjects = out->bearer_subjects;
    config->bearer_audiences = out->bearer_audiences;
    config->authorize_anonymous = flags->authorize_anonymous;
    return 0;
}

static void callers_flags_free(struct callers_flags *flags)
{
    cf_opt_list_free(&flags->client_names);
    cf_opt_list_free(&flags->bearer_subjects);
    cf_opt_list_free(&flags->bearer_audiences);
}

/* ---- all flags ---- */

struct serve_flags {
    const char *config, *check_config;
    const char *listen, *probe_listen, *metrics_listen;
    bool metrics_namespaces;
    struct tls_flags tls;
    struct callers_flags callers;
    const char *service_account;
    struct cf_cluster_flags cluster;
    int64_t drain_delay, drain_timeout;
    const char *threads_text;
    unsigned threads; /* 0: the default */
    bool no_seccomp;
    struct cf_log_flags log;
};

static int fail_serve(const struct cf_err *err)
{
    fprintf(stderr, "curfew serve: %s\n", err->msg);
    return err->kind == CF_ERR_INPUT ? CF_EXIT_USAGE : CF_EXIT_FAILED;
}

static int check_config(const char *file)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    CF_CLEANUP(cf_policy_cleanup)
    struct cf_policy *policy =
        cf_policy_load(file, cf_rule_configs(), cf_rule_count, cf_now(), &err);

    if (policy == NULL) {
        fprintf(stderr, "curfew serve: %s\n", err.msg);
        return CF_EXIT_USAGE;
    }
    printf("%s: ok\n", file);
    for (size_t i = 0; i < policy->notes.count; i++)
        printf("note: %s\n", policy->notes.items[i]);
    return CF_EXIT_OK;
}

static int run_server(const struct cf_server_config *config)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_server *server = cf_server_start(config, &err);

    if (server == NULL)
        return fail_serve(&err);
    cf_server_run(server);
    return CF_EXIT_OK;
}

/* ---- flags ---- */

static int read_threads(const struct cf_cmd *cmd, struct serve_flags *flags)
{
    const char *text = flags->threads_text;
    int64_t threads = 0;

    if (text != NULL && (!cf_str_int64(text, &threads) || threads < 1 || threads > CF_THREADS_MAX))
        return cf_usage_error(cmd, "--threads must be a number from 1 to %d, not '%s'",
                              CF_THREADS_MAX, text);
    flags->threads = (unsigned)threads;
    return CF_EXIT_OK;
}

static int check_serve_flags(const struct cf_cmd *cmd, const struct serve_flags *flags)
{
    int status = check_callers_flags(cmd, &flags->callers);

    if (status != CF_EXIT_OK)
        return status;
    status = cf_cluster_check_flags(cmd, &flags->cluster);
    if (status != CF_EXIT_OK)
        return status;
    status = check_certificate_flags(cmd, &flags->tls);
    if (status != CF_EXIT_OK)
        return status;
    cf_log_flags_use(&flags->log);
    return CF_EXIT_OK;
}

/* Whether to filter system calls, which prevents running the exec plugin of a kubeconfig. */
static bool filters_calls(const struct serve_flags *flags)
{
    struct cf_api *api = NULL;
    bool runs_program = false;

    if (flags->no_seccomp)
        return false;
    if (flags->cluster.kubeconfig != NULL)
        api = cf_api_open(flags->cluster.kubeconfig, flags->cluster.context, NULL);
    if (api != NULL)
        runs_program = cf_api_runs_program(api);
    cf_api_close(api);
    if (runs_program)
        cf_log(CF_LOG_WARN, "system calls are not filtered",
               CF_LOG_S("reason", "the kubeconfig has an exec plugin, which must be able to run"));
    return !runs_program;
}

static int serve_with(const struct serve_flags *flags, const struct cf_own *own,
                      const struct cf_cluster *cluster, const struct cf_tls_secret_config *secret)
{
    struct cf_server_config config = {
        .listen = flags->listen,
        .probe_listen = flags->probe_listen,
        .metrics_listen = flags->metrics_listen,
        .metrics_namespaces = flags->metrics_namespaces,
        .threads = flags->threads,
        .store = cluster->store,
        .watch = cluster->watch,
        .config = flags->config,
        .tls_cert = flags->tls.cert,
        .tls_key = flags->tls.key,
        .tls_secret = *secret,
        .own_user = own->user,
        .own_namespace = own->namespace,
        .seccomp = filters_calls(flags),
        .drain_delay = flags->drain_delay,
        .drain_timeout = flags->drain_timeout,
    };
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct callers callers;
    int status;

    if (callers_take(&flags->callers, &callers, &config, &err) != 0)
        return fail_serve(&err);
    status = run_server(&config);
    callers_free(&callers);
    return status;
}

static int serve_with_flags(const struct cf_cmd *cmd, const struct serve_flags *flags)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_cluster cluster;
    struct cf_tls_secret_config secret = {.kubeconfig = flags->cluster.kubeconfig,
                                          .context = flags->cluster.context};
    struct cf_own own = {.user = NULL};
    char *namespace = NULL;
    int status;

    if (flags->check_config != NULL)
        return check_config(flags->check_config);
    status = check_serve_flags(cmd, flags);
    if (status == CF_EXIT_OK)
        status = cf_own_find(cmd, flags->service_account, &own);
    if (status == CF_EXIT_OK)
        status = tls_take_secret(cmd, &flags->tls, &namespace, &secret);
    if (status != CF_EXIT_OK) {
        free(namespace);
        cf_own_free(&own);
        return status;
    }
    cf_process_serve();
    cf_server_block_signals();
    if (cf_cluster_open(&flags->cluster, &cluster, &err) == 0) {
        status = serve_with(flags, &own, &cluster, &secret);
        cf_cluster_close(&cluster);
    } else {
        status = fail_serve(&err);
    }
    free(namespace);
    cf_own_free(&own);
    return status;
}

static const char moved[] = "is a flag of 'curfew certs run': it writes the Secret and the "
                            "caBundles, and serve only reads the Secret";

/* The command runs once in a process: the table of options and its targets are static. */
static struct serve_flags serve_flags = {
    .listen = ":8443",
    .probe_listen = ":8081",
    .metrics_listen = ":8080",
    .drain_delay = 15,
    .drain_timeout = 10,
    .log = {.format = "json", .level = "info"},
};

static const struct cf_opt serve_options[] = {
    {"--kubeconfig", 0, CF_OPT_STRING, &serve_flags.cluster.kubeconfig, "FILE",
     .help = "kubeconfig of the API server (default: the service account of the pod)",
     .excludes = "--objects", .why = "the cluster is read from one of them"},
    {"--context", 0, CF_OPT_STRING, &serve_flags.cluster.context, "NAME",
     .help = "context of the kubeconfig (default: its current-context)", .needs = "--kubeconfig"},
    {"--no-secret-watch", 0, CF_OPT_FLAG, &serve_flags.cluster.no_secret_watch, NULL,
     .help = "do not watch Secrets: lookupFailure decides about every Secret reference",
     .excludes = "--objects", .why = "manifests are not watched"},
    {"--objects", 0, CF_OPT_LIST, &serve_flags.cluster.objects, "FILE|DIR",
     .help = "read the objects of the cluster from manifests (repeatable)"},
    {"--tls-cert", 0, CF_OPT_STRING, &serve_flags.tls.cert, "FILE",
     .help = "serving certificate, PEM", .needs = "--tls-key", .excludes = "--tls-secret",
     .why = "the certificate comes from one source"},
    {"--tls-key", 0, CF_OPT_STRING, &serve_flags.tls.key, "FILE",
     .help = "private key of the serving certificate, PEM", .needs = "--tls-cert",
     .excludes = "--tls-secret", .why = "the certificate comes from one source"},
    {"--tls-secret", 0, CF_OPT_STRING, &serve_flags.tls.secret, "NAMESPACE/NAME",
     .help = "Secret with the serving certificate, which 'curfew certs run' maintains"},
    {"--webhook-configuration", 0, CF_OPT_MOVED, NULL, NULL, .help = moved},
    {"--service", 0, CF_OPT_MOVED, NULL, NULL, .help = moved},
    {"--dns", 0, CF_OPT_MOVED, NULL, NULL, .help = moved},
    {"--cert-lifetime", 0, CF_OPT_MOVED, NULL, NULL, .help = moved},
    {"--ca-lifetime", 0, CF_OPT_MOVED, NULL, NULL, .help = moved},
    {"--config", 0, CF_OPT_STRING, &serve_flags.config, "FILE",
     .help = "configuration file (default: the built-in policy)"},
    {"--check-config", 0, CF_OPT_STRING, &serve_flags.check_config, "FILE",
     .help = "check a configuration file and exit: 0 or 2"},
    {"--listen", 0, CF_OPT_STRING, &serve_flags.listen, "[HOST]:PORT",
     .help = "address of the webhook, over TLS (default :8443)"},
    {"--probe-listen", 0, CF_OPT_STRING, &serve_flags.probe_listen, "[HOST]:PORT",
     .help = "address of /livez and /readyz (default :8081)"},
    {"--metrics-listen", 0, CF_OPT_STRING, &serve_flags.metrics_listen, "[HOST]:PORT",
     .help = "address of /metrics and /version (default :8080)"},
    {"--metrics-namespaces", 0, CF_OPT_FLAG, &serve_flags.metrics_namespaces, NULL,
     .help = "name the namespaces that have legacy Secrets in the metrics"},
    {"--no-seccomp", 0, CF_OPT_FLAG, &serve_flags.no_seccomp, NULL,
     .help = "do not filter the system calls of the server"},
    {"--threads", 0, CF_OPT_STRING, &serve_flags.threads_text, "1..32",
     .help = "threads that answer reviews (default: the usable CPUs, at most 8)"},
    {"--client-ca", 0, CF_OPT_STRING, &serve_flags.callers.client_ca, "FILE",
     .help = "require a client certificate of these authorities, PEM"},
    {"--client-name", 0, CF_OPT_LIST, &serve_flags.callers.client_names, "NAME",
     .help = "require this name in the client certificate (repeatable: one of them)",
     .needs = "--client-ca"},
    {"--client-crl", 0, CF_OPT_STRING, &serve_flags.callers.client_crl, "FILE",
     .help = "reject client certificates on these revocation lists, PEM", .needs = "--client-ca"},
    {"--bearer-jwks", 0, CF_OPT_STRING, &serve_flags.callers.bearer_jwks, "FILE",
     .help = "require a bearer token signed by one of these keys",
     .needs = "--bearer-issuer --bearer-subject --bearer-audience",
     .why = "the keys of a cluster sign the tokens of every pod, for every audience"},
    {"--bearer-issuer", 0, CF_OPT_STRING, &serve_flags.callers.bearer_issuer, "NAME",
     .help = "require this issuer of the bearer token", .needs = "--bearer-jwks"},
    {"--bearer-subject", 0, CF_OPT_LIST, &serve_flags.callers.bearer_subjects, "NAME",
     .help = "require this subject, '*' matches any text (repeatable: one of them)",
     .needs = "--bearer-jwks"},
    {"--bearer-audience", 0, CF_OPT_LIST, &serve_flags.callers.bearer_audiences, "NAME",
     .help = "require this audience (repeatable: one of them)", .needs = "--bearer-jwks"},
    {"--authorize-anonymous", 0, CF_OPT_FLAG, &serve_flags.callers.authorize_anonymous, NULL,
     .help = "answer /authorize for callers that do not authenticate",
     .excludes = "--client-ca --bearer-jwks", .why = "callers either authenticate or do not"},
    {"--service-account", 0, CF_OPT_STRING, &serve_flags.service_account, "NAMESPACE/NAME",
     .help = "the server's own ServiceAccount (default: that of the mounted token)"},
    {"--drain-delay", 0, CF_OPT_DURATION, &serve_flags.drain_delay, "DURATION",
     .help = "after SIGTERM: keep serving, not ready, for this long (default 15s)"},
    {"--drain-timeout", 0, CF_OPT_DURATION, &serve_flags.drain_timeout, "DURATION",
     .help = "then: wait for requests in flight for this long (default 10s)"},
    {"--log-format", 0, CF_OPT_WORD, &serve_flags.log.format, CF_LOG_FORMATS,
     .help = "format of the log (default json)"},
    {"--log-level", 0, CF_OPT_WORD, &serve_flags.log.level, CF_LOG_LEVELS,
     .help = "lowest level that is logged (default info)"},
    {0},
};

static int run_serve(const struct cf_cmd *cmd, int argc, char **argv)
{
    int status = cf_opts_parse(cmd, serve_options, argc, argv, NULL);

    if (status == CF_EXIT_OK)
        status = read_threads(cmd, &serve_flags);
    if (status == CF_EXIT_OK)
        status = serve_with_flags(cmd, &serve_flags);
    cf_opt_list_free(&serve_flags.cluster.objects);
    callers_flags_free(&serve_flags.callers);
    return status < 0 ? CF_EXIT_OK : status;
}

const struct cf_cmd cf_cmd_serve = {
    .name = "serve",
    .summary = "run the webhook server",
    .usage = "curfew serve --kubeconfig FILE --tls-cert FILE --tls-key FILE [flags]",
    .run = run_serve,
};
