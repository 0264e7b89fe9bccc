/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements.h"

#include "net/spicechannelsrc.h"

gboolean gst_spice_register_elements(GstPlugin *plugin)
{
    return gst_element_register(plugin, "spicechannelsrc", GST_RANK_NONE, GST_TYPE_SPICE_CHANNEL_SRC);
}
