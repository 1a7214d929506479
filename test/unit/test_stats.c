/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <string.h>

#include "../../src/server/stats.h"

static struct cf_stats *stats;

static int set_up(void **state)
{
    (void)state;
    stats = cf_stats_new();
    return stats != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cf_stats_free(stats);
    return 0;
}

/* Counts a review of a resource as an allowed CREATE. */
static void count(enum cf_kind kind, struct cf_boundary *boundary, const char *label)
{
    char resource[64];
    char *slash;
    struct cf_request request = {
        .operation = CF_CREATE, .kind = kind, .boundary = boundary, .resource = resource};
    struct cf_outcome outcome = {.decision = CF_ALLOWED, .request = &request};

    snprintf(resource, sizeof(resource), "%s", label);
    slash = strchr(resource, '/');
    if (slash != NULL) {
        *slash = '\0';
        request.subresource = slash + 1;
    }
    cf_stats_review(stats, CF_PHASE_VALIDATE, &outcome, 1);
}

static uint64_t counted(unsigned label)
{
    return cf_stats_read(&stats->reviews[CF_PHASE_VALIDATE][CF_CREATE][label][CF_ALLOWED]);
}

static void test_every_kind_has_its_label(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CF_KIND_INFOS; i++) {
        assert_non_null(cf_kind_infos[i].resource);
        assert_string_equal(cf_resource_label(i), cf_kind_infos[i].resource);
        assert_int_equal(counted(i), 0);
        count(cf_kind_infos[i].bit, NULL, cf_kind_infos[i].resource);
        assert_int_equal(counted(i), 1);
    }
    assert_int_equal(counted(CF_RESOURCE_LABELS - 1), 0);
}

static void test_labels_are_unique_and_end_with_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CF_RESOURCE_LABELS; i++) {
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(cf_resource_label(i), cf_resource_label(j));
    }
    assert_string_equal(cf_resource_label(CF_RESOURCE_LABELS - 1), "other");
}

/* Requests that only the node boundary restricts have a kind that no rule reads. */
static void test_boundary_resources_have_labels(void **state)
{
    struct cf_boundary boundary = {.verb = "create"};

    (void)state;
    for (unsigned i = CF_KIND_INFOS; i < CF_RESOURCE_LABELS - 1; i++) {
        count(CF_KIND_OTHER, &boundary, cf_resource_label(i));
        assert_int_equal(counted(i), 1);
    }
    assert_int_equal(counted(CF_RESOURCE_LABELS - 1), 0);
}

static void test_other_resources_share_a_label(void **state)
{
    struct cf_boundary boundary = {.verb = "create"};

    (void)state;
    count(CF_KIND_OTHER, NULL, "pods");
    count(CF_KIND_OTHER, &boundary, "leases");
    count(CF_KIND_POD, NULL, "pods/exec");
    count(CF_KIND_POD, NULL, "pod");
    count(CF_KIND_POD, NULL, "podsandmore");
    assert_int_equal(counted(CF_RESOURCE_LABELS - 1), 5);
    assert_int_equal(counted(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_kind_has_its_label, set_up, tear_down),
        cmocka_unit_test(test_labels_are_unique_and_end_with_other),
        cmocka_unit_test_setup_teardown(test_boundary_resources_have_labels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_resources_share_a_label, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
