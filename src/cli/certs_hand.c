/* SPDX-License-Identifier: Apache-2.0 */
/* certs_hand.c - what `curfew certs init`, `renew` and `show` do. */
#include "certs_hand.h"

#include <string.h>

#include "curfew/arena.h"
#include "curfew/time.h"
#include "curfew/limits.h"
#include "kube.h"

#define TRIES_MAX 5

/* ---- where it is kept ---- */

static int open_place(struct cf_certs_run *run, struct cf_err *err)
{
    run->arena = cf_arena_new(CF_MIB);
    run->webhooks.arena = run->arena;
    if (run->arena == NULL)
        return cf_err_memory(err);
    if (run->dir != NULL && run->wish.configurations[0] == NULL)
        return 0;
    run->asker.api = cf_cli_open_api(run->kubeconfig, run->context, err);
    if (run->asker.api == NULL || run->dir != NULL)
        return run->asker.api != NULL ? 0 : -1;
    run->place = cf_certs_secret_new(run->wish.namespace, run->wish.name);
    return run->place != NULL ? 0 : cf_err_memory(err);
}

static int read_place(struct cf_certs_run *run, struct cf_err *err)
{
    cf_certs_free(&run->certs);
    cf_certs_init(&run->certs);
    if (run->dir != NULL)
        return cf_certs_dir_read(run->dir, &run->certs, &run->exists, err);
    if (cf_certs_secret_read(run->place, &run->asker, &run->certs, &run->exists, err) != 0)
        return -1;
    return cf_certs_secret_check_owner(run->place, err);
}

static int write_place(struct cf_certs_run *run, bool *conflict, struct cf_err *err)
{
    *conflict = false;
    if (run->dir != NULL)
        return cf_certs_dir_write(run->dir, &run->certs, err);
    return cf_certs_secret_write(run->place, &run->asker, &run->certs, conflict, err);
}

/* All configurations that were named; `write` puts our bundle there. */
static int look_at_webhooks(struct cf_certs_run *run, bool compare, bool write, struct cf_err *err)
{
    struct cf_webhooks *w = &run->webhooks;

    w->configurations = w->differing = w->distrusting = 0;
    for (const char **name = run->wish.configurations; *name != NULL; name++) {
        if (cf_webhooks_look(&run->asker, *name, compare ? &run->certs.ca : NULL, &run->certs.cert,
                             write, w, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- one step ---- */

/* The names that were given, and those that the webhook configurations have. */
static size_t names_of(const struct cf_certs_run *run, const char *out[CF_WEBHOOK_NAMES * 2])
{
    size_t count = 0;

    for (size_t i = 0; i < run->wish.name_count && count < CF_WEBHOOK_NAMES; i++)
        out[count++] = run->wish.names[i];
    for (size_t i = 0; i < run->webhooks.name_count; i++)
        out[count++] = run->webhooks.names[i];
    return count;
}

static int take_step(struct cf_certs_run *run, struct cf_certs_wish wish, enum cf_certs_step *step,
                     bool *conflict, struct cf_err *err)
{
    const char *names[CF_WEBHOOK_NAMES * 2];
    struct cf_certs next;

    wish.names = names;
    wish.name_count = names_of(run, names);
    wish.leaf_lifetime = run->wish.leaf_lifetime;
    wish.ca_lifetime = run->wish.ca_lifetime;
    wish.now = run->now;
    *conflict = false;
    cf_certs_init(&next);
    if (cf_certs_next(&run->certs, &wish, &next, step, NULL, err) != 0) {
        cf_certs_free(&next);
        return -1;
    }
    if (*step == CF_CERTS_KEEP)
        return 0;
    cf_certs_free(&run->certs);
    run->certs = next;
    return write_place(run, conflict, err);
}

/* ---- init ---- */

int cf_certs_init_run(struct cf_certs_run *run, struct cf_err *err)
{
    enum cf_certs_step step = CF_CERTS_KEEP;
    bool conflict;
    char where[320];

    if (open_place(run, err) != 0 || read_place(run, err) != 0 ||
        look_at_webhooks(run, false, false, err) != 0)
        return -1;
    cf_certs_where(run, where);
    if (run->certs.cert.len > 0 || run->certs.ca.len > 0 || (run->dir != NULL && run->exists))
        return cf_err_system(
            err, "there are certificates %s already: 'curfew certs renew' renews them", where);
    if (take_step(run, (struct cf_certs_wish){0}, &step, &conflict, err) != 0)
        return -1;
    if (conflict)
        return cf_err_system(err, "somebody else made certificates %s just now", where);
    if (look_at_webhooks(run, true, true, err) != 0)
        return -1;
    cf_certs_print_made(run, step);
    return 0;
}

/* ---- renew ---- */

/* Files are published by whoever runs this, who knows; of a Secret only the configurations tell. */
static bool is_published(const struct cf_certs_run *run)
{
    if (run->wish.configurations[0] != NULL)
        return run->webhooks.configurations > 0 && run->webhooks.differing == 0;
    return run->dir != NULL;
}

static int renew_once(struct cf_certs_run *run, enum cf_certs_step *step, bool *conflict,
                      struct cf_err *err)
{
    struct cf_certs_wish wish = {.renew_leaf = !run->renew_ca && !run->drop_old,
                                 .renew_ca = run->renew_ca,
                                 .drop_old = run->drop_old};
    char where[320];

    if (read_place(run, err) != 0)
        return -1;
    if (!run->exists || run->certs.ca.len == 0)
        return cf_err_system(err, "there is no authority %s: 'curfew certs init' makes one",
                             cf_certs_where(run, where));
    if (!cf_cert_key_matches(&run->certs.ca, &run->certs.ca_key))
        return cf_err_system(err,
                             "the authority's key %s is missing, or of another: only whoever has "
                             "it can renew these",
                             cf_certs_where(run, where));
    if (look_at_webhooks(run, true, false, err) != 0)
        return -1;
    wish.published = is_published(run);
    return take_step(run, wish, step, conflict, err);
}

int cf_certs_renew_run(struct cf_certs_run *run, struct cf_err *err)
{
    enum cf_certs_step step = CF_CERTS_KEEP;
    bool conflict = true;
    char where[320];

    if (open_place(run, err) != 0)
        return -1;
    for (int i = 0; i < TRIES_MAX && conflict; i++) {
        if (renew_once(run, &step, &conflict, err) != 0)
            return -1;
    }
    if (conflict)
        return cf_err_system(err, "others write %s all the time: try again",
                             cf_certs_where(run, where));
    if (look_at_webhooks(run, true, true, err) != 0)
        return -1;
    cf_certs_print_made(run, step);
    return 0;
}

/* ---- show ---- */

int cf_certs_show_run(struct cf_certs_run *run, struct cf_err *err)
{
    char where[320];

    if (open_place(run, err) != 0 || read_place(run, err) != 0)
        return -1;
    if (!run->exists)
        return cf_err_system(err, "there are no certificates %s", cf_certs_where(run, where));
    if (look_at_webhooks(run, true, false, err) != 0)
        return -1;
    return cf_certs_print_all(run) ? CF_EXIT_OK : CF_EXIT_FINDINGS;
}
