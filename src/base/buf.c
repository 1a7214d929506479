/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - a growing buffer with a ceiling; see buf.h. */
#include "curfew/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/str.h"

#define CAP_MIN ((size_t)64)

void cf_buf_init(struct cf_buf *buf, size_t max)
{
    *buf = (struct cf_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void cf_buf_init_arena(struct cf_buf *buf, struct cf_arena *arena, size_t max)
{
    cf_buf_init(buf, max);
    buf->arena = arena;
}

/* `cap` is the number of allocated bytes, with the one for the NUL. Not realloc(): it could leave a
 * copy of a Secret in freed memory, which cf_buf_wipe() cannot reach. */
static char *regrow(struct cf_buf *buf, size_t cap)
{
    char *data;

    if (buf->arena != NULL && buf->data != NULL &&
        cf_arena_extend(buf->arena, buf->data, buf->cap, cap))
        return buf->data;
    data = buf->arena != NULL ? cf_arena_alloc(buf->arena, cap) : malloc(cap);
    if (data == NULL || buf->data == NULL)
        return data;
    memcpy(data, buf->data, buf->len);
    if (buf->arena == NULL) {
        explicit_bzero(buf->data, buf->cap);
        free(buf->data);
    }
    return data;
}

/* Makes room for `more` bytes and the NUL. */
static bool reserve(struct cf_buf *buf, size_t more)
{
    size_t need, cap;
    char *data;

    if (buf->failed)
        return false;
    if (more > buf->max - buf->len) {
        buf->failed = true;
        return false;
    }
    need = buf->len + more + 1;
    if (need <= buf->cap)
        return true;
    cap = buf->cap > SIZE_MAX / 2 ? need : buf->cap * 2;
    if (cap < CAP_MIN)
        cap = CAP_MIN;
    if (cap > buf->max + 1)
        cap = buf->max + 1;
    if (cap < need)
        cap = need;
    data = regrow(buf, cap);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void cf_buf_add(struct cf_buf *buf, const void *bytes, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len > 0)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void cf_buf_adds(struct cf_buf *buf, const char *text)
{
    if (text != NULL)
        cf_buf_add(buf, text, strlen(text));
}

void cf_buf_addc(struct cf_buf *buf, char c)
{
    cf_buf_add(buf, &c, 1);
}

void cf_buf_addf(struct cf_buf *buf, const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    if (!reserve(buf, (size_t)len))
        return;
    va_start(args, fmt);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

static bool needs_escape(uint32_t code)
{
    return code < 0x20 || code == '"' || code == '\\' || (code >= 0x7F && code < 0xA0) ||
           code == 0x2028 || code == 0x2029 || code == 0xFFFE || code == 0xFFFF ||
           (code <= 0xFFFF && cf_utf8_is_invisible(code)); /* beyond, YAML and JSON differ */
}

static void add_escape(struct cf_buf *buf, uint32_t code)
{
    static const char raw[] = "\"\\\b\t\n\f\r";
    static const char named[] = "\"\\btnfr";
    const char *found = code < 0x80 && code != 0 ? strchr(raw, (int)code) : NULL;

    if (found != NULL) {
        cf_buf_addc(buf, '\\');
        cf_buf_addc(buf, named[found - raw]);
    } else {
        cf_buf_addf(buf, "\\u%04x", (unsigned)code);
    }
}

void cf_buf_add_quoted(struct cf_buf *buf, const char *text)
{
    const char *run = text; /* what is not written yet and needs no escape */

    cf_buf_addc(buf, '"');
    while (*text != '\0') {
        uint32_t code = 0xFFFD;
        size_t len = cf_utf8_decode(text, 4, &code);

        if (len != 0 && !needs_escape(code)) {
            text += len;
            continue;
        }
        cf_buf_add(buf, run, (size_t)(text - run));
        add_escape(buf, code);
        text += len == 0 ? 1 : len;
        run = text;
    }
    cf_buf_add(buf, run, (size_t)(text - run));
    cf_buf_addc(buf, '"');
}

bool cf_buf_ok(const struct cf_buf *buf)
{
    return !buf->failed;
}

const char *cf_buf_str(const struct cf_buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

char *cf_buf_take(struct cf_buf *buf, size_t *len)
{
    char *data;

    if (!reserve(buf, 0))
        return NULL;
    data = buf->data;
    data[buf->len] = '\0';
    if (len != NULL)
        *len = buf->len;
    buf->data = NULL;
    buf->len = buf->cap = 0;
    return data;
}

void cf_buf_wipe(struct cf_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->cap);
    buf->len = 0;
}

void cf_buf_free(struct cf_buf *buf)
{
    if (buf->arena == NULL)
        free(buf->data);
    buf->data = NULL;
    buf->len = buf->cap = 0;
}
