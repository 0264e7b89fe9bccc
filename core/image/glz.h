/* GLZ: LZ whose matches may also refer to earlier images of the same client, over all its display
 * channels. Image types GLZ_RGB and ZLIB_GLZ_RGB.
 *
 * The encoders of a client's displays share one dictionary, its decoders one window. Both are not
 * thread-safe: what shares one is used under one lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "lz.h"

enum { SPICE_GLZ_HEADER_SIZE = 33 };

/** A header that was found sound. */
typedef struct {
    uint8_t type;  /* SpiceLzType: RGB16, RGB24, RGB32, RGBA */
    bool top_down; /* the stream begins with the top row */
    uint32_t width, height;
    uint64_t id;
    uint32_t head_distance; /* images id - head_distance .. id - 1 may be referred to */
} SpiceGlzHeader;

/** Reads and checks the header, as spice_lz_read_header() does, and that the head distance does not
 * lead below image 0. */
bool spice_glz_read_header(SpiceGlzHeader *header, const uint8_t *data, size_t size,
                           uint64_t max_pixels, SpiceError *error);

/* --- decoding --- */

/** The decoded images that later ones may refer to. */
typedef struct SpiceGlzWindow SpiceGlzWindow;

/** A window holds at most `max_pixels` pixels (four bytes each) in at most `max_images` images,
 * those being decoded among them: more is an error of the peer. The announced size twice leaves
 * room for what is under way on other channels. NULL if the allocator, which must outlive the
 * window, refuses. */
SpiceGlzWindow *spice_glz_window_new(const SpiceAllocator *allocator, uint64_t max_pixels,
                                     uint32_t max_images);
/** Its decoders must be freed before. */
void spice_glz_window_free(SpiceGlzWindow *window);

/** Forgets all images and the ids seen: after a reconnect, a switch of hosts or a semi-seamless
 * migration. Its decoders must be stopped before. */
void spice_glz_window_clear(SpiceGlzWindow *window);

/** Says that a new or cleared window will get all images from `first_id` on: 0 after a connect. So
 * none is freed before those that travel on slower channels have come. Otherwise it is taken that
 * images begin with the oldest that the first one may refer to. */
void spice_glz_window_expect(SpiceGlzWindow *window, uint64_t first_id);

/** A display channel's decoder. */
typedef struct SpiceGlzDecoder SpiceGlzDecoder;

/** NULL without memory. */
SpiceGlzDecoder *spice_glz_decoder_new(SpiceGlzWindow *window);
void spice_glz_decoder_free(SpiceGlzDecoder *decoder);

typedef enum {
    SPICE_GLZ_DONE,
    SPICE_GLZ_WAIT, /* an image that travels on another channel has to come first */
    SPICE_GLZ_BAD,  /* the window would diverge from the server's: the channels are to be closed */
} SpiceGlzStatus;

/** A decoded image. */
typedef struct {
    const uint8_t *pixels; /* 32 bits each, in the order of the stream, no gaps; RGB16 is widened,
                              byte 3 is the alpha of RGBA, else 0 */
    SpiceGlzHeader header;
} SpiceGlzImage;

/** Begins with an image. `data` must stay until the decoder has finished with it, or was stopped.
 * This frees images that have left the window. False if it is refused (by id, limits or memory):
 * as SPICE_GLZ_BAD. */
bool spice_glz_decoder_start(SpiceGlzDecoder *decoder, const SpiceGlzHeader *header,
                             const uint8_t *data, size_t size, SpiceError *error);

/** Decodes on. DONE: *image is the image, its pixels stay until a decoder of the window is started
 * again. WAIT: *missing is the id of the image that has to be decoded first; call again when it is
 * there. BAD: *error says why. An image is decoded but once, however often it has to wait. */
SpiceGlzStatus spice_glz_decoder_run(SpiceGlzDecoder *decoder, SpiceGlzImage *image,
                                     uint64_t *missing, SpiceError *error);

/** Drops an image that is not finished. */
void spice_glz_decoder_stop(SpiceGlzDecoder *decoder);

/** Copies an image to rows of 32-bit pixels, the top row at `top`. */
void spice_glz_image_copy(const SpiceGlzImage *image, uint8_t *top, ptrdiff_t stride);

/* --- encoding --- */

/** The images that later ones may refer to, and their ids. */
typedef struct SpiceGlzDictionary SpiceGlzDictionary;

/** `window_pixels` is what DISPLAY_INIT announced (or less: it bounds the memory, 4 bytes a pixel);
 * `next_id` 0, or what came with a migration. NULL if the allocator, which must outlive the
 * dictionary, refuses. */
SpiceGlzDictionary *spice_glz_dictionary_new(const SpiceAllocator *allocator,
                                             uint64_t window_pixels, uint64_t next_id);
void spice_glz_dictionary_free(SpiceGlzDictionary *dictionary);

/** The id that the next image gets: for migration data. */
uint64_t spice_glz_dictionary_next_id(const SpiceGlzDictionary *dictionary);

/** Memory that a picture lies in and that the dictionary may keep instead of a copy. */
typedef struct {
    void (*release)(void *context); /* called when the image has left the window */
    void *context;
} SpiceGlzLoan;

/** Encodes an RGB16, RGB24, RGB32 or RGBA picture into `out`. The bytes written; the image then has
 * an id and must be sent, on the channel that it was encoded for, in the order of encoding.
 *
 * 0 if it was not encoded and took no id: it is not smaller than the window (send it as LZ), would
 * take more than `capacity`, or memory was refused. A loan is not taken then.
 *
 * With a `loan` the dictionary keeps a pointer to the pixels if it can (no gaps between rows, not
 * RGB24) and otherwise a copy. The pixels must not change until release() is called, which may be
 * before the function returns. NULL: it copies. */
size_t spice_glz_encode(SpiceGlzDictionary *dictionary, const SpiceLzSource *source,
                        const SpiceGlzLoan *loan, uint8_t *out, size_t capacity);

/* --- ZLIB_GLZ_RGB --- */

/** One GLZ image as one zlib stream. */
typedef struct SpiceGlzZlib SpiceGlzZlib;

SpiceGlzZlib *spice_glz_zlib_new(const SpiceAllocator *allocator);
void spice_glz_zlib_free(SpiceGlzZlib *zlib);

/** The bytes written to `out`, or 0 if they would be more than `capacity`: the caller gives less
 * than `size` and else sends GLZ_RGB. `level` is 1 to 9; the field's servers take 3. */
size_t spice_glz_deflate(SpiceGlzZlib *zlib, int level, const uint8_t *data, size_t size,
                         uint8_t *out, size_t capacity);

/** Inflates to exactly `out_size` bytes, which the caller has bounded. */
bool spice_glz_inflate(SpiceGlzZlib *zlib, const uint8_t *data, size_t size, uint8_t *out,
                       size_t out_size, SpiceError *error);
