/* What holds of the stream detector for any draws, of its modes and policy, of box lists, and of
 * the classes of content.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"

#include "core/video/stream-detect-plain.h"
#include "core/video/stream-detect.h"

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(random_state >> 4) * limit >> 28);
}

static SpiceRect random_box(int32_t width, int32_t height)
{
    int32_t x = (int32_t)random_below((uint32_t)width), y = (int32_t)random_below((uint32_t)height);

    return (SpiceRect){y, x, y + 1 + (int32_t)random_below((uint32_t)(height - y)),
                       x + 1 + (int32_t)random_below((uint32_t)(width - x))};
}

/* ---- box lists against a map of pixels ---- */

static void test_box_list(void)
{
    bool exact = true, disjoint = true, told = true;

    for (int round = 0; round < 200; round++) {
        static uint8_t map[64][64];
        SpiceBoxList list = {0};

        memset(map, 0, sizeof(map));
        for (int step = 0; step < 6; step++) { /* few enough that nothing is given up */
            SpiceRect box = random_box(64, 64);
            bool add = random_below(3) > 0, changes = false;
            bool changed =
                add ? spice_box_list_add(&list, &box) : spice_box_list_subtract(&list, &box);

            for (int32_t y = box.top; y < box.bottom; y++)
                for (int32_t x = box.left; x < box.right; x++) {
                    changes |= map[y][x] != add;
                    map[y][x] = add;
                }
            told &= changed == changes;
            for (int32_t y = 0; y < 64; y++)
                for (int32_t x = 0; x < 64; x++) {
                    int inside = 0;

                    for (uint32_t i = 0; i < list.count; i++)
                        inside += x >= list.boxes[i].left && x < list.boxes[i].right &&
                                  y >= list.boxes[i].top && y < list.boxes[i].bottom;
                    disjoint &= inside <= 1;
                    exact &= inside == map[y][x];
                }
        }
    }
    TAP_OK(exact, "a list holds what was added and not taken out");
    TAP_OK(disjoint, "its boxes are disjoint");
    TAP_OK(told, "it tells whether it changed");
}

static void test_full_box_list(void)
{
    SpiceBoxList list = {0};
    bool safe = true;
    static uint8_t map[256][256];

    memset(map, 0, sizeof(map));
    for (int step = 0; step < 2000; step++) {
        SpiceRect box = random_box(256, 256);
        bool add = random_below(2);

        if (add)
            box.right = box.left + (box.right - box.left + 7) / 8;
        if (add)
            spice_box_list_add(&list, &box);
        else
            spice_box_list_subtract(&list, &box);
        for (int32_t y = box.top; y < box.bottom; y++)
            memset(&map[y][box.left], add, (size_t)(box.right - box.left));
        safe &= list.count <= SPICE_BOX_LIST_LIMIT;
        for (uint32_t i = 0; i < list.count; i++)
            for (int32_t y = list.boxes[i].top; y < list.boxes[i].bottom; y++)
                for (int32_t x = list.boxes[i].left; x < list.boxes[i].right; x++)
                    safe &= map[y][x];
    }
    TAP_OK(safe, "a full list gives up boxes but never holds more than was added");
}

/* ---- any draws ---- */

static void test_random_draws(SpiceStreamMode mode)
{
    enum { DRAWS = 100000, WIDTH = 700, HEIGHT = 500 };
    SpiceStreamPolicy policy;
    SpiceStreamDetector *self;
    uint32_t generation[SPICE_STREAM_LIMIT] = {0}, begun = 0, ended = 0, most = 0;
    SpiceRect boxes[6], clip[70];
    uint64_t now = 0;
    bool booked = true, inside = true;

    spice_stream_policy_default(&policy);
    policy.mode = mode;
    policy.least_side = 16;
    self = spice_stream_detector_new(&spice_allocator_libc, WIDTH, HEIGHT, &policy);
    for (int i = 0; i < 6; i++)
        boxes[i] = random_box(WIDTH, HEIGHT);
    for (int i = 0; i <= DRAWS; i++) {
        SpiceStreamDraw draw = {.time = now};
        SpiceStreamVerdict verdict;
        SpiceStreamInfo info;
        uint32_t running = 0;

        now += random_below(500) ? random_below(20000) : random_below(1500000);
        if (!random_below(2000))
            boxes[random_below(6)] = random_box(WIDTH, HEIGHT);
        draw.box = random_below(4) ? boxes[random_below(6)] : random_box(WIDTH, HEIGHT);
        if (!random_below(50))
            draw.box = (SpiceRect){INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
        if (!random_below(50))
            draw.box =
                (SpiceRect){(int32_t)random_below(UINT32_MAX), 5, -7, (int32_t)random_below(9)};
        draw.kind = random_below(8) ? SPICE_STREAM_DRAW_BITMAP : random_below(4);
        draw.content = random_below(3) ? SPICE_FRAME_GRADUAL : random_below(4);
        if (!random_below(4)) {
            draw.clip = clip;
            draw.clip_count = random_below(70);
            for (uint32_t j = 0; j < draw.clip_count; j++)
                clip[j] = random_box(WIDTH, HEIGHT);
        }
        verdict = i == DRAWS ? spice_stream_detector_reset(self, now, mode)
                  : random_below(10)
                      ? spice_stream_detector_draw(self, &draw)
                      : spice_stream_detector_advance(self, random_below(5) ? now : 0);
        for (uint32_t j = 0; j < verdict.event_count; j++) {
            const SpiceStreamEvent *event = &verdict.events[j];

            booked &= event->id < SPICE_STREAM_LIMIT && event->generation != 0;
            if (event->type == SPICE_STREAM_BEGIN) {
                booked &= !generation[event->id];
                generation[event->id] = event->generation;
                begun++;
            }
            booked &= generation[event->id] == event->generation;
            if (event->type == SPICE_STREAM_END) {
                generation[event->id] = 0;
                ended++;
            }
        }
        booked &= verdict.stream < SPICE_STREAM_LIMIT &&
                  (verdict.stream < 0 || generation[verdict.stream] == verdict.generation);
        for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++) {
            bool runs = spice_stream_detector_info(self, id, &info);

            booked &= runs == (generation[id] != 0) && (!runs || info.generation == generation[id]);
            running += runs;
            if (!runs)
                continue;
            inside &= info.box.left >= 0 && info.box.top >= 0 && info.box.right <= WIDTH &&
                      info.box.bottom <= HEIGHT && !spice_box_is_empty(&info.box);
            for (uint32_t j = 0; j < info.clip->count; j++)
                inside &= info.clip->boxes[j].left >= 0 && info.clip->boxes[j].top >= 0 &&
                          info.clip->boxes[j].right <= WIDTH &&
                          info.clip->boxes[j].bottom <= HEIGHT;
        }
        most = running > most ? running : most;
    }
    TAP_OK(booked && begun == ended, "any draws: each stream begins once and ends once, mode %d",
           mode);
    TAP_OK(inside, "any draws: boxes and clips lie on the surface, mode %d", mode);
    TAP_OK(mode == SPICE_STREAM_MODE_OFF ? !begun : begun > 0, "streams begun: %u, at once %u",
           begun, most);
    spice_stream_detector_free(self);
}

/* ---- modes and policy ---- */

/* Streams that begin for 3 s of 25 frames a second. */
static uint32_t play(const SpiceStreamPolicy *policy, SpiceRect box, SpiceContentClass content)
{
    SpiceStreamDetector *self = spice_stream_detector_new(&spice_allocator_libc, 800, 600, policy);
    uint32_t begun = 0;

    for (uint64_t time = 0; time < 3000000; time += 40000) {
        SpiceStreamDraw draw = {.time = time, .box = box, .content = content};
        SpiceStreamVerdict verdict = spice_stream_detector_draw(self, &draw);

        for (uint32_t i = 0; i < verdict.event_count; i++)
            begun += verdict.events[i].type == SPICE_STREAM_BEGIN;
    }
    spice_stream_detector_free(self);
    return begun;
}

static void test_modes(void)
{
    const SpiceRect large = {10, 10, 250, 330}, least = {0, 0, 96, 96}, small = {0, 0, 96, 95};
    SpiceStreamPolicy policy;

    spice_stream_policy_default(&policy);
    TAP_OK(play(&policy, large, SPICE_FRAME_GRADUAL) == 1, "filter takes gradual frames");
    TAP_OK(play(&policy, large, SPICE_FRAME_UNKNOWN) == 1, "and what nobody looked at");
    TAP_OK(play(&policy, large, SPICE_FRAME_TEXT) == 0, "but no text");
    TAP_OK(play(&policy, large, SPICE_FRAME_FLAT) == 0, "nor flat areas");
    TAP_OK(play(&policy, least, SPICE_FRAME_GRADUAL) == 1, "96x96 is large enough");
    TAP_OK(play(&policy, small, SPICE_FRAME_GRADUAL) == 0, "95x96 is not");
    policy.mode = SPICE_STREAM_MODE_ALL;
    TAP_OK(play(&policy, large, SPICE_FRAME_TEXT) == 1, "all takes text");
    TAP_OK(play(&policy, small, SPICE_FRAME_FLAT) == 1, "and small pictures");
    policy.mode = SPICE_STREAM_MODE_OFF;
    TAP_OK(play(&policy, large, SPICE_FRAME_GRADUAL) == 0, "off takes nothing");
    policy.mode = 4;
    TAP_OK(!spice_stream_detector_new(&spice_allocator_libc, 800, 600, &policy), "no such mode");
    spice_stream_policy_default(&policy);
    TAP_OK(!spice_stream_detector_new(&spice_allocator_libc, 0, 600, &policy) &&
               !spice_stream_detector_new(&spice_allocator_libc, 800, 65536, &policy),
           "no such surface");
}

static uint32_t taken, left_to_take;

static void *take_some(void *context, size_t size)
{
    (void)context;
    if (!left_to_take)
        return NULL;
    left_to_take--;
    taken++;
    return malloc(size);
}

static void give_back(void *context, void *memory)
{
    (void)context;
    taken--;
    free(memory);
}

static void test_memory(void)
{
    const SpiceAllocator allocator = {take_some, give_back, NULL};
    SpiceStreamPolicy policy;
    bool none = true;

    spice_stream_policy_default(&policy);
    for (uint32_t allowed = 0; allowed < 3; allowed++) {
        left_to_take = allowed;
        none &= !spice_stream_detector_new(&allocator, 65535, 65535, &policy) && taken == 0;
    }
    left_to_take = 3;
    {
        SpiceStreamDetector *self = spice_stream_detector_new(&allocator, 65535, 65535, &policy);

        none &= self != NULL;
        spice_stream_detector_free(self);
    }
    TAP_OK(none && taken == 0, "what cannot have its memory leaves none behind");
}

/* ---- content ---- */

enum { SIDE = 200 };

static SpiceContentClass classify(uint32_t (*pixel)(uint32_t x, uint32_t y))
{
    static uint32_t picture[SIDE][SIDE];

    for (uint32_t y = 0; y < SIDE; y++)
        for (uint32_t x = 0; x < SIDE; x++)
            picture[y][x] = pixel(x, y);
    return spice_content_classify((const uint8_t *)picture, SIDE * 4, SIDE, SIDE);
}

static uint32_t plain(uint32_t x, uint32_t y)
{
    return x < 150 && y < 30 ? 0x336699 : 0xeeeeee;
}

/* Strokes of letters: 1 pixel of 6 across, lines of 18 with gaps. */
static uint32_t letters(uint32_t x, uint32_t y)
{
    bool ink =
        y % 18 > 4 && y % 18 < 14 && (x % 6 == 1 || (y % 18 == 9 && x % 6 < 4)) && x / 36 % 5;

    return ink ? 0x101010 : 0xffffff;
}

static uint32_t gradient(uint32_t x, uint32_t y)
{
    return (x * 255 / SIDE) << 16 | (y * 255 / SIDE) << 8 | (x * 3 + y * 2) / 8;
}

static uint32_t grain(uint32_t x, uint32_t y)
{
    return (gradient(x, y) & 0xf0f0f0) + random_below(16) * 0x010101;
}

static uint32_t noise(uint32_t x, uint32_t y)
{
    (void)x;
    (void)y;
    return random_below(1 << 24);
}

/* A film between black bars. */
static uint32_t letterbox(uint32_t x, uint32_t y)
{
    return y < 30 || y >= 170 ? 0 : grain(x, y);
}

static void test_content(void)
{
    uint8_t pixel[16] = {0};

    TAP_OK(classify(plain) == SPICE_FRAME_FLAT, "plain areas are flat");
    TAP_OK(classify(letters) == SPICE_FRAME_TEXT, "letters are text");
    TAP_OK(classify(gradient) == SPICE_FRAME_GRADUAL, "a gradient is gradual");
    TAP_OK(classify(grain) == SPICE_FRAME_GRADUAL, "so is film grain");
    TAP_OK(classify(noise) == SPICE_FRAME_GRADUAL, "so is noise");
    TAP_OK(classify(letterbox) == SPICE_FRAME_GRADUAL, "so is a film between bars");
    TAP_OK(spice_content_classify(pixel, 4, 1, 4) == SPICE_FRAME_UNKNOWN &&
               spice_content_classify(NULL, 4, 9, 9) == SPICE_FRAME_UNKNOWN &&
               spice_content_classify(pixel, 8, 2, 2) == SPICE_FRAME_FLAT,
           "the least picture that has a class is 2 x 2");
}

int main(void)
{
    test_box_list();
    test_full_box_list();
    test_random_draws(SPICE_STREAM_MODE_OFF);
    test_random_draws(SPICE_STREAM_MODE_ALL);
    test_random_draws(SPICE_STREAM_MODE_FILTER);
    test_modes();
    test_memory();
    test_content();
    return tap_done();
}
