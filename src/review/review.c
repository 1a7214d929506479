/* SPDX-License-Identifier: Apache-2.0 */
/* review.c - the way of a review, from its bytes to the answer. Start reading here.
 *
 *   bytes -> decode -> request --+--------------+----------+----------+
 *                                v              v          v          v
 *                     store -> look up ---> evaluate --> exempt --> answer -> bytes
 *                              (lookups)    (findings)  (verdicts)
 *
 * Each step is a function that reads what the steps before it made, and changes none of it: the
 * request is const after decoding, the lookups are copies that hold no lock, and rules are pure. */
#include "curfew/str.h"
#include "review_private.h"

const char *cf_phase_name(enum cf_phase phase)
{
    static const char *const names[CF_PHASES] = {
        [CF_PHASE_MUTATE] = "mutate",
        [CF_PHASE_VALIDATE] = "validate",
        [CF_PHASE_MUTATE_KUBELET] = "mutate/kubelet",
        [CF_PHASE_AUTHORIZE] = "authorize",
    };

    return names[phase];
}

const char *cf_decision_name(enum cf_decision decision)
{
    static const char *const names[CF_DECISIONS] = {
        [CF_ALLOWED] = "allowed", [CF_FIXED] = "fixed",           [CF_DENIED] = "denied",
        [CF_ERROR] = "error",     [CF_NO_OPINION] = "no-opinion",
    };

    return names[decision];
}

/* Which modes count in a phase: /mutate repairs, /validate denies, warns and audits. */
static struct cf_engine_input engine_input(const struct cf_review_input *in)
{
    bool validate = in->phase == CF_PHASE_VALIDATE;

    return (struct cf_engine_input){
        .policy = in->policy,
        .store = in->store,
        .now = in->now,
        .modes = validate ? CF_ALL_MODES : CF_MODE_BIT(CF_FIX),
        .kubelets = in->phase == CF_PHASE_MUTATE_KUBELET,
        .own_namespace = in->own_namespace,
        .level = in->level,
    };
}

/* Whether a rule found something as secret as the content of a Secret: the bytes hold it, too. */
static bool found_secret(const struct cf_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        if ((evaluation->items[i].finding.rule->traits & CF_RULE_FINDS_SECRETS) != 0)
            return true;
    }
    return false;
}

int cf_review_answer(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                     size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                     struct cf_err *err)
{
    const struct cf_engine_input engine = engine_input(in);
    struct cf_evaluation *evaluation = cf_arena_alloc(arena, sizeof(*evaluation));
    struct cf_lookups *lookups = cf_arena_alloc(arena, sizeof(*lookups));
    struct cf_request *request;

    *outcome = (struct cf_outcome){.decision = CF_ERROR, .holds_secret = true};
    if (evaluation == NULL || lookups == NULL)
        return cf_err_memory(err);

    if (cf_review_decode(arena, bytes, len, &request, err) != 0)
        return cf_answer_undecoded(arena, in, bytes, len, answer, outcome, err);
    outcome->request = request;
    outcome->holds_secret = request->holds_secret;

    cf_engine_lookup(arena, &engine, request, lookups);
    outcome->lookups = lookups;

    if (cf_engine_evaluate(arena, &engine, request, lookups, evaluation, err) != 0)
        return -1;

    if (cf_engine_exempt(arena, &engine, request, evaluation, err) != 0)
        return -1;
    outcome->evaluation = evaluation;
    outcome->holds_secret |= found_secret(evaluation);

    return cf_answer(arena, in, len, answer, outcome, err);
}

int cf_engine_run(struct cf_arena *arena, const struct cf_engine_input *in,
                  const struct cf_request *request, struct cf_evaluation *out, struct cf_err *err)
{
    struct cf_lookups *lookups = cf_arena_alloc(arena, sizeof(*lookups));

    if (lookups == NULL)
        return cf_err_memory(err);
    cf_engine_lookup(arena, in, request, lookups);
    if (cf_engine_evaluate(arena, in, request, lookups, out, err) != 0)
        return -1;
    return cf_engine_exempt(arena, in, request, out, err);
}
