/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - what every unit test includes: cmocka, in the order it wants. */
#ifndef CURFEW_TEST_H
#define CURFEW_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
