/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "curfew/swap.h"

#define SWAPS 2000
#define READERS 3

/* A value is whole while it is referenced: clear() makes the two differ. */
struct value {
    unsigned left, right;
};

static atomic_uint cleared;

static void clear(void *value)
{
    struct value *v = value;

    v->right = ~v->left;
    atomic_fetch_add(&cleared, 1);
}

static struct value *make(unsigned n)
{
    struct value *v = cf_shared_new(sizeof(*v), clear);

    if (v != NULL)
        v->left = v->right = n;
    return v;
}

static int reset(void **state)
{
    (void)state;
    atomic_store(&cleared, 0);
    return 0;
}

static void null_and_absurd_sizes_are_refused(void **state)
{
    (void)state;
    assert_null(cf_shared_ref(NULL));
    cf_shared_unref(NULL);
    assert_null(cf_shared_new(SIZE_MAX, clear));
    assert_null(cf_shared_new(SIZE_MAX - 8, clear));
    assert_int_equal(cleared, 0);
}

static void the_last_reference_frees(void **state)
{
    struct value *v = cf_shared_new(sizeof(*v), clear);

    (void)state;
    assert_non_null(v);
    assert_int_equal((uintptr_t)v % 16, 0);
    assert_true(v->left == 0 && v->right == 0);
    assert_ptr_equal(cf_shared_ref(v), v);
    cf_shared_unref(v);
    assert_int_equal(cleared, 0);
    cf_shared_unref(v);
    assert_int_equal(cleared, 1);
}

static void a_replaced_value_lives_as_long_as_its_references(void **state)
{
    struct cf_swap swap;
    struct value *held;

    (void)state;
    cf_swap_init(&swap);
    assert_null(cf_swap_ref(&swap));
    cf_swap_set(&swap, make(1));
    held = cf_swap_ref(&swap);
    cf_swap_set(&swap, make(2));
    assert_int_equal(cleared, 0);
    assert_true(held->left == 1 && held->right == 1);
    cf_shared_unref(held);
    assert_int_equal(cleared, 1);
    cf_swap_set(&swap, NULL);
    assert_int_equal(cleared, 2);
    assert_null(cf_swap_ref(&swap));
    cf_swap_set(&swap, make(3));
    cf_swap_clear(&swap);
    assert_int_equal(cleared, 3);
}

static struct cf_swap shared;
static atomic_bool done;
static atomic_uint torn;

static void *read_values(void *arg)
{
    (void)arg;
    while (!atomic_load(&done)) {
        struct value *v = cf_swap_ref(&shared);

        if (v == NULL || v->left != v->right)
            atomic_fetch_add(&torn, 1);
        cf_shared_unref(v);
    }
    return NULL;
}

static void readers_see_whole_values(void **state)
{
    pthread_t readers[READERS];

    (void)state;
    cf_swap_init(&shared);
    cf_swap_set(&shared, make(0));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_values, NULL), 0);
    for (unsigned n = 1; n < SWAPS; n++)
        cf_swap_set(&shared, make(n));
    atomic_store(&done, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    cf_swap_clear(&shared);
    assert_int_equal(torn, 0);
    assert_int_equal(cleared, SWAPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(null_and_absurd_sizes_are_refused, reset),
        cmocka_unit_test_setup(the_last_reference_frees, reset),
        cmocka_unit_test_setup(a_replaced_value_lives_as_long_as_its_references, reset),
        cmocka_unit_test_setup(readers_see_whole_values, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
