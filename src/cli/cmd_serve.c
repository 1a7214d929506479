/* SPDX-License-Identifier: Apache-2.0 */
/* curfew serve: the webhook server. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/clock.h"
#include "curfew/cmd.h"
#include "curfew/config.h"
#include "curfew/limits.h"
#include "curfew/log.h"
#include "curfew/manifest.h"
#include "curfew/rule.h"
#include "curfew/server.h"
#include "curfew/store.h"
#include "curfew/str.h"
#include "curfew/version.h"

/* A certificate that ends within this many days is warned about at the start. */
#define EXPIRY_WARN_DAYS 14

struct flags {
    const char *config, *check_config;
    const char *listen, *metrics_listen;
    const char *tls_cert, *tls_key;
    struct cf_opt_list objects;
    int64_t drain_delay, drain_timeout;
    const char *log_format, *log_level;
};

static int failed(const struct cf_err *err)
{
    fprintf(stderr, "curfew serve: %s\n", err->msg);
    return err->kind == CF_ERR_INPUT ? CF_EXIT_USAGE : CF_EXIT_FAILED;
}

/* ---- configuration ---- */

/* NULL after a sentence on stderr: a configuration is bad whether it can't be found or read. */
static struct cf_policy *load_policy(const char *file)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_policy *policy;

    if (file == NULL)
        policy = cf_policy_new(cf_rule_ids(), cf_rule_count);
    else
        policy = cf_policy_load(file, cf_rule_ids(), cf_rule_count, cf_now(), &err);
    if (policy == NULL)
        fprintf(stderr, "curfew serve: %s\n", file == NULL ? "out of memory" : err.msg);
    return policy;
}

static int check_config(const char *file)
{
    CF_CLEANUP(cf_policy_cleanup) struct cf_policy *policy = load_policy(file);

    if (policy == NULL)
        return CF_EXIT_USAGE;
    printf("%s: ok\n", file);
    for (size_t i = 0; i < policy->notes.count; i++)
        printf("note: %s\n", policy->notes.items[i]);
    return CF_EXIT_OK;
}

/* ---- objects ---- */

static int add_documents(struct cf_store *store, const struct cf_documents *documents,
                         struct cf_err *err)
{
    for (size_t i = 0; i < documents->count; i++) {
        const struct cf_document *document = &documents->items[i];

        if (document->err.kind != CF_ERR_NONE) {
            *err = document->err;
            return -1;
        }
        if (document->root == NULL)
            continue;
        if (cf_store_add(store, document->root, "default", err) != 0)
            return cf_err_wrap(err, "%s:%zu", document->file, document->line);
    }
    return 0;
}

/* What --objects holds is all there is: a lookup must not depend on a document that could not
 * be read, so any of those is an error. */
static int load_objects(struct cf_store *store, const char *path)
{
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_REPORT_MAX);
    struct cf_documents documents = {.items = NULL};
    struct cf_err err = {.kind = CF_ERR_NONE};

    if (arena == NULL)
        cf_err_memory(&err);
    else if (cf_documents_read(arena, path, &documents, &err) == 0 &&
             add_documents(store, &documents, &err) == 0)
        return CF_EXIT_OK;
    return failed(&err);
}

static struct cf_store *load_store(const struct cf_opt_list *paths, int *status)
{
    struct cf_store *store = cf_store_new(CF_ABSENT_IS_PLAIN);

    *status = store != NULL ? CF_EXIT_OK : CF_EXIT_FAILED;
    for (size_t i = 0; i < paths->count && *status == CF_EXIT_OK; i++)
        *status = load_objects(store, paths->items[i]);
    if (*status == CF_EXIT_OK)
        return store;
    cf_store_free(store);
    return NULL;
}

/* ---- running ---- */

static void say_start(const struct cf_server *server, const struct cf_server_config *config)
{
    struct cf_store_counts counts = cf_store_counts(config->store);
    char libraries[128];

    cf_server_libraries(libraries, sizeof(libraries));
    cf_log(CF_LOG_INFO, "serving", CF_LOG_S("version", cf_version()),
           CF_LOG_S("revision", cf_revision()), CF_LOG_S("address", cf_server_address(server)),
           CF_LOG_S("metricsAddress", cf_server_metrics_address(server)),
           CF_LOG_S("policy", config->policy->digest),
           CF_LOG_N("namespaces", (int64_t)counts.namespaces),
           CF_LOG_N("legacySecrets", (int64_t)counts.secrets),
           CF_LOG_N("serviceAccounts", (int64_t)counts.accounts), CF_LOG_S("libraries", libraries));
}

static void warn_at_start(const struct cf_server *server, const struct cf_policy *policy)
{
    int64_t expires = cf_server_certificate_expires(server);
    char when[32];

    for (size_t i = 0; i < policy->notes.count; i++)
        cf_log(CF_LOG_WARN, policy->notes.items[i]);
    if (!cf_server_certificate_has_names(server))
        cf_log(CF_LOG_WARN, "the certificate has no subjectAltName: an API server refuses it");
    if (expires - cf_now() < (int64_t)EXPIRY_WARN_DAYS * 86400)
        cf_log(CF_LOG_WARN, "the certificate ends soon",
               CF_LOG_S("expires", cf_time_format(expires, when)));
}

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

static int wait_for_signal(const sigset_t *set)
{
    int got;

    do
        got = sigwaitinfo(set, NULL);
    while (got < 0 && errno == EINTR);
    return got;
}

/* A second signal cuts it short. */
static void wait_seconds(const sigset_t *set, int64_t seconds)
{
    int64_t end = cf_monotonic_micros() + seconds * 1000000;
    int got = -1;

    for (int64_t left = seconds * 1000000; left > 0 && got < 0;
         left = end - cf_monotonic_micros()) {
        struct timespec ts = {.tv_sec = (time_t)(left / 1000000),
                              .tv_nsec = (long)(left % 1000000) * 1000};

        got = sigtimedwait(set, NULL, &ts);
    }
}

static int serve(const struct cf_server_config *config, const struct flags *flags)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_server *server;
    sigset_t set;
    unsigned cut;
    int got;

    stop_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before there are threads to inherit it */
    server = cf_server_start(config, &err);
    if (server == NULL)
        return failed(&err);
    say_start(server, config);
    warn_at_start(server, config->policy);
    got = wait_for_signal(&set);
    cf_log(CF_LOG_INFO, "draining", CF_LOG_S("signal", got == SIGINT ? "SIGINT" : "SIGTERM"),
           CF_LOG_N("seconds", flags->drain_delay));
    cf_server_drain(server);
    wait_seconds(&set, flags->drain_delay);
    cut = cf_server_stop(server, flags->drain_timeout);
    cf_log(cut == 0 ? CF_LOG_INFO : CF_LOG_WARN, "stopped", CF_LOG_N("unanswered", (int64_t)cut));
    return CF_EXIT_OK;
}

/* ---- flags ---- */

static int setup_log(const struct cf_cmd *cmd, const struct flags *flags)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    bool json = cf_streq(flags->log_format, "json");
    size_t level = 0;

    if (!json && !cf_streq(flags->log_format, "text"))
        return cf_usage_error(cmd, "--log-format is json or text, not '%s'", flags->log_format);
    while (level < CF_COUNT(levels) && !cf_streq(flags->log_level, levels[level]))
        level++;
    if (level == CF_COUNT(levels))
        return cf_usage_error(cmd, "--log-level is debug, info, warn or error, not '%s'",
                              flags->log_level);
    cf_log_setup(json ? CF_LOG_JSON : CF_LOG_TEXT, (enum cf_log_level)level);
    return CF_EXIT_OK;
}

static int check_flags(const struct cf_cmd *cmd, const struct flags *flags)
{
    if (flags->objects.count == 0)
        return cf_usage_error(cmd, "--objects is needed: this version reads the cluster's objects "
                                   "from manifests");
    if (flags->tls_cert == NULL || flags->tls_key == NULL)
        return cf_usage_error(cmd, "%s is needed: API servers call webhooks over TLS only",
                              flags->tls_cert == NULL ? "--tls-cert" : "--tls-key");
    return setup_log(cmd, flags);
}

static int run_with(const struct cf_cmd *cmd, const struct flags *flags)
{
    CF_CLEANUP(cf_policy_cleanup) struct cf_policy *policy = NULL;
    struct cf_server_config config = {
        .listen = flags->listen,
        .metrics_listen = flags->metrics_listen,
        .tls_cert = flags->tls_cert,
        .tls_key = flags->tls_key,
    };
    struct cf_store *store;
    int status;

    if (flags->check_config != NULL)
        return check_config(flags->check_config);
    status = check_flags(cmd, flags);
    if (status != CF_EXIT_OK)
        return status;
    cf_process_harden();
    policy = load_policy(flags->config);
    if (policy == NULL)
        return CF_EXIT_USAGE;
    store = load_store(&flags->objects, &status);
    if (store == NULL)
        return status;
    config.policy = policy;
    config.store = store;
    status = serve(&config, flags);
    cf_store_free(store);
    return status;
}

static int run(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct flags flags = {
        .listen = ":8443",
        .metrics_listen = ":8080",
        .drain_delay = 15,
        .drain_timeout = 10,
        .log_format = "json",
        .log_level = "info",
    };
    const struct cf_opt opts[] = {
        {"--objects", 0, CF_OPT_LIST, &flags.objects, "FILE|DIR",
         "the cluster's objects, as manifests"},
        {"--tls-cert", 0, CF_OPT_STRING, &flags.tls_cert, "FILE", "serving certificate, PEM"},
        {"--tls-key", 0, CF_OPT_STRING, &flags.tls_key, "FILE", "its key, PEM"},
        {"--config", 0, CF_OPT_STRING, &flags.config, "FILE",
         "configuration; else what is built in"},
        {"--check-config", 0, CF_OPT_STRING, &flags.check_config, "FILE",
         "check a configuration and exit: 0 or 2"},
        {"--listen", 0, CF_OPT_STRING, &flags.listen, "[HOST]:PORT",
         "where reviews are answered, over TLS (default :8443)"},
        {"--metrics-listen", 0, CF_OPT_STRING, &flags.metrics_listen, "[HOST]:PORT",
         "where probes and metrics are answered (default :8080)"},
        {"--drain-delay", 0, CF_OPT_DURATION, &flags.drain_delay, "DURATION",
         "after SIGTERM: time to serve on, not ready any more (default 15s)"},
        {"--drain-timeout", 0, CF_OPT_DURATION, &flags.drain_timeout, "DURATION",
         "then: time for what is in flight (default 10s)"},
        {"--log-format", 0, CF_OPT_STRING, &flags.log_format, "json|text", "default json"},
        {"--log-level", 0, CF_OPT_STRING, &flags.log_level, "debug|info|warn|error",
         "default info"},
        {0},
    };
    int status = cf_opts_parse(cmd, opts, argc, argv, NULL);

    if (status == CF_EXIT_OK)
        status = run_with(cmd, &flags);
    cf_opt_list_free(&flags.objects);
    return status < 0 ? CF_EXIT_OK : status;
}

const struct cf_cmd cf_cmd_serve = {
    .name = "serve",
    .summary = "answer an API server's admission reviews",
    .usage = "curfew serve --objects FILE|DIR --tls-cert FILE --tls-key FILE [flags]",
    .run = run,
};
