/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - real AdmissionReviews, answered as the design says.
 *
 * test/recorded/PHASE.*.json are bodies that a real API server sent; objects.yaml is what it
 * knew. Each answer is compared with golden/NAME.json (the patch decoded; UPDATE=1 rewrites
 * them: read the diff), and what must hold for them is said once more in words below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "recorded.h"

#include "curfew/str.h"

static const char *root = "test/recorded";
static struct cf_arena *arena;
static struct cf_policy *policy;
static struct cf_store *store;

/* ---- asking ---- */

static char *recorded(const char *name)
{
    char path[1024];
    char *text;

    snprintf(path, sizeof(path), "%s/%s.json", root, name);
    text = read_text(arena, path);
    if (text == NULL)
        give_up(path);
    return text;
}

static enum cf_phase phase_of(const char *name)
{
    return cf_starts_with(name, "mutate.") ? CF_PHASE_MUTATE : CF_PHASE_VALIDATE;
}

static struct test_answer ask(enum cf_phase phase, const char *review)
{
    struct cf_review_input in = {.phase = phase, .policy = policy, .store = store, .now = NOW};
    struct test_answer a = test_ask(arena, &in, review);

    if (a.rc != 0)
        give_up(a.err.msg);
    return a;
}

static struct test_answer answer_to(const char *name)
{
    return ask(phase_of(name), recorded(name));
}

/* ---- goldens ---- */

static const char *golden_text(const struct test_answer *a)
{
    cJSON *shown = cJSON_Duplicate(a->root, true);
    cJSON *response = cJSON_GetObjectItemCaseSensitive(shown, "response");
    const char *text;

    if (a->patch != NULL)
        cJSON_ReplaceItemInObjectCaseSensitive(response, "patch", cJSON_Duplicate(a->patch, true));
    text = cJSON_Print(shown);
    return cf_arena_printf(arena, "%s\n", text);
}

static bool same_as_golden(const char *name, const char *text)
{
    return is_expected(cf_arena_printf(arena, "%s/golden/%s.json", root, name), text);
}

/* The name of a recorded review without .json, or NULL: the file holds none. */
static const char *name_of(const char *file)
{
    if (!cf_ends_with(file, ".json"))
        return NULL;
    return cf_arena_strndup(arena, file, strlen(file) - strlen(".json"));
}

/* What every answer must keep, whatever it says. */
static const char *broken_limit(const struct test_answer *a)
{
    const char *end = strchr(a->message, '\n');
    size_t total = 0;
    const cJSON *v;

    if (strstr(golden_text(a), "eyJ") != NULL)
        return "it holds what looks like a token";
    if ((end != NULL ? (size_t)(end - a->message) : strlen(a->message)) >= 220)
        return "its first line is too long";
    if (!a->allowed && strstr(a->message, "\n  do this: ") == NULL)
        return "the denial does not say what to do";
    cJSON_ArrayForEach(v, a->warnings)
    {
        const char *text = cJSON_GetStringValue(v);

        total += cf_utf8_count(text);
        if (cf_utf8_count(text) > 256 || strpbrk(text, "\n\t\r") != NULL)
            return "a warning is too long, or no single line";
    }
    cJSON_ArrayForEach(v, a->annotations)
    {
        if (strchr(v->string, '/') != NULL)
            return "the key of an audit annotation holds a slash";
    }
    return total < 4096 ? NULL : "its warnings are too long together";
}

static void check_golden(const char *file, void *arg)
{
    const char *name = name_of(file), *why;
    struct test_answer a;

    (void)arg;
    if (name == NULL)
        return;
    a = answer_to(name);
    why = broken_limit(&a);
    if (why == NULL && !same_as_golden(name, golden_text(&a)))
        why = "not as expected";
    result(why == NULL, name, why);
    cf_arena_reset(arena, false);
}

/* ---- in words ---- */

static cJSON *request_of(cJSON *review)
{
    return cJSON_GetObjectItemCaseSensitive(review, "request");
}

static const cJSON *spec_of(const cJSON *object)
{
    return cJSON_GetObjectItemCaseSensitive(object, "spec");
}

/* The review with the answer's patch applied to its object. */
static cJSON *repaired(const char *review, const struct test_answer *a)
{
    cJSON *copy = cJSON_Parse(review);
    cJSON *object =
        test_patched(cJSON_GetObjectItemCaseSensitive(request_of(copy), "object"), a->patch);

    if (object == NULL)
        return NULL;
    cJSON_ReplaceItemInObjectCaseSensitive(request_of(copy), "object", object);
    return copy;
}

/* Whether some projected token of the pod asks for so many seconds. */
static bool asks_for(const cJSON *pod, double seconds)
{
    const cJSON *volume, *source;

    cJSON_ArrayForEach(volume, cJSON_GetObjectItemCaseSensitive(spec_of(pod), "volumes"))
    {
        const cJSON *projected = cJSON_GetObjectItemCaseSensitive(volume, "projected");

        cJSON_ArrayForEach(source, cJSON_GetObjectItemCaseSensitive(projected, "sources"))
        {
            const cJSON *token = cJSON_GetObjectItemCaseSensitive(source, "serviceAccountToken");
            const cJSON *e = cJSON_GetObjectItemCaseSensitive(token, "expirationSeconds");

            if (cJSON_IsNumber(e) && e->valuedouble == seconds)
                return true;
        }
    }
    return false;
}

static bool names_secret(const cJSON *pod, const char *secret)
{
    cJSON *volumes = cJSON_GetObjectItemCaseSensitive(spec_of(pod), "volumes");
    char quoted[300];

    snprintf(quoted, sizeof(quoted), "\"%s\"", secret);
    return strstr(cJSON_PrintUnformatted(volumes), quoted) != NULL;
}

struct pod_case {
    const char *name;
    bool converted; /* its legacy mount is gone, and it says so */
    bool refused;   /* still, after the repair */
};

static const struct pod_case pods[] = {
    {"mutate.create.pods.agent.by-daemon-set-controller", false, false},
    {"mutate.create.pods.db.by-statefulset-controller", false, false},
    {"mutate.create.pods.legacy-env.by-admin", false, true},
    {"mutate.create.pods.legacy-items.by-admin", true, false},
    {"mutate.create.pods.legacy-mount.by-admin", true, false},
    {"mutate.create.pods.legacy-projected.by-admin", true, false},
    {"mutate.create.pods.long-projection.by-admin", false, false},
    {"mutate.create.pods.once.by-job-controller", false, false},
    {"mutate.create.pods.other-accounts-token.by-admin", false, true},
    {"mutate.create.pods.web.by-replicaset-controller", true, false},
};

static const char *wrong_repair(const struct pod_case *c)
{
    const char *review = recorded(c->name), *text;
    struct test_answer a = ask(CF_PHASE_MUTATE, review), again, verdict;
    cJSON *after = repaired(review, &a), *object, *annotations;

    if (!a.allowed || a.decision != CF_FIXED || after == NULL)
        return "is not repaired";
    object = cJSON_GetObjectItemCaseSensitive(request_of(after), "object");
    annotations = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(object, "metadata"), "annotations");
    if (asks_for(object, 3607) || !asks_for(object, 3600))
        return "the automounted token is not one of an hour";
    if (names_secret(object, "web-token") && !c->refused)
        return "the legacy Secret is not gone";
    if (cf_streq(test_string(annotations, "curfew.dev/fixed"), "legacy-token-mount") !=
        c->converted)
        return "the annotation curfew.dev/fixed is wrong";
    text = cJSON_PrintUnformatted(after);
    again = ask(CF_PHASE_MUTATE, text);
    if (again.patch != NULL || again.decision != CF_ALLOWED)
        return "a second pass repairs something";
    verdict = ask(CF_PHASE_VALIDATE, text);
    if (verdict.allowed == c->refused)
        return c->refused ? "passes after its repair" : "is refused after its repair";
    return NULL;
}

static void check_repairs(void)
{
    for (size_t i = 0; i < CF_COUNT(pods); i++) {
        const char *why = wrong_repair(&pods[i]);

        result(why == NULL, cf_arena_printf(arena, "repair of %s", pods[i].name), why);
        cf_arena_reset(arena, false);
    }
}

static void check_clamp(void)
{
    const char *review = recorded("mutate.create.pods.long-projection.by-admin");
    struct test_answer a = ask(CF_PHASE_MUTATE, review);
    cJSON *before = cJSON_GetObjectItemCaseSensitive(request_of(cJSON_Parse(review)), "object");

    result(asks_for(before, 2592000) && !asks_for(test_patched(before, a.patch), 2592000) &&
               test_warned(&a, "token-lifetime"),
           "long-projection is clamped, and said so", "it is not");
}

/* Denied with a line that holds `part`, and with a sentence that says what to do. */
static const struct {
    const char *name, *part;
} denied[] = {
    {"validate.create.pods.legacy-mount.by-admin",
     "legacy-token-mount: volume \"tok\" mounts Secret \"web-token\""},
    {"validate.create.pods.legacy-items.by-admin", "legacy-token-mount: "},
    {"validate.create.pods.legacy-projected.by-admin", "legacy-token-mount: "},
    {"validate.create.pods.web.by-replicaset-controller",
     "pod of \"web\" violates Curfew level \"restricted\": legacy-token-mount: "},
    {"validate.create.pods.long-projection.by-admin", "token-lifetime: "},
    {"validate.create.pods.other-accounts-token.by-admin", "set serviceAccountName: web"},
    {"validate.create.pods.legacy-env.by-admin", "legacy-token-env: "},
    {"validate.create.secrets.web-token.by-admin", "legacy-token-secret: "},
    {"validate.create.csidrivers.secrets-store.csi.example.com.by-admin", "token-lifetime: "},
    {"validate.create.serviceaccounts-token.web.by-admin",
     "token request for service account \"web\" violates "},
};

static void check_denials(void)
{
    for (size_t i = 0; i < CF_COUNT(denied); i++) {
        struct test_answer a = answer_to(denied[i].name);

        result(!a.allowed && a.decision == CF_DENIED && strstr(a.message, denied[i].part) != NULL &&
                   strstr(a.message, "\n  do this: ") != NULL,
               cf_arena_printf(arena, "denial of %s", denied[i].name), a.message);
    }
}

/* Everything else passes /validate. */
static bool is_denied(const char *name)
{
    for (size_t i = 0; i < CF_COUNT(denied); i++) {
        if (cf_streq(denied[i].name, name))
            return true;
    }
    return false;
}

static void check_pass(const char *file, void *arg)
{
    const char *name = name_of(file);
    struct test_answer a;

    (void)arg;
    if (name == NULL || !cf_starts_with(name, "validate.") || is_denied(name))
        return;
    a = answer_to(name);
    result(a.allowed && a.decision == CF_ALLOWED && a.patch == NULL,
           cf_arena_printf(arena, "pass of %s", name), a.message);
}

/* Templates are warned, never refused; what was there before, and what the control plane and
 * the kubelets do, is not even warned about. */
static const char *const quiet[] = {
    "validate.update.secrets.web-token.by-apiserver",
    "validate.update.secrets.web-token.by-kube-controller-manager",
    "validate.create.serviceaccounts-token.default.by-n1",
    "validate.create.serviceaccounts-token.node-agent.by-n1",
    "validate.create.serviceaccounts-token.web.by-n1",
    "validate.update.pods.legacy-mount.by-admin",
    "validate.update.pods-ephemeralcontainers.legacy-mount.by-admin",
    "validate.delete.pods.long-projection.by-admin",
    "validate.delete.pods.long-projection.by-n1",
    "validate.delete.secrets.db.by-admin",
    "validate.create.replicasets.web.by-deployment-controller",
    "mutate.create.secrets.web-token.by-admin",
    "mutate.create.secrets.db.by-admin",
    "mutate.create.secrets.copied.by-admin",
    "mutate.create.secrets.pull.by-admin",
    "mutate.update.secrets.web-token.by-apiserver",
    "mutate.update.secrets.web-token.by-kube-controller-manager",
    "mutate.create.serviceaccounts-token.default.by-n1",
    "mutate.create.serviceaccounts-token.node-agent.by-n1",
    "mutate.create.serviceaccounts-token.web.by-n1",
    "mutate.update.pods.legacy-mount.by-admin",
    "mutate.delete.pods.long-projection.by-admin",
    "mutate.delete.pods.long-projection.by-n1",
    "mutate.delete.secrets.db.by-admin",
};

static void check_quiet(void)
{
    for (size_t i = 0; i < CF_COUNT(quiet); i++) {
        struct test_answer a = answer_to(quiet[i]);

        result(a.allowed && a.patch == NULL && a.warnings == NULL,
               cf_arena_printf(arena, "silence about %s", quiet[i]), "it is not silent");
    }
}

static void check_templates(void)
{
    struct test_answer a = answer_to("validate.create.deployments.web.by-admin");

    result(a.allowed && test_warned(&a, "deployment \"web\" would violate Curfew level "
                                        "\"restricted\": legacy-token-mount: "),
           "the Deployment is warned", "it is not");
    a = answer_to("validate.create.cronjobs.nightly.by-admin");
    result(a.allowed && test_warned(&a, "cronjob \"nightly\" would violate Curfew level "
                                        "\"restricted\": "),
           "the CronJob is warned", "it is not");
}

/* The annotation's removal: by system:masters, which guard.groups names, and by others. */
static void check_annotation(void)
{
    const char *name = "validate.update.serviceaccounts.node-agent.by-admin";
    struct test_answer a = answer_to(name);
    cJSON *copy = cJSON_Parse(recorded(name));
    cJSON *user = cJSON_GetObjectItemCaseSensitive(request_of(copy), "userInfo");
    static const char *const groups[] = {"developers", "system:authenticated"};

    result(a.allowed && cf_streq(test_string(a.annotations, "exempt"), "group"),
           "an admin may take the annotation off", "refused, or not said");
    cJSON_ReplaceItemInObjectCaseSensitive(user, "groups", cJSON_CreateStringArray(groups, 2));
    a = ask(CF_PHASE_VALIDATE, cJSON_PrintUnformatted(copy));
    result(!a.allowed && strstr(a.message, "violates Curfew: restricted-by-node-annotation: ") &&
               cJSON_GetObjectItemCaseSensitive(a.annotations, "exempt") == NULL,
           "an ordinary group may not", a.message);
}

/* No golden is left over from a review that is gone. */
static void check_stray(const char *file, void *arg)
{
    const char *path = cf_arena_printf(arena, "%s/%s", root, file);

    (void)arg;
    if (access(path, F_OK) != 0)
        result(false, path, "has a golden, and is gone");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        root = argv[1];
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    store = store_of(cf_arena_printf(arena, "%s/objects.yaml", root));
    policy = policy_of("");
    each_file(root, check_golden, NULL);
    each_file(cf_arena_printf(arena, "%s/golden", root), check_stray, NULL);
    check_repairs();
    check_clamp();
    check_denials();
    cf_arena_reset(arena, false);
    each_file(root, check_pass, NULL);
    cf_arena_reset(arena, false);
    check_quiet();
    check_templates();
    check_annotation();
    check_broken(root, store);
    cf_policy_free(policy);
    cf_store_free(store);
    cf_arena_free(arena);
    check_authorize(root);
    return finish();
}
