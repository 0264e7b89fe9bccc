/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "compare-pixels.h"
#include "core/display/receiver.h"
#include "core/display/sender.h"
#include "core/display/view.h"
#include "core/wire/channel.h"
#include "core/wire/wire.h"
#include "publish-draws.h"
#include "streams-world.h"

enum { WIDTH = 192, HEIGHT = 160, N_PLAYERS = 2, STEP_US = 5000, FRAME_US = 40000 };

/** A guest's video player. */
typedef struct {
    bool plays;
    SpiceRect box;
    bool in_strips;
    uint64_t due;
} Player;

/** A picture in an encoder. */
typedef struct {
    bool exists;
    uint64_t generation;
    int32_t width, height;
    uint8_t *pixels;
} Frame;

/** The encoder of a stream: one picture that it works at, one that waits. */
typedef struct {
    uint64_t generation; /* of the stream that the client has; 0: none */
    Frame at_work, waits;
    unsigned steps_left;
} Encoder;

typedef struct {
    SpiceView *view;
    SpiceClientImages *images;
    SpiceSender *sender;
    SpiceSenderOutput out;
    SpicePixmapCache *pixmaps;
    SpiceReceiver *receiver;
    Encoder encoders[SPICE_STREAM_LIMIT];
    bool stalled;
} Client;

struct StreamsWorld {
    Choices choices;
    uint64_t now;
    SpiceDisplay *display;
    Player players[N_PLAYERS];
    Client client;
    StreamsTally *tally;
    const char *failure;
};

static uint32_t below(StreamsWorld *self, uint32_t n)
{
    return self->choices.below(self->choices.context, n);
}

static void fail(StreamsWorld *self, const char *what)
{
    if (!self->failure)
        self->failure = what;
}

/* --- the guest --- */

static void release_pixels(void *context)
{
    free(context);
}

/** Draws gradual pixels that are never the same twice. */
static void draw_picture(StreamsWorld *self, const SpiceRect *box)
{
    const int32_t width = box->right - box->left, height = box->bottom - box->top;
    uint32_t *pixels = malloc((size_t)width * (size_t)height * 4);
    const uint32_t phase = below(self, 1 << 20);
    SpiceImage image = {
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .width = (uint32_t)width,
        .height = (uint32_t)height,
        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = (uint32_t)width,
        .bitmap_height = (uint32_t)height,
        .stride = (uint32_t)width * 4,
        .data = {(uint8_t *)pixels, (size_t)width * (size_t)height * 4},
    };
    const SpiceMsgDisplayDrawCopy copy = {
        .base = {.box = *box},
        .source = &image,
        .source_area = {0, 0, height, width},
        .rop = SPICE_ROPD_OP_PUT,
    };
    const SpiceDrawableSource source = {.type = SPICE_MSG_DISPLAY_DRAW_COPY,
                                        .message = &copy,
                                        .time = self->now,
                                        .release = release_pixels,
                                        .context = pixels};
    SpiceDrawable *drawable;

    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            pixels[y * width + x] = ((uint32_t)(x * 3 + y) + phase) % 256 |
                                    (((uint32_t)y * 2 + phase / 7) % 256) << 8 |
                                    (phase >> 4 & 255) << 16;
    drawable = spice_drawable_create(&spice_allocator_libc, &source, NULL);
    spice_display_publish(self->display, drawable, NULL);
    spice_drawable_unref(drawable);
}

static void play_frame(StreamsWorld *self, Player *player)
{
    SpiceRect box = player->box;

    if (player->in_strips) {
        const int32_t middle = (box.top + box.bottom) / 2;

        box.bottom = middle;
        draw_picture(self, &box);
        if (below(self, 8) != 0) {
            box.top = middle;
            box.bottom = player->box.bottom;
            draw_picture(self, &box);
        }
        return;
    }
    /* Now and then a larger one: its controls are shown. */
    if (below(self, 30) == 0) {
        box.bottom += 8;
        box.right += 4;
    }
    draw_picture(self, &box);
}

static void change_player(StreamsWorld *self, Player *player)
{
    const int32_t width = 40 + (int32_t)below(self, 80), height = 40 + (int32_t)below(self, 60);
    const int32_t left = (int32_t)below(self, (uint32_t)(WIDTH - 8 - width));
    const int32_t top = (int32_t)below(self, (uint32_t)(HEIGHT - 12 - height));

    if (player->plays && below(self, 3)) {
        player->plays = false;
        return;
    }
    player->plays = true;
    player->in_strips = below(self, 3) == 0;
    player->box = (SpiceRect){top, left, top + height, left + width};
}

typedef struct {
    uint8_t *blocks[4];
    unsigned n_blocks;
} Blocks;

static void release_blocks(void *context)
{
    Blocks *blocks = context;

    for (unsigned i = 0; i < blocks->n_blocks; i++)
        free(blocks->blocks[i]);
    free(blocks);
}

/** Unused bytes of the primary are not kept: they must not get to be seen. */
static bool shows_unused(const RandomDraw *draw)
{
    for (unsigned i = 0; i < draw->n_images; i++)
        if (draw->images[i].type == SPICE_IMAGE_TYPE_SURFACE && draw->images[i].surface_id == 0)
            return true;
    return false;
}

static void draw_something(StreamsWorld *self)
{
    const uint32_t id = below(self, 4) ? 0 : 1 + below(self, 2);
    Blocks *blocks = malloc(sizeof(*blocks));
    SpiceDrawableSource source = {.time = self->now, .release = release_blocks, .context = blocks};
    SpiceDrawable *drawable = NULL;
    RandomDraw draw;

    random_draw_make(&draw, &self->choices, id, MAX_SIDE, MAX_SIDE, false);
    if (id == 0) {
        const int32_t dx = (int32_t)below(self, WIDTH), dy = (int32_t)below(self, HEIGHT);

        draw.message.base.box.left += dx;
        draw.message.base.box.right += dx;
        draw.message.base.box.top += dy;
        draw.message.base.box.bottom += dy;
        if (draw.type == SPICE_MSG_DISPLAY_COPY_BITS) {
            draw.message.copy_bits.source.x += dx;
            draw.message.copy_bits.source.y += dy;
        }
    }
    source.type = draw.type;
    source.message = &draw.message;
    *blocks = (Blocks){.n_blocks = draw.n_blocks};
    memcpy(blocks->blocks, draw.blocks, sizeof(blocks->blocks));
    if (!shows_unused(&draw))
        drawable = spice_drawable_create(&spice_allocator_libc, &source, NULL);
    if (!drawable) {
        release_blocks(blocks);
        return;
    }
    spice_display_publish(self->display, drawable, NULL);
    spice_drawable_unref(drawable);
}

/* --- the client --- */

static void free_frame(Frame *frame)
{
    free(frame->pixels);
    *frame = (Frame){0};
}

/** Paints the toy codec's frame: raw pixels. */
static void paint_data(StreamsWorld *self, const SpiceMsgDisplayStreamData *data)
{
    const SpiceReceiverStream *stream = spice_receiver_stream(self->client.receiver, data->id);
    SpiceReceiverResult result;
    SpicePixels frame;

    if (!stream) {
        fail(self, "a frame of no stream");
        return;
    }
    frame = (SpicePixels){.format = PIXMAN_x8r8g8b8,
                          .width = (int32_t)stream->width,
                          .height = (int32_t)stream->height,
                          .data = (uint8_t *)(uintptr_t)data->data.data,
                          .stride = (ptrdiff_t)stream->width * 4};
    if (data->data.size != (size_t)stream->width * stream->height * 4) {
        fail(self, "a frame of another size");
        return;
    }
    spice_receiver_paint_frame(self->client.receiver, data->id, &frame, NULL, &result);
}

static void receive(StreamsWorld *self)
{
    const SpiceSenderOutput *out = &self->client.out;

    for (unsigned i = 0; i < out->n_messages; i++) {
        const uint16_t type = out->messages[i].type;
        const SpiceMessageDef *def =
            spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
        SpiceReceiverResult result;
        SpiceArena arena;
        void *message;

        spice_arena_init(&arena, &spice_allocator_libc, 1 << 24);
        message = spice_message_read(def, out->bytes.data + out->messages[i].offset,
                                     out->messages[i].size, &arena, NULL);
        if (!message) {
            fail(self, "a message cannot be read");
        } else {
            spice_receiver_feed(self->client.receiver, type, message, &result);
            if (result.outcome != SPICE_RECEIVED_APPLIED)
                fail(self, "the client had to drop a message");
            if (type == SPICE_MSG_DISPLAY_STREAM_DATA)
                paint_data(self, message);
        }
        spice_arena_clear(&arena);
    }
}

static void send(StreamsWorld *self, uint16_t type, const void *message)
{
    if (spice_sender_encode(self->client.sender, type, message, &self->client.out, NULL))
        receive(self);
    else
        fail(self, "a message cannot be encoded");
}

static void send_frame(StreamsWorld *self, uint32_t id, const Frame *frame)
{
    const size_t size = (size_t)frame->width * (size_t)frame->height * 4;
    const SpiceMsgDisplayStreamData data = {.id = id, .data = {frame->pixels, size}};

    if (frame->generation == self->client.encoders[id].generation) {
        send(self, SPICE_MSG_DISPLAY_STREAM_DATA, &data);
        self->tally->frames++;
    } else {
        self->tally->covered_late++;
    }
}

/** Gives the item's picture to the stream's encoder; the one that waits there is too old. */
static void encode_later(StreamsWorld *self, const SpiceViewItem *item)
{
    const SpiceMsgDisplayDrawCopy *copy = spice_drawable_message(item->drawable);
    const SpiceImage *image = copy->source;
    Encoder *encoder = &self->client.encoders[item->frame->stream];

    if (encoder->generation != item->frame->generation)
        fail(self, "a frame of a stream that was not created");
    spice_sender_expect_frame(self->client.sender, item->frame->stream);
    free_frame(&encoder->waits);
    encoder->waits = (Frame){.exists = true,
                             .generation = item->frame->generation,
                             .width = (int32_t)image->bitmap_width,
                             .height = (int32_t)image->bitmap_height};
    encoder->waits.pixels = malloc(image->bitmap_width * image->bitmap_height * (size_t)4);
    for (uint32_t y = 0; y < image->bitmap_height; y++) {
        const bool top_down = image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN;
        const uint32_t row = top_down ? y : image->bitmap_height - 1 - y;

        memcpy(encoder->waits.pixels + (size_t)y * image->bitmap_width * 4,
               image->data.data + (size_t)row * image->stride, (size_t)image->bitmap_width * 4);
    }
}

static void work(StreamsWorld *self, uint32_t id, bool to_the_end)
{
    Encoder *encoder = &self->client.encoders[id];

    if (encoder->at_work.exists && (to_the_end || encoder->steps_left-- == 0)) {
        if (!to_the_end && below(self, 6) == 0)
            self->tally->dropped++;
        else
            send_frame(self, id, &encoder->at_work);
        free_frame(&encoder->at_work);
    }
    if (!encoder->at_work.exists && encoder->waits.exists) {
        encoder->at_work = encoder->waits;
        encoder->waits = (Frame){0};
        encoder->steps_left = below(self, 4) ? below(self, 3) : below(self, 20);
        if (to_the_end)
            work(self, id, true);
    }
}

static void work_all(StreamsWorld *self, bool to_the_end)
{
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        work(self, id, to_the_end);
}

static void follow_stream(StreamsWorld *self, const SpiceViewItem *item)
{
    if (item->type == SPICE_MSG_DISPLAY_STREAM_CREATE) {
        self->client.encoders[item->frame->stream].generation = item->frame->generation;
        self->tally->created++;
    } else if (item->type == SPICE_MSG_DISPLAY_STREAM_DESTROY) {
        self->client.encoders[((const SpiceMsgDisplayStreamDestroy *)item->message)->id]
            .generation = 0;
    } else if (item->type == SPICE_MSG_DISPLAY_STREAM_CLIP) {
        self->tally->clips++;
    }
}

static bool pull(StreamsWorld *self)
{
    const bool has_next = spice_view_has_next(self->client.view);
    SpiceViewItem *item;

    if (!spice_view_next(self->client.view, &item, NULL) || (item != NULL) != has_next) {
        fail(self, "nothing could be taken out, or has_next told otherwise");
        return false;
    }
    if (!item)
        return false;
    follow_stream(self, item);
    if (item->type == SPICE_MSG_DISPLAY_STREAM_DATA)
        encode_later(self, item);
    else
        send(self, item->type, item->message);
    if (item->type == SPICE_MSG_DISPLAY_STREAM_CREATE && below(self, 12) == 0) {
        spice_view_refuse_stream(self->client.view, item->frame->stream, item->frame->generation);
        self->tally->refused++;
    }
    spice_view_item_done(item);
    return !self->failure;
}

static void pull_all(StreamsWorld *self)
{
    while (pull(self))
        ;
}

/** Has sent again what is lossy though no stream shows it. Whether there was anything. */
static bool refresh(StreamsWorld *self)
{
    const pixman_region32_t *lossy = spice_sender_lossy_region(self->client.sender, 0);
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles((pixman_region32_t *)lossy, &n);

    for (int i = 0; i < n; i++)
        spice_view_damage(self->client.view,
                          &(SpiceRect){boxes[i].y1, boxes[i].x1, boxes[i].y2, boxes[i].x2});
    self->tally->refreshed += n > 0;
    return n > 0;
}

/* --- comparing --- */

/** The client, which has been sent all, differs nowhere but where it is known to. */
static void compare(StreamsWorld *self, bool exactly)
{
    pixman_region32_t lossy;
    const SpicePixels *client = spice_receiver_surface(self->client.receiver, 0);
    const SpicePixels *display;

    pixman_region32_init(&lossy);
    spice_sender_get_lossy(self->client.sender, 0, &lossy);
    spice_display_update_all(self->display);
    display = spice_display_surface(self->display, 0);
    self->tally->compared++;
    if (exactly && !pixels_equal(client, display))
        fail(self, "the client does not show what there is");
    for (int32_t y = 0; y < HEIGHT; y++)
        for (int32_t x = 0; x < WIDTH; x++)
            if (memcmp(spice_pixels_row(client, y) + 4 * x, spice_pixels_row(display, y) + 4 * x,
                       3) != 0 &&
                !pixman_region32_contains_point(&lossy, x, y, NULL)) {
                fail(self, "the client differs where it is not known to");
                x = WIDTH;
                y = HEIGHT;
            }
    pixman_region32_fini(&lossy);
}

/** While streams run: with nothing under way the client shows what there is, even they. */
static void compare_running(StreamsWorld *self)
{
    pull_all(self);
    compare(self, false);
    work_all(self, true);
    while (refresh(self))
        pull_all(self);
    work_all(self, true);
    compare(self, false);
}

/** When all has ended nothing is lossy any more. */
void streams_world_settle(StreamsWorld *self)
{
    for (unsigned i = 0; i < N_PLAYERS; i++)
        self->players[i].plays = false;
    self->client.stalled = false;
    self->now += 600000;
    spice_display_advance(self->display, self->now);
    if (spice_display_stream_due(self->display) != UINT64_MAX)
        fail(self, "a stream runs though nothing plays");
    do {
        pull_all(self);
        work_all(self, true);
    } while (refresh(self));
    compare(self, true);
}

/* --- histories --- */

StreamsWorld *streams_world_create(Choices choices, StreamsTally *tally)
{
    StreamsWorld *self = calloc(1, sizeof(*self));
    const SpiceDisplayConfig display = {.allocator = &spice_allocator_libc,
                                        .limits = {.pending_draws = 40},
                                        .streaming = SPICE_STREAM_MODE_ALL};
    const SpiceViewConfig view = {
        .streams = true, .reports = true, .limits = {.items = 12, .piece_bytes = 20000}};
    SpiceSenderConfig sender = {
        .allocator = &spice_allocator_libc, .first_serial = 1, .mode = SPICE_IMAGE_MODE_OFF};
    SpiceReceiverConfig receiver = {.allocator = &spice_allocator_libc};
    Client *client = &self->client;

    self->choices = choices;
    self->now = 1000000;
    self->tally = tally;
    self->display = spice_display_create(&display);
    for (uint32_t id = 0; id < 3; id++)
        spice_display_create_surface(self->display,
                                     &(SpiceSurfaceSource){.surface_id = id,
                                                           .width = id ? MAX_SIDE : WIDTH,
                                                           .height = id ? MAX_SIDE : HEIGHT,
                                                           .format = SPICE_SURFACE_FMT_32_xRGB},
                                     NULL);
    spice_display_mark(self->display);
    client->view = spice_view_create(self->display, &view);
    sender.images = client->images = spice_client_images_create(&spice_allocator_libc, 0, 1, NULL);
    client->sender = spice_sender_create(&sender);
    spice_sender_take_init(client->sender, &(SpiceMsgcDisplayInit){1, 0, 1, 0}, NULL);
    spice_sender_output_init(&client->out, &spice_allocator_libc);
    receiver.pixmaps = client->pixmaps =
        spice_pixmap_cache_create(&spice_allocator_libc, NULL, 1000);
    client->receiver = spice_receiver_create(&receiver);
    return self;
}

const char *streams_world_destroy(StreamsWorld *self)
{
    const char *failure;
    const SpiceViewCounters *counters = spice_view_counters(self->client.view);

    for (unsigned i = 0; i < SPICE_COLLAPSE_N_REASONS; i++)
        self->tally->collapses += counters->collapses[i];
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
        free_frame(&self->client.encoders[id].at_work);
        free_frame(&self->client.encoders[id].waits);
    }
    spice_view_destroy(self->client.view);
    spice_sender_destroy(self->client.sender);
    spice_client_images_destroy(self->client.images);
    spice_sender_output_clear(&self->client.out);
    spice_receiver_destroy(self->client.receiver);
    spice_pixmap_cache_destroy(self->client.pixmaps);
    spice_display_destroy(self->display);
    failure = self->failure;
    free(self);
    return failure;
}

void streams_world_step(StreamsWorld *self, unsigned liveliness)
{
    if (self->failure)
        return;
    self->now += STEP_US;
    for (unsigned i = 0; i < N_PLAYERS; i++) {
        Player *player = &self->players[i];

        if (below(self, player->plays ? 600 : 100) == 0)
            change_player(self, player);
        if (player->plays && self->now >= player->due) {
            play_frame(self, player);
            player->due = self->now + FRAME_US;
        }
    }
    if (below(self, liveliness) == 0)
        draw_something(self);
    spice_display_advance(self->display, self->now);
    if (below(self, 60) == 0)
        self->client.stalled = !self->client.stalled && below(self, 3) == 0;
    if (!self->client.stalled)
        for (uint32_t n = below(self, 6); n > 0; n--)
            pull(self);
    work_all(self, false);
    if (below(self, 40) == 0)
        refresh(self);
    if (below(self, 200) == 0)
        spice_view_restart_streams(self->client.view);
    if (below(self, 150) == 0)
        compare_running(self);
    if (below(self, 2000) == 0)
        streams_world_settle(self);
    if (below(self, 3000) == 0) {
        const SpiceSurfaceSource primary = {
            .width = WIDTH, .height = HEIGHT, .format = SPICE_SURFACE_FMT_32_xRGB};

        spice_display_destroy_surface(self->display, 0, NULL);
        spice_display_create_surface(self->display, &primary, NULL);
        spice_display_mark(self->display);
    }
}

const char *streams_world_failure(const StreamsWorld *self)
{
    return self->failure;
}
