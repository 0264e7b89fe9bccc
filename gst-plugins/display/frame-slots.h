/* Frames that show a surface, brought up to date by copying only what changed since each was last
 * used.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/video.h>
#include <pixman.h>

G_BEGIN_DECLS

enum { GST_SPICE_FRAME_SLOTS = 3 };

typedef struct {
    GstMemory *memory; /* read-only to everybody else; free if the only reference is ours */
    pixman_image_t *image;
    pixman_region32_t stale; /* where it differs from the surface */
} GstSpiceFrameSlot;

/** Replaces a region of very many rectangles by what encloses it: damage may be rough, but must not
 * cost more than what it describes. */
void gst_spice_region_simplify(pixman_region32_t *region);

/** Not thread-safe: belongs to the streaming thread. Zero-initialise. */
typedef struct {
    guint width, height;
    GstSpiceFrameSlot slots[GST_SPICE_FRAME_SLOTS];
} GstSpiceFrameSlots;

/** For frames of width x height BGRx; drops what was there. */
void gst_spice_frame_slots_resize(GstSpiceFrameSlots *slots, guint width, guint height);
void gst_spice_frame_slots_clear(GstSpiceFrameSlots *slots);
/** `damage` of the surface changed: all frames are stale there. */
void gst_spice_frame_slots_damage(GstSpiceFrameSlots *slots, pixman_region32_t *damage);
/** A frame that shows `surface`, and over it `overlay` at (x, y) if that is not NULL. If
 * downstream holds all frames, one that is not kept. NULL without memory. (transfer full) */
GstBuffer *gst_spice_frame_slots_take(GstSpiceFrameSlots *slots, pixman_image_t *surface,
                                      pixman_image_t *overlay, gint x, gint y);

G_END_DECLS
