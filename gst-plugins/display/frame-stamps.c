/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-stamps.h"

void gst_spice_frame_stamps_take_latency(GstSpiceFrameStamps *self, GstEvent *event)
{
    gst_event_parse_latency(event, &self->latency);
}

GstClockTime gst_spice_frame_stamps_next(GstSpiceFrameStamps *self, GstElement *element)
{
    GstClock *clock = gst_element_get_clock(element);
    GstClockTimeDiff stamp;

    if (!clock)
        return GST_CLOCK_TIME_NONE;
    stamp = GST_CLOCK_DIFF(gst_element_get_base_time(element), gst_clock_get_time(clock));
    gst_object_unref(clock);
    stamp += (GstClockTimeDiff)GST_SPICE_FRAME_HEADROOM - (GstClockTimeDiff)self->latency;
    self->last = MAX((GstClockTime)MAX(stamp, 0), self->last);
    return self->last;
}

void gst_spice_frame_stamps_add_latency(GstQuery *query)
{
    GstClockTime least, most;
    gboolean live;

    gst_query_parse_latency(query, &live, &least, &most);
    gst_query_set_latency(query, TRUE, least + GST_SPICE_FRAME_HEADROOM,
                          GST_CLOCK_TIME_IS_VALID(most) ? most + GST_SPICE_FRAME_HEADROOM : most);
}
