/* SPDX-License-Identifier: Apache-2.0 */
/* What kubectl sends for a manifest: tags, merge keys, and keys that are not strings. What is
 * wanted here is what sigs.k8s.io/yaml makes of the same text (test/oracle). */
#include "document.h"

static void reads(const char *text, const char *want)
{
    is_read(yaml(text), want);
}

static void refuses(const char *text, const char *message)
{
    is_refused(yaml(text), message);
}

static void binary_is_decoded(void **state)
{
    (void)state;
    refuses("a: !!binary aGVsbG\n", "1:4: the value is not base64 (!!binary)");
    refuses("a: !!binary aGVsbG8\n", "1:4: the value is not base64 (!!binary)");
    refuses("a: !!binary aGVsbG8==\n", "1:4: the value is not base64 (!!binary)");
    refuses("a: !!binary aGVs=bG8\n", "1:4: the value is not base64 (!!binary)");
    refuses("a: !!binary aGVs bG8=\n", "1:4: the value is not base64 (!!binary)");
    refuses("a: !!binary aGVs-_8=\n", "1:4: the value is not base64 (!!binary)");
    refuses("a: !!binary =\n", "1:4: the value is not base64 (!!binary)");
    refuses("!!binary x: 1\n", "1:1: the value is not base64 (!!binary)");
    reads("a: !!binary aGVsbG8=\n", "{\"a\":\"hello\"}");
    reads("a: !!binary \"aGVsbA==\"\n", "{\"a\":\"hell\"}");
    reads("a: !!binary aGVs\n", "{\"a\":\"hel\"}");
    reads("a: !!binary |\n  aGVs\n  bG8=\n", "{\"a\":\"hello\"}");
    reads("a: !!binary\n", "{\"a\":\"\"}");
    reads("a: !<tag:yaml.org,2002:binary> MTIz\n", "{\"a\":\"123\"}");
    reads("!!binary aGVsbG8=: 1\n", "{\"hello\":1}");
    reads("a: !!binary /////w==\n", "{\"a\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}");
    reads("a: !!binary w6nDqQ==\n", "{\"a\":\"\xC3\xA9\xC3\xA9\"}");
    reads("a: !!binary YQBi\n", "{\"a\":\"a\xEF\xBF\xBD"
                                "b\"}");
    reads("[&x !!binary aGk=, *x]\n", "[\"hi\",\"hi\"]");
    assert_string_equal(compact(yaml_with("a: !!binary aGk=\n", 17, 1, CF_YAML_TEXT)),
                        "{\"a\":\"aGk=\"}");
}

static void merge_keys_are_assignments(void **state)
{
    (void)state;
    reads("{k: 1, <<: {k: 2}}", "{\"k\":2}");
    reads("{<<: {k: 1}, k: 2}", "{\"k\":2}");
    reads("{k: 0, <<: [{k: 1}, {k: 2, j: 3}]}", "{\"k\":1,\"j\":3}");
    reads("{<<: {k: 1}, <<: {k: 2, j: 3}}", "{\"k\":2,\"j\":3}");
    reads("{<<: {<<: {k: 1, m: 4}, k: 2, j: 1}, k: 3, <<: {j: 9}}", "{\"k\":3,\"j\":9,\"m\":4}");
    reads("{a: 1, <<: {b: 2, a: 3}, b: 4, <<: {b: 5}, c: 6}", "{\"c\":6,\"b\":5,\"a\":3}");
    reads("{<<: [], a: 1}", "{\"a\":1}");
    reads("{<<: {}}", "{}");
    reads("- &a {k: 1}\n- {k: 2, ? << : *a}\n", "[{\"k\":1},{\"k\":1}]");
    /* A merge key by its tag, or by a tag that says nothing. */
    reads("{!!merge <<: {k: 1}}", "{\"k\":1}");
    reads("{!!merge \"<<\": {k: 1}}", "{\"k\":1}");
    reads("{! \"<<\": {k: 1}}", "{\"k\":1}");
    reads("{&m <<: {k: 1}, z: *m}", "{\"z\":\"<<\",\"k\":1}");
    /* No merge keys. */
    reads("{\"<<\": {k: 1}}", "{\"<<\":{\"k\":1}}");
    reads("{!!str <<: {k: 1}}", "{\"<<\":{\"k\":1}}");
    reads("{!x <<: {k: 1}}", "{\"<<\":{\"k\":1}}");
    reads("{!!merge x: 1}", "{\"x\":1}");
    reads("[!!merge <<]", "[\"<<\"]");
    reads("a: &m <<\nb: {*m : {k: 1}}\n", "{\"a\":\"<<\",\"b\":{\"<<\":{\"k\":1}}}");
}

static void values_that_cannot_be_merged(void **state)
{
    static const char sentence[] = "'<<' takes a mapping or a sequence of mappings";
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"{<<: x}", "1:6"},
        {"{<<: }", "1:6"},
        {"{<<: ~, a: 1}", "1:6"},
        {"{<<: [[{k: 1}]]}", "1:6"},
        {"[&a [{k: 1}], {<<: *a}]", "1:20"},
        {"[&a [{k: 1}], {<<: [*a]}]", "1:20"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        char want[100];

        snprintf(want, sizeof(want), "%s: %s", cases[i].place, sentence);
        refuses(cases[i].text, want);
    }
    refuses("a: &a {<<: *a}\n", "1:12: alias 'a' is inside its own anchor");
    refuses("{<<: {k: 1}, k: 2, k: 3}\n", "1:20: duplicate key 'k'");
    /* A merge key with a tag would be a tag that is not known in a configuration. */
    is_refused(yaml_with("{!!merge <<: {}}", 16, 1, CF_YAML_TEXT),
               "1:2: the tag 'tag:yaml.org,2002:merge' is not known");
}

static void other_tags_are_ignored(void **state)
{
    (void)state;
    reads("[!Ref b, !Ref 12, !ENV yes, !ENV ~, !x '1', !x ]",
          "[\"b\",\"12\",\"yes\",\"~\",\"1\",\"\"]");
    reads("[!<tag:example.com,2026:x> 12, ! 12, ! \"12\", !!map x, !!set 1]",
          "[\"12\",\"12\",\"12\",\"x\",\"1\"]");
    reads("!Sub\na: !GetAtt [b, 1]\nc: !!set {x, z}\nd: !!omap [e: 1]\nf: !!null [1]\n",
          "{\"a\":[\"b\",1],\"c\":{\"x\":null,\"z\":null},\"d\":[{\"e\":1}],\"f\":[1]}");
    reads("{!Ref 12: 1, !!str yes: 2}", "{\"12\":1,\"yes\":2}");
    reads("[!x , !x &a , &b !x , &c, {!y : 1}]", "[\"\",\"\",\"\",null,{\"\":1}]");
    refuses("[!x, b]", "1:4: a comma directly after a tag: put a space between them");
    refuses("[\xC3\xA9, {a: !x, b: 1}]",
            "1:11: a comma directly after a tag: put a space between them");
    refuses("[&a !x, b]", "1:7: a comma directly after a tag: put a space between them");
    reads("[!x &a, b]", "[\"\",\"b\"]");
    reads("[!x '', b]", "[\"\",\"b\"]");
    refuses("[!e!x 12]", "1:2: found undefined tag handle (while parsing a node, which begins at "
                         "line 1)");
    is_refused(yaml_with("[!Ref b]", 8, 1, CF_YAML_TEXT), "1:2: the tag '!Ref' is not known");
    is_refused(yaml_with("!!set {b}", 9, 1, CF_YAML_TEXT),
               "1:1: the tag 'tag:yaml.org,2002:set' is not known");
}

static void points_in_time_remain_strings(void **state)
{
    static const char *const good[] = {
        "2001-12-14",
        "2001-1-2",
        "2000-02-29",
        "2001-12-14t21:59:43.10-05:00",
        "2001-12-14T21:59:43Z",
        "2001-12-14T1:2:3.123456789123Z",
        "2001-12-14 21:59:43.10",
        "2001-12-14   1:2:3,5",
    };
    static const char *const bad[] = {
        "x",
        "2001",
        "01-1-2",
        "2001-12-14T21:59:43",
        "2001-12-14 21:59:43 -5",
        "2001-13-14",
        "2001-02-29",
        "1900-02-29",
        "2001-0-1",
        "2001-1-0",
        "2001-1-32",
        "2001-12-14 24:00:00",
        "2001-12-14 23:60:00",
        "2001-12-14 23:00:60",
        "2001-12-14T21:59:43+5:00",
        "2001-12-14T21:59:43+25:00",
        "2001-12-14x",
        "2001-12-14 1:2:3.",
        "yes",
        "",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(good); i++) {
        char text[100], want[100];

        snprintf(text, sizeof(text), "[!!timestamp \"%s\"]", good[i]);
        snprintf(want, sizeof(want), "[\"%s\"]", good[i]);
        reads(text, want);
    }
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        char text[100];

        snprintf(text, sizeof(text), "[!!timestamp \"%s\"]", bad[i]);
        refuses(text, "1:2: the value is not a point in time (!!timestamp)");
    }
}

static void tags_with_a_type(void **state)
{
    (void)state;
    reads("[!!float 1, !!float 9007199254740993, !!float 1000000000000000000, !!float 1.5]",
          "[1,9007199254740992,1000000000000000000,1.5]");
    refuses("[!!float 9223372036854775808]", "1:2: the value is too large for a number (!!float)");
    refuses("[!!int 1.0]", "1:2: the value is not an integer (!!int)");
    reads("[!!int \"0x10\", !!bool 'yes', !!null \"~\", !!str ~]", "[16,true,null,\"~\"]");
}

static void keys_that_are_not_strings(void **state)
{
    (void)state;
    reads("{1: a, 0x10: b, 1.50: c, yes: d, 1e3: e, .nan: f, 2001-01-01: g}",
          "{\"1\":\"a\",\"16\":\"b\",\"1.5\":\"c\",\"true\":\"d\",\"1000\":\"e\",\".nan\":\"f\","
          "\"2001-01-01\":\"g\"}");
    refuses("~: 1\n", "1:1: a key that is null");
    refuses("a:\n  ? \n  : 1\n", "2:4: a key that is null");
    refuses("18446744073709551615: 1\n", "1:1: a key that is a number above 9223372036854775807");
    refuses("[&a ~, {*a : 1}]\n", "1:9: a key that is null");
    refuses("[&a [], {*a : 1}]\n", "1:10: a key that is an array");
    /* The value of an alias does not become a string by its use as a key, and the reverse. */
    reads("{&a 1: x, b: *a, &c yes: w, d: *c}", "{\"1\":\"x\",\"b\":1,\"true\":\"w\",\"d\":true}");
    reads("[&a 1e8, {*a : 1}, &b 0x10, {*b : 2}]", "[100000000,{\"1e+08\":1},16,{\"16\":2}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_is_decoded),
        cmocka_unit_test(merge_keys_are_assignments),
        cmocka_unit_test(values_that_cannot_be_merged),
        cmocka_unit_test(other_tags_are_ignored),
        cmocka_unit_test(points_in_time_remain_strings),
        cmocka_unit_test(tags_with_a_type),
        cmocka_unit_test(keys_that_are_not_strings),
    };

    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
