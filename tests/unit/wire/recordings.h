/* The recorded channels, and how many messages each side sent by the index that was written when
 * they were recorded.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/channel.h"
#include "core/wire/wire.h"
#include "recording.h"

typedef struct {
    const char *name;       /* folder and start of the file's name */
    uint8_t channel;        /* SpiceChannelType */
    unsigned n_messages[2]; /* indexed by SpiceDirection */
} RecordedChannel;

static const RecordedChannel recorded_channels[] = {
    {"session-agent/main-0", SPICE_CHANNEL_MAIN, {30, 28}},
    {"session-agent/display-0", SPICE_CHANNEL_DISPLAY, {44, 8}},
    {"session-agent/inputs-0", SPICE_CHANNEL_INPUTS, {6, 17}},
    {"session-agent/cursor-0", SPICE_CHANNEL_CURSOR, {20, 3}},
    {"session-audio-opus/main-0", SPICE_CHANNEL_MAIN, {12, 6}},
    {"session-audio-opus/playback-0", SPICE_CHANNEL_PLAYBACK, {313, 2}},
    {"session-audio-opus/record-0", SPICE_CHANNEL_RECORD, {4, 2}},
    {"session-audio-opus/display-0", SPICE_CHANNEL_DISPLAY, {13, 4}},
    {"session-audio-opus/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-audio-opus/cursor-0", SPICE_CHANNEL_CURSOR, {4, 3}},
    {"session-linux-auto_glz/main-0", SPICE_CHANNEL_MAIN, {10, 6}},
    {"session-linux-auto_glz/display-0", SPICE_CHANNEL_DISPLAY, {113, 9}},
    {"session-linux-auto_glz/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-linux-auto_glz/cursor-0", SPICE_CHANNEL_CURSOR, {48, 5}},
    {"session-linux-lz4/main-0", SPICE_CHANNEL_MAIN, {10, 6}},
    {"session-linux-lz4/display-0", SPICE_CHANNEL_DISPLAY, {50, 7}},
    {"session-linux-lz4/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-linux-lz4/cursor-0", SPICE_CHANNEL_CURSOR, {27, 4}},
    {"session-linux-quic/main-0", SPICE_CHANNEL_MAIN, {10, 6}},
    {"session-linux-quic/display-0", SPICE_CHANNEL_DISPLAY, {56, 6}},
    {"session-linux-quic/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-linux-quic/cursor-0", SPICE_CHANNEL_CURSOR, {27, 4}},
    {"session-qemu/full/main-0", SPICE_CHANNEL_MAIN, {11, 6}},
    {"session-qemu/full/inputs-0", SPICE_CHANNEL_INPUTS, {7, 24}},
    {"session-qemu/full/display-0", SPICE_CHANNEL_DISPLAY, {212, 34}},
    {"session-qemu/full/cursor-0", SPICE_CHANNEL_CURSOR, {10, 3}},
    {"session-qemu/full/smartcard-0", SPICE_CHANNEL_SMARTCARD, {2, 2}},
    {"session-qemu/full/usbredir-0", SPICE_CHANNEL_USBREDIR, {3, 2}},
    {"session-qemu/full/record-0", SPICE_CHANNEL_RECORD, {4, 2}},
    {"session-qemu/full/playback-0", SPICE_CHANNEL_PLAYBACK, {320, 0}},
    {"session-qemu/full/port-0", SPICE_CHANNEL_PORT, {54, 3}},
    {"session-qemu/full/webdav-0", SPICE_CHANNEL_WEBDAV, {3, 2}},
    {"session-qemu/mini/main-0", SPICE_CHANNEL_MAIN, {12, 7}},
    {"session-qemu/mini/inputs-0", SPICE_CHANNEL_INPUTS, {10, 32}},
    {"session-qemu/mini/display-0", SPICE_CHANNEL_DISPLAY, {639, 62}},
    {"session-qemu/mini/cursor-0", SPICE_CHANNEL_CURSOR, {13, 3}},
    {"session-qemu/mini/smartcard-0", SPICE_CHANNEL_SMARTCARD, {2, 2}},
    {"session-qemu/mini/usbredir-0", SPICE_CHANNEL_USBREDIR, {3, 2}},
    {"session-qemu/mini/record-0", SPICE_CHANNEL_RECORD, {4, 2}},
    {"session-qemu/mini/playback-0", SPICE_CHANNEL_PLAYBACK, {784, 0}},
    {"session-qemu/mini/port-0", SPICE_CHANNEL_PORT, {54, 3}},
    {"session-qemu/mini/webdav-0", SPICE_CHANNEL_WEBDAV, {3, 2}},
    {"session-two-displays/main-0", SPICE_CHANNEL_MAIN, {10, 6}},
    {"session-two-displays/display-1", SPICE_CHANNEL_DISPLAY, {51, 6}},
    {"session-two-displays/display-0", SPICE_CHANNEL_DISPLAY, {51, 6}},
    {"session-two-displays/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-two-displays/cursor-0", SPICE_CHANNEL_CURSOR, {13, 3}},
    {"session-two-displays/cursor-1", SPICE_CHANNEL_CURSOR, {4, 3}},
    {"session-video-qemu/main-0", SPICE_CHANNEL_MAIN, {12, 8}},
    {"session-video-qemu/display-0", SPICE_CHANNEL_DISPLAY, {105, 19}},
    {"session-video-qemu/cursor-0", SPICE_CHANNEL_CURSOR, {13, 3}},
    {"session-video-qemu/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-xspice-desktop/main-0", SPICE_CHANNEL_MAIN, {9, 7}},
    {"session-xspice-desktop/display-0", SPICE_CHANNEL_DISPLAY, {2144, 111}},
    {"session-xspice-desktop/inputs-0", SPICE_CHANNEL_INPUTS, {4, 3}},
    {"session-xspice-desktop/cursor-0", SPICE_CHANNEL_CURSOR, {33, 4}},
    {"stream-session/display", SPICE_CHANNEL_DISPLAY, {191, 43}},
    {"stream-session/playback-opus", SPICE_CHANNEL_PLAYBACK, {358, 2}},
    {"stream-session/playback-qemu", SPICE_CHANNEL_PLAYBACK, {596, 0}},
    {"stream-session/playback-raw44100", SPICE_CHANNEL_PLAYBACK, {191, 2}},
    {"stream-session/record-opus", SPICE_CHANNEL_RECORD, {5, 482}},
};

enum { N_RECORDED_CHANNELS = sizeof recorded_channels / sizeof recorded_channels[0] };

static const char *const direction_names[] = {"from the server", "from the client"};

/** Opens one direction of a recorded channel. */
static bool recorded_channel_open(Recording *recording, const char *vectors,
                                  const RecordedChannel *channel, SpiceDirection direction)
{
    bool stream_session = strncmp(channel->name, "stream-session/", 15) == 0;
    bool mini = strncmp(channel->name, "session-qemu/full/", 18) != 0;
    char name[128];

    snprintf(name, sizeof name, "%s.%s%s", channel->name,
             direction == SPICE_FROM_CLIENT ? "c2s" : "s2c", stream_session ? ".bin" : "");
    return recording_open(recording, vectors, name, direction == SPICE_FROM_CLIENT, mini);
}
