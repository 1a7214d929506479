/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - shared functions of the fuzz targets. Each target is a libFuzzer program: it takes bytes
 * and checks properties. A violated property ends the process, and libFuzzer keeps the input. */
#ifndef CURFEW_TEST_FUZZ_H
#define CURFEW_TEST_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixtures.h"

#include "curfew/str.h"

/* An input that takes more CPU than this is a finding, as a crash is. */
#define FUZZ_SLOW_MICROS 200000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_must(bool holds, const char *what, const char *text)
{
    if (holds)
        return;
    fprintf(stderr, "FAIL %s\n%s\n", what, text != NULL ? text : "");
    abort();
}

/* Printable: no control character except line feeds, no invisible character, no token. The control
 * characters are checked here independently, because the program uses the sanitizer itself. */
static inline void fuzz_must_be_clean(const char *text)
{
    char *copy = strdup(text), *shown;
    size_t size = strlen(text) + 1;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        fuzz_must((*p >= ' ' && *p != 0x7F) || *p == '\n', "a control character", text);
        fuzz_must(p[0] != 0xC2 || p[1] < 0x80 || p[1] > 0x9F, "a control character of C1", text);
        fuzz_must(p[0] != 0xE2 || p[1] != 0x80 || p[2] < 0x8B || p[2] > 0xAE ||
                      (p[2] > 0x8F && p[2] < 0xA8),
                  "an invisible character", text);
    }
    for (char *line = copy; line != NULL; line = shown) {
        shown = strchr(line, '\n');
        if (shown != NULL)
            *shown++ = '\0';
        size = strlen(line) + 1;
        char *again = strdup(line);
        cf_str_sanitize(again, size);
        fuzz_must(strcmp(line, again) == 0, "a text that is not sanitized", line);
        free(again);
    }
    free(copy);
}

/* A line of the log. */
static inline void fuzz_must_be_line(const void *bytes, size_t len)
{
    char *line = strndup(bytes, len);

    fuzz_must(strlen(line) == len, "a log line without a NUL", line);
    fuzz_must_be_clean(line);
    free(line);
}

static inline int64_t fuzz_cpu_micros(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* What a target adds to that while it runs, where a short input is documented to stand for more. */
static int64_t fuzz_more_micros;

/* The best of three, so that a page fault or another process does not count. */
static inline void fuzz_timed(void (*run)(const uint8_t *data, size_t size), const uint8_t *data,
                              size_t size)
{
    int64_t over = 1;

    for (int try = 0; try < 3 && over > 0; try++) {
        int64_t start = fuzz_cpu_micros();

        fuzz_more_micros = 0;
        run(data, size);
        over = fuzz_cpu_micros() - start - FUZZ_SLOW_MICROS - fuzz_more_micros;
    }
    fuzz_must(over <= 0, "an input that takes more than 0.2 s of CPU", NULL);
}

#endif
