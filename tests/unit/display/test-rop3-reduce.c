/* Codes of ROP3 that are simpler draws, against ROP3 itself.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/canvas/draw.h"
#include "core/canvas/surface.h"
#include "core/display/rop3-reduce.h"

#include "../tap.h"

enum { WIDTH = 16, HEIGHT = 16 };

static uint32_t noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed ^ *seed >> 15;
}

static bool paint(uint32_t dest[HEIGHT][WIDTH], SpicePixels *source, uint16_t type,
                  const void *message)
{
    const SpicePixels surface = {PIXMAN_x8r8g8b8, WIDTH, HEIGHT, WIDTH * 4, (uint8_t *)dest};
    SpiceDrawOperands operands = {0};
    pixman_region32_t region;
    SpiceError error = {0};
    SpiceArena scratch;
    bool done;

    operands.operands[SPICE_DRAW_SOURCE].pixels = source;
    spice_arena_init(&scratch, &spice_allocator_libc, 1 << 20);
    done = spice_draw_region(&region, &surface, message, &error) &&
           spice_draw_paint(&surface, &region, type, message, &operands, &scratch, &error);
    pixman_region32_fini(&region);
    spice_arena_clear(&scratch);
    return done;
}

int main(void)
{
    uint32_t from[HEIGHT][WIDTH], before[HEIGHT][WIDTH];
    uint32_t plain[HEIGHT][WIDTH], simple[HEIGHT][WIDTH];
    SpicePixels pixels = {PIXMAN_x8r8g8b8, WIDTH, HEIGHT, WIDTH * 4, (uint8_t *)from};
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_BITMAP};
    SpiceMsgDisplayDrawRop3 m = {
        .base = {0, {1, 2, 13, 15}, {0}},
        .source = &image,
        .source_area = {2, 1, 14, 14},
        .brush = {SPICE_BRUSH_TYPE_SOLID, 0x5a33c9, NULL, {0}},
    };
    unsigned reduced = 0, equal = 0;
    uint32_t seed = 1;

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        from[i / WIDTH][i % WIDTH] = noise(&seed);
        before[i / WIDTH][i % WIDTH] = noise(&seed);
    }
    for (unsigned code = 0; code < 256; code++) {
        SpiceReducedRop3 draw;

        m.rop3 = (uint8_t)code;
        if (!spice_rop3_reduce(&draw, &m))
            continue;
        reduced++;
        memcpy(plain, before, sizeof(plain));
        memcpy(simple, before, sizeof(simple));
        if (paint(plain, &pixels, SPICE_MSG_DISPLAY_DRAW_ROP3, &m) &&
            paint(simple, &pixels, draw.type, &draw.message) &&
            memcmp(plain, simple, sizeof(plain)) == 0)
            equal++;
        else
            TAP_NOTE("code %02x as message %u", code, draw.type);
    }
    TAP_OK(reduced == 38, "38 codes are simpler draws: %u", reduced);
    TAP_OK(equal == reduced, "that paint the same: %u of %u", equal, reduced);
    return tap_done();
}
