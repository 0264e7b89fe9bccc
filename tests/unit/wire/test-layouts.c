/* Each message as the protocol's tables lay it out, spelt in bytes by hand: what no recording
 * shows.
 *
 * Fields have values that tell their places apart, so that a swap or a wrong width shows.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/cursor.h"
#include "core/wire/display.h"
#include "core/wire/inputs.h"
#include "core/wire/link.h"
#include "core/wire/main.h"
#include "core/wire/migration.h"
#include "core/wire/playback.h"
#include "core/wire/record.h"
#include "core/wire/smartcard.h"
#include "core/wire/vdagent.h"
#include "core/wire/vmc.h"
#include "tests/unit/tap.h"

static uint8_t expected[1024];
static size_t expected_size;

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void spell(const char *hex)
{
    expected_size = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        expected[expected_size++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
        hex++;
    }
}

/* The struct is written as the bytes; the bytes are read to the last one and written as they were.
 * Then each byte is left out at the end: that must be refused unless `cuttable`. */
static void check(const SpiceMessageDef *def, uint32_t agreed, const void *message, bool cuttable,
                  const char *hex)
{
    SpiceBuffer out = {.allocator = &spice_allocator_libc};
    SpiceArena arena;
    SpiceError error = {0};
    SpiceWireSource source;
    uint64_t room[64] = {0}; /* aligned for any of the structs */
    void *reread;
    bool written, read, rewritten;
    unsigned n_taken = 0;

    if (!tap_ok(def != NULL, "there is a layout for %s", hex))
        return;
    spell(hex);
    spice_arena_init(&arena, &spice_allocator_libc, 1 << 16);
    written = spice_message_write_agreed(def, agreed, message, &out, &error) &&
              out.size == expected_size && memcmp(out.data, expected, out.size) == 0;
    if (!written) {
        printf("# wrote");
        for (size_t i = 0; i < out.size; i++)
            printf(" %02x", out.data[i]);
        printf("\n# %s %s\n", error.field ? error.field : "", spice_error_phrase(error.code));
    }
    out.size = 0;
    reread = spice_message_read_agreed(def, agreed, expected, expected_size, &arena, &error);
    source = (SpiceWireSource){
        .body = expected, .size = expected_size, .agreed = agreed, .arena = &arena};
    read = reread && spice_wire_read(&source, def->layout, room, &error) &&
           source.end == expected_size;
    rewritten = reread && spice_message_write_agreed(def, agreed, reread, &out, &error) &&
                out.size == expected_size && memcmp(out.data, expected, out.size) == 0;
    for (size_t size = 0; size < expected_size; size++)
        n_taken += spice_message_read_agreed(def, agreed, expected, size, &arena, NULL) != NULL;
    TAP_OK(written && read && rewritten && (cuttable ? n_taken > 0 : n_taken == 0),
           "%s: written%s, read%s, written back%s, cut bodies taken %u", def->name,
           written ? "" : " WRONG", read ? "" : " WRONG", rewritten ? "" : " WRONG", n_taken);
    spice_arena_clear(&arena);
    spice_buffer_clear(&out);
}

static void check_server(uint8_t channel, uint16_t type, const void *message, const char *hex)
{
    check(spice_message_find(channel, SPICE_FROM_SERVER, type), 0, message, false, hex);
}

static void check_client(uint8_t channel, uint16_t type, const void *message, const char *hex)
{
    check(spice_message_find(channel, SPICE_FROM_CLIENT, type), 0, message, false, hex);
}

static void check_server_open(uint8_t channel, uint16_t type, const void *message, const char *hex)
{
    check(spice_message_find(channel, SPICE_FROM_SERVER, type), 0, message, true, hex);
}

#define BYTES(...)                                                                                 \
    {                                                                                              \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                     \
    }
#define TEXT(s)                                                                                    \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s)                                                            \
    }

static void test_common(void)
{
    const uint8_t channel = SPICE_CHANNEL_CURSOR;
    SpiceWaitForChannel waits[] = {{2, 1, 0x1122334455667788}, {2, 3, 4}};

    check_server(channel, SPICE_MSG_MIGRATE, &(SpiceMsgMigrate){.flags = 3}, "03000000");
    check_server_open(channel, SPICE_MSG_MIGRATE_DATA,
                      &(SpiceMsgMigrateData){.data = BYTES(1, 2, 3)}, "010203");
    check_server(channel, SPICE_MSG_SET_ACK, &(SpiceMsgSetAck){1, 20}, "01000000 14000000");
    check_server_open(
        channel, SPICE_MSG_PING,
        &(SpiceMsgPing){.id = 7, .timestamp = 0x0102030405060708, .padding = BYTES(0)},
        "07000000 0807060504030201 00");
    check_server(channel, SPICE_MSG_WAIT_FOR_CHANNELS,
                 &(SpiceMsgWaitForChannels){.n_waits = 2, .waits = waits},
                 "02 02 01 8877665544332211 02 03 0400000000000000");
    check_server(channel, SPICE_MSG_DISCONNECTING, &(SpiceMsgDisconnecting){5, 1},
                 "0500000000000000 01000000");
    check_server_open(channel, SPICE_MSG_NOTIFY, &(SpiceMsgNotify){5, 1, 2, 3, BYTES('h', 'i')},
                      "0500000000000000 01000000 02000000 03000000 02000000 6869 00");
    check_client(channel, SPICE_MSGC_ACK_SYNC, &(SpiceMsgcAckSync){9}, "09000000");
    check_client(channel, SPICE_MSGC_PONG, &(SpiceMsgcPong){1, 2}, "01000000 0200000000000000");
    check_client(channel, SPICE_MSGC_DISCONNECTING, &(SpiceMsgDisconnecting){5, 1},
                 "0500000000000000 01000000");
    check(spice_message_find(channel, SPICE_FROM_CLIENT, SPICE_MSGC_MIGRATE_DATA), 0,
          &(SpiceMsgMigrateData){.data = BYTES(9)}, true, "09");
}

static void test_main(void)
{
    const uint8_t channel = SPICE_CHANNEL_MAIN;
    SpiceMsgMainMigrationDst dst = {0x1234, 0x5678, TEXT("ab"), TEXT("c")};
    SpiceMsgMainMigrationDst bare = {1, 2, {0}, {0}};
    SpiceChannelId ids[] = {{2, 0}, {9, 1}};

    check_server(channel, SPICE_MSG_MAIN_MIGRATE_BEGIN, &dst,
                 "3412 7856 03000000 14000000 02000000 17000000 616200 6300");
    check_server(channel, SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST, &bare,
                 "0100 0200 00000000 00000000 00000000 00000000");
    check_server(channel, SPICE_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS,
                 &(SpiceMsgMainMigrateBeginSeamless){dst, 1},
                 "3412 7856 03000000 18000000 02000000 1b000000 01000000 616200 6300");
    check_server(channel, SPICE_MSG_MAIN_INIT, &(SpiceMsgMainInit){1, 2, 3, 4, 5, 6, 7, 8},
                 "01000000 02000000 03000000 04000000 05000000 06000000 07000000 08000000");
    check_server(channel, SPICE_MSG_MAIN_CHANNELS_LIST, &(SpiceMsgMainChannelsList){2, ids},
                 "02000000 0200 0901");
    check_server(channel, SPICE_MSG_MAIN_MOUSE_MODE, &(SpiceMsgMainMouseMode){3, 2}, "0300 0200");
    check_server(channel, SPICE_MSG_MAIN_MULTI_MEDIA_TIME, &(SpiceMsgMainMultiMediaTime){5},
                 "05000000");
    check_server(channel, SPICE_MSG_MAIN_AGENT_DISCONNECTED, &(SpiceMsgMainAgentDisconnected){6},
                 "06000000");
    check_server(channel, SPICE_MSG_MAIN_AGENT_TOKEN, &(SpiceMsgMainAgentTokens){7}, "07000000");
    check_server(channel, SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS, &(SpiceMsgMainAgentTokens){10},
                 "0a000000");
    check_server(channel, SPICE_MSG_MAIN_NAME, &(SpiceMsgMainName){TEXT("vm")}, "03000000 766d00");
    check_server(channel, SPICE_MSG_MAIN_UUID, &(SpiceMsgMainUuid){{1, 2, 3, 4, [15] = 16}},
                 "01020304 00000000 00000000 00000010");
    check_client(channel, SPICE_MSGC_MAIN_CLIENT_INFO, &(SpiceMsgcMainClientInfo){1},
                 "0100000000000000");
    check_client(channel, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &(SpiceMsgcMainMouseModeRequest){2},
                 "0200");
    check_client(channel, SPICE_MSGC_MAIN_AGENT_START, &(SpiceMsgMainAgentTokens){UINT32_MAX},
                 "ffffffff");
    check_client(channel, SPICE_MSGC_MAIN_AGENT_TOKEN, &(SpiceMsgMainAgentTokens){1}, "01000000");
    check_client(channel, SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
                 &(SpiceMsgcMainMigrateDstDoSeamless){1}, "01000000");
}

static void test_display(void)
{
    const uint8_t channel = SPICE_CHANNEL_DISPLAY;
    SpiceResource resources[] = {{1, 0x10}, {1, 0x20}};
    SpiceHead heads[] = {{1, 2, 3, 4, 5, 6, 7}};
    SpiceRect rects[] = {{1, 2, 3, 4}};

    check_server(channel, SPICE_MSG_DISPLAY_MODE, &(SpiceMsgDisplayMode){640, 480, 32},
                 "80020000 e0010000 20000000");
    check_server(channel, SPICE_MSG_DISPLAY_INVAL_LIST, &(SpiceMsgDisplayInvalList){2, resources},
                 "0200 01 1000000000000000 01 2000000000000000");
    check_server(channel, SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS, &(SpiceMsgWaitForChannels){0}, "00");
    check_server(channel, SPICE_MSG_DISPLAY_INVAL_PALETTE, &(SpiceMsgDisplayInvalPalette){5},
                 "0500000000000000");
    check_server(channel, SPICE_MSG_DISPLAY_STREAM_CREATE,
                 &(SpiceMsgDisplayStreamCreate){
                     1, 49, 1, 3, 7, 10, 11, 12, 13, {14, 15, 16, 17}, {1, 1, rects}},
                 "01000000 31000000 01 03 0700000000000000 0a000000 0b000000 0c000000 0d000000"
                 "0e000000 0f000000 10000000 11000000 01 01000000 01000000 02000000 03000000"
                 "04000000");
    check_server(channel, SPICE_MSG_DISPLAY_STREAM_DATA_SIZED,
                 &(SpiceMsgDisplayStreamDataSized){49, 5, 6, 7, {8, 9, 10, 11}, BYTES(12, 13)},
                 "31000000 05000000 06000000 07000000 08000000 09000000 0a000000 0b000000"
                 "02000000 0c0d");
    check_server(channel, SPICE_MSG_DISPLAY_MONITORS_CONFIG,
                 &(SpiceMsgDisplayMonitorsConfig){1, 4, heads},
                 "0100 0400 01000000 02000000 03000000 04000000 05000000 06000000 07000000");
    check_server(channel, SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT,
                 &(SpiceMsgDisplayStreamActivateReport){1, 2, 5, 1000},
                 "01000000 02000000 05000000 e8030000");
    check_server(channel, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX,
                 &(SpiceMsgDisplayGlScanoutUnix){1, 2, 3, 4, 1},
                 "01000000 02000000 03000000 04000000 01000000");
    check_server(channel, SPICE_MSG_DISPLAY_GL_DRAW, &(SpiceMsgDisplayGlDraw){1, 2, 3, 4},
                 "01000000 02000000 03000000 04000000");
    check_client(channel, SPICE_MSGC_DISPLAY_INIT, &(SpiceMsgcDisplayInit){1, -7, 2, -2},
                 "01 f9ffffffffffffff 02 feffffff");
    check_client(channel, SPICE_MSGC_DISPLAY_STREAM_REPORT,
                 &(SpiceMsgcDisplayStreamReport){1, 2, 3, 4, 5, 6, -7, 8},
                 "01000000 02000000 03000000 04000000 05000000 06000000 f9ffffff 08000000");
    check_client(channel, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION,
                 &(SpiceMsgcDisplayPreferredCompression){7}, "07");
    check_client(channel, SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE,
                 &(SpiceMsgcDisplayPreferredVideoCodecType){2, BYTES(3, 1)}, "02 03 01");
}

/* A DRAW_COPY of surface 1 whose image begins at byte 57, behind the fixed part. */
static void check_image(SpiceImage *image, const char *hex)
{
    char whole[512];
    SpiceMsgDisplayDrawCopy copy = {.base = {.surface_id = 1, .box = {2, 3, 4, 5}},
                                    .source = image,
                                    .source_area = {6, 7, 8, 9},
                                    .rop = SPICE_ROPD_OP_PUT,
                                    .scale_mode = 1};

    snprintf(whole, sizeof whole, "%s%s",
             "01000000 02000000 03000000 04000000 05000000 00 39000000 06000000 07000000 08000000"
             "09000000 0800 01 00 00000000 00000000 00000000",
             hex);
    check_server(SPICE_CHANNEL_DISPLAY, SPICE_MSG_DISPLAY_DRAW_COPY, &copy, whole);
}

/* Types that no recording has; the others and all drawing messages are in test-drawing. */
static void test_images(void)
{
    uint32_t entries[] = {0x112233, 0x445566};
    SpicePalette palette = {0xabcd, 2, entries};

    check_image(&(SpiceImage){.id = 0x0102030405060708,
                              .type = SPICE_IMAGE_TYPE_LZ_PLT,
                              .flags = 1,
                              .width = 2,
                              .height = 3,
                              .bitmap_flags = SPICE_BITMAP_FLAGS_PAL_FROM_CACHE,
                              .palette = {.id = 0x1122334455667788},
                              .data = BYTES(9)},
                "0807060504030201 64 01 02000000 03000000 02 01000000 8877665544332211 09");
    check_image(&(SpiceImage){.type = SPICE_IMAGE_TYPE_LZ_PLT,
                              .palette = {.palette = &palette},
                              .data = BYTES(9)},
                "0000000000000000 64 00 00000000 00000000 00 01000000 55000000 09"
                "cdab000000000000 0200 33221100 66554400");
    check_image(&(SpiceImage){.type = SPICE_IMAGE_TYPE_BITMAP,
                              .bitmap_format = SPICE_BITMAP_FMT_8BIT,
                              .bitmap_flags = SPICE_BITMAP_FLAGS_PAL_FROM_CACHE,
                              .bitmap_width = 2,
                              .bitmap_height = 1,
                              .stride = 3,
                              .palette = {.id = 5},
                              .data = BYTES(1, 2, 3)},
                "0000000000000000 00 00 00000000 00000000 05 02 02000000 01000000 03000000"
                "0500000000000000 010203");
    check_image(&(SpiceImage){.type = SPICE_IMAGE_TYPE_JPEG_ALPHA,
                              .bitmap_flags = 1,
                              .jpeg_size = 1,
                              .data = BYTES(7, 8)},
                "0000000000000000 6c 00 00000000 00000000 01 01000000 02000000 0708");
    check_image(
        &(SpiceImage){.type = SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB, .glz_size = 0x100, .data = BYTES(6)},
        "0000000000000000 6b 00 00000000 00000000 00010000 01000000 06");
    check_image(&(SpiceImage){.id = 3, .type = SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS},
                "0300000000000000 6a 00 00000000 00000000");
    check_image(&(SpiceImage){.type = SPICE_IMAGE_TYPE_SURFACE, .surface_id = 6},
                "0000000000000000 68 00 00000000 00000000 06000000");
}

static void test_inputs(void)
{
    const uint8_t channel = SPICE_CHANNEL_INPUTS;

    check_server(channel, SPICE_MSG_INPUTS_INIT, &(SpiceMsgInputsKeyModifiers){4}, "0400");
    check_server(channel, SPICE_MSG_INPUTS_KEY_MODIFIERS, &(SpiceMsgInputsKeyModifiers){1}, "0100");
    check_client(channel, SPICE_MSGC_INPUTS_KEY_DOWN, &(SpiceMsgcInputsKey){0x1de0}, "e01d0000");
    check_client(channel, SPICE_MSGC_INPUTS_KEY_UP, &(SpiceMsgcInputsKey){0x9de0}, "e09d0000");
    check_client(channel, SPICE_MSGC_INPUTS_KEY_MODIFIERS, &(SpiceMsgInputsKeyModifiers){2},
                 "0200");
    check(spice_message_find(channel, SPICE_FROM_CLIENT, SPICE_MSGC_INPUTS_KEY_SCANCODE), 0,
          &(SpiceMsgcInputsKeyScancode){BYTES(0x1e, 0x9e)}, true, "1e9e");
    check_client(channel, SPICE_MSGC_INPUTS_MOUSE_MOTION, &(SpiceMsgcInputsMouseMotion){-1, 2, 4},
                 "ffffffff 02000000 0400");
    check_client(channel, SPICE_MSGC_INPUTS_MOUSE_POSITION,
                 &(SpiceMsgcInputsMousePosition){1, 2, 3, 4}, "01000000 02000000 0300 04");
    check_client(channel, SPICE_MSGC_INPUTS_MOUSE_PRESS, &(SpiceMsgcInputsMouseButton){3, 4},
                 "03 0400");
    check_client(channel, SPICE_MSGC_INPUTS_MOUSE_RELEASE, &(SpiceMsgcInputsMouseButton){3, 0},
                 "03 0000");
}

static void test_cursor(void)
{
    const uint8_t channel = SPICE_CHANNEL_CURSOR;
    SpiceCursor none = {.flags = SPICE_CURSOR_FLAGS_NONE};
    SpiceCursor shape = {2, 0x0102030405060708, 1, 8, 9, 10, 11, BYTES(12)};

    check_server(channel, SPICE_MSG_CURSOR_INIT, &(SpiceMsgCursorInit){{-1, 2}, 3, 4, 1, none},
                 "ffff 0200 0300 0400 01 0100");
    check_server_open(channel, SPICE_MSG_CURSOR_SET, &(SpiceMsgCursorSet){{1, 2}, 0, shape},
                      "0100 0200 00 0200 0807060504030201 01 0800 0900 0a00 0b00 0c");
    check_server(channel, SPICE_MSG_CURSOR_MOVE, &(SpiceMsgCursorMove){{1, -2}}, "0100 feff");
    check_server(channel, SPICE_MSG_CURSOR_TRAIL, &(SpiceMsgCursorTrail){1, 2}, "0100 0200");
    check_server(channel, SPICE_MSG_CURSOR_INVAL_ONE, &(SpiceMsgCursorInvalOne){7},
                 "0700000000000000");
    TAP_OK(spice_cursor_data_size(SPICE_CURSOR_TYPE_ALPHA, 9, 3) == 108 &&
               spice_cursor_data_size(SPICE_CURSOR_TYPE_MONO, 9, 3) == 12 &&
               spice_cursor_data_size(SPICE_CURSOR_TYPE_COLOR4, 9, 3) == 15 + 64 + 6 &&
               spice_cursor_data_size(SPICE_CURSOR_TYPE_COLOR8, 9, 3) == 27 + 1024 + 6 &&
               spice_cursor_data_size(SPICE_CURSOR_TYPE_COLOR16, 9, 3) == 54 + 6 &&
               spice_cursor_data_size(SPICE_CURSOR_TYPE_COLOR24, 9, 3) == 81 + 6 &&
               spice_cursor_data_size(SPICE_CURSOR_TYPE_COLOR32, 9, 3) == 108 + 6,
           "cursor shapes take pixels, palette and mask");
    TAP_OK(spice_cursor_data_size(7, 1, 1) == 0, "an unknown cursor type has no size");
    TAP_OK(spice_cursor_data_size(SPICE_CURSOR_TYPE_COLOR32, 65535, 65535) ==
               UINT64_C(4294836225) * 4 + UINT64_C(8192) * 65535,
           "the size of the largest cursor does not wrap");
}

static void test_sound(void)
{
    uint16_t volume[] = {0xc000, 0x1234};
    SpiceMsgAudioVolume both = {2, volume};

    check_server_open(SPICE_CHANNEL_PLAYBACK, SPICE_MSG_PLAYBACK_DATA,
                      &(SpiceMsgAudioData){5, BYTES(1, 2)}, "05000000 0102");
    check_server(SPICE_CHANNEL_PLAYBACK, SPICE_MSG_PLAYBACK_MODE, &(SpiceMsgAudioMode){5, 3, {0}},
                 "05000000 0300");
    check_server(SPICE_CHANNEL_PLAYBACK, SPICE_MSG_PLAYBACK_START,
                 &(SpiceMsgPlaybackStart){2, 1, 48000, 7}, "02000000 0100 80bb0000 07000000");
    check_server(SPICE_CHANNEL_PLAYBACK, SPICE_MSG_PLAYBACK_VOLUME, &both, "02 00c0 3412");
    check_server(SPICE_CHANNEL_PLAYBACK, SPICE_MSG_PLAYBACK_MUTE, &(SpiceMsgAudioMute){1}, "01");
    check_server(SPICE_CHANNEL_PLAYBACK, SPICE_MSG_PLAYBACK_LATENCY,
                 &(SpiceMsgPlaybackLatency){400}, "90010000");
    check_server(SPICE_CHANNEL_RECORD, SPICE_MSG_RECORD_START, &(SpiceMsgRecordStart){2, 1, 44100},
                 "02000000 0100 44ac0000");
    check_server(SPICE_CHANNEL_RECORD, SPICE_MSG_RECORD_VOLUME, &both, "02 00c0 3412");
    check_server(SPICE_CHANNEL_RECORD, SPICE_MSG_RECORD_MUTE, &(SpiceMsgAudioMute){0}, "00");
    check_client(SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_MODE, &(SpiceMsgAudioMode){5, 1, {0}},
                 "05000000 0100");
    check_client(SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_START_MARK, &(SpiceMsgcRecordStartMark){5},
                 "05000000");
    check(spice_message_find(SPICE_CHANNEL_RECORD, SPICE_FROM_CLIENT, SPICE_MSGC_RECORD_DATA), 0,
          &(SpiceMsgAudioData){5, BYTES(1, 2)}, true, "05000000 0102");
}

static void test_devices(void)
{
    /* PORT_INIT and the compressed message as a real server sent them */
    check_server(SPICE_CHANNEL_PORT, SPICE_MSG_PORT_INIT,
                 &(SpiceMsgPortInit){TEXT("org.example.test.0"), 0},
                 "13000000 09000000 00 6f72672e6578616d706c652e746573742e3000");
    check_server_open(SPICE_CHANNEL_PORT, SPICE_MSG_SPICEVMC_COMPRESSED_DATA,
                      &(SpiceMsgVmcCompressedData){1, 3000, BYTES(0x1f, 0x41)}, "01 b80b0000 1f41");
    check_server_open(SPICE_CHANNEL_USBREDIR, SPICE_MSG_SPICEVMC_COMPRESSED_DATA,
                      &(SpiceMsgVmcCompressedData){0, 0, BYTES(5)}, "00 05");
    check_server_open(SPICE_CHANNEL_USBREDIR, SPICE_MSG_SPICEVMC_DATA,
                      &(SpiceMsgVmcData){BYTES(5, 6)}, "0506");
    check_server(SPICE_CHANNEL_WEBDAV, SPICE_MSG_PORT_EVENT, &(SpiceMsgPortEvent){1}, "01");
    check_client(SPICE_CHANNEL_PORT, SPICE_MSGC_PORT_EVENT, &(SpiceMsgPortEvent){2}, "02");
    check_server(SPICE_CHANNEL_SMARTCARD, SPICE_MSG_SMARTCARD_DATA,
                 &(SpiceMsgSmartcardData){7, 0, BYTES(0x90, 0)}, "07000000 00000000 02000000 9000");
    check_client(SPICE_CHANNEL_SMARTCARD, SPICE_MSGC_SMARTCARD_DATA,
                 &(SpiceMsgSmartcardData){3, SPICE_VSC_UNDEFINED_READER_ID, BYTES(0)},
                 "03000000 ffffffff 01000000 00");
    {
        uint32_t code = 99;
        const uint8_t little[] = {3, 0, 0, 0}, big[] = {0, 0, 0, 2}, zero[4] = {0};

        TAP_OK(spice_vsc_error_code((SpiceBytes){little, 4}, &code) && code == 3 &&
                   spice_vsc_error_code((SpiceBytes){big, 4}, &code) && code == 2 &&
                   spice_vsc_error_code((SpiceBytes){zero, 4}, &code) && code == 0 &&
                   !spice_vsc_error_code((SpiceBytes){zero, 3}, &code),
               "a card error is read in either byte order, and not from three bytes");
    }
}

static void test_migration(void)
{
    SpiceMigrateDataCharDev device = {1, 2, 3, 4, BYTES(0xaa, 0xbb)};
    SpiceMigrateDataMain main_data = {
        .agent_base = {1, 2, 3, 0, {0}},
        .client_agent_started = 1,
        .agent_to_client = {8, 1, 0x20, 0, BYTES(0xcc), 0x14, 1},
        .client_to_agent = {5, 2},
    };
    SpiceMigrateSurface surfaces[] = {{7, {0}}, {9, {0}}};
    SpiceMigrateSurface lossy[] = {{7, {.top = 2, .left = 1, .bottom = 4, .right = 3}}};
    SpiceMigrateDataDisplay display = {10, 1, 2, -3, 4, {5, 6, 7, 8}, 9, 10, 11, 12, 2, surfaces};
    const char *display_hex = "44434d44 01000000 0a00000000000000 01 02 fdffffffffffffff 04"
                              "0500000000000000 0600000000000000 0700000000000000 0800000000000000"
                              "09 0a000000 0b000000 0c00000000000000 50000000 ";
    char hex[512];

    check(spice_migrate_data_find(SPICE_CHANNEL_USBREDIR), 0, &(SpiceMigrateDataSpiceVmc){device},
          false, "53564d44 01000000 01000000 01 02000000 03000000 02000000 04000000 21000000 aabb");
    check(spice_migrate_data_find(SPICE_CHANNEL_SMARTCARD), 0,
          &(SpiceMigrateDataSmartcard){device, 1, BYTES(0xdd)}, false,
          "53434d44 01000000 01000000 01 02000000 03000000 02000000 04000000 2a000000"
          "01 01000000 2c000000 aabb dd");
    check(spice_migrate_data_find(SPICE_CHANNEL_MAIN), 0, &main_data, false,
          "4d4e4d44 01000000 01000000 01 02000000 03000000 00000000 00000000 00000000"
          "01 08000000 01000000 20000000 00 01000000 41000000 14000000 01 05000000 02 cc");
    snprintf(hex, sizeof hex, "%s%s", display_hex, "02000000 07000000 09000000");
    check(spice_migrate_data_find(SPICE_CHANNEL_DISPLAY), 0, &display, false, hex);
    display.n_surfaces = 1;
    display.surfaces = lossy;
    snprintf(hex, sizeof hex, "%s%s", display_hex,
             "01000000 07000000 01000000 02000000 03000000 04000000");
    check(spice_migrate_data_find(SPICE_CHANNEL_DISPLAY), SPICE_MIGRATE_LOSSY_SURFACES, &display,
          false, hex);
    check(spice_migrate_data_find(SPICE_CHANNEL_INPUTS), 0, &(SpiceMigrateDataInputs){3}, false,
          "49434d44 01000000 0300");
    TAP_OK(!spice_migrate_data_find(SPICE_CHANNEL_CURSOR),
           "the cursor channel has no data to move");
}

static void check_agent(uint32_t type, uint32_t agreed, const void *message, const char *hex)
{
    check(spice_vd_agent_find(type), agreed, message, false, hex);
}

static void check_agent_open(uint32_t type, uint32_t agreed, const void *message, const char *hex)
{
    check(spice_vd_agent_find(type), agreed, message, true, hex);
}

static void test_agent(void)
{
    const uint32_t selection = 1u << VD_AGENT_CAP_CLIPBOARD_SELECTION;
    const uint32_t serial = 1u << VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL;
    SpiceVDAgentMonitor monitor = {768, 1024, 32, -1, 2, 300, 400};
    uint32_t text[] = {VD_AGENT_CLIPBOARD_UTF8_TEXT};
    uint32_t words[] = {0x00038de7};
    uint16_t volume[] = {1, 2};
    SpiceVDAgentDeviceDisplayInfo info = {1, 2, 3, TEXT("pci/0")};

    check_agent(VD_AGENT_MOUSE_STATE, 0, &(SpiceVDAgentMouseState){1, 2, 4, 3},
                "01000000 02000000 04000000 03");
    check_agent(
        VD_AGENT_MONITORS_CONFIG, 0,
        &(SpiceVDAgentMonitorsConfig){1, VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE, &monitor},
        "01000000 02000000 00030000 00040000 20000000 ffffffff 02000000 2c01 9001");
    check_agent(VD_AGENT_MONITORS_CONFIG, 0,
                &(SpiceVDAgentMonitorsConfig){1, VD_AGENT_CONFIG_MONITORS_FLAG_USE_POS, &monitor},
                "01000000 01000000 00030000 00040000 20000000 ffffffff 02000000");
    check_agent(VD_AGENT_REPLY, 0, &(SpiceVDAgentReply){2, 1}, "02000000 01000000");
    check_agent_open(VD_AGENT_CLIPBOARD, selection, &(SpiceVDAgentClipboard){1, 1, BYTES('h', 'i')},
                     "01000000 01000000 6869");
    check_agent_open(VD_AGENT_CLIPBOARD, 0, &(SpiceVDAgentClipboard){0, 1, BYTES('h', 'i')},
                     "01000000 6869");
    check_agent(VD_AGENT_DISPLAY_CONFIG, 0, &(SpiceVDAgentDisplayConfig){8, 32},
                "08000000 20000000");
    /* Debian's agent's own words and grab */
    check_agent_open(VD_AGENT_ANNOUNCE_CAPABILITIES, 0,
                     &(SpiceVDAgentAnnounceCapabilities){1, {1, words}}, "01000000 e78d0300");
    check_agent_open(VD_AGENT_CLIPBOARD_GRAB, selection | serial,
                     &(SpiceVDAgentClipboardGrab){0, 0, 1, text}, "00000000 00000000 01000000");
    check_agent_open(VD_AGENT_CLIPBOARD_GRAB, selection,
                     &(SpiceVDAgentClipboardGrab){1, 0, 1, text}, "01000000 01000000");
    check_agent_open(VD_AGENT_CLIPBOARD_GRAB, serial, &(SpiceVDAgentClipboardGrab){0, 5, 1, text},
                     "05000000 01000000");
    check_agent_open(VD_AGENT_CLIPBOARD_GRAB, 0, &(SpiceVDAgentClipboardGrab){0, 0, 1, text},
                     "01000000");
    check_agent(VD_AGENT_CLIPBOARD_REQUEST, selection, &(SpiceVDAgentClipboardRequest){0, 1},
                "00000000 01000000");
    check_agent(VD_AGENT_CLIPBOARD_REQUEST, 0, &(SpiceVDAgentClipboardRequest){0, 1}, "01000000");
    /* of a release 0, 1 and 4 bytes are to be taken */
    check_agent_open(VD_AGENT_CLIPBOARD_RELEASE, selection, &(SpiceVDAgentClipboardRelease){1},
                     "01000000");
    check_agent(VD_AGENT_CLIPBOARD_RELEASE, 0, &(SpiceVDAgentClipboardRelease){0}, "");
    check_agent_open(VD_AGENT_FILE_XFER_START, 0, &(SpiceVDAgentFileXferStart){3, TEXT("[v]")},
                     "03000000 5b765d00");
    check_agent(VD_AGENT_FILE_XFER_STATUS, 0, &(SpiceVDAgentFileXferStatus){3, 1, false, 0, 0, 0},
                "03000000 01000000");
    check_agent_open(VD_AGENT_FILE_XFER_STATUS, 0,
                     &(SpiceVDAgentFileXferStatus){3, 4, true, 0x100000000, 0, 0},
                     "03000000 04000000 0000000001000000");
    check_agent_open(VD_AGENT_FILE_XFER_STATUS, 0,
                     &(SpiceVDAgentFileXferStatus){3, 2, true, 0, 1, 31},
                     "03000000 02000000 01 1f000000");
    check_agent(VD_AGENT_FILE_XFER_DATA, 0, &(SpiceVDAgentFileXferData){3, BYTES(1, 2)},
                "03000000 0200000000000000 0102");
    check_agent(VD_AGENT_MAX_CLIPBOARD, 0, &(SpiceVDAgentMaxClipboard){-1}, "ffffffff");
    check_agent(VD_AGENT_AUDIO_VOLUME_SYNC, 0, &(SpiceVDAgentAudioVolumeSync){1, 0, 2, volume},
                "01 00 02 0100 0200");
    check_agent(VD_AGENT_GRAPHICS_DEVICE_INFO, 0, &(SpiceVDAgentGraphicsDeviceInfo){1, &info},
                "01000000 01000000 02000000 03000000 06000000 7063692f3000");
    TAP_OK(spice_vd_agent_find(VD_AGENT_CLIENT_DISCONNECTED)->size == 0,
           "CLIENT_DISCONNECTED has no body");
    TAP_OK(!spice_vd_agent_find(0) && !spice_vd_agent_find(17), "there are no types 0 and 17");
    TAP_OK(spice_vd_agent_find(1)->type == 1 && spice_vd_agent_find(16)->type == 16,
           "agent messages are found by their number");
}

int main(void)
{
    test_common();
    test_main();
    test_display();
    test_images();
    test_inputs();
    test_cursor();
    test_sound();
    test_devices();
    test_migration();
    test_agent();
    return tap_done();
}
