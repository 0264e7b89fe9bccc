/* Draws found between two frames of a desktop: that they make one of the other, and that they are
 * the ones one would wish for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/display/row-diff.h"

#include "../tap.h"
#include "desktop-frames.h"

static uint64_t random_state = 0x1234567;

static uint32_t below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static SpiceCpuFlags machine(void)
{
    SpiceCpuFlags flags = 0;

#if defined(__x86_64__)
    flags |= SPICE_CPU_SSE2;
    if (__builtin_cpu_supports("avx2"))
        flags |= SPICE_CPU_AVX2;
#endif
    return flags;
}

static void test_row_diffs(void)
{
    static const SpiceCpuFlags flags[] = {0, SPICE_CPU_SSE2, SPICE_CPU_AVX2};
    const SpiceCpuFlags has = machine();
    uint32_t a[80], b[80];
    unsigned rounds = 0, equal = 0;

    for (unsigned i = 0; i < 20000; i++) {
        const uint32_t n = below(70), at = below(8);
        uint32_t first = 0, last = 0;
        bool differs = false;

        for (unsigned j = 0; j < 80; j++)
            a[j] = b[j] = below(3);
        for (uint32_t k = below(4); k > 0; k--)
            b[below(80)] ^= 1u << below(32);
        for (uint32_t j = 0; j < n; j++) {
            if (a[at + j] == b[at + j])
                continue;
            last = j;
            if (!differs)
                first = j;
            differs = true;
        }
        for (unsigned f = 0; f < 3; f++) {
            uint32_t found_first = 0, found_last = 0;

            if ((flags[f] & has) != flags[f])
                continue;
            rounds++;
            equal += spice_row_diff_find(flags[f])((uint8_t *)&a[at], (uint8_t *)&b[at], n,
                                                   &found_first, &found_last) == differs &&
                     found_first == first && found_last == last;
        }
    }
    TAP_OK(equal == rounds && rounds >= 20000, "row differences: every variant is right (%u of %u)",
           equal, rounds);
}

static void test_random(unsigned n_rounds)
{
    const SpiceCpuFlags has = machine();
    unsigned right = 0, scrolls = 0, fills = 0, copies = 0;

    for (unsigned round = 0; round < n_rounds; round++) {
        const uint32_t width = 1 + below(round % 8 ? 260 : 12), height = 1 + below(200);
        Frame before, now;
        SpiceRect hints[EDITS];
        SpiceDesktopOps ops;
        uint32_t n;

        frame_init(&before, width, height, below(2));
        frame_init(&now, width, height, below(2));
        frame_desktop(&before, below);
        frame_copy(&now, &before);
        n = frame_edit(&now, hints, below);
        if (frame_find(&ops, &before, &now, below(2) ? hints : NULL, n,
                       below(2)   ? has
                       : below(2) ? SPICE_CPU_SSE2 & has
                                  : 0) &&
            frame_apply(&ops, &before, &now) && frame_equal(&before, &now))
            right++;
        else
            TAP_NOTE("round %u: %u x %u, %u ops", round, width, height, ops.n_ops);
        for (uint32_t i = 0; i < ops.n_ops; i++) {
            scrolls += ops.ops[i].kind == SPICE_DESKTOP_COPY_BITS;
            fills += ops.ops[i].kind == SPICE_DESKTOP_FILL;
            copies += ops.ops[i].kind == SPICE_DESKTOP_COPY;
        }
        frame_clear(&before);
        frame_clear(&now);
    }
    TAP_OK(right == n_rounds, "draws make the one frame of the other: %u of %u", right, n_rounds);
    TAP_OK(scrolls > n_rounds / 200 && fills > n_rounds / 10 && copies > n_rounds / 4,
           "and were of all kinds: %u scrolls, %u fills, %u pictures", scrolls, fills, copies);
}

/** Pixels that have to be sent as pictures. */
static int64_t picture_area(const SpiceDesktopOps *ops)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < ops->n_ops; i++)
        if (ops->ops[i].kind == SPICE_DESKTOP_COPY)
            sum += (int64_t)(ops->ops[i].box.right - ops->ops[i].box.left) *
                   (ops->ops[i].box.bottom - ops->ops[i].box.top);
    return sum;
}

static unsigned count(const SpiceDesktopOps *ops, SpiceDesktopOpKind kind)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < ops->n_ops; i++)
        n += ops->ops[i].kind == kind;
    return n;
}

static void find_and_check(SpiceDesktopOps *ops, Frame *before, Frame *now, const char *what)
{
    const bool found = frame_find(ops, before, now, NULL, 0, machine());

    TAP_OK(found && frame_apply(ops, before, now) && frame_equal(before, now),
           "%s: %u draws, %u scrolls, %u fills, %ld pixels", what, ops->n_ops,
           count(ops, SPICE_DESKTOP_COPY_BITS), count(ops, SPICE_DESKTOP_FILL),
           (long)picture_area(ops));
}

/** A window full of text on a background, scrolled by some lines in either direction. */
static void test_scroll(int32_t lines, bool with_bar)
{
    const SpiceRect window = {67, 113, 67 + 700, 113 + 900};
    const int32_t dy = lines * TEXT_LINE;
    const int64_t exposed = (int64_t)labs(dy) * (window.right - window.left);
    Frame before, now;
    SpiceDesktopOps ops;

    frame_init(&before, 1280, 800, false);
    frame_init(&now, 1280, 800, false);
    frame_text(&before, &(SpiceRect){0, 0, 800, 1280}, 0, 0xff204060, 0xff204060);
    frame_copy(&now, &before);
    frame_text(&before, &window, 1000, 0xffffffff, 0xff101010);
    frame_text(&now, &window, 1000 - dy, 0xffffffff, 0xff101010);
    if (with_bar) {
        frame_fill(&before, &(SpiceRect){100, 1000, 300, 1010}, 0xff888888);
        frame_fill(&now, &(SpiceRect){110, 1000, 310, 1010}, 0xff888888);
    }
    find_and_check(&ops, &before, &now, "a scroll of text");
    TAP_OK(count(&ops, SPICE_DESKTOP_COPY_BITS) == 1 &&
               picture_area(&ops) <= exposed * 5 / 4 + (with_bar ? 700 * 80 : 2000),
           "%d lines, %s scroll bar: %ld pixels sent, %ld exposed", (int)lines,
           with_bar ? "with" : "without", (long)picture_area(&ops), (long)exposed);
    frame_clear(&before);
    frame_clear(&now);
}

static void test_small_changes(void)
{
    Frame before, now;
    SpiceDesktopOps ops;

    frame_init(&before, 1280, 800, false);
    frame_init(&now, 1280, 800, false);
    frame_text(&before, &(SpiceRect){0, 0, 800, 1280}, 0, 0xffffffff, 0xff000000);
    frame_copy(&now, &before);
    find_and_check(&ops, &before, &now, "nothing");
    TAP_OK(ops.n_ops == 0, "equal frames need no draw");

    frame_noise(&now, &(SpiceRect){403, 500, 403 + 16, 508}, 7);
    find_and_check(&ops, &before, &now, "a letter");
    TAP_OK(ops.n_ops == 1 && picture_area(&ops) == 8 * 16, "a letter is one picture of its size");

    frame_copy(&now, &before);
    frame_fill(&now, &(SpiceRect){93, 121, 93 + 320, 121 + 640}, 0xff336699);
    find_and_check(&ops, &before, &now, "a solid rectangle");
    TAP_OK(ops.n_ops == 1 && ops.ops[0].kind == SPICE_DESKTOP_FILL, "is one fill");

    frame_copy(&now, &before);
    frame_noise(&now, &(SpiceRect){101, 203, 101 + 300, 203 + 400}, 9);
    find_and_check(&ops, &before, &now, "a film");
    TAP_OK(ops.n_ops == 1 && picture_area(&ops) == 300 * 400, "is one picture of its size");

    frame_noise(&now, &(SpiceRect){0, 0, 800, 1280}, 11);
    find_and_check(&ops, &before, &now, "everything");
    TAP_OK(ops.n_ops == 1 && picture_area(&ops) == 800 * 1280, "is one picture");
    frame_clear(&before);
    frame_clear(&now);
}

static void test_bad_sizes(void)
{
    SpiceDesktopChange change = {.width = 0, .height = 5};
    SpiceDesktopOps ops;
    SpiceArena scratch;
    SpiceError error = {0};
    bool refused;

    spice_arena_init(&scratch, &spice_allocator_libc, 1 << 20);
    refused = !spice_desktop_find_damage(&ops, &change, &scratch, &error) &&
              error.code == SPICE_ERROR_VALUE;
    change.width = SPICE_MAX_DESKTOP_SIDE + 1;
    error = (SpiceError){0};
    refused = refused && !spice_desktop_find_damage(&ops, &change, &scratch, &error) &&
              error.code == SPICE_ERROR_LIMIT;
    TAP_OK(refused, "sizes out of bounds are refused");
    spice_arena_clear(&scratch);
}

int main(void)
{
    test_row_diffs();
    test_random(4000);
    test_small_changes();
    test_scroll(-3, false);
    test_scroll(1, false);
    test_scroll(20, false);
    test_scroll(-3, true);
    test_bad_sizes();
    return tap_done();
}
