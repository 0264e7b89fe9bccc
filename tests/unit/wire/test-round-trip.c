/* Every message of every table, filled at random: what is read, written and read again stays what
 * it was, and no byte of what is written is without meaning.
 *
 * Bodies of small random bytes are offered to each reader until enough are taken. The written form
 * W of such a message must be a fixed point: write(read(W)) is W. Then each byte of W is changed:
 * the reader must refuse it, or the writer must write something else than W. So a field that a
 * layout forgets to store, or to read, is found out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/messages.h"
#include "core/wire/migration.h"
#include "core/wire/vdagent.h"
#include "tests/unit/tap.h"

enum { N_BODIES = 40, N_TRIES = 400000, MAX_BODY = 160 };

typedef struct {
    uint64_t state;
    SpiceArena arena;
    SpiceBuffer written, again;
} Trial;

static uint32_t draw_number(Trial *trial)
{
    trial->state = trial->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(trial->state >> 33);
}

/* Bytes as messages have them: many zeros, small counts and offsets, a few of any kind. */
static size_t fill_body(Trial *trial, uint8_t *body)
{
    size_t size = draw_number(trial) % MAX_BODY;

    for (size_t i = 0; i < size; i++) {
        uint32_t kind = draw_number(trial) % 16;

        if (kind < 10)
            body[i] = 0;
        else if (kind < 12)
            body[i] = (uint8_t)(draw_number(trial) % 5);
        else if (kind < 14)
            body[i] = (uint8_t)(draw_number(trial) % MAX_BODY);
        else
            body[i] = (uint8_t)draw_number(trial);
    }
    return size;
}

static bool write_read_write(Trial *trial, const SpiceMessageDef *def, uint32_t agreed,
                             const void *message)
{
    void *reread;

    trial->written.size = trial->again.size = 0;
    if (!spice_message_write_agreed(def, agreed, message, &trial->written, NULL))
        return false;
    reread = spice_message_read_agreed(def, agreed, trial->written.data, trial->written.size,
                                       &trial->arena, NULL);
    return reread && spice_message_write_agreed(def, agreed, reread, &trial->again, NULL) &&
           trial->again.size == trial->written.size &&
           (trial->written.size == 0 ||
            memcmp(trial->again.data, trial->written.data, trial->written.size) == 0);
}

/* How many bytes of what was just written can be changed without a trace. */
static unsigned count_idle_bytes(Trial *trial, const SpiceMessageDef *def, uint32_t agreed)
{
    unsigned n_idle = 0;

    for (size_t i = 0; i < trial->written.size; i++) {
        void *changed;

        trial->written.data[i] ^= 0x15;
        changed = spice_message_read_agreed(def, agreed, trial->written.data, trial->written.size,
                                            &trial->arena, NULL);
        trial->again.size = 0;
        if (changed && !spice_message_write_agreed(def, agreed, changed, &trial->again, NULL))
            changed = NULL;
        trial->written.data[i] ^= 0x15;
        if (changed && trial->again.size == trial->written.size &&
            memcmp(trial->again.data, trial->written.data, trial->written.size) == 0)
            n_idle++;
    }
    return n_idle;
}

static bool begins(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

/* Bytes that may be idle: those that the protocol reserves, and a pointer's, as it can lead to
 * nothing, or elsewhere to the same. Drawing messages, which have the most pointers, also come back
 * byte for byte in test-drawing. */
static unsigned idle_bytes_allowed(const SpiceMessageDef *def, uint32_t agreed)
{
    bool selection = agreed >> VD_AGENT_CAP_CLIPBOARD_SELECTION & 1;

    if (begins(def->name, "VD_AGENT_CLIPBOARD"))
        return selection ? 3 : 0;
    if (strcmp(def->name, "SPICE_MSG_NOTIFY") == 0)
        return 1; /* its NUL */
    if (begins(def->name, "SPICE_MSG_MAIN_MIGRATE") ||
        (strcmp(def->name, "SPICE_MSG_MIGRATE_DATA") == 0 && def->size > sizeof(SpiceBytes)))
        return 16; /* two counts and their pointers */
    return begins(def->name, "SPICE_MSG_DISPLAY_DRAW") ? 4 : 0;
}

static void try_message(Trial *trial, const SpiceMessageDef *def, uint32_t agreed,
                        const char *where, const uint8_t *prefix, size_t prefix_size)
{
    unsigned n_taken = 0, n_unstable = 0, n_idle = 0;
    size_t longest = 0;

    if (!def->layout)
        return;
    for (unsigned i = 0; i < N_TRIES && n_taken < N_BODIES; i++) {
        uint8_t body[MAX_BODY];
        size_t size = fill_body(trial, body);
        void *message;

        spice_arena_reset(&trial->arena);
        if (prefix_size && size >= prefix_size)
            memcpy(body, prefix, prefix_size);
        message = spice_message_read_agreed(def, agreed, body, size, &trial->arena, NULL);
        if (!message)
            continue;
        n_taken++;
        if (!write_read_write(trial, def, agreed, message))
            n_unstable++;
        else if (count_idle_bytes(trial, def, agreed) > idle_bytes_allowed(def, agreed))
            n_idle++;
        if (trial->written.size > longest)
            longest = trial->written.size;
    }
    TAP_OK(n_taken == N_BODIES && n_unstable == 0 && n_idle == 0 && (longest > 0 || agreed == 0),
           "%s %s: %u bodies, %u unstable, %u with idle bytes, longest %zu", where, def->name,
           n_taken, n_unstable, n_idle, longest);
}

static void try_list(Trial *trial, const SpiceMessageList *list, const char *where)
{
    bool sorted = true;

    for (size_t i = 0; i < list->n; i++) {
        sorted &= i == 0 || list->defs[i - 1].type < list->defs[i].type;
        /* the length of a sub-message is not kept, as it cannot be trusted: see test-link */
        if (strcmp(list->defs[i].name, "SPICE_MSG_LIST") != 0)
            try_message(trial, &list->defs[i], 0, where, NULL, 0);
    }
    TAP_OK(sorted, "%s: numbers rise", where);
}

static void try_channel(Trial *trial, uint8_t channel, const char *name)
{
    const SpiceMessageTable *table = spice_message_table(channel);
    unsigned n_found = 0, n_wanted = 0;

    if (!tap_ok(table != NULL, "channel type %s is known", name))
        return;
    for (int direction = 0; direction < 2; direction++) {
        const SpiceMessageList *lists[] = {&table->from[direction],
                                           &spice_common_messages.from[direction]};

        try_list(trial, lists[0], name);
        for (unsigned i = 0; i < 2; i++)
            for (size_t k = 0; k < lists[i]->n; k++) {
                const SpiceMessageDef *def = &lists[i]->defs[k];

                n_wanted++;
                n_found += spice_message_find(channel, (SpiceDirection)direction, def->type) == def;
            }
        for (unsigned type = 0; type <= UINT16_MAX; type++)
            if (spice_message_find(channel, (SpiceDirection)direction, (uint16_t)type))
                n_found--, n_wanted--;
    }
    TAP_OK(n_found == 0 && n_wanted == 0, "%s: messages are found by number, and no others", name);
}

static void try_migration(Trial *trial)
{
    static const struct {
        uint8_t channel;
        uint32_t agreed;
        const char *start; /* no random bytes have the magic */
    } kinds[] = {
        {SPICE_CHANNEL_MAIN, 0, "MNMD\1\0\0\0\1\0\0\0"},
        {SPICE_CHANNEL_DISPLAY, 0, "DCMD\1\0\0\0"},
        {SPICE_CHANNEL_DISPLAY, SPICE_MIGRATE_LOSSY_SURFACES, "DCMD\1\0\0\0"},
        {SPICE_CHANNEL_INPUTS, 0, "ICMD\1\0\0\0"},
        {SPICE_CHANNEL_SMARTCARD, 0, "SCMD\1\0\0\0\1\0\0\0"},
        {SPICE_CHANNEL_PORT, 0, "SVMD\1\0\0\0\1\0\0\0"},
    };

    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool has_device =
            kinds[i].channel != SPICE_CHANNEL_DISPLAY && kinds[i].channel != SPICE_CHANNEL_INPUTS;

        try_message(trial, spice_migrate_data_find(kinds[i].channel), kinds[i].agreed, "migration",
                    (const uint8_t *)kinds[i].start, has_device ? 12 : 8);
    }
}

int main(void)
{
    static Trial trial = {.state = 1};
    const uint32_t selection = 1u << VD_AGENT_CAP_CLIPBOARD_SELECTION;
    const uint32_t serial = 1u << VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL;
    static const struct {
        uint8_t channel;
        const char *name;
    } channels[] = {
        {SPICE_CHANNEL_MAIN, "main"},           {SPICE_CHANNEL_DISPLAY, "display"},
        {SPICE_CHANNEL_INPUTS, "inputs"},       {SPICE_CHANNEL_CURSOR, "cursor"},
        {SPICE_CHANNEL_PLAYBACK, "playback"},   {SPICE_CHANNEL_RECORD, "record"},
        {SPICE_CHANNEL_SMARTCARD, "smartcard"}, {SPICE_CHANNEL_USBREDIR, "usbredir"},
        {SPICE_CHANNEL_PORT, "port"},           {SPICE_CHANNEL_WEBDAV, "webdav"},
    };

    trial.written.allocator = trial.again.allocator = &spice_allocator_libc;
    spice_arena_init(&trial.arena, &spice_allocator_libc, 1 << 24);
    try_list(&trial, &spice_common_messages.from[SPICE_FROM_SERVER], "common");
    try_list(&trial, &spice_common_messages.from[SPICE_FROM_CLIENT], "common");
    for (unsigned i = 0; i < sizeof channels / sizeof channels[0]; i++)
        try_channel(&trial, channels[i].channel, channels[i].name);
    for (uint32_t type = 1; spice_vd_agent_find(type); type++) {
        try_message(&trial, spice_vd_agent_find(type), 0, "agent", NULL, 0);
        try_message(&trial, spice_vd_agent_find(type), selection, "agent with selection", NULL, 0);
        try_message(&trial, spice_vd_agent_find(type), selection | serial,
                    "agent with selection and serial", NULL, 0);
    }
    try_migration(&trial);
    TAP_OK(!spice_message_table(7) && !spice_message_table(0) && !spice_message_table(12),
           "no messages for the old tunnel channel, 0 and 12");
    spice_arena_clear(&trial.arena);
    spice_buffer_clear(&trial.written);
    spice_buffer_clear(&trial.again);
    return tap_done();
}
