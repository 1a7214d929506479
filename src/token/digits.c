/* SPDX-License-Identifier: Apache-2.0 */
#include "digits.h"

#define NONE CF_NO_DIGIT
#define NONE8 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
#define NONE32 NONE8, NONE8, NONE8, NONE8

/* clang-format off */
const uint8_t cf_digits[256] = {
    NONE32,
    /*    */ NONE8,
    /* (  */ NONE, NONE, NONE, 62, NONE, 62, NONE, 63,
    /* 0  */ 52, 53, 54, 55, 56, 57, 58, 59,
    /* 8  */ 60, 61, NONE, NONE, NONE, NONE, NONE, NONE,
    /* @A */ NONE, 0, 1, 2, 3, 4, 5, 6,
    /* H  */ 7, 8, 9, 10, 11, 12, 13, 14,
    /* P  */ 15, 16, 17, 18, 19, 20, 21, 22,
    /* X  */ 23, 24, 25, NONE, NONE, NONE, NONE, 63,
    /* `a */ NONE, 26, 27, 28, 29, 30, 31, 32,
    /* h  */ 33, 34, 35, 36, 37, 38, 39, 40,
    /* p  */ 41, 42, 43, 44, 45, 46, 47, 48,
    /* x  */ 49, 50, 51, NONE, NONE, NONE, NONE, NONE,
    NONE32, NONE32, NONE32, NONE32,
};
/* clang-format on */
