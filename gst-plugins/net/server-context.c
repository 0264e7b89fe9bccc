/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-context.h"

GstSpiceServer *gst_spice_context_get_server(GstContext *context)
{
    GstSpiceServer *server = NULL;

    if (gst_context_has_context_type(context, GST_SPICE_SERVER_CONTEXT_TYPE))
        gst_structure_get(gst_context_get_structure(context), "server", GST_SPICE_TYPE_SERVER,
                          &server, NULL);
    return server;
}

void gst_spice_context_find_server(GstElement *element, GstSpiceServer **server)
{
    GstContext *context;

    if (*server)
        return;
    gst_element_post_message(
        element, gst_message_new_need_context(GST_OBJECT(element), GST_SPICE_SERVER_CONTEXT_TYPE));
    if (*server)
        return;
    *server = gst_spice_server_new();
    context = gst_context_new(GST_SPICE_SERVER_CONTEXT_TYPE, TRUE);
    gst_structure_set(gst_context_writable_structure(context), "server", GST_SPICE_TYPE_SERVER,
                      *server, NULL);
    gst_element_set_context(element, context);
    gst_element_post_message(element, gst_message_new_have_context(GST_OBJECT(element), context));
}
