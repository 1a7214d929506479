/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - one line per event; see log.h.
 *
 * A line is never longer than PIPE_BUF: poll(2) promises room for that many bytes, so a write
 * that follows it neither blocks nor comes apart, and standard error (which others share) need
 * not be non-blocking. */
#include "curfew/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "curfew/arena.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/str.h"

/* Longer strings are cut. In the worst case a byte becomes six (\u0001), and msg, time and level
 * must still fit: the line without its fields is always below PIPE_BUF. */
#define TEXT_MAX 512
/* Room for the field that counts the fields that were left out. */
#define LEFT_OUT "leftOut"
#define LEFT_OUT_SIZE (sizeof(",\"" LEFT_OUT "\":4294967295") - 1)

static enum cf_log_format log_format = CF_LOG_TEXT;
static enum cf_log_level log_level = CF_LOG_INFO;
static atomic_uint_fast64_t dropped;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void cf_log_setup(enum cf_log_format format, enum cf_log_level level)
{
    log_format = format;
    log_level = level;
}

bool cf_log_enabled(enum cf_log_level level)
{
    return level >= log_level;
}

uint64_t cf_log_dropped(void)
{
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}

/* Copies the text for the log: cut, and with tokens redacted. */
static void show(const char *text, char out[TEXT_MAX + 4])
{
    size_t len = strnlen(text, TEXT_MAX + 1);
    bool cut = len > TEXT_MAX;

    if (cut) {
        for (len = TEXT_MAX; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80; len--)
            continue;
    }
    memcpy(out, text, len);
    memcpy(out + len, cut ? "..." : "", cut ? 4 : 1);
    cf_str_redact(out);
}

/* Whether a value needs no quotes in key=value: no byte of it can start another field. */
static bool is_bare(const char *text)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++) {
        unsigned char c = (unsigned char)text[len];

        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return len > 0 && len <= TEXT_MAX;
}

static void add_msg(struct cf_buf *line, const char *msg)
{
    size_t start = line->len;

    cf_buf_add_quoted(line, msg);
    if (!cf_buf_ok(line))
        return;
    /* Escaped, but without quotes. */
    memmove(line->data + start, line->data + start + 1, line->len - start - 2);
    line->len -= 2;
    line->data[line->len] = '\0';
}

static void add_line_head(struct cf_buf *line, enum cf_log_level level, const char *msg)
{
    char now[32], text[TEXT_MAX + 4];

    cf_time_format(cf_now(), now);
    show(msg, text);
    if (log_format == CF_LOG_JSON) {
        cf_buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":", now, level_names[level]);
        cf_buf_add_quoted(line, text);
    } else {
        cf_buf_addf(line, "%s %-5s ", now, level_names[level]);
        add_msg(line, text);
    }
}

static void add_field(struct cf_buf *line, const struct cf_log_field *field)
{
    char text[TEXT_MAX + 4];

    if (field->key == NULL || (field->text == NULL && !field->is_number))
        return;
    show(cf_str_or_empty(field->text), text);
    if (log_format == CF_LOG_JSON) {
        cf_buf_addc(line, ',');
        cf_buf_add_quoted(line, field->key);
        cf_buf_addc(line, ':');
    } else {
        cf_buf_addf(line, " %s=", field->key);
    }
    if (field->text == NULL)
        cf_buf_addf(line, "%lld", (long long)field->number);
    else if (log_format == CF_LOG_TEXT && is_bare(text))
        cf_buf_adds(line, text);
    else
        cf_buf_add_quoted(line, text);
}

/* Under the lock, so that no other thread uses the room that poll(2) reported. */
static bool write_line(const char *line, size_t len)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t written = -1;

    pthread_mutex_lock(&write_lock);
    if (poll(&fd, 1, 0) == 1 && (fd.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0)
        written = write(STDERR_FILENO, line, len);
    pthread_mutex_unlock(&write_lock);
    return written == (ssize_t)len;
}

void cf_log_fields(enum cf_log_level level, const char *msg, const struct cf_log_field *fields,
                   unsigned count)
{
    int saved = errno;
    unsigned left_out = 0;
    struct cf_buf line;

    if (!cf_log_enabled(level))
        return;
    /* Room is left for the closing brace and the newline. */
    cf_buf_init(&line, PIPE_BUF - 2 - LEFT_OUT_SIZE);
    add_line_head(&line, level, cf_str_or_empty(msg));
    for (unsigned i = 0; i < count && cf_buf_ok(&line); i++) {
        size_t before = line.len;

        add_field(&line, &fields[i]);
        /* A field that does not fit is left out; the others are logged. */
        if (!cf_buf_ok(&line) && line.data != NULL) {
            line.failed = false;
            line.len = before;
            left_out++;
        }
    }
    line.max = PIPE_BUF - 2;
    if (left_out > 0 && cf_buf_ok(&line))
        add_field(&line, &CF_LOG_N(LEFT_OUT, left_out));
    line.max = PIPE_BUF;
    cf_buf_adds(&line, log_format == CF_LOG_JSON ? "}\n" : "\n");
    if (!cf_buf_ok(&line) || !write_line(line.data, line.len))
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    cf_buf_free(&line);
    errno = saved;
}
