/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats-line.h"

#include <sys/resource.h>

static gint64 cpu_time(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (gint64)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/** Since the last time; when a client has left the sum is smaller, and counts as nothing. */
static guint64 grown(guint64 now, guint64 before)
{
    return now > before ? now - before : 0;
}

char *stats_line_next(StatsLine *self, GstSpiceServer *server, guint64 frames)
{
    GArray *clients = gst_spice_server_get_stats(server);
    const gint64 time = g_get_monotonic_time(), cpu = cpu_time();
    const gint64 passed = self->time ? MAX(time - self->time, 1) : G_USEC_PER_SEC;
    StatsLine now = {.time = time, .cpu = cpu, .frames = frames};
    guint64 backlog = 0;
    char *line;
    guint i;

    for (i = 0; i < clients->len; i++) {
        const GstSpiceClientStats *client = &g_array_index(clients, GstSpiceClientStats, i);

        now.sent += client->bytes_sent;
        now.received += client->bytes_received;
        now.messages += client->messages_sent;
        backlog += client->backlog;
    }
    line = g_strdup_printf("clients %u  sent %" G_GUINT64_FORMAT " B  received %" G_GUINT64_FORMAT
                           " B  messages %" G_GUINT64_FORMAT "  waiting %" G_GUINT64_FORMAT
                           " B  frames %" G_GUINT64_FORMAT "  cpu %.2f %%",
                           clients->len, grown(now.sent, self->sent),
                           grown(now.received, self->received), grown(now.messages, self->messages),
                           backlog, grown(frames, self->frames),
                           100.0 * (gdouble)(self->time ? cpu - self->cpu : cpu) / (gdouble)passed);
    g_array_unref(clients);
    *self = now;
    return line;
}
