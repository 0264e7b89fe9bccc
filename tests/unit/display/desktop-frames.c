/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop-frames.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *at(const Frame *frame, int32_t x, int32_t y)
{
    return frame->data + frame->stride * y + (ptrdiff_t)x * 4;
}

void frame_init(Frame *frame, uint32_t width, uint32_t height, bool bottom_up)
{
    const size_t stride = ((size_t)width + 3) * 4;

    *frame = (Frame){.width = width, .height = height, .stride = (ptrdiff_t)stride};
    frame->data = frame->memory = calloc(height, stride);
    if (bottom_up) {
        frame->data += stride * (height - 1);
        frame->stride = -frame->stride;
    }
}

void frame_clear(Frame *frame)
{
    free(frame->memory);
}

void frame_copy(Frame *to, const Frame *from)
{
    for (int32_t y = 0; y < (int32_t)to->height; y++)
        memcpy(at(to, 0, y), at(from, 0, y), (size_t)to->width * 4);
}

bool frame_equal(const Frame *a, const Frame *b)
{
    for (int32_t y = 0; y < (int32_t)a->height; y++)
        if (memcmp(at(a, 0, y), at(b, 0, y), (size_t)a->width * 4) != 0)
            return false;
    return true;
}

static void put(Frame *frame, int32_t x, int32_t y, uint32_t color)
{
    if (x >= 0 && y >= 0 && x < (int32_t)frame->width && y < (int32_t)frame->height)
        memcpy(at(frame, x, y), &color, 4);
}

void frame_fill(Frame *frame, const SpiceRect *rect, uint32_t color)
{
    for (int32_t y = rect->top; y < rect->bottom; y++)
        for (int32_t x = rect->left; x < rect->right; x++)
            put(frame, x, y, color);
}

void frame_noise(Frame *frame, const SpiceRect *rect, uint32_t seed)
{
    for (int32_t y = rect->top; y < rect->bottom; y++)
        for (int32_t x = rect->left; x < rect->right; x++) {
            seed = seed * 1664525u + 1013904223u;
            put(frame, x, y, seed);
        }
}

static uint32_t mixed(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t x = a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du;

    x ^= x >> 15;
    x *= 0x2c1b3c6du;
    return x ^ x >> 13;
}

void frame_text(Frame *frame, const SpiceRect *rect, int32_t offset, uint32_t paper, uint32_t ink)
{
    for (int32_t y = rect->top; y < rect->bottom; y++) {
        const int32_t row = y - rect->top + offset + 100000;
        const uint32_t line = (uint32_t)(row / TEXT_LINE), in_line = (uint32_t)(row % TEXT_LINE);
        const uint32_t length = 10 + mixed(line, 1, 2) % 100;

        for (int32_t x = rect->left; x < rect->right; x++) {
            const uint32_t column = (uint32_t)(x - rect->left) / 8;
            const uint32_t in_glyph = (uint32_t)(x - rect->left) % 8;
            /* some 30 letters, the same wherever they stand */
            const uint32_t letter = mixed(line, column, 3) % 30;
            const bool is_ink = in_line > 2 && in_line < 14 && in_glyph > 0 && letter > 4 &&
                                column < length && mixed(letter, in_glyph, in_line) % 3 == 0;

            put(frame, x, y, is_ink ? ink : paper);
        }
    }
}

void frame_scroll(Frame *frame, const SpiceRect *rect, int32_t dy)
{
    const size_t size = (size_t)(rect->right - rect->left) * 4;

    for (int32_t i = rect->top; i < rect->bottom; i++) {
        const int32_t y = dy > 0 ? rect->bottom - 1 - (i - rect->top) : i;

        if (y - dy >= rect->top && y - dy < rect->bottom)
            memmove(at(frame, rect->left, y), at(frame, rect->left, y - dy), size);
    }
}

static SpiceRect any_rect(const Frame *frame, Below below)
{
    const int32_t left = (int32_t)below(frame->width), top = (int32_t)below(frame->height);

    return (SpiceRect){top, left, top + 1 + (int32_t)below(frame->height - (uint32_t)top),
                       left + 1 + (int32_t)below(frame->width - (uint32_t)left)};
}

void frame_desktop(Frame *frame, Below below)
{
    const SpiceRect all = {0, 0, (int32_t)frame->height, (int32_t)frame->width};

    frame_fill(frame, &all, below(3));
    for (uint32_t n = below(4); n > 0; n--) {
        const SpiceRect rect = any_rect(frame, below);

        if (below(3))
            frame_text(frame, &rect, (int32_t)below(500), 0xffffff, 0);
        else
            frame_noise(frame, &rect, below(99));
    }
}

uint32_t frame_edit(Frame *frame, SpiceRect *changed, Below below)
{
    const uint32_t n = below(EDITS + 1);

    for (uint32_t i = 0; i < n; i++) {
        const SpiceRect rect = any_rect(frame, below);

        changed[i] = rect;
        switch (below(6)) {
        case 0:
            frame_fill(frame, &rect, below(3));
            break;
        case 1:
            frame_noise(frame, &rect, below(99));
            break;
        case 2:
            frame_text(frame, &rect, (int32_t)below(500), 0xffffff, 0);
            break;
        case 3:
            put(frame, rect.left, rect.top, below(2));
            break;
        default:
            frame_scroll(frame, &rect, (int32_t)below(61) - 30);
            break;
        }
    }
    return n;
}

bool frame_find(SpiceDesktopOps *ops, const Frame *before, const Frame *now, const SpiceRect *hints,
                uint32_t n_hints, SpiceCpuFlags cpu)
{
    const SpiceDesktopChange change = {
        .width = before->width,
        .height = before->height,
        .previous = {before->data, before->stride},
        .current = {now->data, now->stride},
        .hints = hints,
        .n_hints = n_hints,
        .cpu = cpu,
    };
    SpiceArena scratch;
    SpiceError error = {0};
    bool found;

    spice_arena_init(&scratch, &spice_allocator_libc, 64 << 20);
    found = spice_desktop_find_damage(ops, &change, &scratch, &error);
    spice_arena_clear(&scratch);
    return found;
}

static bool is_inside(const Frame *frame, const SpiceRect *box)
{
    return box->left >= 0 && box->top >= 0 && box->left < box->right && box->top < box->bottom &&
           box->right <= (int32_t)frame->width && box->bottom <= (int32_t)frame->height;
}

static bool move(Frame *frame, const SpiceDesktopOp *op)
{
    const SpiceRect *box = &op->box;
    const int32_t dy = box->top - op->source.y;
    const SpiceRect source = {op->source.y, op->source.x, box->bottom - dy,
                              op->source.x + box->right - box->left};

    if (!is_inside(frame, &source) || op->source.x != box->left || dy == 0)
        return false;
    for (int32_t i = 0; i < box->bottom - box->top; i++) {
        const int32_t y = dy > 0 ? box->bottom - 1 - i : box->top + i;

        memmove(at(frame, box->left, y), at(frame, box->left, y - dy),
                (size_t)(box->right - box->left) * 4);
    }
    return true;
}

bool frame_apply(const SpiceDesktopOps *ops, Frame *frame, const Frame *now)
{
    for (uint32_t i = 0; i < ops->n_ops; i++) {
        const SpiceDesktopOp *op = &ops->ops[i];

        if (!is_inside(frame, &op->box))
            return false;
        switch (op->kind) {
        case SPICE_DESKTOP_COPY_BITS:
            if (!move(frame, op) || (i > 0 && ops->ops[i - 1].kind != SPICE_DESKTOP_COPY_BITS))
                return false;
            break;
        case SPICE_DESKTOP_FILL:
            frame_fill(frame, &op->box, op->color);
            break;
        case SPICE_DESKTOP_COPY:
            for (int32_t y = op->box.top; y < op->box.bottom; y++)
                memcpy(at(frame, op->box.left, y), at(now, op->box.left, y),
                       (size_t)(op->box.right - op->box.left) * 4);
            break;
        default:
            return false;
        }
    }
    return true;
}
