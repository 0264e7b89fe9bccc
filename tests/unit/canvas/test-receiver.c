/* The client's half of a display channel beside its pixels: caches, waiting, streams, state.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "display-stream.h"

#include "core/image/lz.h"

#include "../tap.h"

enum { SIDE = 16 };

static const SpiceRect whole = {0, 0, SIDE, SIDE};

static SpiceReceiverResult feed(Display *display, uint16_t type, const void *message)
{
    SpiceReceiverResult result;

    spice_receiver_feed(display->receiver, type, message, &result);
    return result;
}

static SpiceReceiverResult create_surface(Display *display, uint32_t id, uint32_t width,
                                          uint32_t height, uint32_t format, uint32_t flags)
{
    const SpiceMsgDisplaySurfaceCreate create = {id, width, height, format, flags};

    return feed(display, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create);
}

static void open_with_primary(Display *display)
{
    display_open(display, (SpiceReceiverLimits){0});
    create_surface(display, 0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FLAGS_PRIMARY);
}

static uint32_t pixel(const Display *display, int32_t x, int32_t y)
{
    uint32_t word = 0;

    memcpy(&word, spice_pixels_row(spice_receiver_surface(display->receiver, 0), y) + 4 * x, 4);
    return word & 0xffffff;
}

static uint8_t red_data[SIDE * SIDE * 4], green_data[SIDE * SIDE * 4];

static SpiceImage bitmap_image(uint64_t id, uint8_t flags, const uint8_t *data)
{
    return (SpiceImage){.id = id,
                        .type = SPICE_IMAGE_TYPE_BITMAP,
                        .flags = flags,
                        .width = SIDE,
                        .height = SIDE,
                        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
                        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
                        .bitmap_width = SIDE,
                        .bitmap_height = SIDE,
                        .stride = SIDE * 4,
                        .data = {data, SIDE * SIDE * 4}};
}

static SpiceImage from_cache(uint64_t id, uint8_t type)
{
    return (SpiceImage){.id = id, .type = type, .width = SIDE, .height = SIDE};
}

static SpiceMsgDisplayDrawCopy copy_of(SpiceImage *image)
{
    return (SpiceMsgDisplayDrawCopy){
        .base = {.box = whole}, .source = image, .source_area = whole, .rop = SPICE_ROPD_OP_PUT};
}

static SpiceReceiverResult draw_copy(Display *display, SpiceImage image, bool visible)
{
    SpiceMsgDisplayDrawCopy copy = copy_of(&image);

    if (!visible)
        copy.base.clip.type = SPICE_CLIP_TYPE_RECTS;
    return feed(display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
}

static void test_waiting(void)
{
    SpiceImage wanted = from_cache(7, SPICE_IMAGE_TYPE_FROM_CACHE);
    SpiceMsgDisplayDrawCopy copy = copy_of(&wanted);
    SpiceReceiverConfig config = {.allocator = &spice_allocator_libc};
    SpiceReceiverResult result;
    Display display, other = {0};

    open_with_primary(&display);
    config.pixmaps = display.pixmaps;
    other.receiver = spice_receiver_create(&config);
    create_surface(&other, 0, SIDE, SIDE, SPICE_SURFACE_FMT_16_565, SPICE_SURFACE_FLAGS_PRIMARY);

    display_fill(&display, whole, 0x111111);
    result = feed(&display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    TAP_OK(result.outcome == SPICE_RECEIVED_WAIT && result.changes == 0 &&
               pixel(&display, 3, 3) == 0x111111,
           "a cached image that is not there is waited for, and nothing is painted");
    draw_copy(&other, bitmap_image(7, SPICE_IMAGE_FLAGS_CACHE_ME, red_data), true);
    result = feed(&display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && result.changes == SPICE_CHANGED_PIXELS &&
               pixel(&display, 3, 3) == 0xff0000,
           "once another channel has brought it, the same message is applied");
    wanted.id = 8;
    result = feed(&display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    spice_receiver_give_up(display.receiver, SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &result);
    TAP_OK(result.outcome == SPICE_RECEIVED_DROPPED && result.error.code == SPICE_ERROR_STATE,
           "giving up drops the draw");
    result = draw_copy(&display, from_cache(9, SPICE_IMAGE_TYPE_FROM_CACHE), false);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && result.changes == 0,
           "a draw that paints nothing does not wait");
    TAP_OK(spice_receiver_counters(display.receiver)->waits == 2 &&
               spice_receiver_counters(display.receiver)->dropped == 1 &&
               spice_receiver_counters(display.receiver)->errors[SPICE_ERROR_STATE] == 1,
           "waits and drops are counted");
    spice_receiver_destroy(other.receiver);
    display_close(&display);
}

static void test_lossless(void)
{
    SpicePicture *lossy =
        spice_picture_create(&spice_allocator_libc, PIXMAN_x8r8g8b8, SIDE, SIDE, NULL);
    SpiceReceiverResult result;
    Display display;

    open_with_primary(&display);
    memset(lossy->pixels.data, 0x22, SIDE * SIDE * 4);
    spice_pixmap_cache_put(display.pixmaps, 5, lossy, true, NULL);
    spice_pixmap_cache_release(display.pixmaps, lossy);
    result = draw_copy(&display, from_cache(5, SPICE_IMAGE_TYPE_FROM_CACHE), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && pixel(&display, 0, 0) == 0x222222,
           "FROM_CACHE takes a lossy image");
    result = draw_copy(&display, from_cache(5, SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_WAIT, "FROM_CACHE_LOSSLESS waits for a better one");
    spice_receiver_give_up(display.receiver, SPICE_MSG_DISPLAY_DRAW_COPY,
                           &(SpiceMsgDisplayDrawCopy){.base = {.surface_id = 9}}, &result);
    draw_copy(&display, bitmap_image(5, SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME, green_data), false);
    result = draw_copy(&display, from_cache(5, SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && pixel(&display, 0, 0) == 0x00ff00,
           "CACHE_REPLACE_ME brings it, even by a draw that is clipped away");
    display_close(&display);
}

static void test_side_effects(void)
{
    SpiceImage image = bitmap_image(1, SPICE_IMAGE_FLAGS_CACHE_ME, red_data);
    SpiceMsgDisplayDrawCopy copy = copy_of(&image);
    SpiceMsgDisplayInvalList invalid = {1, &(SpiceResource){SPICE_RES_TYPE_PIXMAP, 1}};
    SpiceReceiverResult result;
    Display display;

    open_with_primary(&display);
    copy.base.surface_id = 77;
    result = feed(&display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    TAP_OK(result.outcome == SPICE_RECEIVED_DROPPED && result.error.code == SPICE_ERROR_STATE,
           "a draw on a surface that does not exist is dropped");
    result = draw_copy(&display, from_cache(1, SPICE_IMAGE_TYPE_FROM_CACHE), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && pixel(&display, 9, 9) == 0xff0000,
           "but its image is in the cache");
    result = feed(&display, SPICE_MSG_DISPLAY_INVAL_LIST, &invalid);
    result = draw_copy(&display, from_cache(1, SPICE_IMAGE_TYPE_FROM_CACHE), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_WAIT, "INVAL_LIST takes it out");
    spice_receiver_give_up(display.receiver, SPICE_MSG_DISPLAY_DRAW_COPY,
                           &(SpiceMsgDisplayDrawCopy){.base = {.surface_id = 9}}, &result);

    image.data.size = 5;
    copy.base.surface_id = 0;
    feed(&display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    result = draw_copy(&display, from_cache(1, SPICE_IMAGE_TYPE_FROM_CACHE), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_DROPPED, "an image that was refused is not waited for");

    draw_copy(&display, bitmap_image(2, SPICE_IMAGE_FLAGS_CACHE_ME, red_data), true);
    feed(&display, SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS, NULL);
    result = draw_copy(&display, from_cache(2, SPICE_IMAGE_TYPE_FROM_CACHE), true);
    TAP_OK(result.outcome == SPICE_RECEIVED_WAIT, "INVAL_ALL_PIXMAPS empties the cache");
    display_close(&display);
}

static void test_palettes(void)
{
    static const uint8_t ones[SIDE] = {0xff, 0xff, 0xff, 0xff};
    SpicePalette palette = {.unique = 40, .n_entries = 2, .entries = (uint32_t[]){1, 0x0000ff}};
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_BITMAP,
                        .width = 8,
                        .height = 4,
                        .bitmap_format = SPICE_BITMAP_FMT_1BIT_BE,
                        .bitmap_flags =
                            SPICE_BITMAP_FLAGS_TOP_DOWN | SPICE_BITMAP_FLAGS_PAL_CACHE_ME,
                        .bitmap_width = 8,
                        .bitmap_height = 4,
                        .stride = 1,
                        .palette = {.palette = &palette},
                        .data = {ones, 4}};
    const SpiceMsgDisplayInvalPalette invalid = {40};
    SpiceReceiverResult result;
    Display display;

    open_with_primary(&display);
    draw_copy(&display, image, false);
    image.bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN | SPICE_BITMAP_FLAGS_PAL_FROM_CACHE;
    image.palette = (SpicePaletteRef){.id = 40};
    result = draw_copy(&display, image, true);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && pixel(&display, 1, 1) == 0x0000ff,
           "a palette is stored by a draw that is clipped away");
    feed(&display, SPICE_MSG_DISPLAY_INVAL_PALETTE, &invalid);
    result = draw_copy(&display, image, true);
    TAP_OK(result.outcome == SPICE_RECEIVED_DROPPED && result.error.code == SPICE_ERROR_STATE,
           "INVAL_PALETTE takes it out, and a draw that names it is dropped");

    image.bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN | SPICE_BITMAP_FLAGS_PAL_CACHE_ME;
    image.palette = (SpicePaletteRef){.palette = &palette};
    for (palette.unique = 1; palette.unique <= SIDE * SIDE; palette.unique++)
        draw_copy(&display, image, true);
    image.bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN | SPICE_BITMAP_FLAGS_PAL_FROM_CACHE;
    image.palette = (SpicePaletteRef){.id = SIDE * SIDE};
    result = draw_copy(&display, image, true);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED, "more palettes than fit: the last is there");
    feed(&display, SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES, NULL);
    result = draw_copy(&display, image, true);
    TAP_OK(result.outcome == SPICE_RECEIVED_DROPPED, "INVAL_ALL_PALETTES empties the cache");
    display_close(&display);
}

static void test_surfaces(void)
{
    const SpiceMsgDisplaySurfaceDestroy destroy = {0}, unknown = {900};
    const SpiceMsgDisplayMode mode = {20, 10, 16};
    SpiceReceiverResult result;
    Display display;

    display_open(&display, (SpiceReceiverLimits){.surface_bytes = 64 * 64 * 4});
    result =
        create_surface(&display, 0, 32, 32, SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FLAGS_PRIMARY);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED &&
               result.changes == (SPICE_CHANGED_PRIMARY | SPICE_CHANGED_PIXELS) &&
               pixman_region32_extents((pixman_region32_t *)result.damage)->x2 == 32 &&
               pixel(&display, 31, 31) == 0,
           "a new primary is zero and wholly damaged");
    TAP_OK(create_surface(&display, 1, 64, 64, SPICE_SURFACE_FMT_32_xRGB, 0).error.code ==
               SPICE_ERROR_LIMIT,
           "surfaces beyond the limit are refused");
    TAP_OK(create_surface(&display, 1, 32, 32, 33, 0).error.code == SPICE_ERROR_VALUE,
           "so are unknown formats");
    TAP_OK(create_surface(&display, 1, 0, 32, SPICE_SURFACE_FMT_32_xRGB, 0).error.code ==
               SPICE_ERROR_VALUE,
           "and empty surfaces");
    TAP_OK(create_surface(&display, 1, 0x40000001, 1, SPICE_SURFACE_FMT_32_xRGB, 0).error.code ==
               SPICE_ERROR_LIMIT,
           "and sizes that would wrap");
    TAP_OK(create_surface(&display, 1024, 1, 1, SPICE_SURFACE_FMT_32_xRGB, 0).error.code ==
               SPICE_ERROR_VALUE,
           "and ids beyond the limit");
    TAP_OK(create_surface(&display, 3, 1, 1, SPICE_SURFACE_FMT_32_xRGB, 1).error.code ==
               SPICE_ERROR_VALUE,
           "and a primary that is not surface 0");
    display_fill(&display, (SpiceRect){0, 0, 32, 32}, 0x445566);
    result =
        create_surface(&display, 0, 32, 32, SPICE_SURFACE_FMT_16_555, SPICE_SURFACE_FLAGS_PRIMARY);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && pixel(&display, 5, 5) == 0x445566,
           "a primary created again in its size keeps its pixels and format");
    feed(&display, SPICE_MSG_DISPLAY_MARK, NULL);
    TAP_OK(spice_receiver_is_marked(display.receiver), "MARK shows the primary");
    result = feed(&display, SPICE_MSG_DISPLAY_RESET, NULL);
    TAP_OK(pixel(&display, 5, 5) == 0 && !spice_receiver_is_marked(display.receiver) &&
               (result.changes & SPICE_CHANGED_MARK),
           "RESET clears and hides it");
    TAP_OK(feed(&display, SPICE_MSG_DISPLAY_SURFACE_DESTROY, &unknown).outcome ==
               SPICE_RECEIVED_APPLIED,
           "destroying what does not exist is no error");
    result = feed(&display, SPICE_MSG_DISPLAY_SURFACE_DESTROY, &destroy);
    TAP_OK(result.changes == SPICE_CHANGED_PRIMARY && !spice_receiver_primary(display.receiver),
           "a destroyed primary is gone");
    TAP_OK(create_surface(&display, 1, 64, 64, SPICE_SURFACE_FMT_32_xRGB, 0).outcome ==
               SPICE_RECEIVED_APPLIED,
           "and its memory may be used again");
    create_surface(&display, 1, 1, 1, SPICE_SURFACE_FMT_1_A, 0);
    feed(&display, SPICE_MSG_DISPLAY_MODE, &mode);
    TAP_OK(spice_receiver_primary(display.receiver) &&
               spice_receiver_primary(display.receiver)->format == PIXMAN_x1r5g5b5 &&
               spice_receiver_primary(display.receiver)->width == 20,
           "MODE creates a primary");
    display_close(&display);
}

/** COPY from the surface itself: as if it were read completely first. */
static void test_self_copy(void)
{
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_SURFACE, .width = SIDE, .height = SIDE};
    SpiceMsgDisplayDrawCopy copy = copy_of(&image);
    bool equal = true;
    Display display;

    open_with_primary(&display);
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++)
            display_fill(&display, (SpiceRect){y, x, y + 1, x + 1}, (uint32_t)(y << 8 | x));
    copy.base.box = (SpiceRect){3, 2, SIDE, SIDE};
    copy.source_area = (SpiceRect){0, 0, SIDE - 3, SIDE - 2};
    feed(&display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++)
            equal = equal && pixel(&display, x, y) ==
                                 (uint32_t)(y >= 3 && x >= 2 ? (y - 3) << 8 | (x - 2) : y << 8 | x);
    TAP_OK(equal, "an overlapping copy of a surface to itself reads first");
    display_close(&display);
}

static void test_streams(void)
{
    uint32_t rows[2 * 2] = {0xa, 0xb, 0xc, 0xd};
    const SpicePixels frame = {PIXMAN_x8r8g8b8, 2, 2, 8, (uint8_t *)rows};
    SpiceRect clip_rect = {0, 0, 4, 1};
    SpiceMsgDisplayStreamCreate create = {.id = 49,
                                          .codec = SPICE_VIDEO_CODEC_TYPE_MJPEG,
                                          .flags = SPICE_STREAM_FLAGS_TOP_DOWN,
                                          .stream_width = 2,
                                          .stream_height = 2,
                                          .dest = {0, 0, 4, 4},
                                          .clip = {.type = SPICE_CLIP_TYPE_RECTS}};
    SpiceMsgDisplayStreamClip clip = {.id = 49};
    const SpiceMsgDisplayStreamDestroy destroy = {49};
    const SpiceMsgDisplayStreamData data = {.id = 49};
    const SpiceRect sized = {8, 8, 10, 10};
    SpiceReceiverResult result;
    Display display;

    open_with_primary(&display);
    TAP_OK(feed(&display, SPICE_MSG_DISPLAY_STREAM_DATA, &data).error.code == SPICE_ERROR_STATE,
           "data of a stream that does not exist is dropped");
    result = feed(&display, SPICE_MSG_DISPLAY_STREAM_CREATE, &create);
    TAP_OK(result.changes == SPICE_CHANGED_STREAMS &&
               spice_receiver_stream(display.receiver, 49)->codec == 1 &&
               feed(&display, SPICE_MSG_DISPLAY_STREAM_DATA, &data).outcome ==
                   SPICE_RECEIVED_APPLIED,
           "a stream is created");
    spice_receiver_paint_frame(display.receiver, 49, &frame, NULL, &result);
    TAP_OK(result.outcome == SPICE_RECEIVED_APPLIED && result.changes == 0 &&
               pixel(&display, 0, 0) == 0,
           "with an empty clip it shows nothing");
    feed(&display, SPICE_MSG_DISPLAY_STREAM_CLIP, &clip);
    spice_receiver_paint_frame(display.receiver, 49, &frame, NULL, &result);
    TAP_OK(pixel(&display, 0, 0) == 0xa && pixel(&display, 1, 1) == 0xa &&
               pixel(&display, 2, 1) == 0xb && pixel(&display, 1, 2) == 0xc &&
               pixel(&display, 3, 3) == 0xd && pixel(&display, 4, 4) == 0,
           "a frame is scaled by its nearest pixels");
    clip.clip = (SpiceClip){SPICE_CLIP_TYPE_RECTS, 1, &clip_rect};
    feed(&display, SPICE_MSG_DISPLAY_STREAM_CLIP, &clip);
    display_fill(&display, whole, 0);
    spice_receiver_paint_frame(display.receiver, 49, &frame, NULL, &result);
    TAP_OK(pixel(&display, 0, 3) == 0xc && pixel(&display, 1, 0) == 0,
           "and cut by the clip of the stream");
    create.flags = 0;
    create.clip.type = SPICE_CLIP_TYPE_NONE;
    feed(&display, SPICE_MSG_DISPLAY_STREAM_CREATE, &create);
    spice_receiver_paint_frame(display.receiver, 49, &frame, &sized, &result);
    TAP_OK(pixel(&display, 8, 8) == 0xc && pixel(&display, 9, 9) == 0xb &&
               pixman_region32_extents((pixman_region32_t *)result.damage)->x1 == 8,
           "a stream that is not top-down shows the last row first, where the frame says");
    feed(&display, SPICE_MSG_DISPLAY_STREAM_DESTROY, &destroy);
    spice_receiver_paint_frame(display.receiver, 49, &frame, NULL, &result);
    TAP_OK(!spice_receiver_stream(display.receiver, 49) && result.outcome == SPICE_RECEIVED_DROPPED,
           "a destroyed stream is gone");
    create.id = 64;
    TAP_OK(feed(&display, SPICE_MSG_DISPLAY_STREAM_CREATE, &create).error.code == SPICE_ERROR_VALUE,
           "stream ids end at 63");
    create.id = 63;
    create.clip = (SpiceClip){SPICE_CLIP_TYPE_RECTS, 1, &clip_rect};
    feed(&display, SPICE_MSG_DISPLAY_STREAM_CREATE, &create);
    feed(&display, SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL, NULL);
    TAP_OK(!spice_receiver_stream(display.receiver, 63), "STREAM_DESTROY_ALL does so");
    display_close(&display);
}

static void test_monitors(void)
{
    static SpiceHead heads[300];
    const SpiceMsgDisplayMonitorsConfig many = {300, 0, heads}, none = {0, 4, NULL},
                                        clamped = {3, 2, heads};
    unsigned n, most;
    Display display;

    open_with_primary(&display);
    heads[1].width = 800;
    feed(&display, SPICE_MSG_DISPLAY_MONITORS_CONFIG, &many);
    spice_receiver_monitors(display.receiver, &n, &most);
    TAP_OK(n == 256 && most == 256, "monitors are limited to 256");
    feed(&display, SPICE_MSG_DISPLAY_MONITORS_CONFIG, &clamped);
    TAP_OK(spice_receiver_monitors(display.receiver, &n, &most)[1].width == 800 && n == 2 &&
               most == 2,
           "and to what is allowed");
    TAP_OK(feed(&display, SPICE_MSG_DISPLAY_MONITORS_CONFIG, &none).changes == 0 &&
               (spice_receiver_monitors(display.receiver, &n, &most), n == 2),
           "no monitors say nothing");
    display_close(&display);
}

static void test_lz(bool top_down, uint8_t type, const char *name)
{
    enum { WIDTH = 13, HEIGHT = 11 };
    uint32_t truth[WIDTH * HEIGHT];
    uint8_t data[4096];
    SpiceLzEncoder *encoder = spice_lz_encoder_new(&spice_allocator_libc, 0);
    const ptrdiff_t stride = top_down ? WIDTH * 4 : -WIDTH * 4;
    const SpiceLzSource source = {
        type, WIDTH, HEIGHT, (uint8_t *)truth + (top_down ? 0 : (HEIGHT - 1) * WIDTH * 4), stride};
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_LZ_RGB, .width = WIDTH, .height = HEIGHT};
    bool equal = true;
    Display display;

    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        truth[i] = i / 3 * 0x01030507;
    image.data = (SpiceBytes){data, spice_lz_encode(encoder, &source, data, sizeof(data))};
    spice_lz_encoder_free(encoder);
    open_with_primary(&display);
    draw_copy(&display, image, true);
    for (int32_t y = 0; y < HEIGHT; y++)
        for (int32_t x = 0; x < WIDTH; x++)
            equal = equal && pixel(&display, x, y) ==
                                 (truth[(top_down ? y : HEIGHT - 1 - y) * WIDTH + x] & 0xffffff);
    TAP_OK(equal && image.data.size > 0, "LZ %s %s", name, top_down ? "top-down" : "bottom-up");
    image.width++;
    TAP_OK(draw_copy(&display, image, true).outcome == SPICE_RECEIVED_DROPPED,
           "LZ %s of another size than the image's is refused", name);
    display_close(&display);
}

static void test_limits(void)
{
    Display display;

    display_open(&display, (SpiceReceiverLimits){.work = 3 * (SIDE * SIDE + 1)});
    create_surface(&display, 0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FLAGS_PRIMARY);
    for (int i = 0; i < 3; i++)
        TAP_OK(display_fill(&display, whole, 1) == SPICE_RECEIVED_APPLIED, "work within its bound");
    TAP_OK(display_fill(&display, whole, 1) == SPICE_RECEIVED_DROPPED, "work beyond its bound");
    display_close(&display);
}

static void test_cache_limit(void)
{
    SpicePixmapCache *cache =
        spice_pixmap_cache_create(&spice_allocator_libc, NULL, SIDE * SIDE * 5);
    SpicePicture *picture =
                     spice_picture_create(&spice_allocator_libc, PIXMAN_x8r8g8b8, SIDE, SIDE, NULL),
                 *got;
    unsigned taken = 0;
    bool kept = true;

    for (uint64_t id = 0; id < 20; id++)
        taken += spice_pixmap_cache_put(cache, id, picture, false, NULL);
    TAP_OK(taken == 10, "the cache takes twice what was announced, no more");
    TAP_OK(spice_pixmap_cache_get(cache, 19, false, &got) == SPICE_PIXMAP_BROKEN,
           "what it did not take is not waited for");
    spice_pixmap_cache_clear(cache);
    for (uint64_t id = 0; id < 3000; id++)
        spice_pixmap_cache_put(cache, id << 32, NULL, false, NULL);
    for (uint64_t id = 0; id < 3000; id += 2)
        spice_pixmap_cache_remove(cache, id << 32);
    for (uint64_t id = 0; id < 3000; id++)
        kept = kept && spice_pixmap_cache_get(cache, id << 32, false, &got) ==
                           (id % 2 ? SPICE_PIXMAP_BROKEN : SPICE_PIXMAP_ABSENT);
    TAP_OK(kept, "thousands of entries are found or not as they should be");
    spice_picture_unref(picture);
    spice_pixmap_cache_destroy(cache);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(red_data); i += 4) {
        red_data[i + 2] = 0xff;
        green_data[i + 1] = 0xff;
    }
    test_waiting();
    test_lossless();
    test_side_effects();
    test_palettes();
    test_surfaces();
    test_self_copy();
    test_streams();
    test_monitors();
    test_lz(true, SPICE_LZ_RGB32, "RGB32");
    test_lz(false, SPICE_LZ_RGB32, "RGB32");
    test_lz(true, SPICE_LZ_RGBA, "RGBA");
    test_lz(false, SPICE_LZ_RGBA, "RGBA");
    test_limits();
    test_cache_limit();
    return tap_done();
}
