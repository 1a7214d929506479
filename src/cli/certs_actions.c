/* SPDX-License-Identifier: Apache-2.0 */
/* certs_actions.c - what `curfew certs init`, `renew` and `show` do, and what they print. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/arena.h"
#include "curfew/attr.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"
#include "certs.h"
#include "options.h"

struct part {
    const char *name;
    struct cf_buf *buf;
    mode_t mode;
};

#define PARTS 4

/* Keys before their certificates: who watches the certificate then finds its key. */
static void parts_of(struct cf_certs *certs, struct part out[PARTS])
{
    out[0] = (struct part){"ca.key", &certs->ca_key, 0600};
    out[1] = (struct part){"ca.crt", &certs->ca, 0644};
    out[2] = (struct part){"tls.key", &certs->key, 0600};
    out[3] = (struct part){"tls.crt", &certs->cert, 0644};
}

static int path_of(const char *dir, const char *prefix, const char *name, char out[PATH_MAX],
                   struct cf_err *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s%s", dir, prefix, name) >= PATH_MAX)
        return cf_err_set(err, "'%.100s...' is too long for a path", dir);
    return 0;
}

/* Reads what there is of the four files into `out`. *exists: one of them is there. */
static int certs_dir_read(const char *dir, struct cf_certs *out, bool *exists, struct cf_err *err)
{
    struct part parts[PARTS];
    char path[PATH_MAX];

    *exists = false;
    parts_of(out, parts);
    for (size_t i = 0; i < PARTS; i++) {
        if (path_of(dir, "", parts[i].name, path, err) != 0)
            return -1;
        if (access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        *exists = true;
        if (cf_file_read(path, parts[i].buf, err) != 0)
            return -1;
    }
    return 0;
}

static int write_all(int fd, const struct cf_buf *buf)
{
    size_t done = 0;

    while (done < buf->len) {
        ssize_t wrote = write(fd, buf->data + done, buf->len - done);

        if (wrote < 0 && errno != EINTR)
            return -1;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return fsync(fd);
}

/* Beside the file, and then in its place. */
static int write_part(const char *dir, const struct part *part, struct cf_err *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    int fd, result;

    if (path_of(dir, "", part->name, path, err) != 0 ||
        path_of(dir, ".new-", part->name, fresh, err) != 0)
        return -1;
    if (unlink(fresh) != 0 && errno != ENOENT)
        return cf_err_system(err, "removing '%s': %s", fresh, strerror(errno));
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, part->mode);
    if (fd < 0)
        return cf_err_system(err, "writing '%s': %s", fresh, strerror(errno));
    result = write_all(fd, part->buf);
    if (result != 0)
        cf_err_system(err, "writing '%s': %s", fresh, strerror(errno));
    close(fd);
    if (result == 0 && rename(fresh, path) != 0)
        result = cf_err_system(err, "writing '%s': %s", path, strerror(errno));
    if (result != 0)
        unlink(fresh);
    return result;
}

/* Replaces all four, each at once, keys readable by their owner only; makes the folder. */
static int certs_dir_write(const char *dir, const struct cf_certs *certs, struct cf_err *err)
{
    struct part parts[PARTS];

    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return cf_err_system(err, "making '%s': %s", dir, strerror(errno));
    parts_of((struct cf_certs *)(uintptr_t)certs, parts);
    for (size_t i = 0; i < PARTS; i++) {
        if (write_part(dir, &parts[i], err) != 0)
            return -1;
    }
    return 0;
}

/* ---- certs say ---- */

/* what `curfew certs` prints. */

/* "in 'DIR'", "in Secret NAMESPACE/NAME" */
static const char *certs_where(const struct cf_certs_run *run, char out[320])
{
    if (run->dir != NULL)
        snprintf(out, 320, "in '%s'", run->dir);
    else
        snprintf(out, 320, "in Secret %s", run->secret);
    return out;
}

/* "365 days left", "ended 3 days ago" */
static const char *left(int64_t until, int64_t now, char out[64])
{
    char span[32];

    cf_span_format(until > now ? until - now : now - until, span);
    snprintf(out, 64, until > now ? "%s left" : "ended %s ago", span);
    return out;
}

static void say_life(const struct cf_cert_info *info, int64_t now)
{
    char begins[32], ends[32], renewed[32], rest[64];

    printf("  valid   %s to %s, %s\n", cf_time_format(info->begins, begins),
           cf_time_format(info->expires, ends), left(info->expires, now, rest));
    printf("  renewed from %s on\n",
           cf_time_format(cf_cert_renew_at(info->begins, info->expires), renewed));
    printf("  serial  %s\n  sha256  %s\n", info->serial, info->fingerprint);
}

static bool is_due(const struct cf_cert_info *info, int64_t now)
{
    return now >= cf_cert_renew_at(info->begins, info->expires);
}

/* ---- authorities ---- */

static bool say_authorities(const struct cf_certs_run *run)
{
    const struct cf_buf *ca = &run->certs.ca;
    struct cf_cert_info info;
    bool good = false, has_key = cf_cert_key_matches(ca, &run->certs.ca_key);

    for (size_t i = 0; cf_cert_info(cf_buf_str(ca), ca->len, i, &info); i++) {
        printf("authority %s%s\n", info.subject,
               i > 0      ? " (older: trusted on)"
               : !has_key ? " (its key is not here: it can't sign)"
                          : "");
        say_life(&info, run->now);
        if (i == 0)
            good = !is_due(&info, run->now) && has_key;
    }
    if (!cf_cert_info(cf_buf_str(ca), ca->len, 0, &info))
        printf("authority: none %s\n", "(ca.crt)");
    return good;
}

/* ---- the leaf ---- */

static bool say_leaf(const struct cf_certs_run *run)
{
    const struct cf_certs *certs = &run->certs;
    struct cf_err flaw = {.kind = CF_ERR_NONE};
    struct cf_cert_info info;
    bool usable = cf_certs_usable(certs, run->now, &flaw);

    if (!cf_cert_info(cf_buf_str(&certs->cert), certs->cert.len, 0, &info)) {
        printf("certificate: none (tls.crt)\n");
        return false;
    }
    printf("certificate for %s\n", info.names[0] != '\0' ? info.names : "no name at all");
    printf("  signer  %s%s\n", info.issuer,
           !usable || cf_certs_leaf_is_newest(certs)
               ? ""
               : " (the newest one signs once it is published)");
    say_life(&info, run->now);
    if (!usable)
        printf("  it can't be served: %s\n", flaw.msg);
    return usable && !is_due(&info, run->now);
}

/* ---- webhook configurations ---- */

static bool say_bundles(const struct cf_certs_run *run)
{
    const struct cf_webhooks *w = &run->webhooks;

    if (run->wish.configurations[0] == NULL)
        return true;
    if (w->configurations == 0)
        printf("caBundle: there is no webhook configuration of that name\n");
    else if (w->differing == 0)
        printf("caBundle: as it should be, in %u webhook configuration%s\n", w->configurations,
               w->configurations == 1 ? "" : "s");
    else
        printf("caBundle: %u webhook%s another one, %u of them %s not trust the certificate; "
               "first: %s\n",
               w->differing, w->differing == 1 ? " has" : "s have", w->distrusting,
               w->distrusting == 1 ? "does" : "do", w->first);
    return w->configurations > 0 && w->differing == 0;
}

/* All that there is; returns whether it is as it should be. */
static bool certs_print_all(const struct cf_certs_run *run)
{
    bool authorities = say_authorities(run), leaf = say_leaf(run), bundles = say_bundles(run);

    return authorities && leaf && bundles;
}

/* ---- what was made ---- */

/* What was made, and where. */
static void certs_print_made(const struct cf_certs_run *run, enum cf_certs_step step)
{
    struct cf_cert_info ca, leaf;
    char where[320], ca_ends[32], leaf_ends[32];

    certs_where(run, where);
    if (!cf_cert_info(cf_buf_str(&run->certs.ca), run->certs.ca.len, 0, &ca) ||
        !cf_cert_info(cf_buf_str(&run->certs.cert), run->certs.cert.len, 0, &leaf))
        return;
    printf("%s %s\n", step == CF_CERTS_KEEP ? "nothing to do" : "written", where);
    printf("authority %s, until %s\n", ca.subject, cf_time_format(ca.expires, ca_ends));
    printf("certificate for %s, until %s, signed by %s\n", leaf.names,
           cf_time_format(leaf.expires, leaf_ends), leaf.issuer);
    if (run->webhooks.differing > 0)
        printf("caBundle written in %u webhook%s\n", run->webhooks.differing,
               run->webhooks.differing == 1 ? "" : "s");
    if (cf_certs_leaf_is_newest(&run->certs))
        return;
    if (run->dir != NULL)
        printf("next: put ca.crt into the caBundles, then 'curfew certs renew' signs with the new "
               "authority\n");
    else
        printf("next: the rotator (curfew certs run) publishes the new authority, and then signs "
               "with it\n");
}

/* ---- certs hand ---- */

/* what `curfew certs init`, `renew` and `show` do. */

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
        return certs_dir_read(run->dir, &run->certs, &run->exists, err);
    if (cf_certs_secret_read(run->place, &run->asker, &run->certs, &run->exists, err) != 0)
        return -1;
    return cf_certs_secret_check_owner(run->place, err);
}

static int write_place(struct cf_certs_run *run, bool *conflict, struct cf_err *err)
{
    *conflict = false;
    if (run->dir != NULL)
        return certs_dir_write(run->dir, &run->certs, err);
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
    certs_where(run, where);
    if (run->certs.cert.len > 0 || run->certs.ca.len > 0 || (run->dir != NULL && run->exists))
        return cf_err_system(
            err, "there are certificates %s already: 'curfew certs renew' renews them", where);
    if (take_step(run, (struct cf_certs_wish){0}, &step, &conflict, err) != 0)
        return -1;
    if (conflict)
        return cf_err_system(err, "somebody else made certificates %s just now", where);
    if (look_at_webhooks(run, true, true, err) != 0)
        return -1;
    certs_print_made(run, step);
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
                             certs_where(run, where));
    if (!cf_cert_key_matches(&run->certs.ca, &run->certs.ca_key))
        return cf_err_system(err,
                             "the authority's key %s is missing, or of another: only whoever has "
                             "it can renew these",
                             certs_where(run, where));
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
                             certs_where(run, where));
    if (look_at_webhooks(run, true, true, err) != 0)
        return -1;
    certs_print_made(run, step);
    return 0;
}

/* ---- show ---- */

int cf_certs_show_run(struct cf_certs_run *run, struct cf_err *err)
{
    char where[320];

    if (open_place(run, err) != 0 || read_place(run, err) != 0)
        return -1;
    if (!run->exists)
        return cf_err_system(err, "there are no certificates %s", certs_where(run, where));
    if (look_at_webhooks(run, true, false, err) != 0)
        return -1;
    return certs_print_all(run) ? CF_EXIT_OK : CF_EXIT_FINDINGS;
}
