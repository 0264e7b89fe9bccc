/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vdagent.h"

#include "endian.h"
#include "messages.h"

void spice_vdi_chunk_header_decode(SpiceVDIChunkHeader *header,
                                   const uint8_t bytes[SPICE_VDI_CHUNK_HEADER_SIZE])
{
    header->port = spice_get_u32(bytes);
    header->size = spice_get_u32(bytes + 4);
}

void spice_vdi_chunk_header_encode(const SpiceVDIChunkHeader *header,
                                   uint8_t bytes[SPICE_VDI_CHUNK_HEADER_SIZE])
{
    spice_put_u32(bytes, header->port);
    spice_put_u32(bytes + 4, header->size);
}

void spice_vd_agent_header_decode(SpiceVDAgentMessageHeader *header,
                                  const uint8_t bytes[SPICE_VD_AGENT_HEADER_SIZE])
{
    header->protocol = spice_get_u32(bytes);
    header->type = spice_get_u32(bytes + 4);
    header->opaque = spice_get_u64(bytes + 8);
    header->size = spice_get_u32(bytes + 16);
}

void spice_vd_agent_header_encode(const SpiceVDAgentMessageHeader *header,
                                  uint8_t bytes[SPICE_VD_AGENT_HEADER_SIZE])
{
    spice_put_u32(bytes, header->protocol);
    spice_put_u32(bytes + 4, header->type);
    spice_put_u64(bytes + 8, header->opaque);
    spice_put_u32(bytes + 16, header->size);
}

uint32_t spice_vd_agent_agreed(const SpiceCaps *ours, const SpiceCaps *theirs)
{
    return ours->n_words && theirs->n_words ? ours->words[0] & theirs->words[0] : 0;
}

static bool agreed(const SpiceWire *wire, unsigned cap)
{
    return wire->agreed >> cap & 1;
}

static void layout_mouse_state(SpiceWire *wire, void *value)
{
    SpiceVDAgentMouseState *m = value;

    spice_wire_u32(wire, &m->x, "mouse_state.x");
    spice_wire_u32(wire, &m->y, "mouse_state.y");
    spice_wire_u32(wire, &m->buttons, "mouse_state.buttons");
    spice_wire_u8(wire, &m->display_id, "mouse_state.display_id");
}

static void layout_monitor(SpiceWire *wire, void *value)
{
    SpiceVDAgentMonitor *monitor = value;

    spice_wire_u32(wire, &monitor->height, "monitor.height");
    spice_wire_u32(wire, &monitor->width, "monitor.width");
    spice_wire_u32(wire, &monitor->depth, "monitor.depth");
    spice_wire_i32(wire, &monitor->x, "monitor.x");
    spice_wire_i32(wire, &monitor->y, "monitor.y");
}

static void layout_monitors_config(SpiceWire *wire, void *value)
{
    SpiceVDAgentMonitorsConfig *m = value;

    spice_wire_u32(wire, &m->n_monitors, "monitors_config.n_monitors");
    spice_wire_u32(wire, &m->flags, "monitors_config.flags");
    if (m->n_monitors > SPICE_VD_AGENT_MAX_MONITORS) {
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, "monitors_config.n_monitors");
        return;
    }
    spice_wire_array(wire, &m->monitors, m->n_monitors, sizeof *m->monitors, 20, layout_monitor,
                     "monitors_config.monitors");
    if (!(m->flags & VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE) || !m->monitors)
        return;
    /* a second array, behind the first */
    for (uint32_t i = 0; i < m->n_monitors; i++) {
        spice_wire_u16(wire, &m->monitors[i].height_mm, "monitor.height_mm");
        spice_wire_u16(wire, &m->monitors[i].width_mm, "monitor.width_mm");
    }
}

static void layout_reply(SpiceWire *wire, void *value)
{
    SpiceVDAgentReply *m = value;

    spice_wire_u32(wire, &m->type, "reply.type");
    spice_wire_u32(wire, &m->error, "reply.error");
}

static void layout_selection(SpiceWire *wire, uint8_t *selection)
{
    uint8_t reserved[3] = {0};

    if (!agreed(wire, VD_AGENT_CAP_CLIPBOARD_SELECTION))
        return;
    spice_wire_u8(wire, selection, "clipboard.selection");
    spice_wire_fixed(wire, reserved, sizeof reserved, "clipboard.reserved");
}

static void layout_clipboard(SpiceWire *wire, void *value)
{
    SpiceVDAgentClipboard *m = value;

    layout_selection(wire, &m->selection);
    spice_wire_u32(wire, &m->type, "clipboard.type");
    spice_wire_rest(wire, &m->data, "clipboard.data");
}

static void layout_clipboard_grab(SpiceWire *wire, void *value)
{
    SpiceVDAgentClipboardGrab *m = value;

    layout_selection(wire, &m->selection);
    if (agreed(wire, VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL))
        spice_wire_u32(wire, &m->serial, "clipboard_grab.serial");
    if (!wire->writing)
        m->n_types = (uint32_t)spice_wire_rest_count(wire, 4);
    spice_wire_array(wire, &m->types, m->n_types, sizeof *m->types, 4, spice_layout_u32,
                     "clipboard_grab.types");
}

static void layout_clipboard_request(SpiceWire *wire, void *value)
{
    SpiceVDAgentClipboardRequest *m = value;

    layout_selection(wire, &m->selection);
    spice_wire_u32(wire, &m->type, "clipboard_request.type");
}

static void layout_clipboard_release(SpiceWire *wire, void *value)
{
    SpiceVDAgentClipboardRelease *m = value;
    uint8_t reserved[3] = {0};

    if (!agreed(wire, VD_AGENT_CAP_CLIPBOARD_SELECTION))
        return;
    /* Debian's agent, when its session ends, sends the selection without the bytes behind it; and
     * a release without either is taken for one of the clipboard. */
    if (spice_wire_at_end(wire))
        return;
    spice_wire_u8(wire, &m->selection, "clipboard_release.selection");
    if (spice_wire_at_end(wire))
        return;
    spice_wire_fixed(wire, reserved, sizeof reserved, "clipboard_release.reserved");
}

static void layout_display_config(SpiceWire *wire, void *value)
{
    SpiceVDAgentDisplayConfig *m = value;

    spice_wire_u32(wire, &m->flags, "display_config.flags");
    spice_wire_u32(wire, &m->depth, "display_config.depth");
}

static void layout_announce_capabilities(SpiceWire *wire, void *value)
{
    SpiceVDAgentAnnounceCapabilities *m = value;

    spice_wire_u32(wire, &m->request, "announce_capabilities.request");
    if (!wire->writing)
        m->caps.n_words = (uint32_t)spice_wire_rest_count(wire, 4);
    spice_wire_array(wire, &m->caps.words, m->caps.n_words, sizeof *m->caps.words, 4,
                     spice_layout_u32, "announce_capabilities.caps");
}

static void layout_file_xfer_start(SpiceWire *wire, void *value)
{
    SpiceVDAgentFileXferStart *m = value;

    spice_wire_u32(wire, &m->id, "file_xfer_start.id");
    spice_wire_rest(wire, &m->text, "file_xfer_start.text");
}

static void layout_file_xfer_status(SpiceWire *wire, void *value)
{
    SpiceVDAgentFileXferStatus *m = value;

    spice_wire_u32(wire, &m->id, "file_xfer_status.id");
    spice_wire_u32(wire, &m->result, "file_xfer_status.result");
    if (m->result != VD_AGENT_FILE_XFER_STATUS_ERROR &&
        m->result != VD_AGENT_FILE_XFER_STATUS_NOT_ENOUGH_SPACE)
        return;
    if (!wire->writing)
        m->detailed = !spice_wire_at_end(wire);
    if (!m->detailed)
        return;
    if (m->result == VD_AGENT_FILE_XFER_STATUS_ERROR) {
        spice_wire_u8(wire, &m->error_type, "file_xfer_status.error_type");
        spice_wire_u32(wire, &m->error_code, "file_xfer_status.error_code");
    } else {
        spice_wire_u64(wire, &m->free_space, "file_xfer_status.free_space");
    }
}

static void layout_file_xfer_data(SpiceWire *wire, void *value)
{
    SpiceVDAgentFileXferData *m = value;
    uint64_t size = m->data.size;

    spice_wire_u32(wire, &m->id, "file_xfer_data.id");
    spice_wire_u64(wire, &size, "file_xfer_data.size");
    spice_wire_bytes(wire, &m->data, size, "file_xfer_data.data");
    /* a size that is not that of the bytes means a file that would be damaged */
    if (!wire->writing && !spice_wire_at_end(wire))
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "file_xfer_data.size");
}

static void layout_max_clipboard(SpiceWire *wire, void *value)
{
    SpiceVDAgentMaxClipboard *m = value;

    spice_wire_i32(wire, &m->max, "max_clipboard.max");
}

static void layout_audio_volume_sync(SpiceWire *wire, void *value)
{
    SpiceVDAgentAudioVolumeSync *m = value;

    spice_wire_u8(wire, &m->is_playback, "audio_volume_sync.is_playback");
    spice_wire_u8(wire, &m->mute, "audio_volume_sync.mute");
    spice_wire_u8(wire, &m->n_channels, "audio_volume_sync.n_channels");
    spice_wire_array(wire, &m->volume, m->n_channels, sizeof *m->volume, 2, spice_layout_u16,
                     "audio_volume_sync.volume");
}

static void layout_device_display_info(SpiceWire *wire, void *value)
{
    SpiceVDAgentDeviceDisplayInfo *info = value;

    spice_wire_u32(wire, &info->channel_id, "device_display_info.channel_id");
    spice_wire_u32(wire, &info->monitor_id, "device_display_info.monitor_id");
    spice_wire_u32(wire, &info->device_display_id, "device_display_info.device_display_id");
    spice_wire_counted_bytes(wire, &info->device_address, "device_display_info.device_address");
}

static void layout_graphics_device_info(SpiceWire *wire, void *value)
{
    SpiceVDAgentGraphicsDeviceInfo *m = value;

    spice_wire_u32(wire, &m->n_displays, "graphics_device_info.n_displays");
    spice_wire_array(wire, &m->displays, m->n_displays, sizeof *m->displays, 16,
                     layout_device_display_info, "graphics_device_info.displays");
}

static const SpiceMessageDef messages[] = {
    SPICE_MESSAGE(VD_AGENT_MOUSE_STATE, SpiceVDAgentMouseState, layout_mouse_state),
    SPICE_MESSAGE(VD_AGENT_MONITORS_CONFIG, SpiceVDAgentMonitorsConfig, layout_monitors_config),
    SPICE_MESSAGE(VD_AGENT_REPLY, SpiceVDAgentReply, layout_reply),
    SPICE_MESSAGE(VD_AGENT_CLIPBOARD, SpiceVDAgentClipboard, layout_clipboard),
    SPICE_MESSAGE(VD_AGENT_DISPLAY_CONFIG, SpiceVDAgentDisplayConfig, layout_display_config),
    SPICE_MESSAGE(VD_AGENT_ANNOUNCE_CAPABILITIES, SpiceVDAgentAnnounceCapabilities,
                  layout_announce_capabilities),
    SPICE_MESSAGE(VD_AGENT_CLIPBOARD_GRAB, SpiceVDAgentClipboardGrab, layout_clipboard_grab),
    SPICE_MESSAGE(VD_AGENT_CLIPBOARD_REQUEST, SpiceVDAgentClipboardRequest,
                  layout_clipboard_request),
    SPICE_MESSAGE(VD_AGENT_CLIPBOARD_RELEASE, SpiceVDAgentClipboardRelease,
                  layout_clipboard_release),
    SPICE_MESSAGE(VD_AGENT_FILE_XFER_START, SpiceVDAgentFileXferStart, layout_file_xfer_start),
    SPICE_MESSAGE(VD_AGENT_FILE_XFER_STATUS, SpiceVDAgentFileXferStatus, layout_file_xfer_status),
    SPICE_MESSAGE(VD_AGENT_FILE_XFER_DATA, SpiceVDAgentFileXferData, layout_file_xfer_data),
    SPICE_MESSAGE_EMPTY(VD_AGENT_CLIENT_DISCONNECTED),
    SPICE_MESSAGE(VD_AGENT_MAX_CLIPBOARD, SpiceVDAgentMaxClipboard, layout_max_clipboard),
    SPICE_MESSAGE(VD_AGENT_AUDIO_VOLUME_SYNC, SpiceVDAgentAudioVolumeSync,
                  layout_audio_volume_sync),
    SPICE_MESSAGE(VD_AGENT_GRAPHICS_DEVICE_INFO, SpiceVDAgentGraphicsDeviceInfo,
                  layout_graphics_device_info),
};

const SpiceMessageDef *spice_vd_agent_find(uint32_t type)
{
    /* the numbers have no gaps */
    return type >= 1 && type <= sizeof messages / sizeof messages[0] ? &messages[type - 1] : NULL;
}
