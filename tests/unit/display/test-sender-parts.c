/* What a sender says in which order, told message by message.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "../tap.h"
#include "core/display/sent-content.h"
#include "core/wire/channel.h"
#include "core/wire/migration.h"
#include "sender-client.h"

/* --- DISPLAY_INIT --- */

static SpiceErrorCode init_error(SentClient *client, SpiceMsgcDisplayInit init)
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
    SentClient client;
    bool refused = true, others = true;
    SpiceError error = {0};

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ);
    TAP_OK(init_error(&client, (SpiceMsgcDisplayInit){2, 0, 2, -1}) == SPICE_ERROR_VALUE &&
               init_error(&client, (SpiceMsgcDisplayInit){2, 0, 2, (1 << 25) + 1}) ==
                   SPICE_ERROR_VALUE,
           "dictionaries that the protocol does not allow are refused");
    TAP_OK(init_error(&client, (SpiceMsgcDisplayInit){2, 0, 2, 0}) == SPICE_OK &&
               init_error(&client, (SpiceMsgcDisplayInit){2, -7, 2, 0}) == SPICE_OK &&
               init_error(&client, (SpiceMsgcDisplayInit){2, INT64_MIN, 2, 0}) == SPICE_OK &&
               init_error(&client, (SpiceMsgcDisplayInit){2, INT64_MAX, 2, 1 << 25}) == SPICE_OK,
           "no cache, less than none, and the largest are taken");
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
    sent_client_close(&client);
}

static void test_many_sharers(void)
{
    SpiceSender *more[12];
    SpiceSenderOutput out;
    SentClient client;
    SentPicture picture;
    unsigned cached = 0;

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ);
    spice_sender_output_init(&out, &spice_allocator_libc);
    sent_picture_make(&picture, 1, FLAT, 32);
    sent_client_send(&client, 0, &picture, 0, 0);
    for (unsigned i = 0; i < 12; i++) {
        const SpiceSenderConfig config = {.allocator = &spice_allocator_libc,
                                          .images = client.images,
                                          .channel_id = (uint8_t)(20 + i),
                                          .first_serial = 1,
                                          .mode = SPICE_IMAGE_MODE_LZ};
        const SpiceMsgDisplaySurfaceCreate create = {0, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, 1};
        const SpiceMsgDisplayDrawCopy copy = sent_picture_copy(&picture, 0, 0);

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
    sent_client_close(&client);
}

/* --- the pixmap cache --- */

static void test_sharing(void)
{
    const SpiceMsgWaitForChannels *waits;
    const SpiceMsgDisplayInvalList *invals;
    const SpiceImage *image;
    SentPicture pictures[6];
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ);
    for (unsigned i = 0; i < 6; i++)
        sent_picture_make(&pictures[i], 1 + i, FLAT, 32);

    image = sent_client_send(&client, 0, &pictures[0], 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_LZ_RGB &&
               image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && image->id == UINT64_C(1) << 32 &&
               client.out.n_messages == 1,
           "an image that the guest wants cached is sent with its id");
    image = sent_client_send(&client, 0, &pictures[0], 8, 8);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE && client.out.n_messages == 1,
           "and named from then on");
    image = sent_client_send(&client, 1, &pictures[0], 0, 0);
    waits = sent_client_read(&client, 0, SPICE_MSG_WAIT_FOR_CHANNELS);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE && client.out.n_messages == 2 &&
               waits && waits->n_waits == 1 && waits->waits[0].channel_type == 2 &&
               waits->waits[0].channel_id == 10 && waits->waits[0].message_serial == 101,
           "another display names it, and waits for the message that brought it");
    TAP_OK(spice_sender_next_serial(client.senders[1]) == 203, "both messages count");
    sent_client_send(&client, 1, &pictures[0], 0, 0);
    TAP_OK(client.out.n_messages == 1, "it waits for a message but once");

    /* The cache takes four. The first is in use by display 1, the message of serial 203. */
    for (unsigned i = 1; i < 4; i++)
        sent_client_send(&client, 0, &pictures[i], 0, 0);
    TAP_OK(client.out.n_messages == 1, "as many as there is room for are kept");
    image = sent_client_send(&client, 0, &pictures[4], 0, 0);
    waits = sent_client_read(&client, 0, SPICE_MSG_WAIT_FOR_CHANNELS);
    invals = sent_client_read(&client, 1, SPICE_MSG_DISPLAY_INVAL_LIST);
    TAP_OK(image && image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && client.out.n_messages == 3 &&
               waits && waits->n_waits == 1 && waits->waits[0].channel_id == 11 &&
               waits->waits[0].message_serial == 203 && invals && invals->n_resources == 1 &&
               invals->resources[0].type == SPICE_RES_TYPE_PIXMAP &&
               invals->resources[0].id == UINT64_C(1) << 32,
           "the one not used for longest goes, when the other display has done with it");

    image = sent_client_send(&client, 1, &pictures[0], 0, 0);
    waits = sent_client_read(&client, 0, SPICE_MSG_WAIT_FOR_CHANNELS);
    TAP_OK(image && image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && waits && waits->n_waits == 1 &&
               waits->waits[0].channel_id == 10 && waits->waits[0].message_serial == 108,
           "it comes back when the message with its invalidation is over");

    sent_picture_make(&pictures[0], 1, SHADES, 32);
    image = sent_client_send(&client, 1, &pictures[0], 0, 0);
    invals = sent_client_read(&client, client.out.n_messages - 2, SPICE_MSG_DISPLAY_INVAL_LIST);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_LZ_RGB && invals &&
               invals->resources[0].id == UINT64_C(1) << 32,
           "an id that the guest uses for another picture is invalidated first");
    sent_client_close(&client);
}

static void test_gone(void)
{
    const SpiceMsgDisplayInvalList *invals;
    const SpiceImage *image;
    SentPicture one, two;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ);
    sent_picture_make(&one, 1, FLAT, 32);
    sent_picture_make(&two, 2, FLAT, 32);
    sent_client_send(&client, 0, &one, 0, 0);
    sent_client_send(&client, 1, &two, 0, 0);
    spice_sender_destroy(client.senders[0]);
    client.senders[0] = NULL;
    image = sent_client_send(&client, 1, &one, 0, 0);
    invals = sent_client_read(&client, 0, SPICE_MSG_DISPLAY_INVAL_LIST);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_LZ_RGB && client.out.n_messages == 2 &&
               invals && invals->n_resources == 1 && invals->resources[0].id == UINT64_C(1) << 32,
           "what a display brought that is gone is not relied on");
    image = sent_client_send(&client, 1, &two, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE, "the rest is");
    sent_client_close(&client);
}

static void test_known_again(void)
{
    const SpiceImage *image;
    SentPicture picture;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ);
    sent_picture_make(&picture, 0, SHADES, 32);
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->flags == 0 && image->id == 0, "a picture without an id is not cached");
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->flags == SPICE_IMAGE_FLAGS_CACHE_ME && (uint32_t)image->id == 2,
           "when it comes again it is, under an id of the server's");
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE, "and then it is named");
    picture.image.id = UINT64_C(77) << 32 | 2;
    picture.image.flags = SPICE_IMAGE_FLAGS_CACHE_ME;
    picture.rows[0] ^= 1;
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->flags == 0, "ids of the server's kind are not taken from guests");
    sent_client_close(&client);
}

static void test_twice_in_a_message(void)
{
    SpiceMsgDisplayDrawOpaque opaque = {
        .base = {.box = {0, 0, 32, 32}}, .source_area = {0, 0, 32, 32}, .rop = SPICE_ROPD_OP_AND};
    const SpiceMsgDisplayDrawOpaque *read;
    SentPicture picture;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_GLZ);
    sent_picture_make(&picture, 1, SHADES, 32);
    opaque.source = &picture.image;
    opaque.brush = (SpiceBrush){.type = SPICE_BRUSH_TYPE_PATTERN, .pattern = &picture.image};
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_OPAQUE, &opaque, &client.out,
                        NULL);
    read = sent_client_read(&client, 0, SPICE_MSG_DISPLAY_DRAW_OPAQUE);
    TAP_OK(read && read->source->flags == SPICE_IMAGE_FLAGS_CACHE_ME &&
               read->brush.pattern->flags == 0 &&
               read->brush.pattern->type == SPICE_IMAGE_TYPE_LZ_RGB &&
               read->source->type == SPICE_IMAGE_TYPE_GLZ_RGB,
           "no message depends on the order in which its images are read");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_OPAQUE, &opaque, &client.out,
                        NULL);
    read = sent_client_read(&client, 0, SPICE_MSG_DISPLAY_DRAW_OPAQUE);
    TAP_OK(read && read->source->type == SPICE_IMAGE_TYPE_FROM_CACHE &&
               read->brush.pattern->type == SPICE_IMAGE_TYPE_FROM_CACHE,
           "an image of an earlier one may be named twice");
    sent_client_close(&client);
}

static void test_glz(void)
{
    const SpiceImage *image, *after;
    SentPicture picture;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_GLZ);
    sent_picture_make(&picture, 0, SHADES, 32);
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_GLZ_RGB && image->data.data[28] == 0,
           "the first GLZ image has id 0");
    sent_picture_make(&picture, 0, GRAIN, 32);
    image = sent_client_send(&client, 1, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_GLZ_RGB && image->data.data[28] == 1,
           "another display's has id 1");
    spice_sender_destroy(client.senders[0]);
    client.senders[0] = NULL;
    sent_picture_make(&picture, 0, FLAT, 32);
    after = sent_client_send(&client, 1, &picture, 0, 0);
    TAP_OK(after && after->type == SPICE_IMAGE_TYPE_LZ_RGB,
           "when a display goes that had sent some, the dictionary is not used any more");
    sent_client_close(&client);
}

/* --- palettes --- */

static const SpiceImage *send_indexed(SentClient *client, SentPicture *picture, uint64_t unique)
{
    sent_picture_make(picture, 0, NOISE, 8);
    for (unsigned i = 0; i < 64; i++)
        picture->rows[i] &= 15;
    picture->image.bitmap_format = SPICE_BITMAP_FMT_8BIT;
    picture->image.stride = 8;
    picture->image.data.size = 64;
    for (unsigned i = 0; i < 16; i++)
        picture->entries[i] = i * 0x0f0f0f;
    picture->palette = (SpicePalette){unique, 16, picture->entries};
    picture->image.palette.palette = &picture->palette;
    return sent_client_send(client, 0, picture, 0, 0);
}

static void test_palettes(void)
{
    const SpiceMsgDisplayInvalPalette *inval;
    const SpiceImage *image;
    SentPicture picture;
    SentClient client;
    bool all = true;

    sent_client_open(&client, SPICE_IMAGE_MODE_OFF);
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
    inval = sent_client_read(&client, 0, SPICE_MSG_DISPLAY_INVAL_PALETTE);
    TAP_OK(image && (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME) && inval &&
               inval->id == 2,
           "for one more the one not used for longest goes");
    picture.rows[5] = 40;
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->palette.palette && image->palette.palette->n_entries == 41 &&
               image->palette.palette->entries[15] == picture.entries[15] &&
               image->palette.palette->entries[40] == 0 && picture.palette.n_entries == 16,
           "a palette gets the entries that it lacks");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES, NULL, &client.out,
                        NULL);
    image = send_indexed(&client, &picture, 1);
    TAP_OK(image && (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME),
           "after INVAL_ALL_PALETTES there is none");
    sent_client_close(&client);
}

/* --- what goes raw --- */

static void test_raw(void)
{
    const SpiceImage *image;
    SentPicture picture, before;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ4);
    sent_picture_make(&picture, 0, NOISE, 32);
    picture.image.bitmap_format = SPICE_BITMAP_FMT_16BIT;
    picture.image.stride = 64;
    picture.image.data.size = 2048;
    before = picture;
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_BITMAP && image->stride == 64 &&
               memcmp(image->data.data, picture.rows, 2048) == 0,
           "noise goes as it is");
    TAP_OK(memcmp(&before, &picture, sizeof(before)) == 0, "what is sent is not changed");
    sent_picture_make(&picture, 0, FLAT, 3);
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_BITMAP, "so do a few pixels");
    sent_picture_make(&picture, 0, NOISE, 32);
    picture.image.width = picture.image.bitmap_width = 5;
    spice_sender_set_mode(client.senders[0], SPICE_IMAGE_MODE_OFF);
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_BITMAP && image->stride == 20 &&
               image->data.size == 640 &&
               memcmp(image->data.data + 20, picture.rows + 128, 20) == 0,
           "without what lies between rows");
    picture.image.data.size = 100;
    TAP_OK(!sent_client_send(&client, 0, &picture, 0, 0) && client.out.n_messages == 0,
           "a picture with too little data is refused");
    sent_client_close(&client);
}

/* --- lossy pictures --- */

static bool is_lossy_at(const SentClient *client, int x, int y)
{
    return pixman_region32_contains_point(
        (pixman_region32_t *)spice_sender_lossy_region(client->senders[0], 0), x, y, NULL);
}

static void fill(SentClient *client, SpiceRect box)
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
    SentPicture picture;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_ADAPTIVE);
    sent_picture_make(&picture, 0, GRAIN, 32);
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_QUIC && !is_lossy_at(&client, 5, 5),
           "on a link that nothing is known of a photo is sent losslessly");
    spice_sender_set_link(client.senders[0], 1000000, 50000);
    sent_picture_make(&picture, 5, GRAIN, 32);
    image = sent_client_send(&client, 0, &picture, 0, 0);
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
    image = sent_client_send(&client, 0, &picture, 32, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE && is_lossy_at(&client, 40, 5),
           "a lossy picture may be named where one will do");
    spice_sender_set_refining(client.senders[0], true);
    image = sent_client_send(&client, 0, &picture, 0, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_QUIC &&
               image->flags == SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME && !is_lossy_at(&client, 9, 9),
           "it is replaced where it will not");
    image = sent_client_send(&client, 0, &picture, 32, 0);
    TAP_OK(image && image->type == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS &&
               !is_lossy_at(&client, 40, 5),
           "and named as lossless then");
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, &client.out,
                        NULL);
    TAP_OK(!pixman_region32_not_empty(
               (pixman_region32_t *)spice_sender_lossy_region(client.senders[0], 0)),
           "a new surface is exact");
    sent_client_close(&client);
}

static void test_lossless_needed(void)
{
    SpiceMsgDisplayDrawCopy copy;
    const SpiceMsgDisplayDrawCopy *read;
    SentPicture picture;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_QUIC);
    spice_sender_set_wan(client.senders[0], SPICE_WAN_ALWAYS, SPICE_WAN_NEVER);
    sent_picture_make(&picture, 0, GRAIN, 32);
    copy = sent_picture_copy(&picture, 0, 0);
    copy.rop = SPICE_ROPD_OP_XOR;
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &client.out, NULL);
    read = sent_client_read(&client, 0, SPICE_MSG_DISPLAY_DRAW_COPY);
    TAP_OK(read && read->source->type == SPICE_IMAGE_TYPE_QUIC,
           "a picture that is combined with others is sent losslessly");
    spice_sender_encode(
        client.senders[0], SPICE_MSG_DISPLAY_SURFACE_CREATE,
        &(SpiceMsgDisplaySurfaceCreate){3, SIDE, SIDE, SPICE_SURFACE_FMT_32_xRGB, 0}, &client.out,
        NULL);
    copy = sent_picture_copy(&picture, 0, 0);
    copy.base.surface_id = 3;
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &client.out, NULL);
    read = sent_client_read(&client, 0, SPICE_MSG_DISPLAY_DRAW_COPY);
    TAP_OK(read && read->source->type == SPICE_IMAGE_TYPE_QUIC,
           "so is one for a surface that is not shown");
    sent_client_close(&client);
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
    SentClient client;
    bool all = true;

    sent_client_open(&client, SPICE_IMAGE_MODE_ADAPTIVE);
    for (unsigned i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        spice_sender_set_preferred_compression(
            client.senders[0], &(SpiceMsgcDisplayPreferredCompression){wishes[i].value});
        all &= spice_sender_preferred_compression(client.senders[0]) == wishes[i].then;
    }
    TAP_OK(all, "a client's wish is followed, an unknown one is not");
    sent_client_close(&client);
}

static void test_messages(void)
{
    const uint16_t refused[] = {
        SPICE_MSG_WAIT_FOR_CHANNELS,     SPICE_MSG_LIST,
        SPICE_MSG_DISPLAY_INVAL_LIST,    SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS,
        SPICE_MSG_DISPLAY_INVAL_PALETTE, 999};
    const SpiceMsgPing ping = {.id = 5, .timestamp = 9};
    SentClient client;
    bool all = true;

    sent_client_open(&client, SPICE_IMAGE_MODE_LZ);
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
    sent_client_close(&client);
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

/* --- Migration --- */

static void test_saving(void)
{
    const SpiceMessageDef *def = spice_migrate_data_find(SPICE_CHANNEL_DISPLAY);
    const SpiceMsgDisplaySurfaceCreate create = {
        .surface_id = 7, .width = 8, .height = 9, .format = SPICE_SURFACE_FMT_32_xRGB};
    SpiceBuffer blob = {.allocator = &spice_allocator_libc};
    SpiceMigrateDataDisplay state = {0};
    const SpiceMigrateDataDisplay *read;
    SentPicture picture;
    SentClient client;

    sent_client_open(&client, SPICE_IMAGE_MODE_GLZ);
    sent_picture_make(&picture, 0, NOISE, 32);
    sent_client_send(&client, 0, &picture, 0, 0);
    spice_sender_encode(client.senders[0], SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, &client.out,
                        NULL);
    TAP_OK(spice_sender_save(client.senders[0], &client.arena, &state, NULL) &&
               state.message_serial + 1 == spice_sender_next_serial(client.senders[0]) &&
               state.n_surfaces == 2 && state.surfaces[0].id == 0 && state.surfaces[1].id == 7 &&
               state.glz_dict_last_image_id == 0 && state.pixmap_cache_size == CACHE_PIXELS,
           "what a client has is put down for the server that takes over");
    TAP_OK(spice_message_write_agreed(def, SPICE_MIGRATE_LOSSY_SURFACES, &state, &blob, NULL),
           "it is written as the field's servers exchange it");
    read = spice_message_read_agreed(def, SPICE_MIGRATE_LOSSY_SURFACES, blob.data, blob.size,
                                     &client.arena, NULL);
    TAP_OK(read && read->n_surfaces == 2 && read->surfaces[1].id == 7 &&
               read->message_serial == state.message_serial &&
               read->glz_dict_id == state.glz_dict_id,
           "and read back");
    spice_buffer_clear(&blob);
    sent_client_close(&client);
}

int main(void)
{
    test_init();
    test_saving();
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
