/* A host without a guest that plays two tones, 440 Hz left and 594 Hz right, and records what a client's
 * microphone hears: sound-host RATE FILE [VOLUME], the
 * last of both mixers. It prints its port, and ends with its standard input. FILE is
 * raw sound, 16 bit, two channels. By letters on its standard input it plays tones again (t) or zeros (z), plays, but gives no
 * samples (n), or stops (s); its guest's mixer is turned up to full (f), or muted (m).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/embed/test-host.h"

enum { FRAME = 480, TURN_MS = 2 };

static const SpicePlaybackInterface playback_interface = {{SPICE_INTERFACE_PLAYBACK, "tones",
                                                           SPICE_INTERFACE_PLAYBACK_MAJOR,
                                                           SPICE_INTERFACE_PLAYBACK_MINOR}};
static const SpiceRecordInterface record_interface = {
    {SPICE_INTERFACE_RECORD, "ear", SPICE_INTERFACE_RECORD_MAJOR, SPICE_INTERFACE_RECORD_MINOR}};

/** One frame of both tones from sample `at` on. */
static void fill(uint32_t *samples, uint32_t n, uint64_t at, unsigned rate)
{
    for (uint32_t i = 0; i < n; i++) {
        const double t = (double)(at + i) / rate;
        const int16_t left = (int16_t)(9000 * sin(2 * M_PI * 440 * t));
        const int16_t right = (int16_t)(7000 * sin(2 * M_PI * 594 * t));

        samples[i] = (uint16_t)left | (uint32_t)(uint16_t)right << 16;
    }
}

/** What is played from now on, or how loud. */
static void obey(SpicePlaybackInstance *playback, char *mode, char wanted)
{
    uint16_t full[] = {UINT16_MAX, UINT16_MAX};

    if (wanted == 'f')
        spice_server_playback_set_volume(playback, 2, full);
    if (wanted == 'm')
        spice_server_playback_set_mute(playback, 1);
    if (wanted == 'f' || wanted == 'm')
        return;
    if (*mode == 's' && wanted != 's')
        spice_server_playback_start(playback);
    if (*mode != 's' && wanted == 's')
        spice_server_playback_stop(playback);
    *mode = wanted;
}

int main(int argc, char **argv)
{
    const unsigned rate = argc >= 3 ? (unsigned)atoi(argv[1]) : 0;
    FILE *out = argc >= 3 ? fopen(argv[2], "wb") : NULL;
    SpicePlaybackInstance playback = {{&playback_interface.base}, NULL};
    SpiceRecordInstance record = {{&record_interface.base}, NULL};
    Host *host = host_new();
    int64_t start;
    uint64_t played = 0;
    int listener;
    char mode = 't';

    if (!rate || !out)
        return 2;
    spice_server_add_interface(host->server, &playback.base);
    spice_server_add_interface(host->server, &record.base);
    spice_server_set_playback_rate(&playback, rate);
    spice_server_set_record_rate(&record, rate);
    if (argc > 3) {
        uint16_t volume[] = {(uint16_t)atoi(argv[3]), (uint16_t)atoi(argv[3])};

        spice_server_playback_set_volume(&playback, 2, volume);
        spice_server_playback_set_mute(&playback, 0);
        spice_server_record_set_volume(&record, 2, volume);
    }
    spice_server_playback_start(&playback);
    spice_server_record_start(&record);
    host_create_primary(host, 320, 240);
    listener = host_listen();
    start = g_get_monotonic_time();
    for (;;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        const int64_t now = g_get_monotonic_time();
        const int fd = accept(listener, NULL, NULL);
        uint32_t heard[FRAME], n, *samples;
        char byte;

        if (fd >= 0)
            spice_server_add_client(host->server, fd, 1);
        while (played < (uint64_t)(now - start) * rate / 1000000) {
            samples = NULL;
            if (mode == 't' || mode == 'z')
                spice_server_playback_get_buffer(&playback, &samples, &n);
            if (samples) {
                if (mode == 't')
                    fill(samples, n, played, rate);
                else
                    memset(samples, 0, n * sizeof *samples);
                spice_server_playback_put_samples(&playback, samples);
            }
            played += FRAME;
        }
        while ((n = spice_server_record_get_samples(&record, heard, FRAME)) > 0)
            fwrite(heard, 4, n, out);
        fflush(out);
        if (poll(&input, 1, 0) > 0) {
            if (read(STDIN_FILENO, &byte, 1) <= 0)
                break;
            obey(&playback, &mode, byte);
        }
        host_run(host, TURN_MS);
    }
    fclose(out);
    close(listener);
    host_free(host);
    return 0;
}
