/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile documents are harmless to cf_json_parse(); and the members that it leaves out. */
#include "document.h"

#include <dirent.h>

#include "curfew/file.h"

/* How the keys of a wide object look; the number is in the middle. */
struct keys {
    const char *before, *after;
    int digits;
};

/* An object of `count` keys and one more: a new one, or key `twice` again. */
static char *wide_object(int count, int twice, struct keys keys, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    fputc('{', out);
    for (int i = 0; i <= count; i++)
        fprintf(out, "\"%s%0*d%s\":{}%c", keys.before, keys.digits,
                i == count && twice >= 0 ? twice : i, keys.after, i == count ? '}' : ',');
    fclose(out);
    return text;
}

static void duplicates_among_many_keys(void **state)
{
    struct keys keys = {"app.kubernetes.io/key-", "", 1};
    size_t len;

    (void)state;
    for (int count = 1; count < 80; count++) {
        for (int twice = -1; twice < count; twice += 1 + count / 7) {
            char *text = wide_object(count, twice, keys, &len);

            assert_int_equal(json_with(text, len, NULL, NULL) == NULL, twice >= 0);
            if (twice >= 0)
                assert_non_null(strstr(err.msg, "duplicate key 'app.kubernetes.io/key-"));
            free(text);
        }
    }
}

static void wide_objects_are_fast(void **state)
{
    static const struct keys cases[] = {
        {"curfew.dev/label-", "", 1},
        {"key-----", "-------", 6}, /* all of one fingerprint: only the middle differs */
        {"", "\\u0061", 1},
    };
    size_t len;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        for (int twice = -1; twice < 100000; twice += 50000) {
            char *text = wide_object(100000, twice, cases[i], &len);
            int64_t start = cpu_micros();

            assert_int_equal(json_with(text, len, NULL, NULL) == NULL, twice >= 0);
            assert_true(cpu_micros() - start < 2000000);
            free(text);
        }
    }
}

static void depth(void **state)
{
    char text[500];

    (void)state;
    for (int levels = 99; levels <= 102; levels++) {
        for (int i = 0; i < levels; i++) {
            text[i] = '[';
            text[levels + i] = ']';
        }
        text[2 * levels] = '\0';
        assert_int_equal(json(text) != NULL, levels <= CF_DEPTH_MAX);
    }
    assert_string_equal(err.msg, "invalid JSON: nested deeper than 100 at byte 100");

    text[0] = '\0';
    for (int i = 0; i < 50; i++)
        strcat(text, "[{\"\":");
    strcat(text, "0");
    for (int i = 0; i < 50; i++)
        strcat(text, "}]");
    assert_non_null(json(text));
    text[strcspn(text, "0")] = '{';
    assert_null(json(text));
}

static void deep_and_open_ended(void **state)
{
    size_t len = CF_MIB;
    char *text = malloc(len);

    (void)state;
    memset(text, '[', len);
    assert_null(json_with(text, len, NULL, NULL));
    for (size_t i = 0; i + 5 <= len; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    assert_null(json_with(text, len, NULL, NULL));
    free(text);
}

static void node_count(void **state)
{
    size_t len = 2 * CF_NODES_MAX + 2;
    char *text = malloc(len);

    (void)state;
    /* An array and its items: one value too many, then just enough. */
    for (size_t i = 0; i < len; i += 2)
        memcpy(text + i, "1,", 2);
    text[0] = '[';
    text[1] = ' ';
    text[len - 1] = ']';
    assert_null(json_with(text, len, NULL, NULL));
    assert_string_equal(err.msg, "invalid JSON: more than 300000 values");
    text[len - 3] = ' ';
    text[len - 4] = ' ';
    text[len - 2] = ' ';
    text[len - 5] = ' ';
    assert_non_null(json_with(text, len, NULL, NULL));
    assert_int_equal(cf_json_count(cf_json_at(json_with("[[1,2]]", 7, NULL, NULL), 0)), 2);
    free(text);
}

static void the_end_of_a_value(void **state)
{
    static const char stream[] = " {\"a\":1}\n[2] 3 \"x\"null ";
    static const char *const want[] = {"{\"a\":1}", "[2]", "3", "\"x\"", "null"};
    size_t offset = 0;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(want); i++) {
        size_t end = 12345;
        const struct cf_json *value =
            json_with(stream + offset, sizeof(stream) - 1 - offset, NULL, &end);

        assert_string_equal(compact(value), want[i]);
        offset += end;
    }
    assert_int_equal(offset, sizeof(stream) - 1);

    size_t end = 12345;
    assert_null(json_with("{\"a\":", 5, NULL, &end));
    assert_null(json_with("  ", 2, NULL, &end));
    assert_int_equal(end, 12345);
}

static const struct cf_json_skip skips[] = {
    {"metadata", "managedFields"}, {"object", "status"}, {"oldObject", "status"},
    {"containers", "image"},       {NULL, NULL},
};

static void skips_to(const char *text, const char *want)
{
    const struct cf_json *value = json_with(text, strlen(text), skips, NULL);

    if (value == NULL)
        fail_msg("'%s': %s", text, err.msg);
    assert_string_equal(compact(value), want);
}

static void skipped_members(void **state)
{
    (void)state;
    skips_to("{\"metadata\":{\"managedFields\":[{\"a\":1}]}}", "{\"metadata\":{}}");
    skips_to("{\"metadata\":{\"managedFields\":1,\"a\":2}}", "{\"metadata\":{\"a\":2}}");
    skips_to("{\"metadata\":{\"a\":2,\"managedFields\":1}}", "{\"metadata\":{\"a\":2}}");
    skips_to("{\"metadata\":{\"a\":2,\"managedFields\":-1.5,\"b\":3}}",
             "{\"metadata\":{\"a\":2,\"b\":3}}");
    skips_to("{ \"object\" : { \"status\" : { } , \"metadata\" : { \"managedFields\" : [ ] } } , "
             "\"oldObject\" : { \"a\" : 1 , \"status\" : \"x\" } }",
             "{\"object\":{\"metadata\":{}},\"oldObject\":{\"a\":1}}");
    /* Only below that parent, and only the member, not its namesakes. */
    skips_to("{\"status\":1,\"managedFields\":2,\"object\":{\"spec\":{\"status\":3}}}",
             "{\"status\":1,\"managedFields\":2,\"object\":{\"spec\":{\"status\":3}}}");
    skips_to("{\"object\":\"status\",\"metadata\":[\"managedFields\"]}",
             "{\"object\":\"status\",\"metadata\":[\"managedFields\"]}");
    skips_to("{\"Object\":{\"status\":1},\"object\":{\"Status\":1}}",
             "{\"Object\":{\"status\":1},\"object\":{\"Status\":1}}");
    /* Arrays in between do not count; objects do. */
    skips_to("{\"containers\":[{\"image\":1,\"b\":[{\"image\":2}]},[[{\"image\":3},4]],{\"c\":5}]}",
             "{\"containers\":[{\"b\":[{\"image\":2}]},[[{},4]],{\"c\":5}]}");
    skips_to("[{\"image\":1}]", "[{\"image\":1}]");
    /* Unescaped before it is compared. */
    skips_to("{\"\\u006fbject\":{\"st\\u0061tus\":1}}", "{\"object\":{}}");
    /* Members of what is skipped are not looked at again. */
    skips_to("{\"object\":{\"status\":{\"metadata\":{\"managedFields\":1},\"n\":[2,3]},\"x\":4}}",
             "{\"object\":{\"x\":4}}");
    skips_to("[1,{\"object\":{\"status\":0},\"a\":1},2]", "[1,{\"object\":{},\"a\":1},2]");
}

/* Only the structure of what is skipped is looked at. */
static void skipped_members_are_of_any_content(void **state)
{
    static const char *const values[] = {
        "{\"a\":1,\"a\":2}", /* duplicates */
        "{\"\\ufffd\":1,\"\\ufffd\":2}",
        "{\"a\\u0000\":\"\\u0000\"}",    /* NUL */
        "\"\\ud800 \\x \xFF \xC3( \n\"", /* no escapes, no UTF-8 */
        "01",
        "1e",
        "-",
        "1.2.3",
        "[truth,nil]",
        "\"\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "[ ]",
        "{ }",
        " [ { \"a\" : [ ] , \"b\" : { } } , \"]}\" ] ",
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(values); i++) {
        snprintf(text, sizeof(text), "{\"object\":{\"status\":%s}}", values[i]);
        skips_to(text, "{\"object\":{}}");
        snprintf(text, sizeof(text), "{\"object\":{\"a\":1,\"status\":%s,\"b\":2},\"c\":[3]}",
                 values[i]);
        skips_to(text, "{\"object\":{\"a\":1,\"b\":2},\"c\":[3]}");
    }
}

static void skipped_members_have_a_structure(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"{\"object\":{\"status\":}}", " at byte 20: expected a value"},
        {"{\"object\":{\"status\":1,}}", " at byte 22: expected a key"},
        {"{\"object\":{\"status\" 1}}", " at byte 20: expected ':'"},
        {"{\"object\":{\"status\":1 2}}", " at byte 22: expected ',' or '}'"},
        {"{\"object\":{\"status\":[1 2]}}", " at byte 23: expected ',' or ']'"},
        {"{\"object\":{\"status\":[1,]}}", " at byte 23: expected a value"},
        {"{\"object\":{\"status\":[,1]}}", " at byte 21: expected a value"},
        {"{\"object\":{\"status\":[1,,2]}}", " at byte 23: expected a value"},
        {"{\"object\":{\"status\":[1,{]}}}", " at byte 24: expected a key"},
        {"{\"object\":{\"status\":[1}}}", " at byte 22: expected ',' or ']'"},
        {"{\"object\":{\"status\":{\"a\":1]}}", " at byte 26: expected ',' or '}'"},
        {"{\"object\":{\"status\":{\"a\"}}}", " at byte 24: expected ':'"},
        {"{\"object\":{\"status\":{\"a\":}}}", " at byte 25: expected a value"},
        {"{\"object\":{\"status\":{a:1}}}", " at byte 21: expected a key"},
        {"{\"object\":{\"status\":{\"a\":1,}}}", " at byte 27: expected a key"},
        {"{\"object\":{\"status\":1\"a\"}}", " at byte 21: expected ',' or '}'"},
        {"{\"object\":{\"status\":\"a\"1}}", " at byte 23: expected ',' or '}'"},
        {"{\"object\":{\"status\":#}}", " at byte 20: expected a value"},
        {"{\"object\":{\"status\":1", " at byte 21: unexpected end"},
        {"{\"object\":{\"status\":[[", " at byte 22: unexpected end"},
        {"{\"object\":{\"status\":\"a", " at byte 22: unexpected end"},
        {"{\"object\":{\"status\":\"a\\", " at byte 23: unexpected end"},
        /* The member itself is one of an object that is kept. */
        {"{\"object\":{\"status\":1,\"status\":1}}", ": duplicate key 'status' at byte 22"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        assert_null(json_with(bad[i].text, strlen(bad[i].text), skips, NULL));
        if (strcmp(err.msg + strlen("invalid JSON"), bad[i].message) != 0)
            fail_msg("%s: '%s', not '%s'", bad[i].text, err.msg, bad[i].message);
    }
}

/* Neither the depth nor the number of values of what is skipped is counted, and its time grows with
 * its bytes. */
static void skipped_members_are_of_any_size(void **state)
{
    static const struct {
        const char *open, *inner, *close;
        size_t count;
    } cases[] = {
        {"[", "", "]", 4000000},
        {"{\"a\":", "1", "}", 1000000},
        {"[1,{\"b\":", "\"\"", "}]", 500000},
        {"", "[]", ",[]", 2000000},
        {"", "[\"", "\\\"", 2000000},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        int64_t began;
        size_t len;
        char *text = NULL;
        FILE *out = open_memstream(&text, &len);
        bool list = i == 3, string = i == 4;

        fprintf(out, "{\"object\":{\"status\":%s", list ? "[" : "");
        for (size_t n = 0; n < cases[i].count; n++)
            fputs(cases[i].open, out);
        fputs(cases[i].inner, out);
        for (size_t n = 0; n < cases[i].count; n++)
            fputs(cases[i].close, out);
        fprintf(out, "%s,\"a\":1}}", list ? "]" : string ? "\"]" : "");
        fclose(out);
        began = cpu_micros();
        assert_string_equal(compact(json_with(text, len, skips, NULL)), "{\"object\":{\"a\":1}}");
        assert_true(cpu_micros() - began < 2000000);
        /* Kept, it is too much. */
        assert_true(json_with(text, len, NULL, NULL) == NULL || string);
        free(text);
    }
}

static void many_skips(void **state)
{
    struct cf_json_skip many[50] = {{NULL, NULL}};
    char names[49][12];

    (void)state;
    for (int i = 0; i < 49; i++) {
        snprintf(names[i], sizeof(names[i]), "parent%d", i);
        many[i] = (struct cf_json_skip){names[i], "key"};
    }
    const char *text = "{\"parent0\":{\"key\":1},\"parent31\":{\"key\":1},\"parent48\":{}}";
    const struct cf_json *value = json_with(text, strlen(text), many, NULL);

    assert_string_equal(compact(value), "{\"parent0\":{},\"parent31\":{},\"parent48\":{}}");
}

/* ---- without parsing ---- */

/* Each member in brackets; a "!" where it ends too early. */
static void walks_to(const char *text, const char *want)
{
    char *exact = exact_copy(text, strlen(text));
    struct cf_json_member member;
    struct cf_json_walk walk;
    struct cf_buf seen;

    cf_arena_reset(arena, true);
    cf_buf_init_arena(&seen, arena, CF_KIB);
    if (!cf_json_walk_open(&walk, arena, exact, strlen(text)))
        cf_buf_adds(&seen, "no object");
    else
        while (cf_json_walk_next(&walk, &member))
            cf_buf_addf(&seen, "<%.*s=%.*s>", (int)member.key_len, member.key,
                        (int)member.value_len, member.value);
    if (walk.broken)
        cf_buf_addc(&seen, '!');
    assert_string_equal(cf_buf_str(&seen), want);
    free(exact);
}

static void walk_through_members(void **state)
{
    (void)state;
    walks_to("{}", "");
    walks_to(" { } trailing", "");
    walks_to("{\"a\":1}", "<a=1>");
    walks_to(" { \"a\" : [ 1 , {} ] , \"b\\\"\" : \"}\" ,\"a\":{\"a\":01}}",
             "<a=[ 1 , {} ]><b\\\"=\"}\"><a={\"a\":01}>");
    walks_to("[]", "no object");
    walks_to("", "no object");
    walks_to("\"{\"", "no object");
}

static void walk_through_broken_objects(void **state)
{
    (void)state;
    walks_to("{", "!");
    walks_to("{\"a", "!");
    walks_to("{\"a\"", "!");
    walks_to("{\"a\":", "<a=>!");
    walks_to("{\"a\":\"x", "<a=\"x>!");
    walks_to("{\"a\":{\"b\":1", "<a={\"b\":1>!");
    walks_to("{\"a\":1", "<a=1>!");
    walks_to("{\"a\":1,", "<a=1>!");
    walks_to("{\"a\":1 \"b\":2}", "<a=1>!");
    walks_to("{\"a\":1,\"b\":[}]}", "<a=1><b=[}]}>!");
    walks_to("{a:1}", "!");
}

static const char sample[] =
    " {\"request\" : {\"uid\":\"\\u00e9\\ud83d\\ude00\xE2\x82\xAC\",\"dryRun\":false,\"object\":{"
    "\"metadata\":{\"name\":\"web\",\"managedFields\":[{\"f:x\":{}}]},\"spec\":{\"volumes\":[{"
    "\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":-3607.5e+1,"
    "\"path\":\"to\\/ken\\n\"}}]}}]},\"status\":{\"a\":null}},\"oldObject\":null,\"x\":true}}";

static void every_truncation_fails(void **state)
{
    size_t len = sizeof(sample) - 1;

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        assert_null(json_with(sample, cut, NULL, NULL));
        assert_null(json_with(sample, cut, skips, NULL));
    }
    assert_non_null(json_with(sample, len, NULL, NULL));
    skips_to(sample,
             "{\"request\":{\"uid\":\"\xC3\xA9\xF0\x9F\x98\x80\xE2\x82\xAC\",\"dryRun\":false,"
             "\"object\":{\"metadata\":{\"name\":\"web\"},\"spec\":{\"volumes\":[{"
             "\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":"
             "-3607.5e+1,\"path\":\"to/ken\\n\"}}]}}]}},\"oldObject\":null,\"x\":true}}");
}

/* Any byte for any other: it may still be JSON, but it must not crash, and what was accepted
 * must be written as what is accepted again. */
static void every_byte_may_change(void **state)
{
    char text[sizeof(sample)];
    size_t len = sizeof(sample) - 1;

    (void)state;
    for (size_t i = 0; i < len; i++) {
        for (int byte = 0; byte < 256; byte++) {
            const struct cf_json *value;
            char *copy;

            memcpy(text, sample, sizeof(sample));
            text[i] = (char)byte;
            value = json_with(text, len, byte % 2 ? skips : NULL, NULL);
            if (value == NULL)
                continue;
            copy = strdup(compact(value));
            is_read(json(copy), copy);
            free(copy);
        }
    }
}

/* Out of memory at every point of a parse. */
static void small_arenas_fail_cleanly(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t ceiling = 0; ceiling < 40 * CF_KIB; ceiling += 16) {
        struct cf_arena *small = cf_arena_new(ceiling);
        struct cf_err why = {0};

        if (cf_json_parse(small, sample, sizeof(sample) - 1, skips, NULL, &why) == NULL) {
            assert_int_equal(why.kind, CF_ERR_SYSTEM);
            assert_string_equal(why.msg, "out of memory");
            failed++;
        }
        cf_arena_free(small);
    }
    assert_true(failed > 100);
}

static void recorded_traffic_parses(void **state)
{
    DIR *folder = opendir("test/recorded");
    struct dirent *entry;
    size_t count = 0;

    (void)state;
    if (folder == NULL)
        skip();
    while ((entry = readdir(folder)) != NULL) {
        char path[1000];
        struct cf_buf buf;

        snprintf(path, sizeof(path), "test/recorded/%s", entry->d_name);
        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        cf_buf_init(&buf, CF_FILE_MAX);
        assert_int_equal(cf_file_read(path, &buf, &err), 0);
        assert_non_null(json_with(buf.data, buf.len, NULL, NULL));
        for (size_t cut = 0; cut < buf.len - 1; cut += 97)
            assert_null(json_with(buf.data, cut, skips, NULL));
        cf_buf_free(&buf);
        count++;
    }
    closedir(folder);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicates_among_many_keys),
        cmocka_unit_test(wide_objects_are_fast),
        cmocka_unit_test(depth),
        cmocka_unit_test(deep_and_open_ended),
        cmocka_unit_test(node_count),
        cmocka_unit_test(the_end_of_a_value),
        cmocka_unit_test(skipped_members),
        cmocka_unit_test(skipped_members_are_of_any_content),
        cmocka_unit_test(skipped_members_have_a_structure),
        cmocka_unit_test(skipped_members_are_of_any_size),
        cmocka_unit_test(walk_through_members),
        cmocka_unit_test(walk_through_broken_objects),
        cmocka_unit_test(many_skips),
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(every_byte_may_change),
        cmocka_unit_test(small_arenas_fail_cleanly),
        cmocka_unit_test(recorded_traffic_parses),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
