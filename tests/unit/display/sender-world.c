/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sender-world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare-pixels.h"
#include "core/display/receiver.h"
#include "core/wire/channel.h"
#include "core/wire/wire.h"
#include "sender-compare.h"
#include "sender-draws.h"

enum {
    N_DISPLAYS = 2,
    MAX_QUEUED = 64,
    CACHE_PIXELS = 12000, /* some ten pictures */
    GLZ_PIXELS = 30000,
    LOWEST_PSNR = 30,
};

typedef struct {
    uint16_t type;
    size_t size;
    uint8_t *body;
    SpiceReceived expected; /* what the model made of it */
} Queued;

typedef struct {
    bool open;
    SpiceSender *sender;
    SpiceSenderOutput out;
    SpiceReceiver *client, *model;
    SpicePixmapCache *model_pixmaps;
    Queued queue[MAX_QUEUED];
    unsigned first, n_queued;
    uint64_t done; /* messages that the client has finished */
    /* The message at hand, unfolded. */
    bool begun;
    void *message;
    SpiceArena arena;
} Display;

struct SenderWorld {
    Choices choices;
    SenderWorldConfig config;
    SenderWorldTally tally;
    const char *failure;
    SpiceAllocator allocator; /* the senders' */
    unsigned allocated, asked, lent;
    bool refusing;
    GuestPictures *pictures;
    SpiceClientImages *images;
    SpicePixmapCache *pixmaps[N_DISPLAYS];
    SpiceGlzWindow *window[N_DISPLAYS];
    Display displays[N_DISPLAYS];
    uint8_t *message_memory;
};

static uint32_t below(SenderWorld *self, uint32_t n)
{
    return self->choices.below(self->choices.context, n);
}

static void fail(SenderWorld *self, const char *what)
{
    if (!self->failure)
        self->failure = what;
}

static void *take(void *context, size_t size)
{
    SenderWorld *self = context;

    if (self->refusing &&
        (self->config.starved ? below(self, 16) == 0 : ++self->asked == self->config.fail_at)) {
        self->tally.starved++;
        return NULL;
    }
    self->allocated++;
    return malloc(size ? size : 1);
}

static void give_back(void *context, void *memory)
{
    SenderWorld *self = context;

    self->allocated--;
    free(memory);
}

/* --- displays --- */

static void count(SpiceSenderCounters *sum, const SpiceSenderCounters *c)
{
    for (unsigned i = 0; i < SPICE_IMAGE_N_CODECS; i++) {
        sum->codecs[i].images += c->codecs[i].images;
        sum->codecs[i].bytes_in += c->codecs[i].bytes_in;
        sum->codecs[i].bytes_out += c->codecs[i].bytes_out;
    }
    sum->passed_on += c->passed_on;
    sum->hits += c->hits;
    sum->added += c->added;
    sum->replaced += c->replaced;
    sum->invalidated += c->invalidated;
    sum->palette_hits += c->palette_hits;
    sum->waits += c->waits;
}

/** Hands a message to the sender, and what comes of it to channel and model. */
static bool send_lent(SenderWorld *self, Display *display, uint16_t type, const void *message,
                      const SpiceGlzLoan *loan)
{
    SpiceReceiverResult result;
    SpiceError error = {0};

    self->refusing = self->config.starved || self->config.fail_at;
    self->lent += loan != NULL;
    if (!spice_sender_encode_lent(display->sender, type, message, loan, &display->out, &error)) {
        self->lent -= loan != NULL;
        self->refusing = false;
        if (display->out.n_messages || display->out.bytes.size)
            fail(self, "a message was refused but something is to be sent");
        if (error.code == SPICE_ERROR_MEMORY && self->tally.starved == 0)
            fail(self, "memory was there");
        return false;
    }
    self->refusing = false;
    spice_receiver_feed(display->model, type, message, &result);
    for (unsigned i = 0; i < display->out.n_messages; i++) {
        Queued *queued = &display->queue[(display->first + display->n_queued++) % MAX_QUEUED];

        *queued = (Queued){.type = display->out.messages[i].type,
                           .size = display->out.messages[i].size,
                           .expected = i + 1 == display->out.n_messages ? result.outcome
                                                                        : SPICE_RECEIVED_APPLIED};
        queued->body = malloc(queued->size ? queued->size : 1);
        if (queued->size)
            memcpy(queued->body, display->out.bytes.data + display->out.messages[i].offset,
                   queued->size);
    }
    return true;
}

static bool send(SenderWorld *self, Display *display, uint16_t type, const void *message)
{
    return send_lent(self, display, type, message, NULL);
}

static bool create_surface(SenderWorld *self, Display *display, uint32_t id)
{
    static const uint32_t formats[] = {SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FMT_32_xRGB,
                                       SPICE_SURFACE_FMT_32_ARGB, SPICE_SURFACE_FMT_16_555,
                                       SPICE_SURFACE_FMT_8_A,     SPICE_SURFACE_FMT_16_565,
                                       SPICE_SURFACE_FMT_1_A};
    const SpiceMsgDisplaySurfaceCreate create = {
        .surface_id = id,
        .width = MAX_SIDE,
        .height = MAX_SIDE,
        .format = id == 0 ? SPICE_SURFACE_FMT_32_xRGB
                          : formats[below(self, sizeof(formats) / sizeof(formats[0]))],
        .flags = id == 0 ? SPICE_SURFACE_FLAGS_PRIMARY : 0,
    };

    return send(self, display, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create);
}

static void open_display(SenderWorld *self, unsigned number)
{
    Display *display = &self->displays[number];
    const unsigned shared = self->config.separate ? number : 0;
    const SpiceSenderConfig config = {
        .allocator = &self->allocator,
        .images = self->images,
        .channel_id = (uint8_t)(3 + number),
        .first_serial = 2,
        .has_lz4 = true,
        .mode = self->config.mode,
        .jpeg = self->config.wan,
        .zlib_glz = self->config.wan,
    };
    const SpiceReceiverConfig client = {
        .allocator = &spice_allocator_libc,
        .pixmaps = self->pixmaps[shared],
        .glz_window = self->window[shared],
        .cpu = self->config.cpu,
    };
    const SpiceMsgcDisplayInit init = {(uint8_t)(5 + shared), CACHE_PIXELS, (uint8_t)shared,
                                       GLZ_PIXELS};
    SpiceReceiverConfig model = {.allocator = &spice_allocator_libc};

    *display = (Display){.open = true, .done = 1};
    display->model_pixmaps = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 1 << 24);
    model.pixmaps = display->model_pixmaps;
    display->client = spice_receiver_create(&client);
    display->model = spice_receiver_create(&model);
    display->sender = spice_sender_create(&config);
    spice_arena_init(&display->arena, &spice_allocator_libc, 1 << 24);
    spice_sender_output_init(&display->out, &self->allocator);
    if (!spice_sender_take_init(display->sender, &init, NULL))
        fail(self, "INIT was refused");
    spice_sender_set_link(display->sender, self->config.bits_per_second, 1000);
    send(self, display, SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES, NULL);
    while (!create_surface(self, display, 0))
        ;
}

static void close_display(SenderWorld *self, Display *display)
{
    count(&self->tally.sent, spice_sender_counters(display->sender));
    spice_sender_destroy(display->sender);
    spice_sender_output_clear(&display->out);
    spice_receiver_destroy(display->client);
    spice_receiver_destroy(display->model);
    spice_pixmap_cache_destroy(display->model_pixmaps);
    spice_arena_clear(&display->arena);
    for (unsigned i = 0; i < display->n_queued; i++)
        free(display->queue[(display->first + i) % MAX_QUEUED].body);
    display->open = false;
}

SenderWorld *sender_world_create(Choices choices, const SenderWorldConfig *config)
{
    SenderWorld *self = calloc(1, sizeof(*self));

    self->choices = choices;
    self->config = *config;
    self->tally.worst_psnr = INFINITY;
    self->allocator = (SpiceAllocator){take, give_back, self};
    self->pictures = guest_pictures_create();
    self->images = spice_client_images_create(&self->allocator, config->cpu, 77, NULL);
    for (unsigned i = 0; i < N_DISPLAYS; i++) {
        self->pixmaps[i] = spice_pixmap_cache_create(&spice_allocator_libc, NULL, CACHE_PIXELS);
        self->window[i] = spice_glz_window_new(&spice_allocator_libc, 2 * GLZ_PIXELS, 4096);
        spice_glz_window_expect(self->window[i], 0);
    }
    for (unsigned i = 0; i < N_DISPLAYS; i++)
        open_display(self, i);
    return self;
}

/* --- the client --- */

static bool has_glz(uint16_t type, const void *message)
{
    SpiceDrawImages images;

    if (!spice_draw_is_draw(type))
        return false;
    spice_draw_images(&images, type, message);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        if (images.images[role] && (images.images[role]->type == SPICE_IMAGE_TYPE_GLZ_RGB ||
                                    images.images[role]->type == SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB))
            return true;
    return false;
}

static bool is_awaited(const SenderWorld *self, const SpiceMsgWaitForChannels *message)
{
    for (unsigned i = 0; i < message->n_waits; i++) {
        const Display *other = &self->displays[message->waits[i].channel_id - 3];

        if (other->open && other->done < message->waits[i].message_serial)
            return true;
    }
    return false;
}

/** Takes the next message of a channel. False if it has to wait, or there is none. */
static bool deliver(SenderWorld *self, Display *display)
{
    Queued *queued = &display->queue[display->first % MAX_QUEUED];
    const SpiceMessageDef *def;
    SpiceReceiverResult result;
    SpiceError error = {0};

    if (!display->open || display->n_queued == 0 || self->failure)
        return false;
    if (!display->begun) {
        def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, queued->type);
        spice_arena_reset(&display->arena);
        display->message =
            spice_message_read(def, queued->body, queued->size, &display->arena, &error);
        if (!display->message) {
            fail(self, "a message cannot be read");
            return false;
        }
        display->begun = true;
    }
    if (queued->type == SPICE_MSG_WAIT_FOR_CHANNELS) {
        if (is_awaited(self, display->message)) {
            self->tally.blocked++;
            return false;
        }
    } else {
        spice_receiver_feed(display->client, queued->type, display->message, &result);
        if (result.outcome == SPICE_RECEIVED_WAIT) {
            self->tally.blocked++;
            if (!has_glz(queued->type, display->message))
                fail(self, "an image that was named is not there");
            return false;
        }
        if (result.outcome != queued->expected)
            fail(self, result.outcome == SPICE_RECEIVED_BROKEN ? "the window broke"
                       : result.error.field                    ? result.error.field
                                            : "the client did as the model did not");
    }
    free(queued->body);
    display->begun = false;
    display->first++;
    display->n_queued--;
    display->done++;
    self->tally.delivered++;
    return true;
}

static void deliver_all(SenderWorld *self)
{
    for (bool going = true; going && !self->failure;) {
        going = false;
        for (unsigned i = 0; i < N_DISPLAYS; i++)
            while (deliver(self, &self->displays[i]))
                going = true;
    }
    for (unsigned i = 0; i < N_DISPLAYS; i++)
        if (self->displays[i].open && self->displays[i].n_queued > 0)
            fail(self, "channels wait for each other");
}

/* --- comparing --- */

static void compare(SenderWorld *self, Display *display)
{
    for (uint32_t id = 0; id < N_IDS; id++) {
        const SpicePixels *client = spice_receiver_surface(display->client, id);
        const SpicePixels *model = spice_receiver_surface(display->model, id);

        if (!client != !model)
            fail(self, "a surface is there that should not, or is not");
        else if (client && !sent_pixels_equal(client, model))
            fail(self, "the client's surface is not the model's");
        self->tally.compared++;
    }
}

/** What is lossy is there, where it is known to be, and not worse than it should. */
static void compare_roughly(SenderWorld *self, Display *display)
{
    const SpicePixels *client = spice_receiver_surface(display->client, 0);
    const SpicePixels *model = spice_receiver_surface(display->model, 0);
    pixman_region32_t *lossy = (pixman_region32_t *)spice_sender_lossy_region(display->sender, 0);
    const double quality = sent_pixels_psnr(client, model);

    if (quality < self->tally.worst_psnr)
        self->tally.worst_psnr = quality;
    if (quality < LOWEST_PSNR)
        fail(self, "the picture is worse than it may");
    for (int32_t y = 0; y < client->height; y++)
        for (int32_t x = 0; x < client->width; x++)
            if (memcmp(spice_pixels_row(client, y) + 4 * x, spice_pixels_row(model, y) + 4 * x,
                       3) != 0 &&
                !pixman_region32_contains_point(lossy, x, y, NULL))
                fail(self, "lossy where it is not known to be");
}

static void refine(SenderWorld *self, Display *display)
{
    const SpicePixels *model = spice_receiver_surface(display->model, 0);
    pixman_region32_t lossy;
    pixman_box32_t *boxes;
    int n;

    pixman_region32_init(&lossy);
    pixman_region32_copy(&lossy,
                         (pixman_region32_t *)spice_sender_lossy_region(display->sender, 0));
    boxes = pixman_region32_rectangles(&lossy, &n);
    spice_sender_set_refining(display->sender, true);
    for (int i = 0; i < n; i++) {
        const SpicePixels part = spice_pixels_part(model, &boxes[i]);
        const size_t stride = (size_t)part.width * 4;
        uint8_t *rows = malloc(stride * (size_t)part.height);
        SpiceImage image = {
            .width = (uint32_t)part.width,
            .height = (uint32_t)part.height,
            .bitmap_format = SPICE_BITMAP_FMT_32BIT,
            .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
            .bitmap_width = (uint32_t)part.width,
            .bitmap_height = (uint32_t)part.height,
            .stride = (uint32_t)stride,
            .data = {rows, stride * (size_t)part.height},
        };
        const SpiceMsgDisplayDrawCopy copy = {
            .base = {.box = {boxes[i].y1, boxes[i].x1, boxes[i].y2, boxes[i].x2}},
            .source = &image,
            .source_area = {0, 0, part.height, part.width},
            .rop = SPICE_ROPD_OP_PUT,
        };

        for (int32_t y = 0; y < part.height; y++)
            memcpy(rows + (size_t)y * stride, spice_pixels_row(&part, y), stride);
        send(self, display, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
        free(rows);
        deliver_all(self);
    }
    spice_sender_set_refining(display->sender, false);
    pixman_region32_fini(&lossy);
    if (pixman_region32_not_empty(
            (pixman_region32_t *)spice_sender_lossy_region(display->sender, 0)))
        fail(self, "still lossy after it was refined");
    if (!pixels_equal(spice_receiver_surface(display->client, 0), model))
        fail(self, "not exact after it was refined");
}

void sender_world_settle(SenderWorld *self)
{
    deliver_all(self);
    for (unsigned i = 0; i < N_DISPLAYS && !self->failure; i++) {
        if (!self->displays[i].open)
            continue;
        if (self->config.lossy) {
            compare_roughly(self, &self->displays[i]);
            refine(self, &self->displays[i]);
        } else {
            compare(self, &self->displays[i]);
        }
    }
}

/* --- events --- */

/** Those whose result is hardly worse than what they are given. */
static bool is_tame(const RandomDraw *draw)
{
    switch (draw->type) {
    case SPICE_MSG_DISPLAY_COPY_BITS:
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return true;
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        return draw->message.fill.rop == SPICE_ROPD_OP_PUT;
    case SPICE_MSG_DISPLAY_DRAW_COPY:
        return draw->message.copy.rop == SPICE_ROPD_OP_PUT;
    default:
        return false;
    }
}

/** A draw with the memory of its images, until the sender has no need of it. */
typedef struct {
    SenderWorld *world;
    RandomDraw draw;
    unsigned references; /* of the sender, and of who made it */
} Lent;

static void lent_unref(Lent *lent)
{
    if (--lent->references > 0)
        return;
    sender_draw_clear(&lent->draw);
    free(lent);
}

static void end_loan(void *context)
{
    Lent *lent = context;

    lent->world->lent--;
    lent_unref(lent);
}

/** Whether the unused byte of the primary or the unused bit of a 555 surface, which are not kept,
 * get to be seen. */
static bool shows_unused(const Display *display, const RandomDraw *draw)
{
    const SpicePixels *dest = spice_receiver_surface(display->model, draw->message.base.surface_id);
    const bool by_alpha = draw->type == SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND ||
                          draw->type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE;

    for (unsigned i = 0; i < draw->n_images; i++)
        if (draw->images[i].type == SPICE_IMAGE_TYPE_SURFACE &&
            ((dest && dest->format == PIXMAN_r5g6b5) ||
             (draw->images[i].surface_id == 0 && (by_alpha || draw->message.base.surface_id != 0))))
            return true;
    return false;
}

static void draw(SenderWorld *self, Display *display)
{
    const uint32_t id = self->config.lossy || below(self, 2) ? 0 : below(self, N_IDS);
    Lent *lent = malloc(sizeof(*lent));
    const SpiceGlzLoan loan = {end_loan, lent};
    RandomDraw *random = &lent->draw;
    const bool lends = below(self, 2);
    bool sent = false;

    lent->world = self;
    lent->references = lends ? 2 : 1;
    sender_draw_make(random, self->pictures, &self->choices, id, MAX_SIDE, id != 0);
    if (!shows_unused(display, random) && (!self->config.lossy || is_tame(random))) {
        sent = send_lent(self, display, random->type, &random->message, lends ? &loan : NULL);
        self->tally.draws += sent;
        self->tally.refused += !sent;
    }
    if (lends && !sent)
        lent->references--; /* it was not taken */
    lent_unref(lent);
}

static void change_surface(SenderWorld *self, Display *display)
{
    const uint32_t id = 1 + below(self, N_IDS - 1);

    if (spice_receiver_surface(display->model, id) && below(self, 3) == 0)
        send(self, display, SPICE_MSG_DISPLAY_SURFACE_DESTROY,
             &(SpiceMsgDisplaySurfaceDestroy){id});
    else
        create_surface(self, display, id);
}

static void reconnect(SenderWorld *self)
{
    const unsigned number = below(self, N_DISPLAYS);
    Display *other = &self->displays[(number + 1) % N_DISPLAYS];

    self->tally.reconnects++;
    if (!self->config.abrupt)
        deliver_all(self);
    /* What depends on what is lost is lost, too. */
    while (deliver(self, other))
        ;
    close_display(self, &self->displays[number]);
    if (other->n_queued > 0) {
        close_display(self, other);
        open_display(self, (number + 1) % N_DISPLAYS);
    }
    open_display(self, number);
}

void sender_world_step(SenderWorld *self)
{
    Display *display = &self->displays[below(self, N_DISPLAYS)];
    const uint32_t event = below(self, 32);

    if (self->failure)
        return;
    if (event == 31 && self->config.reconnect && below(self, 16) == 0)
        reconnect(self);
    else if (event >= 20 || display->n_queued + SPICE_SENDER_MAX_MESSAGES > MAX_QUEUED)
        deliver(self, display);
    else if (event == 0)
        change_surface(self, display);
    else
        draw(self, display);
}

const char *sender_world_failure(const SenderWorld *self)
{
    return self->failure;
}

SenderWorldTally sender_world_tally(const SenderWorld *self)
{
    SenderWorldTally tally = self->tally;

    for (unsigned i = 0; i < N_DISPLAYS; i++)
        if (self->displays[i].open)
            count(&tally.sent, spice_sender_counters(self->displays[i].sender));
    return tally;
}

const char *sender_world_destroy(SenderWorld *self)
{
    const char *failure;

    for (unsigned i = 0; i < N_DISPLAYS; i++)
        if (self->displays[i].open)
            close_display(self, &self->displays[i]);
    spice_client_images_destroy(self->images);
    if (self->lent > 0)
        fail(self, "a loan was not ended");
    if (self->allocated > 0)
        fail(self, "memory was not given back");
    for (unsigned i = 0; i < N_DISPLAYS; i++) {
        spice_pixmap_cache_destroy(self->pixmaps[i]);
        spice_glz_window_free(self->window[i]);
    }
    guest_pictures_destroy(self->pictures);
    failure = self->failure;
    free(self);
    return failure;
}
