/* Reads what a guest's commands refer to: structs, lists of chunks.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/arena.h"
#include "core/wire/buffer.h"
#include "core/wire/error.h"

#include "guest-memory.h"

/* Sizes and layouts of the device's structs, which are packed and little-endian, stand where they
 * are read; QXL device, "Sizes and offsets". */
enum { SPICE_GUEST_CHUNK_HEADER = 20 };

/* Blocks that a command's images may need beside the guest's own memory: one for each image. */
enum { SPICE_GUEST_MAX_BLOCKS = 4 };

/* Bytes of all blocks of a command; a display takes no more. */
enum { SPICE_GUEST_MAX_COPIED = 256 << 20 };

/** Reads for one command. The error is sticky: after the first all reads give nothing. */
typedef struct {
    const SpiceGuestMemory *memory;
    uint32_t group;
    bool compat_16bpp; /* colours are x1r5g5b5 */
    SpiceArena *arena; /* for what the command unfolds to */
    SpiceError error;
    /* Memory that outlives the command: pixels that were in several chunks, or may change. malloc();
     * the caller's to take over or to free. */
    void *blocks[SPICE_GUEST_MAX_BLOCKS];
    unsigned n_blocks;
    uint64_t n_copied; /* bytes of blocks */
    unsigned n_chunks; /* of all lists */
    bool borrows;      /* pixels of the guest's own memory are referred to */
} SpiceGuestReader;

/** Frees the blocks. */
void spice_guest_reader_drop(SpiceGuestReader *self);

/** Copies `size` bytes at an address. False, `to` zeroed, after an error. */
bool spice_guest_read(SpiceGuestReader *self, uint64_t address, void *to, size_t size,
                      const char *field);

/** The bytes of a list of chunks whose first is at `address`, copied to the arena: `total` bytes
 * exactly, which must be at most SPICE_MAX_DRAW_SIZE. */
SpiceBytes spice_guest_read_chunks(SpiceGuestReader *self, uint64_t address, uint64_t total,
                                   const char *field);

/** The same for pixels, which may be many: they stay where they are if they are in one chunk, and
 * are gathered in a block else, or if `copy`, or if they are few. */
SpiceBytes spice_guest_read_pixels(SpiceGuestReader *self, uint64_t address, uint64_t total,
                                   bool copy, const char *field);

/** Pixels that lie in one piece, without chunks, likewise. */
SpiceBytes spice_guest_read_flat(SpiceGuestReader *self, uint64_t address, uint64_t total,
                                 bool copy, const char *field);

/** Zeroed memory of the arena. NULL after an error. */
void *spice_guest_take(SpiceGuestReader *self, size_t count, size_t size, const char *field);

/** Records the first error. Returns false. */
bool spice_guest_fail(SpiceGuestReader *self, SpiceErrorCode code, const char *field);
