/* SPDX-License-Identifier: Apache-2.0 */
/* authorize - SubjectAccessReviews, of v1 and v1beta1: read, and answered with denied or no
 * opinion. The first byte selects the configuration, the rest is the review. */
#include "answer.h"
#include "fuzz.h"

#include "curfew/attr.h"

static const char *const configs[] = {
    "",
    "authorize: {legacyTokenUse: enforce}\n",
};

static struct cf_policy *policies[CF_COUNT(configs)];
static struct cf_store *store;
static struct cf_arena *arena;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    store = store_of("test/recorded/objects.yaml");
    for (size_t i = 0; i < CF_COUNT(configs); i++)
        policies[i] = policy_of(configs[i]);
    return 0;
}

static void check_answer(const char *text, const struct cf_outcome *outcome)
{
    cJSON *root = cJSON_Parse(text);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(root, "status");
    bool denied = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "denied"));

    fuzz_must(cJSON_IsObject(status), "the answer is JSON with a status", text);
    fuzz_must(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(status, "allowed")),
              "nothing is ever allowed", text);
    fuzz_must(denied == (outcome->decision == CF_DENIED), "the outcome is that of the answer",
              text);
    fuzz_must(!denied || *test_string(status, "reason") != '\0', "a denial has its reason", text);
    fuzz_must_be_clean(test_string(status, "reason"));
}

static void run(const uint8_t *data, size_t size)
{
    struct cf_review_input in = {.phase = CF_PHASE_AUTHORIZE,
                                 .policy = policies[data[0] % CF_COUNT(configs)],
                                 .store = store,
                                 .now = NOW,
                                 .own_user = "system:serviceaccount:curfew-system:curfew",
                                 .own_namespace = "curfew-system"};
    struct cf_outcome outcome;
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_buf answer;
    char *review = malloc(size - 1); /* no byte after it */

    memcpy(review, data + 1, size - 1);
    cf_buf_init_arena(&answer, arena, CF_ANSWER_MAX);
    if (cf_authorize_answer(arena, &in, review, size - 1, &answer, &outcome, &err) == 0) {
        (void)cf_json_use(arena);
        check_answer(cf_buf_str(&answer), &outcome);
        if (outcome.request != NULL)
            fuzz_must_be_clean(cf_str_or_empty(cf_boundary_explain(arena, &outcome, in.policy)));
    } else {
        fuzz_must(err.kind == CF_ERR_INPUT, "what gets no answer is at fault itself", err.msg);
        fuzz_must_be_clean(err.msg);
    }
    free(review);
    cf_arena_reset(arena, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1)
        fuzz_timed(run, data, size);
    return 0;
}
