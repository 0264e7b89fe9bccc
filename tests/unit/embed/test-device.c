/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-device.h"

#include <stdlib.h>
#include <string.h>

static TestDevice *enter(SpiceCharDeviceInstance *sin)
{
    TestDevice *self = (TestDevice *)sin;

    if (!pthread_equal(pthread_self(), self->host->main)) {
        fprintf(stderr, "a device was called on a wrong thread\n");
        abort();
    }
    return self;
}

static void on_state(SpiceCharDeviceInstance *sin, int connected)
{
    TestDevice *self = enter(sin);

    self->connected = connected != 0;
    self->n_states++;
}

static int on_write(SpiceCharDeviceInstance *sin, const uint8_t *data, int size)
{
    TestDevice *self = enter(sin);
    const size_t taken = MIN((size_t)size, self->takes);

    if (size <= 0)
        abort();
    g_byte_array_append(self->got, data, (guint)taken);
    if (self->takes != SIZE_MAX)
        self->takes -= taken;
    if (self->answers)
        self->got->len -= (guint)device_say(self, data, taken); /* what was not read stays */
    if (self->leaves)
        device_remove(self);
    return (int)taken;
}

static int on_read(SpiceCharDeviceInstance *sin, uint8_t *data, int size)
{
    TestDevice *self = enter(sin);
    const size_t n = MIN((size_t)size, self->has_size);

    if (n > 0)
        memcpy(data, self->has, n);
    self->has += n;
    self->has_size -= n;
    if (self->has_size == 0)
        self->blocked = false;
    return (int)n;
}

static void on_event(SpiceCharDeviceInstance *sin, uint8_t event)
{
    TestDevice *self = enter(sin);

    self->n_events++;
    self->last_event = event;
}

static const SpiceCharDeviceInterface notifying = {{SPICE_INTERFACE_CHAR_DEVICE, "test",
                                                    SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
                                                    SPICE_INTERFACE_CHAR_DEVICE_MINOR},
                                                   on_state,
                                                   on_write,
                                                   on_read,
                                                   on_event,
                                                   SPICE_CHAR_DEVICE_NOTIFY_WRITABLE};
static const SpiceCharDeviceInterface silent = {{SPICE_INTERFACE_CHAR_DEVICE, "test",
                                                 SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
                                                 SPICE_INTERFACE_CHAR_DEVICE_MINOR},
                                                on_state,
                                                on_write,
                                                on_read,
                                                on_event,
                                                0};

bool device_add(TestDevice *self, Host *host, const char *subtype, const char *name, bool notifies)
{
    *self = (TestDevice){.host = host, .takes = SIZE_MAX, .got = g_byte_array_new()};
    self->instance.base.sif = notifies ? &notifying.base : &silent.base;
    self->instance.subtype = subtype;
    self->instance.portname = name;
    if (spice_server_add_interface(host->server, &self->instance.base) == 0)
        return true;
    g_clear_pointer(&self->got, g_byte_array_unref);
    return false;
}

void device_remove(TestDevice *self)
{
    if (self->instance.st && spice_server_remove_interface(&self->instance.base) != 0)
        abort();
    if (self->leaves)
        self->leaves = false; /* what it got can still be looked at */
    else
        g_clear_pointer(&self->got, g_byte_array_unref);
}

size_t device_say(TestDevice *self, const void *data, size_t size)
{
    size_t left;

    self->has = data;
    self->has_size = size;
    spice_server_char_device_wakeup(&self->instance);
    left = self->has_size;
    self->has_size = 0;
    self->blocked = left > 0;
    return size - left;
}

bool device_say_all(TestDevice *self, const void *data, size_t size)
{
    const uint8_t *at = data;
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (size > 0 && g_get_monotonic_time() < end) {
        const size_t n = self->blocked ? 0 : device_say(self, at, size);

        at += n;
        size -= n;
        if (n > 0)
            end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
        host_run(self->host, size > 0 && n == 0 ? 20 : 0);
    }
    return size == 0;
}

void device_open_valve(TestDevice *self, size_t takes)
{
    self->takes = takes;
    if (((const SpiceCharDeviceInterface *)(const void *)self->instance.base.sif)->flags)
        spice_server_char_device_wakeup(&self->instance);
}

bool device_run_until_got(TestDevice *self, size_t size)
{
    const gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (self->got->len < size && g_get_monotonic_time() < end)
        host_run(self->host, 20);
    return self->got->len >= size;
}

bool device_run_until_connected(TestDevice *self, bool connected)
{
    const gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (self->connected != connected && g_get_monotonic_time() < end)
        host_run(self->host, 20);
    return self->connected == connected;
}
