/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device-private.h"

enum { ARENA_LIMIT = 1 << 20 };

enum {
    PROP_ADDRESS = 1,
    PROP_PORT,
    PROP_TLS_PORT,
    PROP_UNIX_PATH,
    PROP_LISTEN_FD,
    PROP_TICKET,
    PROP_TLS_CERT_FILE,
    PROP_TLS_KEY_FILE,
    PROP_TLS_KEY_PASSWORD,
    PROP_TLS_CIPHERS,
    PROP_WEBSOCKET,
    PROP_WEBSOCKET_ORIGINS,
    PROP_SASL,
    PROP_SASL_APPLICATION,
    PROP_SASL_MECHANISMS,
    PROP_MOUSE_MODES,
    PROP_IMAGE_COMPRESSION,
    PROP_STREAMING_VIDEO,
    PROP_VIDEO_CODECS,
    PROP_JPEG_COMPRESSION,
    PROP_ZLIB_GLZ_COMPRESSION,
    PROP_NAME,
    N_PROPS
};

enum { SIGNAL_CLIENT_CONNECTED, SIGNAL_CLIENT_DISCONNECTED, SIGNAL_REFUSED, N_SIGNALS };

static guint signals[N_SIGNALS];
static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE(GstSpiceServer, gst_spice_server, G_TYPE_OBJECT)

GType gst_spice_mouse_modes_get_type(void)
{
    static const GFlagsValue values[] = {
        {GST_SPICE_MOUSE_MODES_SERVER, "Relative motion; the pointer is the desktop's", "server"},
        {GST_SPICE_MOUSE_MODES_CLIENT, "Absolute positions; the pointer is the client's", "client"},
        {0, NULL, NULL},
    };
    static gsize type;

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_flags_register_static("GstSpiceMouseModes", values));
    return type;
}

/* Object */

static void set_string(char **field, const GValue *value)
{
    g_free(*field);
    *field = g_value_dup_string(value);
}

static void set_ticket_property(GstSpiceServer *self, const char *ticket)
{
    if (!ticket)
        gst_spice_server_open_door(self);
    else if (!gst_spice_server_set_ticket(self, ticket, 0))
        gst_spice_server_set_ticket(self, NULL, 0); /* too long: nobody gets in */
}

static void set_video_codecs(GstSpiceServer *self, const char *names)
{
    GstSpiceVideoCodecs codecs;

    if (gst_spice_video_codecs_parse(names, &codecs))
        g_atomic_int_set(&self->images->codecs, (gint)gst_spice_video_codecs_pack(&codecs));
}

static void gst_spice_server_set_property(GObject *object, guint id, const GValue *value,
                                          GParamSpec *pspec)
{
    GstSpiceServer *self = GST_SPICE_SERVER(object);

    switch (id) {
    case PROP_ADDRESS:
        set_string(&self->address, value);
        break;
    case PROP_PORT:
        self->port = g_value_get_int(value);
        break;
    case PROP_TLS_PORT:
        self->tls_port = g_value_get_int(value);
        break;
    case PROP_UNIX_PATH:
        set_string(&self->unix_path, value);
        break;
    case PROP_LISTEN_FD:
        self->listen_fd = g_value_get_int(value);
        break;
    case PROP_TICKET:
        set_ticket_property(self, g_value_get_string(value));
        break;
    case PROP_TLS_CERT_FILE:
        set_string(&self->tls_cert_file, value);
        break;
    case PROP_TLS_KEY_FILE:
        set_string(&self->tls_key_file, value);
        break;
    case PROP_TLS_KEY_PASSWORD:
        set_string(&self->tls_key_password, value);
        break;
    case PROP_TLS_CIPHERS:
        set_string(&self->tls_ciphers, value);
        break;
    case PROP_WEBSOCKET:
        self->websocket = g_value_get_boolean(value);
        break;
    case PROP_WEBSOCKET_ORIGINS:
        set_string(&self->websocket_origins, value);
        break;
    case PROP_SASL:
        self->sasl = g_value_get_boolean(value);
        break;
    case PROP_SASL_APPLICATION:
        set_string(&self->sasl_application, value);
        break;
    case PROP_SASL_MECHANISMS:
        set_string(&self->sasl_mechanisms, value);
        break;
    case PROP_MOUSE_MODES:
        gst_spice_server_set_mouse_modes(self, g_value_get_flags(value));
        break;
    case PROP_STREAMING_VIDEO:
        gst_spice_server_set_streaming_video(self, g_value_get_enum(value));
        break;
    case PROP_VIDEO_CODECS:
        set_video_codecs(self, g_value_get_string(value));
        break;
    case PROP_IMAGE_COMPRESSION:
        g_atomic_int_set(&self->images->compression, g_value_get_enum(value));
        break;
    case PROP_JPEG_COMPRESSION:
        g_atomic_int_set(&self->images->jpeg, g_value_get_enum(value));
        break;
    case PROP_ZLIB_GLZ_COMPRESSION:
        g_atomic_int_set(&self->images->zlib_glz, g_value_get_enum(value));
        break;
    case PROP_NAME:
        g_mutex_lock(&self->lock);
        set_string(&self->name, value);
        g_mutex_unlock(&self->lock);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_server_get_property(GObject *object, guint id, GValue *value,
                                          GParamSpec *pspec)
{
    GstSpiceServer *self = GST_SPICE_SERVER(object);
    GstSpiceVideoCodecs codecs;

    switch (id) {
    case PROP_ADDRESS:
        g_value_set_string(value, self->address);
        break;
    case PROP_PORT:
        g_value_set_int(value, self->bound_port ? self->bound_port : self->port);
        break;
    case PROP_TLS_PORT:
        g_value_set_int(value, self->bound_tls_port ? self->bound_tls_port : self->tls_port);
        break;
    case PROP_UNIX_PATH:
        g_value_set_string(value, self->unix_path);
        break;
    case PROP_LISTEN_FD:
        g_value_set_int(value, self->listen_fd);
        break;
    case PROP_TLS_CERT_FILE:
        g_value_set_string(value, self->tls_cert_file);
        break;
    case PROP_TLS_KEY_FILE:
        g_value_set_string(value, self->tls_key_file);
        break;
    case PROP_TLS_CIPHERS:
        g_value_set_string(value, self->tls_ciphers);
        break;
    case PROP_WEBSOCKET:
        g_value_set_boolean(value, self->websocket);
        break;
    case PROP_WEBSOCKET_ORIGINS:
        g_value_set_string(value, self->websocket_origins);
        break;
    case PROP_SASL:
        g_value_set_boolean(value, self->sasl);
        break;
    case PROP_SASL_APPLICATION:
        g_value_set_string(value, self->sasl_application);
        break;
    case PROP_SASL_MECHANISMS:
        g_value_set_string(value, self->sasl_mechanisms);
        break;
    case PROP_MOUSE_MODES:
        g_value_set_flags(value, gst_spice_server_get_mouse_modes(self));
        break;
    case PROP_STREAMING_VIDEO:
        g_mutex_lock(&self->lock);
        g_value_set_enum(value, (gint)self->streaming);
        g_mutex_unlock(&self->lock);
        break;
    case PROP_VIDEO_CODECS:
        codecs = gst_spice_video_codecs_unpack((guint)g_atomic_int_get(&self->images->codecs));
        g_value_take_string(value, gst_spice_video_codecs_to_string(&codecs));
        break;
    case PROP_IMAGE_COMPRESSION:
        g_value_set_enum(value, g_atomic_int_get(&self->images->compression));
        break;
    case PROP_JPEG_COMPRESSION:
        g_value_set_enum(value, g_atomic_int_get(&self->images->jpeg));
        break;
    case PROP_ZLIB_GLZ_COMPRESSION:
        g_value_set_enum(value, g_atomic_int_get(&self->images->zlib_glz));
        break;
    case PROP_NAME:
        g_mutex_lock(&self->lock);
        g_value_set_string(value, self->name);
        g_mutex_unlock(&self->lock);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_server_init(GstSpiceServer *self)
{
    guint i;

    g_mutex_init(&self->lock);
    g_cond_init(&self->closed);
    self->context = g_main_context_new();
    self->loop = g_main_loop_new(self->context, FALSE);
    self->port = self->tls_port = self->listen_fd = -1;
    self->mouse_modes = GST_SPICE_MOUSE_MODES_BOTH;
    self->images = g_atomic_rc_box_new0(GstSpiceServerImages);
    self->sound = gst_spice_server_sound_new(self);
    self->streaming = GST_SPICE_STREAMING_VIDEO_FILTER;
    set_video_codecs(self, GST_SPICE_DEFAULT_VIDEO_CODECS);
    for (i = 0; i < G_N_ELEMENTS(self->cursors); i++)
        self->cursors[i] =
            (GstSpiceServerCursor){.shape = {.flags = SPICE_CURSOR_FLAGS_NONE}, .visible = TRUE};
    self->devices = g_ptr_array_new_with_free_func((GDestroyNotify)gst_spice_device_unref);
    spice_arena_init(&self->arena, &spice_allocator_libc, ARENA_LIMIT);
}

static void gst_spice_server_dispose(GObject *object)
{
    gst_spice_server_close(GST_SPICE_SERVER(object));
    gst_spice_server_sound_stop(GST_SPICE_SERVER(object)->sound);
    G_OBJECT_CLASS(gst_spice_server_parent_class)->dispose(object);
}

static void gst_spice_server_finalize(GObject *object)
{
    GstSpiceServer *self = GST_SPICE_SERVER(object);
    guint i;

    for (i = 0; i < G_N_ELEMENTS(self->displays); i++) {
        g_clear_pointer(&self->displays[i], gst_spice_shared_display_unref);
        g_clear_pointer(&self->pending_cursors[i].data, g_bytes_unref);
        g_clear_pointer(&self->cursors[i].data, g_bytes_unref);
        g_clear_pointer(&self->scanouts[i].scanout, gst_spice_scanout_unref);
    }
    g_atomic_rc_box_release(self->images);
    gst_spice_server_sound_free(self->sound);
    g_clear_pointer(&self->display_info, g_bytes_unref);
    g_ptr_array_unref(self->devices); /* empty: each of them has a reference of the server */
    spice_arena_clear(&self->arena);
    spice_ticket_clear(&self->ticket);
    spice_tls_server_free(self->tls);
    g_main_loop_unref(self->loop);
    g_main_context_unref(self->context);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->closed);
    g_free(self->address);
    g_free(self->unix_path);
    g_free(self->tls_cert_file);
    g_free(self->tls_key_file);
    g_free(self->tls_key_password);
    g_free(self->tls_ciphers);
    g_free(self->websocket_origins);
    g_free(self->sasl_application);
    g_free(self->sasl_mechanisms);
    g_free(self->name);
    G_OBJECT_CLASS(gst_spice_server_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *object_class)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    const GParamFlags secret = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

    properties[PROP_ADDRESS] = g_param_spec_string(
        "address", "Address", "Address to listen on by TCP (unset: all)", NULL, flags);
    properties[PROP_PORT] = g_param_spec_int(
        "port", "Port", "TCP port (-1: none, 0: one that is free)", -1, 65535, -1, flags);
    properties[PROP_TLS_PORT] =
        g_param_spec_int("tls-port", "TLS port",
                         "TCP port with TLS (-1: none, 0: one that is free)", -1, 65535, -1, flags);
    properties[PROP_UNIX_PATH] = g_param_spec_string(
        "unix-path", "Unix socket", "Path of a unix socket to listen on", NULL, flags);
    properties[PROP_LISTEN_FD] = g_param_spec_int(
        "listen-fd", "Listening descriptor",
        "A socket that listens already (-1: none); it is taken over", -1, G_MAXINT, -1, flags);
    properties[PROP_TICKET] = g_param_spec_string(
        "ticket", "Ticket", "Password that clients have to know (unset: none)", NULL, secret);
    properties[PROP_TLS_CERT_FILE] =
        g_param_spec_string("tls-cert-file", "TLS certificate",
                            "PEM file of the certificate and its chain", NULL, flags);
    properties[PROP_TLS_KEY_FILE] = g_param_spec_string(
        "tls-key-file", "TLS key", "PEM file of the certificate's key", NULL, flags);
    properties[PROP_TLS_KEY_PASSWORD] = g_param_spec_string(
        "tls-key-password", "TLS key password", "Password of the key file", NULL, secret);
    properties[PROP_TLS_CIPHERS] =
        g_param_spec_string("tls-ciphers", "TLS ciphers", "OpenSSL's cipher list", NULL, flags);
    properties[PROP_WEBSOCKET] = g_param_spec_boolean(
        "websocket", "WebSocket", "Whether browsers may connect on the same ports", FALSE, flags);
    properties[PROP_WEBSOCKET_ORIGINS] = g_param_spec_string(
        "websocket-origins", "WebSocket origins",
        "Origins of web pages that may connect, beside the host itself, separated by commas", NULL,
        flags);
    properties[PROP_SASL] = g_param_spec_boolean(
        "sasl", "SASL", "Ask clients for user name and password by SASL, instead of the ticket",
        FALSE, flags);
    properties[PROP_SASL_APPLICATION] = g_param_spec_string(
        "sasl-application", "SASL application",
        "Name of the file of SASL's configuration, without .conf (unset: spice)", NULL, flags);
    properties[PROP_SASL_MECHANISMS] = g_param_spec_string(
        "sasl-mechanisms", "SASL mechanisms",
        "Mechanisms that may be used, separated by commas (unset: all that are installed but "
        "CRAM-MD5, DIGEST-MD5 and NTLM)",
        NULL, flags);
    properties[PROP_MOUSE_MODES] =
        g_param_spec_flags("mouse-modes", "Mouse modes", "Mouse modes that clients may use",
                           GST_SPICE_TYPE_MOUSE_MODES, GST_SPICE_MOUSE_MODES_BOTH, flags);
    properties[PROP_IMAGE_COMPRESSION] = g_param_spec_enum(
        "image-compression", "Image compression",
        "How images are sent to clients that have no wish of their own",
        GST_SPICE_TYPE_IMAGE_COMPRESSION, GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE, flags);
    properties[PROP_JPEG_COMPRESSION] = g_param_spec_enum(
        "jpeg-wan-compression", "JPEG compression", "Whether photos are sent lossy at first",
        GST_SPICE_TYPE_WAN_COMPRESSION, GST_SPICE_WAN_COMPRESSION_AUTO, flags);
    properties[PROP_ZLIB_GLZ_COMPRESSION] =
        g_param_spec_enum("zlib-glz-wan-compression", "Zlib compression",
                          "Whether GLZ images are compressed once more",
                          GST_SPICE_TYPE_WAN_COMPRESSION, GST_SPICE_WAN_COMPRESSION_AUTO, flags);
    properties[PROP_STREAMING_VIDEO] = g_param_spec_enum(
        "streaming-video", "Streaming video", "Which draws are sent as video streams",
        GST_SPICE_TYPE_STREAMING_VIDEO, GST_SPICE_STREAMING_VIDEO_FILTER, flags);
    properties[PROP_VIDEO_CODECS] = g_param_spec_string(
        "video-codecs", "Video codecs",
        "Codecs of video streams, the best first; the first that a client decodes is used",
        GST_SPICE_DEFAULT_VIDEO_CODECS, flags);
    properties[PROP_NAME] =
        g_param_spec_string("name", "Name", "What the desktop is called", NULL, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);
}

static void gst_spice_server_class_init(GstSpiceServerClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    object_class->set_property = gst_spice_server_set_property;
    object_class->get_property = gst_spice_server_get_property;
    object_class->dispose = gst_spice_server_dispose;
    object_class->finalize = gst_spice_server_finalize;
    install_properties(object_class);
    signals[SIGNAL_CLIENT_CONNECTED] =
        g_signal_new("client-connected", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
    signals[SIGNAL_CLIENT_DISCONNECTED] =
        g_signal_new("client-disconnected", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
    signals[SIGNAL_REFUSED] =
        g_signal_new("refused", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

GstSpiceServer *gst_spice_server_new(void)
{
    return g_object_new(GST_SPICE_TYPE_SERVER, NULL);
}
