/* SPDX-License-Identifier: Apache-2.0 */
/* review_replay.c - documents of kind AdmissionReview and SubjectAccessReview get the answer that
 * the server would give, so that recorded traffic can be replayed against a policy. */
#include "curfew/json_out.h"
#include "curfew/limits.h"
#include "review_run.h"

/* The review's bytes: as they stand in the file, or YAML written out as JSON. */
static bool bytes_of(struct cf_arena *arena, const struct cf_review_item *item, const char **bytes,
                     size_t *len)
{
    struct cf_buf buf;
    struct cf_out out;

    if (item->doc->is_json && item->json == item->doc->root) {
        *bytes = item->doc->bytes;
        *len = item->doc->len;
        return true;
    }
    cf_buf_init_arena(&buf, arena, CF_ARENA_MAX);
    cf_out_init(&out, &buf);
    cf_out_value(&out, NULL, item->json);
    *bytes = cf_buf_take(&buf, len);
    return *bytes != NULL;
}

static void add_answer(struct cf_run *run, const struct cf_buf *answer, enum cf_decision decision)
{
    int status = decision == CF_DENIED ? CF_EXIT_FINDINGS : CF_EXIT_OK;

    cf_buf_add(&run->out, cf_buf_str(answer), answer->len);
    if (answer->len == 0 || answer->data[answer->len - 1] != '\n')
        cf_buf_addc(&run->out, '\n');
    run->status = status > run->status ? status : run->status;
}

/* The server's JSON goes to stdout; what a person wants to know besides, to stderr. */
static void explain(struct cf_run *run, struct cf_arena *arena, const struct cf_review_item *item,
                    const struct cf_outcome *outcome)
{
    if (!item->is_access || run->opts->json)
        return;
    cf_run_say(run, CF_EXIT_OK, "%s:%zu: %s", item->doc->file,
               cf_locate(run->arena, item->doc, item->json, ""),
               cf_boundary_explain(arena, outcome, run->policy));
}

static void answer_item(struct cf_run *run, const struct cf_store *store,
                        const struct cf_review_item *item)
{
    const struct cf_review_input in = {.phase =
                                           item->is_access ? CF_PHASE_AUTHORIZE : run->opts->phase,
                                       .policy = run->policy,
                                       .store = store,
                                       .now = run->now,
                                       .level = run->opts->level};
    CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_outcome outcome = {0};
    struct cf_err err = {0};
    struct cf_buf answer;
    const char *bytes;
    size_t len;
    int rc;

    if (arena == NULL || !bytes_of(arena, item, &bytes, &len)) {
        cf_run_say(run, CF_EXIT_FAILED, "curfew review: out of memory");
        return;
    }
    cf_buf_init(&answer, CF_ANSWER_MAX);
    rc = item->is_access ? cf_authorize_answer(arena, &in, bytes, len, &answer, &outcome, &err)
                         : cf_review_answer(arena, &in, bytes, len, &answer, &outcome, &err);
    if (rc == 0) {
        add_answer(run, &answer, outcome.decision);
        explain(run, arena, item, &outcome);
    } else {
        if (item->json == NULL)
            cf_run_say(run, CF_EXIT_FAILED, "%s", item->doc->err.msg);
        else
            cf_run_say_error(run, item->doc, item->json, &err);
        run->errors++;
    }
    cf_buf_free(&answer);
}

size_t cf_run_replay(struct cf_run *run)
{
    struct cf_store *store = NULL;
    size_t count = 0;

    for (size_t i = 0; i < run->items.count; i++) {
        if (!run->items.items[i].is_review)
            continue;
        if (store == NULL)
            store = cf_run_server_store(run);
        if (store == NULL) {
            cf_run_say(run, CF_EXIT_FAILED, "curfew review: out of memory");
            return count;
        }
        answer_item(run, store, &run->items.items[i]);
        count++;
    }
    cf_store_free(store);
    return count;
}
