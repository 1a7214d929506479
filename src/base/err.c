/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - sentences in a struct; see err.h. */
#include "curfew/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "curfew/str.h"

/* snprintf cuts between bytes; a sentence that ends inside a character is no UTF-8 any more and
 * would make the answer that carries it unreadable. */
static void drop_half_character(char *msg, size_t len)
{
    size_t start = len;

    while (start > 0 && ((unsigned char)msg[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;

    unsigned char lead = (unsigned char)msg[start - 1];
    size_t want = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (len - (start - 1) < want)
        msg[start - 1] = '\0';
}

static CF_PRINTF(3, 0) void format(char *msg, size_t size, const char *fmt, va_list args)
{
    int len = vsnprintf(msg, size, fmt, args);

    if (len < 0)
        msg[0] = '\0';
    else if ((size_t)len >= size)
        drop_half_character(msg, size - 1);
    cf_str_sanitize(msg, size);
}

int cf_err_set(struct cf_err *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    err->kind = CF_ERR_INPUT;
    va_start(args, fmt);
    format(err->msg, sizeof(err->msg), fmt, args);
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
    format(err->msg, sizeof(err->msg), fmt, args);
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
    format(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);

    len = strlen(err->msg);
    if (snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", inner) >=
        (int)(sizeof(err->msg) - len))
        drop_half_character(err->msg, sizeof(err->msg) - 1);
    if (err->kind == CF_ERR_NONE)
        err->kind = CF_ERR_INPUT;
    return -1;
}
