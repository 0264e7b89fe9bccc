/* The link stage. An input is one byte (0: what a client sends, 1: what a server sends, 2: a list
 * of sub-messages), and the bytes: link header and message, or the offset of the list in four bytes
 * and the body.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/wire/link.h"
#include "fuzz_wire.h"

static bool same_caps(const SpiceCaps *one, const SpiceCaps *other)
{
    return one->n_words == other->n_words &&
           (one->n_words == 0 || memcmp(one->words, other->words, 4 * one->n_words) == 0);
}

static void fuzz_mess(const uint8_t *bytes, size_t size, SpiceArena *arena, SpiceBuffer *out)
{
    SpiceLinkMess mess, again;

    if (!spice_link_mess_read(&mess, bytes, size, arena, NULL))
        return;
    if (!spice_link_mess_write(&mess, out, NULL) ||
        !spice_link_mess_read(&again, out->data + SPICE_LINK_HEADER_SIZE,
                              out->size - SPICE_LINK_HEADER_SIZE, arena, NULL))
        abort();
    if (mess.connection_id != again.connection_id || mess.channel_type != again.channel_type ||
        mess.channel_id != again.channel_id || !same_caps(&mess.common_caps, &again.common_caps) ||
        !same_caps(&mess.channel_caps, &again.channel_caps))
        abort();
    for (unsigned cap = 0; cap < 100; cap++)
        if (spice_caps_has(&mess.common_caps, cap) && !spice_caps_set(&mess.common_caps, cap))
            abort();
}

static void fuzz_reply(const uint8_t *bytes, size_t size, SpiceArena *arena, SpiceBuffer *out)
{
    SpiceLinkReply reply, again;

    if (!spice_link_reply_read(&reply, bytes, size, arena, NULL))
        return;
    if (!spice_link_reply_write(&reply, out, NULL) ||
        !spice_link_reply_read(&again, out->data + SPICE_LINK_HEADER_SIZE,
                               out->size - SPICE_LINK_HEADER_SIZE, arena, NULL))
        abort();
    if (reply.error != again.error ||
        memcmp(reply.pub_key, again.pub_key, sizeof reply.pub_key) != 0 ||
        !same_caps(&reply.common_caps, &again.common_caps) ||
        !same_caps(&reply.channel_caps, &again.channel_caps))
        abort();
}

static void fuzz_list(const uint8_t *bytes, size_t size, SpiceArena *arena)
{
    SpiceMsgList list;

    if (size < 4 ||
        !spice_sub_list_read(bytes + 4, size - 4, spice_get_u32(bytes), arena, &list, NULL))
        return;
    for (unsigned i = 0; i < list.n_messages; i++) {
        const SpiceMessageDef *def =
            spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, list.messages[i].type);

        if (def)
            fuzz_wire_message(def, 0, list.messages[i].body.data, list.messages[i].body.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SpiceBuffer out = {.allocator = &spice_allocator_libc};
    SpiceArena arena;

    if (size < 1)
        return 0;
    spice_arena_init(&arena, &spice_allocator_libc, FUZZ_ARENA_LIMIT);
    if (data[0] == 2) {
        fuzz_list(data + 1, size - 1, &arena);
    } else if (size > SPICE_LINK_HEADER_SIZE) {
        const uint8_t *message = data + 1 + SPICE_LINK_HEADER_SIZE;
        size_t message_size = size - 1 - SPICE_LINK_HEADER_SIZE;
        SpiceLinkHeader header;

        spice_link_header_decode(&header, data + 1);
        /* the header's own verdict is not awaited: the reader must stand alone */
        (void)spice_link_header_check(&header, SPICE_LINK_MESS_SIZE);
        if (data[0] == 0)
            fuzz_mess(message, message_size, &arena, &out);
        else
            fuzz_reply(message, message_size, &arena, &out);
    }
    spice_buffer_clear(&out);
    spice_arena_clear(&arena);
    return 0;
}
