/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certs.c - curfew certs: the authority and the serving certificate.
 *
 * `init`, `renew` and `show` work by hand, on files or on a Secret (certs_actions.c). `run` keeps a
 * Secret and the caBundles up to date by itself: one thread does the work, the probe port has its
 * own. */
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
#include "certs.h"
#include "options.h"

struct certs_flags {
    const char *secret; /* NAMESPACE/NAME */
    struct cf_opt_list services, names, configurations;
    int64_t leaf_lifetime, ca_lifetime; /* seconds; 0: as usual */
};

struct rotator_config {
    const char *kubeconfig, *context; /* as curfew certs has them */
    const char *probe_listen;         /* [HOST]:PORT */
    const struct cf_certs_given *given;
};

static int take_configurations(const struct cf_cmd *cmd, const struct certs_flags *flags,
                               struct cf_certs_given *out)
{
    out->configurations = calloc(flags->configurations.count + 1, sizeof(*out->configurations));
    if (out->configurations == NULL)
        return CF_EXIT_FAILED;
    for (size_t i = 0; i < flags->configurations.count; i++) {
        const char *name = flags->configurations.items[i];

        if (!cf_certs_is_name(name))
            return cf_usage_error(cmd, "--webhook-configuration should be a name, not '%s'", name);
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
                      struct cf_certs_given *out)
{
    out->names = calloc(flags->services.count + flags->names.count + 1, sizeof(*out->names));
    out->services = calloc(flags->services.count + 1, sizeof(*out->services));
    if (out->names == NULL || out->services == NULL)
        return CF_EXIT_FAILED;
    for (size_t i = 0; i < flags->services.count; i++) {
        out->services[i] = service_name(flags->services.items[i]);
        if (out->services[i] == NULL)
            return cf_usage_error(cmd, "--service should be NAME.NAMESPACE, not '%s'",
                                  flags->services.items[i]);
        out->names[out->name_count++] = out->services[i];
    }
    for (size_t i = 0; i < flags->names.count; i++) {
        if (!cf_certs_is_name(flags->names.items[i]))
            return cf_usage_error(cmd, "--dns should be a DNS name or an IP address, not '%s'",
                                  flags->names.items[i]);
        out->names[out->name_count++] = flags->names.items[i];
    }
    return CF_EXIT_OK;
}

/* An authority is renewed when a third of its life is left, in which the old one's last certificate
 * has to have its own. */
static int take_lifetimes(const struct cf_cmd *cmd, const struct certs_flags *flags,
                          struct cf_certs_given *out)
{
    int64_t leaf = flags->leaf_lifetime != 0 ? flags->leaf_lifetime : CF_LEAF_LIFETIME;
    int64_t ca = flags->ca_lifetime;

    if (leaf < CF_LIFETIME_MIN || leaf > CF_LIFETIME_MAX)
        return cf_usage_error(cmd, "--cert-lifetime is from 30s to ten years");
    if (ca == 0)
        ca = 4 * leaf > CF_CA_LIFETIME ? 4 * leaf : CF_CA_LIFETIME;
    if (ca < 3 * leaf || ca > 4 * CF_LIFETIME_MAX)
        return cf_usage_error(cmd, "--ca-lifetime is at least three times --cert-lifetime (an "
                                   "authority is renewed in the last third of its life), and at "
                                   "most forty years");
    out->leaf_lifetime = leaf;
    out->ca_lifetime = ca;
    return CF_EXIT_OK;
}

static void certs_given_free(struct cf_certs_given *wish)
{
    for (size_t i = 0; wish->services != NULL && wish->services[i] != NULL; i++)
        free(wish->services[i]);
    free(wish->services);
    free(wish->names);
    free(wish->configurations);
    free(wish->namespace);
    memset(wish, 0, sizeof(*wish));
}

/* CF_EXIT_OK, or another after a sentence about what makes no sense. */
static int certs_given_make(const struct cf_cmd *cmd, const struct certs_flags *flags,
                            struct cf_certs_given *out)
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
        certs_given_free(out);
    return status;
}

static void certs_flags_free(struct certs_flags *flags)
{
    cf_opt_list_free(&flags->services);
    cf_opt_list_free(&flags->names);
    cf_opt_list_free(&flags->configurations);
}

/* ---- rotator ---- */

/* The work shows that it goes on a few times a second, also while it waits for an API server. After
 * so long without that it hangs, and a kubelet should start it anew. */
#define HANGS_SECONDS 60

struct rotator {
    const struct rotator_config *config;
    struct cf_rotator rotation;
    struct cf_probes *probes;
    sigset_t signals;
    atomic_int_fast64_t alive_at; /* monotonic microseconds */
    pthread_mutex_t lock;
    char failure[sizeof(((struct cf_err *)0)->msg)]; /* under the lock: of the last pass; "" */
};

/* ---- what the probes ask ---- */

static bool is_alive(void *arg, char *why, size_t size)
{
    struct rotator *rotator = arg;
    int64_t gone = (cf_monotonic_micros() - atomic_load(&rotator->alive_at)) / 1000000;

    if (gone < HANGS_SECONDS)
        return true;
    snprintf(why, size, "nothing has moved for %lld s", (long long)gone);
    return false;
}

static bool is_ready(void *arg, char *why, size_t size)
{
    struct rotator *rotator = arg;

    pthread_mutex_lock(&rotator->lock);
    cf_str_show(why, size, "%s", rotator->failure);
    pthread_mutex_unlock(&rotator->lock);
    return why[0] == '\0';
}

/* ---- signals ---- */

/* Asked while an API server is waited for. */
static bool told_to_end(void *arg)
{
    struct rotator *rotator = arg;
    sigset_t pending;

    atomic_store(&rotator->alive_at, cf_monotonic_micros());
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Returns whether a signal has come that ends it. */
static bool wait_for_end(struct rotator *rotator, int64_t millis)
{
    int64_t until = cf_monotonic_micros() + millis * 1000;

    for (;;) {
        int64_t left = until - cf_monotonic_micros();
        struct timespec ts = {.tv_sec = (time_t)(left / 1000000),
                              .tv_nsec = (long)(left % 1000000) * 1000};
        int got;

        atomic_store(&rotator->alive_at, cf_monotonic_micros());
        if (left <= 0)
            return false;
        got = sigtimedwait(&rotator->signals, NULL, &ts);
        if (got == SIGHUP)
            return false;
        if (got > 0)
            return true;
    }
}

/* ---- the work ---- */

static void remember(struct rotator *rotator, const char *failure)
{
    pthread_mutex_lock(&rotator->lock);
    snprintf(rotator->failure, sizeof(rotator->failure), "%s", failure);
    pthread_mutex_unlock(&rotator->lock);
}

static void tell(struct rotator *rotator, const struct cf_err *err)
{
    if (cf_streq(rotator->failure, err->msg))
        return;
    cf_log(CF_LOG_ERROR, "the certificate could not be looked after: it is tried again",
           CF_LOG_S("secret", rotator->rotation.where), CF_LOG_S("error", err->msg));
}

/* -1: the pass has failed. */
static int pass(struct rotator *rotator, struct cf_err *err)
{
    int result = cf_rotator_pass(&rotator->rotation, err);

    if (result != 0 && !told_to_end(rotator))
        tell(rotator, err);
    remember(rotator, result != 0 ? err->msg : rotator->rotation.bundle_failure);
    return result;
}

static int work(struct rotator *rotator, struct cf_err *err)
{
    bool first = true, failed;

    do {
        err->kind = CF_ERR_NONE;
        failed = pass(rotator, err) != 0;
        /* What makes no sense at the start never will; later somebody may be about to mend it. */
        if (failed && first && err->kind == CF_ERR_INPUT)
            return -1;
        first = first && failed;
    } while (!wait_for_end(rotator, cf_rotator_pause(&rotator->rotation, failed)));
    return 0;
}

/* ---- its life ---- */

static void say_start(const struct rotator *rotator)
{
    const char *const *names = rotator->config->given->configurations;

    cf_log(CF_LOG_INFO, "keeping the certificate", CF_LOG_S("version", cf_version()),
           CF_LOG_S("revision", cf_revision()), CF_LOG_S("secret", rotator->rotation.where),
           CF_LOG_S("configuration", names[0]),
           CF_LOG_S("cluster", cf_api_server(rotator->rotation.asker.api)),
           CF_LOG_S("probeAddress", cf_probes_address(rotator->probes)));
}

static int start(struct rotator *rotator, struct cf_err *err)
{
    const struct rotator_config *config = rotator->config;
    struct cf_api *api = cf_cli_open_api(config->kubeconfig, config->context, err);

    if (api == NULL || cf_rotator_init(&rotator->rotation, config->given, api, err) != 0)
        return -1;
    rotator->rotation.asker.cancelled = told_to_end;
    rotator->rotation.asker.arg = rotator;
    atomic_store(&rotator->alive_at, cf_monotonic_micros());
    remember(rotator, "the first look at the Secret is under way");
    rotator->probes = cf_probes_start(config->probe_listen, is_ready, rotator, err);
    if (rotator->probes == NULL)
        return -1;
    cf_probes_alive_hook(rotator->probes, is_alive);
    return 0;
}

/* Runs until SIGTERM or SIGINT, which end it in good order. SIGHUP: looks at once. -1: it cannot
 * begin, or the Secret is somebody else's (CF_ERR_INPUT). */
static int rotator_run(const struct rotator_config *config, struct cf_err *err)
{
    struct rotator rotator = {.config = config, .lock = PTHREAD_MUTEX_INITIALIZER};
    int result;

    cf_server_block_signals();
    sigemptyset(&rotator.signals);
    sigaddset(&rotator.signals, SIGTERM);
    sigaddset(&rotator.signals, SIGINT);
    sigaddset(&rotator.signals, SIGHUP);
    result = start(&rotator, err);
    if (result == 0) {
        say_start(&rotator);
        result = work(&rotator, err);
    }
    if (result == 0)
        cf_log(CF_LOG_INFO, "stopped", CF_LOG_S("secret", rotator.rotation.where));
    cf_probes_stop(rotator.probes);
    cf_rotator_free(&rotator.rotation);
    return result;
}

/* ---- cmd certs ---- */

/* `curfew certs`: the authority and the serving certificate. `init`, `renew` and
 * `show` are for somebody who makes them by hand, as files or in a Secret; `run` keeps a Secret and
 * the caBundles by itself. */

struct flags {
    struct certs_flags certs;
    const char *dir, *kubeconfig, *context, *now;
    const char *probe_listen; /* NULL: not given */
    struct cf_log_flags log;  /* its members NULL: not given */
    bool ca, drop_old;
    struct cf_opt_list rest;
};

/* run NULL: not by hand. */
static const struct {
    const char *name;
    int (*run)(struct cf_certs_run *run, struct cf_err *err);
} actions[] = {{"init", cf_certs_init_run},
               {"renew", cf_certs_renew_run},
               {"show", cf_certs_show_run},
               {"run", NULL}};

static int find_action(const struct cf_cmd *cmd, const struct flags *flags, size_t *out)
{
    const char *word = flags->rest.count > 0 ? flags->rest.items[0] : NULL;

    if (word == NULL)
        return cf_usage_error(cmd, "what to do is missing: init, renew, show or run");
    if (flags->rest.count > 1)
        return cf_usage_error(cmd, "one of init, renew, show and run, not also '%s'",
                              flags->rest.items[1]);
    for (*out = 0; *out < CF_COUNT(actions); (*out)++) {
        if (cf_streq(actions[*out].name, word))
            return CF_EXIT_OK;
    }
    return cf_usage_error(cmd, "init, renew, show or run, not '%s'", word);
}

/* What the table of options cannot say. */
static int check_flags(const struct cf_cmd *cmd, const struct flags *flags, const char *action)
{
    const struct certs_flags *certs = &flags->certs;

    if (flags->dir == NULL && certs->secret == NULL)
        return cf_usage_error(cmd, "--dir or --secret is required: where to keep them");
    if (!cf_streq(action, "run"))
        return CF_EXIT_OK;
    if (certs->secret == NULL)
        return cf_usage_error(cmd, "run needs --secret: it maintains a Secret, not files");
    if (certs->configurations.count == 0 && certs->services.count == 0 && certs->names.count == 0)
        return cf_usage_error(cmd, "run needs --webhook-configuration, whose caBundles it writes; "
                                   "or --service or --dns, where something else writes them");
    return CF_EXIT_OK;
}

static int read_now(const struct cf_cmd *cmd, const struct flags *flags, int64_t *out)
{
    *out = cf_now();
    if (flags->now == NULL || cf_time_parse(flags->now, out))
        return CF_EXIT_OK;
    return cf_usage_error(cmd, "--now must be a time like 2026-11-22T15:12:51Z, not '%s'",
                          flags->now);
}

static int failed(const struct cf_err *err)
{
    fprintf(stderr, "curfew certs: %s\n", err->msg);
    return err->kind == CF_ERR_INPUT ? CF_EXIT_USAGE : CF_EXIT_FAILED;
}

static int maintain(const struct flags *flags, const struct cf_certs_given *given)
{
    const struct cf_log_flags log = {
        .format = flags->log.format != NULL ? flags->log.format : "json",
        .level = flags->log.level != NULL ? flags->log.level : "info",
    };
    const struct rotator_config config = {
        .kubeconfig = flags->kubeconfig,
        .context = flags->context,
        .probe_listen = flags->probe_listen != NULL ? flags->probe_listen : ":8081",
        .given = given,
    };
    struct cf_err err = {.kind = CF_ERR_NONE};

    cf_log_flags_use(&log);
    cf_process_serve();
    return rotator_run(&config, &err) == 0 ? CF_EXIT_OK : failed(&err);
}

static int act(struct cf_certs_run *run, size_t action)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    int status;

    cf_certs_init(&run->certs);
    cf_process_serve();
    status = actions[action].run(run, &err);
    cf_api_close(run->asker.api);
    cf_certs_secret_free(run->place);
    cf_certs_free(&run->certs);
    cf_arena_free(run->arena);
    return status >= 0 ? status : failed(&err);
}

static int run_with(const struct cf_cmd *cmd, const struct flags *flags)
{
    struct cf_certs_run run = {.cmd = cmd,
                               .dir = flags->dir,
                               .secret = flags->certs.secret,
                               .kubeconfig = flags->kubeconfig,
                               .context = flags->context,
                               .renew_ca = flags->ca,
                               .drop_old = flags->drop_old};
    size_t action = 0;
    int status = find_action(cmd, flags, &action);

    if (status == CF_EXIT_OK)
        status = check_flags(cmd, flags, actions[action].name);
    if (status == CF_EXIT_OK)
        status = read_now(cmd, flags, &run.now);
    if (status == CF_EXIT_OK)
        status = certs_given_make(cmd, &flags->certs, &run.wish);
    if (status != CF_EXIT_OK)
        return status;
    status = actions[action].run != NULL ? act(&run, action) : maintain(flags, &run.wish);
    certs_given_free(&run.wish);
    return status;
}

static int run(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct flags flags = {.dir = NULL};
    const struct cf_opt opts[] = {
        {"--dir", 0, CF_OPT_STRING, &flags.dir, "DIR",
         .help = "keep them in this directory as ca.crt, ca.key, tls.crt and tls.key",
         .excludes = "--secret", .why = "they are kept in one place"},
        {"--secret", 0, CF_OPT_STRING, &flags.certs.secret, "NAMESPACE/NAME",
         .help = "keep them in this Secret, which 'curfew serve' reads"},
        {"--service", 0, CF_OPT_LIST, &flags.certs.services, "NAME.NAMESPACE",
         .help = "Service that the certificate is for (repeatable)", .actions = "init|renew|run"},
        {"--dns", 0, CF_OPT_LIST, &flags.certs.names, "NAME",
         .help = "DNS name or IP address that the certificate is for (repeatable)",
         .actions = "init|renew|run"},
        {"--webhook-configuration", 0, CF_OPT_LIST, &flags.certs.configurations, "NAME",
         .help = "write the authority into the caBundles of this configuration (repeatable)"},
        {"--ca", 0, CF_OPT_FLAG, &flags.ca, NULL,
         .help = "make a new authority, too; the old one stays trusted", .actions = "renew",
         .excludes = "--drop-old", .why = "the new authority must sign before the old one can go"},
        {"--drop-old", 0, CF_OPT_FLAG, &flags.drop_old, NULL,
         .help = "stop trusting older authorities once the newest signs", .actions = "renew"},
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
        status = run_with(cmd, &flags);
    certs_flags_free(&flags.certs);
    cf_opt_list_free(&flags.rest);
    return status < 0 ? CF_EXIT_OK : status;
}

const struct cf_cmd cf_cmd_certs = {
    .name = "certs",
    .summary = "create, renew, show or maintain the serving certificate and its authority",
    .usage = "curfew certs init|renew|show|run --dir DIR|--secret NAMESPACE/NAME [flags]",
    .run = run,
};
