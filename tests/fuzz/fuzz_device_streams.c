/* What a guest's devices and clients' agents say, in core/: chunks, messages, rules, card readers'
 * messages, packed blocks. However the bytes are cut, the same comes out.
 *
 * The input: a byte for what it is, a seed for the cuts, then the bytes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/device/agent-rules.h"
#include "core/device/agent-stream.h"
#include "core/device/smartcard-stream.h"
#include "core/device/vmc-block.h"
#include "core/wire/endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/** What a stream comes to: the same for each way of cutting it. */
typedef struct {
    uint64_t n_headers, n_ends, hash;
} Sum;

static void add(Sum *sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum->hash = (sum->hash ^ bytes[i]) * 1099511628211u;
}

typedef struct {
    SpiceAgentChunks chunks;
    SpiceAgentMessages messages[2];
    Sum sums[3];
} Agent;

static void read_messages(SpiceAgentMessages *messages, SpiceBytes input, Sum *sum)
{
    SpiceAgentPiece piece;
    size_t left = input.size;

    while ((piece = spice_agent_messages_next(messages, &input)).kind != SPICE_AGENT_NOTHING) {
        require(input.size < left);
        left = input.size;
        require(piece.kind == SPICE_AGENT_HEADER ? piece.bytes.size == SPICE_VD_AGENT_HEADER_SIZE
                                                 : piece.bytes.size <= piece.header.size);
        sum->n_headers += piece.kind == SPICE_AGENT_HEADER;
        sum->n_ends += piece.last;
        require(sum->n_ends <= sum->n_headers && sum->n_headers - sum->n_ends <= 1);
        add(sum, piece.bytes.data, piece.bytes.size);
    }
    require(input.size == 0);
}

static void read_chunks(Agent *self, SpiceBytes input)
{
    SpiceBytes data;
    uint32_t port;

    while (spice_agent_chunks_next(&self->chunks, &input, &port, &data)) {
        require(data.size > 0);
        if (port == VDP_CLIENT_PORT || port == VDP_SERVER_PORT)
            read_messages(&self->messages[port - 1], data, &self->sums[port - 1]);
        else
            add(&self->sums[2], data.data, data.size);
    }
    require(input.size == 0);
}

static void test_agent(uint32_t seed, const uint8_t *data, size_t size)
{
    static Agent whole, cut;
    size_t at = 0;

    memset(&whole, 0, sizeof whole);
    memset(&cut, 0, sizeof cut);
    read_chunks(&whole, (SpiceBytes){data, size});
    while (at < size) {
        size_t n = 1 + (seed >> 16) % 29;

        seed = seed * 1664525 + 1013904223;
        n = n < size - at ? n : size - at;
        read_chunks(&cut, (SpiceBytes){data + at, n});
        at += n;
    }
    require(memcmp(whole.sums, cut.sums, sizeof whole.sums) == 0);
}

static void test_rules(uint32_t seed, const uint8_t *data, size_t size)
{
    const SpiceAgentRules rules = {seed & 1, seed & 2};
    uint8_t *copy = malloc(size + 1);

    if (size > 0)
        memcpy(copy, data, size);
    spice_agent_rules_restrict(rules, copy, size);
    for (size_t i = 0; i < size; i++)
        require((i >= 4 && i < 8) || copy[i] == data[i]);
    free(copy);
}

static void test_smartcard(const uint8_t *data, size_t size)
{
    SpiceBuffer back = {.allocator = &spice_allocator_libc};
    SpiceMsgSmartcardData message;
    size_t at = 0, taken = 0;

    while (spice_smartcard_from_device((SpiceBytes){data + at, size - at}, &message, &taken) ==
           SPICE_SMARTCARD_MESSAGE) {
        require(taken >= SPICE_VSC_HEADER_SIZE && taken <= size - at);
        require(spice_smartcard_to_device(&message, &back));
        at += taken;
    }
    require(back.size == at && (at == 0 || memcmp(back.data, data, at) == 0));
    spice_buffer_clear(&back);
}

static void test_block(uint32_t claimed, const uint8_t *data, size_t size)
{
    const size_t room = claimed == 0 || claimed > SPICE_VMC_MAX_BLOCK ? 0 : claimed;
    uint8_t *out = malloc(room + 1);

    if (spice_vmc_block_unpack(data, size, out, claimed))
        require(room > 0);
    free(out);
    if (size > 0 && size <= SPICE_VMC_MAX_BLOCK) {
        uint8_t *packed = malloc(size), *again = malloc(size);
        const size_t n = spice_vmc_block_pack(data, size, packed, size);

        require(n < size);
        require(n == 0 ||
                (spice_vmc_block_unpack(packed, n, again, size) && memcmp(again, data, size) == 0));
        free(packed);
        free(again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t seed;

    if (size < 5)
        return 0;
    seed = spice_get_u32(data + 1);
    switch (data[0] & 3) {
    case 0:
        test_agent(seed, data + 5, size - 5);
        break;
    case 1:
        test_rules(seed, data + 5, size - 5);
        break;
    case 2:
        test_smartcard(data + 5, size - 5);
        break;
    default:
        test_block(seed, data + 5, size - 5);
        break;
    }
    return 0;
}
