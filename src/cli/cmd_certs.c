/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certs.c - curfew certs: the authority and the serving certificate.
 *
 * `init`, `renew` and `show` run once, on files or on a Secret (certs_actions.c). `run` is the
 * certificate rotator (src/certs/rotator.c) as a process: one thread makes passes, another serves
 * the probe port. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/certs.h"
#include "curfew/log.h"
#include "curfew/probes.h"
#include "curfew/rotator.h"
#include "curfew/server.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "curfew/process.h"
#include "certs_run.h"
#include "options.h"

/* ---- from flags to options ---- */

struct certs_flags {
    const char *secret; /* NAMESPACE/NAME */
    struct cf_opt_list services, names, configurations;
    int64_t leaf_lifetime, ca_lifetime; /* seconds; 0: the default */
};

struct rotator_config {
    const char *kubeconfig, *context;
    const char *probe_listen; /* [HOST]:PORT */
    const struct cf_certs_options *options;
};

static int take_configurations(const struct cf_cmd *cmd, const struct certs_flags *flags,
                               struct cf_certs_options *out)
{
    out->configurations = calloc(flags->configurations.count + 1, sizeof(*out->configurations));
    if (out->configurations == NULL)
        return CF_EXIT_FAILED;
    for (size_t i = 0; i < flags->configurations.count; i++) {
        const char *name = flags->configurations.items[i];

        if (!cf_certs_is_name(name))
            return cf_usage_error(cmd, "--webhook-configuration must be a name, not '%s'", name);
        out->configurations[i] = name;
    }
    return CF_EXIT_OK;
}

static char *service_name(const char *service)
{
    struct cf_buf name;
    char *text = NULL;

    cf_buf_init(&name, 300);
    if (cf_certs_service_name(service, &name))
        text = cf_buf_take(&name, NULL);
    cf_buf_free(&name);
    return text;
}

static int take_names(const struct cf_cmd *cmd, const struct certs_flags *flags,
                      struct cf_certs_options *out)
{
    out->names = calloc(flags->services.count + flags->names.count + 1, sizeof(*out->names));
    out->services = calloc(flags->services.count + 1, sizeof(*out->services));
    if (out->names == NULL || out->services == NULL)
        return CF_EXIT_FAILED;
    for (size_t i = 0; i < flags->services.count; i++) {
        out->services[i] = service_name(flags->services.items[i]);
        if (out->services[i] == NULL)
            return cf_usage_error(cmd, "--service must be NAME.NAMESPACE, not '%s'",
                                  flags->services.items[i]);
        out->names[out->name_count++] = out->services[i];
    }
    for (size_t i = 0; i < flags->names.count; i++) {
        if (!cf_certs_is_name(flags->names.items[i]))
            return cf_usage_error(cmd, "--dns must be a DNS name or an IP address, not '%s'",
                                  flags->names.items[i]);
        out->names[out->name_count++] = flags->names.items[i];
    }
    return CF_EXIT_OK;
}

/* An authority is renewed when a third of its lifetime remains; the last leaf that it signs then
 * must fit into that third. */
static int take_lifetimes(const struct cf_cmd *cmd, const struct certs_flags *flags,
                          struct cf_certs_options *out)
{
    int64_t leaf = flags->leaf_lifetime != 0 ? flags->leaf_lifetime : CF_LEAF_LIFETIME;
    int64_t ca = flags->ca_lifetime;

    if (leaf < CF_LIFETIME_MIN || leaf > CF_LIFETIME_MAX)
        return cf_usage_error(cmd, "--cert-lifetime must be from 30s to ten years");
    if (ca == 0)
        ca = 4 * leaf > CF_CA_LIFETIME ? 4 * leaf : CF_CA_LIFETIME;
    if (ca < 3 * leaf || ca > 4 * CF_LIFETIME_MAX)
        return cf_usage_error(cmd, "--ca-lifetime must be at least three times --cert-lifetime (an "
                                   "authority is renewed in the last third of its lifetime), and "
                                   "at most forty years");
    out->leaf_lifetime = leaf;
    out->ca_lifetime = ca;
    return CF_EXIT_OK;
}

static void certs_options_free(struct cf_certs_options *options)
{
    for (size_t i = 0; options->services != NULL && options->services[i] != NULL; i++)
        free(options->services[i]);
    free(options->services);
    free(options->names);
    free(options->configurations);
    free(options->namespace);
    memset(options, 0, sizeof(*options));
}

/* CF_EXIT_OK and *out, which certs_options_free() frees; or another exit code after a message. */
static int certs_options_make(const struct cf_cmd *cmd, const struct certs_flags *flags,
                              struct cf_certs_options *out)
{
    int status = CF_EXIT_OK;

    memset(out, 0, sizeof(*out));
    if (flags->secret != NULL)
        status = cf_split_secret(cmd, "--secret", flags->secret, &out->namespace, &out->name);
    if (status == CF_EXIT_OK)
        status = take_configurations(cmd, flags, out);
    if (status == CF_EXIT_OK)
        status = take_names(cmd, flags, out);
    if (status == CF_EXIT_OK)
        status = take_lifetimes(cmd, flags, out);
    if (status != CF_EXIT_OK)
        certs_options_free(out);
    return status;
}

static void certs_flags_free(struct certs_flags *flags)
{
    cf_opt_list_free(&flags->services);
    cf_opt_list_free(&flags->names);
    cf_opt_list_free(&flags->configurations);
}

/* ---- the rotator as a process ---- */

/* The thread that makes passes updates alive_at a few times a second, also while it waits for an
 * API server. If it has not for this long, it hangs: /livez fails, so that the kubelet restarts the
 * container. */
#define HANGS_SECONDS 60

struct rotator_process {
    const struct rotator_config *config;
    struct cf_rotator rotator;
    struct cf_probes *probes;
    sigset_t signals;
    atomic_int_fast64_t alive_at; /* monotonic microseconds */
    pthread_mutex_t lock;
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* of the last pass, under the lock; "" */
};

/* ---- the rotator: probes ---- */

static bool rotator_is_alive(void *arg, char *why, size_t size)
{
    struct rotator_process *process = arg;
    int64_t gone = (cf_monotonic_micros() - atomic_load(&process->alive_at)) / 1000000;

    if (gone < HANGS_SECONDS)
        return true;
    snprintf(why, size, "no progress for %lld s", (long long)gone);
    return false;
}

static bool rotator_is_ready(void *arg, char *why, size_t size)
{
    struct rotator_process *process = arg;

    pthread_mutex_lock(&process->lock);
    cf_str_show(why, size, "%s", process->failure);
    pthread_mutex_unlock(&process->lock);
    return why[0] == '\0';
}

/* ---- the rotator: signals ---- */

/* Called while a request to the API server is pending. */
static bool must_stop(void *arg)
{
    struct rotator_process *process = arg;
    sigset_t pending;

    atomic_store(&process->alive_at, cf_monotonic_micros());
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Waits for that long, or until SIGHUP. True: SIGTERM or SIGINT was received. */
static bool wait_for_stop(struct rotator_process *process, int64_t millis)
{
    int64_t until = cf_monotonic_micros() + millis * 1000;

    for (;;) {
        int64_t left = until - cf_monotonic_micros();
        struct timespec ts = {.tv_sec = (time_t)(left / 1000000),
                              .tv_nsec = (long)(left % 1000000) * 1000};
        int got;

        atomic_store(&process->alive_at, cf_monotonic_micros());
        if (left <= 0)
            return false;
        got = sigtimedwait(&process->signals, NULL, &ts);
        if (got == SIGHUP)
            return false;
        if (got > 0)
            return true;
    }
}

/* ---- the rotator: passes ---- */

static void set_failure(struct rotator_process *process, const char *failure)
{
    pthread_mutex_lock(&process->lock);
    snprintf(process->failure, sizeof(process->failure), "%s", failure);
    pthread_mutex_unlock(&process->lock);
}

static void log_pass_failure(struct rotator_process *process, const struct cf_err *err)
{
    if (cf_streq(process->failure, err->msg))
        return;
    cf_log(CF_LOG_ERROR, "cannot renew the serving certificate, will retry",
           CF_LOG_S("secret", process->rotator.where), CF_LOG_S("error", err->msg));
}

/* -1: the pass failed. */
static int run_pass(struct rotator_process *process, struct cf_err *err)
{
    int result = cf_rotator_pass(&process->rotator, err);

    if (result != 0 && !must_stop(process))
        log_pass_failure(process, err);
    set_failure(process, result != 0 ? err->msg : process->rotator.bundle_failure);
    return result;
}

static int run_passes(struct rotator_process *process, struct cf_err *err)
{
    bool first = true, failed;

    do {
        err->kind = CF_ERR_NONE;
        failed = run_pass(process, err) != 0;
        /* A wrong configuration ends the process at the start only: later, the certificates that
         * exist are still served, and the cause may be fixed at any time. */
        if (failed && first && err->kind == CF_ERR_INPUT)
            return -1;
        first = first && failed;
    } while (!wait_for_stop(process, cf_rotator_pause(&process->rotator, failed)));
    return 0;
}

/* ---- the rotator: start and end ---- */

static void log_rotator_start(const struct rotator_process *process)
{
    const char *const *names = process->config->options->configurations;

    cf_log(CF_LOG_INFO, "rotating the certificate", CF_LOG_S("version", cf_version()),
           CF_LOG_S("revision", cf_revision()), CF_LOG_S("secret", process->rotator.where),
           CF_LOG_S("configuration", names[0]),
           CF_LOG_S("cluster", cf_api_server(process->rotator.caller.api)),
           CF_LOG_S("probeAddress", cf_probes_address(process->probes)));
}

static int start_rotator(struct rotator_process *process, struct cf_err *err)
{
    const struct rotator_config *config = process->config;
    struct cf_api *api = cf_cli_open_api(config->kubeconfig, config->context, err);

    if (api == NULL || cf_rotator_init(&process->rotator, config->options, api, err) != 0)
        return -1;
    process->rotator.caller.cancelled = must_stop;
    process->rotator.caller.arg = process;
    atomic_store(&process->alive_at, cf_monotonic_micros());
    set_failure(process, "the Secret has not been read yet");
    process->probes = cf_probes_start(config->probe_listen, rotator_is_ready, process, err);
    if (process->probes == NULL)
        return -1;
    cf_probes_alive_hook(process->probes, rotator_is_alive);
    return 0;
}

/* Runs until SIGTERM or SIGINT, then stops cleanly; SIGHUP starts the next pass immediately. -1: it
 * cannot start, or (CF_ERR_INPUT) the Secret is not managed by Curfew. */
static int rotate_until_stopped(const struct rotator_config *config, struct cf_err *err)
{
    struct rotator_process process = {.config = config, .lock = PTHREAD_MUTEX_INITIALIZER};
    int result;

    cf_server_block_signals();
    sigemptyset(&process.signals);
    sigaddset(&process.signals, SIGTERM);
    sigaddset(&process.signals, SIGINT);
    sigaddset(&process.signals, SIGHUP);
    result = start_rotator(&process, err);
    if (result == 0) {
        log_rotator_start(&process);
        result = run_passes(&process, err);
    }
    if (result == 0)
        cf_log(CF_LOG_INFO, "stopped", CF_LOG_S("secret", process.rotator.where));
    cf_probes_stop(process.probes);
    cf_rotator_free(&process.rotator);
    return result;
}

/* ---- the command ---- */

struct command_flags {
    struct certs_flags certs;
    const char *dir, *kubeconfig, *context, *now;
    const char *probe_listen; /* NULL: the default */
    struct cf_log_flags log;  /* members are NULL for the default */
    bool ca, drop_old;
    struct cf_opt_list rest;
};

/* `run` is NULL for the rotator. */
static const struct {
    const char *name;
    int (*run)(struct cf_certs_run *run, struct cf_err *err);
} actions[] = {{"init", cf_certs_init_run},
               {"renew", cf_certs_renew_run},
               {"show", cf_certs_show_run},
               {"run", NULL}};

static int find_action(const struct cf_cmd *cmd, const struct command_flags *flags, size_t *out)
{
    const char *word = flags->rest.count > 0 ? flags->rest.items[0] : NULL;

    if (word == NULL)
        return cf_usage_error(cmd, "an action is required: init, renew, show or run");
    if (flags->rest.count > 1)
        return cf_usage_error(cmd, "one action is allowed, not also '%s'", flags->rest.items[1]);
    for (*out = 0; *out < CF_COUNT(actions); (*out)++) {
        if (cf_streq(actions[*out].name, word))
            return CF_EXIT_OK;
    }
    return cf_usage_error(cmd, "the action must be init, renew, show or run, not '%s'", word);
}

/* Checks what the table of options cannot express. */
static int check_certs_flags(const struct cf_cmd *cmd, const struct command_flags *flags,
                             const char *action)
{
    const struct certs_flags *certs = &flags->certs;

    if (flags->dir == NULL && certs->secret == NULL)
        return cf_usage_error(cmd, "--dir or --secret is required");
    if (!cf_streq(action, "run"))
        return CF_EXIT_OK;
    if (certs->secret == NULL)
        return cf_usage_error(cmd, "run needs --secret: it maintains a Secret, not files");
    if (certs->configurations.count == 0 && certs->services.count == 0 && certs->names.count == 0)
        return cf_usage_error(cmd, "run needs --webhook-configuration, whose caBundles it writes, "
                                   "or --service or --dns if something else writes them");
    return CF_EXIT_OK;
}

static int read_now_flag(const struct cf_cmd *cmd, const struct command_flags *flags, int64_t *out)
{
    *out = cf_now();
    if (flags->now == NULL || cf_time_parse(flags->now, out))
        return CF_EXIT_OK;
    return cf_usage_error(cmd, "--now must be a time like 2026-11-22T15:12:51Z, not '%s'",
                          flags->now);
}

static int fail_certs(const struct cf_err *err)
{
    fprintf(stderr, "curfew certs: %s\n", err->msg);
    return err->kind == CF_ERR_INPUT ? CF_EXIT_USAGE : CF_EXIT_FAILED;
}

static int run_rotator(const struct command_flags *flags, const struct cf_certs_options *options)
{
    const struct cf_log_flags log = {
        .format = flags->log.format != NULL ? flags->log.format : "json",
        .level = flags->log.level != NULL ? flags->log.level : "info",
    };
    const struct rotator_config config = {
        .kubeconfig = flags->kubeconfig,
        .context = flags->context,
        .probe_listen = flags->probe_listen != NULL ? flags->probe_listen : ":8081",
        .options = options,
    };
    struct cf_err err = {.kind = CF_ERR_NONE};

    cf_log_flags_use(&log);
    cf_process_serve();
    return rotate_until_stopped(&config, &err) == 0 ? CF_EXIT_OK : fail_certs(&err);
}

static int run_once(struct cf_certs_run *run, size_t action)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    int status;

    cf_certs_init(&run->certs);
    cf_process_serve();
    status = actions[action].run(run, &err);
    cf_api_close(run->caller.api);
    cf_certs_secret_free(run->store);
    cf_certs_free(&run->certs);
    cf_arena_free(run->arena);
    return status >= 0 ? status : fail_certs(&err);
}

static int run_certs_action(const struct cf_cmd *cmd, const struct command_flags *flags)
{
    struct cf_certs_run run = {.dir = flags->dir,
                               .secret = flags->certs.secret,
                               .kubeconfig = flags->kubeconfig,
                               .context = flags->context,
                               .renew_ca = flags->ca,
                               .drop_old = flags->drop_old};
    size_t action = 0;
    int status = find_action(cmd, flags, &action);

    if (status == CF_EXIT_OK)
        status = check_certs_flags(cmd, flags, actions[action].name);
    if (status == CF_EXIT_OK)
        status = read_now_flag(cmd, flags, &run.now);
    if (status == CF_EXIT_OK)
        status = certs_options_make(cmd, &flags->certs, &run.options);
    if (status != CF_EXIT_OK)
        return status;
    status =
        actions[action].run != NULL ? run_once(&run, action) : run_rotator(flags, &run.options);
    certs_options_free(&run.options);
    return status;
}

static int run_certs(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct command_flags flags = {.dir = NULL};
    const struct cf_opt opts[] = {
        {"--dir", 0, CF_OPT_STRING, &flags.dir, "DIR",
         .help = "directory for ca.crt, ca.key, tls.crt and tls.key", .excludes = "--secret",
         .why = "certificates are stored in one place"},
        {"--secret", 0, CF_OPT_STRING, &flags.certs.secret, "NAMESPACE/NAME",
         .help = "Secret for the certificates, which 'curfew serve' reads"},
        {"--service", 0, CF_OPT_LIST, &flags.certs.services, "NAME.NAMESPACE",
         .help = "Service whose DNS name the certificate holds (repeatable)",
         .actions = "init|renew|run"},
        {"--dns", 0, CF_OPT_LIST, &flags.certs.names, "NAME",
         .help = "DNS name or IP address that the certificate holds (repeatable)",
         .actions = "init|renew|run"},
        {"--webhook-configuration", 0, CF_OPT_LIST, &flags.certs.configurations, "NAME",
         .help = "write the authority into the caBundles of this configuration (repeatable)"},
        {"--ca", 0, CF_OPT_FLAG, &flags.ca, NULL,
         .help = "create a new authority, too; the old one stays trusted", .actions = "renew",
         .excludes = "--drop-old",
         .why = "the new authority must sign before the old one is removed"},
        {"--drop-old", 0, CF_OPT_FLAG, &flags.drop_old, NULL,
         .help = "remove older authorities once the newest one signs", .actions = "renew"},
        {"--cert-lifetime", 0, CF_OPT_DURATION, &flags.certs.leaf_lifetime, "DURATION",
         .help = "lifetime of the certificate (default 2160h)", .actions = "init|renew|run"},
        {"--ca-lifetime", 0, CF_OPT_DURATION, &flags.certs.ca_lifetime, "DURATION",
         .help = "lifetime of the authority (default 8760h)", .actions = "init|renew|run"},
        {"--kubeconfig", 0, CF_OPT_STRING, &flags.kubeconfig, "FILE",
         .help = "kubeconfig (default: KUBECONFIG, the pod's own, ~/.kube/config)",
         .needs = "--secret|--webhook-configuration"},
        {"--context", 0, CF_OPT_STRING, &flags.context, "NAME",
         .help = "context of the kubeconfig (default: its current-context)",
         .needs = "--secret|--webhook-configuration"},
        {"--now", 0, CF_OPT_STRING, &flags.now, "TIME",
         .help = "compute remaining lifetimes as of this time (default: now)", .actions = "show"},
        {"--probe-listen", 0, CF_OPT_STRING, &flags.probe_listen, "[HOST]:PORT",
         .help = "address of /livez and /readyz (default :8081)", .actions = "run"},
        {"--log-format", 0, CF_OPT_WORD, &flags.log.format, CF_LOG_FORMATS,
         .help = "format of the log (default json)", .actions = "run"},
        {"--log-level", 0, CF_OPT_WORD, &flags.log.level, CF_LOG_LEVELS,
         .help = "lowest level that is logged (default info)", .actions = "run"},
        {0},
    };
    int status = cf_opts_parse(cmd, opts, argc, argv, &flags.rest);

    if (status == CF_EXIT_OK)
        status = run_certs_action(cmd, &flags);
    certs_flags_free(&flags.certs);
    cf_opt_list_free(&flags.rest);
    return status < 0 ? CF_EXIT_OK : status;
}

const struct cf_cmd cf_cmd_certs = {
    .name = "certs",
    .summary = "create, renew, show or maintain the serving certificate and its authority",
    .usage = "curfew certs init|renew|show|run --dir DIR|--secret NAMESPACE/NAME [flags]",
    .run = run_certs,
};
