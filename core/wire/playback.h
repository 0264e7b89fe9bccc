/* The playback channel: the guest's sound. Its client sends common messages only.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

enum {
    SPICE_MSG_PLAYBACK_DATA = 101,
    SPICE_MSG_PLAYBACK_MODE = 102,
    SPICE_MSG_PLAYBACK_START = 103,
    SPICE_MSG_PLAYBACK_STOP = 104,
    SPICE_MSG_PLAYBACK_VOLUME = 105,
    SPICE_MSG_PLAYBACK_MUTE = 106,
    SPICE_MSG_PLAYBACK_LATENCY = 107,
};

/* OPUS is another bit than in the record channel. */
enum {
    SPICE_PLAYBACK_CAP_CELT_0_5_1 = 0,
    SPICE_PLAYBACK_CAP_VOLUME = 1,
    SPICE_PLAYBACK_CAP_LATENCY = 2,
    SPICE_PLAYBACK_CAP_OPUS = 3,
};

typedef enum {
    SPICE_AUDIO_DATA_MODE_INVALID = 0,
    SPICE_AUDIO_DATA_MODE_RAW = 1,
    SPICE_AUDIO_DATA_MODE_CELT_0_5_1 = 2,
    SPICE_AUDIO_DATA_MODE_OPUS = 3,
} SpiceAudioDataMode;

typedef enum { SPICE_AUDIO_FMT_INVALID = 0, SPICE_AUDIO_FMT_S16 = 1 } SpiceAudioFmt;

/** A packet of sound; in the record channel, too. */
typedef struct {
    uint32_t time; /* mm_time of the first sample */
    SpiceBytes data;
} SpiceMsgAudioData;

/** In the record channel, too. */
typedef struct {
    uint32_t time;
    uint16_t mode;   /* SpiceAudioDataMode */
    SpiceBytes data; /* no peer puts anything here */
} SpiceMsgAudioMode;

typedef struct {
    uint32_t channels;
    uint16_t format; /* SpiceAudioFmt */
    uint32_t frequency;
    uint32_t time;
} SpiceMsgPlaybackStart;

/** In the record channel, too. */
typedef struct {
    uint8_t n_channels;
    uint16_t *volume; /* linear, 65535 is full */
} SpiceMsgAudioVolume;

/** In the record channel, too. */
typedef struct {
    uint8_t mute;
} SpiceMsgAudioMute;

typedef struct {
    uint32_t latency_ms;
} SpiceMsgPlaybackLatency;

/* Layouts that the record channel shares. */
void spice_layout_audio_data(SpiceWire *wire, void *value);
void spice_layout_audio_mode(SpiceWire *wire, void *value);
void spice_layout_audio_volume(SpiceWire *wire, void *value);
void spice_layout_audio_mute(SpiceWire *wire, void *value);
