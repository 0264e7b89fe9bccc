/* What a view gives, in which order, and what it keeps to: one rule a test.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/display/view.h"

#include "../tap.h"

enum { WIDTH = 64, HEIGHT = 48 };

static uint8_t pixels[WIDTH * HEIGHT * 4];
static unsigned released;

static void count_release(void *context)
{
    (void)context;
    released++;
}

/* --- a display to begin with --- */

static SpiceDisplay *new_display(bool with_primary)
{
    const SpiceDisplayConfig config = {.allocator = &spice_allocator_libc};
    SpiceDisplay *display = spice_display_create(&config);
    const SpiceSurfaceSource source = {0, WIDTH, HEIGHT, SPICE_SURFACE_FMT_32_xRGB, NULL, 0, false};
    SpiceHead head = {.width = WIDTH, .height = HEIGHT};
    const SpiceMsgDisplayMonitorsConfig monitors = {1, 1, &head};

    released = 0;
    if (with_primary) {
        spice_display_create_surface(display, &source, NULL);
        spice_display_set_monitors(display, &monitors, NULL);
        spice_display_mark(display);
    }
    return display;
}

static void add_surface(SpiceDisplay *display, uint32_t id)
{
    const SpiceSurfaceSource source = {id,   WIDTH, HEIGHT, SPICE_SURFACE_FMT_32_xRGB,
                                       NULL, 0,     false};

    spice_display_create_surface(display, &source, NULL);
}

static SpiceView *new_view(SpiceDisplay *display, unsigned items, uint64_t bytes)
{
    const SpiceViewConfig config = {.limits = {.items = items, .bytes = bytes}};

    return spice_view_create(display, &config);
}

/* --- draws --- */

static bool publish(SpiceDisplay *display, uint16_t type, const void *message, uint64_t time)
{
    const SpiceDrawableSource source = {
        .type = type, .message = message, .time = time, .release = count_release};
    SpiceDrawable *drawable = spice_drawable_create(&spice_allocator_libc, &source, NULL);
    const bool done = drawable && spice_display_publish(display, drawable, NULL);

    spice_drawable_unref(drawable);
    return done;
}

static SpiceDisplayBase base(uint32_t id, int32_t left, int32_t top, int32_t width, int32_t height)
{
    return (SpiceDisplayBase){id, {top, left, top + height, left + width}, {0}};
}

static SpiceImage image(uint32_t width, uint32_t height)
{
    return (SpiceImage){.type = SPICE_IMAGE_TYPE_BITMAP,
                        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
                        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
                        .bitmap_width = width,
                        .bitmap_height = height,
                        .stride = width * 4,
                        .data = {pixels, (size_t)width * height * 4}};
}

static bool copy(SpiceDisplay *display, uint32_t id, int32_t left, int32_t top, int32_t width,
                 int32_t height, uint64_t time)
{
    SpiceImage source = image((uint32_t)width, (uint32_t)height);
    const SpiceMsgDisplayDrawCopy m = {.base = base(id, left, top, width, height),
                                       .source = &source,
                                       .source_area = {0, 0, height, width},
                                       .rop = SPICE_ROPD_OP_PUT};

    return publish(display, SPICE_MSG_DISPLAY_DRAW_COPY, &m, time);
}

static bool fill(SpiceDisplay *display, uint32_t id, int32_t left, int32_t top, int32_t width,
                 int32_t height, uint16_t rop)
{
    const SpiceMsgDisplayDrawFill m = {.base = base(id, left, top, width, height),
                                       .brush = {SPICE_BRUSH_TYPE_SOLID, 0x336699, NULL, {0}},
                                       .rop = rop};

    return publish(display, SPICE_MSG_DISPLAY_DRAW_FILL, &m, 0);
}

static bool move(SpiceDisplay *display, int32_t from_y, int32_t to_y, int32_t height)
{
    const SpiceMsgDisplayCopyBits m = {base(0, 0, to_y, WIDTH, height), {0, from_y}};

    return publish(display, SPICE_MSG_DISPLAY_COPY_BITS, &m, 0);
}

static bool copy_surface(SpiceDisplay *display, uint32_t from, uint32_t to)
{
    SpiceImage source = {.type = SPICE_IMAGE_TYPE_SURFACE, .surface_id = from};
    const SpiceMsgDisplayDrawCopy m = {.base = base(to, 0, 0, WIDTH, HEIGHT),
                                       .source = &source,
                                       .source_area = {0, 0, HEIGHT, WIDTH},
                                       .rop = SPICE_ROPD_OP_PUT};

    return publish(display, SPICE_MSG_DISPLAY_DRAW_COPY, &m, 0);
}

/* --- what comes out --- */

/** The numbers of the messages that come, up to `most`, ended by 0. */
static void drain(SpiceView *view, uint16_t *types, unsigned most)
{
    SpiceViewItem *item;
    unsigned n = 0;

    while (n < most && spice_view_next(view, &item, NULL) && item) {
        types[n++] = item->type;
        spice_view_item_done(item);
    }
    types[n] = 0;
}

static bool gives(SpiceView *view, const uint16_t *expected)
{
    uint16_t types[32];
    unsigned i = 0;

    drain(view, types, 31);
    while (types[i] && types[i] == expected[i])
        i++;
    for (unsigned j = i; types[j] || expected[j]; j++) {
        TAP_NOTE("message %u: %u, expected %u", j, types[j], expected[j]);
        if (!types[j] || !expected[j])
            break;
    }
    return types[i] == expected[i];
}

#define GIVES(view, ...)    gives(view, (const uint16_t[]){__VA_ARGS__, 0})
#define GIVES_NOTHING(view) gives(view, (const uint16_t[]){0})

enum {
    COPY_BITS = SPICE_MSG_DISPLAY_COPY_BITS,
    COPY = SPICE_MSG_DISPLAY_DRAW_COPY,
    FILL = SPICE_MSG_DISPLAY_DRAW_FILL,
    CREATE = SPICE_MSG_DISPLAY_SURFACE_CREATE,
    DESTROY = SPICE_MSG_DISPLAY_SURFACE_DESTROY,
    MONITORS = SPICE_MSG_DISPLAY_MONITORS_CONFIG,
    MARK = SPICE_MSG_DISPLAY_MARK,
};

static void end(SpiceDisplay *display, SpiceView *view, SpiceView *other)
{
    spice_view_destroy(view);
    if (other)
        spice_view_destroy(other);
    spice_display_destroy(display);
}

static void test_joining(void)
{
    SpiceDisplay *display = new_display(false);
    SpiceView *early = new_view(display, 0, 0), *late, *later;
    const SpiceSurfaceSource source = {0, WIDTH, HEIGHT, SPICE_SURFACE_FMT_32_xRGB, NULL, 0, false};
    SpiceHead head = {.width = WIDTH, .height = HEIGHT};
    const SpiceMsgDisplayMonitorsConfig monitors = {1, 1, &head};
    SpiceViewItem *items[2] = {NULL, NULL};

    TAP_OK(GIVES_NOTHING(early), "without a primary there is nothing to send");
    spice_display_create_surface(display, &source, NULL);
    spice_display_set_monitors(display, &monitors, NULL);
    spice_display_mark(display);
    TAP_OK(GIVES(early, CREATE, MONITORS, MARK), "a new primary comes without a picture of zeros");
    copy(display, 0, 0, 0, WIDTH, HEIGHT, 0);
    TAP_OK(GIVES(early, COPY), "and is then drawn on");
    late = new_view(display, 0, 0);
    later = new_view(display, 0, 0);
    for (int i = 0; i < 2; i++) {
        SpiceView *view = i ? later : late;
        SpiceViewItem *create;

        spice_view_next(view, &create, NULL);
        spice_view_item_done(create);
        spice_view_next(view, &items[i], NULL);
    }
    TAP_OK(items[0]->is_picture && items[0]->message == items[1]->message &&
               spice_display_counters(display)->cut == 1,
           "clients that come together share the picture");
    spice_view_item_done(items[0]);
    spice_view_item_done(items[1]);
    TAP_OK(GIVES(late, MONITORS, MARK),
           "one that comes late gets surface, picture, monitors, mark");
    spice_view_destroy(later);
    spice_display_destroy_surface(display, 0, NULL);
    spice_display_create_surface(display, &source, NULL);
    spice_display_mark(display);
    TAP_OK(GIVES(late, DESTROY, CREATE, MONITORS, MARK), "a mode change comes in order");
    end(display, early, late);
}

static void test_covering(void)
{
    SpiceDisplay *display = new_display(true);
    SpiceView *view = new_view(display, 0, 0);

    drain(view, (uint16_t[32]){0}, 31);
    copy(display, 0, 3, 3, 20, 20, 0);
    TAP_OK(released == 0, "a queued draw holds its memory");
    fill(display, 0, 0, 0, 30, 30, SPICE_ROPD_OP_PUT);
    TAP_OK(released == 2 && spice_display_counters(display)->covered == 1 && GIVES(view, FILL),
           "what an opaque draw covers is released, not sent");

    copy(display, 0, 0, 0, 20, 20, 0);
    fill(display, 0, 0, 0, 20, 11, SPICE_ROPD_OP_PUT);
    fill(display, 0, 0, 11, 20, 9, SPICE_ROPD_OP_PUT);
    TAP_OK(GIVES(view, FILL, FILL), "several draws cover together");

    copy(display, 0, 0, 0, 20, 20, 0);
    fill(display, 0, 0, 0, 20, 20, SPICE_ROPD_OP_XOR);
    TAP_OK(GIVES(view, COPY, FILL), "what is not opaque covers nothing");

    copy(display, 0, 0, 0, WIDTH, 10, 0);
    move(display, 0, 20, 10);
    fill(display, 0, 0, 0, WIDTH, 10, SPICE_ROPD_OP_PUT);
    TAP_OK(GIVES(view, COPY, COPY_BITS, FILL), "what COPY_BITS reads stays");

    copy(display, 0, 0, 0, WIDTH, 10, 0);
    move(display, 0, 20, 10);
    fill(display, 0, 0, 0, WIDTH, HEIGHT, SPICE_ROPD_OP_PUT);
    TAP_OK(GIVES(view, FILL), "unless it is covered, too");

    for (int i = 0; i < 1000; i++)
        copy(display, 0, 0, 0, WIDTH, HEIGHT, 0);
    TAP_OK(spice_view_counters(view)->n_items == 1 && spice_display_counters(display)->painted < 20,
           "a thousand pictures that nobody takes: one is queued, none painted");
    end(display, view, NULL);
}

static void test_surfaces(void)
{
    SpiceDisplay *display = new_display(true);
    SpiceView *view = new_view(display, 0, 0), *late = new_view(display, 0, 0);

    drain(view, (uint16_t[32]){0}, 31);
    add_surface(display, 5);
    TAP_OK(GIVES_NOTHING(view), "an off-screen surface that nobody draws on is not sent");
    fill(display, 5, 0, 0, 10, 10, SPICE_ROPD_OP_PUT);
    copy_surface(display, 5, 0);
    TAP_OK(GIVES(view, CREATE, FILL, COPY), "one that is new is drawn on as it was published");
    TAP_OK(GIVES(late, CREATE, COPY, MONITORS, MARK),
           "a client that comes late gets the primary only");
    fill(display, 5, 3, 3, 4, 4, SPICE_ROPD_OP_XOR);
    TAP_OK(GIVES_NOTHING(late) && GIVES(view, FILL),
           "draws on a surface that it does not have are not for it");
    copy_surface(display, 5, 0);
    TAP_OK(GIVES(late, CREATE, COPY, COPY), "until one reads it: surface, picture, draw");
    drain(view, (uint16_t[32]){0}, 31);
    fill(display, 5, 3, 3, 4, 4, SPICE_ROPD_OP_XOR);
    spice_view_collapse(view, SPICE_COLLAPSE_CALLER);
    TAP_OK(GIVES(view, DESTROY), "a view that collapses gives up surfaces that are stale");
    spice_display_destroy_surface(display, 5, NULL);
    TAP_OK(GIVES(late, DESTROY) && GIVES_NOTHING(view),
           "a destroyed one is destroyed at those who have it");
    end(display, view, late);
}

static void test_bounds(void)
{
    SpiceDisplay *display = new_display(true);
    SpiceView *view = new_view(display, 8, 4000), *stalled = new_view(display, 8, 4000);
    const SpiceViewCounters *counters = spice_view_counters(view);
    unsigned before;

    drain(view, (uint16_t[32]){0}, 31);
    drain(stalled, (uint16_t[32]){0}, 31);
    copy(display, 0, 0, 0, WIDTH, HEIGHT, 0);
    TAP_OK(counters->n_items == 1 && spice_view_is_following(view),
           "one picture beyond the limit of bytes is queued");
    copy(display, 0, 0, 0, 10, 10, 0);
    TAP_OK(counters->collapses[SPICE_COLLAPSE_BYTES] == 1 && counters->n_items == 0 &&
               !spice_view_is_following(view) && GIVES(view, COPY),
           "two are not: the view collapses, and gets what is there as one picture");
    TAP_OK(spice_view_is_following(view), "and then follows again");

    for (int i = 0; i < 9; i++)
        fill(display, 0, i, i, 2, 2, SPICE_ROPD_OP_XOR);
    TAP_OK(counters->collapses[SPICE_COLLAPSE_ITEMS] == 1, "too many items: it collapses");
    drain(view, (uint16_t[32]){0}, 31);

    copy(display, 0, 1, 1, 4, 4, 100);
    copy(display, 0, 8, 1, 4, 4, 200);
    before = released;
    TAP_OK(spice_display_release_older_than(display, 150) == 1 && released == before + 1 &&
               counters->collapses[SPICE_COLLAPSE_AGE] == 1,
           "memory that is held too long is given back: the view collapses");
    drain(view, (uint16_t[32]){0}, 31);
    copy(display, 0, 1, 1, 4, 4, 300);
    before = released;
    spice_display_release_all(display);
    TAP_OK(released == before + 1 && spice_view_is_following(view) && GIVES(view, COPY) &&
               spice_display_counters(display)->n_held == 0,
           "all memory is given back at once by copying; nothing is lost");
    end(display, view, stalled);
}

/** A client that is slower than a corner that changes all the time. */
static void test_sweeps(void)
{
    SpiceDisplay *display = new_display(true);
    SpiceView *view;
    bool marked = false, bottom = false;

    copy(display, 0, 0, 0, WIDTH, 8, 0);
    copy(display, 0, 0, 40, WIDTH, 8, 0);
    view = new_view(display, 0, 0);
    for (int i = 0; i < 20; i++) {
        SpiceViewItem *item;

        if (i == 5) {
            copy(display, 0, 0, 40, WIDTH, 8, 0);
            spice_view_collapse(view, SPICE_COLLAPSE_CALLER);
        }
        copy(display, 0, 0, 0, WIDTH, 8, 0);
        if (i >= 5)
            spice_view_collapse(view, SPICE_COLLAPSE_CALLER);
        spice_view_next(view, &item, NULL);
        if (!item)
            break;
        marked = marked || item->type == SPICE_MSG_DISPLAY_MARK;
        bottom = bottom || (i >= 5 && item->is_picture &&
                            ((const SpiceDisplayBase *)item->message)->box.top == 40);
        spice_view_item_done(item);
    }
    TAP_OK(marked && bottom, "an area that always changes keeps neither the rest nor MARK away");
    end(display, view, NULL);
}

static void test_refusals(void)
{
    SpiceDisplay *display = new_display(true);
    SpiceView *view = new_view(display, 0, 0);
    SpiceImage source = image(8, 8);
    SpiceMsgDisplayDrawCopy m = {.base = base(0, 0, 0, 8, 8),
                                 .source = &source,
                                 .source_area = {0, 0, 8, 8},
                                 .rop = SPICE_ROPD_OP_PUT};
    SpiceDrawableSource drawable = {.type = COPY, .message = &m, .release = count_release};
    SpiceError error = {0};
    unsigned refused = 0;

    drain(view, (uint16_t[32]){0}, 31);
    m.base.surface_id = 9;
    refused += !publish(display, COPY, &m, 0);
    m.base.surface_id = 0;
    source.bitmap_format = SPICE_BITMAP_FMT_4BIT_LE;
    refused += !publish(display, COPY, &m, 0);
    source.bitmap_format = SPICE_BITMAP_FMT_8BIT; /* without a palette */
    refused += !publish(display, COPY, &m, 0);
    source = image(8, 8);
    m.scale_mode = 2;
    refused += !publish(display, COPY, &m, 0);
    m.scale_mode = 0;
    m.source = NULL;
    refused += !publish(display, COPY, &m, 0);
    TAP_OK(refused == 5 && released == 5 && GIVES_NOTHING(view) &&
               spice_display_counters(display)->refused == 5,
           "draws that clients cannot bear are refused, and released");
    m.source = &source;
    source.data.size = 8 * 8 * 4 - 1;
    TAP_OK(!spice_drawable_create(&spice_allocator_libc, &drawable, &error) &&
               error.code == SPICE_ERROR_TRUNCATED && released == 5,
           "a bitmap without all its rows makes no drawable");
    end(display, view, NULL);
}

int main(void)
{
    test_joining();
    test_covering();
    test_surfaces();
    test_bounds();
    test_sweeps();
    test_refusals();
    return tap_done();
}
