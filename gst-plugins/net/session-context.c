/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session-context.h"

#include "transport/error.h"

GstSpiceSession *gst_spice_context_get_session(GstContext *context)
{
    GstSpiceSession *session = NULL;

    if (gst_context_has_context_type(context, GST_SPICE_SESSION_CONTEXT_TYPE))
        gst_structure_get(gst_context_get_structure(context), "session", GST_SPICE_TYPE_SESSION,
                          &session, NULL);
    return session;
}

void gst_spice_context_announce(GstElement *element, GstSpiceSession *session)
{
    GstContext *context = gst_context_new(GST_SPICE_SESSION_CONTEXT_TYPE, FALSE);

    gst_structure_set(gst_context_writable_structure(context), "session", GST_SPICE_TYPE_SESSION,
                      session, NULL);
    gst_element_set_context(element, context);
    gst_element_post_message(element, gst_message_new_have_context(GST_OBJECT(element), context));
}

GstResourceError gst_spice_resource_error_code(const GError *error)
{
    if (g_error_matches(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION))
        return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    if (spice_transport_error_is_loss(error))
        return GST_RESOURCE_ERROR_READ;
    return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
}

static const char *sentence(const GError *error)
{
    switch (gst_spice_resource_error_code(error)) {
    case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
        return "The server did not accept the password.";
    case GST_RESOURCE_ERROR_READ:
        return "The connection to the server was lost.";
    default:
        return "Could not connect to the server.";
    }
}

void gst_spice_post_error(GstElement *element, const GError *error)
{
    gst_element_message_full(element, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                             gst_spice_resource_error_code(error), g_strdup(sentence(error)),
                             g_strdup(error->message), __FILE__, G_STRFUNC, __LINE__);
}
