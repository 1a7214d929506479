/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - a list of chunks, each given out from its start.
 *
 * Chunks double in size, so that a small review costs one malloc and a huge one some ten. All
 * free bytes are zero: chunks come from calloc, and a reset clears the used bytes of the chunks
 * that it keeps. So an allocation is only an addition. */
#include "curfew/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/limits.h"

#define ALIGN ((size_t)16)
#define CHUNK_MIN (8 * CF_KIB)
#define CHUNK_MAX (1 * CF_MIB)
#define GROW_MIN 8 /* members of a growing array, at first */

/* Under the address sanitizer free bytes are poisoned, and a gap follows every allocation, so that
 * the sanitizer finds reads past an allocation as it does with malloc. */
#if defined(__SANITIZE_ADDRESS__)
#define CF_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CF_ASAN 1
#endif
#endif

#ifdef CF_ASAN
#include <sanitizer/asan_interface.h>
#define GAP ALIGN
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define GAP ((size_t)0)
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

struct chunk {
    struct chunk *next;
    size_t cap;
    size_t used; /* the bytes after it are zero */
    _Alignas(16) char bytes[];
};

struct cf_arena {
    struct chunk *chunks; /* in use; the first is the one given out from */
    struct chunk *spare;  /* kept from before the last reset, empty */
    size_t ceiling;
    cf_arena_more *more; /* raises the ceiling; NULL: it is fixed */
    void *more_arg;
    size_t held; /* of all chunks, headers included */
    size_t used;
    size_t next_cap;
    bool failed;
};

struct cf_arena *cf_arena_new(size_t ceiling)
{
    struct cf_arena *arena = calloc(1, sizeof(*arena));

    if (arena == NULL)
        return NULL;
    arena->ceiling = ceiling;
    arena->next_cap = CHUNK_MIN;
    return arena;
}

void cf_arena_limit(struct cf_arena *arena, size_t ceiling, cf_arena_more *more, void *arg)
{
    arena->ceiling = ceiling;
    arena->more = more;
    arena->more_arg = arg;
}

static void chunk_free(struct cf_arena *arena, struct chunk *chunk)
{
    arena->held -= sizeof(*chunk) + chunk->cap;
    UNPOISON(chunk->bytes, chunk->cap);
    free(chunk);
}

static void list_free(struct cf_arena *arena, struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;

        chunk_free(arena, chunk);
        chunk = next;
    }
}

void cf_arena_free(struct cf_arena *arena)
{
    if (arena == NULL)
        return;
    list_free(arena, arena->chunks);
    list_free(arena, arena->spare);
    free(arena);
}

void cf_arena_cleanup(struct cf_arena **arena)
{
    cf_arena_free(*arena);
    *arena = NULL;
}

/* The first spare chunk that is large enough, taken out of its list. */
static struct chunk *spare_take(struct cf_arena *arena, size_t size)
{
    for (struct chunk **at = &arena->spare; *at != NULL; at = &(*at)->next) {
        struct chunk *chunk = *at;

        if (chunk->cap >= size) {
            *at = chunk->next;
            return chunk;
        }
    }
    return NULL;
}

/* The largest chunk that the ceiling allows. The ceiling may be below the bytes held already. */
static size_t room_left(const struct cf_arena *arena)
{
    size_t left = arena->ceiling > arena->held ? arena->ceiling - arena->held : 0;

    return left < sizeof(struct chunk) ? 0 : left - sizeof(struct chunk);
}

/* Raises the ceiling for a chunk of the wanted size, or else for one of the needed size. Neither
 * fits now. */
static bool raise_ceiling(struct cf_arena *arena, size_t size, size_t wanted)
{
    const size_t sizes[] = {wanted, size};

    for (size_t i = 0; arena->more != NULL && i < 2; i++) {
        size_t missing;

        if (sizes[i] > SIZE_MAX - arena->held - sizeof(struct chunk))
            continue;
        missing = arena->held + sizeof(struct chunk) + sizes[i] - arena->ceiling;
        if (arena->more(arena->more_arg, missing)) {
            arena->ceiling += missing;
            return true;
        }
    }
    return false;
}

static struct chunk *chunk_new(struct cf_arena *arena, size_t size)
{
    size_t cap = arena->next_cap - sizeof(struct chunk);
    struct chunk *chunk;

    if (size > room_left(arena)) {
        list_free(arena, arena->spare);
        arena->spare = NULL;
    }
    if (cap < size)
        cap = size;
    if (size > room_left(arena) && !raise_ceiling(arena, size, cap))
        return NULL;
    if (cap > room_left(arena))
        cap = room_left(arena);
    chunk = calloc(1, sizeof(*chunk) + cap);
    if (chunk == NULL)
        return NULL;
    chunk->cap = cap;
    POISON(chunk->bytes, cap);
    arena->held += sizeof(*chunk) + cap;
    if (arena->next_cap < CHUNK_MAX)
        arena->next_cap *= 2;
    return chunk;
}

/* Links a chunk that can give `size` bytes. The old newest stays in front when it still has
 * more room than the new one will: a big text must not waste the tail of a half-empty chunk. */
static struct chunk *chunk_for(struct cf_arena *arena, size_t size)
{
    struct chunk *head = arena->chunks;
    struct chunk *chunk = spare_take(arena, size);

    if (chunk == NULL)
        chunk = chunk_new(arena, size);
    if (chunk == NULL)
        return NULL;
    if (head != NULL && head->cap - head->used > chunk->cap - size) {
        chunk->next = head->next;
        head->next = chunk;
    } else {
        chunk->next = head;
        arena->chunks = chunk;
    }
    return chunk;
}

/* What an allocation of `size` bytes takes from its chunk. */
static size_t step_of(size_t size)
{
    return ((size == 0 ? 1 : size) + GAP + ALIGN - 1) & ~(ALIGN - 1);
}

void *cf_arena_alloc(struct cf_arena *arena, size_t size)
{
    struct chunk *chunk = arena->chunks;
    size_t step = step_of(size);
    char *bytes;

    /* Rounding up must not wrap around. */
    if (step < size)
        chunk = NULL;
    else if (chunk == NULL || step > chunk->cap - chunk->used)
        chunk = chunk_for(arena, step);
    if (chunk == NULL) {
        arena->failed = true;
        return NULL;
    }
    bytes = chunk->bytes + chunk->used;
    UNPOISON(bytes, size);
    chunk->used += step;
    arena->used += step;
    return bytes;
}

void *cf_arena_array(struct cf_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->failed = true;
        return NULL;
    }
    return cf_arena_alloc(arena, count * size);
}

bool cf_arena_extend(struct cf_arena *arena, void *newest, size_t size, size_t new_size)
{
    struct chunk *chunk = arena->chunks;
    size_t end;

    if (chunk == NULL || chunk->used < step_of(size) || new_size > chunk->cap)
        return false;
    end = chunk->used - step_of(size);
    if (newest != chunk->bytes + end || step_of(new_size) > chunk->cap - end)
        return false;
    UNPOISON(newest, new_size);
    arena->used += end + step_of(new_size) - chunk->used;
    chunk->used = end + step_of(new_size);
    return true;
}

void cf_arena_drop(struct cf_arena *arena, void *bytes, size_t size)
{
    size_t step = step_of(size);

    if (bytes == NULL || step < CHUNK_MAX)
        return;
    for (struct chunk **at = &arena->chunks; *at != NULL; at = &(*at)->next) {
        struct chunk *chunk = *at;

        if (chunk->bytes != bytes || chunk->used != step)
            continue;
        *at = chunk->next;
        arena->used -= step;
        UNPOISON(chunk->bytes, chunk->used);
        explicit_bzero(chunk->bytes, size);
        chunk_free(arena, chunk);
        return;
    }
}

void *cf_arena_grow(struct cf_arena *arena, void *items, size_t count, size_t *capacity,
                    size_t size)
{
    size_t wanted = *capacity == 0 ? GROW_MIN : *capacity * 2;
    void *bigger;

    if (count < *capacity)
        return items;
    if (items != NULL && wanted <= SIZE_MAX / size &&
        cf_arena_extend(arena, items, *capacity * size, wanted * size)) {
        *capacity = wanted;
        return items;
    }
    bigger = cf_arena_array(arena, wanted, size);
    if (bigger == NULL)
        return NULL;
    if (count > 0)
        memcpy(bigger, items, count * size);
    cf_arena_drop(arena, items, *capacity * size);
    *capacity = wanted;
    return bigger;
}

char *cf_arena_strdup(struct cf_arena *arena, const char *text)
{
    return text == NULL ? NULL : cf_arena_strndup(arena, text, strlen(text));
}

char *cf_arena_strndup(struct cf_arena *arena, const char *text, size_t len)
{
    char *copy;

    if (text == NULL)
        return NULL;
    if (len == SIZE_MAX) {
        arena->failed = true;
        return NULL;
    }
    copy = cf_arena_alloc(arena, len + 1);
    if (copy != NULL)
        memcpy(copy, text, len);
    return copy;
}

char *cf_arena_printf(struct cf_arena *arena, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = cf_arena_vprintf(arena, fmt, args);
    va_end(args);
    return text;
}

char *cf_arena_vprintf(struct cf_arena *arena, const char *fmt, va_list args)
{
    va_list again;
    char *text = NULL;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    if (len >= 0)
        text = cf_arena_alloc(arena, (size_t)len + 1);
    else
        arena->failed = true;
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}

bool cf_arena_failed(const struct cf_arena *arena)
{
    return arena->failed;
}

/* Empties the chunks of a list; keeps those that fit below CF_ARENA_KEEP and the ceiling, and frees
 * the rest. */
static void list_reset(struct cf_arena *arena, struct chunk *chunk, size_t *kept, bool wipe)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        size_t size = sizeof(*chunk) + chunk->cap;
        bool keep = *kept + size <= CF_ARENA_KEEP && *kept + size <= arena->ceiling;

        UNPOISON(chunk->bytes, chunk->used);
        if (wipe || keep)
            explicit_bzero(chunk->bytes, chunk->used);
        if (keep) {
            *kept += size;
            chunk->used = 0;
            POISON(chunk->bytes, chunk->cap);
            chunk->next = arena->spare;
            arena->spare = chunk;
        } else {
            chunk_free(arena, chunk);
        }
        chunk = next;
    }
}

void cf_arena_reset(struct cf_arena *arena, bool wipe)
{
    struct chunk *chunks = arena->chunks;
    struct chunk *spare = arena->spare;
    size_t kept = 0;

    arena->chunks = NULL;
    arena->spare = NULL;
    list_reset(arena, chunks, &kept, wipe);
    list_reset(arena, spare, &kept, wipe);
    arena->used = 0;
    arena->failed = false;
    /* After a huge review, later ones must not allocate chunks that are too big to keep. */
    if (arena->next_cap > CF_ARENA_KEEP / 2)
        arena->next_cap = CF_ARENA_KEEP / 2;
}

size_t cf_arena_held(const struct cf_arena *arena)
{
    return arena->held;
}

size_t cf_arena_used(const struct cf_arena *arena)
{
    return arena->used;
}
