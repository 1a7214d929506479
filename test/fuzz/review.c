/* SPDX-License-Identifier: Apache-2.0 */
/* review - AdmissionReviews: evaluated, repaired, and the repaired object evaluated again. A denied
 * review without a complete object must stay denied.
 *
 * The first byte selects the phase (modulo 3) and the configuration, the rest is the review. */
#include "answer.h"
#include "fuzz.h"
#include "leaks.h"

#include "curfew/attr.h"

static const char *const configs[] = {
    "",
    ("rules: {token-lifetime: {restricted: {max: 15m, maxUnbound: 10m}}, "
     "legacy-token-mount: {level: baseline}}\ncontents: true\n"),
    "exemptions: {namespaces: [shop], usernames: [alice]}\nguard: {lowering: true}\n",
    "guard: {groups: []}\nexemptions: {groups: [some], namespaces: [shop]}\n",
};

static struct cf_policy *policies[CF_COUNT(configs)];
static struct cf_store *store;
static struct cf_arena *arena;
static struct fuzz_secrets secrets;

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

static void check_texts(const cJSON *value)
{
    const cJSON *child;

    if (cJSON_IsString(value)) {
        fuzz_must_be_clean(value->valuestring);
        fuzz_must_not_tell(&secrets, value->valuestring);
    }
    cJSON_ArrayForEach(child, value) check_texts(child);
}

static void check_answer(const struct test_answer *a, enum cf_phase phase)
{
    const cJSON *warning;
    size_t total = 0;
    char *first;

    fuzz_must(cf_json_parse(arena, a->text, strlen(a->text), NULL, NULL, NULL) != NULL &&
                  a->response != NULL,
              "the answer is strict JSON with a response", a->text);
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
    fuzz_must_not_tell(&secrets, a->message);
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

/* Cuts the review that was denied, or puts a byte into it that no JSON has; where and which, its
 * own bytes decide. An answer to what cannot be read any more is a denial. */
static void check_broken(const struct cf_review_input *in, const char *review, size_t len)
{
    struct cf_outcome outcome;
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_buf answer;
    uint32_t hash = 2166136261;
    char *broken = malloc(len);
    size_t at;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)review[i]) * 16777619;
    at = hash / 4 % len;
    memcpy(broken, review, len);
    if (hash % 4 != 0)
        broken[at] = "\xFF\x01["[hash % 4 - 1];
    cf_buf_init_arena(&answer, arena, CF_ANSWER_MAX);
    if (cf_review_answer(arena, in, broken, hash % 4 != 0 ? len : at, &answer, &outcome, &err) != 0)
        fuzz_must(err.kind == CF_ERR_INPUT, "what gets no answer is at fault itself", err.msg);
    else if (outcome.unread != NULL && outcome.decision != CF_DENIED) {
        fprintf(stderr, "at byte %zu, in way %u\n", at, hash % 4);
        fuzz_must(false, "what was denied is allowed once it is broken", review);
    }
    free(broken);
}

static void run(const uint8_t *data, size_t size)
{
    static const enum cf_phase phases[] = {CF_PHASE_MUTATE, CF_PHASE_VALIDATE,
                                           CF_PHASE_MUTATE_KUBELET};
    struct cf_review_input in = {.phase = phases[data[0] % 3],
                                 .policy = policies[data[0] / 3 % CF_COUNT(configs)],
                                 .store = store,
                                 .now = NOW};
    char *review = malloc(size); /* without a NUL: a sanitizer detects reads past the end */
    struct test_answer a;

    memcpy(review, data + 1, size - 1);
    review[size - 1] = '\0';
    fuzz_secrets_of(&secrets, review, size - 1);
    a = test_ask(arena, &in, review);
    if (a.rc != 0) {
        fuzz_must(a.err.kind == CF_ERR_INPUT, "what gets no answer is at fault itself", a.err.msg);
        fuzz_must_be_clean(a.err.msg);
        fuzz_must_not_tell(&secrets, a.err.msg);
    } else {
        check_answer(&a, in.phase);
        fuzz_must(a.decision == CF_DENIED || a.allowed, "the answer is the outcome", a.text);
        if (a.patch != NULL)
            check_patch(&a, &in, review);
        if (a.decision == CF_DENIED && in.phase == CF_PHASE_VALIDATE && !a.unread)
            check_broken(&in, review, strlen(review));
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
