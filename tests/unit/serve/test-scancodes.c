/* The table of scancodes against a list of keys by their names in Linux.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <linux/input-event-codes.h>

#include "server/serve/scancodes.h"
#include "tests/unit/tap.h"

static const struct {
    guint scancode, key;
} keys[] = {
    {0x01, KEY_ESC},         {0x02, KEY_1},
    {0x0b, KEY_0},           {0x0e, KEY_BACKSPACE},
    {0x0f, KEY_TAB},         {0x10, KEY_Q},
    {0x1c, KEY_ENTER},       {0x1d, KEY_LEFTCTRL},
    {0x1e, KEY_A},           {0x2a, KEY_LEFTSHIFT},
    {0x2b, KEY_BACKSLASH},   {0x2c, KEY_Z},
    {0x36, KEY_RIGHTSHIFT},  {0x37, KEY_KPASTERISK},
    {0x38, KEY_LEFTALT},     {0x39, KEY_SPACE},
    {0x3a, KEY_CAPSLOCK},    {0x3b, KEY_F1},
    {0x44, KEY_F10},         {0x45, KEY_NUMLOCK},
    {0x46, KEY_SCROLLLOCK},  {0x47, KEY_KP7},
    {0x53, KEY_KPDOT},       {0x54, KEY_SYSRQ},
    {0x56, KEY_102ND},       {0x57, KEY_F11},
    {0x58, KEY_F12},         {0x73, KEY_RO},
    {0x7d, KEY_YEN},         {0xe01c, KEY_KPENTER},
    {0xe01d, KEY_RIGHTCTRL}, {0xe035, KEY_KPSLASH},
    {0xe037, KEY_SYSRQ},     {0xe038, KEY_RIGHTALT},
    {0xe046, KEY_PAUSE},     {0xe047, KEY_HOME},
    {0xe048, KEY_UP},        {0xe049, KEY_PAGEUP},
    {0xe04b, KEY_LEFT},      {0xe04d, KEY_RIGHT},
    {0xe04f, KEY_END},       {0xe050, KEY_DOWN},
    {0xe051, KEY_PAGEDOWN},  {0xe052, KEY_INSERT},
    {0xe053, KEY_DELETE},    {0xe05b, KEY_LEFTMETA},
    {0xe05c, KEY_RIGHTMETA}, {0xe05d, KEY_COMPOSE},
    {0xe020, KEY_MUTE},      {0xe02e, KEY_VOLUMEDOWN},
    {0xe030, KEY_VOLUMEUP},
};

static const guint nothing[] = {0,      0x55,   0x7f,   0x80,   0x9e,    0xff,     0x100,
                                0xe000, 0xe02a, 0xe036, 0xe0b6, 0xe0ff,  0xe100,   0xe11d45,
                                0x1e0,  0xd046, 0xffff, 0x1e04, 0x1e046, G_MAXUINT};

int main(void)
{
    guint i, other, n_wrong = 0, n_double = 0;

    for (i = 0; i < G_N_ELEMENTS(keys); i++)
        if (scancode_to_x11(keys[i].scancode) != keys[i].key + 8) {
            n_wrong++;
            TAP_NOTE("0x%x is %u instead of %u", keys[i].scancode,
                     scancode_to_x11(keys[i].scancode), keys[i].key + 8);
        }
    TAP_OK(n_wrong == 0, "%zu keys have the codes of their names", G_N_ELEMENTS(keys));

    n_wrong = 0;
    for (i = 0; i < G_N_ELEMENTS(nothing); i++)
        n_wrong += scancode_to_x11(nothing[i]) != 0;
    TAP_OK(n_wrong == 0, "what is no key has no code");

    n_wrong = 0;
    for (i = 0; i < 0x20000; i++) {
        const guint8 key = scancode_to_x11(i);

        n_wrong += key > 0 && key < 9;
        for (other = 0; key && other < 0x80; other++)
            n_double +=
                0xe000 + other != i && i >= 0xe000 && scancode_to_x11(0xe000 + other) == key;
    }
    TAP_OK(n_wrong == 0, "no code is below the least of X");
    TAP_OK(n_double == 0, "no two extended keys have the same code");
    return tap_done();
}
