/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session-private.h"

#include <string.h>

#include "core/wire/channel.h"
#include "transport/error.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    HANDSHAKE_TIMEOUT_MS = 10000,
    LEAST_IDLE_MS = 20000, /* servers ask every 15 s whether we live */
    MAX_OFFERED = 256,
};

static const guint32 MAX_DISPLAY_MESSAGE = 256u << 20;
static const guint32 MAX_OTHER_MESSAGE = 4u << 20;

enum { PROP_RECORD = GST_SPICE_LOGIN_N_PROPERTIES };

enum {
    SIGNAL_CHANNEL_AVAILABLE,
    SIGNAL_CHANNELS_LISTED,
    SIGNAL_FAILED,
    SIGNAL_MOUSE_MODE_CHANGED,
    SIGNAL_CURSOR_CHANGED,
    SIGNAL_VOLUME_CHANGED,
    SIGNAL_RECORD_CHANGED,
    SIGNAL_AGENT_CHANGED,
    SIGNAL_AGENT_MESSAGE,
    N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(GstSpiceSession, gst_spice_session, G_TYPE_OBJECT)

/* The I/O thread */

typedef struct {
    GstSpiceSession *session;
    void (*func)(GstSpiceSession *session, gpointer data);
    gpointer data;
    GDestroyNotify destroy;
} Task;

static void task_free(gpointer data)
{
    Task *task = data;

    if (task->destroy)
        task->destroy(task->data);
    g_object_unref(task->session);
    g_free(task);
}

static gboolean task_run(gpointer data)
{
    Task *task = data;

    task->func(task->session, task->data);
    return G_SOURCE_REMOVE;
}

static void close_task(GstSpiceSession *self, gpointer data);

/** Runs `func` on the I/O thread, in the order of the calls. Nothing runs after close_task(). */
void gst_spice_session_run(GstSpiceSession *self,
                           void (*func)(GstSpiceSession *session, gpointer data), gpointer data,
                           GDestroyNotify destroy)
{
    Task *task = g_new(Task, 1);
    GSource *source = g_idle_source_new();

    *task = (Task){g_object_ref(self), func, data, destroy};
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, task_run, task, task_free);
    g_mutex_lock(&self->lock);
    if (!self->closed || func == close_task)
        g_source_attach(source, self->context);
    g_mutex_unlock(&self->lock);
    g_source_unref(source); /* frees the task if it was not attached */
}

static gpointer io_thread(gpointer data)
{
    GstSpiceSession *self = data;
    GMainContext *context = g_main_context_ref(self->context);
    GMainLoop *loop = g_main_loop_ref(self->loop);

    g_main_context_push_thread_default(context);
    g_main_loop_run(loop);
    /* What was still asked for is freed with its context; connections being closed end here. */
    while (g_main_context_iteration(context, FALSE))
        ;
    g_main_context_pop_thread_default(context);
    g_main_loop_unref(loop);
    g_main_context_unref(context);
    return NULL;
}

/* Channels */

SpiceChannel *gst_spice_session_open_channel(GstSpiceSession *self, guint8 type, guint8 id,
                                             const guint32 *caps, guint n_caps,
                                             const SpiceChannelHandler *handler, gpointer user_data)
{
    guint timeout_ms = self->login.timeout * 1000;
    gboolean speaks_up = type == SPICE_CHANNEL_MAIN || type == SPICE_CHANNEL_DISPLAY;
    SpiceChannelConfig config = {
        .address = self->address,
        .tls = self->address->unix_path ? FALSE
               : !self->address->port   ? TRUE
                                        : self->address->tls_port && (self->tls_types >> type & 1),
        .username = self->login.username,
        .password = self->login.password ? self->login.password : self->address->password,
        .ca_file = self->login.ca_file,
        .host_subject = self->login.host_subject,
        .connection_id = type == SPICE_CHANNEL_MAIN ? 0 : self->session_id,
        .type = type,
        .id = id,
        .caps = caps,
        .n_caps = n_caps,
        .connect_timeout_ms = timeout_ms ? MIN(timeout_ms, CONNECT_TIMEOUT_MS) : CONNECT_TIMEOUT_MS,
        .handshake_timeout_ms =
            timeout_ms ? MIN(timeout_ms, HANDSHAKE_TIMEOUT_MS) : HANDSHAKE_TIMEOUT_MS,
        .idle_timeout_ms = speaks_up && timeout_ms ? MAX(timeout_ms, LEAST_IDLE_MS) : 0,
        .max_message_size = type == SPICE_CHANNEL_DISPLAY ? MAX_DISPLAY_MESSAGE : MAX_OTHER_MESSAGE,
    };

    return spice_channel_open(&config, handler, user_data);
}

gboolean gst_spice_session_accept_redirect(GstSpiceSession *self, guint8 type, const GError *error)
{
    /* Only from plain to TLS: the other way round anybody on the network could ask for it. */
    if (!g_error_matches(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_NEED_SECURED) ||
        !self->address->tls_port || (self->tls_types >> type & 1))
        return FALSE;
    self->tls_types |= 1u << type;
    return TRUE;
}

gpointer gst_spice_session_parse(GstSpiceSession *self, guint8 channel_type,
                                 const SpiceFrame *frame, GError **error)
{
    const SpiceMessageDef *def = spice_message_find(channel_type, SPICE_FROM_SERVER, frame->type);
    SpiceError wire_error = {0};
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);
    gpointer message;

    if (!def)
        return NULL;
    spice_arena_reset(&self->arena);
    message = spice_message_read(def, data + SPICE_MINI_HEADER_SIZE, size - SPICE_MINI_HEADER_SIZE,
                                 &self->arena, &wire_error);
    if (!message)
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, "%s: %s %s",
                    def->name, wire_error.field, spice_error_phrase(wire_error.code));
    return message;
}

void gst_spice_session_send(SpiceChannel *channel, guint16 type, const void *message)
{
    const SpiceMessageDef *def =
        spice_message_find(spice_channel_get_type_number(channel), SPICE_FROM_CLIENT, type);
    SpiceBuffer body = {.allocator = &spice_allocator_libc};

    g_return_if_fail(def != NULL);
    if (def->size == 0 || spice_message_write(def, message, &body, NULL))
        spice_channel_send(channel, type, body.data, body.size);
    spice_buffer_clear(&body);
}

gboolean gst_spice_session_offers(GstSpiceSession *self, guint8 type, guint8 id)
{
    guint i;

    for (i = 0; i < self->offered->len; i++)
        if (g_array_index(self->offered, guint16, i) == (type << 8 | id))
            return TRUE;
    return FALSE;
}

void gst_spice_session_fail(GstSpiceSession *self, const GError *error)
{
    gboolean first;

    g_mutex_lock(&self->lock);
    first = !self->failed && !self->closed;
    self->failed = TRUE;
    g_mutex_unlock(&self->lock);
    if (first)
        g_signal_emit(self, signals[SIGNAL_FAILED], 0, error);
    gst_spice_attachments_fail(self, error);
}

gboolean gst_spice_session_has_failed(GstSpiceSession *self)
{
    gboolean failed;

    g_mutex_lock(&self->lock);
    failed = self->failed;
    g_mutex_unlock(&self->lock);
    return failed;
}

void gst_spice_session_set_mouse_mode(GstSpiceSession *self, guint32 mode)
{
    gboolean changed;

    g_mutex_lock(&self->lock);
    changed = self->mouse_mode != mode;
    self->mouse_mode = mode;
    g_mutex_unlock(&self->lock);
    if (changed)
        g_signal_emit(self, signals[SIGNAL_MOUSE_MODE_CHANGED], 0);
}

void gst_spice_session_take_cursor(GstSpiceSession *self, GstSpiceCursor *cursor)
{
    g_mutex_lock(&self->lock);
    gst_spice_cursor_unref(self->cursor);
    self->cursor = cursor;
    g_mutex_unlock(&self->lock);
    g_signal_emit(self, signals[SIGNAL_CURSOR_CHANGED], 0);
}

/** Whether channels of a type are for one client at a time, and offered again when they are free. */
static gboolean is_device(guint8 type)
{
    return type == SPICE_CHANNEL_SMARTCARD || type == SPICE_CHANNEL_USBREDIR ||
           type == SPICE_CHANNEL_PORT || type == SPICE_CHANNEL_WEBDAV;
}

void gst_spice_session_offer(GstSpiceSession *self, guint8 type, guint8 id)
{
    guint16 both = (guint16)(type << 8 | id);
    const gboolean again = gst_spice_session_offers(self, type, id);

    if (self->offered->len >= MAX_OFFERED || (again && !is_device(type)))
        return;
    if (!again)
        g_array_append_val(self->offered, both);
    if (type == SPICE_CHANNEL_INPUTS && !self->inputs)
        gst_spice_inputs_channel_open(self);
    else if (type == SPICE_CHANNEL_CURSOR && id == 0 && !self->cursor_channel)
        gst_spice_cursor_channel_open(self);
    else if (type == SPICE_CHANNEL_RECORD && id == 0 && self->record && !self->record_channel)
        gst_spice_record_channel_open(self);
    gst_spice_attachments_offer(self, type, id);
    g_signal_emit(self, signals[SIGNAL_CHANNEL_AVAILABLE], 0, (guint)type, (guint)id);
}

void gst_spice_session_list_done(GstSpiceSession *self)
{
    self->listed = TRUE;
    g_signal_emit(self, signals[SIGNAL_CHANNELS_LISTED], 0);
    gst_spice_attachments_refuse_missing(self);
}

GstSpiceMediaClock *gst_spice_session_get_media_clock(GstSpiceSession *self)
{
    return self->media_clock;
}

/* Life */

static void open_task(GstSpiceSession *self, gpointer data)
{
    gst_spice_main_channel_open(self);
}

gboolean gst_spice_session_open(GstSpiceSession *self, GError **error)
{
    gboolean opened;

    g_mutex_lock(&self->lock);
    opened = self->opened || self->closed;
    self->opened = TRUE;
    g_mutex_unlock(&self->lock);
    if (opened) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS,
                    "a session is opened once");
        return FALSE;
    }
    if (!self->login.location) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS,
                    "no location was given");
        return FALSE;
    }
    self->address = spice_address_parse(self->login.location, error);
    if (!self->address)
        return FALSE;
    self->thread = g_thread_new("spice-io", io_thread, self);
    gst_spice_session_run(self, open_task, NULL, NULL);
    return TRUE;
}

static void close_task(GstSpiceSession *self, gpointer data)
{
    gst_spice_attachments_close(self);
    gst_spice_inputs_reset(self);
    g_clear_pointer(&self->inputs, spice_channel_close);
    g_clear_pointer(&self->cursor_channel, spice_channel_close);
    gst_spice_record_channel_close(self);
    g_clear_pointer(&self->main, spice_channel_close);
    g_main_loop_quit(self->loop);
}

void gst_spice_session_close(GstSpiceSession *self)
{
    gboolean closed;

    g_mutex_lock(&self->lock);
    closed = self->closed;
    self->closed = TRUE;
    g_mutex_unlock(&self->lock);
    if (closed)
        return;
    gst_spice_session_run(self, close_task, NULL, NULL);
    if (!self->thread) {
        /* Never opened: what was asked for waits in the context, each task with a reference. */
        while (g_main_context_iteration(self->context, FALSE))
            ;
    } else if (self->thread != g_thread_self()) {
        g_thread_join(g_steal_pointer(&self->thread));
    }
}

static void gst_spice_session_init(GstSpiceSession *self)
{
    g_mutex_init(&self->lock);
    g_mutex_init(&self->record_lock);
    self->media_clock = gst_spice_media_clock_new();
    self->context = g_main_context_new();
    self->loop = g_main_loop_new(self->context, FALSE);
    gst_spice_login_init(&self->login);
    self->offered = g_array_new(FALSE, FALSE, sizeof(guint16));
    self->attachments = g_ptr_array_new_with_free_func(gst_spice_attachment_unref);
    self->cursor = gst_spice_cursor_new();
    self->cursor_cache = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                               (GDestroyNotify)gst_spice_cursor_unref);
    gst_spice_agent_init(self);
    spice_arena_init(&self->arena, &spice_allocator_libc, 16u << 20);
}

static void gst_spice_session_dispose(GObject *object)
{
    gst_spice_session_close(GST_SPICE_SESSION(object));
    G_OBJECT_CLASS(gst_spice_session_parent_class)->dispose(object);
}

static void gst_spice_session_finalize(GObject *object)
{
    GstSpiceSession *self = GST_SPICE_SESSION(object);

    if (self->thread)
        g_thread_unref(self->thread); /* closed from its own thread */
    g_main_loop_unref(self->loop);
    g_main_context_unref(self->context);
    g_array_unref(self->offered);
    g_ptr_array_unref(self->attachments);
    g_hash_table_unref(self->cursor_cache);
    gst_spice_cursor_unref(self->cursor);
    gst_spice_agent_clear(self);
    spice_arena_clear(&self->arena);
    spice_address_free(self->address);
    gst_spice_login_clear(&self->login);
    g_free(self->name);
    gst_spice_sound_encoder_free(self->record_encoder);
    gst_spice_media_clock_free(self->media_clock);
    g_mutex_clear(&self->record_lock);
    g_mutex_clear(&self->lock);
    G_OBJECT_CLASS(gst_spice_session_parent_class)->finalize(object);
}

static void gst_spice_session_set_property(GObject *object, guint id, const GValue *value,
                                           GParamSpec *pspec)
{
    GstSpiceSession *self = GST_SPICE_SESSION(object);

    if (id == PROP_RECORD)
        self->record = g_value_get_boolean(value);
    else if (!gst_spice_login_set_property(&self->login, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_session_get_property(GObject *object, guint id, GValue *value,
                                           GParamSpec *pspec)
{
    GstSpiceSession *self = GST_SPICE_SESSION(object);

    if (id == PROP_RECORD)
        g_value_set_boolean(value, self->record);
    else if (!gst_spice_login_get_property(&self->login, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_spice_session_class_init(GstSpiceSessionClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GType type = G_TYPE_FROM_CLASS(klass);
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

    object_class->dispose = gst_spice_session_dispose;
    object_class->finalize = gst_spice_session_finalize;
    object_class->set_property = gst_spice_session_set_property;
    object_class->get_property = gst_spice_session_get_property;

    gst_spice_login_install_properties(object_class, 0);
    g_object_class_install_property(
        object_class, PROP_RECORD,
        g_param_spec_boolean("record", "Record", "Whether the server may have the microphone",
                             FALSE, flags));

    signals[SIGNAL_CHANNEL_AVAILABLE] =
        g_signal_new("channel-available", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                     2, G_TYPE_UINT, G_TYPE_UINT);
    signals[SIGNAL_CHANNELS_LISTED] = g_signal_new("channels-listed", type, G_SIGNAL_RUN_LAST, 0,
                                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_FAILED] = g_signal_new("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_ERROR);
    signals[SIGNAL_MOUSE_MODE_CHANGED] = g_signal_new("mouse-mode-changed", type, G_SIGNAL_RUN_LAST,
                                                      0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_VOLUME_CHANGED] = g_signal_new("volume-changed", type, G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
    signals[SIGNAL_RECORD_CHANGED] = g_signal_new("record-changed", type, G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_CURSOR_CHANGED] = g_signal_new("cursor-changed", type, G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_AGENT_CHANGED] =
        g_signal_new("agent-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_AGENT_MESSAGE] =
        g_signal_new("agent-message", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                     G_TYPE_UINT, G_TYPE_BYTES);
}

GstSpiceSession *gst_spice_session_new(void)
{
    return g_object_new(GST_SPICE_TYPE_SESSION, NULL);
}

/* Input: handed to the I/O thread */

typedef struct {
    void (*send)(GstSpiceSession *session, guint what, gint a, gint b);
    guint what;
    gint a, b;
} InputEvent;

static void input_task(GstSpiceSession *self, gpointer data)
{
    InputEvent *event = data;

    event->send(self, event->what, event->a, event->b);
}

static void queue_input(GstSpiceSession *self,
                        void (*send)(GstSpiceSession *session, guint what, gint a, gint b),
                        guint what, gint a, gint b)
{
    InputEvent *event = g_new(InputEvent, 1);

    *event = (InputEvent){send, what, a, b};
    gst_spice_session_run(self, input_task, event, g_free);
}

static void send_key(GstSpiceSession *self, guint scancode, gint pressed, gint unused)
{
    gst_spice_inputs_key(self, scancode, pressed);
}

static void send_motion(GstSpiceSession *self, guint unused, gint dx, gint dy)
{
    gst_spice_inputs_motion(self, dx, dy);
}

static void send_button(GstSpiceSession *self, guint button, gint pressed, gint unused)
{
    gst_spice_inputs_button(self, button, pressed);
}

void gst_spice_session_key(GstSpiceSession *self, guint scancode, gboolean pressed)
{
    queue_input(self, send_key, scancode, pressed, 0);
}

void gst_spice_session_pointer(GstSpiceSession *self, guint display, gint x, gint y)
{
    queue_input(self, gst_spice_inputs_pointer, display, x, y);
}

void gst_spice_session_pointer_motion(GstSpiceSession *self, gint dx, gint dy)
{
    queue_input(self, send_motion, 0, dx, dy);
}

void gst_spice_session_button(GstSpiceSession *self, guint button, gboolean pressed)
{
    queue_input(self, send_button, button, pressed, 0);
}

/* State */

GstSpiceMouseMode gst_spice_session_get_mouse_mode(GstSpiceSession *self)
{
    GstSpiceMouseMode mode;

    g_mutex_lock(&self->lock);
    mode = self->mouse_mode;
    g_mutex_unlock(&self->lock);
    return mode;
}

GstSpiceCursor *gst_spice_session_get_cursor(GstSpiceSession *self)
{
    GstSpiceCursor *cursor;

    g_mutex_lock(&self->lock);
    cursor = gst_spice_cursor_ref(self->cursor);
    g_mutex_unlock(&self->lock);
    return cursor;
}

static guint32 clock_ms(void)
{
    return (guint32)(g_get_monotonic_time() / 1000);
}

void gst_spice_session_set_mm_time(GstSpiceSession *self, guint32 time)
{
    g_mutex_lock(&self->lock);
    self->has_mm_time = TRUE;
    self->mm_offset = time - clock_ms();
    g_mutex_unlock(&self->lock);
}

guint32 gst_spice_session_get_mm_time(GstSpiceSession *self)
{
    guint32 time;

    g_mutex_lock(&self->lock);
    time = self->has_mm_time ? clock_ms() + self->mm_offset : 0;
    g_mutex_unlock(&self->lock);
    return time;
}

guint32 gst_spice_session_get_ram_hint(GstSpiceSession *self)
{
    guint32 hint;

    g_mutex_lock(&self->lock);
    hint = self->ram_hint;
    g_mutex_unlock(&self->lock);
    return hint;
}

char *gst_spice_session_get_name(GstSpiceSession *self)
{
    char *name;

    g_mutex_lock(&self->lock);
    name = g_strdup(self->name);
    g_mutex_unlock(&self->lock);
    return name;
}
