/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/server/connection.h"
#include "../../src/server/limits.h"

#define COUNT 12

static struct cf_conns conns;
static struct cf_conn conn[COUNT];
static int theirs[COUNT];
static int used;

/* Small enough to be full at once. */
static const struct cf_room room = {.all = 6, .fresh = 4, .reserve = 2, .lobby = 3};

static int set_up(void **state)
{
    struct cf_err err = {.kind = CF_ERR_NONE};

    (void)state;
    memset(&conns, 0, sizeof(conns));
    used = 0;
    return cf_conns_init(&conns, &room, &err);
}

static int tear_down(void **state)
{
    (void)state;
    while (cf_conns_any(&conns) != NULL)
        continue;
    for (int i = 0; i < used; i++) {
        close(conn[i].fd);
        close(theirs[i]);
    }
    cf_conns_destroy(&conns);
    return 0;
}

/* A connection from 10.0.0.PEER, in the lobby. Returns its number. */
static int arrives(int peer)
{
    struct sockaddr_in *from = (struct sockaddr_in *)&conn[used].from;
    int pair[2];

    assert_true(used < COUNT);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    memset(&conn[used], 0, sizeof(conn[used]));
    from->sin_family = AF_INET;
    from->sin_addr.s_addr = htonl(0x0a000000 + (uint32_t)peer);
    conn[used].from_len = sizeof(*from);
    conn[used].fd = pair[0];
    theirs[used] = pair[1];
    assert_true(cf_conns_arrive(&conns, &conn[used]));
    return used++;
}

static int is_ready(int peer)
{
    int i = arrives(peer);

    cf_conns_enter(&conns, &conn[i], CF_STAGE_READY);
    return i;
}

/* Its number; -1: nobody was. */
static int admitted(void)
{
    struct cf_conn *c = cf_conns_admit(&conns, CF_STAGE_FRESH);

    if (c == NULL)
        return -1;
    assert_ptr_equal(cf_conns_start(&conns, c->fd), c);
    return (int)(c - conn);
}

static int comes_in(int peer)
{
    int i = is_ready(peer);

    assert_int_equal(admitted(), i);
    return i;
}

static void asks(int i)
{
    cf_conns_enter(&conns, &conn[i], CF_STAGE_HEADERS);
    cf_conns_enter(&conns, &conn[i], CF_STAGE_BODY);
}

static void is_answered(int i)
{
    cf_conns_enter(&conns, &conn[i], CF_STAGE_ANSWER);
    cf_conns_verdict(&conns, &conn[i]);
    cf_conns_enter(&conns, &conn[i], CF_STAGE_IDLE);
}

static int is_kept(int peer)
{
    int i = comes_in(peer);

    asks(i);
    is_answered(i);
    return i;
}

static void age(int i, int64_t seconds)
{
    conn[i].since -= seconds * 1000000;
    conn[i].admitted -= seconds * 1000000;
}

/* Nothing happens on any of them for some seconds. */
static void all_settle(void)
{
    for (int i = 0; i < used; i++)
        age(i, 3);
}

static bool is_shut(int i)
{
    char c;

    return recv(theirs[i], &c, 1, MSG_DONTWAIT) == 0;
}

/* ---- stages ---- */

static void each_stage_has_its_end(void **state)
{
    static const struct {
        enum cf_stage stage;
        int64_t seconds;
    } cases[] = {
        {CF_STAGE_HANDSHAKE, CF_HANDSHAKE_SECONDS},
        {CF_STAGE_FRESH, CF_IDLE_SECONDS + CF_HEADERS_SECONDS},
        {CF_STAGE_IDLE, CF_IDLE_SECONDS + CF_HEADERS_SECONDS},
        {CF_STAGE_HEADERS, CF_HEADERS_SECONDS},
        {CF_STAGE_BODY, CF_BODY_SECONDS},
        {CF_STAGE_WORK, CF_REVIEW_SECONDS_MAX},
        {CF_STAGE_ANSWER, CF_ANSWER_SECONDS},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        int i = comes_in(1);

        cf_conns_enter(&conns, &conn[i], cases[k].stage);
        age(i, cases[k].seconds - 1);
        assert_int_equal(cf_conns_sweep(&conns), 0);
        assert_false(is_shut(i));
        age(i, 2);
        assert_int_equal(cf_conns_sweep(&conns), 1);
        assert_true(is_shut(i));
        assert_int_equal(cf_conns_sweep(&conns), 0);
        cf_conns_remove(&conns, &conn[i]);
    }
}

static void a_new_stage_begins_anew(void **state)
{
    int i = comes_in(1);

    (void)state;
    cf_conns_enter(&conns, &conn[i], CF_STAGE_HEADERS);
    age(i, CF_HEADERS_SECONDS + 1);
    cf_conns_enter(&conns, &conn[i], CF_STAGE_BODY);
    assert_int_equal(cf_conns_sweep(&conns), 0);
}

static void the_lobby_has_its_end(void **state)
{
    int silent = arrives(1), ready = is_ready(1);

    (void)state;
    age(silent, CF_HANDSHAKE_SECONDS - 1);
    age(ready, CF_HANDSHAKE_SECONDS - 1);
    assert_null(cf_conns_overdue(&conns));
    age(ready, 2);
    assert_ptr_equal(cf_conns_overdue(&conns), &conn[ready]);
    age(silent, 2);
    assert_ptr_equal(cf_conns_overdue(&conns), &conn[silent]);
    assert_null(cf_conns_overdue(&conns));
}

static void what_is_pending(void **state)
{
    int silent = arrives(1), first = comes_in(2), second = comes_in(2), third = comes_in(2);

    (void)state, (void)first;
    assert_int_equal(cf_conns_pending(&conns, true), 4);
    assert_int_equal(cf_conns_pending(&conns, false), 0);
    cf_conns_enter(&conns, &conn[second], CF_STAGE_IDLE);
    cf_conns_enter(&conns, &conn[third], CF_STAGE_ANSWER);
    age(silent, 3);
    assert_int_equal(cf_conns_pending(&conns, true), 2);
    assert_int_equal(cf_conns_pending(&conns, false), 1);
}

/* ---- the lobby ---- */

static void who_says_nothing_gives_way_first(void **state)
{
    int ready = is_ready(1), other = is_ready(1), silent = arrives(2), last;

    (void)state, (void)other;
    assert_null(cf_conns_surplus(&conns, false));
    last = is_ready(2);
    assert_ptr_equal(cf_conns_surplus(&conns, false), &conn[silent]);
    assert_null(cf_conns_surplus(&conns, false));
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_WAITING), 1);
    /* All are ready: the address with the most, the oldest of them. */
    assert_int_equal(is_ready(3), last + 1);
    assert_ptr_equal(cf_conns_surplus(&conns, false), &conn[ready]);
}

static void the_address_with_the_most_gives_way(void **state)
{
    int one = arrives(1), first = arrives(2), second = arrives(2), last = arrives(3);

    (void)state;
    assert_ptr_equal(cf_conns_surplus(&conns, false), &conn[first]);
    assert_ptr_equal(cf_conns_surplus(&conns, true), &conn[one]);
    assert_ptr_equal(cf_conns_surplus(&conns, true), &conn[last]);
    assert_ptr_equal(cf_conns_surplus(&conns, true), &conn[second]);
    assert_null(cf_conns_surplus(&conns, true));
}

static void the_turn_is_of_the_address_with_the_fewest(void **state)
{
    int second, late;

    (void)state;
    (void)comes_in(1);
    second = is_ready(1);
    late = is_ready(2);
    assert_int_equal(admitted(), late);
    assert_int_equal(admitted(), second);
    assert_int_equal(admitted(), -1);
    assert_false(cf_conns_has_ready(&conns));
}

static void whose_address_fills_the_lobby(void **state)
{
    int lonely, crowding;

    (void)state;
    (void)arrives(1);
    (void)arrives(1);
    crowding = arrives(1);
    assert_false(cf_conns_crowds(&conns, &conn[crowding])); /* it is not full */
    lonely = arrives(2);
    assert_true(cf_conns_crowds(&conns, &conn[crowding]));
    assert_false(cf_conns_crowds(&conns, &conn[lonely]));
    cf_conns_give_way(&conns, &conn[crowding]);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_WAITING), 1);
}

/* ---- a full port ---- */

static void without_a_verdict_goes_before_one_with(void **state)
{
    int kept = is_kept(1), oldest = comes_in(2), newcomer;

    (void)state;
    for (int i = 0; i < 3; i++)
        (void)comes_in(2);
    all_settle();
    age(kept, 60);
    newcomer = is_ready(3);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(oldest));
    assert_false(is_shut(kept));
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_NEW), 1);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_IDLE), 0);
}

static void an_address_makes_no_way_for_itself_at_once(void **state)
{
    int oldest = comes_in(2), newcomer;

    (void)state;
    for (int i = 0; i < 3; i++)
        (void)comes_in(2);
    newcomer = is_ready(2);
    assert_int_equal(admitted(), -1);
    assert_false(is_shut(oldest));
    age(oldest, 2);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(oldest));
}

static void who_waits_goes_before_a_first_request(void **state)
{
    int asking = comes_in(2), waiting = comes_in(2), newcomer;

    (void)state;
    (void)comes_in(2);
    (void)comes_in(2);
    asks(asking);
    all_settle();
    newcomer = is_ready(3);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(waiting));
    assert_false(is_shut(asking));
}

static void first_requests_give_way_too(void **state)
{
    int oldest = comes_in(2), newcomer;

    (void)state;
    asks(oldest);
    for (int i = 0; i < 3; i++)
        asks(comes_in(2));
    all_settle();
    newcomer = is_ready(3);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(oldest));
}

/* A burst of one address, and then others fill the port: its connections are not cut while they are
 * young. Both for a connection that is being set up and for a first request that is coming in. */
static void a_young_one_gives_way_to_nobody(void **state)
{
    int newcomer;

    (void)state;
    for (int i = 0; i < 2; i++)
        (void)comes_in(2);
    for (int i = 0; i < 2; i++)
        asks(comes_in(2));
    newcomer = is_ready(3);
    assert_int_equal(admitted(), -1);
    for (int i = 0; i < 4; i++)
        assert_false(is_shut(i));
    age(0, 1);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(0));
    /* Who is in waits for longer. */
    age(1, 1);
    newcomer = is_ready(3);
    assert_int_equal(admitted(), -1);
    age(1, 1);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(1));
}

/* However long the server needs for it. */
static void a_request_that_is_worked_on_is_not_cut(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        asks(comes_in(2));
        cf_conns_enter(&conns, &conn[i], CF_STAGE_WORK);
        age(i, 5);
    }
    (void)is_ready(3);
    assert_int_equal(admitted(), -1);
    for (int i = 0; i < 4; i++)
        assert_false(is_shut(i));
    assert_int_equal(cf_conns_pending(&conns, false), 4);
}

/* A client that is refused again and again does not stay young, though its next request is there
 * already; nor does one that does not read its refusal. */
static void refused_requests_keep_no_place(void **state)
{
    static const enum cf_stage stages[] = {CF_STAGE_IDLE, CF_STAGE_ANSWER};

    for (size_t k = 0; k < sizeof(stages) / sizeof(stages[0]); k++) {
        for (int i = 0; i < 4; i++)
            (void)comes_in(2);
        all_settle();
        for (int i = 0; i < 4; i++) {
            asks(i);
            cf_conns_enter(&conns, &conn[i], CF_STAGE_WORK);
            cf_conns_enter(&conns, &conn[i], stages[k]);
            assert_int_equal(write(theirs[i], "P", 1), 1);
        }
        (void)is_ready(3);
        assert_int_equal(admitted(), 4);
        assert_true(is_shut(0));
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void of_idle_ones_the_address_with_the_most(void **state)
{
    int one = is_kept(1), first, newcomer;

    (void)state;
    first = is_kept(2);
    for (int i = 0; i < 4; i++)
        (void)is_kept(2);
    age(one, 60);
    newcomer = is_ready(3);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(first));
    assert_false(is_shut(one));
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_IDLE), 1);
}

static void a_request_after_a_verdict_is_not_cut(void **state)
{
    int newcomer;

    (void)state;
    for (int i = 0; i < 6; i++)
        asks(is_kept(2));
    cf_conns_enter(&conns, &conn[0], CF_STAGE_HEADERS);
    newcomer = is_ready(3);
    assert_int_equal(admitted(), -1);
    for (int i = 0; i < 6; i++)
        assert_false(is_shut(i));
    is_answered(4);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(4));
}

static void nor_one_that_has_just_come(void **state)
{
    int newcomer;

    (void)state;
    for (int i = 0; i < 6; i++)
        (void)is_kept(2);
    assert_int_equal(write(theirs[0], "P", 1), 1); /* not read yet */
    newcomer = is_ready(3);
    assert_int_equal(admitted(), -1);
    assert_int_equal(admitted(), newcomer);
    assert_false(is_shut(0));
    assert_true(is_shut(1));
}

/* A burst of the address of an API server that is known, before one of an address that is not. */
static void kept_connections_count_for_new_ones(void **state)
{
    int newcomer, oldest;

    (void)state;
    (void)is_kept(1);
    (void)is_kept(1);
    oldest = comes_in(2);
    (void)comes_in(2);
    (void)comes_in(2);
    newcomer = is_ready(1);
    (void)is_ready(2);
    assert_int_equal(admitted(), newcomer); /* there is room for one */
    all_settle();
    newcomer = is_ready(1);
    assert_int_equal(admitted(), newcomer);
    assert_true(is_shut(oldest));
}

/* A refusal is no verdict. */
static void without_2xx_there_is_no_verdict(void **state)
{
    int refused = comes_in(2), newcomer;

    (void)state;
    asks(refused);
    cf_conns_enter(&conns, &conn[refused], CF_STAGE_ANSWER);
    cf_conns_enter(&conns, &conn[refused], CF_STAGE_IDLE);
    for (int i = 0; i < 3; i++)
        (void)comes_in(2);
    all_settle();
    newcomer = is_ready(3);
    assert_int_equal(admitted(), newcomer);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_NEW), 1);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_IDLE), 0);
}

static void what_the_library_has_not_taken_is_not_touched(void **state)
{
    struct cf_conn *c;
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        (void)is_ready(2);
        c = cf_conns_admit(&conns, CF_STAGE_FRESH);
        assert_non_null(c);
    }
    (void)is_ready(3);
    assert_null(cf_conns_admit(&conns, CF_STAGE_FRESH));
    for (i = 0; i < 4; i++) {
        age(i, 1000);
        assert_false(is_shut(i));
    }
    assert_int_equal(cf_conns_sweep(&conns), 0);
    assert_ptr_equal(cf_conns_stale(&conns, conn[1].fd), &conn[1]);
    assert_null(cf_conns_stale(&conns, conn[1].fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_stage_has_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_stage_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_lobby_has_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_pending, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_says_nothing_gives_way_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_address_with_the_most_gives_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whose_address_fills_the_lobby, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_turn_is_of_the_address_with_the_fewest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_verdict_goes_before_one_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_makes_no_way_for_itself_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_waits_goes_before_a_first_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_requests_give_way_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_young_one_gives_way_to_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_that_is_worked_on_is_not_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_requests_keep_no_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_idle_ones_the_address_with_the_most, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_after_a_verdict_is_not_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nor_one_that_has_just_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kept_connections_count_for_new_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_2xx_there_is_no_verdict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_library_has_not_taken_is_not_touched, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
