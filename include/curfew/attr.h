/* SPDX-License-Identifier: Apache-2.0 */
/* attr.h - compiler attributes by name. */
#ifndef CURFEW_ATTR_H
#define CURFEW_ATTR_H

#define CF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CF_CLEANUP(fn) __attribute__((cleanup(fn)))
#define CF_UNUSED __attribute__((unused))
#define CF_MUST_CHECK __attribute__((warn_unused_result))

/* A large array that is written before it is read: to zero it costs more than to use it. */
#ifdef __has_attribute
#if __has_attribute(uninitialized)
#define CF_UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef CF_UNINITIALIZED
#define CF_UNINITIALIZED
#endif

#define CF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
