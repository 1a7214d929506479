/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - the messages about a configuration: the place, what is wrong, and what would be
 * right. */
#include "reader.h"

#include <stdarg.h>
#include <string.h>

#include "curfew/buf.h"
#include "curfew/str.h"

/* Characters of the author's own text in a message. */
#define SHOWN_MAX 60
#define SENTENCE_MAX 4096

struct place {
    size_t line, column;
};

static int error_at(struct cf_config_reader *reader, struct place place, const char *sentence)
{
    if (sentence == NULL)
        return cf_err_memory(reader->err);
    if (place.line == 0)
        return cf_err_set(reader->err, "%s: %s", reader->file, sentence);
    return cf_err_set(reader->err, "%s:%zu:%zu: %s", reader->file, place.line, place.column,
                      sentence);
}

static struct place value_place(const struct cf_json *value)
{
    return (struct place){cf_json_line(value), cf_json_column(value)};
}

int cf_config_error(struct cf_config_reader *reader, const struct cf_json *value, const char *fmt,
                    ...)
{
    const char *sentence;
    va_list args;

    va_start(args, fmt);
    sentence = cf_arena_vprintf(reader->arena, fmt, args);
    va_end(args);
    return error_at(reader, value_place(value), sentence);
}

const char *cf_config_show_text(struct cf_config_reader *reader, const char *text)
{
    char *copy = cf_str_shown(reader->arena, text);

    if (copy == NULL)
        return "";
    cf_utf8_cut(copy, SHOWN_MAX);
    return copy;
}

const char *cf_config_show(struct cf_config_reader *reader, const struct cf_json *value)
{
    const char *shown;

    if (cf_config_absent(value))
        return "empty";
    switch (cf_json_type(value)) {
    case CF_JSON_ARRAY:
        return "a list";
    case CF_JSON_OBJECT:
        return "a mapping";
    default:
        shown = cf_arena_printf(reader->arena, cf_json_is_plain(value) ? "'%s'" : "\"%s\"",
                                cf_config_show_text(reader, cf_str_or_empty(cf_json_str(value))));
        return cf_str_or_empty(shown);
    }
}

int cf_config_bad(struct cf_config_reader *reader, const struct cf_config_option *option,
                  const struct cf_json *value)
{
    return cf_config_error(reader, value, "'%s' must be %s, not %s", option->key, option->want,
                           cf_config_show(reader, value));
}

/* ---- where a key stands ---- */

/* A continuation byte of UTF-8 does not start a column. */
static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t offset_of(const struct cf_config_reader *reader, struct place place)
{
    size_t at = 0;

    for (size_t line = 1; line < place.line && at < reader->len; at++)
        line += reader->text[at] == '\n';
    for (size_t column = 1; column < place.column && at < reader->len; column++) {
        do
            at++;
        while (at < reader->len && !begins_character(reader->text[at]));
    }
    return at;
}

static struct place place_of(const struct cf_config_reader *reader, size_t offset)
{
    struct place place = {1, 1};

    for (size_t i = 0; i < offset; i++) {
        if (reader->text[i] == '\n')
            place = (struct place){place.line + 1, 1};
        else
            place.column += begins_character(reader->text[i]);
    }
    return place;
}

/* Whether what follows a word makes it a key: a colon, perhaps after a quote and white space. */
static bool colon_follows(const struct cf_config_reader *reader, size_t at)
{
    if (at < reader->len && (reader->text[at] == '"' || reader->text[at] == '\''))
        at++;
    while (at < reader->len && strchr(" \t\r\n", reader->text[at]) != NULL)
        at++;
    return at < reader->len && reader->text[at] == ':';
}

/* Values have a position and keys do not, so a key is searched backwards from its value: the
 * message about an unknown key points at the key, and not at the block below it. */
static struct place key_place(const struct cf_config_reader *reader, const struct cf_json *member)
{
    const char *key = cf_json_key(member);
    struct place place = value_place(member);
    size_t len = strlen(cf_str_or_empty(key));
    size_t end = offset_of(reader, place);

    if (place.line == 0 || len == 0)
        return place;
    for (size_t at = end < len ? 0 : end - len + 1; at-- > 0;) {
        bool begins = at == 0 || strchr(" \t\r\n{,\"'", reader->text[at - 1]) != NULL;

        if (begins && memcmp(reader->text + at, key, len) == 0 && colon_follows(reader, at + len))
            return place_of(reader, at);
    }
    return place;
}

/* ---- what was meant ---- */

static const char *nearest(const char *word, const char *const *known, size_t count)
{
    struct cf_suggestion s = {.word = word};

    for (size_t i = 0; i < count; i++)
        cf_suggest(&s, known[i]);
    return s.best;
}

int cf_config_unknown(struct cf_config_reader *reader, const struct cf_json *value, bool at_key,
                      const char *what, const char *const *known, size_t count)
{
    const char *word = cf_str_or_empty(at_key ? cf_json_key(value) : cf_json_str(value));
    const char *meant = nearest(word, known, count);
    struct place place = at_key ? key_place(reader, value) : value_place(value);
    struct cf_buf sentence;

    cf_buf_init_arena(&sentence, reader->arena, SENTENCE_MAX);
    cf_buf_addf(&sentence, "unknown %s '%s'", what, cf_config_show_text(reader, word));
    if (meant != NULL)
        cf_buf_addf(&sentence, ", did you mean '%s'?", meant);
    cf_buf_adds(&sentence, " (known here: ");
    for (size_t i = 0; i < count; i++)
        cf_buf_addf(&sentence, "%s%s", i == 0 ? "" : ", ", known[i]);
    cf_buf_adds(&sentence, ")");
    return error_at(reader, place, cf_buf_ok(&sentence) ? cf_buf_str(&sentence) : NULL);
}
