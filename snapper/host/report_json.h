/*
 * Reports (snapper/report.h) as one JSON value: an object, or the array of the one list that the verb
 * answers with. Kept in memory until it is complete, so that a failure leaves no half of it.
 */
#pragma once

#include "snapper/report.h"

#include <stdio.h>

struct report_json {
    struct report report; /* first */
    FILE *stream;
    char *text;
    size_t size;
    bool bare;  /* the list alone */
    bool comma; /* before the next value at this level */
};

/* False: no memory. `bare`: a list outside of any item is not named. */
[[nodiscard]] bool report_json_open(struct report_json *json, bool bare);
/* Finishes the value and prints it, if `print`. */
void report_json_close(struct report_json *json, bool print);
