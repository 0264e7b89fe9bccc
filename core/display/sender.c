/* The order of things: plan (may fail), reserve all memory (may fail), then encode what moves the
 * GLZ window on, write, and make caches and regions what they are from now on (cannot fail).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/wire/channel.h"

#include "sender-state.h"

enum {
    DEFAULT_JPEG_QUALITY = 85,
    MAX_GLZ_WINDOW = 1 << 25, /* pixels; the protocol allows no more */
    /* The most that an image takes beside its data: descriptor, fields of its type, palette. */
    IMAGE_OVERHEAD = 64 + 10 + 4 * SPICE_MAX_PALETTE_ENTRIES,
    WAIT_BYTES = 1 + 10 * SPICE_SENT_SHARERS,
    INVAL_ENTRY_BYTES = 9,
    MAX_KEPT_BYTES = 256 << 10,
    SMALL_MESSAGES_BYTES = WAIT_BYTES + 2 + 8 * SPICE_SENT_MAX_PALETTE_USES,
};

SpiceSender *spice_sender_create(const SpiceSenderConfig *config)
{
    SpiceSender *self = config->allocator->alloc(config->allocator->context, sizeof(*self));

    if (!self)
        return NULL;
    *self = (SpiceSender){.config = *config, .serial = config->first_serial, .sharer = -1};
    if (self->config.jpeg_quality < 1 || self->config.jpeg_quality > 100)
        self->config.jpeg_quality = DEFAULT_JPEG_QUALITY;
    pixman_region32_init(&self->nothing);
    return self;
}

void spice_sender_destroy(SpiceSender *self)
{
    if (!self)
        return;
    if (self->pixmaps)
        spice_sent_pixmaps_leave(self->pixmaps->ledger, self->sharer);
    if (self->used_glz)
        self->glz->frozen = true;
    for (uint32_t id = 0; id < SPICE_MAX_SURFACES; id++)
        spice_sender_forget_surface(self, id);
    spice_sender_forget_streams(self);
    pixman_region32_fini(&self->nothing);
    self->config.allocator->release(self->config.allocator->context, self);
}

bool spice_sender_take_init(SpiceSender *self, const SpiceMsgcDisplayInit *init, SpiceError *error)
{
    SpiceClientImages *images = self->config.images;
    SpiceClientPixmaps *pixmaps;
    uint64_t pixels;

    if (self->initialised)
        return spice_error_set(error, SPICE_ERROR_STATE, "init");
    if (init->glz_dictionary_window_size < 0 || init->glz_dictionary_window_size > MAX_GLZ_WINDOW)
        return spice_error_set(error, SPICE_ERROR_VALUE, "init.glz_dictionary_window_size");
    /* As the field's servers take it: nothing or less means that nothing is cached. */
    pixels = init->pixmap_cache_size > 0 ? (uint64_t)init->pixmap_cache_size : 0;
    pixmaps = spice_client_images_pixmaps(images, init->pixmap_cache_id, pixels, error);
    if (!pixmaps)
        return false;
    self->glz = spice_client_images_glz(images, init->glz_dictionary_id,
                                        (uint64_t)init->glz_dictionary_window_size, error);
    if (!self->glz)
        return false;
    self->sharer = spice_sent_pixmaps_join(pixmaps->ledger, self->config.channel_id);
    if (self->sharer >= 0)
        self->pixmaps = pixmaps;
    self->initialised = true;
    return true;
}

void spice_sender_set_mode(SpiceSender *self, SpiceImageMode mode)
{
    self->config.mode = mode;
}

void spice_sender_set_wan(SpiceSender *self, SpiceWanCompression jpeg, SpiceWanCompression zlib_glz)
{
    self->config.jpeg = jpeg;
    self->config.zlib_glz = zlib_glz;
}

static const uint8_t compressions[SPICE_IMAGE_N_MODES] = {
    [SPICE_IMAGE_MODE_ADAPTIVE] = SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
    [SPICE_IMAGE_MODE_OFF] = SPICE_IMAGE_COMPRESSION_OFF,
    [SPICE_IMAGE_MODE_AUTO_GLZ] = SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
    [SPICE_IMAGE_MODE_AUTO_LZ] = SPICE_IMAGE_COMPRESSION_AUTO_LZ,
    [SPICE_IMAGE_MODE_QUIC] = SPICE_IMAGE_COMPRESSION_QUIC,
    [SPICE_IMAGE_MODE_GLZ] = SPICE_IMAGE_COMPRESSION_GLZ,
    [SPICE_IMAGE_MODE_LZ] = SPICE_IMAGE_COMPRESSION_LZ,
    [SPICE_IMAGE_MODE_LZ4] = SPICE_IMAGE_COMPRESSION_LZ4,
};

void spice_sender_set_preferred_compression(SpiceSender *self,
                                            const SpiceMsgcDisplayPreferredCompression *message)
{
    for (unsigned mode = SPICE_IMAGE_MODE_OFF; mode < SPICE_IMAGE_N_MODES; mode++)
        if (compressions[mode] == message->compression)
            self->config.mode = (SpiceImageMode)mode;
}

SpiceImageCompression spice_sender_preferred_compression(const SpiceSender *self)
{
    return (SpiceImageCompression)compressions[self->config.mode];
}

void spice_sender_set_link(SpiceSender *self, uint64_t bits_per_second, uint64_t round_trip_us)
{
    self->bits_per_second = bits_per_second;
    self->round_trip_us = round_trip_us;
}

uint64_t spice_sender_next_serial(const SpiceSender *self)
{
    return self->serial;
}

void spice_sender_count_others(SpiceSender *self, uint64_t n)
{
    self->serial += n;
}

void spice_sender_set_refining(SpiceSender *self, bool on)
{
    self->refining = on;
}

const SpiceSenderCounters *spice_sender_counters(const SpiceSender *self)
{
    return &self->counters;
}

void spice_sender_output_init(SpiceSenderOutput *out, const SpiceAllocator *allocator)
{
    *out = (SpiceSenderOutput){.bytes = {.allocator = allocator}};
}

void spice_sender_output_clear(SpiceSenderOutput *out)
{
    spice_buffer_clear(&out->bytes);
    out->n_messages = 0;
}

/* --- writing --- */

static bool write(SpiceSenderOutput *out, uint16_t type, const void *message, SpiceError *error)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    const size_t offset = out->bytes.size;

    if (def->layout && !spice_message_write(def, message, &out->bytes, error))
        return false;
    out->messages[out->n_messages].type = type;
    out->messages[out->n_messages].offset = offset;
    out->messages[out->n_messages].size = out->bytes.size - offset;
    out->n_messages++;
    return true;
}

static bool reserve(SpiceSenderOutput *out, uint64_t size, SpiceError *error)
{
    if (size > SIZE_MAX / 2 || !spice_buffer_extend(&out->bytes, (size_t)size))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "message");
    out->bytes.size -= (size_t)size;
    return true;
}

/* --- draws --- */

typedef union {
    SpiceDisplayBase base;
    SpiceMsgDisplayCopyBits copy_bits;
    SpiceMsgDisplayDrawFill fill;
    SpiceMsgDisplayDrawOpaque opaque;
    SpiceMsgDisplayDrawCopy copy;
    SpiceMsgDisplayDrawMasked masked;
    SpiceMsgDisplayDrawRop3 rop3;
    SpiceMsgDisplayDrawStroke stroke;
    SpiceMsgDisplayDrawText text;
    SpiceMsgDisplayDrawTransparent transparent;
    SpiceMsgDisplayDrawAlphaBlend alpha_blend;
    SpiceMsgDisplayDrawComposite composite;
} AnyDraw;

/** Where a message has its image of a role. */
static SpiceImage **slot(AnyDraw *draw, uint16_t type, unsigned role)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_FILL:
        return role == SPICE_DRAW_MASK ? &draw->fill.mask.bitmap : &draw->fill.brush.pattern;
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        return role == SPICE_DRAW_MASK     ? &draw->opaque.mask.bitmap
               : role == SPICE_DRAW_SOURCE ? &draw->opaque.source
                                           : &draw->opaque.brush.pattern;
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
        return role == SPICE_DRAW_MASK ? &draw->copy.mask.bitmap : &draw->copy.source;
    case SPICE_MSG_DISPLAY_DRAW_BLACKNESS:
    case SPICE_MSG_DISPLAY_DRAW_WHITENESS:
    case SPICE_MSG_DISPLAY_DRAW_INVERS:
        return &draw->masked.mask.bitmap;
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
        return role == SPICE_DRAW_MASK     ? &draw->rop3.mask.bitmap
               : role == SPICE_DRAW_SOURCE ? &draw->rop3.source
                                           : &draw->rop3.brush.pattern;
    case SPICE_MSG_DISPLAY_DRAW_STROKE:
        return &draw->stroke.brush.pattern;
    case SPICE_MSG_DISPLAY_DRAW_TEXT:
        return role == SPICE_DRAW_PATTERN ? &draw->text.fore_brush.pattern
                                          : &draw->text.back_brush.pattern;
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        return &draw->transparent.source;
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return &draw->alpha_blend.source;
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE:
        return role == SPICE_DRAW_SOURCE ? &draw->composite.source : &draw->composite.mask;
    default:
        return NULL;
    }
}

/** Puts images in the places of the message's own. */
static void put_images(AnyDraw *draw, uint16_t type, const SpiceSenderPlan *plan,
                       SpiceImage *const *images)
{
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        if (plan->sources.images[role])
            *slot(draw, type, role) = images[role];
}

/** Whether there is nothing to be done but to write the draw. */
static bool is_plain(const SpiceSenderPlan *plan)
{
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        if (plan->sources.images[role])
            return false;
    return plan->pixmaps.n_victims == 0;
}

/** Takes all the memory that the messages will need, and finds out whether the draw can be
 * expressed, by writing it once without its images. */
static bool reserve_draw(SpiceSenderOutput *out, AnyDraw *draw, uint16_t type,
                         const SpiceSenderPlan *plan, SpiceError *error)
{
    SpiceImage stand_in = {.type = SPICE_IMAGE_TYPE_FROM_CACHE};
    SpiceImage *stand_ins[SPICE_DRAW_N_ROLES];
    uint64_t size = SMALL_MESSAGES_BYTES + (uint64_t)plan->pixmaps.n_victims * INVAL_ENTRY_BYTES;

    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        stand_ins[role] = &stand_in;
        if (plan->sources.images[role])
            size += plan->encoded[role].image.data.size + IMAGE_OVERHEAD;
    }
    put_images(draw, type, plan, stand_ins);
    if (!write(out, type, draw, error))
        return false;
    size += out->bytes.size;
    out->bytes.size = 0;
    out->n_messages = 0;
    return reserve(out, size, error);
}

/** What is to be known and done before the draw. */
static void write_waits(const SpiceSender *self, SpiceSenderPlan *plan, SpiceSenderOutput *out)
{
    SpiceWaitForChannel waits[SPICE_SENT_SHARERS];
    SpiceMsgWaitForChannels message = {.waits = waits};

    if (!self->pixmaps || spice_sent_change_waits(&plan->pixmaps) == 0)
        return;
    for (unsigned i = 0; i < SPICE_SENT_SHARERS; i++)
        if (plan->pixmaps.waits[i])
            waits[message.n_waits++] = (SpiceWaitForChannel){
                .channel_type = SPICE_CHANNEL_DISPLAY,
                .channel_id = spice_sent_pixmaps_channel(self->pixmaps->ledger, i),
                .message_serial = plan->pixmaps.waits[i],
            };
    write(out, SPICE_MSG_WAIT_FOR_CHANNELS, &message, NULL);
    plan->counters.waits++;
}

static void write_invalidations(SpiceSenderPlan *plan, SpiceResource *resources,
                                SpiceSenderOutput *out)
{
    SpiceMsgDisplayInvalList message = {.resources = resources};

    for (const SpiceSentPixmap *victim = plan->pixmaps.victims; victim;
         victim = victim->next_victim)
        resources[message.n_resources++] = (SpiceResource){SPICE_RES_TYPE_PIXMAP, victim->id};
    if (message.n_resources)
        write(out, SPICE_MSG_DISPLAY_INVAL_LIST, &message, NULL);
    plan->counters.invalidated += message.n_resources;

    for (unsigned i = 0; i < plan->palettes.n; i++)
        if (plan->palettes.uses[i].victim)
            write(out, SPICE_MSG_DISPLAY_INVAL_PALETTE,
                  &(SpiceMsgDisplayInvalPalette){plan->palettes.uses[i].victim}, NULL);
}

/** Encodes a draw whose images are planned. */
static bool finish_draw(SpiceSender *self, uint16_t type, const void *message,
                        SpiceSenderPlan *plan, SpiceSenderOutput *out, SpiceError *error)
{
    const SpiceAllocator *allocator = self->config.allocator;
    const unsigned n_victims = plan->pixmaps.n_victims;
    SpiceImage *images[SPICE_DRAW_N_ROLES];
    SpiceResource *resources = NULL;
    uint64_t before;
    AnyDraw draw;

    if (is_plain(plan))
        return write(out, type, message, error);
    memcpy(&draw, message,
           spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type)->size);
    if (!reserve_draw(out, &draw, type, plan, error))
        return false;
    if (n_victims) {
        resources = allocator->alloc(allocator->context, n_victims * sizeof(resources[0]));
        if (!resources)
            return spice_error_set(error, SPICE_ERROR_MEMORY, "inval_list");
    }

    spice_sender_plan_finish(self, plan);
    write_waits(self, plan, out);
    write_invalidations(plan, resources, out);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        images[role] = &plan->encoded[role].image;
    put_images(&draw, type, plan, images);
    before = self->serial + out->n_messages;
    write(out, type, &draw, NULL);

    if (self->pixmaps)
        spice_sent_change_commit(&plan->pixmaps, plan->used, plan->added, SPICE_DRAW_N_ROLES,
                                 before, before);
    spice_sent_palettes_commit(&plan->palettes);
    if (plan->glz_role >= 0)
        self->used_glz = true;
    self->counters = plan->counters;
    if (resources)
        allocator->release(allocator->context, resources);
    return true;
}

static bool encode_draw(SpiceSender *self, uint16_t type, const void *message,
                        const SpiceGlzLoan *loan, bool *loan_taken, SpiceSenderOutput *out,
                        SpiceError *error)
{
    const SpiceSurfaces surfaces = spice_sender_surfaces(self);
    SpiceSenderPlan plan;
    bool done;

    if (!spice_draw_check(type, message, &surfaces, error) ||
        !spice_sender_plan(self, type, message, &plan, error))
        return false;
    plan.context.loan = loan;
    done = finish_draw(self, type, message, &plan, out, error);
    *loan_taken = plan.context.loan_taken;
    if (done)
        spice_sender_follow_lossy(self, type, message, plan.lossy);
    spice_sender_plan_clear(self, &plan, done);
    return done;
}

/* --- the rest --- */

static bool create_surface(SpiceSender *self, const SpiceMsgDisplaySurfaceCreate *message,
                           SpiceSenderOutput *out, SpiceError *error)
{
    SpiceSentSurface *surface = spice_sent_surface_create(self->config.allocator, message, error);

    if (!surface)
        return false;
    if (!write(out, SPICE_MSG_DISPLAY_SURFACE_CREATE, message, error)) {
        self->config.allocator->release(self->config.allocator->context, surface);
        return false;
    }
    spice_sender_forget_surface(self, message->surface_id);
    self->surfaces[message->surface_id] = surface;
    return true;
}

static bool encode_other(SpiceSender *self, uint16_t type, const void *message,
                         SpiceSenderOutput *out, SpiceError *error)
{
    switch (type) {
    case SPICE_MSG_WAIT_FOR_CHANNELS:
    case SPICE_MSG_LIST:
    case SPICE_MSG_DISPLAY_MODE:
    case SPICE_MSG_DISPLAY_RESET:
    case SPICE_MSG_DISPLAY_INVAL_LIST:
    case SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS:
    case SPICE_MSG_DISPLAY_INVAL_PALETTE:
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "message");
    case SPICE_MSG_DISPLAY_SURFACE_CREATE:
        return create_surface(self, message, out, error);
    default:
        break;
    }
    if (!write(out, type, message, error))
        return false;
    if (type == SPICE_MSG_DISPLAY_SURFACE_DESTROY)
        spice_sender_forget_surface(self,
                                    ((const SpiceMsgDisplaySurfaceDestroy *)message)->surface_id);
    else if (type == SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES)
        self->palettes = (SpiceSentPalettes){0};
    else
        spice_sender_follow_stream(self, type, message);
    return true;
}

bool spice_sender_encode_lent(SpiceSender *self, uint16_t type, const void *message,
                              const SpiceGlzLoan *loan, SpiceSenderOutput *out, SpiceError *error)
{
    bool done, loan_taken = false;

    /* A buffer that a large picture needed, or could have needed, is not kept. */
    if (out->bytes.capacity > MAX_KEPT_BYTES)
        spice_buffer_clear(&out->bytes);
    out->bytes.size = 0;
    out->n_messages = 0;
    if (!spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type))
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "message");
    done = spice_draw_is_draw(type)
               ? encode_draw(self, type, message, loan, &loan_taken, out, error)
               : encode_other(self, type, message, out, error);
    if (!done) {
        out->bytes.size = 0;
        out->n_messages = 0;
        return false;
    }
    self->serial += out->n_messages;
    if (loan && !loan_taken)
        loan->release(loan->context);
    return true;
}

bool spice_sender_encode(SpiceSender *self, uint16_t type, const void *message,
                         SpiceSenderOutput *out, SpiceError *error)
{
    return spice_sender_encode_lent(self, type, message, NULL, out, error);
}
