/* The video streams of the client, as far as a sender has to know them: frames are lossy, and where
 * no stream shows them any more the picture has to be made exact.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/canvas/region.h"

#include "region-bound.h"
#include "sender-state.h"

static SpiceSentStream *find(SpiceSender *self, uint32_t id)
{
    return id < SPICE_MAX_STREAMS && self->streams[id].exists ? &self->streams[id] : NULL;
}

static void make_lossy(SpiceSender *self, uint32_t surface_id, const pixman_region32_t *region)
{
    SpiceSentSurface *surface = surface_id < SPICE_MAX_SURFACES ? self->surfaces[surface_id] : NULL;

    if (!surface || !pixman_region32_not_empty((pixman_region32_t *)region))
        return;
    spice_region_add(&surface->lossy, region);
    self->has_lossy = true;
}

/** What frames show is theirs, and lossy once they leave it: until then nobody need ask for it again. */
static void take_over(SpiceSender *self, const SpiceSentStream *stream)
{
    SpiceSentSurface *surface =
        stream->surface_id < SPICE_MAX_SURFACES ? self->surfaces[stream->surface_id] : NULL;

    if (surface && stream->has_frames && pixman_region32_not_empty(&surface->lossy))
        spice_region_take_away(&surface->lossy, &stream->shown);
}

/** Frames are shown there no more: what they left behind is lossy. */
static void leave(SpiceSender *self, SpiceSentStream *stream, const pixman_region32_t *still_shown)
{
    if (!stream->has_frames)
        return;
    if (still_shown)
        spice_region_take_away(&stream->shown, still_shown);
    make_lossy(self, stream->surface_id, &stream->shown);
}

static void forget(SpiceSender *self, SpiceSentStream *stream)
{
    if (!stream->exists)
        return;
    leave(self, stream, NULL);
    pixman_region32_fini(&stream->shown);
    stream->exists = stream->has_frames = false;
}

void spice_sender_forget_streams(SpiceSender *self)
{
    for (uint32_t id = 0; id < SPICE_MAX_STREAMS; id++)
        forget(self, &self->streams[id]);
}

/** Where frames are shown; if that cannot be told, in all of the stream's box. */
static void init_shown(const SpiceSender *self, const SpiceSentStream *stream,
                       const SpiceClip *clip, pixman_region32_t *shown)
{
    const SpiceSentSurface *surface =
        stream->surface_id < SPICE_MAX_SURFACES ? self->surfaces[stream->surface_id] : NULL;
    const SpiceClip none = {.type = SPICE_CLIP_TYPE_NONE};

    if (!surface) {
        pixman_region32_init(shown);
        return;
    }
    if (spice_region_init_draw(shown, &surface->shape, &stream->dest, clip, NULL))
        return;
    pixman_region32_fini(shown);
    spice_region_init_draw(shown, &surface->shape, &stream->dest, &none, NULL);
}

static void set_clip(SpiceSender *self, SpiceSentStream *stream, const SpiceClip *clip)
{
    pixman_region32_t shown;

    init_shown(self, stream, clip, &shown);
    leave(self, stream, &shown);
    pixman_region32_fini(&stream->shown);
    stream->shown = shown;
    take_over(self, stream);
}

static void create(SpiceSender *self, const SpiceMsgDisplayStreamCreate *message)
{
    SpiceSentStream *stream;

    if (message->id >= SPICE_MAX_STREAMS)
        return;
    stream = &self->streams[message->id];
    forget(self, stream);
    stream->exists = true;
    stream->surface_id = message->surface_id;
    stream->dest = message->dest;
    init_shown(self, stream, &message->clip, &stream->shown);
}

void spice_sender_expect_frame(SpiceSender *self, uint32_t id)
{
    SpiceSentStream *stream = find(self, id);

    if (!stream)
        return;
    stream->has_frames = self->has_lossy = true;
    take_over(self, stream);
}

/** A sized frame goes elsewhere: what it may paint of its box is not known so well. */
static void sized_frame(SpiceSender *self, const SpiceMsgDisplayStreamDataSized *message)
{
    const SpiceSentStream *stream = find(self, message->id);
    SpiceSentStream at;
    pixman_region32_t region;

    if (!stream)
        return;
    at = (SpiceSentStream){.surface_id = stream->surface_id, .dest = message->dest};
    init_shown(self, &at, &(SpiceClip){.type = SPICE_CLIP_TYPE_NONE}, &region);
    make_lossy(self, at.surface_id, &region);
    pixman_region32_fini(&region);
}

void spice_sender_follow_stream(SpiceSender *self, uint16_t type, const void *message)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_STREAM_CREATE:
        create(self, message);
        break;
    case SPICE_MSG_DISPLAY_STREAM_CLIP: {
        const SpiceMsgDisplayStreamClip *clip = message;
        SpiceSentStream *stream = find(self, clip->id);

        if (stream)
            set_clip(self, stream, &clip->clip);
        break;
    }
    case SPICE_MSG_DISPLAY_STREAM_DATA:
        spice_sender_expect_frame(self, ((const SpiceMsgDisplayStreamData *)message)->id);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DATA_SIZED:
        sized_frame(self, message);
        break;
    case SPICE_MSG_DISPLAY_STREAM_DESTROY: {
        SpiceSentStream *stream = find(self, ((const SpiceMsgDisplayStreamDestroy *)message)->id);

        if (stream)
            forget(self, stream);
        break;
    }
    case SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL:
        spice_sender_forget_streams(self);
        break;
    default:
        break;
    }
}

bool spice_sender_has_frames(const SpiceSender *self)
{
    for (uint32_t id = 0; id < SPICE_MAX_STREAMS; id++)
        if (self->streams[id].has_frames)
            return true;
    return false;
}

void spice_sender_get_lossy(const SpiceSender *self, uint32_t surface_id, pixman_region32_t *region)
{
    pixman_region32_clear(region);
    if (surface_id >= SPICE_MAX_SURFACES || !self->surfaces[surface_id])
        return;
    spice_region_add(region, &self->surfaces[surface_id]->lossy);
    for (uint32_t id = 0; id < SPICE_MAX_STREAMS; id++)
        if (self->streams[id].has_frames && self->streams[id].surface_id == surface_id)
            spice_region_add(region, &self->streams[id].shown);
}
