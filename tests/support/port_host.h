/*
 * port.h on the C library, for tests: allocations can be made to fail, the log can be read.
 */
#pragma once

#include "kernel/base/port.h"

/* The n-th allocation from now (1 = the next) fails, and with `for_good` all after it; 0: none. */
void port_host_fail_allocation(u64 nth, bool for_good);
/* How many allocations were asked for since the last port_host_fail_allocation(). */
u64 port_host_allocations(void);
/* Allocations that are not freed. */
u64 port_host_outstanding(void);
/* The most bytes that were allocated at once since port_host_measure(). */
void port_host_measure(void);
u64 port_host_peak_bytes(void);

/* Did a log line since port_host_clear_log() contain `text`? With TEST_LOG set they are printed, too. */
bool port_host_logged(const char *text);
/* Warnings and errors since then. */
u64 port_host_complaints(void);
void port_host_clear_log(void);

/* What port_stage() was told last. */
enum stage port_host_stage(void);

/* The clock stands at this time until it is set again; 0: the real one. */
void port_host_set_time(u64 microseconds);
