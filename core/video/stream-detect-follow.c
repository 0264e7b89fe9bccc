/* How running streams follow what is drawn: what is a frame of them, where their box and clip go.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/video/stream-detect-state.h"

enum {
    CHECK_PERIOD = 250000, /* us between looks at whether a stream's box still fits */
    SHRINK_AFTER = 500000, /* us for which a stream's draws must fill less than its box */
    STILL_AFTER = 600000,  /* us after which a place that is not painted leaves the clip */
    STILL_FRAMES = 16,     /* and frames */
    SWEEP_PERIOD = 300000, /* us between looks at what stands still */
    SETTLE_FRAMES = 3,     /* frames of another size after which the stream has that size */
    WHOLE_FRAMES = 4,      /* intervals without a whole frame after which frames come in parts */
};

/* A strip that goes on where the last one ended, wherever the box ends: the film moves. */
static bool is_next_strip(const SpiceStreamDetector *self, const SpiceStream *stream,
                          const SpiceStreamPainted *cut)
{
    const SpiceRect *box = &cut->draw.box, *last = &stream->last_box;

    return stream->parts && cut->gradual &&
           self->now - stream->last_frame < SPICE_STREAM_SAME_FRAME && box->top == last->bottom &&
           box->left == last->left && box->right == last->right;
}

int64_t spice_stream_frame_share(const SpiceStreamDetector *self, const SpiceStream *stream,
                                 const SpiceStreamPainted *cut)
{
    const SpiceRect *box = &cut->draw.box;
    int64_t shared = spice_box_overlap(box, &stream->box);
    int64_t own = spice_box_area(box), whole = spice_box_area(&stream->box);

    if (!shared)
        return is_next_strip(self, stream, cut) ? 1 : 0;
    /* the same picture, whatever it shows now: credits, a black scene */
    if (shared * 10 >= (own + whole - shared) * 9)
        return shared;
    if (shared * 2 >= own && shared * 2 >= whole && own <= 2 * whole)
        return cut->gradual ? shared : 0;
    /* the window was moved */
    if (spice_box_same_size(box, &stream->box) && shared * 10 >= whole * 3)
        return cut->gradual ? shared : 0;
    if (shared * 2 < own)
        return is_next_strip(self, stream, cut) ? shared : 0;
    if (stream->parts || self->now - stream->last_whole > WHOLE_FRAMES * stream->interval)
        return cut->gradual || cut->draw.content == SPICE_FRAME_FLAT ? shared : 0;
    /* a frame of which little changed comes when a frame is due; what comes between, is over it */
    return cut->gradual && own * 16 >= whole &&
                   (self->now - stream->last_frame) * 2 >= stream->interval
               ? shared
               : 0;
}

static void keep_clip_inside(SpiceStream *stream)
{
    SpiceBoxList old = stream->clip;

    stream->clip.count = 0;
    for (uint32_t i = 0; i < old.count; i++) {
        SpiceRect box = spice_box_intersect(&old.boxes[i], &stream->box);

        spice_box_list_add(&stream->clip, &box);
    }
}

bool spice_stream_follow_frame(SpiceStream *stream, const SpiceRect *box)
{
    bool settled;

    if (spice_box_equal(box, &stream->box)) {
        stream->other_count = 0;
        return false;
    }
    if (stream->other_count && spice_box_equal(box, &stream->other_box))
        stream->other_count++;
    else
        stream->other_count = 1;
    stream->other_box = *box;
    settled = spice_box_same_size(box, &stream->box) || stream->other_count >= SETTLE_FRAMES;
    if (settled) {
        stream->box = *box;
        stream->clip.count = 0;
        stream->other_count = 0;
    }
    return settled;
}

bool spice_stream_follow_parts(SpiceStreamDetector *self, uint32_t id)
{
    SpiceStream *stream = &self->streams[id];
    SpiceRect recent, old = stream->box;

    if (self->now - stream->checked < CHECK_PERIOD)
        return false;
    stream->checked = self->now;
    recent = spice_stream_recent_box(self, id, SPICE_STREAM_HISTORY_SPAN);
    if (spice_box_area(&recent) * 10 >= spice_box_area(&stream->box) * 7) {
        stream->shrunk = 0;
        stream->box =
            spice_box_contains(&stream->box, &recent)
                ? stream->box
                : (spice_box_overlap(&recent, &stream->box) * 10 < spice_box_area(&stream->box) * 9
                       ? recent
                       : spice_box_unite(&stream->box, &recent));
    } else if (!stream->shrunk) {
        stream->shrunk = self->now;
    } else if (self->now - stream->shrunk >= SHRINK_AFTER) {
        stream->shrunk = 0;
        stream->box = recent;
    }
    if (spice_box_equal(&old, &stream->box))
        return false;
    keep_clip_inside(stream);
    return true;
}

bool spice_stream_leave_still(SpiceStreamDetector *self, uint32_t id)
{
    SpiceStream *stream = &self->streams[id];
    const uint64_t slow = STILL_FRAMES * stream->interval;
    SpiceBoxList still = stream->clip;
    bool clipped = false;

    if (self->now - stream->swept < SWEEP_PERIOD)
        return false;
    stream->swept = self->now;
    spice_stream_take_away_recent(self, id, slow > STILL_AFTER ? slow : STILL_AFTER, &still);
    for (uint32_t i = 0; i < still.count; i++)
        clipped |= spice_box_list_subtract(&stream->clip, &still.boxes[i]);
    return clipped;
}
