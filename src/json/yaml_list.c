/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_list.c - see yaml_list.h. In block YAML all that belongs to an item is indented deeper than
 * its dash; only comments and blank lines may stand anywhere. */
#include "yaml_list.h"

#include <string.h>

#include "curfew/limits.h"

static const char key[] = "items:";

/* ---- lines ---- */

/* Blank, or a comment, of which the first bytes are enough to see. */
static bool is_empty(const struct cf_line *line)
{
    const char *at = cf_skip_blanks(line->text, line->end);

    return at == line->end ? line->whole : *at == '#';
}

/* The column of the first character that is no space. */
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
    const char *rest = line->text + strlen(key);

    if (line->end - line->text < (int)strlen(key) || memcmp(line->text, key, strlen(key)) != 0 ||
        !line->whole)
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

/* ---- walking ---- */

/* Looks at the line and passes it, as often as `fits` says so. */
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
static int take(struct cf_yaml_list *list, struct cf_buf *head, struct cf_err *err)
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
    if (head != NULL && take(list, head, err) != 0)
        return -1;
    list->items_line = list->lines.line;
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
        cf_lines_mark(&list->lines, 0); /* nothing of it is kept */
    }
    if (rc < 0)
        return -1;
    list->items_lines = list->lines.line - list->items_line - 1;
    cf_lines_mark(&list->lines, 0);
    /* A second `items` is left for the parser to refuse. */
    while ((rc = cf_lines_look(&list->lines, &line, err)) > 0) {
        if (cf_lines_pass(&list->lines, &line, err) != 0)
            return -1;
    }
    return rc < 0 || take(list, head, err) != 0 ? -1 : 1;
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
