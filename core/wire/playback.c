/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "playback.h"

#include "messages.h"

void spice_layout_audio_data(SpiceWire *wire, void *value)
{
    SpiceMsgAudioData *m = value;

    spice_wire_u32(wire, &m->time, "audio_data.time");
    spice_wire_rest(wire, &m->data, "audio_data.data");
}

void spice_layout_audio_mode(SpiceWire *wire, void *value)
{
    SpiceMsgAudioMode *m = value;

    spice_wire_u32(wire, &m->time, "audio_mode.time");
    spice_wire_u16(wire, &m->mode, "audio_mode.mode");
    spice_wire_rest(wire, &m->data, "audio_mode.data");
}

static void layout_start(SpiceWire *wire, void *value)
{
    SpiceMsgPlaybackStart *m = value;

    spice_wire_u32(wire, &m->channels, "start.channels");
    spice_wire_u16(wire, &m->format, "start.format");
    spice_wire_u32(wire, &m->frequency, "start.frequency");
    spice_wire_u32(wire, &m->time, "start.time");
}

void spice_layout_audio_volume(SpiceWire *wire, void *value)
{
    SpiceMsgAudioVolume *m = value;

    spice_wire_u8(wire, &m->n_channels, "volume.n_channels");
    spice_wire_array(wire, &m->volume, m->n_channels, sizeof *m->volume, 2, spice_layout_u16,
                     "volume.volume");
}

void spice_layout_audio_mute(SpiceWire *wire, void *value)
{
    SpiceMsgAudioMute *m = value;

    spice_wire_u8(wire, &m->mute, "mute.mute");
}

static void layout_latency(SpiceWire *wire, void *value)
{
    SpiceMsgPlaybackLatency *m = value;

    spice_wire_u32(wire, &m->latency_ms, "latency.latency_ms");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_PLAYBACK_DATA, SpiceMsgAudioData, spice_layout_audio_data),
    SPICE_MESSAGE(SPICE_MSG_PLAYBACK_MODE, SpiceMsgAudioMode, spice_layout_audio_mode),
    SPICE_MESSAGE(SPICE_MSG_PLAYBACK_START, SpiceMsgPlaybackStart, layout_start),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_PLAYBACK_STOP),
    SPICE_MESSAGE(SPICE_MSG_PLAYBACK_VOLUME, SpiceMsgAudioVolume, spice_layout_audio_volume),
    SPICE_MESSAGE(SPICE_MSG_PLAYBACK_MUTE, SpiceMsgAudioMute, spice_layout_audio_mute),
    SPICE_MESSAGE(SPICE_MSG_PLAYBACK_LATENCY, SpiceMsgPlaybackLatency, layout_latency),
};

const SpiceMessageTable spice_playback_messages = {{SPICE_MESSAGE_LIST(from_server), {NULL, 0}}};
