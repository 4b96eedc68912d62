# Everything is built under build/. `make help` lists what there is.

BUILD := build
CC := gcc
HOST_CC := gcc
IMAGE ?= $(BUILD)/disk.img

WARNINGS := -Wall -Wextra -Wconversion -Werror
COMMON := -std=gnu2x $(WARNINGS) -I. -I$(BUILD)/generated -g -MMD -MP -fno-strict-aliasing \
	-fno-omit-frame-pointer

KERNEL_FLAGS := $(COMMON) -O2 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only -fno-optimize-sibling-calls \
	-fno-asynchronous-unwind-tables -fstack-protector-strong -mstack-protector-guard=global
LINK_FLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -T boot/kernel.ld
HOST_FLAGS := $(COMMON) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

# --- sources, by folder ------------------------------------------------------------------

PORTABLE := $(filter-out kernel/base/string.c, \
	$(wildcard kernel/base/*.c kernel/block/*.c kernel/fs/*/*.c snapper/*.c snapper/store/*.c))
KERNEL_SOURCES := $(PORTABLE) kernel/base/string.c $(wildcard kernel/*.c kernel/arch/*.c \
	kernel/mm/*.c kernel/persist/*.c kernel/proc/*.c kernel/shell/*.c drivers/*.c boot/*.c)
KERNEL_ASSEMBLY := $(wildcard boot/*.S kernel/arch/*.S)
SNAPCTL_SOURCES := $(wildcard snapper/host/*.c)
SUPPORT := $(wildcard tests/support/*.c)
UNIT_TESTS := $(wildcard tests/unit/test_*.c)
# Parts of the kernel that are tested on the host beside the portable code.
HOSTED_KERNEL := $(wildcard boot/boot_info.c kernel/mm/frame_map.c kernel/mm/heap_class.c \
	kernel/shell/line_editor.c kernel/shell/shell_state.c kernel/shell/shell_parse.c \
	kernel/persist/page_space.c kernel/persist/page_set.c kernel/persist/dirty.c \
	kernel/persist/fault.c)

KERNEL_OBJECTS := $(KERNEL_SOURCES:%.c=$(BUILD)/kernel/%.o) \
	$(KERNEL_ASSEMBLY:%.S=$(BUILD)/kernel/%.S.o)
HOST_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(PORTABLE) $(SUPPORT) $(HOSTED_KERNEL))
UNIT_PROGRAMS := $(UNIT_TESTS:%.c=$(BUILD)/%)
SNAPCTL := $(if $(SNAPCTL_SOURCES),$(BUILD)/snapctl)

all: deps-build $(BUILD)/kernel.elf $(SNAPCTL)

# --- the kernel --------------------------------------------------------------------------

GENERATED := $(BUILD)/generated/crc_tables.h

$(BUILD)/generated/crc_tables.h: scripts/crc_tables.c
	@mkdir -p $(@D)
	@$(HOST_CC) -std=gnu2x -O1 $(WARNINGS) $< -o $(BUILD)/crc_tables
	@$(BUILD)/crc_tables > $@

$(BUILD)/kernel/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(KERNEL_FLAGS) -c $< -o $@

$(BUILD)/kernel/%.S.o: %.S Makefile
	@mkdir -p $(@D)
	@echo "  AS    $<"
	@$(CC) $(KERNEL_FLAGS) -c $< -o $@

# Linked twice: the first pass tells the addresses for the table of names that the second one
# holds.
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
	@echo "  LD    $@"
	@$(CC) $(LINK_FLAGS) $(KERNEL_OBJECTS) $(BUILD)/symbols.2.o -o $@

# ELF32, because `qemu -kernel` takes no other multiboot kernel.
$(BUILD)/kernel.elf: $(BUILD)/kernel.debug
	@objcopy -O elf32-i386 $< $@

$(BUILD)/snapper.iso: $(BUILD)/kernel.elf boot/grub.cfg scripts/make_iso
	@scripts/make_iso $(BUILD)/kernel.elf $@

$(IMAGE): | deps-run
	@scripts/make_image $@

# --- hosted: the portable code under sanitizers ------------------------------------------

$(BUILD)/host/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  HOST  $<"
	@$(HOST_CC) $(HOST_FLAGS) -c $< -o $@

$(BUILD)/libportable.a: $(HOST_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libportable.a
	@mkdir -p $(@D)
	@echo "  TEST  $<"
	@$(HOST_CC) $(HOST_FLAGS) $< $(BUILD)/libportable.a -lcmocka -o $@

# --- what people call --------------------------------------------------------------------

run: deps-build deps-run $(BUILD)/kernel.elf $(IMAGE) ## build, make an image if there is none, boot (^A x leaves QEMU)
	@scripts/qemu $(IMAGE)

test: deps-build deps-run deps-iso deps-test ## all tests; closes with `N passed, N failed`
	@$(MAKE) --no-print-directory -j2 $(BUILD)/kernel.elf $(SNAPCTL) $(BUILD)/snapper.iso $(UNIT_PROGRAMS)
	@scripts/run_tests $(BUILD) $(UNIT_PROGRAMS)

unit: deps-build deps-test $(UNIT_PROGRAMS) ## the unit tests alone, on the host
	@for program in $(UNIT_PROGRAMS); do $$program || exit 1; done

image: deps-run ## a fresh build/disk.img by mkfs.ext4, unless there is one
	@[ -e $(IMAGE) ] && echo "$(IMAGE) is there already" || scripts/make_image $(IMAGE)

iso: deps-build deps-iso $(BUILD)/snapper.iso ## build/snapper.iso, bootable by GRUB

debug: deps-build deps-run deps-debug $(BUILD)/kernel.elf $(IMAGE) ## boot under gdb
	@scripts/debug $(IMAGE)

lint: deps-lint $(GENERATED) ## formatting, layers, sizes, cppcheck, shellcheck
	@scripts/lint

format: deps-lint ## clang-format decides
	@clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

doctor: ## what this machine has for building, running and testing
	@scripts/doctor

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

deps-%:
	@scripts/deps $*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all run test unit image iso debug lint format doctor clean help
.SECONDARY:
