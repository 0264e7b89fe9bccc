/* How much later a device is heard than by the timestamps of what it plays, and how long it holds sound: an event that
 * goes upstream from the device, as it finds out.
 *
 * Sinks place sound by when they have it, in whole; what lies behind that, a sound server's buffers or a
 * headset without wires, they learn of only by their clocks. Who receives it (spicelipsync) has sound come earlier by as
 * much, and answers TRUE; then sinks leave it alone.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** (transfer full) `late`: by which it is heard too late, or, if negative, too early; it grows as clocks drift apart.
 * `held`: how long sound is behind the sink before it is heard, beyond the latency of the pipeline. */
GstEvent *gst_spice_sound_lateness_event_new(GstClockTimeDiff late, GstClockTimeDiff held);
/** FALSE: it is another event. */
gboolean gst_spice_sound_lateness_event_parse(GstEvent *event, GstClockTimeDiff *late,
                                              GstClockTimeDiff *held);

G_END_DECLS
