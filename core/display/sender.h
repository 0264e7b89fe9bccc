/* The server's half of a display channel: it turns the messages of a view into messages ready for
 * the wire, each image encoded by a codec that suits it, and the client's caches in use.
 *
 *     SpiceSender *sender = spice_sender_create(&config);
 *     spice_sender_take_init(sender, init, &error);          the client's first message
 *     while (spice_view_next(view, &item, &error) && item) {
 *         spice_sender_encode(sender, item->type, item->message, &out, &error);
 *         send all of out, in order;
 *         spice_view_item_done(item);
 *     }
 *
 * Images come as BITMAP, as QUIC (from a guest's driver) or as SURFACE. A sender is the mirror
 * image of a receiver (receiver.h): it knows what a client that reads its messages has in its
 * caches. What was encoded has to be sent, in order, else the client's caches and GLZ window differ
 * from what is known of them here; so nothing may be dropped behind a sender.
 *
 * The client's surfaces come out as they are here, but for bits that mean nothing: the top bit of
 * 16_555, and the unused byte of an xRGB primary, which codecs do not carry. (Of other surfaces it
 * is kept: they may be copied to where it is an alpha.)
 *
 * The senders of one client share SpiceClientImages; all their functions are called under the
 * client's lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <pixman.h>

#include "core/image/glz.h"
#include "core/wire/display.h"
#include "core/wire/error.h"
#include "core/wire/migration.h"

#include "image-chooser.h"
#include "sent-images.h"

typedef struct SpiceSender SpiceSender;

/** All that is pointed to must outlive the sender. */
typedef struct {
    const SpiceAllocator *allocator;
    SpiceClientImages *images;
    uint8_t channel_id;
    /** Of the first message that it returns: 1 + the messages sent before. The channel sends
     * nothing else afterwards, or says so: spice_sender_count_others(). */
    uint64_t first_serial;
    bool has_lz4; /* the client has SPICE_DISPLAY_CAP_LZ4_COMPRESSION */
    SpiceImageMode mode;
    SpiceWanCompression jpeg, zlib_glz;
    int jpeg_quality; /* 1 to 100; 0: 85, as the field's servers take */
} SpiceSenderConfig;

/** A sender that caches nothing until spice_sender_take_init(). NULL if there is no memory. */
SpiceSender *spice_sender_create(const SpiceSenderConfig *config);

/** The channel is gone, whether or not what was encoded was delivered. What was lost with it the
 * other channels do without: entries of the cache are invalidated, and if it had sent GLZ images
 * the dictionary is not used any more. But messages of others that were encoded before may refer to
 * GLZ images that were lost, and wait for them in the client. NULL is allowed. */
void spice_sender_destroy(SpiceSender *sender);

/** The client's DISPLAY_INIT. False if it is to be thrown out: VALUE for sizes that the protocol
 * does not allow, STATE for a second one, LIMIT if it names more caches than a client has displays,
 * MEMORY. A cache or dictionary that another channel of the client has named is shared, and the
 * size is what that said (SPICE protocol, "Caches: who decides"). */
bool spice_sender_take_init(SpiceSender *sender, const SpiceMsgcDisplayInit *init,
                            SpiceError *error);

void spice_sender_set_mode(SpiceSender *sender, SpiceImageMode mode);

/** Whether JPEG and zlib are used. */
void spice_sender_set_wan(SpiceSender *sender, SpiceWanCompression jpeg,
                          SpiceWanCompression zlib_glz);

/** The client's PREFERRED_COMPRESSION; values that are not known change nothing. */
void spice_sender_set_preferred_compression(SpiceSender *sender,
                                            const SpiceMsgcDisplayPreferredCompression *message);

/** What the link has been measured to do; 0 stands for not known. May be said as often as it
 * changes. The choice goes by the rate alone up to now. */
void spice_sender_set_link(SpiceSender *sender, uint64_t bits_per_second, uint64_t round_trip_us);

/** The mode that PREFERRED_COMPRESSION would have to name for what is done now. */
SpiceImageCompression spice_sender_preferred_compression(const SpiceSender *sender);

/** The serial of the next message that it returns. */
uint64_t spice_sender_next_serial(const SpiceSender *sender);

/** Counts messages that the caller has sent on the channel without the sender. */
void spice_sender_count_others(SpiceSender *sender, uint64_t n);

enum { SPICE_SENDER_MAX_MESSAGES = 8 };

/** Messages ready for the wire, in order. */
typedef struct {
    SpiceBuffer bytes; /* their bodies, one after the other */
    unsigned n_messages;
    struct {
        uint16_t type;
        size_t offset, size; /* of the body in bytes */
    } messages[SPICE_SENDER_MAX_MESSAGES];
} SpiceSenderOutput;

void spice_sender_output_init(SpiceSenderOutput *out, const SpiceAllocator *allocator);
void spice_sender_output_clear(SpiceSenderOutput *out);

/** Encodes one message of the display channel: any that a view gives out, and those of streams and
 * of the numbers 1 to 99 but for WAIT_FOR_CHANNELS and INVAL_*, which come from here. `out`,
 * emptied first, gets one or more messages: WAIT_FOR_CHANNELS, INVAL_LIST and INVAL_PALETTE go
 * before what needs them. INVAL_ALL_PALETTES is for the start of a channel.
 *
 * `message` is only read, and not needed afterwards. Draws are checked as when they are published.
 * False and *error: nothing is to be sent, and nothing has changed; MEMORY may be tried again. */
bool spice_sender_encode(SpiceSender *sender, uint16_t type, const void *message,
                         SpiceSenderOutput *out, SpiceError *error);

/** The same for a message whose images stay as they are until loan->release() is called, once and
 * perhaps before this returns; not at all if it returns false. The GLZ dictionary then needs no
 * copy of a picture. A view's item is lent by a reference to its drawable. Loans end under the lock
 * of the client, at the latest when SpiceClientImages is destroyed. */
bool spice_sender_encode_lent(SpiceSender *sender, uint16_t type, const void *message,
                              const SpiceGlzLoan *loan, SpiceSenderOutput *out, SpiceError *error);

/** The part of a surface that the client has only in lossy form, but for where a video stream shows
 * its frames: when the link is idle, or video has left it, the caller has it drawn again
 * (spice_view_damage()), with spice_sender_set_refining() on meanwhile. Never NULL; valid until the
 * next call. It may be larger than what is really lossy. */
const pixman_region32_t *spice_sender_lossy_region(const SpiceSender *sender, uint32_t surface_id);

/** The same with where streams show frames; into a region that the caller has initialised. */
void spice_sender_get_lossy(const SpiceSender *sender, uint32_t surface_id,
                            pixman_region32_t *region);

/** A frame of stream `id` is being encoded: STREAM_DATA follows later, or never. From here on what it
 * shows counts as lossy, and what leaves its clip. */
void spice_sender_expect_frame(SpiceSender *sender, uint32_t id);

/** While on, nothing is sent lossy. */
void spice_sender_set_refining(SpiceSender *sender, bool on);

/** What the server that takes over a guest has to know of this client's display: serial, caches,
 * dictionary, surfaces and what of them is lossy; as MIGRATE_DATA carries it. The surfaces are in
 * `arena`. Who takes over begins an empty dictionary after the last image id, and has the pixmap cache
 * emptied, so the cache is not frozen and its contents are not told. False: MEMORY. */
bool spice_sender_save(const SpiceSender *sender, SpiceArena *arena, SpiceMigrateDataDisplay *state,
                       SpiceError *error);

/** What happened so far. */
typedef struct {
    struct {
        uint64_t images;
        uint64_t bytes_in; /* of pixels, without what lies between rows */
        uint64_t bytes_out;
    } codecs[SPICE_IMAGE_N_CODECS];
    uint64_t passed_on, passed_on_bytes;   /* QUIC images of a guest */
    uint64_t hits, hit_bytes;              /* named instead of sent, and their bytes of pixels */
    uint64_t added, replaced, invalidated; /* of the pixmap cache */
    uint64_t palette_hits;
    uint64_t waits; /* WAIT_FOR_CHANNELS messages */
} SpiceSenderCounters;

const SpiceSenderCounters *spice_sender_counters(const SpiceSender *sender);
