/* A slow, long, unsteady link between clients and a server, for tests and benches:
 *
 *     link-simulator [OPTION...] PORT|PATH
 *
 * takes connections on a free port of 127.0.0.1, printed as "port N", and passes the bytes of each to
 * and from the server's port of this machine or its unix socket. All connections share the link, the
 * two ways apart. Options:
 *
 *     --rate 2mbit --delay 20ms --jitter 100ms --loss 1%    see link-model.h; of one way, both alike
 *     --rate-up, --delay-up, --jitter-up, --loss-up         from clients to the server only
 *     --queue 20ms      of the rate: what stands before the narrow place, see below
 *     --seed N          chance is the same each time
 *     --listen PATH     a unix socket instead of a port, printed as "path PATH"
 *
 * A line of options on standard input changes the link; "stats" prints them, and so does the end, on
 * SIGTERM: "down BYTES up BYTES lost SEGMENTS of SEGMENTS".
 *
 * What a connection wants to send and the link does not take yet is left in the sender's kernel,
 * unread, so it stands there as unacknowledged as it would on a real way; the receive buffer of
 * `queue` is all that is acknowledged early. What is on its way is acknowledged early, too: the
 * kernel of the sender sees a round trip shorter than the delay, SPICE's PINGs see all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "link-model.h"

enum {
    MAX_CONNECTIONS = 256,
    LEAST_QUEUE = 8 << 10,   /* bytes; below, kernels wait for one another */
    MOST_QUEUE = 4 << 20,    /* bytes */
    MOST_UNREAD = 256 << 10, /* bytes that have arrived and are not taken */
};

/** Bytes under way. */
typedef struct Chunk {
    struct Chunk *next;
    uint64_t due;
    size_t size, written;
    unsigned char data[];
} Chunk;

/** One way of a connection. */
typedef struct {
    int from, to;
    LinkFlow flow;
    Chunk *first, **last; /* `last`: where the next is put */
    size_t arrived;       /* bytes that are due and not written */
    bool ended;           /* nothing more comes */
    bool shut;            /* and that was passed on */
    bool full;            /* the receiver's kernel takes no more now */
} Pipe;

enum { DOWN, UP, N_WAYS };

typedef struct {
    Pipe pipes[N_WAYS];
} Connection;

static LinkWay ways[N_WAYS];
static Connection *connections[MAX_CONNECTIONS];
static unsigned n_connections, turn;
static uint64_t queue_time = 20000; /* us */
static const char *target, *listen_path;
static uint64_t seed = 1;

static uint64_t now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Options */

static bool read_option(const char *name, const char *value)
{
    char base[16];
    LinkOptions queue = {0};
    size_t length = strlen(name);
    bool up = length > 3 && length < sizeof base && strcmp(name + length - 3, "-up") == 0;

    if (strcmp(name, "--seed") == 0) {
        seed = strtoull(value, NULL, 10);
        return true;
    }
    if (strcmp(name, "--listen") == 0) {
        listen_path = value;
        return true;
    }
    if (strcmp(name, "--queue") == 0) {
        if (!link_options_read(&queue, "--delay", value))
            return false;
        queue_time = queue.delay;
        return true;
    }
    if (!up)
        return link_options_read(&ways[DOWN].options, name, value) &&
               link_options_read(&ways[UP].options, name, value);
    snprintf(base, sizeof base, "%.*s", (int)length - 3, name);
    return link_options_read(&ways[UP].options, base, value);
}

static void set_queue(int fd, const LinkWay *way)
{
    const double bytes = way->options.rate / 8e6 * (double)queue_time;
    const int size = bytes > MOST_QUEUE || bytes == 0 ? MOST_QUEUE
                     : bytes < LEAST_QUEUE            ? LEAST_QUEUE
                                                      : (int)bytes;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/** Obeys a line of standard input. */
static void obey(char *line)
{
    char *rest = NULL, *name = strtok_r(line, " \n", &rest);

    if (name && strcmp(name, "stats") == 0)
        name = NULL;
    else
        for (; name; name = strtok_r(NULL, " \n", &rest)) {
            char *value = strtok_r(NULL, " \n", &rest);

            if (!value || !read_option(name, value))
                fprintf(stderr, "link-simulator: %s %s?\n", name, value ? value : "");
        }
    for (unsigned i = 0; i < n_connections; i++)
        for (unsigned way = 0; way < N_WAYS; way++)
            set_queue(connections[i]->pipes[way].from, &ways[way]);
    printf("down %llu up %llu lost %llu of %llu\n", (unsigned long long)ways[DOWN].bytes,
           (unsigned long long)ways[UP].bytes,
           (unsigned long long)(ways[DOWN].lost + ways[UP].lost),
           (unsigned long long)(ways[DOWN].segments + ways[UP].segments));
    fflush(stdout);
}

/** Reads lines as they come; false at the end of them. */
static bool read_input(void)
{
    static char line[512];
    static size_t length;
    const ssize_t n = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
    char *end;

    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    length += (size_t)n;
    line[length] = 0;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        obey(line);
        length -= (size_t)(end + 1 - line);
        memmove(line, end + 1, length + 1);
    }
    if (length == sizeof line - 1)
        length = 0;
    return true;
}

/* Sockets */

static int open_socket(const char *path, int port, struct sockaddr_storage *address,
                       socklen_t *size)
{
    const int fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int segment = LINK_SEGMENT;

    memset(address, 0, sizeof *address);
    if (path) {
        struct sockaddr_un *un = (struct sockaddr_un *)address;

        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%s", path);
        *size = sizeof *un;
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)address;

        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *size = sizeof *in;
        setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    return fd;
}

static int start_listening(void)
{
    struct sockaddr_storage address;
    socklen_t size;
    const int fd = open_socket(listen_path, 0, &address, &size);

    set_queue(fd, &ways[UP]);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("link-simulator");
    if (listen_path)
        printf("path %s\n", listen_path);
    else
        printf("port %d\n", ntohs(((struct sockaddr_in *)&address)->sin_port));
    fflush(stdout);
    return fd;
}

static void set_up_fd(int fd)
{
    const int on = 1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void accept_client(int listener)
{
    struct sockaddr_storage address;
    socklen_t size;
    const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char *end;
    const long port = strtol(target, &end, 10);
    int server;
    Connection *connection;

    if (client < 0)
        return;
    server = open_socket(*end ? target : NULL, (int)port, &address, &size);
    set_queue(server, &ways[DOWN]);
    if (n_connections == MAX_CONNECTIONS ||
        connect(server, (struct sockaddr *)&address, size) < 0) {
        close(server);
        close(client);
        return;
    }
    set_up_fd(client);
    set_up_fd(server);
    connection = calloc(1, sizeof *connection);
    connection->pipes[DOWN] = (Pipe){.from = server, .to = client};
    connection->pipes[UP] = (Pipe){.from = client, .to = server};
    for (unsigned way = 0; way < N_WAYS; way++)
        connection->pipes[way].last = &connection->pipes[way].first;
    connections[n_connections++] = connection;
}

/* Pipes */

static bool takes_more(const Pipe *pipe)
{
    return !pipe->ended && pipe->arrived < MOST_UNREAD;
}

/** Gives the link what the sender has for it. */
static void read_pipe(Pipe *pipe, LinkWay *way, uint64_t now)
{
    static unsigned char buffer[LINK_MOST_AT_ONCE];
    const ssize_t n = read(pipe->from, buffer, link_way_quantum(way));
    Chunk *chunk;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        pipe->ended = true;
        return;
    }
    chunk = malloc(sizeof *chunk + (size_t)n);
    *chunk = (Chunk){.due = link_way_pass(way, &pipe->flow, now, (size_t)n), .size = (size_t)n};
    memcpy(chunk->data, buffer, (size_t)n);
    *pipe->last = chunk;
    pipe->last = &chunk->next;
}

static void drop_first(Pipe *pipe)
{
    Chunk *chunk = pipe->first;

    pipe->first = chunk->next;
    if (!pipe->first)
        pipe->last = &pipe->first;
    free(chunk);
}

/** Writes what has arrived. */
static void write_pipe(Pipe *pipe, uint64_t now)
{
    pipe->full = false;
    while (pipe->first && pipe->first->due <= now && !pipe->full) {
        Chunk *chunk = pipe->first;
        const ssize_t n = send(pipe->to, chunk->data + chunk->written, chunk->size - chunk->written,
                               MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            pipe->full = true;
        } else if (n < 0) {
            pipe->ended = true; /* nobody is there any more */
            while (pipe->first)
                drop_first(pipe);
        } else if ((chunk->written += (size_t)n) == chunk->size) {
            drop_first(pipe);
        }
    }
    pipe->arrived = 0;
    for (Chunk *chunk = pipe->first; chunk && chunk->due <= now; chunk = chunk->next)
        pipe->arrived += chunk->size - chunk->written;
    if (pipe->ended && !pipe->first && !pipe->shut) {
        pipe->shut = true;
        shutdown(pipe->to, SHUT_WR);
        shutdown(pipe->from, SHUT_RD);
    }
}

static void close_connection(unsigned i)
{
    Connection *connection = connections[i];

    close(connection->pipes[DOWN].from);
    close(connection->pipes[DOWN].to);
    for (unsigned way = 0; way < N_WAYS; way++)
        while (connection->pipes[way].first)
            drop_first(&connection->pipes[way]);
    free(connection);
    connections[i] = connections[--n_connections];
}

/* The loop */

static struct pollfd fds[3 + 2 * N_WAYS * MAX_CONNECTIONS];

/** Waits for what may be done on the pipes; fds[3 + 4 i + 2 way] is what is read, the next what is
 * written. */
static void wait_for_work(void)
{
    const uint64_t now = now_us();
    uint64_t next = now + 1000000;
    struct timespec wait;

    for (unsigned i = 0; i < n_connections; i++)
        for (unsigned way = 0; way < N_WAYS; way++) {
            Pipe *pipe = &connections[i]->pipes[way];
            struct pollfd *read_fd = &fds[3 + 4 * i + 2 * way], *write_fd = read_fd + 1;
            const uint64_t ready = link_way_ready(&ways[way], &pipe->flow);

            *read_fd = (struct pollfd){.fd = -1};
            *write_fd = (struct pollfd){.fd = -1};
            if (takes_more(pipe) && ready <= now)
                *read_fd = (struct pollfd){.fd = pipe->from, .events = POLLIN};
            else if (takes_more(pipe) && ready < next)
                next = ready;
            if (pipe->full)
                *write_fd = (struct pollfd){.fd = pipe->to, .events = POLLOUT};
            else if (pipe->first && pipe->first->due < next)
                next = pipe->first->due > now ? pipe->first->due : now;
        }
    wait.tv_sec = (time_t)((next - now) / 1000000);
    wait.tv_nsec = (long)((next - now) % 1000000 * 1000);
    if (ppoll(fds, 3 + 4 * n_connections, &wait, NULL) < 0 && errno != EINTR)
        fail("poll");
}

/** Does what may be done. Who reads first changes, so that connections share the link alike. */
static void work(void)
{
    const unsigned n = n_connections;

    turn++;
    for (unsigned k = 0; k < n; k++) {
        const unsigned i = (k + turn) % n;

        for (unsigned way = 0; way < N_WAYS; way++) {
            Pipe *pipe = &connections[i]->pipes[way];
            const uint64_t now = now_us();

            if (fds[3 + 4 * i + 2 * way].revents && takes_more(pipe) &&
                link_way_ready(&ways[way], &pipe->flow) <= now)
                read_pipe(pipe, &ways[way], now);
            if (!pipe->full || fds[3 + 4 * i + 2 * way + 1].revents)
                write_pipe(pipe, now);
        }
    }
    for (unsigned i = n_connections; i-- > 0;)
        if (connections[i]->pipes[DOWN].shut && connections[i]->pipes[UP].shut)
            close_connection(i);
}

int main(int argc, char **argv)
{
    sigset_t signals;
    char stats[] = "stats";
    int signal_fd;
    LinkOptions none = {0};

    link_way_init(&ways[DOWN], &none, 0);
    link_way_init(&ways[UP], &none, 0);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' && !target)
            target = argv[i];
        else if (i + 1 < argc && read_option(argv[i], argv[i + 1]))
            i++;
        else
            target = NULL, argc = 0;
    }
    if (!target) {
        fprintf(stderr, "usage: link-simulator [--rate R] [--delay T] [--jitter T] [--loss P]"
                        " [--seed N] ... PORT|PATH\n");
        return 2;
    }
    link_way_init(&ways[DOWN], &ways[DOWN].options, 2 * seed);
    link_way_init(&ways[UP], &ways[UP].options, 2 * seed + 1);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    fds[0] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = start_listening(), .events = POLLIN};
    for (;;) {
        wait_for_work();
        if (fds[0].revents)
            break;
        if (fds[1].revents && !read_input())
            fds[1].fd = -1;
        work();
        if (fds[2].revents)
            accept_client(fds[2].fd);
    }
    if (listen_path)
        unlink(listen_path);
    obey(stats);
    return 0;
}
