/* SPDX-License-Identifier: Apache-2.0 */
/* A review that can't be read causes an error that contains the path; others are decoded. */
#include "reviews.h"

/* ---- the envelope ---- */

static void invalid_envelopes(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "an AdmissionReview must be an object, not an array"},
        {"'x'", "an AdmissionReview must be an object, not a string"},
        {"null", "an AdmissionReview must be an object, not null"},
        {"{}", "not an AdmissionReview of apiVersion admission.k8s.io/v1"},
        {"{'kind':'AdmissionReview'}", "not an AdmissionReview of apiVersion admission.k8s.io/v1"},
        {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1beta1','request':{}}",
         "not an AdmissionReview of apiVersion admission.k8s.io/v1"},
        {"{'kind':'Pod','apiVersion':'admission.k8s.io/v1','request':{}}",
         "not an AdmissionReview of apiVersion admission.k8s.io/v1"},
        {"{'kind':['AdmissionReview'],'apiVersion':'admission.k8s.io/v1'}",
         "kind must be a string, not an array"},
        {"{'kind':'AdmissionReview','apiVersion':1}", "apiVersion must be a string, not a number"},
        {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1'}", "request is missing"},
        {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':null}",
         "request is missing"},
        {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':[]}",
         "request must be an object, not an array"},
        {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':true}",
         "request must be an object, not a boolean"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++)
        is_refused(q(cases[i].text), cases[i].message);
}

static void bytes_that_are_not_json(void **state)
{
    static const char *const texts[] = {
        "", " ", "{", "nope", "{}{}", "{\"a\":1,\"a\":2}", "\xff", "{\"a\":\"\\ud800\"}"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(texts); i++) {
        struct cf_request *request = NULL;

        assert_int_equal(cf_review_decode(arena, texts[i], strlen(texts[i]), &request, &err), -1);
        assert_int_equal(err.kind, CF_ERR_INPUT);
        assert_null(request);
        assert_true(strlen(err.msg) > 10);
        assert_true(err.offset <= strlen(texts[i]));
    }
}

/* A request with one member put in place of the good one. */
static const char *request_with(const char *member)
{
    static const struct {
        const char *key, *json;
    } good[] = {
        {"'uid':", "'u'"},
        {"'kind':", "{'group':'','version':'v1','kind':'Pod'}"},
        {"'operation':", "'CREATE'"},
        {"'object':", "{'metadata':{},'spec':{}}"},
    };
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_adds(&buf, "{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':{");
    for (size_t i = 0; i < CF_COUNT(good); i++) {
        if (!cf_starts_with(member, good[i].key))
            cf_buf_addf(&buf, "%s%s,", good[i].key, good[i].json);
    }
    cf_buf_addf(&buf, "%s}}", member);
    return q(cf_buf_str(&buf));
}

/* The error carries the path that the message begins with; that of an object is its own. */
static void has_path_of(const char *message)
{
    const char *must = strstr(message, " must be ");

    if (must == NULL)
        return;
    assert_non_null(err.path);
    assert_true(cf_ends_with(cf_arena_strndup(arena, message, (size_t)(must - message)),
                             cf_path_text(arena, err.path)));
}

static void members_of_the_request(void **state)
{
    static const struct {
        const char *member, *message;
    } cases[] = {
        {"'uid':null", "request.uid is missing"},
        {"'uid':''", "request.uid is missing"},
        {"'uid':7", "request.uid must be a string, not a number"},
        {"'kind':null", "request.kind.kind is missing"},
        {"'kind':{}", "request.kind.kind is missing"},
        {"'kind':'Pod'", "request.kind must be an object, not a string"},
        {"'kind':{'kind':['Pod']}", "request.kind.kind must be a string, not an array"},
        {"'kind':{'group':0,'kind':'Pod'}", "request.kind.group must be a string, not a number"},
        {"'operation':null", "request.operation must be CREATE, UPDATE, DELETE or CONNECT"},
        {"'operation':''", "request.operation must be CREATE, UPDATE, DELETE or CONNECT"},
        {"'operation':'create'", "request.operation must be CREATE, UPDATE, DELETE or CONNECT"},
        {"'operation':'PATCH'", "request.operation must be CREATE, UPDATE, DELETE or CONNECT"},
        {"'operation':{}", "request.operation must be a string, not an object"},
        {"'resource':'pods'", "request.resource must be an object, not a string"},
        {"'resource':{'resource':1}", "request.resource.resource must be a string, not a number"},
        {"'subResource':[]", "request.subResource must be a string, not an array"},
        {"'namespace':{}", "request.namespace must be a string, not an object"},
        {"'name':false", "request.name must be a string, not a boolean"},
        {"'dryRun':'true'", "request.dryRun must be a boolean, not a string"},
        {"'userInfo':'alice'", "request.userInfo must be an object, not a string"},
        {"'userInfo':{'username':[]}", "request.userInfo.username must be a string, not an array"},
        {"'userInfo':{'uid':1}", "request.userInfo.uid must be a string, not a number"},
        {"'userInfo':{'groups':'x'}", "request.userInfo.groups must be an array, not a string"},
        {"'userInfo':{'groups':['x',1]}",
         "request.userInfo.groups[1] must be a string, not a number"},
        {"'userInfo':{'groups':[null]}", "request.userInfo.groups[0] must be a string, not null"},
        {"'userInfo':{'extra':[]}", "request.userInfo.extra must be an object, not an array"},
        {"'userInfo':{'extra':{'authentication.kubernetes.io/credential-id':'JTI=1'}}",
         "request.userInfo.extra[\"authentication.kubernetes.io/credential-id\"] must be an array, "
         "not a string"},
        {"'userInfo':{'extra':{'authentication.kubernetes.io/pod-name':[1]}}",
         "request.userInfo.extra[\"authentication.kubernetes.io/pod-name\"][0] must be a string, "
         "not a number"},
        {"'userInfo':{'extra':{'authentication.kubernetes.io/node-name':[[]]}}",
         "request.userInfo.extra[\"authentication.kubernetes.io/node-name\"][0] must be a string, "
         "not an array"},
        {"'object':null", "request.object is missing: there is nothing to evaluate"},
        {"'object':[]", "request.object must be an object, not an array"},
        {"'object':'pod'", "request.object must be an object, not a string"},
        {"'operation':'UPDATE'", "request.oldObject is missing: there is nothing to evaluate"},
        {"'operation':'UPDATE','oldObject':3", "request.oldObject must be an object, not a number"},
        {"'operation':'UPDATE','oldObject':{'spec':{'volumes':{}}}",
         "request.oldObject.spec.volumes must be an array, not an object"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        is_refused(request_with(cases[i].member), cases[i].message);
        has_path_of(cases[i].message);
    }
}

static void members_that_may_be_null(void **state)
{
    static const char *const members[] = {
        "'name':null",
        "'namespace':null",
        "'subResource':null",
        "'resource':null",
        "'userInfo':null",
        "'dryRun':null",
        "'oldObject':null",
        "'userInfo':{'groups':null}",
        "'userInfo':{'extra':null}",
        "'unknown':[{}]",
        "'userInfo':{'extra':{'x':7}}",
        "'userInfo':{'extra':{'authentication.kubernetes.io/pod-name':[]}}",
        "'userInfo':{'extra':{'authentication.kubernetes.io/pod-name':null}}"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(members); i++) {
        const struct cf_request *request = decode(request_with(members[i]));

        assert_int_equal(request->kind, CF_KIND_POD);
        assert_string_equal(request->name, "");
        assert_string_equal(request->namespace, "");
        assert_string_equal(request->caller.username, "");
        assert_null(request->old_object);
    }
}

/* ---- the object: every member that a rule reads, with every wrong type ---- */

enum wanted { TEXT, LIST, OBJECT, BOOL, INTEGER };

struct member {
    const char *group, *kind;
    const char *path;     /* in messages */
    const char *template; /* % is the value */
    enum wanted wanted;
    bool never_null; /* an item of a list */
};

#define SPEC(path, template, wanted)                                                               \
    {                                                                                              \
        "", "Pod", "spec." path, "{'spec':" template "}", wanted, false                            \
    }
#define ITEM(path, template)                                                                       \
    {                                                                                              \
        "", "Pod", "spec." path, "{'spec':" template "}", OBJECT, true                             \
    }
#define META(path, template, wanted)                                                               \
    {                                                                                              \
        "", "Pod", "metadata" path, "{'metadata':" template "}", wanted, false                     \
    }
#define SOURCE(path, template, wanted)                                                             \
    SPEC("volumes[0].projected.sources[0]" path,                                                   \
         "{'volumes':[{'projected':{'sources':[" template "]}}]}", wanted)
#define VOLUME(path, template, wanted) SPEC("volumes[0]" path, "{'volumes':[" template "]}", wanted)
#define CONTAINER(path, template, wanted)                                                          \
    SPEC("containers[0]" path, "{'containers':[" template "]}", wanted)
#define DRIVER(type)                                                                               \
    VOLUME("." type, "{'" type "':%}", OBJECT),                                                    \
        VOLUME("." type ".secretRef", "{'" type "':{'secretRef':%}}", OBJECT),                     \
        VOLUME("." type ".secretRef.name", "{'" type "':{'secretRef':{'name':%}}}", TEXT)
#define SECRET(path, template, wanted)                                                             \
    {                                                                                              \
        "", "Secret", path, template, wanted, false                                                \
    }
#define LEGACY "'type':'kubernetes.io/service-account-token',"
#define REQUEST(path, template, wanted)                                                            \
    {                                                                                              \
        "authentication.k8s.io", "TokenRequest", path, template, wanted, false                     \
    }
#define CSI(path, template, wanted)                                                                \
    {                                                                                              \
        "storage.k8s.io", "CSIDriver", path, template, wanted, false                               \
    }

static const struct member members[] = {
    META("", "%", OBJECT),
    META(".name", "{'name':%}", TEXT),
    META(".generateName", "{'generateName':%}", TEXT),
    META(".labels", "{'labels':%}", OBJECT),
    META(".labels.pod-template-hash", "{'labels':{'pod-template-hash':%}}", TEXT),
    META(".labels[\"a.b/c-template-hash\"]", "{'labels':{'a.b/c-template-hash':%}}", TEXT),
    SPEC("automountServiceAccountToken", "{'automountServiceAccountToken':%}", BOOL),
    META(".annotations", "{'annotations':%}", OBJECT),
    META(".annotations[\"curfew.dev/fixed\"]", "{'annotations':{'curfew.dev/fixed':%}}", TEXT),
    {"", "Namespace", "metadata.labels", "{'metadata':{'labels':%}}", OBJECT, false},
    {"", "Namespace", "metadata.labels[\"curfew.dev/enforce\"]",
     "{'metadata':{'labels':{'curfew.dev/enforce':%}}}", TEXT, false},
    META(".ownerReferences", "{'ownerReferences':%}", LIST),
    META(".ownerReferences[0].controller", "{'ownerReferences':[{'controller':%}]}", BOOL),
    META(".ownerReferences[0].kind", "{'ownerReferences':[{'controller':true,'kind':%}]}", TEXT),
    META(".ownerReferences[0].name", "{'ownerReferences':[{'controller':true,'name':%}]}", TEXT),
    {"", "Pod", "metadata.ownerReferences[1]", "{'metadata':{'ownerReferences':[{},%]}}", OBJECT,
     true},
    {"", "Pod", "spec", "{'spec':%}", OBJECT, false},
    SPEC("serviceAccountName", "{'serviceAccountName':%}", TEXT),
    SPEC("serviceAccount", "{'serviceAccount':%}", TEXT),
    SPEC("nodeName", "{'nodeName':%}", TEXT),
    SPEC("volumes", "{'volumes':%}", LIST),
    ITEM("volumes[0]", "{'volumes':[%]}"),
    ITEM("volumes[1]", "{'volumes':[{},%]}"),
    VOLUME(".name", "{'name':%}", TEXT),
    VOLUME(".secret", "{'secret':%}", OBJECT),
    VOLUME(".secret.secretName", "{'secret':{'secretName':%}}", TEXT),
    VOLUME(".secret.defaultMode", "{'secret':{'defaultMode':%}}", INTEGER),
    VOLUME(".secret.items", "{'secret':{'items':%}}", LIST),
    ITEM("volumes[0].secret.items[0]", "{'volumes':[{'secret':{'items':[%]}}]}"),
    VOLUME(".secret.items[0].key", "{'secret':{'items':[{'key':%}]}}", TEXT),
    VOLUME(".secret.items[0].path", "{'secret':{'items':[{'path':%}]}}", TEXT),
    VOLUME(".secret.items[0].mode", "{'secret':{'items':[{'mode':%}]}}", INTEGER),
    VOLUME(".projected", "{'projected':%}", OBJECT),
    VOLUME(".projected.defaultMode", "{'projected':{'defaultMode':%}}", INTEGER),
    VOLUME(".projected.sources", "{'projected':{'sources':%}}", LIST),
    ITEM("volumes[0].projected.sources[0]", "{'volumes':[{'projected':{'sources':[%]}}]}"),
    SOURCE(".serviceAccountToken", "{'serviceAccountToken':%}", OBJECT),
    SOURCE(".serviceAccountToken.path", "{'serviceAccountToken':{'path':%}}", TEXT),
    SOURCE(".serviceAccountToken.audience", "{'serviceAccountToken':{'audience':%}}", TEXT),
    SOURCE(".serviceAccountToken.expirationSeconds",
           "{'serviceAccountToken':{'expirationSeconds':%}}", INTEGER),
    SOURCE(".secret", "{'secret':%}", OBJECT),
    SOURCE(".secret.name", "{'secret':{'name':%}}", TEXT),
    SOURCE(".secret.items", "{'secret':{'items':%}}", LIST),
    SOURCE(".secret.items[0].mode", "{'secret':{'items':[{'mode':%}]}}", INTEGER),
    SOURCE(".configMap", "{'configMap':%}", OBJECT),
    SOURCE(".configMap.name", "{'configMap':{'name':%}}", TEXT),
    SOURCE(".configMap.items", "{'configMap':{'items':%}}", LIST),
    SOURCE(".configMap.items[0].path", "{'configMap':{'items':[{'path':%}]}}", TEXT),
    SOURCE(".downwardAPI", "{'downwardAPI':%}", OBJECT),
    SOURCE(".downwardAPI.items", "{'downwardAPI':{'items':%}}", LIST),
    SOURCE(".downwardAPI.items[0].path", "{'downwardAPI':{'items':[{'path':%}]}}", TEXT),
    SOURCE(".clusterTrustBundle", "{'clusterTrustBundle':%}", OBJECT),
    SOURCE(".clusterTrustBundle.path", "{'clusterTrustBundle':{'path':%}}", TEXT),
    SOURCE(".podCertificate", "{'podCertificate':%}", OBJECT),
    SOURCE(".podCertificate.keyPath", "{'podCertificate':{'keyPath':%}}", TEXT),
    SOURCE(".podCertificate.credentialBundlePath", "{'podCertificate':{'credentialBundlePath':%}}",
           TEXT),
    SOURCE(".podCertificate.certificateChainPath", "{'podCertificate':{'certificateChainPath':%}}",
           TEXT),
    VOLUME(".csi", "{'csi':%}", OBJECT),
    VOLUME(".csi.nodePublishSecretRef", "{'csi':{'nodePublishSecretRef':%}}", OBJECT),
    VOLUME(".csi.nodePublishSecretRef.name", "{'csi':{'nodePublishSecretRef':{'name':%}}}", TEXT),
    VOLUME(".azureFile", "{'azureFile':%}", OBJECT),
    VOLUME(".azureFile.secretName", "{'azureFile':{'secretName':%}}", TEXT),
    DRIVER("flexVolume"),
    DRIVER("cephfs"),
    DRIVER("cinder"),
    DRIVER("iscsi"),
    DRIVER("rbd"),
    DRIVER("scaleIO"),
    DRIVER("storageos"),
    SPEC("containers", "{'containers':%}", LIST),
    SPEC("initContainers", "{'initContainers':%}", LIST),
    SPEC("ephemeralContainers", "{'ephemeralContainers':%}", LIST),
    ITEM("containers[0]", "{'containers':[%]}"),
    ITEM("initContainers[0]", "{'initContainers':[%]}"),
    ITEM("ephemeralContainers[0]", "{'ephemeralContainers':[%]}"),
    CONTAINER(".name", "{'name':%}", TEXT),
    CONTAINER(".env", "{'env':%}", LIST),
    ITEM("containers[0].env[0]", "{'containers':[{'env':[%]}]}"),
    CONTAINER(".env[0].name", "{'env':[{'name':%}]}", TEXT),
    CONTAINER(".env[0].valueFrom", "{'env':[{'valueFrom':%}]}", OBJECT),
    CONTAINER(".env[0].valueFrom.secretKeyRef", "{'env':[{'valueFrom':{'secretKeyRef':%}}]}",
              OBJECT),
    CONTAINER(".env[0].valueFrom.secretKeyRef.name",
              "{'env':[{'valueFrom':{'secretKeyRef':{'name':%}}}]}", TEXT),
    CONTAINER(".envFrom", "{'envFrom':%}", LIST),
    ITEM("containers[0].envFrom[0]", "{'containers':[{'envFrom':[%]}]}"),
    CONTAINER(".envFrom[0].secretRef", "{'envFrom':[{'secretRef':%}]}", OBJECT),
    CONTAINER(".envFrom[0].secretRef.name", "{'envFrom':[{'secretRef':{'name':%}}]}", TEXT),
    CONTAINER(".volumeMounts", "{'volumeMounts':%}", LIST),
    ITEM("containers[0].volumeMounts[0]", "{'containers':[{'volumeMounts':[%]}]}"),
    CONTAINER(".volumeMounts[0].name", "{'volumeMounts':[{'name':%}]}", TEXT),
    CONTAINER(".volumeMounts[0].subPath", "{'volumeMounts':[{'subPath':%}]}", TEXT),
    CONTAINER(".volumeMounts[0].subPathExpr", "{'volumeMounts':[{'subPathExpr':%}]}", TEXT),
    {"apps", "Deployment", "spec", "{'spec':%}", OBJECT, false},
    {"apps", "Deployment", "spec.template", "{'spec':{'template':%}}", OBJECT, false},
    {"apps", "Deployment", "spec.template.spec", "{'spec':{'template':{'spec':%}}}", OBJECT, false},
    {"apps", "Deployment", "spec.template.spec.volumes",
     "{'spec':{'template':{'spec':{'volumes':%}}}}", LIST, false},
    {"batch", "CronJob", "spec.jobTemplate.spec.template.spec.serviceAccountName",
     "{'spec':{'jobTemplate':{'spec':{'template':{'spec':{'serviceAccountName':%}}}}}}", TEXT,
     false},
    {"", "PodTemplate", "template.spec.serviceAccountName",
     "{'template':{'spec':{'serviceAccountName':%}}}", TEXT, false},
    SECRET("type", "{'type':%}", TEXT),
    SECRET("data", "{" LEGACY "'data':%}", OBJECT),
    SECRET("data.token", "{" LEGACY "'data':{'token':%}}", TEXT),
    SECRET("metadata.annotations[\"kubernetes.io/service-account.name\"]",
           "{'metadata':{'annotations':{'kubernetes.io/service-account.name':%}}}", TEXT),
    SECRET("metadata.annotations[\"kubernetes.io/service-account.uid\"]",
           "{'metadata':{'annotations':{'kubernetes.io/service-account.uid':%}}}", TEXT),
    SECRET("metadata.labels[\"kubernetes.io/legacy-token-invalid-since\"]",
           "{'metadata':{'labels':{'kubernetes.io/legacy-token-invalid-since':%}}}", TEXT),
    {"", "ServiceAccount", "metadata.annotations[\"rbac.kubernetes.io/restricted-by-node\"]",
     "{'metadata':{'annotations':{'rbac.kubernetes.io/restricted-by-node':%}}}", TEXT, false},
    {"", "ServiceAccount", "secrets", "{'secrets':%}", LIST, false},
    {"", "ServiceAccount", "secrets[0]", "{'secrets':[%]}", OBJECT, true},
    {"", "ServiceAccount", "secrets[0].name", "{'secrets':[{'name':%}]}", TEXT, false},
    REQUEST("spec", "{'spec':%}", OBJECT),
    REQUEST("spec.expirationSeconds", "{'spec':{'expirationSeconds':%}}", INTEGER),
    REQUEST("spec.audiences", "{'spec':{'audiences':%}}", LIST),
    {"authentication.k8s.io", "TokenRequest", "spec.audiences[0]", "{'spec':{'audiences':[%]}}",
     TEXT, true},
    REQUEST("spec.boundObjectRef", "{'spec':{'boundObjectRef':%}}", OBJECT),
    REQUEST("spec.boundObjectRef.kind", "{'spec':{'boundObjectRef':{'kind':%}}}", TEXT),
    REQUEST("spec.boundObjectRef.name", "{'spec':{'boundObjectRef':{'name':%}}}", TEXT),
    CSI("spec", "{'spec':%}", OBJECT),
    CSI("spec.tokenRequests", "{'spec':{'tokenRequests':%}}", LIST),
    {"storage.k8s.io", "CSIDriver", "spec.tokenRequests[0]", "{'spec':{'tokenRequests':[%]}}",
     OBJECT, true},
    CSI("spec.tokenRequests[0].audience", "{'spec':{'tokenRequests':[{'audience':%}]}}", TEXT),
    CSI("spec.tokenRequests[0].expirationSeconds",
        "{'spec':{'tokenRequests':[{'expirationSeconds':%}]}}", INTEGER),
};

/* The template with the value in place of %. */
static const char *filled(const struct member *m, const char *value)
{
    const char *at = strchr(m->template, '%');

    return cf_arena_printf(arena, "%.*s%s%s", (int)(at - m->template), m->template, value, at + 1);
}

static const char *review_with(const struct member *m, const char *value, bool old)
{
    const char *object = filled(m, value);

    return REVIEW(.operation = old ? "UPDATE" : "CREATE", .group = m->group, .kind = m->kind,
                  .namespace = "shop", .object = old ? "{}" : object,
                  .old_object = old ? object : NULL);
}

static void every_member_with_every_type(void **state)
{
    static const struct {
        const char *value, *is;
        enum wanted right;
    } values[] = {
        {"'x'", "a string", TEXT}, {"7", "a number", INTEGER},  {"true", "a boolean", BOOL},
        {"[]", "an array", LIST},  {"{}", "an object", OBJECT}, {"false", "a boolean", BOOL},
        {"null", "null", TEXT},
    };
    static const char *const names[] = {"a string", "an array", "an object", "a boolean",
                                        "a number"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(members); i++) {
        const struct member *m = &members[i];

        for (size_t j = 0; j < CF_COUNT(values); j++) {
            bool is_null = strcmp(values[j].value, "null") == 0;
            const char *message = cf_arena_printf(arena, "request.object.%s must be %s, not %s",
                                                  m->path, names[m->wanted], values[j].is);

            if (is_null ? !m->never_null : values[j].right == m->wanted)
                (void)decode(review_with(m, values[j].value, false));
            else
                is_refused(review_with(m, values[j].value, false), message);
        }
        cf_arena_reset(arena, false);
    }
}

static void the_old_object_as_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < CF_COUNT(members); i++) {
        const struct member *m = &members[i];
        const char *wrong = m->wanted == BOOL ? "0" : "true";
        struct cf_request *request;
        const char *text = review_with(m, wrong, true);

        assert_int_equal(cf_review_decode(arena, text, strlen(text), &request, &err), -1);
        has_part(err.msg, cf_arena_printf(arena, "request.oldObject.%s must be ", m->path));
        cf_arena_reset(arena, false);
    }
}

/* The text of an integer must match -?[0-9]+ and fit in int64. */
static void integers(void **state)
{
    static const char *const wrong[] = {"1e3",
                                        "3600.0",
                                        "0.5",
                                        "1E3",
                                        "-0.0",
                                        "1.0e0",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999999999",
                                        "1e400"};
    static const char *const right[] = {
        "0", "-1", "-0", "3607", "9223372036854775807", "-9223372036854775808"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(members); i++) {
        const struct member *m = &members[i];

        if (m->wanted != INTEGER)
            continue;
        for (size_t j = 0; j < CF_COUNT(wrong); j++)
            is_refused(review_with(m, wrong[j], false),
                       cf_arena_printf(arena,
                                       "request.object.%s must be an integer within 64 bits, "
                                       "written in digits alone",
                                       m->path));
        for (size_t j = 0; j < CF_COUNT(right); j++)
            (void)decode(review_with(m, right[j], false));
        is_refused(
            review_with(m, "'3600'", false),
            cf_arena_printf(arena, "request.object.%s must be a number, not a string", m->path));
    }
}

/* ---- objects that no rule evaluates are not decoded ---- */

static void kinds_that_no_rule_knows(void **state)
{
    static const struct review cases[] = {
        {.group = "example.com", .kind = "Pod", .object = "[1]"},
        {.group = "example.com", .kind = "Secret", .object = "7"},
        {.kind = "Endpoints", .object = "{'metadata':7}"},
        {.group = "autoscaling", .kind = "Scale", .subresource = "scale", .object = "{'spec':1}"},
        {.kind = "Pod", .operation = "DELETE", .old_object = "{'spec':1}"},
        {.kind = "Pod", .operation = "CONNECT", .object = "{'spec':1}"},
        {.kind = "PodExecOptions", .operation = "CONNECT", .subresource = "exec"},
        {.kind = "Pod", .subresource = "status", .operation = "UPDATE", .object = "{'spec':1}"},
        {.kind = "Binding", .subresource = "binding", .object = "{'spec':1}"},
        {.kind = "Pod", .subresource = "log", .object = "{'spec':1}"},
        {.group = "apps", .kind = "Deployment", .subresource = "status", .object = "{'spec':1}"},
        {.kind = "ServiceAccount", .subresource = "other", .object = "{'secrets':1}"},
        {.kind = "Node", .operation = "UPDATE"},
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        const struct cf_request *request = decode(review(&cases[i]));

        assert_int_equal(request->kind, CF_KIND_OTHER);
        assert_null(request->object);
        assert_null(request->old_object);
    }
}

/* Labels change through all of them; the namespace's name is that of its own namespace. */
static void namespaces_and_their_subresources(void **state)
{
    static const char *const names[] = {NULL, "status", "finalize", "of-tomorrow"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(names); i++) {
        const struct cf_request *request =
            decode(REVIEW(.kind = "Namespace", .operation = "UPDATE", .subresource = names[i],
                          .name = "shop", .old_object = "{}",
                          .object = "{'metadata':{'labels':{'curfew.dev/warn':'baseline'}}}"));

        assert_int_equal(request->kind, CF_KIND_NAMESPACE);
        assert_string_equal(request->namespace, "shop");
        assert_string_equal(request->object->namespace.labels[CF_WARN], "baseline");
        assert_null(request->object->namespace.labels[CF_ENFORCE]);
        assert_null(request->old_object->namespace.labels[CF_WARN]);
    }
    assert_string_equal(
        decode(REVIEW(.kind = "Namespace", .object = "{'metadata':{'name':'a'}}"))->namespace, "a");
    assert_int_equal(
        decode(REVIEW(.kind = "Namespace", .operation = "DELETE", .old_object = "{}"))->kind,
        CF_KIND_OTHER);
}

/* An unknown subresource that contains a pod is evaluated: version skew fails safe. */
static void subresources_that_are_evaluated(void **state)
{
    static const char *const names[] = {"ephemeralcontainers", "resize", "of-tomorrow"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(names); i++) {
        const struct cf_request *request =
            decode(REVIEW(.kind = "Pod", .operation = "UPDATE", .subresource = names[i],
                          .object = "{}", .old_object = "{}"));

        assert_int_equal(request->kind, CF_KIND_POD);
        assert_non_null(request->old_object);
    }
    assert_int_equal(decode(REVIEW(.group = "authentication.k8s.io", .kind = "TokenRequest",
                                   .subresource = "token", .object = "{}"))
                         ->kind,
                     CF_KIND_TOKEN_REQUEST);
}

/* Fields that no rule reads are dropped, but must still be valid JSON. */
static void fields_that_no_rule_reads(void **state)
{
    const struct cf_request *request = decode(
        REVIEW(.kind = "Pod", .object = "{'metadata':{'managedFields':[{'a':1}],'annotations':{"
                                        "'kubectl.kubernetes.io/last-applied-configuration':'x'}},"
                                        "'status':{'phase':7},'spec':{'affinity':7}}"));
    struct cf_request *unread;
    const char *text;

    (void)state;
    assert_true(request->object->has_annotations);
    assert_int_equal(cf_json_count(request->object->annotations.values), 0);
    assert_null(cf_json_pointer(request->object->json, "/metadata/managedFields"));
    assert_null(cf_json_pointer(request->object->json, "/status"));
    /* What kubectl apply keeps of a Secret or a ConfigMap is read. */
    for (size_t i = 0; i < 2; i++) {
        request =
            decode(REVIEW(.kind = i == 0 ? "Secret" : "ConfigMap",
                          .object = "{'metadata':{'managedFields':[{'a':1}],'annotations':{"
                                    "'kubectl.kubernetes.io/last-applied-configuration':'x'}}}"));
        assert_int_equal(cf_json_count(request->object->annotations.values), 1);
        assert_null(cf_json_pointer(request->object->json, "/metadata/managedFields"));
    }
    text = REVIEW(.kind = "Pod", .object = "{'metadata':{'managedFields':[1,]}}");
    assert_int_equal(cf_review_decode(arena, text, strlen(text), &unread, &err), -1);
    assert_int_equal(err.kind, CF_ERR_INPUT);
}

/* ---- what is read ---- */

static void a_whole_request(void **state)
{
    const struct cf_request *r = decode(
        REVIEW(.operation = "UPDATE", .kind = "Pod", .resource = "pods",
               .subresource = "ephemeralcontainers", .namespace = "shop", .name = "web-1",
               .user = "{'username':'system:serviceaccount:ci:bot','uid':'u-2','groups':['a','b'],"
                       "'extra':{'authentication.kubernetes.io/credential-id':['JTI=7'],"
                       "'authentication.kubernetes.io/pod-name':['bot-1'],"
                       "'authentication.kubernetes.io/node-name':['n1','n2']}}",
               .object = "{'metadata':{'name':'x'}}", .old_object = "{'metadata':{'name':'y'}}"));

    (void)state;
    assert_string_equal(r->uid, "u-1");
    assert_int_equal(r->operation, CF_UPDATE);
    assert_string_equal(r->resource, "pods");
    assert_string_equal(r->subresource, "ephemeralcontainers");
    assert_string_equal(r->namespace, "shop");
    assert_string_equal(r->name, "web-1");
    assert_false(r->dry_run);
    assert_string_equal(r->caller.username, "system:serviceaccount:ci:bot");
    assert_string_equal(r->caller.uid, "u-2");
    assert_int_equal(r->caller.group_count, 2);
    assert_string_equal(r->caller.groups[1], "b");
    assert_string_equal(r->caller.credential_id, "JTI=7");
    assert_string_equal(r->caller.pod_name, "bot-1");
    assert_string_equal(r->caller.node_name, "n1");
    assert_string_equal(r->object->name, "x");
    assert_string_equal(r->old_object->name, "y");
}

static void requests_that_hold_a_secret_are_marked(void **state)
{
    (void)state;
    assert_true(decode(REVIEW(.kind = "Secret", .object = "{}"))->holds_secret);
    assert_true(decode(REVIEW(.kind = "ConfigMap", .object = "{}"))->holds_secret);
    assert_true(decode(REVIEW(.kind = "Secret", .operation = "DELETE"))->holds_secret);
    assert_false(decode(REVIEW(.kind = "Pod", .object = "{}"))->holds_secret);
}

static void dry_runs_and_cluster_scoped_objects(void **state)
{
    const struct cf_request *r = decode(request_with("'dryRun':true"));

    (void)state;
    assert_true(r->dry_run);
    r = decode(REVIEW(.group = "storage.k8s.io", .kind = "CSIDriver", .name = "d", .object = "{}"));
    assert_int_equal(r->kind, CF_KIND_CSI_DRIVER);
    assert_string_equal(r->namespace, "");
    r = decode(REVIEW(.kind = "Pod", .object = "{'metadata':{'generateName':'web-'}}"));
    assert_string_equal(r->name, "");
    assert_string_equal(r->object->generate_name, "web-");
}

/* A lack of memory is a system error, not an input error. */
static void out_of_memory(void **state)
{
    const char *text = POD_IN("shop", LEGACY_POD);
    size_t len = strlen(text);
    char *copy = malloc(len);
    bool fitted = false;

    (void)state;
    assert_non_null(copy);
    memcpy(copy, text, len);
    for (size_t ceiling = 64; !fitted; ceiling += 64) {
        struct cf_arena *small = cf_arena_new(ceiling);
        struct cf_request *request = NULL;

        fitted = cf_review_decode(small, copy, len, &request, &err) == 0;
        if (!fitted)
            assert_int_equal(err.kind, CF_ERR_SYSTEM);
        assert_true(fitted == (request != NULL));
        cf_arena_free(small);
    }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(invalid_envelopes),
        TEST(bytes_that_are_not_json),
        TEST(members_of_the_request),
        TEST(members_that_may_be_null),
        TEST(every_member_with_every_type),
        TEST(the_old_object_as_well),
        TEST(integers),
        TEST(kinds_that_no_rule_knows),
        TEST(namespaces_and_their_subresources),
        TEST(subresources_that_are_evaluated),
        TEST(fields_that_no_rule_reads),
        TEST(a_whole_request),
        TEST(requests_that_hold_a_secret_are_marked),
        TEST(dry_runs_and_cluster_scoped_objects),
        TEST(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
