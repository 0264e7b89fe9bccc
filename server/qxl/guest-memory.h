/* A guest's memory as a QXL device sees it: slots, and addresses in them.
 *
 * Everything in it is the guest's, who may change it at any moment: what is looked at is copied
 * once, checked, and only the copy used.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPICE_GUEST_MAX_GROUPS = 8, SPICE_GUEST_MAX_SLOTS = 256 };

typedef struct {
    bool used;
    uint32_t generation;
    uint64_t start, end; /* host addresses; end: behind the last byte */
    uint64_t delta;      /* added to an address of the guest's */
} SpiceGuestSlot;

/** Zero-initialise, then spice_guest_memory_init(). */
typedef struct {
    uint32_t n_groups, n_slots;
    uint8_t generation_bits, id_bits; /* of an address, from the top: slot, generation */
    SpiceGuestSlot slots[SPICE_GUEST_MAX_GROUPS][SPICE_GUEST_MAX_SLOTS];
} SpiceGuestMemory;

/** No slots yet. False if a device cannot be like that: groups, slots or bits out of range. */
bool spice_guest_memory_init(SpiceGuestMemory *self, uint32_t n_groups, uint32_t n_slots,
                             uint8_t generation_bits, uint8_t id_bits);

/** A slot from now on, in place of what was there. False if group or id are out of range, or the
 * end lies before the start. */
bool spice_guest_memory_add_slot(SpiceGuestMemory *self, uint32_t group, uint32_t id,
                                 const SpiceGuestSlot *slot);
/** What was not there is no error. */
void spice_guest_memory_remove_slot(SpiceGuestMemory *self, uint32_t group, uint32_t id);
bool spice_guest_memory_has_slot(const SpiceGuestMemory *self, uint32_t group, uint32_t id);
/** Forgets all slots. */
void spice_guest_memory_reset(SpiceGuestMemory *self);

/** Where `size` bytes at an address are in our memory; NULL if they do not all lie in a slot, or
 * the address is of another generation. */
uint8_t *spice_guest_memory_translate(const SpiceGuestMemory *self, uint32_t group,
                                      uint64_t address, uint64_t size);
