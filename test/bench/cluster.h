/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.h - a large cluster, of which everything follows from the number of a pod.
 *
 * One fifth of the pods are of DaemonSets, a tenth of StatefulSets with a claim and its volume
 * each, the others of Deployments of 1 to 8 replicas and of Jobs; in 300 namespaces. Each names
 * some three ConfigMaps and one to three Secrets, and has its automounted token. */
#ifndef CURFEW_BENCH_CLUSTER_H
#define CURFEW_BENCH_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/buf.h"

#define SPACES 300
#define DAEMONS 6

static unsigned pods = 150000, nodes = 5000;
static unsigned version = 100000; /* of what is printed next */

static uint64_t chance_state = 88172645463325252;

static inline unsigned chance(unsigned below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (unsigned)(chance_state >> 33) % below;
}

static inline unsigned mix(unsigned n)
{
    uint64_t h = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);

    return (unsigned)(h >> 40);
}

/* ---- the cluster: everything about a pod follows from its number ---- */

enum sort { DEPLOYMENT, DAEMON_SET, STATEFUL_SET, JOB };

struct pod {
    enum sort sort;
    unsigned number, workload, replica, space, node;
    char owner[64], name[96];
};

static const char *const words[] = {"checkout", "payments", "inventory", "search", "frontend",
                                    "session",  "mailer",   "report",    "ingest", "catalog",
                                    "billing",  "notifier", "gateway",   "quota",  "audit"};

static inline const char *word(unsigned n)
{
    return words[n % (sizeof(words) / sizeof(words[0]))];
}

static inline void suffix(unsigned n, unsigned len, char *out)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";

    for (unsigned i = 0; i < len; i++) {
        n = n * 1664525u + 1013904223u;
        out[i] = letters[(n >> 16) % (sizeof(letters) - 1)];
    }
    out[len] = '\0';
}

static inline void describe(unsigned number, struct pod *out)
{
    unsigned daemons = pods / 5, stateful = pods / 10, jobs = pods / 30;
    char hash[16], tail[8];

    *out = (struct pod){.number = number, .node = mix(number) % nodes};
    suffix(number, 5, tail);
    if (number < daemons) {
        out->sort = DAEMON_SET;
        out->workload = number % DAEMONS;
        out->node = number / DAEMONS % nodes;
        out->space = out->workload;
        snprintf(out->owner, sizeof(out->owner), "%s-agent", word(out->workload));
    } else if (number < daemons + stateful) {
        out->sort = STATEFUL_SET;
        out->workload = (number - daemons) / 5;
        out->replica = (number - daemons) % 5;
        snprintf(out->owner, sizeof(out->owner), "%s-db-%u", word(out->workload), out->workload);
        snprintf(tail, sizeof(tail), "%u", out->replica);
    } else if (number < daemons + stateful + jobs) {
        out->sort = JOB;
        out->workload = number;
        snprintf(out->owner, sizeof(out->owner), "%s-nightly-%u", word(number), 29000000 + number);
    } else {
        unsigned group = number / 36, place = number % 36;

        /* 1 + 2 + ... + 8 replicas of eight Deployments. */
        for (out->replica = place; out->replica > out->workload; out->workload++)
            out->replica -= out->workload + 1;
        out->workload += group * 8;
        suffix(out->workload, 10, hash);
        snprintf(out->owner, sizeof(out->owner), "%s-%u-%s", word(out->workload), out->workload,
                 hash);
    }
    if (out->sort != DAEMON_SET)
        out->space = mix(out->workload) % SPACES;
    snprintf(out->name, sizeof(out->name), "%s-%s", out->owner, tail);
}

static inline void print_uid(struct cf_buf *buf, unsigned seed)
{
    cf_buf_addf(buf, "%08x-%04x-4%03x-8%03x-%08x%04x", mix(seed) * 2654435761u + seed,
                mix(seed + 1) & 0xffff, mix(seed + 2) & 0xfff, mix(seed + 3) & 0xfff, seed,
                mix(seed + 4) & 0xffff);
}

static inline void print_meta(struct cf_buf *buf, const struct pod *pod)
{
    static const char *const kinds[] = {"ReplicaSet", "DaemonSet", "StatefulSet", "Job"};

    cf_buf_addf(buf, "\"metadata\":{\"name\":\"%s\",\"namespace\":\"team-%u\",\"uid\":\"",
                pod->name, pod->space);
    print_uid(buf, pod->number);
    cf_buf_addf(buf,
                "\",\"resourceVersion\":\"%u\",\"labels\":{\"app\":\"%s-%u\","
                "\"app.kubernetes.io/managed-by\":\"Helm\",\"pod-template-hash\":\"%s\"},"
                "\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"%s\",\"name\":\"%s\","
                "\"controller\":true,\"blockOwnerDeletion\":true,\"uid\":\"x\"}]}",
                version, word(pod->workload), pod->workload,
                pod->sort == DEPLOYMENT ? strrchr(pod->owner, '-') + 1 : "", kinds[pod->sort],
                pod->owner);
}

static inline void print_volumes(struct cf_buf *buf, const struct pod *pod)
{
    unsigned w = pod->workload;

    cf_buf_addf(buf,
                "\"volumes\":[{\"name\":\"config\",\"configMap\":{\"name\":\"%s-%u-config\"}},"
                "{\"name\":\"tls\",\"secret\":{\"secretName\":\"%s-%u-tls\"}},",
                word(w), w, word(w), w);
    if (pod->sort == STATEFUL_SET)
        cf_buf_addf(buf,
                    "{\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"data-%s\"}},",
                    pod->name);
    cf_buf_addf(
        buf,
        "{\"name\":\"kube-api-access-%.5s\",\"projected\":{\"defaultMode\":420,\"sources\":[{"
        "\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{"
        "\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}]}},{"
        "\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":{\"fieldPath\":"
        "\"metadata.namespace\"}}]}}]}}]",
        pod->name + strlen(pod->name) - 5);
}

static inline void print_containers(struct cf_buf *buf, const struct pod *pod, bool debugged)
{
    unsigned w = pod->workload;

    cf_buf_addf(
        buf,
        ",\"initContainers\":[{\"name\":\"migrate\",\"image\":\"registry.example/m:1\",\"envFrom\":"
        "[{\"secretRef\":{\"name\":\"%s-%u-env\"}}]}],\"containers\":[{\"name\":\"app\",\"image\":"
        "\"registry.example/"
        "%s:v1.2.3\",\"args\":[\"--port=8080\",\"--verbose\"],\"env\":[{\"name\":"
        "\"PASSWORD\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"%s-%u-env\",\"key\":\"p\"}}},{"
        "\"name\":\"MODE\",\"value\":\"production\"},{\"name\":\"REGION\",\"valueFrom\":{"
        "\"configMapKeyRef\":{\"name\":\"%s\",\"key\":\"r\"}}}],\"resources\":{\"requests\":{"
        "\"cpu\":"
        "\"100m\",\"memory\":\"128Mi\"}},\"volumeMounts\":[{\"name\":\"config\",\"mountPath\":"
        "\"/etc/app\"},{\"name\":\"tls\",\"mountPath\":\"/etc/"
        "tls\"}],\"livenessProbe\":{\"httpGet\":"
        "{\"path\":\"/healthz\",\"port\":8080}}},{\"name\":\"proxy\",\"image\":"
        "\"registry.example/proxy:9\"}]",
        word(w), w, word(w), word(w), w, w % 3 == 0 ? "region" : word(w));
    if (debugged)
        cf_buf_adds(buf,
                    ",\"ephemeralContainers\":[{\"name\":\"debug\",\"envFrom\":[{\"secretRef\":"
                    "{\"name\":\"debugger\"}}]}]");
}

/* A pod, as the API server has it. */
static inline void print_pod(struct cf_buf *buf, const struct pod *pod, bool bound, bool debugged)
{
    cf_buf_adds(buf, "{");
    print_meta(buf, pod);
    cf_buf_adds(buf, ",\"spec\":{");
    print_volumes(buf, pod);
    print_containers(buf, pod, debugged);
    if (pod->workload % 2 == 0)
        cf_buf_addf(buf, ",\"serviceAccountName\":\"%s-%u\"", word(pod->workload), pod->workload);
    cf_buf_adds(buf, ",\"imagePullSecrets\":[{\"name\":\"registry\"}]");
    if (bound)
        cf_buf_addf(buf, ",\"nodeName\":\"worker-%u.region.internal\"", pod->node);
    cf_buf_adds(buf, "},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\",\"conditions\":[{"
                     "\"type\":\"Ready\",\"status\":\"True\"}]}}");
}

static inline void print_version(struct cf_buf *buf)
{
    cf_buf_addf(buf, ",\"resourceVersion\":\"%u\"", version);
}

/* The claim and the volume of a StatefulSet's pod. */
static inline void print_claim(struct cf_buf *buf, const struct pod *pod)
{
    cf_buf_addf(buf, "{\"metadata\":{\"name\":\"data-%s\",\"namespace\":\"team-%u\",\"uid\":\"",
                pod->name, pod->space);
    print_uid(buf, pod->number + 1000000);
    cf_buf_adds(buf, "\"");
    print_version(buf);
    cf_buf_adds(buf, "},\"spec\":{\"storageClassName\":\"fast\"}}");
}

static inline void print_volume(struct cf_buf *buf, const struct pod *pod)
{
    cf_buf_adds(buf, "{\"metadata\":{\"name\":\"pvc-");
    print_uid(buf, pod->number + 1000000);
    cf_buf_adds(buf, "\"");
    print_version(buf);
    cf_buf_addf(buf,
                "},\"spec\":{\"claimRef\":{\"namespace\":\"team-%u\",\"name\":\"data-%s\","
                "\"uid\":\"",
                pod->space, pod->name);
    print_uid(buf, pod->number + 1000000);
    cf_buf_adds(buf, "\"},\"csi\":{\"driver\":\"fast.example\",\"nodeStageSecretRef\":{\"name\":"
                     "\"csi-node\",\"namespace\":\"storage\"}}}}");
}

/* An object that is little more than its name. */
static inline void print_named(struct cf_buf *buf, const char *kind, const char *format, unsigned n,
                               unsigned space, const char *rest)
{
    cf_buf_addf(buf, "{\"kind\":\"%s\",\"metadata\":{\"name\":\"%s-%s%u\"", kind, word(n), format,
                n);
    if (space < SPACES)
        cf_buf_addf(buf, ",\"namespace\":\"team-%u\"", space);
    print_version(buf);
    cf_buf_addf(buf, "%s}}", rest);
}

#endif
