/* SPDX-License-Identifier: Apache-2.0 */
/* store_model.h - a small cluster without ids, edges and counts: arrays of objects,
 * printed as JSON for the store, and every answer worked out from all of them. */
#ifndef CURFEW_TEST_STORE_MODEL_H
#define CURFEW_TEST_STORE_MODEL_H

#include "test.h"

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/refs.h"
#include "curfew/store.h"
#include "curfew/str.h"

#define NAMESPACES 3
#define NODES 3
#define NAMES 4 /* of Secrets, ConfigMaps, claims in a namespace */
#define PODS 7  /* in a namespace */
#define VOLUMES 6
#define REFS 5
#define OWNERS 3

static const char *const uids[] = {"",
                                   "uid-1",
                                   "uid-2",
                                   "8d7e4a2c-0f1b-4c3d-9e8f-a0b1c2d3e4f5",
                                   "8d7e4a2c-0f1b-4c3d-9e8f-a0b1c2d3e4f6",
                                   "00000000-0000-0000-9e8f-a0b1c2d3e4f6"};

struct model_ref {
    enum cf_ref_what what; /* CF_REF_SECRET, CF_REF_CONFIG_MAP, CF_REF_TOKEN */
    unsigned via;          /* a Secret's; of ConfigMaps the first four */
    unsigned name;
    unsigned container; /* 0: init, 1: regular, 2: ephemeral */
    bool given;
    int seconds;
};

struct model_pod {
    bool there;
    unsigned uid;
    int node; /* -1: none */
    unsigned account;
    bool mirror;
    unsigned owner; /* 0: none */
    struct model_ref refs[REFS];
    unsigned ref_count;
    unsigned claims; /* bits */
    bool ephemeral;
};

struct model_volume {
    bool there;
    int namespace, claim; /* of the claimRef; -1: none */
    unsigned uid;
    int secret; /* in the namespace `secret_ns`; -1: none */
    unsigned secret_ns;
    int node;
};

struct model {
    struct {
        bool there;
        int label[CF_MODES]; /* -1: none */
    } namespaces[NAMESPACES];
    struct {
        bool there, plain, used, invalid;
        unsigned owner; /* 0: none */
    } secrets[NAMESPACES][NAMES];
    struct {
        bool there, restricted;
    } accounts[NAMESPACES][NAMES];
    struct {
        bool there;
        unsigned uid;
    } claims[NAMESPACES][NAMES + PODS]; /* the second part: of ephemeral volumes */
    struct model_pod pods[NAMESPACES][PODS];
    struct model_volume volumes[VOLUMES];
};

static struct model model;
static struct cf_arena *arena;

/* ---- chance: the same on every run ---- */

static uint64_t chance_state;

static inline unsigned chance(unsigned below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (unsigned)(chance_state >> 33) % below;
}

/* ---- names ---- */

static inline const char *text(const char *prefix, unsigned n)
{
    return cf_arena_printf(arena, "%s%u", prefix, n);
}

static inline const char *claim_name(unsigned claim)
{
    return claim < NAMES ? text("claim-", claim)
                         : cf_arena_printf(arena, "pod-%u-scratch", claim - NAMES);
}

/* ---- JSON ---- */

static inline void add_meta(struct cf_buf *buf, const char *namespace, const char *name,
                            const char *uid)
{
    cf_buf_addf(buf, "\"metadata\":{\"name\":\"%s\"", name);
    if (namespace != NULL)
        cf_buf_addf(buf, ",\"namespace\":\"%s\"", namespace);
    if (uid[0] != '\0')
        cf_buf_addf(buf, ",\"uid\":\"%s\"", uid);
}

static inline const struct cf_json *parse(struct cf_buf *buf)
{
    struct cf_err err = {0};
    const struct cf_json *json = cf_json_parse(arena, cf_buf_str(buf), buf->len, NULL, NULL, &err);

    if (json == NULL)
        fail_msg("%s: %s", err.msg, cf_buf_str(buf));
    return json;
}

static inline void print_volume_ref(struct cf_buf *buf, const struct model_ref *ref, size_t index)
{
    const struct cf_driver *driver;

    cf_buf_addf(buf, "%s{\"name\":\"vol-%zu\",", index > 0 ? "," : "", index);
    if (ref->what == CF_REF_TOKEN) {
        cf_buf_adds(buf, "\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"t\"");
        if (ref->name > 0)
            cf_buf_addf(buf, ",\"audience\":\"aud-%u\"", ref->name);
        if (ref->given)
            cf_buf_addf(buf, ",\"expirationSeconds\":%d", ref->seconds);
        cf_buf_adds(buf, "}},{\"downwardAPI\":{}}]}}");
    } else if (ref->what == CF_REF_CONFIG_MAP) {
        cf_buf_addf(buf,
                    ref->via == CF_VIA_PROJECTED
                        ? "\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"map-%u\"}}]}}"
                        : "\"configMap\":{\"name\":\"map-%u\"}}",
                    ref->name);
    } else if (ref->via == CF_VIA_VOLUME) {
        cf_buf_addf(buf, "\"secret\":{\"secretName\":\"secret-%u\"}}", ref->name);
    } else if (ref->via == CF_VIA_PROJECTED) {
        cf_buf_addf(buf, "\"projected\":{\"sources\":[{\"secret\":{\"name\":\"secret-%u\"}}]}}",
                    ref->name);
    } else {
        driver = &cf_drivers[ref->via - CF_VIA_DRIVER];
        if (driver->ref != NULL)
            cf_buf_addf(buf, "\"%s\":{\"%s\":{\"%s\":\"secret-%u\"}}}", driver->type, driver->ref,
                        driver->name, ref->name);
        else
            cf_buf_addf(buf, "\"%s\":{\"%s\":\"secret-%u\"}}", driver->type, driver->name,
                        ref->name);
    }
}

static inline bool is_env(const struct model_ref *ref)
{
    return ref->what != CF_REF_TOKEN && (ref->via == CF_VIA_ENV || ref->via == CF_VIA_ENV_FROM);
}

static inline bool is_pull(const struct model_ref *ref)
{
    return ref->what == CF_REF_SECRET && ref->via == CF_VIA_IMAGE_PULL;
}

static inline void print_env_ref(struct cf_buf *buf, const struct model_ref *ref)
{
    bool map = ref->what == CF_REF_CONFIG_MAP;

    if (ref->via == CF_VIA_ENV)
        cf_buf_addf(buf,
                    "\"env\":[{\"name\":\"A\",\"value\":\"x\"},{\"name\":\"B\",\"valueFrom\":{"
                    "\"%s\":{\"name\":\"%s-%u\",\"key\":\"k\"}}}]",
                    map ? "configMapKeyRef" : "secretKeyRef", map ? "map" : "secret", ref->name);
    else
        cf_buf_addf(buf, "\"envFrom\":[{\"%s\":{\"name\":\"%s-%u\"}}]",
                    map ? "configMapRef" : "secretRef", map ? "map" : "secret", ref->name);
}

static inline void print_containers(struct cf_buf *buf, const struct model_pod *pod)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};

    for (unsigned list = 0; list < 3; list++) {
        bool first = true;

        cf_buf_addf(buf, ",\"%s\":[", lists[list]);
        for (unsigned i = 0; i < pod->ref_count; i++) {
            if (!is_env(&pod->refs[i]) || pod->refs[i].container != list)
                continue;
            cf_buf_addf(buf, "%s{\"name\":\"c-%u\",", first ? "" : ",", i);
            print_env_ref(buf, &pod->refs[i]);
            cf_buf_adds(buf, "}");
            first = false;
        }
        cf_buf_adds(buf, "]");
    }
}

static inline void print_volumes(struct cf_buf *buf, const struct model_pod *pod)
{
    size_t index = 0;

    cf_buf_adds(buf, ",\"volumes\":[");
    for (unsigned i = 0; i < pod->ref_count; i++) {
        if (!is_env(&pod->refs[i]) && !is_pull(&pod->refs[i]))
            print_volume_ref(buf, &pod->refs[i], index++);
    }
    for (unsigned claim = 0; claim < NAMES; claim++) {
        if ((pod->claims & 1u << claim) != 0)
            cf_buf_addf(buf,
                        "%s{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":"
                        "\"claim-%u\"}}",
                        index++ > 0 ? "," : "", claim);
    }
    if (pod->ephemeral)
        cf_buf_addf(buf, "%s{\"name\":\"scratch\",\"ephemeral\":{\"volumeClaimTemplate\":{}}}",
                    index > 0 ? "," : "");
    cf_buf_adds(buf, "]");
}

static inline void print_pull_secrets(struct cf_buf *buf, const struct model_pod *pod)
{
    bool first = true;

    cf_buf_adds(buf, ",\"imagePullSecrets\":[");
    for (unsigned i = 0; i < pod->ref_count; i++) {
        if (!is_pull(&pod->refs[i]))
            continue;
        cf_buf_addf(buf, "%s{\"name\":\"secret-%u\"}", first ? "" : ",", pod->refs[i].name);
        first = false;
    }
    cf_buf_adds(buf, "]");
}

static inline const struct cf_json *pod_json(unsigned ns, unsigned index)
{
    const struct model_pod *pod = &model.pods[ns][index];
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_adds(&buf, "{");
    add_meta(&buf, text("ns-", ns), text("pod-", index), uids[pod->uid]);
    if (pod->mirror)
        cf_buf_adds(&buf, ",\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}");
    if (pod->owner > 0)
        cf_buf_addf(&buf,
                    ",\"labels\":{\"pod-template-hash\":\"5f\"},\"ownerReferences\":[{\"kind\":"
                    "\"Node\",\"name\":\"n\"},{\"kind\":\"ReplicaSet\",\"name\":\"owner-%u-5f\","
                    "\"controller\":true}]",
                    pod->owner);
    cf_buf_addf(&buf, "},\"spec\":{\"serviceAccountName\":\"account-%u\"", pod->account);
    if (pod->node >= 0)
        cf_buf_addf(&buf, ",\"nodeName\":\"node-%d\"", pod->node);
    print_pull_secrets(&buf, pod);
    print_volumes(&buf, pod);
    print_containers(&buf, pod);
    cf_buf_adds(&buf, "},\"status\":{\"phase\":\"Succeeded\"}}");
    return parse(&buf);
}

static inline const struct cf_json *volume_json(unsigned index)
{
    const struct model_volume *volume = &model.volumes[index];
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_adds(&buf, "{");
    add_meta(&buf, NULL, text("volume-", index), "");
    cf_buf_adds(&buf, "},\"spec\":{\"capacity\":{}");
    if (volume->claim >= 0)
        cf_buf_addf(&buf, ",\"claimRef\":{\"namespace\":\"ns-%d\",\"name\":\"%s\",\"uid\":\"%s\"}",
                    volume->namespace, claim_name((unsigned)volume->claim), uids[volume->uid]);
    if (volume->secret >= 0)
        cf_buf_addf(&buf,
                    ",\"csi\":{\"controllerPublishSecretRef\":{\"name\":\"secret-%d\",\"namespace\""
                    ":\"ns-%u\"},\"nodeStageSecretRef\":{\"name\":\"secret-%d\",\"namespace\":"
                    "\"ns-%u\"}}",
                    (volume->secret + 1) % NAMES, volume->secret_ns, volume->secret,
                    volume->secret_ns);
    if (volume->node >= 0)
        cf_buf_addf(&buf,
                    ",\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[{\"matchExpressions\":"
                    "[{\"key\":\"kubernetes.io/hostname\",\"operator\":\"In\",\"values\":["
                    "\"node-%d\"]}]}]}}",
                    volume->node);
    cf_buf_adds(&buf, "}}");
    return parse(&buf);
}

static inline const struct cf_json *secret_json(unsigned ns, unsigned index)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_addf(&buf, "{\"kind\":\"%s\",",
                model.secrets[ns][index].plain ? "Secret" : "PartialObjectMetadata");
    add_meta(&buf, text("ns-", ns), text("secret-", index), "");
    if (model.secrets[ns][index].owner > 0)
        cf_buf_addf(&buf,
                    ",\"annotations\":{\"kubernetes.io/service-account.name\":\"account-%u\"}",
                    model.secrets[ns][index].owner);
    cf_buf_addf(&buf, ",\"labels\":{%s%s%s}}}",
                model.secrets[ns][index].used
                    ? "\"kubernetes.io/legacy-token-last-used\":\"2026-11-01\""
                    : "",
                model.secrets[ns][index].used && model.secrets[ns][index].invalid ? "," : "",
                model.secrets[ns][index].invalid
                    ? "\"kubernetes.io/legacy-token-invalid-since\":\"2026-11-02\""
                    : "");
    return parse(&buf);
}

static inline const struct cf_json *account_json(unsigned ns, unsigned index)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_adds(&buf, "{");
    add_meta(&buf, text("ns-", ns), text("account-", index), "");
    cf_buf_addf(&buf,
                ",\"annotations\":{\"rbac.kubernetes.io/restricted-by-node\":\"%s\"}},"
                "\"secrets\":[{\"name\":\"secret-0\"}]}",
                model.accounts[ns][index].restricted ? "true" : "false");
    return parse(&buf);
}

static inline const struct cf_json *claim_json(unsigned ns, unsigned index)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_adds(&buf, "{");
    add_meta(&buf, text("ns-", ns), claim_name(index), uids[model.claims[ns][index].uid]);
    cf_buf_adds(&buf, "}}");
    return parse(&buf);
}

static inline const struct cf_json *namespace_json(unsigned ns)
{
    static const char *const keys[CF_MODES] = {"enforce", "fix", "audit", "warn"};
    struct cf_buf buf;
    bool first = true;

    cf_buf_init_arena(&buf, arena, CF_MIB);
    cf_buf_adds(&buf, "{");
    add_meta(&buf, NULL, text("ns-", ns), "");
    cf_buf_adds(&buf, ",\"labels\":{");
    for (int mode = 0; mode < CF_MODES; mode++) {
        if (model.namespaces[ns].label[mode] < 0)
            continue;
        cf_buf_addf(&buf, "%s\"curfew.dev/%s\":\"%s\"", first ? "" : ",", keys[mode],
                    cf_level_name((enum cf_level)model.namespaces[ns].label[mode]));
        first = false;
    }
    cf_buf_adds(&buf, "}}}");
    return parse(&buf);
}

/* ---- answers, from all objects ---- */

static inline bool pod_names(const struct model_pod *pod, enum cf_ref_what what, unsigned name)
{
    for (unsigned i = 0; i < pod->ref_count; i++) {
        if (pod->refs[i].what == what && pod->refs[i].name == name)
            return true;
    }
    return false;
}

static inline bool pod_claims(const struct model_pod *pod, unsigned index, unsigned claim)
{
    return claim < NAMES ? (pod->claims & 1u << claim) != 0
                         : pod->ephemeral && claim - NAMES == index;
}

/* The claim of the volume exists and is the one that it is bound to. */
static inline bool is_linked(const struct model_volume *volume)
{
    return volume->there && volume->claim >= 0 && volume->uid > 0 &&
           model.claims[volume->namespace][volume->claim].there &&
           model.claims[volume->namespace][volume->claim].uid == volume->uid;
}

static inline bool pod_uses_volume(unsigned ns, unsigned index, const struct model_volume *volume)
{
    return is_linked(volume) && volume->namespace == (int)ns &&
           pod_claims(&model.pods[ns][index], index, (unsigned)volume->claim);
}

static inline bool pod_refers(unsigned pod_ns, unsigned index, enum cf_edge edge, unsigned ns,
                              unsigned name)
{
    const struct model_pod *pod = &model.pods[pod_ns][index];

    switch (edge) {
    case CF_EDGE_SECRET:
        for (unsigned v = 0; v < VOLUMES; v++) {
            if (pod_uses_volume(pod_ns, index, &model.volumes[v]) &&
                model.volumes[v].secret == (int)name && model.volumes[v].secret_ns == ns)
                return true;
        }
        return pod_ns == ns && pod_names(pod, CF_REF_SECRET, name);
    case CF_EDGE_CONFIG_MAP:
        return pod_ns == ns && pod_names(pod, CF_REF_CONFIG_MAP, name);
    case CF_EDGE_CLAIM:
        return pod_ns == ns && pod_claims(pod, index, name);
    case CF_EDGE_ACCOUNT:
        return pod_ns == ns && pod->account == name;
    case CF_EDGE_VOLUME:
        break;
    }
    return pod_uses_volume(pod_ns, index, &model.volumes[name]);
}

static inline enum cf_reach model_reach(enum cf_edge edge, unsigned ns, unsigned name, int node)
{
    bool own = false, others = false;

    for (unsigned n = 0; n < NAMESPACES; n++) {
        for (unsigned i = 0; i < PODS; i++) {
            const struct model_pod *pod = &model.pods[n][i];

            if (!pod->there || pod->mirror || pod->node < 0 || !pod_refers(n, i, edge, ns, name))
                continue;
            own = own || pod->node == node;
            others = others || pod->node != node;
        }
    }
    if (!own && edge == CF_EDGE_VOLUME && model.volumes[name].there &&
        model.volumes[name].node == node)
        return CF_REACH_OWN;
    if (!own)
        return CF_REACH_NONE;
    return others ? CF_REACH_SHARED : CF_REACH_OWN;
}

#endif
