/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_DAMAGE (gst_spice_damage_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceDamage, gst_spice_damage, GST, SPICE_DAMAGE, GstElement)

G_END_DECLS
