/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sender-client.h"

#include "core/wire/channel.h"

void sent_client_open(SentClient *client, SpiceImageMode mode)
{
    *client = (SentClient){0};
    client->images = spice_client_images_create(&spice_allocator_libc, 0, 1, NULL);
    spice_sender_output_init(&client->out, &spice_allocator_libc);
    spice_arena_init(&client->arena, &spice_allocator_libc, 1 << 24);
    for (unsigned i = 0; i < 2; i++) {
        const SpiceSenderConfig config = {
            .allocator = &spice_allocator_libc,
            .images = client->images,
            .channel_id = (uint8_t)(10 + i),
            .first_serial = 100 * (i + 1),
            .mode = mode,
        };
        const SpiceMsgcDisplayInit init = {1, CACHE_PIXELS, 1, GLZ_PIXELS};
        const SpiceMsgDisplaySurfaceCreate create = {0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB,
                                                     SPICE_SURFACE_FLAGS_PRIMARY};

        client->senders[i] = spice_sender_create(&config);
        spice_sender_take_init(client->senders[i], &init, NULL);
        spice_sender_encode(client->senders[i], SPICE_MSG_DISPLAY_SURFACE_CREATE, &create,
                            &client->out, NULL);
    }
}

void sent_client_close(SentClient *client)
{
    for (unsigned i = 0; i < 2; i++)
        spice_sender_destroy(client->senders[i]);
    spice_sender_output_clear(&client->out);
    spice_arena_clear(&client->arena);
    spice_client_images_destroy(client->images);
}

const void *sent_client_read(SentClient *client, unsigned n, uint16_t type)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);

    if (n >= client->out.n_messages || client->out.messages[n].type != type)
        return NULL;
    return spice_message_read(def, client->out.bytes.data + client->out.messages[n].offset,
                              client->out.messages[n].size, &client->arena, NULL);
}

void sent_picture_make(SentPicture *picture, uint64_t id, int kind, uint32_t side)
{
    uint32_t random = 1;

    for (uint32_t i = 0; i < side * side * 4; i++) {
        const uint32_t x = i / 4 % side, y = i / 4 / side;

        random = random * 1664525u + 1013904223u;
        picture->rows[i] = (uint8_t)(kind == FLAT     ? 40 + (uint32_t)id
                                     : kind == SHADES ? x * 2 + y * 3
                                     : kind == GRAIN  ? 60 + x + y + (random >> 24) % 12
                                                      : random >> 24);
        if (i % 4 == 3)
            picture->rows[i] = 0;
    }
    picture->image = (SpiceImage){
        .id = id << 32,
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .flags = id ? SPICE_IMAGE_FLAGS_CACHE_ME : 0,
        .width = side,
        .height = side,
        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = side,
        .bitmap_height = side,
        .stride = side * 4,
        .data = {picture->rows, side * side * 4},
    };
}

SpiceMsgDisplayDrawCopy sent_picture_copy(SentPicture *picture, int32_t x, int32_t y)
{
    const int32_t side = (int32_t)picture->image.width;

    return (SpiceMsgDisplayDrawCopy){
        .base = {.box = {y, x, y + side, x + side}},
        .source = &picture->image,
        .source_area = {0, 0, side, side},
        .rop = SPICE_ROPD_OP_PUT,
    };
}

const SpiceImage *sent_client_send(SentClient *client, unsigned sender, SentPicture *picture,
                                   int32_t x, int32_t y)
{
    const SpiceMsgDisplayDrawCopy copy = sent_picture_copy(picture, x, y);
    const SpiceMsgDisplayDrawCopy *read;

    spice_arena_reset(&client->arena);
    if (!spice_sender_encode(client->senders[sender], SPICE_MSG_DISPLAY_DRAW_COPY, &copy,
                             &client->out, NULL))
        return NULL;
    read = sent_client_read(client, client->out.n_messages - 1, SPICE_MSG_DISPLAY_DRAW_COPY);
    return read ? read->source : NULL;
}
