/* Senders and the client that reads them (tests/unit/display/sender-world.h), with the history in
 * the fuzzer's hands: each byte is a choice. The first say which mode, and what goes wrong.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/display/sender-world.h"

enum { MAX_STEPS = 100 };

typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

/** When the input is used up, zeros: the world then does nothing new. */
static uint32_t below_input(void *context, uint32_t n)
{
    Input *input = context;
    uint32_t value = 0;

    for (uint32_t left = n - 1; left > 0 && input->size > 0; left >>= 8) {
        value = value << 8 | *input->data++;
        input->size--;
    }
    return value % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    const uint32_t flags = below_input(&input, 64);
    /* Displays that break off are no trial for GLZ: what others then wait for never comes. */
    const SenderWorldConfig config = {
        .mode = (SpiceImageMode)below_input(&input, SPICE_IMAGE_N_MODES),
        .wan = SPICE_WAN_NEVER,
        .starved = flags & 1,
        .separate = flags & 2,
        .reconnect = flags & 4,
        .bits_per_second = flags & 8 ? UINT64_C(10000000000) : 0,
    };
    SenderWorld *world = sender_world_create((Choices){below_input, &input}, &config);
    const char *failure;

    for (unsigned i = 0; i < MAX_STEPS && input.size > 0 && !sender_world_failure(world); i++)
        sender_world_step(world);
    sender_world_settle(world);
    failure = sender_world_destroy(world);
    if (failure) {
        fprintf(stderr, "%s\n", failure);
        abort();
    }
    return 0;
}
