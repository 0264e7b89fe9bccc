/* A bin around this machine's device for sound, whichever there is, that goes on with another when it is lost:
 * what spiceaudiosink and spiceaudiosrc have in common.
 *
 * autoaudiosink and autoaudiosrc choose once, and when the sound server is started anew or the only headset is
 * unplugged, what they chose posts an error, of which pipelines end. Here the error stays inside: what is played meanwhile
 * is dropped, nothing is recorded, and the device is opened again. For some seconds, as
 * sound servers come back, that is the same kind of device, then any. If there is none at all, a warning says so,
 * once, and it is looked for from time to time.
 *
 * The element's state never fails or waits for the device's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_SOUND_DEVICE (gst_spice_sound_device_get_type())
G_DECLARE_DERIVABLE_TYPE(GstSpiceSoundDevice, gst_spice_sound_device, GST, SPICE_SOUND_DEVICE,
                         GstBin)

struct _GstSpiceSoundDeviceClass {
    GstBinClass parent_class;

    const char *pad;       /* the element's, "sink" or "src", of which there is a template */
    const char *automatic; /* makes an element that chooses a device */
    const char *likely;    /* element that is tried again if there was no device */
    /** Elements between pad and device, in the order of flow; a description for gst-launch. */
    const char *between;
    /** A device has been found, and is not open yet. The worker's thread, or that which changes states. */
    void (*configure)(GstSpiceSoundDevice *self, GstElement *device);
};

/** (transfer none) The element's pad. */
GstPad *gst_spice_sound_device_get_pad(GstSpiceSoundDevice *self);
/** The stream has ended, or goes on: no other device is looked for once it has. FALSE: there is none that the end of the
 * stream could be told. */
gboolean gst_spice_sound_device_set_ended(GstSpiceSoundDevice *self, gboolean ended);
/** It takes or gives nothing any more, and has posted no error. */
void gst_spice_sound_device_lose(GstSpiceSoundDevice *self);
/** Whether the device has failed, and there is no other yet. */
gboolean gst_spice_sound_device_is_lost(GstSpiceSoundDevice *self);

G_END_DECLS
