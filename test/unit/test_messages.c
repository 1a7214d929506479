/* SPDX-License-Identifier: Apache-2.0 */
/* The message of a denial: a complete first line, then each finding, then its repair; within its
 * limits for all names. */
#include "../src/review/review_private.h"
#include "curfew/time.h"
#include "reviews.h"

static const char *denial(const char *text)
{
    struct test_answer a = validate(text);

    assert_false(a.allowed);
    assert_int_equal(a.decision, CF_DENIED);
    assert_true(cf_utf8_count(a.message) > 40);
    return a.message;
}

static const char *first_line(const char *text)
{
    const char *message = denial(text);

    return cf_arena_strndup(arena, message, strcspn(message, "\n"));
}

static size_t lines_with(const char *message, const char *part)
{
    size_t n = 0;

    for (const char *at = message; (at = strstr(at, part)) != NULL; at += strlen(part))
        n++;
    return n;
}

/* ---- one line ---- */

static void lines(void **state)
{
    (void)state;
    assert_string_equal(cf_line(arena, 20, "short %s", "one"), "short one");
    assert_string_equal(cf_line(arena, 10, "%s", "0123456789"), "0123456789");
    assert_string_equal(cf_line(arena, 10, "%s", "0123456789a"), "0123456...");
    assert_string_equal(cf_line(arena, 40, "\"%s\" and more", "0123456789012345678901234567890"),
                        "\"012345678901234567890...\" and more");
    assert_string_equal(cf_line(arena, 30, "%s", "a\nb\tc\x7f"), "a?b?c?");
    assert_string_equal(cf_line(arena, 30, "%s", "an \"open quote"), "an \"open quote");
    assert_string_equal(cf_line(arena, 12, "%s", "\xc3\xa4\xc3\xb6\xc3\xbc 0123456789"),
                        "\xc3\xa4\xc3\xb6\xc3\xbc 01234...");
}

/* ---- the words ---- */

/* Without them a manifest alone would give no finding. */
#define LEGACY_SECRETS                                                                             \
    "kubectl get secrets -n shop --field-selector type=kubernetes.io/service-account-token -o "    \
    "yaml | "

static void the_whole_of_it(void **state)
{
    (void)state;
    assert_string_equal(
        denial(POD_IN("shop",
                      "{'serviceAccountName':'web','volumes':[" MOUNT("tok", "api-token") "]}")),
        "pod \"web\" violates Curfew level \"restricted\": legacy-token-mount: volume \"tok\" "
        "mounts Secret \"api-token\", a token that never expires\n"
        "  spec.volumes[0].secret.secretName: Secret \"api-token\" belongs to ServiceAccount "
        "\"api\", but the pod runs as \"web\"\n"
        "  do this: set serviceAccountName: api, or give \"web\" the permissions it needs, and "
        "remove the volume\n"
        "  check:   " LEGACY_SECRETS
        "curfew review --level restricted --objects - -f FILE (FILE is "
        "the manifest of \"web\")");
}

static void the_yaml_to_paste(void **state)
{
    const char *message = denial(POD_IN("shop", LEGACY_POD));

    (void)state;
    has_part(message, "\n  replace spec.volumes[0] with:\n"
                      "    - name: tok\n"
                      "      projected:\n"
                      "        sources:\n"
                      "        - serviceAccountToken:\n"
                      "            expirationSeconds: 3600\n"
                      "            path: token\n");
    has_part(message, "\n  repair:  " LEGACY_SECRETS
                      "curfew review --level restricted --fix --objects - -f FILE");
    assert_true(strlen(message) <= 2048);
    assert_true(message[strlen(message) - 1] != '\n');
}

static void levels_are_named(void **state)
{
    (void)state;
    has_part(first_line(POD_IN("base", LONG_POD)), "violates Curfew level \"baseline\": ");
    has_part(first_line(POD_IN("mixed", LONG_POD)), "violates Curfew level \"restricted\": ");
    has_part(first_line(REVIEW(.operation = "UPDATE", .kind = "ServiceAccount", .namespace = "free",
                               .name = "agent", .object = "{}",
                               .old_object = "{'metadata':{'annotations':{"
                                             "'rbac.kubernetes.io/restricted-by-node':'true'}}}")),
             "serviceaccount \"agent\" violates Curfew: restricted-by-node-annotation: ");
}

/* The same for every replica: no generated names. */
static void replicas(void **state)
{
    static const char object[] =
        "{'metadata':{'generateName':'web-7f9-','name':'web-7f9-%s','labels':{'pod-template-hash':"
        "'7f9'},'ownerReferences':[{'kind':'ReplicaSet','name':'web-7f9','controller':true}]},"
        "'spec':{'volumes':[{'name':'l','projected':{'sources':[{'serviceAccountToken':{"
        "'expirationSeconds':99999}}]}}]}}";
    const char *one = denial(REVIEW(.kind = "Pod", .namespace = "shop", .name = "web-7f9-aaaaa",
                                    .object = cf_arena_printf(arena, object, "aaaaa")));
    const char *two = denial(REVIEW(.kind = "Pod", .namespace = "shop", .name = "web-7f9-bbbbb",
                                    .object = cf_arena_printf(arena, object, "bbbbb")));

    (void)state;
    assert_string_equal(one, two);
    assert_true(cf_starts_with(one, "pod of \"web\" violates "));
    has_part(one, "\n  check:   curfew review --level restricted -f FILE (FILE is the manifest of "
                  "\"web\")\n");
}

static void no_name_at_all(void **state)
{
    (void)state;
    has_part(denial(REVIEW(.kind = "Pod", .namespace = "shop", .object = "{'spec':" LONG_POD "}")),
             " -f FILE (FILE is the manifest)");
}

static void several_findings(void **state)
{
    const char *message = denial(
        POD_IN("shop", "{'serviceAccountName':'web','volumes':[" MOUNT("a", "api-token") "," MOUNT(
                           "b", "web-token") "," TOKEN("c", "7200") "," TOKEN("d", "7200") "]}"));

    (void)state;
    assert_true(cf_starts_with(message, "pod \"web\" violates Curfew level \"restricted\": "
                                        "token-lifetime: volume \"c\" requests a token of 7200 s, "
                                        "above the 3600 s allowed (and 3 more)\n"));
    has_part(message, "\n  spec.volumes[2].projected.");
    has_part(message, "\n  spec.volumes[3].projected.");
    has_part(message, "\n  spec.volumes[0].secret.");
    has_part(message, "\n  spec.volumes[1].secret.");
    /* the same advice once */
    assert_int_equal(lines_with(message, "do this: set expirationSeconds: 3600"), 1);
    assert_int_equal(lines_with(message, "\n  do this: "), 3);
}

/* What is only warned or never denied is not in it. */
static void what_does_not_count(void **state)
{
    const char *message =
        denial(POD_IN("shop", "{'volumes':[" TOKEN("a", "3607") "," TOKEN("b", "7200") "]}"));

    (void)state;
    lacks_part(message, "extended-token");
    lacks_part(message, "more)");
}

static void what_is_in_no_file(void **state)
{
    const char *message = denial(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                                        .namespace = "shop", .name = "web", .object = "{}"));

    (void)state;
    lacks_part(message, "curfew review");
    message = denial(REVIEW(.operation = "UPDATE", .kind = "Pod", .namespace = "shop",
                            .subresource = "ephemeralcontainers", .name = "web",
                            .object = "{'spec':{'ephemeralContainers':[{'name':'debug','envFrom':[{"
                                      "'secretRef':{'name':'web-token'}}]}]}}",
                            .old_object = "{}"));
    lacks_part(message, "curfew review");
    has_part(message, "container \"debug\" reads Secret \"web-token\"");
}

/* If a lookup fails, the message does not mention the manifest: the user must try again later. */
static void failed_lookups(void **state)
{
    struct cf_store *known = store;
    const char *message;

    (void)state;
    use_config("defaults: {enforce: restricted}");
    store = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    message = denial(POD_IN("shop", LEGACY_POD));
    assert_string_equal(
        message,
        "pod \"web\" violates Curfew level \"restricted\": legacy-token-mount: volume \"tok\" "
        "mounts Secret \"web-token\", which Curfew can't look up now\n"
        "  spec.volumes[0].secret.secretName: Curfew has not listed the cluster's legacy Secrets "
        "yet; what it can't look up is denied at level \"restricted\" (lookupFailure)\n"
        "  do this: try again in a few seconds; if the problem persists, see Curfew's log");
    cf_store_free(store);
    store = cf_store_new(CF_ABSENT_DEPENDS);
    cf_store_expect(store, CF_SECRETS, false);
    message = denial(POD_IN("shop", LEGACY_POD));
    has_part(message, "Secret \"web-token\", which Curfew can't look up\n");
    has_part(message, ": Curfew runs without a list of the cluster's legacy Secrets; what it ");
    has_part(message,
             "do this: ask the Curfew administrator to list them, or to set lookupFailure: allow");
    cf_store_free(store);
    store = known;
}

/* Synced once, and then silent for too long. */
static void what_is_stale(void **state)
{
    struct cf_store *known = store;
    int64_t now = cf_monotonic_micros();
    const char *message;

    (void)state;
    use_config("defaults: {enforce: restricted}\nstaleAfter: 40s");
    store = cf_store_new(CF_ABSENT_DEPENDS);
    cf_store_list_begin(store, CF_SECRETS);
    cf_store_list_end(store, CF_SECRETS);
    cf_store_refreshed(store, CF_SECRETS, now - 45 * (int64_t)1000000);
    message = denial(POD_IN("shop", LEGACY_POD));
    has_part(message, ": Curfew's list of the cluster's legacy Secrets is ");
    has_part(message, " s old; what it can't look up is denied");
    cf_store_refreshed(store, CF_SECRETS, cf_monotonic_micros());
    assert_true(validate(POD_IN("shop", LEGACY_POD)).allowed);
    cf_store_free(store);
    store = known;
}

/* ---- its limits ---- */

static const char *repeated(char c, size_t count)
{
    char *text = cf_arena_alloc(arena, count + 1);

    memset(text, c, count);
    return text;
}

/* Names as long as the API allows: the rule and the sentence stay. */
static void long_names(void **state)
{
    const char *name = repeated('n', 253), *volume = repeated('v', 63), *line;

    (void)state;
    add_objects(store, cf_arena_printf(arena, legacy_secret, repeated('s', 247), "shop", "web"));
    line = first_line(REVIEW(.kind = "Pod", .namespace = "shop", .name = name,
                             .object = cf_arena_printf(
                                 arena,
                                 "{'metadata':{'name':'%s'},'spec':{'volumes':[{'name':'%s',"
                                 "'secret':{'secretName':'%s-token'}},{'name':'%s','secret':{"
                                 "'secretName':'web-token'}}]}}",
                                 name, volume, repeated('s', 247), volume)));
    assert_true(cf_utf8_count(line) <= 219);
    has_part(line, "nnn...\" violates Curfew level \"restricted\": legacy-token-mount: volume \"v");
    assert_true(cf_ends_with(line, "a token that never expires (and 1 more)"));
}

static void many_findings(void **state)
{
    struct cf_buf spec;
    const char *message;

    (void)state;
    cf_buf_init_arena(&spec, arena, CF_MIB);
    cf_buf_adds(&spec, "{'spec':{'volumes':[");
    for (int i = 0; i < 1000; i++)
        cf_buf_addf(&spec, "%s{'name':'v%d','secret':{'secretName':'api-token'}}", i > 0 ? "," : "",
                    i);
    cf_buf_adds(&spec, "]}}");
    message = denial(
        REVIEW(.kind = "Pod", .namespace = "shop", .name = "web", .object = cf_buf_str(&spec)));
    has_part(message, "(and 999 more)\n");
    has_part(message, "\n  and 990 more\n");
    assert_int_equal(lines_with(message, "\n  spec.volumes["), 10);
    assert_true(strlen(message) < 4096);
}

/* A text as long as a request is cut on every line. */
static void endless_texts(void **state)
{
    const char *endless = repeated('a', 1000000), *message;

    (void)state;
    use_config("rules: {token-audience: {allowed: []}}");
    message = denial(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                            .namespace = "shop", .name = "web",
                            .object = cf_arena_printf(
                                arena,
                                "{'spec':{'boundObjectRef':{'kind':'Pod'},'audiences':['%s',"
                                "'%s']}}",
                                endless, endless)));
    assert_true(strlen(message) < 4096);
    assert_true(strcspn(message, "\n") <= 219);
    has_part(message, "token-audience: it requests audience \"aaa");
    has_part(message, "which is not allowed (and 1 more)\n");
}

/* The YAML goes before the message grows too long. */
static void yaml_that_does_not_fit(void **state)
{
    struct cf_buf object;
    const char *message;

    (void)state;
    cf_buf_init_arena(&object, arena, CF_MIB);
    cf_buf_adds(&object, "{'spec':{'serviceAccountName':'web','volumes':[{'name':'t','secret':{"
                         "'secretName':'web-token','items':[{'key':'token','path':'token'}");
    for (int i = 0; i < 15; i++)
        cf_buf_addf(&object,
                    ",{'key':'ca.crt','path':'some/path/that/is/longer/than/anybody/would/like/to/"
                    "read/of/the/certificate/authority/with/the/number/%d'}",
                    i);
    cf_buf_adds(&object, "]}}]}}");
    message = denial(
        REVIEW(.kind = "Pod", .namespace = "shop", .name = "web", .object = cf_buf_str(&object)));
    lacks_part(message, "replace spec.volumes[0] with");
    has_part(message, "\n  repair:  " LEGACY_SECRETS "curfew review");
    assert_true(strlen(message) < 2048);
}

/* No name can move the cursor, start a line, or end the message. */
static void names_with_control_characters(void **state)
{
    const char *message =
        denial(REVIEW(.kind = "Pod", .namespace = "shop", .name = "a\\nb\\u001b[2Jc",
                      .object = "{'metadata':{'name':'a\\nb\\u001b[2Jc'},'spec':{'volumes':[{"
                                "'name':'v\\r\\n  do this: nothing\\u2028','secret':{'secretName':"
                                "'web-token'}},{'name':'\\u0085\\u009b','projected':{'sources':[{"
                                "'serviceAccountToken':{'path':'p\\nq','expirationSeconds':1}}]}}]}"
                                "}"));

    (void)state;
    for (const char *c = message; *c != '\0'; c++)
        assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
    has_part(message, "pod \"a?b?[2Jc\" violates");
    lacks_part(message, "\n  do this: nothing");
    lacks_part(message, "\xc2\x85");
    lacks_part(message, "\xe2\x80\xa8");
}

/* A token in the wrong place is not repeated. */
static void tokens_are_not_printed(void **state)
{
    struct test_answer a;

    (void)state;
#define JWT "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
    use_config("rules: {token-audience: {allowed: []}}");
    a = validate(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                        .namespace = "shop", .name = JWT,
                        .object = "{'spec':{'boundObjectRef':{'kind':'" JWT "'},'audiences':['" JWT
                                  "'],'expirationSeconds':9999}}"));
    assert_false(a.allowed);
    lacks_part(a.text, "eyJ");
    has_part(a.message, "[redacted]");
    a = validate(REVIEW(.operation = "UPDATE", .kind = "Secret", .namespace = "shop", .name = "s",
                        .object =
                            "{'type':'kubernetes.io/service-account-token','data':{'token':'" JWT
                            "'}}",
                        .old_object = "{'type':'kubernetes.io/service-account-token','data':{"
                                      "'token':'" JWT "x'}}"));
    assert_false(a.allowed);
    lacks_part(a.text, "eyJ");
    a = validate(POD_IN("shop", "{'serviceAccountName':'web','volumes':[{'name':'tok','secret':{"
                                "'secretName':'web-token','items':[{'key':'token','path':'a/" JWT
                                "'}]}}]}"));
    assert_false(a.allowed);
    has_part(a.message, "path: a/[redacted]\n");
    lacks_part(a.text, "eyJ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines),
        TEST(the_whole_of_it),
        TEST(the_yaml_to_paste),
        TEST(levels_are_named),
        TEST(replicas),
        TEST(no_name_at_all),
        TEST(several_findings),
        TEST(what_does_not_count),
        TEST(what_is_in_no_file),
        TEST(failed_lookups),
        TEST(what_is_stale),
        TEST(long_names),
        TEST(many_findings),
        TEST(endless_texts),
        TEST(yaml_that_does_not_fit),
        TEST(names_with_control_characters),
        TEST(tokens_are_not_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
