/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include "messages.h"

static void layout_start(SpiceWire *wire, void *value)
{
    SpiceMsgRecordStart *m = value;

    spice_wire_u32(wire, &m->channels, "start.channels");
    spice_wire_u16(wire, &m->format, "start.format");
    spice_wire_u32(wire, &m->frequency, "start.frequency");
}

static void layout_start_mark(SpiceWire *wire, void *value)
{
    SpiceMsgcRecordStartMark *m = value;

    spice_wire_u32(wire, &m->time, "start_mark.time");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_RECORD_START, SpiceMsgRecordStart, layout_start),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_RECORD_STOP),
    SPICE_MESSAGE(SPICE_MSG_RECORD_VOLUME, SpiceMsgAudioVolume, spice_layout_audio_volume),
    SPICE_MESSAGE(SPICE_MSG_RECORD_MUTE, SpiceMsgAudioMute, spice_layout_audio_mute),
};

static const SpiceMessageDef from_client[] = {
    SPICE_MESSAGE(SPICE_MSGC_RECORD_DATA, SpiceMsgAudioData, spice_layout_audio_data),
    SPICE_MESSAGE(SPICE_MSGC_RECORD_MODE, SpiceMsgAudioMode, spice_layout_audio_mode),
    SPICE_MESSAGE(SPICE_MSGC_RECORD_START_MARK, SpiceMsgcRecordStartMark, layout_start_mark),
};

const SpiceMessageTable spice_record_messages = {
    {SPICE_MESSAGE_LIST(from_server), SPICE_MESSAGE_LIST(from_client)}};
