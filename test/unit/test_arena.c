/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/arena.h"
#include "curfew/limits.h"

static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void the_ceiling_is_never_passed(void **state)
{
    struct cf_arena *arena = cf_arena_new(100 * CF_KIB);
    size_t got = 0;

    (void)state;
    assert_non_null(arena);
    assert_null(cf_arena_alloc(arena, 101 * CF_KIB));
    assert_true(cf_arena_failed(arena));
    while (cf_arena_alloc(arena, 100) != NULL)
        got += 100;
    assert_true(got > 70 * CF_KIB && got < 100 * CF_KIB);
    assert_true(cf_arena_used(arena) <= 100 * CF_KIB);
    cf_arena_free(arena);
}

static void a_tiny_ceiling_fails_cleanly(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 200; ceiling++) {
        struct cf_arena *arena = cf_arena_new(ceiling);

        while (cf_arena_alloc(arena, 1) != NULL)
            continue;
        assert_true(cf_arena_failed(arena));
        cf_arena_free(arena);
    }
}

struct purse {
    size_t left, asked;
};

static bool give(void *arg, size_t bytes)
{
    struct purse *purse = arg;

    purse->asked++;
    if (bytes > purse->left)
        return false;
    purse->left -= bytes;
    return true;
}

/* At its ceiling the arena requests more, and never holds more than it got. */
static void a_ceiling_can_be_raised(void **state)
{
    struct purse purse = {.left = 3 * CF_MIB};
    struct cf_arena *arena = cf_arena_new(64 * CF_KIB);
    size_t got = 0;

    (void)state;
    cf_arena_limit(arena, 64 * CF_KIB, give, &purse);
    assert_non_null(cf_arena_alloc(arena, 1000));
    assert_int_equal(purse.asked, 0);
    while (cf_arena_alloc(arena, 1000) != NULL) {
        got += 1000;
        assert_true(cf_arena_held(arena) <= 64 * CF_KIB + 3 * CF_MIB - purse.left);
    }
    assert_true(cf_arena_failed(arena));
    assert_true(got > 2 * CF_MIB);
    /* Less than it holds: what is kept is as much. */
    cf_arena_limit(arena, 20 * CF_KIB, NULL, NULL);
    cf_arena_reset(arena, false);
    assert_true(cf_arena_held(arena) <= 20 * CF_KIB);
    assert_non_null(cf_arena_alloc(arena, 1000));
    assert_null(cf_arena_alloc(arena, 30 * CF_KIB));
    cf_arena_limit(arena, 0, NULL, NULL);
    cf_arena_reset(arena, false);
    assert_int_equal(cf_arena_held(arena), 0);
    cf_arena_free(arena);
}

/* A large allocation is freed immediately; dropping a small one has no effect. */
static void what_is_dropped_is_given_back(void **state)
{
    struct cf_arena *arena = cf_arena_new(8 * CF_MIB);
    char *small = cf_arena_alloc(arena, 100), *large = cf_arena_alloc(arena, 5 * CF_MIB), *other;
    size_t held;

    (void)state;
    memset(small, 'x', 100);
    memset(large, 'x', 5 * CF_MIB);
    held = cf_arena_held(arena);
    assert_null(cf_arena_alloc(arena, 5 * CF_MIB));
    cf_arena_drop(arena, large, 5 * CF_MIB);
    assert_true(cf_arena_held(arena) + 5 * CF_MIB <= held);
    cf_arena_drop(arena, small, 100);
    cf_arena_drop(arena, NULL, 0);
    assert_int_equal(small[99], 'x');
    other = cf_arena_alloc(arena, 5 * CF_MIB);
    assert_non_null(other);
    assert_true(is_zero(other, 5 * CF_MIB));
    cf_arena_free(arena);
}

static void absurd_sizes_fail(void **state)
{
    struct cf_arena *arena = cf_arena_new(SIZE_MAX);

    (void)state;
    assert_null(cf_arena_array(arena, SIZE_MAX / 2, 3));
    assert_true(cf_arena_failed(arena));
    assert_null(cf_arena_alloc(arena, SIZE_MAX));
    assert_null(cf_arena_alloc(arena, SIZE_MAX - 7));
    assert_null(cf_arena_strndup(arena, "x", SIZE_MAX));
    cf_arena_free(arena);
}

static void bytes_are_zero_and_aligned(void **state)
{
    struct cf_arena *arena = cf_arena_new(4 * CF_MIB);

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            char *bytes = cf_arena_alloc(arena, size);

            assert_non_null(bytes);
            assert_int_equal((uintptr_t)bytes % 16, 0);
            assert_true(is_zero(bytes, size));
            memset(bytes, 0xAA, size);
        }
        cf_arena_reset(arena, round == 1);
        assert_int_equal(cf_arena_used(arena), 0);
    }
    cf_arena_free(arena);
}

static void a_reset_forgives(void **state)
{
    struct cf_arena *arena = cf_arena_new(64 * CF_KIB);

    (void)state;
    assert_null(cf_arena_alloc(arena, CF_MIB));
    assert_true(cf_arena_failed(arena));
    cf_arena_reset(arena, false);
    assert_false(cf_arena_failed(arena));
    for (int i = 0; i < 1000; i++) {
        assert_non_null(cf_arena_alloc(arena, 30 * CF_KIB));
        cf_arena_reset(arena, i % 2);
    }
    cf_arena_free(arena);
}

/* What a reset keeps counts against the ceiling: a big allocation must still fit after it. */
static void kept_chunks_do_not_eat_the_ceiling(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_KEEP + 64 * CF_KIB);

    (void)state;
    for (int i = 0; i < 300; i++)
        assert_non_null(cf_arena_alloc(arena, 1000));
    cf_arena_reset(arena, false);
    assert_non_null(cf_arena_alloc(arena, CF_ARENA_KEEP));
    cf_arena_free(arena);
}

static void big_allocations_leave_the_small_chunk_in_use(void **state)
{
    struct cf_arena *arena = cf_arena_new(8 * CF_MIB);
    char *small, *next;

    (void)state;
    small = cf_arena_alloc(arena, 16);
    assert_non_null(cf_arena_alloc(arena, CF_MIB));
    next = cf_arena_alloc(arena, 16);
    assert_true(next > small && next - small < 100);
    cf_arena_free(arena);
}

static void copies_texts(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_MIB);

    (void)state;
    assert_null(cf_arena_strdup(arena, NULL));
    assert_null(cf_arena_strndup(arena, NULL, 3));
    assert_false(cf_arena_failed(arena));
    assert_string_equal(cf_arena_strdup(arena, ""), "");
    assert_string_equal(cf_arena_strdup(arena, "abc"), "abc");
    assert_string_equal(cf_arena_strndup(arena, "abc", 2), "ab");
    assert_string_equal(cf_arena_printf(arena, "%s-%d", "pod", 7), "pod-7");
    assert_string_equal(cf_arena_printf(arena, "%s", ""), "");
    cf_arena_free(arena);
}

struct member {
    size_t a, b, c;
};

/* Also beside other allocations, and past the size at which the old array is given back. */
static void arrays_grow(void **state)
{
    struct cf_arena *arena = cf_arena_new(64 * CF_MIB);
    struct member *items = NULL;
    size_t capacity = 0, count = 0;

    (void)state;
    for (; count < 200000; count++) {
        items = cf_arena_grow(arena, items, count, &capacity, sizeof(*items));
        assert_non_null(items);
        assert_true(capacity > count);
        items[count].b = count;
        if (count % 3 == 0)
            assert_non_null(cf_arena_alloc(arena, 1));
    }
    assert_int_equal(capacity, 262144);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(items[i].a, 0);
        assert_int_equal(items[i].b, i);
    }
    assert_true(cf_arena_held(arena) < 16 * CF_MIB);
    cf_arena_free(arena);
}

/* An array that is the newest allocation grows in place. */
static void the_newest_array_stays_in_place(void **state)
{
    struct cf_arena *arena = cf_arena_new(CF_MIB);
    size_t capacity = 0;
    char *first = cf_arena_grow(arena, NULL, 0, &capacity, 16), *again;

    (void)state;
    assert_int_equal(capacity, 8);
    again = cf_arena_grow(arena, first, 8, &capacity, 16);
    assert_ptr_equal(again, first);
    assert_int_equal(capacity, 16);
    assert_true(is_zero(again, 256));
    assert_non_null(cf_arena_alloc(arena, 1));
    assert_ptr_not_equal(cf_arena_grow(arena, again, 16, &capacity, 16), first);
    cf_arena_free(arena);
}

static void an_array_that_cannot_grow_stays(void **state)
{
    struct cf_arena *arena = cf_arena_new(16 * CF_KIB);
    size_t capacity = 0, count = 0;
    uint64_t *items = NULL, *bigger;

    (void)state;
    for (;; count++) {
        bigger = cf_arena_grow(arena, items, count, &capacity, sizeof(*items));
        if (bigger == NULL)
            break;
        items = bigger;
        items[count] = count;
    }
    assert_true(cf_arena_failed(arena));
    assert_true(count >= 512);
    assert_int_equal(capacity, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(items[i], i);
    cf_arena_free(arena);
}

static void cleanup_takes_null(void **state)
{
    struct cf_arena *none = NULL;

    (void)state;
    cf_arena_free(NULL);
    cf_arena_cleanup(&none);
    {
        CF_CLEANUP(cf_arena_cleanup) struct cf_arena *arena = cf_arena_new(CF_KIB);

        assert_non_null(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_is_never_passed),
        cmocka_unit_test(a_tiny_ceiling_fails_cleanly),
        cmocka_unit_test(a_ceiling_can_be_raised),
        cmocka_unit_test(what_is_dropped_is_given_back),
        cmocka_unit_test(absurd_sizes_fail),
        cmocka_unit_test(bytes_are_zero_and_aligned),
        cmocka_unit_test(a_reset_forgives),
        cmocka_unit_test(kept_chunks_do_not_eat_the_ceiling),
        cmocka_unit_test(big_allocations_leave_the_small_chunk_in_use),
        cmocka_unit_test(copies_texts),
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(the_newest_array_stays_in_place),
        cmocka_unit_test(an_array_that_cannot_grow_stays),
        cmocka_unit_test(cleanup_takes_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
