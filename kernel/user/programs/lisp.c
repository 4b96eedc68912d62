/*
 * A Lisp to talk to (kernel/user/logic/lisp.h tells what it knows). There is no way to save anything,
 * and no need to.
 */
#include "kernel/user/logic/lisp.h"
#include "kernel/user/user.h"

/* An evaluation inside another takes some 400 bytes of the stack. */
enum { DEPTH_MAX = 50000, TEXT_SIZE = 16 * 1024 };

static void show(const struct lisp *lisp, const struct cell *value, const char *before)
{
    char text[LINE_SIZE];

    if (lisp_print(lisp, value, text, sizeof text) >= sizeof text)
        memcpy(text + sizeof text - 4, "...", 4);
    print_text(before);
    print_text(text);
    print_text("\n");
}

static void show_error(const struct lisp *lisp)
{
    print("error: %s%s", lisp->error, lisp->culprit ? "" : "\n");
    if (lisp->culprit)
        show(lisp, lisp->culprit, ": ");
}

/* All whole expressions; false: the last one goes on in the next line, and *text is where. */
static bool evaluate(struct lisp *lisp, const char **text)
{
    struct cell *expression;

    for (;;) {
        enum lisp_read got = lisp_read(lisp, text, &expression);
        if (got == LISP_INCOMPLETE || got == LISP_BLANK)
            return got == LISP_BLANK;
        struct cell *value = got == LISP_READ ? lisp_eval(lisp, expression) : NULL;
        if (value)
            show(lisp, value, "");
        else
            show_error(lisp);
        if (got == LISP_WRONG)
            return true; /* whatever else is in the line */
    }
}

int main(void)
{
    static struct lisp lisp;
    static char text[TEXT_SIZE];
    size_t length = 0;

    if (!lisp_init(&lisp, DEPTH_MAX)) {
        print_text("lisp: no memory\n");
        return 1;
    }
    for (;;) {
        print_text(length > 0 ? "    > " : "lisp> ");
        if (!read_line(text + length, sizeof text - 1 - length))
            return 0;
        const char *at = text;
        if (evaluate(&lisp, &at)) {
            length = 0;
            continue;
        }
        length = strlen(at);
        memmove(text, at, length);
        text[length++] = '\n';
        if (length > sizeof text - LINE_SIZE) {
            print_text("error: an expression longer than all that may be typed\n");
            length = 0;
        }
    }
}
