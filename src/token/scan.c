/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - finds tokens in other texts.
 *
 * Tokens as they stand (dots.c); then every run of base64 (runs.c) is decoded, and the result
 * searched the same way. Each layer of base64 is a text of its own, which is decoded into a window
 * while the one around it is read, searched when the window is full, and moved on: but for what may
 * still be the beginning of something. So nothing is cut in two, and what is held of a text does
 * not grow with it.
 *
 * Linear: a layer is three quarters of the one around it, a repeated token is read once.
 * Compressed, encrypted and otherwise encoded tokens are not found. */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "curfew/attr.h"
#include "digits.h"

/* What waits in the innermost window (its size is 27/64 of the outermost one's) leaves room. */
_Static_assert(CF_WINDOW_MAX / 64 * 27 > CF_TOKEN_LONG_MAX + 4 * CF_TOKEN_MAX, "windows move on");

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
        [CF_UNREAD_MANY] = "more than 32768 texts that look like tokens",
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

static bool make_room(struct cf_token_scanner *s, struct cf_layer *layer, size_t wanted)
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

static void empty(struct cf_layer *layer)
{
    *layer = (struct cf_layer){
        .text = layer->bytes, .bytes = layer->bytes, .cap = layer->cap, .used = layer->used};
}

static void note_used(struct cf_layer *layer)
{
    layer->used = layer->len > layer->used ? layer->len : layer->used;
}

/* Drops what has been searched: all but a header in front of the next dot, and the character in
 * front of the next run. */
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

/* The next run; NULL: there is none, and `at` is where to go on when there is more text. */
static const char *next_run(const struct cf_layer *layer, const char **at, bool last)
{
    const char *end = layer->text + layer->len, *run = cf_run_find(*at, end);

    /* The last digits may be the first ones of a run. */
    if (run == NULL && !last && end - *at >= CF_RUN_MIN)
        *at = end - (CF_RUN_MIN - 1);
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
    *at = run + cf_run_escape(layer->text, run);
    layer->run = (struct cf_base64_run){0};
    layer->in_run = true;
    return true;
}

static void end_run(struct cf_token_scanner *s, struct cf_layer *layer, unsigned depth)
{
    if (layer->run.digits >= CF_RUN_DIGITS_MIN)
        search(s, depth + 1, true);
    empty(layer + 1);
    layer->in_run = false;
}

static void search_runs(struct cf_token_scanner *s, unsigned depth, bool last)
{
    struct cf_layer *layer = &s->layers[depth], *inner = layer + 1;
    const char *at = layer->text + layer->runs, *end = layer->text + layer->len;
    size_t wanted = CF_RUN_BYTES(layer->len);

    while (!s->failed && !s->stopped && (layer->in_run || begin_run(s, layer, &at, last))) {
        struct cf_run_out out;
        enum cf_run_step step;

        if (!make_room(s, inner, wanted < CF_WINDOW_MAX ? wanted : CF_WINDOW_MAX))
            break;
        out = (struct cf_run_out){inner->bytes, inner->len, inner->cap};
        step = cf_run_read(&layer->run, &at, end, last, &out);
        inner->len = out.len;
        note_used(inner);
        if (step == CF_RUN_MORE)
            break;
        if (step == CF_RUN_ENDS) {
            end_run(s, layer, depth);
        } else {
            search(s, depth + 1, false);
            move_window(s, inner);
        }
    }
    layer->runs = (size_t)(at - layer->text);
}

/* Of a run that is not decoded any more: at each place of the text once, since what it stands for
 * is not known. */
static void tell_deep(struct cf_token_scanner *s, const char *run, const char *end)
{
    struct cf_token_hit hit = {.unread = CF_UNREAD_DEEP, .text = run};

    hit.len = end - run > CF_RUN_BEGINNING ? CF_RUN_BEGINNING : (size_t)(end - run);
    if (s->run.offset + 1 == s->deep || !cf_run_begins_token(run, run + hit.len))
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
        if (!last && end - run < 2 * CF_RUN_BEGINNING)
            break;
        tell_deep(s, run + cf_run_escape(layer->text, run), end);
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

/* ---- texts ---- */

void cf_token_scan_begin(struct cf_token_scanner *s, cf_token_visit *visit, void *arg)
{
    for (size_t i = 0; i <= CF_TOKEN_LAYERS; i++)
        empty(&s->layers[i]);
    cf_seen_clear(&s->seen);
    s->visit = visit;
    s->arg = arg;
    s->depth = 0;
    s->failed = s->stopped = false;
    s->base = s->deep = 0;
    s->token = s->run = (struct cf_scan_place){0};
}

static void add(struct cf_token_scanner *s, const char **bytes, size_t *len)
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
    while (len > 0 && !s->failed && !s->stopped && make_room(s, &s->layers[0], CF_WINDOW_MAX))
        add(s, &bytes, &len);
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
    empty(&s->layers[0]);
    return s->failed ? -1 : 0;
}

bool cf_token_may_hold(const char *text, size_t len)
{
    return len >= CF_TOKEN_MIN &&
           (memmem(text, len, ".eyJ", 4) != NULL || cf_run_find(text, text + len) != NULL);
}
