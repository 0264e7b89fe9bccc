/* Labelled traces of real programs, as tests/traces/record.py writes them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "traces.h"

/** Reads a *.trace.gz; false if it is none. To be freed by trace_free(). */
bool recorded_trace_read(Trace *trace, const char *path);

/** The paths of a folder's traces, sorted, NULL at the end; each and the list to be freed. */
char **recorded_trace_list(const char *folder);
