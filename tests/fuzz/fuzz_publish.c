/* A display, its clients and a model of it (tests/unit/display/publish-world.h), with the history
 * in the fuzzer's hands: each byte is a choice. The first says whether memory is short.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/display/publish-world.h"

enum { MAX_STEPS = 120 };

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
    World *world = world_create((Choices){below_input, &input}, below_input(&input, 2) != 0);
    const char *failure;

    for (unsigned i = 0; i < MAX_STEPS && input.size > 0 && !world_failure(world); i++)
        world_step(world);
    world_settle(world);
    failure = world_destroy(world);
    if (failure) {
        fprintf(stderr, "%s\n", failure);
        abort();
    }
    return 0;
}
