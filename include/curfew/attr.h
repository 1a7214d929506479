/* SPDX-License-Identifier: Apache-2.0 */
/* attr.h - compiler attributes by name. */
#ifndef CURFEW_ATTR_H
#define CURFEW_ATTR_H

#define CF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CF_CLEANUP(fn) __attribute__((cleanup(fn)))
#define CF_UNUSED __attribute__((unused))
#define CF_MUST_CHECK __attribute__((warn_unused_result))

#define CF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
