/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz-window.h"

#include <string.h>

enum { MAX_BUCKETS = 4096 };

static size_t bucket_of(const SpiceGlzWindow *window, uint64_t id)
{
    return (size_t)(id ^ id >> 12) & window->hash_mask;
}

SpiceGlzWindow *spice_glz_window_new(const SpiceAllocator *allocator, uint64_t max_pixels,
                                     uint32_t max_images)
{
    SpiceGlzWindow *window;
    size_t buckets = 16, size;

    while (buckets < max_images && buckets < MAX_BUCKETS)
        buckets *= 2;
    size = sizeof *window + buckets * sizeof window->buckets[0];
    window = allocator->alloc(allocator->context, size);
    if (!window)
        return NULL;
    memset(window, 0, size);
    window->allocator = allocator;
    window->max_pixels = max_pixels;
    window->max_images = max_images;
    window->hash_mask = buckets - 1;
    return window;
}

void spice_glz_window_clear(SpiceGlzWindow *window)
{
    for (size_t b = 0; b <= window->hash_mask; b++) {
        SpiceGlzEntry *entry = window->buckets[b], *next;

        for (; entry; entry = next) {
            next = entry->next;
            spice_glz_window_drop(window, entry);
        }
        window->buckets[b] = NULL;
    }
    if (window->stray)
        spice_glz_window_drop(window, window->stray);
    window->stray = NULL;
    window->begun = window->strays = window->broken = false;
    window->first = window->next = window->oldest = window->head = 0;
}

void spice_glz_window_expect(SpiceGlzWindow *window, uint64_t first_id)
{
    window->begun = true;
    window->first = window->next = window->oldest = window->head = first_id;
}

void spice_glz_window_free(SpiceGlzWindow *window)
{
    if (!window)
        return;
    spice_glz_window_clear(window);
    window->allocator->release(window->allocator->context, window);
}

SpiceGlzEntry *spice_glz_window_find(const SpiceGlzWindow *window, uint64_t id)
{
    SpiceGlzEntry *entry = window->buckets[bucket_of(window, id)];

    while (entry && entry->header.id != id)
        entry = entry->next;
    return entry;
}

bool spice_glz_window_may_come(const SpiceGlzWindow *window, uint64_t id)
{
    /* what lies before the first may have been overtaken by it */
    return !window->broken &&
           (!window->begun || id >= window->next || (id < window->first && !window->strays));
}

void spice_glz_window_evict(SpiceGlzWindow *window)
{
    if (window->stray)
        spice_glz_window_drop(window, window->stray);
    window->stray = NULL;
    for (; window->oldest < window->head; window->oldest++) {
        SpiceGlzEntry **link = &window->buckets[bucket_of(window, window->oldest)];

        while (*link && (*link)->header.id != window->oldest)
            link = &(*link)->next;
        if (*link) {
            SpiceGlzEntry *entry = *link;

            *link = entry->next;
            spice_glz_window_drop(window, entry);
        }
    }
}

SpiceGlzEntry *spice_glz_window_take(SpiceGlzWindow *window, const SpiceGlzHeader *header,
                                     SpiceError *error)
{
    const uint64_t n_pixels = (uint64_t)header->width * header->height;
    SpiceGlzEntry *entry;

    if (window->broken) {
        spice_error_set(error, SPICE_ERROR_STATE, "glz window");
        return NULL;
    }
    if (spice_glz_window_find(window, header->id) ||
        (window->begun && header->id >= window->first && header->id < window->next)) {
        spice_error_set(error, SPICE_ERROR_STATE, "glz id");
        return NULL;
    }
    if (window->n_images >= window->max_images || n_pixels > window->max_pixels ||
        window->n_pixels > window->max_pixels - n_pixels ||
        n_pixels > (SIZE_MAX - sizeof *entry) / 4) {
        spice_error_set(error, SPICE_ERROR_LIMIT, "glz window");
        return NULL;
    }
    entry =
        window->allocator->alloc(window->allocator->context, sizeof *entry + (size_t)n_pixels * 4);
    if (!entry) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "glz image");
        return NULL;
    }
    entry->header = *header;
    entry->n_pixels = (size_t)n_pixels;
    entry->pixels = (uint8_t *)(entry + 1);
    entry->next = NULL;
    window->n_images++;
    window->n_pixels += n_pixels;
    return entry;
}

void spice_glz_window_drop(SpiceGlzWindow *window, SpiceGlzEntry *entry)
{
    window->n_images--;
    window->n_pixels -= entry->n_pixels;
    window->allocator->release(window->allocator->context, entry);
}

/* Goes past all ids that follow each other; the last of them says what is needed no more. */
static void advance(SpiceGlzWindow *window)
{
    SpiceGlzEntry *entry;

    while ((entry = spice_glz_window_find(window, window->next))) {
        uint64_t head = entry->header.id - entry->header.head_distance;

        window->head = head > window->head ? head : window->head;
        window->next++;
    }
}

bool spice_glz_window_add(SpiceGlzWindow *window, SpiceGlzEntry *entry)
{
    const uint64_t id = entry->header.id, head = id - entry->header.head_distance;
    size_t bucket = bucket_of(window, id);

    if (spice_glz_window_find(window, id) ||
        (window->begun && id >= window->first && id < window->next)) {
        return false;
    }
    if (window->begun && id < window->first && window->head > window->first) {
        window->strays = true;
        window->stray = entry; /* nobody needs it any more but for showing it */
        return true;
    }
    entry->next = window->buckets[bucket];
    window->buckets[bucket] = entry;
    if (!window->begun || id < window->first)
        spice_glz_window_expect(window, head);
    advance(window);
    return true;
}
