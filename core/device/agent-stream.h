/* An agent's messages, taken apart as their bytes come.
 *
 * They travel in two wrappings: in AGENT_DATA as they are, one after another, cut anywhere; and on
 * the guest's virtio port in chunks, each with the number of the stream that it goes on with. Both
 * readers here take bytes cut anywhere, keep a header's worth of them at most, and believe no length
 * but to count it down: what is large is passed on in the pieces that it came in.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/vdagent.h"

/** Reads the virtio port of a guest. Zero-initialise. */
typedef struct {
    uint8_t header[SPICE_VDI_CHUNK_HEADER_SIZE];
    uint32_t n_header;
    uint32_t port; /* of the chunk that is coming in */
    uint32_t left; /* bytes of it still to come */
} SpiceAgentChunks;

/** Takes bytes from the front of *input up to the end of a piece of one chunk. False when there is
 * none: the input is used up. *data is part of the input. */
bool spice_agent_chunks_next(SpiceAgentChunks *chunks, SpiceBytes *input, uint32_t *port,
                             SpiceBytes *data);

/** Reads messages. Zero-initialise. */
typedef struct {
    uint8_t header[SPICE_VD_AGENT_HEADER_SIZE];
    uint32_t n_header;
    uint32_t left; /* bytes of the message's data still to come */
} SpiceAgentMessages;

typedef enum {
    SPICE_AGENT_NOTHING, /* the input is used up */
    SPICE_AGENT_HEADER,  /* of a message that begins */
    SPICE_AGENT_DATA,    /* some of the data of the message that began last */
} SpiceAgentPieceKind;

typedef struct {
    SpiceAgentPieceKind kind;
    SpiceVDAgentMessageHeader header; /* of the message that it belongs to */
    SpiceBytes bytes;                 /* HEADER: all of it, in the reader; DATA: of the input */
    bool last;                        /* the message ends with it */
} SpiceAgentPiece;

/** Takes the next piece from the front of *input. */
SpiceAgentPiece spice_agent_messages_next(SpiceAgentMessages *messages, SpiceBytes *input);
/** Whether a message, or its header, has begun and not ended. */
bool spice_agent_messages_is_within(const SpiceAgentMessages *messages);
