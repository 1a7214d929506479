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

/* Small enough to fill. */
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
static int arrive(int peer)
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

static int arrive_ready(int peer)
{
    int i = arrive(peer);

    cf_conns_enter(&conns, &conn[i], CF_STAGE_READY);
    return i;
}

/* The number of the connection that is admitted next; -1: none. */
static int admitted(void)
{
    struct cf_conn *c = cf_conns_admit(&conns, CF_STAGE_FRESH);

    if (c == NULL)
        return -1;
    assert_ptr_equal(cf_conns_start(&conns, c->fd), c);
    return (int)(c - conn);
}

static int admit(int peer)
{
    int i = arrive_ready(peer);

    assert_int_equal(admitted(), i);
    return i;
}

static void send_request(int i)
{
    cf_conns_enter(&conns, &conn[i], CF_STAGE_HEADERS);
    cf_conns_enter(&conns, &conn[i], CF_STAGE_BODY);
}

static void answer(int i)
{
    cf_conns_enter(&conns, &conn[i], CF_STAGE_ANSWER);
    cf_conns_verdict(&conns, &conn[i]);
    cf_conns_enter(&conns, &conn[i], CF_STAGE_IDLE);
}

static int admit_with_verdict(int peer)
{
    int i = admit(peer);

    send_request(i);
    answer(i);
    return i;
}

static void age(int i, int64_t seconds)
{
    conn[i].since -= seconds * 1000000;
    conn[i].admitted -= seconds * 1000000;
}

/* Three seconds pass. */
static void age_all(void)
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

static void each_stage_has_a_deadline(void **state)
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
        int i = admit(1);

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

static void each_stage_restarts_the_deadline(void **state)
{
    int i = admit(1);

    (void)state;
    cf_conns_enter(&conns, &conn[i], CF_STAGE_HEADERS);
    age(i, CF_HEADERS_SECONDS + 1);
    cf_conns_enter(&conns, &conn[i], CF_STAGE_BODY);
    assert_int_equal(cf_conns_sweep(&conns), 0);
}

static void the_lobby_has_a_deadline(void **state)
{
    int silent = arrive(1), ready = arrive_ready(1);

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

static void pending_requests_are_counted(void **state)
{
    int silent = arrive(1), first = admit(2), second = admit(2), third = admit(2);

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

static void silent_connections_are_evicted_first(void **state)
{
    int ready = arrive_ready(1), other = arrive_ready(1), silent = arrive(2), last;

    (void)state, (void)other;
    assert_null(cf_conns_surplus(&conns, false));
    last = arrive_ready(2);
    assert_ptr_equal(cf_conns_surplus(&conns, false), &conn[silent]);
    assert_null(cf_conns_surplus(&conns, false));
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_WAITING), 1);
    /* All are ready: the address with the most, the oldest of them. */
    assert_int_equal(arrive_ready(3), last + 1);
    assert_ptr_equal(cf_conns_surplus(&conns, false), &conn[ready]);
}

static void the_address_with_most_connections_is_evicted(void **state)
{
    int one = arrive(1), first = arrive(2), second = arrive(2), last = arrive(3);

    (void)state;
    assert_ptr_equal(cf_conns_surplus(&conns, false), &conn[first]);
    assert_ptr_equal(cf_conns_surplus(&conns, true), &conn[one]);
    assert_ptr_equal(cf_conns_surplus(&conns, true), &conn[last]);
    assert_ptr_equal(cf_conns_surplus(&conns, true), &conn[second]);
    assert_null(cf_conns_surplus(&conns, true));
}

static void the_address_with_fewest_connections_is_admitted(void **state)
{
    int second, late;

    (void)state;
    (void)admit(1);
    second = arrive_ready(1);
    late = arrive_ready(2);
    assert_int_equal(admitted(), late);
    assert_int_equal(admitted(), second);
    assert_int_equal(admitted(), -1);
    assert_false(cf_conns_has_ready(&conns));
}

static void an_address_that_fills_the_lobby_is_detected(void **state)
{
    int lonely, crowding;

    (void)state;
    (void)arrive(1);
    (void)arrive(1);
    crowding = arrive(1);
    assert_false(cf_conns_is_crowding(&conns, &conn[crowding])); /* it is not full */
    lonely = arrive(2);
    assert_true(cf_conns_is_crowding(&conns, &conn[crowding]));
    assert_false(cf_conns_is_crowding(&conns, &conn[lonely]));
    cf_conns_evict_waiting(&conns, &conn[crowding]);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_WAITING), 1);
}

/* ---- a full port ---- */

static void connections_without_a_verdict_are_evicted_first(void **state)
{
    int kept = admit_with_verdict(1), oldest = admit(2), candidate;

    (void)state;
    for (int i = 0; i < 3; i++)
        (void)admit(2);
    age_all();
    age(kept, 60);
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(oldest));
    assert_false(is_shut(kept));
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_NEW), 1);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_IDLE), 0);
}

static void evictions_among_equals_are_limited(void **state)
{
    int oldest = admit(2), candidate;

    (void)state;
    for (int i = 0; i < 3; i++)
        (void)admit(2);
    candidate = arrive_ready(2);
    assert_int_equal(admitted(), -1);
    assert_false(is_shut(oldest));
    age(oldest, 2);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(oldest));
}

static void waiting_connections_are_evicted_before_first_requests(void **state)
{
    int asking = admit(2), waiting = admit(2), candidate;

    (void)state;
    (void)admit(2);
    (void)admit(2);
    send_request(asking);
    age_all();
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(waiting));
    assert_false(is_shut(asking));
}

static void first_requests_are_evicted_too(void **state)
{
    int oldest = admit(2), candidate;

    (void)state;
    send_request(oldest);
    for (int i = 0; i < 3; i++)
        send_request(admit(2));
    age_all();
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(oldest));
}

/* A burst of one address, then others fill the port: the connections of the burst are not evicted
 * while they are new, neither during the handshake nor during the first request. */
static void new_connections_are_not_evicted(void **state)
{
    int candidate;

    (void)state;
    for (int i = 0; i < 2; i++)
        (void)admit(2);
    for (int i = 0; i < 2; i++)
        send_request(admit(2));
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), -1);
    for (int i = 0; i < 4; i++)
        assert_false(is_shut(i));
    age(0, 1);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(0));
    /* An address that already has a connection waits longer. */
    age(1, 1);
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), -1);
    age(1, 1);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(1));
}

/* Also if the answer takes long. */
static void requests_at_work_are_not_evicted(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        send_request(admit(2));
        cf_conns_enter(&conns, &conn[i], CF_STAGE_WORK);
        age(i, 5);
    }
    (void)arrive_ready(3);
    assert_int_equal(admitted(), -1);
    for (int i = 0; i < 4; i++)
        assert_false(is_shut(i));
    assert_int_equal(cf_conns_pending(&conns, false), 4);
}

/* Connections whose requests are all refused become old, also with an unread request, and if the
 * client does not read its answers. */
static void refused_requests_do_not_protect(void **state)
{
    static const enum cf_stage stages[] = {CF_STAGE_IDLE, CF_STAGE_ANSWER};

    for (size_t k = 0; k < sizeof(stages) / sizeof(stages[0]); k++) {
        for (int i = 0; i < 4; i++)
            (void)admit(2);
        age_all();
        for (int i = 0; i < 4; i++) {
            send_request(i);
            cf_conns_enter(&conns, &conn[i], CF_STAGE_WORK);
            cf_conns_enter(&conns, &conn[i], stages[k]);
            assert_int_equal(write(theirs[i], "P", 1), 1);
        }
        (void)arrive_ready(3);
        assert_int_equal(admitted(), 4);
        assert_true(is_shut(0));
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void idle_connections_are_evicted_by_address(void **state)
{
    int one = admit_with_verdict(1), first, candidate;

    (void)state;
    first = admit_with_verdict(2);
    for (int i = 0; i < 4; i++)
        (void)admit_with_verdict(2);
    age(one, 60);
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(first));
    assert_false(is_shut(one));
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_IDLE), 1);
}

static void requests_after_a_verdict_are_not_evicted(void **state)
{
    int candidate;

    (void)state;
    for (int i = 0; i < 6; i++)
        send_request(admit_with_verdict(2));
    cf_conns_enter(&conns, &conn[0], CF_STAGE_HEADERS);
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), -1);
    for (int i = 0; i < 6; i++)
        assert_false(is_shut(i));
    answer(4);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(4));
}

static void unread_requests_are_not_evicted(void **state)
{
    int candidate;

    (void)state;
    for (int i = 0; i < 6; i++)
        (void)admit_with_verdict(2);
    assert_int_equal(write(theirs[0], "P", 1), 1); /* not read yet */
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), -1);
    assert_int_equal(admitted(), candidate);
    assert_false(is_shut(0));
    assert_true(is_shut(1));
}

/* A burst of an address that has had verdicts is admitted before one of another address. */
static void verdicts_count_for_new_connections(void **state)
{
    int candidate, oldest;

    (void)state;
    (void)admit_with_verdict(1);
    (void)admit_with_verdict(1);
    oldest = admit(2);
    (void)admit(2);
    (void)admit(2);
    candidate = arrive_ready(1);
    (void)arrive_ready(2);
    assert_int_equal(admitted(), candidate); /* there is room for one */
    age_all();
    candidate = arrive_ready(1);
    assert_int_equal(admitted(), candidate);
    assert_true(is_shut(oldest));
}

/* A refused request does not count. */
static void only_2xx_is_a_verdict(void **state)
{
    int refused = admit(2), candidate;

    (void)state;
    send_request(refused);
    cf_conns_enter(&conns, &conn[refused], CF_STAGE_ANSWER);
    cf_conns_enter(&conns, &conn[refused], CF_STAGE_IDLE);
    for (int i = 0; i < 3; i++)
        (void)admit(2);
    age_all();
    candidate = arrive_ready(3);
    assert_int_equal(admitted(), candidate);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_NEW), 1);
    assert_int_equal(cf_conns_evicted(&conns, CF_EVICTED_IDLE), 0);
}

static void connections_before_the_library_are_not_touched(void **state)
{
    struct cf_conn *c;
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        (void)arrive_ready(2);
        c = cf_conns_admit(&conns, CF_STAGE_FRESH);
        assert_non_null(c);
    }
    (void)arrive_ready(3);
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
        cmocka_unit_test_setup_teardown(each_stage_has_a_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_stage_restarts_the_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_lobby_has_a_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pending_requests_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silent_connections_are_evicted_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_address_with_most_connections_is_evicted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_fills_the_lobby_is_detected, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_address_with_fewest_connections_is_admitted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(connections_without_a_verdict_are_evicted_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(evictions_among_equals_are_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiting_connections_are_evicted_before_first_requests,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_requests_are_evicted_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(new_connections_are_not_evicted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_at_work_are_not_evicted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_requests_do_not_protect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idle_connections_are_evicted_by_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_after_a_verdict_are_not_evicted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unread_requests_are_not_evicted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(verdicts_count_for_new_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_2xx_is_a_verdict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_before_the_library_are_not_touched, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
