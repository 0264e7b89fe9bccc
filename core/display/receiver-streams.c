/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/canvas/region.h"

#include "receiver-state.h"

static SpiceStreamSlot *find(SpiceReceiver *self, uint32_t id)
{
    return id < SPICE_MAX_STREAMS && self->streams[id].exists ? &self->streams[id] : NULL;
}

const SpiceReceiverStream *spice_receiver_stream(const SpiceReceiver *self, uint32_t id)
{
    const SpiceStreamSlot *slot = find((SpiceReceiver *)self, id);

    return slot ? &slot->stream : NULL;
}

/** Takes over a clip, which is kept apart from any surface. If it cannot be: shows nothing. */
static bool set_clip(SpiceStreamSlot *slot, const SpiceClip *clip, SpiceError *error)
{
    const pixman_box32_t everything = {-SPICE_MAX_SIDE, -SPICE_MAX_SIDE, SPICE_MAX_SIDE,
                                       SPICE_MAX_SIDE};
    bool done = true;

    if (slot->has_clip)
        pixman_region32_fini(&slot->clip);
    slot->has_clip = clip->type != SPICE_CLIP_TYPE_NONE;
    if (slot->has_clip) {
        done = spice_region_init_clip(&slot->clip, &everything, clip, error);
        if (!done) {
            pixman_region32_fini(&slot->clip);
            pixman_region32_init(&slot->clip);
        }
    }
    return done;
}

static void destroy(SpiceStreamSlot *slot)
{
    if (slot->has_clip)
        pixman_region32_fini(&slot->clip);
    *slot = (SpiceStreamSlot){0};
}

bool spice_receiver_create_stream(SpiceReceiver *self, const SpiceMsgDisplayStreamCreate *message,
                                  SpiceError *error)
{
    SpiceStreamSlot *slot;

    if (message->id >= SPICE_MAX_STREAMS)
        return spice_error_set(error, SPICE_ERROR_VALUE, "stream_create.id");
    if (!spice_receiver_find_surface(self, message->surface_id))
        return spice_error_set(error, SPICE_ERROR_STATE, "stream_create.surface_id");
    if (!spice_pixels_check_size(message->stream_width, message->stream_height, error))
        return false;
    slot = &self->streams[message->id];
    destroy(slot);
    slot->exists = true;
    slot->stream = (SpiceReceiverStream){
        .surface_id = message->surface_id,
        .flags = message->flags,
        .codec = message->codec,
        .width = message->stream_width,
        .height = message->stream_height,
        .dest = message->dest,
    };
    return set_clip(slot, &message->clip, error);
}

bool spice_receiver_clip_stream(SpiceReceiver *self, const SpiceMsgDisplayStreamClip *message,
                                SpiceError *error)
{
    SpiceStreamSlot *slot = find(self, message->id);

    if (!slot)
        return spice_error_set(error, SPICE_ERROR_STATE, "stream_clip.id");
    return set_clip(slot, &message->clip, error);
}

bool spice_receiver_destroy_stream(SpiceReceiver *self, uint32_t id, SpiceError *error)
{
    SpiceStreamSlot *slot = find(self, id);

    if (!slot)
        return spice_error_set(error, SPICE_ERROR_STATE, "stream_destroy.id");
    destroy(slot);
    return true;
}

void spice_receiver_destroy_streams(SpiceReceiver *self)
{
    for (unsigned id = 0; id < SPICE_MAX_STREAMS; id++)
        destroy(&self->streams[id]);
}

/** The pixels that a frame covers. */
static bool frame_region(SpiceReceiver *self, const SpiceStreamSlot *slot,
                         const SpicePixels *surface, const SpiceRect *dest, SpiceError *error)
{
    const SpiceClip none = {.type = SPICE_CLIP_TYPE_NONE};

    pixman_region32_fini(&self->damage);
    if (!spice_region_init_draw(&self->damage, surface, dest, &none, error))
        return false;
    if (slot->has_clip &&
        !pixman_region32_intersect(&self->damage, &self->damage, (pixman_region32_t *)&slot->clip))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "clip");
    return true;
}

static bool paint(SpiceReceiver *self, uint32_t stream_id, const SpicePixels *frame,
                  const SpiceRect *dest, SpiceReceiverResult *result)
{
    const SpiceStreamSlot *slot = find(self, stream_id);
    const SpicePicture *surface;
    SpicePixels rows = *frame;

    if (!slot)
        return spice_error_set(&result->error, SPICE_ERROR_STATE, "stream.id");
    surface = spice_receiver_find_surface(self, slot->stream.surface_id);
    if (!surface)
        return spice_error_set(&result->error, SPICE_ERROR_STATE, "stream.surface_id");
    if (!dest)
        dest = &slot->stream.dest;
    if (!(slot->stream.flags & SPICE_STREAM_FLAGS_TOP_DOWN)) {
        rows.data = spice_pixels_row(frame, frame->height - 1);
        rows.stride = -frame->stride;
    }
    if (!frame_region(self, slot, &surface->pixels, dest, &result->error))
        return false;
    if (!pixman_region32_not_empty(&self->damage))
        return true;
    if (!spice_canvas_frame(&surface->pixels, &self->damage, dest, &rows, &self->scratch,
                            &result->error))
        return false;
    result->changes |= SPICE_CHANGED_PIXELS;
    result->surface_id = slot->stream.surface_id;
    return true;
}

void spice_receiver_paint_frame(SpiceReceiver *self, uint32_t stream_id, const SpicePixels *frame,
                                const SpiceRect *dest, SpiceReceiverResult *result)
{
    *result = (SpiceReceiverResult){.damage = &self->damage};
    if (!paint(self, stream_id, frame, dest, result)) {
        result->outcome = SPICE_RECEIVED_DROPPED;
        pixman_region32_clear(&self->damage);
        spice_receiver_count_refused(self, &result->error);
    }
    spice_arena_reset(&self->scratch);
}
