/* What client and agent said to each other in a recorded session, put together from the pieces
 * that AGENT_DATA carries: each message comes back byte for byte.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/wire/vdagent.h"

#include "core/wire/main.h"
#include "recordings.h"
#include "tests/unit/tap.h"

static SpiceArena arena;
static uint32_t announced[2]; /* first capability word of each side */
static unsigned n_grabs, n_text_grabs;
static SpiceBuffer guest_text = {.allocator = &spice_allocator_libc};

/* The agent's byte stream of one direction. */
static void collect(const Recording *recording, uint16_t type, SpiceBuffer *stream)
{
    size_t position = recording->start;
    RecordedMessage message;

    while (recording_next(recording, &position, &message))
        if (message.type == type)
            spice_buffer_append(stream, message.body, message.size);
}

static void keep_text(const SpiceVDAgentClipboard *clipboard)
{
    if (clipboard->type == VD_AGENT_CLIPBOARD_UTF8_TEXT)
        spice_buffer_append(&guest_text, clipboard->data.data, clipboard->data.size);
}

static bool comes_back(const SpiceMessageDef *def, uint32_t agreed, const uint8_t *body,
                       size_t size, SpiceDirection direction)
{
    SpiceBuffer out = {.allocator = &spice_allocator_libc};
    void *message;
    bool same;

    spice_arena_reset(&arena);
    message = spice_message_read_agreed(def, agreed, body, size, &arena, NULL);
    same = message && spice_message_write_agreed(def, agreed, message, &out, NULL) &&
           out.size == size && (size == 0 || memcmp(out.data, body, size) == 0);
    if (same && def->type == VD_AGENT_ANNOUNCE_CAPABILITIES) {
        SpiceVDAgentAnnounceCapabilities *announcement = message;

        if (announcement->caps.n_words)
            announced[direction] = announcement->caps.words[0];
    }
    if (same && def->type == VD_AGENT_CLIPBOARD_GRAB) {
        SpiceVDAgentClipboardGrab *grab = message;

        n_grabs++;
        n_text_grabs += grab->n_types > 0 && grab->types[0] == VD_AGENT_CLIPBOARD_UTF8_TEXT;
    }
    if (same && def->type == VD_AGENT_CLIPBOARD && direction == SPICE_FROM_SERVER)
        keep_text(message);
    spice_buffer_clear(&out);
    return same;
}

static void test_stream(const SpiceBuffer *stream, SpiceDirection direction, uint32_t agreed,
                        const char *expected)
{
    char seen[256] = "";
    size_t position = 0;
    bool same = true;

    while (stream->size - position >= SPICE_VD_AGENT_HEADER_SIZE) {
        const SpiceMessageDef *def;
        SpiceVDAgentMessageHeader header;
        uint8_t again[SPICE_VD_AGENT_HEADER_SIZE];
        size_t length = strlen(seen);

        spice_vd_agent_header_decode(&header, stream->data + position);
        spice_vd_agent_header_encode(&header, again);
        def = spice_vd_agent_find(header.type);
        if (!def || header.protocol != VD_AGENT_PROTOCOL ||
            memcmp(again, stream->data + position, sizeof again) != 0 ||
            header.size > stream->size - position - sizeof again)
            break;
        position += sizeof again;
        if (!comes_back(def, agreed, stream->data + position, header.size, direction)) {
            TAP_NOTE("%s of %u bytes does not come back", def->name, (unsigned)header.size);
            same = false;
        }
        position += header.size;
        snprintf(seen + length, sizeof seen - length, "%s%u", length ? " " : "",
                 (unsigned)header.type);
    }
    TAP_OK(position == stream->size, "%s: the stream is messages to its last byte (%zu of %zu)",
           direction_names[direction], position, stream->size);
    TAP_OK(same, "%s: each message comes back byte for byte", direction_names[direction]);
    TAP_OK(strcmp(seen, expected) == 0, "%s: types %s", direction_names[direction], seen);
}

static bool is_file(const char *vectors, const char *name, const SpiceBuffer *bytes)
{
    static char content[65536];
    char path[1024];
    size_t size = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", vectors, name);
    file = fopen(path, "rb");
    if (file) {
        size = fread(content, 1, sizeof content, file);
        fclose(file);
    }
    return size > 0 && size == bytes->size && memcmp(content, bytes->data, size) == 0;
}

int main(int argc, char **argv)
{
    const char *vectors = argc > 1 ? argv[1] : "tests/vectors";
    static const char *const expected[] = {"6 6 8 7 4 9 8 7 9",
                                           "6 6 14 2 14 2 7 4 8 2 2 2 7 4 2 2"};
    static const uint16_t types[] = {SPICE_MSG_MAIN_AGENT_DATA, SPICE_MSGC_MAIN_AGENT_DATA};
    /* the program that played the agent announced no grab serials */
    const uint32_t agreed = 1u << VD_AGENT_CAP_CLIPBOARD_SELECTION;
    const uint32_t serial = 1u << VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL;
    SpiceCaps caps[2] = {{1, &announced[0]}, {1, &announced[1]}};

    spice_arena_init(&arena, &spice_allocator_libc, 1 << 16);
    for (int direction = 0; direction < 2; direction++) {
        SpiceBuffer stream = {.allocator = &spice_allocator_libc};
        Recording recording;

        TAP_OK(recorded_channel_open(&recording, vectors, &recorded_channels[0],
                                     (SpiceDirection)direction),
               "the recording %s is there", direction_names[direction]);
        collect(&recording, types[direction], &stream);
        test_stream(&stream, (SpiceDirection)direction, agreed, expected[direction]);
        spice_buffer_clear(&stream);
        recording_close(&recording);
    }
    TAP_OK((spice_vd_agent_agreed(&caps[0], &caps[1]) & (agreed | serial)) == agreed,
           "both announced selections, not both grab serials (%08x, %08x)", (unsigned)announced[0],
           (unsigned)announced[1]);
    TAP_OK(n_grabs == 4 && n_text_grabs == 4, "each of the %u grabs offers text first", n_grabs);
    TAP_OK(is_file(vectors, "session-agent/clipboard-from-guest.txt", &guest_text),
           "the guest's clipboard is the text that the guest had (%zu bytes)", guest_text.size);
    spice_buffer_clear(&guest_text);
    spice_arena_clear(&arena);
    return tap_done();
}
