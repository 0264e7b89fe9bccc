/* Everything that real peers sent is read to its last byte and written back as it was.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/wire/link.h"
#include "recordings.h"
#include "tests/unit/tap.h"

typedef struct {
    SpiceArena arena;
    SpiceBuffer out;
    unsigned n_seen, n_wrong;
} Replay;

static void complain(Replay *replay, const char *name, const char *what, const SpiceError *error)
{
    replay->n_wrong++;
    TAP_NOTE("message %u, %s: %s%s%s %s", replay->n_seen, name, what, error ? ": " : "",
             error && error->field ? error->field : "",
             error ? spice_error_phrase(error->code) : "");
}

static void replay_message(Replay *replay, uint8_t channel, SpiceDirection direction,
                           const RecordedMessage *recorded)
{
    const SpiceMessageDef *def = spice_message_find(channel, direction, recorded->type);
    SpiceWireSource source = {
        .body = recorded->body, .size = recorded->size, .arena = &replay->arena};
    SpiceError error = {0};
    void *message;

    replay->n_seen++;
    if (!def) {
        complain(replay, "?", "no such message", NULL);
        return;
    }
    spice_arena_reset(&replay->arena);
    replay->out.size = 0;
    message = spice_message_read(def, recorded->body, recorded->size, &replay->arena, &error);
    if (!message)
        complain(replay, def->name, "cannot be read", &error);
    else if (!spice_message_write(def, message, &replay->out, &error))
        complain(replay, def->name, "cannot be written", &error);
    else if (replay->out.size != recorded->size ||
             (recorded->size && memcmp(replay->out.data, recorded->body, recorded->size) != 0))
        complain(replay, def->name, "comes back different", NULL);
    if (!def->layout || !message)
        return;
    memset(message, 0, def->size);
    if (!spice_wire_read(&source, def->layout, message, NULL) || source.end != recorded->size)
        complain(replay, def->name, "is not consumed to its last byte", NULL);
}

/* The header as it stands before the message's body, decoded and encoded again. */
static bool header_comes_back(const Recording *recording, const RecordedMessage *recorded)
{
    uint8_t bytes[SPICE_DATA_HEADER_SIZE];
    size_t size = recording->mini ? SPICE_MINI_DATA_HEADER_SIZE : SPICE_DATA_HEADER_SIZE;
    const uint8_t *before = recorded->body - size;
    SpiceDataHeader header;

    if (recording->mini) {
        spice_mini_data_header_decode(&header, before);
        spice_mini_data_header_encode(&header, bytes);
    } else {
        spice_data_header_decode(&header, before);
        spice_data_header_encode(&header, bytes);
    }
    return header.type == recorded->type && header.size == recorded->size &&
           header.serial == recorded->serial && header.sub_list == recorded->sub_list &&
           memcmp(bytes, before, size) == 0;
}

static bool link_stage_comes_back(Replay *replay, const Recording *recording, uint8_t channel)
{
    const uint8_t *bytes = recording->bytes + SPICE_LINK_HEADER_SIZE;
    SpiceLinkHeader header;
    bool ok;

    spice_arena_reset(&replay->arena);
    replay->out.size = 0;
    spice_link_header_decode(&header, recording->bytes);
    if (recording->from_client) {
        SpiceLinkMess mess;

        ok = spice_link_header_check(&header, SPICE_LINK_MESS_SIZE) == SPICE_LINK_ERR_OK &&
             spice_link_mess_read(&mess, bytes, header.size, &replay->arena, NULL) &&
             mess.channel_type == channel && spice_link_mess_write(&mess, &replay->out, NULL) &&
             spice_get_u32(recording->bytes + recording->link_size) == SPICE_AUTH_MECHANISM_SPICE;
    } else {
        SpiceLinkReply reply;

        ok = spice_link_header_check(&header, SPICE_LINK_REPLY_SIZE) == SPICE_LINK_ERR_OK &&
             spice_link_reply_read(&reply, bytes, header.size, &replay->arena, NULL) &&
             reply.error == SPICE_LINK_ERR_OK &&
             spice_link_reply_write(&reply, &replay->out, NULL) &&
             spice_get_u32(recording->bytes + recording->link_size) == SPICE_LINK_ERR_OK;
    }
    return ok && replay->out.size == recording->link_size &&
           memcmp(replay->out.data, recording->bytes, recording->link_size) == 0;
}

static void test_recording(const char *vectors, const RecordedChannel *channel,
                           SpiceDirection direction)
{
    const char *side = direction_names[direction];
    Replay replay = {.out = {.allocator = &spice_allocator_libc}};
    unsigned n_bad_headers = 0;
    RecordedMessage recorded;
    Recording recording;
    size_t position;

    if (!tap_ok(recorded_channel_open(&recording, vectors, channel, direction), "%s %s is there",
                channel->name, side)) {
        recording_close(&recording);
        return;
    }
    spice_arena_init(&replay.arena, &spice_allocator_libc, 1 << 20);
    TAP_OK(link_stage_comes_back(&replay, &recording, channel->channel),
           "%s %s: the link stage comes back byte for byte", channel->name, side);
    position = recording.start;
    while (recording_next(&recording, &position, &recorded)) {
        if (!header_comes_back(&recording, &recorded) ||
            (!recording.mini && recorded.serial != replay.n_seen + 1))
            n_bad_headers++;
        replay_message(&replay, channel->channel, direction, &recorded);
    }
    TAP_OK(replay.n_wrong == 0 && replay.n_seen == channel->n_messages[direction] &&
               n_bad_headers == 0 && position == recording.size,
           "%s %s: %u messages of %u come back byte for byte", channel->name, side,
           replay.n_seen - replay.n_wrong, channel->n_messages[direction]);
    spice_arena_clear(&replay.arena);
    spice_buffer_clear(&replay.out);
    recording_close(&recording);
}

int main(int argc, char **argv)
{
    const char *vectors = argc > 1 ? argv[1] : "tests/vectors";

    for (unsigned i = 0; i < N_RECORDED_CHANNELS; i++) {
        test_recording(vectors, &recorded_channels[i], SPICE_FROM_SERVER);
        test_recording(vectors, &recorded_channels[i], SPICE_FROM_CLIENT);
    }
    return tap_done();
}
