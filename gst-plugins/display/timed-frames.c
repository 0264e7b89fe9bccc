/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "timed-frames.h"

#include <string.h>

enum { MAX_FRAMES = 32, MAX_PIXELS = 16 << 20 };

struct GstSpiceTimedFrames {
    GQueue frames; /* GstSpiceTimedFrame, by time */
    guint64 pixels;
};

static guint64 pixels_of(const GstSpiceTimedFrame *frame)
{
    return (guint64)frame->picture->pixels.width * (guint64)frame->picture->pixels.height;
}

static void frame_free(gpointer data)
{
    GstSpiceTimedFrame *frame = data;

    spice_picture_unref(frame->picture);
    g_free(frame);
}

GstSpiceTimedFrames *gst_spice_timed_frames_new(void)
{
    GstSpiceTimedFrames *self = g_new0(GstSpiceTimedFrames, 1);

    g_queue_init(&self->frames);
    return self;
}

void gst_spice_timed_frames_free(GstSpiceTimedFrames *self)
{
    if (!self)
        return;
    g_queue_clear_full(&self->frames, frame_free);
    g_free(self);
}

void gst_spice_timed_frames_add(GstSpiceTimedFrames *self, const GstSpiceTimedFrame *frame)
{
    GstSpiceTimedFrame *copy = g_memdup2(frame, sizeof *frame);
    GList *before = self->frames.tail;

    /* A stream's frames keep their order, whatever their times say. */
    while (before && ((GstSpiceTimedFrame *)before->data)->due_us > copy->due_us) {
        if (((GstSpiceTimedFrame *)before->data)->stream == copy->stream) {
            copy->due_us = ((GstSpiceTimedFrame *)before->data)->due_us;
            break;
        }
        before = before->prev;
    }
    g_queue_insert_after(&self->frames, before, copy);
    self->pixels += pixels_of(copy);
}

/** Takes one out of the queue. */
static void take(GstSpiceTimedFrames *self, GList *item, GstSpiceTimedFrame *frame)
{
    *frame = *(GstSpiceTimedFrame *)item->data;
    self->pixels -= pixels_of(frame);
    g_free(item->data);
    g_queue_delete_link(&self->frames, item);
}

static gboolean is_due(const GstSpiceTimedFrames *self, const GstSpiceTimedFrame *frame,
                       gint64 now_us)
{
    return frame->due_us <= now_us || self->frames.length > MAX_FRAMES || self->pixels > MAX_PIXELS;
}

/** Whether a later frame that is due, too, hides all of it. */
static gboolean is_hidden(const GList *item, gint64 now_us)
{
    const GstSpiceTimedFrame *frame = item->data;

    while ((item = item->next) && ((const GstSpiceTimedFrame *)item->data)->due_us <= now_us) {
        const GstSpiceTimedFrame *later = item->data;

        if (later->stream == frame->stream &&
            memcmp(&later->dest, &frame->dest, sizeof frame->dest) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean gst_spice_timed_frames_take_due(GstSpiceTimedFrames *self, gint64 now_us,
                                         GstSpiceTimedFrame *frame)
{
    while (self->frames.head && is_due(self, self->frames.head->data, now_us)) {
        const gboolean hidden = is_hidden(self->frames.head, now_us);

        take(self, self->frames.head, frame);
        if (!hidden)
            return TRUE;
        spice_picture_unref(frame->picture);
    }
    return FALSE;
}

gboolean gst_spice_timed_frames_take(GstSpiceTimedFrames *self, gint64 stream, const SpiceRect *box,
                                     GstSpiceTimedFrame *frame)
{
    GList *item;

    for (item = self->frames.head; item; item = item->next) {
        const GstSpiceTimedFrame *waiting = item->data;
        const SpiceRect *dest = &waiting->dest;

        if (stream >= 0 && waiting->stream != (guint32)stream)
            continue;
        if (box && (box->left >= dest->right || box->right <= dest->left ||
                    box->top >= dest->bottom || box->bottom <= dest->top))
            continue;
        take(self, item, frame);
        return TRUE;
    }
    return FALSE;
}

gint64 gst_spice_timed_frames_get_due(const GstSpiceTimedFrames *self)
{
    const GstSpiceTimedFrame *first = self->frames.head ? self->frames.head->data : NULL;

    return first ? first->due_us : 0;
}
