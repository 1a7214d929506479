/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - finds tokens in other data.
 *
 * It finds plain tokens (dots.c), then decodes every run of base64 and searches the result in the
 * same way. Each layer of base64 has a window: while the outer layer is read, the inner one is
 * decoded into its window, searched when the window is full, and moved, except for bytes that may
 * be the beginning of a token or run. So no token is cut in two, and the memory does not depend on
 * the size of the input.
 *
 * Linear: a layer has three quarters of the size of the one around it, and a repeated token is read
 * once.
 * Compressed, encrypted and otherwise encoded tokens are not found. */
#include "scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "curfew/base64.h"
#include "curfew/hash.h"
#include "curfew/limits.h"

/* The shortest run that is looked at: lines of wrapped base64 are longer, most words are not. */
#define RUN_MIN 32
/* The fewest digits in which a token fits: the shortest JWT has some 50 characters. */
#define RUN_DIGITS_MIN 64

/* The bytes that a run below `len` characters of text can stand for. */
#define RUN_BYTES(len) ((len) / 4 * 3 + 3)

#define RUN_BEGINNING 64

/* The bytes that remain in the innermost window (27/64 of the outermost one) leave room for more.
 */
_Static_assert(CF_WINDOW_MAX / 64 * 27 > CF_TOKEN_LONG_MAX + 4 * CF_TOKEN_MAX, "windows move on");

/* ---- strings that were seen before ---- */

#define CAPACITY_MIN 64
/* Kept between inputs: an object may have 100,000 strings, and each search clears the table. */
#define CAPACITY_KEPT 256

static size_t seen_slot(const struct cf_seen *seen, uint64_t hash)
{
    size_t at = (size_t)hash & (seen->capacity - 1);

    while (seen->slots[at] != 0 && seen->slots[at] != hash)
        at = (at + 1) & (seen->capacity - 1);
    return at;
}

static bool grow_seen(struct cf_seen *seen)
{
    size_t capacity = seen->capacity == 0 ? CAPACITY_MIN : seen->capacity * 2;
    struct cf_seen bigger = {calloc(capacity, sizeof(*seen->slots)), capacity, seen->count};

    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < seen->capacity; i++) {
        if (seen->slots[i] != 0)
            bigger.slots[seen_slot(&bigger, seen->slots[i])] = seen->slots[i];
    }
    free(seen->slots);
    *seen = bigger;
    return true;
}

enum cf_seen_answer cf_seen_add(struct cf_seen *seen, const char *text, size_t len)
{
    uint64_t hash = cf_hash64(cf_hash_key(), text, len);
    size_t at;

    if (seen->count >= CF_TOKENS_SEEN_MAX)
        cf_seen_clear(seen);
    if (seen->count >= seen->capacity / 4 * 3 && !grow_seen(seen))
        return CF_SEEN_FAILED;
    hash += hash == 0;
    at = seen_slot(seen, hash);
    if (seen->slots[at] == hash)
        return CF_SEEN_BEFORE;
    seen->slots[at] = hash;
    seen->count++;
    return CF_SEEN_NEW;
}

void cf_seen_clear(struct cf_seen *seen)
{
    if (seen->capacity > CAPACITY_KEPT)
        cf_seen_free(seen);
    else if (seen->count > 0)
        memset(seen->slots, 0, seen->capacity * sizeof(*seen->slots));
    seen->count = 0;
}

void cf_seen_free(struct cf_seen *seen)
{
    free(seen->slots);
    *seen = (struct cf_seen){0};
}

/* ---- runs of base64 inside other text ---- */

/* Both alphabets, with or without padding, and over the line breaks of PEM, MIME and YAML blocks,
 * also in the form \n of a JSON string. A run may be larger than its part in memory: it is read
 * piece by piece. */

enum run_step {
    RUN_ENDS,
    RUN_MORE, /* the text ends before the run does */
    RUN_FULL, /* the output is full */
};

/* What a run stands for goes to bytes[len..max). */
struct run_out {
    char *bytes;
    size_t len, max;
};

/* Where the first run of at least RUN_MIN digits of either alphabet begins; NULL: none. */
static const char *run_find(const char *text, const char *end)
{
    while (end - text >= RUN_MIN) {
        size_t i = RUN_MIN;

        /* Backwards: if the last character of a window is not a digit, the others need no
         * check. */
        while (i > 0 && cf_is_digit(text[i - 1]))
            i--;
        if (i == 0)
            return text;
        text += i;
    }
    return NULL;
}

/* The number of characters at the beginning of a run that belong to an escape before it (\n,
 * \u003d, %3D). */
static size_t run_escape(const char *begin, const char *text)
{
    if (text == begin)
        return 0;
    if (text[-1] == '%')
        return 2;
    if (text[-1] != '\\')
        return 0;
    return *text == 'u' ? 5 : 1;
}

/* The end of the line breaks and blanks at `p`. */
static const char *skip_break(struct cf_base64_run *run, const char *p, const char *end, bool last)
{
    while (p < end) {
        if (*p == '\n' || *p == '\r') {
            run->broken = true;
            p++;
        } else if (*p == ' ' || *p == '\t') {
            p++;
        } else if (*p == '\\' && p + 1 < end && (p[1] == 'n' || p[1] == 'r' || p[1] == '\n')) {
            run->broken = true;
            p += 2;
        } else {
            /* Half an escape waits for the other half. */
            return *p == '\\' && p + 1 == end && !last ? end - 1 : p;
        }
    }
    return p;
}

static void put_digit(struct cf_base64_run *run, struct run_out *out, char c)
{
    run->bits = (run->bits << 6 | cf_digits[(unsigned char)c]) & 0xFFFU;
    run->have += 6;
    if (run->have >= 8) {
        run->have -= 8;
        out->bytes[out->len++] = (char)(run->bits >> run->have);
    }
}

/* Decodes digits up to the next other character; returns its place. */
static const char *take_digits(struct cf_base64_run *run, const char *p, const char *end,
                               struct run_out *out)
{
    const char *begin = p;

    while (run->have != 0 && p < end && cf_is_digit(*p))
        put_digit(run, out, *p++);
    while (run->have == 0 && end - p >= 4) {
        unsigned a = cf_digits[(unsigned char)p[0]], b = cf_digits[(unsigned char)p[1]];
        unsigned c = cf_digits[(unsigned char)p[2]], d = cf_digits[(unsigned char)p[3]];

        if (((a | b | c | d) & 0xC0U) != 0)
            break;
        out->bytes[out->len++] = (char)(a << 2 | b >> 4);
        out->bytes[out->len++] = (char)(b << 4 | c >> 2);
        out->bytes[out->len++] = (char)(c << 6 | d);
        p += 4;
    }
    while (p < end && cf_is_digit(*p))
        put_digit(run, out, *p++);
    run->line += (size_t)(p - begin);
    run->digits += (size_t)(p - begin);
    return p;
}

/* Whether the next line may continue this run: an unrelated run must not be decoded at the wrong
 * offset, and in wrapped base64 all lines but the last have the same length. */
static bool goes_on(const struct cf_base64_run *run, char next)
{
    return cf_is_digit(next) && run->line >= RUN_MIN &&
           (run->digits % 4 == 0 || run->line == run->first_line);
}

/* Up to the end of the line; false where there is no room for it. */
static bool take_line(struct cf_base64_run *run, const char **at, const char *end,
                      struct run_out *out)
{
    size_t room = (out->max - out->len) / 3 * 4, left = (size_t)(end - *at);

    *at = take_digits(run, *at, room < left ? *at + room : end, out);
    return *at == end || !cf_is_digit(**at);
}

/* Continues at *at, over line breaks, and moves it. `last`: the input ends at `end`. */
static enum run_step run_read(struct cf_base64_run *run, const char **at, const char *end,
                              bool last, struct run_out *out)
{
    for (;;) {
        if (!run->between && !take_line(run, at, end, out))
            return RUN_FULL;
        if (*at == end && !last)
            return RUN_MORE;
        if (!run->between && run->first_line == 0)
            run->first_line = run->line;
        run->between = true;
        *at = skip_break(run, *at, end, last);
        if (!last && (*at == end || (**at == '\\' && *at + 1 == end)))
            return RUN_MORE;
        if (*at == end || !run->broken || !goes_on(run, **at))
            return RUN_ENDS;
        run->between = run->broken = false;
        run->line = 0;
    }
}

/* Whether the run that begins at `text` stands for base64 of base64 ... of the beginning of a
 * token: for one that is under more layers than are decoded. */
static bool run_begins_token(const char *text, const char *end)
{
    static const char token[] = "eyJhbGciOi"; /* {"alg": */
    char bytes[RUN_BEGINNING];
    size_t len = end - text > RUN_BEGINNING ? RUN_BEGINNING : (size_t)(end - text);

    memcpy(bytes, text, len);
    while (len >= sizeof(token) - 1) {
        struct cf_base64_run run = {0};
        struct run_out out = {bytes, 0, sizeof(bytes)};

        /* In place: less is written than was read. */
        (void)take_digits(&run, bytes, bytes + len, &out);
        len = out.len;
        if (len >= sizeof(token) - 1 && memcmp(bytes, token, sizeof(token) - 1) == 0)
            return true;
    }
    return false;
}

/* ---- the scanner ---- */

struct cf_token_scanner *cf_token_scanner_new(enum cf_token_scan_flags flags)
{
    struct cf_token_scanner *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->flags = flags;
    s->tries = CF_TOKEN_TRIES_MAX;
    s->arena = cf_arena_new(CF_TOKEN_ARENA_MAX);
    if (s->arena == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

static void wipe_layer(struct cf_layer *layer)
{
    if (layer->used > 0)
        explicit_bzero(layer->bytes, layer->used);
    free(layer->bytes);
}

void cf_token_scanner_free(struct cf_token_scanner *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i <= CF_TOKEN_LAYERS; i++)
        wipe_layer(&s->layers[i]);
    cf_seen_free(&s->seen);
    cf_arena_reset(s->arena, true);
    cf_arena_free(s->arena);
    explicit_bzero(s, sizeof(*s));
    free(s);
}

const char *cf_token_unread_name(enum cf_token_unread unread)
{
    static const char *const names[] = {
        [CF_UNREAD_NO] = "",
        [CF_UNREAD_LONG] = "what looks like a token of more than 16 KiB",
        [CF_UNREAD_DEEP] = "what begins like a token, under more than three layers of base64",
        [CF_UNREAD_MANY] = "more than 32768 strings that look like tokens",
    };

    return names[unread];
}

/* ---- places ---- */

static void move_place(const struct cf_layer *layer, struct cf_scan_place *place, size_t to)
{
    const char *at = layer->text + place->at, *end = layer->text + to;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        place->lines++;
    }
    place->at = to;
}

void cf_scan_at(struct cf_token_scanner *s, struct cf_scan_place *place, size_t at)
{
    move_place(&s->layers[0], place, at);
    place->offset = s->base + at;
    place->line = place->lines + 1;
}

void cf_scan_report(struct cf_token_scanner *s, struct cf_token_hit *hit)
{
    const struct cf_scan_place *place = s->depth == 0 ? &s->token : &s->run;

    hit->layers = s->depth;
    hit->offset = place->offset;
    hit->line = place->line;
    s->stopped = !s->visit(hit, s->arg);
}

bool cf_scan_is_new(struct cf_token_scanner *s, const char *text, size_t len)
{
    enum cf_seen_answer answer = cf_seen_add(&s->seen, text, len);
    struct cf_token_hit many = {.unread = CF_UNREAD_MANY, .text = text};

    s->failed = s->failed || answer == CF_SEEN_FAILED;
    if (answer != CF_SEEN_NEW)
        return false;
    if (s->tries == 0) {
        cf_scan_report(s, &many);
        s->stopped = true;
        return false;
    }
    s->tries -= (s->flags & CF_SCAN_BOUNDED) != 0;
    return true;
}

/* ---- windows ---- */

static bool make_window(struct cf_token_scanner *s, struct cf_layer *layer, size_t wanted)
{
    char *bytes;

    if (layer->cap >= wanted)
        return true;
    bytes = malloc(wanted);
    if (bytes == NULL) {
        s->failed = true;
        return false;
    }
    if (layer->len > 0)
        memcpy(bytes, layer->text, layer->len);
    wipe_layer(layer);
    layer->text = layer->bytes = bytes;
    layer->cap = wanted;
    layer->used = layer->len;
    return true;
}

static void empty_layer(struct cf_layer *layer)
{
    *layer = (struct cf_layer){
        .text = layer->bytes, .bytes = layer->bytes, .cap = layer->cap, .used = layer->used};
}

static void note_used(struct cf_layer *layer)
{
    layer->used = layer->len > layer->used ? layer->len : layer->used;
}

/* Drops the bytes that were searched, except for a header before the next dot, and the character
 * before the next run. */
static void move_window(struct cf_token_scanner *s, struct cf_layer *layer)
{
    size_t dots = layer->dots > CF_TOKEN_MAX ? layer->dots - CF_TOKEN_MAX : 0;
    size_t runs = layer->runs > 0 ? layer->runs - 1 : 0, past = dots < runs ? dots : runs;

    if (layer == &s->layers[0]) {
        struct cf_scan_place *places[] = {&s->token, &s->run};

        for (size_t i = 0; i < CF_COUNT(places); i++) {
            if (places[i]->at < past)
                move_place(layer, places[i], past);
            places[i]->at -= past;
        }
        s->base += past;
    }
    layer->len -= past;
    layer->dots -= past;
    layer->runs -= past;
    memmove(layer->bytes, layer->bytes + past, layer->len);
}

/* ---- layers ---- */

static void search(struct cf_token_scanner *s, unsigned depth, bool last);

/* The next run; NULL: not found, and the search continues at *at with more input. */
static const char *next_run(const struct cf_layer *layer, const char **at, bool last)
{
    const char *end = layer->text + layer->len, *run = run_find(*at, end);

    /* The last digits may be the first ones of a run. */
    if (run == NULL && !last && end - *at >= RUN_MIN)
        *at = end - (RUN_MIN - 1);
    return run;
}

static bool begin_run(struct cf_token_scanner *s, struct cf_layer *layer, const char **at,
                      bool last)
{
    const char *run = next_run(layer, at, last);

    if (run == NULL)
        return false;
    if (s->depth == 0)
        cf_scan_at(s, &s->run, (size_t)(run - layer->text));
    *at = run + run_escape(layer->text, run);
    layer->run = (struct cf_base64_run){0};
    layer->in_run = true;
    return true;
}

static void end_run(struct cf_token_scanner *s, struct cf_layer *layer, unsigned depth)
{
    if (layer->run.digits >= RUN_DIGITS_MIN)
        search(s, depth + 1, true);
    empty_layer(layer + 1);
    layer->in_run = false;
}

static void search_runs(struct cf_token_scanner *s, unsigned depth, bool last)
{
    struct cf_layer *layer = &s->layers[depth], *inner = layer + 1;
    const char *at = layer->text + layer->runs, *end = layer->text + layer->len;
    size_t wanted = RUN_BYTES(layer->len);

    while (!s->failed && !s->stopped && (layer->in_run || begin_run(s, layer, &at, last))) {
        struct run_out out;
        enum run_step step;

        if (!make_window(s, inner, wanted < CF_WINDOW_MAX ? wanted : CF_WINDOW_MAX))
            break;
        out = (struct run_out){inner->bytes, inner->len, inner->cap};
        step = run_read(&layer->run, &at, end, last, &out);
        inner->len = out.len;
        note_used(inner);
        if (step == RUN_MORE)
            break;
        if (step == RUN_ENDS) {
            end_run(s, layer, depth);
        } else {
            search(s, depth + 1, false);
            move_window(s, inner);
        }
    }
    layer->runs = (size_t)(at - layer->text);
}

/* Reports a run that is too deep to decode: once for each place of the input, since its content is
 * unknown. */
static void report_deep(struct cf_token_scanner *s, const char *run, const char *end)
{
    struct cf_token_hit hit = {.unread = CF_UNREAD_DEEP, .text = run};

    hit.len = end - run > RUN_BEGINNING ? RUN_BEGINNING : (size_t)(end - run);
    if (s->run.offset + 1 == s->deep || !run_begins_token(run, run + hit.len))
        return;
    s->deep = s->run.offset + 1;
    cf_scan_report(s, &hit);
}

static void search_deepest(struct cf_token_scanner *s, struct cf_layer *layer, bool last)
{
    const char *at = layer->text + layer->runs, *end = layer->text + layer->len, *run;

    while (!s->failed && !s->stopped) {
        while (layer->in_run && at < end && cf_is_digit(*at))
            at++;
        if (layer->in_run && at == end)
            break;
        layer->in_run = false;
        run = next_run(layer, &at, last);
        if (run == NULL)
            break;
        at = run;
        if (!last && end - run < 2 * RUN_BEGINNING)
            break;
        report_deep(s, run + run_escape(layer->text, run), end);
        layer->in_run = true;
    }
    layer->runs = (size_t)(at - layer->text);
}

static void search(struct cf_token_scanner *s, unsigned depth, bool last)
{
    struct cf_layer *layer = &s->layers[depth];
    unsigned outer = s->depth;

    s->depth = depth;
    if (layer->len >= CF_TOKEN_MIN) {
        cf_scan_dots(s, layer, last);
        if (depth < CF_TOKEN_LAYERS)
            search_runs(s, depth, last);
        else
            search_deepest(s, layer, last);
    }
    s->depth = outer;
}

/* ---- the input ---- */

void cf_token_scan_begin(struct cf_token_scanner *s, cf_token_visit *visit, void *arg)
{
    for (size_t i = 0; i <= CF_TOKEN_LAYERS; i++)
        empty_layer(&s->layers[i]);
    cf_seen_clear(&s->seen);
    s->visit = visit;
    s->arg = arg;
    s->depth = 0;
    s->failed = s->stopped = false;
    s->base = s->deep = 0;
    s->token = s->run = (struct cf_scan_place){0};
}

static void add_bytes(struct cf_token_scanner *s, const char **bytes, size_t *len)
{
    struct cf_layer *layer = &s->layers[0];
    size_t room = layer->cap - layer->len, n = *len < room ? *len : room;

    memcpy(layer->bytes + layer->len, *bytes, n);
    layer->len += n;
    note_used(layer);
    *bytes += n;
    *len -= n;
    if (layer->len == layer->cap) {
        search(s, 0, false);
        move_window(s, layer);
    }
}

int cf_token_scan_more(struct cf_token_scanner *s, const char *bytes, size_t len)
{
    while (len > 0 && !s->failed && !s->stopped && make_window(s, &s->layers[0], CF_WINDOW_MAX))
        add_bytes(s, &bytes, &len);
    return s->failed ? -1 : 0;
}

int cf_token_scan_end(struct cf_token_scanner *s)
{
    if (!s->failed && !s->stopped)
        search(s, 0, true);
    return s->failed ? -1 : 0;
}

int cf_token_scan(struct cf_token_scanner *s, const char *bytes, size_t len, cf_token_visit *visit,
                  void *arg)
{
    cf_token_scan_begin(s, visit, arg);
    s->layers[0].text = bytes;
    s->layers[0].len = len;
    (void)cf_token_scan_end(s);
    empty_layer(&s->layers[0]);
    return s->failed ? -1 : 0;
}

bool cf_token_may_hold(const char *text, size_t len)
{
    return len >= CF_TOKEN_MIN &&
           (memmem(text, len, ".eyJ", 4) != NULL || run_find(text, text + len) != NULL);
}
