/* What the administrator of a VM host decides for all of its machines: a file that root alone can write,
 * as what is decided here counts inside of QEMU. Without the file all is as it is without a line in it.
 *
 *     [statistics]
 *     folder=/run/gst-spice
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

typedef struct {
    char *statistics_folder; /* where each host process has a socket PID.sock; NULL: nowhere */
} HostConfig;

/** Fills in *config. FALSE and *error (G_FILE_ERROR or G_KEY_FILE_ERROR) if there is such a file and
 * it cannot be believed: it is not `owner`'s, others may write to it, or it is malformed. */
gboolean host_config_read(HostConfig *config, const char *path, uid_t owner, GError **error);
void host_config_clear(HostConfig *config);

G_END_DECLS
