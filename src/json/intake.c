/* SPDX-License-Identifier: Apache-2.0 */
/* intake.c - how hostile bytes become a document.
 *
 * All JSON enters the program here: request bodies, manifests, parts of tokens. The sender may be
 * an attacker, so cJSON and the rules only see what one strict pass has checked:
 *
 *      bytes  {"kind":"Pod","replicas":3,"managedFields":[...],"a":"\u0000"}
 *        |
 *        |   1. one pass: grammar, UTF-8, ceilings, duplicate keys      this file, lex.c, keys.c
 *        |      the first fault ends it, with its byte offset
 *        v
 *      copy   {"kind":"Pod","replicas":"\xFF3","a":"\ufffd"}
 *        |
 *        |   2. cJSON parses the copy, in which it cannot find a fault  json.c
 *        v
 *      tree   nodes in the arena, freed by its next reset
 *        |
 *        v
 *      3. callers read the tree by typed getters (json.h), never by cJSON
 *
 * Ceilings. Depth is at most CF_DEPTH_MAX and values at most CF_NODES_MAX; the arena bounds memory.
 * Nothing here is recursive: open containers are frames in an array. Time is linear in the bytes:
 * the keys of large objects are sorted to find duplicates (keys.c), so no choice of keys makes that
 * quadratic.
 *
 * Pruning. The caller lists members that no rule reads (managedFields, status, affinity). The pass
 * checks only their structure (brackets, quotes and commas, see lex.c) and drops them: they may
 * have any depth and size, and cost neither values nor memory.
 *
 * The copy differs from the input in three ways only. Dropped members are missing. A number N is
 * the string "\xFFN" (see json_private.h), because cJSON would round it through a double; no valid
 * string contains that byte. And \u0000 is \ufffd, since a C string cannot contain a NUL. The pass
 * copies in runs: it writes nothing until a number, a NUL or a dropped member interrupts unchanged
 * bytes, and then copies all of them together.
 *
 * Anything the pass rejects never reaches cJSON. For rejected requests cf_json_peek() (below) still
 * finds a few members before the fault, such as request.uid, so that the answer can name them. */
#include "curfew/json.h"

#include <stdint.h>
#include <string.h>

#include "curfew/limits.h"
#include "curfew/str.h"
#include "json_private.h"
#include "keys.h"
#include "lex.h"

/* Entries of a skip list; more are ignored, which keeps members and is only slower. */
#define SKIPS_MAX 32

/* Characters of a key in a message. */
#define KEY_SHOWN 60

struct frame {
    struct cf_key_set keys;
    uint32_t skips; /* bit i: this container is under the parent of skip[i] */
    bool object;
    bool kept; /* a member of it was kept: the next one needs the comma before it */
};

struct intake {
    const char *begin;
    const char *p;
    const char *end;

    char *out;        /* the end of the copy so far */
    const char *mark; /* the beginning of the run that is not copied yet */
    const char *cut;  /* the end of the run if the next member is dropped */

    const struct cf_json_skip *skip;
    size_t skip_count;
    size_t parent_len[SKIPS_MAX];
    size_t key_len[SKIPS_MAX];
    uint64_t parent_lens; /* bit i: a parent has the length i (or more, for the last bit) */

    uint32_t under; /* the parents whose name the value to come has */
    size_t nodes;
    size_t depth;
    struct frame *frames; /* CF_DEPTH_MAX of them */
    struct cf_keys keys;
    struct cf_skip dropped;
    struct cf_arena *arena;
    const struct cf_json_place *place; /* of the first byte; NULL: errors name an offset */
    struct cf_err *err;
};

enum state { FAILED, VALUE, KEY, AFTER, DONE };

static enum state fail_placed(struct intake *s, const char *at, const char *what)
{
    struct cf_json_place place = cf_json_place_at(s->place, s->begin, at, s->end);

    cf_err_at(s->err, place.line, place.column, "invalid JSON: %s", what);
    return FAILED;
}

static enum state fail_at(struct intake *s, const char *at, const char *what)
{
    if (at == s->end)
        what = "unexpected end";
    if (s->place != NULL)
        return fail_placed(s, at, what);
    cf_err_set(s->err, "invalid JSON at byte %zu: %s", (size_t)(at - s->begin), what);
    return FAILED;
}

/* The same with the byte at the end of the message. */
static enum state fail_what(struct intake *s, const char *at, const char *what)
{
    if (s->place != NULL)
        return fail_placed(s, at, what);
    cf_err_set(s->err, "invalid JSON: %s at byte %zu", what, (size_t)(at - s->begin));
    return FAILED;
}

static enum state fail_here(struct intake *s, const char *what)
{
    return fail_at(s, s->p, what);
}

static enum state fail_memory(struct intake *s)
{
    cf_err_memory(s->err);
    return FAILED;
}

static enum state fail_duplicate_key(struct intake *s, const struct cf_key *key)
{
    char *shown = cf_arena_alloc(s->arena, key->len + 1);
    const char *what;

    if (shown == NULL)
        return fail_memory(s);
    shown[cf_lex_unescape(key->text, key->len, shown)] = '\0';
    shown = cf_str_shown(s->arena, shown);
    if (shown == NULL)
        return fail_memory(s);
    cf_utf8_cut(shown, KEY_SHOWN);
    s->p = s->begin + key->at; /* the place of the fault, which may be detected later */
    what = cf_arena_printf(s->arena, "duplicate key '%s'", shown);
    return what == NULL ? fail_memory(s) : fail_what(s, s->p, what);
}

static void pass_space(struct intake *s)
{
    s->p = cf_skip_space(s->p, s->end);
}

static bool next_is(const struct intake *s, char c)
{
    return s->p < s->end && *s->p == c;
}

/* ---- the copy ---- */

/* The longest copy: a number grows by three bytes, and at most every other byte is one. */
static size_t copy_max(size_t len)
{
    size_t numbers = len / 2 + 1;

    return len + 3 * (numbers < CF_NODES_MAX ? numbers : CF_NODES_MAX);
}

static void flush_run(struct intake *s, const char *upto)
{
    size_t len = (size_t)(upto - s->mark);

    memcpy(s->out, s->mark, len);
    s->out += len;
    s->mark = upto;
}

/* Copies up to s->p, where a string ends that begins at `quote`: each \u0000 in it becomes \ufffd,
 * which is as long. */
static void flush_nul(struct intake *s, const char *quote)
{
    char *out;

    flush_run(s, quote);
    out = s->out;
    flush_run(s, s->p);
    for (; out < s->out; out++) {
        if (*out != '\\')
            continue;
        out++; /* at least a quote follows */
        if (s->out - out > 5 && memcmp(out, "u0000", 5) == 0)
            memcpy(out, "ufffd", 5);
    }
}

/* ---- members to drop ---- */

static void note_skips(struct intake *s, const struct cf_json_skip *skip)
{
    s->skip = skip;
    for (size_t i = 0; skip != NULL && skip[i].parent != NULL && i < SKIPS_MAX; i++) {
        s->parent_len[i] = strlen(skip[i].parent);
        s->key_len[i] = strlen(skip[i].key);
        s->parent_lens |= UINT64_C(1) << (s->parent_len[i] < 63 ? s->parent_len[i] : 63);
        s->skip_count = i + 1;
    }
}

/* The entries of the skip list whose parent this key is. */
static uint32_t parents(const struct intake *s, const char *key, size_t len)
{
    uint32_t under = 0;

    if ((s->parent_lens >> (len < 63 ? len : 63) & 1) == 0)
        return 0;
    for (size_t i = 0; i < s->skip_count; i++) {
        if (s->parent_len[i] == len && memcmp(s->skip[i].parent, key, len) == 0)
            under |= UINT32_C(1) << i;
    }
    return under;
}

static bool is_skipped_member(const struct intake *s, uint32_t skips, const char *key, size_t len)
{
    for (size_t i = 0; skips != 0; i++, skips >>= 1) {
        if ((skips & 1) != 0 && s->key_len[i] == len && memcmp(s->skip[i].key, key, len) == 0)
            return true;
    }
    return false;
}

/* Whether to drop the member. */
static bool begin_member(struct intake *s, struct frame *frame, const char *key, size_t len)
{
    s->under = parents(s, key, len);
    if (frame->skips == 0)
        return false;
    if (is_skipped_member(s, frame->skips, key, len))
        return true;
    frame->kept = true;
    return false;
}

/* At its value. */
static enum state drop_member(struct intake *s)
{
    struct cf_fault fault;
    const char *after = cf_skip_value(&s->dropped, s->p, s->end, &fault);

    if (after == NULL)
        return fault.what == NULL ? fail_memory(s) : fail_at(s, fault.at, fault.what);
    flush_run(s, s->cut);
    s->mark = s->p = after;
    return AFTER;
}

/* At the comma between two members or items. */
static void separate(struct intake *s, const struct frame *frame)
{
    s->cut = s->p++;
    if (frame->object && frame->skips != 0 && !frame->kept)
        s->cut = s->mark = s->p; /* all members so far were dropped, and so is the comma */
    s->under = frame->object ? 0 : frame->skips;
}

/* ---- the grammar ---- */

static enum state copy_number(struct intake *s)
{
    struct cf_fault fault;
    const char *after = cf_lex_number(s->p, s->end, &fault);

    if (after == NULL)
        return fail_at(s, fault.at, fault.what);
    flush_run(s, s->p);
    s->p = after;
    *s->out++ = '"';
    *s->out++ = CF_NUMBER_MARK;
    flush_run(s, after);
    *s->out++ = '"';
    return AFTER;
}

static enum state read_literal(struct intake *s, const char *word)
{
    for (; *word != '\0'; word++, s->p++) {
        if (!next_is(s, *word))
            return fail_here(s, "expected a value");
    }
    return AFTER;
}

/* At the first quote. */
static bool lex_string(struct intake *s, struct cf_escapes *escapes)
{
    struct cf_fault fault;
    const char *after = cf_lex_string(s->p + 1, s->end, escapes, &fault);

    if (after == NULL) {
        fail_at(s, fault.at, fault.what);
        return false;
    }
    s->p = after;
    return true;
}

static enum state read_string(struct intake *s)
{
    struct cf_escapes escapes = {.any = false};
    const char *quote = s->p;

    if (!lex_string(s, &escapes))
        return FAILED;
    if (escapes.nul)
        flush_nul(s, quote);
    return AFTER;
}

static enum state open_container(struct intake *s, bool object)
{
    struct frame *frame;

    if (s->depth == CF_DEPTH_MAX) {
        const char *what = cf_arena_printf(s->arena, "nested deeper than %d", CF_DEPTH_MAX);

        return what == NULL ? fail_memory(s) : fail_what(s, s->p, what);
    }
    frame = &s->frames[s->depth++];
    *frame = (struct frame){.object = object, .skips = s->under};
    if (object)
        frame->keys = cf_keys_open(&s->keys);
    s->cut = ++s->p;
    pass_space(s);
    if (next_is(s, object ? '}' : ']'))
        return AFTER;
    return object ? KEY : VALUE;
}

static enum state close_container(struct intake *s)
{
    struct frame *frame = &s->frames[s->depth - 1];
    const struct cf_key *twice = frame->object ? cf_keys_close(&s->keys, &frame->keys) : NULL;

    if (twice != NULL)
        return fail_duplicate_key(s, twice);
    s->depth--;
    s->p++;
    return AFTER;
}

static bool unescape(struct intake *s, const char **key, size_t *len)
{
    char *text = cf_arena_alloc(s->arena, *len + 1);

    if (text == NULL)
        return false;
    *len = cf_lex_unescape(*key, *len, text);
    *key = text;
    return true;
}

/* Keys are equal when their bytes are, before unescaping: an API server writes each character in
 * one way, but several invalid ones as \ufffd. */
static enum state remember_key(struct intake *s, struct frame *frame, const char *quote)
{
    size_t len = (size_t)(s->p - quote) - 2;
    int added = cf_keys_add(&s->keys, &frame->keys, quote + 1, len, (size_t)(quote - s->begin));

    if (added < 0)
        return fail_memory(s);
    return added > 0 ? fail_duplicate_key(s, &s->keys.list[s->keys.count - 1]) : VALUE;
}

static enum state read_key(struct intake *s)
{
    struct frame *frame = &s->frames[s->depth - 1];
    struct cf_escapes escapes = {.any = false};
    const char *quote = s->p, *key = quote + 1;
    size_t len;
    bool drop;

    if (!next_is(s, '"'))
        return fail_here(s, "expected a key");
    if (!lex_string(s, &escapes) || remember_key(s, frame, quote) == FAILED)
        return FAILED;
    len = (size_t)(s->p - 1 - key);
    if (escapes.any && s->skip_count > 0 && !unescape(s, &key, &len))
        return fail_memory(s);
    drop = begin_member(s, frame, key, len);
    if (escapes.nul && !drop)
        flush_nul(s, quote);
    pass_space(s);
    if (!next_is(s, ':'))
        return fail_here(s, "expected ':'");
    s->p++;
    pass_space(s);
    return drop ? drop_member(s) : VALUE;
}

static enum state read_value(struct intake *s)
{
    if (s->p == s->end)
        return fail_here(s, "expected a value");
    if (++s->nodes > CF_NODES_MAX) {
        cf_err_set(s->err, "invalid JSON: more than %d values", CF_NODES_MAX);
        return FAILED;
    }
    switch (*s->p) {
    case '"':
        return read_string(s);
    case '{':
        return open_container(s, true);
    case '[':
        return open_container(s, false);
    case 't':
        return read_literal(s, "true");
    case 'f':
        return read_literal(s, "false");
    case 'n':
        return read_literal(s, "null");
    default:
        if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
            return copy_number(s);
        return fail_here(s, "expected a value");
    }
}

/* After a value: a comma, the end of its container, or the end of the document. */
static enum state read_after(struct intake *s)
{
    const struct frame *frame;

    if (s->depth == 0)
        return DONE;
    frame = &s->frames[s->depth - 1];
    pass_space(s);
    if (next_is(s, frame->object ? '}' : ']'))
        return close_container(s);
    if (!next_is(s, ','))
        return fail_here(s, frame->object ? "expected ',' or '}'" : "expected ',' or ']'");
    separate(s, frame);
    pass_space(s);
    return frame->object ? KEY : VALUE;
}

static bool walk_bytes(struct intake *s)
{
    enum state state = VALUE;

    s->mark = s->p;
    while (state != DONE && state != FAILED) {
        if (state == AFTER)
            state = read_after(s);
        else if (state == KEY)
            state = read_key(s);
        else
            state = read_value(s);
    }
    if (state == DONE)
        flush_run(s, s->p);
    return state == DONE;
}

static int check_document(struct intake *s, size_t *end)
{
    pass_space(s);
    if (s->p == s->end)
        return cf_err_set(s->err, "invalid JSON: empty");
    if (s->end - s->p >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0) {
        fail_here(s, "a byte order mark");
        return -1;
    }
    if (!walk_bytes(s))
        return -1;
    pass_space(s);
    if (end == NULL && s->p != s->end) {
        fail_what(s, s->p, "unexpected bytes after the value");
        return -1;
    }
    return 0;
}

/* The length of the first value with the white space around it, by its structure (all bytes if that
 * is broken), and one byte more, so that "unexpected end" is reported at the real end only. */
static size_t first_value(struct cf_skip *skip, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    struct cf_fault fault;
    const char *after = cf_skip_value(skip, bytes, end, &fault);

    if (after == NULL)
        return len;
    after = cf_skip_space(after, end);
    return (size_t)(after - bytes) + (after < end);
}

const struct cf_json *cf_json_parse(struct cf_arena *arena, const char *bytes, size_t len,
                                    const struct cf_json_skip *skip, size_t *end,
                                    struct cf_err *err)
{
    return cf_json_parse_at(arena, bytes, len, skip, end, NULL, err);
}

const struct cf_json *cf_json_parse_at(struct cf_arena *arena, const char *bytes, size_t len,
                                       const struct cf_json_skip *skip, size_t *end,
                                       const struct cf_json_place *place, struct cf_err *err)
{
    struct frame frames[CF_DEPTH_MAX]; /* not cleared: each is set when it is opened */
    struct intake s = {.begin = bytes,
                       .p = bytes,
                       .frames = frames,
                       .dropped.arena = arena,
                       .arena = arena,
                       .place = place,
                       .err = err};
    /* Of a stream only one value: else each copy would have room for all values after it. */
    size_t taken = end != NULL ? first_value(&s.dropped, bytes, len) : len;
    char *copy = cf_arena_alloc(arena, copy_max(taken) + 1);
    struct cf_arena *before;
    struct cf_json *root;

    if (copy == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    s.end = bytes + taken;
    s.out = copy;
    cf_keys_init(&s.keys, arena);
    note_skips(&s, skip);
    if (check_document(&s, end) != 0) {
        if (err != NULL)
            err->offset = (size_t)(s.p - s.begin);
        return NULL;
    }

    before = cf_json_use(arena);
    root = cf_json_parse_checked(copy, (size_t)(s.out - copy));
    cf_json_use(before);
    cf_arena_drop(arena, copy, copy_max(taken) + 1); /* cJSON has copied what it keeps of it */
    if (root == NULL) {
        cf_err_memory(err);
        return NULL;
    }
    if (end != NULL)
        *end = (size_t)(s.p - s.begin);
    return root;
}

/* ---- members of a broken object ----
 *
 * The members before the fault are readable, and identify the request. */

/* The piece for this key; NULL: not one of the keys. */
static struct cf_json_piece *piece_of(const struct cf_json_member *member, const char *const *keys,
                                      size_t count, struct cf_json_piece *pieces)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(keys[i]) == member->key_len &&
            memcmp(keys[i], member->key, member->key_len) == 0)
            return &pieces[i];
    }
    return NULL;
}

/* Whether the key can be compared byte by byte. Any other key may equal one of the keys: an escaped
 * one after unescaping, a broken one before it was damaged. */
static bool is_ascii_key(const struct cf_json_member *member)
{
    for (size_t i = 0; i < member->key_len; i++) {
        if (member->key[i] < ' ' || member->key[i] > '~' || member->key[i] == '\\')
            return false;
    }
    return true;
}

bool cf_json_peek(struct cf_arena *arena, const char *bytes, size_t len, const char *const *keys,
                  size_t count, struct cf_json_piece *pieces)
{
    struct cf_json_walk walk;
    struct cf_json_member member;

    memset(pieces, 0, count * sizeof(*pieces));
    if (!cf_json_walk_open(&walk, arena, bytes, len))
        return false;
    while (cf_json_walk_next(&walk, &member)) {
        struct cf_json_piece *piece = piece_of(&member, keys, count, pieces);

        if (!is_ascii_key(&member) || (piece != NULL && piece->text != NULL))
            return false;
        if (piece == NULL)
            continue;
        *piece = (struct cf_json_piece){member.value, member.value_len, !walk.broken};
    }
    return !walk.broken;
}
