/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "movie.h"

#include <gio/gio.h>

#include "serve-error.h"

enum { DEFAULT_WIDTH = 1280, DEFAULT_HEIGHT = 720 };

static gboolean fail(GError **error, const char *format, const char *what, const char *why)
{
    g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE, format, what, why);
    return FALSE;
}

/** Adds a new element of `bin`; FALSE and *error if the plug-in is missing. */
static gboolean add(GstElement *bin, GstElement **element, const char *factory, GError **error)
{
    *element = gst_element_factory_make(factory, NULL);
    if (!*element)
        return fail(error, "The GStreamer element %s is missing%s", factory, "");
    gst_bin_add(GST_BIN(bin), *element);
    return TRUE;
}

static void expose(GstElement *bin, GstElement *last)
{
    GstPad *pad = gst_element_get_static_pad(last, "src");

    gst_element_add_pad(bin, gst_ghost_pad_new("src", pad));
    gst_object_unref(pad);
}

/** From `first` on: the rate is limited if one was asked for. Returns the last element. */
static gboolean add_rate(GstElement *bin, const ServeOptions *options, GstElement **last,
                         GError **error)
{
    GstElement *rate;

    if (!options->fps)
        return TRUE;
    if (!add(bin, &rate, "videorate", error))
        return FALSE;
    g_object_set(rate, "drop-only", TRUE, "max-rate", (gint)options->fps, NULL);
    gst_element_link(*last, rate);
    *last = rate;
    return TRUE;
}

/* Movie */

static gboolean is_sound(GstPad *pad)
{
    GstCaps *caps = gst_pad_query_caps(pad, NULL);
    const gboolean sound =
        gst_caps_get_size(caps) > 0 &&
        g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "audio/");

    gst_caps_unref(caps);
    return sound;
}

/** The bin's pad `audio` is there when a movie with sound has begun, and stays when it begins anew. Of
 * several tracks the first is played. */
static void expose_sound(GstElement *bin, GstPad *target)
{
    GstPad *pad = gst_element_get_static_pad(bin, "audio");
    GstPad *old = pad ? gst_ghost_pad_get_target(GST_GHOST_PAD(pad)) : NULL;

    if (!pad) {
        pad = gst_object_ref(gst_ghost_pad_new("audio", target));
        gst_pad_set_active(pad, TRUE);
        gst_element_add_pad(bin, pad);
    } else if (!old) {
        gst_ghost_pad_set_target(GST_GHOST_PAD(pad), target);
    }
    g_clear_object(&old);
    gst_object_unref(pad);
}

static void on_pad_added(GstElement *decoder, GstPad *pad, gpointer data)
{
    GstPad *sink = gst_element_get_static_pad(data, "sink");
    GstElement *bin = GST_ELEMENT(gst_object_get_parent(GST_OBJECT(decoder)));

    if (bin && is_sound(pad))
        expose_sound(bin, pad);
    else if (!gst_pad_is_linked(sink))
        gst_pad_link(pad, sink);
    g_clear_object(&bin);
    gst_object_unref(sink);
}

static void on_no_more_pads(GstElement *decoder, gpointer data)
{
    GstPad *sink = gst_element_get_static_pad(data, "sink");

    if (!gst_pad_is_linked(sink))
        GST_ELEMENT_ERROR(decoder, STREAM, WRONG_TYPE, ("The file holds no video."), (NULL));
    gst_object_unref(sink);
}

/** NULL and *error if it names a file that cannot be read. */
static char *movie_uri(const char *name, GError **error)
{
    GFile *file;
    GFileInfo *info;
    GError *why = NULL;
    char *uri;

    if (gst_uri_is_valid(name) && !g_str_has_prefix(name, "file:"))
        return g_strdup(name);
    file = g_file_new_for_commandline_arg(name);
    uri = g_file_get_uri(file);
    info = g_file_query_info(file, "standard::type,access::can-read", 0, NULL, &why);
    if (!info)
        fail(error, "The movie cannot be read: %s%s", why->message, "");
    else if (g_file_info_get_file_type(info) != G_FILE_TYPE_REGULAR ||
             !g_file_info_get_attribute_boolean(info, "access::can-read"))
        fail(error, "The movie cannot be read: '%s' is no file, or not for us%s", name, "");
    if (!info || (error && *error))
        g_clear_pointer(&uri, g_free);
    g_clear_object(&info);
    g_clear_error(&why);
    g_object_unref(file);
    return uri;
}

/** `why` is taken. */
static gboolean add_source(GstElement *bin, GstElement *source, GError *why, GError **error)
{
    if (source)
        return gst_bin_add(GST_BIN(bin), source);
    fail(error, "The movie cannot be read: %s%s", why->message, "");
    g_error_free(why);
    return FALSE;
}

static gboolean fill_movie(GstElement *bin, const ServeOptions *options, const char *uri,
                           GError **error)
{
    GError *why = NULL;
    GstElement *source = gst_element_make_from_uri(GST_URI_SRC, uri, NULL, &why);
    GstElement *decoder, *convert, *scale, *filter, *last;
    GstCaps *video = gst_caps_from_string("video/x-raw(ANY); audio/x-raw");
    GstCaps *desktop =
        gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT,
                            options->width ? (gint)options->width : DEFAULT_WIDTH, "height",
                            G_TYPE_INT, options->height ? (gint)options->height : DEFAULT_HEIGHT,
                            "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
    const gboolean ok =
        add_source(bin, source, why, error) && add(bin, &decoder, "decodebin", error) &&
        add(bin, &convert, "videoconvert", error) && add(bin, &scale, "videoscale", error) &&
        add(bin, &filter, "capsfilter", error);

    if (ok) {
        /* Nothing but video and sound is decoded. */
        g_object_set(decoder, "caps", video, "expose-all-streams", FALSE, NULL);
        g_object_set(scale, "add-borders", TRUE, NULL);
        g_object_set(filter, "caps", desktop, NULL);
        g_signal_connect(decoder, "pad-added", G_CALLBACK(on_pad_added), convert);
        g_signal_connect(decoder, "no-more-pads", G_CALLBACK(on_no_more_pads), convert);
        gst_element_link(source, decoder);
        gst_element_link_many(convert, scale, filter, NULL);
        last = filter;
    }
    gst_caps_unref(video);
    gst_caps_unref(desktop);
    if (!ok || !add_rate(bin, options, &last, error))
        return FALSE;
    expose(bin, last);
    return TRUE;
}

GstElement *movie_new(const ServeOptions *options, GError **error)
{
    char *uri = movie_uri(options->name, error);
    GstElement *bin;

    if (!uri)
        return NULL;
    bin = gst_bin_new("movie");
    if (!fill_movie(bin, options, uri, error)) {
        gst_object_unref(gst_object_ref_sink(bin));
        bin = NULL;
    }
    g_free(uri);
    return bin;
}

/* Pipeline */

/** Nothing but `last` may wait for a pad that comes later. */
static gboolean has_open_begin(GstElement *bin, GstElement *last)
{
    GstPad *open = gst_bin_find_unlinked_pad(GST_BIN(bin), GST_PAD_SINK);
    const gboolean found = open && GST_PAD_PARENT(open) != last;

    g_clear_object(&open);
    return found;
}

static gboolean finish_pipeline(GstElement *bin, GstElement *last, const ServeOptions *options,
                                GError **error)
{
    if (has_open_begin(bin, last))
        return fail(error, "The pipeline '%s' has an open end at its begin%s", options->name, "");
    if (!add_rate(bin, options, &last, error))
        return FALSE;
    expose(bin, last);
    return TRUE;
}

GstElement *pipeline_text_new(const ServeOptions *options, GError **error)
{
    char *text = g_strconcat(options->name, " ! videoconvert name=spice-serve-end", NULL);
    GError *why = NULL;
    GstElement *bin =
        gst_parse_bin_from_description_full(text, FALSE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &why);
    GstElement *last = bin && !why ? gst_bin_get_by_name(GST_BIN(bin), "spice-serve-end") : NULL;
    gboolean ok = FALSE;

    g_free(text);
    if (last)
        ok = finish_pipeline(bin, last, options, error);
    else
        fail(error, "The pipeline '%s' cannot be made, or does not end in raw video: %s",
             options->name, why ? why->message : "it is empty");
    g_clear_error(&why);
    g_clear_object(&last);
    if (!ok && bin)
        gst_object_unref(gst_object_ref_sink(bin));
    return ok ? bin : NULL;
}
