/* Sockets that listen: what a server binds. All are non-blocking and closed on exec.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/** Listens on TCP. `address` is a literal address or a name, which is looked up at once, and that
 * may block; NULL or "": all addresses, of both families where the system can. Port 0: any. NULL
 * and SPICE_TRANSPORT_ERROR_ADDRESS for a name that nobody knows, _CONNECT if nobody may listen
 * there. (transfer full) */
GSocket *spice_listen_tcp(const char *address, guint16 port, GError **error);

/** Listens on a unix socket whose file only its owner can use (0600). The file of a server that
 * is gone is replaced; NULL and SPICE_TRANSPORT_ERROR_CONNECT if a server lives there, or if it is
 * no socket, and _ADDRESS for a path that is too long. (transfer full) */
GSocket *spice_listen_unix(const char *path, GError **error);
/** Removes the file of a socket made by spice_listen_unix(), unless another took its place. */
void spice_listen_unix_remove(const char *path, guint64 device, guint64 inode);
/** Which file it is; 0, 0 if there is none. */
void spice_listen_unix_identify(const char *path, guint64 *device, guint64 *inode);

/** Adopts a descriptor that listens already; it is closed with the socket, or at once on failure.
 * NULL and SPICE_TRANSPORT_ERROR_ADDRESS if it does not listen. (transfer full) */
GSocket *spice_listen_fd(int fd, GError **error);

/** Adopts a descriptor that is connected to a client, likewise. (transfer full) */
GSocket *spice_listen_connected_fd(int fd, GError **error);

/** Accepts one connection. NULL, *again TRUE: there is none for now, or one that broke off;
 * FALSE: descriptors or memory are short. (transfer full) */
GSocket *spice_listen_accept(GSocket *socket, gboolean *again);

G_END_DECLS
