/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../../src/server/conns.h"
#include "../../src/server/limits.h"

#define COUNT 4

static struct cf_conns conns;
static struct cf_conn conn[COUNT];
static int theirs[COUNT];

static int set_up(void **state)
{
    (void)state;
    cf_conns_init(&conns);
    for (int i = 0; i < COUNT; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            return -1;
        theirs[i] = pair[1];
        cf_conns_add(&conns, &conn[i], pair[0], CF_STAGE_FRESH);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        cf_conns_remove(&conns, &conn[i]);
        close(conn[i].fd);
        close(theirs[i]);
    }
    cf_conns_destroy(&conns);
    return 0;
}

/* As if the stage had begun so much earlier: microseconds are the upper 61 bits. */
static void age(int i, uint64_t seconds)
{
    atomic_fetch_sub(&conn[i].stage, seconds * 1000000 * 8);
}

static bool is_shut(int i)
{
    char c;

    return recv(theirs[i], &c, 1, MSG_DONTWAIT) == 0;
}

static void each_stage_has_its_end(void **state)
{
    static const struct {
        enum cf_stage stage;
        uint64_t seconds;
    } cases[] = {
        {CF_STAGE_HANDSHAKE, CF_HANDSHAKE_SECONDS},
        {CF_STAGE_FRESH, CF_IDLE_SECONDS + CF_HEADERS_SECONDS},
        {CF_STAGE_IDLE, CF_IDLE_SECONDS + CF_HEADERS_SECONDS},
        {CF_STAGE_HEADERS, CF_HEADERS_SECONDS},
    };

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        cf_conn_enter(&conn[i], cases[i].stage);
        age(i, cases[i].seconds - 1);
    }
    assert_int_equal(cf_conns_sweep(&conns), 0);
    for (int i = 0; i < COUNT; i++) {
        assert_false(is_shut(i));
        age(i, 2);
        assert_int_equal(cf_conns_sweep(&conns), 1);
        assert_true(is_shut(i));
        assert_int_equal(cf_conns_sweep(&conns), 0);
    }
}

static void bodies_and_answers_too(void **state)
{
    (void)state;
    cf_conn_enter(&conn[0], CF_STAGE_BODY);
    cf_conn_enter(&conn[1], CF_STAGE_ANSWER);
    age(0, CF_BODY_SECONDS + 1);
    age(1, CF_ANSWER_SECONDS + 1);
    assert_int_equal(cf_conns_sweep(&conns), 2);
    assert_true(is_shut(0) && is_shut(1));
    assert_false(is_shut(2) || is_shut(3));
}

static void a_new_stage_begins_anew(void **state)
{
    (void)state;
    cf_conn_enter(&conn[0], CF_STAGE_HEADERS);
    age(0, CF_HEADERS_SECONDS + 1);
    cf_conn_enter(&conn[0], CF_STAGE_BODY);
    assert_int_equal(cf_conns_sweep(&conns), 0);
}

static void who_waits_longest_gives_way(void **state)
{
    (void)state;
    assert_int_equal(cf_conns_evict(&conns, COUNT), 0); /* all have just come */
    cf_conn_enter(&conn[2], CF_STAGE_BODY);
    age(0, 5);
    age(1, 50);
    age(2, 8);
    assert_int_equal(cf_conns_evict(&conns, 1), 1);
    assert_true(is_shut(1));
    assert_false(is_shut(0));
    assert_int_equal(cf_conns_evict(&conns, COUNT), 1);
    assert_true(is_shut(0));
    assert_false(is_shut(2)); /* in the middle of a request */
    assert_false(is_shut(3));
}

static void what_is_pending(void **state)
{
    (void)state;
    assert_int_equal(cf_conns_pending(&conns, true), COUNT);
    assert_int_equal(cf_conns_pending(&conns, false), 0);
    cf_conn_enter(&conn[0], CF_STAGE_IDLE);
    cf_conn_enter(&conn[1], CF_STAGE_ANSWER);
    age(2, 3);
    assert_int_equal(cf_conns_pending(&conns, true), 2);
    assert_int_equal(cf_conns_pending(&conns, false), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_stage_has_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bodies_and_answers_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_stage_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_waits_longest_gives_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_pending, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
