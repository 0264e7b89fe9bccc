/* Any draws at any times, to the stream detector and to the reference's rule: each stream begins
 * once and ends once, and stays on the surface.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/video/stream-detect-plain.h"
#include "core/video/stream-detect.h"

enum { RECORD = 12, MAX_RECORDS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

typedef struct {
    uint32_t generation[SPICE_STREAM_LIMIT];
} Ledger;

static void book(Ledger *ledger, const SpiceStreamVerdict *verdict)
{
    for (uint32_t i = 0; i < verdict->event_count; i++) {
        const SpiceStreamEvent *event = &verdict->events[i];

        require(event->id < SPICE_STREAM_LIMIT && event->generation);
        if (event->type == SPICE_STREAM_BEGIN) {
            require(!ledger->generation[event->id]);
            ledger->generation[event->id] = event->generation;
        }
        require(ledger->generation[event->id] == event->generation);
        if (event->type == SPICE_STREAM_END)
            ledger->generation[event->id] = 0;
    }
    require(verdict->stream < SPICE_STREAM_LIMIT);
    require(verdict->stream < 0 || ledger->generation[verdict->stream] == verdict->generation);
}

/* A record: time step, kind and content, repeats; then the box, in units that reach over the rim.
 */
static uint32_t read_draw(const uint8_t *record, uint32_t scale, SpiceStreamDraw *draw,
                          SpiceRect *clip)
{
    int32_t unit = (int32_t)scale;

    draw->time += (uint64_t)record[0] * (record[1] & 0x80 ? 8192 : 512);
    draw->kind = record[1] & 3;
    draw->content = record[1] >> 2 & 3;
    draw->shifted = record[1] & 0x10;
    draw->box.left = (record[4] - 16) * unit;
    draw->box.top = (record[5] - 16) * unit;
    draw->box.right = draw->box.left + record[6] * unit;
    draw->box.bottom = draw->box.top + record[7] * unit;
    draw->clip = NULL;
    draw->clip_count = 0;
    if (record[1] & 0x40) {
        for (int i = 0; i < 2; i++) {
            clip[i].left = draw->box.left + (record[8 + i * 2] & 15) * unit;
            clip[i].top = draw->box.top + (record[8 + i * 2] >> 4) * unit;
            clip[i].right = clip[i].left + (record[9 + i * 2] & 15) * unit;
            clip[i].bottom = clip[i].top + (record[9 + i * 2] >> 4) * unit;
        }
        draw->clip = clip;
        draw->clip_count = 2;
    }
    return record[1] & 0x20 ? 0 : 1 + (record[2] & 31);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SpiceStreamPolicy policy;
    SpiceStreamDetector *ours;
    SpicePlainDetector *plain;
    Ledger ours_ledger = {{0}}, plain_ledger = {{0}};
    SpiceStreamDraw draw = {0};
    SpiceStreamVerdict verdict;
    SpiceRect clip[2];
    uint32_t width, height, scale, draws = 0;

    if (size < 4)
        return 0;
    spice_stream_policy_default(&policy);
    policy.mode = data[0] & 1 ? SPICE_STREAM_MODE_FILTER : SPICE_STREAM_MODE_ALL;
    policy.start_frames = 2 + (data[0] >> 1 & 7);
    policy.least_side = data[1];
    width = 1 + data[2] * 8u;
    height = 1 + data[3] * 8u;
    scale = 1 + (data[0] >> 4);
    ours = spice_stream_detector_new(&spice_allocator_libc, width, height, &policy);
    plain = spice_plain_detector_new(&spice_allocator_libc, policy.mode);
    require(ours && plain);
    for (size_t at = 4; at + RECORD <= size && draws < MAX_RECORDS; at += RECORD) {
        uint32_t repeats = read_draw(data + at, scale, &draw, clip);
        uint64_t pause = (uint64_t)data[at + 3] * 512;

        if (!repeats) {
            verdict = spice_stream_detector_advance(ours, draw.time);
            book(&ours_ledger, &verdict);
        }
        for (uint32_t i = 0; i < repeats; i++, draws++) {
            verdict = spice_stream_detector_draw(ours, &draw);
            book(&ours_ledger, &verdict);
            verdict = spice_plain_detector_draw(plain, &draw);
            book(&plain_ledger, &verdict);
            draw.time += pause;
        }
        for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
            SpiceStreamInfo info;

            if (!spice_stream_detector_info(ours, id, &info))
                continue;
            require(info.generation == ours_ledger.generation[id]);
            require(info.box.left >= 0 && info.box.top >= 0 && info.box.right <= (int32_t)width &&
                    info.box.bottom <= (int32_t)height && !spice_box_is_empty(&info.box));
            require(info.clip->count <= SPICE_BOX_LIST_LIMIT);
        }
    }
    verdict = spice_stream_detector_reset(ours, draw.time, policy.mode);
    book(&ours_ledger, &verdict);
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        require(!ours_ledger.generation[id]);
    spice_stream_detector_free(ours);
    spice_plain_detector_free(plain);
    return 0;
}
