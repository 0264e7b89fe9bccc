/* The pads of spicesrc for sound: `audio`, which comes with the displays, and `record`.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "gst-plugins/audio/session-audio.h"
#include "spicesrc-private.h"

static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE("audio", GST_PAD_SRC, GST_PAD_SOMETIMES,
                            GST_STATIC_CAPS("audio/x-raw, layout = (string) interleaved, "
                                            "rate = (int) [ 8000, 192000 ], channels = (int) 2"));

static GstStaticPadTemplate record_template = GST_STATIC_PAD_TEMPLATE(
    "record", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS("audio/x-raw"));

void gst_spice_src_add_audio(GstSpiceSrc *self)
{
    GstElement *bin = gst_spice_playback_bin_new(self->session, self->silence);
    GstPadTemplate *template = gst_static_pad_template_get(&audio_template);
    GstPad *target, *pad;

    gst_bin_add(GST_BIN(self), bin); /* which unlinks its pads */
    target = gst_element_get_static_pad(bin, "src");
    pad = gst_ghost_pad_new_from_template("audio", target, template);
    gst_object_unref(target);
    gst_object_unref(template);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(GST_ELEMENT(self), pad);
    gst_element_sync_state_with_parent(bin);
}

static GstPad *request_new_pad(GstElement *element, GstPadTemplate *template, const char *name,
                               const GstCaps *caps)
{
    GstSpiceSrc *self = GST_SPICE_SRC(element);
    GstPad *target, *pad;

    if (self->record || GST_PAD_TEMPLATE_DIRECTION(template) != GST_PAD_SINK)
        return NULL;
    self->record = gst_spice_record_bin_new(self->session);
    if (!self->record) {
        GST_ELEMENT_ERROR(self, CORE, MISSING_PLUGIN,
                          ("audioconvert and audioresample are needed."), (NULL));
        return NULL;
    }
    gst_bin_add(GST_BIN(self), gst_object_ref(self->record));
    target = gst_element_get_static_pad(self->record, "sink");
    pad = gst_ghost_pad_new_from_template("record", target, template);
    gst_object_unref(target);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(element, pad);
    gst_element_sync_state_with_parent(self->record);
    return pad;
}

static void release_pad(GstElement *element, GstPad *pad)
{
    GstSpiceSrc *self = GST_SPICE_SRC(element);
    GstElement *record = g_steal_pointer(&self->record);

    gst_element_remove_pad(element, pad);
    if (!record)
        return;
    gst_element_set_state(record, GST_STATE_NULL);
    if (GST_OBJECT_PARENT(record) == GST_OBJECT(self)) /* else the bin is being disposed of */
        gst_bin_remove(GST_BIN(self), record);
    gst_object_unref(record);
}

void gst_spice_src_set_record_session(GstSpiceSrc *self, GstSpiceSession *session)
{
    if (self->record)
        gst_spice_record_bin_set_session(self->record, session);
}

void gst_spice_src_install_sound(GstElementClass *klass)
{
    klass->request_new_pad = request_new_pad;
    klass->release_pad = release_pad;
    gst_element_class_add_static_pad_template(klass, &audio_template);
    gst_element_class_add_static_pad_template(klass, &record_template);
}
