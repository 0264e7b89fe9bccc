/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements.h"

#include "display/spicedisplaydec.h"
#include "display/spicelzdec.h"
#include "display/spicelzenc.h"
#include "net/spicechannelsrc.h"
#include "net/spicesrc.h"

gboolean gst_spice_register_elements(GstPlugin *plugin)
{
    static const struct {
        const char *name;
        GstRank rank;
        GType (*get_type)(void);
    } elements[] = {
        {"spicechannelsrc", GST_RANK_NONE, gst_spice_channel_src_get_type},
        {"spicedisplaydec", GST_RANK_NONE, gst_spice_display_dec_get_type},
        {"spicelzdec", GST_RANK_PRIMARY, gst_spice_lz_dec_get_type},
        {"spicelzenc", GST_RANK_PRIMARY, gst_spice_lz_enc_get_type},
        {"spicesrc", GST_RANK_PRIMARY, gst_spice_src_get_type},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(elements); i++)
        if (!gst_element_register(plugin, elements[i].name, elements[i].rank,
                                  elements[i].get_type()))
            return FALSE;
    return TRUE;
}
