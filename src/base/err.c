/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - messages in a struct; see err.h. */
#include "curfew/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "curfew/str.h"

int cf_err_set(struct cf_err *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    err->kind = CF_ERR_INPUT;
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
    err->kind = CF_ERR_SYSTEM;
    va_start(args, fmt);
    cf_str_vshow(err->msg, sizeof(err->msg), fmt, args);
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
    if (err->kind == CF_ERR_NONE)
        err->kind = CF_ERR_INPUT;
    return -1;
}
