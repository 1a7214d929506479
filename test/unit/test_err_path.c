/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "curfew/arena.h"
#include "curfew/limits.h"
#include "curfew/path.h"

static struct cf_arena *arena;

static void no_path_is_the_object_itself(void **state)
{
    (void)state;
    assert_string_equal(cf_path_text(arena, NULL), "");
    assert_string_equal(cf_path_pointer(arena, NULL), "");
}

static void keys_and_indexes(void **state)
{
    struct cf_path spec = CF_PATH_KEY(NULL, "spec");
    struct cf_path volumes = CF_PATH_KEY(&spec, "volumes");
    struct cf_path first = CF_PATH_INDEX(&volumes, 12);
    struct cf_path name = CF_PATH_KEY(&first, "secret");

    (void)state;
    assert_string_equal(cf_path_text(arena, &name), "spec.volumes[12].secret");
    assert_string_equal(cf_path_pointer(arena, &name), "/spec/volumes/12/secret");
    assert_string_equal(cf_path_text(arena, &first), "spec.volumes[12]");
}

static void odd_keys_are_quoted(void **state)
{
    struct cf_path metadata = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations = CF_PATH_KEY(&metadata, "annotations");
    struct cf_path fixed = CF_PATH_KEY(&annotations, "curfew.dev/fixed");
    struct cf_path odd = CF_PATH_KEY(&annotations, "a~\"\n/~1");
    struct cf_path empty = CF_PATH_KEY(NULL, "");
    struct cf_path below = CF_PATH_KEY(&empty, "x_Y-9");

    (void)state;
    assert_string_equal(cf_path_text(arena, &fixed), "metadata.annotations[\"curfew.dev/fixed\"]");
    assert_string_equal(cf_path_pointer(arena, &fixed), "/metadata/annotations/curfew.dev~1fixed");
    assert_string_equal(cf_path_text(arena, &odd), "metadata.annotations[\"a~\\\"\\n/~1\"]");
    assert_string_equal(cf_path_pointer(arena, &odd), "/metadata/annotations/a~0\"\n~1~01");
    assert_string_equal(cf_path_text(arena, &below), "[\"\"].x_Y-9");
    assert_string_equal(cf_path_pointer(arena, &below), "//x_Y-9");
}

static void paths_in_an_arena(void **state)
{
    const struct cf_path *path = NULL;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        path = cf_path_index(arena, cf_path_key(arena, path, "k"), i);
    assert_memory_equal(cf_path_text(arena, path), "k[0].k[1].k[2]", 14);
    assert_memory_equal(cf_path_pointer(arena, path), "/k/0/k/1/k/2", 12);
}

static void a_copy_has_all_steps(void **state)
{
    struct cf_path spec = CF_PATH_KEY(NULL, "spec"), list = CF_PATH_KEY(&spec, "volumes");
    struct cf_path item = CF_PATH_INDEX(&list, 2);
    const struct cf_path *copy = cf_path_copy(arena, &item);

    (void)state;
    spec = list = item = (struct cf_path){.key = "gone"};
    assert_string_equal(cf_path_text(arena, copy), "spec.volumes[2]");
    assert_null(cf_path_copy(arena, NULL));
}

static void an_exhausted_arena_gives_null(void **state)
{
    struct cf_arena *tiny = cf_arena_new(64);
    struct cf_path key = CF_PATH_KEY(NULL, "a key that is longer than what the arena can hold");

    (void)state;
    assert_null(cf_path_text(tiny, &key));
    assert_null(cf_path_pointer(tiny, &key));
    while (cf_path_key(tiny, NULL, "k") != NULL)
        continue;
    assert_null(cf_path_index(tiny, NULL, 1));
    assert_null(cf_path_copy(tiny, &key));
    assert_true(cf_arena_failed(tiny));
    cf_arena_free(tiny);
}

static int setup(void **state)
{
    (void)state;
    arena = cf_arena_new(CF_MIB);
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_is_the_object_itself),  cmocka_unit_test(keys_and_indexes),
        cmocka_unit_test(odd_keys_are_quoted),           cmocka_unit_test(paths_in_an_arena),
        cmocka_unit_test(an_exhausted_arena_gives_null), cmocka_unit_test(a_copy_has_all_steps),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
