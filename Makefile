# Everything is built under build/. `make help` lists what there is.

BUILD := build
comma := ,
CC := gcc
HOST_CC := gcc
IMAGE ?= $(BUILD)/disk.img
# The kernel's command line in `make run`: a generation each second, of which a hundred are kept.
OPTIONS ?= interval=1 snapper.max_snapshots=100

WARNINGS := -Wall -Wextra -Wconversion -Werror
COMMON := -std=gnu2x $(WARNINGS) -I. -I$(BUILD)/generated -g -MMD -MP -fno-strict-aliasing \
	-fno-omit-frame-pointer

KERNEL_FLAGS := $(COMMON) -O2 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only -fno-optimize-sibling-calls \
	-fno-asynchronous-unwind-tables -fstack-protector-strong -mstack-protector-guard=global
LINK_FLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -T boot/kernel.ld
# Programs in ring 3: SSE and the red zone are theirs, but no C library.
USER_FLAGS := $(COMMON) -O2 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables
USER_LINK_FLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,-z,norelro -T kernel/user/program.ld
SNAPCTL_FLAGS := $(COMMON) -O2
HOST_FLAGS := $(COMMON) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

# For millions of steps: optimised, undefined behaviour still ends the program.
FAST_FLAGS := $(COMMON) -O2 -fsanitize=undefined -fno-sanitize-recover=all

# Every pointer that is made costs as much as the reads through it, which are looked at anyway.
FUZZ_FLAGS := $(COMMON) -O2 -fsanitize=address,undefined -fno-sanitize=pointer-overflow,alignment \
	-fno-sanitize-recover=all

# --- sources, by folder ------------------------------------------------------------------

PORTABLE := $(filter-out kernel/base/string.c, \
	$(wildcard kernel/base/*.c kernel/block/*.c kernel/fs/*/*.c snapper/*.c snapper/store/*.c))
KERNEL_SOURCES := kernel/base/string.c $(wildcard kernel/*.c kernel/arch/*.c kernel/mm/*.c \
	kernel/persist/*.c kernel/proc/*.c kernel/shell/*.c kernel/bench/*.c drivers/*.c boot/*.c)
KERNEL_ASSEMBLY := $(wildcard boot/*.S kernel/arch/*.S)
# A program is one file with a main(); it is linked with what it uses of the library, of the logic
# that is tested on the host as well, and of the portable base.
PROGRAM_SOURCES := $(wildcard kernel/user/programs/*.c)
USER_LIBRARY := $(wildcard kernel/user/*.c kernel/user/logic/*.c) \
	$(addprefix kernel/base/,format.c status.c string.c text.c)
SNAPCTL_SOURCES := $(wildcard snapper/host/*.c)
SUPPORT := $(wildcard tests/support/*.c)
UNIT_TESTS := $(wildcard tests/unit/test_*.c)
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
# Drivers on the host, and the machine they see there: its headers come before the kernel's.
MACHINE := drivers/pci.c drivers/virtio.c drivers/virtio_blk.c $(wildcard tests/machine/*.c)
EXPLORER := $(wildcard tests/crash/*.c)
DAMAGER := $(wildcard tests/damage/*.c)
# Parts of the kernel that are tested on the host beside the portable code.
HOSTED_KERNEL := $(wildcard boot/boot_info.c kernel/mm/frame_map.c kernel/mm/heap_class.c \
	kernel/shell/line_editor.c kernel/shell/shell_state.c kernel/shell/shell_parse.c \
	kernel/shell/mem_pattern.c drivers/rtc_decode.c \
	kernel/persist/page_space.c kernel/persist/page_set.c kernel/persist/dirty.c \
	kernel/persist/fault.c kernel/persist/spaces.c kernel/persist/pager.c \
	kernel/persist/capture.c kernel/persist/meter.c kernel/persist/memory.c kernel/persist/resume.c kernel/persist/root.c \
	kernel/persist/persist.c kernel/proc/elf.c kernel/proc/process.c \
	kernel/proc/process_check.c kernel/proc/terminal.c \
	kernel/proc/clock.c kernel/proc/lives.c kernel/arch/user_frame.c \
	kernel/user/console.c kernel/user/heap.c kernel/user/random.c kernel/user/start.c \
	kernel/user/logic/*.c)

KERNEL_OBJECTS := $(KERNEL_SOURCES:%.c=$(BUILD)/kernel/%.o) \
	$(KERNEL_ASSEMBLY:%.S=$(BUILD)/kernel/%.S.o)
KERNEL_PORTABLE := $(PORTABLE:%.c=$(BUILD)/kernel/%.o)
HOST_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(PORTABLE) $(SUPPORT) $(HOSTED_KERNEL))
PROGRAMS := $(PROGRAM_SOURCES:kernel/user/programs/%.c=$(BUILD)/bin/%)
SNAPCTL_OBJECTS := $(patsubst %.c,$(BUILD)/snapctl.o/%.o,$(PORTABLE) $(SNAPCTL_SOURCES))
SNAPCTL_CHECKED := $(patsubst %.c,$(BUILD)/host/%.o,$(SNAPCTL_SOURCES))
FUZZ_OBJECTS := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(PORTABLE) $(SUPPORT) $(HOSTED_KERNEL) \
	tests/fuzz/checked_crc.c)
FAST_OBJECTS := $(patsubst %.c,$(BUILD)/fast/%.o,$(PORTABLE) $(EXPLORER) \
	$(addprefix tests/support/,port_host.c ram_disk.c layered_disk.c ext4_image.c host_run.c))
UNIT_PROGRAMS := $(UNIT_TESTS:%.c=$(BUILD)/%)
FUZZ_PROGRAMS := $(FUZZERS:%.c=$(BUILD)/%)
SNAPCTL := $(BUILD)/snapctl

PRODUCTS := $(BUILD)/kernel.elf $(SNAPCTL) $(SNAPCTL).checked $(BUILD)/snapper.iso \
	$(BUILD)/crash $(BUILD)/crash.checked $(BUILD)/damage $(PROGRAMS)

# Packages first, then the rest, under -j too.
MAKE_NOW = +@$(MAKE) --no-print-directory

all:
	@scripts/deps build
	$(MAKE_NOW) $(BUILD)/kernel.elf $(SNAPCTL)

# --- the kernel --------------------------------------------------------------------------

GENERATED := $(BUILD)/generated/crc_tables.h $(BUILD)/generated/crc_fold.h

$(BUILD)/crc_tables: scripts/crc_tables.c
	@mkdir -p $(@D)
	@$(HOST_CC) -std=gnu2x -O1 $(WARNINGS) $< -o $@

$(BUILD)/generated/crc_%.h: $(BUILD)/crc_tables
	@mkdir -p $(@D)
	@$< $* > $@

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

# The portable code is a library to the kernel, as it is to the host: what nothing calls is left
# out.
$(BUILD)/libkernel.a: $(KERNEL_PORTABLE)
	@rm -f $@
	@ar rcs $@ $^

KERNEL_PARTS := $(KERNEL_OBJECTS) $(BUILD)/libkernel.a

$(BUILD)/kernel.1: $(KERNEL_PARTS) $(BUILD)/symbols.1.o boot/kernel.ld
	@$(CC) $(LINK_FLAGS) $(KERNEL_OBJECTS) $(BUILD)/symbols.1.o $(BUILD)/libkernel.a -o $@

$(BUILD)/kernel.debug: $(KERNEL_PARTS) $(BUILD)/symbols.2.o boot/kernel.ld
	@echo "  LD    $@"
	@$(CC) $(LINK_FLAGS) $(KERNEL_OBJECTS) $(BUILD)/symbols.2.o $(BUILD)/libkernel.a -o $@

# ELF32, because `qemu -kernel` takes no other multiboot kernel.
$(BUILD)/kernel.elf: $(BUILD)/kernel.debug
	@objcopy -O elf32-i386 $< $@

$(BUILD)/snapper.iso: $(BUILD)/kernel.elf boot/grub.cfg scripts/make_iso
	@scripts/make_iso $(BUILD)/kernel.elf $@

$(IMAGE): | $(PROGRAMS)
	@scripts/make_image --bin $(BUILD)/bin $@

# --- programs, which the image has under /bin ----------------------------------------------

$(BUILD)/user/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  USER  $<"
	@$(CC) $(USER_FLAGS) -c $< -o $@

$(BUILD)/user/%.S.o: %.S Makefile
	@mkdir -p $(@D)
	@$(CC) $(USER_FLAGS) -c $< -o $@

$(BUILD)/libuser.a: $(USER_LIBRARY:%.c=$(BUILD)/user/%.o)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/user/%.debug: $(BUILD)/user/kernel/user/programs/%.o \
		$(BUILD)/user/kernel/user/crt0.S.o $(BUILD)/libuser.a kernel/user/program.ld
	@$(CC) $(USER_LINK_FLAGS) $(filter %.o %.a,$^) -o $@

$(BUILD)/bin/%: $(BUILD)/user/%.debug
	@mkdir -p $(@D)
	@objcopy -S $< $@

# --- the host's tool ---------------------------------------------------------------------

$(BUILD)/snapctl.o/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  HOST  $<"
	@$(HOST_CC) $(SNAPCTL_FLAGS) -c $< -o $@

$(SNAPCTL): $(SNAPCTL_OBJECTS)
	@echo "  LD    $@"
	@$(HOST_CC) $^ -o $@

# The same under sanitizers, for the tests.
$(SNAPCTL).checked: $(SNAPCTL_CHECKED) $(BUILD)/libportable.a
	@echo "  LD    $@"
	@$(HOST_CC) $(HOST_FLAGS) $^ -o $@

# --- hosted: the portable code under sanitizers ------------------------------------------

$(BUILD)/host/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  HOST  $<"
	@$(HOST_CC) $(HOST_FLAGS) $(COUNTED) -c $< -o $@

$(BUILD)/host/machine/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  HOST  $<"
	@$(HOST_CC) -Itests/machine $(HOST_FLAGS) -c $< -o $@

$(BUILD)/libportable.a: $(HOST_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

# Fuzz targets without a fuzzer, all in one program.
$(BUILD)/host/tests/fuzz/%.o: tests/fuzz/%.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  HOST  $<"
	@$(HOST_CC) $(HOST_FLAGS) -DLLVMFuzzerTestOneInput=$* -c $< -o $@

$(BUILD)/tests/unit/test_corpora: $(FUZZERS:%.c=$(BUILD)/host/%.o)
$(BUILD)/tests/unit/test_corpora: $(MACHINE:%.c=$(BUILD)/host/machine/%.o)
$(BUILD)/tests/unit/test_virtio: $(MACHINE:%.c=$(BUILD)/host/machine/%.o)
# Functions of the layers below that these tests make fail.
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
$(addprefix $(BUILD)/tests/unit/,test_ext4_errors test_ext4_session_errors): WRAPPED := \
	$(call wrap,cache_get cache_get_fresh journal_modify journal_room journal_revoke map_set \
	port_alloc disk_submit disk_wait disk_read disk_write disk_flush)
$(BUILD)/tests/unit/test_snapper_errors: WRAPPED := $(call wrap,map_set)
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libportable.a
	@mkdir -p $(@D)
	@echo "  TEST  $<"
	@$(HOST_CC) $(HOST_FLAGS) $(WRAPPED) $< $(filter %.o,$^) $(BUILD)/libportable.a -lcmocka -o $@

$(BUILD)/fuzz/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@clang $(FUZZ_FLAGS) $(FUZZ_OWN) -c $< -o $@

$(BUILD)/fuzz/machine/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@clang -Itests/machine $(FUZZ_FLAGS) $(FUZZ_OWN) -c $< -o $@

# A fuzzer learns nothing from the paths through checksums, or through what tries and judges; and from
# what the file system compares only where, because its input is not the bytes that are compared.
FUZZ_OWN := -fsanitize=fuzzer-no-link
$(BUILD)/fuzz/tests/%.o $(BUILD)/fuzz/machine/tests/%.o: FUZZ_OWN :=
$(BUILD)/fuzz/kernel/base/crc.o: FUZZ_OWN := -fno-sanitize=all
$(BUILD)/fuzz/kernel/block/%.o $(BUILD)/fuzz/kernel/fs/%.o: \
	FUZZ_OWN += -fno-sanitize-coverage=trace-cmp
$(BUILD)/fuzz/kernel/base/map.o: FUZZ_OWN += -fno-sanitize-coverage=trace-cmp

$(BUILD)/libfuzzed.a: $(FUZZ_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/tests/fuzz/fuzz_virtio: $(MACHINE:%.c=$(BUILD)/fuzz/machine/%.o)
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/libfuzzed.a
	@mkdir -p $(@D)
	@echo "  FUZZ  $<"
	@clang $(FUZZ_FLAGS) -fsanitize=fuzzer $< $(filter %.o,$^) $(BUILD)/libfuzzed.a \
		-Wl,--wrap=crc32_update,--wrap=crc32c_update -o $@

$(BUILD)/fast/%.o: %.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  FAST  $<"
	@$(HOST_CC) $(FAST_FLAGS) -c $< -o $@

$(BUILD)/crash: $(FAST_OBJECTS)
	@$(HOST_CC) $(FAST_FLAGS) $^ -o $@

# The same under all sanitizers.
$(BUILD)/crash.checked: $(patsubst %.c,$(BUILD)/host/%.o,$(EXPLORER)) $(BUILD)/libportable.a
	@echo "  LD    $@"
	@$(HOST_CC) $(HOST_FLAGS) $^ -o $@

$(BUILD)/damage: $(patsubst %.c,$(BUILD)/host/%.o,$(DAMAGER)) $(BUILD)/libportable.a
	@echo "  LD    $@"
	@$(HOST_CC) $(HOST_FLAGS) $^ -o $@

# --- what people call --------------------------------------------------------------------

run: ## build, make an image if there is none, boot (^A x leaves QEMU; OPTIONS= for the kernel)
	@scripts/deps build run
	$(MAKE_NOW) $(BUILD)/kernel.elf $(IMAGE)
	@scripts/qemu --append '$(OPTIONS)' $(IMAGE)

test: ## all tests; closes with `N passed, N failed`
	@scripts/run_tests $(BUILD) $(PRODUCTS) -- $(UNIT_PROGRAMS)

unit: ## the unit tests alone, on the host
	@scripts/deps build test
	@SYSTEM_TESTS= scripts/run_tests $(BUILD) -- $(UNIT_PROGRAMS)

image: ## a fresh build/disk.img by mkfs.ext4 with all programs, unless there is one
	@scripts/deps build run
	@[ ! -e $(IMAGE) ] || echo "$(IMAGE) is there already"
	$(MAKE_NOW) $(IMAGE)

bench: ## measure generations on the kernel, beside limits and goals
	@scripts/deps build run test bench
	$(MAKE_NOW) $(BUILD)/kernel.elf $(PROGRAMS)
	@/usr/bin/python3 tests/bench/bench.py

bench-compare: ## what build/bench/bench.json has that is worse than in BASE=FILE
	@/usr/bin/python3 tests/bench/compare.py "$(BASE)" $(BUILD)/bench/bench.json

# F: one target or several, without fuzz_; T: seconds for each.
F ?= $(FUZZERS:tests/fuzz/fuzz_%.c=%)
T ?= 60
UNKNOWN_FUZZERS = $(filter-out $(FUZZERS:tests/fuzz/fuzz_%.c=%),$(F))

fuzz: ## fuzz one target for T seconds (F=mount T=60), or one after the other
	@$(if $(UNKNOWN_FUZZERS),echo "no fuzz target $(UNKNOWN_FUZZERS); there are:" \
		$(FUZZERS:tests/fuzz/fuzz_%.c=%); exit 2)
	@scripts/deps build fuzz
	$(MAKE_NOW) $(F:%=$(BUILD)/tests/fuzz/fuzz_%)
	@scripts/run_fuzzers $(BUILD) $(T) $(F:%=$(BUILD)/tests/fuzz/fuzz_%)

fuzz-all: ## a minute of each fuzz target
	$(MAKE_NOW) fuzz T=60

crash: ## power cuts by the hundred thousand, on a disk in memory (CRASH="--states 9000 --seed 7")
	@scripts/deps build test
	$(MAKE_NOW) $(BUILD)/crash
	@$(BUILD)/crash --jobs $$(nproc) $(or $(CRASH),--states 2000 --depth 3 --fsck 50)

lives: ## snapshot, purge, crash, and again, 500 times 40 crashes (LIVES="--lives 50 --seed 7")
	@scripts/deps build test
	$(MAKE_NOW) $(BUILD)/crash
	@$(BUILD)/crash --jobs $$(nproc) $(or $(LIVES),--lives 500)

faults: ## every read, write, flush and allocation fails in turn (FAULTS="--every 10")
	@scripts/deps build test
	$(MAKE_NOW) $(BUILD)/crash
	@$(BUILD)/crash --faults --jobs $$(nproc) $(or $(FAULTS),--every 6)

COVERED := kernel/fs/ext4 kernel/fs/jbd2 snapper snapper/store
# Of everything else nothing is counted, lest each process write hundreds of files at its end.
ifdef COUNTING
$(foreach folder,$(COVERED),$(BUILD)/host/$(folder)/%.o): COUNTED := --coverage
HOST_FLAGS := $(COMMON) -O0 -Wl,-u,__gcov_dump,-u,__gcov_init,-u,__gcov_exit,-u,__gcov_merge_add \
	-lgcov
endif

coverage: ## branches that unit tests, corpora and slices of crash, faults and damage take
	@scripts/deps build test
	+@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage COUNTING=1 \
		coverage-programs
	@scripts/run_coverage $(BUILD)/coverage $(COVERING:tests/unit/%.c=%)
	@scripts/coverage $(BUILD)/coverage tests/coverage.exempt $(COVERED)

COVERING := $(UNIT_TESTS)
coverage-programs: $(COVERING:%.c=$(BUILD)/%) $(BUILD)/crash.checked $(BUILD)/damage

boots: ## the real kernel: five logs of its writes, 200 boots cut short (BOOTS="50 7": how many, seed)
	@scripts/deps build run test
	$(MAKE_NOW) $(BUILD)/kernel.elf $(SNAPCTL) $(BUILD)/crash
	@for seed in 1 2 3 4 5; do POWER_CUT_SEED=$$seed RECORDED_STATES=5000 /usr/bin/python3 -m pytest \
		-q -s -p no:cacheprovider tests/system/test_power_cut.py -k judged_in_memory || exit 1; done
	@/usr/bin/python3 tests/system/boots.py $(BOOTS)

KILLS ?= 100
SEED ?= 1
programs: ## a million system calls, minutes of generations, 100 power cuts for each program (KILLS=100 SEED=1)
	@scripts/deps build run test
	$(MAKE_NOW) $(BUILD)/kernel.elf $(SNAPCTL) $(PROGRAMS)
	@SEED=$(SEED) CALLS=$$((10000 * $(KILLS))) INTERVAL_SECONDS=$$((2 * $(KILLS))) /usr/bin/python3 \
		-m pytest -q -s -p no:cacheprovider tests/system/test_interval.py \
		tests/system/test_programs.py -k 'interval or calls'
	@/usr/bin/python3 tests/system/program_lives.py $(KILLS) $(SEED) $(ONLY)

mutants: ## bugs are planted, one at a time, and must be caught (MUTANTS="NAME...")
	@scripts/deps build test
	$(MAKE_NOW) $(BUILD)/crash $(BUILD)/libportable.a
	@FAST_CC="$(HOST_CC) $(FAST_FLAGS)" HOST_CC="$(HOST_CC) $(HOST_FLAGS)" \
		FAST_OBJECTS="$(FAST_OBJECTS)" HOST_LIBRARY=$(BUILD)/libportable.a \
		tests/mutants/mutants.py $(MUTANTS)

demo: ## programs outlive two power cuts, unattended, in under a minute
	@scripts/deps build run test
	$(MAKE_NOW) $(BUILD)/kernel.elf $(PROGRAMS)
	@scripts/demo

iso: ## build/snapper.iso, bootable by GRUB
	@scripts/deps build iso
	$(MAKE_NOW) $(BUILD)/snapper.iso

damage: ## damaged images by the ten thousand are used (DAMAGE="--seed 7 --count 200000 --fsck 0")
	@scripts/deps build test
	$(MAKE_NOW) $(BUILD)/damage
	@$(BUILD)/damage --jobs $$(nproc) $(DAMAGE)

debug: ## boot under gdb
	@scripts/deps build run debug
	$(MAKE_NOW) $(BUILD)/kernel.elf $(IMAGE)
	@scripts/debug $(IMAGE)

lint: ## formatting, layers, sizes, cppcheck, shellcheck
	@scripts/deps build lint
	$(MAKE_NOW) $(GENERATED)
	@scripts/lint

format: ## clang-format decides
	@scripts/deps lint
	@clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

doctor: ## what this machine has for building, running and testing
	@scripts/doctor

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all run test unit image iso debug bench bench-compare fuzz fuzz-all crash lives faults damage mutants boots programs coverage coverage-programs demo lint format doctor clean help
.SECONDARY:
.DELETE_ON_ERROR:
