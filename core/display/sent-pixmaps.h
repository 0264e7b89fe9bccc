/* What is in a client's pixmap cache: the ledger that the server keeps of it. The client does as it
 * is told (SPICE protocol, "Caches: who decides"), so the ledger alone says what may be named.
 *
 * Several display channels of a client may share a cache. A client reads them in any order, so
 * that a message may have to wait for others of another channel; with each change the ledger tells
 * for which. All waits go to messages that were encoded earlier, so they cannot block each other.
 *
 * Not thread-safe: under the lock of the client's images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/wire/arena.h"

enum {
    SPICE_SENT_SHARERS = 8,           /* channels that may share a cache */
    SPICE_SENT_MAX_PIXMAPS = 1 << 14, /* in a cache, however small they are */
    SPICE_SENT_INVAL_SLOTS = 256,
};

typedef struct SpiceSentPixmap SpiceSentPixmap;

/** An image that the client has, or will have when it has read what was encoded. */
struct SpiceSentPixmap {
    SpiceSentPixmap *next;          /* with the same hash of the id */
    SpiceSentPixmap *older, *newer; /* by the last use */
    SpiceSentPixmap *next_victim;   /* of the change at hand */
    uint64_t id;
    uint64_t content; /* hash of the pixels: a guest may use an id again for others */
    uint32_t width, height;
    uint8_t format;   /* of the bitmap, SPICE_BITMAP_FMT_*; 0: QUIC as the guest sent it */
    uint8_t depth;    /* indexed: bits of the surfaces that its palette is for; 0: any */
    bool lossy;       /* the client has it from a JPEG */
    bool was_lossy;   /* it was so, and has been replaced: others may still have the old one */
    bool exact_alpha; /* what has no alpha is at the client as it is here, unused bits included */
    bool doomed;      /* may or may not be there: to be invalidated */
    uint8_t adder;    /* the sharer that brought it as it is */
    uint64_t added;   /* by which message */
    uint64_t touched; /* the last change that it had a part in, and which */
    enum { SPICE_SENT_USED, SPICE_SENT_REPLACED, SPICE_SENT_VICTIM } part;
    uint64_t used[SPICE_SENT_SHARERS]; /* last message of each that needs it; 0: none */
};

typedef struct SpiceSentPixmaps SpiceSentPixmaps;

/** The ledger of an empty cache of `max_pixels`. NULL if there is no memory. */
SpiceSentPixmaps *spice_sent_pixmaps_create(const SpiceAllocator *allocator, uint64_t max_pixels);
void spice_sent_pixmaps_destroy(SpiceSentPixmaps *ledger);

/** What it was made for. */
uint64_t spice_sent_pixmaps_max_pixels(const SpiceSentPixmaps *ledger);

/** A channel begins to use the cache. Its number among those that do, or -1 if there are too many:
 * it then has to do without. */
int spice_sent_pixmaps_join(SpiceSentPixmaps *ledger, uint8_t channel_id);

/** A channel is gone, and with it what it had not yet delivered. */
void spice_sent_pixmaps_leave(SpiceSentPixmaps *ledger, int sharer);

/** Whether an image of this size may be kept. */
bool spice_sent_pixmaps_fits(const SpiceSentPixmaps *ledger, uint32_t width, uint32_t height);

/** The entry of an id; NULL if the client has none that may be used. */
SpiceSentPixmap *spice_sent_pixmaps_find(const SpiceSentPixmaps *ledger, uint64_t id);

/** What one message changes. It is put together first, when things can still fail, and then made
 * true, when nothing can. Between the two the ledger must not be used otherwise. */
typedef struct {
    SpiceSentPixmaps *ledger;
    unsigned sharer;
    SpiceSentPixmap *victims; /* to be invalidated, before the message */
    unsigned n_victims;
    uint64_t freed, needed; /* pixels */
    unsigned n_added;
    uint64_t waits[SPICE_SENT_SHARERS]; /* messages that have to be processed before; 0: none */
} SpiceSentChange;

void spice_sent_change_begin(SpiceSentChange *change, SpiceSentPixmaps *ledger, unsigned sharer);

/** The message names the entry. False if it may not, as the same message gives it up or replaces
 * it. */
bool spice_sent_change_use(SpiceSentChange *change, SpiceSentPixmap *entry);

/** The message brings a better picture for the entry. False if it also names the old one. */
bool spice_sent_change_replace(SpiceSentChange *change, SpiceSentPixmap *entry);

/** The message brings a new entry: memory for it, with nothing but id and size set. What is there
 * under the id is invalidated before, and what was not used for longest, as room requires. NULL if
 * there is no memory or no room, or the message names what is there: the image then goes uncached.
 */
SpiceSentPixmap *spice_sent_change_add(SpiceSentChange *change, uint64_t id, uint32_t width,
                                       uint32_t height);

/** Gives up. `added` are the entries that spice_sent_change_add() returned; NULL among them. */
void spice_sent_change_cancel(SpiceSentChange *change, SpiceSentPixmap *const *added, unsigned n);

/** Takes what need not be waited for out of change->waits: messages that this channel has waited
 * for before. Returns how many are left. */
unsigned spice_sent_change_waits(SpiceSentChange *change);

/** The channel id of a sharer. */
uint8_t spice_sent_pixmaps_channel(const SpiceSentPixmaps *ledger, unsigned sharer);

/** Makes it true: `used` are the entries that it names or replaces, `added` those that are new,
 * NULL among both. `inval_serial` is that of the message with the invalidations, `serial` that of
 * the message itself. The victims are freed. */
void spice_sent_change_commit(SpiceSentChange *change, SpiceSentPixmap *const *used,
                              SpiceSentPixmap *const *added, unsigned n, uint64_t inval_serial,
                              uint64_t serial);
