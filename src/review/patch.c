/* SPDX-License-Identifier: Apache-2.0 */
/* patch.c - all fixes of one object as one JSON Patch (RFC 6902).
 *
 * Never a `test` operation: one that fails is a 500 even under failurePolicy Ignore. Operations
 * come from the highest index down, so that none moves the target of another. */
#include <stdlib.h>
#include <string.h>

#include "curfew/json_out.h"
#include "curfew/limits.h"
#include "curfew/review.h"
#include "curfew/str.h"

struct patch {
    struct cf_out out;
    struct cf_buf buf;
};

static void write_op(struct patch *patch, const struct cf_patch_op *op)
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

static int by_order_descending(const void *a, const void *b)
{
    const struct cf_finding *x = *(const struct cf_finding *const *)a;
    const struct cf_finding *y = *(const struct cf_finding *const *)b;

    if (x->fix->order != y->fix->order)
        return x->fix->order > y->fix->order ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The rules whose fix leaves a mark, comma-joined; NULL: none. */
static const char *marks(struct cf_arena *arena, const struct cf_judgement *judgement)
{
    const struct cf_rule *last = NULL;
    const char *text = NULL;

    for (size_t i = 0; i < judgement->count; i++) {
        const struct cf_verdict *v = &judgement->items[i];

        if ((v->modes & CF_MODE_BIT(CF_FIX)) == 0 || !v->finding.fix->marks ||
            v->finding.rule == last)
            continue;
        last = v->finding.rule;
        text = text == NULL ? last->id : cf_arena_printf(arena, "%s,%s", text, last->id);
    }
    return text;
}

static void write_mark(struct patch *patch, struct cf_arena *arena, const struct cf_object *object,
                       const char *mark)
{
    static const struct cf_patch_op metadata = {"add", "/metadata", "{}"};
    static const struct cf_patch_op annotations = {"add", "/metadata/annotations", "{}"};
    struct cf_patch_op op = {"add", "/metadata/annotations/curfew.dev~1fixed", NULL};

    if (cf_streq(object->fixed_by, mark))
        return;
    op.value = cf_arena_printf(arena, "\"%s\"", mark); /* ids need no escapes */
    if (!object->has_metadata)
        write_op(patch, &metadata);
    if (!object->has_annotations)
        write_op(patch, &annotations);
    write_op(patch, &op);
}

static const struct cf_finding **fixable(struct cf_arena *arena,
                                         const struct cf_judgement *judgement, size_t *count)
{
    const struct cf_finding **list = cf_arena_array(arena, judgement->count + 1, sizeof(*list));

    *count = 0;
    for (size_t i = 0; list != NULL && i < judgement->count; i++) {
        if ((judgement->items[i].modes & CF_MODE_BIT(CF_FIX)) != 0)
            list[(*count)++] = &judgement->items[i].finding;
    }
    if (list != NULL)
        qsort(list, *count, sizeof(*list), by_order_descending);
    return list;
}

const char *cf_patch_text(struct cf_arena *arena, const struct cf_request *request,
                          const struct cf_judgement *judgement, struct cf_err *err)
{
    struct patch patch;
    size_t count;
    const struct cf_finding **list = fixable(arena, judgement, &count);
    const char *mark = request->kind == CF_KIND_POD ? marks(arena, judgement) : NULL;

    if (err != NULL)
        err->kind = CF_ERR_NONE;
    if (list != NULL && count == 0)
        return NULL;
    cf_buf_init_arena(&patch.buf, arena, CF_ANSWER_MAX);
    cf_out_init(&patch.out, &patch.buf);
    cf_out_array(&patch.out, NULL);
    for (size_t i = 0; list != NULL && i < count; i++) {
        for (size_t j = 0; j < list[i]->fix->op_count; j++)
            write_op(&patch, &list[i]->fix->ops[j]);
    }
    if (mark != NULL)
        write_mark(&patch, arena, request->object, mark);
    cf_out_end_array(&patch.out);
    if (!cf_buf_ok(&patch.buf) || cf_arena_failed(arena)) {
        cf_err_memory(err);
        return NULL;
    }
    return cf_buf_str(&patch.buf);
}
