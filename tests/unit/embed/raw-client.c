/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "raw-client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEY_SIZE = 162, TICKET_SIZE = 128, WAIT_MS = 5000, MAX_MESSAGE = 64 << 20 };
enum { SET_ACK = 3, PING = 4, ACK_SYNC = 1, ACK = 2, PONG = 3 };

static int64_t now_ms(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *at, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

int raw_dial(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static bool send_all(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (size > 0) {
        const ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static RawRead receive(int fd, void *data, size_t size, int timeout_ms)
{
    uint8_t *at = data;
    int wait = timeout_ms;

    while (size > 0) {
        struct pollfd pollfd = {fd, POLLIN, 0};
        ssize_t n;

        if (poll(&pollfd, 1, wait) <= 0)
            return at == data ? RAW_TIMEOUT : RAW_ENDED;
        n = recv(fd, at, size, 0);
        if (n <= 0)
            return RAW_ENDED;
        at += n;
        size -= (size_t)n;
        wait = WAIT_MS;
    }
    return RAW_MESSAGE;
}

/** The empty password for the server's key. */
static bool encrypt_ticket(const uint8_t *der, uint8_t ticket[TICKET_SIZE])
{
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, KEY_SIZE);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    size_t size = TICKET_SIZE;
    const bool ok = context && EVP_PKEY_encrypt_init(context) > 0 &&
                    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
                    EVP_PKEY_encrypt(context, ticket, &size, (const uint8_t *)"", 1) > 0;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

static bool link_up(int fd, uint8_t type, uint8_t id, uint32_t connection_id, uint32_t caps)
{
    uint8_t mess[16 + 18 + 8] = "REDQ", header[16], reply[4096], ticket[TICKET_SIZE], result[4];
    uint32_t size;

    put(mess + 4, 2, 4);
    put(mess + 8, 2, 4);
    put(mess + 12, 18 + 8, 4);
    put(mess + 16, connection_id, 4);
    mess[20] = type;
    mess[21] = id;
    put(mess + 22, 1, 4); /* words of common capabilities */
    put(mess + 26, 1, 4); /* and of the channel's */
    put(mess + 30, 18, 4);
    put(mess + 34, 1 << 3, 4); /* short headers */
    put(mess + 38, caps, 4);
    if (!send_all(fd, mess, sizeof mess) ||
        receive(fd, header, sizeof header, WAIT_MS) != RAW_MESSAGE)
        return false;
    size = get(header + 12, 4);
    if (memcmp(header, "REDQ", 4) != 0 || size < 4 + KEY_SIZE || size > sizeof reply ||
        receive(fd, reply, size, WAIT_MS) != RAW_MESSAGE || get(reply, 4) != 0)
        return false;
    return encrypt_ticket(reply + 4, ticket) && send_all(fd, ticket, sizeof ticket) &&
           receive(fd, result, sizeof result, WAIT_MS) == RAW_MESSAGE && get(result, 4) == 0;
}

bool raw_link_with_caps(RawChannel *self, int fd, uint8_t type, uint8_t id, uint32_t connection_id,
                        uint32_t caps)
{
    *self = (RawChannel){.fd = fd};
    if (fd >= 0 && link_up(fd, type, id, connection_id, caps))
        return true;
    raw_close(self);
    return false;
}

bool raw_link(RawChannel *self, int fd, uint8_t type, uint8_t id, uint32_t connection_id)
{
    return raw_link_with_caps(self, fd, type, id, connection_id, type == RAW_DISPLAY ? 0x2f : 0xf);
}

void raw_close(RawChannel *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    free(self->body);
    self->body = NULL;
}

bool raw_send_short(RawChannel *self, uint16_t type, const void *body, size_t size, size_t sent)
{
    uint8_t header[6];

    put(header, type, 2);
    put(header + 2, size, 4);
    return send_all(self->fd, header, sizeof header) && send_all(self->fd, body, sent);
}

bool raw_send(RawChannel *self, uint16_t type, const void *body, size_t size)
{
    return raw_send_short(self, type, body, size, size);
}

static void answer(RawChannel *self)
{
    if (self->type == SET_ACK && self->size >= 8) {
        self->ack_window = self->ack_left = get(self->body + 4, 4);
        raw_send(self, ACK_SYNC, self->body, 4);
        return; /* is not counted */
    }
    if (self->type == PING && self->size >= 12)
        raw_send(self, PONG, self->body, 12);
    if (self->ack_window > 0 && --self->ack_left == 0) {
        self->ack_left = self->ack_window;
        raw_send(self, ACK, NULL, 0);
    }
}

RawRead raw_read(RawChannel *self, int timeout_ms)
{
    uint8_t header[6];
    const RawRead read = receive(self->fd, header, sizeof header, timeout_ms);

    if (read != RAW_MESSAGE)
        return read;
    self->type = (uint16_t)get(header, 2);
    self->size = get(header + 2, 4);
    if (self->size > MAX_MESSAGE)
        return RAW_ENDED;
    free(self->body);
    self->body = malloc(self->size + 1);
    if (receive(self->fd, self->body, self->size, WAIT_MS) != RAW_MESSAGE)
        return RAW_ENDED;
    answer(self);
    return RAW_MESSAGE;
}

bool raw_read_until(RawChannel *self, uint16_t type)
{
    const int64_t end = now_ms() + WAIT_MS;

    while (now_ms() < end) {
        if (raw_read(self, (int)(end - now_ms())) != RAW_MESSAGE)
            return false;
        if (self->type == type)
            return true;
    }
    return false;
}

bool raw_read_to_end(RawChannel *self)
{
    const int64_t end = now_ms() + WAIT_MS;

    while (now_ms() < end)
        if (raw_read(self, 100) == RAW_ENDED)
            return true;
    return false;
}
