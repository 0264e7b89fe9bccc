/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scancodes.h"

/* From 1 (Esc) to 83 (the keypad's point), 86 (the key beside a short left Shift), 87 and 88 (F11,
 * F12) evdev's numbers are those of set 1. */
enum { LAST_SAME = 83 };

static const guint16 others[] = {
    [85] = 0x76,    /* zenkaku/hankaku */
    [86] = 0x56,    /* < > beside Shift */
    [87] = 0x57,    /* F11 */
    [88] = 0x58,    /* F12 */
    [89] = 0x73,    /* ro */
    [90] = 0x78,    /* katakana */
    [91] = 0x77,    /* hiragana */
    [92] = 0x79,    /* henkan */
    [93] = 0x70,    /* katakana/hiragana */
    [94] = 0x7b,    /* muhenkan */
    [95] = 0x5c,    /* keypad comma, Japanese */
    [96] = 0xe01c,  /* keypad Enter */
    [97] = 0xe01d,  /* right Ctrl */
    [98] = 0xe035,  /* keypad / */
    [99] = 0xe037,  /* Print */
    [100] = 0xe038, /* right Alt */
    [102] = 0xe047, /* Home */
    [103] = 0xe048, /* Up */
    [104] = 0xe049, /* Page Up */
    [105] = 0xe04b, /* Left */
    [106] = 0xe04d, /* Right */
    [107] = 0xe04f, /* End */
    [108] = 0xe050, /* Down */
    [109] = 0xe051, /* Page Down */
    [110] = 0xe052, /* Insert */
    [111] = 0xe053, /* Delete */
    [113] = 0xe020, /* mute */
    [114] = 0xe02e, /* volume down */
    [115] = 0xe030, /* volume up */
    [116] = 0xe05e, /* power */
    [117] = 0x59,   /* keypad = */
    [119] = 0xe046, /* Pause */
    [121] = 0x7e,   /* keypad comma */
    [122] = 0x72,   /* Hangul */
    [123] = 0x71,   /* Hanja */
    [124] = 0x7d,   /* yen */
    [125] = 0xe05b, /* left Windows */
    [126] = 0xe05c, /* right Windows */
    [127] = 0xe05d, /* menu */
    [140] = 0xe021, /* calculator */
    [142] = 0xe05f, /* sleep */
    [143] = 0xe063, /* wake up */
    [155] = 0xe06c, /* mail */
    [156] = 0xe066, /* bookmarks */
    [157] = 0xe06b, /* computer */
    [158] = 0xe06a, /* back */
    [159] = 0xe069, /* forward */
    [163] = 0xe019, /* next track */
    [164] = 0xe022, /* play */
    [165] = 0xe010, /* previous track */
    [166] = 0xe024, /* stop */
    [172] = 0xe032, /* home page */
    [173] = 0xe067, /* refresh */
    [183] = 0x5d,   /* F13 */
    [184] = 0x5e,   /* F14 */
    [185] = 0x5f,   /* F15 */
    [217] = 0xe065, /* search */
    [226] = 0xe06d, /* media */
};

guint spice_scancode_from_evdev(guint code)
{
    if (code <= LAST_SAME)
        return code;
    return code < G_N_ELEMENTS(others) ? others[code] : 0;
}
