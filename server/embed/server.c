/* The server itself: made, opened, given instances, run, ended.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gstreamer.h"
#include "host-config.h"
#include "sound.h"

SpiceServer *spice_server_new(void)
{
    SpiceServer *self;

    /* A host ends by exit(), our threads running: OpenSSL must not be taken apart under them. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    if (!spice_host_start_gstreamer())
        return NULL;
    self = g_new0(SpiceServer, 1);
    self->session = gst_spice_server_new();
    g_object_set(self->session, "video-codecs", "mjpeg", NULL);
    /* Nobody gets in before the host has said who may. */
    gst_spice_server_set_ticket(self->session, NULL, 0);
    gst_spice_server_set_mouse_modes(self->session, GST_SPICE_MOUSE_MODES_SERVER);
    /* As the field's server lets browsers in, so that a host's console of old goes on to work. */
    g_object_set(self->session, "websocket", TRUE, NULL);
    self->qxls = g_ptr_array_new();
    self->char_devices = g_ptr_array_new();
    self->streamed = g_array_new(FALSE, FALSE, sizeof(HostStreamedDisplay));
    g_array_set_clear_func(self->streamed, spice_host_streamed_display_clear);
    self->agent_mouse = self->agent_clipboard = self->agent_files = TRUE;
    g_mutex_init(&self->input_lock);
    g_queue_init(&self->inputs);
    self->image_compression = SPICE_IMAGE_COMPRESSION_AUTO_GLZ;
    g_object_set(self->session, "image-compression", GST_SPICE_IMAGE_COMPRESSION_AUTO_GLZ, NULL);
    self->streaming_video = SPICE_STREAM_VIDEO_FILTER;
    self->video_codecs = g_strdup("spice:mjpeg;");
    return self;
}

/* Opening */

/** Tells the session where to listen, by the address that the host gave. FALSE: nowhere, which is
 * lawful. */
static gboolean set_address(SpiceServer *self)
{
    gint port, tls_port, fd;

    if (self->address_flags & SPICE_ADDR_FLAG_UNIX_ONLY) {
        g_object_set(self->session, "unix-path", self->address, "port", -1, NULL);
        return TRUE;
    }
    if (self->address && *self->address)
        g_object_set(self->session, "address", self->address, NULL);
    else if (self->address_flags & SPICE_ADDR_FLAG_IPV4_ONLY)
        g_object_set(self->session, "address", "0.0.0.0", NULL);
    else if (self->address_flags & SPICE_ADDR_FLAG_IPV6_ONLY)
        g_object_set(self->session, "address", "::", NULL);
    g_object_get(self->session, "port", &port, "tls-port", &tls_port, "listen-fd", &fd, NULL);
    return port >= 0 || tls_port >= 0 || fd >= 0;
}

static void exit_if_alone(gpointer data)
{
    SpiceServer *self = data;

    if (self->exit_on_disconnect && spice_server_get_num_clients(self) == 0)
        exit(0);
}

static void on_client_disconnected(GstSpiceServer *session, guint client, const char *why,
                                   gpointer user_data)
{
    SpiceServer *self = user_data;

    if (self->exit_on_disconnect)
        host_loop_post(self->loop, exit_if_alone, self, NULL);
}

static gboolean open_session(SpiceServer *self)
{
    g_autoptr(GError) error = NULL;

    self->clients = gst_spice_client_pipelines_new(self->session);
    gst_spice_server_set_input_handler(self->session, &spice_host_input_handler, self);
    gst_spice_server_set_connection_handler(self->session, &spice_host_connection_handler, self);
    g_signal_connect(self->session, "client-disconnected", G_CALLBACK(on_client_disconnected),
                     self);
    if (!set_address(self))
        return TRUE;
    if (gst_spice_server_listen(self->session, &error))
        return TRUE;
    g_warning("%s", error->message);
    return FALSE;
}

/* Hosts end without destroying their servers: the socket of the statistics goes all the same. */
static char *statistics_path;

__attribute__((destructor)) static void remove_statistics(void)
{
    if (statistics_path)
        unlink(statistics_path);
}

/** What the administrator asked for; nothing of it stops a machine from starting. */
static void apply_host_config(SpiceServer *self)
{
    g_autoptr(GError) error = NULL;
    HostConfig config;
    g_autofree char *path = NULL;

    if (!host_config_read(&config, HOST_CONFIG, 0, &error)) {
        g_warning("%s", error->message);
        return;
    }
    if (config.statistics_folder) {
        path = g_strdup_printf("%s/%d.sock", config.statistics_folder, (int)getpid());
        if (!gst_spice_server_open_statistics(self->session, path, &error))
            g_warning("no statistics: %s", error->message);
        else if (!statistics_path)
            statistics_path = g_steal_pointer(&path);
    }
    host_config_clear(&config);
}

int spice_server_init(SpiceServer *self, SpiceCoreInterface *core)
{
    sigset_t signals;
    gboolean opened;

    if (self->core || core->base.major_version != SPICE_INTERFACE_CORE_MAJOR)
        return -1;
    self->loop = host_loop_new(core);
    if (!self->loop)
        return -1;
    self->core = core;
    spice_host_block_signals(&signals);
    opened = open_session(self);
    if (opened)
        apply_host_config(self);
    spice_host_restore_signals(&signals);
    return opened ? 0 : -1;
}

void spice_server_destroy(SpiceServer *self)
{
    gst_spice_server_close(self->session);
    while (self->char_devices->len > 0)
        spice_host_remove_char_device(self, self->char_devices->pdata[self->char_devices->len - 1]);
    while (self->qxls->len > 0)
        spice_host_remove_qxl(self, self->qxls->pdata[self->qxls->len - 1]);
    spice_host_remove_playback(self);
    spice_host_remove_record(self);
    g_clear_pointer(&self->clients, gst_spice_client_pipelines_free);
    gst_spice_server_set_input_handler(self->session, NULL, NULL);
    gst_spice_server_set_connection_handler(self->session, NULL, NULL);
    g_signal_handlers_disconnect_by_data(self->session, self);
    if (self->loop)
        host_loop_flush(self->loop); /* the last that the host is told */
    g_clear_pointer(&self->loop, host_loop_free);
    g_queue_clear_full(&self->inputs, spice_host_input_free);
    g_mutex_clear(&self->input_lock);
    g_object_unref(self->session);
    g_ptr_array_unref(self->qxls);
    g_ptr_array_unref(self->char_devices);
    g_array_unref(self->streamed);
    g_free(self->address);
    g_free(self->video_codecs);
    g_free(self);
}

/* Instances */

typedef struct {
    const char *type;
    guint32 major, minor;
    int (*add)(SpiceServer *server, SpiceBaseInstance *instance);
    /** NULL: it cannot be removed. */
    int (*remove)(SpiceServer *server, SpiceBaseInstance *instance);
} Kind;

static int add_keyboard(SpiceServer *server, SpiceBaseInstance *instance)
{
    if (server->keyboard)
        return -1;
    server->keyboard = (SpiceKbdInstance *)instance;
    server->keyboard->st = (SpiceKbdState *)server;
    return 0;
}

static int add_mouse(SpiceServer *server, SpiceBaseInstance *instance)
{
    if (server->mouse)
        return -1;
    server->mouse = (SpiceMouseInstance *)instance;
    server->mouse->st = (SpiceMouseState *)server;
    return 0;
}

static int add_tablet(SpiceServer *server, SpiceBaseInstance *instance)
{
    if (server->tablet)
        return -1;
    server->tablet = (SpiceTabletInstance *)instance;
    server->tablet->st = (SpiceTabletState *)server;
    spice_host_update_mouse(server);
    return 0;
}

static int remove_tablet(SpiceServer *server, SpiceBaseInstance *instance)
{
    if (server->tablet != (SpiceTabletInstance *)instance)
        return -1;
    server->tablet->st = NULL;
    server->tablet = NULL;
    spice_host_update_mouse(server);
    return 0;
}

static int add_migration(SpiceServer *server, SpiceBaseInstance *instance)
{
    if (server->migration)
        return -1;
    server->migration = (SpiceMigrateInstance *)instance;
    server->migration->st = (SpiceMigrateState *)server;
    return 0;
}

static int add_qxl(SpiceServer *server, SpiceBaseInstance *instance)
{
    return spice_host_add_qxl(server, (QXLInstance *)instance);
}

static int remove_qxl(SpiceServer *server, SpiceBaseInstance *instance)
{
    spice_host_remove_qxl(server, (QXLInstance *)instance);
    return 0;
}

static int add_playback(SpiceServer *server, SpiceBaseInstance *instance)
{
    return spice_host_add_playback(server, (SpicePlaybackInstance *)instance);
}

static int remove_playback(SpiceServer *server, SpiceBaseInstance *instance)
{
    spice_host_remove_playback(server);
    return 0;
}

static int add_record(SpiceServer *server, SpiceBaseInstance *instance)
{
    return spice_host_add_record(server, (SpiceRecordInstance *)instance);
}

static int remove_record(SpiceServer *server, SpiceBaseInstance *instance)
{
    spice_host_remove_record(server);
    return 0;
}

static int add_char_device(SpiceServer *server, SpiceBaseInstance *instance)
{
    return spice_host_add_char_device(server, (SpiceCharDeviceInstance *)instance);
}

static int remove_char_device(SpiceServer *server, SpiceBaseInstance *instance)
{
    spice_host_remove_char_device(server, (SpiceCharDeviceInstance *)instance);
    return 0;
}

static const Kind kinds[] = {
    {SPICE_INTERFACE_KEYBOARD, 1, 1, add_keyboard, NULL},
    {SPICE_INTERFACE_MOUSE, 1, 1, add_mouse, NULL},
    {SPICE_INTERFACE_TABLET, 1, 1, add_tablet, remove_tablet},
    {SPICE_INTERFACE_MIGRATION, 1, 1, add_migration, NULL},
    {SPICE_INTERFACE_QXL, 3, 3, add_qxl, remove_qxl},
    {SPICE_INTERFACE_PLAYBACK, 1, 3, add_playback, remove_playback},
    {SPICE_INTERFACE_RECORD, 2, 3, add_record, remove_record},
    {SPICE_INTERFACE_CHAR_DEVICE, 1, 3, add_char_device, remove_char_device},
};

static const Kind *find_kind(const SpiceBaseInstance *instance)
{
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(instance->sif->type, kinds[i].type) == 0)
            return &kinds[i];
    return NULL;
}

int spice_server_add_interface(SpiceServer *self, SpiceBaseInstance *instance)
{
    const Kind *kind = find_kind(instance);

    if (!kind)
        return 0; /* nothing that we know; the field's server takes it as well */
    if (instance->sif->major_version != kind->major || instance->sif->minor_version > kind->minor) {
        g_warning("%s: an interface of version %u.%u is not known", kind->type,
                  instance->sif->major_version, instance->sif->minor_version);
        return -1;
    }
    return kind->add(self, instance);
}

/** Instances without a state of their own have the server in its place. */
static SpiceServer *the_server_of(SpiceBaseInstance *instance)
{
    if (strcmp(instance->sif->type, SPICE_INTERFACE_QXL) == 0)
        return spice_host_qxl_get_server((QXLInstance *)instance);
    if (strcmp(instance->sif->type, SPICE_INTERFACE_CHAR_DEVICE) == 0)
        return spice_host_char_device_get_server((SpiceCharDeviceInstance *)instance);
    if (strcmp(instance->sif->type, SPICE_INTERFACE_PLAYBACK) == 0)
        return spice_host_playback_get_server((SpicePlaybackInstance *)instance);
    if (strcmp(instance->sif->type, SPICE_INTERFACE_RECORD) == 0)
        return spice_host_record_get_server((SpiceRecordInstance *)instance);
    /* of all others the state follows the interface at once */
    return (SpiceServer *)((SpiceTabletInstance *)instance)->st;
}

int spice_server_remove_interface(SpiceBaseInstance *instance)
{
    const Kind *kind = find_kind(instance);
    SpiceServer *self = kind && kind->remove ? the_server_of(instance) : NULL;

    return self ? kind->remove(self, instance) : -1;
}

int spice_server_kbd_leds(SpiceKbdInstance *instance, int leds)
{
    SpiceServer *self = (SpiceServer *)instance->st;

    if (self)
        gst_spice_server_set_locks(self->session, (guint)leds);
    return 0;
}

/* Running */

void spice_server_vm_start(SpiceServer *self)
{
    guint i;

    self->vm_running = TRUE;
    for (i = 0; i < self->qxls->len; i++)
        spice_host_qxl_set_running(self->qxls->pdata[i], TRUE);
    spice_host_pump_char_devices(self);
}

void spice_server_vm_stop(SpiceServer *self)
{
    guint i;

    self->vm_running = FALSE;
    for (i = 0; i < self->qxls->len; i++)
        spice_host_qxl_set_running(self->qxls->pdata[i], FALSE);
}
