/* What all channels have: their types, the messages 1 to 99, capabilities of the link.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

/** Channel types. 7 was the tunnel channel; it is not to be used again. */
typedef enum {
    SPICE_CHANNEL_MAIN = 1,
    SPICE_CHANNEL_DISPLAY = 2,
    SPICE_CHANNEL_INPUTS = 3,
    SPICE_CHANNEL_CURSOR = 4,
    SPICE_CHANNEL_PLAYBACK = 5,
    SPICE_CHANNEL_RECORD = 6,
    SPICE_CHANNEL_SMARTCARD = 8,
    SPICE_CHANNEL_USBREDIR = 9,
    SPICE_CHANNEL_PORT = 10,
    SPICE_CHANNEL_WEBDAV = 11,
    SPICE_END_CHANNEL,
} SpiceChannelType;

/* Bits of the common capability word: protocol section 5. */
enum {
    SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION = 0,
    SPICE_COMMON_CAP_AUTH_SPICE = 1,
    SPICE_COMMON_CAP_AUTH_SASL = 2,
    SPICE_COMMON_CAP_MINI_HEADER = 3,
};

enum {
    SPICE_MSG_MIGRATE = 1,
    SPICE_MSG_MIGRATE_DATA = 2,
    SPICE_MSG_SET_ACK = 3,
    SPICE_MSG_PING = 4,
    SPICE_MSG_WAIT_FOR_CHANNELS = 5,
    SPICE_MSG_DISCONNECTING = 6,
    SPICE_MSG_NOTIFY = 7,
    SPICE_MSG_LIST = 8,
};

enum {
    SPICE_MSGC_ACK_SYNC = 1,
    SPICE_MSGC_ACK = 2,
    SPICE_MSGC_PONG = 3,
    SPICE_MSGC_MIGRATE_FLUSH_MARK = 4,
    SPICE_MSGC_MIGRATE_DATA = 5,
    SPICE_MSGC_DISCONNECTING = 6,
};

/* The first number that belongs to the channel type. */
enum { SPICE_FIRST_CHANNEL_MESSAGE = 101 };

enum {
    SPICE_MIGRATE_NEED_FLUSH = 1 << 0,
    SPICE_MIGRATE_NEED_DATA_TRANSFER = 1 << 1,
};

typedef struct {
    uint32_t flags; /* SPICE_MIGRATE_* */
} SpiceMsgMigrate;

/** MIGRATE_DATA in both directions: opaque to the client, see migration.h. */
typedef struct {
    SpiceBytes data;
} SpiceMsgMigrateData;

typedef struct {
    uint32_t generation;
    uint32_t window; /* messages between two ACKs; 0: none wanted */
} SpiceMsgSetAck;

typedef struct {
    uint32_t id;
    uint64_t timestamp; /* the sender's own */
    SpiceBytes padding; /* is not sent back */
} SpiceMsgPing;

/* Ids of PINGs that do not mean that more will come whatever is sent: those of the net test when a
 * client connects, and those that our server marks with how far a client has read, which have their
 * number in the lower bits. */
enum {
    SPICE_PING_LAST_OF_NET_TEST = 3,
    SPICE_PING_MARK = 0x4d000000,
    SPICE_PING_MARK_NUMBER = 0xffffff,
};

typedef struct {
    uint8_t channel_type; /* SpiceChannelType */
    uint8_t channel_id;
    uint64_t message_serial;
} SpiceWaitForChannel;

typedef struct {
    uint8_t n_waits;
    SpiceWaitForChannel *waits;
} SpiceMsgWaitForChannels;

/** In both directions. */
typedef struct {
    uint64_t time_stamp;
    uint32_t reason; /* SpiceLinkError */
} SpiceMsgDisconnecting;

typedef enum {
    SPICE_NOTIFY_SEVERITY_INFO = 0,
    SPICE_NOTIFY_SEVERITY_WARN = 1,
    SPICE_NOTIFY_SEVERITY_ERROR = 2,
} SpiceNotifySeverity;

typedef enum {
    SPICE_NOTIFY_VISIBILITY_LOW = 0,
    SPICE_NOTIFY_VISIBILITY_MEDIUM = 1,
    SPICE_NOTIFY_VISIBILITY_HIGH = 2,
} SpiceNotifyVisibility;

typedef struct {
    uint64_t time_stamp; /* nanoseconds */
    uint32_t severity;   /* SpiceNotifySeverity */
    uint32_t visibility; /* SpiceNotifyVisibility */
    uint32_t what;
    SpiceBytes message; /* without the NUL that follows it on the wire */
} SpiceMsgNotify;

/** A message carried by another. */
typedef struct {
    uint16_t type;
    /** As read: not to be trusted, the field's servers write the size of a structure of theirs
     * that is larger than the message. Not used when writing. */
    uint32_t announced_size;
    /** Read: from the first byte of the message to the end of the *carrying* body, so that the
     * message is bounded by its fields. Written: the message. */
    SpiceBytes body;
} SpiceSubMessage;

/** Sub-messages in the order in which they are to be handled, all before the carrying message. */
typedef struct {
    uint16_t n_messages; /* at most SPICE_MAX_SUB_MESSAGES */
    SpiceSubMessage *messages;
} SpiceMsgList;

/* Two occur at most, a WAIT_FOR_CHANNELS and an INVAL_LIST; more than this is refused. */
enum { SPICE_MAX_SUB_MESSAGES = 16 };

typedef struct {
    uint32_t generation;
} SpiceMsgcAckSync;

typedef struct {
    uint32_t id;
    uint64_t timestamp; /* both as in the PING */
} SpiceMsgcPong;

/** The list that the sub_list field of a full data header points to (not 0). False and *error if
 * it does not lie within `body`. The result points into `body` and lives in `arena`. */
bool spice_sub_list_read(const uint8_t *body, size_t size, uint32_t sub_list, SpiceArena *arena,
                         SpiceMsgList *list, SpiceError *error);

/** Puts `list` behind a body that stands in `out` from `body_start` on; *sub_list is what the
 * header has to say. False, `out` unchanged, if it cannot be expressed. */
bool spice_sub_list_append(const SpiceMsgList *list, SpiceBuffer *out, size_t body_start,
                           uint32_t *sub_list, SpiceError *error);

void spice_layout_wait_for_channels(SpiceWire *wire, void *value);
