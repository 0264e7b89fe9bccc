/* Inside of a QXL device. All fields but those under a lock are the worker's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/arena.h"
#include "gl-scanout.h"
#include "qxl-device.h"
#include "server/qxl/guest-memory.h"
#include "server/qxl/guest-reader.h"

/** A resource of the guest's that is to be given back. */
typedef struct {
    QXLReleaseInfo *info;
    guint32 group;
} QxlRelease;

/** Of an off-screen surface that the guest made: its command's memory is the guest's until the
 * surface is gone. */
typedef struct {
    gboolean exists;
    QxlRelease created;
} QxlSurface;

struct QxlDevice {
    QXLInstance *instance;
    GstSpiceServer *session;
    GstSpiceSharedDisplay *display; /* the session's */
    const QxlDeviceHandler *handler;
    gpointer user_data;
    GThread *thread;

    GMutex lock;
    GCond wake, done;
    GQueue calls;               /* under lock */
    gboolean woken, oom, ended; /* under lock */
    gboolean sleeps;            /* under lock: the worker waits for `wake` */
    GArray *releases;           /* under lock: QxlRelease */
    QxlDeviceCounters counters; /* under lock */

    gboolean running;
    SpiceGuestMemory memory;
    SpiceArena arena;
    QxlSurface surfaces[SPICE_MAX_SURFACES];
    guint n_surfaces;
    gboolean has_primary;
    SpiceSurfaceSource primary; /* if there is one */
    GlScanout scanout;          /* if there is one, it is shown in the primary's place */
    gboolean scanout_stale;     /* it has changed while nobody needed copies */
    gboolean primary_absolute;
    guint16 max_monitors;     /* that the host allows; until it says so, as many as there may be */
    guint16 allowed_monitors; /* that the guest said last, at most max_monitors */
    gboolean guest_sets_monitors;
    GstSpiceViewers viewers;
    gint64 last_warned;   /* the second in which it was last logged that something was refused */
    guint n_warned;       /* times in that second */
    guint64 self_bitmaps; /* ids of those made so far */
    SpiceDrawable *held;  /* the last draw, until it is known whether it is the last of several */
    QxlRelease cursor;    /* of the last SET, which hosts tell again after a migration */
};

const QXLInterface *qxl_device_interface(const QxlDevice *self);

/** Notes that a resource can be given back. Any thread, also with the display locked. */
void qxl_device_release_later(QxlDevice *self, QxlRelease release);
/** Gives back what was noted. */
void qxl_device_flush_releases(QxlDevice *self);
/** Logs at a bounded rate. */
void qxl_device_refuse(QxlDevice *self, const char *what, const SpiceError *error);

/* qxl-calls.c */

/** Shows as the display's primary surface what is to be shown: scanout, primary, or nothing. */
void qxl_device_show_primary(QxlDevice *self);

/* qxl-scanout.c */

/** There are clients: they see what has changed while there were none. */
void qxl_device_refresh_scanout(QxlDevice *self);

/* qxl-commands.c */

/** Takes commands from both rings, for a few milliseconds; whether there are more. */
gboolean qxl_device_take_commands(QxlDevice *self);
/** Takes all that there are. */
void qxl_device_take_all_commands(QxlDevice *self);
/** Takes one command of the host's or the guest's, wherever it comes from. */
void qxl_device_take_command(QxlDevice *self, const QXLCommandExt *command);
/** A command to make a surface, which shows what is in its memory. */
void qxl_device_take_kept_surface(QxlDevice *self, const QXLCommandExt *command);
/** Gives the last cursor back. */
void qxl_device_release_cursor(QxlDevice *self);
void qxl_device_take_cursor_command(QxlDevice *self, const QXLCommandExt *command);
/** Forgets all off-screen surfaces and gives their commands back; the display has forgotten them. */
void qxl_device_forget_surfaces(QxlDevice *self);
