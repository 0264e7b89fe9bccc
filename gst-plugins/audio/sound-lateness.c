/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-lateness.h"

#define NAME "application/x-gst-spice-sound-lateness"

GstEvent *gst_spice_sound_lateness_event_new(GstClockTimeDiff late, GstClockTimeDiff held)
{
    return gst_event_new_custom(
        GST_EVENT_CUSTOM_UPSTREAM,
        gst_structure_new(NAME, "late", G_TYPE_INT64, late, "held", G_TYPE_INT64, held, NULL));
}

gboolean gst_spice_sound_lateness_event_parse(GstEvent *event, GstClockTimeDiff *late,
                                              GstClockTimeDiff *held)
{
    const GstStructure *structure = gst_event_get_structure(event);

    return GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && structure &&
           gst_structure_has_name(structure, NAME) &&
           gst_structure_get_int64(structure, "late", late) &&
           gst_structure_get_int64(structure, "held", held);
}
