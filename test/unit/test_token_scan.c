/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "sign.h"

#include "curfew/attr.h"
#include "curfew/buf.h"
#include "curfew/clock.h"
#include "curfew/json.h"
#include "curfew/limits.h"
#include "curfew/token.h"

static char *legacy, *bound, *other; /* other: a JWT of no ServiceAccount */

static int set_up(void **state)
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

static int tear_down(void **state)
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

static bool note(const struct cf_token_hit *hit, void *arg)
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
             hit->token->namespace_ != NULL ? hit->token->namespace_ : "",
             hit->token->account != NULL ? hit->token->account : "");
    return found->count != found->enough;
}

/* Scans a copy that ends where the text ends, so that reading on would be seen. */
static struct found scan_as(enum cf_token_scan_flags flags, const char *text, size_t len)
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

static struct found scan(const char *text)
{
    return scan_as(CF_SCAN_ACCOUNTS, text, strlen(text));
}

static void holds_nothing(const char *text)
{
    struct found found = scan(text);

    if (found.count + found.unread != 0)
        fail_msg("something was found in '%.80s'", text);
}

/* Finds the token once, below so many layers. Takes the text. */
static void holds(char *text, const char *token, unsigned layers)
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

static char *format(const char *fmt, ...) CF_PRINTF(1, 2);
static char *format(const char *fmt, ...)
{
    char *out;
    va_list args;

    va_start(args, fmt);
    assert_true(vasprintf(&out, fmt, args) >= 0);
    va_end(args);
    return out;
}

/* ---- nothing to find ---- */

static void texts_without_tokens(void **state)
{
    (void)state;
    holds_nothing("");
    holds_nothing(".");
    holds_nothing("eyJ");
    holds_nothing(".eyJ.");
    holds_nothing("eyJ.eyJ.eyJ");
    holds_nothing("eyJhbGciOiJFUzI1NiJ9.eyJ.x eyJhbGciOiJFUzI1NiJ9.eyJ");
    /* It begins like one, and is none. */
    holds_nothing("eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJub3RoaW5nIjoiaGVyZSJ9.c2lnbmF0dXJl");
    holds_nothing("eyJrdWJlcm5ldGVzLmlvIjp7fX0.eyJub3RoaW5nIjoiaGVyZSJ9.c2lnbmF0dXJlYWJjZGVm");
    holds_nothing(other);
    /* The word alone is no claim. */
    holds_nothing("eyJhbGciOiJFUzI1NiJ9.eyJhIjoia3ViZXJuZXRlcy5pbyJ9.c2lnbmF0dXJlYWJjZGVm");
}

static void parts_of_a_token(void **state)
{
    char *copy = strdup(legacy), *dot = strrchr(copy, '.');

    (void)state;
    *dot = '\0';
    holds_nothing(copy); /* no signature */
    dot[0] = '.';
    dot[1] = '\0';
    holds_nothing(copy);
    holds_nothing(strchr(legacy, '.') + 1); /* no header */
    holds_nothing(strchr(legacy, '.'));
    free(copy);
}

static void prose(void **state)
{
    static const char *const words[] = {
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Eyes on the prize.",
        "/usr/local/share/very/long/path/without/any/dots/in/it/at/all/and/more/and/more/and",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(words); i++)
        holds_nothing(words[i]);
    assert_false(cf_token_may_hold("", 0));
    assert_false(cf_token_may_hold(words[0], strlen(words[0])));
    assert_true(cf_token_may_hold(words[1], strlen(words[1])));
}

/* ---- tokens as they are ---- */

static void tokens_in_other_text(void **state)
{
    static const char *const around[] = {
        "%s",
        "  %s\n",
        "Authorization: Bearer %s",
        "curl -H 'Authorization: Bearer %s' https://api",
        "--token=%s --other",
        "users: [{user: {token: %s}}]",
        "{\"users\":[{\"user\":{\"token\":\"%s\"}}]}",
        "https://x.example.com/?access_token=%s&x=1",
        "user:%s@host",
        "a.b.%s,c.d",
        "line\\n%s\\nline",
        "access_token%%3D%s%%26",
        "word%s",
        "...%s...",
        "eyJ %s eyJ",
        "eyJeyJeyJ%s",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(around); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        holds(format(around[i], legacy), legacy, 0);
#pragma GCC diagnostic pop
    }
    holds(strdup(bound), bound, 0);
}

static void where_it_begins(void **state)
{
    char *text = format("12345 %s", legacy), *inner = format("token: %s", legacy), *b64;

    (void)state;
    assert_int_equal(scan(text).offset, 6);
    free(text);
    b64 = test_base64(inner, strlen(inner));
    text = format("data:\n  x: %s", b64);
    assert_int_equal(scan(text).offset, 11);
    free(text);
    free(b64);
    free(inner);
}

static void several_tokens(void **state)
{
    char *text = format("%s %s\n%s %s", legacy, bound, legacy, other);

    (void)state;
    assert_int_equal(scan(text).count, 2);
    assert_int_equal(scan_as(CF_SCAN_ANY, text, strlen(text)).count, 3);
    free(text);
}

static void any_token(void **state)
{
    (void)state;
    assert_int_equal(scan_as(CF_SCAN_ANY, other, strlen(other)).count, 1);
    assert_int_equal(
        scan_as(CF_SCAN_ANY, "eyJhbGciOiIifQ.eyJhIjp9.c2lnbmF0dXJlYWJjZGVmZ2hpamts", 52).count, 0);
}

/* `count` different tokens, and another one. */
static void add_tokens(struct cf_buf *text, unsigned count, const char *last)
{
    for (unsigned i = 0; i < count; i++)
        cf_buf_addf(text, "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%07u ", i);
    cf_buf_adds(text, last);
    assert_true(cf_buf_ok(text));
}

static void all_tokens_are_told(void **state)
{
    static const unsigned counts[] = {255, 256, 257, 1000, 100000};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(counts); i++) {
        struct cf_buf text;
        struct found found;

        cf_buf_init(&text, 16 * CF_MIB);
        add_tokens(&text, counts[i], legacy);
        found = scan(cf_buf_str(&text));
        assert_int_equal(found.count, counts[i] + 1);
        assert_string_equal(found.account, "shop/web");
        cf_buf_free(&text);
    }
}

/* The same ones, ten times over. */
static void each_token_is_told_once(void **state)
{
    struct cf_buf text;

    (void)state;
    cf_buf_init(&text, 16 * CF_MIB);
    for (int i = 0; i < 10; i++)
        add_tokens(&text, 5000, legacy), cf_buf_addc(&text, ' ');
    assert_int_equal(scan(cf_buf_str(&text)).count, 5001);
    cf_buf_free(&text);
}

static void search_ends_when_told_to(void **state)
{
    struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_ACCOUNTS);
    struct found found = {.enough = 7};
    struct cf_buf text;

    (void)state;
    cf_buf_init(&text, CF_MIB);
    add_tokens(&text, 100, legacy);
    assert_int_equal(cf_token_scan(scanner, cf_buf_str(&text), text.len, note, &found), 0);
    assert_int_equal(found.count, 7);
    found = (struct found){0};
    assert_int_equal(cf_token_scan(scanner, cf_buf_str(&text), text.len, note, &found), 0);
    assert_int_equal(found.count, 101);
    cf_token_scanner_free(scanner);
    cf_buf_free(&text);
}

/* Of one object that is reviewed, texts together. */
static void bounded_search_says_where_it_ends(void **state)
{
    struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_BOUNDED);
    struct found found = {0};
    struct cf_buf text;

    (void)state;
    cf_buf_init(&text, 16 * CF_MIB);
    add_tokens(&text, CF_TOKEN_TRIES_MAX - 2, legacy);
    assert_int_equal(cf_token_scan(scanner, cf_buf_str(&text), text.len, note, &found), 0);
    assert_int_equal(found.count, CF_TOKEN_TRIES_MAX - 1);
    assert_int_equal(cf_token_scan(scanner, legacy, strlen(legacy), note, &found), 0);
    assert_int_equal(found.count, CF_TOKEN_TRIES_MAX);
    assert_int_equal(found.unread, 0);
    assert_int_equal(cf_token_scan(scanner, "text", 4, note, &found), 0);
    assert_int_equal(found.unread, 0);
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(cf_token_scan(scanner, cf_buf_str(&text), text.len, note, &found), 0);
        assert_int_equal(found.count, CF_TOKEN_TRIES_MAX);
        assert_int_equal(found.unread, i);
        assert_int_equal(found.why, CF_UNREAD_MANY);
    }
    cf_token_scanner_free(scanner);
    cf_buf_free(&text);
}

/* ---- headers ---- */

/* Whatever looks like the beginning of a header is glued to its front. */
static void text_in_front_of_a_header(void **state)
{
    static const char *const pieces[] = {"eyJ", "eyJh", "e",  "eyJhbGciOi", "eyJhbGciOiJFUzI1NiJ9_",
                                         "IiI", "fX0",  "e30"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(pieces); i++) {
        struct cf_buf text;

        cf_buf_init(&text, CF_MIB);
        for (int n = 0; n < 5000; n++) {
            cf_buf_adds(&text, pieces[i]);
            if (n < 20 || n == 4999)
                holds(format("%s%s", cf_buf_str(&text), legacy), legacy, 0);
        }
        cf_buf_free(&text);
    }
}

static void headers_of_any_shape(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"k\":{\"a\":[{\"b\":1},[]]}}}",
        "{\"x\":\"}{\\\"{\\\\\",\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"x\":\"{\\\"\"}",
        "{\"alg\":\"ES256\"} \n",
        "{\"x\":[\"{\",\"}\",\"\\\\\"],\"alg\":\"ES256\"}",
    };

    (void)state;
    for (size_t i = 0; i < CF_COUNT(headers); i++) {
        char *text = test_unsigned(headers[i], "{\"kubernetes.io\":{\"namespace\":\"shop\","
                                               "\"serviceaccount\":{\"name\":\"web\"}}}");
        char *token = test_join(text, "c2lnbmF0dXJl");

        holds(strdup(token), token, 0);
        holds(format("eyJeyJ%s", token), token, 0);
        free(token);
        free(text);
    }
}

/* ---- what is not read ---- */

/* A token with an audience of so many characters. */
static char *long_token(size_t audience, size_t signature)
{
    char *claims = format("{\"aud\":\"%0*d\",\"kubernetes.io\":{\"namespace\":\"shop\","
                          "\"serviceaccount\":{\"name\":\"web\"}}}",
                          (int)audience, 7);
    char *text = test_unsigned("{\"alg\":\"ES256\"}", claims);
    char *out = format("%s.%0*d", text, (int)signature, 0);

    free(text);
    free(claims);
    return out;
}

static void long_tokens_are_told(void **state)
{
    static const struct {
        size_t audience, signature;
    } sizes[] = {{12200, 86},  {13000, 86},  {100, CF_TOKEN_MAX}, {100, 2 * CF_TOKEN_MAX},
                 {500000, 86}, {780000, 342}};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(sizes); i++) {
        char *token = long_token(sizes[i].audience, sizes[i].signature);
        char *text = format("token: %s.\nagain: %s.\n", token, token);
        struct found found = scan(text);

        assert_int_equal(found.count, 0);
        assert_int_equal(found.unread, 1);
        assert_int_equal(found.why, CF_UNREAD_LONG);
        assert_int_equal(found.offset, 7);
        assert_int_equal(found.line, 1);
        free(text);
        free(token);
    }
}

static void longest_token_is_read(void **state)
{
    char *token = long_token(12000, 86);
    size_t more = CF_TOKEN_MAX - strlen(token);
    char *longest = long_token(12000, 86 + more), *too_long = long_token(12000, 87 + more);

    (void)state;
    assert_int_equal(strlen(longest), CF_TOKEN_MAX);
    holds(longest, longest, 0);
    assert_int_equal(scan(too_long).unread, 1);
    free(too_long);
    free(token);
}

/* No API server takes more than a MiB of headers, and other JWTs are none of ours. */
static void what_is_long_and_no_token(void **state)
{
    char *huge = long_token(800000, 86), *text, *word;

    (void)state;
    holds_nothing(huge);
    free(huge);
    text = format("{\"iss\":\"%0*d\"}", 20000, 7);
    word = test_unsigned("{\"alg\":\"ES256\"}", text);
    free(text);
    text = test_join(word, "c2lnbmF0dXJl");
    holds_nothing(text);
    assert_int_equal(scan_as(CF_SCAN_ANY, text, strlen(text)).unread, 1);
    free(text);
    free(word);
}

/* ---- base64 ---- */

/* What is encoded is inside a quote, as data of a Secret is. */
static char *encoded(char *text)
{
    char *b64 = test_base64(text, strlen(text)), *out = format("\"%s\"", b64);

    free(b64);
    free(text);
    return out;
}

static void layers(void **state)
{
    (void)state;
    holds(encoded(strdup(legacy)), legacy, 1);
    holds(encoded(format("user:%s", legacy)), legacy, 1);
    holds(encoded(format("u:%s", legacy)), legacy, 1);
    holds(encoded(encoded(strdup(legacy))), legacy, 2);
    holds(encoded(encoded(encoded(strdup(legacy)))), legacy, 3);
}

/* A token that is under too many layers is not read, but what begins with it is told. */
static void layers_too_many(void **state)
{
    char *text = encoded(encoded(encoded(strdup(legacy))));

    (void)state;
    for (unsigned n = CF_TOKEN_LAYERS + 1; n < 9; n++) {
        struct found found;

        text = encoded(text);
        found = scan(text);
        assert_int_equal(found.count, 0);
        /* In quotes inside of quotes it begins like nothing that is known. */
        assert_int_equal(found.unread, n == CF_TOKEN_LAYERS + 1);
    }
    free(text);
    text = test_base64(legacy, strlen(legacy));
    for (unsigned n = 2; n < 9; n++) {
        char *outer = test_base64(text, strlen(text));
        char *line = format("a\nb: %s", outer);
        struct found found = scan(line);

        assert_int_equal(found.count, n <= CF_TOKEN_LAYERS);
        assert_int_equal(found.unread, n > CF_TOKEN_LAYERS);
        assert_int_equal(found.layers, n <= CF_TOKEN_LAYERS ? n : CF_TOKEN_LAYERS);
        assert_int_equal(found.why, n <= CF_TOKEN_LAYERS ? CF_UNREAD_NO : CF_UNREAD_DEEP);
        assert_int_equal(found.offset, 5);
        assert_int_equal(found.line, 2);
        free(line);
        free(text);
        text = outer;
    }
    free(text);
}

/* What is under many layers of base64, and begins otherwise. */
static void layers_of_other_texts(void **state)
{
    static const char *const words[] = {"user:password, and whatever else stands there, at length",
                                        "eyJhbGciOi, eyJ and ZXlK are beginnings of something else",
                                        "{\"auths\":{\"r.example.com\":{\"auth\":\"YTpi\"}}}"};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(words); i++) {
        char *text = strdup(words[i]);

        for (unsigned n = 0; n < 3; n++) {
            char *outer = test_base64(text, strlen(text));

            holds_nothing(outer);
            free(text);
            text = outer;
        }
        free(text);
    }
}

/* However many bytes are in front, in every layer. */
static void any_alignment(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char *inner = format("%.*s %s", i, "0123456789012345678901234567890123456789", legacy);
        char *b64 = encoded(inner);
        char *more = format("%.*s: %s", i, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", b64);

        holds(strdup(b64), legacy, 1);
        holds(encoded(more), legacy, 2);
        free(b64);
    }
}

static void both_alphabets(void **state)
{
    /* 0xFF.. makes '/' and '+', or '_' and '-'. */
    char *text = format("\xFB\xFF\xFE\xFB\xEF\xBE %s", legacy);
    char *standard = test_base64(text, strlen(text)), *url = test_base64url(text, strlen(text));

    (void)state;
    assert_non_null(strpbrk(standard, "+/"));
    assert_non_null(strpbrk(url, "-_"));
    holds(standard, legacy, 1);
    holds(url, legacy, 1);
    free(text);
}

static void broken_into_lines(void **state)
{
    static const char *const eols[] = {"\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\\\n", "\n\t\t"};
    static const size_t widths[] = {64, 76, 60, 70, 75, 80, 33, 100};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(eols); i++) {
        for (size_t j = 0; j < CF_COUNT(widths); j++) {
            char *b64 = test_wrapped(legacy, strlen(legacy), widths[j], eols[i]);

            holds(format("-----BEGIN IT-----\n%s-----END IT-----", b64), legacy, 1);
            holds(format("  x: |\n    %s", b64), legacy, 1);
            free(b64);
        }
    }
}

/* However many blanks and line breaks there are between two lines. */
static void far_apart(void **state)
{
    static const int widths[] = {1, 200, 256, 300, 5000, 100000};

    (void)state;
    for (size_t i = 0; i < CF_COUNT(widths); i++) {
        char *eol = format("\n%*s", widths[i], "\n");
        char *b64 = test_wrapped(legacy, strlen(legacy), 66, eol);

        holds(b64, legacy, 1);
        free(eol);
    }
}

/* Lines before a run that could be taken for its first ones. */
static void unrelated_lines_before(void **state)
{
    char *b64 = test_base64(legacy, strlen(legacy));

    (void)state;
    holds(format("word\n%s", b64), legacy, 1);
    holds(format("an/ordinary/path\n%s\nmore", b64), legacy, 1);
    holds(format("0123456789abcdef0123456789abcdef\n%s", b64), legacy, 1);
    holds(format("line\\n%s", b64), legacy, 1);
    holds(format("x%%20%s", b64), legacy, 1);
    holds(format("\\u003d%s", b64), legacy, 1);
    free(b64);
}

static void docker_configurations(void **state)
{
    char *user = format("serviceaccount:%s", legacy);
    char *auth = test_base64(user, strlen(user));

    (void)state;
    holds(format("{\"auths\":{\"r.example.com\":{\"auth\":\"%s\"}}}", auth), legacy, 1);
    holds(
        format("{\"auths\":{\"r.example.com\":{\"username\":\"serviceaccount\",\"password\":\"%s\","
               "\"auth\":\"%s\"}}}",
               auth, legacy),
        legacy, 0);
    holds(format("{\"r.example.com\":{\"identitytoken\":\"%s\"}}", legacy), legacy, 0);
    holds(encoded(format("{\"auths\":{\"r.example.com\":{\"auth\":\"%s\"}}}", auth)), legacy, 2);
    holds(encoded(encoded(format("{\"auths\":{\"r\":{\"auth\":\"%s\"}}}", auth))), legacy, 3);
    free(auth);
    free(user);
}

static void padding_is_not_needed(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        char *text = format("%.*s%s", i, "::", legacy);

        holds(test_base64url(text, strlen(text)), legacy, 1);
        free(text);
    }
}

/* ---- texts in pieces ---- */

/* All that was found, in a number: what, where, and under what. */
struct sum {
    unsigned count, unread;
    uint64_t places;
};

static bool add_up(const struct cf_token_hit *hit, void *arg)
{
    struct sum *sum = arg;

    sum->count += hit->token != NULL;
    sum->unread += hit->token == NULL;
    sum->places += (hit->offset * 31 + hit->line) * 31 + hit->layers * 7 + hit->len + hit->unread;
    return true;
}

/* A text that is larger than a window, and what is found in it. */
static struct sum whole(const struct cf_buf *text)
{
    struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_ACCOUNTS);
    struct sum sum = {0};

    assert_int_equal(cf_token_scan(scanner, cf_buf_str(text), text->len, add_up, &sum), 0);
    cf_token_scanner_free(scanner);
    return sum;
}

/* The same, piece by piece, always finds the same. */
static struct sum in_pieces(const struct cf_buf *text, size_t piece)
{
    struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_ACCOUNTS);
    struct sum sum = {0}, all = whole(text);

    cf_token_scan_begin(scanner, add_up, &sum);
    for (size_t at = 0; at < text->len; at += piece) {
        size_t left = text->len - at;

        assert_int_equal(
            cf_token_scan_more(scanner, cf_buf_str(text) + at, left < piece ? left : piece), 0);
    }
    assert_int_equal(cf_token_scan_end(scanner), 0);
    cf_token_scanner_free(scanner);
    assert_int_equal(sum.count, all.count);
    assert_int_equal(sum.unread, all.unread);
    assert_int_equal(sum.places, all.places);
    return sum;
}

/* Tokens at every place where a window may end, as they stand and in base64. */
static void tokens_over_edges(void **state)
{
    char *b64 = test_base64(legacy, strlen(legacy)), *twice = test_base64(b64, strlen(b64));
    const char *const tokens[] = {legacy, b64, twice};
    size_t window = 4 * CF_MIB;

    (void)state;
    for (size_t i = 0; i < CF_COUNT(tokens); i++) {
        size_t len = strlen(tokens[i]);

        for (size_t before = 0; before <= len + 2; before += 13) {
            struct cf_buf text;
            struct sum sum;

            cf_buf_init(&text, 16 * CF_MIB);
            for (size_t n = 0; n < window - before - 1; n++)
                cf_buf_addc(&text, n % 100 == 99 ? '\n' : '.');
            cf_buf_addf(&text, " %s \n", tokens[i]);
            sum = in_pieces(&text, 65536);
            assert_int_equal(sum.count, 1);
            assert_int_equal(sum.unread, 0);
            cf_buf_free(&text);
        }
    }
    free(twice);
    free(b64);
}

/* A log, and an archive of it in one run of base64 that is larger than all windows: in one line, in
 * lines, and in lines of lines. */
static void runs_over_many_windows(void **state)
{
    static const char *const eols[] = {"", "\n", "\r\n    ", "\\n"};
    struct cf_buf text, outer;
    char *b64, *twice;

    (void)state;
    cf_buf_init(&text, 16 * CF_MIB);
    for (unsigned i = 0; i < 120000; i++)
        cf_buf_addf(&text,
                    "I1101 10:00:00.1 eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%06u\n", i);
    cf_buf_adds(&text, legacy);
    assert_int_equal(in_pieces(&text, 65536).count, 120001);
    for (size_t i = 0; i < CF_COUNT(eols); i++) {
        b64 = test_wrapped(cf_buf_str(&text), text.len, *eols[i] == '\0' ? text.len * 2 : 76,
                           eols[i]);
        twice = test_wrapped(b64, strlen(b64), 100, "\n");
        cf_buf_init(&outer, 64 * CF_MIB);
        cf_buf_addf(&outer, "a: \n%s\n", twice);
        assert_int_equal(in_pieces(&outer, 1000003).count, 120001);
        cf_buf_free(&outer);
        free(twice);
        free(b64);
    }
    cf_buf_free(&text);
}

static void long_and_deep_over_edges(void **state)
{
    char *token = long_token(700000, 86), *b64 = test_base64(legacy, strlen(legacy));
    struct cf_buf text;
    struct sum sum;

    (void)state;
    for (int i = 0; i < 4; i++) {
        char *outer = test_base64(b64, strlen(b64));

        free(b64);
        b64 = outer;
    }
    cf_buf_init(&text, 64 * CF_MIB);
    for (unsigned i = 0; i < 11; i++)
        cf_buf_addf(&text, "%s%u x%u_%s\n", token, i, i, b64);
    sum = in_pieces(&text, 65536);
    assert_int_equal(sum.count, 0);
    assert_int_equal(sum.unread, 11 + 1);
    cf_buf_free(&text);
    free(token);
    free(b64);
}

/* ---- hostile texts ---- */

/* A text that ends anywhere: never read on, never more than the whole one holds. */
static void cut_anywhere(void **state)
{
    char *b64 = test_wrapped(legacy, strlen(legacy), 64, "\n");
    char *text = format("%s %s", legacy, b64);
    size_t len = strlen(text), found = 0;

    (void)state;
    for (size_t cut = 0; cut <= len; cut += 1)
        found += scan_as(CF_SCAN_ACCOUNTS, text, cut).count;
    assert_true(found >= len - strlen(legacy));
    free(text);
    free(b64);
}

static void changed_anywhere(void **state)
{
    static const char values[] = {'\0', '.', 'A', '=', '"', '\n', '\xFF'};
    char *text = test_base64(legacy, strlen(legacy));

    (void)state;
    for (size_t i = 0; text[i] != '\0'; i++) {
        char was = text[i];
        size_t len = strlen(legacy);

        for (size_t j = 0; j < sizeof(values); j++) {
            text[i] = values[j];
            scan_as(CF_SCAN_ANY, text, (len + 2) / 3 * 4);
        }
        text[i] = was;
    }
    free(text);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void random_bytes(void **state)
{
    static const char alphabet[] = "eyJ.eyJ.{}\":kubernetes.ioA-_+/=\n\\nZXlKIl";
    uint32_t seed = 1;
    char text[600];

    (void)state;
    for (int round = 0; round < 4000; round++) {
        size_t len = next_random(&seed) % sizeof(text);

        for (size_t i = 0; i < len; i++)
            text[i] = round % 2 == 0 ? (char)next_random(&seed)
                                     : alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
        scan_as(CF_SCAN_ANY, text, len);
    }
}

/* Random pieces of tokens, of base64 and of what is around them. */
static void random_pieces(void **state)
{
    char *once = test_base64(legacy, strlen(legacy)), *twice = test_base64(once, strlen(once));
    const char *pieces[] = {legacy, bound, other, once, twice, ".", "eyJ", "\\n", "\n", "%3D", " "};
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct cf_buf text;

        cf_buf_init(&text, CF_MIB);
        for (int i = 0; i < 8; i++) {
            const char *piece = pieces[next_random(&seed) % CF_COUNT(pieces)];
            size_t len = strlen(piece), from = next_random(&seed) % (len + 1);

            if (next_random(&seed) % 3 == 0)
                from = 0;
            cf_buf_add(&text, piece + from,
                       next_random(&seed) % 3 == 0 ? (len - from) / 2 : len - from);
        }
        scan_as(CF_SCAN_ANY, cf_buf_str(&text), text.len);
        cf_buf_free(&text);
    }
    free(once);
    free(twice);
}

/* Fills the text with pieces, in which %08x is a number that is never the same; returns its length.
 */
static size_t fill(char *text, size_t len, const char *piece)
{
    const char *number = strstr(piece, "%08x");
    size_t size = strlen(piece) + (number != NULL ? 4 : 0), n = 0;

    for (unsigned i = 0; n + size <= len; i++) {
        if (number != NULL)
            n += (size_t)snprintf(text + n, len - n, "%.*s%08x%s", (int)(number - piece), piece, i,
                                  number + 4);
        else
            n += (size_t)snprintf(text + n, len - n, "%s", piece);
        if (number == NULL && n < len / 2) {
            memcpy(text + n, text, n);
            n *= 2;
        }
    }
    return n;
}

/* 16 MiB of the worst that comes to mind: half a second each, and some seconds under a sanitizer.
 * Time that grew with the square would be hours. */
static void large_texts(void **state)
{
    static const char *const pieces[] = {
        "A",
        ".",
        ".eyJ",
        "eyJ",
        "eyJ.",
        "\\n",
        "A\n",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n ",
        "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.AAAA ",
        "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp9.",
        "VlZW",
        "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%08x ",
        "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp9.%08x ",
        "eyJ7ey97InsieyJ7.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%08x ",
        "IiIiIiIifX19fX0.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%08x ",
    };
    size_t len = 16 * CF_MIB;
    char *text = malloc(len + 1);

    (void)state;
    for (size_t i = 0; i < CF_COUNT(pieces); i++) {
        int64_t begin, took;
        struct found found = {0};
        struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_ACCOUNTS);
        size_t n = fill(text, len, pieces[i]);

        begin = cf_monotonic_micros();
        assert_int_equal(cf_token_scan(scanner, text, n, note, &found), 0);
        took = cf_monotonic_micros() - begin;
        assert_true(took < 20 * INT64_C(1000000));
        cf_token_scanner_free(scanner);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_without_tokens),
        cmocka_unit_test(parts_of_a_token),
        cmocka_unit_test(prose),
        cmocka_unit_test(tokens_in_other_text),
        cmocka_unit_test(where_it_begins),
        cmocka_unit_test(several_tokens),
        cmocka_unit_test(any_token),
        cmocka_unit_test(all_tokens_are_told),
        cmocka_unit_test(each_token_is_told_once),
        cmocka_unit_test(search_ends_when_told_to),
        cmocka_unit_test(bounded_search_says_where_it_ends),
        cmocka_unit_test(text_in_front_of_a_header),
        cmocka_unit_test(headers_of_any_shape),
        cmocka_unit_test(long_tokens_are_told),
        cmocka_unit_test(longest_token_is_read),
        cmocka_unit_test(what_is_long_and_no_token),
        cmocka_unit_test(layers),
        cmocka_unit_test(layers_too_many),
        cmocka_unit_test(layers_of_other_texts),
        cmocka_unit_test(any_alignment),
        cmocka_unit_test(both_alphabets),
        cmocka_unit_test(broken_into_lines),
        cmocka_unit_test(far_apart),
        cmocka_unit_test(unrelated_lines_before),
        cmocka_unit_test(docker_configurations),
        cmocka_unit_test(padding_is_not_needed),
        cmocka_unit_test(tokens_over_edges),
        cmocka_unit_test(runs_over_many_windows),
        cmocka_unit_test(long_and_deep_over_edges),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(random_pieces),
        cmocka_unit_test(large_texts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
