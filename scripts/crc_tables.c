/*
 * Prints the slice-by-16 tables of both CRCs as a C header. Runs at build time on the host.
 *
 * table[0][b] is the register after the byte b; table[k][b] after b and k zero bytes.
 */
#include <stdint.h>
#include <stdio.h>

static void print_tables(const char *name, uint32_t polynomial)
{
    static uint32_t table[16][256];

    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        table[0][byte] = crc;
    }
    for (int slice = 1; slice < 16; slice++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t before = table[slice - 1][byte];
            table[slice][byte] = before >> 8 ^ table[0][before & 0xff];
        }

    printf("static const u32 %s[16][256] = {\n", name);
    for (int slice = 0; slice < 16; slice++) {
        printf("    {");
        for (int byte = 0; byte < 256; byte++)
            printf("%s0x%08x,", byte % 8 ? " " : "\n        ", table[slice][byte]);
        printf("\n    },\n");
    }
    printf("};\n");
}

int main(void)
{
    printf("/* Made by scripts/crc_tables.c. */\n#pragma once\n\n");
    print_tables("crc32_table", 0xEDB88320);
    print_tables("crc32c_table", 0x82F63B78);
    return 0;
}
