/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path.h"

#include <string.h>

/* Halving a curve of the greatest coordinates this often leaves nothing of it. */
enum { MAX_DEPTH = 32 };

typedef struct {
    SpicePolylines *lines;
    uint32_t n_points, capacity, start; /* start: where the polyline in the making begins */
    uint32_t lines_capacity;
    SpiceArena *scratch;
    SpiceError *error;
} Flattener;

static void *grow(Flattener *self, const void *old, uint32_t used, uint32_t *capacity, size_t size)
{
    const uint32_t wanted = *capacity ? *capacity * 2 : 64;
    void *memory = NULL;

    if (wanted <= 2 * SPICE_MAX_PATH_POINTS)
        memory = spice_arena_take(self->scratch, wanted, size);
    if (!memory) {
        spice_error_set(self->error, SPICE_ERROR_LIMIT, "path");
        return NULL;
    }
    if (used)
        memcpy(memory, old, used * size);
    *capacity = wanted;
    return memory;
}

static bool append(Flattener *self, SpicePoint point)
{
    if (self->n_points == SPICE_MAX_PATH_POINTS)
        return spice_error_set(self->error, SPICE_ERROR_LIMIT, "path");
    if (self->n_points == self->capacity) {
        SpicePoint *points =
            grow(self, self->lines->points, self->n_points, &self->capacity, sizeof(points[0]));

        if (!points)
            return false;
        self->lines->points = points;
    }
    self->lines->points[self->n_points++] = point;
    return true;
}

/** Ends the polyline in the making. One of less than two points paints nothing and is forgotten. */
static bool end_line(Flattener *self)
{
    if (self->n_points - self->start < 2) {
        self->n_points = self->start;
        return true;
    }
    if (self->lines->n_lines == self->lines_capacity) {
        uint32_t *ends = grow(self, self->lines->ends, self->lines->n_lines, &self->lines_capacity,
                              sizeof(ends[0]));

        if (!ends)
            return false;
        self->lines->ends = ends;
    }
    self->lines->ends[self->lines->n_lines++] = self->n_points;
    self->start = self->n_points;
    return true;
}

static int32_t to_int(int64_t fixed)
{
    return (int32_t)((fixed >> 4) + ((fixed & 15) > 8 ? 1 : 0));
}

typedef struct {
    int64_t x, y; /* 28.4 */
} Vector;

static Vector minus(Vector a, Vector b)
{
    return (Vector){a.x - b.x, a.y - b.y};
}

static Vector middle(Vector a, Vector b)
{
    return (Vector){(a.x + b.x) / 2, (a.y + b.y) / 2};
}

static bool same(Vector a, Vector b)
{
    return a.x == b.x && a.y == b.y;
}

/* Components up to here keep the products below in 64 bits. */
enum { EXACT = 1 << 16 };

static bool is_exact(Vector v)
{
    return v.x > -EXACT && v.x < EXACT && v.y > -EXACT && v.y < EXACT;
}

static int64_t dot(Vector u, Vector v)
{
    return (u.x * v.x + u.y * v.y) >> 4;
}

static double dot_large(Vector u, Vector v)
{
    return ((double)u.x * (double)v.x + (double)u.y * (double)v.y) / 16;
}

/** Whether both control points are so near to the line from p0 to p3 that it will do. */
static bool is_flat(const Vector p[4])
{
    const Vector a = minus(p[1], p[0]), b = minus(p[3], p[0]), c = minus(p[2], p[3]);

    if (is_exact(a) && is_exact(b) && is_exact(c)) {
        const int64_t bb = dot(b, b), ab = dot(a, b), cb = dot(c, minus(p[0], p[3]));

        return (dot(a, a) * bb - ab * ab) >> 3 < bb && (dot(c, c) * bb - cb * cb) >> 3 < bb;
    } else {
        const double bb = dot_large(b, b), ab = dot_large(a, b), cb = dot_large(c, b);

        return (dot_large(a, a) * bb - ab * ab) / 8 < bb &&
               (dot_large(c, c) * bb - cb * cb) / 8 < bb;
    }
}

static bool append_curve(Flattener *self, const Vector p[4], unsigned depth)
{
    /* A curve that has shrunk to a point is never flat by the rule. */
    const bool is_point = same(p[0], p[1]) && same(p[0], p[2]) && same(p[0], p[3]);

    if (is_flat(p) || is_point || depth == MAX_DEPTH)
        return append(self, (SpicePoint){to_int(p[3].x), to_int(p[3].y)});

    const Vector p01 = middle(p[0], p[1]), p12 = middle(p[1], p[2]), p23 = middle(p[2], p[3]);
    const Vector left = middle(p01, p12), right = middle(p12, p23), centre = middle(left, right);

    return append_curve(self, (const Vector[4]){p[0], p01, left, centre}, depth + 1) &&
           append_curve(self, (const Vector[4]){centre, right, p23, p[3]}, depth + 1);
}

static Vector vector(SpicePointFix point)
{
    return (Vector){point.x, point.y};
}

static bool append_segment(Flattener *self, const SpicePathSegment *segment)
{
    uint32_t i = 0;

    if (segment->flags & SPICE_PATH_BEGIN) {
        if (!end_line(self))
            return false;
        if (segment->n_points > 0) {
            if (!append(self,
                        (SpicePoint){to_int(segment->points[0].x), to_int(segment->points[0].y)}))
                return false;
            i = 1;
        }
    }
    if (segment->flags & SPICE_PATH_BEZIER) {
        if ((segment->n_points - i) % 3 != 0 ||
            (self->n_points == self->start && segment->n_points > i))
            return spice_error_set(self->error, SPICE_ERROR_VALUE, "path.segment");
        for (; i < segment->n_points; i += 3) {
            const SpicePoint last = self->lines->points[self->n_points - 1];
            const Vector curve[4] = {{(int64_t)last.x * 16, (int64_t)last.y * 16},
                                     vector(segment->points[i]),
                                     vector(segment->points[i + 1]),
                                     vector(segment->points[i + 2])};

            if (!append_curve(self, curve, 0))
                return false;
        }
    } else {
        for (; i < segment->n_points; i++)
            if (!append(self,
                        (SpicePoint){to_int(segment->points[i].x), to_int(segment->points[i].y)}))
                return false;
    }
    if (!(segment->flags & SPICE_PATH_END))
        return true;
    if ((segment->flags & SPICE_PATH_CLOSE) && self->n_points > self->start &&
        !append(self, self->lines->points[self->start]))
        return false;
    return end_line(self);
}

bool spice_path_flatten(SpicePolylines *polylines, const SpicePath *path, SpiceArena *scratch,
                        SpiceError *error)
{
    Flattener self = {.lines = polylines, .scratch = scratch, .error = error};

    *polylines = (SpicePolylines){0};
    for (uint32_t i = 0; i < path->n_segments; i++)
        if (!append_segment(&self, &path->segments[i]))
            return false;
    return end_line(&self);
}
