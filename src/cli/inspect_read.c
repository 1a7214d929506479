/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_read.c - a file for `curfew inspect`: whole where it may be a document, else piece by
 * piece, so that a log of any size is searched in the memory of a small one. */
#include "curfew/file.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "inspect.h"

struct reader {
    struct cf_finder *f;
    enum cf_inspect_input input;
    const char *name;
    struct cf_buf text; /* what was read, while it may be all */
    bool streams;       /* it is searched on the way */
};

static int search_piece(struct reader *r, const char *bytes, size_t len, struct cf_err *err)
{
    if (cf_token_scan_more(r->f->scanner, bytes, len) != 0 || r->f->run->failed)
        return cf_err_memory(err);
    return 0;
}

/* It is too large for a document: what there is of it is searched as a text, and all that follows.
 */
static int begin_stream(struct reader *r, struct cf_err *err)
{
    int rc;

    if (r->input != CF_INPUT_ANY)
        return cf_err_set(err, "'%s' is larger than %zu MiB", r->name, CF_FILE_MAX / CF_MIB);
    r->streams = true;
    r->f->is_text = true;
    cf_token_scan_begin(r->f->scanner, cf_finder_take, r->f);
    rc = search_piece(r, cf_buf_str(&r->text), r->text.len, err);
    cf_buf_wipe(&r->text);
    cf_buf_free(&r->text);
    return rc;
}

static int take_piece(const char *bytes, size_t len, void *arg, struct cf_err *err)
{
    struct reader *r = arg;

    if (!r->streams && len > r->text.max - r->text.len && begin_stream(r, err) != 0)
        return -1;
    if (r->streams)
        return search_piece(r, bytes, len, err);
    cf_buf_add(&r->text, bytes, len);
    return cf_buf_ok(&r->text) ? 0 : cf_err_memory(err);
}

/* Of a stream that breaks, what came before is told all the same. */
static void read_file(struct reader *r, const char *path)
{
    struct cf_inspect *run = r->f->run;
    struct cf_err err = {0};
    bool whole = cf_file_pieces(path, take_piece, r, &err) == 0;

    if (!whole)
        cf_inspect_print(run, CF_EXIT_FAILED, "curfew inspect: %s", err.msg);
    if (r->streams && cf_token_scan_end(r->f->scanner) != 0)
        run->failed = true;
    if (r->streams && whole && r->f->found == 0)
        cf_finder_report_nothing(r->f);
    if (!r->streams && whole)
        cf_finder_search(r->f, cf_buf_str(&r->text), r->text.len, path, r->input);
}

void cf_inspect_file(struct cf_inspect *run, const char *path, enum cf_inspect_input input)
{
    const char *name = cf_streq(path, "-") ? "standard input" : path;
    struct cf_finder f = {.run = run, .file = cf_inspect_fit(run, name)};
    struct reader r = {.f = &f, .input = input, .name = name};

    cf_buf_init(&r.text, CF_FILE_MAX);
    f.arena = cf_arena_new(CF_RUN_MAX);
    f.scanner = cf_token_scanner_new(CF_SCAN_ANY);
    if (f.file == NULL || f.arena == NULL || f.scanner == NULL)
        run->failed = true;
    else if (input == CF_INPUT_MANIFEST)
        cf_finder_documents(&f, path);
    else
        read_file(&r, path);
    if (f.arena != NULL) {
        run->failed = run->failed || cf_arena_failed(f.arena);
        cf_arena_reset(f.arena, true);
    }
    cf_arena_free(f.arena);
    cf_token_scanner_free(f.scanner);
    cf_buf_wipe(&r.text);
    cf_buf_free(&r.text);
}
