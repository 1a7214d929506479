/* SPDX-License-Identifier: Apache-2.0 */
/* boundary.h - the cluster of the boundary's tests: two nodes, what runs there, and the callers. */
#ifndef CURFEW_TEST_BOUNDARY_H
#define CURFEW_TEST_BOUNDARY_H

#include "reviews.h"

#define RESTRICTED "'annotations':{'rbac.kubernetes.io/restricted-by-node':'true'}"
#define POD_HEAD(ns, name, uid)                                                                    \
    "{'apiVersion':'v1','kind':'Pod','metadata':{'namespace':'" ns "','name':'" name               \
    "','uid':'" uid "'}"
#define SECRET_VOLUME(name) "{'name':'" name "','secret':{'secretName':'" name "'}}"
#define CONFIG_VOLUME(name) "{'name':'" name "','configMap':{'name':'" name "'}}"
#define CLAIM_VOLUME(name) "{'name':'" name "','persistentVolumeClaim':{'claimName':'" name "'}}"
#define CLAIM(name, uid, volume)                                                                   \
    "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'namespace':'shop',"            \
    "'name':'" name "','uid':'" uid "'},'spec':{'volumeName':'" volume "'}}"
#define VOLUME(name, spec)                                                                         \
    "{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'" name "'},'spec':{" spec "}}"
#define CLAIMED(claim, uid) "'claimRef':{'namespace':'shop','name':'" claim "','uid':'" uid "'}"
#define ON_NODES(...)                                                                              \
    "'nodeAffinity':{'required':{'nodeSelectorTerms':[{'matchExpressions':[{'key':"                \
    "'kubernetes.io/hostname','operator':'In','values':[" __VA_ARGS__ "]}]}]}}"

static const char *const boundary_objects[] = {
    "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'namespace':'shop','name':'agent'"
    "," RESTRICTED "}}",
    "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'namespace':'shop','name':'web'}}",
    /* The agent itself, on both nodes. */
    POD_HEAD("shop", "agent-1",
             "u-agent-1") ",'spec':{'nodeName':'n1','serviceAccountName':"
                          "'agent','volumes':[" CONFIG_VOLUME("agent-config") "," SECRET_VOLUME(
                              "agent-secret") ","
                                              "{'name':'kube-api-access','projected':{'sources':[{'"
                                              "serviceAccountToken':{'path':'token'}},"
                                              "{'configMap':{'name':'kube-root-ca.crt'}},{'secret':"
                                              "{'name':'projected-secret'}}]}}],"
                                              "'imagePullSecrets':[{'name':'pull'}],'containers':[{"
                                              "'name':'c','env':[{'name':'A',"
                                              "'valueFrom':{'configMapKeyRef':{'name':'env-config',"
                                              "'key':'a'}}},{'name':'B','valueFrom':"
                                              "{'secretKeyRef':{'name':'env-secret','key':'a'}}}],'"
                                              "envFrom':[{'configMapRef':{'name':"
                                              "'from-config'}},{'secretRef':{'name':'from-secret'}}"
                                              "]}]}}",
    POD_HEAD("shop", "agent-2",
             "u-agent-2") ",'spec':{'nodeName':'n2','serviceAccountName':"
                          "'agent','volumes':[" CONFIG_VOLUME("agent-config") "]}}",
    /* What else runs there. */
    POD_HEAD("shop", "web-1", "u-web-1") ",'spec':{'nodeName':'n1','serviceAccountName':'web',"
                                         "'volumes':[" SECRET_VOLUME("db") "," SECRET_VOLUME(
                                             "shared") "," CLAIM_VOLUME("data-1") "]}}",
    POD_HEAD(
        "shop", "web-2",
        "u-web-2") ",'spec':{'nodeName':'n2','serviceAccountName':'api',"
                   "'volumes':[" SECRET_VOLUME("foreign") "," SECRET_VOLUME(
                       "shared") "," CONFIG_VOLUME("foreign-config") "," CLAIM_VOLUME("data-2") "]}"
                                                                                                "}",
    POD_HEAD("shop", "pending", "u-pending") ",'spec':{'serviceAccountName':'agent','volumes':"
                                             "[" SECRET_VOLUME("pending-secret") "]}}",
    "{'apiVersion':'v1','kind':'Pod','metadata':{'namespace':'shop','name':'mirror-n1','uid':"
    "'u-mirror','annotations':{'kubernetes.io/config.mirror':'x'}},'spec':{'nodeName':'n1',"
    "'volumes':[" SECRET_VOLUME("mirror-secret") "]}}",
    POD_HEAD("other", "web-1", "u-other") ",'spec':{'nodeName':'n2','serviceAccountName':'web'}}",
    CLAIM("data-1", "c-1", "pv-1"),
    CLAIM("data-2", "c-2", "pv-2"),
    VOLUME("pv-1",
           CLAIMED("data-1",
                   "c-1") ",'csi':{'driver':'d','volumeHandle':'h',"
                          "'nodePublishSecretRef':{'namespace':'storage','name':'pv-secret'}}"),
    VOLUME("pv-2",
           CLAIMED("data-2",
                   "c-2") ",'csi':{'driver':'d','volumeHandle':'h',"
                          "'nodePublishSecretRef':{'namespace':'storage','name':'pv-secret-2'}}"),
    VOLUME("pv-old-claim", CLAIMED("data-1", "c-0")),
    VOLUME("pv-local", ON_NODES("'n1'")),
    VOLUME("pv-both", ON_NODES("'n1','n2'")),
    VOLUME("pv-foreign", ON_NODES("'n2'")),
};

/* Callers. The extra of a pod's token, of a Node's token, and without a token. */
#define USER(ns, account, extra)                                                                   \
    "'system:serviceaccount:" ns ":" account "','groups':['system:serviceaccounts',"               \
    "'system:authenticated']" extra
#define EXTRA_KEY "'authentication.kubernetes.io/"
#define JTI EXTRA_KEY "credential-id':['JTI=7']"
#define FROM_NODE(node) EXTRA_KEY "node-name':['" node "']"
#define FROM_POD(pod, uid) EXTRA_KEY "pod-name':['" pod "']," EXTRA_KEY "pod-uid':['" uid "']"

#define AGENT                                                                                      \
    USER("shop", "agent",                                                                          \
         ",'extra':{" JTI "," FROM_POD("agent-1", "u-agent-1") "," FROM_NODE("n1") "}")
#define AGENT_BY_POD                                                                               \
    USER("shop", "agent", ",'extra':{" JTI "," FROM_POD("agent-1", "u-agent-1") "}")
#define AGENT_BY_OLD_POD USER("shop", "agent", ",'extra':{" JTI "," FROM_POD("agent-1", "u-0") "}")
#define AGENT_BY_GONE_POD USER("shop", "agent", ",'extra':{" JTI "," FROM_POD("gone", "u-1") "}")
#define AGENT_BY_PENDING_POD                                                                       \
    USER("shop", "agent", ",'extra':{" JTI "," FROM_POD("pending", "u-pending") "}")
#define AGENT_BY_NODE USER("shop", "agent", ",'extra':{" JTI "," FROM_NODE("n1") "}")
#define AGENT_UNBOUND USER("shop", "agent", ",'extra':{" JTI "}")
#define AGENT_LEGACY USER("shop", "agent", "")
#define WEB                                                                                        \
    USER("shop", "web", ",'extra':{" JTI "," FROM_POD("web-1", "u-web-1") "," FROM_NODE("n1") "}")

static inline int boundary_setup(void **state)
{
    if (reviews_setup(state) != 0)
        return -1;
    for (size_t i = 0; i < CF_COUNT(boundary_objects); i++)
        add_objects(store, boundary_objects[i]);
    cf_arena_reset(arena, false);
    return 0;
}

#define BOUNDARY_TEST(f) cmocka_unit_test_setup_teardown(f, boundary_setup, reviews_teardown)

/* "inside the boundary", "outside the boundary" or "no opinion", and why. */
static inline const char *place_of(const struct cf_outcome *outcome)
{
    return cf_boundary_explain(arena, outcome, policy);
}

#endif
