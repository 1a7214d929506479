/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - properties of random pods: a repair applies, repairs everything that can be repaired,
 * changes nothing else, and keeps the files that a container sees.
 *
 * run [COUNT [SEED]]. Prints the seed; case I of seed S is case 0 of seed S+I, so the printed
 * command repeats a failure alone. */
#include <stdio.h>

#include "answer.h"
#include "fixtures.h"
#include "curfew/documents.h"
#include "curfew/str.h"
#include "files.h"
#include "generate.h"

/* Levels by namespace; namespaces without labels follow the policy's defaults. */
static const char objects[] = "{\"kind\":\"List\",\"items\":["
#define NAMESPACE(name, enforce, fix)                                                              \
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" name                 \
    "\",\"labels\":{\"curfew.dev/enforce\":\"" enforce "\",\"curfew.dev/fix\":\"" fix              \
    "\",\"curfew.dev/warn\":\"restricted\"}}}"
    NAMESPACE("baseline", "baseline", "baseline") "," NAMESPACE(
        "restricted", "restricted",
        "restricted") "," NAMESPACE("fix-less", "restricted",
                                    "baseline") "," NAMESPACE("fix-more", "baseline",
                                                              "restricted") "," NAMESPACE("fix-"
                                                                                          "none",
                                                                                          "restrict"
                                                                                          "ed",
                                                                                          "privileg"
                                                                                          "ed") "]"
                                                                                                "}";

static const char *const namespaces[] = {"baseline", "restricted", "restricted", "restricted",
                                         "fix-less", "fix-more",   "fix-none"};

static const char *const legacy_names[] = {"web-token", "web-token-2", "api-token", "default-token",
                                           "orphan-token"};

static const char *const configs[] = {
    "",
    "",
    "",
    "rules: {extended-token: {level: off}}",
    "rules: {extended-token: {level: baseline}}",
    "rules: {legacy-token-mount: {level: baseline}}",
    "rules: {legacy-token-mount: {level: baseline}, extended-token: {level: baseline}}",
    "rules: {legacy-token-mount: {level: off}}",
    "rules: {token-lifetime: {level: restricted}}",
    "rules: {token-lifetime: {level: off}, unbound-token: {level: off}}",
    "rules: {token-lifetime: {baseline: {max: 20m}, restricted: {max: 15m, maxUnbound: 10m}}}",
    "rules: {token-lifetime: {restricted: {min: 20m}}}",
    "rules: {token-audience: {allowed: []}}",
    "exceptions: [{rule: extended-token, namespace: restricted, names: [once], "
    "until: 2999-12-31, reason: x}]",
    "exceptions: [{rule: legacy-token-mount, namespace: restricted, serviceAccounts: [web], "
    "until: 2999-12-31, reason: x}]",
    "exceptions: [{rule: token-lifetime, namespace: baseline, names: ['w*'], "
    "until: 2026-11-30, reason: x}]",
    "exemptions: {namespaces: [baseline]}",
    "exemptions: {groups: [developers]}",
};

static struct cf_policy *policies[CF_COUNT(configs)];
static struct cf_store *store;
static struct cf_arena *arena;
static uint64_t seed;
static unsigned long repaired, converted, denied;

/* One case. */
struct subject {
    const struct cf_policy *policy;
    const char *config, *namespace;
    const char *kind;
    cJSON *object;
};

static _Noreturn void fail(const struct subject *s, const char *why, const char *more)
{
    printf("FAIL %s\n  seed %llu, namespace %s, config '%s'\n  %s\n  %s\n", why,
           (unsigned long long)seed, s->namespace, s->config, cJSON_PrintUnformatted(s->object),
           more);
    exit(1);
}

static void must(bool ok, const struct subject *s, const char *why, const char *more)
{
    if (!ok)
        fail(s, why, more);
}

/* ---- reviews ---- */

static const char *review_with(const struct subject *s, const char *operation, const cJSON *object,
                               const cJSON *old_object)
{
    static const char *const groups[] = {"developers", "system:authenticated"};
    cJSON *root = cJSON_CreateObject(), *request, *kind, *user;
    bool token = cf_streq(s->kind, "TokenRequest");

    put_text(root, "apiVersion", "admission.k8s.io/v1");
    put_text(root, "kind", "AdmissionReview");
    request = put(root, "request", cJSON_CreateObject());
    put_text(request, "uid", "u");
    kind = put(request, "kind", cJSON_CreateObject());
    put_text(kind, "group",
             token                             ? "authentication.k8s.io"
             : cf_streq(s->kind, "Deployment") ? "apps"
                                               : "");
    put_text(kind, "kind", s->kind);
    if (token) {
        put_text(request, "subResource", "token");
        put_text(request, "name", "web");
    }
    put_text(request, "namespace", s->namespace);
    put_text(request, "operation", operation);
    user = put(request, "userInfo", cJSON_CreateObject());
    put_text(user, "username", "alice");
    put(user, "groups", cJSON_CreateStringArray(groups, 2));
    put(request, "object", cJSON_Duplicate(object, true));
    put(request, "oldObject",
        old_object != NULL ? cJSON_Duplicate(old_object, true) : cJSON_CreateNull());
    return cJSON_PrintUnformatted(root);
}

/* Also checks the properties of every response. */
static struct test_answer ask(const struct subject *s, enum cf_phase phase, const char *review)
{
    struct cf_review_input in = {.phase = phase, .policy = s->policy, .store = store, .now = NOW};
    struct test_answer a = test_ask(arena, &in, review);
    const cJSON *warning;
    size_t total = 0;

    must(a.rc == 0, s, "no answer", a.err.msg);
    must(a.response != NULL, s, "the response is not JSON", a.text);
    must(phase != CF_PHASE_MUTATE || a.allowed, s, "/mutate denies", a.text);
    must(phase == CF_PHASE_MUTATE || a.patch == NULL, s, "/validate patches", a.text);
    must(strcspn(a.message, "\n") < 220, s, "the first line is too long", a.message);
    cJSON_ArrayForEach(warning, a.warnings)
    {
        const char *text = cJSON_GetStringValue(warning);

        must(cf_utf8_count(text) <= 256 && strpbrk(text, "\n\r\t") == NULL, s, "bad warning", text);
        total += cf_utf8_count(text);
    }
    must(total < 4096, s, "too many warnings", a.text);
    return a;
}

static unsigned findings_of(const struct subject *s, const char *review,
                            bool (*counts)(const struct cf_verdict *v))
{
    struct cf_engine_input in = {
        .policy = s->policy, .store = store, .now = NOW, .modes = CF_ALL_MODES};
    struct cf_request *request;
    struct cf_evaluation evaluation;
    struct cf_err err;
    unsigned n = 0;

    if (cf_review_decode(arena, review, strlen(review), &request, &err) != 0 ||
        cf_engine_run(arena, &in, request, &evaluation, &err) != 0)
        fail(s, "cannot be evaluated", err.msg);
    for (size_t i = 0; i < evaluation.count; i++)
        n += counts(&evaluation.items[i]);
    return n;
}

static bool any(const struct cf_verdict *v)
{
    (void)v;
    return true;
}

static bool is_fixable(const struct cf_verdict *v)
{
    return (v->modes & CF_MODE_BIT(CF_FIX)) != 0;
}

static bool is_denied(const struct cf_verdict *v)
{
    return (v->modes & CF_MODE_BIT(CF_ENFORCE)) != 0;
}

/* ---- what a repair may change ---- */

static cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool same_text(const cJSON *a, const cJSON *b)
{
    const char *x = cJSON_PrintUnformatted(a), *y = cJSON_PrintUnformatted(b);

    return strcmp(x != NULL ? x : "", y != NULL ? y : "") == 0;
}

static const char *account_of(const cJSON *pod)
{
    const char *name = member(get(pod, "spec"), "serviceAccountName");

    if (*name == '\0')
        name = member(get(pod, "spec"), "serviceAccount");
    return *name != '\0' ? name : "default";
}

/* A container of the pod mounts one file of the volume. */
static bool has_sub_path(const cJSON *pod, const char *volume)
{
    static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
    const cJSON *container, *mount;

    for (size_t i = 0; i < CF_COUNT(lists); i++) {
        cJSON_ArrayForEach(container, get(get(pod, "spec"), lists[i]))
        {
            cJSON_ArrayForEach(mount, get(container, "volumeMounts"))
            {
                if (cf_streq(member(mount, "name"), volume) &&
                    *member(mount, "subPath") + *member(mount, "subPathExpr") != 0)
                    return true;
            }
        }
    }
    return false;
}

static void add_sources(struct files *f, const cJSON *sources, int from, int to, int mode)
{
    for (int i = from; i < to; i++)
        add_source(f, cJSON_GetArrayItem(sources, i), mode);
}

/* How many of `after`'s sources, from `at` on, replaced the legacy source; 0: none match. */
static int replaced_by(const struct subject *s, const cJSON *before, const cJSON *after, int at,
                       int mode)
{
    struct files wanted = {.arena = arena, .account = account_of(s->object)};
    int size = cJSON_GetArraySize(after);

    add_source(&wanted, before, mode);
    for (int n = 1; at + n <= size; n++) {
        struct files got = {.arena = arena, .account = wanted.account};

        add_sources(&got, after, at, at + n, mode);
        if (same_files(&wanted, &got) &&
            get(cJSON_GetArrayItem(after, at + n - 1), "secret") == NULL)
            return n;
    }
    return 0;
}

/* The same source but for its expirationSeconds. */
static bool same_token(const cJSON *before, const cJSON *after)
{
    cJSON *a = cJSON_Duplicate(before, true), *b = cJSON_Duplicate(after, true);

    if (get(a, "serviceAccountToken") == NULL || get(b, "serviceAccountToken") == NULL)
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(get(a, "serviceAccountToken"), "expirationSeconds");
    cJSON_DeleteItemFromObjectCaseSensitive(get(b, "serviceAccountToken"), "expirationSeconds");
    return cJSON_Compare(a, b, true);
}

static void check_sources(const struct subject *s, const cJSON *before, const cJSON *after)
{
    const cJSON *now = get(after, "sources"), *source;
    int at = 0, mode = mode_of(before, "defaultMode", 0644);

    cJSON_ArrayForEach(source, get(before, "sources"))
    {
        const cJSON *other = cJSON_GetArrayItem(now, at);
        int n = 1;

        if (!same_text(source, other) && !same_token(source, other)) {
            must(cf_streq(owner_of(member(get(source, "secret"), "name")), account_of(s->object)),
                 s, "a source of another account changed", cJSON_PrintUnformatted(after));
            n = replaced_by(s, source, now, at, mode);
            must(n > 0, s, "a source gives other files", cJSON_PrintUnformatted(after));
            converted++;
        }
        at += n;
    }
    must(at == cJSON_GetArraySize(now), s, "sources were added", cJSON_PrintUnformatted(after));
    must(same_text(get(before, "defaultMode"), get(after, "defaultMode")), s,
         "defaultMode of a projected volume changed", cJSON_PrintUnformatted(after));
}

static void check_volume(const struct subject *s, const cJSON *before, const cJSON *after)
{
    struct files old_files = {.arena = arena, .account = account_of(s->object)};
    struct files new_files = {.arena = arena, .account = account_of(s->object)};

    unsigned long converted_before = converted;

    if (same_text(before, after))
        return;
    must(cf_streq(member(before, "name"), member(after, "name")), s, "a volume's name changed",
         cJSON_PrintUnformatted(after));
    if (get(before, "projected") != NULL && get(before, "secret") == NULL) {
        check_sources(s, get(before, "projected"), get(after, "projected"));
    } else {
        must(cf_streq(owner_of(member(get(before, "secret"), "secretName")), account_of(s->object)),
             s, "a volume of another account changed", cJSON_PrintUnformatted(after));
        converted++;
    }
    must(converted == converted_before || !has_sub_path(s->object, member(before, "name")), s,
         "a volume mounted by subPath was converted", cJSON_PrintUnformatted(after));
    add_volume(&old_files, before);
    add_volume(&new_files, after);
    must(same_files(&old_files, &new_files), s, "a volume gives other files",
         cJSON_PrintUnformatted(after));
}

/* The object without its volumes and without Curfew's annotation. */
static cJSON *rest_of(const cJSON *object)
{
    cJSON *copy = cJSON_Duplicate(object, true), *meta = get(copy, "metadata");

    cJSON_DeleteItemFromObjectCaseSensitive(get(copy, "spec"), "volumes");
    cJSON_DeleteItemFromObjectCaseSensitive(get(meta, "annotations"), "curfew.dev/fixed");
    if (cJSON_GetArraySize(get(meta, "annotations")) == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "annotations");
    return copy;
}

static void check_pod_patch(const struct subject *s, const cJSON *after)
{
    const cJSON *old_list = get(get(s->object, "spec"), "volumes");
    const cJSON *new_list = get(get(after, "spec"), "volumes");
    unsigned long before = converted;
    const char *mark = member(get(get(after, "metadata"), "annotations"), "curfew.dev/fixed");

    must(same_text(rest_of(s->object), rest_of(after)), s, "something else was touched",
         cJSON_PrintUnformatted(after));
    must(cJSON_GetArraySize(old_list) == cJSON_GetArraySize(new_list), s, "volumes came or went",
         cJSON_PrintUnformatted(after));
    for (int i = 0; i < cJSON_GetArraySize(old_list); i++)
        check_volume(s, cJSON_GetArrayItem(old_list, i), cJSON_GetArrayItem(new_list, i));
    if (converted > before)
        must(cf_streq(mark, "legacy-token-mount"), s, "the annotation is missing", mark);
    else
        must(cf_streq(mark,
                      member(get(get(s->object, "metadata"), "annotations"), "curfew.dev/fixed")),
             s, "the annotation is there without a conversion", mark);
}

static void check_request_patch(const struct subject *s, const cJSON *after)
{
    cJSON *a = cJSON_Duplicate(s->object, true), *b = cJSON_Duplicate(after, true);

    cJSON_DeleteItemFromObjectCaseSensitive(get(a, "spec"), "expirationSeconds");
    cJSON_DeleteItemFromObjectCaseSensitive(get(b, "spec"), "expirationSeconds");
    must(cJSON_Compare(a, b, true), s, "more than expirationSeconds was touched",
         cJSON_PrintUnformatted(after));
}

/* ---- independent checks of verdicts ---- */

/* Checks without the rules: a pod that passes at restricted, without any configuration, names no
 * legacy Secret, and every token that it requests lasts between ten minutes and an hour. */
static const char *unsafe_part(const cJSON *value)
{
    const cJSON *child;

    if (value == NULL)
        return NULL;
    if (value->string != NULL && cf_streq(value->string, "expirationSeconds") &&
        cJSON_IsNumber(value) && (value->valuedouble < 600 || value->valuedouble > 3600))
        return "expirationSeconds";
    if (cJSON_IsString(value) && is_legacy(value->valuestring) &&
        !cf_streq(value->string, "serviceAccountName"))
        return value->valuestring;
    cJSON_ArrayForEach(child, value)
    {
        const char *part = unsafe_part(child);

        if (part != NULL && !cf_streq(child->string, "configMap"))
            return part;
    }
    return NULL;
}

static void check_verdict(const struct subject *s, const char *review, const cJSON *after,
                          const struct test_answer *a)
{
    bool same_levels = cf_streq(s->namespace, "restricted") || cf_streq(s->namespace, "baseline");
    unsigned wrong = findings_of(s, review, is_denied);
    const char *part;

    must(a->allowed == (wrong == 0), s, "the answer is not what was found", a->text);
    denied += !a->allowed;
    if (same_levels)
        must(findings_of(s, review, is_fixable) == 0, s, "something can still be fixed", review);
    if (!a->allowed || !cf_streq(s->namespace, "restricted") || *s->config != '\0')
        return;
    if (cf_streq(s->kind, "TokenRequest")) {
        must(unsafe_part(after) == NULL, s, "a long token request passes", review);
        must(cf_streq(member(get(get(after, "spec"), "boundObjectRef"), "kind"), "Pod"), s,
             "an unbound token request passes", review);
        return;
    }
    part = unsafe_part(get(get(after, "spec"), "volumes"));
    must(part == NULL, s, "an unsafe pod passes", part);
    part = unsafe_part(get(get(after, "spec"), "containers"));
    must(part == NULL, s, "an unsafe environment passes", part);
}

static void check_created(const struct subject *s)
{
    const char *review = review_with(s, "CREATE", s->object, NULL), *again;
    struct test_answer a = ask(s, CF_PHASE_MUTATE, review), b;
    cJSON *after = test_patched(s->object, a.patch);

    must(after != NULL, s, "the patch does not apply", a.text);
    must(a.patch == NULL || cJSON_GetArraySize(a.patch) > 0, s, "the patch is empty", a.text);
    repaired += a.patch != NULL;
    if (cf_streq(s->kind, "Pod"))
        check_pod_patch(s, after);
    else if (cf_streq(s->kind, "TokenRequest"))
        check_request_patch(s, after);
    else
        must(a.patch == NULL, s, "a template is patched", a.text);
    again = review_with(s, "CREATE", after, NULL);
    b = ask(s, CF_PHASE_MUTATE, again);
    must(b.patch == NULL, s, "a second pass patches again", b.text);
    if (cf_streq(s->kind, "Deployment")) {
        b = ask(s, CF_PHASE_VALIDATE, again);
        must(b.allowed, s, "a template is refused", b.text);
        return;
    }
    b = ask(s, CF_PHASE_VALIDATE, again);
    check_verdict(s, again, after, &b);
}

/* Existing parts are not findings, regardless of other changes, and an existing object is
 * never patched. */
static void check_updated(const struct subject *s, struct random *r)
{
    const char *review = review_with(s, "UPDATE", s->object, s->object);
    cJSON *other =
        cf_streq(s->kind, "Pod") ? any_pod(r, s->namespace) : any_deployment(r, s->namespace);
    struct test_answer a;

    must(findings_of(s, review, any) == 0, s, "an unchanged object has findings", review);
    a = ask(s, CF_PHASE_MUTATE, review);
    must(a.patch == NULL && a.warnings == NULL, s, "an unchanged object is patched", a.text);
    a = ask(s, CF_PHASE_VALIDATE, review);
    must(a.allowed && a.warnings == NULL, s, "an unchanged object is refused", a.text);
    review = review_with(s, "UPDATE", s->object, other);
    a = ask(s, CF_PHASE_MUTATE, review);
    must(a.patch == NULL, s, "an existing object is patched", a.text);
    a = ask(s, CF_PHASE_VALIDATE, review);
    must(a.allowed == (findings_of(s, review, is_denied) == 0 || cf_streq(s->kind, "Deployment")),
         s, "the answer is not what was found", a.text);
}

/* ---- */

static void run_case(uint64_t case_seed)
{
    struct random r = {case_seed};
    unsigned config = below(&r, CF_COUNT(configs)), kind = below(&r, 10);
    struct subject s = {.policy = policies[config], .config = configs[config]};

    seed = case_seed;
    s.namespace = PICK(&r, namespaces);
    s.kind = kind == 0 ? "TokenRequest" : kind == 1 ? "Deployment" : "Pod";
    s.object = kind == 0   ? any_token_request(&r, s.namespace)
               : kind == 1 ? any_deployment(&r, s.namespace)
                           : any_pod(&r, s.namespace);
    check_created(&s);
    if (kind != 0)
        check_updated(&s, &r);
}

static void load_store(void)
{
    const struct cf_json *list = parse_json(arena, objects);

    store = cf_store_new(CF_ABSENT_IS_PLAIN);
    if (store == NULL)
        give_up("out of memory");
    add_object(store, list);
    for (size_t i = 0; i < CF_COUNT(namespaces); i++) {
        for (size_t j = 0; j < CF_COUNT(legacy_names); j++) {
            const char *owner = owner_of(legacy_names[j]);
            const char *secret = cf_arena_printf(
                arena,
                "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"%s\","
                "\"namespace\":\"%s\",\"annotations\":{\"kubernetes.io/service-account.name\":"
                "\"%s\"}},\"type\":\"kubernetes.io/service-account-token\"}",
                legacy_names[j], namespaces[i], owner != NULL ? owner : "");

            add_object(store, parse_json(arena, secret));
        }
    }
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261122;

    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    load_store();
    for (size_t i = 0; i < CF_COUNT(configs); i++)
        policies[i] = policy_of(configs[i]);
    for (unsigned long i = 0; i < count; i++) {
        cf_arena_reset(arena, false);
        (void)cf_json_use(arena);
        run_case(first + i);
    }
    for (size_t i = 0; i < CF_COUNT(configs); i++)
        cf_policy_free(policies[i]);
    cf_store_free(store);
    cf_arena_free(arena);
    printf("ok %lu cases from seed %llu: %lu repaired, %lu sources and volumes converted, "
           "%lu denied after it\n",
           count, (unsigned long long)first, repaired, converted, denied);
    return 0;
}
