/* The link stage's messages, capability bits and sub-message lists, honest and not.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/wire/link.h"

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/display.h"
#include "core/wire/endian.h"
#include "tests/unit/tap.h"

static SpiceArena arena;

static SpiceLinkError check_header(uint32_t magic, uint32_t major, uint32_t minor, uint32_t size)
{
    SpiceLinkHeader header = {magic, major, minor, size};

    return spice_link_header_check(&header, SPICE_LINK_MESS_SIZE);
}

static void test_headers(void)
{
    static const uint8_t bytes[] = {'R', 'E', 'D', 'Q', 2, 0, 0, 0, 2, 0, 0, 0, 0x1a, 0, 0, 0};
    static const uint8_t full[] = {8, 7, 6, 5, 4, 3, 2, 1, 0x30, 1, 5, 0, 0, 0, 9, 0, 0, 0};
    uint8_t again[SPICE_DATA_HEADER_SIZE];
    SpiceLinkHeader header;
    SpiceDataHeader data;

    spice_link_header_decode(&header, bytes);
    spice_link_header_encode(&header, again);
    TAP_OK(header.magic == SPICE_MAGIC && header.major == 2 && header.minor == 2 &&
               header.size == 26 && memcmp(again, bytes, sizeof bytes) == 0,
           "a link header is decoded and encoded");
    spice_data_header_decode(&data, full);
    spice_data_header_encode(&data, again);
    TAP_OK(data.serial == 0x0102030405060708 && data.type == 304 && data.size == 5 &&
               data.sub_list == 9 && memcmp(again, full, sizeof full) == 0,
           "a full data header is decoded and encoded");
    spice_mini_data_header_decode(&data, full + 8);
    spice_mini_data_header_encode(&data, again);
    TAP_OK(data.serial == 0 && data.type == 304 && data.size == 5 && data.sub_list == 0 &&
               memcmp(again, full + 8, SPICE_MINI_DATA_HEADER_SIZE) == 0,
           "a mini data header is decoded and encoded");

    TAP_OK(check_header(SPICE_MAGIC, 2, 2, 18) == SPICE_LINK_ERR_OK,
           "a link header of 18 is taken");
    TAP_OK(check_header(SPICE_MAGIC, 2, 99, 4096) == SPICE_LINK_ERR_OK,
           "any minor version and 4096 bytes are taken");
    TAP_OK(check_header(SPICE_MAGIC + 1, 1, 2, 0) == SPICE_LINK_ERR_INVALID_MAGIC,
           "the magic is looked at first");
    TAP_OK(check_header(SPICE_MAGIC, 1, 2, 0) == SPICE_LINK_ERR_VERSION_MISMATCH,
           "then the major version");
    TAP_OK(check_header(SPICE_MAGIC, 2, 2, 17) == SPICE_LINK_ERR_INVALID_DATA &&
               check_header(SPICE_MAGIC, 2, 2, 4097) == SPICE_LINK_ERR_INVALID_DATA &&
               check_header(SPICE_MAGIC, 2, 2, UINT32_MAX) == SPICE_LINK_ERR_INVALID_DATA,
           "then the size");
}

/* A SpiceLinkMess that says it has so many words at `offset`, in `size` bytes, of which the last
 * are the words. */
static SpiceErrorCode read_mess(uint32_t n_common, uint32_t n_channel, uint32_t offset, size_t size,
                                SpiceLinkMess *mess)
{
    static uint8_t bytes[SPICE_LINK_MAX_SIZE + 4 * SPICE_LINK_MAX_CAPS];
    SpiceError error = {0};

    memset(bytes, 0, sizeof bytes);
    spice_put_u32(bytes + 6, n_common);
    spice_put_u32(bytes + 10, n_channel);
    spice_put_u32(bytes + 14, offset);
    if (size >= SPICE_LINK_MESS_SIZE + 8) {
        spice_put_u32(bytes + size - 8, 0x0b);
        spice_put_u32(bytes + size - 4, 0x8000005f);
    }
    spice_arena_reset(&arena);
    spice_link_mess_read(mess, bytes, size, &arena, &error);
    return error.code;
}

static void test_capabilities(void)
{
    SpiceLinkMess mess;
    uint32_t words[2] = {0};
    SpiceCaps caps = {2, words};

    TAP_OK(read_mess(1, 1, 18, 26, &mess) == SPICE_OK && mess.common_caps.words[0] == 0x0b &&
               mess.channel_caps.words[0] == 0x8000005f,
           "capability words behind the message are read");
    TAP_OK(read_mess(1, 1, 30, 38, &mess) == SPICE_OK && mess.common_caps.words[0] == 0x0b,
           "they may stand further on");
    TAP_OK(read_mess(0, 0, UINT32_MAX, 18, &mess) == SPICE_OK,
           "without words their offset has no meaning");
    TAP_OK(read_mess(1, 1, 17, 26, &mess) == SPICE_ERROR_OFFSET, "they may not lie in the message");
    TAP_OK(read_mess(1, 1, 19, 26, &mess) == SPICE_ERROR_TRUNCATED, "nor pass the end");
    TAP_OK(read_mess(1, 1, UINT32_MAX - 3, 26, &mess) == SPICE_ERROR_TRUNCATED,
           "an offset near the end of 32 bits does not wrap");
    TAP_OK(read_mess(1, 0x40000000, 18, 26, &mess) == SPICE_ERROR_LIMIT &&
               read_mess(UINT32_MAX, 0, 18, 26, &mess) == SPICE_ERROR_LIMIT &&
               read_mess(1025, 0, 18, 8000, &mess) == SPICE_ERROR_LIMIT,
           "more than 1024 words are refused");
    TAP_OK(read_mess(500, 500, 18, 18 + 4000, &mess) == SPICE_OK &&
               mess.channel_caps.words[499] == 0x8000005f,
           "a thousand words are read");
    TAP_OK(read_mess(1, 1, 18, 17, &mess) == SPICE_ERROR_TRUNCATED, "17 bytes are too few");

    TAP_OK(spice_caps_set(&caps, 3) && spice_caps_set(&caps, 37) && words[0] == 8 && words[1] == 32,
           "capability 37 is bit 5 of the second word");
    TAP_OK(spice_caps_has(&caps, 3) && spice_caps_has(&caps, 37) && !spice_caps_has(&caps, 5),
           "capabilities are found");
    TAP_OK(!spice_caps_has(&caps, 64) && !spice_caps_has(&caps, UINT32_MAX) &&
               !spice_caps_set(&caps, 64),
           "missing words hold none");
}

static void test_error_reply(void)
{
    SpiceLinkReply reply = {.error = SPICE_LINK_ERR_NEED_SECURED}, read;
    SpiceBuffer out = {.allocator = &spice_allocator_libc};
    bool zero = true;

    TAP_OK(spice_link_reply_write(&reply, &out, NULL) && out.size == 194,
           "an error reply has 194 bytes");
    for (size_t i = 20; i < out.size; i++)
        zero &= out.data[i] == 0;
    TAP_OK(zero && out.data[12] == 178 && out.data[16] == 5, "and is zero but for the error");
    TAP_OK(spice_link_reply_read(&read, out.data + 16, out.size - 16, &arena, NULL) &&
               read.error == SPICE_LINK_ERR_NEED_SECURED && read.common_caps.n_words == 0,
           "it is read");
    spice_buffer_clear(&out);
}

/* As a real server wrote it: the list names the second message first, and the sizes are those of
 * structures in its memory, 8 + 16n. */
static const uint8_t recorded_list[] = {
    2,   0, 27, 0, 0, 0, 10, 0, 0, 0,                            /* two, at 27 and 10 */
    105, 0, 24, 0, 0, 0, 1,  0, 1, 0x11, 0, 0, 0, 0, 0, 0, 0x22, /* INVAL_LIST */
    5,   0, 24, 0, 0, 0, 1,  2, 1, 7,    0, 0, 0, 0, 0, 0, 0,    /* WAIT_FOR_CHANNELS */
};

static void check_sub_messages(const SpiceMsgList *list, const char *whence)
{
    const SpiceMessageDef *wait_def =
        spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, SPICE_MSG_WAIT_FOR_CHANNELS);
    const SpiceMessageDef *inval_def =
        spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, SPICE_MSG_DISPLAY_INVAL_LIST);
    SpiceMsgWaitForChannels *wait;
    SpiceMsgDisplayInvalList *inval;

    if (!tap_ok(list->n_messages == 2 && list->messages[0].type == SPICE_MSG_WAIT_FOR_CHANNELS &&
                    list->messages[1].type == SPICE_MSG_DISPLAY_INVAL_LIST,
                "%s: two messages in the order of the list", whence))
        return;
    wait = spice_message_read(wait_def, list->messages[0].body.data, list->messages[0].body.size,
                              &arena, NULL);
    inval = spice_message_read(inval_def, list->messages[1].body.data, list->messages[1].body.size,
                               &arena, NULL);
    TAP_OK(wait && wait->n_waits == 1 && wait->waits[0].channel_type == SPICE_CHANNEL_DISPLAY &&
               wait->waits[0].channel_id == 1 && wait->waits[0].message_serial == 7,
           "%s: WAIT_FOR_CHANNELS is read by its fields", whence);
    TAP_OK(inval && inval->n_resources == 1 && inval->resources[0].type == SPICE_RES_TYPE_PIXMAP &&
               inval->resources[0].id == 0x2200000000000011,
           "%s: INVAL_LIST is read by its fields", whence);
}

static void test_sub_messages(void)
{
    const SpiceMessageDef *def =
        spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, SPICE_MSG_LIST);
    SpiceBuffer out = {.allocator = &spice_allocator_libc};
    SpiceSubMessage messages[2] = {
        {SPICE_MSG_WAIT_FOR_CHANNELS, 0, {recorded_list + 33, 11}},
        {SPICE_MSG_DISPLAY_INVAL_LIST, 0, {recorded_list + 16, 11}},
    };
    SpiceSubMessage many[SPICE_MAX_SUB_MESSAGES + 1] = {0};
    SpiceMsgList own = {2, messages}, too_many = {SPICE_MAX_SUB_MESSAGES + 1, many}, read;
    uint8_t carrying[64 + sizeof recorded_list];
    uint32_t sub_list = 0;
    SpiceMsgList *list;

    spice_arena_reset(&arena);
    list = spice_message_read(def, recorded_list, sizeof recorded_list, &arena, NULL);
    TAP_OK(list && list->messages[0].announced_size == 24, "a recorded LIST is read");
    if (list)
        check_sub_messages(list, "recorded LIST");
    TAP_OK(spice_message_write(def, &own, &out, NULL) && out.size == 44, "a LIST is written");
    TAP_OK(spice_sub_list_read(out.data, out.size, 0, &arena, &read, NULL) &&
               read.messages[0].announced_size == 11 && read.messages[1].announced_size == 11,
           "with true sizes");
    check_sub_messages(&read, "own LIST");

    out.size = 0;
    spice_buffer_append(&out, "header", 6);
    spice_buffer_append(&out, "body", 4);
    TAP_OK(spice_sub_list_append(&own, &out, 6, &sub_list, NULL) && sub_list == 4,
           "a list is put behind a body");
    TAP_OK(spice_sub_list_read(out.data + 6, out.size - 6, sub_list, &arena, &read, NULL),
           "and is found by the header's field");
    check_sub_messages(&read, "carried");
    TAP_OK(!spice_sub_list_read(out.data + 6, out.size - 6, 1000, &arena, &read, NULL),
           "a list beyond the body is refused");

    memset(carrying, 0, sizeof carrying);
    memcpy(carrying, recorded_list, sizeof recorded_list);
    spice_put_u32(carrying + 2, (uint32_t)sizeof carrying - 5);
    TAP_OK(!spice_sub_list_read(carrying, sizeof carrying, 0, &arena, &read, NULL),
           "a sub-message whose header passes the end is refused");
    spice_put_u32(carrying + 2, 0);
    TAP_OK(!spice_sub_list_read(carrying, sizeof carrying, 0, &arena, &read, NULL),
           "a null offset is refused");
    spice_put_u16(carrying, SPICE_MAX_SUB_MESSAGES + 1);
    TAP_OK(!spice_sub_list_read(carrying, sizeof carrying, 0, &arena, &read, NULL),
           "17 sub-messages are refused");
    TAP_OK(!spice_message_write(def, &too_many, &out, NULL), "and are not written");
    spice_buffer_clear(&out);
}

int main(void)
{
    spice_arena_init(&arena, &spice_allocator_libc, 1 << 20);
    test_headers();
    test_capabilities();
    test_error_reply();
    test_sub_messages();
    spice_arena_clear(&arena);
    return tap_done();
}
