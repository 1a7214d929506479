/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - messages in a struct; see err.h. */
#include "curfew/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
