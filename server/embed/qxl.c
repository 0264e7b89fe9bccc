/* QXL instances of the host: their pipelines, and the host's calls as calls of the worker.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include <string.h>

#include "core/wire/vdagent.h"
#include "gstreamer.h"
#include "qxl-device.h"
#include "qxlsrc.h"

/* Of what a host says of its device for the agent. */
enum { MAX_ADDRESS = 255, MAX_OUTPUTS = 64 };

struct QXLState {
    SpiceServer *server;
    QXLInstance *instance;
    GstElement *pipeline;
    GstSpiceQxlSrc *source; /* the pipeline's */
    QxlDevice *device;

    GMutex lock;
    gint width, height; /* under lock: of the primary; 0 x 0: there is none */
    gboolean absolute;  /* under lock */

    /* what the guest knows it by; of the host's thread */
    char *address; /* NULL: the host has not said */
    guint32 first_output, n_outputs;
};

/* What the device says */

static void on_push(SpiceDrawable *drawable, gboolean more, gpointer user_data)
{
    QXLState *self = user_data;

    gst_spice_qxl_src_push(self->source, drawable, more);
}

static void update_mouse(gpointer data)
{
    spice_host_update_mouse(data);
}

static void on_primary_changed(gint width, gint height, gboolean absolute, gpointer user_data)
{
    QXLState *self = user_data;

    g_mutex_lock(&self->lock);
    self->width = width;
    self->height = height;
    self->absolute = absolute;
    g_mutex_unlock(&self->lock);
    host_loop_post(self->server->loop, update_mouse, self->server, NULL);
}

gboolean spice_host_qxl_get_primary(QXLInstance *instance, gint *width, gint *height,
                                    gboolean *absolute)
{
    QXLState *self = instance->st;

    g_mutex_lock(&self->lock);
    *width = self->width;
    *height = self->height;
    *absolute = self->absolute;
    g_mutex_unlock(&self->lock);
    return *width > 0;
}

SpiceServer *spice_host_qxl_get_server(QXLInstance *instance)
{
    return instance->st ? instance->st->server : NULL;
}

/* For the guest's agent: which of its outputs a monitor of a display channel is */

static void tell_agent(SpiceServer *server)
{
    g_autoptr(GArray) displays = g_array_new(FALSE, TRUE, sizeof(SpiceVDAgentDeviceDisplayInfo));
    SpiceVDAgentGraphicsDeviceInfo message;
    SpiceBuffer data = {.allocator = &spice_allocator_libc};
    guint i, k;

    for (i = 0; i < server->qxls->len; i++) {
        const QXLInstance *instance = server->qxls->pdata[i];
        const QXLState *self = instance->st;

        for (k = 0; self->address && k < self->n_outputs; k++) {
            const SpiceVDAgentDeviceDisplayInfo info = {
                .channel_id = (guint32)instance->id,
                .monitor_id = k,
                .device_display_id = self->first_output + k,
                .device_address = {(const guint8 *)self->address, strlen(self->address) + 1}};

            g_array_append_val(displays, info);
        }
    }
    for (i = 0; i < server->streamed->len; i++) {
        const HostStreamedDisplay *streamed =
            &g_array_index(server->streamed, HostStreamedDisplay, i);
        const SpiceVDAgentDeviceDisplayInfo info = {
            .channel_id = streamed->display,
            .device_display_id = streamed->output,
            .device_address = {(const guint8 *)streamed->address, strlen(streamed->address) + 1}};

        g_array_append_val(displays, info);
    }
    message = (SpiceVDAgentGraphicsDeviceInfo){
        displays->len, (SpiceVDAgentDeviceDisplayInfo *)(void *)displays->data};
    if (spice_message_write(spice_vd_agent_find(VD_AGENT_GRAPHICS_DEVICE_INFO), &message, &data,
                            NULL)) {
        g_autoptr(GBytes) bytes = g_bytes_new(data.data, data.size);

        gst_spice_server_set_display_info(server->session, bytes);
    }
    spice_buffer_clear(&data);
}

void spice_host_streamed_display_clear(gpointer display)
{
    g_free(((HostStreamedDisplay *)display)->address);
}

static void forget_streamed(SpiceServer *server, gconstpointer device)
{
    guint i;

    for (i = server->streamed->len; i-- > 0;)
        if (g_array_index(server->streamed, HostStreamedDisplay, i).device == device)
            g_array_remove_index(server->streamed, i);
}

void spice_host_add_streamed_display(SpiceServer *server, HostStreamedDisplay display)
{
    forget_streamed(server, display.device);
    g_array_append_val(server->streamed, display);
    tell_agent(server);
}

void spice_host_remove_streamed_display(SpiceServer *server, gconstpointer device)
{
    const guint before = server->streamed->len;

    forget_streamed(server, device);
    if (server->streamed->len != before)
        tell_agent(server);
}

/* Coming and going */

static gboolean make_pipeline(QXLState *self)
{
    GstElement *sink = gst_element_factory_make("spicedisplaysink", NULL);

    self->source = GST_SPICE_QXL_SRC(gst_element_factory_make("qxlsrc", NULL));
    self->pipeline = gst_pipeline_new(NULL);
    if (!sink || !self->source)
        return FALSE;
    g_object_set(sink, "server", self->server->session, "display-id", (guint)self->instance->id,
                 NULL);
    gst_bin_add_many(GST_BIN(self->pipeline), GST_ELEMENT(self->source), sink, NULL);
    return gst_element_link(GST_ELEMENT(self->source), sink) &&
           gst_element_set_state(self->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

static void free_state(QXLState *self)
{
    g_clear_pointer(&self->device, qxl_device_free);
    gst_element_set_state(self->pipeline, GST_STATE_NULL);
    gst_object_unref(self->pipeline);
    g_mutex_clear(&self->lock);
    g_free(self->address);
    g_free(self);
}

int spice_host_add_qxl(SpiceServer *server, QXLInstance *instance)
{
    static const QxlDeviceHandler handler = {on_push, on_primary_changed};
    const QXLInterface *interface = SPICE_UPCAST(QXLInterface, instance->base.sif);
    QXLState *self = g_new0(QXLState, 1);
    sigset_t signals;
    gboolean ok;

    self->server = server;
    self->instance = instance;
    g_mutex_init(&self->lock);
    spice_host_block_signals(&signals);
    ok = make_pipeline(self);
    spice_host_restore_signals(&signals);
    if (ok)
        self->device = qxl_device_new(instance, server->session, &handler, self);
    if (!self->device) {
        free_state(self);
        return -1;
    }
    instance->st = self;
    g_ptr_array_add(server->qxls, instance);
    /* The host may call us from in there. */
    if (interface->attached_worker)
        interface->attached_worker(instance, (QXLWorker *)instance);
    spice_host_qxl_set_compression_level(server, instance);
    if (server->vm_running)
        spice_host_qxl_set_running(instance, TRUE);
    return 0;
}

void spice_host_remove_qxl(SpiceServer *server, QXLInstance *instance)
{
    g_ptr_array_remove(server->qxls, instance);
    free_state(g_steal_pointer(&instance->st));
    spice_host_update_mouse(server);
    tell_agent(server);
}

void spice_host_qxl_set_compression_level(SpiceServer *server, QXLInstance *instance)
{
    const QXLInterface *interface = SPICE_UPCAST(QXLInterface, instance->base.sif);

    if (interface->set_compression_level)
        interface->set_compression_level(
            instance, server->streaming_video == SPICE_STREAM_VIDEO_OFF &&
                          server->image_compression == SPICE_IMAGE_COMPRESSION_QUIC);
}

/* Calls */

static void post(QXLInstance *instance, QxlCall call)
{
    qxl_device_post(instance->st->device, &call);
}

static void call(QXLInstance *instance, QxlCall call)
{
    qxl_device_call(instance->st->device, &call);
}

static void post_async(QXLInstance *instance, QxlCall call, uint64_t cookie)
{
    call.completes = TRUE;
    call.cookie = cookie;
    post(instance, call);
}

void spice_host_qxl_set_running(QXLInstance *instance, gboolean running)
{
    call(instance, (QxlCall){.run = running ? qxl_run_start : qxl_run_stop});
}

void spice_host_qxl_clients_changed(QXLInstance *instance, const GstSpiceViewers *viewers)
{
    post(instance, (QxlCall){.run = qxl_run_set_clients, .viewers = *viewers});
}

void spice_qxl_wakeup(QXLInstance *instance)
{
    qxl_device_wakeup(instance->st->device);
}

void spice_qxl_oom(QXLInstance *instance)
{
    qxl_device_oom(instance->st->device);
}

void spice_qxl_start(QXLInstance *instance)
{
    spice_host_qxl_set_running(instance, TRUE);
}

void spice_qxl_stop(QXLInstance *instance)
{
    spice_host_qxl_set_running(instance, FALSE);
}

void spice_qxl_update_area(QXLInstance *instance, uint32_t surface_id, struct QXLRect *area,
                           struct QXLRect *dirty_rects, uint32_t num_dirty_rects,
                           uint32_t clear_dirty_region)
{
    QXLRect none;
    uint32_t i;

    for (i = 0; dirty_rects && i < num_dirty_rects; i++)
        dirty_rects[i] = (QXLRect){0};
    call(instance, (QxlCall){.run = qxl_run_update_area,
                             .id = surface_id,
                             .area = *area,
                             .dirty = dirty_rects ? dirty_rects : &none,
                             .n_dirty = dirty_rects ? num_dirty_rects : 0,
                             .flag = clear_dirty_region != 0});
}

void spice_qxl_update_area_async(QXLInstance *instance, uint32_t surface_id, struct QXLRect *area,
                                 uint32_t clear_dirty_region, uint64_t cookie)
{
    post_async(instance,
               (QxlCall){.run = qxl_run_update_area,
                         .id = surface_id,
                         .area = *area,
                         .flag = clear_dirty_region != 0},
               cookie);
}

void spice_qxl_add_memslot(QXLInstance *instance, QXLDevMemSlot *slot)
{
    call(instance, (QxlCall){.run = qxl_run_add_slot, .slot = *slot});
}

void spice_qxl_add_memslot_async(QXLInstance *instance, QXLDevMemSlot *slot, uint64_t cookie)
{
    post_async(instance, (QxlCall){.run = qxl_run_add_slot, .slot = *slot}, cookie);
}

void spice_qxl_del_memslot(QXLInstance *instance, uint32_t slot_group_id, uint32_t slot_id)
{
    post(instance, (QxlCall){.run = qxl_run_remove_slot, .group = slot_group_id, .id = slot_id});
}

void spice_qxl_reset_memslots(QXLInstance *instance)
{
    call(instance, (QxlCall){.run = qxl_run_reset_slots});
}

void spice_qxl_destroy_surfaces(QXLInstance *instance)
{
    call(instance, (QxlCall){.run = qxl_run_destroy_surfaces});
}

void spice_qxl_destroy_surfaces_async(QXLInstance *instance, uint64_t cookie)
{
    post_async(instance, (QxlCall){.run = qxl_run_destroy_surfaces}, cookie);
}

void spice_qxl_destroy_primary_surface(QXLInstance *instance, uint32_t surface_id)
{
    call(instance, (QxlCall){.run = qxl_run_destroy_primary, .id = surface_id});
}

void spice_qxl_destroy_primary_surface_async(QXLInstance *instance, uint32_t surface_id,
                                             uint64_t cookie)
{
    post_async(instance, (QxlCall){.run = qxl_run_destroy_primary, .id = surface_id}, cookie);
}

void spice_qxl_create_primary_surface(QXLInstance *instance, uint32_t surface_id,
                                      QXLDevSurfaceCreate *surface)
{
    call(instance, (QxlCall){.run = qxl_run_create_primary, .id = surface_id, .surface = *surface});
}

void spice_qxl_create_primary_surface_async(QXLInstance *instance, uint32_t surface_id,
                                            QXLDevSurfaceCreate *surface, uint64_t cookie)
{
    post_async(instance,
               (QxlCall){.run = qxl_run_create_primary, .id = surface_id, .surface = *surface},
               cookie);
}

void spice_qxl_destroy_surface_wait(QXLInstance *instance, uint32_t surface_id)
{
    call(instance, (QxlCall){.run = qxl_run_finish_surface, .id = surface_id});
}

void spice_qxl_destroy_surface_async(QXLInstance *instance, uint32_t surface_id, uint64_t cookie)
{
    post_async(instance, (QxlCall){.run = qxl_run_finish_surface, .id = surface_id}, cookie);
}

void spice_qxl_flush_surfaces_async(QXLInstance *instance, uint64_t cookie)
{
    post_async(instance, (QxlCall){.run = qxl_run_flush_surfaces}, cookie);
}

/* Images that a guest names again are those that clients keep; here nothing is kept. */
void spice_qxl_reset_image_cache(QXLInstance *instance)
{
    call(instance, (QxlCall){.run = qxl_run_nothing});
}

void spice_qxl_reset_cursor(QXLInstance *instance)
{
    call(instance, (QxlCall){.run = qxl_run_reset_cursor});
}

void spice_qxl_loadvm_commands(QXLInstance *instance, struct QXLCommandExt *ext, uint32_t count)
{
    call(instance, (QxlCall){.run = qxl_run_load_commands, .commands = ext, .n_commands = count});
}

void spice_qxl_monitors_config_async(QXLInstance *instance, QXLPHYSICAL monitors_config,
                                     int group_id, uint64_t cookie)
{
    post_async(instance,
               (QxlCall){.run = qxl_run_set_monitors,
                         .address = monitors_config,
                         .group = (guint32)group_id},
               cookie);
}

void spice_qxl_driver_unload(QXLInstance *instance)
{
    post(instance, (QxlCall){.run = qxl_run_unload_driver});
}

void spice_qxl_set_max_monitors(QXLInstance *instance, unsigned int max_monitors)
{
    post(instance, (QxlCall){.run = qxl_run_set_max_monitors, .id = max_monitors});
}

void spice_qxl_set_device_info(QXLInstance *instance, const char *device_address,
                               uint32_t device_display_id_start, uint32_t device_display_id_count)
{
    QXLState *self = instance->st;

    g_free(self->address);
    self->address = g_strndup(device_address ? device_address : "", MAX_ADDRESS);
    self->first_output = device_display_id_start;
    self->n_outputs = MIN(device_display_id_count, MAX_OUTPUTS);
    spice_qxl_set_max_monitors(instance, MAX(device_display_id_count, 1));
    tell_agent(self->server);
}

/* Scanouts of a GPU: given to clients that can be, copied draw by draw for the others. */

void spice_qxl_gl_scanout(QXLInstance *instance, int fd, uint32_t width, uint32_t height,
                          uint32_t stride, uint32_t format, int y_0_top)
{
    post(instance, (QxlCall){.run = qxl_run_gl_scanout,
                             .scanout = {.fd = fd,
                                         .width = width,
                                         .height = height,
                                         .stride = stride,
                                         .format = format,
                                         .top_down = y_0_top != 0}});
}

void spice_qxl_gl_draw_async(QXLInstance *instance, uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                             uint64_t cookie)
{
    const QXLRect area = {(gint32)MIN(y, G_MAXINT16), (gint32)MIN(x, G_MAXINT16),
                          (gint32)MIN((guint64)y + h, G_MAXINT16),
                          (gint32)MIN((guint64)x + w, G_MAXINT16)};

    post_async(instance, (QxlCall){.run = qxl_run_gl_draw, .area = area}, cookie);
}
