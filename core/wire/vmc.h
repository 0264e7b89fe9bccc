/* The channels that carry a device's byte stream: usbredir, port, webdav. Boundaries of DATA
 * messages mean nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

/* The same numbers in both directions. */
enum {
    SPICE_MSG_SPICEVMC_DATA = 101,
    SPICE_MSG_SPICEVMC_COMPRESSED_DATA = 102,
    SPICE_MSGC_SPICEVMC_DATA = 101,
    SPICE_MSGC_SPICEVMC_COMPRESSED_DATA = 102,
};

/* Of port and webdav only. */
enum {
    SPICE_MSG_PORT_INIT = 201,
    SPICE_MSG_PORT_EVENT = 202,
    SPICE_MSGC_PORT_EVENT = 201,
};

enum { SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4 = 0 };

typedef struct {
    SpiceBytes data; /* at least one byte */
} SpiceMsgVmcData;

typedef enum {
    SPICE_DATA_COMPRESSION_TYPE_NONE = 0, /* is not to be sent: servers close the channel on it */
    SPICE_DATA_COMPRESSION_TYPE_LZ4 = 1,
} SpiceDataCompressionType;

typedef struct {
    uint8_t type;               /* SpiceDataCompressionType */
    uint32_t uncompressed_size; /* LZ4; to be compared with a limit before allocating */
    SpiceBytes data;            /* one LZ4 block */
} SpiceMsgVmcCompressedData;

typedef struct {
    SpiceBytes name; /* counts its NUL, which a peer may have forgotten */
    uint8_t opened;  /* whether the guest has it open */
} SpiceMsgPortInit;

typedef enum {
    SPICE_PORT_EVENT_OPENED = 0,
    SPICE_PORT_EVENT_CLOSED = 1,
    SPICE_PORT_EVENT_BREAK = 2,
} SpicePortEvent;

typedef struct {
    uint8_t event; /* SpicePortEvent; others are to be ignored */
} SpiceMsgPortEvent;
