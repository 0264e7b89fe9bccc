/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "statistics.h"

#include <string.h>

#include "core/wire/channel.h"
#include "server-private.h"
#include "transport/listen-socket.h"

enum {
    MAX_READERS = 8, /* at a time; others are closed at once */
    PATIENCE_MS = 5000,
};

struct GstSpiceStatistics {
    GstSpiceServer *server; /* which owns this */
    char *path;
    guint64 device, inode;
    GSocket *socket;
    GSource *source;
    GList *readers; /* Reader */
};

/** One to whom the document is being written. */
typedef struct {
    GstSpiceStatistics *owner;
    GSocket *socket;
    GSource *writable, *timer;
    GString *text;
    gsize done;
} Reader;

/* The document */

void gst_spice_json_append_string(GString *json, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    const char *p;

    g_string_append_c(json, '"');
    for (p = valid; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_printf(json, "\\%c", *p);
        else if ((guchar)*p < 0x20 || *p == 0x7f)
            g_string_append_printf(json, "\\u%04x", (guchar)*p);
        else
            g_string_append_c(json, *p);
    }
    g_string_append_c(json, '"');
}

static void append_text(GString *json, const char *key, const char *text)
{
    g_string_append_printf(json, "\"%s\": ", key);
    gst_spice_json_append_string(json, text);
}

static void append_number(GString *json, const char *key, guint64 number)
{
    g_string_append_printf(json, ", \"%s\": %" G_GUINT64_FORMAT, key, number);
}

static const char *channel_name(guint8 type)
{
    static const char *const names[] = {"",          "main",     "display", "inputs",
                                        "cursor",    "playback", "record",  "tunnel",
                                        "smartcard", "usbredir", "port",    "webdav"};

    return type < G_N_ELEMENTS(names) ? names[type] : "";
}

const char *gst_spice_image_codec_name(SpiceImageCodec codec)
{
    static const char *const names[SPICE_IMAGE_N_CODECS] = {
        [SPICE_IMAGE_CODEC_RAW] = "raw",   [SPICE_IMAGE_CODEC_LZ] = "lz",
        [SPICE_IMAGE_CODEC_GLZ] = "glz",   [SPICE_IMAGE_CODEC_ZLIB_GLZ] = "zlib-glz",
        [SPICE_IMAGE_CODEC_QUIC] = "quic", [SPICE_IMAGE_CODEC_LZ4] = "lz4",
        [SPICE_IMAGE_CODEC_JPEG] = "jpeg",
    };

    return names[codec];
}

/** What a display's images and streams came to. */
static void append_figures(GString *json, const GstSpiceDisplayFigures *figures)
{
    const SpiceSenderCounters *images = &figures->images;
    guint i;

    g_string_append(json, ", \"images\": {");
    for (i = 0; i < SPICE_IMAGE_N_CODECS; i++) {
        g_string_append_printf(json, "%s\"%s\": {\"count\": %" G_GUINT64_FORMAT, i > 0 ? ", " : "",
                               gst_spice_image_codec_name((SpiceImageCodec)i),
                               images->codecs[i].images);
        append_number(json, "bytes_of_pixels", images->codecs[i].bytes_in);
        append_number(json, "bytes_sent", images->codecs[i].bytes_out);
        g_string_append_c(json, '}');
    }
    g_string_append_printf(json, "}, \"cache\": {\"hits\": %" G_GUINT64_FORMAT, images->hits);
    append_number(json, "bytes_of_pixels_not_sent", images->hit_bytes);
    append_number(json, "added", images->added);
    append_number(json, "invalidated", images->invalidated);
    append_number(json, "palette_hits", images->palette_hits);
    g_string_append_printf(json, "}, \"video\": {\"streams\": %" G_GUINT64_FORMAT,
                           figures->video.streams);
    append_number(json, "frames", figures->video.frames);
    append_number(json, "frames_left_out", figures->video.dropped);
    append_number(json, "bytes_sent", figures->video.bytes);
    append_number(json, "reports", figures->video.reports);
    g_string_append_c(json, '}');
}

static void append_channel(GString *json, const GstSpiceServerLink *link)
{
    GstSpiceMediaChannel *media = gst_spice_server_link_get_media(link);

    g_string_append_c(json, '{');
    append_text(json, "type", channel_name(link->type));
    append_number(json, "id", link->id);
    append_number(json, "bytes_sent", spice_server_channel_get_bytes_sent(link->channel));
    append_number(json, "bytes_received", spice_server_channel_get_bytes_received(link->channel));
    append_number(json, "messages_sent", spice_server_channel_get_serial(link->channel));
    append_number(json, "bytes_waiting", spice_server_channel_get_backlog(link->channel));
    if (media) {
        const GstSpiceDisplayFigures figures = gst_spice_media_channel_get_figures(media);

        append_figures(json, &figures);
    }
    g_string_append_c(json, '}');
}

static void append_client(GString *json, const GstSpiceServerClient *client)
{
    guint i;

    g_string_append_c(json, '{');
    append_text(json, "from", client->from);
    append_number(json, "id", client->number);
    if (client->user) {
        g_string_append(json, ", ");
        append_text(json, "user", client->user);
    }
    g_string_append_printf(json, ", \"secure\": %s", client->secure ? "true" : "false");
    append_number(json, "connected_s",
                  (guint64)((g_get_monotonic_time() - client->connected_us) / G_USEC_PER_SEC));
    append_number(json, "round_trip_us", client->round_trip_us);
    g_string_append_printf(json, ", \"mouse_mode\": \"%s\", \"channels\": [",
                           client->mouse_mode == GST_SPICE_MOUSE_MODES_CLIENT ? "client"
                                                                              : "server");
    for (i = 0; i < client->links->len; i++) {
        if (i > 0)
            g_string_append(json, ", ");
        append_channel(json, client->links->pdata[i]);
    }
    g_string_append(json, "]}");
}

static GString *make_document(GstSpiceServer *server)
{
    GString *json = g_string_new("{");
    g_autofree char *name = NULL;
    GList *item;

    g_object_get(server, "name", &name, NULL);
    append_text(json, "name", name ? name : "");
    append_number(json, "displays",
                  (guint64)__builtin_popcount(gst_spice_server_get_display_bits(server)));
    g_string_append(json, ", \"clients\": [");
    for (item = server->clients; item; item = item->next) {
        if (item->prev)
            g_string_append(json, ", ");
        append_client(json, item->data);
    }
    g_string_append(json, "]}\n");
    return json;
}

/* Readers */

static void drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

static void reader_free(Reader *reader)
{
    reader->owner->readers = g_list_remove(reader->owner->readers, reader);
    drop_source(&reader->writable);
    drop_source(&reader->timer);
    g_object_unref(reader->socket);
    g_string_free(reader->text, TRUE);
    g_free(reader);
}

static gboolean on_writable(GSocket *socket, GIOCondition condition, gpointer data)
{
    Reader *reader = data;
    g_autoptr(GError) error = NULL;
    const gssize n = g_socket_send(socket, reader->text->str + reader->done,
                                   reader->text->len - reader->done, NULL, &error);

    if (n < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return G_SOURCE_CONTINUE;
    reader->done += n > 0 ? (gsize)n : 0;
    if (n < 0 || reader->done == reader->text->len)
        reader_free(reader);
    return G_SOURCE_CONTINUE; /* destroyed with the reader */
}

static gboolean on_patience_lost(gpointer data)
{
    reader_free(data);
    return G_SOURCE_CONTINUE;
}

static void add_reader(GstSpiceStatistics *self, GSocket *socket)
{
    Reader *reader = g_new0(Reader, 1);

    reader->owner = self;
    reader->socket = g_object_ref(socket);
    reader->text = make_document(self->server);
    g_socket_set_blocking(socket, FALSE);
    reader->writable = g_socket_create_source(socket, G_IO_OUT, NULL);
    g_source_set_callback(reader->writable, G_SOURCE_FUNC(on_writable), reader, NULL);
    g_source_attach(reader->writable, self->server->context);
    reader->timer = g_timeout_source_new(PATIENCE_MS);
    g_source_set_callback(reader->timer, on_patience_lost, reader, NULL);
    g_source_attach(reader->timer, self->server->context);
    self->readers = g_list_prepend(self->readers, reader);
}

static gboolean on_acceptable(GSocket *socket, GIOCondition condition, gpointer data)
{
    GstSpiceStatistics *self = data;
    gboolean again;
    g_autoptr(GSocket) accepted = spice_listen_accept(socket, &again);

    if (accepted && g_list_length(self->readers) < MAX_READERS)
        add_reader(self, accepted);
    return G_SOURCE_CONTINUE;
}

/* Life */

GstSpiceStatistics *gst_spice_statistics_new(GstSpiceServer *server, const char *path,
                                             GError **error)
{
    GSocket *socket = spice_listen_unix(path, error);
    GstSpiceStatistics *self;

    if (!socket)
        return NULL;
    self = g_new0(GstSpiceStatistics, 1);
    self->server = server;
    self->path = g_strdup(path);
    spice_listen_unix_identify(path, &self->device, &self->inode);
    self->socket = socket;
    self->source = g_socket_create_source(socket, G_IO_IN, NULL);
    g_source_set_callback(self->source, G_SOURCE_FUNC(on_acceptable), self, NULL);
    g_source_attach(self->source, server->context);
    return self;
}

void gst_spice_statistics_free(GstSpiceStatistics *self)
{
    if (!self)
        return;
    while (self->readers)
        reader_free(self->readers->data);
    drop_source(&self->source);
    g_object_unref(self->socket);
    spice_listen_unix_remove(self->path, self->device, self->inode);
    g_free(self->path);
    g_free(self);
}
