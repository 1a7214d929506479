/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a document, and patching one. */
#include "document.h"

/* Unlike json(), this leaves the documents before it alive. */
static const struct cf_json *parse(const char *text)
{
    const struct cf_json *value = cf_json_parse(arena, text, strlen(text), NULL, NULL, &err);

    if (value == NULL)
        fail_msg("'%s': %s", text, err.msg);
    return value;
}

static void absent_values(void **state)
{
    int64_t number = 7;

    (void)state;
    assert_int_equal(cf_json_type(NULL), CF_JSON_NULL);
    assert_true(cf_json_is_null(NULL));
    assert_null(cf_json_get(NULL, "a"));
    assert_null(cf_json_first(NULL));
    assert_null(cf_json_next(NULL));
    assert_int_equal(cf_json_count(NULL), 0);
    assert_null(cf_json_at(NULL, 0));
    assert_null(cf_json_key(NULL));
    assert_null(cf_json_str(NULL));
    assert_null(cf_json_num(NULL));
    assert_false(cf_json_true(NULL));
    assert_false(cf_json_int(NULL, &number));
    assert_int_equal(number, 7);
    assert_null(cf_json_pointer(NULL, ""));
    assert_null(cf_json_pointer(NULL, "/a"));
    assert_int_equal(cf_json_line(NULL), 0);
    assert_int_equal(cf_json_column(NULL), 0);
    assert_false(cf_json_is_plain(NULL));
}

static void types(void **state)
{
    static const struct {
        const char *text;
        enum cf_json_type type;
        const char *name;
    } cases[] = {
        {"null", CF_JSON_NULL, "null"},       {"true", CF_JSON_BOOL, "a boolean"},
        {"false", CF_JSON_BOOL, "a boolean"}, {"1", CF_JSON_NUMBER, "a number"},
        {"\"\"", CF_JSON_STRING, "a string"}, {"[]", CF_JSON_ARRAY, "an array"},
        {"{}", CF_JSON_OBJECT, "an object"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const struct cf_json *value = parse(cases[i].text);

        assert_int_equal(cf_json_type(value), cases[i].type);
        assert_string_equal(cf_json_type_name(cf_json_type(value)), cases[i].name);
        assert_int_equal(cf_json_is_null(value), i == 0);
        assert_int_equal(cf_json_true(value), i == 1);
        assert_false(cf_json_is_plain(value));
        assert_int_equal(cf_json_line(value), 0);
        assert_int_equal(cf_json_column(value), 0);
        /* Of the wrong type, there is nothing to read. */
        assert_null(cf_json_get(value, "a"));
        assert_null(cf_json_at(value, 0));
        assert_null(cf_json_first(value));
        assert_int_equal(cf_json_count(value), 0);
    }
}

static void members_and_items(void **state)
{
    const struct cf_json *root = parse("{\"a\":1,\"A\":[10,\"x\",null],\"\":true,\"a/b~c\":{}}");
    const struct cf_json *list = cf_json_get(root, "A");

    (void)state;
    assert_string_equal(cf_json_num(cf_json_get(root, "a")), "1");
    assert_null(cf_json_get(root, "b"));
    assert_true(cf_json_true(cf_json_get(root, "")));
    assert_int_equal(cf_json_count(root), 4);
    assert_int_equal(cf_json_count(list), 3);
    assert_string_equal(cf_json_str(cf_json_at(list, 1)), "x");
    assert_true(cf_json_is_null(cf_json_at(list, 2)));
    assert_null(cf_json_at(list, 3));
    assert_null(cf_json_at(root, 0));
    assert_string_equal(cf_json_key(cf_json_first(root)), "a");
    assert_null(cf_json_key(cf_json_first(list)));
    assert_null(cf_json_key(root));
    assert_null(cf_json_next(cf_json_at(list, 2)));
}

static void pointers(void **state)
{
    const struct cf_json *root =
        parse("{\"a\":{\"b\":[1,{\"c\":2}]},\"\":{\"\":3},\"x/y~z\":4,\"0\":5,\"~1\":6}");

    (void)state;
    assert_ptr_equal(cf_json_pointer(root, ""), root);
    assert_string_equal(cf_json_num(cf_json_pointer(root, "/a/b/1/c")), "2");
    assert_string_equal(cf_json_num(cf_json_pointer(root, "//")), "3");
    assert_string_equal(cf_json_num(cf_json_pointer(root, "/x~1y~0z")), "4");
    assert_string_equal(cf_json_num(cf_json_pointer(root, "/0")), "5");
    assert_string_equal(cf_json_num(cf_json_pointer(root, "/~01")), "6");
    assert_null(cf_json_pointer(root, "a"));
    assert_null(cf_json_pointer(root, "/a/"));
    assert_null(cf_json_pointer(root, "/a/b/2"));
    assert_null(cf_json_pointer(root, "/a/b/-"));
    assert_null(cf_json_pointer(root, "/a/b/01"));
    assert_null(cf_json_pointer(root, "/a/b/1x"));
    assert_null(cf_json_pointer(root, "/a/b/99999999999999999999"));
    assert_null(cf_json_pointer(root, "/a/b/"));
    assert_null(cf_json_pointer(root, "/x~2y"));
    assert_null(cf_json_pointer(root, "/x~"));
    assert_null(cf_json_pointer(root, "/0/1"));
}

static int patch(const char *document, const char *operations, const char **result)
{
    struct cf_json *root = (struct cf_json *)(uintptr_t)parse(document);
    int status;

    memset(&err, 0, sizeof(err));
    status = cf_json_patch(arena, root, operations, &err);
    *result = status == 0 ? compact(root) : err.msg;
    return status;
}

static void bad_patches(void **state)
{
    static const struct {
        const char *patch, *message;
    } cases[] = {
        {"", "patch: invalid JSON: empty"},
        {"[", "patch: invalid JSON at byte 1: unexpected end"},
        {"{}", "patch: expected an array, found an object"},
        {"[1]", "patch: operation 1: path must begin with '/'"},
        {"[{\"op\":\"add\",\"value\":1}]", "patch: operation 1: path must begin with '/'"},
        {"[{\"op\":\"add\",\"path\":\"\",\"value\":1}]",
         "patch: operation 1: path must begin with '/'"},
        {"[{\"op\":\"replace\",\"path\":\"a\",\"value\":1}]",
         "patch: operation 1: path must begin with '/'"},
        {"[{\"op\":\"add\",\"path\":\"/a\"}]", "patch: operation 1: value is missing"},
        {"[{\"op\":\"replace\",\"path\":\"/a\"}]", "patch: operation 1: value is missing"},
        {"[{\"op\":\"jump\",\"path\":\"/a\"}]",
         "patch: operation 1: op must be add, remove, replace, move, copy or test"},
        {"[{\"path\":\"/a\"}]",
         "patch: operation 1: op must be add, remove, replace, move, copy or test"},
        {"[{\"op\":\"remove\",\"path\":\"/x\"}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"remove\",\"path\":\"/A\"}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"replace\",\"path\":\"/x\",\"value\":1}]",
         "patch: operation 1: path not found"},
        {"[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},{\"op\":\"add\",\"path\":\"/x/"
         "y\",\"value\":1}]",
         "patch: operation 2: path not found"},
        {"[{\"op\":\"add\",\"path\":\"/a/x\",\"value\":1}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"add\",\"path\":\"/l/3\",\"value\":1}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"add\",\"path\":\"/l/x\",\"value\":1}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"remove\",\"path\":\"/l/-\"}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"replace\",\"path\":\"/l/2\",\"value\":1}]",
         "patch: operation 1: path not found"},
        {"[{\"op\":\"move\",\"path\":\"/b\"}]", "patch: operation 1: path not found"},
        {"[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/b\"}]",
         "patch: operation 1: path not found"},
        {"[{\"op\":\"move\",\"from\":\"/l\",\"path\":\"/l/0\"}]",
         "patch: operation 1: cannot move a value into itself"},
        {"[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]",
         "patch: operation 1: the value differs"},
        {"[{\"op\":\"test\",\"path\":\"/x\",\"value\":null}]",
         "patch: operation 1: the value differs"},
    };
    const char *result;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        assert_int_equal(patch("{\"a\":1,\"l\":[1,2]}", cases[i].patch, &result), -1);
        assert_string_equal(result, cases[i].message);
        assert_int_equal(err.kind, CF_ERR_INPUT);
    }
}

static void patches(void **state)
{
    static const struct {
        const char *document, *patch, *want;
    } cases[] = {
        {"{\"a\":1}", "[]", "{\"a\":1}"},
        {"{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"n\":1e3}}]", "{\"a\":{\"n\":1e3}}"},
        /* A member that is replaced keeps its place. */
        {"{\"a\":1,\"b\":2,\"c\":3}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":3600}]",
         "{\"a\":1,\"b\":3600,\"c\":3}"},
        {"{\"a\":1,\"b\":2}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]",
         "{\"a\":null,\"b\":2}"},
        {"{\"a\":1,\"b\":2}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":[]}]",
         "{\"a\":1,\"b\":[]}"},
        {"{\"a\":1,\"A\":2}", "[{\"op\":\"remove\",\"path\":\"/A\"}]", "{\"a\":1}"},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{}"},
        {"{\"m\":{}}", "[{\"op\":\"add\",\"path\":\"/m/curfew.dev~1fixed\",\"value\":\"x\"}]",
         "{\"m\":{\"curfew.dev/fixed\":\"x\"}}"},
        {"{\"m~/\":1}", "[{\"op\":\"replace\",\"path\":\"/m~0~1\",\"value\":2}]", "{\"m~/\":2}"},
        {"[1,2]", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":0}]", "[0,1,2]"},
        {"[1,2]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":0}]", "[1,0,2]"},
        {"[1,2]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":0}]", "[1,2,0]"},
        {"[1,2]", "[{\"op\":\"add\",\"path\":\"/-\",\"value\":0}]", "[1,2,0]"},
        {"[]", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":0}]", "[0]"},
        {"[1,2,3]",
         "[{\"op\":\"remove\",\"path\":\"/2\"},{\"op\":\"add\",\"path\":\"/-\","
         "\"value\":4},{\"op\":\"remove\",\"path\":\"/0\"}]",
         "[2,4]"},
        {"[1,2,3]",
         "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":0},{\"op\":\"replace\","
         "\"path\":\"/2\",\"value\":9},{\"op\":\"replace\",\"path\":\"/1\",\"value\":5}]",
         "[0,5,9]"},
        {"{\"a\":{\"x\":1},\"b\":[]}", "[{\"op\":\"move\",\"from\":\"/a/x\",\"path\":\"/b/0\"}]",
         "{\"a\":{},\"b\":[1]}"},
        {"{\"a\":{\"x\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/y\"}]",
         "{\"a\":{\"x\":1,\"y\":{\"x\":1}}}"},
        {"{\"a\":{\"x\":[1,\"2\",null,true]}}",
         "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"x\":[1,\"2\",null,true]}}]",
         "{\"a\":{\"x\":[1,\"2\",null,true]}}"},
    };
    const char *result;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        if (patch(cases[i].document, cases[i].patch, &result) != 0)
            fail_msg("%s: %s", cases[i].patch, result);
        assert_string_equal(result, cases[i].want);
    }
}

/* The value that is patched may stand anywhere in its document; others in it stay as they are. */
static void patches_a_part(void **state)
{
    const struct cf_json *root = parse("[{\"a\":[1,2]},{\"b\":3}]");
    struct cf_json *part = (struct cf_json *)(uintptr_t)cf_json_at(root, 0);

    (void)state;
    assert_int_equal(cf_json_patch(arena, part,
                                   "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":{\"c\":4}},"
                                   "{\"op\":\"add\",\"path\":\"/z\",\"value\":-0}]",
                                   &err),
                     0);
    assert_string_equal(compact(root), "[{\"a\":[1,{\"c\":4}],\"z\":-0},{\"b\":3}]");
    assert_ptr_equal(cf_json_at(root, 0), part);
}

static void patches_do_not_nest_for_ever(void **state)
{
    struct cf_json *root = (struct cf_json *)(uintptr_t)parse("{\"a\":{}}");
    int copies = 0;

    (void)state;
    memset(&err, 0, sizeof(err));
    while (cf_json_patch(arena, root, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/a\"}]",
                         &err) == 0)
        copies++;
    assert_string_equal(err.msg, "patch: operation 1: nested too deep");
    assert_true(copies >= 50 && copies <= CF_DEPTH_MAX);
}

static void patches_run_out_of_memory(void **state)
{
    static const char operations[] = "[{\"op\":\"add\",\"path\":\"/l/0\",\"value\":{\"x\":[1,2]}},"
                                     "{\"op\":\"replace\",\"path\":\"/l/1\",\"value\":\"long\"}]";
    size_t failed = 0;

    (void)state;
    for (size_t ceiling = 2000; ceiling < 16000; ceiling += 16) {
        struct cf_arena *small = cf_arena_new(ceiling);
        const struct cf_json *root = cf_json_parse(small, "{\"l\":[1]}", 9, NULL, NULL, NULL);

        memset(&err, 0, sizeof(err));
        if (root != NULL &&
            cf_json_patch(small, (struct cf_json *)(uintptr_t)root, operations, &err) != 0) {
            assert_int_equal(err.kind, CF_ERR_SYSTEM);
            failed++;
        }
        cf_arena_free(small);
    }
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_values),
        cmocka_unit_test(types),
        cmocka_unit_test(members_and_items),
        cmocka_unit_test(pointers),
        cmocka_unit_test(bad_patches),
        cmocka_unit_test(patches),
        cmocka_unit_test(patches_a_part),
        cmocka_unit_test(patches_do_not_nest_for_ever),
        cmocka_unit_test(patches_run_out_of_memory),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
