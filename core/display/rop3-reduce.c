/* A code is a truth table: its bit (p << 2 | s << 1 | d) is the result for those bits of brush,
 * source and destination.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "rop3-reduce.h"

#include "core/canvas/rop.h"

enum { BRUSH = 2, SOURCE = 1, DEST = 0 }; /* the operands' places in the table's index */

static unsigned result(uint8_t code, unsigned index)
{
    return code >> index & 1;
}

static bool depends_on(uint8_t code, unsigned place)
{
    for (unsigned index = 0; index < 8; index++)
        if (result(code, index) != result(code, index ^ 1u << place))
            return true;
    return false;
}

/** The code as a function of two operands, if it does not depend on the third. */
static SpiceRop of_two(uint8_t code, unsigned a, unsigned b)
{
    unsigned rop = 0;

    for (unsigned cell = 0; cell < 4; cell++) {
        const unsigned bit_a = cell < 2, bit_b = !(cell & 1);

        rop |= result(code, bit_a << a | bit_b << b) << cell;
    }
    return (SpiceRop)rop;
}

/** A descriptor that means the function: there are few, so they are tried. */
static uint16_t descriptor_of(SpiceRop rop, uint16_t invert_a, uint16_t invert_b)
{
    static const uint16_t operations[] = {
        SPICE_ROPD_OP_PUT,       SPICE_ROPD_OP_OR,        SPICE_ROPD_OP_AND,   SPICE_ROPD_OP_XOR,
        SPICE_ROPD_OP_BLACKNESS, SPICE_ROPD_OP_WHITENESS, SPICE_ROPD_OP_INVERS};

    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        for (unsigned inverts = 0; inverts < 4; inverts++) {
            const uint16_t descriptor = (uint16_t)(operations[i] | (inverts & 1 ? invert_a : 0) |
                                                   (inverts & 2 ? invert_b : 0));

            if (spice_rop_of_descriptor(descriptor, invert_a, invert_b) == rop)
                return descriptor;
        }
    }
    return SPICE_ROPD_OP_PUT; /* not reached: only "b" has none, and is no function of a */
}

static void make_fill(SpiceReducedRop3 *reduced, const SpiceMsgDisplayDrawRop3 *m)
{
    SpiceMsgDisplayDrawFill *fill = &reduced->message.fill;

    reduced->type = SPICE_MSG_DISPLAY_DRAW_FILL;
    *fill = (SpiceMsgDisplayDrawFill){.base = m->base, .brush = m->brush, .mask = m->mask};
    fill->rop = descriptor_of(of_two(m->rop3, BRUSH, DEST), SPICE_ROPD_INVERS_BRUSH,
                              SPICE_ROPD_INVERS_DEST);
}

static void make_copy(SpiceReducedRop3 *reduced, const SpiceMsgDisplayDrawRop3 *m)
{
    SpiceMsgDisplayDrawCopy *copy = &reduced->message.copy;

    reduced->type = SPICE_MSG_DISPLAY_DRAW_COPY;
    *copy = (SpiceMsgDisplayDrawCopy){.base = m->base,
                                      .source = m->source,
                                      .source_area = m->source_area,
                                      .scale_mode = m->scale_mode,
                                      .mask = m->mask};
    copy->rop =
        descriptor_of(of_two(m->rop3, SOURCE, DEST), SPICE_ROPD_INVERS_SRC, SPICE_ROPD_INVERS_DEST);
}

static void make_opaque(SpiceReducedRop3 *reduced, const SpiceMsgDisplayDrawRop3 *m)
{
    SpiceMsgDisplayDrawOpaque *opaque = &reduced->message.opaque;

    reduced->type = SPICE_MSG_DISPLAY_DRAW_OPAQUE;
    *opaque = (SpiceMsgDisplayDrawOpaque){.base = m->base,
                                          .source = m->source,
                                          .source_area = m->source_area,
                                          .brush = m->brush,
                                          .scale_mode = m->scale_mode,
                                          .mask = m->mask};
    opaque->rop = descriptor_of(of_two(m->rop3, BRUSH, SOURCE), SPICE_ROPD_INVERS_BRUSH,
                                SPICE_ROPD_INVERS_SRC);
}

/** A function of the destination alone. */
static void make_masked(SpiceReducedRop3 *reduced, const SpiceMsgDisplayDrawRop3 *m)
{
    reduced->message.masked = (SpiceMsgDisplayDrawMasked){.base = m->base, .mask = m->mask};
    switch (m->rop3 & 3) {
    case 0:
        reduced->type = SPICE_MSG_DISPLAY_DRAW_BLACKNESS;
        break;
    case 1:
        reduced->type = SPICE_MSG_DISPLAY_DRAW_INVERS;
        break;
    case 3:
        reduced->type = SPICE_MSG_DISPLAY_DRAW_WHITENESS;
        break;
    default: /* which stays as it is: nothing is or-ed to it */
        reduced->type = SPICE_MSG_DISPLAY_DRAW_FILL;
        reduced->message.fill = (SpiceMsgDisplayDrawFill){.base = m->base,
                                                          .brush = {.type = SPICE_BRUSH_TYPE_SOLID},
                                                          .rop = SPICE_ROPD_OP_OR,
                                                          .mask = m->mask};
        break;
    }
}

bool spice_rop3_reduce(SpiceReducedRop3 *reduced, const SpiceMsgDisplayDrawRop3 *m)
{
    const bool brush = depends_on(m->rop3, BRUSH), source = depends_on(m->rop3, SOURCE);

    if (!brush && !source)
        make_masked(reduced, m);
    else if (!source)
        make_fill(reduced, m);
    else if (!brush)
        make_copy(reduced, m);
    else if (!depends_on(m->rop3, DEST))
        make_opaque(reduced, m);
    else
        return false;
    return true;
}
