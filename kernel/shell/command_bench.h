/*
 * The file system and the disk that `bench` works on; bound in kernel/main.c, as the shell knows
 * neither.
 */
#pragma once

#include "kernel/bench/bench.h"

void command_bench_set_target(const struct bench_target *of_machine);
