/* Senders and the client that reads them, driven by a source of choices.
 *
 * Two displays of one client share caches. What a sender returns lies on its channel until the
 * client takes it: message by message, from whichever channel it likes, but for waiting where a
 * message says so. Beside each display's receiver there is a model that is fed with the same
 * draws as they were handed to the sender.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/display/sender.h"
#include "publish-draws.h"

typedef struct SenderWorld SenderWorld;

typedef struct {
    SpiceImageMode mode;
    SpiceWanCompression wan; /* JPEG and zlib */
    uint64_t bits_per_second;
    unsigned fail_at; /* the n-th memory that senders ask for to encode is refused; 0: none */
    bool starved;     /* memory is refused to the senders now and then */
    bool separate;    /* the displays name different caches */
    bool lossy;       /* compare roughly, then refine and compare exactly */
    bool reconnect;   /* displays come and go */
    bool abrupt;      /* and what was on their way then is lost */
    SpiceCpuFlags cpu;
} SenderWorldConfig;

SenderWorld *sender_world_create(Choices choices, const SenderWorldConfig *config);

/** A draw, a surface that comes or goes, or a message that arrives. */
void sender_world_step(SenderWorld *world);

/** Lets all arrive and compares. */
void sender_world_settle(SenderWorld *world);

/** What did not hold first; NULL: all did. */
const char *sender_world_failure(const SenderWorld *world);

typedef struct {
    unsigned draws, refused, starved, delivered, blocked, compared, reconnects;
    double worst_psnr;
    SpiceSenderCounters sent;
} SenderWorldTally;

SenderWorldTally sender_world_tally(const SenderWorld *world);

/** Ends it, and looks for what was not given back. Returns the failure as above. */
const char *sender_world_destroy(SenderWorld *world);
