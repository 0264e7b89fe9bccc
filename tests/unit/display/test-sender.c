/* What a client makes of a sender's messages, against a model that is fed with the draws.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "sender-world.h"

static uint32_t below_random(void *context, uint32_t n)
{
    uint64_t *state = context;

    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 16) % n);
}

static void add(SenderWorldTally *sum, const SenderWorldTally *one)
{
    sum->draws += one->draws;
    sum->refused += one->refused;
    sum->starved += one->starved;
    sum->delivered += one->delivered;
    sum->blocked += one->blocked;
    sum->compared += one->compared;
    sum->reconnects += one->reconnects;
    if (one->worst_psnr < sum->worst_psnr)
        sum->worst_psnr = one->worst_psnr;
    for (unsigned i = 0; i < SPICE_IMAGE_N_CODECS; i++)
        sum->sent.codecs[i].images += one->sent.codecs[i].images;
    sum->sent.hits += one->sent.hits;
    sum->sent.added += one->sent.added;
    sum->sent.replaced += one->sent.replaced;
    sum->sent.invalidated += one->sent.invalidated;
    sum->sent.palette_hits += one->sent.palette_hits;
    sum->sent.waits += one->sent.waits;
}

static void test_histories(const char *name, const SenderWorldConfig *config, unsigned n_histories,
                           unsigned n_steps, uint64_t codecs)
{
    SenderWorldTally sum = {.worst_psnr = INFINITY};
    unsigned held = 0;
    uint64_t used = 0;

    for (unsigned i = 0; i < n_histories; i++) {
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1) + config->mode;
        SenderWorld *world = sender_world_create((Choices){below_random, &state}, config);
        SenderWorldTally tally;
        const char *failure;
        unsigned step;

        for (step = 0; step < n_steps && !sender_world_failure(world); step++) {
            sender_world_step(world);
            if (step % 256 == 255)
                sender_world_settle(world);
        }
        sender_world_settle(world);
        tally = sender_world_tally(world);
        failure = sender_world_destroy(world);
        add(&sum, &tally);
        held += !failure;
        if (failure)
            TAP_NOTE("history %u, step %u: %s", i, step, failure);
    }
    TAP_OK(held == n_histories, "%s: client and model agree in %u of %u histories", name, held,
           n_histories);
    for (unsigned i = 0; i < SPICE_IMAGE_N_CODECS; i++)
        used |= (uint64_t)(sum.sent.codecs[i].images > 0) << i;
    TAP_NOTE("%u draws, %u refused, %u times no memory, %u messages, %u times blocked, %u waits, "
             "%u hits, %u added, %u replaced, %u invalidated, %u palettes named, %u reconnects, "
             "codecs %llx, PSNR %.1f",
             sum.draws, sum.refused, sum.starved, sum.delivered, sum.blocked,
             (unsigned)sum.sent.waits, (unsigned)sum.sent.hits, (unsigned)sum.sent.added,
             (unsigned)sum.sent.replaced, (unsigned)sum.sent.invalidated,
             (unsigned)sum.sent.palette_hits, sum.reconnects, (unsigned long long)used,
             sum.worst_psnr);
    TAP_OK(used == codecs && sum.draws > n_histories * n_steps / 8 &&
               (config->lossy ||
                (sum.sent.hits > sum.draws / 100 && sum.sent.invalidated > sum.draws / 200)) &&
               (sum.starved == 0) == !config->starved,
           "%s: and the histories were lively", name);
}

/** Each time another memory is refused, in several histories. */
static void test_each_failure(const char *name, SpiceImageMode mode)
{
    enum { N_HISTORIES = 10, N_FAILURES = 50 };
    unsigned held = 0, refused = 0;

    for (unsigned i = 0; i < N_HISTORIES * N_FAILURES; i++) {
        const SenderWorldConfig config = {.mode = mode, .fail_at = 1 + i % N_FAILURES};
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (1 + i / N_FAILURES);
        SenderWorld *world = sender_world_create((Choices){below_random, &state}, &config);
        const char *failure;

        for (unsigned step = 0; step < 120; step++)
            sender_world_step(world);
        sender_world_settle(world);
        refused += sender_world_tally(world).starved;
        failure = sender_world_destroy(world);
        held += !failure;
        if (failure)
            TAP_NOTE("history %u, memory %u refused: %s", i / N_FAILURES, config.fail_at, failure);
    }
    TAP_OK(held == N_HISTORIES * N_FAILURES && refused > held * 3 / 4,
           "%s: client and model agree whichever memory is refused: %u of %u", name, held,
           N_HISTORIES * N_FAILURES);
    TAP_NOTE("%u refused", refused);
}

int main(int argc, char **argv)
{
    enum {
        RAW = 1 << SPICE_IMAGE_CODEC_RAW,
        LZ = 1 << SPICE_IMAGE_CODEC_LZ,
        GLZ = 1 << SPICE_IMAGE_CODEC_GLZ,
        ZLIB_GLZ = 1 << SPICE_IMAGE_CODEC_ZLIB_GLZ,
        QUIC = 1 << SPICE_IMAGE_CODEC_QUIC,
        LZ4 = 1 << SPICE_IMAGE_CODEC_LZ4,
        JPEG = 1 << SPICE_IMAGE_CODEC_JPEG,
    };
    static const struct {
        const char *name;
        uint64_t codecs;
        SenderWorldConfig config;
    } modes[] = {
        {"off", RAW, {.mode = SPICE_IMAGE_MODE_OFF}},
        {"lz", RAW | LZ, {.mode = SPICE_IMAGE_MODE_LZ}},
        {"glz", RAW | LZ | GLZ, {.mode = SPICE_IMAGE_MODE_GLZ, .wan = SPICE_WAN_NEVER}},
        {"quic", RAW | QUIC, {.mode = SPICE_IMAGE_MODE_QUIC}},
        {"lz4", RAW | LZ | LZ4, {.mode = SPICE_IMAGE_MODE_LZ4}},
        {"auto-lz", RAW | LZ | QUIC, {.mode = SPICE_IMAGE_MODE_AUTO_LZ}},
        {"auto-glz", RAW | LZ | GLZ | QUIC, {.mode = SPICE_IMAGE_MODE_AUTO_GLZ}},
        {"adaptive", RAW | LZ | GLZ | QUIC, {.mode = SPICE_IMAGE_MODE_ADAPTIVE}},
        {"glz with zlib",
         RAW | LZ | GLZ | ZLIB_GLZ,
         {.mode = SPICE_IMAGE_MODE_GLZ, .wan = SPICE_WAN_ALWAYS}},
        {"caches apart",
         RAW | LZ | GLZ | QUIC,
         {.mode = SPICE_IMAGE_MODE_AUTO_GLZ, .separate = true}},
        {"without memory now and then",
         RAW | LZ | GLZ | QUIC,
         {.mode = SPICE_IMAGE_MODE_AUTO_GLZ, .starved = true}},
        {"displays that come and go",
         RAW | LZ | GLZ | QUIC,
         {.mode = SPICE_IMAGE_MODE_AUTO_GLZ, .reconnect = true}},
        /* Not with GLZ: who lost an image that others refer to makes them wait for ever. */
        {"displays that break off",
         RAW | LZ | QUIC,
         {.mode = SPICE_IMAGE_MODE_AUTO_LZ, .reconnect = true, .abrupt = true}},
        {"adaptive on a slow link",
         RAW | LZ | GLZ | ZLIB_GLZ | QUIC | JPEG,
         {.mode = SPICE_IMAGE_MODE_ADAPTIVE, .bits_per_second = 2000000, .lossy = true}},
    };
    const bool is_long = tap_long(argc, argv);
    const char *only = argc > 4 ? argv[4] : NULL;
    const unsigned n_histories = argc > 3 ? (unsigned)atoi(argv[2]) : is_long ? 200 : 12;
    const unsigned n_steps = argc > 3 ? (unsigned)atoi(argv[3]) : 1500;

    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (!only || strcmp(only, modes[i].name) == 0)
            test_histories(modes[i].name, &modes[i].config, n_histories, n_steps, modes[i].codecs);
    if (!only) {
        test_each_failure("adaptive", SPICE_IMAGE_MODE_ADAPTIVE);
        test_each_failure("glz", SPICE_IMAGE_MODE_GLZ);
        test_each_failure("lz", SPICE_IMAGE_MODE_LZ);
    }
    return tap_done();
}
