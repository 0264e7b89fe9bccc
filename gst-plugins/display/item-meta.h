/* A message that was taken out of a client's view, on its way to be encoded for the client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "core/display/view.h"

G_BEGIN_DECLS

#define GST_SPICE_ITEM_META_API_TYPE (gst_spice_item_meta_api_get_type())
#define GST_SPICE_ITEM_META_INFO     (gst_spice_item_meta_get_info())

GType gst_spice_item_meta_api_get_type(void);
const GstMetaInfo *gst_spice_item_meta_get_info(void);

/** A buffer, without bytes of its own, that stands for `item`, which it takes over; copies of the
 * buffer refer to the same item. */
GstBuffer *gst_spice_item_buffer_new(SpiceViewItem *item);
/** The item of a buffer; NULL if it has none. (transfer none) */
const SpiceViewItem *gst_spice_item_buffer_get(GstBuffer *buffer);

G_END_DECLS
