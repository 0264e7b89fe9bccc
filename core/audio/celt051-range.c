/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-range.h"

#include <string.h>

#define TOP    (UINT32_C(1) << 31)
#define BOTTOM (UINT32_C(1) << 23)

/* `bits` have gone in or out; the range says how much of the last ones is still free. */
static int32_t tell(uint32_t bits, uint32_t range, int fraction)
{
    int32_t free_bits = spice_celt051_bit_length(range);
    uint32_t r = range >> (free_bits - 16);

    for (int i = 0; i < fraction; i++) {
        uint32_t bit;

        r = r * r >> 15;
        bit = r >> 16;
        free_bits = 2 * free_bits + (int32_t)bit;
        r >>= bit;
    }
    return (int32_t)(bits << fraction) - free_bits;
}

static uint32_t next_byte(SpiceCelt051Reader *reader)
{
    uint32_t byte = reader->position < reader->size ? reader->data[reader->position] : 0;

    reader->position++;
    return byte;
}

static void refill(SpiceCelt051Reader *reader)
{
    while (reader->range <= BOTTOM) {
        uint32_t symbol = reader->last << 7 & 255;

        reader->range <<= 8;
        reader->last = next_byte(reader);
        symbol |= reader->last >> 1;
        reader->difference = (reader->difference << 8) - symbol;
        if (reader->difference > TOP)
            reader->difference -= TOP;
    }
}

void spice_celt051_reader_init(SpiceCelt051Reader *reader, const uint8_t *data, uint32_t size)
{
    *reader = (SpiceCelt051Reader){.data = data, .size = size, .range = 128};
    reader->last = next_byte(reader);
    reader->difference = 128 - (reader->last >> 1);
    refill(reader);
}

uint32_t spice_celt051_reader_peek(SpiceCelt051Reader *reader, uint32_t total)
{
    uint32_t k;

    reader->unit = reader->range / total;
    /* A bad symbol can leave the difference at 0: it wraps, and the result is still in range. */
    k = (reader->difference - 1) / reader->unit;
    return k < total ? total - 1 - k : 0;
}

void spice_celt051_reader_consume(SpiceCelt051Reader *reader, uint32_t low, uint32_t high,
                                  uint32_t total)
{
    uint32_t above = reader->unit * (total - high);

    reader->difference -= above;
    reader->range = low > 0 ? reader->unit * (high - low) : reader->range - above;
    refill(reader);
}

static uint32_t read_group(SpiceCelt051Reader *reader, int count)
{
    uint32_t total = UINT32_C(1) << count, value = spice_celt051_reader_peek(reader, total);

    spice_celt051_reader_consume(reader, value, value + 1, total);
    return value;
}

uint32_t spice_celt051_reader_bits(SpiceCelt051Reader *reader, int count)
{
    uint32_t value = 0;

    for (; count > 8; count -= 8)
        value = value << 8 | read_group(reader, 8);
    return value << count | read_group(reader, count);
}

uint32_t spice_celt051_reader_uint(SpiceCelt051Reader *reader, uint32_t total)
{
    uint32_t most = total - 1, value, high;
    int low_bits = spice_celt051_bit_length(most) - 8;

    if (low_bits <= 0) {
        value = spice_celt051_reader_peek(reader, total);
        spice_celt051_reader_consume(reader, value, value + 1, total);
        return value;
    }
    total = (most >> low_bits) + 1;
    high = spice_celt051_reader_peek(reader, total);
    spice_celt051_reader_consume(reader, high, high + 1, total);
    value = high << low_bits | spice_celt051_reader_bits(reader, low_bits);
    return value < most ? value : most;
}

int32_t spice_celt051_reader_tell(const SpiceCelt051Reader *reader, int fraction)
{
    return tell(8 * reader->position, reader->range, fraction);
}

void spice_celt051_writer_init(SpiceCelt051Writer *writer, uint8_t *data, uint32_t capacity)
{
    memset(data, 0, capacity);
    *writer = (SpiceCelt051Writer){.data = data, .capacity = capacity, .range = TOP, .last = -1};
}

static void put_byte(SpiceCelt051Writer *writer, uint32_t byte)
{
    if (writer->size < writer->capacity)
        writer->data[writer->size++] = (uint8_t)byte;
    else
        writer->overflow = true;
}

/* Bit 8 of a symbol is a carry into the bytes before it. */
static void put_symbol(SpiceCelt051Writer *writer, uint32_t symbol)
{
    uint32_t carry = symbol >> 8;

    if (symbol == 255) {
        writer->pending++;
        return;
    }
    if (writer->last >= 0)
        put_byte(writer, (uint32_t)writer->last + carry);
    for (; writer->pending > 0; writer->pending--)
        put_byte(writer, 255 + carry);
    writer->last = (int32_t)(symbol & 255);
}

void spice_celt051_writer_symbol(SpiceCelt051Writer *writer, uint32_t low, uint32_t high,
                                 uint32_t total)
{
    uint32_t unit = writer->range / total;

    if (low > 0) {
        writer->low += writer->range - unit * (total - low);
        writer->range = unit * (high - low);
    } else {
        writer->range -= unit * (total - high);
    }
    while (writer->range <= BOTTOM) {
        put_symbol(writer, writer->low >> 23);
        writer->low = writer->low << 8 & (TOP - 1);
        writer->range <<= 8;
    }
}

void spice_celt051_writer_bits(SpiceCelt051Writer *writer, uint32_t value, int count)
{
    uint32_t group;

    for (; count > 8; count -= 8) {
        group = value >> (count - 8) & 255;
        spice_celt051_writer_symbol(writer, group, group + 1, 256);
    }
    group = value & ((UINT32_C(1) << count) - 1);
    spice_celt051_writer_symbol(writer, group, group + 1, UINT32_C(1) << count);
}

void spice_celt051_writer_uint(SpiceCelt051Writer *writer, uint32_t value, uint32_t total)
{
    uint32_t most = total - 1;
    int low_bits = spice_celt051_bit_length(most) - 8;

    if (low_bits <= 0) {
        spice_celt051_writer_symbol(writer, value, value + 1, total);
        return;
    }
    spice_celt051_writer_symbol(writer, value >> low_bits, (value >> low_bits) + 1,
                                (most >> low_bits) + 1);
    spice_celt051_writer_bits(writer, value & ((UINT32_C(1) << low_bits) - 1), low_bits);
}

int32_t spice_celt051_writer_tell(const SpiceCelt051Writer *writer, int fraction)
{
    uint32_t bytes = writer->size + (writer->last >= 0) + writer->pending;

    return tell(8 * bytes + 32, writer->range, fraction);
}

void spice_celt051_writer_finish(SpiceCelt051Writer *writer)
{
    /* Of the numbers in the interval, the one with the most zeros at its end: it needs the fewest
     * bytes, since the reader takes zeros past the end. */
    if (writer->low > 0) {
        uint32_t mask = TOP - 1, end = TOP;

        while (end - writer->low >= writer->range) {
            mask >>= 1;
            end = ((writer->low + mask) & ~mask) | (mask + 1);
        }
        for (; end > 0; end = end << 8 & (TOP - 1))
            put_symbol(writer, end >> 23);
    }
    if (writer->last > 0 || writer->pending > 0)
        put_symbol(writer, 0);
}
