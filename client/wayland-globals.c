/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wayland-globals.h"

#ifdef GDK_WINDOWING_WAYLAND
static void bind_one(void **place, struct wl_registry *registry, uint32_t name,
                     const struct wl_interface *wanted, const char *interface)
{
    if (*place || !g_str_equal(interface, wanted->name))
        return;
    *place = wl_registry_bind(registry, name, wanted, 1);
    /* Its events, and those of what it makes, come with GDK's. */
    wl_proxy_set_queue(*place, NULL);
}

static void on_global(void *data, struct wl_registry *registry, uint32_t name,
                      const char *interface, uint32_t version)
{
    SpiceWaylandGlobals *self = data;

    bind_one((void **)&self->subcompositor, registry, name, &wl_subcompositor_interface, interface);
    bind_one((void **)&self->shm, registry, name, &wl_shm_interface, interface);
    bind_one((void **)&self->constraints, registry, name, &zwp_pointer_constraints_v1_interface,
             interface);
    bind_one((void **)&self->relative_pointers, registry, name,
             &zwp_relative_pointer_manager_v1_interface, interface);
}

static void on_global_remove(void *data, struct wl_registry *registry, uint32_t name)
{
}

void spice_wayland_globals_init(SpiceWaylandGlobals *self, GdkDisplay *gdk_display)
{
    static const struct wl_registry_listener listener = {on_global, on_global_remove};
    struct wl_display *display = gdk_wayland_display_get_wl_display(gdk_display);
    /* A queue of our own: waiting must not dispatch what GDK is to see. */
    struct wl_event_queue *queue = wl_display_create_queue(display);
    struct wl_display *wrapper = wl_proxy_create_wrapper(display);
    struct wl_registry *registry;

    *self = (SpiceWaylandGlobals){0};
    wl_proxy_set_queue((struct wl_proxy *)wrapper, queue);
    registry = wl_display_get_registry(wrapper);
    wl_registry_add_listener(registry, &listener, self);
    wl_display_roundtrip_queue(display, queue);
    wl_registry_destroy(registry);
    wl_proxy_wrapper_destroy(wrapper);
    wl_event_queue_destroy(queue);
}

void spice_wayland_globals_clear(SpiceWaylandGlobals *self)
{
    g_clear_pointer(&self->subcompositor, wl_subcompositor_destroy);
    g_clear_pointer(&self->shm, wl_shm_destroy);
    g_clear_pointer(&self->constraints, zwp_pointer_constraints_v1_destroy);
    g_clear_pointer(&self->relative_pointers, zwp_relative_pointer_manager_v1_destroy);
}
#endif
