/* The main channel: the session, its channels, the guest agent's bytes, migration.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

enum {
    SPICE_MSG_MAIN_MIGRATE_BEGIN = 101,
    SPICE_MSG_MAIN_MIGRATE_CANCEL = 102,
    SPICE_MSG_MAIN_INIT = 103,
    SPICE_MSG_MAIN_CHANNELS_LIST = 104,
    SPICE_MSG_MAIN_MOUSE_MODE = 105,
    SPICE_MSG_MAIN_MULTI_MEDIA_TIME = 106,
    SPICE_MSG_MAIN_AGENT_CONNECTED = 107,
    SPICE_MSG_MAIN_AGENT_DISCONNECTED = 108,
    SPICE_MSG_MAIN_AGENT_DATA = 109,
    SPICE_MSG_MAIN_AGENT_TOKEN = 110,
    SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST = 111,
    SPICE_MSG_MAIN_MIGRATE_END = 112,
    SPICE_MSG_MAIN_NAME = 113,
    SPICE_MSG_MAIN_UUID = 114,
    SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS = 115,
    SPICE_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS = 116,
    SPICE_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK = 117,
    SPICE_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK = 118,
};

enum {
    SPICE_MSGC_MAIN_CLIENT_INFO = 101, /* obsolete: servers close the channel on it */
    SPICE_MSGC_MAIN_MIGRATE_CONNECTED = 102,
    SPICE_MSGC_MAIN_MIGRATE_CONNECT_ERROR = 103,
    SPICE_MSGC_MAIN_ATTACH_CHANNELS = 104,
    SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST = 105,
    SPICE_MSGC_MAIN_AGENT_START = 106,
    SPICE_MSGC_MAIN_AGENT_DATA = 107,
    SPICE_MSGC_MAIN_AGENT_TOKEN = 108,
    SPICE_MSGC_MAIN_MIGRATE_END = 109,
    SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS = 110,
    SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS = 111,
};

enum {
    SPICE_MAIN_CAP_SEMI_SEAMLESS_MIGRATE = 0,
    SPICE_MAIN_CAP_NAME_AND_UUID = 1,
    SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS = 2,
    SPICE_MAIN_CAP_SEAMLESS_MIGRATE = 3,
};

/* Bits where several are named, values where one is. */
enum { SPICE_MOUSE_MODE_SERVER = 1 << 0, SPICE_MOUSE_MODE_CLIENT = 1 << 1 };

/* What one AGENT_DATA carries at most, in both directions. */
enum { SPICE_AGENT_MAX_DATA_SIZE = 2048 };

/** Where a migrating guest goes. MIGRATE_BEGIN and MIGRATE_SWITCH_HOST; only in the latter the
 * host may be missing. Texts count their NUL, which a peer may have forgotten. */
typedef struct {
    uint16_t port, sport; /* 0: none */
    SpiceBytes host;
    SpiceBytes cert_subject; /* no bytes: none */
} SpiceMsgMainMigrationDst;

typedef struct {
    SpiceMsgMainMigrationDst dst;
    uint32_t src_mig_version;
} SpiceMsgMainMigrateBeginSeamless;

typedef struct {
    uint32_t session_id;
    uint32_t display_channels_hint;
    uint32_t supported_mouse_modes; /* SPICE_MOUSE_MODE_* */
    uint32_t current_mouse_mode;
    uint32_t agent_connected; /* 0 or 1 */
    uint32_t agent_tokens;
    uint32_t multi_media_time; /* ms */
    uint32_t ram_hint;         /* bytes */
} SpiceMsgMainInit;

typedef struct {
    uint8_t type; /* SpiceChannelType */
    uint8_t id;
} SpiceChannelId;

typedef struct {
    uint32_t n_channels;
    SpiceChannelId *channels;
} SpiceMsgMainChannelsList;

typedef struct {
    uint16_t supported_modes, current_mode; /* SPICE_MOUSE_MODE_* */
} SpiceMsgMainMouseMode;

typedef struct {
    uint32_t time; /* ms */
} SpiceMsgMainMultiMediaTime;

typedef struct {
    uint32_t error_code;
} SpiceMsgMainAgentDisconnected;

/** A piece of the agent's byte stream, in both directions; at most SPICE_AGENT_MAX_DATA_SIZE. */
typedef struct {
    SpiceBytes data;
} SpiceMsgMainAgentData;

/** AGENT_TOKEN in both directions, AGENT_CONNECTED_TOKENS, AGENT_START. */
typedef struct {
    uint32_t num_tokens;
} SpiceMsgMainAgentTokens;

typedef struct {
    SpiceBytes name; /* counts its NUL */
} SpiceMsgMainName;

typedef struct {
    uint8_t uuid[16]; /* in the order of its text form */
} SpiceMsgMainUuid;

typedef struct {
    uint64_t cache_size;
} SpiceMsgcMainClientInfo;

typedef struct {
    uint16_t mode; /* one SPICE_MOUSE_MODE_* */
} SpiceMsgcMainMouseModeRequest;

typedef struct {
    uint32_t src_version;
} SpiceMsgcMainMigrateDstDoSeamless;
