/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-stream.h"

#include <string.h>

static SpiceBytes take(SpiceBytes *input, size_t most)
{
    const SpiceBytes taken = {input->data, input->size < most ? input->size : most};

    if (taken.size > 0)
        input->data += taken.size;
    input->size -= taken.size;
    return taken;
}

/** Fills a header of `size` bytes, of which there are *n. Whether it is whole. */
static bool gather(uint8_t *header, uint32_t size, uint32_t *n, SpiceBytes *input)
{
    const SpiceBytes part = take(input, size - *n);

    if (part.size > 0)
        memcpy(header + *n, part.data, part.size);
    *n += (uint32_t)part.size;
    return *n == size;
}

bool spice_agent_chunks_next(SpiceAgentChunks *self, SpiceBytes *input, uint32_t *port,
                             SpiceBytes *data)
{
    while (self->left == 0) {
        SpiceVDIChunkHeader header;

        if (!gather(self->header, sizeof self->header, &self->n_header, input))
            return false;
        spice_vdi_chunk_header_decode(&header, self->header);
        self->n_header = 0;
        self->port = header.port;
        self->left = header.size;
    }
    *data = take(input, self->left);
    *port = self->port;
    self->left -= (uint32_t)data->size;
    return data->size > 0;
}

SpiceAgentPiece spice_agent_messages_next(SpiceAgentMessages *self, SpiceBytes *input)
{
    SpiceAgentPiece piece = {.kind = SPICE_AGENT_NOTHING};

    if (self->left == 0) {
        if (self->n_header == sizeof self->header)
            self->n_header = 0; /* of the message before */
        if (!gather(self->header, sizeof self->header, &self->n_header, input))
            return piece;
        piece.kind = SPICE_AGENT_HEADER;
        piece.bytes = (SpiceBytes){self->header, sizeof self->header};
        spice_vd_agent_header_decode(&piece.header, self->header);
        self->left = piece.header.size;
    } else {
        if (input->size == 0)
            return piece;
        piece.kind = SPICE_AGENT_DATA;
        piece.bytes = take(input, self->left);
        spice_vd_agent_header_decode(&piece.header, self->header);
        self->left -= (uint32_t)piece.bytes.size;
    }
    piece.last = self->left == 0;
    return piece;
}

bool spice_agent_messages_is_within(const SpiceAgentMessages *self)
{
    return self->left > 0 || (self->n_header > 0 && self->n_header < sizeof self->header);
}
