/* SPDX-License-Identifier: Apache-2.0 */
/* remedies.c - what is advised helps: it is allowed at the level that advised it, names what is
 * known, and says what to put in the place of a word in capitals.
 *
 * Each fixture is judged at each level by all rules. The commands and the YAML in what the findings
 * say are carried out on paper: a `kubectl create token` becomes the TokenRequest that it sends, a
 * replacement the object that has it; and that is judged in turn, for the same caller. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/time.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/str.h"
#include "fixture.h"

unsigned advice_tried;

#define GUARD "{\"username\":\"admin\",\"groups\":[\"system:masters\"]}"
#define WORDS_MAX 24

struct trial {
    const struct fixture *fx;
    struct trial_input in;
    struct cf_arena *arena;
    const struct cf_json *review; /* the fixture's */
    const struct cf_request *request;
    const struct cf_evaluation *evaluation;
    const struct cf_finding *finding;
    const char *remedy;
};

static void fail(const struct trial *t, const char *why, const char *what)
{
    printf("%s at %s: %s: %s\n  %s\n", t->fx->path, cf_level_name(t->in.level),
           t->finding->rule->id, t->remedy, what);
    result(false, t->fx->path, why);
}

/* ---- evaluating ---- */

static bool evaluate_trial(const struct trial *t, const char *bytes, struct cf_evaluation *out)
{
    struct cf_request *request;
    struct cf_err err = {0};

    if (evaluate(t->arena, &t->in, bytes, &request, out, &err) == 0)
        return true;
    fail(t, "what is advised can't be judged", err.msg);
    return false;
}

static bool same(const struct cf_finding *a, const struct cf_finding *b)
{
    return a->rule == b->rule && cf_streq(a->key, b->key);
}

/* Whether the fixture has it for other reasons, about which this advice says nothing. */
static bool had(const struct trial *t, const struct cf_finding *f)
{
    for (size_t i = 0; i < t->evaluation->count; i++) {
        if (same(&t->evaluation->items[i].finding, f) && !same(f, t->finding))
            return true;
    }
    return false;
}

/* A request that was advised: nothing denies it, but what the same caller may not do at all. */
static void must_pass(const struct trial *t, const char *bytes, const char *what)
{
    struct cf_evaluation evaluation;

    advice_tried++;
    if (!evaluate_trial(t, bytes, &evaluation))
        return;
    for (size_t i = 0; i < evaluation.count; i++) {
        const struct cf_finding *f = &evaluation.items[i].finding;
        bool caller = (f->rule->traits & CF_RULE_CALLER) != 0;

        if ((evaluation.items[i].modes & CF_MODE_BIT(CF_ENFORCE)) != 0 && !(caller && had(t, f)))
            fail(t, f->what, what);
    }
}

/* ---- objects that follow the advice ---- */

/* The fixture's review, changed; NULL: the operations do not apply. */
static const char *review_with(const struct trial *t, const char *operations)
{
    const char *text = json_text(t->arena, t->review);
    const struct cf_json *copy = parse_json(t->arena, text);
    const char *why = patch_json(t->arena, copy, operations);

    if (why == NULL)
        return json_text(t->arena, copy);
    fail(t, why, operations);
    return NULL;
}

/* The finding is gone, and there is none that was not there before. */
static void must_help(const struct trial *t, const char *operations)
{
    const char *bytes = review_with(t, operations);
    struct cf_evaluation evaluation;

    advice_tried++;
    if (bytes == NULL || !evaluate_trial(t, bytes, &evaluation))
        return;
    for (size_t i = 0; i < evaluation.count; i++) {
        const struct cf_finding *f = &evaluation.items[i].finding;

        if (evaluation.items[i].exempt == CF_EXEMPT_NO && (same(f, t->finding) || !had(t, f)))
            fail(t, f->what, operations);
    }
}

/* "spec.volumes[1].name" and metadata.annotations["a/b"] of the object as a pointer. */
static const char *pointer_of(const struct trial *t, const char *path)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, t->arena, CF_KIB);
    cf_buf_adds(&buf, "/request/object");
    while (*path != '\0') {
        bool quoted = cf_starts_with(path, "[\"");

        path += quoted ? 2 : *path == '.' || *path == '[';
        cf_buf_addc(&buf, '/');
        for (; quoted ? *path != '"' : strchr(".[]", *path) == NULL; path++) {
            if (*path == '/')
                cf_buf_adds(&buf, "~1");
            else
                cf_buf_addc(&buf, *path);
        }
        path += quoted ? 2 : *path == ']';
    }
    return cf_buf_str(&buf);
}

static void add_op(struct cf_buf *ops, const char *op, const char *path,
                   const struct cf_json *value)
{
    struct cf_out out;

    cf_buf_addf(ops, "%s{\"op\":\"%s\",\"path\":\"%s\",\"value\":", ops->len > 0 ? "," : "[", op,
                path);
    cf_out_init(&out, ops);
    cf_out_value(&out, NULL, value);
    cf_buf_addc(ops, '}');
}

/* What a member of the object stands in, where that is missing. */
static void add_parents(const struct trial *t, struct cf_buf *ops, const char *pointer)
{
    char *up = cf_arena_strdup(t->arena, pointer);

    for (char *slash = strchr(up + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (cf_json_is_null(cf_json_pointer(t->review, up)))
            cf_buf_addf(ops, "%s{\"op\":\"add\",\"path\":\"%s\",\"value\":{}}",
                        ops->len > 0 ? "," : "[", up);
        *slash = '/';
    }
}

/* The YAML to paste: items of a list, or one member. */
static void try_replacement(const struct trial *t)
{
    const struct cf_fix *fix = t->finding->fix;
    const char *pointer = pointer_of(t, fix->replaces);
    const struct cf_json *value = parse_json(t->arena, fix->replacement);
    bool list = cf_json_type(value) == CF_JSON_ARRAY;
    const struct cf_json *v = cf_json_first(value);
    const char *last = strrchr(pointer, '/');
    unsigned long at = strtoul(last + 1, NULL, 10);
    struct cf_buf ops;

    cf_buf_init_arena(&ops, t->arena, CF_MIB);
    add_parents(t, &ops, pointer);
    add_op(&ops, list ? "replace" : "add", pointer, v);
    while (list && (v = cf_json_next(v)) != NULL)
        add_op(&ops, "add",
               cf_arena_printf(t->arena, "%.*s/%lu", (int)(last - pointer), pointer, ++at), v);
    cf_buf_addc(&ops, ']');
    must_help(t, cf_buf_str(&ops));
}

/* A value for the finding's own place. */
static void try_value(const struct trial *t, const char *json)
{
    const char *pointer = pointer_of(t, t->finding->path);
    struct cf_buf ops;

    cf_buf_init_arena(&ops, t->arena, CF_MIB);
    add_parents(t, &ops, pointer);
    cf_buf_addf(&ops, "%s{\"op\":\"%s\",\"path\":\"%s\",\"value\":%s}]", ops.len > 0 ? "," : "[",
                cf_json_pointer(t->review, pointer) != NULL ? "replace" : "add", pointer, json);
    must_help(t, cf_buf_str(&ops));
}

static void try_removal(const struct trial *t)
{
    must_help(t, cf_arena_printf(t->arena, "[{\"op\":\"remove\",\"path\":\"%s\"}]",
                                 pointer_of(t, t->finding->path)));
}

/* `valueFrom: {configMapKeyRef: {...}}` in the place of the variable's. */
static void try_value_from(const struct trial *t)
{
    const char *at = strstr(t->remedy, "valueFrom: {"), *end = at != NULL ? at + 11 : NULL;
    char *pointer = cf_arena_strdup(t->arena, pointer_of(t, t->finding->path)), *up;
    const struct cf_json *root;
    size_t depth = 0;

    if (at == NULL)
        return;
    do
        depth += *end == '{' ? 1 : *end == '}' ? (size_t)-1 : 0;
    while (end++, depth > 0);
    root = cf_yaml_parse(t->arena, at, (size_t)(end - at), 1, CF_YAML_MANIFEST, NULL);
    if (root == NULL) {
        fail(t, "the YAML is none", at);
    } else if ((up = strstr(pointer, "/secretKeyRef")) != NULL) {
        struct cf_buf ops;

        *up = '\0';
        cf_buf_init_arena(&ops, t->arena, CF_MIB);
        add_op(&ops, "replace", pointer, cf_json_get(root, "valueFrom"));
        cf_buf_addc(&ops, ']');
        must_help(t, cf_buf_str(&ops));
    }
}

/* "set expirationSeconds: 3600", "set it to baseline or restricted, or leave it out", ... */
static void try_words(const struct trial *t)
{
    const char *at, *out = strstr(t->remedy, "or leave it out");

    if (cf_starts_with(t->remedy, "set expirationSeconds: ") && t->request->operation == CF_CREATE)
        try_value(t, t->remedy + strlen("set expirationSeconds: "));
    if (cf_starts_with(t->remedy, "set it to \"true\" (quoted)"))
        try_value(t, "\"true\"");
    for (int level = 0; cf_starts_with(t->remedy, "set it to ") && level < CF_LEVELS; level++) {
        const char *name = cf_level_name((enum cf_level)level);

        if (strstr(t->remedy, name) != NULL)
            try_value(t, cf_arena_printf(t->arena, "\"%s\"", name));
    }
    if (out != NULL && cf_starts_with(t->remedy, "set it to "))
        try_removal(t);
    at = strstr(t->remedy, "use an allowed audience (");
    if (at != NULL) {
        at += strlen("use an allowed audience (");
        try_value(t, cf_arena_printf(t->arena, "\"%.*s\"", (int)strcspn(at, ",)"), at));
    }
}

/* ---- commands ---- */

/* The value behind the flag; NULL: it is not given. */
static const char *flag(char *const *words, size_t count, const char *name)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (cf_streq(words[i], name))
            return words[i + 1];
    }
    return NULL;
}

static long long seconds_of(const char *duration)
{
    char *unit;
    long long n = duration != NULL ? strtoll(duration, &unit, 10) : 3600;

    if (duration == NULL)
        return n;
    return *unit == 'h' ? n * 3600 : *unit == 'm' ? n * 60 : *unit == 's' ? n : -1;
}

/* userInfo of whoever carries it out: for a request for a token, and where the caller is what the
 * rule is about, the one who was refused; else a person. */
static const char *caller_of(const struct trial *t)
{
    const struct cf_json *user = cf_json_get(cf_json_get(t->review, "request"), "userInfo");
    struct cf_buf buf;
    struct cf_out out;

    if (user == NULL || (t->request->kind != CF_KIND_TOKEN_REQUEST &&
                         (t->finding->rule->traits & CF_RULE_CALLER) == 0))
        return "{\"username\":\"alice\",\"groups\":[\"system:authenticated\"]}";
    cf_buf_init_arena(&buf, t->arena, CF_MIB);
    cf_out_init(&out, &buf);
    cf_out_value(&out, NULL, user);
    return cf_buf_str(&buf);
}

/* kubectl create token NAME -n NAMESPACE ...; a pod on the caller's node, if it is one of those. */
static void try_create_token(const struct trial *t, char *const *words, size_t count)
{
    const char *kind = flag(words, count, "--bound-object-kind");
    const char *name = flag(words, count, "--bound-object-name"), *ref = "null";
    const char *namespace = flag(words, count, "-n");

    if (kind != NULL)
        ref = cf_arena_printf(t->arena, "{\"kind\":\"%s\",\"apiVersion\":\"v1\",\"name\":\"%s\"}",
                              kind, cf_streq(name, "POD") ? "agent-n1" : name);
    must_pass(
        t,
        cf_arena_printf(
            t->arena,
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
            "\"uid\":\"u\",\"operation\":\"CREATE\",\"kind\":{\"group\":"
            "\"authentication.k8s.io\",\"version\":\"v1\",\"kind\":\"TokenRequest\"},"
            "\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"serviceaccounts\"},"
            "\"subResource\":\"token\",\"namespace\":\"%s\",\"name\":\"%s\",\"userInfo\":%s,"
            "\"object\":{\"spec\":{\"expirationSeconds\":%lld,\"boundObjectRef\":%s}}}}",
            namespace, words[3], caller_of(t), seconds_of(flag(words, count, "--duration")), ref),
        "the token that is advised");
}

/* kubectl label secret NAME KEY-, kubectl annotate serviceaccount NAME KEY-: a guard does it. */
static void try_take_off(const struct trial *t, const char *map, char *word)
{
    const struct cf_json *old = cf_json_get(cf_json_get(t->review, "request"), "oldObject");
    struct cf_buf key, ops;
    const char *bytes;

    word[strlen(word) - 1] = '\0';
    cf_buf_init_arena(&key, t->arena, CF_KIB);
    for (; *word != '\0'; word++)
        cf_buf_addf(&key, *word == '/' ? "~1" : "%c", *word);
    cf_buf_init_arena(&ops, t->arena, CF_MIB);
    cf_buf_addf(&ops,
                "[{\"op\":\"add\",\"path\":\"/request/userInfo\",\"value\":" GUARD "},"
                "{\"op\":\"add\",\"path\":\"/request/object\",\"value\":%s},"
                "{\"op\":\"remove\",\"path\":\"/request/object/metadata/%s/%s\"}]",
                json_text(t->arena, old), map, cf_buf_str(&key));
    bytes = review_with(t, cf_buf_str(&ops));
    if (bytes != NULL)
        must_pass(t, bytes, "what a guard is told to run");
}

/* kubectl annotate serviceaccount NAME KEY=true: anyone. */
static void try_annotate(const struct trial *t, const char *name, const char *word)
{
    size_t len = strcspn(word, "=");

    must_pass(
        t,
        cf_arena_printf(
            t->arena,
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
            "\"uid\":\"u\",\"operation\":\"UPDATE\",\"kind\":{\"group\":\"\",\"version\":\"v1\","
            "\"kind\":\"ServiceAccount\"},\"namespace\":\"shop\",\"name\":\"%s\",\"oldObject\":{},"
            "\"object\":{\"metadata\":{\"annotations\":{\"%.*s\":\"%s\"}}}}}",
            name, (int)len, word, word + len + 1),
        "the annotation that is advised");
}

/* Its words, up to a comma; the commands of the advice have no quotes. */
static size_t split(char *command, char *words[WORDS_MAX])
{
    size_t n = 0;
    char *rest = command, *word;

    command[strcspn(command, ",)(;")] = '\0';
    while (n < WORDS_MAX && (word = strtok_r(rest, " ", &rest)) != NULL)
        words[n++] = word;
    return n;
}

static void try_command(const struct trial *t, char *command)
{
    char *words[WORDS_MAX];
    size_t count = split(command, words);
    const char *namespace = flag(words, count, "-n"), *verb = words[1];
    char *last = words[count - 1];

    if (count < 6 || !(cf_streq(namespace, t->request->namespace) ||
                       cf_streq(namespace, t->request->caller.namespace)))
        fail(t, "the command lacks its name or namespace", command);
    else if (cf_streq(verb, "create"))
        try_create_token(t, words, count);
    else if (cf_streq(verb, "label"))
        try_take_off(t, "labels", last);
    else if (cf_streq(verb, "annotate") && cf_ends_with(last, "-"))
        try_take_off(t, "annotations", last);
    else if (cf_streq(verb, "annotate"))
        try_annotate(t, words[3], last);
    else if (!cf_streq(verb, "delete")) /* no rule is about a DELETE */
        fail(t, "nobody knows this command", command);
}

static void try_commands(const struct trial *t)
{
    for (const char *at = t->remedy; (at = strstr(at, "kubectl ")) != NULL; at++) {
        const char *end = at + strcspn(at, ",)(;"), *flag = strstr(at, " -n ");

        /* "(kubectl label, annotate, edit and patch do)" only names them */
        if (flag != NULL && flag < end)
            try_command(t, cf_arena_strdup(t->arena, at));
    }
}

/* ---- words in capitals ---- */

static bool is_word(const char *text, const char *at, size_t len)
{
    /* a name in quotes is from the fixture */
    return (at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '"')) &&
           !isalnum((unsigned char)at[len]) && at[len] != '_';
}

/* Whether it could have been known. */
static bool is_known(const struct trial *t, const char *word)
{
    const struct cf_request *r = t->request;

    if (cf_streq(word, "ACCOUNT"))
        return r->kind != CF_KIND_SECRET || cf_is_object_name(r->object->secret.account);
    if (cf_streq(word, "POD"))
        return r->kind == CF_KIND_TOKEN_REQUEST && !cf_str_empty(r->caller.pod_name) &&
               cf_caller_is_account(&r->caller, r->namespace, r->name);
    return cf_streq(word, "NAMESPACE") || cf_streq(word, "NODE") || cf_streq(word, "SECRET");
}

static void check_capitals(const struct trial *t, const char *text)
{
    static const char *const words[] = {"ACCOUNT", "POD",    "NAMESPACE", "NAME",
                                        "NODE",    "SECRET", "FILE"};

    for (size_t i = 0; text != NULL && i < CF_COUNT(words); i++) {
        const char *at = strstr(text, words[i]);
        const char *meaning = cf_arena_printf(t->arena, "%s is ", words[i]);

        if (at == NULL || !is_word(text, at, strlen(words[i])))
            continue;
        if (is_known(t, words[i]))
            fail(t, "it says a word in capitals for what is known", words[i]);
        else if (strstr(text, meaning) == NULL)
            fail(t, "it does not say what a word in capitals stands for", words[i]);
    }
}

/* ---- the answers ---- */

static const struct cf_json *answer(const struct trial *t, enum cf_phase phase, const char *bytes)
{
    struct cf_review_input in = {.phase = phase,
                                 .policy = t->in.policy,
                                 .store = t->in.store,
                                 .now = cf_now(),
                                 .level = &t->in.level};
    struct cf_outcome outcome;
    struct cf_err err = {0};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, t->arena, CF_ANSWER_MAX);
    if (cf_review_answer(t->arena, &in, bytes, strlen(bytes), &buf, &outcome, &err) != 0)
        return NULL;
    return cf_json_get(parse_json(t->arena, cf_buf_str(&buf)), "response");
}

static void check_warnings(const struct trial *t, const struct cf_json *response)
{
    for (const struct cf_json *v = cf_json_first(cf_json_get(response, "warnings")); v != NULL;
         v = cf_json_next(v)) {
        if (cf_utf8_count(cf_json_str(v)) > CF_WARNING_MAX)
            fail(t, "a warning is too long", cf_json_str(v));
        check_capitals(t, cf_json_str(v));
    }
}

/* The whole of what a person reads: the denial, and the warnings. */
static void check_answers(const struct trial *t, const char *bytes)
{
    const struct cf_json *denial = answer(t, CF_PHASE_VALIDATE, bytes);
    const char *message = cf_json_str(cf_json_get(cf_json_get(denial, "status"), "message"));
    const struct cf_json *repaired = answer(t, CF_PHASE_MUTATE, bytes);

    check_warnings(t, denial);
    check_warnings(t, repaired);
    if (message == NULL)
        return;
    check_capitals(t, message);
    if (cf_utf8_count(cf_arena_strndup(t->arena, message, strcspn(message, "\n"))) >
        CF_FIRST_LINE_MAX)
        fail(t, "the first line is too long", message);
}

/* ---- all of it ---- */

static void check_finding(struct trial *t, const struct cf_finding *f)
{
    t->finding = f;
    t->remedy = f->remedy != NULL ? f->remedy : f->rule->remedy;
    check_capitals(t, f->what);
    check_capitals(t, f->detail);
    check_capitals(t, t->remedy);
    try_commands(t);
    try_words(t);
    try_value_from(t);
    if (f->fix != NULL && f->fix->replacement != NULL)
        try_replacement(t);
}

static void check_level(const struct fixture *fx, const struct cf_policy *policy, const char *bytes,
                        enum cf_level level)
{
    struct trial t = {.fx = fx,
                      .in = {policy, fx->store, level},
                      .arena = cf_arena_new(CF_ARENA_MAX),
                      .remedy = ""};
    struct cf_evaluation evaluation;
    struct cf_request *request;
    struct cf_err err = {0};

    if (evaluate(t.arena, &t.in, bytes, &request, &evaluation, &err) != 0) {
        result(false, fx->path, err.msg);
    } else if (evaluation.count > 0) {
        t.review = parse_json(t.arena, bytes);
        t.request = request;
        t.evaluation = &evaluation;
        for (size_t i = 0; i < evaluation.count; i++)
            check_finding(&t, &evaluation.items[i].finding);
        check_answers(&t, bytes);
    }
    cf_arena_free(t.arena);
}

void check_remedies(const struct fixture *fx, const struct cf_policy *policy, const char *bytes)
{
    check_level(fx, policy, bytes, CF_BASELINE);
    check_level(fx, policy, bytes, CF_RESTRICTED);
}
