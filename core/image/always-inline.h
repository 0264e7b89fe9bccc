/* For functions of which there is to be one piece of machine code for each set of constant arguments, so that inner
 * loops have no choices left. Sanitizers make compilers take a minute for that, and are not there for speed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SPICE_HAS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SPICE_HAS_SANITIZER
#endif

#ifdef SPICE_HAS_SANITIZER
#define ALWAYS_INLINE static inline
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif
