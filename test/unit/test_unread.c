/* SPDX-License-Identifier: Apache-2.0 */
/* A review whose object can't be read is denied, unless the envelope alone proves that no rule
 * would deny the request. */
#include "reviews.h"

#define AGENT(more)                                                                                \
    "{'username':'system:serviceaccount:base:agent','groups':['system:serviceaccounts'],"          \
    "'extra':{'authentication.kubernetes.io/credential-id':['JTI=1']" more "}}"
#define ON_NODE                                                                                    \
    ",'authentication.kubernetes.io/pod-name':['agent-1'],"                                        \
    "'authentication.kubernetes.io/node-name':['n1']"
#define PLAIN_ACCOUNT                                                                              \
    "{'username':'system:serviceaccount:base:web','groups':['system:serviceaccounts'],"            \
    "'extra':{'authentication.kubernetes.io/credential-id':['JTI=1']" ON_NODE "}}"
#define LEGACY_CALLER(ns)                                                                          \
    "{'username':'system:serviceaccount:" ns ":web','groups':['system:serviceaccounts']}"
#define BOSS "{'username':'boss','groups':['system:authenticated']}"
#define OPS GROUPS("'ops'")

#define TOKEN_REQUEST(ns, account, sub)                                                            \
    .group = "authentication.k8s.io", .kind = "TokenRequest", .resource = "serviceaccounts",       \
    .subresource = sub, .namespace = ns, .name = account
#define TOKEN_FOR(ns, account) TOKEN_REQUEST(ns, account, "token")
#define POD(ns) .kind = "Pod", .resource = "pods", .namespace = ns, .name = "web"
#define ACCOUNT(ns)                                                                                \
    .kind = "ServiceAccount", .resource = "serviceaccounts", .namespace = ns, .name = "agent"
#define CONFIG_MAP(ns) .kind = "ConfigMap", .resource = "configmaps", .namespace = ns, .name = "c"

static const char config[] =
    "exemptions: {namespaces: [kube-system], usernames: [boss], groups: [ops]}\n"
    "exceptions:\n"
    "- {rule: token-lifetime, namespace: base, names: ['*'], until: 2026-12-31, reason: test}";

/* Each review is broken in two ways: its JSON is invalid, or its object is not a JSON object. */
static const char *const faults[] = {"{'metadata':{'name':'web'},'spec':@}", "'none'"};

static struct review with(const struct review *r, size_t fault)
{
    struct review broken = *r;

    broken.object = faults[fault];
    return broken;
}

static int code_of(const struct test_answer *a)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(a->response, "status");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(status, "code");

    return cJSON_IsNumber(code) ? code->valueint : 0;
}

static void is_denied(const struct test_answer *a, const char *why)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(a->response, "status");

    if (a->allowed || a->decision != CF_DENIED || code_of(a) != 400)
        fail_msg("%s: not denied with 400: %s", why, a->text);
    assert_string_equal(test_string(status, "reason"), "BadRequest");
    assert_true(a->holds_secret);
    assert_null(a->annotations);
    assert_null(a->warnings);
}

/* ---- who is denied ---- */

static const struct {
    const char *why;
    struct review review;
} denied[] = {
    {"a pod at baseline", {POD("base"), .whole = true}},
    {"a pod at the defaults", {POD("default"), .whole = true}},
    {"a repair in another mode does not allow it", {POD("mixed"), .whole = true}},
    {"an update", {POD("base"), .operation = "UPDATE", .old_object = "{}", .whole = true}},
    {"by system:masters", {POD("base"), .user = MASTER, .whole = true}},
    {"by a controller", {POD("base"), .user = CONTROLLER, .whole = true}},
    {"by kube-controller-manager",
     {.kind = "Secret",
      .resource = "secrets",
      .namespace = "base",
      .name = "s",
      .operation = "UPDATE",
      .old_object = "{}",
      .user = "{'username':'system:kube-controller-manager'}",
      .whole = true}},
    {"by a kubelet, of its own mirror pod", {POD("base"), .user = NODE1, .whole = true}},
    {"a Secret", {.kind = "Secret", .resource = "secrets", .namespace = "base", .whole = true}},
    {"a ConfigMap", {CONFIG_MAP("base"), .whole = true}},
    {"a driver",
     {.group = "storage.k8s.io",
      .kind = "CSIDriver",
      .resource = "csidrivers",
      .name = "d",
      .whole = true}},
    {"a namespace, by an exempt user",
     {.kind = "Namespace",
      .resource = "namespaces",
      .namespace = "free",
      .name = "free",
      .user = BOSS,
      .whole = true}},
    {"an exempt namespace itself",
     {.kind = "Namespace",
      .resource = "namespaces",
      .namespace = "kube-system",
      .name = "kube-system",
      .user = MASTER,
      .whole = true}},
    /* The annotation is protected at every level and in exempt namespaces. */
    {"an account at privileged", {ACCOUNT("free"), .whole = true}},
    {"an account in an exempt namespace", {ACCOUNT("kube-system"), .whole = true}},
    {"an account at baseline, by guard.groups", {ACCOUNT("base"), .user = MASTER, .whole = true}},
    /* The boundary is neither. */
    {"a restricted account's pod at privileged",
     {POD("free"), .user = AGENT(ON_NODE), .whole = true}},
    {"a restricted account's pod in an exempt namespace",
     {POD("kube-system"), .user = AGENT(ON_NODE), .whole = true}},
    {"a restricted account's ConfigMap elsewhere",
     {CONFIG_MAP("free"), .operation = "UPDATE", .old_object = "{}", .user = AGENT(ON_NODE),
      .whole = true}},
    {"a restricted account without a node", {CONFIG_MAP("free"), .user = AGENT(""), .whole = true}},
    {"a token for a restricted account", {TOKEN_FOR("free", "agent"), .whole = true}},
    {"a token for a restricted account, by a kubelet",
     {TOKEN_FOR("free", "agent"), .user = NODE1, .whole = true}},
    {"a token at baseline, by a kubelet", {TOKEN_FOR("base", "web"), .user = NODE1, .whole = true}},
    /* Only the object could say which account the token is for. */
    {"a token without an account", {TOKEN_FOR("free", NULL), .whole = true}},
    {"a token without an account, by a kubelet",
     {TOKEN_FOR("free", NULL), .user = NODE1, .whole = true}},
    {"a token request without its subresource",
     {TOKEN_REQUEST("free", "agent", NULL), .whole = true}},
    {"a token request whose subresource is broken",
     {TOKEN_REQUEST("free", "agent", "to\xFFken"), .whole = true}},
    /* legacy-token-use applies the level of the caller's namespace, not of the object's. */
    {"a legacy token at privileged", {POD("free"), .user = LEGACY_CALLER("shop"), .whole = true}},
    {"a legacy token and a template",
     {.group = "apps",
      .kind = "Deployment",
      .resource = "deployments",
      .namespace = "free",
      .name = "web",
      .user = LEGACY_CALLER("shop"),
      .whole = true}},
    /* The user or the namespace is unknown. */
    {"groups that are not a list",
     {POD("free"), .user = "{'username':'a','groups':'ops'}", .whole = true}},
    {"a caller that is not an object", {POD("kube-system"), .user = "'boss'", .whole = true}},
    {"an unknown operation", {POD("free"), .operation = "PATCH", .whole = true}},
    {"no resource", {.kind = "Pod", .namespace = "free", .name = "web", .whole = true}},
    {"no kind", {.kind = "", .resource = "pods", .namespace = "free", .user = BOSS, .whole = true}},
};

static void denials(void **state)
{
    (void)state;
    use_config(config);
    cf_store_set_server_version(store, 1, 36);
    for (size_t i = 0; i < 2 * CF_COUNT(denied); i++) {
        struct review r = with(&denied[i / 2].review, i % 2);
        struct test_answer a = validate(review(&r));

        is_denied(&a, denied[i / 2].why);
        a = mutate(review(&r));
        is_denied(&a, denied[i / 2].why);
        a = answer(CF_PHASE_MUTATE_KUBELET, review(&r));
        is_denied(&a, denied[i / 2].why);
    }
}

/* ---- who is never denied ---- */

static const struct {
    const char *why;
    struct review review;
    const char *exempt, *level; /* the annotations; "" for none */
} allowed[] = {
    {"privileged", {POD("free"), .whole = true}, "", "privileged"},
    {"privileged, though it is repaired", {POD("soft"), .whole = true}, "", "privileged"},
    {"privileged, by an account that is not restricted",
     {POD("free"), .user = PLAIN_ACCOUNT, .whole = true},
     "",
     "privileged"},
    {"privileged, by a legacy token of a privileged namespace",
     {POD("free"), .user = LEGACY_CALLER("free"), .whole = true},
     "",
     "privileged"},
    {"an exempt namespace", {POD("kube-system"), .whole = true}, "namespace", "baseline"},
    {"an exempt user", {POD("shop"), .user = BOSS, .whole = true}, "user", ""},
    {"an exempt group", {POD("shop"), .user = OPS, .whole = true}, "group", ""},
    {"an exempt user and an account", {ACCOUNT("shop"), .user = BOSS, .whole = true}, "user", ""},
    {"an exempt user and no operation",
     {POD("shop"), .user = BOSS, .operation = "", .whole = true},
     "user",
     ""},
    {"guard.groups and an account at privileged",
     {ACCOUNT("free"), .user = MASTER, .whole = true},
     "",
     "privileged"},
    {"guard.groups and an account in an exempt namespace",
     {ACCOUNT("kube-system"), .user = MASTER, .whole = true},
     "namespace",
     "baseline"},
    {"a token for an account that is not restricted",
     {TOKEN_FOR("free", "web"), .whole = true},
     "",
     "privileged"},
    {"a legacy token that requests a token for its own account",
     {TOKEN_FOR("free", "web"), .user = LEGACY_CALLER("free"), .whole = true},
     "",
     "privileged"},
};

static void passes(void **state)
{
    (void)state;
    use_config(config);
    cf_store_set_server_version(store, 1, 36);
    for (size_t i = 0; i < 2 * 3 * CF_COUNT(allowed); i++) {
        static const enum cf_phase phases[] = {CF_PHASE_MUTATE, CF_PHASE_VALIDATE,
                                               CF_PHASE_MUTATE_KUBELET};
        struct review r = with(&allowed[i / 6].review, i % 2);
        struct test_answer a = answer(phases[i / 2 % 3], review(&r));

        if (!a.allowed || a.decision != CF_ALLOWED)
            fail_msg("%s: %s", allowed[i / 6].why, a.text);
        assert_string_equal(annotation(&a, "exempt"), allowed[i / 6].exempt);
        assert_string_equal(annotation(&a, "enforce-level"), allowed[i / 6].level);
        assert_true(strlen(annotation(&a, "unread")) > 10);
        assert_null(a.patch);
        assert_null(a.warnings);
        assert_int_equal(code_of(&a), 0);
    }
}

/* No rule decodes these kinds: only the user and the namespace can allow them. */
static void unknown_kinds(void **state)
{
    struct test_answer a;

    (void)state;
    use_config(config);
    a = validate(REVIEW(.kind = "Node", .resource = "nodes", .name = "n", .object = "@"));
    is_denied(&a, "a node at the defaults");
    a = validate(REVIEW(.kind = "PersistentVolumeClaim", .resource = "persistentvolumeclaims",
                        .namespace = "free", .name = "c", .operation = "UPDATE", .object = "@"));
    assert_true(a.allowed);
    a = validate(REVIEW(.kind = "PersistentVolumeClaim", .resource = "persistentvolumeclaims",
                        .namespace = "free", .name = "c", .operation = "UPDATE", .object = "@",
                        .user = AGENT(ON_NODE)));
    is_denied(&a, "a restricted account's claim");
    a = validate(REVIEW(POD("free"), .operation = "DELETE", .object = "null", .old_object = "@",
                        .user = AGENT(ON_NODE)));
    is_denied(&a, "a restricted account deletes a pod");
    a = validate(REVIEW(.kind = "Secret", .resource = "secrets", .namespace = "free",
                        .operation = "DELETE", .old_object = "@", .user = AGENT(ON_NODE)));
    is_denied(&a, "a restricted account deletes a collection");
    use_config("defaults: {enforce: privileged}");
    a = validate(REVIEW(.group = "storage.k8s.io", .kind = "CSIDriver", .resource = "csidrivers",
                        .name = "d", .object = "@"));
    assert_true(a.allowed);
    assert_string_equal(annotation(&a, "enforce-level"), "privileged");
}

static void templates(void **state)
{
    static const char *const kinds[] = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"};

    (void)state;
    for (size_t i = 0; i < 2 * CF_COUNT(kinds); i++) {
        struct review r = {.group = "apps",
                           .kind = kinds[i / 2],
                           .resource = "x",
                           .namespace = "shop",
                           .name = "web"};
        struct test_answer a;

        r = with(&r, i % 2);
        a = validate(review(&r));
        if (!a.allowed || cJSON_GetArraySize(a.warnings) != 1)
            fail_msg("%s: %s", kinds[i / 2], a.text);
        has_part(warning(&a, 0), " \"web\" could not be evaluated: ");
        assert_true(strlen(annotation(&a, "unread")) > 10);
    }
}

/* What it is bound to has to be read: by a type that is wrong elsewhere that is not hidden. */
static void kubelets(void **state)
{
    static const struct {
        const char *object;
        bool allowed;
    } rows[] = {
        {"{'spec':{'boundObjectRef':{'kind':'Pod'},'expirationSeconds':'x'}}", true},
        {"{'spec':{'expirationSeconds':1.5,'boundObjectRef':{'kind':'Pod'}}}", true},
        {"{'spec':{'boundObjectRef':{'kind':'Secret'},'expirationSeconds':'x'}}", false},
        {"{'spec':{'boundObjectRef':{'kind':5},'expirationSeconds':'x'}}", false},
        {"{'spec':{'boundObjectRef':{'kind':'Pod'},'expirationSeconds':@}}", false},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(rows); i++) {
        struct test_answer a =
            validate(REVIEW(TOKEN_FOR("shop", "agent"), .user = NODE1, .object = rows[i].object));

        if (a.allowed != rows[i].allowed)
            fail_msg("%s: %s", rows[i].object, a.text);
        a = validate(REVIEW(TOKEN_FOR("shop", "agent"), .object = rows[i].object));
        is_denied(&a, "the same request, by another user");
    }
}

/* ---- the envelope ---- */

#define HEAD "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{"
#define IN_FREE                                                                                    \
    "'kind':{'group':'','version':'v1','kind':'Pod'},'resource':{'group':'','version':'v1',"       \
    "'resource':'pods'},'name':'web','namespace':'free','operation':'CREATE',"                     \
    "'userInfo':{'username':'alice'}"

/* rc, and what the answer is: "uid" of an answer, or NULL for HTTP 400. */
static const struct {
    const char *text, *uid;
    bool allowed;
} envelopes[] = {
    {"", NULL, false},
    {"{", NULL, false},
    {HEAD, NULL, false},
    {HEAD "'uid':", NULL, false},
    {HEAD "'uid':'u", NULL, false},
    {HEAD "'uid':'u'", "u", false},
    {HEAD "'uid':'u',", "u", false},
    {HEAD "'uid':'u','x':{'uid':'v'},@", "u", false},
    {HEAD "'x':{'uid':'v'},@", NULL, false},
    {HEAD "'x':'\\'uid\\':\\'v\\'',@", NULL, false},
    {HEAD "'uid':null,@", NULL, false},
    {HEAD "'uid':{'a':1},@", NULL, false},
    {HEAD "'uid':'',@", NULL, false},
    {HEAD "'object':@,'uid':'u'}}", NULL, false},
    {HEAD "'object':{'a':1,'a':2},'uid':'u'}}", NULL, false},
    {HEAD "'a':1,'a':2,'uid':'u'}}", NULL, false},
    {HEAD "'uid':'u','uid':'v'}}", "u", false},
    {HEAD "'object':{'a':']}','b':[{}]},'uid':'u','operation':@", "u", false},
    {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1beta1','request':{'uid':'u'@",
     NULL, false},
    {"{'kind':'SubjectAccessReview','request':{'uid':'u'@", NULL, false},
    {"{'request':{'uid':'u'@", "u", false},
    {"{'request':['uid'@", NULL, false},
    {"[{'request':{'uid':'u'@", NULL, false},
    {HEAD "'uid':'u'," IN_FREE ",'object':@", "u", true},
    {HEAD "'uid':'u'," IN_FREE ",'namespace':'base','object':@", "u", false},
    {HEAD "'uid':'u'," IN_FREE ",@", "u", false},
    {HEAD "'uid':'u'," IN_FREE "}},", "u", true},
    /* Cut before the namespace: the defaults are not what holds. */
    {HEAD "'uid':'u','userInfo':{'username':'a'},'operation':'CREATE','kind':{'kind':'Pod'},"
          "'resource':{'resource':'pods'},'object':@",
     "u", false},
    /* A key "namespace" inside another member does not count. */
    {HEAD "'uid':'u','x':{'namespace':'free'},'userInfo':{'username':'a'},'operation':'CREATE',"
          "'kind':{'kind':'Pod'},'resource':{'resource':'pods'},'object':@",
     "u", false},
};

static void before_the_fault(void **state)
{
    struct cf_review_input in = {.phase = CF_PHASE_VALIDATE, .now = NOW};

    (void)state;
    use_config("defaults: {enforce: baseline}");
    in.policy = policy;
    in.store = store;
    for (size_t i = 0; i < CF_COUNT(envelopes); i++) {
        struct test_answer a = test_ask(arena, &in, q(envelopes[i].text));

        if ((a.rc == 0) != (envelopes[i].uid != NULL))
            fail_msg("%s: %d %s", envelopes[i].text, a.rc, a.err.msg);
        if (a.rc != 0) {
            assert_int_equal(a.err.kind, CF_ERR_INPUT);
            assert_int_equal(a.decision, CF_ERROR);
            continue;
        }
        assert_string_equal(test_string(a.response, "uid"), envelopes[i].uid);
        if (a.allowed != envelopes[i].allowed)
            fail_msg("%s: %s", envelopes[i].text, a.text);
    }
}

/* A key that cannot be read may be the key of any member. */
static void broken_keys(void **state)
{
    static const char *const objects[] = {"'none'", "{'a':@}"};
    static const struct {
        const char *key, *user;
        bool allowed;
    } rows[] = {
        {"'x':'base'", "'userInfo':" ALICE, true},
        {"'namespace':'base'", "'userInfo':" ALICE, false},
        {"'namespac\xFF':'base'", "'userInfo':" ALICE, false},
        {"'names\x01pace':'base'", "'userInfo':" ALICE, false},
        {"'n\\u0061mespace':'base'", "'userInfo':" ALICE, false},
        {"'namespace':'free'", "'userInfo':" ALICE, true},
        {"'namespace':'free','n\\u0061mespace':'base'", "'userInfo':" ALICE, false},
        {"'namespace':'free'", "'userInfo':" AGENT(ON_NODE), false},
        {"'namespace':'free'", "'user\xFFnfo':" AGENT(ON_NODE), false},
        {"'namespace':'free'", "'user\\u0049nfo':" AGENT(ON_NODE), false},
    };

    (void)state;
    use_config("defaults: {enforce: privileged}");
    for (size_t i = 0; i < 2 * CF_COUNT(rows); i++) {
        struct cf_buf text;
        struct test_answer a;
        /* Absent is absent only where the end of the request was seen. */
        bool want = rows[i / 2].allowed && (i % 2 == 0 || i / 2 > 0);

        cf_buf_init_arena(&text, arena, CF_FILE_MAX);
        cf_buf_addf(&text,
                    HEAD "'uid':'u','kind':{'kind':'Pod'},'resource':{'resource':'pods'},"
                         "'name':'web',%s,'operation':'CREATE',%s,'object':%s}}",
                    rows[i / 2].key, rows[i / 2].user, objects[i % 2]);
        a = validate(q(cf_buf_str(&text)));
        if (a.rc != 0 || a.allowed != want)
            fail_msg("%s: %s", cf_buf_str(&text), a.rc == 0 ? a.text : a.err.msg);
    }
}

/* ---- what the person sees ---- */

static void messages(void **state)
{
    char name[254];
    struct test_answer a = validate(REVIEW(POD("base"), .object = "{'spec':{'volumes':'x'}}"));

    (void)state;
    assert_string_equal(a.message, "pod \"web\" could not be read: request.object.spec.volumes "
                                   "must be an array, not a string");
    a = validate(REVIEW(.kind = "Pod", .resource = "pods", .namespace = "base", .object = "[]"));
    assert_string_equal(a.message,
                        "pod could not be read: request.object must be an object, not an array");
    a = validate(REVIEW(TOKEN_FOR("base", "web"), .object = "{'spec':{'audiences':[5]}}"));
    assert_string_equal(a.message,
                        "token request for service account \"web\" could not be read: "
                        "request.object.spec.audiences[0] must be a string, not a number");
    a = validate(REVIEW(.kind = "Node", .resource = "nodes", .name = "n", .object = "@"));
    has_part(a.message, "nodes \"n\" could not be read: invalid JSON at byte ");
    /* A long name does not hide the sentence. */
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    a = validate(REVIEW(.kind = "Pod", .resource = "pods", .namespace = "base", .name = name,
                        .object = "{'spec':{'volumes':'x'}}"));
    assert_true(strcspn(a.message, "\n") < 220);
    has_part(a.message, "request.object.spec.volumes must be an array, not a string");
    /* A name is not what the sentence is about, and may hold anything. */
    a = validate(REVIEW(.kind = "Pod", .resource = "pods", .namespace = "base",
                        .name = "a\\nb\\u0007", .object = "@"));
    has_part(a.message, "pod \"a?b?\" could not be read: ");
}

/* The server sends this answer, built in little memory, for a review that is too large. */
static void too_large(void **state)
{
    struct cf_review_input in = {.phase = CF_PHASE_VALIDATE, .now = NOW};
    struct cf_arena *small = cf_arena_new(64 * CF_KIB);
    struct cf_outcome outcome;
    struct cf_buf buf, body;

    (void)state;
    in.policy = policy;
    in.store = store;
    cf_buf_init(&body, CF_FILE_MAX);
    cf_buf_adds(&body, POD_IN("base", "{'x':'"));
    body.len = (size_t)(strstr(body.data, "\"x\":\"") + 5 - body.data);
    for (int i = 0; i < 1 << 20; i++)
        cf_buf_adds(&body, "xxxxxxxx");
    cf_buf_init(&buf, CF_ANSWER_MAX);
    assert_int_equal(cf_review_unread(small, &in, body.data, body.len, 413, "it is too large", &buf,
                                      &outcome, &err),
                     0);
    assert_string_equal(
        cf_buf_str(&buf),
        q("{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','response':{'uid':'u-1',"
          "'allowed':false,'status':{'code':413,'reason':'RequestEntityTooLarge','message':'pod "
          "\\'web\\' could not be read: it is too large'}}}"));
    assert_int_equal(outcome.decision, CF_DENIED);
    assert_string_equal(outcome.unread, "it is too large");
    assert_string_equal(outcome.request->resource, "pods");
    assert_null(outcome.request->object);
    buf.len = 0;
    assert_int_equal(
        cf_review_unread(small, &in, "{}", 2, 413, "it is too large", &buf, &outcome, &err), -1);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_string_equal(err.msg, "it is too large");
    assert_int_equal(buf.len, 0);
    assert_null(outcome.unread);
    cf_buf_free(&buf);
    cf_buf_free(&body);
    cf_arena_free(small);
}

static void out_of_memory(void **state)
{
    const char *text = REVIEW(TOKEN_FOR("free", "web"), .user = PLAIN_ACCOUNT, .object = "@");
    struct cf_review_input in = {.phase = CF_PHASE_VALIDATE, .now = NOW};

    (void)state;
    in.policy = policy;
    in.store = store;
    answers_or_fails(&in, text, validate(text).text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(denials),   TEST(passes),           TEST(unknown_kinds), TEST(templates),
        TEST(kubelets),  TEST(before_the_fault), TEST(broken_keys),   TEST(messages),
        TEST(too_large), TEST(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
