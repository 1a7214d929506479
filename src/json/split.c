/* SPDX-License-Identifier: Apache-2.0 */
/* split.c - cuts a file at its `---` lines like the reader of kubectl: textually and before
 * parsing, so that one broken document does not hide the others. YAML does not allow these lines
 * inside a document, and JSON none inside a string.
 *
 * It also examines the lines without indentation: nearly every manifest is a block mapping, and one
 * of these lines has its kind. */
#include "split.h"

#include <string.h>
#include <strings.h>

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/str.h"

enum line_type {
    LINE_BLANK,
    LINE_EMPTY, /* a comment, a directive, the end of the document before */
    LINE_CONTENT,
    LINE_SEPARATOR,
};

static bool is_separator(const struct cf_line *line)
{
    const char *at = cf_skip_bom(line->text, line->end);

    if (line->end - at < 3 || memcmp(at, "---", 3) != 0)
        return false;
    /* kubectl takes "---# a comment" for one, too. */
    return line->end - at == 3 || cf_is_blank(at[3]) || at[3] == '#';
}

static enum line_type type_of(const struct cf_line *line)
{
    const char *at = cf_skip_bom(line->text, line->end), *first;

    if (is_separator(line))
        return LINE_SEPARATOR;
    first = cf_skip_blanks(at, line->end);
    if (first == line->end && line->whole)
        return LINE_BLANK;
    if (!line->whole && (first == line->end || *first != '#'))
        return LINE_CONTENT;
    if (*at != '%') {
        if (line->end - at >= 3 && memcmp(at, "...", 3) == 0)
            at += 3;
        at = cf_skip_blanks(at, line->end);
        if (at < line->end && *at != '#')
            return LINE_CONTENT;
    }
    return cf_utf8_old_break(at, (size_t)(line->end - at)) ? LINE_CONTENT : LINE_EMPTY;
}

/* ---- the kind, from the margin ---- */

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
}

/* Whether YAML may read a plain word as something else than a text: null, a boolean, a number. */
static bool may_be_no_text(const char *word)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};

    if (*word == '.' || (*word >= '0' && *word <= '9'))
        return true;
    for (size_t i = 0; i < CF_COUNT(words); i++) {
        if (strcasecmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* `kind: Secret`, `kind: "Secret" # a comment`: into out. False: it may be anything. */
static bool read_kind(const char *at, const char *end, char out[CF_SECTION_KIND_MAX])
{
    char quote = '\0';
    size_t len = 0;

    at = cf_skip_blanks(at, end);
    if (at < end && (*at == '"' || *at == '\''))
        quote = *at++;
    while (at < end && is_key_char(*at) && *at != '-' && len + 1 < CF_SECTION_KIND_MAX)
        out[len++] = *at++;
    out[len] = '\0';
    if (quote != '\0' && (at == end || *at++ != quote))
        return false;
    if (len == 0 || (at < end && !cf_is_blank(*at)) || (quote == '\0' && may_be_no_text(out)))
        return false;
    at = cf_skip_blanks(at, end);
    return at == end || *at == '#';
}

/* A byte order mark counts only at the beginning of a section. */
static void look_at_margin(struct cf_section *section, const struct cf_line *line, size_t number)
{
    bool first = section->content == 0;
    const char *at = number == section->line ? cf_skip_bom(line->text, line->end) : line->text;
    const char *key = at;
    size_t len;

    if (!section->sure || (!first && (*at == ' ' || *at == '-')))
        return;
    if (*at == '-' && (line->end - at == 1 || at[1] == ' '))
        return; /* a sequence has no kind */
    while (at < line->end && is_key_char(*at))
        at++;
    len = (size_t)(at - key);
    section->sure = *key != '-' && *key != '.' && len > 0 && at < line->end && *at == ':' &&
                    (line->end - at == 1 || cf_is_blank(at[1]));
    if (!section->sure)
        return;
    if (len == strlen("kind") && memcmp(key, "kind", len) == 0)
        section->sure =
            line->whole && section->kind[0] == '\0' && read_kind(at + 1, line->end, section->kind);
    section->items |= len == strlen("items") && memcmp(key, "items", len) == 0;
}

/* ---- sections ---- */

/* Content after the dashes of a separator belongs to the section that it begins. The dashes are
 * then kept, so that columns are correct. */
static int take_separator(struct cf_lines *lines, const struct cf_line *line,
                          struct cf_section *out, struct cf_err *err)
{
    const char *dashes = cf_skip_bom(line->text, line->end);
    const char *rest = cf_skip_blanks(dashes + 3, line->end);

    if ((rest == line->end || *rest == '#') &&
        !cf_utf8_old_break(rest, (size_t)(line->end - rest))) {
        if (cf_lines_pass(lines, line, err) != 0)
            return -1;
        cf_lines_mark(lines, 0);
        out->line = lines->line;
        return 0;
    }
    out->content = lines->line;
    out->sure = false;
    cf_lines_mark(lines, (size_t)(dashes - line->text));
    return cf_lines_pass(lines, line, err);
}

/* Up to the next separator. *white becomes false if there is anything but white space. */
static int take_lines(struct cf_lines *lines, struct cf_section *out, bool *white,
                      struct cf_err *err)
{
    struct cf_line line;
    bool after_kind = false;
    int rc;

    while ((rc = cf_lines_look(lines, &line, err)) > 0) {
        /* Of nearly all lines no more needs to be known than that they are indented. */
        bool inner = out->content != 0 && line.text < line.end && *line.text == ' ';
        enum line_type type = inner && !after_kind ? LINE_EMPTY : type_of(&line);

        if (type == LINE_SEPARATOR)
            return 0;
        *white = *white && type == LINE_BLANK;
        if (inner && after_kind && type == LINE_CONTENT)
            out->sure = false; /* the kind continues in this line */
        if (!inner && type == LINE_CONTENT) {
            bool had_kind = out->kind[0] != '\0';

            look_at_margin(out, &line, lines->line);
            after_kind = !had_kind && out->kind[0] != '\0';
            out->content = out->content == 0 ? lines->line : out->content;
        }
        if (cf_lines_pass(lines, &line, err) != 0)
            return -1;
    }
    return rc;
}

/* Of a long comment only the first bytes were looked at. */
static void look_for_old_breaks(struct cf_section *section)
{
    if ((!section->sure && section->content != 0) ||
        !cf_utf8_old_break(section->bytes, (size_t)section->len))
        return;
    section->sure = false;
    section->content = section->content == 0 ? section->line : section->content;
}

static int take_section(struct cf_lines *lines, struct cf_section *out, bool *white,
                        struct cf_err *err)
{
    struct cf_line line;
    int rc;

    *out = (struct cf_section){.line = lines->line, .sure = true};
    cf_lines_mark(lines, 0);
    rc = cf_lines_look(lines, &line, err);
    if (rc <= 0)
        return rc;
    if (is_separator(&line) && take_separator(lines, &line, out, err) != 0)
        return -1;
    *white = out->content == 0;
    if (take_lines(lines, out, white, err) != 0)
        return -1;
    out->offset = lines->mark;
    out->bytes = cf_lines_marked(lines, &out->len);
    if (out->bytes == NULL) {
        out->content = out->content == 0 ? out->line : out->content;
        return 0;
    }
    if (cf_skip_bom(out->bytes, out->bytes + out->len) != out->bytes) {
        out->bytes += 3;
        out->offset += 3;
        out->len -= 3;
    }
    look_for_old_breaks(out);
    return 0;
}

int cf_split_next(struct cf_lines *lines, struct cf_section *out, struct cf_err *err)
{
    bool white = true;

    while (!cf_lines_at_end(lines)) {
        if (take_section(lines, out, &white, err) != 0)
            return -1;
        if (!white)
            return 1;
    }
    return 0;
}

/* ---- Lists ---- */

/* In block YAML all that belongs to an item is indented deeper than
 * its dash; only comments and blank lines may stand anywhere. */

static const char items_key[] = "items:";

/* Blank, or a comment, of which the first bytes are enough to see. */
static bool is_empty(const struct cf_line *line)
{
    const char *at = cf_skip_blanks(line->text, line->end);

    return at == line->end ? line->whole : *at == '#';
}

/* The column of the first character that is not a space. */
static size_t indent_of(const struct cf_line *line)
{
    const char *at = line->text;

    while (at < line->end && *at == ' ')
        at++;
    return (size_t)(at - line->text);
}

static bool has_dash(const struct cf_line *line, size_t column)
{
    const char *at = line->text + column;

    return indent_of(line) == column && at < line->end && *at == '-' &&
           (line->end - at == 1 || cf_is_blank(at[1]));
}

/* `items:` and nothing else but a comment. */
static bool is_items_key(const struct cf_line *line)
{
    const char *rest = line->text + strlen(items_key);

    if (line->end - line->text < (int)strlen(items_key) ||
        memcmp(line->text, items_key, strlen(items_key)) != 0 || !line->whole)
        return false;
    if (rest < line->end && !cf_is_blank(*rest))
        return false;
    rest = cf_skip_blanks(rest, line->end);
    return rest == line->end || *rest == '#';
}

/* Whether the line is one of the items, the first of which has its dash in list->column. */
static bool is_of_items(const struct cf_yaml_list *list, const struct cf_line *line)
{
    return is_empty(line) || indent_of(line) > list->column || has_dash(line, list->column);
}

/* Passes lines while fits() is true. */
static int pass_while(struct cf_yaml_list *list, struct cf_line *line,
                      bool (*fits)(const struct cf_yaml_list *, const struct cf_line *),
                      struct cf_err *err)
{
    int rc;

    while ((rc = cf_lines_look(&list->lines, line, err)) > 0 && fits(list, line)) {
        if (cf_lines_pass(&list->lines, line, err) != 0)
            return -1;
    }
    return rc;
}

static bool is_before_items(const struct cf_yaml_list *list, const struct cf_line *line)
{
    (void)list;
    return !is_items_key(line);
}

static bool is_empty_line(const struct cf_yaml_list *list, const struct cf_line *line)
{
    (void)list;
    return is_empty(line);
}

/* Appends what was passed since the mark, and sets another one. */
static int take_marked(struct cf_yaml_list *list, struct cf_buf *head, struct cf_err *err)
{
    uint64_t len;
    const char *text = cf_lines_marked(&list->lines, &len);

    if (text == NULL || len > head->max - head->len)
        return cf_err_set(err, "is a List whose own members have more than %zu KiB",
                          head->max / CF_KIB);
    cf_buf_add(head, text, (size_t)len);
    cf_lines_mark(&list->lines, 0);
    return cf_buf_ok(head) ? 0 : cf_err_memory(err);
}

/* To the first dash. 0: there is none. */
static int find_items(struct cf_yaml_list *list, struct cf_buf *head, struct cf_err *err)
{
    struct cf_line line;
    int rc = pass_while(list, &line, is_before_items, err);

    if (rc <= 0)
        return rc;
    if (head != NULL && take_marked(list, head, err) != 0)
        return -1;
    list->items.line = list->lines.line;
    if (cf_lines_pass(&list->lines, &line, err) != 0)
        return -1;
    rc = pass_while(list, &line, is_empty_line, err);
    if (rc <= 0)
        return rc;
    list->column = indent_of(&line);
    return has_dash(&line, list->column) ? 1 : 0;
}

int cf_yaml_list_head(struct cf_yaml_list *list, const struct cf_source *source, size_t first_line,
                      struct cf_buf *head, struct cf_err *err)
{
    struct cf_line line;
    int rc;

    cf_lines_open(&list->lines, source, first_line);
    cf_lines_mark(&list->lines, 0);
    rc = find_items(list, head, err);
    if (rc <= 0)
        return rc;
    cf_buf_adds(head, "items: []\n");
    while ((rc = cf_lines_look(&list->lines, &line, err)) > 0 && is_of_items(list, &line)) {
        if (cf_lines_pass(&list->lines, &line, err) != 0)
            return -1;
        cf_lines_mark(&list->lines, 0); /* do not keep it */
    }
    if (rc < 0)
        return -1;
    list->items.lines = list->lines.line - list->items.line - 1;
    cf_lines_mark(&list->lines, 0);
    /* A second `items` is left for the parser to refuse. */
    while ((rc = cf_lines_look(&list->lines, &line, err)) > 0) {
        if (cf_lines_pass(&list->lines, &line, err) != 0)
            return -1;
    }
    return rc < 0 || take_marked(list, head, err) != 0 ? -1 : 1;
}

int cf_yaml_list_open(struct cf_yaml_list *list, const struct cf_source *source, size_t first_line,
                      struct cf_err *err)
{
    cf_lines_open(&list->lines, source, first_line);
    cf_lines_mark(&list->lines, 0);
    list->over = false;
    return find_items(list, NULL, err) > 0 ? 0 : -1;
}

static bool is_of_item(const struct cf_yaml_list *list, const struct cf_line *line)
{
    return is_empty(line) || indent_of(line) > list->column;
}

int cf_yaml_list_next(struct cf_yaml_list *list, const char **text, size_t *len, size_t *line_out,
                      struct cf_err *err)
{
    struct cf_line line;
    uint64_t bytes;
    int rc;

    rc = list->over ? 0 : cf_lines_look(&list->lines, &line, err);
    if (rc <= 0)
        return rc;
    if (!has_dash(&line, list->column)) {
        list->over = true;
        return 0;
    }
    *line_out = list->lines.line;
    cf_lines_mark(&list->lines, 0);
    if (cf_lines_pass(&list->lines, &line, err) != 0 ||
        pass_while(list, &line, is_of_item, err) < 0)
        return -1;
    *text = cf_lines_marked(&list->lines, &bytes);
    *len = (size_t)bytes;
    return 1;
}

void cf_yaml_list_free(struct cf_yaml_list *list)
{
    cf_lines_free(&list->lines);
}
