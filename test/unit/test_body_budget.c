/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>

#include "../../src/server/body.h"
#include "../../src/server/limits.h"

static void released_bytes_are_available_again(void **state)
{
    struct cf_budget budget = {0};

    (void)state;
    cf_budget_set(&budget, 128 * CF_MIB, 16 * CF_MIB, 2);
    assert_true(cf_budget_take(&budget, 100 * CF_MIB, true));
    assert_false(cf_budget_take(&budget, 100 * CF_MIB, true));
    assert_int_equal(atomic_load(&budget.used), 100 * CF_MIB);
    cf_budget_release(&budget, 100 * CF_MIB);
    assert_true(cf_budget_take(&budget, 100 * CF_MIB, false));
    cf_budget_release(&budget, 100 * CF_MIB);
    assert_true(cf_budget_take(&budget, 0, false));
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void small_requests_have_reserved_memory(void **state)
{
    struct cf_budget budget = {0};
    size_t large;

    (void)state;
    cf_budget_set(&budget, 128 * CF_MIB, 16 * CF_MIB, 2);
    large = cf_budget_ceiling(&budget, true);
    assert_true(cf_budget_ceiling(&budget, false) - large >= 8 * CF_MIB);
    assert_true(cf_budget_take(&budget, large, true));
    assert_false(cf_budget_take(&budget, 1, true));
    assert_true(cf_budget_take(&budget, 8 * CF_MIB, false));
    assert_false(cf_budget_is_large(7 * CF_KIB));
    assert_true(cf_budget_is_large(3 * CF_MIB));
}

static void the_largest_body_always_fits(void **state)
{
    (void)state;
    for (size_t memory = 64 * CF_KIB; memory <= 64 * CF_MIB; memory *= 2) {
        for (unsigned threads = 1; threads <= CF_THREADS_MAX; threads++) {
            struct cf_budget budget = {0};

            cf_budget_set(&budget, memory, memory, threads);
            assert_int_equal(atomic_load(&budget.keep), 0);
            assert_true(cf_budget_ceiling(&budget, true) >= memory);
            cf_budget_set(&budget, 2 * memory, memory, threads);
            assert_true(cf_budget_ceiling(&budget, true) >= memory);
            assert_true(cf_budget_ceiling(&budget, false) + threads * atomic_load(&budget.keep) <=
                        2 * memory);
        }
    }
}

static struct cf_budget shared;
static atomic_size_t peak;

static void *take_and_give(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        size_t now;

        if (!cf_budget_take(&shared, 3 * CF_MIB, true))
            continue;
        /* Others' tries that fail are in it for a moment: each has one at most. */
        now = atomic_load(&shared.used);
        if (now > atomic_load(&peak))
            atomic_store(&peak, now);
        cf_budget_release(&shared, 3 * CF_MIB);
    }
    return NULL;
}

static void threads_never_exceed_the_budget(void **state)
{
    pthread_t threads[8];

    (void)state;
    cf_budget_set(&shared, 16 * CF_MIB, 1 * CF_MIB, 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&shared.used), 0);
    assert_true(atomic_load(&peak) > 0);
    assert_true(atomic_load(&peak) <= 16 * CF_MIB + 8 * 3 * CF_MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_bytes_are_available_again),
        cmocka_unit_test(small_requests_have_reserved_memory),
        cmocka_unit_test(the_largest_body_always_fits),
        cmocka_unit_test(threads_never_exceed_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
