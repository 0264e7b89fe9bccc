/* A card reader's messages: from the channel to the device and back, cut anywhere; lengths that lie.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/device/smartcard-stream.h"

#include "tests/unit/tap.h"

int main(void)
{
    static uint8_t large[SPICE_VSC_MAX_DATA + 1];
    const uint8_t apdu[] = {0, 0xa4, 4, 0, 1, 0x55};
    const SpiceMsgSmartcardData messages[] = {
        {SPICE_VSC_APDU, 0, {apdu, sizeof apdu}},
        {SPICE_VSC_CARD_REMOVE, SPICE_VSC_UNDEFINED_READER_ID, {NULL, 0}},
        {SPICE_VSC_READER_ADD, SPICE_VSC_UNDEFINED_READER_ID, {(const uint8_t *)"reader", 7}},
        {SPICE_VSC_APDU, 0x01020304, {large, SPICE_VSC_MAX_DATA}},
    };
    const SpiceMsgSmartcardData too_large = {SPICE_VSC_APDU, 0, {large, sizeof large}};
    const uint8_t lies[] = {0, 0, 0, 7, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    SpiceBuffer stream = {.allocator = &spice_allocator_libc};
    SpiceMsgSmartcardData message;
    size_t at = 0, taken = 0, early = 0;

    TAP_OK(spice_smartcard_to_device(&messages[0], &stream) &&
               stream.size == SPICE_VSC_HEADER_SIZE + sizeof apdu &&
               memcmp(stream.data, "\0\0\0\7\0\0\0\0\0\0\0\6\0\xa4", 14) == 0,
           "a device has big endian headers");
    for (unsigned i = 1; i < 4; i++)
        spice_smartcard_to_device(&messages[i], &stream);
    for (unsigned i = 0; i < 4; i++) {
        const size_t size = SPICE_VSC_HEADER_SIZE + messages[i].data.size;
        SpiceSmartcardRead read;

        for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 997)
            early += spice_smartcard_from_device((SpiceBytes){stream.data + at, cut}, &message,
                                                 &taken) != SPICE_SMARTCARD_MORE;
        read = spice_smartcard_from_device((SpiceBytes){stream.data + at, stream.size - at},
                                           &message, &taken);
        TAP_OK(read == SPICE_SMARTCARD_MESSAGE && taken == size &&
                   message.type == messages[i].type && message.reader_id == messages[i].reader_id &&
                   message.data.size == messages[i].data.size &&
                   (message.data.size == 0 ||
                    memcmp(message.data.data, messages[i].data.data, message.data.size) == 0),
               "message %u comes back", i);
        at += taken;
    }
    TAP_OK(early == 0, "none is read before all of it is there");
    TAP_OK(spice_smartcard_from_device((SpiceBytes){lies, sizeof lies}, &message, &taken) ==
               SPICE_SMARTCARD_BROKEN,
           "4 GiB are not waited for");
    at = stream.size;
    TAP_OK(!spice_smartcard_to_device(&too_large, &stream) && stream.size == at,
           "a message that is too large is refused");
    spice_buffer_clear(&stream);
    return tap_done();
}
