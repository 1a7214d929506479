/* SPDX-License-Identifier: Apache-2.0 */
/* The complete answer: its format in both phases, its decision, and its limits of time and
 * memory. */
#include "curfew/time.h"
#include "reviews.h"

static void is_answer(const struct test_answer *a, const char *wanted)
{
    assert_string_equal(a->text, q(wanted));
}

#define ANSWER(rest)                                                                               \
    "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','response':{'uid':'u-1'," rest   \
    "}}"

/* ---- shape ---- */

static void nothing_to_say(void **state)
{
    struct test_answer a;

    (void)state;
    a = mutate(REVIEW(.kind = "Node", .object = "{}"));
    is_answer(&a, ANSWER("'allowed':true"));
    a = validate(REVIEW(.kind = "Node", .object = "{}"));
    is_answer(&a, ANSWER("'allowed':true"));
    a = mutate(POD_IN("shop", "{}"));
    is_answer(&a, ANSWER("'allowed':true"));
    a = validate(POD_IN("shop", "{}"));
    is_answer(&a, ANSWER("'allowed':true,'auditAnnotations':{'enforce-level':'restricted'}"));
    assert_int_equal(a.decision, CF_ALLOWED);
}

static void a_repair(void **state)
{
    struct test_answer a = mutate(POD_IN("shop", LONG_POD));

    (void)state;
    assert_int_equal(a.decision, CF_FIXED);
    assert_string_equal(test_string(a.response, "patchType"), "JSONPatch");
    assert_int_equal(cJSON_GetArraySize(a.patch), 1);
    assert_int_equal(cJSON_GetArraySize(a.annotations), 1);
    assert_string_equal(annotation(&a, "fixed"), "token-lifetime");
    assert_null(cJSON_GetObjectItemCaseSensitive(a.response, "status"));
}

static void a_denial(void **state)
{
    struct test_answer a = validate(POD_IN("shop", LONG_POD));
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(a.response, "status");

    (void)state;
    assert_int_equal(a.decision, CF_DENIED);
    assert_false(a.allowed);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(status, "code")->valueint, 403);
    assert_string_equal(test_string(status, "reason"), "Forbidden");
    assert_null(a.patch);
    assert_null(cJSON_GetObjectItemCaseSensitive(a.response, "patchType"));
    assert_string_equal(annotation(&a, "enforce-level"), "restricted");
    assert_string_equal(annotation(&a, "findings"),
                        "token-lifetime spec.volumes[0].projected.sources[0].serviceAccountToken."
                        "expirationSeconds");
}

/* A fix is there even where another finding will be denied. */
static void a_repair_of_a_denied_request(void **state)
{
    const char *text = POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT(
                                          "a", "api-token") "," MOUNT("b", "web-token") "]}");
    struct test_answer a = mutate(text);

    (void)state;
    assert_true(a.allowed);
    assert_non_null(a.patch);
    a = validate(text);
    assert_false(a.allowed);
}

/* Everything but what is only warned is in the audit log, in the rules' order. */
static void audit_annotations(void **state)
{
    struct test_answer a =
        validate(POD_IN("default", "{'serviceAccountName':'web','volumes':[" TOKEN(
                                       "a", "3607") "," MOUNT("b", "web-token") "]}"));
    struct cf_buf object;

    (void)state;
    assert_string_equal(annotation(&a, "enforce-level"), "baseline");
    assert_string_equal(annotation(&a, "findings"),
                        "legacy-token-mount spec.volumes[1].secret.secretName, extended-token "
                        "spec.volumes[0].projected.sources[0].serviceAccountToken."
                        "expirationSeconds");
    a = validate(POD_IN("soft", LEGACY_POD)); /* fix alone */
    assert_string_equal(annotation(&a, "findings"), "");
    cf_buf_init_arena(&object, arena, CF_MIB);
    cf_buf_adds(&object, "{'spec':{'volumes':[");
    for (int i = 0; i < 1000; i++)
        cf_buf_addf(&object, "%s{'name':'v%d','secret':{'secretName':'api-token'}}",
                    i > 0 ? "," : "", i);
    cf_buf_adds(&object, "]}}");
    a = validate(REVIEW(.kind = "Pod", .namespace = "shop", .object = cf_buf_str(&object)));
    assert_true(strlen(annotation(&a, "findings")) < 2200);
    has_part(annotation(&a, "findings"), " more");
}

static void exemptions_are_in_the_audit_log(void **state)
{
    const char *text = REVIEW(.operation = "UPDATE", .kind = "ServiceAccount", .namespace = "shop",
                              .name = "agent", .user = MASTER, .object = "{}",
                              .old_object = "{'metadata':{'annotations':{"
                                            "'rbac.kubernetes.io/restricted-by-node':'true'}}}");
    struct test_answer a = validate(text);

    (void)state;
    assert_true(a.allowed);
    assert_string_equal(annotation(&a, "exempt"), "group");
    assert_null(a.warnings);
}

static void never_patched(void **state)
{
    const char *texts[] = {
        REVIEW(.group = "apps", .kind = "Deployment", .namespace = "shop",
               .object = "{'spec':{'template':{'spec':" LEGACY_POD "}}}"),
        REVIEW(.group = "storage.k8s.io", .kind = "CSIDriver",
               .object = "{'spec':{'tokenRequests':[{'expirationSeconds':99999}]}}"),
        REVIEW(.operation = "UPDATE", .kind = "Pod", .namespace = "shop",
               .object = "{'spec':" LEGACY_POD "}", .old_object = "{}"),
        REVIEW(.kind = "Pod", .namespace = "shop", .subresource = "of-tomorrow",
               .object = "{'spec':" LEGACY_POD "}"),
        REVIEW(.operation = "DELETE", .kind = "Pod", .namespace = "shop",
               .old_object = "{'spec':" LEGACY_POD "}"),
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        struct test_answer a = mutate(texts[i]);

        is_answer(&a, ANSWER("'allowed':true"));
    }
}

/* Only the endpoint for kubelets patches a kubelet's own request. */
static void kubelets(void **state)
{
    const char *text = REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                              .namespace = "shop", .name = "web", .user = NODE1,
                              .object = "{'spec':{'expirationSeconds':3607,'boundObjectRef':{"
                                        "'kind':'Pod','name':'x','uid':'y'}}}");
    struct test_answer a;

    (void)state;
    a = mutate(text);
    is_answer(&a, ANSWER("'allowed':true"));
    a = validate(text);
    is_answer(&a, ANSWER("'allowed':true"));
    a = answer(CF_PHASE_MUTATE_KUBELET, text);
    assert_true(a.allowed);
    assert_int_equal(cJSON_GetArraySize(a.patch), 1);
    assert_null(a.warnings);
    assert_string_equal(annotation(&a, "fixed"), "extended-token");
}

static void the_uid_comes_back(void **state)
{
    const char *text = "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                       "\"request\":{\"uid\":\"a\\\"b\\u00e4\",\"kind\":{\"kind\":\"X\"},"
                       "\"operation\":\"CREATE\"}}";
    struct test_answer a = mutate(text);

    (void)state;
    assert_string_equal(test_string(a.response, "uid"), "a\"b\xc3\xa4");
}

static void names_of_things(void **state)
{
    (void)state;
    assert_string_equal(cf_phase_name(CF_PHASE_MUTATE), "mutate");
    assert_string_equal(cf_phase_name(CF_PHASE_VALIDATE), "validate");
    assert_string_equal(cf_phase_name(CF_PHASE_MUTATE_KUBELET), "mutate/kubelet");
    assert_string_equal(cf_decision_name(CF_ALLOWED), "allowed");
    assert_string_equal(cf_decision_name(CF_FIXED), "fixed");
    assert_string_equal(cf_decision_name(CF_DENIED), "denied");
    assert_string_equal(cf_decision_name(CF_ERROR), "error");
}

/* ---- no answer ---- */

static void unreadable_reviews(void **state)
{
#define OLD_REVIEW                                                                                 \
    "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\","                   \
    "\"request\":{\"uid\":\"u\"}}"
    static const char *const texts[] = {"", "garbage", "{}", OLD_REVIEW};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        for (int phase = 0; phase < CF_PHASES; phase++) {
            struct cf_review_input in = {
                .phase = (enum cf_phase)phase, .policy = policy, .store = store, .now = NOW};
            struct cf_outcome outcome;
            struct cf_buf out;

            cf_buf_init_arena(&out, arena, CF_MIB);
            assert_int_equal(
                cf_review_answer(arena, &in, texts[i], strlen(texts[i]), &out, &outcome, &err), -1);
            assert_int_equal(err.kind, CF_ERR_INPUT);
            assert_int_equal(outcome.decision, CF_ERROR);
            assert_null(outcome.request);
            assert_true(outcome.holds_secret); /* Curfew must assume it */
            lacks_part(cf_buf_str(&out), "allowed");
        }
    }
}

static void memory_that_held_a_secret_is_wiped(void **state)
{
    struct test_answer a;

    (void)state;
    a = validate(REVIEW(.kind = "Secret", .namespace = "shop", .object = "{'type':'Opaque'}"));
    assert_true(a.holds_secret);
    a = validate(POD_IN("shop", "{}"));
    assert_false(a.holds_secret);
}

static void out_of_memory(void **state)
{
    const char *text =
        POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT("a", "web-token") "," TOKEN(
                           "b", "9000") "," MOUNT("c", "api-token") "]}");

    (void)state;
    for (int phase = 0; phase < CF_PHASES; phase++) {
        struct cf_review_input in = {
            .phase = (enum cf_phase)phase, .policy = policy, .store = store, .now = NOW};

        answers_or_fails(&in, text, answer(in.phase, text).text);
    }
}

/* ---- hostile sizes ---- */

/* Seconds for both phases; under a sanitizer some ten times slower, quadratic ten thousand. */
#define PATIENCE 30

static void in_time(const char *what, const char *text, bool must_answer)
{
    int64_t began = cf_monotonic_micros();

    for (int phase = 0; phase < 2; phase++) {
        struct cf_review_input in = {
            .phase = (enum cf_phase)phase, .policy = policy, .store = store, .now = NOW};
        struct cf_arena *own = cf_arena_new(CF_ARENA_MAX);
        struct cf_outcome outcome;
        struct cf_buf out;
        int rc;

        cf_buf_init(&out, CF_ANSWER_MAX);
        rc = cf_review_answer(own, &in, text, strlen(text), &out, &outcome, &err);
        if (rc != 0 && (must_answer || err.kind != CF_ERR_SYSTEM))
            fail_msg("%s: %s", what, err.msg);
        cf_buf_free(&out);
        cf_arena_free(own);
    }
    if (cf_monotonic_micros() - began > PATIENCE * 1000000LL)
        fail_msg("%s takes too long", what);
}

/* `before`, then `count` times `each` (its %d is the index), then `after`. */
static const char *object_with(const char *before, const char *each, int count, const char *after)
{
    struct cf_buf buf;
    const char *at = strstr(each, "%d");

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_buf_adds(&buf, before);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            cf_buf_addc(&buf, ',');
        if (at != NULL)
            cf_buf_addf(&buf, "%.*s%d%s", (int)(at - each), each, i, at + 2);
        else
            cf_buf_adds(&buf, each);
    }
    cf_buf_adds(&buf, after);
    assert_true(cf_buf_ok(&buf));
    return cf_buf_str(&buf);
}

static void hostile_pods(void **state)
{
#define WEB "{'spec':{'serviceAccountName':'web',"
    static const struct {
        const char *what, *before, *each, *after;
        int count;
        bool must_answer; /* else it may be more than fits into the memory of a review */
    } cases[] = {
        {"labels", "{'metadata':{'labels':{", "'l%d':'v'", "}},'spec':{}}", 100000, true},
        {"annotations", "{'metadata':{'annotations':{", "'l%d':'v'", "}},'spec':{}}", 100000, true},
        {"owners", "{'metadata':{'ownerReferences':[", "{'kind':'K','name':'n'}", "]}}", 90000,
         true},
        {"volumes", WEB "'volumes':[", "{'name':'v%d','emptyDir':{}}", "]}}", 90000, true},
        {"legacy volumes", WEB "'volumes':[", "{'name':'v%d','secret':{'secretName':'web-token'}}",
         "]}}", 20000, true},
        {"too many legacy volumes", WEB "'volumes':[",
         "{'name':'v%d','secret':{'secretName':'web-token'}}", "]}}", 70000, false},
        {"foreign volumes", WEB "'volumes':[", "{'name':'v%d','secret':{'secretName':'api-token'}}",
         "]}}", 60000, false},
        {"volumes of one name", WEB "'volumes':[",
         "{'name':'v','secret':{'secretName':'api-token'}}", "]}}", 60000, false},
        {"legacy sources", WEB "'volumes':[{'name':'v','projected':{'sources':[",
         "{'secret':{'name':'web-token','items':[{'key':'token','path':'t%d'}]}}", "]}}]}}", 20000,
         true},
        {"whole legacy sources", WEB "'volumes':[{'name':'v','projected':{'sources':[",
         "{'secret':{'name':'web-token'}}", "]}}]}}", 90000, false},
        {"token sources", WEB "'volumes':[{'name':'v','projected':{'sources':[",
         "{'serviceAccountToken':{'path':'t%d','expirationSeconds':3607}}", "]}}]}}", 30000, true},
        {"too many token sources", WEB "'volumes':[{'name':'v','projected':{'sources':[",
         "{'serviceAccountToken':{'path':'t%d','expirationSeconds':9000}}", "]}}]}}", 70000, false},
        {"items", WEB "'volumes':[{'name':'v','secret':{'secretName':'web-token','items':[",
         "{'key':'token','path':'t%d'}", "]}}]}}", 90000, true},
        {"clashing items",
         WEB "'volumes':[{'name':'v','secret':{'secretName':'web-token','items':[",
         "{'key':'token','path':'t'}", "]}}]}}", 90000, true},
        {"mounts", WEB "'volumes':[{'name':'v'}],'containers':[{'volumeMounts':[",
         "{'name':'v%d','subPath':'x'}", "]}]}}", 90000, true},
        {"mounts of one volume", WEB "'volumes':[{'name':'v'}],'containers':[{'volumeMounts':[",
         "{'name':'v','subPath':'x'}", "]}]}}", 90000, true},
        {"containers", WEB "'containers':[", "{'name':'c%d'}", "]}}", 140000, true},
        {"variables", WEB "'containers':[{'name':'c','env':[",
         "{'name':'E%d','valueFrom':{'secretKeyRef':{'name':'web-token'}}}", "]}]}}", 50000, true},
        {"environments", WEB "'containers':[{'name':'c','envFrom':[",
         "{'secretRef':{'name':'web-token'}}", "]}]}}", 90000, false},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const char *object =
            object_with(cases[i].before, cases[i].each, cases[i].count, cases[i].after);

        in_time(cases[i].what,
                REVIEW(.kind = "Pod", .namespace = "shop", .name = "web", .object = object),
                cases[i].must_answer);
        cf_arena_reset(arena, false);
    }
}

/* The same findings in the new and the old object, in another order. */
static void hostile_updates(void **state)
{
#define DEPLOYMENT "{'spec':{'template':{'spec':{'volumes':["
    const char *now = object_with(DEPLOYMENT, "{'name':'v%d','secret':{'secretName':'api-token'}}",
                                  20000, "]}}}}");
    const char *old =
        object_with(DEPLOYMENT "{'name':'x','emptyDir':{}},",
                    "{'name':'v%d','secret':{'secretName':'api-token'}}", 19999, "]}}}}");
    const char *twins =
        object_with(DEPLOYMENT, "{'name':'v','secret':{'secretName':'api-token'}}", 20000, "]}}}}");

    (void)state;
    in_time("an update",
            REVIEW(.operation = "UPDATE", .group = "apps", .kind = "Deployment",
                   .namespace = "shop", .name = "web", .object = now, .old_object = old),
            true);
    in_time("an update of twins",
            REVIEW(.operation = "UPDATE", .group = "apps", .kind = "Deployment",
                   .namespace = "shop", .name = "web", .object = twins, .old_object = twins),
            true);
    in_time("an account",
            REVIEW(.operation = "UPDATE", .kind = "ServiceAccount", .namespace = "shop",
                   .name = "web", .object = "{}",
                   .old_object = object_with("{'secrets':[", "{'name':'web-token'}", 60000, "]}")),
            true);
}

static void hostile_requests(void **state)
{
    (void)state;
    use_config("rules: {token-audience: {allowed: [a, b, c]}}");
    in_time("audiences",
            REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest", .namespace = "shop",
                   .name = "web",
                   .object = object_with("{'spec':{'audiences':[", "'a%d'", 60000, "]}}")),
            true);
    in_time("token requests of a driver",
            REVIEW(.group = "storage.k8s.io", .kind = "CSIDriver", .name = "d",
                   .object =
                       object_with("{'spec':{'tokenRequests':[",
                                   "{'audience':'a%d','expirationSeconds':999999}", 30000, "]}}")),
            true);
    in_time("groups",
            REVIEW(.kind = "Pod", .namespace = "shop", .object = "{'spec':" LEGACY_POD "}",
                   .user = object_with("{'username':'u','groups':[", "'g%d'", 200000, "]}")),
            true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_say),     TEST(a_repair),
        TEST(a_denial),           TEST(a_repair_of_a_denied_request),
        TEST(audit_annotations),  TEST(exemptions_are_in_the_audit_log),
        TEST(never_patched),      TEST(kubelets),
        TEST(the_uid_comes_back), TEST(names_of_things),
        TEST(unreadable_reviews), TEST(memory_that_held_a_secret_is_wiped),
        TEST(out_of_memory),      TEST(hostile_pods),
        TEST(hostile_updates),    TEST(hostile_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
