/*
 * What keys do to a text: the terminal's escape sequences, decoded byte by byte, for they may come in
 * pieces.
 *
 *   arrows ^B ^F ^P ^N, home/end ^A ^E, backspace, delete ^D, ^K to the end of the line, Enter,
 *   ^Q leaves
 */
#pragma once

#include "kernel/user/logic/text_buffer.h"

enum editor_event { EDITOR_CHANGED, EDITOR_NOTHING, EDITOR_LEAVE, EDITOR_NO_MEMORY };

struct editor {
    struct text_buffer text;
    u32 escape; /* how much of a sequence has come: 0, 1: ESC, 2: ESC [ */
    u32 number; /* its digits so far */
};

void editor_init(struct editor *editor);
enum editor_event editor_feed(struct editor *editor, char key);
