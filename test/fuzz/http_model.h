/* SPDX-License-Identifier: Apache-2.0 */
/* http_model.h - requests and responses of HTTP/1.1 according to RFC 9112, independent of the
 * server.
 */
#ifndef CURFEW_TEST_FUZZ_HTTP_MODEL_H
#define CURFEW_TEST_FUZZ_HTTP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MODEL_REQUESTS_MAX 64

enum model_is {
    MODEL_GOOD,
    MODEL_MAYBE, /* a server may take it or not */
    MODEL_BAD,
};

struct model_request {
    enum model_is is;
    bool whole; /* its headers and its body have come */
    bool is_head;
    bool ends; /* it requests that the connection is closed afterwards */
};

struct model {
    struct model_request requests[MODEL_REQUESTS_MAX];
    unsigned count;
    unsigned certain; /* the first ones, which have to be answered */
    bool lost;        /* from here on servers differ in where lines or headers end */
};

struct model_line {
    const char *at;
    size_t len;
};

/* False: no whole line is left. A CR or a NUL within a line is `odd`. */
static inline bool model_line(const char **at, const char *end, struct model_line *line, bool *odd)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    const char *stop = newline != NULL ? newline : end;

    line->at = *at;
    line->len = (size_t)(stop - *at);
    if (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    if (memchr(line->at, '\r', line->len) != NULL || memchr(line->at, '\0', line->len) != NULL)
        *odd = true;
    *at = newline != NULL ? newline + 1 : end;
    return newline != NULL;
}

static inline bool model_is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7F ||
            strchr("\"(),/:;<=>?@[\\]{}", text[i]) != NULL)
            return false;
    }
    return len > 0;
}

static inline bool model_is(const struct model_line *text, const char *word)
{
    return text->len == strlen(word) && strncasecmp(text->at, word, text->len) == 0;
}

static inline void model_worse(struct model_request *r, enum model_is is)
{
    if (is > r->is)
        r->is = is;
}

/* METHOD SP TARGET SP VERSION. More or other space is MAYBE (RFC 9112, 3). */
static inline bool model_request_line(const struct model_line *line, struct model_request *r)
{
    struct model_line words[3];
    const char *at = line->at, *end = line->at + line->len;
    unsigned count = 0;

    while (at < end) {
        size_t len = 0;

        while (at + len < end && at[len] != ' ' && at[len] != '\t' && at[len] != '\v' &&
               at[len] != '\f')
            len++;
        if (len == 0 || at[len - 1] == '\t' || (at + len < end && at[len] != ' '))
            model_worse(r, MODEL_MAYBE);
        if (len > 0 && count < 3)
            words[count] = (struct model_line){at, len};
        count += len > 0;
        at += len + 1;
    }
    r->is_head = count > 0 && words[0].len == 4 && memcmp(words[0].at, "HEAD", 4) == 0;
    if (count != 3) {
        model_worse(r, count > 3 ? MODEL_MAYBE : MODEL_BAD);
        return false;
    }
    if (!model_is_token(words[0].at, words[0].len))
        model_worse(r, MODEL_BAD);
    for (size_t i = 0; i < words[1].len; i++) {
        if ((unsigned char)words[1].at[i] < ' ' || words[1].at[i] == 0x7F)
            model_worse(r, MODEL_MAYBE);
    }
    if (words[2].len == 8 && memcmp(words[2].at, "HTTP/1.0", 8) == 0)
        return true;
    if (words[2].len != 8 || memcmp(words[2].at, "HTTP/1.", 7) != 0)
        model_worse(r, MODEL_BAD);
    else if (words[2].at[7] != '1')
        model_worse(r, MODEL_MAYBE);
    return false;
}

struct model_headers {
    unsigned hosts, lengths, encodings;
    size_t length;
};

static inline void model_header(const struct model_line *line, struct model_request *r,
                                struct model_headers *h)
{
    const char *colon = memchr(line->at, ':', line->len);
    struct model_line name, value;

    if (colon == NULL) {
        model_worse(r, MODEL_BAD);
        return;
    }
    name = (struct model_line){line->at, (size_t)(colon - line->at)};
    value = (struct model_line){colon + 1, line->len - name.len - 1};
    while (value.len > 0 && (*value.at == ' ' || *value.at == '\t'))
        value = (struct model_line){value.at + 1, value.len - 1};
    while (value.len > 0 && (value.at[value.len - 1] == ' ' || value.at[value.len - 1] == '\t'))
        value.len--;
    if (!model_is_token(name.at, name.len))
        model_worse(r, MODEL_BAD);
    for (size_t i = 0; i < value.len; i++) {
        if (((unsigned char)value.at[i] < ' ' && value.at[i] != '\t') || value.at[i] == 0x7F)
            model_worse(r, MODEL_BAD);
    }
    h->hosts += model_is(&name, "Host");
    h->encodings += model_is(&name, "Transfer-Encoding");
    if (model_is(&name, "Connection") && memmem(value.at, value.len, "lose", 4) != NULL)
        r->ends = true;
    if (!model_is(&name, "Content-Length"))
        return;
    h->lengths++;
    h->length = 0;
    if (value.len == 0 || value.len > 9)
        model_worse(r, MODEL_BAD);
    for (size_t i = 0; i < value.len && i < 9; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            model_worse(r, MODEL_BAD);
        h->length = h->length * 10 + (size_t)(value.at[i] - '0');
    }
}

/* False: the bytes after it are undefined. */
static inline bool model_request(const char **at, const char *end, struct model *m)
{
    struct model_request *r = &m->requests[m->count];
    struct model_headers h = {0};
    struct model_line line;
    bool odd = false, whole, old;

    *r = (struct model_request){.is = MODEL_GOOD};
    do { /* RFC 9112, 2.2 */
        if (*at == end)
            return false;
        whole = model_line(at, end, &line, &odd);
    } while (whole && line.len == 0);
    m->count++;
    old = model_request_line(&line, r);
    while (whole && !odd) {
        whole = model_line(at, end, &line, &odd);
        if (!whole || line.len == 0)
            break;
        /* To libmicrohttpd 0.9.75 the headers end at a line without a name, and a folded line is a
         * part of the name above it. */
        if (line.at[0] == ':' || line.at[0] == ' ' || line.at[0] == '\t')
            odd = true;
        else
            model_header(&line, r, &h);
    }
    if (odd) {
        m->lost = r->whole = true;
        r->is = MODEL_MAYBE;
    }
    if (odd || !whole)
        return false;
    if (h.hosts > 1 || (h.hosts == 0 && !old) || h.lengths > 1 || h.encodings > 0)
        model_worse(r, MODEL_BAD);
    r->ends = r->ends || old;
    r->whole = (size_t)(end - *at) >= h.length;
    *at += r->whole ? h.length : (size_t)(end - *at);
    return r->whole && r->is != MODEL_BAD;
}

static inline void model_read_requests(const char *at, size_t len, struct model *m)
{
    const char *end = at + len;
    bool certain = true;

    *m = (struct model){.count = 0};
    while (m->count < MODEL_REQUESTS_MAX && model_request(&at, end, m)) {
        const struct model_request *last = &m->requests[m->count - 1];

        certain = certain && last->is == MODEL_GOOD;
        m->certain += certain;
        certain = certain && !last->ends;
    }
    m->lost = m->lost || m->count == MODEL_REQUESTS_MAX;
}

/* ---- answers ---- */

enum model_read { MODEL_WHOLE, MODEL_CUT, MODEL_NONE };

struct model_answer {
    unsigned status;
    bool json, closes;
    const char *body, *end;
    size_t body_len;
};

static inline enum model_read model_answer_header(const char *line, size_t len,
                                                  struct model_answer *a, long *length)
{
    const char *colon = memchr(line, ':', len);
    struct model_line name, value;

    if (colon == NULL || colon + 1 >= line + len || colon[1] != ' ')
        return MODEL_NONE;
    name = (struct model_line){line, (size_t)(colon - line)};
    value = (struct model_line){colon + 2, len - name.len - 2};
    if (!model_is_token(name.at, name.len))
        return MODEL_NONE;
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.at[i] < ' ' || (unsigned char)value.at[i] > '~')
            return MODEL_NONE;
    }
    if (model_is(&name, "Content-Type"))
        a->json = model_is(&value, "application/json");
    if (model_is(&name, "Connection"))
        a->closes = model_is(&value, "close");
    if (model_is(&name, "Transfer-Encoding"))
        return MODEL_NONE;
    if (model_is(&name, "Content-Length")) {
        if (*length >= 0)
            return MODEL_NONE;
        *length = strtol(value.at, NULL, 10);
    }
    return MODEL_WHOLE;
}

/* The text is NUL-terminated. */
static inline enum model_read model_read_answer(const char *at, const char *end, bool is_head,
                                                struct model_answer *a)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    long length = -1;

    *a = (struct model_answer){.status = 0};
    if (newline == NULL)
        return MODEL_CUT;
    if (newline - at < 14 || memcmp(at, "HTTP/1.", 7) != 0 || (at[7] != '0' && at[7] != '1') ||
        at[8] != ' ' || newline[-1] != '\r')
        return MODEL_NONE;
    a->status = (unsigned)strtoul(at + 9, NULL, 10);
    if (a->status < 100 || a->status > 599 || (a->status < 200 && a->status != 100))
        return MODEL_NONE;
    for (;;) {
        at = newline + 1;
        newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return MODEL_CUT;
        if (newline == at || newline[-1] != '\r')
            return MODEL_NONE;
        if (newline == at + 1)
            break;
        if (model_answer_header(at, (size_t)(newline - at) - 1, a, &length) != MODEL_WHOLE)
            return MODEL_NONE;
    }
    a->body = a->end = newline + 1;
    if (a->status == 100)
        return length < 0 ? MODEL_WHOLE : MODEL_NONE;
    if (length < 0)
        return MODEL_NONE;
    if (is_head)
        return MODEL_WHOLE;
    a->body_len = (size_t)length;
    if ((size_t)(end - a->body) < a->body_len)
        return MODEL_CUT;
    a->end = a->body + a->body_len;
    return MODEL_WHOLE;
}

/* Status lines of complete headers, approximately: response bodies of the server contain none. */
static inline unsigned model_answers(const char *data, size_t len)
{
    const char *at = data, *end = data + len;
    unsigned count = 0;

    while ((at = memmem(at, (size_t)(end - at), "HTTP/1.", 7)) != NULL) {
        count += end - at > 12 && memcmp(at + 9, "100", 3) != 0;
        at += 7;
    }
    return count;
}

#endif
