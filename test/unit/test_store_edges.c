/* SPDX-License-Identifier: Apache-2.0 */
/* What pods and volumes refer to, place by place, as Kubernetes' Node authorizer follows it. */
#include "reviews.h"

/* The objects are read as a watch brings them: without a kind. */
static void apply(enum cf_resource resource, const char *text, bool deleted)
{
    struct cf_store_change change = {.deleted = deleted};

    change.object = cf_json_parse(arena, q(text), strlen(text), NULL, NULL, &err);
    if (change.object == NULL || cf_store_apply(store, resource, &change, 1, &err) != 0)
        fail_msg("%s: %s", err.msg, text);
}

static void pod_with(const char *node, const char *spec)
{
    apply(CF_PODS,
          cf_arena_printf(arena,
                          "{'metadata':{'name':'p','namespace':'a','uid':'u1'},'spec':{"
                          "'nodeName':'%s',%s}}",
                          node, spec),
          false);
}

static void reaches(enum cf_edge edge, const char *namespace, const char *name, const char *node,
                    enum cf_reach wanted)
{
    enum cf_reach got = cf_store_reach(store, edge, namespace, name, node);

    if (got != wanted)
        fail_msg("%s/%s on %s: %d, not %d", namespace, name, node, (int)got, (int)wanted);
}

#define CONTAINER(list, rest) "'" list "':[{'name':'x'},{'name':'c'," rest "}]"
#define VOLUME(rest) "'volumes':[{'name':'x','emptyDir':{}},{'name':'v'," rest "}]"

static void every_reference_of_a_pod(void **state)
{
    static const struct {
        const char *spec;
        enum cf_edge edge;
        const char *name;
    } cases[] = {
        {CONTAINER("containers", "'envFrom':[{'prefix':'P'},{'secretRef':{'name':'s'}}]"),
         CF_EDGE_SECRET, "s"},
        {CONTAINER("initContainers", "'envFrom':[{'secretRef':{'name':'s','optional':true}}]"),
         CF_EDGE_SECRET, "s"},
        {CONTAINER("ephemeralContainers", "'envFrom':[{'secretRef':{'name':'s'}}]"), CF_EDGE_SECRET,
         "s"},
        {CONTAINER("containers",
                   "'env':[{'name':'A','value':'b'},{'name':'B','valueFrom':{'secretKeyRef':{"
                   "'name':'s','key':'k'}}}]"),
         CF_EDGE_SECRET, "s"},
        {CONTAINER("ephemeralContainers",
                   "'env':[{'name':'B','valueFrom':{'secretKeyRef':{'name':'s'}}}]"),
         CF_EDGE_SECRET, "s"},
        {CONTAINER("initContainers",
                   "'env':[{'name':'B','valueFrom':{'configMapKeyRef':{'name':'m'}}}]"),
         CF_EDGE_CONFIG_MAP, "m"},
        {CONTAINER("containers", "'envFrom':[{'configMapRef':{'name':'m'}}]"), CF_EDGE_CONFIG_MAP,
         "m"},
        {"'imagePullSecrets':[{},{'name':'s'}]", CF_EDGE_SECRET, "s"},
        {VOLUME("'secret':{'secretName':'s'}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'configMap':{'name':'m'}"), CF_EDGE_CONFIG_MAP, "m"},
        {VOLUME("'projected':{'sources':[{'downwardAPI':{}},{'secret':{'name':'s'}}]}"),
         CF_EDGE_SECRET, "s"},
        {VOLUME("'projected':{'sources':[{'configMap':{'name':'m'}}]}"), CF_EDGE_CONFIG_MAP, "m"},
        {VOLUME("'csi':{'driver':'d','nodePublishSecretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'flexVolume':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'azureFile':{'secretName':'s'}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'cephfs':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'cinder':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'iscsi':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'rbd':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'scaleIO':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'storageos':{'secretRef':{'name':'s'}}"), CF_EDGE_SECRET, "s"},
        {VOLUME("'persistentVolumeClaim':{'claimName':'c'}"), CF_EDGE_CLAIM, "c"},
        {VOLUME("'ephemeral':{'volumeClaimTemplate':{}}"), CF_EDGE_CLAIM, "p-v"},
        {"'serviceAccountName':'w'", CF_EDGE_ACCOUNT, "w"},
        {"'serviceAccount':'w'", CF_EDGE_ACCOUNT, "w"},
        {"'hostNetwork':true", CF_EDGE_ACCOUNT, "default"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        pod_with("n1", cases[i].spec);
        reaches(cases[i].edge, "a", cases[i].name, "n1", CF_REACH_OWN);
        reaches(cases[i].edge, "a", cases[i].name, "n2", CF_REACH_NONE);
        reaches(cases[i].edge, "b", cases[i].name, "n1", CF_REACH_NONE);
        /* Moved, replaced, gone. */
        pod_with("n2", cases[i].spec);
        reaches(cases[i].edge, "a", cases[i].name, "n1", CF_REACH_NONE);
        reaches(cases[i].edge, "a", cases[i].name, "n2", CF_REACH_OWN);
        pod_with("n2", "'serviceAccountName':'other'");
        reaches(cases[i].edge, "a", cases[i].name, "n2", CF_REACH_NONE);
        pod_with("n2", cases[i].spec);
        apply(CF_PODS, "{'metadata':{'name':'p','namespace':'a'}}", true);
        reaches(cases[i].edge, "a", cases[i].name, "n2", CF_REACH_NONE);
    }
}

static void fields_that_are_not_references(void **state)
{
    static const char *const specs[] = {
        VOLUME("'secret':{}"),
        VOLUME("'secret':{'secretName':''}"),
        VOLUME("'configMap':null"),
        VOLUME("'emptyDir':{'secretName':'s'}"),
        VOLUME("'csi':{'nodeStageSecretRef':{'name':'s'}}"),
        CONTAINER("containers", "'env':[{'name':'s','value':'s'},{'name':'s'}]"),
        CONTAINER("containers", "'env':null,'envFrom':[]"),
        "'resourceClaims':[{'name':'s'}]",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(specs); i++) {
        pod_with("n1", specs[i]);
        reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_NONE);
        reaches(CF_EDGE_CONFIG_MAP, "a", "s", "n1", CF_REACH_NONE);
        reaches(CF_EDGE_SECRET, "a", "", "n1", CF_REACH_NONE);
        reaches(CF_EDGE_SECRET, "a", "s", "", CF_REACH_NONE);
    }
}

static void shared_with_other_nodes(void **state)
{
    (void)state;
    pod_with("n1", VOLUME("'secret':{'secretName':'s'}"));
    apply(CF_PODS,
          "{'metadata':{'name':'q','namespace':'a'},'spec':{" VOLUME(
              "'secret':{'secretName':'s'}") "}}",
          false);
    reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_OWN); /* q sits nowhere yet */
    apply(CF_PODS,
          "{'metadata':{'name':'q','namespace':'a'},'spec':{'nodeName':'n2'," VOLUME(
              "'secret':{'secretName':'s'}") "}}",
          false);
    reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_SHARED);
    reaches(CF_EDGE_SECRET, "a", "s", "n2", CF_REACH_SHARED);
    reaches(CF_EDGE_SECRET, "a", "s", "n3", CF_REACH_NONE);
    /* Named twice by one pod it is still that node's own. */
    apply(CF_PODS, "{'metadata':{'name':'q','namespace':'a'}}", true);
    pod_with("n1", VOLUME("'secret':{'secretName':'s'}") ",'imagePullSecrets':[{'name':'s'}]");
    reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_OWN);
}

/* A kubelet makes them as it likes. */
static void mirror_pods(void **state)
{
    struct cf_store_pod pod, *pods;

    (void)state;
    apply(CF_PODS,
          "{'metadata':{'name':'m','namespace':'a','annotations':{'kubernetes.io/config.mirror':"
          "'x'}},'spec':{'nodeName':'n1','volumes':[{'name':'s','secret':{'secretName':'s'}},{"
          "'name':'c','persistentVolumeClaim':{'claimName':'c'}},{'name':'m','configMap':{'name':"
          "'m'}}]}}",
          false);
    reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_NONE);
    reaches(CF_EDGE_CONFIG_MAP, "a", "m", "n1", CF_REACH_NONE);
    reaches(CF_EDGE_CLAIM, "a", "c", "n1", CF_REACH_NONE);
    reaches(CF_EDGE_ACCOUNT, "a", "default", "n1", CF_REACH_NONE);
    assert_true(cf_store_pod(store, arena, "a", "m", &pod));
    assert_true(pod.mirror);
    assert_string_equal(pod.node, "n1");
    assert_int_equal(cf_store_pods_of_secret(store, arena, "a", "s", 9, &pods), 1);
}

/* The authorizer does not follow an account's secrets[], so they have no edges. */
static void secrets_of_an_account(void **state)
{
    (void)state;
    apply(CF_ACCOUNTS,
          "{'metadata':{'name':'w','namespace':'a'},'secrets':[{'name':'s'}],'imagePullSecrets':[{"
          "'name':'s'}]}",
          false);
    pod_with("n1", "'serviceAccountName':'w'");
    reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_NONE);
}

/* The same name, another pod: of the first one nothing is left. */
static void a_pod_with_the_same_name_replaces_it(void **state)
{
    struct cf_store_pod pod;

    (void)state;
    pod_with("n1", VOLUME("'secret':{'secretName':'s'}"));
    apply(CF_PODS,
          "{'metadata':{'name':'p','namespace':'a','uid':"
          "'0d5ab5a2-7a4e-4f0e-8c6e-3d1f6a7c9b10'},'spec':{'serviceAccountName':'w'}}",
          false);
    reaches(CF_EDGE_SECRET, "a", "s", "n1", CF_REACH_NONE);
    assert_true(cf_store_pod(store, arena, "a", "p", &pod));
    assert_string_equal(pod.uid, "0d5ab5a2-7a4e-4f0e-8c6e-3d1f6a7c9b10");
    assert_string_equal(pod.node, "");
    assert_string_equal(pod.account, "w");
    assert_string_equal(pod.workload, "p");
}

/* ---- volumes ---- */

#define CLAIM(uid) "{'metadata':{'name':'c','namespace':'a','uid':'" uid "'}}"
#define PV(uid, rest)                                                                              \
    "{'metadata':{'name':'v'},'spec':{'claimRef':{'namespace':'a','name':'c','uid':'" uid          \
    "'}" rest "}}"
#define ITS_SECRET ",'rbd':{'secretRef':{'name':'s','namespace':'d'}}"

static void volumes_by_their_claim(void **state)
{
    (void)state;
    pod_with("n1", VOLUME("'persistentVolumeClaim':{'claimName':'c'}"));
    apply(CF_VOLUMES, PV("u", ITS_SECRET), false);
    reaches(CF_EDGE_VOLUME, "", "v", "n1", CF_REACH_NONE); /* its claim is unknown */
    apply(CF_CLAIMS, CLAIM("u"), false);
    reaches(CF_EDGE_VOLUME, "", "v", "n1", CF_REACH_OWN);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_OWN);
    reaches(CF_EDGE_SECRET, "d", "s", "n2", CF_REACH_NONE);
    /* The claim was created again: the volume belongs to the old one. */
    apply(CF_CLAIMS, CLAIM("u2"), false);
    reaches(CF_EDGE_VOLUME, "", "v", "n1", CF_REACH_NONE);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_NONE);
    reaches(CF_EDGE_CLAIM, "a", "c", "n1", CF_REACH_OWN);
    apply(CF_VOLUMES, PV("u2", ITS_SECRET), false);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_OWN);
    apply(CF_VOLUMES, PV("", ITS_SECRET), false);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_NONE);
    apply(CF_CLAIMS, CLAIM(""), false);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_NONE);
    apply(CF_VOLUMES, PV("u", ITS_SECRET), false);
    apply(CF_CLAIMS, CLAIM("u"), false);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_OWN);
    apply(CF_VOLUMES, PV("u", ITS_SECRET), true);
    reaches(CF_EDGE_VOLUME, "", "v", "n1", CF_REACH_NONE);
    reaches(CF_EDGE_SECRET, "d", "s", "n1", CF_REACH_NONE);
}

static void secrets_of_a_volume(void **state)
{
    static const struct {
        const char *source, *namespace; /* NULL: not reached */
    } cases[] = {
        {"'azureFile':{'secretName':'s','secretNamespace':'d'}", "d"},
        {"'azureFile':{'secretName':'s'}", "a"},
        {"'cephfs':{'secretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'cephfs':{'secretRef':{'name':'s'}}", "a"},
        {"'flexVolume':{'secretRef':{'name':'s'}}", "a"},
        {"'rbd':{'secretRef':{'name':'s'}}", "a"},
        {"'scaleIO':{'secretRef':{'name':'s'}}", "a"},
        {"'iscsi':{'secretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'cinder':{'secretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'cinder':{'secretRef':{'name':'s'}}", NULL},
        {"'storageos':{'secretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'csi':{'nodePublishSecretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'csi':{'nodeStageSecretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'csi':{'nodeExpandSecretRef':{'name':'s','namespace':'d'}}", "d"},
        {"'csi':{'nodeStageSecretRef':{'name':'s'}}", NULL},
        {"'csi':{'controllerPublishSecretRef':{'name':'s','namespace':'d'}}", NULL},
        {"'csi':{'controllerExpandSecretRef':{'name':'s','namespace':'d'}}", NULL},
        {"'nfs':{'server':'s'}", NULL},
    };

    (void)state;
    pod_with("n1", VOLUME("'persistentVolumeClaim':{'claimName':'c'}"));
    apply(CF_CLAIMS, CLAIM("u"), false);
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const char *wanted = cases[i].namespace;

        apply(CF_VOLUMES, cf_arena_printf(arena, PV("u", ",%s"), cases[i].source), false);
        reaches(CF_EDGE_VOLUME, "", "v", "n1", CF_REACH_OWN);
        reaches(CF_EDGE_SECRET, "a", "s", "n1",
                cf_streq(wanted, "a") ? CF_REACH_OWN : CF_REACH_NONE);
        reaches(CF_EDGE_SECRET, "d", "s", "n1",
                cf_streq(wanted, "d") ? CF_REACH_OWN : CF_REACH_NONE);
    }
}

#define TERMS(...)                                                                                 \
    "{'metadata':{'name':'v'},'spec':{'nodeAffinity':{'required':{'nodeSelectorTerms':"            \
    "[" __VA_ARGS__ "]}}}}"
#define ON(list, key, operator, values)                                                            \
    "{'" list "':[{'key':'" key "','operator':'" operator"','values':[" values "]}]}"
#define HOST(values) ON("matchExpressions", "kubernetes.io/hostname", "In", values)

static void volumes_by_their_affinity(void **state)
{
    static const struct {
        const char *volume;
        bool reached; /* on n1 */
    } cases[] = {
        {TERMS(HOST("'n1'")), true},
        {TERMS(HOST("'n2'")), false},
        {TERMS(HOST("'n1','n2'")), false},
        {TERMS(HOST("'n1'") "," HOST("'n1'")), true},
        {TERMS(HOST("'n1'") "," HOST("'n2'")), false},
        {TERMS(HOST("'n1'") ",{}"), false},
        {TERMS(ON("matchFields", "metadata.name", "In", "'n1'")), true},
        {TERMS(ON("matchFields", "metadata.name", "NotIn", "'n1'")), false},
        {TERMS(ON("matchFields", "kubernetes.io/hostname", "In", "'n1'")), false},
        {TERMS(ON("matchExpressions", "topology.kubernetes.io/zone", "In", "'n1'")), false},
        {TERMS(ON("matchExpressions", "kubernetes.io/hostname", "Exists", "'n1'")), false},
        {TERMS("{'matchExpressions':[{'key':'zone','operator':'In','values':['z']},{'key':"
               "'kubernetes.io/hostname','operator':'In','values':['n1']}]}"),
         true},
        {TERMS("{'matchExpressions':[{'key':'kubernetes.io/hostname','operator':'In','values':["
               "'n1']},{'key':'kubernetes.io/hostname','operator':'In','values':['n2']}]}"),
         false},
        {TERMS(""), false},
        {"{'metadata':{'name':'v'},'spec':{'nodeAffinity':{}}}", false},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        apply(CF_VOLUMES, cases[i].volume, false);
        reaches(CF_EDGE_VOLUME, "", "v", "n1", cases[i].reached ? CF_REACH_OWN : CF_REACH_NONE);
    }
    apply(CF_VOLUMES, cases[0].volume, false);
    apply(CF_VOLUMES, cases[0].volume, true);
    reaches(CF_EDGE_VOLUME, "", "v", "n1", CF_REACH_NONE);
}

/* ---- limits ---- */

/* As many references as one object can have: they are sorted, not compared pairwise. */
static void a_pod_full_of_references(void **state)
{
    struct cf_buf buf;

    (void)state;
    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_buf_adds(&buf, "'imagePullSecrets':[");
    for (unsigned i = 0; i < 60000; i++)
        cf_buf_addf(&buf, "%s{'name':'s%u'}", i > 0 ? "," : "", i / 2);
    cf_buf_adds(&buf, "]");
    pod_with("n1", cf_buf_str(&buf));
    reaches(CF_EDGE_SECRET, "a", "s0", "n1", CF_REACH_OWN);
    reaches(CF_EDGE_SECRET, "a", "s29999", "n1", CF_REACH_OWN);
    reaches(CF_EDGE_SECRET, "a", "s30000", "n1", CF_REACH_NONE);
    apply(CF_PODS, "{'metadata':{'name':'p','namespace':'a'}}", true);
    reaches(CF_EDGE_SECRET, "a", "s0", "n1", CF_REACH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_reference_of_a_pod),  TEST(fields_that_are_not_references),
        TEST(shared_with_other_nodes),   TEST(mirror_pods),
        TEST(secrets_of_an_account),     TEST(a_pod_with_the_same_name_replaces_it),
        TEST(volumes_by_their_claim),    TEST(secrets_of_a_volume),
        TEST(volumes_by_their_affinity), TEST(a_pod_full_of_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
