/* /snapper.state. What is accepted survives another round through the encoder. */
#include "kernel/base/port.h"
#include "snapper/state_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct state_file state, again;
    char *text, *text_again;
    size_t text_size, text_size_again;
    char *copy = copied(data, size);

    if (state_file_decode(copy, size, &state) == OK) {
        require(state_file_encode(&state, &text, &text_size) == OK);
        require(state_file_decode(text, text_size, &again) == OK);
        require(state_file_encode(&again, &text_again, &text_size_again) == OK);
        require(text_size == text_size_again && memcmp(text, text_again, text_size) == 0);
        port_free(text);
        port_free(text_again);
        state_file_destroy(&state);
        state_file_destroy(&again);
    }
    free(copy);
    return 0;
}
