/* Two frames out of the fuzzer's bytes: the draws found must make one of the other, whatever the
 * processor flags, the strides and the hints.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/display/desktop-frames.h"

static const uint8_t *input;
static size_t input_size;

static uint32_t below_input(uint32_t n)
{
    uint32_t value = 0;

    for (uint32_t left = n - 1; left > 0 && input_size > 0; left >>= 8) {
        value = value << 8 | *input++;
        input_size--;
    }
    return value % n;
}

/** What is left of the input as pixels of few colours, from some place on. */
static void scatter(Frame *frame)
{
    const uint32_t row = below_input(frame->height);
    const size_t room = (size_t)(frame->height - row) * frame->width;

    for (size_t i = 0; i < input_size && i < room; i++) {
        const uint32_t color = input[i] & 7;

        memcpy(frame->data + frame->stride * (ptrdiff_t)(row + i / frame->width) +
                   i % frame->width * 4,
               &color, 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SpiceRect changed[EDITS + 1];
    SpiceDesktopOps ops;
    Frame before, now;
    uint32_t width, height, n;
    SpiceCpuFlags cpu = 0;

    input = data;
    input_size = size;
    width = 1 + below_input(256);
    height = 1 + below_input(256);
#if defined(__x86_64__)
    if (below_input(2))
        cpu = SPICE_CPU_SSE2 | (__builtin_cpu_supports("avx2") ? SPICE_CPU_AVX2 : 0);
#endif
    frame_init(&before, width, height, below_input(2));
    frame_init(&now, width, height, below_input(2));
    frame_desktop(&before, below_input);
    frame_copy(&now, &before);
    n = frame_edit(&now, changed, below_input);
    scatter(&now);
    changed[n++] = (SpiceRect){-5, -5, (int32_t)height + 5, (int32_t)width + 5};
    if (!frame_find(&ops, &before, &now, changed, n, cpu) || !frame_apply(&ops, &before, &now) ||
        !frame_equal(&before, &now)) {
        fprintf(stderr, "%u x %u: %u draws do not make the frame\n", width, height, ops.n_ops);
        abort();
    }
    frame_clear(&before);
    frame_clear(&now);
    return 0;
}
