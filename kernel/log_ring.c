#include "kernel/log_ring.h"

static char at(const struct log_ring *ring, u64 position)
{
    return ring->text[position % LOG_RING_SIZE];
}

static void drop_oldest(struct log_ring *ring)
{
    while (at(ring, ring->first) != '\n')
        ring->first++;
    ring->first++;
}

static void append_character(struct log_ring *ring, char character)
{
    if (ring->end - ring->first == LOG_RING_SIZE)
        drop_oldest(ring);
    ring->text[ring->end++ % LOG_RING_SIZE] = character;
}

void log_ring_append(struct log_ring *ring, const char *line)
{
    for (size_t i = 0; i < LOG_RING_LINE_MAX && line[i] != 0; i++)
        append_character(ring, line[i] == '\n' ? ' ' : line[i]);
    append_character(ring, '\n');
}

u64 log_ring_last(const struct log_ring *ring, size_t lines)
{
    u64 position = ring->end;

    for (size_t i = 0; i < lines && position > ring->first; i++) {
        position--; /* the newline */
        while (position > ring->first && at(ring, position - 1) != '\n')
            position--;
    }
    return position;
}

bool log_ring_next(const struct log_ring *ring, u64 *position,
                   char line[LOG_RING_LINE_MAX + 1])
{
    size_t length = 0;

    if (*position < ring->first)
        *position = ring->first;
    if (*position >= ring->end)
        return false;
    while (at(ring, *position) != '\n')
        line[length++] = at(ring, (*position)++);
    (*position)++;
    line[length] = 0;
    return true;
}
