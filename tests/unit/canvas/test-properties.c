/* What holds for any draw: how it is clipped and how the surface is stored make no difference,
 * and loops that are fast agree with rules that are plain.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/canvas/draw.h"
#include "core/canvas/surface.h"

#include "../tap.h"

enum { WIDTH = 71, HEIGHT = 53, N_PICTURES = 6 };

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t random_32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

/** In [low, high]. */
static int32_t random_in(int32_t low, int32_t high)
{
    return low + (int32_t)(random_32() % (uint32_t)(high - low + 1));
}

static void fill_random(const SpicePixels *pixels)
{
    for (int32_t y = 0; y < pixels->height; y++)
        for (size_t i = 0; i < spice_pixels_row_size(pixels->format, pixels->width); i++)
            spice_pixels_row(pixels, y)[i] = (uint8_t)random_32();
}

/** Premultiplied, as pictures with alpha are. */
static void premultiply(const SpicePixels *pixels)
{
    for (int32_t y = 0; y < pixels->height; y++)
        for (int32_t x = 0; x < pixels->width; x++) {
            uint8_t *at = spice_pixels_row(pixels, y) + 4 * x;

            for (int i = 0; i < 3; i++)
                at[i] = (uint8_t)(at[i] * at[3] / 255);
        }
}

static SpicePicture *pictures[N_PICTURES], *mask;

static void make_pictures(void)
{
    static const pixman_format_code_t formats[N_PICTURES] = {PIXMAN_x8r8g8b8, PIXMAN_a8r8g8b8,
                                                             PIXMAN_x1r5g5b5, PIXMAN_a8,
                                                             PIXMAN_x8r8g8b8, PIXMAN_a8r8g8b8};

    for (int i = 0; i < N_PICTURES; i++) {
        pictures[i] =
            spice_picture_create(&spice_allocator_libc, formats[i], (uint32_t)random_in(3, 40),
                                 (uint32_t)random_in(3, 40), NULL);
        fill_random(&pictures[i]->pixels);
        if (formats[i] == PIXMAN_a8r8g8b8)
            premultiply(&pictures[i]->pixels);
    }
    mask = spice_picture_create(&spice_allocator_libc, PIXMAN_a1, 61, 47, NULL);
    fill_random(&mask->pixels);
}

/** A draw of any kind with all that it points to. */
typedef struct {
    uint16_t type;
    union {
        SpiceDisplayBase base;
        SpiceMsgDisplayCopyBits copy_bits;
        SpiceMsgDisplayDrawFill fill;
        SpiceMsgDisplayDrawOpaque opaque;
        SpiceMsgDisplayDrawCopy copy;
        SpiceMsgDisplayDrawMasked masked;
        SpiceMsgDisplayDrawRop3 rop3;
        SpiceMsgDisplayDrawStroke stroke;
        SpiceMsgDisplayDrawText text;
        SpiceMsgDisplayDrawTransparent transparent;
        SpiceMsgDisplayDrawAlphaBlend alpha_blend;
        SpiceMsgDisplayDrawComposite composite;
    } message;
    SpiceDrawOperands operands;
    SpiceImage image; /* what images point to: only that there is one matters here */
    SpicePath path;
    SpicePathSegment segment;
    SpicePointFix points[6];
    int32_t style[4];
    SpiceString string;
    SpiceGlyph glyphs[3];
    uint8_t glyph_data[3][64];
} Draw;

static SpiceRect random_box(void)
{
    const int32_t left = random_in(-20, WIDTH), top = random_in(-20, HEIGHT);

    return (SpiceRect){top, left, top + random_in(1, HEIGHT), left + random_in(1, WIDTH)};
}

static const SpicePixels *random_picture(void)
{
    return &pictures[random_32() % N_PICTURES]->pixels;
}

static SpiceRect random_area(Draw *draw, const SpiceRect *box, bool may_scale)
{
    const SpicePixels *picture = random_picture();
    SpiceRect area;

    draw->operands.operands[SPICE_DRAW_SOURCE].pixels = picture;
    area.left = random_in(-3, picture->width - 1);
    area.top = random_in(-3, picture->height - 1);
    area.right = area.left + box->right - box->left;
    area.bottom = area.top + box->bottom - box->top;
    if (may_scale && random_32() % 2) {
        area.right = area.left + random_in(1, picture->width);
        area.bottom = area.top + random_in(1, picture->height);
    }
    return area;
}

static SpiceBrush random_brush(Draw *draw, SpiceDrawRole role)
{
    SpiceBrush brush = {.type = (uint8_t)(random_32() % 3), .color = random_32()};

    if (brush.type == SPICE_BRUSH_TYPE_PATTERN) {
        brush.pattern = &draw->image;
        brush.position = (SpicePoint){random_in(-90, 90), random_in(-90, 90)};
        draw->operands.operands[role].pixels = random_picture();
    }
    return brush;
}

static SpiceMask random_mask(Draw *draw)
{
    SpiceMask result = {0};

    if (random_32() % 2)
        return result;
    result.flags = (uint8_t)(random_32() % 2);
    result.position = (SpicePoint){random_in(-30, 30), random_in(-30, 30)};
    result.bitmap = &draw->image;
    draw->operands.operands[SPICE_DRAW_MASK].pixels = &mask->pixels;
    return result;
}

static uint16_t random_rop(void)
{
    return (uint16_t)(8u << random_32() % 7 | (random_32() & 0x407));
}

static void make_path(Draw *draw)
{
    for (int i = 0; i < 6; i++)
        draw->points[i] = (SpicePointFix){random_in(-40 * 16, (WIDTH + 40) * 16),
                                          random_in(-40 * 16, (HEIGHT + 40) * 16)};
    draw->segment = (SpicePathSegment){.flags = (uint8_t)(SPICE_PATH_BEGIN | SPICE_PATH_END |
                                                          (random_32() % 2 ? SPICE_PATH_CLOSE : 0)),
                                       .n_points = (uint32_t)random_in(2, 6),
                                       .points = draw->points};
    if (random_32() % 3 == 0) {
        draw->segment.flags |= SPICE_PATH_BEZIER;
        draw->segment.n_points = 4;
    }
    draw->path = (SpicePath){1, &draw->segment};
}

static void make_string(Draw *draw)
{
    static const uint8_t flags[] = {SPICE_STRING_FLAGS_RASTER_A1, SPICE_STRING_FLAGS_RASTER_A4,
                                    SPICE_STRING_FLAGS_RASTER_A8};

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 64; j++)
            draw->glyph_data[i][j] = (uint8_t)random_32();
        draw->glyphs[i] =
            (SpiceGlyph){.render_position = {random_in(-10, WIDTH), random_in(-10, HEIGHT)},
                         .glyph_origin = {random_in(-5, 5), random_in(-5, 5)},
                         .width = (uint16_t)random_in(1, 8),
                         .height = (uint16_t)random_in(1, 8),
                         .data = {draw->glyph_data[i], 64}};
    }
    draw->string = (SpiceString){3, flags[random_32() % 3], draw->glyphs};
}

static void make_stroke(Draw *draw)
{
    SpiceMsgDisplayDrawStroke *m = &draw->message.stroke;

    make_path(draw);
    m->path = &draw->path;
    if (random_32() % 2) {
        for (int i = 0; i < 4; i++)
            draw->style[i] = random_in(1, 9) * 16;
        m->attr = (SpiceLineAttr){
            (uint8_t)(SPICE_LINE_FLAGS_STYLED | (random_32() & SPICE_LINE_FLAGS_START_WITH_GAP)),
            (uint8_t)random_in(1, 4), draw->style};
    }
    m->brush = random_brush(draw, SPICE_DRAW_PATTERN);
    m->fore_mode = random_rop();
}

static void make_composite(Draw *draw)
{
    SpiceMsgDisplayDrawComposite *m = &draw->message.composite;
    static const uint8_t filters[] = {1, 3, 4};

    m->flags = (uint32_t)random_in(0, 13) | (uint32_t)filters[random_32() % 3] << 8 |
               (uint32_t)filters[random_32() % 3] << 11 | (random_32() & 0xfu) << 14;
    m->source_origin = (SpicePoint16){(int16_t)random_in(-20, 20), (int16_t)random_in(-20, 20)};
    draw->operands.operands[SPICE_DRAW_SOURCE].pixels = random_picture();
    if (random_32() % 2) {
        m->flags |= SPICE_COMPOSITE_HAS_MASK;
        draw->operands.operands[SPICE_DRAW_COMPOSITE_MASK].pixels = random_picture();
    }
}

static void make_draw(Draw *draw, uint16_t type)
{
    const SpiceRect box = random_box();

    memset(draw, 0, sizeof(*draw));
    draw->type = type;
    draw->message.base.box = box;
    switch (type) {
    case SPICE_MSG_DISPLAY_COPY_BITS:
        draw->message.copy_bits.source =
            (SpicePoint){box.left + random_in(-9, 9), box.top + random_in(-9, 9)};
        break;
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        draw->message.fill.brush = random_brush(draw, SPICE_DRAW_PATTERN);
        draw->message.fill.rop = random_rop();
        draw->message.fill.mask = random_mask(draw);
        break;
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        draw->message.opaque.source_area = random_area(draw, &box, true);
        draw->message.opaque.scale_mode = random_32() % 2;
        draw->message.opaque.brush = random_brush(draw, SPICE_DRAW_PATTERN);
        draw->message.opaque.rop = random_rop();
        draw->message.opaque.mask = random_mask(draw);
        break;
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        draw->message.copy.source_area = random_area(draw, &box, true);
        draw->message.copy.scale_mode = random_32() % 2;
        draw->message.copy.rop = random_rop();
        draw->message.copy.mask = random_mask(draw);
        break;
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
        draw->message.masked.mask = random_mask(draw);
        break;
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        draw->message.rop3.source_area = random_area(draw, &box, true);
        draw->message.rop3.scale_mode = random_32() % 2;
        draw->message.rop3.brush = random_brush(draw, SPICE_DRAW_PATTERN);
        draw->message.rop3.rop3 = (uint8_t)random_32();
        draw->message.rop3.mask = random_mask(draw);
        break;
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        make_stroke(draw);
        break;
    case SPICE_MSG_DISPLAY_DRAW_TEXT:
        make_string(draw);
        draw->message.text.string = &draw->string;
        if (random_32() % 2)
            draw->message.text.back_area = random_box();
        draw->message.text.fore_brush = random_brush(draw, SPICE_DRAW_PATTERN);
        draw->message.text.back_brush = random_brush(draw, SPICE_DRAW_BACK_PATTERN);
        draw->message.text.fore_mode = SPICE_ROPD_OP_PUT;
        break;
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        draw->message.transparent.source_area = random_area(draw, &box, true);
        draw->message.transparent.true_color = random_32();
        break;
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        draw->message.alpha_blend.source_area = random_area(draw, &box, true);
        draw->message.alpha_blend.alpha = (uint8_t)(random_32() % 3 ? random_32() : 255);
        draw->message.alpha_blend.alpha_flags = random_32() % 2;
        break;
    default:
        make_composite(draw);
        break;
    }
}

static bool paint(const Draw *draw, const SpicePixels *dest, const SpiceClip *clip)
{
    Draw copy = *draw;
    pixman_region32_t region;
    SpiceError error = {0};
    SpiceArena scratch;
    bool done;

    spice_arena_init(&scratch, &spice_allocator_libc, 1 << 24);
    if (clip)
        copy.message.base.clip = *clip;
    done = spice_draw_region(&region, dest, &copy.message, &error);
    if (done)
        done = spice_draw_paint(dest, &region, copy.type, &copy.message, &copy.operands, &scratch,
                                &error);
    pixman_region32_fini(&region);
    spice_arena_clear(&scratch);
    return done;
}

static bool pixels_equal(const SpicePixels *a, const SpicePixels *b)
{
    const uint32_t shown = a->format == PIXMAN_x8r8g8b8 ? 0xffffff : 0xffffffff;

    for (int32_t y = 0; y < a->height; y++) {
        const uint8_t *row_a = spice_pixels_row(a, y), *row_b = spice_pixels_row(b, y);

        if (spice_pixels_bits(a) != 32) {
            if (memcmp(row_a, row_b, spice_pixels_row_size(a->format, a->width)) != 0)
                return false;
            continue;
        }
        for (int32_t x = 0; x < a->width; x++) {
            uint32_t word_a, word_b;

            memcpy(&word_a, row_a + 4 * x, 4);
            memcpy(&word_b, row_b + 4 * x, 4);
            if ((word_a ^ word_b) & shown)
                return false;
        }
    }
    return true;
}

static void copy_pixels(const SpicePixels *to, const SpicePixels *from)
{
    for (int32_t y = 0; y < to->height; y++)
        memcpy(spice_pixels_row(to, y), spice_pixels_row(from, y),
               spice_pixels_row_size(to->format, to->width));
}

static const uint32_t surface_formats[] = {SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FMT_32_ARGB,
                                           SPICE_SURFACE_FMT_16_555, SPICE_SURFACE_FMT_16_565,
                                           SPICE_SURFACE_FMT_8_A};

static SpicePicture *new_surface(uint32_t format)
{
    return spice_surface_create(&spice_allocator_libc, format, WIDTH, HEIGHT, NULL);
}

/** Cut into pieces by any two verticals and horizontals, a draw paints what it paints whole. */
static void test_pieces(uint16_t type, unsigned rounds)
{
    unsigned equal = 0, done = 0;

    for (unsigned round = 0; round < rounds; round++) {
        const uint32_t format = surface_formats[round % 5];
        SpicePicture *whole = new_surface(format), *pieces = new_surface(format);
        const int32_t x[4] = {0, random_in(0, WIDTH / 2), random_in(WIDTH / 2, WIDTH), WIDTH};
        const int32_t y[4] = {0, random_in(0, HEIGHT / 2), random_in(HEIGHT / 2, HEIGHT), HEIGHT};
        bool pieces_done = true, whole_done;
        Draw draw;

        fill_random(&whole->pixels);
        copy_pixels(&pieces->pixels, &whole->pixels);
        make_draw(&draw, type);
        whole_done = paint(&draw, &whole->pixels, NULL);
        for (int i = 0; i < 9; i++) {
            SpiceRect piece = {y[i / 3], x[i % 3], y[i / 3 + 1], x[i % 3 + 1]};
            const SpiceClip clip = {SPICE_CLIP_TYPE_RECTS, 1, &piece};

            pieces_done = paint(&draw, &pieces->pixels, &clip) && pieces_done;
        }
        /* What is refused whole may be painted in pieces (a scaled source that only one of them
         * reaches), not the other way round. */
        done += whole_done;
        equal += (whole_done && pieces_done && pixels_equal(&whole->pixels, &pieces->pixels)) ||
                 !whole_done;
        spice_picture_unref(whole);
        spice_picture_unref(pieces);
    }
    TAP_OK(equal == rounds && done > rounds / 5,
           "message %u in pieces equals it whole: %u of %u rounds, %u painted", type, equal, rounds,
           done);
}

/** A surface that is stored bottom-up shows the same. */
static void test_bottom_up(uint16_t type, unsigned rounds)
{
    unsigned equal = 0;

    for (unsigned round = 0; round < rounds; round++) {
        const uint32_t format = surface_formats[round % 5];
        SpicePicture *down = new_surface(format), *memory = new_surface(format);
        SpicePixels up;
        bool down_done, up_done;
        Draw draw;

        fill_random(&down->pixels);
        if (!spice_surface_wrap(&up, format, WIDTH, HEIGHT,
                                spice_pixels_row(&memory->pixels, HEIGHT - 1),
                                -memory->pixels.stride, NULL))
            break;
        copy_pixels(&up, &down->pixels);
        make_draw(&draw, type);
        down_done = paint(&draw, &down->pixels, NULL);
        up_done = paint(&draw, &up, NULL);
        equal += down_done == up_done && pixels_equal(&down->pixels, &up);
        spice_picture_unref(down);
        spice_picture_unref(memory);
    }
    TAP_OK(equal == rounds,
           "message %u on a bottom-up surface equals it on a top-down one: %u of %u", type, equal,
           rounds);
}

static bool inside(const SpiceRect *rect, int32_t x, int32_t y)
{
    return x >= rect->left && x < rect->right && y >= rect->top && y < rect->bottom;
}

/** Every pixel gets what its source was before. */
static void test_copy_bits(void)
{
    unsigned equal = 0;

    for (unsigned round = 0; round < 300; round++) {
        const uint32_t format = round % 6 == 5 ? SPICE_SURFACE_FMT_1_A : surface_formats[round % 5];
        SpicePicture *surface = new_surface(format), *before = new_surface(format);
        SpiceRect rects[4] = {random_box(), random_box(), random_box(), random_box()};
        const SpiceClip clip = {SPICE_CLIP_TYPE_RECTS, 4, rects};
        const SpicePixels *now = &surface->pixels, *old = &before->pixels;
        const int bits = spice_pixels_bits(now);
        bool same;
        Draw draw;

        fill_random(now);
        copy_pixels(old, now);
        make_draw(&draw, SPICE_MSG_DISPLAY_COPY_BITS);
        same = paint(&draw, now, &clip);
        for (int32_t y = 0; y < HEIGHT; y++) {
            for (int32_t x = 0; x < WIDTH; x++) {
                const SpiceRect *box = &draw.message.base.box;
                const int32_t from_x = x - box->left + draw.message.copy_bits.source.x;
                const int32_t from_y = y - box->top + draw.message.copy_bits.source.y;
                bool painted = inside(box, x, y) && from_x >= 0 && from_x < WIDTH && from_y >= 0 &&
                               from_y < HEIGHT;
                bool clipped = true;

                for (int i = 0; i < 4; i++)
                    clipped = clipped && !inside(&rects[i], x, y);
                painted = painted && !clipped;
                if (bits == 1) {
                    const int32_t ox = painted ? from_x : x, oy = painted ? from_y : y;

                    same = same && (spice_pixels_row(now, y)[x >> 3] >> (x & 7) & 1) ==
                                       (spice_pixels_row(old, oy)[ox >> 3] >> (ox & 7) & 1);
                } else {
                    same = same && memcmp(spice_pixels_row(now, y) + x * bits / 8,
                                          spice_pixels_row(old, painted ? from_y : y) +
                                              (painted ? from_x : x) * bits / 8,
                                          (size_t)bits / 8) == 0;
                }
            }
        }
        equal += same;
        spice_picture_unref(surface);
        spice_picture_unref(before);
    }
    TAP_OK(equal == 300, "COPY_BITS moves what was there before, clipped at will: %u of 300",
           equal);
}

/** A line walked step by step as the protocol writes it down. */
static void walk_line(const SpicePixels *dest, SpicePoint p1, SpicePoint p2, uint32_t pixel)
{
    const int32_t dx = abs(p2.x - p1.x), dy = abs(p2.y - p1.y);
    const int32_t sx = p2.x < p1.x ? -1 : 1, sy = p2.y < p1.y ? -1 : 1;
    const bool x_major = dx > dy;
    const int32_t bias = x_major ? sx < 0 : sy < 0;
    const int32_t major = x_major ? dx : dy, minor = x_major ? dy : dx;
    int32_t x = p1.x, y = p1.y, e = 2 * minor - major - bias;

    for (int32_t i = 0; i < major; i++) {
        if (x >= 0 && x < dest->width && y >= 0 && y < dest->height) {
            uint32_t word;

            memcpy(&word, spice_pixels_row(dest, y) + 4 * x, 4);
            word ^= pixel;
            memcpy(spice_pixels_row(dest, y) + 4 * x, &word, 4);
        }
        if (e >= 0) {
            *(x_major ? &y : &x) += x_major ? sy : sx;
            e += 2 * minor - 2 * major;
        } else {
            e += 2 * minor;
        }
        *(x_major ? &x : &y) += x_major ? sx : sy;
    }
}

static void test_lines(void)
{
    unsigned equal = 0;

    for (unsigned round = 0; round < 3000; round++) {
        const int32_t reach = round % 3 == 0 ? 5000 : round % 3 == 1 ? 100 : 12;
        SpicePicture *ours = new_surface(SPICE_SURFACE_FMT_32_xRGB);
        SpicePicture *walked = new_surface(SPICE_SURFACE_FMT_32_xRGB);
        const SpicePoint p1 = {random_in(-reach, reach) + 30, random_in(-reach, reach) + 20};
        const SpicePoint p2 = {random_in(-reach, reach) + 30, random_in(-reach, reach) + 20};
        Draw draw = {.type = SPICE_MSG_DISPLAY_DRAW_STROKE};

        draw.points[0] = (SpicePointFix){p1.x * 16, p1.y * 16};
        draw.points[1] = (SpicePointFix){p2.x * 16, p2.y * 16};
        draw.segment = (SpicePathSegment){SPICE_PATH_BEGIN | SPICE_PATH_END, 2, draw.points};
        draw.path = (SpicePath){1, &draw.segment};
        draw.message.base.box = (SpiceRect){0, 0, HEIGHT, WIDTH};
        draw.message.stroke.path = &draw.path;
        draw.message.stroke.brush = (SpiceBrush){.type = SPICE_BRUSH_TYPE_SOLID, .color = 0x123456};
        draw.message.stroke.fore_mode = SPICE_ROPD_OP_XOR;
        /* The message's own pointers stay valid in the copy that paint() makes of it. */
        equal += paint(&draw, &ours->pixels, NULL);
        walk_line(&walked->pixels, p1, p2, 0x123456);
        equal -= !pixels_equal(&ours->pixels, &walked->pixels);
        spice_picture_unref(ours);
        spice_picture_unref(walked);
    }
    TAP_OK(equal == 3000, "lines are those of the step-by-step rule: %u of 3000", equal);
}

/** The farthest coordinates are cut off, not walked to and not overflowing. */
static void test_far_lines(void)
{
    static const int32_t far[] = {INT32_MIN, INT32_MAX, 0, 16 * 30};
    SpicePicture *surface = new_surface(SPICE_SURFACE_FMT_32_xRGB);
    unsigned done = 0;

    for (unsigned i = 0; i < 256; i++) {
        Draw draw = {.type = SPICE_MSG_DISPLAY_DRAW_STROKE};

        draw.points[0] = (SpicePointFix){far[i & 3], far[i >> 2 & 3]};
        draw.points[1] = (SpicePointFix){far[i >> 4 & 3], far[i >> 6 & 3]};
        draw.segment = (SpicePathSegment){SPICE_PATH_BEGIN | SPICE_PATH_END, 2, draw.points};
        draw.path = (SpicePath){1, &draw.segment};
        draw.message.base.box = (SpiceRect){0, 0, HEIGHT, WIDTH};
        draw.message.stroke.path = &draw.path;
        draw.message.stroke.fore_mode = SPICE_ROPD_OP_INVERS;
        done += paint(&draw, &surface->pixels, NULL);
    }
    TAP_OK(done == 256, "lines between the ends of the number range are painted");
    spice_picture_unref(surface);
}

static unsigned bit(uint8_t byte, unsigned i)
{
    return byte >> i & 1;
}

static void test_rop_rows(void)
{
    uint8_t a[61], b[61], p[61], out[61];
    bool rows = true, constants = true, ternary = true;

    for (unsigned i = 0; i < sizeof(a); i++) {
        a[i] = (uint8_t)random_32();
        b[i] = (uint8_t)random_32();
        p[i] = (uint8_t)random_32();
    }
    for (unsigned rop = 0; rop < 16; rop++) {
        const SpiceRopConstant constant = spice_rop_with_constant((SpiceRop)rop, 0x5ac30fb1);
        const uint8_t words[4] = {0xb1, 0x0f, 0xc3, 0x5a};

        memcpy(out, b, sizeof(b));
        spice_rop_row((SpiceRop)rop, out, a, sizeof(a));
        for (unsigned i = 0; i < 8 * sizeof(a); i++)
            rows = rows && bit(out[i / 8], i % 8) ==
                               bit((uint8_t)rop, (bit(a[i / 8], i % 8) ? 0u : 2u) +
                                                     (bit(b[i / 8], i % 8) ? 0u : 1u));
        memcpy(out, b, sizeof(b));
        spice_rop_row_constant(constant, out, sizeof(out));
        for (unsigned i = 0; i < 8 * sizeof(a); i++)
            constants =
                constants && bit(out[i / 8], i % 8) ==
                                 bit((uint8_t)rop, (bit(words[i / 8 % 4], i % 8) ? 0u : 2u) +
                                                       (bit(b[i / 8], i % 8) ? 0u : 1u));
    }
    for (unsigned code = 0; code < 256; code++) {
        memcpy(out, b, sizeof(b));
        spice_rop3_row((uint8_t)code, out, a, p, sizeof(a));
        for (unsigned i = 0; i < 8 * sizeof(a); i++)
            ternary = ternary &&
                      bit(out[i / 8], i % 8) ==
                          bit((uint8_t)code, bit(p[i / 8], i % 8) << 2 | bit(a[i / 8], i % 8) << 1 |
                                                 bit(b[i / 8], i % 8));
    }
    TAP_OK(rows, "all 16 functions of two rows");
    TAP_OK(constants, "all 16 functions of a constant and a row");
    TAP_OK(ternary, "all 256 functions of three rows");
}

int main(void)
{
    static const uint16_t types[] = {
        SPICE_MSG_DISPLAY_DRAW_FILL,        SPICE_MSG_DISPLAY_DRAW_OPAQUE,
        SPICE_MSG_DISPLAY_DRAW_COPY,        SPICE_MSG_DISPLAY_DRAW_BLEND,
        SPICE_MSG_DISPLAY_DRAW_BLACKNESS,   SPICE_MSG_DISPLAY_DRAW_WHITENESS,
        SPICE_MSG_DISPLAY_DRAW_INVERS,      SPICE_MSG_DISPLAY_DRAW_ROP3,
        SPICE_MSG_DISPLAY_DRAW_STROKE,      SPICE_MSG_DISPLAY_DRAW_TEXT,
        SPICE_MSG_DISPLAY_DRAW_TRANSPARENT, SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND,
        SPICE_MSG_DISPLAY_DRAW_COMPOSITE,
    };

    make_pictures();
    test_rop_rows();
    test_lines();
    test_far_lines();
    test_copy_bits();
    test_bottom_up(SPICE_MSG_DISPLAY_COPY_BITS, 200);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        test_pieces(types[i], 500);
        test_bottom_up(types[i], 500);
    }
    for (int i = 0; i < N_PICTURES; i++)
        spice_picture_unref(pictures[i]);
    spice_picture_unref(mask);
    return tap_done();
}
