/* Drawing on a surface: every operation of the display channel, on operands that are already
 * decoded. The same functions paint a client's surfaces and a server's copy of a guest's.
 *
 * All of them take
 *   dest     the surface; aligned (pixels.h), its format decides how pixels are understood
 *   region   what to paint, not empty and inside of `dest`: box and clip, and the mask where there
 *            is one
 *   box      the draw's box, not clipped: coordinates in the source follow from it
 *   scratch  memory for this draw; the caller resets it after
 * and return false with *error if the draw cannot be done, having painted nothing; VALUE for what
 * the protocol does not define, UNSUPPORTED for what it defines on no such surface, LIMIT for
 * coordinates or sizes beyond what we take, MEMORY. Rules: SPICE protocol, "Drawing semantics".
 *
 * Not thread-safe for one `dest`.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/pixels.h"
#include "core/wire/arena.h"
#include "core/wire/draw.h"

#include "rop.h"

/** An image operand. `pixels` is NULL where a draw has none. */
typedef struct {
    const SpicePixels *pixels;
    bool is_surface; /* SPICE_IMAGE_TYPE_SURFACE: used raw, so its depth must be that of `dest` */
} SpiceCanvasImage;

typedef struct {
    uint8_t type; /* SpiceBrushType */
    uint32_t color;
    SpiceCanvasImage pattern;
    SpicePoint position;
} SpiceCanvasBrush;

/** FILL, and BLACKNESS, WHITENESS and INVERS with brush NONE: dest = rop(brush, dest). */
bool spice_canvas_fill(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceCanvasBrush *brush, SpiceRop rop, SpiceArena *scratch,
                       SpiceError *error);

/** COPY and BLEND: dest = rop(source, dest). Scaled by `scale_mode` (SpiceImageScaleMode) if the
 * size of `source_area` differs from the box's. */
bool spice_canvas_copy(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceRect *box, const SpiceCanvasImage *source,
                       const SpiceRect *source_area, SpiceRop rop, uint8_t scale_mode,
                       SpiceArena *scratch, SpiceError *error);

/** OPAQUE: the source is copied, then dest = rop(brush, dest). */
bool spice_canvas_opaque(const SpicePixels *dest, const pixman_region32_t *region,
                         const SpiceRect *box, const SpiceCanvasImage *source,
                         const SpiceRect *source_area, const SpiceCanvasBrush *brush, SpiceRop rop,
                         uint8_t scale_mode, SpiceArena *scratch, SpiceError *error);

/** COPY_BITS: moves pixels within the surface; `source` is the point that comes to the box's top
 * left. Cuts `region` down to the pixels that have a source inside the surface. */
bool spice_canvas_copy_bits(const SpicePixels *dest, pixman_region32_t *region,
                            const SpiceRect *box, SpicePoint source, SpiceError *error);

/** ROP3: dest = code(brush, source, dest), any of the 256 codes. */
bool spice_canvas_rop3(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceRect *box, const SpiceCanvasImage *source,
                       const SpiceRect *source_area, const SpiceCanvasBrush *brush, uint8_t code,
                       uint8_t scale_mode, SpiceArena *scratch, SpiceError *error);

/** TRANSPARENT: copies the pixels of the source whose colour is not `true_color` (0xRRGGBB). */
bool spice_canvas_transparent(const SpicePixels *dest, const pixman_region32_t *region,
                              const SpiceRect *box, const SpiceCanvasImage *source,
                              const SpiceRect *source_area, uint32_t true_color,
                              SpiceArena *scratch, SpiceError *error);

/** ALPHA_BLEND: the source, weakened to `alpha` of 255, over dest. */
bool spice_canvas_alpha_blend(const SpicePixels *dest, const pixman_region32_t *region,
                              const SpiceRect *box, const SpiceCanvasImage *source,
                              const SpiceRect *source_area, uint8_t alpha_flags, uint8_t alpha,
                              SpiceArena *scratch, SpiceError *error);

/** What COMPOSITE has beside its images. */
typedef struct {
    uint32_t flags;                                  /* SPICE_COMPOSITE_* */
    SpiceTransform source_transform, mask_transform; /* with the HAS_* flags */
    SpicePoint16 source_origin, mask_origin;
} SpiceCompositeParams;

/** COMPOSITE: dest = operator(source in mask, dest). */
bool spice_canvas_composite(const SpicePixels *dest, const pixman_region32_t *region,
                            const SpiceRect *box, const SpiceCanvasImage *source,
                            const SpiceCanvasImage *mask, const SpiceCompositeParams *params,
                            SpiceArena *scratch, SpiceError *error);

/** TEXT: the back area in the back brush, then the glyphs' coverage in the fore brush. */
bool spice_canvas_text(const SpicePixels *dest, const pixman_region32_t *region,
                       const SpiceString *string, const SpiceRect *back_area,
                       const SpiceCanvasBrush *fore_brush, const SpiceCanvasBrush *back_brush,
                       uint16_t fore_mode, SpiceArena *scratch, SpiceError *error);

/** STROKE: one-pixel lines, solid or dashed, dest = rop(brush, dest). */
bool spice_canvas_stroke(const SpicePixels *dest, const pixman_region32_t *region,
                         const SpicePath *path, const SpiceLineAttr *attr,
                         const SpiceCanvasBrush *brush, SpiceRop rop, SpiceArena *scratch,
                         SpiceError *error);

/** A frame of a stream: all of `frame`, scaled to the box by the nearest pixel if sizes differ. */
bool spice_canvas_frame(const SpicePixels *dest, const pixman_region32_t *region,
                        const SpiceRect *box, const SpicePixels *frame, SpiceArena *scratch,
                        SpiceError *error);
