/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serve-error.h"

G_DEFINE_QUARK(spice - serve - error, serve_error)
