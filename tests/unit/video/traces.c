/* Labelled traces of draws.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "traces.h"

#include <stdlib.h>
#include <string.h>

#define MS      1000ull
#define SECOND  1000000ull
#define GRADUAL SPICE_FRAME_GRADUAL
#define TEXT    SPICE_FRAME_TEXT
#define FLAT    SPICE_FRAME_FLAT
#define BITMAP  SPICE_STREAM_DRAW_BITMAP
#define BOX(x, y, w, h)                                                                            \
    ((SpiceRect){.top = (y), .left = (x), .bottom = (y) + (h), .right = (x) + (w)})

static uint32_t random_below(Trace *t, uint32_t limit)
{
    t->random = t->random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(t->random >> 4) * limit >> 28);
}

static void *grow(void *memory, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return memory;
    *room = *room ? *room * 2 : 1024;
    memory = realloc(memory, *room * size);
    if (!memory)
        exit(99);
    return memory;
}

static TraceDraw *draw(Trace *t, uint64_t time, SpiceRect box, SpiceStreamDrawKind kind,
                       SpiceContentClass content)
{
    TraceDraw *d;

    t->draws = grow(t->draws, t->draw_count, &t->draw_room, sizeof(*t->draws));
    d = &t->draws[t->draw_count];
    memset(d, 0, sizeof(*d));
    d->draw.time = time;
    d->draw.box = box;
    d->draw.kind = kind;
    d->draw.content = content;
    d->order = (uint32_t)t->draw_count++;
    return d;
}

static void label(Trace *t, uint64_t from, uint64_t to, SpiceRect box, uint32_t id)
{
    t->labels = grow(t->labels, t->label_count, &t->label_room, sizeof(*t->labels));
    t->labels[t->label_count++] = (TraceLabel){from, to, box, id};
    if (id != NOT_VIDEO && id >= t->video_count)
        t->video_count = id + 1;
}

/* ---- video ---- */

typedef enum { WHOLE, STRIPS, TILES, DAMAGE, TOP_AND_REST } Delivery;

static void part(Trace *t, uint64_t time, SpiceRect box, SpiceContentClass content)
{
    draw(t, time, box, BITMAP, content)->is_video = true;
}

static void frame(Trace *t, uint64_t time, SpiceRect box, Delivery delivery,
                  SpiceContentClass content)
{
    int32_t w = box.right - box.left, h = box.bottom - box.top, x, y;

    switch (delivery) {
    case WHOLE:
        part(t, time, box, content);
        break;
    case STRIPS:
        for (y = 0; y < 8; y++)
            part(t, time + (uint64_t)y * 300,
                 BOX(box.left, box.top + h * y / 8, w, h * (y + 1) / 8 - h * y / 8), content);
        break;
    case TILES:
        for (y = 0; y < h; y += 64)
            for (x = 0; x < w; x += 64)
                if (random_below(t, 10))
                    part(t, time + (uint64_t)y,
                         BOX(box.left + x, box.top + y, w - x < 64 ? w - x : 64,
                             h - y < 64 ? h - y : 64),
                         content);
        break;
    case DAMAGE: { /* what changed: from half of each side to all of it */
        int32_t x0 = (int32_t)random_below(t, (uint32_t)w / 4),
                y0 = (int32_t)random_below(t, (uint32_t)h / 4);
        int32_t x1 = w - (int32_t)random_below(t, (uint32_t)w / 4);
        int32_t y1 = h - (int32_t)random_below(t, (uint32_t)h / 4);

        part(t, time, BOX(box.left + x0, box.top + y0, x1 - x0, y1 - y0), content);
        break;
    }
    case TOP_AND_REST:
        part(t, time, BOX(box.left, box.top, w, 100), content);
        part(t, time + 1500, BOX(box.left, box.top + 100, w, h - 100), content);
        break;
    }
}

/* Frames at a rate, each up to `jitter` us late. */
static void play(Trace *t, uint32_t id, SpiceRect box, uint32_t fps, uint64_t from, uint64_t to,
                 Delivery delivery, uint32_t jitter)
{
    uint64_t last = from;

    for (uint64_t n = 0; from + n * SECOND / fps < to; n++) {
        last = from + n * SECOND / fps + (jitter ? random_below(t, jitter) : 0);
        frame(t, last, box, delivery, GRADUAL);
    }
    label(t, from, last, box, id);
}

/* The same with the picture's place a function of time. */
static void play_moving(Trace *t, uint32_t id, uint64_t move_from, uint64_t move_to,
                        Delivery delivery)
{
    SpiceRect box = {0};

    for (uint64_t time = 0; time < t->length; time += SECOND / 30) {
        uint64_t way = time < move_from ? 0 : (time < move_to ? time : move_to) - move_from;
        SpiceRect old = box;

        box =
            BOX(100 + (int32_t)(way * 200 / SECOND), 100 + (int32_t)(way * 100 / SECOND), 640, 360);
        if (time > move_from &&
            time < move_to) /* the ground comes back in the left and at the top */
            for (int side = 0; side < 2; side++)
                draw(t, time,
                     side ? BOX(old.left, old.top, 640, box.top - old.top)
                          : BOX(old.left, old.top, box.left - old.left, 360),
                     SPICE_STREAM_DRAW_COVER, FLAT);
        frame(t, time + 500, box, delivery, GRADUAL);
        label(t, time, time + SECOND / 30, box, id);
    }
}

/* ---- what is no video ---- */

static void type_text(Trace *t, int32_t x, int32_t y, uint64_t from, uint64_t to)
{
    int32_t column = 0;

    for (uint64_t time = from; time < to; time += 60 * MS + random_below(t, 150000)) {
        draw(t, time, BOX(x + column * 9, y, 9, 18), BITMAP, TEXT);
        if (++column == 60)
            column = 0, y += 18;
    }
}

static void blink(Trace *t, SpiceRect box, uint64_t from, uint64_t to, uint64_t period)
{
    for (uint64_t time = from; time < to; time += period)
        draw(t, time, box, BITMAP, FLAT);
}

static void repeat(Trace *t, SpiceRect box, uint32_t fps, SpiceContentClass content)
{
    for (uint64_t n = 0; n * SECOND / fps < t->length; n++)
        draw(t, n * SECOND / fps, box, BITMAP, content);
}

static void busy_desktop(Trace *t)
{
    type_text(t, 1200, 200, 0, t->length);
    blink(t, BOX(1300, 700, 2, 16), 0, t->length, 530 * MS);
    repeat(t, BOX(1500, 800, 48, 48), 60, GRADUAL);
    for (uint64_t time = 0; time < t->length; time += SECOND)
        draw(t, time, BOX(1800, 1040, 100, 40), BITMAP, TEXT);
}

static int by_time(const void *a, const void *b)
{
    const TraceDraw *left = a, *right = b;

    if (left->draw.time != right->draw.time)
        return left->draw.time < right->draw.time ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static void controls(Trace *t, SpiceRect video, bool as_bitmap)
{
    SpiceRect bar = BOX(video.left, video.bottom - 48, video.right - video.left, 48);

    /* shown for 3 s of 6; redrawn over each frame (at 25 a second), as players do */
    for (uint64_t time = 2 * SECOND; time < t->length; time += 6 * SECOND)
        for (uint64_t n = 0; n < 75; n++) {
            uint64_t at = time + n * 40 * MS + 2 * MS;

            draw(t, at, bar, as_bitmap ? BITMAP : SPICE_STREAM_DRAW_BLEND, TEXT);
            label(t, at, at + 38 * MS, bar, NOT_VIDEO);
        }
}

static void clipped_frames(Trace *t, SpiceRect box, SpiceRect window, uint32_t fps)
{
    for (uint64_t n = 0; n * SECOND / fps < t->length; n++) {
        TraceDraw *d = draw(t, n * SECOND / fps, box, BITMAP, GRADUAL);

        d->is_video = true;
        d->clip[0] = (SpiceRect){box.top, box.left, window.top, box.right};
        d->clip[1] = (SpiceRect){window.top, box.left, box.bottom, window.left};
        d->draw.clip_count = 2;
    }
    label(t, 0, t->length, box, 0);
    label(t, 0, t->length, window, NOT_VIDEO);
}

static void wheel(Trace *t, SpiceRect box, SpiceContentClass content)
{
    for (uint64_t time = 0; time < t->length; time += 250 * MS + random_below(t, 400000))
        for (uint64_t n = 0; n < 8; n++)
            draw(t, time + n * SECOND / 60, box, BITMAP, content);
}

bool trace_is_positive(const Trace *t)
{
    return t->video_count > 0;
}

void trace_free(Trace *t)
{
    free(t->draws);
    free(t->labels);
    memset(t, 0, sizeof(*t));
}

bool trace_make(Trace *t, uint32_t index)
{
    const SpiceRect player = BOX(203, 117, 640, 360), all = BOX(0, 0, 1920, 1080);
    uint64_t time, end;

    memset(t, 0, sizeof(*t));
    t->width = 1920;
    t->height = 1080;
    t->length = end = 20 * SECOND;
    t->random = 12345 + index;
    switch (index) {
#define NAMED(text) t->name = text
    case 0:
        NAMED("window 96x96, 25 fps");
        play(t, 0, BOX(50, 60, 96, 96), 25, 0, end, WHOLE, 0);
        break;
    case 1:
        NAMED("window, 10 fps");
        play(t, 0, player, 10, 0, end, WHOLE, 0);
        break;
    case 2:
        NAMED("window, 10 fps, 40 ms jitter");
        play(t, 0, player, 10, 0, end, WHOLE, 40000);
        break;
    case 3:
        NAMED("window, 24 fps, 16 ms jitter");
        play(t, 0, player, 24, 0, end, WHOLE, 16000);
        break;
    case 4:
        NAMED("window, 30 fps");
        play(t, 0, player, 30, 0, end, WHOLE, 3000);
        break;
    case 5:
        NAMED("window, 60 fps");
        play(t, 0, player, 60, 0, end, WHOLE, 4000);
        break;
    case 6:
        NAMED("full screen, 25 fps");
        play(t, 0, all, 25, 0, end, WHOLE, 2000);
        break;
    case 7:
        NAMED("full screen, 60 fps");
        play(t, 0, all, 60, 0, end, WHOLE, 2000);
        break;
    case 8:
        NAMED("partly covered, clipped frames");
        clipped_frames(t, player, BOX(500, 300, 343, 177), 30);
        break;
    case 9:
        NAMED("partly covered, frames in two boxes");
        for (time = 0; time < end; time += SECOND / 30) {
            part(t, time, BOX(203, 117, 640, 183), GRADUAL);
            part(t, time + 400, BOX(203, 300, 300, 177), GRADUAL);
        }
        label(t, 0, end, player, 0);
        label(t, 0, end, BOX(503, 300, 340, 177), NOT_VIDEO);
        break;
    case 10:
        NAMED("moved while playing");
        play_moving(t, 0, 8 * SECOND, 11 * SECOND, WHOLE);
        break;
    case 11:
        NAMED("moved while playing, in strips");
        play_moving(t, 0, 8 * SECOND, 11 * SECOND, STRIPS);
        break;
    case 12:
        NAMED("paused and resumed");
        t->length = 40 * SECOND;
        play(t, 0, player, 25, 0, 12 * SECOND, WHOLE, 0);
        play(t, 1, player, 25, 16 * SECOND, 28 * SECOND, WHOLE, 0);
        play(t, 2, player, 25, 29 * SECOND, 40 * SECOND, WHOLE, 0);
        break;
    case 13:
        NAMED("controls blended over it");
        play(t, 0, player, 25, 0, end, WHOLE, 0);
        controls(t, player, false);
        break;
    case 14:
        NAMED("controls as bitmaps over it");
        play(t, 0, player, 25, 0, end, WHOLE, 0);
        controls(t, player, true);
        break;
    case 15:
        NAMED("two at once, one size");
        play(t, 0, BOX(40, 40, 640, 360), 30, 0, end, WHOLE, 2000);
        play(t, 1, BOX(800, 500, 640, 360), 25, 3 * SECOND, end, WHOLE, 2000);
        break;
    case 16:
        NAMED("two at once, one in strips");
        play(t, 0, BOX(40, 40, 320, 240), 24, 0, end, WHOLE, 2000);
        play(t, 1, BOX(400, 300, 1280, 720), 30, 0, end, STRIPS, 2000);
        break;
    case 17:
        NAMED("strips, 30 fps");
        play(t, 0, player, 30, 0, end, STRIPS, 0);
        break;
    case 18:
        NAMED("strips, full screen, 60 fps");
        play(t, 0, all, 60, 0, end, STRIPS, 0);
        break;
    case 19:
        NAMED("tiles 64x64, 25 fps");
        play(t, 0, BOX(203, 117, 854, 480), 25, 0, end, TILES, 0);
        break;
    case 20:
        NAMED("damage boxes, 25 fps");
        play(t, 0, player, 25, 0, end, DAMAGE, 0);
        break;
    case 21:
        NAMED("damage boxes, 10 fps");
        play(t, 0, player, 10, 0, end, DAMAGE, 0);
        break;
    case 22:
        NAMED("damage boxes, 60 fps, jitter");
        play(t, 0, BOX(203, 117, 1280, 720), 60, 0, end, DAMAGE, 5000);
        break;
    case 23:
        NAMED("top 100 lines and the rest");
        play(t, 0, player, 25, 0, end, TOP_AND_REST, 0);
        break;
    case 24:
        NAMED("beside a busy desktop");
        play(t, 0, player, 25, 0, end, WHOLE, 2000);
        busy_desktop(t);
        break;
    case 25:
        NAMED("window to full screen");
        play(t, 0, player, 25, 0, 12 * SECOND, WHOLE, 0);
        t->length = 24 * SECOND;
        play(t, 1, all, 25, 12 * SECOND, t->length, WHOLE, 0);
        break;
    case 26:
        NAMED("black and credits in between");
        for (time = 0; time < end; time += 40 * MS)
            frame(t, time, player, WHOLE,
                  time / SECOND == 8                           ? FLAT
                  : time / SECOND == 12 || time / SECOND == 13 ? TEXT
                                                               : GRADUAL);
        label(t, 0, end, player, 0);
        break;
    case 27:
        NAMED("window over it for a while");
        play(t, 0, player, 25, 0, end, WHOLE, 0);
        for (time = 5 * SECOND; time < 9 * SECOND; time += 40 * MS)
            draw(t, time + 500, BOX(300, 200, 200, 150), SPICE_STREAM_DRAW_COVER, FLAT);
        label(t, 5 * SECOND, 9 * SECOND, BOX(300, 200, 200, 150), NOT_VIDEO);
        break;

    case 28:
        NAMED("scrolled text, 60 fps");
        repeat(t, BOX(100, 100, 1200, 800), 60, TEXT);
        break;
    case 29:
        NAMED("scrolled page, pictures now and then");
        for (time = 0; time < end; time += SECOND / 60)
            draw(t, time, BOX(100, 100, 1200, 800), BITMAP,
                 time / (100 * MS) % 10 < 3 ? GRADUAL : TEXT);
        break;
    case 30:
        NAMED("scrolled photos by copy");
        for (time = 0; time < end; time += SECOND / 60) {
            draw(t, time, BOX(100, 100, 1200, 800), SPICE_STREAM_DRAW_MOVE, GRADUAL);
            draw(t, time + 100, BOX(100, 780, 1200, 120), BITMAP, GRADUAL);
        }
        break;
    case 31:
        NAMED("scrolled photos by wheel");
        wheel(t, BOX(100, 100, 1200, 800), GRADUAL);
        break;
    case 32:
        NAMED("typing");
        type_text(t, 100, 100, 0, end);
        blink(t, BOX(500, 500, 2, 16), 0, end, 530 * MS);
        break;
    case 33:
        NAMED("window of text dragged");
        for (time = 0; time < end; time += SECOND / 60)
            draw(t, time, BOX(100 + (int32_t)(time / 30000), 100, 600, 400), BITMAP, TEXT);
        break;
    case 34:
        NAMED("window of photos dragged");
        for (time = 0; time < end; time += SECOND / 60) {
            int32_t x = (int32_t)(time / 7000 % 2000);

            x = x < 1000 ? x : 2000 - x;
            draw(t, time, BOX(100 + x, 100 + x / 4, 600, 400), BITMAP, GRADUAL);
            draw(t, time + 100, BOX(98 + x, 100 + x / 4, 2, 400), BITMAP, GRADUAL);
        }
        break;
    case 35:
        NAMED("window dragged by copy");
        for (time = 0; time < end; time += SECOND / 60) {
            draw(t, time, BOX(90 + (int32_t)(time / 30000), 100, 610, 400), SPICE_STREAM_DRAW_MOVE,
                 GRADUAL);
            draw(t, time + 50, BOX(90 + (int32_t)(time / 30000), 100, 10, 400), BITMAP, GRADUAL);
        }
        break;
    case 36:
        NAMED("progress bars");
        repeat(t, BOX(200, 200, 400, 24), 30, FLAT);
        repeat(t, BOX(200, 500, 900, 40), 60, GRADUAL);
        break;
    case 37:
        NAMED("blinking cursors");
        blink(t, BOX(200, 200, 2, 16), 0, end, 530 * MS);
        blink(t, BOX(400, 400, 120, 120), 0, end, 530 * MS);
        break;
    case 38:
        NAMED("spinners");
        repeat(t, BOX(300, 300, 48, 48), 60, GRADUAL);
        repeat(t, BOX(360, 300, 64, 64), 30, GRADUAL);
        repeat(t, BOX(900, 600, 90, 90), 25, GRADUAL);
        break;
    case 39:
        NAMED("typing on a composited desktop");
        for (time = 0; time < end; time += 80 * MS + random_below(t, 120000))
            draw(t, time, all, BITMAP, TEXT);
        break;
    case 40:
        NAMED("compiling in a terminal");
        for (time = 0; time < end; time += 10 * MS + random_below(t, 60000)) {
            draw(t, time, BOX(100, 100, 800, 600), SPICE_STREAM_DRAW_MOVE, TEXT);
            draw(t, time + 100, BOX(100, 682, 800, 18), BITMAP, TEXT);
        }
        break;
    case 41:
        NAMED("slides and photos turned over");
        for (time = 0; time < end; time += 700 * MS + random_below(t, 2000000))
            draw(t, time, BOX(100, 100, 1024, 768), BITMAP, GRADUAL);
        break;
    case 42:
        NAMED("busy desktop");
        busy_desktop(t);
        break;
    case 43:
        NAMED("animated icons far apart");
        for (int32_t i = 0; i < 12; i++)
            repeat(t, BOX(100 + i % 4 * 130, 100 + i / 4 * 130, 40, 40), 12 + (uint32_t)i, GRADUAL);
        break;
    case 44:
        NAMED("scrolled page, half of it pictures");
        for (time = 0; time < end; time += SECOND / 60)
            draw(t, time, BOX(100, 100, 1200, 800), BITMAP,
                 (time + 400 * MS) / (100 * MS) % 6 < 3 ? GRADUAL : TEXT);
        break;
    default:
        return false;
    }
    qsort(t->draws, t->draw_count, sizeof(*t->draws), by_time);
    for (size_t i = 0; i < t->draw_count; i++)
        if (t->draws[i].draw.clip_count)
            t->draws[i].draw.clip = t->draws[i].clip;
    return true;
}
