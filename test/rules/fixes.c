/* SPDX-License-Identifier: Apache-2.0 */
/* fixes.c - the `fix` arrays of `curfew review -o json` hold all that `--fix` does: applied in the
 * order in which they stand, they make the same object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/time.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "fixture.h"

unsigned fixes_tried;

/* The object of the review with the patches applied; NULL: one does not apply. */
static const char *patched(struct cf_arena *arena, const char *bytes, const char *const *patches,
                           size_t count)
{
    const struct cf_json *object =
        cf_json_get(cf_json_get(parse_json(arena, bytes), "request"), "object");

    for (size_t i = 0; i < count; i++) {
        const char *why = patch_json(arena, object, patches[i]);

        if (why != NULL) {
            printf("%s\n  %s\n", why, patches[i]);
            return NULL;
        }
    }
    return json_text(arena, object);
}

/* The report that `-o json` prints of it. */
static const struct cf_json *report_of(struct cf_arena *arena,
                                       const struct cf_evaluation *evaluation)
{
    struct cf_report report = {0};
    struct cf_buf buf;
    struct cf_out out;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_out_init(&out, &buf);
    cf_report_json_begin(&out);
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_report_row row = {.file = "",
                                          .kind = "",
                                          .namespace = "",
                                          .name = "",
                                          .subject = "",
                                          .finding = &evaluation->items[i].finding};

        cf_report_count(&report, &row);
        cf_report_json_row(&out, &row);
    }
    cf_report_json_end(&out, &report);
    return cf_json_get(parse_json(arena, cf_buf_str(&buf)), "findings");
}

static void check_level(const struct fixture *fx, const struct cf_policy *policy, const char *bytes,
                        enum cf_level level)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct trial_input in = {policy, fx->store, level};
    struct cf_evaluation evaluation;
    struct cf_request *request;
    struct cf_err err = {0};
    const char *all, *one_by_one, **patches;
    const struct cf_json *v;
    size_t count = 0;

    if (evaluate(arena, &in, bytes, &request, &evaluation, &err) != 0) {
        result(false, fx->path, err.msg);
        goto out;
    }
    all = cf_patch_text(arena, request, &evaluation, &err);
    if (all == NULL)
        goto out;
    patches = cf_arena_array(arena, evaluation.count, sizeof(*patches));
    for (v = cf_json_first(report_of(arena, &evaluation)); v != NULL; v = cf_json_next(v)) {
        if (!cf_json_is_null(cf_json_get(v, "fix")))
            patches[count++] = json_text(arena, cf_json_get(v, "fix"));
    }
    fixes_tried += (unsigned)count;
    one_by_one = patched(arena, bytes, patches, count);
    all = patched(arena, bytes, &all, 1);
    if (all == NULL || !cf_streq(all, one_by_one)) {
        printf("--- all at once\n%s\n+++ one by one\n%s\n", cf_str_or_empty(all),
               cf_str_or_empty(one_by_one));
        result(false, fx->path, "the fixes in JSON make another object");
    }
out:
    cf_arena_free(arena);
}

void check_fixes(const struct fixture *fx, const struct cf_policy *policy, const char *bytes)
{
    check_level(fx, policy, bytes, CF_BASELINE);
    check_level(fx, policy, bytes, CF_RESTRICTED);
}
