/* An agent's stream, cut anywhere: in every way of cutting it the same messages come out, chunks of
 * two ports in between; and lengths that lie are counted down, not believed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/device/agent-stream.h"

#include "core/wire/endian.h"
#include "tests/unit/tap.h"

enum { MAX_STREAM = 1 << 16, N_MESSAGES = 5 };

static const uint32_t sizes[N_MESSAGES] = {0, 1, 19, 0, 3000};

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

typedef struct {
    uint8_t bytes[MAX_STREAM];
    size_t size;
} Stream;

static void put(Stream *stream, const void *bytes, size_t size)
{
    memcpy(stream->bytes + stream->size, bytes, size);
    stream->size += size;
}

/** Some messages, the first of them of type `first`. */
static void make_messages(Stream *stream, uint32_t first)
{
    stream->size = 0;
    for (uint32_t i = 0; i < N_MESSAGES; i++) {
        const SpiceVDAgentMessageHeader header = {
            .protocol = VD_AGENT_PROTOCOL, .type = first + i, .size = sizes[i]};
        uint8_t head[SPICE_VD_AGENT_HEADER_SIZE], byte;

        spice_vd_agent_header_encode(&header, head);
        put(stream, head, sizeof head);
        for (uint32_t j = 0; j < sizes[i]; j++) {
            byte = (uint8_t)(j * 7 + i);
            put(stream, &byte, 1);
        }
    }
}

/** What a reader of messages has told. */
typedef struct {
    Stream out; /* all bytes of all pieces */
    unsigned n_headers, n_ends;
    bool bad;
    uint32_t told; /* bytes of the message's data */
} Told;

static void read_messages(SpiceAgentMessages *messages, const uint8_t *data, size_t size,
                          Told *told)
{
    SpiceBytes input = {data, size};
    SpiceAgentPiece piece;

    while ((piece = spice_agent_messages_next(messages, &input)).kind != SPICE_AGENT_NOTHING) {
        if (piece.kind == SPICE_AGENT_HEADER) {
            told->bad |=
                piece.bytes.size != SPICE_VD_AGENT_HEADER_SIZE || told->n_headers != told->n_ends;
            told->n_headers++;
            told->told = 0;
        } else {
            told->bad |= piece.bytes.size == 0;
            told->told += (uint32_t)piece.bytes.size;
        }
        told->bad |= piece.last != (told->told == piece.header.size);
        told->bad |= piece.last == spice_agent_messages_is_within(messages);
        told->n_ends += piece.last;
        put(&told->out, piece.bytes.data, piece.bytes.size);
    }
    told->bad |= input.size != 0;
}

static bool is_told(const Told *told, const Stream *stream)
{
    return !told->bad && told->n_headers == N_MESSAGES && told->n_ends == N_MESSAGES &&
           told->out.size == stream->size &&
           memcmp(told->out.bytes, stream->bytes, stream->size) == 0;
}

static void test_all_cuts(void)
{
    static Stream stream;
    static Told told;
    unsigned bad = 0;

    make_messages(&stream, 1);
    for (size_t cut = 0; cut <= stream.size; cut++) {
        SpiceAgentMessages messages = {.n_header = 0};

        told = (Told){.bad = false};
        read_messages(&messages, stream.bytes, cut, &told);
        read_messages(&messages, stream.bytes + cut, stream.size - cut, &told);
        bad += !is_told(&told, &stream);
    }
    TAP_OK(bad == 0, "messages cut in two at each of %zu places", stream.size + 1);
    bad = 0;
    for (size_t step = 1; step < 64; step++) {
        SpiceAgentMessages messages = {.n_header = 0};

        told = (Told){.bad = false};
        for (size_t at = 0; at < stream.size; at += step)
            read_messages(&messages, stream.bytes + at,
                          stream.size - at < step ? stream.size - at : step, &told);
        bad += !is_told(&told, &stream);
    }
    TAP_OK(bad == 0, "messages in pieces of 1 to 63 bytes");
}

/** Puts some of a stream behind the wire, as a chunk. */
static void put_chunk(Stream *wire, uint32_t port, const Stream *stream, size_t *at)
{
    const size_t left = stream->size - *at;
    const uint32_t most = below(3) ? 40 : 3000, wanted = below(most);
    const SpiceVDIChunkHeader header = {port, (uint32_t)(wanted < left ? wanted : left)};
    uint8_t head[SPICE_VDI_CHUNK_HEADER_SIZE];

    spice_vdi_chunk_header_encode(&header, head);
    put(wire, head, sizeof head);
    put(wire, stream->bytes + *at, header.size);
    *at += header.size;
}

static void test_chunks(unsigned n)
{
    static Stream streams[2], wire;
    static Told told[2];
    unsigned bad = 0;

    make_messages(&streams[0], 1);
    make_messages(&streams[1], 7);
    for (unsigned i = 0; i < n; i++) {
        SpiceAgentChunks chunks = {.n_header = 0};
        SpiceAgentMessages messages[2] = {{.n_header = 0}, {.n_header = 0}};
        size_t at[2] = {0, 0}, done = 0;

        told[0] = told[1] = (Told){.bad = false};
        wire.size = 0;
        while (at[0] < streams[0].size || at[1] < streams[1].size) {
            const uint32_t port = below(2);

            put_chunk(&wire, VDP_CLIENT_PORT + port, &streams[port], &at[port]);
        }
        while (done < wire.size) {
            const size_t wanted = 1 + below(below(2) ? 20 : 4000);
            const size_t size = wanted < wire.size - done ? wanted : wire.size - done;
            SpiceBytes input = {wire.bytes + done, size}, data;
            uint32_t port;

            while (spice_agent_chunks_next(&chunks, &input, &port, &data)) {
                if (port == VDP_CLIENT_PORT || port == VDP_SERVER_PORT)
                    read_messages(&messages[port - 1], data.data, data.size, &told[port - 1]);
                else
                    bad++;
            }
            bad += input.size != 0;
            done += size;
        }
        bad += !is_told(&told[0], &streams[0]) || !is_told(&told[1], &streams[1]);
    }
    TAP_OK(bad == 0, "two streams in chunks, %u times, cut at random", n);
}

static void test_lies(void)
{
    static const uint32_t lies[] = {1, 2048, 0x7fffffff, 0x80000000, UINT32_MAX};
    uint8_t bytes[SPICE_VDI_CHUNK_HEADER_SIZE + SPICE_VD_AGENT_HEADER_SIZE + 1] = {0};

    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        SpiceAgentChunks chunks = {.n_header = 0};
        SpiceAgentMessages messages = {.n_header = 0};
        SpiceBytes input = {bytes, sizeof bytes}, data;
        SpiceAgentPiece piece;
        uint32_t port;

        spice_put_u32(bytes, VDP_CLIENT_PORT);
        spice_put_u32(bytes + 4, UINT32_MAX);
        spice_put_u32(bytes + SPICE_VDI_CHUNK_HEADER_SIZE + 16, lies[i]);
        spice_agent_chunks_next(&chunks, &input, &port, &data);
        piece = spice_agent_messages_next(&messages, &data);
        piece = spice_agent_messages_next(&messages, &data);
        TAP_OK(piece.kind == SPICE_AGENT_DATA && piece.bytes.size == 1 &&
                   piece.last == (lies[i] == 1) && messages.left == lies[i] - 1 &&
                   chunks.left == UINT32_MAX - SPICE_VD_AGENT_HEADER_SIZE - 1,
               "a message that says it has %u bytes", lies[i]);
    }
}

int main(int argc, char **argv)
{
    test_all_cuts();
    test_chunks(tap_long(argc, argv) ? 100000 : 500);
    test_lies();
    return tap_done();
}
