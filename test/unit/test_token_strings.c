/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "sign.h"

#include "curfew/attr.h"
#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/str.h"

static struct cf_arena *arena;
static char *token;

static int set_up(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    token = test_file("test/tokens/legacy.jwt");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cf_arena_free(arena);
    free(token);
    return 0;
}

/* Decodes JSON in which every @ stands for a token. */
static int decode(const char *group, const char *kind, const char *text, struct cf_object *out,
                  struct cf_err *err)
{
    char *json = calloc(1, strlen(text) * 700 + 1), *to = json;
    const struct cf_json *root;
    int rc;

    for (; *text != '\0'; text++)
        to += *text == '@' ? sprintf(to, "%s", token) : sprintf(to, "%c", *text);
    cf_arena_reset(arena, true);
    root = cf_json_parse(arena, json, strlen(json), NULL, NULL, err);
    if (root == NULL)
        fail_msg("%s", err->msg);
    rc = cf_object_decode(arena, root, cf_kind_find(group, kind), "", out, err);
    free(json);
    return rc;
}

static void unreadable(const char *group, const char *kind, const char *text, const char *sentence)
{
    struct cf_object object;
    struct cf_err err = {0};

    assert_int_equal(decode(group, kind, text, &object, &err), -1);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_string_equal(err.msg, sentence);
}

#define POD(container) "{\"spec\":{\"containers\":[{\"name\":\"c\"," container "}]}}"

static void wrong_types(void **state)
{
    (void)state;
    unreadable("", "Pod", POD("\"env\":[{\"name\":\"A\",\"value\":1}]"),
               "spec.containers[0].env[0].value must be a string, not a number");
    unreadable("", "Pod", POD("\"command\":\"sh\""),
               "spec.containers[0].command must be an array, not a string");
    unreadable("", "Pod", POD("\"command\":[\"sh\",{}]"),
               "spec.containers[0].command[1] must be a string, not an object");
    unreadable("", "Pod", POD("\"args\":[true]"),
               "spec.containers[0].args[0] must be a string, not a boolean");
    unreadable("", "Pod", POD("\"livenessProbe\":[]"),
               "spec.containers[0].livenessProbe must be an object, not an array");
    unreadable("", "Pod", POD("\"readinessProbe\":{\"httpGet\":\"/\"}"),
               "spec.containers[0].readinessProbe.httpGet must be an object, not a string");
    unreadable(
        "", "Pod", POD("\"startupProbe\":{\"httpGet\":{\"httpHeaders\":{}}}"),
        "spec.containers[0].startupProbe.httpGet.httpHeaders must be an array, not an object");
    unreadable("", "Pod", POD("\"livenessProbe\":{\"httpGet\":{\"httpHeaders\":[1]}}"),
               "spec.containers[0].livenessProbe.httpGet.httpHeaders[0] must be an object, not a "
               "number");
    unreadable(
        "", "Pod", POD("\"livenessProbe\":{\"httpGet\":{\"httpHeaders\":[{\"value\":1}]}}"),
        "spec.containers[0].livenessProbe.httpGet.httpHeaders[0].value must be a string, not "
        "a number");
    unreadable("", "Pod", POD("\"livenessProbe\":{\"httpGet\":{\"path\":1}}"),
               "spec.containers[0].livenessProbe.httpGet.path must be a string, not a number");
    unreadable("", "Pod", "{\"spec\":{\"volumes\":[{\"csi\":{\"volumeAttributes\":{\"a\":1}}}]}}",
               "spec.volumes[0].csi.volumeAttributes.a must be a string, not a number");
    unreadable("", "Pod", "{\"spec\":{\"volumes\":[{\"flexVolume\":{\"options\":[]}}]}}",
               "spec.volumes[0].flexVolume.options must be an object, not an array");
    unreadable("", "Pod", POD("\"lifecycle\":1"),
               "spec.containers[0].lifecycle must be an object, not a number");
    unreadable("", "Pod", POD("\"lifecycle\":{\"preStop\":{\"exec\":{\"command\":[1]}}}"),
               "spec.containers[0].lifecycle.preStop.exec.command[0] must be a string, not a "
               "number");
    unreadable("", "Pod", "{\"metadata\":{\"annotations\":{\"a/b\":8080}}}",
               "metadata.annotations[\"a/b\"] must be a string, not a number");
    unreadable("apps", "Deployment",
               "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"port\":8080}}}}}",
               "spec.template.metadata.annotations.port must be a string, not a number");
    unreadable("apps", "Deployment", "{\"spec\":{\"template\":{\"metadata\":[]}}}",
               "spec.template.metadata must be an object, not an array");
    unreadable("", "ConfigMap", "{\"data\":{\"a\":{}}}", "data.a must be a string, not an object");
    unreadable("", "ConfigMap", "{\"binaryData\":[]}",
               "binaryData must be an object, not an array");
    unreadable("", "Secret", "{\"stringData\":{\"port\":5432}}",
               "stringData.port must be a string, not a number");
}

static void an_ordinary_pod_has_no_token_strings(void **state)
{
    struct cf_object o;
    struct cf_err err;

    (void)state;
    assert_int_equal(
        decode("", "Pod",
               POD("\"env\":[{\"name\":\"A\",\"value\":\"b\"},{\"name\":\"N\",\"value\":null}],"
                   "\"command\":[\"/bin/app\"],\"args\":[\"--listen\",\":8080\"],"
                   "\"livenessProbe\":{\"httpGet\":{\"httpHeaders\":[{\"name\":\"Host\","
                   "\"value\":\"example.com\"}]}}"),
               &o, &err),
        0);
    assert_int_equal(o.pod.text_count, 0);
    assert_null(o.annotations.values);
    assert_null(o.pod_annotations.values);
}

static void texts_in_order(void **state)
{
    static const struct {
        const char *path, *container, *field, *name;
    } wanted[] = {
        {"spec.initContainers[0].args[1]", "i", "args", NULL},
        {"spec.containers[0].env[1].value", "a", "env", "T"},
        {"spec.containers[0].command[0]", "a", "command", NULL},
        {"spec.containers[0].livenessProbe.httpGet.httpHeaders[1].value", "a", "livenessProbe",
         "H"},
        {"spec.containers[1].lifecycle.postStart.httpGet.httpHeaders[0].value", "b", "postStart",
         "X"},
        {"spec.containers[1].lifecycle.preStop.exec.command[1]", "b", "preStop", NULL},
        {"spec.ephemeralContainers[0].env[0].value", "e", "env", "E"},
    };
    struct cf_object o;
    struct cf_err err;

    (void)state;
    assert_int_equal(decode("", "Pod",
                            "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"e\",\"env\":[{"
                            "\"name\":\"E\",\"value\":\"@\"}]}],"
                            "\"initContainers\":[{\"name\":\"i\",\"args\":[\"x\",\"@\"]}],"
                            "\"containers\":[{\"name\":\"a\",\"livenessProbe\":{\"httpGet\":{"
                            "\"httpHeaders\":[{},{\"name\":\"H\","
                            "\"value\":\"Bearer "
                            "@\"}]}},\"command\":[\"@\"],\"env\":[{\"name\":\"S\",\"value\":\"x\"},"
                            "{\"name\":\"T\",\"value\":\"@\"}]},{\"name\":\"b\",\"lifecycle\":{"
                            "\"preStop\":{\"exec\":"
                            "{\"command\":[\"sh\",\"@\"]}},\"postStart\":{\"httpGet\":{"
                            "\"httpHeaders\":[{\"name\":\"X\","
                            "\"value\":\"@\"}]}}}}]}}",
                            &o, &err),
                     0);
    assert_int_equal(o.pod.text_count, CF_COUNT(wanted));
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        const struct cf_text *t = &o.pod.texts[i];

        assert_string_equal(cf_path_text(arena, t->at), wanted[i].path);
        assert_string_equal(t->container, wanted[i].container);
        assert_string_equal(t->field, wanted[i].field);
        assert_true(cf_streq(t->name, wanted[i].name));
        assert_non_null(strstr(t->text, token));
    }
}

/* The options of volume drivers come first, then the targets of probes and hooks. */
static void texts_of_volumes_and_handlers(void **state)
{
    static const struct {
        const char *path, *volume, *container, *field, *part, *name;
    } wanted[] = {
        {"spec.volumes[1].csi.volumeAttributes[\"a/b\"]", "v", NULL, "csi.volumeAttributes", NULL,
         "a/b"},
        {"spec.volumes[2].flexVolume.options.o", "", NULL, "flexVolume.options", NULL, "o"},
        {"spec.containers[0].livenessProbe.httpGet.path", NULL, "a", "livenessProbe", "path", NULL},
        {"spec.containers[0].livenessProbe.httpGet.host", NULL, "a", "livenessProbe", "host", NULL},
        {"spec.containers[0].readinessProbe.grpc.service", NULL, "a", "readinessProbe", "service",
         NULL},
        {"spec.containers[0].lifecycle.preStop.tcpSocket.host", NULL, "a", "preStop", "host", NULL},
    };
    struct cf_object o;
    struct cf_err err;

    (void)state;
    assert_int_equal(
        decode("", "Pod",
               "{\"spec\":{\"volumes\":[{\"name\":\"e\",\"emptyDir\":{}},{\"name\":\"v\",\"csi\":{"
               "\"volumeAttributes\":{\"n\":null,\"x\":\"y\",\"a/b\":\"@\"}}},{\"flexVolume\":{"
               "\"options\":{\"o\":\"@\"}}}],\"containers\":[{\"name\":\"a\",\"livenessProbe\":{"
               "\"httpGet\":{\"path\":\"/?@\",\"host\":\"@\",\"port\":\"http\"}},"
               "\"readinessProbe\":{\"grpc\":{\"port\":1,\"service\":\"@\"}},"
               "\"startupProbe\":{\"grpc\":{\"port\":1,\"service\":null}},"
               "\"lifecycle\":{\"preStop\":{\"tcpSocket\":{\"host\":\"@\"}}}}]}}",
               &o, &err),
        0);
    assert_int_equal(o.pod.text_count, CF_COUNT(wanted));
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        const struct cf_text *t = &o.pod.texts[i];

        assert_string_equal(cf_path_text(arena, t->at), wanted[i].path);
        assert_true(cf_streq(t->volume, wanted[i].volume));
        assert_true(cf_streq(t->container, wanted[i].container));
        assert_string_equal(t->field, wanted[i].field);
        assert_true(cf_streq(t->part, wanted[i].part));
        assert_true(cf_streq(t->name, wanted[i].name));
        assert_non_null(strstr(t->text, token));
    }
}

static void maps(void **state)
{
    struct cf_object o;
    struct cf_err err;

    (void)state;
    assert_int_equal(
        decode("batch", "CronJob",
               "{\"metadata\":{\"annotations\":{\"a\":\"1\"}},\"spec\":{\"jobTemplate\":{\"spec\":"
               "{\"template\":{\"metadata\":{\"annotations\":{\"b\":\"2\",\"c\":null}}}}}}}",
               &o, &err),
        0);
    assert_string_equal(cf_path_text(arena, o.annotations.at), "metadata.annotations");
    assert_int_equal(cf_json_count(o.pod_annotations.values), 2);
    assert_string_equal(cf_path_text(arena, o.pod_annotations.at),
                        "spec.jobTemplate.spec.template.metadata.annotations");
    assert_int_equal(decode("", "Pod", "{\"metadata\":{\"annotations\":{\"a\":\"1\"}}}", &o, &err),
                     0);
    assert_null(o.pod_annotations.values);
    assert_int_equal(decode("", "PodTemplate",
                            "{\"template\":{\"metadata\":{\"annotations\":{\"a\":\"1\"}}}}", &o,
                            &err),
                     0);
    assert_string_equal(cf_path_text(arena, o.pod_annotations.at), "template.metadata.annotations");
    assert_int_equal(decode("", "ConfigMap",
                            "{\"data\":{\"a\":\"1\"},\"binaryData\":{\"b\":\"Mg==\"}}", &o, &err),
                     0);
    assert_int_equal(o.kind, CF_KIND_CONFIG_MAP);
    assert_string_equal(o.kind_name, "configmap");
    assert_string_equal(cf_path_text(arena, o.contents[0].at), "data");
    assert_null(o.contents[1].values);
    assert_string_equal(cf_path_text(arena, o.contents[2].at), "binaryData");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_types),    cmocka_unit_test(an_ordinary_pod_has_no_token_strings),
        cmocka_unit_test(texts_in_order), cmocka_unit_test(texts_of_volumes_and_handlers),
        cmocka_unit_test(maps),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
