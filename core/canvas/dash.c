/* Dashed lines: each dash is a rectangle one pixel wide, filled as a polygon, and neighbouring
 * dashes are joined at corners. Other clients of the field paint them by this arithmetic in
 * doubles, so pictures are equal only if it is followed to the letter (SPICE protocol, "Styled
 * (dashed) lines").
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "stroke.h"

#include <math.h>

/* MAX_DASHES: of a whole stroke. GATHER: spans that are united at a time, which takes as long as
 * the region gathered so far is large. */
enum { MAX_DASHES = 1 << 20, GATHER = 1 << 14 };

/** An edge from one corner of a polygon to the next: on it x dy - y dx = k. */
typedef struct {
    int64_t dx, dy;
    double k;
} Edge;

typedef struct {
    double x, y;
} Corner;

/** One end of a dash, seen from its line's end point: half a pixel to the side. */
typedef struct {
    int64_t dx, dy;
    double xa, ya, k;
} Face;

typedef struct {
    const SpiceStroke *stroke;
    int32_t elements[256]; /* lengths of on, off, on, ... */
    unsigned n_elements, index;
    int64_t rest; /* of the element that the pen is in */
    /* Polylines of which no pixel may be painted twice are gathered here first. */
    bool gathers;
    pixman_region32_t gathered;
    pixman_box32_t *boxes;
    int n_boxes;
} Dasher;

static void flush(Dasher *self)
{
    pixman_region32_t more;

    if (self->n_boxes > 0 && pixman_region32_init_rects(&more, self->boxes, self->n_boxes)) {
        pixman_region32_union(&self->gathered, &self->gathered, &more);
        pixman_region32_fini(&more);
    }
    self->n_boxes = 0;
}

static void paint_span(Dasher *self, const pixman_box32_t *box)
{
    if (!self->gathers) {
        spice_fill_box_in_region(self->stroke->fill, self->stroke->dest, self->stroke->region, box);
        return;
    }
    self->boxes[self->n_boxes++] = *box;
    if (self->n_boxes == GATHER)
        flush(self);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    const int64_t quotient = a / b;

    return a % b > 0 ? quotient + 1 : quotient;
}

static int32_t clamp(int64_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : (int32_t)value;
}

/** Fills a polygon of `n` corners around `origin`. */
static void fill_polygon(Dasher *self, SpicePoint origin, const Corner *corners, const Edge *edges,
                         unsigned n)
{
    const pixman_box32_t *extents =
        pixman_region32_extents((pixman_region32_t *)self->stroke->region);
    int64_t rows[4], row_ends[4], top = INT64_MAX, bottom = INT64_MIN;

    for (unsigned i = 0; i < n; i++) {
        const double y1 = corners[i].y, y2 = corners[(i + 1) % n].y;

        rows[i] = (int64_t)ceil(y1 < y2 ? y1 : y2);
        row_ends[i] = (int64_t)ceil(y1 < y2 ? y2 : y1);
        top = rows[i] < top ? rows[i] : top;
        bottom = row_ends[i] > bottom ? row_ends[i] : bottom;
    }
    if (top < (int64_t)extents->y1 - origin.y)
        top = (int64_t)extents->y1 - origin.y;
    if (bottom > (int64_t)extents->y2 - origin.y)
        bottom = (int64_t)extents->y2 - origin.y;

    for (int64_t y = top; y < bottom; y++) {
        int64_t left = INT64_MAX, right = INT64_MIN;
        pixman_box32_t box;

        for (unsigned i = 0; i < n; i++) {
            const int64_t sign = edges[i].dy < 0 ? -1 : 1;
            int64_t x;

            if (edges[i].dy == 0 || y < rows[i] || y >= row_ends[i])
                continue;
            x = ceil_div((int64_t)ceil((double)sign * edges[i].k) + y * sign * edges[i].dx,
                         sign * edges[i].dy);
            left = x < left ? x : left;
            right = x > right ? x : right;
        }
        if (left >= right)
            continue;
        box.x1 = clamp(left + origin.x, extents->x1, extents->x2);
        box.x2 = clamp(right + origin.x, extents->x1, extents->x2);
        box.y1 = (int32_t)(y + origin.y);
        box.y2 = box.y1 + 1;
        if (box.x1 < box.x2)
            paint_span(self, &box);
    }
}

static void next_element(Dasher *self)
{
    self->index = (self->index + 1) % self->n_elements;
    self->rest = self->elements[self->index];
}

static bool is_on(const Dasher *self)
{
    return self->index % 2 == 0;
}

/** Paints the dashes of one line. The faces of its ends are handed out. */
static void paint_line(Dasher *self, SpicePoint p1, SpicePoint p2, Face *start, Face *end)
{
    const int64_t idx = (int64_t)p2.x - p1.x, idy = (int64_t)p2.y - p1.y;
    const double dx = (double)idx, dy = (double)idy;
    const double length = idy == 0 ? fabs(dx) : idx == 0 ? fabs(dy) : hypot(dx, dy);
    const double ratio = 0.5 / length;
    const double hx = idy == 0 ? (idx < 0 ? -0.5 : 0.5) : idx == 0 ? 0 : ratio * dx;
    const double hy = idx == 0 ? (idy < 0 ? -0.5 : 0.5) : idy == 0 ? 0 : ratio * dy;
    const double half = 0.5 * length;
    Corner top = {hy, -hx}, bottom = {-hy, hx};
    double k_before = 0, left = length;

    while (left > (double)self->rest) {
        const double rest = (double)self->rest;
        const double step_x = rest * dx / length, step_y = rest * dy / length;
        const Corner top_end = {top.x + step_x, top.y + step_y};
        const Corner bottom_end = {bottom.x + step_x, bottom.y + step_y};
        const double k = top_end.x * dx + top_end.y * dy;

        if (is_on(self))
            fill_polygon(
                self, p1, (const Corner[]){top, top_end, bottom_end, bottom},
                (const Edge[]){
                    {idx, idy, half}, {-idy, idx, k}, {-idx, -idy, half}, {idy, -idx, -k_before}},
                4);
        top = top_end;
        bottom = bottom_end;
        k_before = k;
        left -= rest;
        next_element(self);
    }
    if (is_on(self))
        fill_polygon(
            self, p2,
            (const Corner[]){
                {top.x - dx, top.y - dy}, {hy, -hx}, {-hy, hx}, {bottom.x - dx, bottom.y - dy}},
            (const Edge[]){{idx, idy, half},
                           {-idy, idx, 0},
                           {-idx, -idy, half},
                           {idy, -idx, -k_before + dx * dx + dy * dy}},
            4);
    self->rest = (int64_t)((double)self->rest - left);
    if (self->rest == 0)
        next_element(self);

    *start = (Face){idx, idy, hy, -hx, half};
    *end = (Face){-idx, -idy, -hy, hx, half};
}

static bool looks_away(const Face *face)
{
    return face->dx > 0 || (face->dx == 0 && face->dy > 0);
}

static void negate(Face *face)
{
    face->xa = -face->xa;
    face->ya = -face->ya;
    face->dx = -face->dx;
    face->dy = -face->dy;
}

/** Fills the wedge between two dashes that meet at a corner. */
static void paint_joint(Dasher *self, SpicePoint corner, Face a, Face b)
{
    /* Wider mitres than of some eleven degrees are cut off. */
    const double mitre_limit = 108.856472512142;
    const int64_t turn = -a.dx * b.dy + b.dx * a.dy;
    const int64_t sign = turn > 0 ? 1 : -1;
    double mx, my;

    if ((!self->gathers && (looks_away(&a) || looks_away(&b))) || turn == 0)
        return;
    negate(turn > 0 ? &a : &b);
    my = ((double)a.dy * (b.xa * (double)b.dy - b.ya * (double)b.dx) -
          (double)b.dy * (a.xa * (double)a.dy - a.ya * (double)a.dx)) /
         (double)turn;
    mx = a.dy != 0 ? a.xa + (my - a.ya) * (double)a.dx / (double)a.dy
                   : b.xa + (my - b.ya) * (double)b.dx / (double)b.dy;
    if (4 * (mx * mx + my * my) <= mitre_limit) {
        fill_polygon(self, corner, (const Corner[]){{b.xa, b.ya}, {0, 0}, {a.xa, a.ya}, {mx, my}},
                     (const Edge[]){{-b.dy, b.dx, 0},
                                    {a.dy, -a.dx, 0},
                                    {sign * a.dx, sign * a.dy, (double)sign * a.k},
                                    {sign * b.dx, sign * b.dy, (double)sign * b.k}},
                     4);
    } else {
        const double x = b.xa - a.xa, y = b.ya - a.ya;
        const double greater = fabs(x) > fabs(y) ? fabs(x) : fabs(y);
        const int64_t ex = (int64_t)(x * 65536 / greater), ey = (int64_t)(y * 65536 / greater);
        const double k = ((a.xa + b.xa) * (double)ey - (a.ya + b.ya) * (double)ex) / 2;

        fill_polygon(self, corner, (const Corner[]){{b.xa, b.ya}, {0, 0}, {a.xa, a.ya}},
                     (const Edge[]){{-b.dy, b.dx, 0}, {a.dy, -a.dx, 0}, {ex, ey, k}}, 3);
    }
}

static void paint_polyline(Dasher *self, const SpicePoint *points, uint32_t n)
{
    const bool closed = points[0].x == points[n - 1].x && points[0].y == points[n - 1].y;
    bool any = false, first_on = false, was_on = false;
    Face first = {0}, before = {0};

    for (uint32_t i = 0; i + 1 < n; i++) {
        const bool starts_on = is_on(self);
        Face start, end;

        if (points[i].x == points[i + 1].x && points[i].y == points[i + 1].y)
            continue;
        paint_line(self, points[i], points[i + 1], &start, &end);
        if (!any) {
            first = start;
            first_on = starts_on;
        } else if (starts_on && was_on) {
            paint_joint(self, points[i], start, before);
        }
        any = true;
        before = end;
        was_on = !is_on(self) != (self->rest != self->elements[self->index]);
    }
    if (any && closed && first_on && was_on)
        paint_joint(self, points[0], first, before);
}

/** Puts the pen at the start of the pattern, as each polyline does. */
static void begin(Dasher *self, bool with_gap)
{
    self->index = with_gap ? 1 % self->n_elements : 0;
    self->rest = self->elements[self->index];
    while (self->rest == 0)
        next_element(self);
}

/** Functions that other clients of the field paint once for all pixels of a polyline. */
static bool paints_once(SpiceRop rop)
{
    return rop == 2 || rop == 6 || rop == 8 || rop == 9 || rop == 10 || rop == 11 || rop == 14;
}

static bool take_style(Dasher *self, const SpiceLineAttr *attr, int64_t *sum, SpiceError *error)
{
    const bool with_gap = attr->flags & SPICE_LINE_FLAGS_START_WITH_GAP;

    if (attr->n_style == 0 || !attr->style)
        return spice_error_set(error, SPICE_ERROR_VALUE, "attr.style");
    self->n_elements = attr->n_style;
    *sum = 0;
    for (unsigned i = 0; i < self->n_elements; i++) {
        const int32_t fixed = attr->style[(i + (with_gap ? 1 : 0)) % self->n_elements];

        self->elements[i] = ((fixed >> 4) + ((fixed & 15) > 8 ? 1 : 0)) & 0xff;
        *sum += self->elements[i];
    }
    return *sum > 0 || spice_error_set(error, SPICE_ERROR_VALUE, "attr.style");
}

static bool check_dashes(const SpicePolylines *polylines, unsigned n_elements, int64_t sum,
                         SpiceError *error)
{
    double dashes = 0;
    uint32_t start = 0;

    for (uint32_t i = 0; i < polylines->n_lines; start = polylines->ends[i++]) {
        for (uint32_t j = start; j + 1 < polylines->ends[i]; j++) {
            const SpicePoint *p = &polylines->points[j];

            dashes +=
                hypot((double)p[1].x - p[0].x, (double)p[1].y - p[0].y) * n_elements / (double)sum +
                1;
        }
    }
    return dashes <= MAX_DASHES || spice_error_set(error, SPICE_ERROR_LIMIT, "path");
}

bool spice_stroke_dashed(const SpiceStroke *stroke, const SpicePolylines *polylines,
                         const SpiceLineAttr *attr, SpiceError *error)
{
    const bool with_gap = attr->flags & SPICE_LINE_FLAGS_START_WITH_GAP;
    Dasher self = {.stroke = stroke};
    uint32_t start = 0;
    int64_t sum;

    if (!take_style(&self, attr, &sum, error) ||
        !check_dashes(polylines, self.n_elements, sum, error))
        return false;
    for (uint32_t i = 0; i < polylines->n_lines; start = polylines->ends[i++]) {
        const uint32_t n = polylines->ends[i] - start;

        begin(&self, with_gap);
        self.gathers = n >= 3 && paints_once(stroke->fill->rop);
        if (self.gathers && !self.boxes)
            self.boxes = spice_arena_take(stroke->scratch, GATHER, sizeof(self.boxes[0]));
        if (self.gathers && !self.boxes)
            return spice_error_set(error, SPICE_ERROR_LIMIT, "scratch");
        if (self.gathers)
            pixman_region32_init(&self.gathered);
        paint_polyline(&self, polylines->points + start, n);
        if (self.gathers) {
            const pixman_box32_t *boxes;
            int n_boxes;

            flush(&self);
            boxes = pixman_region32_rectangles(&self.gathered, &n_boxes);
            for (int b = 0; b < n_boxes; b++)
                spice_fill_box_in_region(stroke->fill, stroke->dest, stroke->region, &boxes[b]);
            pixman_region32_fini(&self.gathered);
        }
    }
    return true;
}
