/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixmap-cache.h"

#include <string.h>

/* Entries cost memory of their own, however small their pictures are. */
enum { MAX_ENTRIES = 1 << 18, FIRST_BUCKETS = 256 };

typedef struct Entry Entry;

struct Entry {
    Entry *next;
    uint64_t id;
    SpicePicture *picture; /* NULL: was refused */
    bool lossy;
};

struct SpicePixmapCache {
    const SpiceAllocator *allocator;
    const SpiceLock *lock;
    Entry **buckets;
    uint32_t n_buckets, n_entries;
    uint64_t pixels, max_pixels;
};

static void acquire(SpicePixmapCache *self)
{
    if (self->lock)
        self->lock->acquire(self->lock->context);
}

static void release(SpicePixmapCache *self)
{
    if (self->lock)
        self->lock->release(self->lock->context);
}

static Entry **new_buckets(const SpiceAllocator *allocator, uint32_t n)
{
    Entry **buckets = allocator->alloc(allocator->context, n * sizeof(buckets[0]));

    if (buckets)
        memset(buckets, 0, n * sizeof(buckets[0]));
    return buckets;
}

SpicePixmapCache *spice_pixmap_cache_create(const SpiceAllocator *allocator, const SpiceLock *lock,
                                            uint64_t max_pixels)
{
    SpicePixmapCache *self = allocator->alloc(allocator->context, sizeof(*self));
    Entry **buckets = self ? new_buckets(allocator, FIRST_BUCKETS) : NULL;

    if (!buckets) {
        if (self)
            allocator->release(allocator->context, self);
        return NULL;
    }
    *self = (SpicePixmapCache){
        .allocator = allocator,
        .lock = lock,
        .buckets = buckets,
        .n_buckets = FIRST_BUCKETS,
        .max_pixels = max_pixels > UINT64_MAX / 4 ? UINT64_MAX / 2 : max_pixels * 2,
    };
    return self;
}

static uint32_t bucket_of(uint64_t id, uint32_t n_buckets)
{
    id ^= id >> 33;
    id *= UINT64_C(0xff51afd7ed558ccd);
    id ^= id >> 33;
    id *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(id >> 32) & (n_buckets - 1);
}

static Entry **find(SpicePixmapCache *self, uint64_t id)
{
    Entry **at = &self->buckets[bucket_of(id, self->n_buckets)];

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static uint64_t pixels_of(const SpicePicture *picture)
{
    return picture ? (uint64_t)picture->pixels.width * (uint64_t)picture->pixels.height : 0;
}

static void drop_picture(SpicePixmapCache *self, Entry *entry)
{
    self->pixels -= pixels_of(entry->picture);
    spice_picture_unref(entry->picture);
    entry->picture = NULL;
}

static void drop_entry(SpicePixmapCache *self, Entry **at)
{
    Entry *entry = *at;

    *at = entry->next;
    drop_picture(self, entry);
    self->allocator->release(self->allocator->context, entry);
    self->n_entries--;
}

static void drop_all(SpicePixmapCache *self)
{
    for (uint32_t i = 0; i < self->n_buckets; i++)
        while (self->buckets[i])
            drop_entry(self, &self->buckets[i]);
}

void spice_pixmap_cache_destroy(SpicePixmapCache *self)
{
    const SpiceAllocator *allocator = self->allocator;

    acquire(self);
    drop_all(self);
    release(self);
    allocator->release(allocator->context, self->buckets);
    allocator->release(allocator->context, self);
}

SpicePixmapLookup spice_pixmap_cache_get(SpicePixmapCache *self, uint64_t id, bool lossless,
                                         SpicePicture **picture)
{
    SpicePixmapLookup found = SPICE_PIXMAP_ABSENT;
    const Entry *entry;

    acquire(self);
    entry = *find(self, id);
    if (entry && !entry->picture) {
        found = SPICE_PIXMAP_BROKEN;
    } else if (entry && !(lossless && entry->lossy)) {
        found = SPICE_PIXMAP_FOUND;
        *picture = spice_picture_ref(entry->picture);
    }
    release(self);
    return found;
}

/** Chains grow long without it; failing to do so only makes them longer. */
static void spread_out(SpicePixmapCache *self)
{
    const uint32_t n = self->n_buckets * 4;
    Entry **buckets = new_buckets(self->allocator, n);

    if (!buckets)
        return;
    for (uint32_t i = 0; i < self->n_buckets; i++) {
        while (self->buckets[i]) {
            Entry *entry = self->buckets[i];
            Entry **to = &buckets[bucket_of(entry->id, n)];

            self->buckets[i] = entry->next;
            entry->next = *to;
            *to = entry;
        }
    }
    self->allocator->release(self->allocator->context, self->buckets);
    self->buckets = buckets;
    self->n_buckets = n;
}

static bool put(SpicePixmapCache *self, uint64_t id, SpicePicture *picture, bool lossy,
                SpiceError *error)
{
    Entry **at = find(self, id);

    if (*at) {
        drop_picture(self, *at);
    } else {
        Entry *entry;

        if (self->n_entries >= MAX_ENTRIES)
            return spice_error_set(error, SPICE_ERROR_LIMIT, "pixmap_cache");
        entry = self->allocator->alloc(self->allocator->context, sizeof(*entry));
        if (!entry)
            return spice_error_set(error, SPICE_ERROR_MEMORY, "pixmap_cache");
        *entry = (Entry){.id = id};
        *at = entry;
        if (++self->n_entries > 2 * self->n_buckets) {
            spread_out(self);
            at = find(self, id);
        }
    }
    if (pixels_of(picture) > self->max_pixels - self->pixels)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "pixmap_cache");
    (*at)->lossy = lossy;
    if (picture)
        (*at)->picture = spice_picture_ref(picture);
    self->pixels += pixels_of(picture);
    return true;
}

bool spice_pixmap_cache_put(SpicePixmapCache *self, uint64_t id, SpicePicture *picture, bool lossy,
                            SpiceError *error)
{
    bool done;

    acquire(self);
    done = put(self, id, picture, lossy, error);
    release(self);
    return done;
}

void spice_pixmap_cache_remove(SpicePixmapCache *self, uint64_t id)
{
    Entry **at;

    acquire(self);
    at = find(self, id);
    if (*at)
        drop_entry(self, at);
    release(self);
}

void spice_pixmap_cache_clear(SpicePixmapCache *self)
{
    acquire(self);
    drop_all(self);
    release(self);
}

void spice_pixmap_cache_release(SpicePixmapCache *self, SpicePicture *picture)
{
    if (!picture)
        return;
    acquire(self);
    spice_picture_unref(picture);
    release(self);
}
