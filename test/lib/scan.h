/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - texts with tokens in them, and what a scan finds: for the tests of the scanner. */
#ifndef CURFEW_TEST_SCAN_H
#define CURFEW_TEST_SCAN_H

#include "test.h"
#include "sign.h"

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/token.h"

static char *legacy, *bound, *other; /* other: a JWT of no ServiceAccount */

static inline int set_up(void **state)
{
    char *text;

    (void)state;
    cf_json_init();
    legacy = test_file("test/tokens/legacy.jwt");
    bound = test_file("test/tokens/pod-bound-1h.jwt");
    text = test_unsigned("{\"alg\":\"RS256\"}", "{\"iss\":\"https://accounts.example.com\"}");
    other = test_join(text, "c2lnbmF0dXJl");
    free(text);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(legacy);
    free(bound);
    free(other);
    return 0;
}

/* ---- what a scan finds ---- */

struct found {
    unsigned count;  /* of tokens */
    unsigned unread; /* of what looks like one and was not read */
    enum cf_token_unread why;
    unsigned layers; /* of the last one of both */
    size_t offset, line;
    char hash[CF_TOKEN_HASH + 1];
    char account[64];
    unsigned enough; /* of them to stop the search at; 0: never */
};

static inline bool note(const struct cf_token_hit *hit, void *arg)
{
    struct found *found = arg;

    found->layers = hit->layers;
    found->offset = hit->offset;
    found->line = hit->line;
    if (hit->token == NULL) {
        assert_int_not_equal(hit->unread, CF_UNREAD_NO);
        found->unread++;
        found->why = hit->unread;
        return true;
    }
    found->count++;
    cf_token_hash(hit->text, hit->len, found->hash);
    snprintf(found->account, sizeof(found->account), "%s/%s",
             hit->token->namespace != NULL ? hit->token->namespace : "",
             hit->token->account != NULL ? hit->token->account : "");
    return found->count != found->enough;
}

/* Scans a copy that ends where the text ends, so that reading on would be seen. */
static inline struct found scan_as(enum cf_token_scan_flags flags, const char *text, size_t len)
{
    struct cf_token_scanner *scanner = cf_token_scanner_new(flags);
    char *exact = malloc(len > 0 ? len : 1);
    struct found found = {0};

    memcpy(exact, text, len);
    assert_int_equal(cf_token_scan(scanner, exact, len, note, &found), 0);
    if (found.count + found.unread > 0)
        assert_true(cf_token_may_hold(exact, len));
    cf_token_scanner_free(scanner);
    free(exact);
    return found;
}

static inline struct found scan(const char *text)
{
    return scan_as(CF_SCAN_ACCOUNTS, text, strlen(text));
}

static inline void holds_nothing(const char *text)
{
    struct found found = scan(text);

    if (found.count + found.unread != 0)
        fail_msg("something was found in '%.80s'", text);
}

/* Finds the token once, below that many layers. Takes the text. */
static inline void holds(char *text, const char *token, unsigned layers)
{
    struct found found = scan(text);
    char hash[CF_TOKEN_HASH + 1];

    cf_token_hash(token, strlen(token), hash);
    if (found.count != 1 || found.unread != 0)
        fail_msg("%u tokens, %u unread in '%.120s'", found.count, found.unread, text);
    assert_string_equal(found.hash, hash);
    assert_int_equal(found.layers, layers);
    assert_string_equal(found.account, "shop/web");
    free(text);
}

static inline char *format(const char *fmt, ...) CF_PRINTF(1, 2);
static inline char *format(const char *fmt, ...)
{
    char *out;
    va_list args;

    va_start(args, fmt);
    assert_true(vasprintf(&out, fmt, args) >= 0);
    va_end(args);
    return out;
}

/* What is encoded is inside a quote, as data of a Secret is. */
static inline char *encoded(char *text)
{
    char *b64 = test_base64(text, strlen(text)), *out = format("\"%s\"", b64);

    free(b64);
    free(text);
    return out;
}

#endif
