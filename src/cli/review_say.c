/* SPDX-License-Identifier: Apache-2.0 */
/* review_say.c - what goes to stderr, and where in a file it is about. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/str.h"
#include "review_run.h"

void cf_run_say(struct cf_run *run, enum cf_exit status, const char *fmt, ...)
{
    char line[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    cf_str_sanitize(line, sizeof(line));
    fprintf(stderr, "%s\n", line);
    if ((int)status > run->status)
        run->status = (int)status;
}

/* One step of a path: a member's key, or an item's index as text. Returns what is behind it. */
static const char *read_step(struct cf_arena *arena, const char *path, const char **key)
{
    size_t len = 1;

    if (*path == '.')
        path++;
    if (*path != '[') {
        len = strcspn(path, ".[");
        *key = cf_arena_strndup(arena, path, len);
        return path + len;
    }
    if (path[1] != '"') {
        len = strcspn(path, "]");
        *key = cf_arena_strndup(arena, path + 1, len > 0 ? len - 1 : 0);
        return path[len] == ']' ? path + len + 1 : path + len;
    }
    for (len = 2; path[len] != '\0' && path[len] != '"'; len++)
        len += path[len] == '\\' && path[len + 1] != '\0';
    if (path[len] == '\0')
        return NULL;
    *key = cf_json_str(cf_json_parse(arena, path + 1, len, NULL, NULL, NULL));
    return path[len + 1] == ']' ? path + len + 2 : path + len + 1;
}

static const struct cf_json *step_down(const struct cf_json *value, const char *key)
{
    if (cf_json_type(value) == CF_JSON_ARRAY)
        return cf_json_at(value, (size_t)strtoul(key, NULL, 10));
    return cf_json_get(value, key);
}

size_t cf_locate(struct cf_arena *arena, const struct cf_document *doc, const struct cf_json *root,
                 const char *path)
{
    const struct cf_json *value = root, *below;
    const char *key = NULL;
    size_t line;

    while (path != NULL && *path != '\0') {
        path = read_step(arena, path, &key);
        below = key != NULL ? step_down(value, key) : NULL;
        if (below == NULL)
            break;
        value = below;
    }
    line = cf_json_line(value);
    return line != 0 ? line : doc->line;
}

void cf_run_say_error(struct cf_run *run, const struct cf_document *doc, const struct cf_json *root,
                      const struct cf_err *err)
{
    const char *must = strstr(err->msg, " must ");
    const char *path =
        must == NULL ? "" : cf_arena_strndup(run->arena, err->msg, (size_t)(must - err->msg));

    cf_run_say(run, CF_EXIT_FAILED, "%s:%zu: %s", doc->file,
               cf_locate(run->arena, doc, root, cf_str_or_empty(path)), err->msg);
}
