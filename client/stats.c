/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats.h"

#include <stdio.h>

struct SpiceStats {
    SpiceConnection *connection;
    guint source, seconds;
    guint64 bytes_before;
    /* since the last line: */
    guint frames, shown;
    guint64 damage;
    gint64 latency, latency_max; /* us; the first is a sum */
};

static gboolean print_line(gpointer data)
{
    SpiceStats *self = data;
    guint64 bytes = spice_connection_get_bytes(self->connection);

    printf("stats s=%u frames=%u shown=%u damage=%" G_GUINT64_FORMAT " bytes=%" G_GUINT64_FORMAT
           " latency-ms=%.2f latency-max-ms=%.2f\n",
           ++self->seconds, self->frames, self->shown, self->damage, bytes - self->bytes_before,
           self->shown ? (gdouble)self->latency / self->shown / 1000 : 0.0,
           (gdouble)self->latency_max / 1000);
    fflush(stdout);
    self->bytes_before = bytes;
    self->frames = self->shown = 0;
    self->damage = 0;
    self->latency = self->latency_max = 0;
    return G_SOURCE_CONTINUE;
}

SpiceStats *spice_stats_new(SpiceConnection *connection)
{
    SpiceStats *self = g_new0(SpiceStats, 1);

    self->connection = connection;
    self->source = g_timeout_add_seconds(1, print_line, self);
    return self;
}

void spice_stats_free(SpiceStats *self)
{
    if (!self)
        return;
    g_source_remove(self->source);
    g_free(self);
}

void spice_stats_shown(SpiceStats *self, const SpiceNewFrame *frame)
{
    gint64 latency = g_get_monotonic_time() - frame->arrived;
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles((pixman_region32_t *)&frame->damage, &n);

    for (i = 0; i < n; i++, box++)
        self->damage += (guint64)(box->x2 - box->x1) * (guint64)(box->y2 - box->y1);
    self->frames += frame->n_frames;
    self->shown++;
    self->latency += latency;
    self->latency_max = MAX(self->latency_max, latency);
}
