/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization apart from the boundary: legacy tokens, reviews that can't be read, and queries
 * that can't be answered. */
#include "credentials.h"

/* ---- legacy-token-use ---- */

static bool is_denied(const char *user, const struct question *one)
{
    return strstr(authorize(review_text("v1", user, attributes_of(one))), "\"denied\":true") !=
           NULL;
}

#define DENIED(user, ...) is_denied(user, QUESTION(__VA_ARGS__))
#define WEB_LEGACY USER("shop", "web", "")
#define WEB_UNBOUND USER("shop", "web", ",'extra':{" JTI "}")
#define WEB_OLD_UID USER("shop", "web", ",'extra':{" EXTRA_KEY "credential-id':['X509SHA256=7']}")

static void legacy_tokens(void **state)
{
    (void)state;
    use_config("authorize: {legacyTokenUse: enforce}");
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db")); /* unknown version */
    cf_store_set_server_version(store, 1, 31);
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    cf_store_set_server_version(store, 1, 32);
    assert_true(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    assert_true(DENIED(WEB_OLD_UID, "get", "secrets", "shop", "db"));
    assert_true(DENIED(WEB_LEGACY, "list", "leases", .group = "coordination.k8s.io"));
    assert_true(DENIED(WEB_LEGACY, "create", "serviceaccounts", "shop", "api", "token"));
    assert_true(DENIED(WEB_LEGACY, "create", "serviceaccounts", "other", "web", "token"));
    assert_false(DENIED(WEB_LEGACY, "create", "serviceaccounts", "shop", "web", "token"));
    assert_false(DENIED(WEB_UNBOUND, "get", "secrets", "shop", "db"));
    assert_false(DENIED(WEB, "get", "secrets", "shop", "db"));
    assert_false(DENIED("'alice'", "get", "secrets", "shop", "db"));
    /* The level is that of the caller's namespace. */
    assert_false(DENIED(USER("base", "web", ""), "get", "secrets", "shop", "db"));
    assert_true(DENIED(WEB_LEGACY, "get", "secrets", "base", "db"));
    has_part(authorize(review_text("v1", WEB_LEGACY, attributes_of(QUESTION("list", "services")))),
             "or by impersonation");
}

static void legacy_tokens_are_only_audited(void **state)
{
    (void)state;
    cf_store_set_server_version(store, 1, 36);
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    assert_int_equal(outcome.evaluation->count, 1);
    assert_string_equal(outcome.evaluation->items[0].finding.rule->id, "legacy-token-use");
    assert_int_equal(outcome.evaluation->items[0].modes & CF_MODE_BIT(CF_ENFORCE), 0);
    assert_true((outcome.evaluation->items[0].modes & CF_MODE_BIT(CF_AUDIT)) != 0);
}

static void legacy_tokens_with_an_exception(void **state)
{
    (void)state;
    cf_store_set_server_version(store, 1, 36);
    use_config("authorize: {legacyTokenUse: enforce}\nexceptions:\n- {rule: legacy-token-use, "
               "namespace: shop, serviceAccounts: [web], until: 2026-12-31, reason: moves}");
    assert_false(DENIED(WEB_LEGACY, "get", "secrets", "shop", "db"));
    assert_false(DENIED(WEB_LEGACY, "get", "nodes", .name = "n1"));
    assert_true(DENIED(USER("shop", "api", ""), "get", "secrets", "shop", "db"));
    use_config("authorize: {legacyTokenUse: enforce}\nexemptions: {namespaces: [shop]}");
    assert_false(DENIED(WEB_LEGACY, "get", "nodes", .name = "n1"));
}

/* ---- what can't be answered ---- */

static void refuses(const char *text, const char *message)
{
    struct cf_review_input in = {
        .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    memset(&err, 0, sizeof(err));
    if (cf_authorize_answer(arena, &in, q(text), strlen(text), &buf, &outcome, &err) == 0)
        fail_msg("answered, and not refused with '%s': %s", message, text);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_int_equal(buf.len, 0);
    assert_false(outcome.unsynced);
    if (strstr(err.msg, message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err.msg);
}

#define SAR(rest) "{'apiVersion':'authorization.k8s.io/v1','kind':'SubjectAccessReview'" rest "}"

static void bad_reviews(void **state)
{
    (void)state;
    refuses("", "");
    refuses("[]", "must be an object, not an array");
    refuses("{}", "not a SubjectAccessReview");
    refuses("{'apiVersion':'authorization.k8s.io/v2','kind':'SubjectAccessReview'}",
            "not a SubjectAccessReview of apiVersion authorization.k8s.io/v1 or v1beta1");
    refuses("{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{}}",
            "not a SubjectAccessReview");
    refuses(SAR(), "spec is missing");
    refuses(SAR(",'spec':[]"), "spec must be an object, not an array");
    refuses(SAR(",'spec':{'user':'a'}"), "spec must hold resourceAttributes or");
    refuses(SAR(",'spec':{'user':'a','resourceAttributes':{},'nonResourceAttributes':{}}"),
            "not both");
    refuses(SAR(",'spec':{'user':1,'resourceAttributes':{}}"), "spec.user must be a string");
    refuses(SAR(",'spec':{'groups':'a','resourceAttributes':{}}"), "spec.groups must be an array");
    refuses(SAR(",'spec':{'extra':[],'resourceAttributes':{}}"), "spec.extra must be an object");
    refuses(SAR(",'spec':{'resourceAttributes':{'verb':{}}}"),
            "spec.resourceAttributes.verb must be a string, not an object");
    refuses(SAR(",'spec':{'user':'system:serviceaccount:a:b','resourceAttributes':{'resource':"
                "'pods','fieldSelector':{'requirements':[1]}}}"),
            "spec.resourceAttributes.fieldSelector.requirements[0] must be an object");
    refuses(SAR(",'spec':{'user':'system:serviceaccount:a:b','resourceAttributes':{'resource':"
                "'pods','fieldSelector':{'requirements':[{'values':[1]}]}}}"),
            "requirements[0].values[0] must be a string");
    refuses(SAR(",'spec':{'user':'a','user':'b','resourceAttributes':{}}"), "");
}

static uint32_t dice = 1;

static uint32_t roll(uint32_t below)
{
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 8) % below;
}

/* Any bytes: the answer allows nothing, or there is an error message. */
static void hostile_bytes(void **state)
{
    static const char alphabet[] = "{}[]\":,.\\u0aeinstv-1 \x80\xff\n";
    const char *good =
        review_text("v1", AGENT, attributes_of(QUESTION("list", "pods", "shop", .by_node = "n1")));
    size_t len = strlen(good), answered = 0;
    char *bytes = malloc(len);

    (void)state;
    assert_non_null(bytes);
    for (unsigned i = 0; i < 20000; i++) {
        struct cf_arena *own = cf_arena_new(CF_MIB);
        struct cf_review_input in = {
            .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
        size_t kept = roll(8) == 0 ? roll((uint32_t)len) : len;
        struct cf_buf buf;

        memcpy(bytes, good, len);
        for (unsigned n = roll(3); n > 0; n--)
            bytes[roll((uint32_t)len)] = alphabet[roll(sizeof(alphabet) - 1)];
        assert_non_null(own);
        cf_buf_init_arena(&buf, own, CF_MIB);
        memset(&err, 0, sizeof(err));
        if (cf_authorize_answer(own, &in, bytes, kept, &buf, &outcome, &err) == 0) {
            answered++;
            lacks_part(cf_buf_str(&buf), "\"allowed\":true");
        } else {
            assert_int_equal(err.kind, CF_ERR_INPUT);
            assert_int_equal(buf.len, 0);
        }
        cf_arena_free(own);
    }
    free(bytes);
    assert_true(answered > 1000);
}

/* If memory runs out at any point, there is a system error and no answer. */
static void small_arenas(void **state)
{
    const char *good =
        review_text("v1", AGENT, attributes_of(QUESTION("get", "secrets", "shop", "foreign")));
    bool answered = false;

    (void)state;
    for (size_t size = 0; size < 256 * CF_KIB && !answered; size += 512) {
        struct cf_arena *own = cf_arena_new(size);
        struct cf_review_input in = {
            .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
        struct cf_buf buf;

        if (own == NULL)
            continue;
        cf_buf_init_arena(&buf, own, CF_MIB);
        memset(&err, 0, sizeof(err));
        answered = cf_authorize_answer(own, &in, good, strlen(good), &buf, &outcome, &err) == 0;
        if (answered)
            assert_non_null(strstr(cf_buf_str(&buf), "\"denied\":true"));
        else
            assert_int_equal(err.kind, CF_ERR_SYSTEM);
        cf_arena_free(own);
    }
    assert_true(answered);
}

static int ask_store(const struct cf_store *other, const char *own_user, const char *user,
                     const char *attributes)
{
    struct cf_review_input in = {.phase = CF_PHASE_AUTHORIZE,
                                 .policy = policy,
                                 .store = other,
                                 .now = NOW,
                                 .own_user = own_user};
    const char *text = review_text("v1", user, attributes);
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    memset(&err, 0, sizeof(err));
    return cf_authorize_answer(arena, &in, text, strlen(text), &buf, &outcome, &err);
}

static void until_the_store_is_synced(void **state)
{
    static const enum cf_resource all[] = {CF_NAMESPACES, CF_SECRETS, CF_ACCOUNTS,
                                           CF_PODS,       CF_CLAIMS,  CF_VOLUMES};
    struct cf_store *live = cf_store_new(CF_ABSENT_DEPENDS);
    const char *attributes = attributes_of(QUESTION("get", "nodes", .name = "n2"));
    const char *own = "system:serviceaccount:shop:agent";

    (void)state;
    for (size_t i = 0; i < CF_COUNT(all); i++) {
        assert_int_equal(ask_store(live, NULL, AGENT, attributes), -1);
        assert_true(outcome.unsynced);
        assert_int_equal(err.kind, CF_ERR_SYSTEM);
        cf_store_list_begin(live, all[i]);
        cf_store_list_end(live, all[i]);
        cf_store_refreshed(live, all[i], 1);
        /* A query that needs no store is answered immediately; otherwise Curfew could not fill the
         * store. */
        if (i + 1 < CF_COUNT(all)) {
            assert_int_equal(ask_store(live, own, AGENT, attributes), 0);
            assert_int_equal(ask_store(live, own, "'alice'", attributes), 0);
        }
    }
    assert_int_equal(ask_store(live, NULL, AGENT, attributes), 0);
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    cf_store_free(live);
}

static void curfew_itself(void **state)
{
    const char *attributes = attributes_of(QUESTION("list", "pods"));

    (void)state;
    assert_int_equal(ask_store(store, "system:serviceaccount:shop:agent", AGENT, attributes), 0);
    assert_int_equal(outcome.decision, CF_NO_OPINION);
    assert_int_equal(ask_store(store, "system:serviceaccount:shop:other", AGENT, attributes), 0);
    assert_int_equal(outcome.decision, CF_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDARY_TEST(legacy_tokens),
        BOUNDARY_TEST(legacy_tokens_are_only_audited),
        BOUNDARY_TEST(legacy_tokens_with_an_exception),
        BOUNDARY_TEST(bad_reviews),
        BOUNDARY_TEST(hostile_bytes),
        BOUNDARY_TEST(small_arenas),
        BOUNDARY_TEST(until_the_store_is_synced),
        BOUNDARY_TEST(curfew_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
