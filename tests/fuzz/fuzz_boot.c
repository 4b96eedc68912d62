/* What the boot loader hands over: the multiboot information and the command line. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot_info.h"
#include "kernel/base/command_line.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void read_command_line(const u8 *data, size_t size)
{
    struct command_line_item item;
    size_t cursor = 0;
    char *line = malloc(size + 1); /* of its own, so that a read behind it is seen */

    if (line == NULL)
        abort();
    memcpy(line, data, size);
    line[size] = '\0';
    while (command_line_next(line, &cursor, &item)) {
        bool has_value = command_line_get(line, item.key, item.value, sizeof item.value);
        if (item.has_value && !item.cut_off && !has_value)
            abort();
    }
    free(line);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct boot_info info;

    if (size == 0)
        return 0;
    if (data[0] & 1)
        read_command_line(data + 1, size - 1);
    else
        (void)boot_info_decode(data + 1, size - 1, data[0] >> 1, &info);
    return 0;
}
