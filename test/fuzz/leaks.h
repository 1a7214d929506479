/* SPDX-License-Identifier: Apache-2.0 */
/* leaks.h - no token that is in an input is in what is said about it: none that a scan finds, and
 * no part of a payload or a signature that stands nowhere else in the input. (Of a token that the
 * input has in base64, the text itself stands nowhere.) */
#ifndef CURFEW_TEST_FUZZ_LEAKS_H
#define CURFEW_TEST_FUZZ_LEAKS_H

#include "fuzz.h"

#include "curfew/token.h"

#define FUZZ_PART 16 /* bytes of base64, which no text has by chance */
#define FUZZ_PARTS_MAX 256

struct fuzz_secrets {
    const char *input;
    size_t len, count;
    char parts[FUZZ_PARTS_MAX][FUZZ_PART + 1];
};

static inline size_t fuzz_occurs(const char *text, size_t len, const char *part)
{
    size_t count = 0;

    for (const char *end = text + len;
         (text = memmem(text, (size_t)(end - text), part, FUZZ_PART)) != NULL; text++)
        count++;
    return count;
}

static inline bool fuzz_keep_parts(const struct cf_token_hit *hit, void *arg)
{
    struct fuzz_secrets *secrets = arg;
    const char *end = hit->text + hit->len, *at = memchr(hit->text, '.', hit->len);
    bool plain = hit->text >= secrets->input && hit->text < secrets->input + secrets->len;

    for (at = at != NULL ? at + 1 : end; end - at >= FUZZ_PART; at += FUZZ_PART) {
        char *part = secrets->parts[secrets->count];

        if (secrets->count == FUZZ_PARTS_MAX)
            return false;
        memcpy(part, at, FUZZ_PART);
        part[FUZZ_PART] = '\0';
        if (memchr(part, '.', FUZZ_PART) == NULL &&
            fuzz_occurs(secrets->input, secrets->len, part) <= plain)
            secrets->count++;
    }
    return true;
}

static inline bool fuzz_no_hit(const struct cf_token_hit *hit, void *arg)
{
    fuzz_must(hit->unread == CF_UNREAD_DEEP, "a message contains a token", arg);
    return true;
}

static inline void fuzz_scan(const char *text, size_t len, cf_token_visit *visit, void *arg)
{
    struct cf_token_scanner *scanner;

    if (!cf_token_may_hold(text, len))
        return;
    scanner = cf_token_scanner_new(CF_SCAN_ANY);
    fuzz_must(scanner != NULL && cf_token_scan(scanner, text, len, visit, arg) == 0,
              "there is memory for a scan", NULL);
    cf_token_scanner_free(scanner);
}

static inline void fuzz_secrets_of(struct fuzz_secrets *secrets, const char *input, size_t len)
{
    secrets->input = input;
    secrets->len = len;
    secrets->count = 0;
    fuzz_scan(input, len, fuzz_keep_parts, secrets);
}

static inline void fuzz_must_not_tell(const struct fuzz_secrets *secrets, const char *text)
{
    size_t len = strlen(text);
    char *copy = strdup(text);

    fuzz_scan(text, len, fuzz_no_hit, copy);
    for (size_t i = 0; i < secrets->count; i++)
        fuzz_must(fuzz_occurs(text, len, secrets->parts[i]) == 0,
                  "a message contains a part of a token", text);
    free(copy);
}

#endif
