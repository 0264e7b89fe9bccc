/* The record channel: the client's microphone. Data, mode, volume and mute are the structs of
 * playback.h.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "playback.h"

enum {
    SPICE_MSG_RECORD_START = 101,
    SPICE_MSG_RECORD_STOP = 102,
    SPICE_MSG_RECORD_VOLUME = 103, /* SpiceMsgAudioVolume */
    SPICE_MSG_RECORD_MUTE = 104,   /* SpiceMsgAudioMute */
};

enum {
    SPICE_MSGC_RECORD_DATA = 101, /* SpiceMsgAudioData */
    SPICE_MSGC_RECORD_MODE = 102, /* SpiceMsgAudioMode */
    SPICE_MSGC_RECORD_START_MARK = 103,
};

/* OPUS is another bit than in the playback channel. */
enum {
    SPICE_RECORD_CAP_CELT_0_5_1 = 0,
    SPICE_RECORD_CAP_VOLUME = 1,
    SPICE_RECORD_CAP_OPUS = 2,
};

typedef struct {
    uint32_t channels;
    uint16_t format; /* SpiceAudioFmt */
    uint32_t frequency;
} SpiceMsgRecordStart;

typedef struct {
    uint32_t time;
} SpiceMsgcRecordStartMark;
