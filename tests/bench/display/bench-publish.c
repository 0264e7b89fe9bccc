/* What it costs to publish draws and to take them out of views, in time of one thread a draw:
 *
 *     bench-publish [DRAWS]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/display/view.h"

enum { WIDTH = 1920, HEIGHT = 1080, MAX_VIEWS = 50 };

static uint8_t pixels[WIDTH * HEIGHT * 4];
static uint32_t seed = 1;

static double clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int32_t below(int32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (int32_t)((seed >> 8) % (uint32_t)n);
}

typedef struct {
    const char *name;
    int32_t width, height; /* of each draw */
    bool fills, fast;      /* fast: views are emptied after each draw, else never */
    unsigned n_views;
} Load;

static void publish(SpiceDisplay *display, const Load *load)
{
    const int32_t left = below(WIDTH - load->width + 1), top = below(HEIGHT - load->height + 1);
    const SpiceDisplayBase base = {0, {top, left, top + load->height, left + load->width}, {0}};
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_BITMAP,
                        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
                        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
                        .bitmap_width = (uint32_t)load->width,
                        .bitmap_height = (uint32_t)load->height,
                        .stride = (uint32_t)load->width * 4,
                        .data = {pixels, (size_t)load->width * load->height * 4}};
    const SpiceMsgDisplayDrawCopy copy = {.base = base,
                                          .source = &image,
                                          .source_area = {0, 0, load->height, load->width},
                                          .rop = SPICE_ROPD_OP_PUT};
    const SpiceMsgDisplayDrawFill fill = {
        .base = base, .brush = {.type = SPICE_BRUSH_TYPE_SOLID}, .rop = SPICE_ROPD_OP_PUT};
    const SpiceDrawableSource source = {
        .type = load->fills ? SPICE_MSG_DISPLAY_DRAW_FILL : SPICE_MSG_DISPLAY_DRAW_COPY,
        .message = load->fills ? (const void *)&fill : (const void *)&copy};
    SpiceDrawable *drawable = spice_drawable_create(&spice_allocator_libc, &source, NULL);

    if (!drawable || !spice_display_publish(display, drawable, NULL))
        exit(1);
    spice_drawable_unref(drawable);
}

static void drain(SpiceView *view)
{
    SpiceViewItem *item;

    while (spice_view_next(view, &item, NULL) && item)
        spice_view_item_done(item);
}

static void measure(const Load *load, unsigned n_draws)
{
    const SpiceDisplayConfig config = {.allocator = &spice_allocator_libc};
    const SpiceSurfaceSource primary = {0, WIDTH, HEIGHT, SPICE_SURFACE_FMT_32_xRGB, NULL, 0, 0};
    const SpiceViewConfig view_config = {0};
    SpiceDisplay *display = spice_display_create(&config);
    const SpiceDisplayCounters *counters = spice_display_counters(display);
    SpiceView *views[MAX_VIEWS];
    double start;

    spice_display_create_surface(display, &primary, NULL);
    for (unsigned i = 0; i < load->n_views; i++) {
        views[i] = spice_view_create(display, &view_config);
        drain(views[i]);
    }
    start = clock_ns();
    for (unsigned n = 0; n < n_draws; n++) {
        publish(display, load);
        for (unsigned i = 0; load->fast && i < load->n_views; i++)
            drain(views[i]);
    }
    printf("%-30s %9.0f ns  %llu covered, %llu painted, %llu collapses\n", load->name,
           (clock_ns() - start) / n_draws, (unsigned long long)counters->covered,
           (unsigned long long)counters->painted, (unsigned long long)counters->collapses);
    for (unsigned i = 0; i < load->n_views; i++)
        spice_view_destroy(views[i]);
    spice_display_destroy(display);
}

int main(int argc, char **argv)
{
    static const Load loads[] = {
        {"fills 16x16, no view", 16, 16, true, true, 0},
        {"fills 16x16, 1 fast view", 16, 16, true, true, 1},
        {"fills 16x16, 50 fast views", 16, 16, true, true, 50},
        {"fills 16x16, 50 stalled views", 16, 16, true, false, 50},
        {"pictures 64x64, 1 fast view", 64, 64, false, true, 1},
        {"pictures 64x64, 50 fast views", 64, 64, false, true, 50},
        {"pictures 640x360, 1 fast view", 640, 360, false, true, 1},
        {"whole pictures, 1 fast view", WIDTH, HEIGHT, false, true, 1},
        {"whole pictures, 1 stalled view", WIDTH, HEIGHT, false, false, 1},
    };
    const unsigned n_draws = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;

    for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
        measure(&loads[i], loads[i].width > 100 ? n_draws / 100 + 1 : n_draws);
    return 0;
}
