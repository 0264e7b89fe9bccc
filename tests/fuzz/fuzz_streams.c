/* Video streams to a client (tests/unit/display/streams-world.h), with the history in the fuzzer's
 * hands: each byte is a choice. The first says how much is drawn beside the film.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/display/streams-world.h"

enum { MAX_STEPS = 400 };

typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

/** When the input is used up, ones: players go on. */
static uint32_t below_input(void *context, uint32_t n)
{
    Input *input = context;
    uint32_t value = 0;

    if (input->size == 0)
        return n > 1;
    for (uint32_t left = n - 1; left > 0 && input->size > 0; left >>= 8) {
        value = value << 8 | *input->data++;
        input->size--;
    }
    return value % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    StreamsTally tally = {0};
    StreamsWorld *world = streams_world_create((Choices){below_input, &input}, &tally);
    const unsigned liveliness = 2 + below_input(&input, 200);
    const char *failure;

    for (unsigned i = 0; i < MAX_STEPS && input.size > 0; i++)
        streams_world_step(world, liveliness);
    if (!streams_world_failure(world))
        streams_world_settle(world);
    failure = streams_world_destroy(world);
    if (failure) {
        fprintf(stderr, "%s\n", failure);
        abort();
    }
    return 0;
}
