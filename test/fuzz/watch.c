/* SPDX-License-Identifier: Apache-2.0 */
/* watch - responses of an API server to lists and watches, read by the reflector into a store, and
 * then queries to that store.
 *
 * Only the network is replaced: cf_api_stream() returns the responses of the input in turn, for
 * every request of the reflector, and ends it when there are no more.
 *
 *   byte 0   the resource, whether there are watch-lists, and a low ceiling for one object
 *   byte 1   how the bytes are cut into pieces
 *   the rest responses, each after ANSWER: how the response ends, and its bytes
 *
 * Each input is read twice, whole and in pieces, and both stores must respond the same. */
#include "answer.h"
#include "fuzz.h"

#include "documents.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/watch/watch_private.h"
#include "curfew/attr.h"
#include "curfew/time.h"
#include "curfew/log.h"

size_t __sanitizer_get_current_allocated_bytes(void);

#define ANSWER 0x1E
#define SMALL_OBJECT ((size_t)2048)
#define NAMES_MAX 8
#define STALE_AFTER 86400
/* What a store and all around it may take: for each byte of the input, and at all. */
#define BYTES_FOR_EACH 512
#define BYTES_AT_ALL CF_MIB

struct script {
    const uint8_t *at, *end;
    uint32_t dice;
    unsigned cut; /* 0: each answer in one piece */
    unsigned answers;
    unsigned trouble; /* the first answer that was not taken to its end, from 1; 0: none */
};

struct names {
    char text[NAMES_MAX][64];
    size_t count;
};

static struct cf_arena *objects_arena, *arena;
static struct documents objects;
static struct cf_policy *policy;
static struct script script;
static struct cf_watch watched;
static struct names names, namespaces;

/* ---- the log ---- */

/* Every line is sanitized. Replaces the function of the C library, to check the log. */
ssize_t write(int fd, const void *bytes, size_t len)
{
    if (fd != STDERR_FILENO || script.end == NULL)
        return syscall(SYS_write, fd, bytes, len);
    fuzz_must_be_line(bytes, len);
    return (ssize_t)len;
}

/* ---- the API server ---- */

const char *cf_api_server(const struct cf_api *api)
{
    (void)api;
    return "https://10.0.0.1:443";
}

struct cf_api *cf_api_open(const char *kubeconfig, const char *context, struct cf_err *err)
{
    (void)kubeconfig, (void)context, (void)err;
    return NULL;
}

void cf_api_close(struct cf_api *api)
{
    (void)api;
}

/* The only call requests the version. */
int cf_api_call(struct cf_api *api, const struct cf_api_call *call, unsigned *status,
                struct cf_buf *out, struct cf_err *err)
{
    (void)api, (void)err;
    fuzz_must(strcmp(call->path, "/version") == 0, "only the version is requested", call->path);
    cf_buf_wipe(out);
    cf_buf_adds(out, "{\"major\":\"1\",\"minor\":\"36\"}");
    *status = 200;
    return 0;
}

static uint32_t roll(void)
{
    script.dice ^= script.dice << 13;
    script.dice ^= script.dice >> 17;
    script.dice ^= script.dice << 5;
    return script.dice;
}

/* Each piece is a separate block, so that reads past its end are detected. */
static bool give(const struct cf_api_stream *stream, const uint8_t *from, size_t len)
{
    while (len > 0) {
        size_t some = script.cut == 0 ? len : 1 + roll() % (script.cut < 16 ? 8 : 4 * script.cut);
        char *piece;
        bool goes_on;

        some = some < len ? some : len;
        piece = malloc(some);
        memcpy(piece, from, some);
        goes_on = stream->data(stream->arg, piece, some);
        free(piece);
        if (!goes_on)
            return false;
        from += some;
        len -= some;
    }
    return true;
}

static void in_trouble(void)
{
    if (script.trouble == 0)
        script.trouble = script.answers;
}

int cf_api_stream(struct cf_api *api, const struct cf_api_call *call,
                  const struct cf_api_stream *stream, unsigned *status, struct cf_buf *out,
                  const char **why, struct cf_err *err)
{
    const uint8_t *from = script.at, *end;
    uint8_t how;

    (void)api;
    if (script.at == script.end) {
        atomic_store(&watched.stopping, true);
        fuzz_must(call->cancelled(call->arg), "it stops when it is to", NULL);
        return cf_err_system(err, "the end");
    }
    script.answers++;
    end = memchr(from, ANSWER, (size_t)(script.end - from));
    script.at = end != NULL ? end + 1 : script.end;
    end = end != NULL ? end : script.end;
    how = from < end ? *from++ : '2';
    fuzz_must(stream->connected(stream->arg, true), "the connection is the same", NULL);
    *status = how == '4' ? 410 : how == '9' ? 429 : how == '5' ? 500 : how == '3' ? 403 : 200;
    *why = how == 'b' ? "it broke" : CF_API_WHOLE;
    if (how == 'b' || *status != 200)
        in_trouble();
    if (*status == 403)
        return cf_err_system(err, "refused");
    if (*status != 200)
        cf_buf_add(out, from, (size_t)(end - from));
    else if (!give(stream, from, (size_t)(end - from)))
        in_trouble();
    return 0;
}

/* ---- one object ---- */

static bool holds(const struct cf_framer_object *o, const char *word)
{
    return memmem(o->text, o->len, word, strlen(word)) != NULL;
}

struct known {
    struct cf_store_counts counts;
    struct cf_levels levels;
    bool restricted;
};

static struct known known(const struct cf_store *store)
{
    struct known now = {.counts = cf_store_counts(store)};

    cf_store_lock(store);
    now.levels = cf_store_levels(store, policy, "shop");
    now.restricted = cf_store_restricted(store, "shop", "node-agent");
    cf_store_unlock(store);
    return now;
}

/* Of what was cut off only what it says counts: no word of labels, and those of one that was known
 * before are as they were. */
static void check_held(const struct cf_framer_object *o, const struct known *before,
                       const struct known *after)
{
    if (!o->large || o->torn || holds(o, "\\") || holds(o, "DELETED"))
        return;
    fuzz_must(holds(o, "labels") || before->counts.namespaces != after->counts.namespaces ||
                  memcmp(&before->levels, &after->levels, sizeof(before->levels)) == 0,
              "labels that did not come leave the levels as they were", NULL);
    fuzz_must(holds(o, "annotations") || before->counts.accounts != after->counts.accounts ||
                  before->restricted == after->restricted,
              "annotations that did not come leave an account as it was", NULL);
}

/* The reflector gets the text in a block of exactly its bytes. */
static int take(void *arg, const struct cf_framer_object *given, struct cf_err *err)
{
    struct cf_reflector *r = arg;
    struct cf_framer_object o = *given;
    bool hides = (o.torn || o.large) && !r->only_head;
    char *exact = malloc(o.len);
    uint64_t unread;
    struct known before, after;
    int rc;

    fuzz_must(o.len > 0 && strlen(o.text) <= o.len, "an object has bytes", NULL);
    fuzz_must(o.len <= r->framer.text.max, "no more than is kept", NULL);
    memcpy(exact, o.text, o.len);
    o.text = exact;
    if (hides && cf_reflector_apply(r, err) != 0) {
        free(exact);
        return -1;
    }
    unread = atomic_load(&r->unread);
    before = known(watched.store);
    rc = cf_reflector_take(r, &o, err);
    after = known(watched.store);
    if (hides && rc == 0) {
        fuzz_must(atomic_load(&r->unread) == unread + 1 || holds(&o, "DELETED") ||
                      holds(&o, "BOOKMARK") || holds(&o, "\\"),
                  "an object that cannot be read completely is counted", given->text);
        check_held(&o, &before, &after);
    }
    free(exact);
    return rc;
}

/* ---- questions ---- */

static void add_name(struct names *to, const char *text, size_t len)
{
    if (len >= sizeof(to->text[0]) || to->count == NAMES_MAX || memchr(text, '\0', len) != NULL)
        return;
    for (size_t i = 0; i < to->count; i++) {
        if (strlen(to->text[i]) == len && memcmp(to->text[i], text, len) == 0)
            return;
    }
    memcpy(to->text[to->count], text, len);
    to->text[to->count++][len] = '\0';
}

/* The texts after this key, anywhere in the input. */
static void gather(struct names *to, const uint8_t *data, size_t size, const char *key)
{
    const char *at = (const char *)data, *end = at + size;

    while ((at = memmem(at, (size_t)(end - at), key, strlen(key))) != NULL) {
        const char *quote;

        at += strlen(key);
        quote = memchr(at, '"', (size_t)(end - at));
        if (quote != NULL)
            add_name(to, at, (size_t)(quote - at));
    }
}

static uint32_t sum_of(uint32_t sum, const char *text)
{
    for (; *text != '\0'; text++)
        sum = (sum ^ (unsigned char)*text) * 16777619U;
    return sum;
}

static bool on_pod(const struct cf_store_pod *pod, struct cf_object *object, void *arg)
{
    uint32_t *sum = arg;

    (void)object;
    *sum += sum_of(sum_of(sum_of(1, pod->name), pod->node), pod->workload);
    return true;
}

static void on_row(const struct cf_store_inventory *row, void *arg)
{
    uint32_t *sum = arg;

    fuzz_must(row->legacy_used + row->legacy_unused + row->legacy_invalid + row->pods_mounting > 0,
              "a row counts something", row->namespace);
    *sum += sum_of((uint32_t)(row->legacy_used * 3 + row->legacy_unused * 5 +
                              row->legacy_invalid * 7 + row->pods_mounting * 11),
                   row->namespace);
}

static void ask_about(struct cf_buf *out, const struct cf_store *store, const char *namespace,
                      const char *name)
{
    struct cf_secret_facts secret;
    struct cf_store_pod pod = {.name = NULL}, *pods;
    struct cf_store_ref *refs;
    uint32_t sum = 0;
    size_t count;

    cf_store_secret(store, arena, namespace, name, STALE_AFTER, &secret);
    cf_buf_addf(out, "%s/%s secret %d %s, %s", namespace, name, secret.state,
                cf_str_or_empty(secret.owner),
                cf_store_restricted(store, namespace, name) ? "restricted" : "open");
    if (cf_store_pod(store, arena, namespace, name, &pod))
        cf_buf_addf(out, ", pod %s %s %s %s %d", pod.uid, pod.node, pod.account, pod.workload,
                    pod.mirror);
    count = cf_store_pod_refs(store, arena, namespace, name, &refs);
    for (size_t i = 0; i < count; i++)
        sum += sum_of(sum_of(refs[i].edge, refs[i].namespace), refs[i].name);
    cf_buf_addf(out, ", refs %zu %u", count, sum);
    cf_buf_addf(out, ", named by %zu",
                cf_store_pods_of_secret(store, arena, namespace, name, 4, &pods));
    for (int edge = CF_EDGE_SECRET; edge <= CF_EDGE_ACCOUNT; edge++)
        cf_buf_addf(out, " %d",
                    cf_store_reach(store, (enum cf_edge)edge,
                                   edge == CF_EDGE_VOLUME ? "" : namespace, name, "n1"));
    cf_buf_addc(out, '\n');
}

static void ask_namespace(struct cf_buf *out, const struct cf_store *store, const char *namespace)
{
    struct cf_levels levels;
    uint32_t sum = 0;
    size_t pods;

    cf_store_lock(store);
    levels = cf_store_levels(store, policy, namespace);
    pods = cf_store_pods_in(store, arena, namespace, 1000, on_pod, &sum);
    cf_buf_addf(out, "%s pods %zu %u", namespace, pods, sum);
    for (int mode = 0; mode < CF_MODES; mode++)
        cf_buf_addf(out, " %d", levels.mode[mode]);
    cf_buf_addc(out, '\n');
    for (size_t i = 0; i < names.count; i++)
        ask_about(out, store, namespace, names.text[i]);
    cf_store_unlock(store);
}

/* An account that is restricted by node, whose token is of a pod on n1. */
static void authorize(struct cf_buf *out, const struct cf_store *store, const char *resource,
                      const char *namespace, const char *name)
{
    struct cf_review_input in = {.phase = CF_PHASE_AUTHORIZE,
                                 .policy = policy,
                                 .store = store,
                                 .now = NOW,
                                 .own_namespace = "curfew-system"};
    struct cf_err err = {.kind = CF_ERR_NONE};
    struct cf_outcome outcome;
    struct cf_buf review, answer;

    cf_buf_init_arena(&review, arena, CF_MIB);
    cf_buf_init_arena(&answer, arena, CF_ANSWER_MAX);
    cf_buf_addf(&review,
                "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
                "\"spec\":{\"user\":\"system:serviceaccount:shop:node-agent\",\"extra\":{"
                "\"authentication.kubernetes.io/node-name\":[\"n1\"]},\"resourceAttributes\":{"
                "\"verb\":\"get\",\"version\":\"v1\",\"resource\":\"%s\",\"namespace\":\"%s\","
                "\"name\":\"%s\"}}}",
                resource, namespace, name);
    if (cf_authorize_answer(arena, &in, review.data, review.len, &answer, &outcome, &err) != 0)
        cf_buf_addf(out, "%s\n", err.msg);
    else
        cf_buf_addf(out, "%s\n", cf_buf_str(&answer));
}

/* All that the store says, a line for each question. In the heap. */
static char *ask_all(const struct cf_store *store, const struct cf_reflector *r)
{
    static const char *const resources[] = {"pods", "secrets", "persistentvolumeclaims", "nodes"};
    struct cf_store_counts counts = cf_store_counts(store);
    struct cf_store_totals totals = cf_store_totals(store, policy);
    uint32_t sum = 0;
    struct cf_buf out;

    cf_buf_init(&out, 4 * CF_MIB);
    cf_buf_addf(&out, "version %s, events %lu, unread %lu, lists %lu\n", r->version,
                (unsigned long)atomic_load(&r->events), (unsigned long)atomic_load(&r->unread),
                (unsigned long)atomic_load(&r->lists));
    cf_store_inventory(store, on_row, &sum);
    cf_buf_addf(&out, "%zu namespaces, %zu secrets, %zu accounts (%zu), %zu pods, rows %u\n",
                counts.namespaces, counts.secrets, counts.accounts, totals.accounts_restricted,
                counts.pods, sum);
    for (size_t i = 0; i < namespaces.count; i++)
        ask_namespace(&out, store, namespaces.text[i]);
    for (size_t i = 0; i < names.count; i++)
        authorize(&out, store, resources[i % CF_COUNT(resources)],
                  namespaces.text[i % namespaces.count], names.text[i]);
    fuzz_must(cf_buf_ok(&out), "all of it has room", NULL);
    cf_arena_reset(arena, false);
    return out.data;
}

/* ---- one reading ---- */

/* What a cluster had, as if it had just been listed. */
static struct cf_store *known_store(void)
{
    struct cf_store *store = cf_store_new(CF_ABSENT_DEPENDS);
    struct cf_err err;

    for (int i = 0; i < CF_RESOURCES; i++)
        cf_store_list_begin(store, (enum cf_resource)i);
    for (size_t i = 0; i < objects.count; i++)
        fuzz_must(cf_store_add(store, objects.items[i].root, "default", &err) == 0, err.msg, NULL);
    for (int i = 0; i < CF_RESOURCES; i++) {
        cf_store_list_end(store, (enum cf_resource)i);
        cf_store_refreshed(store, (enum cf_resource)i, cf_monotonic_micros());
    }
    return store;
}

static void init_watch(struct cf_reflector *r, uint8_t how)
{
    memset(&watched, 0, sizeof(watched));
    watched.store = known_store();
    watched.stale_after = STALE_AFTER;
    watched.patience = 3600 * CF_MICROS; /* and no pauses */
    pthread_mutex_init(&watched.lock, NULL);
    pthread_cond_init(&watched.stop, NULL);
    r->watch = &watched;
    r->resource = (enum cf_resource)(how % CF_RESOURCES);
    r->last = CF_ENDED_WELL;
    r->no_watch_list = (how & 0x40) != 0;
    r->arena = cf_arena_new(CF_ARENA_MAX);
    cf_framer_init(&r->framer, take, r);
    if ((how & 0x80) != 0)
        r->framer.text.max = SMALL_OBJECT;
}

/* In the heap: what the store says afterwards. */
static char *read_all(const uint8_t *data, size_t size, unsigned cut, struct script *end)
{
    struct cf_reflector *r;
    size_t before = __sanitizer_get_current_allocated_bytes(), after;
    char *said;

    script =
        (struct script){.at = data + 2, .end = data + size, .cut = cut, .dice = 2463534242U + cut};
    r = &watched.reflectors[data[0] % CF_RESOURCES];
    init_watch(r, data[0]);
    cf_reflector_run(r);
    *end = script;
    cf_reflector_drop(r);
    after = __sanitizer_get_current_allocated_bytes();
    fuzz_must(after < before + BYTES_AT_ALL + BYTES_FOR_EACH * size, "memory is bounded", NULL);
    said = ask_all(watched.store, r);
    cf_framer_free(&r->framer);
    cf_arena_free(r->arena);
    cf_store_free(watched.store);
    pthread_mutex_destroy(&watched.lock);
    pthread_cond_destroy(&watched.stop);
    return said;
}

static void run(const uint8_t *data, size_t size)
{
    struct script whole, cut;
    char *a, *b;

    names.count = namespaces.count = 0;
    add_name(&names, "node-agent", 10);
    add_name(&names, "web-token", 9);
    add_name(&namespaces, "shop", 4);
    gather(&names, data, size, "\"name\":\"");
    gather(&namespaces, data, size, "\"namespace\":\"");
    a = read_all(data, size, 0, &whole);
    b = read_all(data, size, data[1] != 0 ? data[1] : 1, &cut);
    fuzz_must(whole.trouble == cut.trouble, "an answer fails however it is cut", a);
    /* Pending changes of a failed response are requested again, which the next response is not. */
    if (whole.trouble == 0 && strcmp(a, b) != 0)
        fprintf(stderr, "whole:\n%s\nin pieces:\n%s\n", a, b);
    fuzz_must(whole.trouble != 0 || strcmp(a, b) == 0, "the store is the same, however it is cut",
              NULL);
    free(a);
    free(b);
    script.end = NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct cf_err err;

    (void)argc, (void)argv;
    cf_json_init();
    objects_arena = cf_arena_new(CF_ARENA_MAX);
    arena = cf_arena_new(CF_ARENA_MAX);
    fuzz_must(documents_read(objects_arena, "test/recorded/objects.yaml", &objects, &err) == 0,
              "test/recorded/objects.yaml can be read", NULL);
    policy = policy_of("");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2)
        fuzz_timed(run, data, size);
    return 0;
}
