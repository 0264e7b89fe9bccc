/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sent-pixmaps.h"

#include <string.h>

enum { N_BUCKETS = 4096 };

struct SpiceSentPixmaps {
    const SpiceAllocator *allocator;
    uint64_t max_pixels, pixels;
    unsigned n_entries, n_doomed;
    uint64_t change; /* the number of the change at hand */
    SpiceSentPixmap *oldest, *newest;
    SpiceSentPixmap *buckets[N_BUCKETS];
    struct {
        bool taken;
        uint8_t channel_id;
        uint64_t waited[SPICE_SENT_SHARERS]; /* for which messages of others it waited */
    } sharers[SPICE_SENT_SHARERS];
    /* The last message of each sharer that invalidated an id with this hash: whoever brings such
     * an id anew must not be overtaken by it. */
    uint64_t invals[SPICE_SENT_INVAL_SLOTS][SPICE_SENT_SHARERS];
};

static uint32_t hash_of(uint64_t id)
{
    id ^= id >> 32;
    id *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(id >> 40);
}

static uint64_t pixels_of(const SpiceSentPixmap *entry)
{
    return (uint64_t)entry->width * entry->height;
}

SpiceSentPixmaps *spice_sent_pixmaps_create(const SpiceAllocator *allocator, uint64_t max_pixels)
{
    SpiceSentPixmaps *self = allocator->alloc(allocator->context, sizeof(*self));

    if (!self)
        return NULL;
    memset(self, 0, sizeof(*self));
    self->allocator = allocator;
    self->max_pixels = max_pixels;
    return self;
}

static void release(SpiceSentPixmaps *self, SpiceSentPixmap *entry)
{
    self->allocator->release(self->allocator->context, entry);
}

uint64_t spice_sent_pixmaps_max_pixels(const SpiceSentPixmaps *self)
{
    return self->max_pixels;
}

void spice_sent_pixmaps_destroy(SpiceSentPixmaps *self)
{
    SpiceSentPixmap *entry, *newer;

    if (!self)
        return;
    for (entry = self->oldest; entry; entry = newer) {
        newer = entry->newer;
        release(self, entry);
    }
    release(self, (SpiceSentPixmap *)self);
}

int spice_sent_pixmaps_join(SpiceSentPixmaps *self, uint8_t channel_id)
{
    for (int i = 0; i < SPICE_SENT_SHARERS; i++) {
        if (self->sharers[i].taken)
            continue;
        memset(&self->sharers[i], 0, sizeof(self->sharers[i]));
        self->sharers[i].taken = true;
        self->sharers[i].channel_id = channel_id;
        return i;
    }
    return -1;
}

void spice_sent_pixmaps_leave(SpiceSentPixmaps *self, int sharer)
{
    if (sharer < 0)
        return;
    for (SpiceSentPixmap *entry = self->oldest; entry; entry = entry->newer) {
        entry->used[sharer] = 0;
        if (entry->adder == sharer && !entry->doomed) {
            entry->doomed = true;
            self->n_doomed++;
        }
    }
    for (unsigned i = 0; i < SPICE_SENT_INVAL_SLOTS; i++)
        self->invals[i][sharer] = 0;
    for (unsigned i = 0; i < SPICE_SENT_SHARERS; i++)
        self->sharers[i].waited[sharer] = 0;
    self->sharers[sharer].taken = false;
}

bool spice_sent_pixmaps_fits(const SpiceSentPixmaps *self, uint32_t width, uint32_t height)
{
    /* One that would push out most of what is there is not worth it. */
    return (uint64_t)width * height <= self->max_pixels / 2;
}

static SpiceSentPixmap *find(const SpiceSentPixmaps *self, uint64_t id)
{
    SpiceSentPixmap *entry = self->buckets[hash_of(id) % N_BUCKETS];

    while (entry && entry->id != id)
        entry = entry->next;
    return entry;
}

SpiceSentPixmap *spice_sent_pixmaps_find(const SpiceSentPixmaps *self, uint64_t id)
{
    SpiceSentPixmap *entry = find(self, id);

    return entry && !entry->doomed ? entry : NULL;
}

uint8_t spice_sent_pixmaps_channel(const SpiceSentPixmaps *self, unsigned sharer)
{
    return self->sharers[sharer].channel_id;
}

/* --- a change --- */

static void wait_for(SpiceSentChange *change, unsigned sharer, uint64_t serial)
{
    if (sharer != change->sharer && serial > change->waits[sharer])
        change->waits[sharer] = serial;
}

static bool has_part(const SpiceSentChange *change, const SpiceSentPixmap *entry)
{
    return entry->touched == change->ledger->change;
}

static void give_up(SpiceSentChange *change, SpiceSentPixmap *entry)
{
    entry->touched = change->ledger->change;
    entry->part = SPICE_SENT_VICTIM;
    entry->next_victim = change->victims;
    change->victims = entry;
    change->n_victims++;
    change->freed += pixels_of(entry);
    for (unsigned i = 0; i < SPICE_SENT_SHARERS; i++)
        wait_for(change, i, entry->used[i]);
}

void spice_sent_change_begin(SpiceSentChange *change, SpiceSentPixmaps *ledger, unsigned sharer)
{
    *change = (SpiceSentChange){.ledger = ledger, .sharer = sharer};
    ledger->change++;
    if (ledger->n_doomed == 0)
        return;
    for (SpiceSentPixmap *entry = ledger->oldest; entry; entry = entry->newer)
        if (entry->doomed)
            give_up(change, entry);
}

bool spice_sent_change_use(SpiceSentChange *change, SpiceSentPixmap *entry)
{
    if (has_part(change, entry) && entry->part != SPICE_SENT_USED)
        return false;
    entry->touched = change->ledger->change;
    entry->part = SPICE_SENT_USED;
    wait_for(change, entry->adder, entry->added);
    return true;
}

/** For the last invalidations that may be of this id. */
static void wait_for_invals(SpiceSentChange *change, uint64_t id)
{
    const uint64_t *serials = change->ledger->invals[hash_of(id) % SPICE_SENT_INVAL_SLOTS];

    for (unsigned i = 0; i < SPICE_SENT_SHARERS; i++)
        wait_for(change, i, serials[i]);
}

bool spice_sent_change_replace(SpiceSentChange *change, SpiceSentPixmap *entry)
{
    if (has_part(change, entry))
        return false;
    entry->touched = change->ledger->change;
    entry->part = SPICE_SENT_REPLACED;
    /* Else the old picture could come after the new one. */
    wait_for(change, entry->adder, entry->added);
    return true;
}

/** Room for `pixels` more; takes what was not used for longest. */
static bool make_room(SpiceSentChange *change, uint64_t pixels, unsigned n_new)
{
    SpiceSentPixmaps *self = change->ledger;
    SpiceSentPixmap *entry = self->oldest;
    const uint64_t wanted = change->needed + pixels;

    for (;;) {
        const bool fits = self->pixels - change->freed + wanted <= self->max_pixels &&
                          self->n_entries - change->n_victims + n_new <= SPICE_SENT_MAX_PIXMAPS;

        if (fits)
            return true;
        while (entry && has_part(change, entry))
            entry = entry->newer;
        if (!entry)
            return false;
        give_up(change, entry);
    }
}

SpiceSentPixmap *spice_sent_change_add(SpiceSentChange *change, uint64_t id, uint32_t width,
                                       uint32_t height)
{
    SpiceSentPixmaps *self = change->ledger;
    SpiceSentPixmap *there = find(self, id), *entry;
    const uint64_t pixels = (uint64_t)width * height;

    if (there && has_part(change, there) && there->part != SPICE_SENT_VICTIM)
        return NULL;
    entry = self->allocator->alloc(self->allocator->context, sizeof(*entry));
    if (!entry)
        return NULL;
    if (there && !has_part(change, there))
        give_up(change, there);
    if (!make_room(change, pixels, change->n_added + 1)) {
        release(self, entry);
        return NULL;
    }
    *entry = (SpiceSentPixmap){.id = id, .width = width, .height = height};
    change->needed += pixels;
    change->n_added++;
    wait_for_invals(change, id);
    return entry;
}

void spice_sent_change_cancel(SpiceSentChange *change, SpiceSentPixmap *const *added, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (added[i])
            release(change->ledger, added[i]);
}

unsigned spice_sent_change_waits(SpiceSentChange *change)
{
    const uint64_t *waited = change->ledger->sharers[change->sharer].waited;
    unsigned n = 0;

    for (unsigned i = 0; i < SPICE_SENT_SHARERS; i++) {
        if (change->waits[i] <= waited[i])
            change->waits[i] = 0;
        n += change->waits[i] != 0;
    }
    return n;
}

static void unlink_use(SpiceSentPixmaps *self, SpiceSentPixmap *entry)
{
    *(entry->older ? &entry->older->newer : &self->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &self->newest) = entry->older;
}

static void link_newest(SpiceSentPixmaps *self, SpiceSentPixmap *entry)
{
    entry->newer = NULL;
    entry->older = self->newest;
    *(self->newest ? &self->newest->newer : &self->oldest) = entry;
    self->newest = entry;
}

static void drop_victims(SpiceSentChange *change, uint64_t inval_serial)
{
    SpiceSentPixmaps *self = change->ledger;
    SpiceSentPixmap *entry, *next;

    for (entry = change->victims; entry; entry = next) {
        const uint32_t hash = hash_of(entry->id);
        SpiceSentPixmap **at = &self->buckets[hash % N_BUCKETS];

        next = entry->next_victim;
        while (*at != entry)
            at = &(*at)->next;
        *at = entry->next;
        unlink_use(self, entry);
        self->n_doomed -= entry->doomed;
        self->n_entries--;
        self->pixels -= pixels_of(entry);
        self->invals[hash % SPICE_SENT_INVAL_SLOTS][change->sharer] = inval_serial;
        release(self, entry);
    }
}

static void bring(SpiceSentChange *change, SpiceSentPixmap *entry, uint64_t serial)
{
    entry->adder = (uint8_t)change->sharer;
    entry->added = serial;
    entry->used[change->sharer] = serial;
}

void spice_sent_change_commit(SpiceSentChange *change, SpiceSentPixmap *const *used,
                              SpiceSentPixmap *const *added, unsigned n, uint64_t inval_serial,
                              uint64_t serial)
{
    SpiceSentPixmaps *self = change->ledger;
    uint64_t *waited = self->sharers[change->sharer].waited;

    for (unsigned i = 0; i < SPICE_SENT_SHARERS; i++)
        if (change->waits[i] > waited[i])
            waited[i] = change->waits[i];
    drop_victims(change, inval_serial);
    for (unsigned i = 0; i < n; i++) {
        if (used[i]) {
            unlink_use(self, used[i]);
            link_newest(self, used[i]);
            used[i]->used[change->sharer] = serial;
            if (used[i]->part == SPICE_SENT_REPLACED)
                bring(change, used[i], serial);
        }
        if (added[i]) {
            SpiceSentPixmap **at = &self->buckets[hash_of(added[i]->id) % N_BUCKETS];

            added[i]->next = *at;
            *at = added[i];
            link_newest(self, added[i]);
            self->n_entries++;
            self->pixels += pixels_of(added[i]);
            bring(change, added[i], serial);
        }
    }
}
