/* SPDX-License-Identifier: Apache-2.0 */
/* shapes.h - a list of worst-case contents of a review.
 *
 * A shape is content that can occur very often and that some rule has to read, report or compare
 * each time. cf_shape_write() writes a review of a given size with one or two shapes. The cost test
 * (test/http/worst.c) sends all of them; a new rule with many findings in one object needs a shape
 * here. */
#ifndef CURFEW_TEST_SHAPES_H
#define CURFEW_TEST_SHAPES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where the copies of a shape stand. */
enum cf_slot {
    CF_SLOT_SOURCES,     /* of one projected volume of a pod */
    CF_SLOT_VOLUMES,     /* of a pod */
    CF_SLOT_MOUNTS,      /* of one container */
    CF_SLOT_ENV,         /* of one container */
    CF_SLOT_ENV_FROM,    /* of one container */
    CF_SLOT_ARGS,        /* of one container */
    CF_SLOT_HEADERS,     /* of a probe's request */
    CF_SLOT_CONTAINERS,  /* of a pod */
    CF_SLOT_ITEMS,       /* of one secret volume */
    CF_SLOT_ANNOTATIONS, /* of a pod */
    CF_SLOT_LABELS,      /* of a pod, or of a Namespace */
    CF_SLOT_OWNERS,      /* of a pod */
    CF_SLOT_GROUPS,      /* of the caller */
    CF_SLOT_DRIVER,      /* tokenRequests of a CSIDriver */
    CF_SLOT_SECRETS,     /* of a ServiceAccount, which an UPDATE drops */
    CF_SLOT_AUDIENCES,   /* of a TokenRequest */
    CF_SLOT_DATA,        /* of a ConfigMap */
    CF_SLOT_NAME,        /* of the first container: the copies are glued together */
    CF_SLOT_POD_NAME,    /* of the pod, likewise */
    CF_SLOT_VOLUME_NAME, /* of the projected volume, likewise */
    CF_SLOT_DATA_KEY,    /* of a ConfigMap's one entry, likewise */
    CF_SLOT_DATA_TEXT,   /* of the same, likewise */
    CF_SLOT_SELECTOR,    /* requirements of a SubjectAccessReview's fieldSelector */
    CF_SLOT_SAR_GROUPS,  /* of the caller of a SubjectAccessReview */
    CF_SLOT_ENV_NAME,    /* of one variable: the copies are glued together */
    CF_SLOT_ENV_TEXT,    /* of the same, likewise */
    CF_SLOT_ATTRIBUTES,  /* of one volume's driver */
    CF_SLOT_DRIVER_NAME, /* of that volume, glued */
    CF_SLOT_TOKEN,       /* data.token of a Secret, glued */
    CF_SLOT_SECRET_DATA, /* of the same Secret */
    CF_SLOTS,
};

enum cf_shape_kind {
    CF_SHAPE_POD,
    CF_SHAPE_NAMESPACE,
    CF_SHAPE_ACCOUNT,
    CF_SHAPE_TOKEN_REQUEST,
    CF_SHAPE_DRIVER,
    CF_SHAPE_CONFIG_MAP,
    CF_SHAPE_SECRET,
    CF_SHAPE_ACCESS,
    CF_SHAPE_KINDS,
};

struct cf_shape {
    const char *name;
    enum cf_shape_kind kind;
    enum cf_slot slot;
    unsigned nodes;   /* JSON values of one copy */
    const char *text; /* of one copy; '#' stands for its number, '@' for a token that never ends */
};

/* A legacy token of shop/web with an invalid signature; base64 once and three times. */
#define CF_SHAPE_TOKEN                                                                             \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ."                                                          \
    "eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50Iiwia3ViZXJuZXRlcy5pby9zZXJ2aWNlYWNjb3VudC9uYW1l" \
    "c3BhY2UiOiJzaG9wIiwia3ViZXJuZXRlcy5pby9zZXJ2aWNlYWNjb3VudC9zZXJ2aWNlLWFjY291bnQubmFtZSI6Indl" \
    "YiIsImt1YmVybmV0ZXMuaW8vc2VydmljZWFjY291bnQvc2VjcmV0Lm5hbWUiOiJ3ZWItdG9rZW4iLCJzdWIiOiJzeXN0" \
    "ZW06c2VydmljZWFjY291bnQ6c2hvcDp3ZWIifQ.c2ln"

static const struct cf_shape cf_shapes[] = {
    /* token-lifetime, extended-token, token-audience */
    {"lifetime", CF_SHAPE_POD, CF_SLOT_SOURCES, 3,
     "{\"serviceAccountToken\":{\"expirationSeconds\":1}}"},
    {"lifetime-paths", CF_SHAPE_POD, CF_SLOT_SOURCES, 4,
     "{\"serviceAccountToken\":{\"expirationSeconds\":99999999,\"path\":\"p#\"}}"},
    {"extended", CF_SHAPE_POD, CF_SLOT_SOURCES, 4,
     "{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"e#\"}}"},
    {"audience", CF_SHAPE_POD, CF_SLOT_SOURCES, 4,
     "{\"serviceAccountToken\":{\"audience\":\"a#\",\"path\":\"u#\"}}"},
    {"volume-name", CF_SHAPE_POD, CF_SLOT_VOLUME_NAME, 0, "name-of-a-volume-that-never-ends-"},
    /* legacy-token-mount */
    {"mount-source", CF_SHAPE_POD, CF_SLOT_SOURCES, 3, "{\"secret\":{\"name\":\"web-token\"}}"},
    {"mount-volume", CF_SHAPE_POD, CF_SLOT_VOLUMES, 4,
     "{\"name\":\"v#\",\"secret\":{\"secretName\":\"web-token\"}}"},
    {"mount-sub-path", CF_SHAPE_POD, CF_SLOT_MOUNTS, 3, "{\"name\":\"v#\",\"subPath\":\"token\"}"},
    {"mount-items", CF_SHAPE_POD, CF_SLOT_ITEMS, 3, "{\"key\":\"token\",\"path\":\"i#\"}"},
    /* legacy-token-env */
    {"env-from", CF_SHAPE_POD, CF_SLOT_ENV_FROM, 3, "{\"secretRef\":{\"name\":\"web-token\"}}"},
    {"env", CF_SHAPE_POD, CF_SLOT_ENV, 6,
     "{\"name\":\"E#\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"web-token\",\"key\":\"token\"}}"
     "}"},
    {"container-name", CF_SHAPE_POD, CF_SLOT_NAME, 0, "name-of-a-container-that-never-ends-"},
    {"containers", CF_SHAPE_POD, CF_SLOT_CONTAINERS, 6,
     "{\"name\":\"c\",\"envFrom\":[{\"secretRef\":{\"name\":\"web-token\"}}]}"},
    /* copied-token */
    {"copied-env", CF_SHAPE_POD, CF_SLOT_ENV, 3, "{\"name\":\"T#\",\"value\":\"@\"}"},
    {"copied-args", CF_SHAPE_POD, CF_SLOT_ARGS, 1, "\"--token=@\""},
    {"maybe-args", CF_SHAPE_POD, CF_SLOT_ARGS, 1,
     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""},
    {"copied-headers", CF_SHAPE_POD, CF_SLOT_HEADERS, 3, "{\"name\":\"H\",\"value\":\"@\"}"},
    {"copied-annotations", CF_SHAPE_POD, CF_SLOT_ANNOTATIONS, 1, "\"t#\":\"@\""},
    {"env-name", CF_SHAPE_POD, CF_SLOT_ENV_NAME, 0, "NAME_OF_A_VARIABLE_THAT_NEVER_ENDS_"},
    {"env-text", CF_SHAPE_POD, CF_SLOT_ENV_TEXT, 0, "@# "},
    {"attributes", CF_SHAPE_POD, CF_SLOT_ATTRIBUTES, 1, "\"k#\":\"@\""},
    {"driver-name", CF_SHAPE_POD, CF_SLOT_DRIVER_NAME, 0, "name-of-a-volume-that-never-ends-"},
    {"drivers", CF_SHAPE_POD, CF_SLOT_VOLUMES, 4,
     "{\"name\":\"v#\",\"csi\":{\"volumeAttributes\":{\"k\":\"@\"}}}"},
    {"secret-token", CF_SHAPE_SECRET, CF_SLOT_TOKEN, 0, "ZXlKaGJHY2lPaUpTVXpJMU5pSjku"},
    {"secret-data", CF_SHAPE_SECRET, CF_SLOT_SECRET_DATA, 1, "\"t#\":\"@\""},
    {"secret-labels", CF_SHAPE_SECRET, CF_SLOT_LABELS, 1, "\"l#\":\"v\""},
    {"copied-data", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA, 1, "\"t#\":\"@\""},
    {"copied-key", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA_KEY, 0, "key-that-never-ends."},
    {"copied-text", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA_TEXT, 0, "@ "},
    {"dots", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA_TEXT, 0, "eyJh.eyJhIjoia3ViZXJuZXRlcyJ9.c2ln "},
    {"short-tokens", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA_TEXT, 0,
     "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fSwiaWF0IjoxLCJleHAiOjJ9.c#_ "},
    {"long-tokens", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA_TEXT, 0,
     "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.c#_ "},
    {"broken-tokens", CF_SHAPE_POD, CF_SLOT_ENV_TEXT, 0,
     "eyJ7ey97InsieyJ7.eyJrdWJlcm5ldGVzLmlvIjp9.c#_ "},
    {"base64", CF_SHAPE_CONFIG_MAP, CF_SLOT_DATA_TEXT, 0, "QUFBQUFBQUFBQUFBQUFBQUFBQUFB"},
    /* what all rules carry along */
    {"empty-sources", CF_SHAPE_POD, CF_SLOT_SOURCES, 1, "{}"},
    {"token-sources", CF_SHAPE_POD, CF_SLOT_SOURCES, 2, "{\"serviceAccountToken\":{}}"},
    {"empty-volumes", CF_SHAPE_POD, CF_SLOT_VOLUMES, 1, "{}"},
    {"empty-containers", CF_SHAPE_POD, CF_SLOT_CONTAINERS, 1, "{}"},
    {"labels", CF_SHAPE_POD, CF_SLOT_LABELS, 1, "\"l#\":\"v\""},
    {"owners", CF_SHAPE_POD, CF_SLOT_OWNERS, 3, "{\"kind\":\"Job\",\"name\":\"j#\"}"},
    {"pod-name", CF_SHAPE_POD, CF_SLOT_POD_NAME, 0, "name-of-a-pod-that-never-ends-"},
    {"groups", CF_SHAPE_POD, CF_SLOT_GROUPS, 1, "\"group-#\""},
    /* the other kinds */
    {"namespace-labels", CF_SHAPE_NAMESPACE, CF_SLOT_LABELS, 1, "\"curfew.dev/l#\":\"v\""},
    {"namespace-groups", CF_SHAPE_NAMESPACE, CF_SLOT_GROUPS, 1, "\"group-#\""},
    {"dropped-secrets", CF_SHAPE_ACCOUNT, CF_SLOT_SECRETS, 2, "{\"name\":\"web-token\"}"},
    {"account-labels", CF_SHAPE_ACCOUNT, CF_SLOT_LABELS, 1, "\"l#\":\"v\""},
    {"account-groups", CF_SHAPE_ACCOUNT, CF_SLOT_GROUPS, 1, "\"group-#\""},
    {"token-audiences", CF_SHAPE_TOKEN_REQUEST, CF_SLOT_AUDIENCES, 1, "\"audience-#\""},
    {"token-groups", CF_SHAPE_TOKEN_REQUEST, CF_SLOT_GROUPS, 1, "\"group-#\""},
    {"driver-lifetime", CF_SHAPE_DRIVER, CF_SLOT_DRIVER, 3,
     "{\"audience\":\"a\",\"expirationSeconds\":1}"},
    {"driver-audience", CF_SHAPE_DRIVER, CF_SLOT_DRIVER, 2, "{\"audience\":\"d#\"}"},
    {"driver-empty", CF_SHAPE_DRIVER, CF_SLOT_DRIVER, 1, "{}"},
    {"access-groups", CF_SHAPE_ACCESS, CF_SLOT_SAR_GROUPS, 1, "\"group-#\""},
    {"access-selector", CF_SHAPE_ACCESS, CF_SLOT_SELECTOR, 5,
     "{\"key\":\"spec.nodeName\",\"operator\":\"In\",\"values\":[\"n#\"]}"},
};
#define CF_SHAPES (sizeof(cf_shapes) / sizeof(cf_shapes[0]))

/* Below CF_NODES_MAX, with the values of the frame. */
#define CF_SHAPE_NODES 299000

struct cf_shape_out {
    char *to, *end; /* what does not fit is left out */
};

static inline void cf_shape_add(struct cf_shape_out *out, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(out->end - out->to) < len)
        return;
    memcpy(out->to, text, len);
    out->to += len;
}

static inline bool cf_shape_is_glued(enum cf_slot slot)
{
    switch (slot) {
    case CF_SLOT_NAME:
    case CF_SLOT_POD_NAME:
    case CF_SLOT_VOLUME_NAME:
    case CF_SLOT_DATA_KEY:
    case CF_SLOT_DATA_TEXT:
    case CF_SLOT_ENV_NAME:
    case CF_SLOT_ENV_TEXT:
    case CF_SLOT_DRIVER_NAME:
    case CF_SLOT_TOKEN:
        return true;
    default:
        return false;
    }
}

/* That many bytes of a slot's shapes; without shapes the slot is empty. */
static inline void cf_shape_fill(struct cf_shape_out *out, const struct cf_shape *const *shapes,
                                 size_t count, enum cf_slot slot, size_t bytes, unsigned limit,
                                 unsigned *nodes)
{
    bool glued = cf_shape_is_glued(slot);

    for (size_t i = 0; i < count; i++) {
        char *until = out->to + bytes;
        unsigned used = 0;
        bool first = true;

        if (shapes[i]->slot != slot)
            continue;
        for (unsigned n = 0; out->to < until && used + shapes[i]->nodes <= limit; n++) {
            if (!glued && !(first && (i == 0 || shapes[0]->slot != slot)))
                cf_shape_add(out, ",");
            first = false;
            used += shapes[i]->nodes;
            for (const char *p = shapes[i]->text; *p != '\0'; p++) {
                char piece[16] = {*p, '\0'};

                if (*p == '#')
                    snprintf(piece, sizeof(piece), "%u", n);
                cf_shape_add(out, *p == '@' ? CF_SHAPE_TOKEN : piece);
            }
        }
        *nodes += used;
    }
}

/* The text between the slots: '%' and a letter is a slot, 'A' for the first one, 'a' for the
 * 27th; "%," in front of the letter puts a comma there unless the slot is empty. "%-" is where text
 * without meaning makes up for what is missing in size; "%?" a Secret, which is a legacy one for
 * CF_SLOT_ITEMS. */
static const char *const cf_shape_frames[CF_SHAPE_KINDS][3] = {
    [CF_SHAPE_POD] =
        {"\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},\"resource\":{\"group\":"
         "\"\","
         "\"version\":\"v1\",\"resource\":\"pods\"},\"namespace\":\"shop\"",
         "{\"metadata\":{\"name\":\"p%S\",\"annotations\":{\"a\":\"%-\"%,J},\"labels\":{%K},"
         "\"ownerReferences\":[%L]},\"spec\":{\"serviceAccountName\":\"web\",\"containers\":[{"
         "\"name\":\"c%R\",\"volumeMounts\":[%C],\"env\":[{\"name\":\"n%Y\",\"value\":\"x "
         "%Z\"}%,D],\"envFrom\":[%E],\"args\":[%F],"
         "\"livenessProbe\":{\"httpGet\":{\"httpHeaders\":[%G]}}}%,H],\"volumes\":[{\"name\":\"t%"
         "T\","
         "\"projected\":{\"sources\":[%A]}},{\"name\":\"s\",\"secret\":{\"secretName\":"
         "\"%?\",\"items\":[%I]}},{\"name\":\"d%b\",\"csi\":{\"volumeAttributes\":{%a}}}%,B]}}",
         NULL},
    [CF_SHAPE_NAMESPACE] =
        {"\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Namespace\"},\"resource\":{"
         "\"group\":"
         "\"\",\"version\":\"v1\",\"resource\":\"namespaces\"},\"name\":\"shop\"",
         "{\"metadata\":{\"name\":\"shop\",\"annotations\":{\"a\":\"%-\"},\"labels\":{%K}}}", NULL},
    [CF_SHAPE_ACCOUNT] =
        {"\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"ServiceAccount\"},\"resource\":{"
         "\"group\":\"\",\"version\":\"v1\",\"resource\":\"serviceaccounts\"},\"namespace\":"
         "\"shop\"",
         "{\"metadata\":{\"name\":\"web\",\"annotations\":{\"a\":\"%-\"},\"labels\":{%K}}}",
         "{\"metadata\":{\"name\":\"web\"},\"secrets\":[%O]}"},
    [CF_SHAPE_TOKEN_REQUEST] =
        {"\"kind\":{\"group\":\"authentication.k8s.io\",\"version\":\"v1\",\"kind\":"
         "\"TokenRequest\"},"
         "\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"serviceaccounts\"},"
         "\"subResource\":\"token\",\"namespace\":\"shop\",\"name\":\"web\"",
         "{\"metadata\":{\"annotations\":{\"a\":\"%-\"}},\"spec\":{\"audiences\":[%P]}}", NULL},
    [CF_SHAPE_DRIVER] =
        {"\"kind\":{\"group\":\"storage.k8s.io\",\"version\":\"v1\",\"kind\":\"CSIDriver\"},"
         "\"resource\":{\"group\":\"storage.k8s.io\",\"version\":\"v1\",\"resource\":"
         "\"csidrivers\"},"
         "\"name\":\"d\"",
         "{\"metadata\":{\"name\":\"d\",\"annotations\":{\"a\":\"%-\"}},\"spec\":{"
         "\"tokenRequests\":["
         "%N]}}",
         NULL},
    [CF_SHAPE_SECRET] =
        {"\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Secret\"},\"resource\":{\"group\":"
         "\"\",\"version\":\"v1\",\"resource\":\"secrets\"},\"namespace\":\"shop\"",
         "{\"metadata\":{\"name\":\"s\",\"annotations\":{\"a\":\"%-\"},\"labels\":{%K}},\"type\":"
         "\"Opaque\",\"data\":{\"token\":\"%c\"%,d}}",
         NULL},
    [CF_SHAPE_CONFIG_MAP] =
        {"\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"ConfigMap\"},\"resource\":{"
         "\"group\":"
         "\"\",\"version\":\"v1\",\"resource\":\"configmaps\"},\"namespace\":\"shop\"",
         "{\"metadata\":{\"name\":\"m\",\"annotations\":{\"a\":\"%-\"}},\"data\":{\"k%U\":\"x "
         "%V\"%,Q}}",
         NULL},
};

struct cf_shape_review {
    const struct cf_shape *const *shapes;
    size_t count, size;
    size_t objects; /* that have them: 2, where an UPDATE's old object has the same */
    unsigned nodes;
    struct cf_shape_out out;
};

/* How many bytes each of the shapes gets, of each object; and how many values. */
static inline size_t cf_shape_part(const struct cf_shape_review *r)
{
    return r->count == 0 ? 0 : (r->size - 4096) / r->count / r->objects;
}

static inline unsigned cf_shape_limit(const struct cf_shape_review *r)
{
    return r->count == 0 ? 0 : (unsigned)(CF_SHAPE_NODES / r->count / r->objects);
}

static inline bool cf_shape_has(const struct cf_shape_review *r, enum cf_slot slot)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->shapes[i]->slot == slot)
            return true;
    }
    return false;
}

static inline void cf_shape_frame(struct cf_shape_review *r, const char *frame, size_t padding)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"; /* of the slots, in order */

    for (const char *p = frame; *p != '\0'; p++) {
        char piece[2] = {*p, '\0'};
        bool comma = p[0] == '%' && p[1] == ',';
        enum cf_slot slot;
        char *before = r->out.to;

        if (*p != '%') {
            cf_shape_add(&r->out, piece);
            continue;
        }
        p += comma ? 2 : 1;
        if (*p == '-') {
            for (size_t i = 0; i < padding; i++)
                cf_shape_add(&r->out, i % 32 == 31 ? " " : "x");
            continue;
        }
        if (*p == '?') {
            cf_shape_add(&r->out, cf_shape_has(r, CF_SLOT_ITEMS) ? "web-token" : "plain");
            continue;
        }
        slot = (enum cf_slot)(strchr(letters, *p) - letters);
        if (comma)
            cf_shape_add(&r->out, ",");
        cf_shape_fill(&r->out, r->shapes, r->count, slot, cf_shape_part(r), cf_shape_limit(r),
                      &r->nodes);
        if (comma && r->out.to == before + 1)
            r->out.to = before;
    }
}

static inline void cf_shape_access(struct cf_shape_review *r, size_t padding)
{
    static const char frame[] =
        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SubjectAccessReview\",\"spec\":{"
        "\"user\":\"system:serviceaccount:shop:web\",\"uid\":\"%-\",\"groups\":[%X],"
        "\"resourceAttributes\":{\"verb\":\"list\",\"resource\":\"pods\",\"namespace\":\"shop\","
        "\"fieldSelector\":{\"requirements\":[%W]}}}}";

    cf_shape_frame(r, frame, padding);
}

static inline void cf_shape_admission(struct cf_shape_review *r, enum cf_shape_kind kind,
                                      bool update, bool same, size_t padding)
{
    const char *const *frame = cf_shape_frames[kind];

    cf_shape_add(&r->out, "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                          "\"request\":{\"uid\":\"u\",");
    cf_shape_add(&r->out, frame[0]);
    cf_shape_add(&r->out, update ? ",\"operation\":\"UPDATE\"" : ",\"operation\":\"CREATE\"");
    cf_shape_frame(r, ",\"userInfo\":{\"username\":\"alice\",\"groups\":[%M]}", 0);
    cf_shape_add(&r->out, ",\"object\":");
    cf_shape_frame(r, frame[1], padding);
    if (update) {
        struct cf_shape_review old = *r;

        cf_shape_add(&r->out, ",\"oldObject\":");
        old.out = r->out;
        old.count = same || frame[2] != NULL ? r->count : 0;
        cf_shape_frame(&old, frame[2] != NULL ? frame[2] : frame[1], 0);
        r->out = old.out;
        r->nodes = old.nodes;
    }
    cf_shape_add(&r->out, "}}");
}

/* Writes a review of about `size` bytes into `bytes` (which has room for twice as many), made of
 * `count` shapes of one kind; none of them: of padding alone. `update`: an UPDATE, of an object
 * that had the same (`same`) or nothing. Returns its length; 0: the shapes don't go together. */
static inline size_t cf_shape_write(char *bytes, size_t size, enum cf_shape_kind kind,
                                    const struct cf_shape *const *shapes, size_t count, bool update,
                                    bool same)
{
    size_t padding = 0;
    struct cf_shape_review r;

    /* Once to see how much is missing. */
    for (int round = 0; round < 2; round++) {
        size_t len;

        r = (struct cf_shape_review){.shapes = shapes,
                                     .count = count,
                                     .size = size,
                                     .objects = update && same ? 2 : 1,
                                     .out = {bytes, bytes + 2 * size}};
        if (kind == CF_SHAPE_ACCESS)
            cf_shape_access(&r, padding);
        else
            cf_shape_admission(&r, kind, update, same, padding);
        len = (size_t)(r.out.to - bytes);
        if (len >= size)
            break;
        padding = size - len;
    }
    return r.nodes > CF_SHAPE_NODES ? 0 : (size_t)(r.out.to - bytes);
}

#endif
