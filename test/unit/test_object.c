/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of an object that rules read. test_decode.c tests wrong types. */
#include "reviews.h"

static struct cf_object object;

static const struct cf_object *decoded(const char *group, const char *kind, const char *text)
{
    const struct cf_json *json = cf_json_parse(arena, q(text), strlen(text), NULL, NULL, &err);
    const struct cf_kind_info *info = cf_kind_find(group, kind);

    if (json == NULL)
        fail_msg("%s", err.msg);
    assert_non_null(info);
    assert_int_equal(cf_object_decode(arena, json, info, "", &object, &err), 0);
    return &object;
}

static const struct cf_object *pod(const char *spec)
{
    return decoded("", "Pod", cf_arena_printf(arena, "{'spec':%s}", spec));
}

/* ---- kinds ---- */

static void kinds(void **state)
{
    static const struct {
        const char *group, *kind, *spoken, *pod_spec;
        enum cf_kind bit;
    } cases[] = {
        {"", "Pod", "pod", "/spec", CF_KIND_POD},
        {"", "PodTemplate", "podtemplate", "/template/spec", CF_KIND_TEMPLATE},
        {"", "ReplicationController", "replicationcontroller", "/spec/template/spec",
         CF_KIND_TEMPLATE},
        {"apps", "Deployment", "deployment", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"apps", "ReplicaSet", "replicaset", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"apps", "StatefulSet", "statefulset", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"apps", "DaemonSet", "daemonset", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"extensions", "Deployment", "deployment", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"extensions", "DaemonSet", "daemonset", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"batch", "Job", "job", "/spec/template/spec", CF_KIND_TEMPLATE},
        {"batch", "CronJob", "cronjob", "/spec/jobTemplate/spec/template/spec", CF_KIND_TEMPLATE},
        {"", "Secret", "secret", NULL, CF_KIND_SECRET},
        {"", "ServiceAccount", "serviceaccount", NULL, CF_KIND_SERVICE_ACCOUNT},
        {"authentication.k8s.io", "TokenRequest", "token request", NULL, CF_KIND_TOKEN_REQUEST},
        {"storage.k8s.io", "CSIDriver", "csidriver", NULL, CF_KIND_CSI_DRIVER},
        {"", "Namespace", "namespace", NULL, CF_KIND_NAMESPACE},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const struct cf_kind_info *info = cf_kind_find(cases[i].group, cases[i].kind);

        assert_non_null(info);
        assert_int_equal(info->bit, cases[i].bit);
        assert_string_equal(info->spoken, cases[i].spoken);
        assert_true(cf_streq(info->pod_spec, cases[i].pod_spec));
        assert_int_equal(info->cluster_scoped,
                         (info->bit & (CF_KIND_CSI_DRIVER | CF_KIND_NAMESPACE)) != 0);
    }
}

static void unknown_kinds(void **state)
{
    static const char *const cases[][2] = {
        {"apps", "Pod"},        {"", "Deployment"}, {"", "pod"},      {"extensions", "Pod"},
        {"extensions", "Job"},  {"v1", "Pod"},      {"", ""},         {"apps", "Namespace"},
        {"example.com", "Job"}, {"Apps", "Job"},    {"", "Endpoints"}};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        assert_null(cf_kind_find(cases[i][0], cases[i][1]));
    assert_null(cf_kind_find(NULL, "Pod"));
    assert_null(cf_kind_find("", NULL));
}

static void groups(void **state)
{
    (void)state;
    assert_string_equal(cf_api_group(arena, "v1"), "");
    assert_string_equal(cf_api_group(arena, "apps/v1"), "apps");
    assert_string_equal(cf_api_group(arena, "storage.k8s.io/v1beta1"), "storage.k8s.io");
    assert_string_equal(cf_api_group(arena, "/v1"), "");
    assert_string_equal(cf_api_group(arena, ""), "");
    assert_string_equal(cf_api_group(arena, NULL), "");
}

/* ---- metadata ---- */

static void nothing_at_all(void **state)
{
    static const char *const texts[] = {
        "{}", "{'metadata':null,'spec':null}",
        "{'metadata':{},'spec':{'volumes':null,'containers':null}}"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        decoded("", "Pod", texts[i]);
        assert_null(object.name);
        assert_null(object.generate_name);
        assert_null(object.owner_name);
        assert_false(object.mirror);
        assert_false(object.has_annotations);
        assert_int_equal(object.has_metadata, i == 2);
        assert_string_equal(object.pod.account, "default");
        assert_int_equal(object.pod.volume_count + object.pod.env_count, 0);
    }
}

static void metadata(void **state)
{
    (void)state;
    decoded(
        "", "Pod",
        "{'metadata':{'name':'web-1','generateName':'web-','labels':{'pod-template-hash':"
        "'abc'},'annotations':{'curfew.dev/fixed':'x','kubernetes.io/config.mirror':'y'},"
        "'ownerReferences':[{'kind':'A','name':'a'},{'kind':'B','name':'b','controller':false},"
        "{'kind':'C','name':'c','controller':true},{'kind':'D','name':'d','controller':true}]}}");
    assert_string_equal(object.name, "web-1");
    assert_string_equal(object.generate_name, "web-");
    assert_null(object.template_hash); /* the owner's name does not end with the hash */
    assert_string_equal(object.fixed_by, "x");
    assert_true(object.mirror);
    assert_true(object.has_annotations && object.has_metadata);
    assert_string_equal(object.owner_kind, "C");
    assert_string_equal(object.owner_name, "c");
    decoded("", "Pod", "{'metadata':{'annotations':null}}");
    assert_true(object.has_metadata);
    assert_false(object.has_annotations);
}

/* ---- pods ---- */

static void account(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "default"},
        {"{'serviceAccountName':''}", "default"},
        {"{'serviceAccountName':null,'serviceAccount':null}", "default"},
        {"{'serviceAccountName':'web'}", "web"},
        {"{'serviceAccount':'old'}", "old"},
        {"{'serviceAccount':''}", "default"},
        {"{'serviceAccountName':'','serviceAccount':'old'}", "old"},
        {"{'serviceAccountName':'web','serviceAccount':'old'}", "web"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        assert_string_equal(pod(cases[i][0])->pod.account, cases[i][1]);
}

static void a_secret_volume(void **state)
{
    const struct cf_volume *v;

    (void)state;
    v = pod("{'volumes':[{'name':'tok','secret':{'secretName':'s','defaultMode':256,'items':["
            "{'key':'token','path':'a','mode':288},{'key':'ca.crt','path':'b'},{}]}}]}")
            ->pod.volumes;
    assert_string_equal(v->name, "tok");
    assert_int_equal(v->type, CF_VOLUME_SECRET);
    assert_string_equal(v->secret->name, "s");
    assert_int_equal(v->secret->index, 0);
    assert_int_equal(object.secret_ref_count, 1);
    assert_string_equal(cf_path_text(arena, v->secret->at), "spec.volumes[0].secret.secretName");
    assert_int_equal(v->default_mode, 256);
    assert_int_equal(v->items.count, 3);
    assert_string_equal(v->items.items[0].key, "token");
    assert_string_equal(v->items.items[0].path, "a");
    assert_int_equal(v->items.items[0].mode, 288);
    assert_int_equal(v->items.items[1].mode, CF_MODE_NONE);
    assert_null(v->items.items[2].key);
    assert_null(v->items.items[2].path);
    assert_false(v->mixed);
}

static void a_projected_volume(void **state)
{
    const struct cf_volume *v;

    (void)state;
    v = pod("{'volumes':[{'name':'a'},{'name':'p','projected':{'defaultMode':420,'sources':["
            "{'serviceAccountToken':{'path':'t','audience':'vault','expirationSeconds':7200}},"
            "{'secret':{'name':'s','items':[{'key':'k','path':'p'}]}},"
            "{'configMap':{'name':'c'}},"
            "{'downwardAPI':{'items':[{'path':'ns','mode':256,'fieldRef':{}}]}},"
            "{'podCertificate':{'keyPath':'k','credentialBundlePath':'b',"
            "'certificateChainPath':'c'}},"
            "{'clusterTrustBundle':{'path':'ca'}},{}]}}]}")
            ->pod.volumes;
    assert_int_equal(v[0].type, CF_VOLUME_OTHER);
    assert_int_equal(v[1].type, CF_VOLUME_PROJECTED);
    assert_int_equal(v[1].index, 1);
    assert_int_equal(v[1].default_mode, 420);
    assert_int_equal(v[1].source_count, 6); /* an empty one says nothing */
    assert_int_equal(v[1].sources[0].type, CF_SOURCE_TOKEN);
    assert_string_equal(v[1].sources[0].token_path, "t");
    assert_string_equal(v[1].sources[0].audience, "vault");
    assert_true(v[1].sources[0].expiration.given);
    assert_int_equal(v[1].sources[0].expiration.seconds, 7200);
    assert_string_equal(
        cf_path_text(arena, v[1].sources[0].expiration.at),
        "spec.volumes[1].projected.sources[0].serviceAccountToken.expirationSeconds");
    assert_int_equal(v[1].sources[1].type, CF_SOURCE_SECRET);
    assert_string_equal(v[1].sources[1].secret->name, "s");
    assert_int_equal(v[1].sources[1].items.count, 1);
    assert_int_equal(v[1].sources[2].type, CF_SOURCE_CONFIG_MAP);
    assert_string_equal(v[1].sources[2].config_map, "c");
    assert_int_equal(v[1].sources[3].type, CF_SOURCE_DOWNWARD_API);
    assert_null(v[1].sources[3].items.items[0].key);
    assert_int_equal(v[1].sources[3].items.items[0].mode, 256);
    assert_int_equal(v[1].sources[4].type, CF_SOURCE_OTHER);
    assert_string_equal(v[1].sources[4].other_paths[0], "b");
    assert_string_equal(v[1].sources[4].other_paths[1], "k");
    assert_string_equal(v[1].sources[4].other_paths[2], "c");
    assert_string_equal(v[1].sources[5].other_paths[0], "ca");
    assert_null(v[1].sources[5].other_paths[1]);
}

static void expirations(void **state)
{
    static const char *const texts[] = {"{}", "{'expirationSeconds':null}",
                                        "{'expirationSeconds':3600}"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        const struct cf_expiration *e =
            &pod(cf_arena_printf(arena,
                                 "{'volumes':[{'projected':{'sources':[{'serviceAccountToken':%s}"
                                 "]}}]}",
                                 texts[i]))
                 ->pod.volumes[0]
                 .sources[0]
                 .expiration;

        assert_int_equal(e->seconds, 3600);
        assert_int_equal(e->given, i == 2);
    }
}

static void what_is_more_than_one_type(void **state)
{
    static const struct {
        const char *volume;
        bool mixed;
    } cases[] = {
        {"{'name':'a','secret':{}}", false},   {"{'secret':{},'emptyDir':null}", false},
        {"{'secret':{},'emptyDir':{}}", true}, {"{'name':'a','projected':{},'hostPath':{}}", true},
        {"{'projected':{},'x':0}", true},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        pod(cf_arena_printf(arena, "{'volumes':[%s,{'projected':{'sources':[%s]}}]}",
                            cases[i].volume, cases[i].volume));
        assert_int_equal(object.pod.volumes[0].mixed, cases[i].mixed);
        assert_int_equal(object.pod.volumes[1].sources[0].mixed, cases[i].mixed);
    }
}

static void drivers(void **state)
{
    static const char *const cases[][2] = {
        {"'csi':{'nodePublishSecretRef':{'name':'s'}}", "csi.nodePublishSecretRef"},
        {"'flexVolume':{'secretRef':{'name':'s'}}", "flexVolume.secretRef"},
        {"'azureFile':{'secretName':'s'}", "azureFile.secretName"},
        {"'cephfs':{'secretRef':{'name':'s'}}", "cephfs.secretRef"},
        {"'cinder':{'secretRef':{'name':'s'}}", "cinder.secretRef"},
        {"'iscsi':{'secretRef':{'name':'s'}}", "iscsi.secretRef"},
        {"'rbd':{'secretRef':{'name':'s'}}", "rbd.secretRef"},
        {"'scaleIO':{'secretRef':{'name':'s'}}", "scaleIO.secretRef"},
        {"'storageos':{'secretRef':{'name':'s'}}", "storageos.secretRef"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const struct cf_volume *v =
            pod(cf_arena_printf(arena, "{'volumes':[{%s}]}", cases[i][0]))->pod.volumes;

        assert_int_equal(v->type, CF_VOLUME_OTHER);
        assert_string_equal(v->secret->name, "s");
        assert_string_equal(v->secret_via, cases[i][1]);
    }
    assert_null(pod("{'volumes':[{'csi':{'driver':'x'}}]}")->pod.volumes[0].secret);
    assert_null(pod("{'volumes':[{'secret':{'secretName':''}}]}")->pod.volumes[0].secret);
}

/* init, regular, ephemeral; within each list the order is unchanged, env before envFrom. */
static void environments(void **state)
{
    static const char *const wanted[][3] = {{"setup", "A", "s1"},
                                            {"proxy", "", "s2"},
                                            {"app", "B", "s3"},
                                            {"app", NULL, "s4"},
                                            {"debug", "C", "s5"}};

    (void)state;
    pod("{'ephemeralContainers':[{'name':'debug','env':[{'name':'C','valueFrom':{'secretKeyRef':"
        "{'name':'s5'}}}]}],"
        "'containers':[{'name':'app','envFrom':[{'configMapRef':{'name':'c'}},{'secretRef':{"
        "'name':'s4','optional':true}}],'env':[{'name':'X','value':'x'},{'name':'B','valueFrom':{"
        "'secretKeyRef':{'name':'s3','key':'k'}}}]}],"
        "'initContainers':[{'name':'setup','env':[{'name':'A','valueFrom':{'secretKeyRef':{'name':"
        "'s1'}}}]},{'name':'proxy','restartPolicy':'Always','env':[{'valueFrom':{'secretKeyRef':{"
        "'name':'s2'}}}]}]}");
    assert_int_equal(object.pod.env_count, CF_COUNT(wanted));
    for (size_t i = 0; i < CF_COUNT(wanted); i++) {
        assert_string_equal(object.pod.env[i].container, wanted[i][0]);
        assert_true(cf_streq(object.pod.env[i].variable, wanted[i][1]));
        assert_string_equal(object.pod.env[i].secret.name, wanted[i][2]);
    }
    assert_string_equal(cf_path_text(arena, object.pod.env[3].secret.at),
                        "spec.containers[0].envFrom[1].secretRef.name");
}

static void sub_paths(void **state)
{
    (void)state;
    pod("{'volumes':[{'name':'a'},{'name':'b'},{'name':'c'},{'name':'d'},{}],"
        "'containers':[{'name':'app','volumeMounts':[{'name':'a','subPath':'x'},{'name':'b'},"
        "{'name':'c','subPath':''},{'name':'zz','subPath':'x'},{'subPath':'x'}]}],"
        "'initContainers':[{'name':'setup','volumeMounts':[{'name':'a','subPathExpr':'$(X)'}]}],"
        "'ephemeralContainers':[{'name':'debug','volumeMounts':[{'name':'d','subPath':'x'}]}]}");
    assert_int_equal(object.pod.volume_count, 4); /* an empty one is not kept */
    assert_string_equal(object.pod.volumes[0].sub_path_container, "setup");
    assert_null(object.pod.volumes[1].sub_path_container);
    assert_null(object.pod.volumes[2].sub_path_container);
    assert_string_equal(object.pod.volumes[3].sub_path_container, "debug");
}

static void templates(void **state)
{
    (void)state;
    decoded("batch", "CronJob",
            "{'spec':{'jobTemplate':{'spec':{'template':{'spec':{'volumes':[{'secret':{"
            "'secretName':'s'}}]}}}}}}");
    assert_string_equal(cf_path_text(arena, object.pod.volumes[0].secret->at),
                        "spec.jobTemplate.spec.template.spec.volumes[0].secret.secretName");
    assert_string_equal(cf_path_pointer(arena, object.pod.volumes[0].at),
                        "/spec/jobTemplate/spec/template/spec/volumes/0");
    decoded("", "PodTemplate", "{'template':{'spec':{'serviceAccountName':'web'}}}");
    assert_string_equal(object.pod.account, "web");
    decoded("", "ReplicationController", "{'spec':{'template':null}}");
    assert_int_equal(object.pod.volume_count, 0);
    assert_string_equal(object.pod.account, "default");
}

/* ---- the others ---- */

static void secrets(void **state)
{
    (void)state;
    decoded("", "Secret",
            "{'type':'kubernetes.io/service-account-token','metadata':{'annotations':{"
            "'kubernetes.io/service-account.name':'web','kubernetes.io/service-account.uid':'u'},"
            "'labels':{'kubernetes.io/legacy-token-invalid-since':'2026-01-01'}},"
            "'data':{'token':'dA=='}}");
    assert_true(object.secret.legacy_type);
    assert_string_equal(object.secret.account, "web");
    assert_string_equal(object.secret.account_uid, "u");
    assert_string_equal(object.secret.invalid_since, "2026-01-01");
    assert_string_equal(object.secret.token, "dA==");
    decoded("", "Secret", "{'type':'Opaque','data':{'token':'dA=='}}");
    assert_false(object.secret.legacy_type);
    assert_null(object.secret.token);
    assert_string_equal(object.secret.any_token, "dA==");
    assert_null(object.secret.plain_token);
    decoded("", "Secret", "{'data':{'token':'dA=='},'stringData':{'token':'t','x':'y'}}");
    assert_string_equal(object.secret.any_token, "dA==");
    assert_string_equal(object.secret.plain_token, "t");
    decoded("", "Secret", "{'data':{'token':null},'stringData':{'token':null}}");
    assert_null(object.secret.any_token);
    assert_string_equal(object.secret.plain_token, "");
    decoded("", "Secret", "{'type':'Kubernetes.io/service-account-token'}");
    assert_false(object.secret.legacy_type);
}

static void service_accounts(void **state)
{
    (void)state;
    decoded("", "ServiceAccount",
            "{'metadata':{'annotations':{'rbac.kubernetes.io/restricted-by-node':'true'}},"
            "'secrets':[{'name':'a'},{},{'name':''},{'name':'b'}]}");
    assert_string_equal(object.account.restricted_by_node, "true");
    assert_int_equal(object.account.secret_count, 2);
    assert_string_equal(object.account.secrets[1].name, "b");
    assert_string_equal(cf_path_text(arena, object.account.secrets[1].at), "secrets[3].name");
}

static void token_requests(void **state)
{
    (void)state;
    decoded("authentication.k8s.io", "TokenRequest",
            "{'spec':{'audiences':['a','b'],'expirationSeconds':600,'boundObjectRef':{'kind':'Pod',"
            "'name':'p'}}}");
    assert_int_equal(object.token_request.audience_count, 2);
    assert_string_equal(object.token_request.audiences[1], "b");
    assert_int_equal(object.token_request.expiration.seconds, 600);
    assert_string_equal(object.token_request.bound_kind, "Pod");
    assert_string_equal(object.token_request.bound_name, "p");
    decoded("authentication.k8s.io", "TokenRequest", "{'spec':{'audiences':null}}");
    assert_int_equal(object.token_request.audience_count, 0);
    assert_null(object.token_request.bound_kind);
    decoded("authentication.k8s.io", "TokenRequest", "{'spec':{'boundObjectRef':{}}}");
    assert_string_equal(object.token_request.bound_kind, "");
}

static void csi_drivers(void **state)
{
    (void)state;
    decoded("storage.k8s.io", "CSIDriver",
            "{'spec':{'tokenRequests':[{'audience':'a','expirationSeconds':60},{}]}}");
    assert_int_equal(object.csi_driver.token_count, 2);
    assert_string_equal(object.csi_driver.tokens[0].audience, "a");
    assert_int_equal(object.csi_driver.tokens[0].expiration.seconds, 60);
    assert_null(object.csi_driver.tokens[1].audience);
    assert_false(object.csi_driver.tokens[1].expiration.given);
}

static void count_ref(const struct cf_secret_ref *ref, void *arg)
{
    char *names = arg;

    strcat(names, ref->name);
    strcat(names, " ");
}

static void all_places_that_name_secrets(void **state)
{
    char names[128] = "";

    (void)state;
    pod("{'volumes':[{'secret':{'secretName':'a'}},{'projected':{'sources':[{'secret':{'name':'b'}}"
        ",{'secret':{'name':'c'}}]}},{'csi':{'nodePublishSecretRef':{'name':'d'}}}],"
        "'containers':[{'env':[{'valueFrom':{'secretKeyRef':{'name':'e'}}}],'envFrom':[{"
        "'secretRef':{'name':'f'}}]}]}");
    cf_object_secret_refs(&object, count_ref, names);
    assert_string_equal(names, "a b c d e f ");
    names[0] = '\0';
    decoded("", "ServiceAccount", "{'secrets':[{'name':'a'},{'name':'b'}]}");
    cf_object_secret_refs(&object, count_ref, names);
    assert_string_equal(names, "a b ");
    names[0] = '\0';
    decoded("", "Secret", "{}");
    cf_object_secret_refs(&object, count_ref, names);
    assert_string_equal(names, "");
}

/* The object is untouched when it can't be decoded. */
static void a_failure_changes_nothing(void **state)
{
    struct cf_object before = {.name = "before"};
    const char *text = "{\"spec\":{\"volumes\":7}}";
    const struct cf_json *json = cf_json_parse(arena, text, strlen(text), NULL, NULL, &err);

    (void)state;
    assert_int_equal(cf_object_decode(arena, json, cf_kind_find("", "Pod"), "x.", &before, &err),
                     -1);
    assert_string_equal(err.msg, "x.spec.volumes must be an array, not a number");
    assert_string_equal(before.name, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kinds),
        TEST(unknown_kinds),
        TEST(groups),
        TEST(nothing_at_all),
        TEST(metadata),
        TEST(account),
        TEST(a_secret_volume),
        TEST(a_projected_volume),
        TEST(expirations),
        TEST(what_is_more_than_one_type),
        TEST(drivers),
        TEST(environments),
        TEST(sub_paths),
        TEST(templates),
        TEST(secrets),
        TEST(service_accounts),
        TEST(token_requests),
        TEST(csi_drivers),
        TEST(all_places_that_name_secrets),
        TEST(a_failure_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
