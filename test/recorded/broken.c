/* SPDX-License-Identifier: Apache-2.0 */
/* broken.c - what was denied stays denied however its review is broken, and is answered.
 *
 * A review is cut at every byte, and every byte of it is replaced by one that no JSON has, by a
 * quote or a bracket, or left out. Where the uid precedes that, there must be an answer (never an
 * HTTP error, which an entry with failurePolicy Ignore takes for a yes), and where the whole review
 * was denied it must be a denial. Changes that leave a review that can be read are another review,
 * and not asked about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"

#include "curfew/attr.h"
#include "curfew/limits.h"

/* With what gives a broken one a chance to be allowed. The admin of the recordings is in a group
 * that may take the annotation off, so no group may here. */
static const struct {
    const char *name, *config;
} reviews[] = {
    {"validate.create.pods.legacy-mount.by-admin", "exemptions: {usernames: [somebody]}"},
    {"validate.create.pods.web.by-replicaset-controller", "exemptions: {groups: [some]}"},
    {"validate.create.secrets.web-token.by-admin", "exemptions: {namespaces: [shops]}"},
    {"validate.create.serviceaccounts-token.web.by-admin", "exemptions: {namespaces: [web]}"},
    {"validate.create.csidrivers.secrets-store.csi.example.com.by-admin",
     "exemptions: {namespaces: [shop]}"},
    {"validate.update.serviceaccounts.node-agent.by-admin",
     "guard: {groups: []}\nexemptions: {namespaces: [shop]}"},
};

enum change { CUT, NO_UTF8, CONTROL, QUOTE, BRACKET, LEFT_OUT, CHANGES };

struct breaking {
    const struct cf_store *store;
    struct cf_policy *policy;
    struct cf_arena *arena;
    const char *text;
    size_t len, behind_uid;
    char *broken;
    bool denied; /* as a whole */
};

/* The bytes of the review, broken at `at`; how many there are. */
static size_t break_at(const struct breaking *b, enum change change, size_t at)
{
    static const char bytes[] = {
        [NO_UTF8] = '\xFF', [CONTROL] = '\x01', [QUOTE] = '"', [BRACKET] = '['};

    memcpy(b->broken, b->text, b->len);
    if (change == CUT)
        return at;
    if (change == LEFT_OUT) {
        memmove(b->broken + at, b->broken + at + 1, b->len - at - 1);
        return b->len - 1;
    }
    b->broken[at] = bytes[change];
    return b->len;
}

static int ask(const struct breaking *b, const char *bytes, size_t len, struct cf_outcome *outcome,
               struct cf_err *err)
{
    struct cf_review_input in = {
        .phase = CF_PHASE_VALIDATE, .policy = b->policy, .store = b->store, .now = NOW};
    struct cf_buf answer;

    cf_arena_reset(b->arena, false);
    cf_buf_init_arena(&answer, b->arena, CF_ANSWER_MAX);
    *err = (struct cf_err){.kind = CF_ERR_NONE};
    return cf_review_answer(b->arena, &in, bytes, len, &answer, outcome, err);
}

/* NULL: all is well. */
static const char *wrong(const struct breaking *b, enum change change, size_t at)
{
    size_t len = break_at(b, change, at);
    struct cf_outcome outcome;
    struct cf_err err;

    if (ask(b, b->broken, len, &outcome, &err) == 0) {
        if (outcome.unread != NULL && outcome.decision != CF_DENIED && b->denied)
            return "what was denied is allowed";
        return NULL;
    }
    if (err.kind != CF_ERR_INPUT)
        return "an error of ours";
    return at > b->behind_uid ? "no answer, though there is a uid" : NULL;
}

static void check_review(struct breaking *b, const char *name)
{
    struct cf_outcome outcome;
    struct cf_err err;
    const char *why = NULL, *uid = strstr(b->text, "\"uid\":\"");
    char at[128] = "";

    b->len = strlen(b->text);
    b->behind_uid = uid != NULL ? (size_t)(strchr(uid + 7, '"') - b->text) : b->len;
    b->broken = malloc(b->len);
    if (b->broken == NULL || ask(b, b->text, b->len, &outcome, &err) != 0)
        why = "the review itself gets no answer";
    b->denied = why == NULL && outcome.decision == CF_DENIED;
    if (why == NULL && !b->denied)
        why = "the review itself is allowed";
    for (size_t i = 0; why == NULL && i < CHANGES * b->len; i++) {
        why = wrong(b, (enum change)(i % CHANGES), i / CHANGES);
        if (why != NULL)
            snprintf(at, sizeof(at), "%s (change %zu at byte %zu)", why, i % CHANGES, i / CHANGES);
    }
    result(why == NULL, name, at[0] != '\0' ? at : why);
    free(b->broken);
}

void check_broken(const char *root, const struct cf_store *store)
{
    struct cf_arena *names = cf_arena_new(CF_ARENA_MAX);

    for (size_t i = 0; i < CF_COUNT(reviews); i++) {
        struct breaking b = {.store = store,
                             .policy = policy_of(reviews[i].config),
                             .arena = cf_arena_new(CF_ARENA_MAX)};
        const char *name = cf_arena_printf(names, "%s, broken at every byte", reviews[i].name);

        b.text = read_text(names, cf_arena_printf(names, "%s/%s.json", root, reviews[i].name));
        if (b.text == NULL || b.arena == NULL)
            result(false, name, "out of memory, or no such review");
        else
            check_review(&b, name);
        cf_policy_free(b.policy);
        cf_arena_free(b.arena);
    }
    cf_arena_free(names);
}
