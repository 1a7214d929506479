/* SPDX-License-Identifier: Apache-2.0 */
/* certs_actions.c - the actions `curfew certs init`, `renew` and `show`, and their output. */
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
#include "certs_run.h"
#include "options.h"

struct certs_file {
    const char *name;
    struct cf_buf *buf;
    mode_t mode;
};

#define PARTS 4

/* ---- certificates in a directory ---- */

/* Keys before their certificates: a process that watches the certificate then finds its key. */
static void certs_files(struct cf_certs *certs, struct certs_file out[PARTS])
{
    out[0] = (struct certs_file){"ca.key", &certs->ca_key, 0600};
    out[1] = (struct certs_file){"ca.crt", &certs->ca, 0644};
    out[2] = (struct certs_file){"tls.key", &certs->key, 0600};
    out[3] = (struct certs_file){"tls.crt", &certs->cert, 0644};
}

static int certs_path(const char *dir, const char *prefix, const char *name, char out[PATH_MAX],
                      struct cf_err *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s%s", dir, prefix, name) >= PATH_MAX)
        return cf_err_set(err, "'%.100s...' is too long for a path", dir);
    return 0;
}

/* Reads those of the four files that exist into `out`. *exists: at least one of them exists. */
static int certs_dir_read(const char *dir, struct cf_certs *out, bool *exists, struct cf_err *err)
{
    struct certs_file parts[PARTS];
    char path[PATH_MAX];

    *exists = false;
    certs_files(out, parts);
    for (size_t i = 0; i < PARTS; i++) {
        if (certs_path(dir, "", parts[i].name, path, err) != 0)
            return -1;
        if (access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        *exists = true;
        if (cf_file_read(path, parts[i].buf, err) != 0)
            return -1;
    }
    return 0;
}

static int write_bytes(int fd, const struct cf_buf *buf)
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

/* Writes a new file beside the old one, and renames it. */
static int write_certs_file(const char *dir, const struct certs_file *part, struct cf_err *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    int fd, result;

    if (certs_path(dir, "", part->name, path, err) != 0 ||
        certs_path(dir, ".new-", part->name, fresh, err) != 0)
        return -1;
    if (unlink(fresh) != 0 && errno != ENOENT)
        return cf_err_system(err, "removing '%s': %s", fresh, strerror(errno));
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, part->mode);
    if (fd < 0)
        return cf_err_system(err, "writing '%s': %s", fresh, strerror(errno));
    result = write_bytes(fd, part->buf);
    if (result != 0)
        cf_err_system(err, "writing '%s': %s", fresh, strerror(errno));
    close(fd);
    if (result == 0 && rename(fresh, path) != 0)
        result = cf_err_system(err, "writing '%s': %s", path, strerror(errno));
    if (result != 0)
        unlink(fresh);
    return result;
}

/* Replaces the four files, each atomically; keys are readable by their owner only. Creates the
 * directory. */
static int certs_dir_write(const char *dir, const struct cf_certs *certs, struct cf_err *err)
{
    struct certs_file parts[PARTS];

    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return cf_err_system(err, "creating '%s': %s", dir, strerror(errno));
    certs_files((struct cf_certs *)(uintptr_t)certs, parts);
    for (size_t i = 0; i < PARTS; i++) {
        if (write_certs_file(dir, &parts[i], err) != 0)
            return -1;
    }
    return 0;
}

/* ---- output ---- */

/* "in 'DIR'", "in Secret NAMESPACE/NAME" */
static const char *certs_where(const struct cf_certs_run *run, char out[320])
{
    if (run->dir != NULL)
        snprintf(out, 320, "in '%s'", run->dir);
    else
        snprintf(out, 320, "in Secret %s", run->secret);
    return out;
}

/* "365 days left", "expired 3 days ago" */
static const char *time_left(int64_t until, int64_t now, char out[64])
{
    char span[32];

    cf_span_format(until > now ? until - now : now - until, span);
    snprintf(out, 64, until > now ? "%s left" : "expired %s ago", span);
    return out;
}

static void print_lifetime(const struct cf_cert_info *info, int64_t now)
{
    char begins[32], ends[32], renewed[32], rest[64];

    printf("  valid   %s to %s, %s\n", cf_time_format(info->begins, begins),
           cf_time_format(info->expires, ends), time_left(info->expires, now, rest));
    printf("  renewed from %s on\n",
           cf_time_format(cf_cert_renew_at(info->begins, info->expires), renewed));
    printf("  serial  %s\n  sha256  %s\n", info->serial, info->fingerprint);
}

static bool certificate_is_due(const struct cf_cert_info *info, int64_t now)
{
    return now >= cf_cert_renew_at(info->begins, info->expires);
}

/* Whether the newest authority can sign and is not due. */
static bool print_authorities(const struct cf_certs_run *run)
{
    const struct cf_buf *ca = &run->certs.ca;
    struct cf_cert_info info;
    bool good = false, has_key = cf_cert_key_matches(ca, &run->certs.ca_key);

    for (size_t i = 0; cf_cert_info(cf_buf_str(ca), ca->len, i, &info); i++) {
        printf("authority %s%s\n", info.subject,
               i > 0      ? " (older, still trusted)"
               : !has_key ? " (its key is missing, so it cannot sign)"
                          : "");
        print_lifetime(&info, run->now);
        if (i == 0)
            good = !certificate_is_due(&info, run->now) && has_key;
    }
    if (!cf_cert_info(cf_buf_str(ca), ca->len, 0, &info))
        printf("authority: none %s\n", "(ca.crt)");
    return good;
}

/* Whether the certificate is usable and not due. */
static bool print_leaf(const struct cf_certs_run *run)
{
    const struct cf_certs *certs = &run->certs;
    struct cf_err flaw = {.kind = CF_ERR_NONE};
    struct cf_cert_info info;
    bool usable = cf_certs_usable(certs, run->now, &flaw);

    if (!cf_cert_info(cf_buf_str(&certs->cert), certs->cert.len, 0, &info)) {
        printf("certificate: none (tls.crt)\n");
        return false;
    }
    printf("certificate for %s\n", info.names[0] != '\0' ? info.names : "no name");
    printf("  signer  %s%s\n", info.issuer,
           !usable || cf_certs_leaf_is_newest(certs)
               ? ""
               : " (the newest authority signs once it is published)");
    print_lifetime(&info, run->now);
    if (!usable)
        printf("  not usable: %s\n", flaw.msg);
    return usable && !certificate_is_due(&info, run->now);
}

/* Whether all caBundles are up to date. */
static bool print_bundles(const struct cf_certs_run *run)
{
    const struct cf_webhooks *w = &run->webhooks;

    if (run->options.configurations[0] == NULL)
        return true;
    if (w->configurations == 0)
        printf("caBundle: no webhook configuration has that name\n");
    else if (w->differing == 0)
        printf("caBundle: up to date in %u webhook configuration%s\n", w->configurations,
               w->configurations == 1 ? "" : "s");
    else
        printf("caBundle: out of date in %u webhook%s, %u of them %s not trust the certificate; "
               "first: %s\n",
               w->differing, w->differing == 1 ? "" : "s", w->distrusting,
               w->distrusting == 1 ? "does" : "do", w->first);
    return w->configurations > 0 && w->differing == 0;
}

/* Returns whether all is well. */
static bool certs_print_all(const struct cf_certs_run *run)
{
    bool authorities = print_authorities(run), leaf = print_leaf(run), bundles = print_bundles(run);

    return authorities && leaf && bundles;
}

/* The output of `init` and `renew`. */
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

/* ---- where the certificates are stored ---- */

/* Reads of a Secret that other processes write at the same time. */
#define TRIES_MAX 5

static int open_storage(struct cf_certs_run *run, struct cf_err *err)
{
    run->arena = cf_arena_new(CF_MIB);
    run->webhooks.arena = run->arena;
    if (run->arena == NULL)
        return cf_err_memory(err);
    if (run->dir != NULL && run->options.configurations[0] == NULL)
        return 0;
    run->caller.api = cf_cli_open_api(run->kubeconfig, run->context, err);
    if (run->caller.api == NULL || run->dir != NULL)
        return run->caller.api != NULL ? 0 : -1;
    run->store = cf_certs_secret_new(run->options.namespace, run->options.name);
    return run->store != NULL ? 0 : cf_err_memory(err);
}

static int read_storage(struct cf_certs_run *run, struct cf_err *err)
{
    cf_certs_free(&run->certs);
    cf_certs_init(&run->certs);
    if (run->dir != NULL)
        return certs_dir_read(run->dir, &run->certs, &run->exists, err);
    if (cf_certs_secret_read(run->store, &run->caller, &run->certs, &run->exists, err) != 0)
        return -1;
    return cf_certs_secret_check_owner(run->store, err);
}

static int write_storage(struct cf_certs_run *run, bool *conflict, struct cf_err *err)
{
    *conflict = false;
    if (run->dir != NULL)
        return certs_dir_write(run->dir, &run->certs, err);
    return cf_certs_secret_write(run->store, &run->caller, &run->certs, conflict, err);
}

/* Reads all configurations that the flags name; `write` updates their caBundles. */
static int sync_webhooks(struct cf_certs_run *run, bool compare, bool write, struct cf_err *err)
{
    struct cf_webhooks *w = &run->webhooks;

    w->configurations = w->differing = w->distrusting = 0;
    for (const char **name = run->options.configurations; *name != NULL; name++) {
        if (cf_webhooks_sync(&run->caller, *name, compare ? &run->certs.ca : NULL, &run->certs.cert,
                             write, w, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- one step ---- */

/* The names of the flags, and those by which the webhook configurations call the server. */
static size_t collect_wanted_names(const struct cf_certs_run *run,
                                   const char *out[CF_WEBHOOK_NAMES * 2])
{
    size_t count = 0;

    for (size_t i = 0; i < run->options.name_count && count < CF_WEBHOOK_NAMES; i++)
        out[count++] = run->options.names[i];
    for (size_t i = 0; i < run->webhooks.name_count; i++)
        out[count++] = run->webhooks.names[i];
    return count;
}

static int take_step(struct cf_certs_run *run, struct cf_certs_spec spec, enum cf_certs_step *step,
                     bool *conflict, struct cf_err *err)
{
    const char *names[CF_WEBHOOK_NAMES * 2];
    struct cf_certs next;

    spec.names = names;
    spec.name_count = collect_wanted_names(run, names);
    spec.leaf_lifetime = run->options.leaf_lifetime;
    spec.ca_lifetime = run->options.ca_lifetime;
    spec.now = run->now;
    *conflict = false;
    cf_certs_init(&next);
    if (cf_certs_next(&run->certs, &spec, &next, step, NULL, err) != 0) {
        cf_certs_free(&next);
        return -1;
    }
    if (*step == CF_CERTS_KEEP)
        return 0;
    cf_certs_free(&run->certs);
    run->certs = next;
    return write_storage(run, conflict, err);
}

/* ---- init ---- */

int cf_certs_init_run(struct cf_certs_run *run, struct cf_err *err)
{
    enum cf_certs_step step = CF_CERTS_KEEP;
    bool conflict;
    char where[320];

    if (open_storage(run, err) != 0 || read_storage(run, err) != 0 ||
        sync_webhooks(run, false, false, err) != 0)
        return -1;
    certs_where(run, where);
    if (run->certs.cert.len > 0 || run->certs.ca.len > 0 || (run->dir != NULL && run->exists))
        return cf_err_system(
            err, "certificates exist %s already; renew them with 'curfew certs renew'", where);
    if (take_step(run, (struct cf_certs_spec){0}, &step, &conflict, err) != 0)
        return -1;
    if (conflict)
        return cf_err_system(err, "another process created certificates %s at the same time",
                             where);
    if (sync_webhooks(run, true, true, err) != 0)
        return -1;
    certs_print_made(run, step);
    return 0;
}

/* ---- renew ---- */

/* Whether clients trust the newest authority. The webhook configurations show it. Without them, the
 * user who renews files has published ca.crt; for a Secret it is unknown. */
static bool is_published(const struct cf_certs_run *run)
{
    if (run->options.configurations[0] != NULL)
        return run->webhooks.configurations > 0 && run->webhooks.differing == 0;
    return run->dir != NULL;
}

static int renew_once(struct cf_certs_run *run, enum cf_certs_step *step, bool *conflict,
                      struct cf_err *err)
{
    struct cf_certs_spec spec = {.renew_leaf = !run->renew_ca && !run->drop_old,
                                 .renew_ca = run->renew_ca,
                                 .drop_old = run->drop_old};
    char where[320];

    if (read_storage(run, err) != 0)
        return -1;
    if (!run->exists || run->certs.ca.len == 0)
        return cf_err_system(err, "there is no authority %s; create one with 'curfew certs init'",
                             certs_where(run, where));
    if (!cf_cert_key_matches(&run->certs.ca, &run->certs.ca_key))
        return cf_err_system(err,
                             "the authority's key %s is missing or does not match, so the "
                             "certificates cannot be renewed",
                             certs_where(run, where));
    if (sync_webhooks(run, true, false, err) != 0)
        return -1;
    spec.published = is_published(run);
    return take_step(run, spec, step, conflict, err);
}

int cf_certs_renew_run(struct cf_certs_run *run, struct cf_err *err)
{
    enum cf_certs_step step = CF_CERTS_KEEP;
    bool conflict = true;
    char where[320];

    if (open_storage(run, err) != 0)
        return -1;
    for (int i = 0; i < TRIES_MAX && conflict; i++) {
        if (renew_once(run, &step, &conflict, err) != 0)
            return -1;
    }
    if (conflict)
        return cf_err_system(err, "the certificates %s changed each time that they were read",
                             certs_where(run, where));
    if (sync_webhooks(run, true, true, err) != 0)
        return -1;
    certs_print_made(run, step);
    return 0;
}

/* ---- show ---- */

int cf_certs_show_run(struct cf_certs_run *run, struct cf_err *err)
{
    char where[320];

    if (open_storage(run, err) != 0 || read_storage(run, err) != 0)
        return -1;
    if (!run->exists)
        return cf_err_system(err, "there are no certificates %s", certs_where(run, where));
    if (sync_webhooks(run, true, false, err) != 0)
        return -1;
    return certs_print_all(run) ? CF_EXIT_OK : CF_EXIT_FINDINGS;
}
