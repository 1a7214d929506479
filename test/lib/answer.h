/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - evaluates an AdmissionReview and parses the response with cJSON only, independently of
 * Curfew's reader and writer. Applies patches with a separate implementation, as strict as the API
 * server's (evanphx/json-patch): Debian's cJSON comes without its utilities. */
#ifndef CURFEW_TEST_ANSWER_H
#define CURFEW_TEST_ANSWER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/json/json_private.h"
#include "curfew/limits.h"
#include "curfew/review.h"

struct test_answer {
    int rc; /* of cf_review_answer(); below only for 0 */
    struct cf_err err;
    enum cf_decision decision;
    bool holds_secret;
    bool unread;      /* a verdict on what could not be read */
    const char *text; /* the answer as it goes out */
    cJSON *root, *response;
    bool allowed;
    const char *message; /* "" without a status */
    cJSON *patch;        /* decoded from its base64; NULL: none */
    cJSON *warnings;     /* NULL: none */
    cJSON *annotations;  /* NULL: none */
};

static inline int test_base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* Decodes in place what is valid, with padding; NULL for all else. */
static inline char *test_base64_decode(char *text)
{
    size_t len = strlen(text), n = 0;
    unsigned bits = 0, have = 0;

    if (len % 4 != 0)
        return NULL;
    for (size_t i = 0; i < len && text[i] != '='; i++) {
        int digit = test_base64_digit(text[i]);

        if (digit < 0)
            return NULL;
        bits = (bits << 6 | (unsigned)digit) & 0xFFFFU;
        have += 6;
        if (have >= 8) {
            have -= 8;
            text[n++] = (char)(bits >> have & 0xFFU);
        }
    }
    text[n] = '\0';
    return text;
}

static inline const char *test_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text != NULL ? text : "";
}

/* Everything lives in the arena, which cJSON uses from here on. */
static inline struct test_answer test_ask(struct cf_arena *arena, const struct cf_review_input *in,
                                          const char *review)
{
    struct test_answer a = {0};
    struct cf_outcome outcome;
    struct cf_buf buf;
    const cJSON *patch;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    a.rc = cf_review_answer(arena, in, review, strlen(review), &buf, &outcome, &a.err);
    a.decision = outcome.decision;
    a.holds_secret = outcome.holds_secret;
    a.unread = a.rc == 0 && outcome.unread != NULL;
    (void)cf_json_use(arena);
    if (a.rc != 0)
        return a;
    a.text = cf_buf_str(&buf);
    a.root = cJSON_Parse(a.text);
    a.response = cJSON_GetObjectItemCaseSensitive(a.root, "response");
    a.allowed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(a.response, "allowed"));
    a.message = test_string(cJSON_GetObjectItemCaseSensitive(a.response, "status"), "message");
    a.warnings = cJSON_GetObjectItemCaseSensitive(a.response, "warnings");
    a.annotations = cJSON_GetObjectItemCaseSensitive(a.response, "auditAnnotations");
    patch = cJSON_GetObjectItemCaseSensitive(a.response, "patch");
    if (patch != NULL) {
        char *text = cf_arena_strdup(arena, test_string(a.response, "patch"));

        a.patch = text != NULL ? cJSON_Parse(test_base64_decode(text)) : NULL;
        if (a.patch == NULL)
            a.rc = -1;
    }
    return a;
}

/* ---- RFC 6902, as far as the API server accepts it ---- */

/* Undoes ~1 and ~0 in a step of a JSON Pointer, in place. */
static inline void test_unescape(char *step)
{
    char *to = step;

    for (const char *from = step; *from != '\0'; from++) {
        if (*from == '~' && (from[1] == '0' || from[1] == '1'))
            *to++ = *++from == '0' ? '~' : '/';
        else
            *to++ = *from;
    }
    *to = '\0';
}

/* An array's index: digits without leading zeros, below `limit`; -1 for all else. */
static inline int test_index(const char *step, int limit)
{
    long index;
    char *end;

    if (*step < '0' || *step > '9' || (*step == '0' && step[1] != '\0'))
        return -1;
    index = strtol(step, &end, 10);
    return *end == '\0' && index < limit ? (int)index : -1;
}

static inline cJSON *test_step(cJSON *at, const char *step)
{
    if (cJSON_IsObject(at))
        return cJSON_GetObjectItemCaseSensitive(at, step);
    if (cJSON_IsArray(at) && test_index(step, cJSON_GetArraySize(at)) >= 0)
        return cJSON_GetArrayItem(at, test_index(step, cJSON_GetArraySize(at)));
    return NULL;
}

/* cJSON 1.7.15 of Debian 12 cannot insert (a security fix broke it): removes the items after the
 * new one and appends them again. */
static inline bool test_insert(cJSON *array, int index, cJSON *value)
{
    int after = cJSON_GetArraySize(array) - index;

    if (!cJSON_AddItemToArray(array, value))
        return false;
    while (after-- > 0) {
        if (!cJSON_AddItemToArray(array, cJSON_DetachItemFromArray(array, index)))
            return false;
    }
    return true;
}

static inline bool test_apply_last(cJSON *parent, const char *step, const char *op, cJSON *value)
{
    bool exists = test_step(parent, step) != NULL;
    int size = cJSON_GetArraySize(parent), index = test_index(step, size + 1);

    if (strcmp(op, "add") == 0 && cJSON_IsArray(parent)) {
        if (strcmp(step, "-") == 0)
            index = size;
        return index >= 0 && test_insert(parent, index, value);
    }
    if (strcmp(op, "add") == 0 && cJSON_IsObject(parent) && !exists)
        return cJSON_AddItemToObject(parent, step, value);
    if (!exists)
        return false;
    if (strcmp(op, "remove") == 0 && cJSON_IsArray(parent))
        cJSON_DeleteItemFromArray(parent, index);
    else if (strcmp(op, "remove") == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(parent, step);
    else if (cJSON_IsArray(parent))
        return cJSON_ReplaceItemInArray(parent, index, value);
    else
        return cJSON_ReplaceItemInObjectCaseSensitive(parent, step, value);
    return true;
}

static inline bool test_apply(cJSON *root, const cJSON *operation)
{
    const char *op = test_string(operation, "op"), *path = test_string(operation, "path");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
    char copy[512], *step = copy + 1, *next;

    if (strcmp(op, "add") != 0 && strcmp(op, "replace") != 0 && strcmp(op, "remove") != 0)
        return false;
    if (*path != '/' || strlen(path) >= sizeof(copy) ||
        (value == NULL) != (strcmp(op, "remove") == 0))
        return false;
    strcpy(copy, path);
    for (; (next = strchr(step, '/')) != NULL; step = next + 1) {
        *next = '\0';
        test_unescape(step);
        root = test_step(root, step);
    }
    test_unescape(step);
    return root != NULL &&
           test_apply_last(root, step, op, value != NULL ? cJSON_Duplicate(value, true) : NULL);
}

/* A copy of the object with the patch applied; NULL: it does not apply. */
static inline cJSON *test_patched(const cJSON *object, const cJSON *patch)
{
    cJSON *copy = cJSON_Duplicate(object, true);
    const cJSON *operation;

    cJSON_ArrayForEach(operation, patch)
    {
        if (!test_apply(copy, operation))
            return NULL;
    }
    return copy;
}

/* The text of a warning or of all of them holds `part`. */
static inline bool test_warned(const struct test_answer *a, const char *part)
{
    const cJSON *warning;

    cJSON_ArrayForEach(warning, a->warnings)
    {
        const char *text = cJSON_GetStringValue(warning);

        if (text != NULL && strstr(text, part) != NULL)
            return true;
    }
    return false;
}

#endif
