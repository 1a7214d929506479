/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - errors in a struct, and the paths of values that errors and findings name; see err.h and
 * path.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/err.h"
#include "curfew/limits.h"
#include "curfew/path.h"
#include "curfew/str.h"

/* An error of this kind that is nowhere in particular; its msg is still to be set. */
static void begin_err(struct cf_err *err, enum cf_err_kind kind)
{
    err->kind = kind;
    err->offset = CF_ERR_NO_OFFSET;
    err->line = err->column = err->what = 0;
    err->path = NULL;
}

int cf_err_set(struct cf_err *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    begin_err(err, CF_ERR_INPUT);
    va_start(args, fmt);
    cf_str_vshow(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    return -1;
}

int cf_err_system(struct cf_err *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    begin_err(err, CF_ERR_SYSTEM);
    va_start(args, fmt);
    cf_str_vshow(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    return -1;
}

int cf_err_at(struct cf_err *err, size_t line, size_t column, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    begin_err(err, CF_ERR_INPUT);
    err->line = line;
    err->column = column;
    err->what = (size_t)snprintf(err->msg, sizeof(err->msg), "%zu:%zu: ", line, column);
    va_start(args, fmt);
    cf_str_vshow(err->msg + err->what, sizeof(err->msg) - err->what, fmt, args);
    va_end(args);
    return -1;
}

int cf_err_memory(struct cf_err *err)
{
    return cf_err_system(err, "out of memory");
}

int cf_err_wrap(struct cf_err *err, const char *fmt, ...)
{
    char inner[sizeof(err->msg)];
    va_list args;
    size_t len;

    if (err == NULL)
        return -1;
    memcpy(inner, err->msg, sizeof(inner));
    va_start(args, fmt);
    cf_str_vshow(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);

    len = strlen(err->msg);
    if (snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", inner) >=
        (int)(sizeof(err->msg) - len))
        cf_str_end_cut(err->msg, sizeof(err->msg));
    err->what = 0;
    err->path = NULL;
    if (err->kind == CF_ERR_NONE)
        err->kind = CF_ERR_INPUT;
    return -1;
}

/* ---- paths ---- */

const struct cf_path *cf_path_key(struct cf_arena *arena, const struct cf_path *up, const char *key)
{
    struct cf_path *path = cf_arena_alloc(arena, sizeof(*path));

    if (path != NULL)
        *path = CF_PATH_KEY(up, key);
    return path;
}

const struct cf_path *cf_path_index(struct cf_arena *arena, const struct cf_path *up, size_t index)
{
    struct cf_path *path = cf_arena_alloc(arena, sizeof(*path));

    if (path != NULL)
        *path = CF_PATH_INDEX(up, index);
    return path;
}

const struct cf_path *cf_path_copy(struct cf_arena *arena, const struct cf_path *path)
{
    const struct cf_path *up = path != NULL ? cf_path_copy(arena, path->up) : NULL;
    struct cf_path *copy = NULL;

    if (path != NULL && (path->up == NULL || up != NULL))
        copy = cf_arena_alloc(arena, sizeof(*copy));
    if (copy != NULL)
        *copy = (struct cf_path){.up = up, .key = path->key, .index = path->index};
    return copy;
}

static bool is_plain_key(const char *key)
{
    return key[0] != '\0' && key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789_-")] == '\0';
}

/* A key that is too long to print completely. */
static void add_long(struct cf_buf *buf, const char *key)
{
    char cut[CF_NAME_MAX + 4];
    size_t len = CF_NAME_MAX;

    while (len > 0 && ((unsigned char)key[len] & 0xC0) == 0x80)
        len--;
    memcpy(cut, key, len);
    memcpy(cut + len, "...", 4);
    cf_buf_addc(buf, '[');
    cf_buf_add_quoted(buf, cut);
    cf_buf_addc(buf, ']');
}

static void add_step_text(struct cf_buf *buf, const struct cf_path *path)
{
    if (path->key == NULL) {
        cf_buf_addf(buf, "[%zu]", path->index);
    } else if (strnlen(path->key, CF_NAME_MAX + 1) > CF_NAME_MAX) {
        add_long(buf, path->key);
    } else if (is_plain_key(path->key)) {
        if (path->up != NULL)
            cf_buf_addc(buf, '.');
        cf_buf_adds(buf, path->key);
    } else {
        cf_buf_addc(buf, '[');
        cf_buf_add_quoted(buf, path->key);
        cf_buf_addc(buf, ']');
    }
}

static void add_step_pointer(struct cf_buf *buf, const struct cf_path *path)
{
    cf_buf_addc(buf, '/');
    if (path->key == NULL) {
        cf_buf_addf(buf, "%zu", path->index);
        return;
    }
    for (const char *p = path->key; *p != '\0'; p++) {
        if (*p == '~')
            cf_buf_adds(buf, "~0");
        else if (*p == '/')
            cf_buf_adds(buf, "~1");
        else
            cf_buf_addc(buf, *p);
    }
}

typedef void add_fn(struct cf_buf *buf, const struct cf_path *path);

/* From the object inwards, while the steps are linked outwards. The recursion is as deep as the
 * document. */
static void add_steps(struct cf_buf *buf, const struct cf_path *path, add_fn *add)
{
    if (path->up != NULL)
        add_steps(buf, path->up, add);
    add(buf, path);
}

static const char *render_path(struct cf_arena *arena, const struct cf_path *path, add_fn *add)
{
    struct cf_buf buf;

    if (path == NULL)
        return "";
    cf_buf_init_arena(&buf, arena, CF_ARENA_MAX);
    add_steps(&buf, path, add);
    return cf_buf_take(&buf, NULL);
}

const char *cf_path_text(struct cf_arena *arena, const struct cf_path *path)
{
    return render_path(arena, path, add_step_text);
}

const char *cf_path_pointer(struct cf_arena *arena, const struct cf_path *path)
{
    return render_path(arena, path, add_step_pointer);
}
