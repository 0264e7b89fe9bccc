/* Messages between client, server and guest agent, which travel in AGENT_DATA of the main channel
 * and in chunks on the guest's virtio port.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "link.h"

/** Before each chunk on the virtio port; size bytes follow. */
typedef struct {
    uint32_t port; /* VDP_*_PORT */
    uint32_t size;
} SpiceVDIChunkHeader;

/** Whom the stream of the chunk comes from or goes to. */
enum { VDP_CLIENT_PORT = 1, VDP_SERVER_PORT = 2 };

/** Before each message; size bytes of data follow. */
typedef struct {
    uint32_t protocol; /* VD_AGENT_PROTOCOL, else the message is to be ignored */
    uint32_t type;     /* VD_AGENT_* */
    uint64_t opaque;   /* 0 */
    uint32_t size;
} SpiceVDAgentMessageHeader;

enum {
    VD_AGENT_PROTOCOL = 1,
    VD_AGENT_MAX_DATA_SIZE = 2048, /* of a chunk toward the agent, and of an AGENT_DATA */
    SPICE_VDI_CHUNK_HEADER_SIZE = 8,
    SPICE_VD_AGENT_HEADER_SIZE = 20,
};

void spice_vdi_chunk_header_decode(SpiceVDIChunkHeader *header,
                                   const uint8_t bytes[SPICE_VDI_CHUNK_HEADER_SIZE]);
void spice_vdi_chunk_header_encode(const SpiceVDIChunkHeader *header,
                                   uint8_t bytes[SPICE_VDI_CHUNK_HEADER_SIZE]);
void spice_vd_agent_header_decode(SpiceVDAgentMessageHeader *header,
                                  const uint8_t bytes[SPICE_VD_AGENT_HEADER_SIZE]);
void spice_vd_agent_header_encode(const SpiceVDAgentMessageHeader *header,
                                  uint8_t bytes[SPICE_VD_AGENT_HEADER_SIZE]);

enum {
    VD_AGENT_MOUSE_STATE = 1,
    VD_AGENT_MONITORS_CONFIG = 2,
    VD_AGENT_REPLY = 3,
    VD_AGENT_CLIPBOARD = 4,
    VD_AGENT_DISPLAY_CONFIG = 5,
    VD_AGENT_ANNOUNCE_CAPABILITIES = 6,
    VD_AGENT_CLIPBOARD_GRAB = 7,
    VD_AGENT_CLIPBOARD_REQUEST = 8,
    VD_AGENT_CLIPBOARD_RELEASE = 9,
    VD_AGENT_FILE_XFER_START = 10,
    VD_AGENT_FILE_XFER_STATUS = 11,
    VD_AGENT_FILE_XFER_DATA = 12,
    VD_AGENT_CLIENT_DISCONNECTED = 13,
    VD_AGENT_MAX_CLIPBOARD = 14,
    VD_AGENT_AUDIO_VOLUME_SYNC = 15,
    VD_AGENT_GRAPHICS_DEVICE_INFO = 16,
};

enum {
    VD_AGENT_CAP_MOUSE_STATE = 0,
    VD_AGENT_CAP_MONITORS_CONFIG = 1,
    VD_AGENT_CAP_REPLY = 2,
    VD_AGENT_CAP_CLIPBOARD = 3,
    VD_AGENT_CAP_DISPLAY_CONFIG = 4,
    VD_AGENT_CAP_CLIPBOARD_BY_DEMAND = 5,
    VD_AGENT_CAP_CLIPBOARD_SELECTION = 6,
    VD_AGENT_CAP_SPARSE_MONITORS_CONFIG = 7,
    VD_AGENT_CAP_GUEST_LINEEND_LF = 8,
    VD_AGENT_CAP_GUEST_LINEEND_CRLF = 9,
    VD_AGENT_CAP_MAX_CLIPBOARD = 10,
    VD_AGENT_CAP_AUDIO_VOLUME_SYNC = 11,
    VD_AGENT_CAP_MONITORS_CONFIG_POSITION = 12,
    VD_AGENT_CAP_FILE_XFER_DISABLED = 13,
    VD_AGENT_CAP_FILE_XFER_DETAILED_ERRORS = 14,
    VD_AGENT_CAP_GRAPHICS_DEVICE_INFO = 15,
    VD_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB = 16,
    VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL = 17,
};

/** What spice_message_read_agreed() and its counterpart want to know for agent messages: the
 * capabilities (bits of the first word) that both sides have announced. */
uint32_t spice_vd_agent_agreed(const SpiceCaps *ours, const SpiceCaps *theirs);

/** The layout of agent message `type`; NULL if it is unknown and to be ignored. */
const SpiceMessageDef *spice_vd_agent_find(uint32_t type);

/** Server to agent. */
typedef struct {
    uint32_t x, y;
    uint32_t buttons;   /* SPICE_MOUSE_BUTTON_MASK_* shifted left by one */
    uint8_t display_id; /* monitor number */
} SpiceVDAgentMouseState;

enum {
    VD_AGENT_CONFIG_MONITORS_FLAG_USE_POS = 1 << 0,
    VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE = 1 << 1,
};

typedef struct {
    uint32_t height, width; /* 0 both: off */
    uint32_t depth;
    int32_t x, y;
    uint16_t height_mm, width_mm; /* with PHYSICAL_SIZE */
} SpiceVDAgentMonitor;

/* More are refused. */
enum { SPICE_VD_AGENT_MAX_MONITORS = 256 };

typedef struct {
    uint32_t n_monitors;
    uint32_t flags; /* VD_AGENT_CONFIG_MONITORS_FLAG_* */
    SpiceVDAgentMonitor *monitors;
} SpiceVDAgentMonitorsConfig;

enum { VD_AGENT_SUCCESS = 1, VD_AGENT_ERROR = 2 };

typedef struct {
    uint32_t type;  /* that is answered */
    uint32_t error; /* VD_AGENT_SUCCESS or VD_AGENT_ERROR */
} SpiceVDAgentReply;

enum {
    VD_AGENT_CLIPBOARD_NONE = 0,
    VD_AGENT_CLIPBOARD_UTF8_TEXT = 1,
    VD_AGENT_CLIPBOARD_IMAGE_PNG = 2,
    VD_AGENT_CLIPBOARD_IMAGE_BMP = 3,
    VD_AGENT_CLIPBOARD_IMAGE_TIFF = 4,
    VD_AGENT_CLIPBOARD_IMAGE_JPG = 5,
    VD_AGENT_CLIPBOARD_FILE_LIST = 6,
};

enum {
    VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD = 0,
    VD_AGENT_CLIPBOARD_SELECTION_PRIMARY = 1,
    VD_AGENT_CLIPBOARD_SELECTION_SECONDARY = 2,
};

/* In the clipboard messages `selection` is on the wire if CLIPBOARD_SELECTION is agreed, and
 * CLIPBOARD otherwise. */

typedef struct {
    uint8_t selection;
    uint32_t type; /* VD_AGENT_CLIPBOARD_* */
    SpiceBytes data;
} SpiceVDAgentClipboard;

typedef struct {
    uint8_t selection;
    uint32_t serial; /* if CLIPBOARD_GRAB_SERIAL is agreed */
    uint32_t n_types;
    uint32_t *types;
} SpiceVDAgentClipboardGrab;

typedef struct {
    uint8_t selection;
    uint32_t type;
} SpiceVDAgentClipboardRequest;

typedef struct {
    uint8_t selection;
} SpiceVDAgentClipboardRelease;

enum {
    VD_AGENT_DISPLAY_CONFIG_FLAG_DISABLE_WALLPAPER = 1 << 0,
    VD_AGENT_DISPLAY_CONFIG_FLAG_DISABLE_FONT_SMOOTH = 1 << 1,
    VD_AGENT_DISPLAY_CONFIG_FLAG_DISABLE_ANIMATION = 1 << 2,
    VD_AGENT_DISPLAY_CONFIG_FLAG_SET_COLOR_DEPTH = 1 << 3,
};

typedef struct {
    uint32_t flags; /* VD_AGENT_DISPLAY_CONFIG_FLAG_* */
    uint32_t depth;
} SpiceVDAgentDisplayConfig;

typedef struct {
    uint32_t request; /* 1: the other side shall announce its own */
    SpiceCaps caps;
} SpiceVDAgentAnnounceCapabilities;

typedef struct {
    uint32_t id;
    SpiceBytes text; /* a key file, usually with a NUL at its end */
} SpiceVDAgentFileXferStart;

enum {
    VD_AGENT_FILE_XFER_STATUS_CAN_SEND_DATA = 0,
    VD_AGENT_FILE_XFER_STATUS_CANCELLED = 1,
    VD_AGENT_FILE_XFER_STATUS_ERROR = 2,
    VD_AGENT_FILE_XFER_STATUS_SUCCESS = 3,
    VD_AGENT_FILE_XFER_STATUS_NOT_ENOUGH_SPACE = 4,
    VD_AGENT_FILE_XFER_STATUS_SESSION_LOCKED = 5,
    VD_AGENT_FILE_XFER_STATUS_VDAGENT_NOT_CONNECTED = 6,
    VD_AGENT_FILE_XFER_STATUS_DISABLED = 7,
};

typedef struct {
    uint32_t id;
    uint32_t result;     /* VD_AGENT_FILE_XFER_STATUS_* */
    bool detailed;       /* whether the details of this result are there; only ERROR and
                            NOT_ENOUGH_SPACE have any, for who has FILE_XFER_DETAILED_ERRORS */
    uint64_t free_space; /* NOT_ENOUGH_SPACE: bytes */
    uint8_t error_type;  /* ERROR: 0 for a GIOErrorEnum */
    uint32_t error_code; /* ERROR */
} SpiceVDAgentFileXferStatus;

typedef struct {
    uint32_t id;
    SpiceBytes data;
} SpiceVDAgentFileXferData;

typedef struct {
    int32_t max; /* bytes; -1: no limit */
} SpiceVDAgentMaxClipboard;

typedef struct {
    uint8_t is_playback; /* else record */
    uint8_t mute;
    uint8_t n_channels;
    uint16_t *volume;
} SpiceVDAgentAudioVolumeSync;

typedef struct {
    uint32_t channel_id, monitor_id;
    uint32_t device_display_id;
    SpiceBytes device_address; /* counts its NUL */
} SpiceVDAgentDeviceDisplayInfo;

typedef struct {
    uint32_t n_displays;
    SpiceVDAgentDeviceDisplayInfo *displays;
} SpiceVDAgentGraphicsDeviceInfo;
