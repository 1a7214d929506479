/* SPDX-License-Identifier: Apache-2.0 */
/* policy - configurations: rejected with a message that names the line, or accepted. */
#include "fuzz.h"

#include "curfew/attr.h"
#include "curfew/json.h"
#include "curfew/rule.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    cf_json_init();
    return 0;
}

static void run(const uint8_t *data, size_t size)
{
    struct cf_err err = {.kind = CF_ERR_NONE};
    char *text = malloc(size + 1); /* a file is read with a NUL at its end */
    struct cf_policy *policy;

    memcpy(text, data, size);
    text[size] = '\0';
    policy = cf_policy_parse(text, size, "config", cf_rule_configs(), cf_rule_count, NOW, &err);
    if (policy == NULL) {
        fuzz_must(err.kind == CF_ERR_INPUT, "what is refused is at fault itself", err.msg);
        fuzz_must(cf_starts_with(err.msg, "config"), "the sentence says where", err.msg);
        fuzz_must_be_clean(err.msg);
    } else {
        for (size_t i = 0; i < policy->notes.count; i++)
            fuzz_must_be_clean(policy->notes.items[i]);
    }
    cf_policy_free(policy);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_timed(run, data, size);
    return 0;
}
