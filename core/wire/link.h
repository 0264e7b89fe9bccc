/* The link stage, which opens every channel's connection, and the header of each message after it.
 * Protocol sections "Connection, TLS, link" and "Message framing".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

/* "REDQ" as a little-endian integer. */
#define SPICE_MAGIC UINT32_C(0x51444552)

enum { SPICE_VERSION_MAJOR = 2, SPICE_VERSION_MINOR = 2 };

/* Sizes on the wire, without capability words. */
enum {
    SPICE_LINK_HEADER_SIZE = 16,
    SPICE_LINK_MESS_SIZE = 18,
    SPICE_LINK_REPLY_SIZE = 178,
    SPICE_AUTH_MECHANISM_SIZE = 4,
    SPICE_TICKET_SIZE = 128,
    SPICE_LINK_RESULT_SIZE = 4,
    SPICE_MINI_DATA_HEADER_SIZE = 6,
    SPICE_DATA_HEADER_SIZE = 18,
};

enum {
    SPICE_LINK_MAX_SIZE = 4096,      /* of what follows a SpiceLinkHeader */
    SPICE_LINK_MAX_CAPS = 1024,      /* words of a kind */
    SPICE_TICKET_PUBKEY_BYTES = 162, /* DER SubjectPublicKeyInfo of an RSA key of 1024 bits */
    SPICE_MAX_PASSWORD_LENGTH = 60,  /* without the NUL that is encrypted, too */
};

/** What a SpiceLinkReply or a link result says. */
typedef enum {
    SPICE_LINK_ERR_OK = 0,
    SPICE_LINK_ERR_ERROR = 1,
    SPICE_LINK_ERR_INVALID_MAGIC = 2,
    SPICE_LINK_ERR_INVALID_DATA = 3,
    SPICE_LINK_ERR_VERSION_MISMATCH = 4,
    SPICE_LINK_ERR_NEED_SECURED = 5,
    SPICE_LINK_ERR_NEED_UNSECURED = 6,
    SPICE_LINK_ERR_PERMISSION_DENIED = 7,
    SPICE_LINK_ERR_BAD_CONNECTION_ID = 8,
    SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE = 9,
} SpiceLinkError;

typedef struct {
    uint32_t magic, major, minor;
    uint32_t size; /* of what follows */
} SpiceLinkHeader;

/** Capability words: capability c is bit c mod 32 of word c div 32. */
typedef struct {
    uint32_t n_words;
    uint32_t *words;
} SpiceCaps;

/** The client's opening. */
typedef struct {
    uint32_t connection_id; /* 0 for a new session's main channel, else the session id */
    uint8_t channel_type;   /* SpiceChannelType */
    uint8_t channel_id;
    SpiceCaps common_caps, channel_caps;
} SpiceLinkMess;

/** The server's answer. */
typedef struct {
    uint32_t error; /* SpiceLinkError; unless OK all else is zero */
    uint8_t pub_key[SPICE_TICKET_PUBKEY_BYTES];
    SpiceCaps common_caps, channel_caps;
} SpiceLinkReply;

/** What a client says before its proof, if both announced PROTOCOL_AUTH_SELECTION. The values are
 * those of the capabilities. */
typedef enum {
    SPICE_AUTH_MECHANISM_SPICE = 1,
    SPICE_AUTH_MECHANISM_SASL = 2,
} SpiceAuthMechanism;

void spice_link_header_decode(SpiceLinkHeader *header, const uint8_t bytes[SPICE_LINK_HEADER_SIZE]);
void spice_link_header_encode(const SpiceLinkHeader *header, uint8_t bytes[SPICE_LINK_HEADER_SIZE]);

/** What is wrong with a peer's header, in the order in which a server looks: magic, major version,
 * then size (at least `least`: SPICE_LINK_MESS_SIZE or SPICE_LINK_REPLY_SIZE). */
SpiceLinkError spice_link_header_check(const SpiceLinkHeader *header, uint32_t least);

/** Reads what follows the header; `bytes` is all of it. The words live in `arena`. False and *error
 * if it is malformed: to be answered with SPICE_LINK_ERR_INVALID_DATA. */
bool spice_link_mess_read(SpiceLinkMess *mess, const uint8_t *bytes, size_t size, SpiceArena *arena,
                          SpiceError *error);
bool spice_link_reply_read(SpiceLinkReply *reply, const uint8_t *bytes, size_t size,
                           SpiceArena *arena, SpiceError *error);

/** Appends the header and the message. */
bool spice_link_mess_write(const SpiceLinkMess *mess, SpiceBuffer *out, SpiceError *error);
bool spice_link_reply_write(const SpiceLinkReply *reply, SpiceBuffer *out, SpiceError *error);

/** Whether the words hold capability `cap`; words that are missing hold none. */
bool spice_caps_has(const SpiceCaps *caps, unsigned cap);

/** Sets capability `cap`. False if there is no word for it. */
bool spice_caps_set(SpiceCaps *caps, unsigned cap);

/** Before every message. The mini header has type and size only. */
typedef struct {
    uint64_t serial;
    uint16_t type;
    uint32_t size;     /* of the body */
    uint32_t sub_list; /* offset in the body of a SpiceMsgList; 0: none */
} SpiceDataHeader;

/** serial and sub_list become 0. */
void spice_mini_data_header_decode(SpiceDataHeader *header,
                                   const uint8_t bytes[SPICE_MINI_DATA_HEADER_SIZE]);
void spice_mini_data_header_encode(const SpiceDataHeader *header,
                                   uint8_t bytes[SPICE_MINI_DATA_HEADER_SIZE]);
void spice_data_header_decode(SpiceDataHeader *header, const uint8_t bytes[SPICE_DATA_HEADER_SIZE]);
void spice_data_header_encode(const SpiceDataHeader *header, uint8_t bytes[SPICE_DATA_HEADER_SIZE]);
