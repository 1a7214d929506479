/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - time, and dates as the configuration writes them. Rules never read the clock: `now`
 * is passed to them. */
#ifndef CURFEW_TIME_H
#define CURFEW_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds since the epoch, UTC. */
int64_t cf_now(void);

/* Microseconds of a clock that only goes forward, for durations. */
int64_t cf_monotonic_micros(void);

/* A random number from low to high, both included, at least 0 and less than 2^32 apart: pauses that
 * many clients do not end together. `high` when the system has no random bytes yet. */
int64_t cf_jitter(int64_t low, int64_t high);

/* Parses "2027-03-31" (exactly so, a day that exists, years 1970-9999) into the second at
 * which that day *ends*, UTC: the first second of the next day. */
bool cf_date_end(const char *text, int64_t *end);

/* "2026-11-22T15:12:51Z", at most 21 bytes with the NUL; returns out. */
char *cf_time_format(int64_t when, char out[32]);

/* Parses exactly this form (years 1970-9999). */
bool cf_time_parse(const char *text, int64_t *when);

/* A human-readable length of time, rounded down: "365 days", "24 h", "3607 s". 0 or more; at
 * most 32 bytes with the NUL; returns out. */
char *cf_span_format(int64_t seconds, char out[32]);

/* ---- durations and sizes as the configuration and the flags write them ---- */

/* "90s", "15m", "24h", "1h30m"; "7d" is not one; a bare integer is seconds. At most 2^32. */
bool cf_duration_parse(const char *text, int64_t *seconds);
/* "16MiB", "64KiB", "1GiB", or a bare integer of bytes. */
bool cf_size_parse(const char *text, size_t *bytes);

#endif
