/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c - writing compact JSON (see writer.h) and YAML (see json.h). */
#include "curfew/writer.h"

#include <string.h>

#include "curfew/buf.h"
#include "curfew/str.h"
#include "json_private.h"
#include "yaml_scalar.h"

/* ---- compact JSON ---- */

void cf_out_init(struct cf_out *out, struct cf_buf *buf)
{
    *out = (struct cf_out){.buf = buf};
}

/* Written before every value: a comma, the key. */
static void lead(struct cf_out *out, const char *key)
{
    if (out->comma)
        cf_buf_addc(out->buf, ',');
    out->comma = true;
    if (key == NULL)
        return;
    cf_buf_add_quoted(out->buf, key);
    cf_buf_addc(out->buf, ':');
}

static void begin_container(struct cf_out *out, const char *key, char bracket)
{
    lead(out, key);
    cf_buf_addc(out->buf, bracket);
    out->comma = false;
}

static void end_container(struct cf_out *out, char bracket)
{
    cf_buf_addc(out->buf, bracket);
    out->comma = true;
}

void cf_out_object(struct cf_out *out, const char *key)
{
    begin_container(out, key, '{');
}

void cf_out_end_object(struct cf_out *out)
{
    end_container(out, '}');
}

void cf_out_array(struct cf_out *out, const char *key)
{
    begin_container(out, key, '[');
}

void cf_out_end_array(struct cf_out *out)
{
    end_container(out, ']');
}

void cf_out_str(struct cf_out *out, const char *key, const char *text)
{
    lead(out, key);
    if (text == NULL)
        cf_buf_adds(out->buf, "null");
    else
        cf_buf_add_quoted(out->buf, text);
}

void cf_out_int(struct cf_out *out, const char *key, int64_t number)
{
    lead(out, key);
    cf_buf_addf(out->buf, "%lld", (long long)number);
}

void cf_out_bool(struct cf_out *out, const char *key, bool value)
{
    cf_out_raw(out, key, value ? "true" : "false");
}

void cf_out_null(struct cf_out *out, const char *key)
{
    cf_out_raw(out, key, "null");
}

void cf_out_raw(struct cf_out *out, const char *key, const char *json)
{
    lead(out, key);
    cf_buf_adds(out->buf, json);
}

static void add_children(struct cf_out *out, const struct cf_json *container)
{
    const struct cf_json *item = cf_json_first(container);

    for (; item != NULL; item = cf_json_next(item))
        cf_out_value(out, cf_json_key(item), item);
}

/* Recursive, as deep as documents nest: CF_DEPTH_MAX. */
void cf_out_value(struct cf_out *out, const char *key, const struct cf_json *value)
{
    switch (cf_json_type(value)) {
    case CF_JSON_NULL:
        cf_out_null(out, key);
        break;
    case CF_JSON_BOOL:
        cf_out_bool(out, key, cf_json_true(value));
        break;
    case CF_JSON_NUMBER:
        cf_out_raw(out, key, cf_json_num(value));
        break;
    case CF_JSON_STRING:
        cf_out_str(out, key, cf_json_str(value));
        break;
    case CF_JSON_ARRAY:
        cf_out_array(out, key);
        add_children(out, value);
        cf_out_end_array(out);
        break;
    case CF_JSON_OBJECT:
        cf_out_object(out, key);
        add_children(out, value);
        cf_out_end_object(out);
        break;
    }
}

/* ---- a value as a YAML block ---- */

/* In the form kubectl prints: two spaces a level, the
 * items of a sequence at their key's column. */

/* YAML readers look for the colon of a key no further than 1024 characters. */
#define KEY_MAX 1000

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static void write_block(struct cf_buf *buf, const struct cf_json *value, unsigned indent,
                        bool inline_first);

static void pad(struct cf_buf *buf, unsigned indent)
{
    while (indent-- > 0)
        cf_buf_addc(buf, ' ');
}

/* ---- strings ---- */

/* Numbers, dates and times of any reader are made of these only; 1:30 is one to some. */
static bool could_be_number(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');

    if (*p != '.' && (*p < '0' || *p > '9'))
        return false;
    return text[strspn(text, DIGITS "abcdefABCDEFxXoO_+-.:TtZz ")] == '\0';
}

/* Whether every YAML reader reads the unquoted text as this string. Stricter than necessary. */
static bool is_plain_text(const char *text)
{
    size_t len = strlen(text);
    struct cf_scalar scalar;

    if (len == 0 || strchr(LETTERS DIGITS "_./$-", text[0]) == NULL || text[len - 1] == ' ' ||
        text[len - 1] == ':')
        return false;
    if (text[strspn(text, LETTERS DIGITS "_./-:=,@+%()*$&!?<>|^~; ")] != '\0')
        return false;
    if (strstr(text, ": ") != NULL || (text[0] == '-' && (len == 1 || text[1] == ' ')) ||
        cf_starts_with(text, "---") || cf_starts_with(text, "..."))
        return false;
    cf_scalar_resolve(text, &scalar);
    return scalar.kind == CF_SCALAR_TEXT && !could_be_number(text);
}

/* A character that a literal block can hold, the newline aside. */
static bool is_literal(uint32_t code)
{
    return code == '\t' || (code >= ' ' && code < 0x7F) ||
           (code >= 0xA0 && code != 0x2028 && code != 0x2029 && code != 0xFEFF && code != 0xFFFE &&
            code != 0xFFFF);
}

/* Whether a text of several lines can be a literal block: nothing invisible in it that a reader
 * or an editor may change, and no blank at the beginning that would count as indentation. */
static bool is_block(const char *text)
{
    const char *first = text + strspn(text, "\n");
    uint32_t code = 0;
    char before = '\n';
    size_t len;

    if (strchr(text, '\n') == NULL || *first == '\0' || *first == ' ')
        return false;
    for (; *text != '\0'; text += len) {
        len = cf_utf8_decode(text, 4, &code);
        if (len == 0 || (code != '\n' && !is_literal(code)))
            return false;
        if ((code == '\n' && (before == ' ' || before == '\t')) || (code == '\t' && before == '\n'))
            return false;
        before = len == 1 ? *text : '\0';
    }
    return before != ' ' && before != '\t';
}

static void write_literal(struct cf_buf *buf, const char *text, unsigned indent)
{
    size_t len = strlen(text);
    bool ends = text[len - 1] == '\n';

    cf_buf_adds(buf, !ends ? "|-\n" : text[len - 2] == '\n' ? "|+\n" : "|\n");
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");

        if (line > 0)
            pad(buf, indent);
        cf_buf_add(buf, text, line);
        cf_buf_addc(buf, '\n');
        text += line + (text[line] == '\n');
    }
}

/* ---- values ---- */

/* Ends the line. */
static void write_scalar(struct cf_buf *buf, const struct cf_json *value, unsigned indent)
{
    const char *text = cf_json_str(value);

    if (text != NULL && indent > 0 && is_block(text)) {
        write_literal(buf, text, indent);
        return;
    }
    if (text != NULL && is_plain_text(text))
        cf_buf_adds(buf, text);
    else if (text != NULL)
        cf_buf_add_quoted(buf, text);
    else if (cf_json_num(value) != NULL) /* a bare -0 would be the integer 0 */
        cf_buf_adds(buf, cf_streq(cf_json_num(value), "-0") ? "-0.0" : cf_json_num(value));
    else if (cf_json_type(value) == CF_JSON_BOOL)
        cf_buf_adds(buf, cf_json_true(value) ? "true" : "false");
    else if (cf_json_type(value) == CF_JSON_NULL)
        cf_buf_adds(buf, "null");
    else
        cf_buf_adds(buf, cf_json_type(value) == CF_JSON_ARRAY ? "[]" : "{}");
    cf_buf_addc(buf, '\n');
}

static void write_key(struct cf_buf *buf, const char *key, unsigned indent)
{
    size_t before = buf->len;

    if (is_plain_text(key) && strlen(key) <= KEY_MAX)
        cf_buf_adds(buf, key);
    else
        cf_buf_add_quoted(buf, key);
    if (buf->len - before > KEY_MAX) {
        buf->len = before;
        cf_buf_adds(buf, "? ");
        cf_buf_add_quoted(buf, key);
        cf_buf_addc(buf, '\n');
        pad(buf, indent);
    }
    cf_buf_addc(buf, ':');
}

static void write_member(struct cf_buf *buf, const struct cf_json *member, unsigned indent)
{
    write_key(buf, cf_json_key(member), indent);
    if (cf_json_first(member) == NULL) {
        cf_buf_addc(buf, ' ');
        write_scalar(buf, member, indent + 2);
        return;
    }
    cf_buf_addc(buf, '\n');
    write_block(buf, member, cf_json_type(member) == CF_JSON_ARRAY ? indent : indent + 2, false);
}

static void write_item(struct cf_buf *buf, const struct cf_json *item, unsigned indent)
{
    cf_buf_adds(buf, "- ");
    if (cf_json_first(item) == NULL)
        write_scalar(buf, item, indent + 2);
    else
        write_block(buf, item, indent + 2, true);
}

/* A container that is not empty. With `inline_first`, its first line has begun already. */
static void write_block(struct cf_buf *buf, const struct cf_json *value, unsigned indent,
                        bool inline_first)
{
    bool object = cf_json_type(value) == CF_JSON_OBJECT;

    for (value = cf_json_first(value); value != NULL; value = cf_json_next(value)) {
        if (!inline_first)
            pad(buf, indent);
        inline_first = false;
        if (object)
            write_member(buf, value, indent);
        else
            write_item(buf, value, indent);
    }
}

void cf_yaml_write(struct cf_buf *buf, const struct cf_json *value, unsigned indent)
{
    if (cf_json_first(value) != NULL) {
        write_block(buf, value, indent, false);
        return;
    }
    pad(buf, indent);
    write_scalar(buf, value, 0);
}

void cf_yaml_write_member(struct cf_buf *buf, const struct cf_json *member, unsigned indent)
{
    pad(buf, indent);
    write_member(buf, member, indent);
}

void cf_yaml_write_item(struct cf_buf *buf, const struct cf_json *item, unsigned indent)
{
    pad(buf, indent);
    write_item(buf, item, indent);
}
