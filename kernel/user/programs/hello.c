/* Counts, for ever; and never finds out that the power has been cut in between. */
#include "kernel/user/user.h"

int main(int count, char **arguments)
{
    u64 pause = argument_number(count, arguments, 1, MICROSECONDS);

    for (u64 number = 1;; number++) {
        print("hello, number %lu\n", number);
        process_sleep(pause);
    }
}
