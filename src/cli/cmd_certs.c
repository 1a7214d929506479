/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certs.c - `curfew certs`: the authority and the serving certificate. `init`, `renew` and
 * `show` are for somebody who makes them by hand, as files or in a Secret; `run` keeps a Secret and
 * the caBundles by itself. */
#include <stdio.h>
#include <string.h>

#include "certs_hand.h"
#include "curfew/arena.h"
#include "curfew/time.h"
#include "curfew/server.h"
#include "curfew/str.h"
#include "log_flags.h"
#include "rotator.h"

struct flags {
    struct cf_certs_flags certs;
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

/* Flags of `run`, and what it needs. */
static int check_run_flags(const struct cf_cmd *cmd, const struct flags *flags, bool runs)
{
    const struct cf_certs_flags *certs = &flags->certs;
    const char *alone = flags->probe_listen != NULL ? "--probe-listen"
                        : flags->log.format != NULL ? "--log-format"
                        : flags->log.level != NULL  ? "--log-level"
                                                    : NULL;

    if (!runs)
        return alone == NULL ? CF_EXIT_OK : cf_usage_error(cmd, "%s goes with run", alone);
    if (flags->dir != NULL || certs->secret == NULL)
        return cf_usage_error(cmd, "run needs --secret: it keeps a Secret, no files");
    if (certs->configurations.count == 0 && certs->services.count == 0 && certs->names.count == 0)
        return cf_usage_error(cmd, "run needs --webhook-configuration, whose caBundles it "
                                   "writes; or --service or --dns, where something else "
                                   "writes the caBundles");
    return CF_EXIT_OK;
}

static int check_flags(const struct cf_cmd *cmd, const struct flags *flags, const char *action)
{
    bool cluster = flags->certs.secret != NULL || flags->certs.configurations.count > 0;
    bool shows = cf_streq(action, "show");

    if ((flags->dir == NULL) == (flags->certs.secret == NULL))
        return cf_usage_error(cmd, "%s",
                              flags->dir == NULL
                                  ? "--dir or --secret is needed: where they are kept"
                                  : "--dir and --secret: one of them");
    if ((flags->ca || flags->drop_old) && !cf_streq(action, "renew"))
        return cf_usage_error(cmd, "%s goes with renew", flags->ca ? "--ca" : "--drop-old");
    if (flags->ca && flags->drop_old)
        return cf_usage_error(cmd, "--ca and --drop-old: the new authority has to sign before the "
                                   "old one can go");
    if (flags->now != NULL && !shows)
        return cf_usage_error(cmd, "--now goes with show");
    if (shows && (flags->certs.services.count > 0 || flags->certs.names.count > 0 ||
                  flags->certs.leaf_lifetime != 0 || flags->certs.ca_lifetime != 0))
        return cf_usage_error(cmd, "show changes nothing: --service, --dns, --cert-lifetime and "
                                   "--ca-lifetime go with init, renew and run");
    if (!cluster && (flags->kubeconfig != NULL || flags->context != NULL))
        return cf_usage_error(cmd, "%s needs --secret or --webhook-configuration",
                              flags->kubeconfig != NULL ? "--kubeconfig" : "--context");
    return check_run_flags(cmd, flags, cf_streq(action, "run"));
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

static int keep(const struct cf_cmd *cmd, const struct flags *flags,
                const struct cf_certs_given *given)
{
    const struct cf_log_flags log = {
        .format = flags->log.format != NULL ? flags->log.format : "json",
        .level = flags->log.level != NULL ? flags->log.level : "info",
    };
    const struct cf_rotator_config config = {
        .kubeconfig = flags->kubeconfig,
        .context = flags->context,
        .probe_listen = flags->probe_listen != NULL ? flags->probe_listen : ":8081",
        .given = given,
    };
    struct cf_err err = {.kind = CF_ERR_NONE};
    int status = cf_log_flags_use(cmd, &log);

    if (status != CF_EXIT_OK)
        return status;
    cf_process_serve();
    return cf_rotator_run(&config, &err) == 0 ? CF_EXIT_OK : failed(&err);
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
        status = cf_certs_given_make(cmd, &flags->certs, &run.wish);
    if (status != CF_EXIT_OK)
        return status;
    status = actions[action].run != NULL ? act(&run, action) : keep(cmd, flags, &run.wish);
    cf_certs_given_free(&run.wish);
    return status;
}

static int run(const struct cf_cmd *cmd, int argc, char **argv)
{
    struct flags flags = {.dir = NULL};
    const struct cf_opt opts[] = {
        {"--dir", 0, CF_OPT_STRING, &flags.dir, "DIR",
         "keep them as ca.crt, ca.key, tls.crt and tls.key there"},
        {"--secret", 0, CF_OPT_STRING, &flags.certs.secret, "NAMESPACE/NAME",
         "keep them in this Secret, which 'curfew serve' reads"},
        {"--service", 0, CF_OPT_LIST, &flags.certs.services, "NAME.NAMESPACE",
         "a Service that the certificate is for (repeatable)"},
        {"--dns", 0, CF_OPT_LIST, &flags.certs.names, "NAME",
         "a DNS name or IP address that it is for (repeatable)"},
        {"--webhook-configuration", 0, CF_OPT_LIST, &flags.certs.configurations, "NAME",
         "write the authority into its caBundles (repeatable)"},
        {"--ca", 0, CF_OPT_FLAG, &flags.ca, NULL,
         "renew: a new authority too; the old one is trusted on"},
        {"--drop-old", 0, CF_OPT_FLAG, &flags.drop_old, NULL,
         "renew: trust older authorities no longer, once the newest signs"},
        {"--cert-lifetime", 0, CF_OPT_DURATION, &flags.certs.leaf_lifetime, "DURATION",
         "how long a certificate holds (default 2160h)"},
        {"--ca-lifetime", 0, CF_OPT_DURATION, &flags.certs.ca_lifetime, "DURATION",
         "how long an authority holds (default 8760h)"},
        {"--kubeconfig", 0, CF_OPT_STRING, &flags.kubeconfig, "FILE",
         "the cluster; else KUBECONFIG, the pod's own, or ~/.kube/config"},
        {"--context", 0, CF_OPT_STRING, &flags.context, "NAME",
         "another context of it than the current one"},
        {"--now", 0, CF_OPT_STRING, &flags.now, "TIME",
         "show: the time that what is left is told from (default the clock)"},
        {"--probe-listen", 0, CF_OPT_STRING, &flags.probe_listen, "[HOST]:PORT",
         "run: where /livez and /readyz are answered (default :8081)"},
        {"--log-format", 0, CF_OPT_STRING, &flags.log.format, "json|text",
         "run: the form of the log (default json)"},
        {"--log-level", 0, CF_OPT_STRING, &flags.log.level, "debug|info|warn|error",
         "run: the least that is logged (default info)"},
        {0},
    };
    int status = cf_opts_parse(cmd, opts, argc, argv, &flags.rest);

    if (status == CF_EXIT_OK)
        status = run_with(cmd, &flags);
    cf_certs_flags_free(&flags.certs);
    cf_opt_list_free(&flags.rest);
    return status < 0 ? CF_EXIT_OK : status;
}

const struct cf_cmd cf_cmd_certs = {
    .name = "certs",
    .summary = "make, renew and show the serving certificate and its authority, or keep them",
    .usage = "curfew certs init|renew|show|run --dir DIR|--secret NAMESPACE/NAME [flags]",
    .run = run,
};
