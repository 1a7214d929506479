/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - string functions that <string.h> lacks. All strings are NUL-terminated UTF-8. */
#ifndef CURFEW_STR_H
#define CURFEW_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/attr.h"

struct cf_arena;

/* Whether the strings are equal; NULL equals only NULL. */
bool cf_streq(const char *a, const char *b);
bool cf_starts_with(const char *text, const char *prefix);
bool cf_ends_with(const char *text, const char *suffix);

/* NULL reads as "". */
const char *cf_str_or_empty(const char *text);
bool cf_str_empty(const char *text);

/* Globs know only `*` (any run of characters, also none). Linear in text times stars. */
bool cf_glob(const char *pattern, const char *text);

/* `-?[0-9]+` within int64, nothing before or after; *out is untouched otherwise. */
bool cf_str_int64(const char *text, int64_t *out);

/* Replaces, in place, what must not reach a terminal or a header: C0 and C1 control characters,
 * DEL and line separators become '?', a character that cannot be seen (below) becomes its escape
 * ("\\u202e"), and what looks like a JWT (a run that begins with "eyJ") becomes "[redacted]" so far
 * as it fits. Escapes make the text longer: what does not fit into `size` bytes, the NUL included,
 * is cut, and the text ends with "...". Bytes that are not UTF-8 are unchanged. Calling it
 * again changes nothing. */
void cf_str_sanitize(char *text, size_t size);

/* Formats a sanitized string, as above. What does not fit is cut at a character, and the
 * text ends with "...". `size` is 16 or more. */
void cf_str_show(char *out, size_t size, const char *fmt, ...) CF_PRINTF(3, 4);
void cf_str_vshow(char *out, size_t size, const char *fmt, va_list args) CF_PRINTF(3, 0);

/* Ends a text that was cut with "...", at a character; it is as long as before, or 3 longer where
 * `size` has room. */
void cf_str_end_cut(char *text, size_t size);

/* Replaces only what looks like a JWT: it becomes "[redacted]", in place. No text gets longer. */
void cf_str_redact(char *text);

/* A sanitized copy, as above, of any length. NULL for NULL, and when out of memory. */
char *cf_str_shown(struct cf_arena *arena, const char *text);

/* Whether a character changes what is read without being seen: it has no width, or turns the
 * direction of the text around it (CVE-2021-42574, "Trojan Source"). */
bool cf_utf8_is_invisible(uint32_t code);

/* Writes such a character's escape, in lower-case hex, in the form of JSON: 6 characters, or 12 for
 * two surrogates, and a NUL. Returns the length. */
#define CF_ESCAPE_SIZE 13
size_t cf_utf8_escape(uint32_t code, char out[CF_ESCAPE_SIZE]);

/* Decodes the character that text[0..len) begins with into *code. Its bytes; 0, and *code
 * untouched, when it is not valid UTF-8. NUL-terminated text may be given any `len`. */
size_t cf_utf8_decode(const char *text, size_t len, uint32_t *code);

/* Characters (not bytes) of valid UTF-8. */
size_t cf_utf8_count(const char *text);

/* Cuts in place to at most `max` characters, the last three being "..." if anything was cut
 * (max >= 3). The buffer must hold the result, which is never longer in characters, but may be
 * up to 3 bytes longer than the part kept; it always fits into the original's bytes. */
void cf_utf8_cut(char *text, size_t max);

/* Whether U+0085, U+2028 or U+2029 is among the bytes: they end a line, and so a comment, for YAML
 * readers that follow YAML 1.1. */
bool cf_utf8_old_break(const char *bytes, size_t len);

/* ---- "did you mean": the known word that is nearest to a mistyped one ---- */

/* Start with {.word = the mistyped word}, offer every known word, then read `best`. */
struct cf_suggestion {
    const char *word;
    const char *best; /* NULL: nothing is near */
    size_t distance;  /* of best */
};

/* The candidate becomes the best if it is near (one or two edits, or the word is its beginning) and
 * nearer than the best so far. */
void cf_suggest(struct cf_suggestion *s, const char *candidate);

/* ": did you mean 'x'?" in a buffer of the caller's, or "" when nothing is near. */
const char *cf_suggestion_text(const struct cf_suggestion *s, char out[96]);

#endif
