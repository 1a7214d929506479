/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line per event, JSON or text, to standard error. Only cli/, server/ and watch
 * threads log. Thread-safe: a line is one write(). A line that can't be written (full or
 * blocked pipe, disk full) is dropped and counted, never waited for. */
#ifndef CURFEW_LOG_H
#define CURFEW_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum cf_log_level { CF_LOG_DEBUG, CF_LOG_INFO, CF_LOG_WARN, CF_LOG_ERROR };
enum cf_log_format { CF_LOG_TEXT, CF_LOG_JSON };

/* A key with a text (a NULL text is left out) or, where text is NULL and `is_number`, a number. */
struct cf_log_field {
    const char *key;
    const char *text;
    int64_t number;
    bool is_number;
};

#define CF_LOG_S(k, v) ((struct cf_log_field){.key = (k), .text = (v)})
#define CF_LOG_N(k, v) ((struct cf_log_field){.key = (k), .number = (v), .is_number = true})

/* Call once, before any thread. Default: text, info. */
void cf_log_setup(enum cf_log_format format, enum cf_log_level level);

bool cf_log_enabled(enum cf_log_level level);

/* fields[0..count): in the order given, after time, level and msg. */
void cf_log_fields(enum cf_log_level level, const char *msg, const struct cf_log_field *fields,
                   unsigned count);

/* The usual form: cf_log(CF_LOG_INFO, "listening", CF_LOG_S("address", a), CF_LOG_N("port", p)); */
#define cf_log(level, ...) cf_log_args_(level, __VA_ARGS__, (struct cf_log_field){0})
#define cf_log_args_(level, msg, ...)                                                              \
    cf_log_fields(level, msg, (const struct cf_log_field[]){__VA_ARGS__},                          \
                  sizeof((const struct cf_log_field[]){__VA_ARGS__}) /                             \
                      sizeof(struct cf_log_field))

/* Lines dropped since the start. */
uint64_t cf_log_dropped(void);

#endif
