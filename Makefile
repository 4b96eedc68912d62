# Everything is built under build/. `make help` lists what there is.

BUILD := build
CC := gcc
HOST_CC := gcc
PYTHON := /usr/bin/python3

WARNINGS := -Wall -Wextra -Wconversion -Werror
COMMON := -std=gnu2x $(WARNINGS) -I. -I$(BUILD)/generated -g -MMD -MP

KERNEL_FLAGS := $(COMMON) -O2 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	-fno-asynchronous-unwind-tables -fstack-protector-strong -mstack-protector-guard=global \
	-fno-strict-aliasing
HOST_FLAGS := $(COMMON) -O1 -fno-omit-frame-pointer -fno-strict-aliasing \
	-fsanitize=address,undefined -fno-sanitize-recover=all

# --- sources, by folder ------------------------------------------------------------------

PORTABLE := $(filter-out kernel/base/string.c, \
	$(wildcard kernel/base/*.c kernel/block/*.c kernel/fs/*/*.c snapper/*.c snapper/store/*.c))
KERNEL_SOURCES := $(PORTABLE) kernel/base/string.c $(wildcard kernel/*.c kernel/arch/*.c \
	kernel/mm/*.c kernel/persist/*.c kernel/proc/*.c kernel/shell/*.c drivers/*.c boot/*.c)
KERNEL_ASSEMBLY := $(wildcard boot/*.S kernel/arch/*.S)
SUPPORT := $(wildcard tests/support/*.c)
UNIT_TESTS := $(wildcard tests/unit/test_*.c)

KERNEL_OBJECTS := $(KERNEL_SOURCES:%.c=$(BUILD)/kernel/%.o) \
	$(KERNEL_ASSEMBLY:%.S=$(BUILD)/kernel/%.S.o)
PORTABLE_OBJECTS := $(PORTABLE:%.c=$(BUILD)/host/%.o)
SUPPORT_OBJECTS := $(SUPPORT:%.c=$(BUILD)/host/%.o)
UNIT_PROGRAMS := $(UNIT_TESTS:%.c=$(BUILD)/%)

all: $(BUILD)/kernel.elf

GENERATED := $(BUILD)/generated/crc_tables.h

$(BUILD)/generated/crc_tables.h: scripts/crc_tables.c
	@mkdir -p $(@D)
	@$(HOST_CC) -std=gnu2x -O1 $(WARNINGS) $< -o $(BUILD)/crc_tables
	@$(BUILD)/crc_tables > $@

# --- the kernel --------------------------------------------------------------------------

$(BUILD)/kernel/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@$(CC) $(KERNEL_FLAGS) -c $< -o $@

$(BUILD)/kernel/%.S.o: %.S
	@mkdir -p $(@D)
	@$(CC) $(KERNEL_FLAGS) -c $< -o $@

# Linked twice: the first pass tells the addresses for the table of names that the second one holds.
LINK_FLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -T boot/kernel.ld

$(BUILD)/symbols.1.S: scripts/symbols
	@mkdir -p $(@D)
	@scripts/symbols > $@

$(BUILD)/symbols.2.S: $(BUILD)/kernel.1 scripts/symbols
	@scripts/symbols $< > $@

$(BUILD)/symbols.%.o: $(BUILD)/symbols.%.S
	@$(CC) -c $< -o $@

$(BUILD)/kernel.1: $(KERNEL_OBJECTS) $(BUILD)/symbols.1.o boot/kernel.ld
	@$(CC) $(LINK_FLAGS) $(KERNEL_OBJECTS) $(BUILD)/symbols.1.o -o $@

$(BUILD)/kernel.debug: $(KERNEL_OBJECTS) $(BUILD)/symbols.2.o boot/kernel.ld
	@$(CC) $(LINK_FLAGS) $(KERNEL_OBJECTS) $(BUILD)/symbols.2.o -o $@

# ELF32, because `qemu -kernel` takes no other multiboot kernel.
$(BUILD)/kernel.elf: $(BUILD)/kernel.debug
	@objcopy -O elf32-i386 $< $@

# --- hosted: the portable code under sanitizers ------------------------------------------

$(BUILD)/host/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@$(HOST_CC) $(HOST_FLAGS) -c $< -o $@

$(BUILD)/libportable.a: $(PORTABLE_OBJECTS) $(SUPPORT_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libportable.a
	@mkdir -p $(@D)
	@$(HOST_CC) $(HOST_FLAGS) $< $(BUILD)/libportable.a -lcmocka -o $@

unit: $(UNIT_PROGRAMS)
	@for program in $(UNIT_PROGRAMS); do $$program || exit 1; done

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
