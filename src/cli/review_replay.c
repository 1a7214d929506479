/* SPDX-License-Identifier: Apache-2.0 */
/* review_replay.c - documents of kind AdmissionReview and SubjectAccessReview get the answer that
 * the server would give, so that recorded traffic can be replayed against a policy. */
#include <stdio.h>

#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "review_run.h"

/* The review's bytes: as they stand in the file, or YAML written out as JSON. */
static bool bytes_of(struct cf_arena *arena, const struct cf_manifest_object *item,
                     const char **bytes, size_t *len)
{
    struct cf_buf buf;
    struct cf_out out;

    if (item->doc->is_json && (item->json == NULL || item->json == item->doc->root)) {
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
    cf_run_flush(run, stdout);
    run->status = status > run->status ? status : run->status;
}

/* The server's JSON goes to stdout; what a person wants to know besides, to stderr. */
static void explain(struct cf_run *run, struct cf_arena *arena,
                    const struct cf_manifest_object *item, bool access,
                    const struct cf_outcome *outcome)
{
    if (!access || run->opts->json)
        return;
    cf_run_print(run, CF_EXIT_OK, "%s:%zu: %s", item->doc->file,
                 cf_locate(run->arena, item->doc, item->json, ""),
                 cf_boundary_explain(arena, outcome, run->policy));
}

/* `item->json` is NULL for a review whose JSON is broken. */
static void answer_item(struct cf_run *run, const struct cf_manifest_object *item, bool access)
{
    const struct cf_review_input in = {.phase = access ? CF_PHASE_AUTHORIZE : run->opts->phase,
                                       .policy = run->policy,
                                       .store = run->store,
                                       .now = run->now,
                                       .level = run->opts->level};
    struct cf_outcome outcome = {0};
    struct cf_err err = {0};
    struct cf_buf answer;
    const char *bytes;
    size_t len;
    int rc;

    if (!bytes_of(run->arena, item, &bytes, &len)) {
        cf_run_print(run, CF_EXIT_FAILED, "curfew review: out of memory");
        return;
    }
    cf_buf_init(&answer, CF_ANSWER_MAX);
    rc = access ? cf_authorize_answer(run->arena, &in, bytes, len, &answer, &outcome, &err)
                : cf_review_answer(run->arena, &in, bytes, len, &answer, &outcome, &err);
    if (rc == 0) {
        add_answer(run, &answer, outcome.decision);
        explain(run, run->arena, item, access, &outcome);
    } else if (item->json == NULL) {
        cf_run_print_error(run, item->doc, NULL, &item->doc->err);
    } else {
        cf_run_print_error(run, item->doc, item->json, &err);
    }
    cf_buf_wipe(&answer);
    cf_buf_free(&answer);
    run->answered++;
}

static int answer_object(const struct cf_manifest_object *object, void *arg)
{
    struct cf_run *run = arg;
    bool access;

    if (cf_is_review(object, &access))
        answer_item(run, object, access);
    cf_arena_reset(run->arena, true);
    return 0;
}

static int answer_document(const struct cf_document *doc, void *arg)
{
    struct cf_run *run = arg;
    const struct cf_objects_visit visit = {.arg = run, .object = answer_object};
    const struct cf_manifest_object broken = {.doc = doc, .kind = "AdmissionReview"};
    int rc;

    if (doc->broken_review) {
        answer_item(run, &broken, false);
        cf_arena_reset(run->arena, true);
    }
    rc = cf_document_objects(doc, run->of_doc, run->of_items, &visit);
    cf_arena_reset(run->of_doc, true);
    return rc;
}

static bool worth_answering(const char *kind, void *arg)
{
    (void)arg;
    return cf_streq(kind, "AdmissionReview") || cf_streq(kind, "SubjectAccessReview");
}

int cf_run_replay(struct cf_run *run)
{
    int rc;

    if (!run->has_reviews)
        return 0;
    /* To a server, what its cluster lacks is not there. */
    cf_store_set_absent(run->store, CF_ABSENT_IS_PLAIN);
    rc = cf_run_each(run, answer_document, worth_answering, run);
    cf_store_set_absent(run->store, CF_ABSENT_IS_UNKNOWN);
    return rc;
}
