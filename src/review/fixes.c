/* SPDX-License-Identifier: Apache-2.0 */
/* fixes.c - all fixes of one object as one JSON Patch (RFC 6902).
 *
 * Never a `test` operation: one that fails is a 500 even under failurePolicy Ignore. The patch is
 * the fixes one after the other, in the findings' order; a program that takes them from `-o json`
 * does the same. Where a fix replaces one source by several, the sources after it move: later
 * fixes are adjusted before they are used. */
#include <string.h>

#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/review.h"
#include "curfew/str.h"
#include "review_private.h"

/* ---- fixes that account for those before them ---- */

/* How far those that were applied before move a source: at most CF_FINDINGS_MAX of a rule. */
static size_t shift_of(const struct cf_fix *const *before, size_t count, const struct cf_fix *fix)
{
    size_t shift = 0;

    for (size_t i = 0; i < count; i++) {
        if (before[i]->source->up == fix->source->up &&
            before[i]->source->index < fix->source->index)
            shift += before[i]->inserts;
    }
    return shift;
}

/* "/spec/volumes/0/projected/sources/1/secret" of the list at "/spec/.../sources" becomes
 * ".../sources/3/secret"; what is not in the list stays. NULL when out of memory. */
static const char *moved_path(struct cf_arena *arena, const char *list, const char *path,
                              size_t shift)
{
    size_t len = strlen(list), index = 0;

    if (!cf_starts_with(path, list) || path[len] != '/')
        return path;
    for (path += len + 1; *path >= '0' && *path <= '9'; path++)
        index = 10 * index + (size_t)(*path - '0');
    return cf_arena_printf(arena, "%s/%zu%s", list, index + shift, path);
}

static const struct cf_fix *move_fix(struct cf_arena *arena, const struct cf_fix *fix, size_t shift)
{
    struct cf_fix *copy = cf_arena_alloc(arena, sizeof(*copy));
    const char *list = cf_path_pointer(arena, fix->source->up);

    if (copy == NULL || list == NULL)
        return NULL;
    *copy = *fix;
    copy->ops = cf_arena_array(arena, fix->op_count, sizeof(*copy->ops));
    if (copy->ops == NULL)
        return NULL;
    for (size_t i = 0; i < fix->op_count; i++) {
        copy->ops[i] = fix->ops[i];
        copy->ops[i].path = moved_path(arena, list, cf_str_or_empty(fix->ops[i].path), shift);
    }
    return copy;
}

int cf_fixes_settle(struct cf_arena *arena, struct cf_evaluation *evaluation)
{
    const struct cf_fix **inserting = NULL;
    size_t count = 0;

    for (size_t i = 0; i < evaluation->count; i++) {
        struct cf_verdict *v = &evaluation->items[i];
        const struct cf_fix *fix = v->exempt == CF_EXEMPT_NO ? v->finding.fix : NULL;
        size_t shift;

        if (fix == NULL || fix->source == NULL)
            continue;
        shift = shift_of(inserting, count, fix);
        if (shift > 0 && (v->finding.fix = move_fix(arena, fix, shift)) == NULL)
            return -1;
        if (fix->inserts == 0)
            continue;
        if (inserting == NULL)
            inserting = cf_arena_array(arena, evaluation->count, sizeof(*inserting));
        if (inserting == NULL)
            return -1;
        inserting[count++] = fix;
    }
    return 0;
}

/* ---- the patch ---- */

struct patch {
    struct cf_out out;
    struct cf_buf buf;
};

static void write_patch_op(struct patch *patch, const struct cf_patch_op *op)
{
    if (op->path == NULL || (op->value == NULL && !cf_streq(op->op, "remove"))) {
        patch->buf.failed = true;
        return;
    }
    cf_out_object(&patch->out, NULL);
    cf_out_str(&patch->out, "op", op->op);
    cf_out_str(&patch->out, "path", op->path);
    if (op->value != NULL)
        cf_out_raw(&patch->out, "value", op->value);
    cf_out_end_object(&patch->out);
}

const char *cf_patch_text(struct cf_arena *arena, const struct cf_request *request,
                          const struct cf_evaluation *evaluation, struct cf_err *err)
{
    struct patch patch;
    size_t count = 0;

    if (err != NULL)
        err->kind = CF_ERR_NONE;
    if (request->object == NULL) /* a patch of a DELETE is a 500, too */
        return NULL;
    cf_buf_init_arena(&patch.buf, arena, CF_ANSWER_MAX);
    cf_out_init(&patch.out, &patch.buf);
    cf_out_array(&patch.out, NULL);
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_verdict *v = &evaluation->items[i];

        if ((v->modes & CF_MODE_BIT(CF_FIX)) == 0)
            continue;
        count++;
        for (size_t j = 0; j < v->finding.fix->op_count; j++)
            write_patch_op(&patch, &v->finding.fix->ops[j]);
    }
    if (count == 0)
        return NULL;
    cf_out_end_array(&patch.out);
    if (!cf_buf_ok(&patch.buf) || cf_arena_failed(arena)) {
        cf_err_memory(err);
        return NULL;
    }
    return cf_buf_str(&patch.buf);
}
