/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop-source.h"

#include <gst/video/video.h>

#include "core/display/desktop-damage.h"
#include "gst-plugins/display/damage-meta.h"
#include "gst-plugins/display/frame-slots.h"
#include "region-cover.h"
#include "serve-error.h"

GST_DEBUG_CATEGORY_STATIC(desktop_source_debug);
#define GST_CAT_DEFAULT desktop_source_debug

enum { MAX_PIXELS = 64 << 20 };
enum { PROP_0, PROP_MAX_FRAMERATE, PROP_FRAMES };

typedef struct {
    gint max_framerate; /* atomic */
    GstPoll *poll;
    GstPollFD fd;

    /* streaming thread */
    pixman_image_t *surface;
    gboolean resized; /* caps and a whole frame are due */
    GstSpiceFrameSlots slots;
    gint64 last_frame; /* monotonic us; 0: none yet */

    guint64 frames; /* object lock */
} DesktopSourcePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(DesktopSource, desktop_source, GST_TYPE_PUSH_SRC)

#define PRIVATE(self) ((DesktopSourcePrivate *)desktop_source_get_instance_private(self))

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("BGRx")));

/* For subclasses */

gboolean desktop_source_resize(DesktopSource *self, guint width, guint height, GError **error)
{
    DesktopSourcePrivate *priv = PRIVATE(self);

    g_clear_pointer(&priv->surface, pixman_image_unref);
    if (width > 0 && height > 0 && width <= SPICE_MAX_DESKTOP_SIDE &&
        height <= SPICE_MAX_DESKTOP_SIDE && (guint64)width * height <= MAX_PIXELS)
        priv->surface = pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)width, (int)height, NULL, 0);
    if (!priv->surface) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "A desktop of %ux%u pixels cannot be shown", width, height);
        return FALSE;
    }
    gst_spice_frame_slots_resize(&priv->slots, width, height);
    priv->resized = TRUE;
    return TRUE;
}

pixman_image_t *desktop_source_get_surface(DesktopSource *self)
{
    return PRIVATE(self)->surface;
}

void desktop_source_watch(DesktopSource *self, int fd)
{
    DesktopSourcePrivate *priv = PRIVATE(self);

    if (priv->fd.fd >= 0)
        gst_poll_remove_fd(priv->poll, &priv->fd);
    gst_poll_fd_init(&priv->fd);
    priv->fd.fd = fd;
    if (fd >= 0)
        gst_poll_add_fd(priv->poll, &priv->fd);
}

DesktopWait desktop_source_wait(DesktopSource *self, gboolean readable, gint64 until)
{
    DesktopSourcePrivate *priv = PRIVATE(self);
    const gint64 left_us = until - g_get_monotonic_time(); /* read once: MAX looks twice */
    const GstClockTime timeout =
        until >= 0 ? (GstClockTime)MAX(left_us, 0) * GST_USECOND : GST_CLOCK_TIME_NONE;
    int ready;

    if (priv->fd.fd >= 0)
        gst_poll_fd_ctl_read(priv->poll, &priv->fd, readable);
    ready = gst_poll_wait(priv->poll, timeout);
    if (ready < 0 && errno == EBUSY)
        return DESKTOP_WAIT_INTERRUPTED;
    if (ready > 0 && readable && priv->fd.fd >= 0 &&
        (gst_poll_fd_can_read(priv->poll, &priv->fd) ||
         gst_poll_fd_has_closed(priv->poll, &priv->fd) ||
         gst_poll_fd_has_error(priv->poll, &priv->fd)))
        return DESKTOP_WAIT_READABLE;
    return DESKTOP_WAIT_TIME;
}

void desktop_source_poke(DesktopSource *self)
{
    gst_poll_restart(PRIVATE(self)->poll);
}

gint64 desktop_source_next_turn(DesktopSource *self)
{
    DesktopSourcePrivate *priv = PRIVATE(self);

    if (priv->last_frame == 0)
        return 0;
    return priv->last_frame + G_USEC_PER_SEC / g_atomic_int_get(&priv->max_framerate);
}

/** A frame that comes a little late does not make the next one late. */
static void note_turn(DesktopSource *self)
{
    DesktopSourcePrivate *priv = PRIVATE(self);
    const gint64 now = g_get_monotonic_time(), turn = desktop_source_next_turn(self);

    priv->last_frame = turn > 0 && 2 * (now - turn) < turn - priv->last_frame ? turn : now;
}

/* Frames */

static GstCaps *current_caps(DesktopSource *self)
{
    DesktopSourcePrivate *priv = PRIVATE(self);

    return gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT,
                               pixman_image_get_width(priv->surface), "height", G_TYPE_INT,
                               pixman_image_get_height(priv->surface), "framerate",
                               GST_TYPE_FRACTION, 0, 1, "max-framerate", GST_TYPE_FRACTION,
                               g_atomic_int_get(&priv->max_framerate), 1, "pixel-aspect-ratio",
                               GST_TYPE_FRACTION, 1, 1, NULL);
}

static void add_meta(GstBuffer *buffer, const pixman_region32_t *damage)
{
    GstSpiceDamageMeta *meta = gst_buffer_add_spice_damage_meta(buffer);
    pixman_box32_t boxes[GST_SPICE_DAMAGE_MAX_RECTS];
    guint i;

    meta->n_rects = region_cover(damage, boxes, G_N_ELEMENTS(boxes));
    for (i = 0; i < meta->n_rects; i++)
        meta->rects[i] = (GstVideoRectangle){boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1,
                                             boxes[i].y2 - boxes[i].y1};
}

/** The surface as a frame, of which `damage` is new. */
static GstFlowReturn make_frame(DesktopSource *self, pixman_region32_t *damage, GstBuffer **frame)
{
    DesktopSourcePrivate *priv = PRIVATE(self);

    if (priv->resized) {
        GstCaps *caps = current_caps(self);
        gboolean ok = gst_base_src_set_caps(GST_BASE_SRC(self), caps);

        gst_caps_unref(caps);
        if (!ok)
            return GST_FLOW_NOT_NEGOTIATED;
    }
    gst_spice_frame_slots_damage(&priv->slots, damage);
    *frame = gst_spice_frame_slots_take(&priv->slots, priv->surface, NULL, 0, 0);
    if (!*frame) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("No memory for a frame."), (NULL));
        return GST_FLOW_FLUSHING;
    }
    if (!priv->resized)
        add_meta(*frame, damage);
    priv->resized = FALSE;
    GST_OBJECT_LOCK(self);
    priv->frames++;
    GST_OBJECT_UNLOCK(self);
    return GST_FLOW_OK;
}

static GstFlowReturn desktop_source_create(GstPushSrc *src, GstBuffer **frame)
{
    DesktopSource *self = DESKTOP_SOURCE(src);
    GstFlowReturn flow = GST_FLOW_FLUSHING;
    pixman_region32_t damage;
    GError *error = NULL;
    gboolean ok;

    pixman_region32_init(&damage);
    do
        ok = DESKTOP_SOURCE_GET_CLASS(self)->update(self, &damage, &error);
    while (ok && !pixman_region32_not_empty(&damage));
    if (ok) {
        note_turn(self);
        flow = make_frame(self, &damage, frame);
    } else if (error) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("%s.", error->message), (NULL));
        g_error_free(error);
    }
    pixman_region32_fini(&damage);
    return flow;
}

/* Base class */

static GstCaps *desktop_source_get_caps(GstBaseSrc *src, GstCaps *filter)
{
    DesktopSource *self = DESKTOP_SOURCE(src);
    GstCaps *caps, *both;

    if (!PRIVATE(self)->surface || !GST_PAD_IS_ACTIVE(GST_BASE_SRC_PAD(src)))
        caps = gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(src));
    else
        caps = current_caps(self);
    if (!filter)
        return caps;
    both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(caps);
    return both;
}

/* Caps are set with the first frame, and again with each that has another size. */
static gboolean desktop_source_negotiate(GstBaseSrc *src)
{
    return TRUE;
}

static gboolean desktop_source_start(GstBaseSrc *src)
{
    DesktopSource *self = DESKTOP_SOURCE(src);
    DesktopSourcePrivate *priv = PRIVATE(self);
    GError *error = NULL;

    priv->last_frame = 0;
    if (DESKTOP_SOURCE_GET_CLASS(self)->open(self, &error))
        return TRUE;
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ, ("%s.", error->message), (NULL));
    g_error_free(error);
    return FALSE;
}

static gboolean desktop_source_stop(GstBaseSrc *src)
{
    DesktopSource *self = DESKTOP_SOURCE(src);
    DesktopSourcePrivate *priv = PRIVATE(self);

    desktop_source_watch(self, -1);
    DESKTOP_SOURCE_GET_CLASS(self)->close(self);
    gst_spice_frame_slots_clear(&priv->slots);
    g_clear_pointer(&priv->surface, pixman_image_unref);
    return TRUE;
}

static gboolean desktop_source_unlock(GstBaseSrc *src)
{
    gst_poll_set_flushing(PRIVATE(DESKTOP_SOURCE(src))->poll, TRUE);
    return TRUE;
}

static gboolean desktop_source_unlock_stop(GstBaseSrc *src)
{
    gst_poll_set_flushing(PRIVATE(DESKTOP_SOURCE(src))->poll, FALSE);
    return TRUE;
}

/* Object */

static void desktop_source_set_property(GObject *object, guint id, const GValue *value,
                                        GParamSpec *pspec)
{
    if (id == PROP_MAX_FRAMERATE)
        g_atomic_int_set(&PRIVATE(DESKTOP_SOURCE(object))->max_framerate, g_value_get_int(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void desktop_source_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    DesktopSourcePrivate *priv = PRIVATE(DESKTOP_SOURCE(object));

    switch (id) {
    case PROP_MAX_FRAMERATE:
        g_value_set_int(value, g_atomic_int_get(&priv->max_framerate));
        break;
    case PROP_FRAMES:
        GST_OBJECT_LOCK(object);
        g_value_set_uint64(value, priv->frames);
        GST_OBJECT_UNLOCK(object);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void desktop_source_finalize(GObject *object)
{
    gst_poll_free(PRIVATE(DESKTOP_SOURCE(object))->poll);
    G_OBJECT_CLASS(desktop_source_parent_class)->finalize(object);
}

static void desktop_source_init(DesktopSource *self)
{
    DesktopSourcePrivate *priv = PRIVATE(self);

    priv->max_framerate = 30;
    priv->poll = gst_poll_new(TRUE);
    gst_poll_fd_init(&priv->fd);
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
    gst_base_src_set_do_timestamp(GST_BASE_SRC(self), TRUE);
}

static void desktop_source_class_init(DesktopSourceClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(desktop_source_debug, "desktopsource", 0, "desktops as frames");

    object_class->set_property = desktop_source_set_property;
    object_class->get_property = desktop_source_get_property;
    object_class->finalize = desktop_source_finalize;
    base_class->get_caps = desktop_source_get_caps;
    base_class->negotiate = desktop_source_negotiate;
    base_class->start = desktop_source_start;
    base_class->stop = desktop_source_stop;
    base_class->unlock = desktop_source_unlock;
    base_class->unlock_stop = desktop_source_unlock_stop;
    GST_PUSH_SRC_CLASS(klass)->create = desktop_source_create;
    g_object_class_install_property(object_class, PROP_MAX_FRAMERATE,
                                    g_param_spec_int("max-framerate", "Most frames a second",
                                                     "Most frames a second", 1, 1000, 30,
                                                     G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
    g_object_class_install_property(object_class, PROP_FRAMES,
                                    g_param_spec_uint64("frames", "Frames", "Frames pushed so far",
                                                        0, G_MAXUINT64, 0,
                                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_element_class_add_static_pad_template(element_class, &src_template);
}
