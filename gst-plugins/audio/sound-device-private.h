/* What a sound device is inside: the bin (sound-device.c), and the chain in it that is opened anew, device and
 * converters (sound-device-chain.c).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "sound-device.h"

G_BEGIN_DECLS

typedef struct {
    GstPad *pad;
    gint64 buffer_time_us, latency_time_us; /* under the object lock */

    GMutex chain_lock; /* held while the chain is changed, or its state; taken before all others */
    GstElement *chain; /* under chain_lock: device and what is before or behind it; NULL: none */
    GstState target;   /* under chain_lock: what the chain's state is to be */
    gboolean opens;    /* under chain_lock: the chain is being opened by this thread */

    GMutex lock;
    GCond wake;
    GThread *worker;
    gboolean ending;         /* under lock */
    gboolean ended;          /* under lock: the stream has, so that no other device is needed */
    gboolean lost;           /* under lock: the chain has failed, or there is none */
    gboolean works;          /* under lock: sound has come to it, or from it */
    gboolean pretends;       /* under lock: there is no device, what stands for it does nothing */
    GstElementFactory *kind; /* under lock: of the last device that did something; NULL: none yet */
    gint64 opened_us;        /* under lock: when it was opened */
    gboolean told;           /* under lock: that there is none */
} GstSpiceSoundDevicePrivate;

GstSpiceSoundDevicePrivate *gst_spice_sound_device_private(GstSpiceSoundDevice *self);

/** Opens a device of that kind, or, if it is NULL, whichever there is. Under chain_lock. FALSE: plug-ins are missing,
 * or it does not work and counts as lost. */
gboolean gst_spice_sound_device_begin_chain(GstSpiceSoundDevice *self, GstElementFactory *kind);
/** Under chain_lock. FALSE: it cannot be. */
gboolean gst_spice_sound_device_set_chain_state(GstSpiceSoundDevice *self, GstState state);
/** Under chain_lock; there may be none. */
void gst_spice_sound_device_end_chain(GstSpiceSoundDevice *self);

G_END_DECLS
