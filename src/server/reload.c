/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - files that are reloaded while the server runs; see reload.h. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curfew/jwks.h"
#include "curfew/log.h"
#include "curfew/rule.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "curfew/watch.h"
#include "context.h"
#include "http.h"
#include "reload.h"
#include "tls.h"

/* ---- stamps ---- */

/* A file that was changed within this time may be only partly written. */
#define FRESH_NANOS 200000000

void cf_stamp_take(const char *path, struct cf_stamp *out)
{
    memset(out, 0, sizeof(*out));
    if (realpath(path, out->real) == NULL || stat(out->real, &out->st) != 0)
        out->error = errno;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool cf_stamp_same(const struct cf_stamp *a, const struct cf_stamp *b)
{
    if (a->error != 0 || b->error != 0)
        return a->error == b->error;
    return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino &&
           a->st.st_size == b->st.st_size && same_time(&a->st.st_mtim, &b->st.st_mtim) &&
           same_time(&a->st.st_ctim, &b->st.st_ctim) && cf_streq(a->real, b->real);
}

/* A time in the future only shows that another machine's clock differs. */
bool cf_stamp_is_fresh(const struct cf_stamp *stamp)
{
    struct timespec now;
    int64_t age;

    if (stamp->error != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        now.tv_sec - stamp->st.st_mtim.tv_sec > 1)
        return false;
    age = (int64_t)(now.tv_sec - stamp->st.st_mtim.tv_sec) * 1000000000 +
          (now.tv_nsec - stamp->st.st_mtim.tv_nsec);
    return age >= 0 && age < FRESH_NANOS;
}

static bool same_folder(const char *a, const char *b)
{
    const char *a_end = strrchr(a, '/'), *b_end = strrchr(b, '/');
    size_t a_len = a_end != NULL ? (size_t)(a_end - a) : 0;
    size_t b_len = b_end != NULL ? (size_t)(b_end - b) : 0;

    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool cf_stamp_together(const char *path, const struct cf_stamp *stamp, const char *other_path,
                       const struct cf_stamp *other)
{
    return stamp->error != 0 || other->error != 0 || !same_folder(path, other_path) ||
           same_folder(stamp->real, other->real);
}

/* ---- sources ---- */

struct source {
    const char *name; /* in metrics */
    const char *what; /* in the log */
    void *(*load)(const struct cf_server *server, struct cf_err *err);
    /* Takes over what was loaded. */
    void (*publish)(struct cf_server *server, void *loaded);
    void (*discard)(void *loaded);
};

static void *load_config(const struct cf_server *server, struct cf_err *err)
{
    const char *file = server->config.config;

    return file == NULL ? cf_policy_new(cf_rule_configs(), cf_rule_count)
                        : cf_policy_load(file, cf_rule_configs(), cf_rule_count, cf_now(), err);
}

static void publish_config(struct cf_server *server, void *loaded)
{
    const struct cf_policy *policy = loaded;

    for (size_t i = 0; i < policy->notes.count; i++)
        cf_log(CF_LOG_WARN, policy->notes.items[i]);
    if (server->config.watch != NULL)
        cf_watch_stale_after(server->config.watch, policy->stale_after);
    cf_server_use_policy(server, loaded);
}

static void discard_config(void *loaded)
{
    cf_policy_free(loaded);
}

static void *load_pair(const struct cf_server *server, struct cf_err *err)
{
    return cf_tls_pair_load(server->config.tls_cert, server->config.tls_key, err);
}

static void publish_pair(struct cf_server *server, void *loaded)
{
    cf_tls_use_pair(server->tls, loaded);
    server->warned = 0;
}

static void discard_pair(void *loaded)
{
    cf_tls_pair_unref(loaded);
}

static void *load_clients(const struct cf_server *server, struct cf_err *err)
{
    const struct cf_server_config *config = &server->config;

    return cf_tls_clients_load(config->client_ca, config->client_crl, config->client_names, err);
}

static void publish_clients(struct cf_server *server, void *loaded)
{
    server->crl_ends = cf_tls_clients_crl_ends(loaded);
    cf_tls_use_clients(server->tls, loaded);
    server->warned = 0;
}

static void discard_clients(void *loaded)
{
    cf_tls_clients_unref(loaded);
}

static void *load_keys(const struct cf_server *server, struct cf_err *err)
{
    struct cf_jwks *keys = cf_jwks_load(server->config.bearer_jwks, err);

    if (keys == NULL)
        cf_err_wrap(err, "bearer keys");
    return keys;
}

static void publish_keys(struct cf_server *server, void *loaded)
{
    cf_swap_set(&server->keys, loaded);
}

static void discard_keys(void *loaded)
{
    cf_jwks_unref(loaded);
}

/* clang-format off */
static const struct source sources[CF_RELOADS] = {
    [CF_RELOAD_CONFIG] = {
        "config", "the configuration", load_config, publish_config, discard_config},
    [CF_RELOAD_CERTIFICATE] = {
        "certificate", "the certificate", load_pair, publish_pair, discard_pair},
    [CF_RELOAD_CLIENT_CA] = {
        "client-ca", "the client CA", load_clients, publish_clients, discard_clients},
    [CF_RELOAD_JWKS] = {
        "bearer-jwks", "the bearer keys", load_keys, publish_keys, discard_keys},
};
/* clang-format on */

const char *cf_reload_name(enum cf_reload source)
{
    return sources[source].name;
}

/* ---- files ---- */

static void take_stamps(const struct cf_watched *watched, struct cf_stamp out[CF_RELOAD_FILES])
{
    for (unsigned i = 0; i < CF_RELOAD_FILES; i++) {
        memset(&out[i], 0, sizeof(out[i]));
        if (watched->paths[i] != NULL)
            cf_stamp_take(watched->paths[i], &out[i]);
    }
}

static bool same_stamps(const struct cf_stamp a[CF_RELOAD_FILES],
                        const struct cf_stamp b[CF_RELOAD_FILES])
{
    return cf_stamp_same(&a[0], &b[0]) && cf_stamp_same(&a[1], &b[1]);
}

/* Whether the files are complete and belong together, as far as their stamps show. */
static bool at_rest(const struct cf_watched *watched, const struct cf_stamp now[CF_RELOAD_FILES])
{
    return !cf_stamp_is_fresh(&now[0]) && !cf_stamp_is_fresh(&now[1]) &&
           (watched->paths[1] == NULL ||
            cf_stamp_together(watched->paths[0], &now[0], watched->paths[1], &now[1]));
}

/* ---- loading ---- */

/* Files that keep changing are loaded anyway after this many checks. */
#define POSTPONED_MAX 8

static void log_reload_failure(const struct source *source, struct cf_watched *watched,
                               struct cf_err *err)
{
    atomic_store(&watched->good, false);
    if (cf_streq(watched->failure, err->msg))
        return;
    snprintf(watched->failure, sizeof(watched->failure), "%s", err->msg);
    cf_log(CF_LOG_ERROR, "not reloaded, the last valid version stays active",
           CF_LOG_S("what", source->what), CF_LOG_S("error", err->msg));
}

static void log_reload(struct cf_server *server, const struct source *source)
{
    struct cf_policy *policy = cf_server_policy_ref(server);
    bool is_config = source == &sources[CF_RELOAD_CONFIG];
    bool is_pair = source == &sources[CF_RELOAD_CERTIFICATE];
    struct cf_tls_leaf leaf = {.expires = 0};
    char when[32];

    cf_tls_leaf(server->tls, &leaf);
    cf_time_format(leaf.expires, when);
    cf_log(CF_LOG_INFO, "reloaded", CF_LOG_S("what", source->what),
           CF_LOG_S("policy", is_config ? policy->digest : NULL),
           CF_LOG_S("expires", is_pair ? when : NULL));
    cf_policy_free(policy);
}

/* Opening a pipe without a writer would block this thread. */
static bool are_regular_files(const struct cf_watched *watched,
                              const struct cf_stamp now[CF_RELOAD_FILES], struct cf_err *err)
{
    for (unsigned i = 0; i < CF_RELOAD_FILES; i++) {
        if (watched->paths[i] == NULL || now[i].error != 0 || S_ISREG(now[i].st.st_mode))
            continue;
        cf_err_set(err, "'%s' is not a regular file", watched->paths[i]);
        return false;
    }
    return true;
}

/* False: the files changed while they were read, and what was read is discarded. */
static bool load_source(struct cf_server *server, const struct source *source,
                        struct cf_watched *watched, const struct cf_stamp before[CF_RELOAD_FILES])
{
    struct cf_stamp after[CF_RELOAD_FILES];
    struct cf_err err = {.kind = CF_ERR_NONE};
    void *loaded = are_regular_files(watched, before, &err) ? source->load(server, &err) : NULL;

    take_stamps(watched, after);
    if (!same_stamps(before, after) && watched->postponed < POSTPONED_MAX) {
        if (loaded != NULL)
            source->discard(loaded);
        return false;
    }
    memcpy(watched->seen, before, sizeof(watched->seen));
    watched->postponed = 0;
    if (loaded == NULL) {
        log_reload_failure(source, watched, &err);
        return true;
    }
    watched->failure[0] = '\0';
    atomic_store(&watched->good, true);
    source->publish(server, loaded);
    log_reload(server, source);
    return true;
}

/* True: the source must be checked again soon. */
static bool reload_source(struct cf_server *server, enum cf_reload which, bool all)
{
    struct cf_watched *watched = &server->watched[which];
    struct cf_stamp now[CF_RELOAD_FILES];

    if (watched->paths[0] == NULL)
        return false;
    take_stamps(watched, now);
    if (!all && same_stamps(now, watched->seen))
        return false;
    if (all)
        watched->failure[0] = '\0'; /* SIGHUP: the failure is logged again */
    if ((at_rest(watched, now) || watched->postponed >= POSTPONED_MAX) &&
        load_source(server, &sources[which], watched, now))
        return false;
    watched->postponed++;
    return true;
}

bool cf_reload_changed(struct cf_server *server, bool all)
{
    bool again = false;

    for (unsigned i = 0; i < CF_RELOADS; i++)
        again = reload_source(server, (enum cf_reload)i, all) || again;
    return again;
}

/* ---- the start ---- */

static void init_watched(struct cf_server *server)
{
    const struct cf_server_config *c = &server->config;
    const char *paths[CF_RELOADS][CF_RELOAD_FILES] = {
        [CF_RELOAD_CONFIG] = {c->config, NULL},
        [CF_RELOAD_CERTIFICATE] = {c->tls_cert, c->tls_key},
        [CF_RELOAD_CLIENT_CA] = {c->client_ca, c->client_crl},
        [CF_RELOAD_JWKS] = {c->bearer_jwks, NULL},
    };

    for (unsigned i = 0; i < CF_RELOADS; i++) {
        struct cf_watched *watched = &server->watched[i];

        memcpy(watched->paths, paths[i], sizeof(watched->paths));
        take_stamps(watched, watched->seen);
        atomic_store(&watched->good, true);
    }
}

int cf_reload_start(struct cf_server *server, struct cf_err *err)
{
    init_watched(server);
    for (unsigned i = 0; i < CF_RELOADS; i++) {
        void *loaded;

        if (i != CF_RELOAD_CONFIG && server->watched[i].paths[0] == NULL)
            continue;
        loaded = sources[i].load(server, err);
        if (loaded == NULL && err->kind == CF_ERR_NONE)
            return cf_err_memory(err);
        if (loaded == NULL && i == CF_RELOAD_CONFIG)
            err->kind = CF_ERR_INPUT; /* also if the file cannot be read */
        if (loaded == NULL)
            return -1;
        sources[i].publish(server, loaded);
    }
    return 0;
}
