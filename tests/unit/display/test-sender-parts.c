/* What a sender says in which order, told message by message.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "../tap.h"
#include "core/display/sender.h"
#include "core/display/sent-content.h"
#include "core/wire/channel.h"

enum { SIDE = 64, CACHE_PIXELS = 4 * 32 * 32, GLZ_PIXELS = 1 << 16 };

typedef struct {
    SpiceClientImages *images;
    SpiceSender *senders[2];
    SpiceSenderOutput out;
    SpiceArena arena;
    void *message; /* the last of them, read back */
} Client;

static void open_client(Client *client, SpiceImageMode mode)
{
    *client = (Client){0};
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

static void close_client(Client *client)
{
    for (unsigned i = 0; i < 2; i++)
        spice_sender_destroy(client->senders[i]);
    spice_sender_output_clear(&client->out);
    spice_arena_clear(&client->arena);
    spice_client_images_destroy(client->images);
}

/** Message `n` of what was returned, read back; NULL if it is of another type. */
static const void *read_back(Client *client, unsigned n, uint16_t type)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);

    if (n >= client->out.n_messages || client->out.messages[n].type != type)
        return NULL;
    return spice_message_read(def, client->out.bytes.data + client->out.messages[n].offset,
                              client->out.messages[n].size, &client->arena, NULL);
}

/** A picture of 32 x 32, or of another size, with rows that `kind` tells. */
typedef struct {
    SpiceImage image;
    uint8_t rows[SIDE * SIDE * 4];
    SpicePalette palette;
    uint32_t entries[16];
} Picture;

enum { FLAT, SHADES, GRAIN, NOISE };

static void make(Picture *picture, uint64_t id, int kind, uint32_t side)
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

static SpiceMsgDisplayDrawCopy copy_of(Picture *picture, int32_t x, int32_t y)
{
    const int32_t side = (int32_t)picture->image.width;

    return (SpiceMsgDisplayDrawCopy){
        .base = {.box = {y, x, y + side, x + side}},
        .source = &picture->image,
        .source_area = {0, 0, side, side},
        .rop = SPICE_ROPD_OP_PUT,
    };
}

/** Sends a picture; the image that came of it, as read back. NULL: it was refused. */
static const SpiceImage *send(Client *client, unsigned sender, Picture *picture, int32_t x,
                              int32_t y)
{
    const SpiceMsgDisplayDrawCopy copy = copy_of(picture, x, y);
    const SpiceMsgDisplayDrawCopy *read;

    spice_arena_reset(&client->arena);
    if (!spice_sender_encode(client->senders[sender], SPICE_MSG_DISPLAY_DRAW_COPY, &copy,
                             &client->out, NULL))
        return NULL;
    read = read_back(client, client->out.n_messages - 1, SPICE_MSG_DISPLAY_DRAW_COPY);
    return read ? read->source : NULL;
}

/* --- DISPLAY_INIT --- */

static SpiceErrorCode init_error(Client *client, SpiceMsgcDisplayInit init)
{
    const SpiceSenderConfig config = {
        .allocator = &spice_allocator_libc, .images = client->images, .first_serial = 1};
    SpiceSender *sender = spice_sender_create(&config);
    SpiceError error = {0};

    spice_sender_take_init(sender, &init, &error);
    spice_sender_destroy(sender);
    return error.code;
}

static void test_init(void)
{
    Client client;
    bool refused = true, others = true;
    SpiceError error = {0};

    open_client(&client, SPICE_IMAGE_MODE_LZ);
    TAP_OK(init_error(&client, (SpiceMsgcDisplayInit){2, -1, 2, 0}) == SPICE_ERROR_VALUE &&
               init_error(&client, (SpiceMsgcDisplayInit){2, INT64_MIN, 2, 0}) ==
                   SPICE_ERROR_VALUE &&
               init_error(&client, (SpiceMsgcDisplayInit){2, 0, 2, -1}) == SPICE_ERROR_VALUE &&
               init_error(&client, (SpiceMsgcDisplayInit){2, 0, 2, (1 << 25) + 1}) ==
                   SPICE_ERROR_VALUE,
           "sizes that the protocol does not allow are refused");
    TAP_OK(init_error(&client, (SpiceMsgcDisplayInit){2, 0, 2, 0}) == SPICE_OK &&
               init_error(&client, (SpiceMsgcDisplayInit){2, INT64_MAX, 2, 1 << 25}) == SPICE_OK,
           "none and the largest are taken");
    TAP_OK(
        !spice_sender_take_init(client.senders[0], &(SpiceMsgcDisplayInit){1, 5, 1, 5}, &error) &&
            error.code == SPICE_ERROR_STATE,
        "a second INIT is refused");
    for (unsigned id = 3; id < 17; id++)
        others &= init_error(&client, (SpiceMsgcDisplayInit){(uint8_t)id, 9, 2, 9}) == SPICE_OK;
    for (unsigned id = 17; id < 40; id++)
        refused &=
            init_error(&client, (SpiceMsgcDisplayInit){(uint8_t)id, 9, 2, 9}) == SPICE_ERROR_LIMIT;
    TAP_OK(others && refused, "a client may have sixteen caches, not more");
    close_client(&client);
}

static void test_many_sharers(void)
{
    SpiceSender *more[12];
    SpiceSenderOutput out;
    Client client;
    Picture picture;
    unsigned cached = 0;

    open_client(&client, SPICE_IMAGE_MODE_LZ);
    spice_sender_output_init(&out, &spice_allocator_libc);
    make(&picture, 1, FLAT, 32);
    send(&client, 0, &picture, 0, 0);
    for (unsigned i = 0; i < 12; i++) {
        const SpiceSenderConfig config = {.allocator = &spice_allocator_libc,
                                          .images = client.images,
                                          .channel_id = (uint8_t)(20 + i),
                                          .first_serial = 1,
                                          .mode = SPICE_IMAGE_MODE_LZ};
        const SpiceMsgDisplaySurfaceCreate create = {0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, 1};
        const SpiceMsgDisplayDrawCopy copy = copy_of(&picture, 0, 0);

        more[i] = spice_sender_create(&config);
        spice_sender_take_init(more[i], &(SpiceMsgcDisplayInit){1, 1, 1, 1}, NULL);
        spice_sender_encode(more[i], SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, &out, NULL);
        spice_sender_encode(more[i], SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &out, NULL);
        cached += spice_sender_counters(more[i])->hits == 1;
    }
    TAP_OK(cached == 6, "eight displays share a cache, further ones do without");
    for (unsigned i = 0; i < 12; i++)
        spice_sender_destroy(more[i]);
    spice_sender_output_clear(&out);
    close_client(&client);
}

/* --- the pixmap cache --- */

static void test_sharing(void)
{
    const SpiceMsgWaitForChannels *waits;
    const SpiceMsgDisplayInvalList *invals;
    const SpiceImage *image;
    Picture pictures[6];
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_LZ);
    for (unsigned i = 0; i < 6; i++)
        make(&pictures[i], 1 + i, FLAT, 32);

    image = send(&client, 0, &pictures[0], 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_LZ_RGB &&
               image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && image->id == UINT64_C(1) << 32 &&
               client.out.n_messages == 1,
           "an image that the guest wants cached is sent with its id");
    image = send(&client, 0, &pictures[0], 8, 8);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE && client.out.n_messages == 1,
           "and named from then on");
    image = send(&client, 1, &pictures[0], 0, 0);
    waits = read_back(&client, 0, SPICE_MSG_WAIT_FOR_CHANNELS);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE && client.out.n_messages == 2 &&
               waits && waits->n_waits == 1 && waits->waits[0].channel_type == 2 &&
               waits->waits[0].channel_id == 10 && waits->waits[0].message_serial == 101,
           "another display names it, and waits for the message that brought it");
    TAP_OK(spice_sender_next_serial(client.senders[1]) == 203, "both messages count");
    send(&client, 1, &pictures[0], 0, 0);
    TAP_OK(client.out.n_messages == 1, "it waits for a message but once");

    /* The cache takes four. The first is in use by display 1, the message of serial 203. */
    for (unsigned i = 1; i < 4; i++)
        send(&client, 0, &pictures[i], 0, 0);
    TAP_OK(client.out.n_messages == 1, "as many as there is room for are kept");
    image = send(&client, 0, &pictures[4], 0, 0);
    waits = read_back(&client, 0, SPICE_MSG_WAIT_FOR_CHANNELS);
    invals = read_back(&client, 1, SPICE_MSG_DISPLAY_INVAL_LIST);
    TAP_OK(image && image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && client.out.n_messages == 3 &&
               waits && waits->n_waits == 1 && waits->waits[0].channel_id == 11 &&
               waits->waits[0].message_serial == 203 && invals && invals->n_resources == 1 &&
               invals->resources[0].type == SPICE_RES_TYPE_PIXMAP &&
               invals->resources[0].id == UINT64_C(1) << 32,
           "the one not used for longest goes, when the other display has done with it");

    image = send(&client, 1, &pictures[0], 0, 0);
    waits = read_back(&client, 0, SPICE_MSG_WAIT_FOR_CHANNELS);
    TAP_OK(image && image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && waits && waits->n_waits == 1 &&
               waits->waits[0].channel_id == 10 && waits->waits[0].message_serial == 108,
           "it comes back when the message with its invalidation is over");

    make(&pictures[0], 1, SHADES, 32);
    image = send(&client, 1, &pictures[0], 0, 0);
    invals = read_back(&client, client.out.n_messages - 2, SPICE_MSG_DISPLAY_INVAL_LIST);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_LZ_RGB && invals &&
               invals->resources[0].id == UINT64_C(1) << 32,
           "an id that the guest uses for another picture is invalidated first");
    close_client(&client);
}

static void test_gone(void)
{
    const SpiceMsgDisplayInvalList *invals;
    const SpiceImage *image;
    Picture one, two;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_LZ);
    make(&one, 1, FLAT, 32);
    make(&two, 2, FLAT, 32);
    send(&client, 0, &one, 0, 0);
    send(&client, 1, &two, 0, 0);
    spice_sender_destroy(client.senders[0]);
    client.senders[0] = NULL;
    image = send(&client, 1, &one, 0, 0);
    invals = read_back(&client, 0, SPICE_MSG_DISPLAY_INVAL_LIST);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_LZ_RGB && client.out.n_messages == 2 &&
               invals && invals->n_resources == 1 && invals->resources[0].id == UINT64_C(1) << 32,
           "what a display brought that is gone is not relied on");
    image = send(&client, 1, &two, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE, "the rest is");
    close_client(&client);
}

static void test_known_again(void)
{
    const SpiceImage *image;
    Picture picture;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_LZ);
    make(&picture, 0, SHADES, 32);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->flags == 0 && image->id == 0, "a picture without an id is not cached");
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && (uint32_t)image->id == 2,
           "when it comes again it is, under an id of the server's");
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE, "and then it is named");
    picture.image.id = UINT64_C(77) << 32 | 2;
    picture.image.flags = SPICE_IMAGE_FLAGS_CACHE_ME;
    picture.rows[0] ^= 1;
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->flags == 0, "ids of the server's kind are not taken from guests");
    close_client(&client);
}

static void test_twice_in_a_message(void)
{
    SpiceMsgDisplayDrawOpaque opaque = {
        .base = {.box = {0, 0, 32, 32}}, .source_area = {0, 0, 32, 32}, .rop = SPICE_ROPD_OP_AND};
    const SpiceMsgDisplayDrawOpaque *read;
    Picture picture;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_GLZ);
    make(&picture, 1, SHADES, 32);
    opaque.source = &picture.image;
    opaque.brush = (SpiceBrush){.type = SPICE_BRUSH_TYPE_PATTERN, .pattern = &picture.image};
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_OPAQUE, &opaque, &client.out,
                        NULL);
    read = read_back(&client, 0, SPICE_MSG_DISPLAY_DRAW_OPAQUE);
    TAP_OK(read && read->source->flags == SPICE_IMAGE_FLAGS_CACHE_ME &&
               read->brush.pattern->flags == 0 &&
               read->brush.pattern->type == SPICE_IMAGE_TYPE_LZ_RGB &&
               read->source->type == SPICE_IMAGE_TYPE_GLZ_RGB,
           "no message depends on the order in which its images are read");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_OPAQUE, &opaque, &client.out,
                        NULL);
    read = read_back(&client, 0, SPICE_MSG_DISPLAY_DRAW_OPAQUE);
    TAP_OK(read && read->source->type == SPICE_IMAGE_TYPE_FROM_CACHE &&
               read->brush.pattern->type == SPICE_IMAGE_TYPE_FROM_CACHE,
           "an image of an earlier one may be named twice");
    close_client(&client);
}

static void test_glz(void)
{
    const SpiceImage *image, *after;
    Picture picture;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_GLZ);
    make(&picture, 0, SHADES, 32);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_GLZ_RGB && image->data.data[28] == 0,
           "the first GLZ image has id 0");
    make(&picture, 0, GRAIN, 32);
    image = send(&client, 1, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_GLZ_RGB && image->data.data[28] == 1,
           "another display's has id 1");
    spice_sender_destroy(client.senders[0]);
    client.senders[0] = NULL;
    make(&picture, 0, FLAT, 32);
    after = send(&client, 1, &picture, 0, 0);
    TAP_OK(after && after->type == SPICE_IMAGE_TYPE_LZ_RGB,
           "when a display goes that had sent some, the dictionary is not used any more");
    close_client(&client);
}

/* --- palettes --- */

static const SpiceImage *send_indexed(Client *client, Picture *picture, uint64_t unique)
{
    make(picture, 0, NOISE, 8);
    for (unsigned i = 0; i < 64; i++)
        picture->rows[i] &= 15;
    picture->image.bitmap_format = SPICE_BITMAP_FMT_8BIT;
    picture->image.stride = 8;
    picture->image.data.size = 64;
    for (unsigned i = 0; i < 16; i++)
        picture->entries[i] = i * 0x0f0f0f;
    picture->palette = (SpicePalette){unique, 16, picture->entries};
    picture->image.palette.palette = &picture->palette;
    return send(client, 0, picture, 0, 0);
}

static void test_palettes(void)
{
    const SpiceMsgDisplayInvalPalette *inval;
    const SpiceImage *image;
    Picture picture;
    Client client;
    bool all = true;

    open_client(&client, SPICE_IMAGE_MODE_OFF);
    image = send_indexed(&client, &picture, 0);
    TAP_OK(image && image->bitmap_flags == SPICE_BITMAP_FLAGS_TOP_DOWN && image->palette.palette,
           "a palette without an id is sent along");
    for (uint64_t unique = 1; unique <= 128; unique++) {
        image = send_indexed(&client, &picture, unique);
        all &= image && (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME) &&
               client.out.n_messages == 1;
    }
    TAP_OK(all, "128 palettes are cached");
    image = send_indexed(&client, &picture, 1);
    TAP_OK(image && (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE) &&
               image->palette.id == 1,
           "one that is there is named");
    image = send_indexed(&client, &picture, 129);
    inval = read_back(&client, 0, SPICE_MSG_DISPLAY_INVAL_PALETTE);
    TAP_OK(image && (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME) && inval &&
               inval->id == 2,
           "for one more the one not used for longest goes");
    picture.rows[5] = 40;
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->palette.palette && image->palette.palette->n_entries == 41 &&
               image->palette.palette->entries[15] == picture.entries[15] &&
               image->palette.palette->entries[40] == 0 && picture.palette.n_entries == 16,
           "a palette gets the entries that it lacks");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES, NULL, &client.out,
                        NULL);
    image = send_indexed(&client, &picture, 1);
    TAP_OK(image && (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME),
           "after INVAL_ALL_PALETTES there is none");
    close_client(&client);
}

/* --- what goes raw --- */

static void test_raw(void)
{
    const SpiceImage *image;
    Picture picture, before;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_LZ4);
    make(&picture, 0, NOISE, 32);
    picture.image.bitmap_format = SPICE_BITMAP_FMT_16BIT;
    picture.image.stride = 64;
    picture.image.data.size = 2048;
    before = picture;
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_BITMAP && image->stride == 64 &&
               memcmp(image->data.data, picture.rows, 2048) == 0,
           "noise goes as it is");
    TAP_OK(memcmp(&before, &picture, sizeof(before)) == 0, "what is sent is not changed");
    make(&picture, 0, FLAT, 3);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_BITMAP, "so do a few pixels");
    make(&picture, 0, NOISE, 32);
    picture.image.width = picture.image.bitmap_width = 5;
    spice_sender_set_mode(client.senders[0], SPICE_IMAGE_MODE_OFF);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_BITMAP && image->stride == 20 &&
               image->data.size == 640 &&
               memcmp(image->data.data + 20, picture.rows + 128, 20) == 0,
           "without what lies between rows");
    picture.image.data.size = 100;
    TAP_OK(!send(&client, 0, &picture, 0, 0) && client.out.n_messages == 0,
           "a picture with too little data is refused");
    close_client(&client);
}

/* --- lossy pictures --- */

static bool is_lossy_at(const Client *client, int x, int y)
{
    return pixman_region32_contains_point(
        (pixman_region32_t *)spice_sender_lossy_region(client->senders[0], 0), x, y, NULL);
}

static void fill(Client *client, SpiceRect box)
{
    const SpiceMsgDisplayDrawFill m = {
        .base = {.box = box}, .brush = {.type = SPICE_BRUSH_TYPE_SOLID}, .rop = SPICE_ROPD_OP_PUT};

    spice_sender_encode(client->senders[0], SPICE_MSG_DISPLAY_DRAW_FILL, &m, &client->out, NULL);
}

static void test_lossy(void)
{
    const SpiceMsgDisplayCopyBits move = {.base = {.box = {40, 40, 50, 50}}, .source = {0, 0}};
    const SpiceMsgDisplaySurfaceCreate create = {0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, 1};
    const SpiceImage *image;
    Picture picture;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_ADAPTIVE);
    make(&picture, 0, GRAIN, 32);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_QUIC && !is_lossy_at(&client, 5, 5),
           "on a link that nothing is known of a photo is sent losslessly");
    spice_sender_set_link(client.senders[0], 1000000, 50000);
    make(&picture, 5, GRAIN, 32);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_JPEG && is_lossy_at(&client, 31, 31) &&
               !is_lossy_at(&client, 32, 5),
           "on a slow one as JPEG, and the region knows");
    fill(&client, (SpiceRect){0, 0, 8, 8});
    TAP_OK(!is_lossy_at(&client, 5, 5) && is_lossy_at(&client, 9, 5),
           "what is drawn over is exact");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_COPY_BITS, &move, &client.out, NULL);
    TAP_OK(is_lossy_at(&client, 49, 49) && !is_lossy_at(&client, 44, 44) &&
               !is_lossy_at(&client, 51, 51),
           "what is moved stays what it is");
    image = send(&client, 0, &picture, 32, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE && is_lossy_at(&client, 40, 5),
           "a lossy picture may be named where one will do");
    spice_sender_set_refining(client.senders[0], true);
    image = send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_QUIC &&
               image->flags == SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME && !is_lossy_at(&client, 9, 9),
           "it is replaced where it will not");
    image = send(&client, 0, &picture, 32, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS &&
               !is_lossy_at(&client, 40, 5),
           "and named as lossless then");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, &client.out,
                        NULL);
    TAP_OK(!pixman_region32_not_empty(
               (pixman_region32_t *)spice_sender_lossy_region(client.senders[0], 0)),
           "a new surface is exact");
    close_client(&client);
}

static void test_lossless_needed(void)
{
    SpiceMsgDisplayDrawCopy copy;
    const SpiceMsgDisplayDrawCopy *read;
    Picture picture;
    Client client;

    open_client(&client, SPICE_IMAGE_MODE_QUIC);
    spice_sender_set_wan(client.senders[0], SPICE_WAN_ALWAYS, SPICE_WAN_NEVER);
    make(&picture, 0, GRAIN, 32);
    copy = copy_of(&picture, 0, 0);
    copy.rop = SPICE_ROPD_OP_XOR;
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &client.out, NULL);
    read = read_back(&client, 0, SPICE_MSG_DISPLAY_DRAW_COPY);
    TAP_OK(read && read->source->type == SPICE_IMAGE_TYPE_QUIC,
           "a picture that is combined with others is sent losslessly");
    spice_sender_encode(
        client.senders[0], SPICE_MSG_DISPLAY_SURFACE_CREATE,
        &(SpiceMsgDisplaySurfaceCreate){3, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, 0}, &client.out,
        NULL);
    copy = copy_of(&picture, 0, 0);
    copy.base.surface_id = 3;
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &client.out, NULL);
    read = read_back(&client, 0, SPICE_MSG_DISPLAY_DRAW_COPY);
    TAP_OK(read && read->source->type == SPICE_IMAGE_TYPE_QUIC,
           "so is one for a surface that is not shown");
    close_client(&client);
}

/* --- the rest --- */

static void test_preferred_compression(void)
{
    static const struct {
        uint8_t value;
        SpiceImageCompression then;
    } wishes[] = {{1, SPICE_IMAGE_COMPRESSION_OFF},     {2, SPICE_IMAGE_COMPRESSION_AUTO_GLZ},
                  {3, SPICE_IMAGE_COMPRESSION_AUTO_LZ}, {4, SPICE_IMAGE_COMPRESSION_QUIC},
                  {5, SPICE_IMAGE_COMPRESSION_GLZ},     {6, SPICE_IMAGE_COMPRESSION_LZ},
                  {7, SPICE_IMAGE_COMPRESSION_LZ4},     {0, SPICE_IMAGE_COMPRESSION_LZ4},
                  {8, SPICE_IMAGE_COMPRESSION_LZ4},     {255, SPICE_IMAGE_COMPRESSION_LZ4}};
    Client client;
    bool all = true;

    open_client(&client, SPICE_IMAGE_MODE_ADAPTIVE);
    for (unsigned i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        spice_sender_set_preferred_compression(
            client.senders[0], &(SpiceMsgcDisplayPreferredCompression){wishes[i].value});
        all &= spice_sender_preferred_compression(client.senders[0]) == wishes[i].then;
    }
    TAP_OK(all, "a client's wish is followed, an unknown one is not");
    close_client(&client);
}

static void test_messages(void)
{
    const uint16_t refused[] = {
        SPICE_MSG_WAIT_FOR_CHANNELS,     SPICE_MSG_LIST,
        SPICE_MSG_DISPLAY_INVAL_LIST,    SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS,
        SPICE_MSG_DISPLAY_INVAL_PALETTE, 999};
    const SpiceMsgPing ping = {.id = 5, .timestamp = 9};
    Client client;
    bool all = true;

    open_client(&client, SPICE_IMAGE_MODE_LZ);
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        all &= !spice_sender_encode(client.senders[0], refused[i], &ping, &client.out, NULL) &&
               client.out.n_messages == 0;
    TAP_OK(all, "messages of the caches' own are not taken from outside");
    TAP_OK(spice_sender_encode(client.senders[0], SPICE_MSG_PING, &ping, &client.out, NULL) &&
               client.out.messages[0].size == 12 &&
               spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_MARK, NULL, &client.out,
                                   NULL) &&
               client.out.messages[0].size == 0 &&
               spice_sender_next_serial(client.senders[0]) == 103,
           "others pass, and count");
    spice_sender_count_others(client.senders[0], 4);
    TAP_OK(spice_sender_next_serial(client.senders[0]) == 107, "as do those that are sent without");
    close_client(&client);
}

static void test_hash(void)
{
    uint8_t bytes[100] = {0};
    bool differs = true;

    for (size_t size = 0; size < 100; size++)
        for (size_t other = 0; other < size; other++)
            differs &= spice_content_hash(1, bytes, size) != spice_content_hash(1, bytes, other);
    for (size_t i = 0; i < 100; i++) {
        const uint64_t before = spice_content_hash(1, bytes, 100);

        bytes[i] ^= 1;
        differs &= spice_content_hash(1, bytes, 100) != before;
    }
    TAP_OK(differs && spice_content_hash(1, bytes, 100) != spice_content_hash(2, bytes, 100),
           "a hash tells sizes, bits and seeds apart");
}

int main(void)
{
    test_init();
    test_many_sharers();
    test_sharing();
    test_gone();
    test_known_again();
    test_twice_in_a_message();
    test_glz();
    test_palettes();
    test_raw();
    test_lossy();
    test_lossless_needed();
    test_preferred_compression();
    test_messages();
    test_hash();
    return tap_done();
}
