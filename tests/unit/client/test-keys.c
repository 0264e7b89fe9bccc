/* Scancodes, and which keys the guest gets.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "client/keys.h"

#include "client/scancodes.h"
#include "tests/unit/tap.h"

static GString *told;

static void on_key(guint scancode, gboolean pressed, gpointer user_data)
{
    g_string_append_printf(told, "%s%x ", pressed ? "+" : "-", scancode);
}

static void on_command(SpiceKeyCommand command, gpointer user_data)
{
    g_string_append(told, command == SPICE_KEY_COMMAND_FULL_SCREEN ? "FULL " : "FREE ");
}

static void expect(const char *what, const char *expected)
{
    TAP_OK(strcmp(told->str, expected) == 0, "%s: %s", what, told->str);
    g_string_truncate(told, 0);
}

static void test_scancodes(void)
{
    static const struct {
        guint code, scancode;
        const char *name;
    } known[] = {{1, 0x01, "Esc"},         {16, 0x10, "Q"},          {44, 0x2c, "Z"},
                 {57, 0x39, "space"},      {69, 0x45, "Num Lock"},   {83, 0x53, "keypad point"},
                 {86, 0x56, "< >"},        {87, 0x57, "F11"},        {88, 0x58, "F12"},
                 {96, 0xe01c, "KP Enter"}, {97, 0xe01d, "R Ctrl"},   {98, 0xe035, "KP /"},
                 {99, 0xe037, "Print"},    {100, 0xe038, "AltGr"},   {102, 0xe047, "Home"},
                 {103, 0xe048, "Up"},      {108, 0xe050, "Down"},    {110, 0xe052, "Insert"},
                 {111, 0xe053, "Delete"},  {119, 0xe046, "Pause"},   {125, 0xe05b, "L Win"},
                 {127, 0xe05d, "Menu"},    {0, 0, "none"},           {84, 0, "no key"},
                 {240, 0, "unknown"},      {0xffffffff, 0, "absurd"}};
    guint seen[0x10000 / 8] = {0}, code;
    gboolean unique = TRUE;
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(known); i++)
        TAP_OK(spice_scancode_from_evdev(known[i].code) == known[i].scancode, "%s", known[i].name);
    for (code = 1; code < 256; code++) {
        guint scancode = spice_scancode_from_evdev(code);

        if (!scancode)
            continue;
        unique &= (scancode & 0x80) == 0 && !(seen[scancode / 8] & 1u << scancode % 8);
        seen[scancode / 8] |= 1u << scancode % 8;
    }
    TAP_OK(unique, "no two keys are one, and no make code is a break code");
}

static void test_keys(SpiceKeys *keys)
{
    spice_keys_press(keys, 30);
    spice_keys_press(keys, 30);
    spice_keys_release(keys, 30);
    expect("a key and its repetition", "+1e +1e -1e ");
    spice_keys_release(keys, 30);
    expect("let go twice", "");
    spice_keys_press(keys, 42);
    spice_keys_press(keys, 103);
    spice_keys_release_all(keys);
    spice_keys_release(keys, 42);
    expect("the focus is lost", "+2a +e048 -2a -e048 ");
    spice_keys_press(keys, 240);
    spice_keys_press(keys, 100000);
    spice_keys_release(keys, 100000);
    expect("unknown keys", "");
}

static void test_commands(SpiceKeys *keys)
{
    spice_keys_press(keys, 87);
    spice_keys_press(keys, 87);
    spice_keys_release(keys, 87);
    expect("F11, with a repetition", "FULL ");
    spice_keys_press(keys, 88);
    spice_keys_release(keys, 88);
    expect("F12 alone is the guest's", "+58 -58 ");
    spice_keys_press(keys, 42);
    spice_keys_press(keys, 88);
    spice_keys_release(keys, 88);
    spice_keys_release(keys, 42);
    expect("Shift+F12", "+2a FREE -2a ");
    spice_keys_press(keys, 42);
    spice_keys_press(keys, 88);
    spice_keys_release(keys, 42);
    spice_keys_press(keys, 88);
    spice_keys_release(keys, 88);
    expect("F12 repeats after Shift is gone", "+2a FREE -2a ");
    spice_keys_press(keys, 29);
    spice_keys_press(keys, 56);
    spice_keys_release(keys, 56);
    spice_keys_release(keys, 29);
    expect("Ctrl and Alt", "+1d +38 -38 FREE -1d ");
    spice_keys_press(keys, 29);
    spice_keys_press(keys, 56);
    spice_keys_press(keys, 111);
    spice_keys_release(keys, 111);
    spice_keys_release(keys, 56);
    spice_keys_release(keys, 29);
    expect("Ctrl+Alt+Delete is not Ctrl and Alt", "+1d +38 +e053 -e053 -38 -1d ");
    spice_keys_press(keys, 29);
    spice_keys_press(keys, 100);
    spice_keys_release(keys, 100);
    spice_keys_release(keys, 29);
    expect("nor is AltGr", "+1d +e038 -e038 -1d ");
    spice_keys_press(keys, 29);
    spice_keys_press(keys, 56);
    spice_keys_release_all(keys);
    expect("nor a lost focus", "+1d +38 -1d -38 ");
}

int main(void)
{
    static const SpiceKeysHandler handler = {on_key, on_command};
    SpiceKeys *keys = spice_keys_new(&handler, NULL);

    told = g_string_new(NULL);
    test_scancodes();
    test_keys(keys);
    test_commands(keys);
    spice_keys_free(keys);
    g_string_free(told, TRUE);
    return tap_done();
}
