/* A client channel that says what one wants it to say, on a blocking socket.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RAW_MAIN = 1,
    RAW_DISPLAY = 2,
    RAW_INPUTS = 3,
    RAW_CURSOR = 4,
    RAW_PLAYBACK = 5,
    RAW_RECORD = 6
};

typedef struct {
    int fd;
    uint32_t ack_window, ack_left;
    uint16_t type; /* of the message that was read last */
    uint32_t size;
    uint8_t *body; /* valid until the next is read */
} RawChannel;

/** A connection to that port of 127.0.0.1, which sends at once; -1 if it cannot be. */
int raw_dial(int port);
/** Links over `fd`, which becomes the channel's, with an empty password and all capabilities; false,
 * fd closed, if the server refuses. Reads wait five seconds at most. */
bool raw_link(RawChannel *self, int fd, uint8_t type, uint8_t id, uint32_t connection_id);
/** The same with these capabilities of the channel's. */
bool raw_link_with_caps(RawChannel *self, int fd, uint8_t type, uint8_t id, uint32_t connection_id,
                        uint32_t caps);
void raw_close(RawChannel *self);

bool raw_send(RawChannel *self, uint16_t type, const void *body, size_t size);
/** Announces `size` bytes but sends only `sent` of them. */
bool raw_send_short(RawChannel *self, uint16_t type, const void *body, size_t size, size_t sent);

typedef enum { RAW_MESSAGE, RAW_TIMEOUT, RAW_ENDED } RawRead;
/** Reads a message; SET_ACK and PING are answered, acks are sent when they are due. */
RawRead raw_read(RawChannel *self, int timeout_ms);
/** Reads on until a message of the type comes; false after five seconds or at the end. */
bool raw_read_until(RawChannel *self, uint16_t type);
/** Reads on until the server ends the channel; false if it has not after five seconds. */
bool raw_read_to_end(RawChannel *self);
