/* Migration: what is lawful for a host whose clients do not follow a guest that moves.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

int spice_server_migrate_info(SpiceServer *s, const char *dest, int port, int secure_port,
                              const char *cert_subject)
{
    return -1;
}

int spice_server_migrate_connect(SpiceServer *s, const char *dest, int port, int secure_port,
                                 const char *cert_subject)
{
    if (s->migration)
        SPICE_UPCAST(SpiceMigrateInterface, s->migration->base.sif)
            ->migrate_connect_complete(s->migration);
    return dest && (port != -1 || secure_port != -1) ? 0 : -1;
}

int spice_server_migrate_start(SpiceServer *s)
{
    return 0;
}

int spice_server_migrate_end(SpiceServer *s, int completed)
{
    if (completed)
        gst_spice_server_disconnect_clients(s->session, "the guest has moved to another host");
    if (s->migration)
        SPICE_UPCAST(SpiceMigrateInterface, s->migration->base.sif)
            ->migrate_end_complete(s->migration);
    return 0;
}

int spice_server_migrate_switch(SpiceServer *s)
{
    return 0;
}

void spice_server_set_seamless_migration(SpiceServer *s, int enable)
{
}

/* Replays */

SpiceReplay *spice_replay_new(FILE *file, int usr_data)
{
    return NULL;
}

void spice_replay_free(SpiceReplay *replay)
{
}

struct QXLCommandExt *spice_replay_next_cmd(SpiceReplay *replay, QXLInstance *instance)
{
    return NULL;
}

void spice_replay_free_cmd(SpiceReplay *replay, struct QXLCommandExt *cmd)
{
}
