/* The range coder of CELT 0.5.1: bytes of output, 32 bits of state. All of a packet goes through
 * it, from the first byte on. Whatever the bytes are, both directions stay inside their memory and
 * every symbol inside its range.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    uint32_t size, position; /* bytes; the position goes on past the end, where zeros are read */
    uint32_t range, difference, unit;
    uint32_t last; /* the byte of which one bit is still to be used */
} SpiceCelt051Reader;

typedef struct {
    uint8_t *data;
    uint32_t capacity, size; /* bytes */
    uint32_t low, range;
    int32_t last;     /* byte that a carry may still change; -1 before the first */
    uint32_t pending; /* bytes of 255 after it */
    bool overflow;    /* a byte was lost for want of room */
} SpiceCelt051Writer;

/** The position of the highest set bit, from 1; 0 for 0. */
static inline int spice_celt051_bit_length(uint32_t value)
{
    int length = 0;

#if defined(__GNUC__)
    length = value ? 32 - __builtin_clz(value) : 0;
#else
    for (; value; value >>= 1)
        length++;
#endif
    return length;
}

/** Data must stay while the reader is used. */
void spice_celt051_reader_init(SpiceCelt051Reader *reader, const uint8_t *data, uint32_t size);

/** A number below `total` (1 to 32767) that lies in the interval of the next symbol. Each call must
 * be followed by one of spice_celt051_reader_consume() with the same total. */
uint32_t spice_celt051_reader_peek(SpiceCelt051Reader *reader, uint32_t total);
void spice_celt051_reader_consume(SpiceCelt051Reader *reader, uint32_t low, uint32_t high,
                                  uint32_t total);

/** `count` (0 to 32) bits. */
uint32_t spice_celt051_reader_bits(SpiceCelt051Reader *reader, int count);

/** A number from 0 to `total` - 1, all equally likely; total at least 2. */
uint32_t spice_celt051_reader_uint(SpiceCelt051Reader *reader, uint32_t total);

/** What has been used, rounded up, in units of 1/2^fraction bit. Decides how much is read, so it
 * is exact and equal on both sides. */
int32_t spice_celt051_reader_tell(const SpiceCelt051Reader *reader, int fraction);

/** Zeroes the memory, which must stay while the writer is used. */
void spice_celt051_writer_init(SpiceCelt051Writer *writer, uint8_t *data, uint32_t capacity);
void spice_celt051_writer_symbol(SpiceCelt051Writer *writer, uint32_t low, uint32_t high,
                                 uint32_t total);
void spice_celt051_writer_bits(SpiceCelt051Writer *writer, uint32_t value, int count);
void spice_celt051_writer_uint(SpiceCelt051Writer *writer, uint32_t value, uint32_t total);
int32_t spice_celt051_writer_tell(const SpiceCelt051Writer *writer, int fraction);

/** Writes out what the reader needs to find the last symbol. */
void spice_celt051_writer_finish(SpiceCelt051Writer *writer);
