/* The pixmap cache of a client: decoded pictures under the ids that the server gave them, shared by
 * all display channels that named the same cache in their INIT.
 *
 * The server decides what is in it; entries go only when told so (SPICE protocol, "Caches").
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/picture.h"

/** A lock of the caller's. */
typedef struct {
    void (*acquire)(void *context);
    void (*release)(void *context);
    void *context;
} SpiceLock;

typedef struct SpicePixmapCache SpicePixmapCache;

/** A cache for `max_pixels` pixels, which is what INIT announces; twice as much is taken before an
 * image is refused, as invalidations may still be under way on another channel. `lock` is held
 * around every access to entries and to the reference counts of pictures that came from here or
 * went here; NULL if all users are on one thread. Both it and the allocator (which must then be
 * safe for threads, too) must outlive the cache. NULL if there is no memory. */
SpicePixmapCache *spice_pixmap_cache_create(const SpiceAllocator *allocator, const SpiceLock *lock,
                                            uint64_t max_pixels);

/** Frees the cache; pictures that others still hold live on. */
void spice_pixmap_cache_destroy(SpicePixmapCache *cache);

typedef enum {
    SPICE_PIXMAP_FOUND,
    SPICE_PIXMAP_ABSENT, /* not there, or only a lossy one where a lossless one is wanted: wait */
    SPICE_PIXMAP_BROKEN, /* the image that should be there was refused: do not wait */
} SpicePixmapLookup;

/** Looks an id up. FOUND hands out a reference, given back by spice_pixmap_cache_release(). */
SpicePixmapLookup spice_pixmap_cache_get(SpicePixmapCache *cache, uint64_t id, bool lossless,
                                         SpicePicture **picture);

/** Enters a picture, of which the cache takes a reference of its own, or (NULL) the knowledge that
 * it was refused; replaces what was there. LIMIT if the server keeps more than announced: the
 * entry is then marked broken. MEMORY. */
bool spice_pixmap_cache_put(SpicePixmapCache *cache, uint64_t id, SpicePicture *picture, bool lossy,
                            SpiceError *error);

/** Takes an entry out; not having it is no error. */
void spice_pixmap_cache_remove(SpicePixmapCache *cache, uint64_t id);

void spice_pixmap_cache_clear(SpicePixmapCache *cache);

/** Gives back a picture that may be shared through the cache. NULL is allowed. */
void spice_pixmap_cache_release(SpicePixmapCache *cache, SpicePicture *picture);
