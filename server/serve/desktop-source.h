/* What sources of a desktop have in common: they push a frame only when something has changed, and
 * say what; at most so many a second, the first change at once.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/base/gstpushsrc.h>
#include <pixman.h>

G_BEGIN_DECLS

#define TYPE_DESKTOP_SOURCE (desktop_source_get_type())
G_DECLARE_DERIVABLE_TYPE(DesktopSource, desktop_source, DESKTOP, SOURCE, GstPushSrc)

/**
 * DesktopSourceClass:
 *
 * Live, BGRx with #GstSpiceDamageMeta; a frame without it is all new. All is called on the
 * streaming thread, but open and close, which come with the element's state.
 *
 * Properties: `max-framerate` (frames a second), `frames` (pushed so far).
 */
struct _DesktopSourceClass {
    GstPushSrcClass parent_class;

    /** Has to set a size. FALSE and *error if the desktop is not to be had. */
    gboolean (*open)(DesktopSource *self, GError **error);
    void (*close)(DesktopSource *self);
    /** Waits for a change, draws it on the surface, and adds where to `damage`. With no damage it
     * is called again. FALSE when desktop_source_wait() was interrupted, or with *error when the
     * desktop has broken. */
    gboolean (*update)(DesktopSource *self, pixman_region32_t *damage, GError **error);
};

/** A new surface, black; all of it is going to be sent. FALSE and *error if it is too large. */
gboolean desktop_source_resize(DesktopSource *self, guint width, guint height, GError **error);
/** Where the desktop is drawn; x8r8g8b8, the x always 0. (transfer none) */
pixman_image_t *desktop_source_get_surface(DesktopSource *self);

/** A descriptor that desktop_source_wait() looks at; -1: none. */
void desktop_source_watch(DesktopSource *self, int fd);

typedef enum {
    DESKTOP_WAIT_READABLE,
    DESKTOP_WAIT_TIME,
    DESKTOP_WAIT_INTERRUPTED, /* the element is to stop */
} DesktopWait;

/** Until the watched descriptor can be read, desktop_source_poke(), or the monotonic time `until`
 * (-1: for ever). Without `readable` the descriptor is not looked at. */
DesktopWait desktop_source_wait(DesktopSource *self, gboolean readable, gint64 until);
/** Ends a wait with DESKTOP_WAIT_TIME. Any thread. */
void desktop_source_poke(DesktopSource *self);
/** When the next frame may be made, so that they do not come too often. */
gint64 desktop_source_next_turn(DesktopSource *self);

G_END_DECLS
