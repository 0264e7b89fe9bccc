/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-stream-viewer.h"

#include <string.h>

#include "text-font.h"

/* Bytes that may wait for a client's socket before frames are left out. */
enum { MAX_WAITING = 256 << 10 };
/* Ids go round as those of the field's server, whose clients have an array of them. */
enum { N_STREAM_IDS = 50 };
/* What a client is asked to report by, as the field's server does. */
enum { REPORT_ID = 1, REPORT_FRAMES = 5, REPORT_MS = 1000 };

GstSpiceGuestStreamViewer *gst_spice_guest_viewer_new(GstSpiceGuestStream *stream,
                                                      GstSpiceServerLink *link)
{
    GstSpiceGuestStreamViewer *self = g_new0(GstSpiceGuestStreamViewer, 1);

    self->stream = stream;
    self->link = link;
    self->stream_id = -1;
    self->last_stream_id = N_STREAM_IDS - 1;
    return self;
}

void gst_spice_guest_viewer_free(GstSpiceGuestStreamViewer *self)
{
    g_free(self);
}

static gboolean peer_has(const GstSpiceGuestStreamViewer *self, guint capability)
{
    return spice_server_channel_peer_has(self->link->channel, capability);
}

gboolean gst_spice_guest_viewer_decodes(const GstSpiceGuestStreamViewer *self,
                                        SpiceVideoCodecType codec)
{
    /* Clients from before there were several decode MJPEG, without saying so. */
    if (!peer_has(self, SPICE_DISPLAY_CAP_MULTI_CODEC))
        return codec == SPICE_VIDEO_CODEC_TYPE_MJPEG;
    return peer_has(self, gst_spice_video_codec_capability((guint8)codec));
}

static gboolean is_behind(const GstSpiceGuestStreamViewer *self)
{
    return spice_server_channel_get_backlog(self->link->channel) > MAX_WAITING ||
           !spice_server_channel_may_send(self->link->channel);
}

static void send(GstSpiceGuestStreamViewer *self, guint16 type, const void *message)
{
    gst_spice_server_link_send(self->link, type, message);
}

/* The surface */

static SpiceRect all_of(const GstSpiceGuestStreamViewer *self)
{
    return (SpiceRect){.bottom = (gint32)self->height, .right = (gint32)self->width};
}

static void blacken(GstSpiceGuestStreamViewer *self)
{
    const SpiceMsgDisplayDrawFill fill = {
        .base = {.box = all_of(self)},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID},
        .rop = SPICE_ROPD_OP_PUT,
    };

    send(self, SPICE_MSG_DISPLAY_DRAW_FILL, &fill);
}

static void resize(GstSpiceGuestStreamViewer *self, guint32 width, guint32 height)
{
    const SpiceMsgDisplaySurfaceDestroy destroy = {0};
    const SpiceMsgDisplaySurfaceCreate create = {
        .width = width,
        .height = height,
        .format = SPICE_SURFACE_FMT_32_xRGB,
        .flags = SPICE_SURFACE_FLAGS_PRIMARY |
                 (peer_has(self, SPICE_DISPLAY_CAP_MULTI_CODEC) ? SPICE_SURFACE_FLAGS_STREAMING_MODE
                                                                : 0),
    };
    SpiceHead head = {.width = width, .height = height};
    const SpiceMsgDisplayMonitorsConfig monitors = {.n_heads = 1, .max_allowed = 1, .heads = &head};

    if (self->width > 0)
        send(self, SPICE_MSG_DISPLAY_SURFACE_DESTROY, &destroy);
    self->width = width;
    self->height = height;
    send(self, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create);
    if (peer_has(self, SPICE_DISPLAY_CAP_MONITORS_CONFIG))
        send(self, SPICE_MSG_DISPLAY_MONITORS_CONFIG, &monitors);
    send(self, SPICE_MSG_DISPLAY_MARK, NULL);
}

/** Draws a line of text into the middle; of a small surface's, its beginning. */
static void write_text(GstSpiceGuestStreamViewer *self, const char *text)
{
    const pixman_color_t white = {0xffff, 0xffff, 0xffff, 0xffff};
    const guint columns = (guint)strlen(text) * TEXT_FONT_ADVANCE;
    const guint scale = CLAMP(self->width / (columns + TEXT_FONT_ADVANCE), 1, 4);
    const gint text_width = (gint)(columns * scale), text_height = (gint)(TEXT_FONT_ROWS * scale);
    const gint width = MIN(text_width, (gint)self->width),
               height = MIN(text_height, (gint)self->height);
    const gint x = ((gint)self->width - width) / 2, y = ((gint)self->height - height) / 2;
    pixman_image_t *image =
        pixman_image_create_bits(PIXMAN_x8r8g8b8, text_width, text_height, NULL, 0);
    SpiceImage source;
    SpiceMsgDisplayDrawCopy copy;

    if (!image)
        return;
    text_font_draw(image, &white, 0, 0, scale, text);
    source = (SpiceImage){
        .id = 1,
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .width = (guint32)text_width,
        .height = (guint32)text_height,
        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = (guint32)text_width,
        .bitmap_height = (guint32)text_height,
        .stride = (guint32)pixman_image_get_stride(image),
        .data = {(const guint8 *)pixman_image_get_data(image),
                 (gsize)pixman_image_get_stride(image) * (gsize)text_height},
    };
    copy = (SpiceMsgDisplayDrawCopy){
        .base = {.box = {.top = y, .left = x, .bottom = y + height, .right = x + width}},
        .source = &source,
        .source_area = {.bottom = height, .right = width},
        .rop = SPICE_ROPD_OP_PUT,
    };
    send(self, SPICE_MSG_DISPLAY_DRAW_COPY, &copy);
    pixman_image_unref(image);
}

/* The stream */

static void end_stream(GstSpiceGuestStreamViewer *self)
{
    const SpiceMsgDisplayStreamDestroy destroy = {.id = (guint32)self->stream_id};

    if (self->stream_id < 0)
        return;
    send(self, SPICE_MSG_DISPLAY_STREAM_DESTROY, &destroy);
    self->stream_id = -1;
}

static void begin_stream(GstSpiceGuestStreamViewer *self, const GstSpiceGuestFormat *format)
{
    const guint32 id = (self->last_stream_id + 1) % N_STREAM_IDS;
    const SpiceMsgDisplayStreamCreate create = {
        .id = id,
        .flags = SPICE_STREAM_FLAGS_TOP_DOWN,
        .codec = (guint8)format->codec,
        .stream_width = format->width,
        .stream_height = format->height,
        .source_width = format->width,
        .source_height = format->height,
        .dest = all_of(self),
    };
    const SpiceMsgDisplayStreamActivateReport report = {id, REPORT_ID, REPORT_FRAMES, REPORT_MS};

    self->last_stream_id = id;
    self->stream_id = (gint)id;
    self->wants_key = TRUE;
    send(self, SPICE_MSG_DISPLAY_STREAM_CREATE, &create);
    if (peer_has(self, SPICE_DISPLAY_CAP_STREAM_REPORT))
        send(self, SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT, &report);
}

static void apologise(GstSpiceGuestStreamViewer *self, const GstSpiceGuestFormat *format)
{
    g_autofree char *text = g_strdup_printf("This viewer cannot decode %s",
                                            gst_spice_video_codec_name((guint8)format->codec));

    blacken(self);
    write_text(self, text);
}

void gst_spice_guest_viewer_follow(GstSpiceGuestStreamViewer *self,
                                   const GstSpiceGuestFormat *format)
{
    if (self->serial == format->serial || is_behind(self))
        return;
    self->serial = format->serial;
    end_stream(self);
    if (format->serial == 0)
        return;
    if (self->width != format->width || self->height != format->height)
        resize(self, format->width, format->height);
    if (gst_spice_guest_viewer_decodes(self, format->codec))
        begin_stream(self, format);
    else
        apologise(self, format);
}

void gst_spice_guest_viewer_send(GstSpiceGuestStreamViewer *self, const GstSpiceGuestFormat *format,
                                 const GstSpiceGuestFrame *frame)
{
    SpiceMsgDisplayStreamData data = {.multi_media_time = frame->time};

    gst_spice_guest_viewer_follow(self, format);
    if (self->serial == format->serial && self->stream_id < 0)
        return; /* it cannot decode it */
    self->missed = is_behind(self) || (self->wants_key && !frame->key);
    if (self->missed) {
        self->wants_key = TRUE;
        return;
    }
    self->wants_key = FALSE;
    data.id = (guint32)self->stream_id;
    data.data.data = g_bytes_get_data(frame->bytes, &data.data.size);
    send(self, SPICE_MSG_DISPLAY_STREAM_DATA, &data);
}
