/* SPDX-License-Identifier: Apache-2.0 */
/* report_json.c - findings for programs: one document, whose shape is an interface. */
#include <stdlib.h>
#include <string.h>

#include "curfew/engine.h"
#include "curfew/writer.h"
#include "report.h"
#include "curfew/str.h"

static void add_modes(struct cf_out *out, unsigned modes)
{
    cf_out_array(out, "modes");
    for (int mode = 0; mode < CF_MODES; mode++) {
        if ((modes & CF_MODE_BIT(mode)) != 0)
            cf_out_str(out, NULL, cf_mode_name((enum cf_mode)mode));
    }
    cf_out_end_array(out);
}

static void add_resource(struct cf_out *out, const struct cf_report_row *row)
{
    cf_out_object(out, "resource");
    cf_out_str(out, "kind", row->kind);
    cf_out_str(out, "namespace", row->namespace);
    cf_out_str(out, "name", row->name);
    cf_out_end_object(out);
}

/* A key or a name may be any text, also a token. An escape has three times the bytes at most. */
static void add_shown(struct cf_out *out, const char *key, const char *text)
{
    size_t size = 3 * strlen(text) + 1;
    char *shown = malloc(size);

    if (shown == NULL) {
        out->buf->failed = true;
        return;
    }
    memcpy(shown, text, strlen(text) + 1);
    cf_str_sanitize(shown, size);
    cf_out_str(out, key, shown);
    free(shown);
}

static void add_message(struct cf_out *out, const struct cf_finding *f)
{
    struct cf_buf text;

    cf_buf_init(&text, out->buf->max);
    cf_buf_adds(&text, cf_str_or_empty(f->what));
    if (f->detail != NULL)
        cf_buf_addf(&text, "; %s", f->detail);
    add_shown(out, "message", cf_buf_str(&text));
    out->buf->failed |= !cf_buf_ok(&text);
    cf_buf_free(&text);
}

static void add_fix(struct cf_out *out, const struct cf_fix *fix)
{
    if (fix == NULL) {
        cf_out_null(out, "fix");
        return;
    }
    cf_out_array(out, "fix");
    for (size_t i = 0; i < fix->op_count; i++) {
        cf_out_object(out, NULL);
        cf_out_str(out, "op", fix->ops[i].op);
        cf_out_str(out, "path", fix->ops[i].path);
        if (fix->ops[i].value != NULL)
            cf_out_raw(out, "value", fix->ops[i].value);
        cf_out_end_object(out);
    }
    cf_out_end_array(out);
}

void cf_report_json_row(struct cf_out *out, const struct cf_report_row *row)
{
    cf_out_object(out, NULL);
    cf_out_str(out, "rule", row->finding->rule->id);
    cf_out_str(out, "level", cf_level_name(row->level));
    add_modes(out, row->modes);
    add_resource(out, row);
    add_shown(out, "path", row->finding->path);
    cf_out_raw(out, "value", row->finding->value != NULL ? row->finding->value : "null");
    add_message(out, row->finding);
    add_fix(out, row->finding->fix);
    cf_out_object(out, "source");
    cf_out_str(out, "file", row->file);
    cf_out_int(out, "document", (int64_t)row->document);
    cf_out_int(out, "line", (int64_t)row->line);
    cf_out_end_object(out);
    cf_out_end_object(out);
}

static void add_summary(struct cf_out *out, const struct cf_report *report)
{
    cf_out_object(out, "summary");
    cf_out_int(out, "documents", (int64_t)report->documents);
    cf_out_int(out, "judged", (int64_t)report->judged);
    cf_out_int(out, "skipped", (int64_t)report->skipped);
    cf_out_int(out, "notJudged", (int64_t)report->not_judged);
    cf_out_int(out, "unknownSecrets", (int64_t)report->unknown_secrets);
    cf_out_int(out, "findings", (int64_t)report->findings);
    cf_out_int(out, "fixable", (int64_t)report->fixable);
    cf_out_end_object(out);
}

void cf_report_json_begin(struct cf_out *out)
{
    cf_out_object(out, NULL);
    cf_out_array(out, "findings");
}

void cf_report_json_end(struct cf_out *out, const struct cf_report *report)
{
    cf_out_end_array(out);
    add_summary(out, report);
    cf_out_end_object(out);
    cf_buf_addc(out->buf, '\n');
}
