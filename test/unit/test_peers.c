/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "../../src/server/peers.h"
#include "../../src/server/listener.h"

static struct cf_peer_key key_of(const char *text)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return cf_peer_key((const struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return cf_peer_key((const struct sockaddr *)&six);
}

static bool same(const char *a, const char *b)
{
    struct cf_peer_key one = key_of(a), two = key_of(b);

    return one.bits == two.bits && one.six == two.six;
}

static void an_ipv6_prefix_is_one_peer(void **state)
{
    (void)state;
    assert_true(same("10.1.2.3", "10.1.2.3"));
    assert_false(same("10.1.2.3", "10.1.2.4"));
    assert_true(same("10.1.2.3", "::ffff:10.1.2.3"));
    assert_true(same("fd00:1:2:3::1", "fd00:1:2:3:ffff::9"));
    assert_false(same("fd00:1:2:3::1", "fd00:1:2:4::1"));
    assert_false(same("::1", "0.0.0.0"));
}

/* A model in plain arrays. */
#define ADDRESSES 20
#define LINKS 300

static struct cf_peer_link links[LINKS];
static int address[LINKS], order[LINKS], clock_;
static enum cf_standing standing[LINKS];
static bool listed[LINKS];

static struct cf_peer_key number(int i)
{
    return (struct cf_peer_key){.bits = (uint64_t)(i + 1) * 2654435761U, .six = i % 2 == 0};
}

static unsigned model_count(int of, enum cf_standing what)
{
    unsigned n = 0;

    for (int i = 0; i < LINKS; i++)
        n += listed[i] && address[i] == of && standing[i] == what ? 1 : 0;
    return n;
}

static unsigned that_count(int of, unsigned n)
{
    unsigned kept = model_count(of, CF_STANDING_IDLE) + model_count(of, CF_STANDING_BUSY);

    return n == 0 ? 0 : n > kept ? n - kept : 1;
}

static unsigned weight(int of)
{
    return that_count(of, model_count(of, CF_STANDING_NEW) + model_count(of, CF_STANDING_FIRST) +
                              model_count(of, CF_STANDING_OWED));
}

static unsigned heaviness(int of, enum cf_standing what)
{
    unsigned n = model_count(of, what);

    return what == CF_STANDING_IDLE ? n : that_count(of, n);
}

static int oldest(int of, enum cf_standing what)
{
    int found = -1;

    for (int i = 0; i < LINKS; i++) {
        if (listed[i] && address[i] == of && standing[i] == what &&
            (found < 0 || order[i] < order[found]))
            found = i;
    }
    return found;
}

static void check_heaviest(struct cf_peers *peers, enum cf_standing what)
{
    struct cf_peer_link *link = cf_peers_heaviest(peers, what);
    unsigned most = 0, all = 0;
    int i;

    for (int a = 0; a < ADDRESSES; a++) {
        unsigned n = heaviness(a, what);

        most = n > most ? n : most;
        all += model_count(a, what);
    }
    assert_int_equal(cf_peers_count(peers, what), all);
    if (most == 0) {
        assert_null(link);
        return;
    }
    assert_non_null(link);
    i = (int)(link - links);
    assert_int_equal(heaviness(address[i], what), most);
    assert_int_equal(cf_peers_weight(link), weight(address[i]));
    assert_int_equal(oldest(address[i], what), i);
}

static void check_next(struct cf_peers *peers)
{
    struct cf_peer_link *link = cf_peers_next(peers);
    unsigned fewest = LINKS + 1;
    int i;

    for (int a = 0; a < ADDRESSES; a++) {
        if (model_count(a, CF_STANDING_READY) > 0 && weight(a) < fewest)
            fewest = weight(a);
    }
    if (fewest > LINKS) {
        assert_null(link);
        return;
    }
    assert_non_null(link);
    i = (int)(link - links);
    assert_int_equal(weight(address[i]), fewest);
    assert_int_equal(oldest(address[i], CF_STANDING_READY), i);
}

static void change_one(struct cf_peers *peers)
{
    int i = rand() % LINKS;
    enum cf_standing to = (enum cf_standing)(rand() % (CF_STANDINGS + 1));

    if (!listed[i]) {
        address[i] = rand() % ADDRESSES;
        assert_true(cf_peers_add(peers, &links[i], number(address[i]), to));
        order[i] = clock_++;
    } else if (rand() % 3 == 0) {
        cf_peers_remove(peers, &links[i]);
        listed[i] = false;
        return;
    } else {
        assert_true(cf_peers_move(peers, &links[i], number(address[i]), to));
        order[i] = to != standing[i] ? clock_++ : order[i];
    }
    listed[i] = true;
    standing[i] = to;
}

static void matches_the_model(void **state)
{
    struct cf_peers *peers = cf_peers_new(LINKS);

    (void)state;
    assert_non_null(peers);
    srand(1);
    for (int step = 0; step < 20000; step++) {
        change_one(peers);
        check_heaviest(peers, (enum cf_standing)(step % (CF_STANDING_IDLE + 1)));
        check_next(peers);
    }
    for (int i = 0; i < LINKS; i++)
        cf_peers_remove(peers, &links[i]);
    cf_peers_free(peers);
}

/* ---- first bytes ---- */

static bool hello(const char *data, size_t len, size_t waiting)
{
    return cf_has_client_hello((const unsigned char *)data, len, waiting);
}

static void complete_client_hellos(void **state)
{
    (void)state;
    assert_false(hello("", 0, 0));
    assert_false(hello("\x16", 1, 1));
    assert_false(hello("\x16\x03\x01\x02", 4, 4));
    assert_false(hello("\x16\x03\x01\x02\x00\x01", 6, 6));
    assert_false(hello("\x16\x03\x01\x02\x00\x01", 6, 5 + 511));
    assert_true(hello("\x16\x03\x01\x02\x00\x01", 6, 5 + 512));
    assert_true(hello("G", 1, 1));
    assert_true(hello("\x16\x02", 2, 2));
    assert_true(hello("\x16\x03\x01\xff\xff", 5, 5));
}

static bool headers(const char *text)
{
    return cf_has_headers(text, strlen(text));
}

static void complete_headers(void **state)
{
    char longest[CF_FIRST_BYTES_MAX];

    (void)state;
    assert_false(headers(""));
    assert_false(headers("GET / HTTP/1.1\r\n"));
    assert_false(headers("GET / HTTP/1.1\r\nHost: a\r\n\r"));
    assert_true(headers("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(headers("GET / HTTP/1.0\n\n"));
    assert_true(headers("GET / HTTP/1.0\r\n\r\nmore"));
    memset(longest, 'a', sizeof(longest));
    assert_false(cf_has_headers(longest, sizeof(longest) - 1));
    assert_true(cf_has_headers(longest, sizeof(longest)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv6_prefix_is_one_peer),
        cmocka_unit_test(matches_the_model),
        cmocka_unit_test(complete_client_hellos),
        cmocka_unit_test(complete_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
