/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c - the only file that knows libyaml: its events go to yaml_build.c, its errors become
 * messages. */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "yaml_build.h"
#include "yaml_mend.h"

/* ---- lines ---- */

/* Lines as editors and grep count them: ended by \n, \r\n or a lone \r. To libyaml U+0085, U+2028
 * and U+2029 end a line too. */
struct yaml_lines {
    const char *begin, *end;
    size_t first_line;
    struct cf_yaml_gap gap;
    bool others; /* lines end in another way than \n, \r\n or \r */
    /* The line of the last lookup; the next lookups are mostly after it. */
    const char *at;
    size_t line;  /* as libyaml counts, from 0 */
    size_t shift; /* the number of these that editors do not count */
    size_t column;
};

/* The bytes of the line end at p, 0 for none; *real is false for one that only YAML knows. */
static size_t break_at(const char *p, const char *end, bool *real)
{
    size_t left = (size_t)(end - p);

    *real = *p == '\n' || *p == '\r';
    if (*real)
        return *p == '\r' && left > 1 && p[1] == '\n' ? 2 : 1;
    if (left >= 2 && memcmp(p, "\xC2\x85", 2) == 0)
        return 2;
    if (left >= 3 && (memcmp(p, "\xE2\x80\xA8", 3) == 0 || memcmp(p, "\xE2\x80\xA9", 3) == 0))
        return 3;
    return 0;
}

/* Returns the end of the line; *chars grows by the skipped characters, *real is as above. */
static const char *skip_line(const char *p, const char *end, size_t *chars, bool *real)
{
    for (; p < end; p++) {
        size_t len = 0;

        *chars += ((unsigned char)*p & 0xC0) != 0x80;
        if (*p == '\n' || *p == '\r' || *p == '\xC2' || *p == '\xE2')
            len = break_at(p, end, real);
        if (len > 0)
            return p + len;
    }
    *real = true;
    return end;
}

static void rewind_to_begin(struct yaml_lines *lines)
{
    lines->at = lines->begin;
    lines->line = lines->shift = lines->column = 0;
}

static void lines_init(struct yaml_lines *lines, const char *bytes, size_t len, size_t first_line,
                       struct cf_yaml_gap gap)
{
    *lines = (struct yaml_lines){
        .begin = bytes,
        .end = bytes + len,
        .first_line = first_line,
        .gap = gap,
        .others = cf_utf8_old_break(bytes, len),
    };
    rewind_to_begin(lines);
}

/* The line in the file, of a line in the text. */
static size_t line_in_file(const struct yaml_lines *lines, size_t line)
{
    return line > lines->gap.line ? line + lines->gap.lines : line;
}

static void go_to_line(struct yaml_lines *lines, size_t line)
{
    if (line < lines->line)
        rewind_to_begin(lines);
    while (lines->line < line && lines->at < lines->end) {
        bool real;

        lines->at = skip_line(lines->at, lines->end, &lines->column, &real);
        lines->line++;
        lines->shift += !real;
        if (real)
            lines->column = 0;
    }
}

/* Where libyaml's line and column (from 0) are in the file. */
static struct cf_yaml_place lines_place(struct yaml_lines *lines, size_t line, size_t column)
{
    if (lines->others)
        go_to_line(lines, line);
    return (struct cf_yaml_place){.line =
                                      line_in_file(lines, lines->first_line + line - lines->shift),
                                  .column = lines->column + column + 1};
}

/* The first byte of libyaml's line (from 0); the end when there is none. */
static const char *lines_start(struct yaml_lines *lines, size_t line)
{
    struct yaml_lines own = *lines;

    rewind_to_begin(&own);
    go_to_line(&own, line);
    return own.line == line ? own.at : own.end;
}

/* Where the byte at this offset is. */
static struct cf_yaml_place lines_place_of(const struct yaml_lines *lines, size_t offset)
{
    struct cf_yaml_place place = {.line = lines->first_line, .column = 1};
    const char *p = lines->begin, *at = p + offset;

    while (p < at && p < lines->end) {
        bool real = false;
        size_t len = break_at(p, lines->end, &real);

        place.column += ((unsigned char)*p & 0xC0) != 0x80;
        if (real) {
            place.line++;
            place.column = 1;
        }
        p += real ? len : 1;
    }
    place.line = line_in_file(lines, place.line);
    return place;
}

/* ---- the reader ---- */

/* How often input is read again after a fault that only libyaml reports; most of them are found
 * together (yaml_mend.c). */
#define MENDS_MAX 16

struct yaml_reader {
    yaml_parser_t parser;
    struct cf_yaml_build build;
    bool manifest;
    const char *bytes;
    size_t len;
    size_t read;  /* of them */
    bool newline; /* remains to be read: the last one is missing, and kubectl adds it */
    char *tidy;   /* a copy; NULL: none was needed */
    /* The character of the last lookup: its number and its place. */
    size_t index;
    const char *at;
    struct yaml_lines lines;
    struct cf_yaml_mend mend;
    struct cf_err *err;
};

static struct cf_yaml_place place_of_mark(struct yaml_reader *r, yaml_mark_t mark)
{
    return lines_place(&r->lines, mark.line, mark.column);
}

/* ---- errors ---- */

/* The usual cause of "found character that cannot start any token". */
static bool indented_with_tab(struct yaml_reader *r, size_t line)
{
    const char *p = lines_start(&r->lines, line), *end = r->bytes + r->len;

    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}

static int fail_parse(struct yaml_reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    struct cf_yaml_place place = place_of_mark(r, parser->problem_mark);
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;

    if (parser->error == YAML_MEMORY_ERROR)
        return cf_err_memory(r->err);
    /* libyaml reports only an offset for invalid bytes. */
    if (parser->error == YAML_READER_ERROR)
        return cf_yaml_fail(r->err, lines_place_of(&r->lines, parser->problem_offset), "%s",
                            problem);
    if (indented_with_tab(r, parser->problem_mark.line))
        return cf_yaml_fail(r->err, place, "a tab where only spaces can indent");
    if (parser->context == NULL)
        return cf_yaml_fail(r->err, place, "%s", problem);
    return cf_yaml_fail(r->err, place, "%s (%s, which begins at line %zu)", problem,
                        parser->context, place_of_mark(r, parser->context_mark).line);
}

/* ---- directives ---- */

/* libyaml ends lines at \n, at \r, and at three characters that are not ASCII. */
static bool begins_line(const struct yaml_reader *r, const char *at)
{
    return at == r->bytes || at[-1] == '\n' || at[-1] == '\r' || (unsigned char)at[-1] >= 0x80;
}

/* libyaml compares each %TAG directive with all before it, and says nothing until it has read the
 * last: they are counted first. Such a line within a text that begins at the margin counts too. */
static int bound_directives(const struct yaml_reader *r)
{
    static const char directive[] = "%TAG";
    const char *end = r->bytes + r->len, *at = r->bytes;
    size_t count = 0;

    while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        if ((size_t)(end - at) < strlen(directive) ||
            memcmp(at, directive, strlen(directive)) != 0) {
            at++;
            continue;
        }
        count += begins_line(r, at);
        if (count > CF_TAG_DIRECTIVES_MAX)
            return cf_yaml_fail(r->err, lines_place_of(&r->lines, (size_t)(at - r->bytes)),
                                "more than %d %%TAG directives; a document has one or two",
                                CF_TAG_DIRECTIVES_MAX);
        at += strlen(directive);
    }
    return 0;
}

/* ---- events ---- */

static struct cf_yaml_props props(const yaml_char_t *anchor, const yaml_char_t *tag)
{
    return (struct cf_yaml_props){(const char *)anchor, (const char *)tag};
}

/* Marks come in the order of the text. */
static const char *character(struct yaml_reader *r, size_t index)
{
    const char *end = r->bytes + r->len;

    for (; r->index < index && r->at < end; r->index++) {
        do {
            r->at++;
        } while (r->at < end && ((unsigned char)*r->at & 0xC0) == 0x80);
    }
    return r->at;
}

/* [!tag, b]: to libyaml the comma ends the tag of an empty scalar, to kubectl it is the tag's last
 * character, and b has that tag. */
static bool ends_in_comma(struct yaml_reader *r, const yaml_event_t *event)
{
    const char *after, *p;

    if (!r->manifest || event->data.scalar.tag == NULL || event->data.scalar.length > 0 ||
        event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    p = after = character(r, event->end_mark.index);
    if (after == r->bytes + r->len || *after != ',')
        return false;
    while (p > r->bytes && memchr(" \t\r\n", p[-1], 4) == NULL && memchr("[{,", p[-1], 3) == NULL)
        p--;
    return *p == '!';
}

static size_t restore(const struct yaml_reader *r, const yaml_event_t *event, char *text,
                      size_t len)
{
    bool quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;

    return r->mend.copy == NULL ? len : cf_yaml_mend_restore(&r->mend, quoted, text, len);
}

static int on_scalar(struct yaml_reader *r, const yaml_event_t *event)
{
    char *text = (char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct cf_yaml_scalar scalar = {
        .text = text,
        .len = restore(r, event, text, len),
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
    };

    if (ends_in_comma(r, event))
        return cf_yaml_fail(r->err, place_of_mark(r, event->end_mark),
                            "a comma directly after a tag: put a space between them");
    return cf_yaml_build_scalar(&r->build, place_of_mark(r, event->start_mark),
                                props(event->data.scalar.anchor, event->data.scalar.tag), scalar);
}

static int on_event(struct yaml_reader *r, const yaml_event_t *event)
{
    struct cf_yaml_place at = place_of_mark(r, event->start_mark);

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return cf_yaml_build_alias(&r->build, at, (const char *)event->data.alias.anchor);
    case YAML_SEQUENCE_START_EVENT:
        return cf_yaml_build_open(
            &r->build, at, props(event->data.sequence_start.anchor, event->data.sequence_start.tag),
            false);
    case YAML_MAPPING_START_EVENT:
        return cf_yaml_build_open(
            &r->build, at, props(event->data.mapping_start.anchor, event->data.mapping_start.tag),
            true);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return cf_yaml_build_close(&r->build);
    default:
        return 0;
    }
}

static int read_events(struct yaml_reader *r)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    unsigned documents = 0;
    int result = 0;

    while (result == 0 && type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r->parser, &event))
            return fail_parse(r);
        type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && documents++ > 0)
            result = cf_yaml_fail(r->err, place_of_mark(r, event.start_mark),
                                  "a second document begins here");
        else
            result = on_event(r, &event);
        yaml_event_delete(&event);
    }
    return result;
}

/* ---- the parser ---- */

static int on_read(void *data, unsigned char *buffer, size_t size, size_t *got)
{
    struct yaml_reader *r = data;
    size_t left = r->len - r->read;

    *got = left < size ? left : size;
    memcpy(buffer, r->bytes + r->read, *got);
    r->read += *got;
    if (r->newline && *got == 0 && size > 0) {
        r->newline = false;
        buffer[(*got)++] = '\n';
    }
    return 1;
}

static int begin_parser(struct yaml_reader *r)
{
    r->read = 0;
    r->index = 0;
    r->at = r->bytes;
    r->newline = r->manifest && r->len > 0 && r->bytes[r->len - 1] != '\n';
    if (!yaml_parser_initialize(&r->parser))
        return cf_err_memory(r->err);
    /* Else libyaml guesses UTF-16 from the first bytes. */
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&r->parser, on_read, r);
    return 0;
}

static void set_text(struct yaml_reader *r, const char *bytes, size_t len)
{
    r->bytes = bytes;
    r->len = len;
    lines_init(&r->lines, bytes, len, r->lines.first_line, r->lines.gap);
}

/* ---- input that kubectl reads differently ---- */

/* kubectl takes \r\n for \n before any parsing; then \r\r\n ends one line, not two. */
static int tidy_line_ends(struct yaml_reader *r)
{
    const char *end = r->bytes + r->len;
    char *out;

    if (memchr(r->bytes, '\r', r->len) == NULL || memmem(r->bytes, r->len, "\r\r\n", 3) == NULL)
        return 0;
    r->tidy = out = malloc(r->len);
    if (out == NULL)
        return cf_err_memory(r->err);
    for (const char *p = r->bytes; p < end; p++) {
        if (*p != '\r' || end - p < 2 || p[1] != '\n')
            *out++ = *p;
    }
    set_text(r, r->tidy, (size_t)(out - r->tidy));
    return 0;
}

static bool is_mendable(const struct yaml_reader *r)
{
    return r->manifest && r->parser.error == YAML_SCANNER_ERROR &&
           cf_yaml_mend_knows(r->parser.problem);
}

/* Reads the text to its end or to its first fault. */
static void scan_text(struct yaml_reader *r)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    yaml_event_t event;

    while (type != YAML_STREAM_END_EVENT && yaml_parser_parse(&r->parser, &event)) {
        type = event.type;
        yaml_event_delete(&event);
    }
}

/* Makes a copy that libyaml accepts. False: impossible. */
static bool mend_text(struct yaml_reader *r)
{
    bool found = true;

    if (!cf_yaml_mend_copy(&r->mend, r->bytes, r->len))
        return false;
    for (int i = 0; found && i < MENDS_MAX; i++) {
        set_text(r, r->mend.copy, r->mend.len);
        if (begin_parser(r) != 0)
            return false;
        scan_text(r);
        found = is_mendable(r) && cf_yaml_mend_replace(&r->mend, r->parser.problem_mark.index);
        yaml_parser_delete(&r->parser);
    }
    set_text(r, r->mend.copy, r->mend.len);
    return true;
}

static int read_once(struct yaml_reader *r, bool *mendable)
{
    int result = begin_parser(r);

    if (result != 0)
        return result;
    result = read_events(r);
    *mendable = result != 0 && is_mendable(r);
    yaml_parser_delete(&r->parser);
    return result;
}

static int read_document(struct yaml_reader *r, struct cf_arena *arena, enum cf_yaml_flags flags)
{
    bool mendable = false;
    int result;

    if (r->len >= 3 && memcmp(r->bytes, "\xEF\xBB\xBF", 3) == 0)
        set_text(r, r->bytes + 3, r->len - 3);
    if ((r->manifest && tidy_line_ends(r) != 0) || bound_directives(r) != 0)
        return -1;
    cf_yaml_build_init(&r->build, arena, r->len, flags, r->err);
    result = read_once(r, &mendable);
    if (mendable && mend_text(r)) {
        if (r->err != NULL)
            *r->err = (struct cf_err){.kind = CF_ERR_NONE};
        cf_yaml_build_init(&r->build, arena, r->len, flags, r->err);
        result = read_once(r, &mendable);
    }
    return result;
}

static const struct cf_json *parse_yaml(struct cf_arena *arena, const char *bytes, size_t len,
                                        struct yaml_lines lines, enum cf_yaml_flags flags,
                                        struct cf_err *err)
{
    /* Not in the arena: a file of 100,000 documents would keep 6 KiB of each to its end. */
    struct yaml_reader r = {.manifest = (flags & CF_YAML_TEXT) == 0, .lines = lines, .err = err};
    struct cf_arena *before;
    int result;

    set_text(&r, bytes, len);
    before = cf_json_use(arena);
    result = read_document(&r, arena, flags);
    cf_json_use(before);
    cf_yaml_mend_free(&r.mend);
    free(r.tidy);
    if (result != 0)
        return NULL;
    if (r.build.root == NULL && err != NULL)
        *err = (struct cf_err){.kind = CF_ERR_NONE};
    return r.build.root;
}

const struct cf_json *cf_yaml_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    size_t first_line, enum cf_yaml_flags flags, struct cf_err *err)
{
    return parse_yaml(arena, bytes, len, (struct yaml_lines){.first_line = first_line}, flags, err);
}

const struct cf_json *cf_yaml_parse_gap(struct cf_arena *arena, const char *bytes, size_t len,
                                        size_t first_line, struct cf_yaml_gap gap,
                                        struct cf_err *err)
{
    return parse_yaml(arena, bytes, len, (struct yaml_lines){.first_line = first_line, .gap = gap},
                      CF_YAML_MANIFEST, err);
}

const char *cf_libyaml_version(void)
{
    return yaml_get_version_string();
}
