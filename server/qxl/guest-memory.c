/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-memory.h"

#include <string.h>

bool spice_guest_memory_init(SpiceGuestMemory *self, uint32_t n_groups, uint32_t n_slots,
                             uint8_t generation_bits, uint8_t id_bits)
{
    if (n_groups == 0 || n_groups > SPICE_GUEST_MAX_GROUPS || n_slots == 0 ||
        n_slots > SPICE_GUEST_MAX_SLOTS || generation_bits + id_bits >= 64 ||
        generation_bits > 32 || id_bits > 32)
        return false;
    *self = (SpiceGuestMemory){.n_groups = n_groups,
                               .n_slots = n_slots,
                               .generation_bits = generation_bits,
                               .id_bits = id_bits};
    return true;
}

bool spice_guest_memory_add_slot(SpiceGuestMemory *self, uint32_t group, uint32_t id,
                                 const SpiceGuestSlot *slot)
{
    if (group >= self->n_groups || id >= self->n_slots || slot->end < slot->start)
        return false;
    self->slots[group][id] = *slot;
    self->slots[group][id].used = true;
    return true;
}

void spice_guest_memory_remove_slot(SpiceGuestMemory *self, uint32_t group, uint32_t id)
{
    if (group < self->n_groups && id < self->n_slots)
        self->slots[group][id] = (SpiceGuestSlot){.used = false};
}

bool spice_guest_memory_has_slot(const SpiceGuestMemory *self, uint32_t group, uint32_t id)
{
    return group < self->n_groups && id < self->n_slots && self->slots[group][id].used;
}

void spice_guest_memory_reset(SpiceGuestMemory *self)
{
    memset(self->slots, 0, sizeof self->slots);
}

/** The `n` bits of a value that end below bit `end`. */
static uint64_t bits_below(uint64_t value, unsigned end, unsigned n)
{
    return n == 0 ? 0 : (value >> (end - n)) & ((UINT64_C(1) << n) - 1);
}

uint8_t *spice_guest_memory_translate(const SpiceGuestMemory *self, uint32_t group,
                                      uint64_t address, uint64_t size)
{
    const unsigned place_bits = 64u - self->id_bits - self->generation_bits;
    const uint64_t id = bits_below(address, 64, self->id_bits);
    const uint64_t generation = bits_below(address, 64u - self->id_bits, self->generation_bits);
    const SpiceGuestSlot *slot;
    uint64_t at;

    if (group >= self->n_groups || id >= self->n_slots)
        return NULL;
    slot = &self->slots[group][id];
    if (!slot->used || slot->generation != generation)
        return NULL;
    at = (place_bits == 64 ? address : address & ((UINT64_C(1) << place_bits) - 1)) + slot->delta;
    if (at < slot->start || at > slot->end || size > slot->end - at)
        return NULL;
    return (uint8_t *)(uintptr_t)at;
}
