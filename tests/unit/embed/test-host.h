/* A VM host with a QXL device, for tests: a main loop, input devices, and a guest's memory with
 * rings of commands. It counts what the server does with them.
 *
 * The thread that makes a host is its main thread. What is under `lock` may be looked at by it
 * with host_lock().
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#include "server/embed/spice.h"

#include "guest-writer.h"

enum {
    HOST_CELLS = 64,         /* pieces of guest memory, a command in each */
    HOST_CELL = 1 << 16,     /* bytes */
    HOST_SURFACES = 4 << 20, /* bytes for surfaces, behind the cells */
    HOST_RING = 32,
    HOST_SLOT = 1, /* of the guest, in group 1: all of its memory */
    HOST_SLOTS = 8,
};

/** Where the guest has its memory. */
#define HOST_ADDRESS ((uint64_t)HOST_SLOT << 56)

typedef struct {
    QXLCommandExt commands[HOST_RING];
    size_t cells[HOST_RING]; /* that the commands were written to; HOST_CELLS: none */
    unsigned first, n;
} HostRing;

typedef struct {
    void *memory; /* what will be released */
    uint32_t group;
} HostHeld;

typedef struct {
    bool used;
    uint32_t generation;
    uintptr_t start, end;
    uint64_t delta;
} HostSlot;

typedef struct {
    QXLInstance qxl; /* first: what the callbacks get */
    SpiceKbdInstance keyboard;
    SpiceMouseInstance mouse;
    SpiceTabletInstance tablet;
    SpiceServer *server;
    bool has_qxl, has_tablet;
    uint8_t *memory;
    pthread_t main;
    HostSlot slots[HOST_SLOTS]; /* of group 1 */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    bool cell_used[HOST_CELLS];
    size_t last_cell;  /* of the last writer; HOST_CELLS: its command was pushed */
    bool poison;       /* what is released may not be read any more */
    bool stopped;      /* the server said so: nothing may come now */
    unsigned stall_ms; /* each completion takes so long */
    HostRing ring, cursor_ring;
    GArray *held;    /* HostHeld: commands taken, to be released */
    GArray *cookies; /* guint64: of completed calls */
    pthread_t worker;
    bool worker_known;
    unsigned popped, released, bad_releases, wrong_thread, late, flushes, updates, area_completes;
    unsigned capabilities_told, clients_present;
    uint8_t client_caps0;
    QXLRect last_rect;
    unsigned last_n_rects;

    /* of the main thread */
    GArray *keys; /* guint8 */
    unsigned motions, positions, buttons, wheels, connected, initialized, disconnected;
    int last_x, last_y, logical_width, logical_height;
    bool takes_monitors; /* the QXL device sees to clients' monitors */
    unsigned monitors_told, n_monitors;
} Host;

/** A server that lets all in but does not listen, with keyboard and mouse, its VM running; and a QXL
 * device with the host's slot and the guest's. */
Host *host_new(void);
/** Destroys the server, whatever is connected. */
void host_free(Host *self);

void host_add_qxl(Host *self);
void host_remove_qxl(Host *self);
void host_add_slot(Host *self, uint32_t id, uint32_t generation, void *start, size_t size);

/** Runs the main loop for so long, or until something was done. */
void host_run(Host *self, unsigned ms);
/** Runs it until `*count` (of the main thread) is at least `n`; false after ten seconds. */
bool host_run_until(Host *self, const unsigned *count, unsigned n);

void host_lock(Host *self);
void host_unlock(Host *self);

/** A writer to a free cell of guest memory. If there is none for long, the guest is out of memory
 * and says so. */
GuestWriter host_begin(Host *self);
/** Gives a cell back that no command is in. */
void host_cancel(Host *self, const GuestWriter *writer);
/** Commands, once there is room in the ring, which is looked for at most ten seconds. */
bool host_push(Host *self, uint32_t type, uint64_t address, uint32_t group, uint32_t flags);
bool host_push_cursor(Host *self, uint64_t address);

/** Waits until a call has completed; false after ten seconds. */
bool host_wait_cookie(Host *self, uint64_t cookie);
unsigned host_count_cookies(Host *self);

/** A primary surface at the beginning of the memory for surfaces, 32 bits a pixel. */
void host_create_primary(Host *self, uint32_t width, uint32_t height);
uint8_t *host_surface_memory(Host *self, size_t offset);
uint64_t host_surface_address(size_t offset);
/** Brings all of a surface up to date. */
void host_update(Host *self, uint32_t surface, uint32_t width, uint32_t height);

/** Fills a rectangle of a surface. */
void host_fill(Host *self, uint32_t surface, SpiceRect rect, uint32_t color);

/** Whether nothing went wrong so far: no release that was not due, no callback on a wrong thread or
 * while stopped. */
bool host_is_well(Host *self);
/** How many commands are taken and not released. */
unsigned host_held(Host *self);
/** Listens on some port of 127.0.0.1 and prints "port N"; the socket, which does not block. */
int host_listen(void);
/** The ends of a connection: one the server's, by spice_server_add_client(), the other returned. */
int host_connect(Host *self);
