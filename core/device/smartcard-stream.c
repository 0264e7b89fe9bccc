/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smartcard-stream.h"

static void put_be32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static uint32_t get_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool spice_smartcard_to_device(const SpiceMsgSmartcardData *message, SpiceBuffer *out)
{
    uint8_t header[SPICE_VSC_HEADER_SIZE];

    if (message->data.size > SPICE_VSC_MAX_DATA)
        return false;
    put_be32(header, message->type);
    put_be32(header + 4, message->reader_id);
    put_be32(header + 8, (uint32_t)message->data.size);
    return spice_buffer_append(out, header, sizeof header) &&
           (message->data.size == 0 ||
            spice_buffer_append(out, message->data.data, message->data.size));
}

SpiceSmartcardRead spice_smartcard_from_device(SpiceBytes bytes, SpiceMsgSmartcardData *message,
                                               size_t *taken)
{
    uint32_t size;

    if (bytes.size < SPICE_VSC_HEADER_SIZE)
        return SPICE_SMARTCARD_MORE;
    size = get_be32(bytes.data + 8);
    if (size > SPICE_VSC_MAX_DATA)
        return SPICE_SMARTCARD_BROKEN;
    if (bytes.size - SPICE_VSC_HEADER_SIZE < size)
        return SPICE_SMARTCARD_MORE;
    message->type = get_be32(bytes.data);
    message->reader_id = get_be32(bytes.data + 4);
    message->data = (SpiceBytes){bytes.data + SPICE_VSC_HEADER_SIZE, size};
    *taken = SPICE_VSC_HEADER_SIZE + (size_t)size;
    return SPICE_SMARTCARD_MESSAGE;
}
