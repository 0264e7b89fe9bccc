/* A number for what an image or a palette contains, by which it is known again. Not cryptographic:
 * who can make up content can make two with one number, and then sees one in place of the other on
 * his own screen.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** 64 bits that depend on `seed` and all bytes. To go on with more, hand in the last as seed. */
uint64_t spice_content_hash(uint64_t seed, const uint8_t *data, size_t size);
