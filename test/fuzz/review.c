/* SPDX-License-Identifier: Apache-2.0 */
/* review - AdmissionReviews: judged, repaired, and the repaired object judged once more.
 *
 * The first byte chooses the phase and the configuration, the rest is the review. */
#include "../answer.h"
#include "fuzz.h"

#include "curfew/attr.h"

static const char *const configs[] = {
    "",
    "rules: {token-lifetime: {restricted: {max: 15m, maxUnbound: 10m}}, "
    "legacy-token-mount: {level: baseline}}\ncontents: true\n",
    "exemptions: {namespaces: [shop], usernames: [alice]}\nguard: {lowering: true}\n",
};

static struct cf_policy *policies[CF_COUNT(configs)];
static struct cf_store *store;
static struct cf_arena *arena;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char text[512];
    struct cf_err err;

    (void)argc, (void)argv;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    store = fuzz_store(arena);
    for (size_t i = 0; i < CF_COUNT(configs); i++) {
        snprintf(text, sizeof(text),
                 "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n%s", configs[i]);
        policies[i] = cf_policy_parse(text, strlen(text), "config", cf_rule_ids(), cf_rule_count,
                                      FUZZ_NOW, &err);
        fuzz_must(policies[i] != NULL, "the configuration is good", err.msg);
    }
    return 0;
}

static void check_texts(const cJSON *value)
{
    const cJSON *child;

    if (cJSON_IsString(value))
        fuzz_must_be_clean(value->valuestring);
    cJSON_ArrayForEach(child, value) check_texts(child);
}

static void check_answer(const struct test_answer *a, enum cf_phase phase)
{
    const cJSON *warning;
    size_t total = 0;
    char *first;

    fuzz_must(a->response != NULL, "the answer is JSON with a response", a->text);
    fuzz_must(*test_string(a->response, "uid") != '\0', "the answer has a uid", a->text);
    fuzz_must(cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(a->response, "allowed")),
              "the answer has a verdict", a->text);
    fuzz_must(phase != CF_PHASE_VALIDATE || a->patch == NULL, "/validate patches nothing", a->text);
    fuzz_must(cf_utf8_count(a->message) <= CF_DENIAL_MAX + 4, "the message is not too long",
              a->message);
    first = strndup(a->message, strcspn(a->message, "\n"));
    fuzz_must(cf_utf8_count(first) <= CF_FIRST_LINE_MAX, "its first line is not too long", first);
    free(first);
    fuzz_must_be_clean(a->message);
    check_texts(a->warnings);
    check_texts(a->annotations);
    cJSON_ArrayForEach(warning, a->warnings)
    {
        size_t count = cf_utf8_count(cJSON_GetStringValue(warning));

        total += count;
        fuzz_must(count <= CF_WARNING_MAX, "a warning is not too long", a->text);
    }
    fuzz_must(total <= CF_WARNINGS_TOTAL_MAX, "the warnings are not too long", a->text);
}

/* The patch applies to the object that was sent, and the next call has nothing to repair. */
static void check_patch(const struct test_answer *a, const struct cf_review_input *in,
                        const char *review)
{
    cJSON *root = cJSON_Parse(review), *request, *object, *patched;
    struct test_answer again;

    request = cJSON_GetObjectItemCaseSensitive(root, "request");
    object = cJSON_GetObjectItemCaseSensitive(request, "object");
    if (root == NULL)
        return; /* what no rule reads is passed over, and may be what cJSON does not take */
    fuzz_must(object != NULL, "what is patched has an object", review);
    patched = test_patched(object, a->patch);
    fuzz_must(patched != NULL, "the patch applies", a->text);
    fuzz_must(cJSON_ReplaceItemInObjectCaseSensitive(request, "object", patched), "replaced", NULL);
    again = test_ask(arena, in, cJSON_PrintUnformatted(root));
    fuzz_must(again.rc == 0, "the repaired object is answered", again.err.msg);
    check_answer(&again, in->phase);
    fuzz_must(again.patch == NULL, "a second repair has nothing to do", again.text);
}

static void run(const uint8_t *data, size_t size)
{
    static const enum cf_phase phases[] = {CF_PHASE_MUTATE, CF_PHASE_VALIDATE,
                                           CF_PHASE_MUTATE_KUBELET};
    struct cf_review_input in = {.phase = phases[data[0] % 3],
                                 .policy = policies[data[0] / 3 % CF_COUNT(configs)],
                                 .store = store,
                                 .now = FUZZ_NOW};
    char *review = malloc(size); /* the byte behind it belongs to nobody */
    struct test_answer a;

    memcpy(review, data + 1, size - 1);
    review[size - 1] = '\0';
    a = test_ask(arena, &in, review);
    if (a.rc != 0) {
        fuzz_must(a.err.kind == CF_ERR_INPUT, "what gets no answer is at fault itself", a.err.msg);
        fuzz_must_be_clean(a.err.msg);
    } else {
        check_answer(&a, in.phase);
        if (a.patch != NULL)
            check_patch(&a, &in, review);
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
