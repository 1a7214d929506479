/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c - files, folders and standard input, read whole; see manifest.h. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "curfew/buf.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "manifest_private.h"

struct walk {
    struct cf_arena *arena;
    struct cf_documents *out;
    struct cf_err *err;
    bool found; /* a file with a manifest's name */
};

static int read_folder(struct walk *w, const char *path, unsigned depth);

static bool is_manifest_name(const char *name)
{
    return cf_ends_with(name, ".yaml") || cf_ends_with(name, ".yml") || cf_ends_with(name, ".json");
}

/* The text is copied once: what a growing buffer leaves behind would fill the arena. */
static int read_file(struct walk *w, const char *path)
{
    struct cf_buf buf;
    char *text = NULL, *file = cf_str_shown(w->arena, path);
    size_t len;
    int rc;

    cf_buf_init(&buf, CF_FILE_MAX);
    rc = cf_file_read(path, &buf, w->err);
    len = buf.len;
    if (rc == 0)
        text = cf_arena_strndup(w->arena, cf_buf_str(&buf), len);
    cf_buf_free(&buf);
    if (rc != 0)
        return -1;
    if (text == NULL || file == NULL)
        return cf_err_memory(w->err);
    if (cf_documents_split(w->arena, file, text, len, w->out) != 0)
        return cf_err_memory(w->err);
    return 0;
}

/* What can't be read inside a folder is a document with an error, and hides nothing else. */
static int note_failure(struct walk *w, const char *path)
{
    struct cf_document *doc = cf_documents_add(w->arena, w->out);
    char *file = cf_str_shown(w->arena, path);

    if (doc == NULL || file == NULL)
        return cf_err_memory(w->err);
    *doc = (struct cf_document){.file = file, .number = 1, .line = 1, .bytes = "", .err = *w->err};
    *w->err = (struct cf_err){0};
    return 0;
}

/* Links to files are followed (a mounted ConfigMap consists of them), links to folders are not:
 * they could lead around in circles. */
static int read_entry(struct walk *w, const char *path, unsigned depth)
{
    struct stat st;
    int rc = 0;

    if (lstat(path, &st) != 0)
        return 0;
    if (S_ISDIR(st.st_mode)) {
        if (read_folder(w, path, depth + 1) != 0)
            rc = note_failure(w, path);
        return rc;
    }
    if (!is_manifest_name(path) || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
        return 0;
    w->found = true;
    if (read_file(w, path) != 0)
        rc = note_failure(w, path);
    return rc;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int read_folder(struct walk *w, const char *path, unsigned depth)
{
    const char *slash = cf_ends_with(path, "/") ? "" : "/";
    struct dirent **entries;
    int rc = 0, count;

    if (depth > CF_DIR_DEPTH_MAX)
        return cf_err_set(w->err, "'%s' is more than %d folders deep", path, CF_DIR_DEPTH_MAX);
    count = scandir(path, &entries, is_shown, by_bytes);
    if (count < 0)
        return cf_err_system(w->err, "opening '%s': %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *name = cf_arena_printf(w->arena, "%s%s%s", path, slash, entries[i]->d_name);

        if (rc == 0)
            rc = name != NULL ? read_entry(w, name, depth) : cf_err_memory(w->err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int cf_documents_read(struct cf_arena *arena, const char *path, struct cf_documents *out,
                      struct cf_err *err)
{
    struct walk w = {.arena = arena, .out = out, .err = err};
    struct stat st;

    if (cf_streq(path, "-") || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return read_file(&w, path);
    if (read_folder(&w, path, 0) != 0)
        return -1;
    if (!w.found)
        return cf_err_set(err, "'%s' holds no .yaml, .yml or .json file", path);
    return 0;
}
