/* A character device of a host, for tests: it takes what it is written while its valve is open, and
 * has bytes to be read while it wakes the server, as QEMU's have.
 *
 * All is of the host's main thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "test-host.h"

typedef struct {
    SpiceCharDeviceInstance instance; /* first: what the callbacks get */
    Host *host;
    GByteArray *got;    /* what was written to it */
    size_t takes;       /* bytes that it goes on to take; SIZE_MAX: all */
    const uint8_t *has; /* to be read, while it wakes the server */
    size_t has_size;
    bool blocked;       /* not all was read; the next reading that finds nothing undoes it */
    unsigned connected; /* as it was told */
    unsigned n_states, n_events;
    uint8_t last_event;
    bool answers; /* it says what it is written while it is written to */
    bool leaves;  /* it removes itself when it is next written to */
} TestDevice;

/** `notifies`: it says when it takes more. False if the server refuses it. */
bool device_add(TestDevice *self, Host *host, const char *subtype, const char *name, bool notifies);
/** Removes it, unless it has been. */
void device_remove(TestDevice *self);
/** Says this; how much of it the server took. */
size_t device_say(TestDevice *self, const void *data, size_t size);
/** Says all of it, running the main loop; false if the server takes nothing for ten seconds. */
bool device_say_all(TestDevice *self, const void *data, size_t size);
/** Goes on to take so many bytes. */
void device_open_valve(TestDevice *self, size_t takes);
/** Runs the main loop until it has got so many bytes; false after ten seconds. */
bool device_run_until_got(TestDevice *self, size_t size);
/** Runs the main loop until it was told that it is connected, or not. */
bool device_run_until_connected(TestDevice *self, bool connected);
