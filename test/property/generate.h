/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h - pods, templates and token requests at random, over all that rules read: every way
 * to name a Secret, every shape of items and modes, expirations around every bound. What the API
 * server would refuse is among them too, because /mutate sees objects before validation. */
#ifndef CURFEW_TEST_GENERATE_H
#define CURFEW_TEST_GENERATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct random {
    uint64_t state;
};

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
static inline uint64_t draw(struct random *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

static inline unsigned below(struct random *r, unsigned n)
{
    return (unsigned)(draw(r) % n);
}

static inline bool chance(struct random *r, unsigned percent)
{
    return below(r, 100) < percent;
}

#define PICK(r, list) ((list)[below((r), (unsigned)(sizeof(list) / sizeof((list)[0])))])

static inline cJSON *put(cJSON *object, const char *key, cJSON *value)
{
    (void)cJSON_AddItemToObject(object, key, value);
    return value;
}

static inline void put_text(cJSON *object, const char *key, const char *text)
{
    (void)cJSON_AddStringToObject(object, key, text);
}

static inline void put_number(cJSON *object, const char *key, double number)
{
    (void)cJSON_AddNumberToObject(object, key, number);
}

static inline cJSON *append(cJSON *array, cJSON *item)
{
    (void)cJSON_AddItemToArray(array, item);
    return item;
}

/* ---- parts of a pod ---- */

static inline const char *any_secret(struct random *r)
{
    static const char *const names[] = {"web-token", "web-token",   "web-token-2",
                                        "api-token", "db",          "default-token",
                                        "ghost",     "orphan-token"};

    return PICK(r, names);
}

static inline void any_expiration(struct random *r, cJSON *object)
{
    static const double seconds[] = {
        -5,   0,     1,     599,   600,      601,          899,          900,          901,  1199,
        1200, 1201,  3599,  3600,  3601,     3606,         3607,         3607,         3607, 3608,
        7200, 86399, 86400, 86401, 31536000, 2147483647.0, 2147483648.0, 4294967296.0, 1e14};

    if (chance(r, 15))
        return;
    if (chance(r, 5))
        put(object, "expirationSeconds", cJSON_CreateNull());
    else
        put_number(object, "expirationSeconds", PICK(r, seconds));
}

static inline void any_mode(struct random *r, cJSON *object, const char *key)
{
    static const double modes[] = {0400, 0440, 0444, 0600, 0644, 0644};

    if (chance(r, 30))
        put_number(object, key, PICK(r, modes));
}

static inline const char *any_path(struct random *r)
{
    static const char *const paths[] = {"token", "ca.crt",       "namespace", "a/token",
                                        "a",     "b/token",      "a/ca",      "x-y",
                                        "t~/1",  "deep/er/still"};

    return PICK(r, paths);
}

static inline void any_items(struct random *r, cJSON *object)
{
    static const char *const keys[] = {"token", "token", "ca.crt", "namespace"};
    cJSON *items;

    if (chance(r, 40))
        return;
    items = put(object, "items", chance(r, 3) ? cJSON_CreateNull() : cJSON_CreateArray());
    for (unsigned n = cJSON_IsArray(items) ? below(r, 5) : 0; n > 0; n--) {
        cJSON *item = append(items, cJSON_CreateObject());

        if (!chance(r, 3))
            put_text(item, "key", chance(r, 5) ? "extra.pem" : PICK(r, keys));
        put_text(item, "path", any_path(r));
        any_mode(r, item, "mode");
    }
}

static inline void any_source(struct random *r, cJSON *source)
{
    static const char *const audiences[] = {"", "vault", "https://kubernetes.default.svc"};
    cJSON *body, *item;

    switch (below(r, 7)) {
    case 0:
    case 1:
        body = put(source, "serviceAccountToken", cJSON_CreateObject());
        if (chance(r, 30))
            put_text(body, "audience", PICK(r, audiences));
        any_expiration(r, body);
        put_text(body, "path", any_path(r));
        break;
    case 2:
    case 3:
        body = put(source, "secret", cJSON_CreateObject());
        put_text(body, "name", any_secret(r));
        any_items(r, body);
        break;
    case 4:
        body = put(source, "configMap", cJSON_CreateObject());
        put_text(body, "name", chance(r, 30) ? "kube-root-ca.crt" : "settings");
        any_items(r, body);
        break;
    case 5:
        body = put(source, "downwardAPI", cJSON_CreateObject());
        item = append(put(body, "items", cJSON_CreateArray()), cJSON_CreateObject());
        put_text(item, "path", any_path(r));
        put_text(put(item, "fieldRef", cJSON_CreateObject()), "fieldPath", "metadata.name");
        break;
    default:
        body = put(source, "clusterTrustBundle", cJSON_CreateObject());
        put_text(body, "name", "example.com:roots");
        put_text(body, "path", any_path(r));
    }
    if (chance(r, 1) && cJSON_GetObjectItemCaseSensitive(source, "configMap") == NULL)
        put_text(put(source, "configMap", cJSON_CreateObject()), "name", "too-much");
}

static inline void secret_volume(struct random *r, cJSON *volume)
{
    cJSON *body = put(volume, "secret", cJSON_CreateObject());

    put_text(body, "secretName", any_secret(r));
    any_items(r, body);
    any_mode(r, body, "defaultMode");
    if (chance(r, 20))
        put(body, "optional", cJSON_CreateBool(chance(r, 50)));
}

static inline void projected_volume(struct random *r, cJSON *volume)
{
    cJSON *body = put(volume, "projected", cJSON_CreateObject());
    cJSON *sources = put(body, "sources", cJSON_CreateArray());

    for (unsigned n = below(r, 5); n > 0; n--)
        any_source(r, append(sources, cJSON_CreateObject()));
    any_mode(r, body, "defaultMode");
}

/* As the API server's own plugin writes it. */
static inline void automounted_volume(cJSON *volume)
{
    cJSON *projected = cJSON_Parse(
        "{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},"
        "{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":"
        "\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":{"
        "\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"}}]}}],\"defaultMode\":420}");

    put(volume, "projected", projected);
}

static inline void other_volume(struct random *r, cJSON *volume)
{
    static const char *const drivers[] = {"csi", "flexVolume", "azureFile", "rbd", "iscsi"};
    static const char *const refs[] = {"nodePublishSecretRef", "secretRef", NULL, "secretRef",
                                       "secretRef"};
    unsigned which = below(r, 9);
    cJSON *body;

    if (which < 5 && chance(r, 20)) {
        body = put(volume, drivers[which], cJSON_CreateObject());
        if (refs[which] == NULL)
            put_text(body, "secretName", any_secret(r));
        else
            put_text(put(body, refs[which], cJSON_CreateObject()), "name", any_secret(r));
    } else if (which < 7) {
        put(volume, "emptyDir", cJSON_CreateObject());
    } else {
        put_text(put(volume, "configMap", cJSON_CreateObject()), "name", "web-token");
    }
}

static inline void any_volume(struct random *r, cJSON *volume, unsigned index)
{
    char name[40];

    snprintf(name, sizeof(name), "%s-%u", chance(r, 10) ? "kube-api-access" : "v", index);
    put_text(volume, "name", name);
    switch (below(r, 6)) {
    case 0:
    case 1:
        secret_volume(r, volume);
        break;
    case 2:
    case 3:
        projected_volume(r, volume);
        break;
    case 4:
        automounted_volume(volume);
        break;
    default:
        other_volume(r, volume);
    }
    if (chance(r, 1))
        put(volume, "hostPath", cJSON_CreateObject());
}

static inline void any_container(struct random *r, cJSON *c, unsigned index)
{
    cJSON *list, *item;
    char name[40];

    snprintf(name, sizeof(name), "c-%u", index);
    put_text(c, "name", name);
    put_text(c, "image", "app");
    if (chance(r, 15)) {
        item = append(put(c, "env", cJSON_CreateArray()), cJSON_CreateObject());
        put_text(item, "name", "TOKEN");
        item =
            put(put(item, "valueFrom", cJSON_CreateObject()), "secretKeyRef", cJSON_CreateObject());
        put_text(item, "name", any_secret(r));
    }
    if (chance(r, 10)) {
        item = append(put(c, "envFrom", cJSON_CreateArray()), cJSON_CreateObject());
        put_text(put(item, "secretRef", cJSON_CreateObject()), "name", any_secret(r));
    }
    list = put(c, "volumeMounts", cJSON_CreateArray());
    for (unsigned n = below(r, 3); n > 0; n--) {
        item = append(list, cJSON_CreateObject());
        snprintf(name, sizeof(name), "v-%u", below(r, 5));
        put_text(item, "name", name);
        put_text(item, "mountPath", "/mnt");
        if (chance(r, 8))
            put_text(item, chance(r, 50) ? "subPath" : "subPathExpr", "token");
    }
}

static inline cJSON *any_pod_spec(struct random *r)
{
    static const char *const accounts[] = {"web", "web", "web", "web", "api", "default", ""};
    static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
    cJSON *spec = cJSON_CreateObject(), *list;

    if (!chance(r, 10))
        put_text(spec, "serviceAccountName", PICK(r, accounts));
    if (chance(r, 10))
        put_text(spec, "serviceAccount", PICK(r, accounts));
    if (!chance(r, 5)) {
        list = put(spec, "volumes", cJSON_CreateArray());
        for (unsigned n = below(r, 6), i = 0; i < n; i++)
            any_volume(r, append(list, cJSON_CreateObject()), i);
    }
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0 && !chance(r, 20))
            continue;
        list = put(spec, lists[i], cJSON_CreateArray());
        for (unsigned n = 1 + below(r, 2), j = 0; j < n; j++)
            any_container(r, append(list, cJSON_CreateObject()), 3 * i + j);
    }
    put_number(spec, "terminationGracePeriodSeconds", 30);
    return spec;
}

static inline cJSON *any_metadata(struct random *r, const char *namespace)
{
    cJSON *meta = cJSON_CreateObject(), *annotations;

    put_text(meta, chance(r, 20) ? "generateName" : "name", chance(r, 30) ? "once-" : "web");
    put_text(meta, "namespace", namespace);
    if (chance(r, 60)) {
        annotations =
            put(meta, "annotations", chance(r, 10) ? cJSON_CreateNull() : cJSON_CreateObject());
        if (cJSON_IsObject(annotations) && chance(r, 60))
            put_text(annotations, "team", "web");
        if (cJSON_IsObject(annotations) && chance(r, 20))
            put_text(annotations, "curfew.dev/fixed",
                     chance(r, 50) ? "legacy-token-mount" : "nothing");
    }
    if (chance(r, 50))
        put_text(put(meta, "labels", cJSON_CreateObject()), "app", "web");
    return meta;
}

/* ---- whole objects ---- */

static inline cJSON *any_pod(struct random *r, const char *namespace)
{
    cJSON *pod = cJSON_CreateObject();

    put_text(pod, "apiVersion", "v1");
    put_text(pod, "kind", "Pod");
    put(pod, "metadata", any_metadata(r, namespace));
    put(pod, "spec", any_pod_spec(r));
    put(pod, "status", cJSON_CreateObject());
    return pod;
}

static inline cJSON *any_deployment(struct random *r, const char *namespace)
{
    cJSON *object = cJSON_CreateObject(), *template_;

    put_text(object, "apiVersion", "apps/v1");
    put_text(object, "kind", "Deployment");
    put(object, "metadata", any_metadata(r, namespace));
    template_ = put(put(object, "spec", cJSON_CreateObject()), "template", cJSON_CreateObject());
    put(template_, "spec", any_pod_spec(r));
    return object;
}

static inline cJSON *any_token_request(struct random *r, const char *namespace)
{
    static const char *const kinds[] = {"Pod", "Pod", "Secret", "Node"};
    cJSON *object = cJSON_CreateObject(), *spec, *ref;

    put_text(object, "apiVersion", "authentication.k8s.io/v1");
    put_text(object, "kind", "TokenRequest");
    put_text(put(object, "metadata", cJSON_CreateObject()), "namespace", namespace);
    spec = put(object, "spec", cJSON_CreateObject());
    any_expiration(r, spec);
    if (chance(r, 70)) {
        ref = put(spec, "boundObjectRef", cJSON_CreateObject());
        put_text(ref, "kind", PICK(r, kinds));
        put_text(ref, "name", "web-1");
        put_text(ref, "uid", "5f1a6c2e-0000-4000-8000-000000000001");
    }
    if (chance(r, 50))
        append(put(spec, "audiences", cJSON_CreateArray()), cJSON_CreateString("vault"));
    return object;
}

#endif
