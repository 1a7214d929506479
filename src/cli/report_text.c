/* SPDX-License-Identifier: Apache-2.0 */
/* report_text.c - findings for people. The first line of each begins with FILE:LINE, so that
 * editors can jump to it. */
#include <string.h>

#include "curfew/engine.h"
#include "curfew/json.h"
#include "report.h"
#include "curfew/str.h"

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

void cf_report_count(struct cf_report *report, const struct cf_report_row *row)
{
    report->findings++;
    report->fixable += row->finding->fix != NULL && row->exempt == NULL;
}

/* Names come from the manifest, and a terminal obeys what it is sent. */
static const char *printable(struct cf_arena *arena, const char *text)
{
    return cf_str_or_empty(cf_str_shown(arena, text));
}

static void add_modes(struct cf_buf *out, unsigned modes)
{
    const char *comma = "";

    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((modes & CF_MODE_BIT(mode)) == 0)
            continue;
        cf_buf_addf(out, "%s%s", comma, cf_mode_name((enum cf_mode)mode));
        comma = ", ";
    }
}

static void add_head(struct cf_arena *arena, const struct cf_report_row *row, bool colour,
                     struct cf_buf *out)
{
    bool denies = (row->modes & CF_MODE_BIT(CF_ENFORCE)) != 0;

    cf_buf_addf(out, "%s%s:%zu:%s %s", colour ? BOLD : "", row->file, row->line,
                colour ? PLAIN : "", row->subject);
    if (row->namespace[0] != '\0')
        cf_buf_addf(out, " in namespace \"%s\"", printable(arena, row->namespace));
    cf_buf_addf(out, ": %s%s%s (%s; ", colour ? (denies ? RED : YELLOW) : "",
                row->finding->rule->id, colour ? PLAIN : "", cf_level_name(row->level));
    add_modes(out, row->modes);
    if (row->exempt != NULL)
        cf_buf_addf(out, "; exempt by %s", row->exempt);
    if (row->until != NULL)
        cf_buf_addf(out, " until %s", row->until);
    cf_buf_addf(out, "): %s\n", cf_str_or_empty(row->finding->what));
}

/* The YAML to paste. The writer escapes it; what looks like a token is not printed even there. */
static void add_yaml(struct cf_arena *arena, const struct cf_json *value, struct cf_buf *out)
{
    struct cf_buf yaml;

    cf_buf_init_arena(&yaml, arena, out->max);
    cf_yaml_write(&yaml, value, 4);
    if (!cf_buf_ok(&yaml) || yaml.data == NULL) {
        out->failed |= !cf_buf_ok(&yaml);
        return;
    }
    cf_str_redact(yaml.data);
    cf_buf_adds(out, yaml.data);
}

static void add_replacement(struct cf_arena *arena, const struct cf_fix *fix, struct cf_buf *out)
{
    const char *text = fix != NULL ? fix->replacement : NULL;

    if (text == NULL)
        return;
    cf_buf_addf(out, "  replace %s with:\n", printable(arena, fix->replaces));
    add_yaml(arena, cf_json_parse(arena, text, strlen(text), NULL, NULL, NULL), out);
}

void cf_report_row_text(struct cf_arena *arena, const struct cf_report_row *row, bool colour,
                        struct cf_buf *out)
{
    const struct cf_finding *f = row->finding;

    add_head(arena, row, colour, out);
    if (f->detail != NULL)
        cf_buf_addf(out, "  %s: %s\n", printable(arena, f->path), f->detail);
    else
        cf_buf_addf(out, "  %s\n", printable(arena, f->path));
    cf_buf_addf(out, "  do this: %s\n", f->remedy != NULL ? f->remedy : f->rule->remedy);
    add_replacement(arena, f->fix, out);
    cf_buf_addc(out, '\n');
}

/* ", 2 Secrets unknown": nothing for none. */
static void add_count(struct cf_buf *out, size_t count, const char *one, const char *many)
{
    if (count > 0)
        cf_buf_addf(out, ", %zu %s", count, count == 1 ? one : many);
}

void cf_report_summary_text(const struct cf_report *report, struct cf_buf *out)
{
    cf_buf_addf(out, "%zu %s judged, %zu %s%s", report->judged,
                report->judged == 1 ? "document" : "documents", report->findings,
                report->findings == 1 ? "finding" : "findings", report->left ? " left" : "");
    if (report->fixable > 0)
        cf_buf_addf(out, " (%zu fixable)", report->fixable);
    add_count(out, report->skipped, "skipped", "skipped");
    add_count(out, report->not_judged, "not judged", "not judged");
    add_count(out, report->unknown_secrets, "Secret unknown", "Secrets unknown");
    add_count(out, report->errors, "error", "errors");
    cf_buf_addc(out, '\n');
}
