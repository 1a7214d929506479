/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <string.h>

#include "../../src/server/body.h"
#include "../../src/server/limits.h"

static struct cf_budget budget;

static int set_up(void **state)
{
    (void)state;
    atomic_store(&budget.used, 0);
    atomic_store(&budget.max, 100);
    atomic_store(&budget.max_large, 80);
    return 0;
}

static void pieces_are_joined(void **state)
{
    struct cf_body body;

    (void)state;
    cf_body_begin(&body, &budget, 11);
    assert_int_equal(atomic_load(&budget.used), 0); /* promised is not received */
    cf_body_add(&body, "hello ", 6);
    assert_int_equal(atomic_load(&budget.used), 6);
    cf_body_add(&body, "world", 5);
    assert_int_equal(body.state, CF_BODY_GOOD);
    assert_string_equal(body.data, "hello world");
    assert_int_equal(body.len, 11);
    cf_body_drop(&body);
    assert_null(body.data);
    assert_int_equal(atomic_load(&budget.used), 0);
    cf_body_drop(&body);
}

static void a_body_longer_than_announced_is_abandoned(void **state)
{
    struct cf_body body;

    (void)state;
    cf_body_begin(&body, &budget, 3);
    cf_body_add(&body, "abcd", 4);
    assert_int_not_equal(body.state, CF_BODY_GOOD);
    assert_null(body.data);
    cf_body_drop(&body);
}

static void bodies_share_the_budget(void **state)
{
    static const char bytes[60];
    struct cf_body one, two;

    (void)state;
    cf_body_begin(&one, &budget, 80);
    cf_body_begin(&two, &budget, 80);
    cf_body_add(&one, bytes, 50);
    cf_body_add(&two, bytes, 50);
    assert_int_equal(one.state, CF_BODY_GOOD);
    assert_int_equal(two.state, CF_BODY_GOOD);
    cf_body_add(&two, bytes, 1);
    assert_int_equal(two.state, CF_BODY_BUSY);
    assert_null(two.data);
    assert_int_equal(atomic_load(&budget.used), 50);
    cf_body_add(&two, bytes, 29); /* the rest of it is dropped */
    assert_int_equal(atomic_load(&budget.used), 50);
    cf_body_add(&one, bytes, 30);
    assert_int_equal(one.state, CF_BODY_GOOD);
    cf_body_drop(&one);
    cf_body_drop(&two);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void answers_use_the_budget(void **state)
{
    static const char bytes[CF_SMALL_ANSWER];
    struct cf_reply_copy *sent;
    bool refused;

    (void)state;
    sent = cf_reply_copy_new(&budget, "hello", 5, &refused);
    assert_non_null(sent);
    assert_memory_equal(sent->bytes, "hello", 5);
    assert_int_equal(atomic_load(&budget.used), 5);
    cf_reply_copy_free(sent);
    assert_int_equal(atomic_load(&budget.used), 0);
    /* A large answer is refused, a small one never. */
    assert_null(cf_reply_copy_new(&budget, bytes, sizeof(bytes), &refused));
    assert_true(refused);
    sent = cf_reply_copy_new(&budget, bytes, sizeof(bytes) - 1, &refused);
    assert_non_null(sent);
    assert_false(refused);
    assert_int_equal(atomic_load(&budget.used), 0);
    cf_reply_copy_free(sent);
    sent = cf_reply_copy_new(NULL, bytes, sizeof(bytes), &refused);
    assert_non_null(sent);
    cf_reply_copy_free(sent);
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pieces_are_joined, set_up),
        cmocka_unit_test_setup(a_body_longer_than_announced_is_abandoned, set_up),
        cmocka_unit_test_setup(bodies_share_the_budget, set_up),
        cmocka_unit_test_setup(answers_use_the_budget, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
