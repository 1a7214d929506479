/* SPDX-License-Identifier: Apache-2.0 */
/* curfew serve: the webhook server. */
#include <stdio.h>
#include <stdlib.h>

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

struct flags {
    const char *config, *check_config;
    const char *listen, *metrics_listen;
    const char *tls_cert, *tls_key;
    const char *client_ca, *client_crl;
    const char *bearer_jwks, *bearer_audience;
    struct cf_opt_list objects, client_names;
    int64_t drain_delay, drain_timeout;
    const char *log_format, *log_level;
};

static int failed(const struct cf_err *err)
{
    fprintf(stderr, "curfew serve: %s\n", err->msg);
    return err->kind == CF_ERR_INPUT ? CF_EXIT_USAGE : CF_EXIT_FAILED;
}

/* ---- configuration ---- */

static int check_config(const char *file)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    CF_CLEANUP(cf_policy_cleanup)
    struct cf_policy *policy = cf_policy_load(file, cf_rule_ids(), cf_rule_count, cf_now(), &err);

    if (policy == NULL) {
        fprintf(stderr, "curfew serve: %s\n", err.msg);
        return CF_EXIT_USAGE;
    }
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

static int serve(const struct cf_server_config *config)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_server *server = cf_server_start(config, &err);

    if (server == NULL)
        return failed(&err);
    cf_server_run(server);
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

/* A flag that would be without effect is a mistake, and here one that opens a door. */
static int check_callers(const struct cf_cmd *cmd, const struct flags *flags)
{
    if (flags->client_ca == NULL && (flags->client_names.count > 0 || flags->client_crl != NULL))
        return cf_usage_error(cmd, "%s needs --client-ca",
                              flags->client_crl != NULL ? "--client-crl" : "--client-name");
    if (flags->bearer_jwks != NULL && flags->bearer_audience == NULL)
        return cf_usage_error(cmd, "--bearer-jwks needs --bearer-audience: a token that was made "
                                   "for another service must not do here");
    if (flags->bearer_audience != NULL && flags->bearer_jwks == NULL)
        return cf_usage_error(cmd, "--bearer-audience needs --bearer-jwks");
    return CF_EXIT_OK;
}

static int check_flags(const struct cf_cmd *cmd, const struct flags *flags)
{
    int status = check_callers(cmd, flags);

    if (status != CF_EXIT_OK)
        return status;
    if (flags->objects.count == 0)
        return cf_usage_error(cmd, "--objects is needed: this version reads the cluster's objects "
                                   "from manifests");
    if (flags->tls_cert == NULL || flags->tls_key == NULL)
        return cf_usage_error(cmd, "%s is needed: API servers call webhooks over TLS only",
                              flags->tls_cert == NULL ? "--tls-cert" : "--tls-key");
    return setup_log(cmd, flags);
}

/* The names with a NULL behind them; NULL when out of memory. */
static const char **client_names(const struct flags *flags)
{
    const char **names = calloc(flags->client_names.count + 1, sizeof(*names));

    for (size_t i = 0; names != NULL && i < flags->client_names.count; i++)
        names[i] = flags->client_names.items[i];
    return names;
}

static int serve_with(const struct flags *flags, const char **names, const struct cf_store *store)
{
    struct cf_server_config config = {
        .listen = flags->listen,
        .metrics_listen = flags->metrics_listen,
        .store = store,
        .config = flags->config,
        .tls_cert = flags->tls_cert,
        .tls_key = flags->tls_key,
        .client_ca = flags->client_ca,
        .client_crl = flags->client_crl,
        .client_names = names,
        .bearer_jwks = flags->bearer_jwks,
        .bearer_audience = flags->bearer_audience,
        .drain_delay = flags->drain_delay,
        .drain_timeout = flags->drain_timeout,
    };

    return names != NULL ? serve(&config) : CF_EXIT_FAILED;
}

static int run_with(const struct cf_cmd *cmd, const struct flags *flags)
{
    struct cf_store *store;
    const char **names;
    int status;

    if (flags->check_config != NULL)
        return check_config(flags->check_config);
    status = check_flags(cmd, flags);
    if (status != CF_EXIT_OK)
        return status;
    cf_process_harden();
    cf_server_block_signals();
    store = load_store(&flags->objects, &status);
    if (store == NULL)
        return status;
    names = client_names(flags);
    status = serve_with(flags, names, store);
    free(names);
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
        {"--client-ca", 0, CF_OPT_STRING, &flags.client_ca, "FILE",
         "callers need a certificate of these authorities, PEM"},
        {"--client-name", 0, CF_OPT_LIST, &flags.client_names, "NAME",
         "which carries this name (repeatable: one of them)"},
        {"--client-crl", 0, CF_OPT_STRING, &flags.client_crl, "FILE",
         "and is not on these revocation lists, PEM"},
        {"--bearer-jwks", 0, CF_OPT_STRING, &flags.bearer_jwks, "FILE",
         "callers need a bearer token signed by these keys"},
        {"--bearer-audience", 0, CF_OPT_STRING, &flags.bearer_audience, "NAME",
         "which was made for this audience"},
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
    cf_opt_list_free(&flags.client_names);
    return status < 0 ? CF_EXIT_OK : status;
}

const struct cf_cmd cf_cmd_serve = {
    .name = "serve",
    .summary = "answer an API server's admission reviews",
    .usage = "curfew serve --objects FILE|DIR --tls-cert FILE --tls-key FILE [flags]",
    .run = run,
};
