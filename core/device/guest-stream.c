/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-stream.h"

#include <string.h>

#include "core/wire/endian.h"

enum { VERSION = 1, FORMAT_SIZE = 12, CURSOR_HEADER_SIZE = 12, PLACE_SIZE = 8, DISPLAY_SIZE = 12 };
enum { MAX_PIXELS = 64 << 20 };
/* Bytes of an encoded picture beside four for each of its pixels: headers and tables. */
enum { FRAME_HEADERS = 64 << 10 };
/* Bytes that a body grows by at most before they are there. */
enum { STEP = 256 << 10 };

typedef struct {
    uint8_t version;
    uint16_t type;
    uint32_t size;
} Header;

static Header header_of(const SpiceGuestStreamReader *self)
{
    return (Header){
        .version = self->header[0],
        .type = spice_get_u16(self->header + 2),
        .size = spice_get_u32(self->header + 4),
    };
}

/** The most that a body of this type may have; *least the least. False: the guest may not say it. */
static bool limits_of(uint16_t type, uint32_t *least, uint32_t *most)
{
    *least = 0;
    switch (type) {
    case SPICE_GUEST_STREAM_CAPABILITIES:
        *most = SPICE_GUEST_STREAM_MAX_CAPABILITIES;
        return true;
    case SPICE_GUEST_STREAM_FORMAT:
        *least = *most = FORMAT_SIZE;
        return true;
    case SPICE_GUEST_STREAM_DATA:
        *least = 1;
        *most = SPICE_GUEST_STREAM_MAX_FRAME;
        return true;
    case SPICE_GUEST_STREAM_CURSOR_SET:
        *least = CURSOR_HEADER_SIZE;
        *most = CURSOR_HEADER_SIZE +
                SPICE_GUEST_STREAM_MAX_CURSOR_SIDE * SPICE_GUEST_STREAM_MAX_CURSOR_SIDE * 4 +
                SPICE_GUEST_STREAM_MAX_CURSOR_SIDE * SPICE_GUEST_STREAM_MAX_CURSOR_SIDE / 8;
        return true;
    case SPICE_GUEST_STREAM_CURSOR_MOVE:
        *least = *most = PLACE_SIZE;
        return true;
    case SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO:
        *least = DISPLAY_SIZE;
        *most = DISPLAY_SIZE + SPICE_GUEST_STREAM_MAX_ADDRESS;
        return true;
    default:
        return false;
    }
}

/** NULL if the message may come; else why not. */
static const char *check_header(const SpiceGuestStreamReader *self, Header header)
{
    uint32_t least, most;

    if (header.version != VERSION)
        return "a message of another version than 1";
    if (!limits_of(header.type, &least, &most))
        return "a message of a type that is not known";
    if (header.size < least || header.size > most)
        return "a message of a size that it cannot have";
    if (header.type == SPICE_GUEST_STREAM_DATA && header.size > self->most_data)
        return self->most_data ? "more data than the picture has pixels" : "data before a format";
    return NULL;
}

static const char *read_format(SpiceBytes body, SpiceGuestStreamMessage *message)
{
    const uint32_t width = spice_get_u32(body.data), height = spice_get_u32(body.data + 4);
    const uint8_t codec = body.data[8];

    if (width < 1 || width > SPICE_GUEST_STREAM_MAX_SIDE || height < 1 ||
        height > SPICE_GUEST_STREAM_MAX_SIDE || (uint64_t)width * height > MAX_PIXELS)
        return "a format of a size that cannot be";
    if (codec < SPICE_VIDEO_CODEC_TYPE_MJPEG || codec > SPICE_VIDEO_CODEC_TYPE_H265)
        return "a format of a codec that is not known";
    message->as.format.width = width;
    message->as.format.height = height;
    message->as.format.codec = (SpiceVideoCodecType)codec;
    return NULL;
}

static const char *read_cursor(SpiceBytes body, SpiceGuestStreamMessage *message)
{
    SpiceCursor *cursor = &message->as.cursor;

    *cursor = (SpiceCursor){
        .type = body.data[8],
        .width = spice_get_u16(body.data),
        .height = spice_get_u16(body.data + 2),
        .hot_spot_x = spice_get_u16(body.data + 4),
        .hot_spot_y = spice_get_u16(body.data + 6),
        .data = {body.data + CURSOR_HEADER_SIZE, body.size - CURSOR_HEADER_SIZE},
    };
    if (cursor->type != SPICE_CURSOR_TYPE_ALPHA && cursor->type != SPICE_CURSOR_TYPE_COLOR24 &&
        cursor->type != SPICE_CURSOR_TYPE_COLOR32)
        return "a cursor of a type that is not known";
    if (cursor->width < 1 || cursor->width > SPICE_GUEST_STREAM_MAX_CURSOR_SIDE ||
        cursor->height < 1 || cursor->height > SPICE_GUEST_STREAM_MAX_CURSOR_SIDE ||
        cursor->hot_spot_x >= cursor->width || cursor->hot_spot_y >= cursor->height)
        return "a cursor of a size that cannot be";
    if (spice_cursor_data_size(cursor->type, cursor->width, cursor->height) != cursor->data.size)
        return "a cursor with more or less data than it needs";
    return NULL;
}

static const char *read_display(SpiceBytes body, SpiceGuestStreamMessage *message)
{
    const SpiceBytes address = {body.data + DISPLAY_SIZE, body.size - DISPLAY_SIZE};

    if (spice_get_u32(body.data + 8) != address.size)
        return "a display's address of another length than it says";
    message->as.display.stream_id = spice_get_u32(body.data);
    message->as.display.display_id = spice_get_u32(body.data + 4);
    message->as.display.address = spice_bytes_text(address);
    return NULL;
}

static const char *read_body(SpiceBytes body, SpiceGuestStreamMessage *message)
{
    switch (message->type) {
    case SPICE_GUEST_STREAM_FORMAT:
        return read_format(body, message);
    case SPICE_GUEST_STREAM_CURSOR_SET:
        return read_cursor(body, message);
    case SPICE_GUEST_STREAM_CURSOR_MOVE:
        message->as.place.x = (int32_t)spice_get_u32(body.data);
        message->as.place.y = (int32_t)spice_get_u32(body.data + 4);
        return NULL;
    case SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO:
        return read_display(body, message);
    default:
        message->as.data = body;
        return NULL;
    }
}

static uint32_t most_data(uint32_t width, uint32_t height)
{
    const uint64_t bytes = (uint64_t)width * height * 4 + FRAME_HEADERS;

    return bytes < SPICE_GUEST_STREAM_MAX_FRAME ? (uint32_t)bytes : SPICE_GUEST_STREAM_MAX_FRAME;
}

/** Takes bytes of the header from *input. Whether it is whole. */
static bool take_header(SpiceGuestStreamReader *self, SpiceBytes *input)
{
    size_t n = SPICE_GUEST_STREAM_HEADER_SIZE - self->n_header;

    if (n > input->size)
        n = input->size;
    if (n > 0)
        memcpy(self->header + self->n_header, input->data, n);
    self->n_header += (uint32_t)n;
    input->data += n;
    input->size -= n;
    return self->n_header == SPICE_GUEST_STREAM_HEADER_SIZE;
}

/** Takes bytes of a body of `size`. False without memory. */
static bool take_body(SpiceGuestStreamReader *self, SpiceBytes *input, uint32_t size)
{
    while (self->body.size < size && input->size > 0) {
        size_t n = size - self->body.size;

        if (n > input->size)
            n = input->size;
        if (n > STEP)
            n = STEP;
        if (!spice_buffer_append(&self->body, input->data, n))
            return false;
        input->data += n;
        input->size -= n;
    }
    return true;
}

/** The message that was handed out is not needed any more. Large frames leave no memory behind. */
static void begin(SpiceGuestStreamReader *self)
{
    if (!self->done)
        return;
    self->done = false;
    self->n_header = 0;
    self->body.size = 0;
    if (self->body.capacity > 4 * STEP)
        spice_buffer_clear(&self->body);
}

SpiceGuestStreamRead spice_guest_stream_read(SpiceGuestStreamReader *self, SpiceBytes *input,
                                             SpiceGuestStreamMessage *message, const char **why)
{
    Header header;

    begin(self);
    if (!take_header(self, input))
        return SPICE_GUEST_STREAM_MORE;
    header = header_of(self);
    *why = check_header(self, header);
    if (*why)
        return SPICE_GUEST_STREAM_BROKEN;
    if (!take_body(self, input, header.size)) {
        *why = "no memory for a message";
        return SPICE_GUEST_STREAM_BROKEN;
    }
    if (self->body.size < header.size)
        return SPICE_GUEST_STREAM_MORE;
    memset(message, 0, sizeof *message);
    message->type = (SpiceGuestStreamType)header.type;
    *why = read_body((SpiceBytes){self->body.data, self->body.size}, message);
    if (*why)
        return SPICE_GUEST_STREAM_BROKEN;
    if (message->type == SPICE_GUEST_STREAM_FORMAT)
        self->most_data = most_data(message->as.format.width, message->as.format.height);
    self->done = true;
    return SPICE_GUEST_STREAM_MESSAGE;
}

bool spice_guest_stream_is_within(const SpiceGuestStreamReader *self)
{
    return self->n_header > 0 && !self->done;
}

void spice_guest_stream_restart(SpiceGuestStreamReader *self)
{
    spice_buffer_clear(&self->body);
    self->n_header = 0;
    self->most_data = 0;
    self->done = false;
}

/* Writing */

static bool write_message(SpiceBuffer *out, SpiceGuestStreamType type, const void *first,
                          size_t first_size, const void *rest, size_t rest_size)
{
    uint8_t *at = spice_buffer_extend(out, SPICE_GUEST_STREAM_HEADER_SIZE + first_size + rest_size);

    if (!at)
        return false;
    at[0] = VERSION;
    at[1] = 0;
    spice_put_u16(at + 2, (uint16_t)type);
    spice_put_u32(at + 4, (uint32_t)(first_size + rest_size));
    at += SPICE_GUEST_STREAM_HEADER_SIZE;
    if (first_size > 0)
        memcpy(at, first, first_size);
    if (rest_size > 0)
        memcpy(at + first_size, rest, rest_size);
    return true;
}

bool spice_guest_stream_write_capabilities(SpiceBuffer *out)
{
    return write_message(out, SPICE_GUEST_STREAM_CAPABILITIES, NULL, 0, NULL, 0);
}

bool spice_guest_stream_write_start_stop(SpiceBuffer *out, const uint8_t *codecs, uint8_t n)
{
    return write_message(out, SPICE_GUEST_STREAM_START_STOP, &n, 1, codecs, n);
}

bool spice_guest_stream_write_error(SpiceBuffer *out, const char *why)
{
    static const uint8_t code[4];

    return write_message(out, SPICE_GUEST_STREAM_NOTIFY_ERROR, code, sizeof code, why,
                         strlen(why) + 1);
}
