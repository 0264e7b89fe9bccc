/* A QXL device: its worker thread, which is the only one that calls the host's QXL interface, takes
 * the guest's commands and answers the host's calls, one after the other.
 *
 *     host's threads --calls--> queue --> worker --draws--> push() (qxlsrc's pad)
 *                                           |------------> the display: surfaces, monitors, updates
 *     display, when it needs a guest's memory no more --> releases --> worker --> host
 *
 * A call that the host waits for is answered without waiting for any client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/display/drawable.h"
#include "session/server.h"
#include "spice.h"

typedef struct QxlDevice QxlDevice;

/** What it tells others. Called on the worker's thread. */
typedef struct {
    /** A draw, whose reference is taken over; `more`: others follow at once, so that nobody has to
     * be woken for this one. */
    void (*push)(SpiceDrawable *drawable, gboolean more, gpointer user_data);
    /** The primary surface came, or went (0 x 0); `absolute`: clients may point absolutely on it. */
    void (*primary_changed)(gint width, gint height, gboolean absolute, gpointer user_data);
} QxlDeviceHandler;

/** `session` is not owned; its display is that of the instance's id. NULL if the device that the host
 * describes cannot be. Its worker begins stopped, but answers calls. */
QxlDevice *qxl_device_new(QXLInstance *instance, GstSpiceServer *session,
                          const QxlDeviceHandler *handler, gpointer user_data);
/** Ends the worker, once it has made the calls that were posted; the host is not called back any
 * more. */
void qxl_device_free(QxlDevice *self);

/** A call of the host's. Its arguments are copied. */
typedef struct QxlCall QxlCall;
struct QxlCall {
    void (*run)(QxlDevice *device, QxlCall *call);
    gboolean completes; /* async_complete() is due afterwards */
    guint64 cookie;
    guint32 id, group; /* of a surface, a slot */
    gboolean flag;
    QXLRect area;
    QXLRect *dirty; /* sync calls only */
    guint32 n_dirty;
    guint64 address;
    QXLDevMemSlot slot;
    QXLDevSurfaceCreate surface;
    QXLCommandExt *commands; /* sync calls only */
    guint32 n_commands;
    GstSpiceViewers viewers;
    GstSpiceScanout scanout; /* fd -1: none; taken over */
};

/** Has the worker make a call, after all that were posted before. Any thread. */
void qxl_device_post(QxlDevice *self, const QxlCall *call);
/** The same, and waits until it is done. Not on the worker's thread. */
void qxl_device_call(QxlDevice *self, QxlCall *call);
/** There are commands in the rings. Any thread. */
void qxl_device_wakeup(QxlDevice *self);
/** The guest has no memory left. Any thread; coalesced. */
void qxl_device_oom(QxlDevice *self);

/** What happened so far. */
typedef struct {
    guint64 commands, refused, released;
    guint64 longest_push_us; /* that publishing a draw took: no client is waited for in it */
} QxlDeviceCounters;
QxlDeviceCounters qxl_device_get_counters(QxlDevice *self);

/* The calls, for `run`. */
void qxl_run_start(QxlDevice *self, QxlCall *call);
void qxl_run_stop(QxlDevice *self, QxlCall *call);
void qxl_run_update_area(QxlDevice *self, QxlCall *call);
void qxl_run_add_slot(QxlDevice *self, QxlCall *call);
void qxl_run_remove_slot(QxlDevice *self, QxlCall *call);
void qxl_run_reset_slots(QxlDevice *self, QxlCall *call);
void qxl_run_create_primary(QxlDevice *self, QxlCall *call);
void qxl_run_destroy_primary(QxlDevice *self, QxlCall *call);
void qxl_run_destroy_surfaces(QxlDevice *self, QxlCall *call);
void qxl_run_finish_surface(QxlDevice *self, QxlCall *call);
void qxl_run_flush_surfaces(QxlDevice *self, QxlCall *call);
void qxl_run_reset_cursor(QxlDevice *self, QxlCall *call);
void qxl_run_load_commands(QxlDevice *self, QxlCall *call);
void qxl_run_set_monitors(QxlDevice *self, QxlCall *call);
void qxl_run_unload_driver(QxlDevice *self, QxlCall *call);
void qxl_run_set_max_monitors(QxlDevice *self, QxlCall *call);
void qxl_run_set_clients(QxlDevice *self, QxlCall *call);
void qxl_run_gl_scanout(QxlDevice *self, QxlCall *call);
void qxl_run_gl_draw(QxlDevice *self, QxlCall *call);
void qxl_run_nothing(QxlDevice *self, QxlCall *call);
