/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-size.h"

#include "client/monitors.h"
#include "core/wire/vdagent.h"

enum {
    QUIET_MS = 300,
    LEAST_SIDE = 200, /* no guest is of use below that */
    DEPTH = 32,
};

typedef struct {
    gint width, height;               /* 0 x 0: there is no such monitor */
    gint wished_width, wished_height; /* 0 x 0: as it is */
} Monitor;

struct SpiceGuestSize {
    GstSpiceSession *session;
    Monitor monitors[SPICE_MAX_MONITORS];
    guint timer; /* 0: nothing is to be asked for */
};

/** The size that a monitor is to have. */
static void choose_size(const Monitor *monitor, guint32 *width, guint32 *height)
{
    *width = (guint32)(monitor->wished_width ? monitor->wished_width : monitor->width);
    *height = (guint32)(monitor->wished_height ? monitor->wished_height : monitor->height);
}

/** All monitors, one beside the other, as agents do not know one alone. */
static guint make_config(const SpiceGuestSize *self, SpiceVDAgentMonitor *monitors)
{
    gint32 x = 0;
    guint n = 0, i;

    for (i = 0; i < SPICE_MAX_MONITORS; i++) {
        guint32 width, height;

        if (self->monitors[i].width == 0)
            continue;
        choose_size(&self->monitors[i], &width, &height);
        monitors[n++] =
            (SpiceVDAgentMonitor){.width = width, .height = height, .depth = DEPTH, .x = x};
        x += (gint32)width;
    }
    return n;
}

static gboolean ask(gpointer data)
{
    SpiceGuestSize *self = data;
    SpiceVDAgentMonitor monitors[SPICE_MAX_MONITORS];
    SpiceVDAgentMonitorsConfig config = {.flags = VD_AGENT_CONFIG_MONITORS_FLAG_USE_POS,
                                         .monitors = monitors};
    SpiceBuffer buffer = {.allocator = &spice_allocator_libc};
    guint32 agreed;

    self->timer = 0;
    config.n_monitors = make_config(self, monitors);
    if (gst_spice_session_get_agent(self->session, &agreed) &&
        (agreed & 1u << VD_AGENT_CAP_MONITORS_CONFIG) &&
        spice_message_write(spice_vd_agent_find(VD_AGENT_MONITORS_CONFIG), &config, &buffer,
                            NULL)) {
        g_autoptr(GBytes) bytes = g_bytes_new(buffer.data, buffer.size);

        gst_spice_session_send_agent(self->session, VD_AGENT_MONITORS_CONFIG, bytes);
    }
    spice_buffer_clear(&buffer);
    return G_SOURCE_REMOVE;
}

static void drop_timer(SpiceGuestSize *self)
{
    if (self->timer)
        g_source_remove(self->timer);
    self->timer = 0;
}

void spice_guest_size_set(SpiceGuestSize *self, guint number, gint width, gint height)
{
    Monitor *monitor = &self->monitors[number];

    monitor->width = width;
    monitor->height = height;
    if (width == 0)
        monitor->wished_width = monitor->wished_height = 0;
}

void spice_guest_size_wish(SpiceGuestSize *self, guint number, gint width, gint height)
{
    Monitor *monitor = &self->monitors[number];

    width = MAX(width, LEAST_SIDE);
    height = MAX(height, LEAST_SIDE);
    if (monitor->wished_width == width && monitor->wished_height == height)
        return;
    monitor->wished_width = width;
    monitor->wished_height = height;
    drop_timer(self);
    if (monitor->width != width || monitor->height != height)
        self->timer = g_timeout_add(QUIET_MS, ask, self);
}

SpiceGuestSize *spice_guest_size_new(GstSpiceSession *session)
{
    SpiceGuestSize *self = g_new0(SpiceGuestSize, 1);

    self->session = session;
    return self;
}

void spice_guest_size_free(SpiceGuestSize *self)
{
    if (!self)
        return;
    drop_timer(self);
    g_free(self);
}
