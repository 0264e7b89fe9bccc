/* What senders make of pictures: time of one thread and bytes, by mode and content, beside a plain
 * copy; then the same for office work, made up, and for recorded sessions.
 *
 *     bench-sender [SCREENS [SESSION...]]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../image/screens.h"
#include "core/display/sender.h"
#include "office-trace.h"
#include "session-trace.h"

enum { WIDTH = 1280, HEIGHT = 800, PIXELS = WIDTH * HEIGHT, TILE = 160 };

#define MBIT(n) (UINT64_C(1000000) * (n))

typedef struct {
    const char *name;
    SpiceImageMode mode;
    SpiceWanCompression wan;
    uint64_t bits_per_second;
} Mode;

static const Mode modes[] = {
    {"off", SPICE_IMAGE_MODE_OFF, SPICE_WAN_NEVER, 0},
    {"lz", SPICE_IMAGE_MODE_LZ, SPICE_WAN_NEVER, 0},
    {"lz4", SPICE_IMAGE_MODE_LZ4, SPICE_WAN_NEVER, 0},
    {"glz", SPICE_IMAGE_MODE_GLZ, SPICE_WAN_NEVER, 0},
    {"quic", SPICE_IMAGE_MODE_QUIC, SPICE_WAN_NEVER, 0},
    {"auto-lz", SPICE_IMAGE_MODE_AUTO_LZ, SPICE_WAN_NEVER, 0},
    {"auto-glz", SPICE_IMAGE_MODE_AUTO_GLZ, SPICE_WAN_NEVER, 0},
    {"auto-glz, WAN", SPICE_IMAGE_MODE_AUTO_GLZ, SPICE_WAN_ALWAYS, 0},
    {"adaptive", SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, 0},
    {"adaptive, 10 Gbit/s", SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(10000)},
    {"adaptive, 2 Mbit/s", SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(2)},
};

enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

static SpiceCpuFlags cpu(void)
{
    SpiceCpuFlags flags = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        flags = SPICE_CPU_SSE2 | SPICE_CPU_SSSE3 | SPICE_CPU_SSE41 | SPICE_CPU_AVX2;
    if (__builtin_cpu_supports("bmi2"))
        flags |= SPICE_CPU_BMI2 | SPICE_CPU_LZCNT;
#elif defined(__ARM_NEON)
    flags = SPICE_CPU_NEON;
#endif
    return flags;
}

static double clock_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct {
    SpiceClientImages *images;
    SpiceSender *sender;
    SpiceSenderOutput out;
    uint64_t bytes;
    double seconds;
} Channel;

static void open_channel(Channel *channel, const Mode *mode, bool with_cache)
{
    SpiceSenderConfig config = {.allocator = &spice_allocator_libc,
                                .first_serial = 1,
                                .has_lz4 = true,
                                .mode = mode->mode,
                                .jpeg = mode->wan,
                                .zlib_glz = mode->wan};
    /* As the field's client announces. */
    const SpiceMsgcDisplayInit init = {1, with_cache ? 20971520 : 0, 1, 6290432};
    const SpiceMsgDisplaySurfaceCreate create = {0, WIDTH, HEIGHT, SPICE_SURFACE_FMT_32_xRGB,
                                                 SPICE_SURFACE_FLAGS_PRIMARY};

    *channel = (Channel){0};
    channel->images = spice_client_images_create(&spice_allocator_libc, cpu(), 1, NULL);
    config.images = channel->images;
    channel->sender = spice_sender_create(&config);
    spice_sender_output_init(&channel->out, &spice_allocator_libc);
    if (!spice_sender_take_init(channel->sender, &init, NULL))
        exit(1);
    spice_sender_set_link(channel->sender, mode->bits_per_second, 0);
    spice_sender_encode(channel->sender, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, &channel->out,
                        NULL);
}

static void close_channel(Channel *channel)
{
    spice_sender_output_clear(&channel->out);
    spice_sender_destroy(channel->sender);
    spice_client_images_destroy(channel->images);
}

static void give_back(void *context)
{
    free(context);
}

/** Messages have mini headers. */
static void count_bytes(Channel *channel)
{
    for (unsigned i = 0; i < channel->out.n_messages; i++)
        channel->bytes += channel->out.messages[i].size + 6;
}

/** A picture cut from a screen. */
static void send_picture(Channel *channel, const uint8_t *screen, ptrdiff_t stride, SpiceRect box)
{
    const uint32_t width = (uint32_t)(box.right - box.left);
    const uint32_t height = (uint32_t)(box.bottom - box.top);
    const size_t row = (size_t)width * 4;
    /* Views hand out pictures without gaps between rows. */
    uint8_t *rows = malloc(row * height);
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_BITMAP,
                        .width = width,
                        .height = height,
                        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
                        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
                        .bitmap_width = width,
                        .bitmap_height = height,
                        .stride = (uint32_t)row,
                        .data = {rows, row * height}};
    const SpiceMsgDisplayDrawCopy copy = {
        .base = {.box = box},
        .source = &image,
        .source_area = {0, 0, (int32_t)height, (int32_t)width},
        .rop = SPICE_ROPD_OP_PUT,
    };
    const SpiceGlzLoan loan = {give_back, rows};
    double start;

    for (uint32_t y = 0; y < height; y++)
        memcpy(rows + y * row,
               screen + stride * (ptrdiff_t)(box.top + (int32_t)y) + (size_t)box.left * 4, row);
    start = clock_s();
    if (!spice_sender_encode_lent(channel->sender, SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &loan,
                                  &channel->out, NULL))
        exit(1);
    channel->seconds += clock_s() - start;
    count_bytes(channel);
}

/* --- screens --- */

enum { N_CONTENTS = SCREEN_COUNT + 3 };

static const char *content_name(unsigned content)
{
    static const char *const more[] = {"flat", "shades", "noise"};

    return content < SCREEN_COUNT ? screen_names[content] : more[content - SCREEN_COUNT];
}

static void draw_content(unsigned content, uint32_t *pixels)
{
    uint64_t random = 5;

    if (content < SCREEN_COUNT) {
        screen_draw((Screen)content, WIDTH, HEIGHT, pixels);
        return;
    }
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint32_t *at = &pixels[y * WIDTH + x];

            if (content == SCREEN_COUNT)
                *at = x / 400 * 0x203040u + y / 300 * 0x101010u;
            else if (content == SCREEN_COUNT + 1)
                *at = (x * 255 / WIDTH) << 16 | (y * 255 / HEIGHT) << 8 |
                      (x + y) * 255 / (WIDTH + HEIGHT);
            else
                *at = screen_random(&random) & 0xffffff;
        }
}

static void measure_screens(unsigned n)
{
    static uint32_t pixels[PIXELS], copy[PIXELS];

    printf("%-10s %-22s %10s %10s %10s\n", "content", "mode", "MB/s", "bytes/MB", "MB/s tiles");
    for (unsigned content = 0; content < N_CONTENTS; content++) {
        double start;

        draw_content(content, pixels);
        start = clock_s();
        for (unsigned i = 0; i < n; i++) {
            memcpy(copy, pixels, sizeof(pixels));
            __asm__ volatile("" ::"r"(copy) : "memory");
        }
        printf("%-10s %-22s %10.0f\n", content_name(content), "(memcpy)",
               n * sizeof(pixels) / (clock_s() - start) / 1e6);
        for (unsigned m = 0; m < N_MODES; m++) {
            Channel whole, tiles;

            open_channel(&whole, &modes[m], false);
            open_channel(&tiles, &modes[m], false);
            for (unsigned i = 0; i < n; i++) {
                send_picture(&whole, (const uint8_t *)pixels, 4 * WIDTH,
                             (SpiceRect){0, 0, HEIGHT, WIDTH});
                for (int32_t y = 0; y < HEIGHT; y += TILE)
                    for (int32_t x = 0; x < WIDTH; x += TILE)
                        send_picture(&tiles, (const uint8_t *)pixels, 4 * WIDTH,
                                     (SpiceRect){y, x, y + TILE, x + TILE});
            }
            printf("%-10s %-22s %10.0f %10.0f %10.0f\n", content_name(content), modes[m].name,
                   n * sizeof(pixels) / whole.seconds / 1e6,
                   (double)whole.bytes / (n * sizeof(pixels) / 1e6),
                   n * sizeof(pixels) / tiles.seconds / 1e6);
            close_channel(&whole);
            close_channel(&tiles);
        }
    }
}

/* --- traces --- */

static void print_head(const char *name)
{
    printf("\n%-22s %10s %12s %12s %8s %8s\n", name, "pictures", "bytes in", "bytes out", "CPU ms",
           "hits");
}

static void print_channel(const Mode *mode, const Channel *channel)
{
    const SpiceSenderCounters *counters = spice_sender_counters(channel->sender);
    uint64_t images = counters->hits, bytes_in = counters->hit_bytes;

    for (unsigned i = 0; i < SPICE_IMAGE_N_CODECS; i++) {
        images += counters->codecs[i].images;
        bytes_in += counters->codecs[i].bytes_in;
    }
    printf("%-22s %10llu %12llu %12llu %8.1f %8llu\n", mode->name, (unsigned long long)images,
           (unsigned long long)bytes_in, (unsigned long long)channel->bytes, channel->seconds * 1e3,
           (unsigned long long)counters->hits);
}

static void send_change(void *context, const uint32_t *pixels, SpiceRect box)
{
    send_picture(context, (const uint8_t *)pixels, 4 * WIDTH, box);
}

static void measure_office(void)
{
    print_head("office work");
    for (unsigned m = 0; m < N_MODES; m++) {
        Channel channel;

        open_channel(&channel, &modes[m], true);
        office_trace_run(WIDTH, HEIGHT, send_change, &channel);
        print_channel(&modes[m], &channel);
        close_channel(&channel);
    }
}

static void send_message(void *context, uint16_t type, const void *message)
{
    Channel *channel = context;

    if (!spice_sender_encode(channel->sender, type, message, &channel->out, NULL))
        exit(1);
    if (type != SPICE_MSG_DISPLAY_SURFACE_CREATE)
        count_bytes(channel);
}

static void send_part(void *context, const SpicePixels *primary, pixman_box32_t box)
{
    if (spice_pixels_bits(primary) == 32)
        send_picture(context, primary->data, primary->stride,
                     (SpiceRect){box.y1, box.x1, box.y2, box.x2});
}

static void measure_session(const char *folder)
{
    const char *name = strrchr(folder, '/');
    uint64_t recorded = 0;

    print_head(name ? name + 1 : folder);
    for (unsigned m = 0; m < N_MODES; m++) {
        Channel channel;

        open_channel(&channel, &modes[m], true);
        recorded = session_trace_run(folder, &(SessionTrace){send_message, send_part, &channel});
        print_channel(&modes[m], &channel);
        close_channel(&channel);
    }
    printf("%-22s %10s %12s %12llu\n", "(as recorded)", "", "", (unsigned long long)recorded);
}

int main(int argc, char **argv)
{
    measure_screens(argc > 1 ? (unsigned)atoi(argv[1]) : 8);
    measure_office();
    for (int i = 2; i < argc; i++)
        measure_session(argv[i]);
    return 0;
}
