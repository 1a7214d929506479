/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c - the only file that knows libyaml: its events go to yaml_build.c, its complaints become
 * sentences. */
#include <string.h>

#include <yaml.h>

#include "curfew/limits.h"
#include "yaml_build.h"

struct reader {
    yaml_parser_t parser;
    struct cf_yaml_build build;
    const char *bytes;
    size_t len;
    size_t first_line;
    struct cf_err *err;
};

static struct cf_yaml_place place_of(const struct reader *r, yaml_mark_t mark)
{
    return (struct cf_yaml_place){.line = r->first_line + mark.line, .column = mark.column + 1};
}

/* ---- errors ---- */

/* For where only the offset is known: libyaml tells no more of bytes that are no text at all. */
static struct cf_yaml_place place_of_offset(const struct reader *r, size_t offset)
{
    struct cf_yaml_place place = {.line = r->first_line, .column = 1};

    for (size_t i = 0; i < offset && i < r->len; i++) {
        place.column += ((unsigned char)r->bytes[i] & 0xC0) != 0x80;
        if (r->bytes[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

/* The usual mistake behind "found character that cannot start any token". */
static bool indented_with_tab(const struct reader *r, size_t line)
{
    const char *end = r->bytes + r->len;
    const char *p = r->bytes;

    for (; line > 0 && p < end; line--) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p == NULL ? end : p + 1;
    }
    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}

static int fail_parse(const struct reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    struct cf_yaml_place place = place_of(r, parser->problem_mark);
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;

    if (parser->error == YAML_MEMORY_ERROR)
        return cf_err_memory(r->err);
    if (parser->error == YAML_READER_ERROR)
        return cf_yaml_fail(r->err, place_of_offset(r, parser->problem_offset), "%s", problem);
    if (indented_with_tab(r, parser->problem_mark.line))
        return cf_yaml_fail(r->err, place, "a tab where only spaces can indent");
    if (parser->context == NULL)
        return cf_yaml_fail(r->err, place, "%s", problem);
    return cf_yaml_fail(r->err, place, "%s (%s, which begins at line %zu)", problem,
                        parser->context, place_of(r, parser->context_mark).line);
}

/* ---- directives ---- */

/* libyaml ends lines at \n, at \r, and at three characters that are not ASCII. */
static bool begins_line(const struct reader *r, const char *at)
{
    return at == r->bytes || at[-1] == '\n' || at[-1] == '\r' || (unsigned char)at[-1] >= 0x80;
}

/* libyaml compares each %TAG directive with all before it, and says nothing until it has read the
 * last: they are counted first. Such a line within a text that begins at the margin counts too. */
static int bound_directives(const struct reader *r)
{
    static const char directive[] = "%TAG";
    const char *end = r->bytes + r->len, *at = r->bytes;
    size_t count = 0;

    while ((at = memmem(at, (size_t)(end - at), directive, strlen(directive))) != NULL) {
        count += begins_line(r, at);
        if (count > CF_TAG_DIRECTIVES_MAX)
            return cf_yaml_fail(r->err, place_of_offset(r, (size_t)(at - r->bytes)),
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

static int on_scalar(struct reader *r, const yaml_event_t *event)
{
    struct cf_yaml_scalar scalar = {
        .text = (const char *)event->data.scalar.value,
        .len = event->data.scalar.length,
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
    };

    return cf_yaml_build_scalar(&r->build, place_of(r, event->start_mark),
                                props(event->data.scalar.anchor, event->data.scalar.tag), scalar);
}

static int on_event(struct reader *r, const yaml_event_t *event)
{
    struct cf_yaml_place at = place_of(r, event->start_mark);

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

static int read_events(struct reader *r)
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
            result = cf_yaml_fail(r->err, place_of(r, event.start_mark),
                                  "a second document begins here");
        else
            result = on_event(r, &event);
        yaml_event_delete(&event);
    }
    return result;
}

static int read_document(struct reader *r)
{
    if (r->len >= 3 && memcmp(r->bytes, "\xEF\xBB\xBF", 3) == 0) {
        r->bytes += 3;
        r->len -= 3;
    }
    if (bound_directives(r) != 0)
        return -1;
    if (!yaml_parser_initialize(&r->parser))
        return cf_err_memory(r->err);
    /* Without this, libyaml would guess UTF-16 from the first bytes. */
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->bytes, r->len);
    int result = read_events(r);
    yaml_parser_delete(&r->parser);
    return result;
}

const struct cf_json *cf_yaml_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    size_t first_line, enum cf_yaml_flags flags, struct cf_err *err)
{
    /* Not in the arena: a file of 100,000 documents would keep 6 KiB of each to its end. */
    struct reader r = {.bytes = bytes, .len = len, .first_line = first_line, .err = err};
    struct cf_arena *before;
    int result;

    cf_yaml_build_init(&r.build, arena, len, flags, err);
    before = cf_json_use(arena);
    result = read_document(&r);
    cf_json_use(before);
    if (result != 0)
        return NULL;
    if (r.build.root == NULL && err != NULL)
        *err = (struct cf_err){.kind = CF_ERR_NONE};
    return r.build.root;
}

const char *cf_libyaml_version(void)
{
    return yaml_get_version_string();
}
