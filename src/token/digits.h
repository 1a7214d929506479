/* SPDX-License-Identifier: Apache-2.0 */
/* digits.h - what each character stands for in base64, of either alphabet. */
#ifndef CURFEW_CRYPTO_DIGITS_H
#define CURFEW_CRYPTO_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#define CF_NO_DIGIT 0xFFU

/* 0 to 63, or CF_NO_DIGIT. */
extern const uint8_t cf_digits[256];

static inline bool cf_is_digit(char c)
{
    return cf_digits[(unsigned char)c] != CF_NO_DIGIT;
}

#endif
