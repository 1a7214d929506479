/* SPDX-License-Identifier: Apache-2.0 */
/* cf_identify: the metadata of an object that can't be read completely. */
#include "document.h"

#include "../../src/watch/watch_private.h"

/* `text` with " for each ', from a block of exactly its bytes. */
static void identifies(const char *text, size_t len, const char *want, unsigned unread)
{
    char *exact = exact_copy(text, len);
    const struct cf_json *root;
    unsigned got = 0;

    for (size_t i = 0; i < len; i++)
        exact[i] = exact[i] == '\'' ? '"' : exact[i];
    cf_arena_reset(arena, true);
    root = cf_identify(arena, exact, len, &got, &err);
    free(exact);
    if (want != NULL) {
        is_read(root, want);
        assert_int_equal(got, unread);
    }
    assert_non_null(root);
    assert_true((got & CF_UNREAD_REST) != 0);
}

static void is_known(const char *text, const char *want, unsigned unread)
{
    char *wanted = exact_copy(want, strlen(want) + 1);

    for (char *c = wanted; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    identifies(text, strlen(text), wanted, unread | CF_UNREAD_REST);
    free(wanted);
}

#define NOTHING "{'object':{'metadata':{'labels':{},'annotations':{}}}}"
#define ALL (CF_UNREAD_LABELS | CF_UNREAD_ANNOTATIONS)

static void whole_metadata(void **state)
{
    (void)state;
    is_known(
        "{'type':'ADDED','object':{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a',"
        "'generateName':'a-','namespace':'b','uid':'u','resourceVersion':'7','x':[01],"
        "'labels':{'curfew.dev/enforce':'baseline','pod-template-hash':'h','l':'m'},"
        "'annotations':{'\\ufffd':'1','\\ufffd':'2','kubernetes.io/config.mirror':''},"
        "'ownerReferences':[{'kind':'Job'}],'managedFields':[{'\\ufffd':1,'\\ufffd':1}]},"
        "'spec':{'a':1,'a':2}}}",
        "{'type':'ADDED','object':{'kind':'Pod','metadata':{'name':'a','namespace':'b','uid':'u',"
        "'resourceVersion':'7','generateName':'a-','labels':{'curfew.dev/enforce':'baseline',"
        "'pod-template-hash':'h'},'annotations':{'kubernetes.io/config.mirror':''},"
        "'ownerReferences':[{'kind':'Job'}]}}}",
        0);
    is_known("{'object':{'metadata':{'name':'a','labels':null}}}",
             "{'object':{'metadata':{'name':'a','labels':{},'annotations':{}}}}", 0);
}

static void of_two_the_last_one(void **state)
{
    (void)state;
    is_known("{'object':{'metadata':{'name':'a','name':'b','labels':{'pod-template-hash':'1'},'"
             "labels':{}}}}",
             "{'object':{'metadata':{'name':'b','labels':{},'annotations':{}}}}", 0);
    is_known("{'object':{'metadata':{'labels':{'pod-template-hash':'1','pod-template-hash':'2'}}}}",
             "{'object':{'metadata':{'labels':{'pod-template-hash':'2'},'annotations':{}}}}", 0);
    is_known("{'object':{'metadata':{'labels':{'x-template-hash':'1','pod-template-hash':'2',"
             "'x-template-hash':'3','y':'4','z-template-hash':5}}}}",
             "{'object':{'metadata':{'labels':{'x-template-hash':'3','pod-template-hash':'2'},"
             "'annotations':{}}}}",
             0);
    /* The server writes this member once; twice is not an event. */
    is_known("{'type':'ADDED','object':{'metadata':{}},'type':'DELETED'}", NOTHING, 0);
}

/* Each text that was found is a place and a length: of two of one name the last one has both. */
static void a_long_one_and_a_short_one(void **state)
{
    static const char *const rest[] = {
        "},'spec':{'a':1,'a':2}},'y':{'metadata':{'z':{}}}}",
        ",'name':'b','ownerReferences':[]}}}",
        "},'metadata':{'name':'b','ownerReferences':[]}}}",
        ",'name':'b','name':5,'ownerReferences':[],'ownerReferences':5}}}",
    };
    static const char *const want[] = {
        NULL,
        "{'object':{'metadata':{'name':'b','labels':{},'annotations':{},'ownerReferences':[]}}}",
        "{'object':{'metadata':{'name':'b','labels':{},'annotations':{},'ownerReferences':[]}}}",
        "{'object':{'metadata':{'labels':{},'annotations':{}}}}",
    };
    char text[3000];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(rest); i++) {
        snprintf(text, sizeof(text),
                 "{'object':{'metadata':{'name':'a%0*d','ownerReferences':[%*d]%s", 1000, 0, 1000,
                 1, rest[i]);
        if (want[i] != NULL)
            is_known(text, want[i], 0);
        for (size_t len = 0; len <= strlen(text); len++)
            identifies(text, len, NULL, 0);
    }
}

static void values_that_are_not_strings_are_left_out(void **state)
{
    (void)state;
    is_known(
        "{'type':1,'object':{'kind':[],'metadata':{'name':{},'uid':'\\ud800','namespace':'b'}}}",
        "{'object':{'metadata':{'namespace':'b','labels':{},'annotations':{}}}}", 0);
    is_known("{'object':{'metadata':{'name':'a','labels':{'curfew.dev/fix':5},"
             "'annotations':{'kubernetes.io/config.mirror':'\xff'},'ownerReferences':{}}}}",
             "{'object':{'metadata':{'name':'a','labels':{},'annotations':{}}}}", ALL);
    is_known("{'object':{'metadata':{'labels':5,'annotations':['a']}}}", NOTHING, ALL);
    is_known("{'object':{'metadata':5}}", NOTHING, ALL);
    is_known("{'object':[]}", NOTHING, ALL);
    is_known("[]", NOTHING, ALL);
    is_known("", NOTHING, ALL);
}

static void truncated_objects(void **state)
{
    static const char text[] =
        "{'type':'ADDED','object':{'metadata':{'name':'a','labels':{'pod-template-hash':'h'},"
        "'annotations':{'rbac.kubernetes.io/restricted-by-node':'true'}},'spec':{'x':'y'}}}";

    (void)state;
    is_known("{'object':{'metadata':{'name':'a','uid':'u",
             "{'object':{'metadata':{'name':'a','labels':{},'annotations':{}}}}", ALL);
    is_known(
        "{'object':{'metadata':{'name':'a','labels':{'pod-template-hash':'h','x':'y",
        "{'object':{'metadata':{'name':'a','labels':{'pod-template-hash':'h'},'annotations':{}}}}",
        ALL);
    is_known("{'object':{'metadata':{'name':'a','labels':{},'annotations':{},'managedFields':[{",
             "{'object':{'metadata':{'name':'a','labels':{},'annotations':{}}}}", 0);
    for (size_t len = 0; len < sizeof(text); len++)
        identifies(text, len, NULL, 0);
}

static void out_of_memory(void **state)
{
    static const char text[] =
        "{\"object\":{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"y\"}}}}";
    size_t failed = 0;

    (void)state;
    for (size_t ceiling = 0; ceiling < 40 * CF_KIB; ceiling += 64) {
        struct cf_arena *small = cf_arena_new(ceiling);
        struct cf_err why = {.kind = CF_ERR_NONE};
        unsigned unread = 0;

        if (cf_identify(small, text, sizeof(text) - 1, &unread, &why) == NULL) {
            assert_int_equal(why.kind, CF_ERR_SYSTEM);
            failed++;
        }
        cf_arena_free(small);
    }
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_metadata),
        cmocka_unit_test(of_two_the_last_one),
        cmocka_unit_test(a_long_one_and_a_short_one),
        cmocka_unit_test(values_that_are_not_strings_are_left_out),
        cmocka_unit_test(truncated_objects),
        cmocka_unit_test(out_of_memory),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
