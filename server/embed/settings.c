/* Settings of a server that the host makes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include <string.h>

#include "core/wire/channel.h"
#include "gstreamer.h"

enum { MAX_ADDRESS = 255 };

spice_compat_version_t spice_get_current_compat_version(void)
{
    return SPICE_COMPAT_VERSION_CURRENT;
}

int spice_server_set_compat_version(SpiceServer *s, spice_compat_version_t version)
{
    return version == SPICE_COMPAT_VERSION_CURRENT ? 0 : -1;
}

/* Ways in */

int spice_server_set_port(SpiceServer *s, int port)
{
    if (port < 0 || port > G_MAXUINT16)
        return -1;
    g_object_set(s->session, "port", port, NULL);
    return 0;
}

void spice_server_set_addr(SpiceServer *s, const char *addr, int flags)
{
    g_free(s->address);
    s->address = g_strndup(addr ? addr : "", MAX_ADDRESS);
    s->address_flags = flags;
}

int spice_server_set_listen_socket_fd(SpiceServer *s, int listen_fd)
{
    g_object_set(s->session, "listen-fd", listen_fd, NULL);
    return 0;
}

int spice_server_set_tls(SpiceServer *s, int port, const char *ca_cert_file, const char *certs_file,
                         const char *private_key_file, const char *key_passwd,
                         const char *dh_key_file, const char *ciphersuite)
{
    if (port < 1 || port > G_MAXUINT16 || !ca_cert_file || !certs_file || !private_key_file)
        return -1;
    g_object_set(s->session, "tls-port", port, "tls-cert-file", certs_file, "tls-key-file",
                 private_key_file, "tls-key-password", key_passwd, "tls-ciphers", ciphersuite,
                 NULL);
    return 0;
}

int spice_server_set_channel_security(SpiceServer *s, const char *channel, int security)
{
    static const char *const names[SPICE_END_CHANNEL] = {
        [SPICE_CHANNEL_MAIN] = "main",           [SPICE_CHANNEL_DISPLAY] = "display",
        [SPICE_CHANNEL_INPUTS] = "inputs",       [SPICE_CHANNEL_CURSOR] = "cursor",
        [SPICE_CHANNEL_PLAYBACK] = "playback",   [SPICE_CHANNEL_RECORD] = "record",
        [SPICE_CHANNEL_SMARTCARD] = "smartcard", [SPICE_CHANNEL_USBREDIR] = "usbredir",
        [SPICE_CHANNEL_PORT] = "port",           [SPICE_CHANNEL_WEBDAV] = "webdav",
    };
    GstSpiceChannelSecurity rule = GST_SPICE_CHANNEL_SECURITY_ANY;
    guint8 type;

    if (!(security & SPICE_CHANNEL_SECURITY_NONE))
        rule = GST_SPICE_CHANNEL_SECURITY_TLS;
    else if (!(security & SPICE_CHANNEL_SECURITY_SSL))
        rule = GST_SPICE_CHANNEL_SECURITY_PLAIN;
    if (!channel) {
        gst_spice_server_set_channel_security(s->session, 0, rule);
        return 0;
    }
    if (strcmp(channel, "tunnel") == 0)
        return 0; /* a channel of old, which is not to be had */
    for (type = 0; type < G_N_ELEMENTS(names); type++) {
        if (names[type] && strcmp(channel, names[type]) == 0) {
            gst_spice_server_set_channel_security(s->session, type, rule);
            return 0;
        }
    }
    return -1;
}

/* Who gets in */

int spice_server_set_noauth(SpiceServer *s)
{
    g_object_set(s->session, "ticket", NULL, NULL);
    return 0;
}

int spice_server_set_ticket(SpiceServer *s, const char *passwd, int lifetime, int fail_if_connected,
                            int disconnect_if_connected)
{
    if (spice_server_get_num_clients(s) > 0) {
        if (fail_if_connected)
            return -1;
        if (disconnect_if_connected)
            gst_spice_server_disconnect_clients(s->session, "the password was changed");
    }
    return gst_spice_server_set_ticket(s->session, passwd, lifetime > 0 ? (guint)lifetime : 0) ? 0
                                                                                               : -1;
}

int spice_server_set_sasl(SpiceServer *s, int enabled)
{
    if (enabled && !gst_spice_server_has_sasl())
        return -1;
    g_object_set(s->session, "sasl", enabled != 0, NULL);
    return 0;
}

int spice_server_set_sasl_appname(SpiceServer *s, const char *appname)
{
    g_object_set(s->session, "sasl-application", appname, NULL);
    return 0;
}

static int take_client(SpiceServer *s, int fd, gboolean tls, gboolean trusted)
{
    g_autoptr(GError) error = NULL;
    sigset_t signals;
    gboolean taken;

    if (!s->core)
        return -1;
    spice_host_block_signals(&signals); /* for threads that begin with the first client */
    taken = gst_spice_server_take_connection(s->session, fd, tls, trusted, &error);
    spice_host_restore_signals(&signals);
    if (taken)
        return 0;
    g_warning("a client was not taken: %s", error ? error->message : "no server");
    return -1;
}

int spice_server_add_client(SpiceServer *s, int socket, int skip_auth)
{
    return take_client(s, socket, FALSE, skip_auth);
}

int spice_server_add_ssl_client(SpiceServer *s, int socket, int skip_auth)
{
    return take_client(s, socket, TRUE, skip_auth);
}

int spice_server_set_exit_on_disconnect(SpiceServer *s, int flag)
{
    s->exit_on_disconnect = flag != 0;
    return 0;
}

/* Pictures */

int spice_server_add_renderer(SpiceServer *s, const char *name)
{
    return name && strcmp(name, "sw") == 0 ? 0 : -1;
}

int spice_server_set_image_compression(SpiceServer *s, SpiceImageCompression comp)
{
    static const GstSpiceImageCompression modes[] = {
        [SPICE_IMAGE_COMPRESSION_OFF] = GST_SPICE_IMAGE_COMPRESSION_OFF,
        [SPICE_IMAGE_COMPRESSION_AUTO_GLZ] = GST_SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
        [SPICE_IMAGE_COMPRESSION_AUTO_LZ] = GST_SPICE_IMAGE_COMPRESSION_AUTO_LZ,
        [SPICE_IMAGE_COMPRESSION_QUIC] = GST_SPICE_IMAGE_COMPRESSION_QUIC,
        [SPICE_IMAGE_COMPRESSION_GLZ] = GST_SPICE_IMAGE_COMPRESSION_GLZ,
        [SPICE_IMAGE_COMPRESSION_LZ] = GST_SPICE_IMAGE_COMPRESSION_LZ,
        [SPICE_IMAGE_COMPRESSION_LZ4] = GST_SPICE_IMAGE_COMPRESSION_LZ4,
    };
    guint i;

    if (comp <= SPICE_IMAGE_COMPRESSION_INVALID || (gsize)comp >= G_N_ELEMENTS(modes))
        return -1;
    s->image_compression = comp;
    g_object_set(s->session, "image-compression", modes[comp], NULL);
    for (i = 0; i < s->qxls->len; i++)
        spice_host_qxl_set_compression_level(s, s->qxls->pdata[i]);
    return 0;
}

SpiceImageCompression spice_server_get_image_compression(SpiceServer *s)
{
    return s->image_compression;
}

static int set_wan(SpiceServer *s, const char *property, spice_wan_compression_t comp)
{
    static const GstSpiceWanCompression values[] = {
        [SPICE_WAN_COMPRESSION_AUTO] = GST_SPICE_WAN_COMPRESSION_AUTO,
        [SPICE_WAN_COMPRESSION_ALWAYS] = GST_SPICE_WAN_COMPRESSION_ALWAYS,
        [SPICE_WAN_COMPRESSION_NEVER] = GST_SPICE_WAN_COMPRESSION_NEVER,
    };

    if (comp <= SPICE_WAN_COMPRESSION_INVALID || (gsize)comp >= G_N_ELEMENTS(values))
        return -1;
    g_object_set(s->session, property, values[comp], NULL);
    return 0;
}

int spice_server_set_jpeg_compression(SpiceServer *s, spice_wan_compression_t comp)
{
    return set_wan(s, "jpeg-wan-compression", comp);
}

int spice_server_set_zlib_glz_compression(SpiceServer *s, spice_wan_compression_t comp)
{
    return set_wan(s, "zlib-glz-wan-compression", comp);
}

int spice_server_set_streaming_video(SpiceServer *s, int value)
{
    guint i;

    if (value < SPICE_STREAM_VIDEO_OFF || value > SPICE_STREAM_VIDEO_FILTER)
        return -1;
    s->streaming_video = value;
    g_object_set(s->session, "streaming-video", value, NULL);
    for (i = 0; i < s->qxls->len; i++)
        spice_host_qxl_set_compression_level(s, s->qxls->pdata[i]);
    return 0;
}

/** Whether an entry "encoder:codec" names a codec and an encoder that the interface knows. */
static gboolean is_codec(const char *entry)
{
    static const char *const encoders[] = {"spice", "gstreamer", NULL};
    static const char *const codecs[] = {"mjpeg", "vp8", "vp9", "h264", "h265", NULL};
    g_auto(GStrv) parts = g_strsplit(entry, ":", 2);

    return parts[0] && parts[1] && g_strv_contains(encoders, parts[0]) &&
           g_strv_contains(codecs, parts[1]);
}

/** The codecs of entries that end in ";", comma-separated. (transfer full) */
static char *codec_names(const char *entries)
{
    g_auto(GStrv) list = g_strsplit(entries, ";", -1);
    GString *names = g_string_new(NULL);
    guint i;

    for (i = 0; list[i] && strchr(list[i], ':'); i++)
        g_string_append_printf(names, "%s,", strchr(list[i], ':') + 1);
    return g_string_free(names, FALSE);
}

int spice_server_set_video_codecs(SpiceServer *s, const char *video_codecs)
{
    g_autofree char *names = NULL;
    g_auto(GStrv) entries = g_strsplit(video_codecs ? video_codecs : "", ";", -1);
    g_autoptr(GString) good = g_string_new(NULL);
    guint i;

    if (video_codecs && strcmp(video_codecs, "auto") == 0)
        g_string_assign(good, "spice:mjpeg;gstreamer:mjpeg;gstreamer:vp8;gstreamer:vp9;"
                              "gstreamer:h264;gstreamer:h265;");
    else
        for (i = 0; entries[i]; i++)
            if (is_codec(entries[i]))
                g_string_append_printf(good, "%s;", entries[i]);
    if (good->len == 0)
        return -1;
    g_free(s->video_codecs);
    s->video_codecs = g_strdup(good->str);
    names = codec_names(good->str);
    if (g_strcmp0(names, "mjpeg,") != 0)
        spice_host_load_encoders();
    g_object_set(s->session, "video-codecs", names, NULL);
    return 0;
}

const char *spice_server_get_video_codecs(SpiceServer *s)
{
    return g_strdup(s->video_codecs);
}

void spice_server_free_video_codecs(SpiceServer *s, const char *video_codecs)
{
    g_free((char *)video_codecs);
}

/* The agent */

int spice_server_set_agent_mouse(SpiceServer *s, int enable)
{
    s->agent_mouse = enable != 0;
    spice_host_update_mouse(s);
    return 0;
}

static void set_agent_rules(SpiceServer *s)
{
    gst_spice_server_set_agent_rules(s->session, s->agent_clipboard, s->agent_files);
}

int spice_server_set_agent_copypaste(SpiceServer *s, int enable)
{
    s->agent_clipboard = enable != 0;
    set_agent_rules(s);
    return 0;
}

int spice_server_set_agent_file_xfer(SpiceServer *s, int enable)
{
    s->agent_files = enable != 0;
    set_agent_rules(s);
    return 0;
}

/* What it is */

void spice_server_set_name(SpiceServer *s, const char *name)
{
    g_object_set(s->session, "name", name, NULL);
}

void spice_server_set_uuid(SpiceServer *s, const uint8_t uuid[16])
{
    gst_spice_server_set_uuid(s->session, uuid);
}

int spice_server_get_sock_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen)
{
    return -1;
}

int spice_server_get_peer_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen)
{
    return -1;
}

int spice_server_is_server_mouse(SpiceServer *s)
{
    g_autoptr(GArray) clients = NULL;
    guint i;

    if (!s->core)
        return 0;
    clients = gst_spice_server_get_stats(s->session);
    for (i = 0; i < clients->len; i++)
        if (g_array_index(clients, GstSpiceClientStats, i).mouse_mode ==
            GST_SPICE_MOUSE_MODES_CLIENT)
            return 0;
    return 1;
}

int spice_server_get_num_clients(SpiceServer *s)
{
    g_autoptr(GArray) clients = gst_spice_server_get_stats(s->session);

    return (int)clients->len;
}
