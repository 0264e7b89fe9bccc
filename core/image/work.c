/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "work.h"

uint64_t spice_image_work;
