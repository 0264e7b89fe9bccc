/* What a server hands to the server that takes over, in MIGRATE_DATA through the client. Protocol
 * section "Migration"; pointers count from the start of the MIGRATE_DATA body.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "draw.h"

/** A character device's state: agent, spicevmc, smart card. */
typedef struct {
    uint8_t connected;
    uint32_t num_client_tokens, num_send_tokens;
    uint32_t write_num_client_tokens;
    SpiceBytes write_data; /* not yet written to the device */
} SpiceMigrateDataCharDev;

/** usbredir, port, webdav. */
typedef struct {
    SpiceMigrateDataCharDev base;
} SpiceMigrateDataSpiceVmc;

typedef struct {
    SpiceMigrateDataCharDev base;
    uint8_t reader_added;
    SpiceBytes read_data; /* read from the device, not yet a whole message */
} SpiceMigrateDataSmartcard;

typedef struct {
    SpiceMigrateDataCharDev agent_base;
    uint8_t client_agent_started;
    struct {
        uint32_t chunk_header_size; /* bytes of chunk_header that are in */
        uint32_t chunk_header_port, chunk_header_data_size;
        uint8_t msg_header_done;
        SpiceBytes msg_header; /* what is in of a VDAgentMessage's header */
        uint32_t msg_remaining;
        uint8_t msg_filter_result;
    } agent_to_client;
    struct {
        uint32_t msg_remaining;
        uint8_t msg_filter_result;
    } client_to_agent;
} SpiceMigrateDataMain;

/** A surface that the client has. */
typedef struct {
    uint32_t id;
    SpiceRect lossy; /* the part that came as JPEG; with SPICE_MIGRATE_LOSSY_SURFACES only */
} SpiceMigrateSurface;

typedef struct {
    uint64_t message_serial; /* of the last message; numbers go on from it */
    uint8_t low_bandwidth;
    uint8_t pixmap_cache_id;
    int64_t pixmap_cache_size;
    uint8_t pixmap_cache_freezer;
    uint64_t pixmap_cache_clients[4]; /* serials that the cache is in step with, a client's display
                                         channel each */
    uint8_t glz_dict_id;
    uint32_t glz_dict_size, glz_dict_max_encoders;
    uint64_t glz_dict_last_image_id;
    uint32_t n_surfaces;
    SpiceMigrateSurface *surfaces;
} SpiceMigrateDataDisplay;

typedef struct {
    uint16_t motion_count; /* not yet acknowledged */
} SpiceMigrateDataInputs;

/* `agreed` for the display channel: both servers have JPEG on, so surfaces come with the rectangle
 * of their lossy part. The data does not tell it. */
enum { SPICE_MIGRATE_LOSSY_SURFACES = 1 };

/** The layout of a channel type's MIGRATE_DATA, for spice_message_read_agreed() and its
 * counterpart; NULL if it has none. The header with magic and version is part of it. */
const SpiceMessageDef *spice_migrate_data_find(uint8_t channel);
