/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "office-trace.h"

#include <stdlib.h>
#include <string.h>

#include "../image/screens.h"

typedef struct {
    int32_t width, height;
    uint32_t *screen;
    uint32_t *windows[3]; /* full-screen pictures that windows are cut from */
    OfficeChange change;
    void *context;
    uint64_t random;
} Office;

static int32_t below(Office *self, int32_t n)
{
    return (int32_t)(screen_random(&self->random) % (uint32_t)n);
}

static void tell(Office *self, SpiceRect box)
{
    self->change(self->context, self->screen, box);
}

/** Shows a part of a picture, that at (x, y), in a box. */
static void show(Office *self, const uint32_t *picture, SpiceRect box, int32_t x, int32_t y)
{
    for (int32_t row = box.top; row < box.bottom; row++)
        memcpy(self->screen + (size_t)row * (size_t)self->width + box.left,
               picture + (size_t)(y + row - box.top) * (size_t)self->width + x,
               (size_t)(box.right - box.left) * 4);
    tell(self, box);
}

static SpiceRect box_at(int32_t x, int32_t y, int32_t width, int32_t height)
{
    return (SpiceRect){y, x, y + height, x + width};
}

/** A letter at a time, each with the rest of its line as editors repaint it; the cursor blinks. */
static void type(Office *self)
{
    const int32_t y = 80 + below(self, 30) * 16;
    const SpiceRect cursor = box_at(300, y, 2, 16);

    for (int32_t i = 0; i < 60; i++) {
        show(self, self->windows[0], box_at(80 + i * 8, y, 24, 16), 40 + below(self, 50) * 8,
             32 + below(self, 20) * 16);
        if (i % 12 != 0)
            continue;
        for (int32_t j = 0; j < 2; j++)
            show(self, self->windows[j], cursor, j * 40, 8);
    }
}

/** Two windows in the same place, one over the other. */
static void switch_windows(Office *self)
{
    const SpiceRect box = box_at(120, 60, self->width / 2, self->height / 2);

    for (int32_t i = 0; i < 6; i++)
        show(self, self->windows[i % 2 ? 2 : 0], box, 100, 40);
}

static void open_menus(Office *self)
{
    for (int32_t i = 0; i < 5; i++) {
        const int32_t x = 10 + 90 * below(self, 5);
        const SpiceRect box = box_at(x, 24, 180, 240);

        show(self, self->windows[2], box, x, 300);
        for (int32_t item = 0; item < 6; item++) {
            show(self, self->windows[2], box_at(x, 30 + 24 * item, 180, 24), x, 500);
            show(self, self->windows[2], box_at(x, 30 + 24 * item, 180, 24), x, 306 + 24 * item);
        }
        show(self, self->windows[0], box, x, 24);
    }
}

static void spin(Office *self)
{
    for (int32_t i = 0; i < 48; i++)
        show(self, self->windows[1], box_at(600, 400, 48, 48), 60 * (i % 12), 200);
}

static void scroll(Office *self)
{
    const SpiceRect box = box_at(40, 60, self->width - 80, self->height - 200);

    for (int32_t i = 0; i < 24; i++)
        show(self, self->windows[0], box, 40, i * 6);
}

static void leaf_through_pictures(Office *self)
{
    for (int32_t i = 0; i < 4; i++)
        show(self, self->windows[1], box_at(200, 100, 640, 400), below(self, self->width - 640),
             below(self, self->height - 400));
}

static void make_progress(Office *self)
{
    for (int32_t i = 0; i < 40; i++)
        show(self, self->windows[2], box_at(400 + 8 * i, 700, 8, 20), 12, 100);
}

void office_trace_run(int32_t width, int32_t height, OfficeChange change, void *context)
{
    static void (*const tasks[])(Office *) = {type,   switch_windows,        open_menus,   spin,
                                              scroll, leaf_through_pictures, make_progress};
    Office self = {
        .width = width, .height = height, .change = change, .context = context, .random = 9};
    const size_t size = (size_t)width * (size_t)height * 4;

    self.screen = malloc(size);
    for (int i = 0; i < 3; i++) {
        self.windows[i] = malloc(size);
        screen_draw((Screen)(i == 0   ? SCREEN_TEXT
                             : i == 1 ? SCREEN_PHOTO
                                      : SCREEN_UI),
                    width, height, self.windows[i]);
    }
    show(&self, self.windows[2], box_at(0, 0, width, height), 0, 0);
    for (int32_t i = 0; i < 30; i++) {
        type(&self);
        tasks[below(&self, sizeof(tasks) / sizeof(tasks[0]))](&self);
    }
    for (int i = 0; i < 3; i++)
        free(self.windows[i]);
    free(self.screen);
}
