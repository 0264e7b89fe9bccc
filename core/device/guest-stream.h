/* What a guest's streaming agent says by its port, org.spice-space.stream.0: pictures of its screen
 * that it has encoded itself, and its cursor; and what it is told.
 *
 * A message has a header of 8 bytes (version 1, 0, type u16, size u32) and a body. Bytes may be cut
 * anywhere. Memory for a body is taken as its bytes come, not as its header promises.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/cursor.h"
#include "core/wire/display.h"

enum {
    SPICE_GUEST_STREAM_HEADER_SIZE = 8,
    SPICE_GUEST_STREAM_MAX_FRAME = 32 << 20, /* bytes of one DATA; nor more than its pixels have */
    SPICE_GUEST_STREAM_MAX_SIDE = 16384,     /* px of a picture */
    SPICE_GUEST_STREAM_MAX_CURSOR_SIDE = 1024,  /* px */
    SPICE_GUEST_STREAM_MAX_CAPABILITIES = 1024, /* bytes */
    SPICE_GUEST_STREAM_MAX_ADDRESS = 256,       /* bytes, its NUL counted */
};

typedef enum {
    SPICE_GUEST_STREAM_CAPABILITIES = 1, /* both ways */
    SPICE_GUEST_STREAM_FORMAT = 2,       /* from the guest, as all but two of the others */
    SPICE_GUEST_STREAM_DATA = 3,
    SPICE_GUEST_STREAM_START_STOP = 4,   /* to the guest */
    SPICE_GUEST_STREAM_NOTIFY_ERROR = 5, /* to the guest */
    SPICE_GUEST_STREAM_CURSOR_SET = 6,
    SPICE_GUEST_STREAM_CURSOR_MOVE = 7,
    SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO = 8,
} SpiceGuestStreamType;

/** What was said, checked. Bytes are the reader's, valid until its next call. */
typedef struct {
    SpiceGuestStreamType type;
    union {
        SpiceBytes data; /* CAPABILITIES: bits; DATA: one access unit, not empty */
        struct {
            uint32_t width, height; /* 1 .. MAX_SIDE each, 64 Mpixel at most */
            SpiceVideoCodecType codec;
        } format;
        SpiceCursor
            cursor; /* a shape of ALPHA, COLOR24 or COLOR32, with as much data as it asks for */
        struct {
            int32_t x, y;
        } place;
        struct {
            uint32_t stream_id, display_id;
            SpiceBytes address; /* a text, without its NUL */
        } display;
    } as;
} SpiceGuestStreamMessage;

/** Zero-initialise, with an allocator for `body`. */
typedef struct {
    uint8_t header[SPICE_GUEST_STREAM_HEADER_SIZE];
    uint32_t n_header;
    SpiceBuffer body;
    uint32_t most_data; /* bytes that a DATA may have; 0: there was no FORMAT */
    bool done;          /* the message in `body` was handed out */
} SpiceGuestStreamReader;

typedef enum {
    SPICE_GUEST_STREAM_MORE, /* the input is used up */
    SPICE_GUEST_STREAM_MESSAGE,
    SPICE_GUEST_STREAM_BROKEN, /* nothing that follows can be read */
} SpiceGuestStreamRead;

/** Reads the next message from the front of *input. *why: BROKEN, a sentence for a person. */
SpiceGuestStreamRead spice_guest_stream_read(SpiceGuestStreamReader *reader, SpiceBytes *input,
                                             SpiceGuestStreamMessage *message, const char **why);

/** Whether a message has begun and not ended. */
bool spice_guest_stream_is_within(const SpiceGuestStreamReader *reader);

/** Forgets what has come: the port was opened anew. */
void spice_guest_stream_restart(SpiceGuestStreamReader *reader);

/* What the guest is told; each appends a message. False without memory. */

/** Capabilities: there are none so far. */
bool spice_guest_stream_write_capabilities(SpiceBuffer *out);
/** Stream in one of these codecs; 0 of them: stop. */
bool spice_guest_stream_write_start_stop(SpiceBuffer *out, const uint8_t *codecs, uint8_t n);
/** What it said could not be read. */
bool spice_guest_stream_write_error(SpiceBuffer *out, const char *why);
