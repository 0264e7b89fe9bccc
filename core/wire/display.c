/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display.h"

#include "channel.h"
#include "messages.h"

static void layout_mode(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayMode *m = value;

    spice_wire_u32(wire, &m->x_res, "mode.x_res");
    spice_wire_u32(wire, &m->y_res, "mode.y_res");
    spice_wire_u32(wire, &m->bits, "mode.bits");
}

static void layout_copy_bits(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayCopyBits *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_layout_point(wire, &m->source);
}

static void layout_resource(SpiceWire *wire, void *value)
{
    SpiceResource *resource = value;

    spice_wire_u8(wire, &resource->type, "resource.type");
    spice_wire_u64(wire, &resource->id, "resource.id");
}

static void layout_inval_list(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayInvalList *m = value;

    spice_wire_u16(wire, &m->n_resources, "inval_list.n_resources");
    spice_wire_array(wire, &m->resources, m->n_resources, sizeof *m->resources, 9, layout_resource,
                     "inval_list.resources");
}

static void layout_inval_palette(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayInvalPalette *m = value;

    spice_wire_u64(wire, &m->id, "inval_palette.id");
}

static void layout_stream_create(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayStreamCreate *m = value;

    spice_wire_u32(wire, &m->surface_id, "stream_create.surface_id");
    spice_wire_u32(wire, &m->id, "stream_create.id");
    spice_wire_u8(wire, &m->flags, "stream_create.flags");
    spice_wire_u8(wire, &m->codec, "stream_create.codec");
    spice_wire_u64(wire, &m->stamp, "stream_create.stamp");
    spice_wire_u32(wire, &m->stream_width, "stream_create.stream_width");
    spice_wire_u32(wire, &m->stream_height, "stream_create.stream_height");
    spice_wire_u32(wire, &m->source_width, "stream_create.source_width");
    spice_wire_u32(wire, &m->source_height, "stream_create.source_height");
    spice_layout_rect(wire, &m->dest);
    spice_layout_clip(wire, &m->clip);
}

static void layout_stream_data(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayStreamData *m = value;

    spice_wire_u32(wire, &m->id, "stream_data.id");
    spice_wire_u32(wire, &m->multi_media_time, "stream_data.multi_media_time");
    spice_wire_counted_bytes(wire, &m->data, "stream_data.data");
}

static void layout_stream_data_sized(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayStreamDataSized *m = value;

    spice_wire_u32(wire, &m->id, "stream_data_sized.id");
    spice_wire_u32(wire, &m->multi_media_time, "stream_data_sized.multi_media_time");
    spice_wire_u32(wire, &m->width, "stream_data_sized.width");
    spice_wire_u32(wire, &m->height, "stream_data_sized.height");
    spice_layout_rect(wire, &m->dest);
    spice_wire_counted_bytes(wire, &m->data, "stream_data_sized.data");
}

static void layout_stream_clip(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayStreamClip *m = value;

    spice_wire_u32(wire, &m->id, "stream_clip.id");
    spice_layout_clip(wire, &m->clip);
}

static void layout_stream_destroy(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayStreamDestroy *m = value;

    spice_wire_u32(wire, &m->id, "stream_destroy.id");
}

static void layout_stream_activate_report(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayStreamActivateReport *m = value;

    spice_wire_u32(wire, &m->stream_id, "stream_activate_report.stream_id");
    spice_wire_u32(wire, &m->unique_id, "stream_activate_report.unique_id");
    spice_wire_u32(wire, &m->max_window_size, "stream_activate_report.max_window_size");
    spice_wire_u32(wire, &m->timeout_ms, "stream_activate_report.timeout_ms");
}

static void layout_source(SpiceWire *wire, SpiceImage **source)
{
    spice_wire_pointer(wire, source, sizeof **source, spice_layout_image, SPICE_NOT_NULL,
                       "draw.source");
}

static void layout_draw_fill(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawFill *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_layout_brush(wire, &m->brush);
    spice_wire_u16(wire, &m->rop, "draw_fill.rop");
    spice_layout_mask(wire, &m->mask);
}

static void layout_draw_opaque(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawOpaque *m = value;

    spice_layout_display_base(wire, &m->base);
    layout_source(wire, &m->source);
    spice_layout_rect(wire, &m->source_area);
    spice_layout_brush(wire, &m->brush);
    spice_wire_u16(wire, &m->rop, "draw_opaque.rop");
    spice_wire_u8(wire, &m->scale_mode, "draw_opaque.scale_mode");
    spice_layout_mask(wire, &m->mask);
}

static void layout_draw_copy(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawCopy *m = value;

    spice_layout_display_base(wire, &m->base);
    layout_source(wire, &m->source);
    spice_layout_rect(wire, &m->source_area);
    spice_wire_u16(wire, &m->rop, "draw_copy.rop");
    spice_wire_u8(wire, &m->scale_mode, "draw_copy.scale_mode");
    spice_layout_mask(wire, &m->mask);
}

static void layout_draw_masked(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawMasked *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_layout_mask(wire, &m->mask);
}

static void layout_draw_rop3(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawRop3 *m = value;

    spice_layout_display_base(wire, &m->base);
    layout_source(wire, &m->source);
    spice_layout_rect(wire, &m->source_area);
    spice_layout_brush(wire, &m->brush);
    spice_wire_u8(wire, &m->rop3, "draw_rop3.rop3");
    spice_wire_u8(wire, &m->scale_mode, "draw_rop3.scale_mode");
    spice_layout_mask(wire, &m->mask);
}

static void layout_draw_stroke(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawStroke *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_wire_pointer(wire, &m->path, sizeof *m->path, spice_layout_path, SPICE_NOT_NULL,
                       "draw_stroke.path");
    spice_layout_line_attr(wire, &m->attr);
    spice_layout_brush(wire, &m->brush);
    spice_wire_u16(wire, &m->fore_mode, "draw_stroke.fore_mode");
    spice_wire_u16(wire, &m->back_mode, "draw_stroke.back_mode");
}

static void layout_draw_text(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawText *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_wire_pointer(wire, &m->string, sizeof *m->string, spice_layout_string, SPICE_NOT_NULL,
                       "draw_text.string");
    spice_layout_rect(wire, &m->back_area);
    spice_layout_brush(wire, &m->fore_brush);
    spice_layout_brush(wire, &m->back_brush);
    spice_wire_u16(wire, &m->fore_mode, "draw_text.fore_mode");
    spice_wire_u16(wire, &m->back_mode, "draw_text.back_mode");
}

static void layout_draw_transparent(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawTransparent *m = value;

    spice_layout_display_base(wire, &m->base);
    layout_source(wire, &m->source);
    spice_layout_rect(wire, &m->source_area);
    spice_wire_u32(wire, &m->source_color, "draw_transparent.source_color");
    spice_wire_u32(wire, &m->true_color, "draw_transparent.true_color");
}

static void layout_draw_alpha_blend(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawAlphaBlend *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_wire_u8(wire, &m->alpha_flags, "draw_alpha_blend.alpha_flags");
    spice_wire_u8(wire, &m->alpha, "draw_alpha_blend.alpha");
    layout_source(wire, &m->source);
    spice_layout_rect(wire, &m->source_area);
}

static void layout_draw_composite(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayDrawComposite *m = value;

    spice_layout_display_base(wire, &m->base);
    spice_wire_u32(wire, &m->flags, "draw_composite.flags");
    layout_source(wire, &m->source);
    if (m->flags & SPICE_COMPOSITE_HAS_MASK)
        spice_wire_pointer(wire, &m->mask, sizeof *m->mask, spice_layout_image, SPICE_NOT_NULL,
                           "draw_composite.mask");
    if (m->flags & SPICE_COMPOSITE_HAS_SRC_TRANSFORM)
        spice_layout_transform(wire, &m->source_transform);
    if (m->flags & SPICE_COMPOSITE_HAS_MASK_TRANSFORM)
        spice_layout_transform(wire, &m->mask_transform);
    spice_layout_point16(wire, &m->source_origin);
    spice_layout_point16(wire, &m->mask_origin);
}

static void layout_surface_create(SpiceWire *wire, void *value)
{
    SpiceMsgDisplaySurfaceCreate *m = value;

    spice_wire_u32(wire, &m->surface_id, "surface_create.surface_id");
    spice_wire_u32(wire, &m->width, "surface_create.width");
    spice_wire_u32(wire, &m->height, "surface_create.height");
    spice_wire_u32(wire, &m->format, "surface_create.format");
    spice_wire_u32(wire, &m->flags, "surface_create.flags");
}

static void layout_surface_destroy(SpiceWire *wire, void *value)
{
    SpiceMsgDisplaySurfaceDestroy *m = value;

    spice_wire_u32(wire, &m->surface_id, "surface_destroy.surface_id");
}

static void layout_head(SpiceWire *wire, void *value)
{
    SpiceHead *head = value;

    spice_wire_u32(wire, &head->monitor_id, "head.monitor_id");
    spice_wire_u32(wire, &head->surface_id, "head.surface_id");
    spice_wire_u32(wire, &head->width, "head.width");
    spice_wire_u32(wire, &head->height, "head.height");
    spice_wire_u32(wire, &head->x, "head.x");
    spice_wire_u32(wire, &head->y, "head.y");
    spice_wire_u32(wire, &head->flags, "head.flags");
}

static void layout_monitors_config(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayMonitorsConfig *m = value;

    spice_wire_u16(wire, &m->n_heads, "monitors_config.n_heads");
    spice_wire_u16(wire, &m->max_allowed, "monitors_config.max_allowed");
    spice_wire_array(wire, &m->heads, m->n_heads, sizeof *m->heads, 28, layout_head,
                     "monitors_config.heads");
}

static void layout_gl_scanout_unix(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayGlScanoutUnix *m = value;

    spice_wire_u32(wire, &m->width, "gl_scanout_unix.width");
    spice_wire_u32(wire, &m->height, "gl_scanout_unix.height");
    spice_wire_u32(wire, &m->stride, "gl_scanout_unix.stride");
    spice_wire_u32(wire, &m->drm_fourcc_format, "gl_scanout_unix.drm_fourcc_format");
    spice_wire_u32(wire, &m->flags, "gl_scanout_unix.flags");
}

static void layout_gl_draw(SpiceWire *wire, void *value)
{
    SpiceMsgDisplayGlDraw *m = value;

    spice_wire_u32(wire, &m->x, "gl_draw.x");
    spice_wire_u32(wire, &m->y, "gl_draw.y");
    spice_wire_u32(wire, &m->width, "gl_draw.width");
    spice_wire_u32(wire, &m->height, "gl_draw.height");
}

static void layout_init(SpiceWire *wire, void *value)
{
    SpiceMsgcDisplayInit *m = value;

    spice_wire_u8(wire, &m->pixmap_cache_id, "init.pixmap_cache_id");
    spice_wire_i64(wire, &m->pixmap_cache_size, "init.pixmap_cache_size");
    spice_wire_u8(wire, &m->glz_dictionary_id, "init.glz_dictionary_id");
    spice_wire_i32(wire, &m->glz_dictionary_window_size, "init.glz_dictionary_window_size");
}

static void layout_stream_report(SpiceWire *wire, void *value)
{
    SpiceMsgcDisplayStreamReport *m = value;

    spice_wire_u32(wire, &m->stream_id, "stream_report.stream_id");
    spice_wire_u32(wire, &m->unique_id, "stream_report.unique_id");
    spice_wire_u32(wire, &m->start_frame_mm_time, "stream_report.start_frame_mm_time");
    spice_wire_u32(wire, &m->end_frame_mm_time, "stream_report.end_frame_mm_time");
    spice_wire_u32(wire, &m->num_frames, "stream_report.num_frames");
    spice_wire_u32(wire, &m->num_drops, "stream_report.num_drops");
    spice_wire_i32(wire, &m->last_frame_delay, "stream_report.last_frame_delay");
    spice_wire_u32(wire, &m->audio_delay, "stream_report.audio_delay");
}

static void layout_preferred_compression(SpiceWire *wire, void *value)
{
    SpiceMsgcDisplayPreferredCompression *m = value;

    spice_wire_u8(wire, &m->compression, "preferred_compression.compression");
}

static void layout_preferred_video_codec_type(SpiceWire *wire, void *value)
{
    SpiceMsgcDisplayPreferredVideoCodecType *m = value;

    spice_wire_u8(wire, &m->n_codecs, "preferred_video_codec_type.n_codecs");
    spice_wire_bytes(wire, &m->codecs, m->n_codecs, "preferred_video_codec_type.codecs");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_MODE, SpiceMsgDisplayMode, layout_mode),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_DISPLAY_MARK),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_DISPLAY_RESET),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_COPY_BITS, SpiceMsgDisplayCopyBits, layout_copy_bits),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_INVAL_LIST, SpiceMsgDisplayInvalList, layout_inval_list),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS, SpiceMsgWaitForChannels,
                  spice_layout_wait_for_channels),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_INVAL_PALETTE, SpiceMsgDisplayInvalPalette,
                  layout_inval_palette),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_STREAM_CREATE, SpiceMsgDisplayStreamCreate,
                  layout_stream_create),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_STREAM_DATA, SpiceMsgDisplayStreamData, layout_stream_data),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_STREAM_CLIP, SpiceMsgDisplayStreamClip, layout_stream_clip),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_STREAM_DESTROY, SpiceMsgDisplayStreamDestroy,
                  layout_stream_destroy),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_FILL, SpiceMsgDisplayDrawFill, layout_draw_fill),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_OPAQUE, SpiceMsgDisplayDrawOpaque, layout_draw_opaque),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_COPY, SpiceMsgDisplayDrawCopy, layout_draw_copy),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_BLEND, SpiceMsgDisplayDrawCopy, layout_draw_copy),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_BLACKNESS, SpiceMsgDisplayDrawMasked, layout_draw_masked),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_WHITENESS, SpiceMsgDisplayDrawMasked, layout_draw_masked),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_INVERS, SpiceMsgDisplayDrawMasked, layout_draw_masked),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_ROP3, SpiceMsgDisplayDrawRop3, layout_draw_rop3),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_STROKE, SpiceMsgDisplayDrawStroke, layout_draw_stroke),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_TEXT, SpiceMsgDisplayDrawText, layout_draw_text),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_TRANSPARENT, SpiceMsgDisplayDrawTransparent,
                  layout_draw_transparent),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND, SpiceMsgDisplayDrawAlphaBlend,
                  layout_draw_alpha_blend),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_SURFACE_CREATE, SpiceMsgDisplaySurfaceCreate,
                  layout_surface_create),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_SURFACE_DESTROY, SpiceMsgDisplaySurfaceDestroy,
                  layout_surface_destroy),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_STREAM_DATA_SIZED, SpiceMsgDisplayStreamDataSized,
                  layout_stream_data_sized),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_MONITORS_CONFIG, SpiceMsgDisplayMonitorsConfig,
                  layout_monitors_config),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_DRAW_COMPOSITE, SpiceMsgDisplayDrawComposite,
                  layout_draw_composite),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT, SpiceMsgDisplayStreamActivateReport,
                  layout_stream_activate_report),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX, SpiceMsgDisplayGlScanoutUnix,
                  layout_gl_scanout_unix),
    SPICE_MESSAGE(SPICE_MSG_DISPLAY_GL_DRAW, SpiceMsgDisplayGlDraw, layout_gl_draw),
};

static const SpiceMessageDef from_client[] = {
    SPICE_MESSAGE(SPICE_MSGC_DISPLAY_INIT, SpiceMsgcDisplayInit, layout_init),
    SPICE_MESSAGE(SPICE_MSGC_DISPLAY_STREAM_REPORT, SpiceMsgcDisplayStreamReport,
                  layout_stream_report),
    SPICE_MESSAGE(SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, SpiceMsgcDisplayPreferredCompression,
                  layout_preferred_compression),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_DISPLAY_GL_DRAW_DONE),
    SPICE_MESSAGE(SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE,
                  SpiceMsgcDisplayPreferredVideoCodecType, layout_preferred_video_codec_type),
};

const SpiceMessageTable spice_display_messages = {
    {SPICE_MESSAGE_LIST(from_server), SPICE_MESSAGE_LIST(from_client)}};
