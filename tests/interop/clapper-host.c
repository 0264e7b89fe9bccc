/* A host without a guest whose film and sound are together: each second of its clock a tone of 100 ms
 * begins, and the picture bears its number (clapper.h).
 *
 *     clapper-host [--drift PPM] [--sound-from SECOND] [--silent] [--pause SECOND LENGTH] [--tone]
 *
 * The sound's clock goes so many millionths faster than time; sound begins only then, or never;
 * film and sound stop for so many seconds; a tone of 440 Hz without an end instead of one each second. It prints its
 * port, plays from when a client comes, and ends with its standard input. "stall US" says at which monotonic
 * time it had not come to do anything for long, as happens on a busy machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "clapper.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/embed/test-host.h"

enum {
    RATE = 48000,
    PACKET = 480,
    FRAME_US = 1000000 / CLAPPER_FPS,
    TURN_MS = 2,
    STALL_US = 60000
};

static double drift_ppm, sound_from, pause_at = 1e9, pause_length;
static bool silent, tone;

static bool parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--silent") == 0)
            silent = true;
        else if (strcmp(argv[i], "--tone") == 0)
            tone = true;
        else if (strcmp(argv[i], "--drift") == 0 && i + 1 < argc)
            drift_ppm = atof(argv[++i]);
        else if (strcmp(argv[i], "--sound-from") == 0 && i + 1 < argc)
            sound_from = atof(argv[++i]);
        else if (strcmp(argv[i], "--pause") == 0 && i + 2 < argc) {
            pause_at = atof(argv[++i]);
            pause_length = atof(argv[++i]);
        } else
            return false;
    }
    return true;
}

/* Picture */

/** A pattern that moves, as a film does, and the number. */
static void paint(uint32_t *pixels, unsigned frame)
{
    const unsigned number = frame % CLAPPER_NUMBERS;

    for (int y = 0; y < CLAPPER_HEIGHT; y++)
        for (int x = 0; x < CLAPPER_WIDTH; x++) {
            const uint32_t grey =
                (uint32_t)(128 + 60 * sin((x + 4 * (int)frame) / 20.0) * cos(y / 30.0));

            pixels[y * CLAPPER_WIDTH + x] = grey << 16 | grey << 8 | grey;
        }
    for (int y = CLAPPER_BAR_Y; y < CLAPPER_BAR_Y + CLAPPER_BAR_HEIGHT; y++)
        for (int x = CLAPPER_X(0); x < CLAPPER_X(CLAPPER_BITS); x++)
            pixels[y * CLAPPER_WIDTH + x] = 0xffffff;
    for (int bit = 0; bit < CLAPPER_BITS; bit++)
        for (int y = 0; y < CLAPPER_SIDE; y++)
            for (int x = 0; x < CLAPPER_SIDE; x++)
                pixels[(CLAPPER_Y + y) * CLAPPER_WIDTH + CLAPPER_X(bit) + x] =
                    number >> bit & 1 ? 0xffffff : 0;
}

static void show(Host *host, unsigned frame)
{
    static uint32_t pixels[CLAPPER_WIDTH * CLAPPER_HEIGHT];
    const SpiceRect box = {0, 0, CLAPPER_HEIGHT, CLAPPER_WIDTH};
    SpiceImage image = {
        .id = frame + 1,
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .width = CLAPPER_WIDTH,
        .height = CLAPPER_HEIGHT,
        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = CLAPPER_WIDTH,
        .bitmap_height = CLAPPER_HEIGHT,
        .stride = 4 * CLAPPER_WIDTH,
        .data = {(const uint8_t *)pixels, sizeof pixels},
    };
    const SpiceMsgDisplayDrawCopy copy = {
        .base = {.surface_id = 0, .box = box},
        .source = &image,
        .source_area = box,
        .rop = SPICE_ROPD_OP_PUT,
    };
    GuestWriter writer = host_begin(host);

    paint(pixels, frame);
    host_push(host, QXL_CMD_DRAW, guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_COPY, &copy), 1,
              0);
}

/* Sound */

static void fill(uint32_t *samples, uint32_t n, uint64_t at)
{
    for (uint32_t i = 0; i < n; i++) {
        const double t = (double)(at + i) / RATE / (1 + drift_ppm / 1e6);
        const double volume = tone || t - floor(t) < 0.1 ? 9000 : 0;
        const int16_t value = (int16_t)(volume * sin(2 * M_PI * (tone ? 440 : 1000) * t));

        samples[i] = (uint16_t)value | (uint32_t)(uint16_t)value << 16;
    }
}

/** Plays what is due by `t` seconds; `plays`: whether it plays now. */
static void play(SpicePlaybackInstance *playback, double t, bool plays)
{
    static uint64_t played;
    static bool playing;
    uint32_t *samples, n;

    if (plays != playing) {
        (plays ? spice_server_playback_start : spice_server_playback_stop)(playback);
        if (plays)
            played = (uint64_t)(t * RATE * (1 + drift_ppm / 1e6));
        playing = plays;
    }
    while (playing && (double)(played + PACKET) <= t * RATE * (1 + drift_ppm / 1e6)) {
        spice_server_playback_get_buffer(playback, &samples, &n);
        if (samples) {
            fill(samples, n, played);
            spice_server_playback_put_samples(playback, samples);
        }
        played += PACKET;
    }
}

int main(int argc, char **argv)
{
    static const SpicePlaybackInterface interface = {{SPICE_INTERFACE_PLAYBACK, "clapper",
                                                      SPICE_INTERFACE_PLAYBACK_MAJOR,
                                                      SPICE_INTERFACE_PLAYBACK_MINOR}};
    SpicePlaybackInstance playback = {{&interface.base}, NULL};
    Host *host;
    int64_t start = 0, last = g_get_monotonic_time();
    unsigned frame = 0;
    int listener;

    if (!parse(argc, argv))
        return 2;
    host = host_new();
    spice_server_set_streaming_video(host->server, SPICE_STREAM_VIDEO_ALL);
    spice_server_add_interface(host->server, &playback.base);
    spice_server_set_playback_rate(&playback, RATE);
    host_create_primary(host, CLAPPER_WIDTH, CLAPPER_HEIGHT);
    listener = host_listen();
    for (;;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        const int64_t now = g_get_monotonic_time();
        const double t = start ? (double)(now - start) / 1e6 : 0;
        const bool pauses = t >= pause_at && t < pause_at + pause_length;
        const int fd = accept(listener, NULL, NULL);
        char byte;

        if (now - last > STALL_US)
            printf("stall %lld\n", (long long)now);
        last = now;
        if (fd >= 0) {
            spice_server_add_client(host->server, fd, 1);
            start = start ? start : now;
        }
        if (start && now >= start + (int64_t)frame * FRAME_US) {
            if (!pauses)
                show(host, frame);
            frame++;
        }
        play(&playback, t, start && !silent && !pauses && t >= sound_from);
        if (poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            break;
        host_run(host, TURN_MS);
    }
    close(listener);
    host_free(host);
    return 0;
}
