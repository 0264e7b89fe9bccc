/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements.h"

#include "audio/spiceaudiosink.h"
#include "audio/spiceaudiosrc.h"
#include "audio/spiceceltdec.h"
#include "audio/spiceceltenc.h"
#include "audio/spicelipsync.h"
#include "audio/spiceplaybacksink.h"
#include "audio/spiceplaybacksrc.h"
#include "audio/spicerecordsink.h"
#include "audio/spicesounddec.h"
#include "display/spicedamage.h"
#include "display/spicedisplaydec.h"
#include "display/spicedisplayenc.h"
#include "display/spicedisplaysink.h"
#include "display/spicedrawsrc.h"
#include "display/spiceglzdec.h"
#include "display/spiceglzenc.h"
#include "display/spiceheads.h"
#include "display/spicelz4dec.h"
#include "display/spicelz4enc.h"
#include "display/spicelzdec.h"
#include "display/spicelzenc.h"
#include "display/spicequicdec.h"
#include "display/spicequicenc.h"
#include "net/spicechannelsink.h"
#include "net/spicechannelsrc.h"
#include "net/spicesink.h"
#include "net/spicesrc.h"
#include "video/spicevideoenc.h"

gboolean gst_spice_register_elements(GstPlugin *plugin)
{
    static const struct {
        const char *name;
        GstRank rank;
        GType (*get_type)(void);
    } elements[] = {
        {"spiceaudiosink", GST_RANK_NONE, gst_spice_audio_sink_get_type},
        {"spiceaudiosrc", GST_RANK_NONE, gst_spice_audio_src_get_type},
        {"spiceceltdec", GST_RANK_PRIMARY, gst_spice_celt_dec_get_type},
        {"spiceceltenc", GST_RANK_PRIMARY, gst_spice_celt_enc_get_type},
        {"spicechannelsink", GST_RANK_NONE, gst_spice_channel_sink_get_type},
        {"spicechannelsrc", GST_RANK_NONE, gst_spice_channel_src_get_type},
        {"spicedamage", GST_RANK_NONE, gst_spice_damage_get_type},
        {"spicedisplaydec", GST_RANK_NONE, gst_spice_display_dec_get_type},
        {"spicedisplayenc", GST_RANK_NONE, gst_spice_display_enc_get_type},
        {"spicedisplaysink", GST_RANK_NONE, gst_spice_display_sink_get_type},
        {"spicedrawsrc", GST_RANK_NONE, gst_spice_draw_src_get_type},
        {"spiceglzdec", GST_RANK_PRIMARY, gst_spice_glz_dec_get_type},
        {"spiceglzenc", GST_RANK_PRIMARY, gst_spice_glz_enc_get_type},
        {"spiceheads", GST_RANK_NONE, gst_spice_heads_get_type},
        {"spicelipsync", GST_RANK_NONE, gst_spice_lipsync_get_type},
        {"spicelz4dec", GST_RANK_PRIMARY, gst_spice_lz4_dec_get_type},
        {"spicelz4enc", GST_RANK_PRIMARY, gst_spice_lz4_enc_get_type},
        {"spicelzdec", GST_RANK_PRIMARY, gst_spice_lz_dec_get_type},
        {"spicelzenc", GST_RANK_PRIMARY, gst_spice_lz_enc_get_type},
        {"spiceplaybacksink", GST_RANK_NONE, gst_spice_playback_sink_get_type},
        {"spiceplaybacksrc", GST_RANK_NONE, gst_spice_playback_src_get_type},
        {"spicequicdec", GST_RANK_PRIMARY, gst_spice_quic_dec_get_type},
        {"spicequicenc", GST_RANK_PRIMARY, gst_spice_quic_enc_get_type},
        {"spicerecordsink", GST_RANK_NONE, gst_spice_record_sink_get_type},
        {"spicesink", GST_RANK_NONE, gst_spice_sink_get_type},
        {"spicesounddec", GST_RANK_NONE, gst_spice_sound_dec_get_type},
        {"spicesrc", GST_RANK_PRIMARY, gst_spice_src_get_type},
        {"spicevideoenc", GST_RANK_NONE, gst_spice_video_enc_get_type},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(elements); i++)
        if (!gst_element_register(plugin, elements[i].name, elements[i].rank,
                                  elements[i].get_type()))
            return FALSE;
    return TRUE;
}
