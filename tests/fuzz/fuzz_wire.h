/* What the targets of core/wire do with one message: read it, write it, read that, write it again;
 * the two written forms must be the same.
 *
 * An input of a channel's target is one byte (bit 0: from the client; the other bits choose among
 * the channel types that the target stands for), the message number in two bytes, and the body.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/endian.h"
#include "core/wire/migration.h"
#include "core/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one message may unfold to: more than any input asks for, so the limit itself is tried, too.
 */
enum { FUZZ_ARENA_LIMIT = 1 << 20 };

static void fuzz_wire_message(const SpiceMessageDef *def, uint32_t agreed, const uint8_t *body,
                              size_t size)
{
    SpiceBuffer once = {.allocator = &spice_allocator_libc}, twice = once;
    SpiceError error = {0};
    SpiceArena arena;
    void *message;

    spice_arena_init(&arena, &spice_allocator_libc, FUZZ_ARENA_LIMIT);
    message = spice_message_read_agreed(def, agreed, body, size, &arena, &error);
    if (!message != (error.code != SPICE_OK))
        abort();
    if (message) {
        if (!spice_message_write_agreed(def, agreed, message, &once, &error))
            abort();
        message = spice_message_read_agreed(def, agreed, once.data, once.size, &arena, &error);
        /* what takes more than half of the arena cannot be read twice */
        if (!message && error.code != SPICE_ERROR_LIMIT)
            abort();
        if (message && !spice_message_write_agreed(def, agreed, message, &twice, &error))
            abort();
        /* bodies in a LIST are not bounded by their size, and grow */
        if (message && strcmp(def->name, "SPICE_MSG_LIST") != 0 &&
            (once.size != twice.size ||
             (once.size && memcmp(once.data, twice.data, once.size) != 0)))
            abort();
    }
    spice_buffer_clear(&once);
    spice_buffer_clear(&twice);
    spice_arena_clear(&arena);
}

__attribute__((unused)) static int fuzz_wire_channel(const uint8_t *channels, size_t n_channels,
                                                     const uint8_t *data, size_t size)
{
    const SpiceMessageDef *def;
    SpiceDirection direction;
    uint16_t type;
    uint8_t channel;

    if (size < 3)
        return 0;
    direction = data[0] & 1 ? SPICE_FROM_CLIENT : SPICE_FROM_SERVER;
    channel = channels[(data[0] >> 1) % n_channels];
    type = spice_get_u16(data + 1);
    def = spice_message_find(channel, direction, type);
    if (def)
        fuzz_wire_message(def, 0, data + 3, size - 3);
    if (def && type == (direction == SPICE_FROM_CLIENT ? SPICE_MSGC_MIGRATE_DATA
                                                       : SPICE_MSG_MIGRATE_DATA)) {
        def = spice_migrate_data_find(channel);
        if (def) {
            fuzz_wire_message(def, 0, data + 3, size - 3);
            fuzz_wire_message(def, SPICE_MIGRATE_LOSSY_SURFACES, data + 3, size - 3);
        }
    }
    return 0;
}
