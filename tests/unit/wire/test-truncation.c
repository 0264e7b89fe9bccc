/* Every beginning of every body that a real peer sent is refused, or read without passing its end.
 *
 * A body lies at the end of a block of its own size whose last bytes are made untouchable, one
 * more with each step, where the address sanitizer is at hand.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "recordings.h"
#include "tests/unit/tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

/* Longer ones are not written back at each step, which would take the square of their length. */
enum { MAX_WRITTEN = 2048 };

typedef struct {
    SpiceArena arena;
    SpiceBuffer out, again;
    uint64_t seen[8192]; /* hashes of bodies that were cut already; 0 is free */
    unsigned n_bodies, n_wrong;
    uint64_t n_refused, n_read;
} Cutter;

static uint64_t body_hash(const SpiceMessageDef *def, const RecordedMessage *message)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uintptr_t)def;

    for (size_t i = 0; i < message->size; i++)
        hash = (hash ^ message->body[i]) * UINT64_C(1099511628211);
    return hash ? hash : 1;
}

/* Whether the body is new. */
static bool remember(Cutter *cutter, uint64_t hash)
{
    size_t i = hash % 8192;

    for (unsigned tries = 0; tries < 8192; tries++, i = (i + 1) % 8192) {
        if (cutter->seen[i] == hash)
            return false;
        if (cutter->seen[i] == 0) {
            cutter->seen[i] = hash;
            return true;
        }
    }
    return true;
}

/* What was read is written, read and written again; both must be the same bytes. */
static bool is_sound(Cutter *cutter, const SpiceMessageDef *def, const void *message)
{
    void *reread;

    cutter->out.size = cutter->again.size = 0;
    if (!spice_message_write(def, message, &cutter->out, NULL))
        return false;
    reread = spice_message_read(def, cutter->out.data, cutter->out.size, &cutter->arena, NULL);
    return reread && spice_message_write(def, reread, &cutter->again, NULL) &&
           cutter->again.size == cutter->out.size &&
           (cutter->out.size == 0 ||
            memcmp(cutter->again.data, cutter->out.data, cutter->out.size) == 0);
}

static void cut(Cutter *cutter, const SpiceMessageDef *def, const RecordedMessage *message)
{
    uint8_t *body = malloc(message->size);

    memcpy(body, message->body, message->size);
    cutter->n_bodies++;
    for (size_t size = message->size; size-- > 0;) {
        SpiceError error = {0};
        void *read;

        ASAN_POISON_MEMORY_REGION(body + size, message->size - size);
        spice_arena_reset(&cutter->arena);
        read = spice_message_read(def, body, size, &cutter->arena, &error);
        if (!read) {
            cutter->n_refused++;
            if (error.code == SPICE_OK || !error.field)
                cutter->n_wrong++;
        } else {
            cutter->n_read++;
            if (size <= MAX_WRITTEN && !is_sound(cutter, def, read)) {
                cutter->n_wrong++;
                TAP_NOTE("%s cut to %zu bytes is unsound", def->name, size);
            }
        }
    }
    ASAN_UNPOISON_MEMORY_REGION(body, message->size);
    free(body);
}

static void test_recording(const char *vectors, const RecordedChannel *channel,
                           SpiceDirection direction)
{
    static Cutter cutter;
    RecordedMessage recorded;
    Recording recording;
    size_t position;

    cutter.out.allocator = cutter.again.allocator = &spice_allocator_libc;
    cutter.n_bodies = cutter.n_wrong = 0;
    cutter.n_refused = cutter.n_read = 0;
    if (!tap_ok(recorded_channel_open(&recording, vectors, channel, direction), "%s %s is there",
                channel->name, direction_names[direction])) {
        recording_close(&recording);
        return;
    }
    spice_arena_init(&cutter.arena, &spice_allocator_libc, 1 << 20);
    position = recording.start;
    while (recording_next(&recording, &position, &recorded)) {
        const SpiceMessageDef *def = spice_message_find(channel->channel, direction, recorded.type);

        if (def && def->layout && remember(&cutter, body_hash(def, &recorded)))
            cut(&cutter, def, &recorded);
    }
    TAP_OK(cutter.n_wrong == 0, "%s %s: %u bodies cut; %llu beginnings refused, %llu read",
           channel->name, direction_names[direction], cutter.n_bodies,
           (unsigned long long)cutter.n_refused, (unsigned long long)cutter.n_read);
    spice_arena_clear(&cutter.arena);
    spice_buffer_clear(&cutter.out);
    spice_buffer_clear(&cutter.again);
    recording_close(&recording);
}

int main(int argc, char **argv)
{
    const char *vectors = argc > 1 ? argv[1] : "tests/vectors";

    for (unsigned i = 0; i < N_RECORDED_CHANNELS; i++) {
        test_recording(vectors, &recorded_channels[i], SPICE_FROM_SERVER);
        test_recording(vectors, &recorded_channels[i], SPICE_FROM_CLIENT);
    }
    return tap_done();
}
