/* SPDX-License-Identifier: Apache-2.0 */
/* All fixes of one object as one JSON Patch. */
#include "reviews.h"

/* The patch of a review in all modes, as text; NULL when there is none. */
static const char *patch_of(const char *text)
{
    struct cf_engine_input in = {
        .policy = policy, .store = store, .now = NOW, .modes = CF_ALL_MODES};
    struct cf_request *request = decode(text);
    struct cf_evaluation evaluation;
    const char *patch;

    assert_int_equal(cf_engine_run(arena, &in, request, &evaluation, &err), 0);
    err = (struct cf_err){.kind = CF_ERR_INPUT};
    patch = cf_patch_text(arena, request, &evaluation, &err);
    assert_int_equal(err.kind, CF_ERR_NONE);
    return patch;
}

static void is_patch(const char *text, const char *wanted)
{
    const char *patch = patch_of(text);

    assert_non_null(patch);
    assert_string_equal(patch, q(wanted));
}

#define AT(i) "'/spec/volumes/" #i "/projected/sources/0/serviceAccountToken/expirationSeconds'"
#define MARK                                                                                       \
    "{'op':'add','path':'/metadata/annotations/curfew.dev~1fixed','value':'legacy-token-mount'}]"
#define PROJECTED                                                                                  \
    "{'name':'tok','projected':{'sources':[{'serviceAccountToken':{'expirationSeconds':3600,"      \
    "'path':'token'}},{'configMap':{'name':'kube-root-ca.crt','items':[{'key':'ca.crt','path':"    \
    "'ca.crt'}]}},{'downwardAPI':{'items':[{'path':'namespace','fieldRef':{'apiVersion':'v1',"     \
    "'fieldPath':'metadata.namespace'}}]}}]}}"

static void nothing_to_fix(void **state)
{
    (void)state;
    assert_null(patch_of(POD_IN("shop", "{}")));
    assert_null(patch_of(POD_IN("shop", "{'volumes':[" MOUNT("a", "api-token") "]}")));
    assert_null(patch_of(POD_IN("free", LEGACY_POD)));
    assert_null(patch_of(POD_IN("quiet", LEGACY_POD)));
    assert_null(patch_of(POD_IN("mixed", LEGACY_POD)));
    assert_null(patch_of(REVIEW(.kind = "Namespace", .object = "{}")));
    assert_null(patch_of(REVIEW(.kind = "Secret", .namespace = "shop",
                                .object = "{'type':'kubernetes.io/service-account-token'}")));
}

/* The API server sends a spec always; without one the patch would not apply. */
static void a_request_without_a_spec(void **state)
{
    static const char *const objects[] = {"{}", "{'spec':null}"};

    (void)state;
    use_config("rules: {token-lifetime: {restricted: {maxUnbound: 15m}}}");
    for (size_t i = 0; i < CF_COUNT(objects); i++) {
        const char *text = REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                                  .namespace = "shop", .name = "web", .object = objects[i]);
        struct test_answer a;

        is_patch(text, "[{'op':'add','path':'/spec','value':{}},"
                       "{'op':'add','path':'/spec/expirationSeconds','value':900}]");
        a = mutate(text);
        assert_non_null(test_patched(cJSON_Parse(q(objects[i])), a.patch));
    }
    use_config("");
}

static void a_clamp(void **state)
{
    (void)state;
    is_patch(POD_IN("shop", LONG_POD), "[{'op':'replace','path':" AT(0) ",'value':3600}]");
    is_patch(POD_IN("base", LONG_POD), "[{'op':'replace','path':" AT(0) ",'value':86400}]");
    is_patch(POD_IN("mixed", LONG_POD), "[{'op':'replace','path':" AT(0) ",'value':86400}]");
    use_config("rules: {token-lifetime: {restricted: {max: 15m}}}");
    is_patch(POD_IN("shop", "{'volumes':[{'projected':{'sources':[{'serviceAccountToken':{}}]}}]}"),
             "[{'op':'add','path':" AT(0) ",'value':900}]");
    is_patch(POD_IN("shop", "{'volumes':[" TOKEN("a", "null") "]}"),
             "[{'op':'add','path':" AT(0) ",'value':900}]");
}

static void a_conversion(void **state)
{
    (void)state;
    is_patch(POD_IN("shop", LEGACY_POD),
             "[{'op':'replace','path':'/spec/volumes/0','value':" PROJECTED "},"
             "{'op':'add','path':'/metadata/annotations','value':{}}," MARK);
}

/* From the highest place down, so that none moves another's. */
static void the_order_of_operations(void **state)
{
    const char *patch = patch_of(POD_IN(
        "shop",
        "{'serviceAccountName':'web','volumes':[" TOKEN(
            "a",
            "3607") ",{'name':'p',"
                    "'projected':{'sources':[{'secret':{'name':'web-token','items':[{'key':"
                    "'token','path':'t'},{'key':'ca.crt','path':'c'}]}},{'serviceAccountToken':"
                    "{'path':'x','expirationSeconds':9000}}]}}," TOKEN("b", "9000") "]}"));
    static const char *const wanted[] = {
        "\"/spec/volumes/1/projected/sources/1/", "\"/spec/volumes/2/projected/sources/0/",
        "\"replace\",\"path\":\"/spec/volumes/1/projected/sources/0\"",
        "\"add\",\"path\":\"/spec/volumes/1/projected/sources/1\"",
        "\"/spec/volumes/0/projected/sources/0/"};

    (void)state;
    assert_non_null(patch);
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        has_part(patch, wanted[i]);
        patch = strstr(patch, wanted[i]) + 1;
    }
}

/* A converted source becomes three: those after it move, also by those of the same volume that
 * were converted before; other volumes' do not, nor those in front. */
static void what_moves(void **state)
{
#define SOURCE(secret, at)                                                                         \
    "{'secret':{'name':'" secret "','items':[{'key':'token','path':'" at "/t'},{'key':'ca.crt',"   \
    "'path':'" at "/c'},{'key':'namespace','path':'" at "/n'}]}}"
#define YEAR(at) "{'serviceAccountToken':{'path':'" at "','expirationSeconds':3607}}"
#define PLACE(volume, source)                                                                      \
    "\"/spec/volumes/" #volume "/projected/sources/" #source "/serviceAccountToken/"
    const char *patch = patch_of(POD_IN(
        "shop", "{'serviceAccountName':'web','volumes':[{'name':'p','projected':{'sources':"
                "[" YEAR("y0") "," SOURCE("web-token", "a") "," YEAR("y2") "," SOURCE(
                    "web-token", "b") "," YEAR("y4") "]}},{'name':'q','projected':{'sources':"
                                                     "[" YEAR("z0") "," YEAR("z1") "]}}]}"));
    static const char *const wanted[] = {
        "\"replace\",\"path\":\"/spec/volumes/0/projected/sources/1\"",
        "\"add\",\"path\":\"/spec/volumes/0/projected/sources/2\"",
        "\"add\",\"path\":\"/spec/volumes/0/projected/sources/3\"",
        "\"replace\",\"path\":\"/spec/volumes/0/projected/sources/5\"",
        "\"add\",\"path\":\"/spec/volumes/0/projected/sources/6\"",
        "\"add\",\"path\":\"/spec/volumes/0/projected/sources/7\"",
        PLACE(0, 0),
        PLACE(0, 4),
        PLACE(0, 8),
        PLACE(1, 0),
        PLACE(1, 1)};

    (void)state;
    assert_non_null(patch);
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        has_part(patch, wanted[i]);
        patch = strstr(patch, wanted[i]) + 1;
    }
}

static void the_annotation(void **state)
{
#define WITH(metadata)                                                                             \
    REVIEW(.kind = "Pod", .namespace = "shop", .object = "{" metadata "'spec':" LEGACY_POD "}")
#define TO_MARK "[{'op':'replace','path':'/spec/volumes/0','value':" PROJECTED "}"
    (void)state;
    is_patch(WITH(""), TO_MARK ",{'op':'add','path':'/metadata','value':{}},{'op':'add','path':"
                               "'/metadata/annotations','value':{}}," MARK);
    is_patch(WITH("'metadata':null,"),
             TO_MARK ",{'op':'add','path':'/metadata','value':{}},{'op':'add','path':"
                     "'/metadata/annotations','value':{}}," MARK);
    is_patch(WITH("'metadata':{'annotations':null},"),
             TO_MARK ",{'op':'add','path':'/metadata/annotations','value':{}}," MARK);
    is_patch(WITH("'metadata':{'annotations':{}},"), TO_MARK "," MARK);
    is_patch(WITH("'metadata':{'annotations':{'a':'b','curfew.dev/fixed':'no'}},"),
             TO_MARK "," MARK);
    is_patch(WITH("'metadata':{'annotations':{'curfew.dev/fixed':'legacy-token-mount'}},"),
             TO_MARK "]");
}

/* Only pods get the annotation: on a template it would start a rollout. */
static void of_other_kinds(void **state)
{
    (void)state;
    is_patch(
        REVIEW(.group = "batch", .kind = "CronJob", .namespace = "shop",
               .object = "{'spec':{'jobTemplate':{'spec':{'template':{'spec':" LEGACY_POD "}}}}}"),
        "[{'op':'replace','path':'/spec/jobTemplate/spec/template/spec/volumes/"
        "0','value':" PROJECTED "}]");
    is_patch(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest", .namespace = "shop",
                    .name = "web", .object = "{'spec':{'expirationSeconds':9000}}"),
             "[{'op':'replace','path':'/spec/expirationSeconds','value':3600}]");
    is_patch(REVIEW(.group = "storage.k8s.io", .kind = "CSIDriver", .name = "d",
                    .object = "{'spec':{'tokenRequests':[{'expirationSeconds':90000},{"
                              "'expirationSeconds':1}]}}"),
             "[{'op':'replace','path':'/spec/tokenRequests/0/expirationSeconds','value':86400},"
             "{'op':'replace','path':'/spec/tokenRequests/1/expirationSeconds','value':600}]");
}

/* Strings of the object are escaped. */
static void hostile_paths(void **state)
{
    const char *patch = patch_of(
        POD_IN("shop", "{'serviceAccountName':'web','volumes':[{'name':'a\\\"b','secret':{"
                       "'secretName':'web-token','items':[{'key':'token','path':'p\\n\\\"},"
                       "{\\\\u0041'}]}}]}"));
    struct test_answer a;

    (void)state;
    assert_non_null(patch);
    (void)cf_json_use(arena);
    assert_non_null(cJSON_Parse(patch));
    assert_int_equal(cJSON_GetArraySize(cJSON_Parse(patch)), 3);
    has_part(patch, "\"path\":\"p\\n\\\"},{\\\\u0041\"");
    a = mutate(POD_IN("shop", LEGACY_POD));
    assert_int_equal(cJSON_GetArraySize(a.patch), 3);
}

static void never_a_test_operation(void **state)
{
    const char *patch = patch_of(
        POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT(
                           "tok", "web-token") "," TOKEN("a", "3607") "," TOKEN("b", "1") "]}"));
    const cJSON *operation;

    (void)state;
    (void)cf_json_use(arena);
    cJSON_ArrayForEach(operation, cJSON_Parse(patch))
    {
        const char *op = test_string(operation, "op");

        assert_true(cf_streq(op, "add") || cf_streq(op, "replace") || cf_streq(op, "remove"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_fix),         TEST(a_request_without_a_spec), TEST(a_clamp),
        TEST(a_conversion),           TEST(the_order_of_operations),  TEST(what_moves),
        TEST(the_annotation),         TEST(of_other_kinds),           TEST(hostile_paths),
        TEST(never_a_test_operation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
