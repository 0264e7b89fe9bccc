/* A VM host with a QXL device, for measuring servers: its main loop, its ring of commands and the
 * server, on the public interface only, so that it runs on ours and on others' libspice-server.so.1.
 *
 * One in a process; on its main thread, as hosts call the library.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/embed/spice.h"

enum { VM_WIDTH = 1280, VM_HEIGHT = 800 };

/** us of the monotonic clock. */
int64_t vm_now_us(void);

/** Starts a server on that port of 127.0.0.1, without a ticket, and a white screen. `codecs` as
 * spice_server_set_video_codecs() has them, or NULL; `key` is called for each key that is pressed, and
 * may be NULL. Exits with status 1 if that cannot be done. */
void vm_start(int port, const char *codecs, void (*key)(void));

/** Runs the main loop once: until something was done or `end`. */
void vm_run_once(int64_t end);
void vm_run_until(int64_t end);

extern unsigned vm_n_displays; /* display channels that viewers have opened so far */
extern bool vm_viewer_left;    /* one of them was closed */

/** A command. */
typedef struct {
    QXLDrawable drawable; /* first: its release_info is what comes back */
    QXLImage image;
    int64_t made;
    uint32_t pixels[];
} VmDraw;

/** A draw on the screen, opaque; with `has_pixels` a copy of them, top row first, in xRGB. */
VmDraw *vm_draw_new(uint8_t type, int x, int y, int width, int height, bool has_pixels);
/** Puts it on the ring, which takes it; it is dropped if that is full. The device is woken by
 * vm_wake(). */
void vm_push(VmDraw *draw);
void vm_push_fill(int x, int y, int width, int height, uint32_t color);
void vm_wake(void);

typedef struct {
    unsigned commands, dropped;
    int64_t longest_held; /* us */
} VmCounters;

/** What happened on the ring since the last call. */
VmCounters vm_take_counters(void);
