/* What a host may call, in any order, at any time, with anything.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../tap.h"
#include "random.h"
#include "test-host.h"

enum { SIDE = 64 };

static uint32_t pixel_at(Host *host, int x, int y)
{
    const uint32_t *pixels = (const uint32_t *)(const void *)host_surface_memory(host, 0);

    return pixels[y * SIDE + x] & 0xffffff;
}

static SpiceMsgDisplayDrawFill fill_message(uint32_t color)
{
    return (SpiceMsgDisplayDrawFill){
        .base = {.box = {0, 0, SIDE, SIDE}},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = color},
        .rop = SPICE_ROPD_OP_PUT,
    };
}

/** Fills all of the primary by a command whose address is changed; the colour that is there then. */
static uint32_t fill_at(Host *host, uint64_t xor, uint32_t group, uint32_t color)
{
    const SpiceMsgDisplayDrawFill message = fill_message(color);
    GuestWriter writer = host_begin(host);
    const uint64_t address = guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_FILL, &message);

    host_push(host, QXL_CMD_DRAW, address ^ xor, group, 0);
    host_update(host, 0, SIDE, SIDE);
    return pixel_at(host, 0, 0);
}

/** The same by a command of the host's own, which says where it is in our memory. */
static uint32_t fill_by_host(Host *host, uint32_t color)
{
    const SpiceMsgDisplayDrawFill message = fill_message(color);
    GuestWriter writer = host_begin(host);

    writer.address = (uint64_t)(uintptr_t)writer.memory;
    host_push(host, QXL_CMD_DRAW, guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_FILL, &message),
              0, 0);
    host_update(host, 0, SIDE, SIDE);
    return pixel_at(host, 0, 0);
}

static void forget_slot(Host *host, unsigned id)
{
    host->slots[id].used = false;
}

static void test_slots(void)
{
    Host *host = host_new();
    const size_t size = (size_t)HOST_CELLS * HOST_CELL + HOST_SURFACES;
    unsigned held;

    host_create_primary(host, SIDE, SIDE);
    TAP_OK(fill_at(host, 0, 1, 1) == 1, "a command in the guest's slot is taken");
    TAP_OK(fill_by_host(host, 2) == 2, "and one in the host's");
    TAP_OK(fill_at(host, UINT64_C(1) << 48, 1, 3) == 2 &&
               fill_at(host, UINT64_C(2) << 56, 1, 3) == 2 &&
               fill_at(host, UINT64_C(0xff) << 56, 1, 3) == 2,
           "none of another generation or slot, nor of a slot that cannot be");
    TAP_OK(fill_at(host, 0, 2, 4) == 2 && fill_at(host, 0, UINT32_MAX, 4) == 2,
           "nor one of a group that cannot be");
    TAP_OK(host_is_well(host) && host->popped == host->released + 5,
           "of these nothing is given back");

    spice_qxl_del_memslot(&host->qxl, 0, 0);
    TAP_OK(fill_by_host(host, 5) == 5, "a guest cannot have the host's slot removed");
    spice_qxl_del_memslot(&host->qxl, 0, HOST_SLOT);
    host_update(host, 0, SIDE, SIDE); /* until then it may be looked at */
    forget_slot(host, HOST_SLOT);
    TAP_OK(fill_at(host, 0, 1, 6) == 5, "but its own, by the number in the host's group");
    host_add_slot(host, HOST_SLOT, 7, host->memory, size);
    TAP_OK(fill_at(host, 0, 1, 6) == 5 && fill_at(host, UINT64_C(7) << 48, 1, 8) == 8,
           "a slot that comes again has its new generation only");
    spice_qxl_add_memslot(&host->qxl, &(QXLDevMemSlot){.slot_group_id = 1, .slot_id = HOST_SLOTS});
    spice_qxl_add_memslot(&host->qxl, &(QXLDevMemSlot){.slot_group_id = 2, .slot_id = 1});
    spice_qxl_add_memslot(&host->qxl,
                          &(QXLDevMemSlot){.slot_group_id = UINT32_MAX, .slot_id = UINT32_MAX});
    spice_qxl_add_memslot(
        &host->qxl,
        &(QXLDevMemSlot){.slot_group_id = 1, .slot_id = 2, .virt_start = 4096, .virt_end = 64});
    spice_qxl_del_memslot(&host->qxl, 5, 1);
    spice_qxl_del_memslot(&host->qxl, 1, UINT32_MAX);
    TAP_OK(fill_at(host, UINT64_C(7) << 48, 1, 9) == 9, "slots that cannot be are refused");

    spice_qxl_destroy_surfaces(&host->qxl);
    spice_qxl_reset_memslots(&host->qxl);
    forget_slot(host, HOST_SLOT);
    host_create_primary(host, SIDE, SIDE);
    spice_qxl_add_memslot(&host->qxl, &(QXLDevMemSlot){.virt_end = UINTPTR_MAX});
    host_add_slot(host, HOST_SLOT, 0, host->memory, size);
    TAP_OK(fill_at(host, 0, 1, 10) == 9, "after a reset of the slots there was no surface");
    host_create_primary(host, SIDE, SIDE);
    TAP_OK(fill_at(host, 0, 1, 11) == 11, "then there is");
    spice_qxl_destroy_surfaces(&host->qxl);
    held = host_held(host);
    TAP_OK(held == 0 && host_is_well(host), "all came back");
    host_free(host);
}

/* Surfaces */

static void create(Host *host, uint32_t id, uint32_t width, uint32_t height, int32_t stride,
                   uint32_t format, size_t offset)
{
    GuestWriter writer = host_begin(host);
    const GuestSurface surface = {id,   format, width, height, stride, host_surface_address(offset),
                                  false};

    host_push(host, QXL_CMD_SURFACE, guest_write_surface_create(&writer, &surface), 1, 0);
    host_update(host, 0, SIDE, SIDE);
}

static void destroy(Host *host, uint32_t id)
{
    GuestWriter writer = host_begin(host);

    host_push(host, QXL_CMD_SURFACE, guest_write_surface_destroy(&writer, id), 1, 0);
    host_update(host, 0, SIDE, SIDE);
}

static void test_surfaces(void)
{
    const uint32_t format = SPICE_SURFACE_FMT_32_xRGB;
    Host *host = host_new();
    unsigned before;

    create(host, 1, SIDE, SIDE, 4 * SIDE, format, 1 << 16);
    TAP_OK(host_held(host) == 1, "a surface without a primary: its command is held");
    create(host, 1, SIDE, SIDE, 4 * SIDE, format, 1 << 17);
    TAP_OK(host_held(host) == 1, "a second of its number is given back");
    before = host->released;
    create(host, 0, SIDE, SIDE, 4 * SIDE, format, 1 << 17);
    create(host, 1024, SIDE, SIDE, 4 * SIDE, format, 1 << 17);
    create(host, UINT32_MAX, SIDE, SIDE, 4 * SIDE, format, 1 << 17);
    create(host, 2, 0, SIDE, 4 * SIDE, format, 1 << 17);
    create(host, 2, SIDE, 0, 4 * SIDE, format, 1 << 17);
    create(host, 2, SIDE, SIDE, 4 * SIDE - 4, format, 1 << 17);
    create(host, 2, SIDE, SIDE, 4 * SIDE + 2, format, 1 << 17);
    create(host, 2, SIDE, SIDE, INT32_MIN, format, 1 << 17);
    create(host, 2, UINT32_MAX, UINT32_MAX, INT32_MAX, format, 1 << 17);
    create(host, 2, SIDE, 1 << 30, 4 * SIDE, format, 1 << 17);
    create(host, 2, SIDE, SIDE, 4 * SIDE, 33, 1 << 17);
    create(host, 2, SIDE, SIDE, 4 * SIDE, format, HOST_SURFACES - 4 * SIDE * SIDE + 4);
    TAP_OK(host->released == before + 12 && host_held(host) == 1,
           "surfaces that cannot be are refused, and given back");
    create(host, 1023, SIDE, SIDE, 4 * SIDE, format, HOST_SURFACES - 4 * SIDE * SIDE);
    TAP_OK(host_held(host) == 2, "the last number, at the end of the slot");
    destroy(host, 2);
    destroy(host, 0);
    destroy(host, 77777);
    TAP_OK(host_held(host) == 2, "what is not there cannot be destroyed");
    destroy(host, 1);
    TAP_OK(host_held(host) == 1, "a surface that goes gives its command back");
    destroy(host, 1);
    host_fill(host, 1, (SpiceRect){0, 0, SIDE, SIDE}, 5);
    host_update(host, 1, SIDE, SIDE);
    TAP_OK(host_held(host) == 1, "draws on it do, too");
    create(host, 1, SIDE, SIDE, 4 * SIDE, format, 1 << 16);
    host_fill(host, 1, (SpiceRect){0, 0, SIDE, SIDE}, 0xabcdef);
    host_update(host, 1, SIDE, SIDE);
    TAP_OK((*(uint32_t *)(void *)host_surface_memory(host, 1 << 16) & 0xffffff) == 0xabcdef,
           "a surface of a number that was free again is drawn on");
    spice_qxl_destroy_surface_wait(&host->qxl, 1);
    spice_qxl_destroy_surface_wait(&host->qxl, 0);
    spice_qxl_destroy_surface_wait(&host->qxl, UINT32_MAX);
    TAP_OK(host_held(host) == 2, "surfaces that are to be finished stay");
    spice_qxl_destroy_surfaces(&host->qxl);
    TAP_OK(host_held(host) == 0 && host_is_well(host), "at last all came back");
    host_free(host);
}

static void test_primary(void)
{
    Host *host = host_new();
    QXLDevSurfaceCreate wish = {.width = SIDE,
                                .height = SIDE,
                                .stride = -4 * SIDE,
                                .format = SPICE_SURFACE_FMT_32_xRGB,
                                .mem = host_surface_address(0),
                                .group_id = 1};
    uint32_t *pixels = (uint32_t *)(void *)host_surface_memory(host, 0);
    QXLRect all = {0, 0, SIDE, SIDE}, dirty[4];

    memset(pixels, 0x11, 4 * SIDE * SIDE);
    spice_qxl_destroy_primary_surface(&host->qxl, 0);
    spice_qxl_update_area(&host->qxl, 0, &all, dirty, 4, 1);
    TAP_OK(dirty[0].bottom == 0 && dirty[3].right == 0, "without a primary nothing is dirty");
    spice_qxl_create_primary_surface(&host->qxl, 0, &wish);
    TAP_OK(pixels[0] == 0 && pixels[SIDE * SIDE - 1] == 0, "a new primary is cleared");
    host_fill(host, 0, (SpiceRect){0, 0, 1, SIDE}, 7);
    memset(dirty, 0x77, sizeof dirty);
    spice_qxl_update_area(&host->qxl, 0, &all, dirty, 4, 1);
    TAP_OK(dirty[0].top == 0 && dirty[0].bottom == 1 && dirty[0].right == SIDE &&
               dirty[1].right == 0 && dirty[3].bottom == 0,
           "what was painted is told, and the rest of the array is empty");
    TAP_OK((pixels[SIDE * (SIDE - 1)] & 0xffffff) == 7 && pixels[0] == 0,
           "of a primary that is stored bottom-up the first row is the last");
    spice_qxl_update_area(&host->qxl, 0, &all, dirty, 4, 1);
    TAP_OK(dirty[0].bottom == 0, "and told once");
    spice_qxl_create_primary_surface(&host->qxl, 0, &wish);
    spice_qxl_destroy_primary_surface(&host->qxl, 1);
    TAP_OK((pixels[SIDE * (SIDE - 1)] & 0xffffff) == 7, "a second primary is refused");
    spice_qxl_destroy_primary_surface(&host->qxl, 0);
    wish.flags = QXL_SURF_FLAG_KEEP_DATA;
    spice_qxl_create_primary_surface(&host->qxl, 0, &wish);
    host_update(host, 0, SIDE, SIDE);
    TAP_OK((pixels[SIDE * (SIDE - 1)] & 0xffffff) == 7, "one that keeps its data does");
    spice_qxl_destroy_primary_surface(&host->qxl, 0);
    spice_qxl_destroy_primary_surface(&host->qxl, 0);
    host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, 9);
    spice_qxl_update_area(&host->qxl, 0, &all, NULL, 0, 1);
    TAP_OK((pixels[0] & 0xffffff) == 0 && host_held(host) == 0 && host_is_well(host),
           "draws without a primary are given back, and paint nothing");
    host_free(host);
}

/* Other commands */

static void test_commands(void)
{
    static uint8_t shape[4 * 16 * 16];
    const SpiceCursor cursor = {
        .type = SPICE_CURSOR_TYPE_ALPHA, .width = 16, .height = 16, .data = {shape, sizeof shape}};
    SpiceHead heads[3] = {{.width = 30, .height = 40},
                          {.monitor_id = 1, .x = 30, .width = 34, .height = 40}};
    SpiceMsgDisplayMonitorsConfig monitors = {2, 4, heads};
    Host *host = host_new();
    GuestWriter writer;
    QXLCommandExt loaded[3] = {0};

    host_create_primary(host, SIDE, SIDE);
    writer = host_begin(host);
    host_push_cursor(host, guest_write_cursor_set(&writer, &cursor, 1, 2));
    writer = host_begin(host);
    host_push_cursor(host, guest_write_cursor_move(&writer, -3, 4));
    writer = host_begin(host);
    host_push_cursor(host, guest_write_cursor_hide(&writer));
    host_update(host, 0, SIDE, SIDE);
    TAP_OK(host->popped == 3 && host->released == 2,
           "cursor commands are given back, but the shape's while it is the newest");
    writer = host_begin(host);
    host_push_cursor(host, guest_write_cursor_set(&writer, &cursor, 1, 2));
    host_update(host, 0, SIDE, SIDE);
    TAP_OK(host->popped == 4 && host->released == 3, "the next shape takes its place");
    spice_qxl_reset_cursor(&host->qxl);
    TAP_OK(host->released == 4, "until it is reset");
    writer = host_begin(host);
    host_push(host, QXL_CMD_UPDATE,
              guest_write_update(&writer, 0, &(SpiceRect){0, 0, SIDE, SIDE}, 5), 1, 0);
    writer = host_begin(host);
    host_push(host, QXL_CMD_UPDATE,
              guest_write_update(&writer, 9, &(SpiceRect){9, 9, -SIDE, SIDE}, 5), 1, 0);
    writer = host_begin(host);
    host_push(host, QXL_CMD_MESSAGE, guest_write_message(&writer, "hello"), 1, 0);
    host_update(host, 0, SIDE, SIDE);
    TAP_OK(host->updates == 2 && host->released == 7, "updates are told, also of no surface");

    writer = host_begin(host);
    spice_qxl_monitors_config_async(&host->qxl, guest_write_monitors(&writer, &monitors), 1, 100);
    TAP_OK(host_wait_cookie(host, 100), "monitors are taken");
    host_cancel(host, &writer);
    spice_qxl_monitors_config_async(&host->qxl, 0, 1, 101);
    spice_qxl_monitors_config_async(&host->qxl, UINT64_MAX, 1, 102);
    spice_qxl_monitors_config_async(&host->qxl, HOST_ADDRESS, -1, 103);
    monitors.n_heads = 0;
    writer = host_begin(host);
    spice_qxl_monitors_config_async(&host->qxl, guest_write_monitors(&writer, &monitors), 1, 104);
    TAP_OK(host_wait_cookie(host, 104) && host_count_cookies(host) == 5,
           "those that cannot be complete, too");
    host_cancel(host, &writer);
    spice_qxl_driver_unload(&host->qxl);

    spice_server_vm_stop(host->server);
    writer = host_begin(host);
    loaded[0].cmd.type = QXL_CMD_SURFACE;
    loaded[0].group_id = 1;
    loaded[0].cmd.data = guest_write_surface_create(
        &writer, &(GuestSurface){3, SPICE_SURFACE_FMT_32_xRGB, SIDE, SIDE, 4 * SIDE,
                                 host_surface_address(1 << 16), true});
    writer = host_begin(host);
    loaded[1].cmd.type = QXL_CMD_CURSOR;
    loaded[1].group_id = 1;
    loaded[1].cmd.data = guest_write_cursor_set(&writer, &cursor, 1, 2);
    loaded[2].cmd.type = QXL_CMD_DRAW;
    host_lock(host);
    for (unsigned i = 0; i < 2; i++) {
        const HostHeld held = {host->memory + (loaded[i].cmd.data - HOST_ADDRESS), 1};

        g_array_append_val(host->held, held);
    }
    host_unlock(host);
    spice_qxl_loadvm_commands(&host->qxl, loaded, 3);
    spice_server_vm_start(host->server);
    host_fill(host, 3, (SpiceRect){0, 0, SIDE, SIDE}, 0x99);
    host_update(host, 3, SIDE, SIDE);
    TAP_OK((*(uint32_t *)(void *)host_surface_memory(host, 1 << 16) & 0xffffff) == 0x99,
           "surfaces that are told after a migration are there");
    spice_qxl_destroy_surfaces(&host->qxl);
    TAP_OK(host_held(host) == 0 && host_is_well(host), "all came back");
    host_free(host);
}

/* Stopping */

static void test_stop(void)
{
    Host *host = host_new();
    unsigned popped, told, i;
    bool protects;

    host_create_primary(host, SIDE, SIDE);
    create(host, 1, SIDE, SIDE, 4 * SIDE, SPICE_SURFACE_FMT_32_xRGB, 1 << 16);
    for (i = 0; i < 20; i++)
        host_fill(host, i % 2, (SpiceRect){0, 0, SIDE, SIDE}, 0x100 + i);
    spice_server_vm_stop(host->server);
    host_lock(host);
    host->stopped = true;
    popped = host->popped;
    told = host->capabilities_told;
    TAP_OK(host->held->len == 1, "when a VM has stopped, all draws were given back");
    host_unlock(host);
    protects = mprotect(host->memory, HOST_CELLS * HOST_CELL, PROT_NONE) == 0;
    for (i = 0; i < 20; i++) {
        spice_qxl_wakeup(&host->qxl);
        spice_qxl_oom(&host->qxl);
        host_run(host, 5);
    }
    host_update(host, 0, SIDE, SIDE);
    spice_qxl_flush_surfaces_async(&host->qxl, 3);
    host_wait_cookie(host, 3);
    TAP_OK(protects && host->popped == popped && host->capabilities_told == told &&
               host_is_well(host),
           "until it starts the guest is not asked, told, or looked at");
    mprotect(host->memory, HOST_CELLS * HOST_CELL, PROT_READ | PROT_WRITE);
    host_lock(host);
    host->stopped = false;
    host_unlock(host);
    spice_server_vm_start(host->server);
    spice_server_vm_start(host->server);
    host_update(host, 0, SIDE, SIDE);
    /* Commands that were still in the ring come now. */
    TAP_OK(pixel_at(host, 0, 0) == 0x112 && host->capabilities_told == told + 1,
           "then it goes on (%x)", pixel_at(host, 0, 0));
    spice_qxl_stop(&host->qxl);
    spice_qxl_stop(&host->qxl);
    spice_qxl_start(&host->qxl);
    host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, 5);
    host_update(host, 0, SIDE, SIDE);
    TAP_OK(pixel_at(host, 0, 0) == 5, "one device can be stopped by itself");
    host_free(host);
}

/** Draws a picture that is large enough to stay in the guest's memory. */
static void draw_picture(Host *host)
{
    static uint8_t rows[4 * SIDE * SIDE];
    SpiceImage image = {.width = SIDE,
                        .height = SIDE,
                        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
                        .bitmap_width = SIDE,
                        .bitmap_height = SIDE,
                        .stride = 4 * SIDE,
                        .data = {rows, sizeof rows}};
    const SpiceMsgDisplayDrawCopy copy = {.base.box = {0, 0, SIDE, SIDE},
                                          .source = &image,
                                          .source_area = {0, 0, SIDE, SIDE},
                                          .rop = SPICE_ROPD_OP_XOR};
    GuestWriter writer = host_begin(host);

    host_push(host, QXL_CMD_DRAW, guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_COPY, &copy), 1,
              0);
}

static void test_oom(void)
{
    Host *host = host_new();
    unsigned held, i;

    host_create_primary(host, SIDE, SIDE);
    for (i = 0; i < 16; i++)
        draw_picture(host);
    for (i = 0; i < 200 && host->popped < 16; i++)
        host_run(host, 5);
    held = host_held(host);
    spice_qxl_oom(&host->qxl);
    for (i = 0; i < 200 && host_held(host) > 0; i++)
        host_run(host, 5);
    host_lock(host);
    TAP_OK(held == 16 && host->held->len == 0 && host->flushes >= 1,
           "a guest without memory gets back all that is held: %u", held);
    host_unlock(host);
    TAP_OK(host_is_well(host), "each once");
    for (i = 0; i < 8; i++)
        draw_picture(host);
    for (i = 0; i < 200 && host->popped < 24; i++)
        host_run(host, 5);
    held = host_held(host);
    spice_server_vm_stop(host->server);
    TAP_OK(held == 8 && host_held(host) == 0, "and so does one that is stopped: %u", held);
    host_free(host);
}

/* Sequences */

/** What a host does when its guest's device is reset. */
static void reset(Host *host)
{
    QXLInstance *qxl = &host->qxl;

    spice_server_vm_stop(host->server);
    spice_qxl_reset_cursor(qxl);
    spice_qxl_reset_image_cache(qxl);
    spice_qxl_destroy_surfaces(qxl);
    spice_qxl_reset_memslots(qxl);
    forget_slot(host, HOST_SLOT);
    spice_qxl_add_memslot(qxl, &(QXLDevMemSlot){.virt_end = UINTPTR_MAX});
    spice_qxl_driver_unload(qxl);
    spice_qxl_create_primary_surface(
        qxl, 0,
        &(QXLDevSurfaceCreate){.width = SIDE,
                               .height = SIDE,
                               .stride = -4 * SIDE,
                               .format = SPICE_SURFACE_FMT_32_xRGB,
                               .mem = (uint64_t)(uintptr_t)host_surface_memory(host, 0)});
    spice_server_vm_start(host->server);
}

/** A driver loads. */
static bool load_driver(Host *host, uint64_t cookie)
{
    QXLInstance *qxl = &host->qxl;
    const size_t size = (size_t)HOST_CELLS * HOST_CELL + HOST_SURFACES;
    const uintptr_t start = (uintptr_t)host->memory;
    QXLDevMemSlot slot = {.slot_group_id = 1,
                          .slot_id = HOST_SLOT,
                          .virt_start = start,
                          .virt_end = start + size,
                          .addr_delta = start};
    QXLDevSurfaceCreate surface = {.width = SIDE,
                                   .height = SIDE,
                                   .stride = 4 * SIDE,
                                   .format = SPICE_SURFACE_FMT_32_xRGB,
                                   .flags = QXL_SURF_FLAG_KEEP_DATA,
                                   .mem = host_surface_address(0),
                                   .group_id = 1};
    bool ok;

    host->slots[HOST_SLOT] = (HostSlot){true, 0, start, start + size, start};
    spice_qxl_add_memslot_async(qxl, &slot, cookie);
    ok = host_wait_cookie(host, cookie);
    spice_qxl_destroy_primary_surface(qxl, 0);
    spice_qxl_reset_cursor(qxl);
    spice_qxl_create_primary_surface_async(qxl, 0, &surface, cookie + 1);
    ok &= host_wait_cookie(host, cookie + 1);
    spice_qxl_destroy_primary_surface_async(qxl, 0, cookie + 2);
    spice_qxl_reset_cursor(qxl);
    ok &= host_wait_cookie(host, cookie + 2);
    spice_qxl_create_primary_surface_async(qxl, 0, &surface, cookie + 3);
    return ok && host_wait_cookie(host, cookie + 3);
}

static void test_resets(void)
{
    Host *host = host_new();
    bool loads = true, draws = true;
    gint64 longest = 0;

    reset(host);
    for (unsigned i = 0; i < 20; i++) {
        gint64 begin;

        loads &= load_driver(host, 1000 + 4 * i);
        draws &= fill_at(host, 0, 1, 0x500 + i) == 0x500 + i;
        host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, 1);
        begin = g_get_monotonic_time();
        reset(host);
        reset(host);
        longest = MAX(longest, g_get_monotonic_time() - begin);
        draws &= fill_by_host(host, 0x600 + i) != 0x7777777;
        draws &= (((uint32_t *)(void *)host_surface_memory(host, 0))[SIDE * (SIDE - 1)] &
                  0xffffff) == 0x600 + i;
        /* commands that were not taken before are of no device now */
        host_lock(host);
        host->ring.n = host->cursor_ring.n = 0;
        memset(host->cell_used, 0, sizeof host->cell_used);
        host_unlock(host);
    }
    TAP_OK(loads && host_count_cookies(host) == 80, "a driver loads after each reset");
    TAP_OK(draws, "and draws, as the firmware before it");
    TAP_OK(longest < 2 * 100000, "the longest double reset took %lld us", (long long)longest);
    spice_qxl_destroy_surfaces(&host->qxl);
    TAP_OK(host_held(host) == 0 && host_is_well(host), "all came back");
    host_free(host);
}

/** Any call with something that may be lawful or not. Whether it completes. */
static bool any_call(Host *host, Random *random, uint64_t cookie)
{
    static const uint32_t ids[] = {0, 0, 0, 1, 2, 1023, 1024, UINT32_MAX};
    QXLInstance *qxl = &host->qxl;
    const uint32_t id = ids[random_below(random, 8)];
    QXLRect area = {0, 0, SIDE, SIDE}, dirty[2];
    QXLDevSurfaceCreate surface = {.width = SIDE,
                                   .height = SIDE,
                                   .stride = 4 * SIDE,
                                   .format = SPICE_SURFACE_FMT_32_xRGB,
                                   .mem = host_surface_address(0),
                                   .group_id = 1};
    QXLDevMemSlot slot = {.slot_group_id = 1, .slot_id = 2, .virt_start = 4, .virt_end = 8};

    switch (random_below(random, 26)) {
    case 0:
        spice_qxl_oom(qxl);
        return false;
    case 1:
        spice_qxl_stop(qxl);
        return false;
    case 2:
        spice_qxl_start(qxl);
        return false;
    case 3:
        spice_qxl_update_area(qxl, id, &area, dirty, 2, 1);
        return false;
    case 4:
        spice_qxl_add_memslot(qxl, &slot);
        return false;
    case 5:
        spice_qxl_del_memslot(qxl, random_below(random, 3), 2);
        return false;
    case 6:
        spice_qxl_destroy_surfaces(qxl);
        return false;
    case 7:
        spice_qxl_destroy_primary_surface(qxl, id);
        return false;
    case 8:
        spice_qxl_create_primary_surface(qxl, id, &surface);
        return false;
    case 9:
        spice_qxl_reset_image_cache(qxl);
        return false;
    case 10:
        spice_qxl_reset_cursor(qxl);
        return false;
    case 11:
        spice_qxl_destroy_surface_wait(qxl, id);
        return false;
    case 12:
        spice_qxl_loadvm_commands(qxl, NULL, 0);
        return false;
    case 13:
        spice_qxl_update_area_async(qxl, id, &area, 1, cookie);
        return true;
    case 14:
        spice_qxl_add_memslot_async(qxl, &slot, cookie);
        return true;
    case 15:
        spice_qxl_destroy_surfaces_async(qxl, cookie);
        return true;
    case 16:
        spice_qxl_destroy_primary_surface_async(qxl, id, cookie);
        return true;
    case 17:
        spice_qxl_create_primary_surface_async(qxl, id, &surface, cookie);
        return true;
    case 18:
        spice_qxl_destroy_surface_async(qxl, id, cookie);
        return true;
    case 19:
        spice_qxl_flush_surfaces_async(qxl, cookie);
        return true;
    case 20:
        spice_qxl_monitors_config_async(qxl, HOST_ADDRESS, 1, cookie);
        return true;
    case 21:
        spice_qxl_driver_unload(qxl);
        return false;
    case 22:
        spice_qxl_set_max_monitors(qxl, id);
        return false;
    case 23:
        spice_qxl_set_device_info(qxl, "pci/0000/02.0", 0, id);
        return false;
    case 24:
        spice_qxl_gl_scanout(qxl, -1, SIDE, SIDE, 4 * SIDE, 0, 0);
        return false;
    default:
        spice_qxl_gl_draw_async(qxl, 0, 0, SIDE, SIDE, cookie);
        return true;
    }
}

static void test_any_order(unsigned n)
{
    Host *host = host_new();
    Random random = {4711};
    unsigned completions = 0, i;
    bool in_order = true;

    for (i = 0; i < n; i++) {
        completions += any_call(host, &random, completions + 1);
        if (random_below(&random, 4) == 0) {
            host_lock(host);
            if (host->ring.n < HOST_RING / 2) {
                host_unlock(host);
                host_fill(host, random_below(&random, 3), (SpiceRect){0, 0, SIDE, SIDE}, i);
            } else {
                host_unlock(host);
            }
        }
    }
    spice_qxl_start(&host->qxl);
    spice_qxl_flush_surfaces_async(&host->qxl, completions + 1);
    host_wait_cookie(host, completions + 1);
    host_lock(host);
    for (i = 0; i < host->cookies->len; i++)
        in_order &= g_array_index(host->cookies, guint64, i) == i + 1;
    in_order &= host->cookies->len == completions + 1;
    host_unlock(host);
    TAP_OK(in_order, "of %u calls in any order each that completes did, once, in order: %u", n,
           completions);
    spice_qxl_destroy_surfaces(&host->qxl);
    TAP_OK(host_held(host) == 0 && host_is_well(host), "and all came back");
    host_free(host);
}

/** Devices that come and go, with calls and commands that nobody waits for. */
static void test_coming_and_going(void)
{
    Host *host = host_new();
    unsigned i, k;
    bool works = true;

    host->stall_ms = 1;
    for (i = 0; i < 20; i++) {
        host_create_primary(host, SIDE, SIDE);
        works &= fill_at(host, 0, 1, i + 1) == i + 1;
        for (k = 0; k < 20; k++) {
            host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, k);
            spice_qxl_flush_surfaces_async(&host->qxl, k);
        }
        host_remove_qxl(host);
        works &= spice_server_remove_interface(&host->qxl.base) == -1;
        host_run(host, 0);
        host_add_qxl(host);
    }
    TAP_OK(host_count_cookies(host) == 400, "what a device was asked before it went is done");
    TAP_OK(works && host_is_well(host), "devices come and go in the middle of their work");
    for (k = 0; k < 20; k++)
        spice_qxl_flush_surfaces_async(&host->qxl, k);
    host_free(host);
}

int main(int argc, char **argv)
{
    test_slots();
    test_surfaces();
    test_primary();
    test_commands();
    test_stop();
    test_oom();
    test_resets();
    test_any_order(tap_long(argc, argv) ? 200000 : 10000);
    test_coming_and_going();
    return tap_done();
}
