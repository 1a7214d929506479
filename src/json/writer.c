/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c - writing compact JSON; see json_out.h. */
#include "curfew/writer.h"

void cf_out_init(struct cf_out *out, struct cf_buf *buf)
{
    *out = (struct cf_out){.buf = buf};
}

/* What stands before every value. */
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

static void begin(struct cf_out *out, const char *key, char bracket)
{
    lead(out, key);
    cf_buf_addc(out->buf, bracket);
    out->comma = false;
}

static void end(struct cf_out *out, char bracket)
{
    cf_buf_addc(out->buf, bracket);
    out->comma = true;
}

void cf_out_object(struct cf_out *out, const char *key)
{
    begin(out, key, '{');
}

void cf_out_end_object(struct cf_out *out)
{
    end(out, '}');
}

void cf_out_array(struct cf_out *out, const char *key)
{
    begin(out, key, '[');
}

void cf_out_end_array(struct cf_out *out)
{
    end(out, ']');
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
