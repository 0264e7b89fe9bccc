/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-pipelines.h"

#include <gst/gst.h>
#include <malloc.h>

GST_DEBUG_CATEGORY_STATIC(client_pipelines_debug);
#define GST_CAT_DEFAULT client_pipelines_debug

/* After a client has gone, others may go, too: memory is given back to the system once for all. */
enum { TIDY_PAUSE_US = 5 * G_USEC_PER_SEC };

struct GstSpiceClientPipelines {
    GstSpiceServer *server;
    GThread *thread;
    GAsyncQueue *orders;
    GHashTable *pipelines; /* GstSpiceMediaChannel -> GstElement; the thread's */
};

typedef enum { OPEN, CLOSE, END } Verb;

typedef struct {
    Verb verb;
    GstSpiceMediaChannel *channel; /* a reference */
} Order;

static void order(GstSpiceClientPipelines *self, Verb verb, GstSpiceMediaChannel *channel)
{
    const Order order = {verb, channel ? gst_spice_media_channel_ref(channel) : NULL};

    g_async_queue_push(self->orders, g_memdup2(&order, sizeof order));
}

/** A client whose pipeline failed is of no use to anybody: it may connect again. */
static GstBusSyncReply on_bus_message(GstBus *bus, GstMessage *message, gpointer data)
{
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        g_autofree char *debug = NULL;

        gst_message_parse_error(message, &error, &debug);
        GST_WARNING("a client's pipeline failed: %s (%s)", error->message, debug ? debug : "");
        gst_spice_media_channel_close(data, error->message);
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
}

static GstElement *make_element(GstElement *pipeline, const char *factory,
                                GstSpiceMediaChannel *channel)
{
    GstElement *element = gst_element_factory_make(factory, NULL);

    if (element) {
        g_object_set(element, "channel", channel, NULL);
        gst_bin_add(GST_BIN(pipeline), element);
    }
    return element;
}

static GstElement *make_pipeline(GstSpiceClientPipelines *self, GstSpiceMediaChannel *channel)
{
    GstElement *pipeline = gst_pipeline_new(NULL);
    GstElement *source = make_element(pipeline, "spicedrawsrc", channel);
    GstElement *encoder = make_element(pipeline, "spicedisplayenc", channel);
    GstElement *sink = make_element(pipeline, "spicechannelsink", channel);
    GstBus *bus = gst_element_get_bus(pipeline);

    gst_bus_set_sync_handler(bus, on_bus_message, gst_spice_media_channel_ref(channel),
                             (GDestroyNotify)gst_spice_media_channel_unref);
    gst_object_unref(bus);
    if (!source || !encoder || !sink || !gst_element_link_many(source, encoder, sink, NULL)) {
        gst_object_unref(pipeline);
        return NULL;
    }
    g_object_set(source, "server", self->server, "display-id",
                 (guint)gst_spice_media_channel_get_id(channel), NULL);
    return pipeline;
}

static void end_pipeline(gpointer data)
{
    gst_element_set_state(data, GST_STATE_NULL);
    gst_object_unref(data);
}

static void open_channel(GstSpiceClientPipelines *self, GstSpiceMediaChannel *channel)
{
    GstElement *pipeline = make_pipeline(self, channel);

    if (!pipeline ||
        gst_element_set_state(pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        gst_spice_media_channel_close(channel, "its pipeline could not be made");
        g_clear_pointer(&pipeline, end_pipeline);
        return;
    }
    g_hash_table_insert(self->pipelines, channel, pipeline);
}

/** The next order; NULL: there was none until then (monotonic; 0: there will be one). */
static Order *next_order(GstSpiceClientPipelines *self, gint64 until_us)
{
    const gint64 left_us = until_us - g_get_monotonic_time(); /* read once: MAX looks twice */

    if (until_us == 0)
        return g_async_queue_pop(self->orders);
    return g_async_queue_timeout_pop(self->orders, (guint64)MAX(left_us, 0));
}

/** Of what clients had, glibc keeps many times what is in use, in its arenas, one a thread. */
static void give_memory_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static gpointer run(gpointer data)
{
    GstSpiceClientPipelines *self = data;
    gint64 tidy_at_us = 0; /* monotonic; 0: nobody has gone */
    gboolean ended = FALSE;

    while (!ended) {
        Order *order = next_order(self, tidy_at_us);

        if (!order) {
            give_memory_back();
            tidy_at_us = 0;
            continue;
        }
        if (order->verb == OPEN) {
            open_channel(self, order->channel);
        } else if (order->verb == CLOSE) {
            g_hash_table_remove(self->pipelines, order->channel);
            if (tidy_at_us == 0)
                tidy_at_us = g_get_monotonic_time() + TIDY_PAUSE_US;
        } else {
            ended = TRUE;
        }
        g_clear_pointer(&order->channel, gst_spice_media_channel_unref);
        g_free(order);
    }
    g_hash_table_remove_all(self->pipelines);
    return NULL;
}

static void on_opened(GstSpiceMediaChannel *channel, gpointer user_data)
{
    order(user_data, OPEN, channel);
}

static void on_closed(GstSpiceMediaChannel *channel, gpointer user_data)
{
    order(user_data, CLOSE, channel);
}

GstSpiceClientPipelines *gst_spice_client_pipelines_new(GstSpiceServer *server)
{
    static const GstSpiceMediaHandler handler = {on_opened, on_closed};
    static gsize once;
    GstSpiceClientPipelines *self = g_new0(GstSpiceClientPipelines, 1);

    if (g_once_init_enter(&once)) {
        GST_DEBUG_CATEGORY_INIT(client_pipelines_debug, "spiceclients", 0,
                                "Pipelines of a SPICE server's clients");
        g_once_init_leave(&once, 1);
    }
    self->server = g_object_ref(server);
    self->orders = g_async_queue_new();
    /* The key lives as long as the pipeline, whose elements have references. */
    self->pipelines = g_hash_table_new_full(NULL, NULL, NULL, end_pipeline);
    self->thread = g_thread_new("spice-clients", run, self);
    gst_spice_server_set_media_handler(server, &handler, self);
    return self;
}

void gst_spice_client_pipelines_free(GstSpiceClientPipelines *self)
{
    if (!self)
        return;
    gst_spice_server_set_media_handler(self->server, NULL, NULL);
    order(self, END, NULL);
    g_thread_join(self->thread);
    g_hash_table_unref(self->pipelines);
    g_async_queue_unref(self->orders);
    g_object_unref(self->server);
    g_free(self);
}
