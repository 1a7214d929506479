/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - see source.h. Files are read with pread(2), not mapped: a file that another program
 * shortens or changes must not end this one, nor change under a parser. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/encoding.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define CHUNK (64 * CF_KIB)

/* ---- temporary files ---- */

/* A file without a name, mode 0600. Where no folder can be written to, it is in memory. */
static int open_unnamed(void)
{
    const char *dir = getenv("TMPDIR");
    char path[PATH_MAX];
    int fd;

    dir = cf_str_empty(dir) ? "/tmp" : dir;
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0)
        return fd;
    if (snprintf(path, sizeof(path), "%s/curfew-XXXXXX", dir) < (int)sizeof(path)) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
            return fd;
        }
    }
    return memfd_create("curfew", MFD_CLOEXEC);
}

static int write_spool(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The buffers may contain tokens. */
static void wipe(char chunk[CHUNK], char text[CF_DECODE_ROOM(CHUNK)])
{
    explicit_bzero(chunk, CHUNK);
    explicit_bzero(text, CF_DECODE_ROOM(CHUNK));
}

/* Copies the rest of `from`, decoded, to an unnamed file; returns its descriptor. */
static int spool(int from, const char *name, bool device, uint64_t *size, struct cf_err *err)
{
    struct cf_decoder decoder = {0};
    char chunk[CHUNK], text[CF_DECODE_ROOM(CHUNK)];
    int to = open_unnamed();
    size_t len;

    *size = 0;
    if (to < 0)
        return cf_err_system(err, "creating a temporary file for '%s': %s", name, strerror(errno));
    for (;;) {
        ssize_t got = read(from, chunk, sizeof(chunk));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            cf_err_system(err, "reading '%s': %s", name, strerror(errno));
            break;
        }
        /* /dev/zero would fill the disk. */
        if (device && *size > CF_FILE_MAX) {
            cf_err_set(err, "'%s' is a device, and has more than %zu MiB", name,
                       CF_FILE_MAX / CF_MIB);
            break;
        }
        len = cf_decode(&decoder, chunk, (size_t)got, got == 0, text);
        if (write_spool(to, text, len) != 0) {
            cf_err_system(err, "copying '%s' to a temporary file: %s; TMPDIR sets its folder", name,
                          strerror(errno));
            break;
        }
        *size += len;
        if (got == 0) {
            wipe(chunk, text);
            return to;
        }
    }
    wipe(chunk, text);
    close(to);
    return -1;
}

/* ---- reading ---- */

int cf_source_read(const struct cf_source *s, uint64_t offset, void *to, size_t len, size_t *got,
                   struct cf_err *err)
{
    size_t wanted = offset < s->size && s->size - offset < len ? (size_t)(s->size - offset) : len;

    *got = 0;
    if (offset >= s->size)
        return 0;
    if (s->memory != NULL) {
        memcpy(to, s->memory + offset, wanted);
        *got = wanted;
        return 0;
    }
    while (*got < wanted) {
        ssize_t n =
            pread(s->fd, (char *)to + *got, wanted - *got, (off_t)(s->base + offset + *got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cf_err_system(err, "reading '%s': %s", s->name, strerror(errno));
        if (n == 0)
            return cf_err_system(err, "'%s' became shorter while it was read", s->name);
        *got += (size_t)n;
    }
    return 0;
}

const char *cf_source_text(const struct cf_source *s, uint64_t from, uint64_t to,
                           struct cf_buf *buf, struct cf_err *err)
{
    char chunk[16 * 1024];
    size_t got;

    if (s->memory != NULL)
        return s->memory + from;
    buf->len = 0;
    for (; from < to; from += got) {
        size_t wanted = to - from < sizeof(chunk) ? (size_t)(to - from) : sizeof(chunk);

        if (cf_source_read(s, from, chunk, wanted, &got, err) != 0)
            return NULL;
        cf_buf_add(buf, chunk, got);
        explicit_bzero(chunk, got);
    }
    if (!cf_buf_ok(buf)) {
        cf_err_memory(err);
        return NULL;
    }
    return cf_buf_str(buf);
}

void cf_source_close(struct cf_source *s)
{
    if (s->memory == NULL && s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* ---- opening ---- */

static int open_path(const char *path, struct cf_err *err)
{
    int fd;

    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    return fd >= 0 ? fd : cf_err_system(err, "opening '%s': %s", path, strerror(errno));
}

/* Whether the file is UTF-8: a byte order mark at its beginning is skipped later (split.c). A read
 * error now is reported when the file is read again. */
static bool is_utf8(const struct cf_source *s)
{
    static const char bom[] = "\xEF\xBB\xBF";
    char chunk[CHUNK];
    uint64_t at = 0;
    bool good = true;
    size_t got;

    while (good && at < s->size) {
        size_t skip = 0, cut = 0;

        if (cf_source_read(s, at, chunk, sizeof(chunk), &got, NULL) != 0)
            return true;
        if (at == 0 && got >= strlen(bom) && memcmp(chunk, bom, strlen(bom)) == 0)
            skip = strlen(bom);
        /* A character may be cut by the chunk's end, but not by the file's. */
        while (at + got < s->size && cut < 3 && cut < got &&
               !cf_decode_is_idle(chunk + skip, got - skip - cut))
            cut++;
        good = cf_decode_is_idle(chunk + skip, got - skip - cut);
        at += got - cut;
    }
    explicit_bzero(chunk, sizeof(chunk));
    return good;
}

/* Replaces the descriptor by that of a copy. */
static int replace_by_spool(struct cf_source *s, bool keep_open, bool device, struct cf_err *err)
{
    uint64_t size;
    int fd = spool(s->fd, s->name, device, &size, err);

    if (!keep_open)
        close(s->fd);
    s->fd = fd;
    s->size = size;
    return fd >= 0 ? 0 : -1;
}

int cf_source_open(const char *path, struct cf_source *out, struct cf_err *err)
{
    bool from_stdin = cf_streq(path, "-");
    struct cf_source s = {.name = from_stdin ? "standard input" : path,
                          .fd = from_stdin ? STDIN_FILENO : open_path(path, err)};
    struct stat st;

    if (s.fd < 0)
        return -1;
    if (fstat(s.fd, &st) != 0)
        cf_err_system(err, "reading '%s': %s", s.name, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        cf_err_set(err, "'%s' is a directory, not a file", s.name);
    else if (!from_stdin && S_ISREG(st.st_mode) && st.st_size > 0 &&
             is_utf8(&(struct cf_source){.fd = s.fd, .size = (uint64_t)st.st_size})) {
        s.size = (uint64_t)st.st_size;
        *out = s;
        return 0;
    } else if (replace_by_spool(&s, from_stdin, S_ISCHR(st.st_mode), err) == 0) {
        *out = s;
        return 0;
    } else {
        return -1;
    }
    if (!from_stdin)
        close(s.fd);
    return -1;
}

void cf_source_memory(const char *name, const char *bytes, size_t len, struct cf_source *out)
{
    *out = (struct cf_source){.name = name, .memory = bytes, .fd = -1, .size = len};
}

void cf_source_part(const struct cf_source *source, uint64_t offset, uint64_t size,
                    struct cf_source *out)
{
    *out = *source;
    out->size = size;
    if (source->memory != NULL)
        out->memory = source->memory + offset;
    else
        out->base = source->base + offset;
}

#define BOM "\xEF\xBB\xBF"
#define WINDOW_MIN (256 * CF_KIB)

/* ---- lines: the window ---- */

void cf_lines_init(struct cf_lines *lines)
{
    *lines = (struct cf_lines){.line = 1};
}

void cf_lines_open(struct cf_lines *lines, const struct cf_source *source, size_t first_line)
{
    *lines = (struct cf_lines){
        .source = source, .window = lines->window, .cap = lines->cap, .line = first_line};
}

void cf_lines_free(struct cf_lines *lines)
{
    if (lines->window != NULL)
        explicit_bzero(lines->window, lines->cap);
    free(lines->window);
    cf_lines_init(lines);
}

static bool all_read(const struct cf_lines *lines)
{
    return lines->base + lines->have >= lines->source->size;
}

bool cf_lines_at_end(const struct cf_lines *lines)
{
    return lines->base + lines->at >= lines->source->size;
}

/* Drops the first bytes of the window. */
static void drop_bytes(struct cf_lines *lines, size_t len)
{
    if (len == 0)
        return;
    memmove(lines->window, lines->window + len, lines->have - len);
    lines->base += len;
    lines->have -= len;
    lines->at -= len;
    lines->start = len < lines->start ? lines->start - len : 0;
}

static int grow_window(struct cf_lines *lines, size_t cap, struct cf_err *err)
{
    char *bigger = malloc(cap);

    if (bigger == NULL)
        return cf_err_memory(err);
    if (lines->window != NULL) {
        memcpy(bigger, lines->window, lines->have);
        explicit_bzero(lines->window, lines->cap);
    }
    free(lines->window);
    lines->window = bigger;
    lines->cap = cap;
    return 0;
}

/* Reads more, after dropping the bytes before the mark (or before the line, if too much is marked).
 */
static int fill_window(struct cf_lines *lines, struct cf_err *err)
{
    size_t got;

    drop_bytes(lines, lines->large ? lines->at : lines->start);
    if (!lines->large && lines->have >= CF_DOCUMENT_MAX) {
        lines->large = true;
        drop_bytes(lines, lines->at);
    }
    if (lines->cap == 0 && grow_window(lines, WINDOW_MIN, err) != 0)
        return -1;
    if (lines->have == lines->cap && grow_window(lines, 2 * lines->cap, err) != 0)
        return -1;
    if (cf_source_read(lines->source, lines->base + lines->have, lines->window + lines->have,
                       lines->cap - lines->have, &got, err) != 0)
        return -1;
    lines->returns |= memchr(lines->window + lines->have, '\r', got) != NULL;
    lines->have += got;
    return 0;
}

void cf_lines_mark(struct cf_lines *lines, size_t offset)
{
    lines->large = false;
    lines->at += offset;
    lines->start = lines->at;
    lines->mark = lines->base + lines->at;
}

const char *cf_lines_marked(const struct cf_lines *lines, uint64_t *len)
{
    *len = lines->base + lines->at - lines->mark;
    return lines->large || *len > CF_DOCUMENT_MAX ? NULL : lines->window + lines->start;
}

/* ---- lines: what one holds ---- */

bool cf_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

const char *cf_skip_blanks(const char *at, const char *end)
{
    while (at < end && cf_is_blank(*at))
        at++;
    return at;
}

const char *cf_skip_bom(const char *at, const char *end)
{
    return end - at >= 3 && memcmp(at, BOM, 3) == 0 ? at + 3 : at;
}

/* ---- lines: one after the other ---- */

static const char *find_break(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at)), *ret;

    ret = memchr(at, '\r', (size_t)((newline != NULL ? newline : end) - at));
    return ret != NULL ? ret : newline;
}

static const char *next_break(const struct cf_lines *lines)
{
    const char *at = lines->window + lines->at;
    size_t len = lines->have - lines->at;

    return lines->returns ? find_break(at, at + len) : memchr(at, '\n', len);
}

int cf_lines_look(struct cf_lines *lines, struct cf_line *out, struct cf_err *err)
{
    const char *end;

    while (lines->have - lines->at < CF_LINE_HEAD && !all_read(lines)) {
        if (fill_window(lines, err) != 0)
            return -1;
    }
    *out = (struct cf_line){.text = lines->window + lines->at};
    if (lines->at == lines->have)
        return 0;
    out->brk = next_break(lines);
    end = out->brk != NULL ? out->brk : lines->window + lines->have;
    out->end = (size_t)(end - out->text) > CF_LINE_HEAD ? out->text + CF_LINE_HEAD : end;
    out->whole = out->end == end && (out->brk != NULL || all_read(lines));
    return 1;
}

int cf_lines_pass(struct cf_lines *lines, const struct cf_line *line, struct cf_err *err)
{
    const char *brk = line->brk;

    while (brk == NULL) {
        lines->at = lines->have;
        if (all_read(lines))
            return 0;
        if (fill_window(lines, err) != 0)
            return -1;
        brk = next_break(lines);
    }
    lines->at = (size_t)(brk - lines->window) + 1;
    lines->line++;
    if (*brk != '\r')
        return 0;
    if (lines->at == lines->have && !all_read(lines) && fill_window(lines, err) != 0)
        return -1;
    if (lines->at < lines->have && lines->window[lines->at] == '\n')
        lines->at++;
    return 0;
}
