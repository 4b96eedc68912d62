/*
 * Prints the constants of both CRCs as two C headers, chosen by the argument: `tables` or `fold`. Runs
 * at build time on the host.
 *
 * table[0][b] is the register after the byte b; table[k][b] after b and k zero bytes.
 * fold[] has x^n modulo the polynomial, bits reversed and shifted by one, for n = 512 + 32, 512 - 32,
 * 128 + 32, 128 - 32: the low and the high half of 128 bits are carried over 512 and over 128 bits.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static void print_fold(const char *name, uint32_t polynomial)
{
    static const int distances[] = { 512 + 32, 512 - 32, 128 + 32, 128 - 32 };

    printf("static const u64 %s[4] = {\n", name);
    for (int i = 0; i < 4; i++) {
        uint32_t power = 0x80000000; /* x^0 */
        for (int n = 0; n < distances[i]; n++)
            power = power & 1 ? power >> 1 ^ polynomial : power >> 1;
        printf("    0x%09llx,\n", (unsigned long long)power << 1);
    }
    printf("};\n");
}

int main(int count, char **words)
{
    enum { CRC32 = 0xEDB88320, CRC32C = 0x82F63B78 };

    printf("/* Made by scripts/crc_tables.c. */\n#pragma once\n\n");
    if (count > 1 && strcmp(words[1], "fold") == 0) {
        print_fold("crc32_fold", CRC32);
        print_fold("crc32c_fold", CRC32C);
    } else {
        print_tables("crc32_table", CRC32);
        print_tables("crc32c_table", CRC32C);
    }
    return 0;
}
