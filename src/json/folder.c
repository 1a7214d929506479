/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c - files, folders and standard input, one file after the other; see documents.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "documents_private.h"

struct cf_manifest {
    const char *path;
    struct cf_source source; /* where it is open */
    bool open;               /* `source` is in use: it is in memory, or cannot be opened again */
    bool folder;
};

struct folder_walk {
    struct cf_reader reader;
    struct cf_arena *names; /* of the file that is being read */
    bool found;             /* there was a file that is named like a manifest */
};

/* ---- opening ---- */

struct cf_manifest *cf_manifest_open(const char *path, struct cf_err *err)
{
    struct cf_manifest *m = calloc(1, sizeof(*m));
    struct stat st;
    bool known;

    if (m == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    m->path = path;
    known = !cf_streq(path, "-") && stat(path, &st) == 0;
    m->folder = known && S_ISDIR(st.st_mode);
    if (known && (m->folder || S_ISREG(st.st_mode)))
        return m;
    if (cf_source_open(path, &m->source, err) == 0) {
        m->open = true;
        return m;
    }
    free(m);
    return NULL;
}

struct cf_manifest *cf_manifest_of_text(const char *name, const char *bytes, size_t len,
                                        struct cf_err *err)
{
    struct cf_manifest *m = calloc(1, sizeof(*m));

    if (m == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    m->path = name;
    m->open = true;
    cf_source_memory(name, bytes, len, &m->source);
    return m;
}

void cf_manifest_close(struct cf_manifest *m)
{
    if (m != NULL && m->open)
        cf_source_close(&m->source);
    free(m);
}

/* ---- files ---- */

static int read_source(struct folder_walk *w, const char *path, const struct cf_source *source)
{
    const char *file = cf_str_shown(w->names, path);

    if (file == NULL)
        return cf_err_memory(w->reader.err);
    return cf_reader_source(&w->reader, file, source);
}

static int read_manifest_file(struct folder_walk *w, const char *path)
{
    struct cf_source source;
    int rc;

    if (cf_source_open(path, &source, w->reader.err) != 0)
        return -1;
    rc = read_source(w, path, &source);
    cf_source_close(&source);
    return rc;
}

/* An unreadable file in a folder becomes a document with an error; the others are still read. */
static int note_failure(struct folder_walk *w, const char *path, struct cf_err *why)
{
    const char *file = cf_str_shown(w->names, path);

    return file == NULL ? cf_err_memory(w->reader.err) : cf_reader_failure(&w->reader, file, why);
}

/* ---- folders ---- */

static int read_folder(struct folder_walk *w, const char *path, unsigned depth);

static bool is_manifest_name(const char *name)
{
    return cf_ends_with(name, ".yaml") || cf_ends_with(name, ".yml") || cf_ends_with(name, ".json");
}

/* `..data` and `..2026_11_30_12_00_00.123456789`: how the kubelet swaps the files of a mounted
 * ConfigMap (pkg/volume/util/atomic_writer.go). The files beside them are links into these. */
static bool is_version_folder(const char *name)
{
    return cf_streq(name, "..data") || cf_streq(name, "..data_tmp") ||
           (cf_starts_with(name, "..") && strspn(name + 2, "0123456789") == 4 && name[6] == '_');
}

static int is_entry(const struct dirent *entry)
{
    const char *name = entry->d_name;

    return !cf_streq(name, ".") && !cf_streq(name, "..") && !cf_streq(name, ".git") &&
           !is_version_folder(name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void report_passed_over(struct folder_walk *w, const char *path, enum cf_passed_over why)
{
    const struct cf_manifest_reading *how = w->reader.how;

    if (how->passed_over != NULL)
        how->passed_over(path, why, how->arg);
}

/* What is not a folder and not a file's own name: links to files are followed (a mounted ConfigMap
 * consists of them), links to folders are not. */
static int read_other(struct folder_walk *w, const char *path, mode_t mode)
{
    struct stat st;

    if (S_ISLNK(mode) && stat(path, &st) == 0) {
        mode = st.st_mode;
        if (S_ISDIR(mode)) {
            report_passed_over(w, path, CF_PASSED_LINK);
            return 0;
        }
    }
    if (!is_manifest_name(path))
        return 0;
    if (!S_ISREG(mode) && !S_ISLNK(mode)) {
        report_passed_over(w, path, CF_PASSED_NO_FILE);
        return 0;
    }
    w->found = true;
    return read_manifest_file(w, path);
}

static int read_entry(struct folder_walk *w, const char *path, unsigned char type, unsigned depth)
{
    struct cf_err *outer = w->reader.err, err = {0};
    mode_t mode = type == DT_DIR ? S_IFDIR : type == DT_REG ? S_IFREG : S_IFLNK;
    struct stat st;
    int rc;

    if (type == DT_REG && !is_manifest_name(path))
        return 0;
    if (type != DT_DIR && type != DT_REG) {
        if (lstat(path, &st) != 0)
            return 0; /* deleted since */
        mode = st.st_mode;
    }
    w->reader.err = &err;
    rc = S_ISDIR(mode) ? read_folder(w, path, depth + 1) : read_other(w, path, mode);
    w->reader.err = outer;
    if (rc != 0 && err.kind != CF_ERR_NONE)
        rc = note_failure(w, path, &err);
    return rc;
}

static int read_folder(struct folder_walk *w, const char *path, unsigned depth)
{
    const char *slash = cf_ends_with(path, "/") ? "" : "/";
    struct cf_err *err = w->reader.err;
    struct dirent **entries;
    int rc = 0, count;

    if (depth > CF_DIR_DEPTH_MAX)
        return cf_err_set(err, "'%s' is more than %d folders deep", path, CF_DIR_DEPTH_MAX);
    count = scandir(path, &entries, is_entry, by_bytes);
    if (count < 0)
        return cf_err_system(err, "opening '%s': %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *name = NULL;

        if (rc == 0 && asprintf(&name, "%s%s%s", path, slash, entries[i]->d_name) < 0)
            rc = cf_err_memory(err);
        else if (rc == 0)
            rc = read_entry(w, name, entries[i]->d_type, depth);
        cf_arena_reset(w->names, false);
        free(name);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* ---- all of it ---- */

static int read_path(struct folder_walk *w, const struct cf_manifest *m)
{
    if (m->open)
        return read_source(w, m->path, &m->source);
    if (!m->folder)
        return read_manifest_file(w, m->path);
    if (read_folder(w, m->path, 0) != 0)
        return -1;
    if (!w->found)
        return cf_err_set(w->reader.err, "'%s' holds no .yaml, .yml or .json file", m->path);
    return 0;
}

int cf_manifest_read(const struct cf_manifest *m, const struct cf_manifest_reading *how,
                     struct cf_err *err)
{
    struct folder_walk w = {.names = cf_arena_new(CF_NAMES_ARENA_MAX)};
    int rc;

    if (w.names == NULL)
        return cf_err_memory(err);
    cf_reader_init(&w.reader, how, err);
    rc = read_path(&w, m);
    cf_reader_free(&w.reader);
    cf_arena_free(w.names);
    return rc;
}
