/* SPDX-License-Identifier: Apache-2.0 */
/* Strings above the limits of a scan: thousands of tokens, tokens that are too long or too deep,
 * and strings that are only partly in memory. Each part that is not read is reported. */
#include "scan.h"

#include <sys/resource.h>

#include "../../src/token/scan.h"

/* ---- many ---- */

/* `count` different tokens, and another one. */
static void add_tokens(struct cf_buf *text, unsigned count, const char *last)
{
    for (unsigned i = 0; i < count; i++)
        cf_buf_addf(text, "eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%07u ", i);
    cf_buf_adds(text, last);
    assert_true(cf_buf_ok(text));
}

static void reports_all_tokens(void **state)
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
static void reports_each_token_once(void **state)
{
    struct cf_buf text;

    (void)state;
    cf_buf_init(&text, 16 * CF_MIB);
    for (int i = 0; i < 10; i++)
        add_tokens(&text, 5000, legacy), cf_buf_addc(&text, ' ');
    assert_int_equal(scan(cf_buf_str(&text)).count, 5001);
    cf_buf_free(&text);
}

static void search_ends_when_the_visitor_stops_it(void **state)
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
static void bounded_search_reports_where_it_ends(void **state)
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

/* What was seen is known again, until there is too much of it: then it is new again. */
static void seen_texts_have_a_ceiling(void **state)
{
    struct cf_seen seen = {0};
    uint32_t zero = 0;

    (void)state;
    for (uint32_t i = 0; i < CF_TOKENS_SEEN_MAX; i++)
        assert_int_equal(cf_seen_add(&seen, (const char *)&i, sizeof(i)), CF_SEEN_NEW);
    assert_true(seen.capacity * sizeof(*seen.slots) <= 32 * CF_MIB);
    assert_int_equal(seen.count, CF_TOKENS_SEEN_MAX);
    assert_int_equal(cf_seen_add(&seen, (const char *)&zero, sizeof(zero)), CF_SEEN_NEW);
    assert_int_equal(seen.count, 1);
    assert_int_equal(cf_seen_add(&seen, (const char *)&zero, sizeof(zero)), CF_SEEN_BEFORE);
    cf_seen_clear(&seen);
    assert_int_equal(cf_seen_add(&seen, (const char *)&zero, sizeof(zero)), CF_SEEN_NEW);
    cf_seen_free(&seen);
}

/* ---- what is not read ---- */

/* A token with an audience of this length. */
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

static void reports_long_tokens(void **state)
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

/* No API server accepts more than a MiB of headers, and other JWTs are ignored. */
static void long_texts_that_are_not_tokens(void **state)
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

/* A token under too many layers is not decoded, but the beginning of the run is reported. */
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

/* Each place, since the rest of the run is unknown. */
static void deep_tokens_at_many_places(void **state)
{
    char *text = test_base64(legacy, strlen(legacy)), *lines;
    struct found found;

    (void)state;
    for (unsigned n = 0; n < CF_TOKEN_LAYERS; n++) {
        char *outer = test_base64(text, strlen(text));

        free(text);
        text = outer;
    }
    lines = format("%s.\n%s.%s\n", text, text, text);
    found = scan(lines);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.unread, 3);
    assert_int_equal(found.line, 2);
    free(lines);
    free(text);
}

/* What is under many layers of base64, and begins otherwise. */
static void layers_of_other_texts(void **state)
{
    static const char *const words[] = {"user:password, and more text, so that the string is long",
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

/* Tokens at every place where a window may end, plain and in base64. */
static void tokens_over_edges(void **state)
{
    char *b64 = test_base64(legacy, strlen(legacy)), *twice = test_base64(b64, strlen(b64));
    const char *const tokens[] = {legacy, b64, twice};
    size_t window = 4 * CF_MIB;
    char *spaces = malloc(window);

    (void)state;
    for (size_t at = 0; at < window; at++)
        spaces[at] = at % 64 == 63 ? '\n' : ' ';
    for (size_t i = 0; i < CF_COUNT(tokens); i++) {
        for (size_t before = 0; before <= strlen(tokens[i]) + 2; before += i == 0 ? 11 : 61) {
            struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_ACCOUNTS);
            struct found found = {0};

            cf_token_scan_begin(scanner, note, &found);
            assert_int_equal(cf_token_scan_more(scanner, spaces, window - before), 0);
            assert_int_equal(cf_token_scan_more(scanner, tokens[i], strlen(tokens[i])), 0);
            assert_int_equal(cf_token_scan_more(scanner, spaces, window), 0);
            assert_int_equal(cf_token_scan_end(scanner), 0);
            cf_token_scanner_free(scanner);
            assert_int_equal(found.count, 1);
            assert_int_equal(found.unread, 0);
            assert_int_equal(found.offset, window - before);
            assert_int_equal(found.line, (window - before) / 64 + 1);
        }
    }
    free(spaces);
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
    for (unsigned i = 0; i < 60000; i++)
        cf_buf_addf(&text,
                    "I1101 10:00:00.1 eyJhbGciOiJFUzI1NiJ9.eyJrdWJlcm5ldGVzLmlvIjp7fX0.%06u\n", i);
    cf_buf_adds(&text, legacy);
    assert_int_equal(in_pieces(&text, 65536).count, 60001);
    for (size_t i = 0; i < CF_COUNT(eols); i++) {
        b64 = test_wrapped(cf_buf_str(&text), text.len, *eols[i] == '\0' ? text.len * 2 : 76,
                           eols[i]);
        twice = test_wrapped(b64, strlen(b64), 100, "\n");
        cf_buf_init(&outer, 64 * CF_MIB);
        cf_buf_addf(&outer, "a: \n%s\n", twice);
        assert_int_equal(in_pieces(&outer, 1000003).count, 60001);
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
    assert_int_equal(sum.unread, 11 + 1); /* "x10_" alone keeps the digits aligned */
    cf_buf_free(&text);
    free(token);
    free(b64);
}

/* 256 MiB of log, and of base64: what is held of it is the same all the time. */
static void nothing_grows_with_the_text(void **state)
{
    static const char *const lines[] = {"I1101 10:00:00.1 no token in it, and no end of it",
                                        "VGhlcmUgaXMgbm8gdG9rZW4gaW4gaXQsIGFuZCBubyBlbmQ"};
    size_t len = CF_MIB;
    char *piece = malloc(len);

    (void)state;
    for (size_t i = 0; i < CF_COUNT(lines); i++) {
        struct cf_token_scanner *scanner = cf_token_scanner_new(CF_SCAN_ANY);
        struct found found = {0};
        struct rusage before, after;

        for (size_t at = 0; at < len; at++)
            piece[at] = at % 48 == 47 ? '\n' : lines[i][at % 48];
        cf_token_scan_begin(scanner, note, &found);
        for (int n = 0; n < 64; n++)
            assert_int_equal(cf_token_scan_more(scanner, piece, len), 0);
        getrusage(RUSAGE_SELF, &before);
        for (int n = 0; n < 192; n++)
            assert_int_equal(cf_token_scan_more(scanner, piece, len), 0);
        getrusage(RUSAGE_SELF, &after);
        assert_int_equal(cf_token_scan_more(scanner, legacy, strlen(legacy)), 0);
        assert_int_equal(cf_token_scan_end(scanner), 0);
        cf_token_scanner_free(scanner);
        assert_int_equal(found.count, 1);
        assert_true(after.ru_maxrss - before.ru_maxrss < 1024);
    }
    free(piece);
}

/* ---- time ---- */

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

/* 16 MiB of the worst known input: half a second each, and a few seconds under a sanitizer.
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
        cmocka_unit_test(reports_all_tokens),
        cmocka_unit_test(reports_each_token_once),
        cmocka_unit_test(search_ends_when_the_visitor_stops_it),
        cmocka_unit_test(bounded_search_reports_where_it_ends),
        cmocka_unit_test(reports_long_tokens),
        cmocka_unit_test(longest_token_is_read),
        cmocka_unit_test(long_texts_that_are_not_tokens),
        cmocka_unit_test(layers_too_many),
        cmocka_unit_test(deep_tokens_at_many_places),
        cmocka_unit_test(layers_of_other_texts),
        cmocka_unit_test(seen_texts_have_a_ceiling),
        cmocka_unit_test(tokens_over_edges),
        cmocka_unit_test(runs_over_many_windows),
        cmocka_unit_test(long_and_deep_over_edges),
        cmocka_unit_test(nothing_grows_with_the_text),
        cmocka_unit_test(large_texts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
