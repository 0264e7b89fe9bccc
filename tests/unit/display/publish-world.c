/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/canvas/surface.h"
#include "core/display/receiver.h"
#include "core/wire/channel.h"
#include "core/wire/wire.h"

#include "compare-pixels.h"
#include "publish-draws.h"

enum { N_CLIENTS = 5, MAX_OUT = 3, VIEW_ITEMS = 12, VIEW_BYTES = 20000, PENDING = 24, HELD = 10 };

/** How a client pulls. */
typedef enum { FAST, SLOW, STALLED, N_POLICIES } Policy;

typedef struct {
    SpiceView *view; /* NULL: no such client at the time */
    SpiceReceiver *receiver;
    SpicePixmapCache *cache;
    Policy policy;
    bool no_composite, no_a8_surfaces;
    SpiceViewItem *out[MAX_OUT]; /* taken out and fed, not given back yet */
    unsigned n_out;
    uint64_t dropped;
} Client;

struct World {
    Choices choices;
    SpiceAllocator allocator;
    size_t allocated;
    bool starved, generous; /* generous: but not at the moment */
    SpiceDisplay *display;
    SpiceReceiver *model;
    SpicePixmapCache *model_cache;
    Client clients[N_CLIENTS];
    uint8_t *memory[N_IDS]; /* of wrapped surfaces */
    SpiceBuffer buffer;
    SpiceArena arena;
    unsigned created, released; /* drawables */
    SpiceHead heads[2];         /* that were set last */
    unsigned n_heads;
    bool marked;
    uint64_t time, largest_draw;
    WorldTally tally;
    const char *failure;
    char text[200];
};

static void fail(World *self, const char *what, unsigned long a, unsigned long b)
{
    if (self->failure)
        return;
    snprintf(self->text, sizeof(self->text), "%s (%lu, %lu)", what, a, b);
    self->failure = self->text;
}

#define EXPECT(condition, what, a, b)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(self, what, (unsigned long)(a), (unsigned long)(b));                              \
    } while (0)

static uint32_t below(World *self, uint32_t n)
{
    return self->choices.below(self->choices.context, n);
}

/* --- memory that is counted, and refused --- */

enum { HEADER = 16 };

static void *counted_alloc(void *context, size_t size)
{
    World *self = context;
    size_t *block;

    if (self->starved && !self->generous && below(self, 24) == 0)
        return NULL;
    block = malloc(HEADER + size);
    *block = size;
    self->allocated += size;
    /* What is read before it is written shall differ. */
    return memset((uint8_t *)block + HEADER, 0xa5, size);
}

static void counted_release(void *context, void *memory)
{
    World *self = context;
    size_t *block = (size_t *)((uint8_t *)memory - HEADER);

    self->allocated -= *block;
    free(block);
}

/* --- messages to receivers --- */

static bool write_message(World *self, uint16_t type, const void *message)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    SpiceError error = {0};

    self->buffer.size = 0;
    if (spice_message_write(def, message, &self->buffer, &error))
        return true;
    fail(self, "a message cannot be written", type, error.code);
    return false;
}

/** Feeds what is read of the message that was written last. */
static SpiceReceived feed_written(World *self, SpiceReceiver *receiver, uint16_t type,
                                  SpiceError *why)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    SpiceReceiverResult result = {.outcome = SPICE_RECEIVED_DROPPED};
    SpiceError error = {0};
    void *read =
        spice_message_read(def, self->buffer.data, self->buffer.size, &self->arena, &error);

    if (read)
        spice_receiver_feed(receiver, type, read, &result);
    else
        fail(self, "a message cannot be read", type, error.code);
    spice_arena_reset(&self->arena);
    if (why)
        *why = result.error;
    return result.outcome;
}

static SpiceReceived feed(World *self, SpiceReceiver *receiver, uint16_t type, const void *message,
                          SpiceError *why)
{
    return write_message(self, type, message) ? feed_written(self, receiver, type, why)
                                              : SPICE_RECEIVED_DROPPED;
}

static SpiceReceiver *new_receiver(SpicePixmapCache **cache)
{
    SpiceReceiverConfig config = {.allocator = &spice_allocator_libc};

    *cache = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 1 << 20);
    config.pixmaps = *cache;
    return spice_receiver_create(&config);
}

/* --- clients --- */

static void join(World *self, Client *client)
{
    const SpiceViewConfig config = {
        .no_composite = below(self, 4) == 0,
        .no_a8_surfaces = below(self, 4) == 0,
        .limits = {.items = VIEW_ITEMS,
                   .bytes = VIEW_BYTES,
                   .content_bytes = below(self, 2) ? 6000 : 0,
                   .surface_bytes = below(self, 2) ? 30000 : 0,
                   .piece_bytes = below(self, 2) ? 3000 : 0},
    };

    client->view = spice_view_create(self->display, &config);
    if (!client->view)
        return;
    client->receiver = new_receiver(&client->cache);
    client->policy = (Policy)below(self, N_POLICIES);
    client->no_composite = config.no_composite;
    client->no_a8_surfaces = config.no_a8_surfaces;
    client->dropped = 0;
    self->tally.joined++;
}

static void give_back(Client *client)
{
    while (client->n_out > 0)
        spice_view_item_done(client->out[--client->n_out]);
}

static void leave(World *self, Client *client)
{
    self->tally.pictures += (unsigned)spice_view_counters(client->view)->sent_pictures;
    for (unsigned i = 0; i < SPICE_COLLAPSE_N_REASONS; i++)
        self->tally.collapses += (unsigned)spice_view_counters(client->view)->collapses[i];
    spice_view_destroy(client->view);
    spice_receiver_destroy(client->receiver);
    spice_pixmap_cache_destroy(client->cache);
    client->view = NULL;
    /* Items may outlive their view. */
    if (below(self, 2))
        give_back(client);
}

/** Whether the message is one that the client said it can do. */
static bool is_understood(const Client *client, const SpiceViewItem *item)
{
    const SpiceMsgDisplaySurfaceCreate *create = item->message;

    if (item->type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE)
        return !client->no_composite;
    return item->type != SPICE_MSG_DISPLAY_SURFACE_CREATE || create->surface_id == 0 ||
           create->format != SPICE_SURFACE_FMT_8_A || !client->no_a8_surfaces;
}

/** Takes one message out. False if there is none. */
static bool pull(World *self, Client *client)
{
    SpiceViewItem *item;
    SpiceError error = {0}, why = {0};
    const bool has_next = spice_view_has_next(client->view);

    if (!spice_view_next(client->view, &item, &error)) {
        EXPECT(self->starved && error.code == SPICE_ERROR_MEMORY, "no item comes", error.code, 0);
        return true;
    }
    EXPECT((item != NULL) == has_next, "has_next told otherwise", has_next, 0);
    if (!item)
        return false;
    EXPECT(!item->drawable || !spice_drawable_is_borrowing(item->drawable),
           "an item borrows memory", item->type, 0);
    EXPECT(is_understood(client, item), "a client cannot do this", item->type, 0);
    if (feed(self, client->receiver, item->type, item->message, &why) != SPICE_RECEIVED_APPLIED) {
        client->dropped++;
        /* What fails on the canvas fails everywhere; what names something unknown is our fault. */
        EXPECT(why.code != SPICE_ERROR_STATE && !item->is_picture, "a client had to drop",
               item->type, why.code);
    }
    if (below(self, 4) == 0 && client->n_out < MAX_OUT)
        client->out[client->n_out++] = item;
    else
        spice_view_item_done(item);
    return true;
}

static void act(World *self, Client *client)
{
    switch (client->policy) {
    case FAST:
        for (unsigned n = 0; n < 500 && pull(self, client); n++)
            ;
        break;
    case SLOW:
        for (uint32_t n = below(self, 4); n > 0; n--)
            pull(self, client);
        break;
    default:
        break;
    }
    if (below(self, 8) == 0)
        give_back(client);
    if (below(self, 40) == 0)
        client->policy = (Policy)below(self, N_POLICIES);
    if (below(self, 60) == 0)
        spice_view_collapse(client->view, SPICE_COLLAPSE_CALLER);
    if (below(self, 60) == 0) {
        const SpiceRect area = {3, 4, 20, 30};

        spice_view_damage(client->view, below(self, 2) ? &area : NULL);
    }
}

/* --- draws --- */

typedef struct {
    World *world;
    uint8_t *blocks[4];
    unsigned n_blocks;
} Guest;

static void release_guest(void *context)
{
    Guest *guest = context;

    for (unsigned i = 0; i < guest->n_blocks; i++)
        free(guest->blocks[i]);
    guest->world->released++;
    free(guest);
}

static void check_bounds(World *self)
{
    const SpiceDisplayCounters *now = spice_display_counters(self->display);

    EXPECT(now->n_pending <= PENDING, "too many draws pending", now->n_pending, PENDING);
    EXPECT(now->n_held <= HELD || self->starved, "too many draws hold memory", now->n_held, HELD);
    EXPECT(now->n_held == self->created - self->released, "memory is held by nobody, or lost",
           now->n_held, self->created - self->released);
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        const SpiceViewCounters *view;

        if (!self->clients[i].view)
            continue;
        view = spice_view_counters(self->clients[i].view);
        EXPECT(view->n_items <= VIEW_ITEMS, "a view has too many items", view->n_items, VIEW_ITEMS);
        EXPECT(view->bytes <= VIEW_BYTES || view->bytes <= self->largest_draw,
               "a view holds too many bytes", view->bytes, VIEW_BYTES);
    }
}

static void draw(World *self, uint32_t id)
{
    const SpicePixels *surface = spice_display_surface(self->display, id);
    RandomDraw random;
    Guest *guest = malloc(sizeof(*guest));
    SpiceDrawableSource source = {.time = self->time, .release = release_guest, .context = guest};
    SpiceDrawable *drawable;
    SpiceError error = {0};
    uint64_t bytes;

    random_draw_make(&random, &self->choices, id, surface ? surface->width : MAX_SIDE,
                     surface ? surface->height : MAX_SIDE, self->starved);
    *guest = (Guest){.world = self, .n_blocks = random.n_blocks};
    memcpy(guest->blocks, random.blocks, sizeof(guest->blocks));
    source.type = random.type;
    source.message = &random.message;
    drawable = spice_drawable_create(&self->allocator, &source, &error);
    if (!drawable) {
        EXPECT(self->starved, "a drawable cannot be made", random.type, error.code);
        release_guest(guest);
        self->released--;
        return;
    }
    self->created++;
    bytes = spice_drawable_image_bytes(drawable);
    if (bytes > self->largest_draw)
        self->largest_draw = bytes;
    /* The model gets it if it is published, but then its pixels may be gone. */
    source.type = spice_drawable_type(drawable); /* of ROP3 it may be another */
    write_message(self, source.type, spice_drawable_message(drawable));
    memset(&random, 0xee, sizeof(random));
    if (spice_display_publish(self->display, drawable, &error)) {
        feed_written(self, self->model, source.type, NULL);
        self->tally.published++;
    } else {
        self->tally.refused++;
    }
    spice_drawable_unref(drawable);
}

/* --- surfaces --- */

static void make_content(World *self, SpiceSurfaceSource *source, uint8_t *memory, size_t stride)
{
    const uint8_t format = source->format == SPICE_SURFACE_FMT_16_555    ? SPICE_BITMAP_FMT_16BIT
                           : source->format == SPICE_SURFACE_FMT_8_A     ? SPICE_BITMAP_FMT_8BIT_A
                           : source->format == SPICE_SURFACE_FMT_32_ARGB ? SPICE_BITMAP_FMT_RGBA
                                                                         : SPICE_BITMAP_FMT_32BIT;
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_BITMAP,
                        .width = source->width,
                        .height = source->height,
                        .bitmap_format = format,
                        .bitmap_flags = source->stride > 0 ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0,
                        .bitmap_width = source->width,
                        .bitmap_height = source->height,
                        .stride = (uint32_t)stride,
                        .data = {memory, stride * source->height}};
    const SpiceRect all = {0, 0, (int32_t)source->height, (int32_t)source->width};
    const SpiceMsgDisplayDrawCopy copy = {.base = {source->surface_id, all, {0}},
                                          .source = &image,
                                          .source_area = all,
                                          .rop = SPICE_ROPD_OP_PUT};

    feed(self, self->model, SPICE_MSG_DISPLAY_DRAW_COPY, &copy, NULL);
}

static void set_monitors(World *self)
{
    SpiceHead heads[2] = {{.monitor_id = 0, .width = 1 + below(self, 9), .height = 5},
                          {.monitor_id = 1, .width = below(self, 2), .height = 5, .x = 10}};
    const SpiceMsgDisplayMonitorsConfig config = {2, 4, heads};

    if (!spice_display_set_monitors(self->display, &config, NULL))
        return;
    memcpy(self->heads, heads, sizeof(heads));
    self->n_heads = heads[1].width ? 2 : 1;
}

static void mark(World *self)
{
    spice_display_mark(self->display);
    self->marked = spice_display_surface(self->display, 0);
}

static void create_surface(World *self, uint32_t id)
{
    static const uint32_t formats[] = {SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FMT_32_xRGB,
                                       SPICE_SURFACE_FMT_32_ARGB, SPICE_SURFACE_FMT_32_ARGB,
                                       SPICE_SURFACE_FMT_16_555,  SPICE_SURFACE_FMT_16_565,
                                       SPICE_SURFACE_FMT_8_A,     SPICE_SURFACE_FMT_1_A};
    SpiceSurfaceSource source = {
        .surface_id = id,
        .width = 8 + below(self, MAX_SIDE - 8),
        .height = 8 + below(self, MAX_SIDE - 8),
        .format = formats[below(self, id == 0 ? 7 : 8)],
    };
    SpiceMsgDisplaySurfaceCreate create = {id, source.width, source.height, source.format,
                                           id == 0 ? SPICE_SURFACE_FLAGS_PRIMARY : 0};
    const bool can_keep =
        source.format != SPICE_SURFACE_FMT_16_565 && source.format != SPICE_SURFACE_FMT_1_A;
    const size_t stride = source.width * 4 + 4 * below(self, 3);
    const bool wrapped = below(self, 2);
    SpiceError error = {0};

    if (wrapped) {
        self->memory[id] = malloc(stride * source.height);
        for (size_t i = 0; i < stride * source.height; i++)
            self->memory[id][i] = (uint8_t)(i * 7 + i / 251);
        source.data = self->memory[id];
        source.stride = (ptrdiff_t)stride;
        if (below(self, 2)) {
            source.data += stride * (source.height - 1);
            source.stride = -source.stride;
        }
        source.keep = can_keep && below(self, 2);
    }
    if (!spice_display_create_surface(self->display, &source, &error)) {
        EXPECT(self->starved, "a surface cannot be created", id, error.code);
        free(self->memory[id]);
        self->memory[id] = NULL;
        return;
    }
    feed(self, self->model, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, NULL);
    if (source.keep)
        make_content(self, &source, self->memory[id], stride);
    if (id == 0 && below(self, 4) != 0)
        mark(self);
}

static void destroy_surface(World *self, uint32_t id)
{
    const SpiceMsgDisplaySurfaceDestroy destroy = {id};

    if (!spice_display_destroy_surface(self->display, id, NULL))
        fail(self, "a surface cannot be destroyed", id, 0);
    feed(self, self->model, SPICE_MSG_DISPLAY_SURFACE_DESTROY, &destroy, NULL);
    self->marked = self->marked && id != 0;
    /* Whoever reads it from now on is caught. */
    free(self->memory[id]);
    self->memory[id] = NULL;
}

/* --- comparison --- */

/** What a surface should hold. */
static const SpicePixels *truth(const World *self, uint32_t id)
{
    return self->starved ? spice_display_surface(self->display, id)
                         : spice_receiver_surface(self->model, id);
}

static void update_area(World *self, uint32_t id)
{
    const SpicePixels *surface = spice_display_surface(self->display, id);
    const int32_t left = (int32_t)below(self, (uint32_t)surface->width);
    const int32_t top = (int32_t)below(self, (uint32_t)surface->height);
    const SpiceRect area = {top, left,
                            top + 1 + (int32_t)below(self, (uint32_t)(surface->height - top)),
                            left + 1 + (int32_t)below(self, (uint32_t)(surface->width - left))};
    const pixman_box32_t box = {area.left, area.top, area.right, area.bottom};

    spice_display_update_area(self->display, id, &area, NULL);
    EXPECT(pixels_equal_in(surface, truth(self, id), &box), "an updated area is not the model's",
           id, surface->format);
    self->tally.compared++;
    if (below(self, 2))
        spice_display_clear_dirty(self->display, id);
}

static void compare_client(World *self, unsigned i)
{
    const Client *client = &self->clients[i];
    const SpicePixels *primary = spice_receiver_primary(client->receiver);
    const SpicePixels *model = truth(self, 0);
    const SpiceHead *heads;
    unsigned n_heads, most;

    EXPECT(!primary == !model, "a client has no primary, or one too many", i, primary != NULL);
    if (!primary || !model)
        return;
    EXPECT(pixels_equal(primary, model), "a client's primary is not the model's", i,
           client->policy);
    EXPECT(spice_view_is_following(client->view), "a client that has all does not follow", i, 0);
    for (uint32_t id = 1; id < N_IDS; id++) {
        const SpicePixels *surface = spice_receiver_surface(client->receiver, id);

        if (!surface)
            continue;
        EXPECT(truth(self, id) && pixels_equal(surface, truth(self, id)),
               "a client's off-screen surface is not the model's", i, id);
    }
    heads = spice_receiver_monitors(client->receiver, &n_heads, &most);
    EXPECT(n_heads == self->n_heads && memcmp(heads, self->heads, n_heads * sizeof(*heads)) == 0,
           "a client's monitors are not those that were set", i, n_heads);
    EXPECT(spice_receiver_is_marked(client->receiver) == self->marked,
           "a client shows what it must not, or does not show it", i, self->marked);
    self->tally.compared++;
}

void world_settle(World *self)
{
    self->generous = true;
    /* So that clients get what is there after all that can fail has failed. */
    if (self->starved)
        spice_display_update_all(self->display);
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        Client *client = &self->clients[i];

        if (!client->view)
            continue;
        for (unsigned n = 0; pull(self, client); n++)
            if (n > 10000) {
                fail(self, "a client is never done", i, 0);
                break;
            }
        compare_client(self, i);
    }
    for (uint32_t id = 0; id < N_IDS; id++) {
        const SpicePixels *surface = spice_display_surface(self->display, id);

        if (!surface)
            continue;
        spice_display_update_area(self->display, id, NULL, NULL);
        EXPECT(pixels_equal(surface, truth(self, id)), "a surface is not the model's", id,
               surface->format);
    }
    check_bounds(self);
    self->generous = false;
}

/* --- the world --- */

World *world_create(Choices choices, bool starved)
{
    World *self = calloc(1, sizeof(*self));
    SpiceDisplayConfig config;

    self->choices = choices;
    self->allocator = (SpiceAllocator){counted_alloc, counted_release, self};
    self->starved = starved;
    self->generous = true;
    config = (SpiceDisplayConfig){
        .allocator = &self->allocator,
        .limits = {.pending_draws = PENDING, .held_draws = HELD, .surface_bytes = 1 << 20},
    };
    self->display = spice_display_create(&config);
    self->generous = false;
    self->model = new_receiver(&self->model_cache);
    self->buffer.allocator = &spice_allocator_libc;
    spice_arena_init(&self->arena, &spice_allocator_libc, 1 << 24);
    return self;
}

static void change_client(World *self)
{
    Client *client = &self->clients[below(self, N_CLIENTS)];

    if (!client->view)
        join(self, client);
    else if (below(self, 3) == 0)
        leave(self, client);
}

static void step(World *self)
{
    const uint32_t event = below(self, 100);
    const uint32_t id = below(self, 3) ? 0 : below(self, N_IDS);
    const bool exists = spice_display_surface(self->display, id);

    self->time++;
    if (!exists && event < 90) {
        if (id == 0 || below(self, 4) == 0)
            create_surface(self, id);
        else
            draw(self, 0);
    } else if (event < 60) {
        draw(self, id);
    } else if (event < 84) {
        Client *client = &self->clients[event % N_CLIENTS];

        if (client->view)
            act(self, client);
    } else if (event < 88) {
        change_client(self);
    } else if (event < 92 && exists) {
        update_area(self, id);
    } else if (event == 92 && exists && (id != 0 || below(self, 4) == 0)) {
        destroy_surface(self, id);
    } else if (event == 93) {
        set_monitors(self);
    } else if (event == 94) {
        mark(self);
    } else if (event == 95) {
        spice_display_release_older_than(self->display, self->time - below(self, 30));
    } else if (event == 96) {
        if (below(self, 2))
            spice_display_release_all(self->display);
        else
            spice_display_update_all(self->display);
    } else if (event == 97 && below(self, 4) == 0) {
        world_settle(self);
    }
}

void world_step(World *self)
{
    if (self->failure)
        return;
    step(self);
    check_bounds(self);
}

const char *world_failure(const World *self)
{
    return self->failure;
}

WorldTally world_tally(const World *self)
{
    WorldTally tally = self->tally;

    tally.released = self->released;
    tally.failed = (unsigned)spice_display_counters(self->display)->failed;
    tally.covered = (unsigned)spice_display_counters(self->display)->covered;
    return tally;
}

const char *world_destroy(World *self)
{
    static char text[200];
    const char *failure;

    for (unsigned i = 0; i < N_CLIENTS; i++) {
        if (self->clients[i].view)
            leave(self, &self->clients[i]);
        give_back(&self->clients[i]);
    }
    spice_display_destroy(self->display);
    for (unsigned id = 0; id < N_IDS; id++)
        free(self->memory[id]);
    EXPECT(self->created == self->released, "drawables were not released", self->created,
           self->released);
    EXPECT(self->allocated == 0, "memory was not given back", self->allocated, 0);
    spice_receiver_destroy(self->model);
    spice_pixmap_cache_destroy(self->model_cache);
    spice_buffer_clear(&self->buffer);
    spice_arena_clear(&self->arena);
    failure = self->failure ? strcpy(text, self->failure) : NULL;
    free(self);
    return failure;
}
