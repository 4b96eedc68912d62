#include "snapper/diff.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

/* A place in a mapping: a group, and how many of its ids are dealt with. */
struct side {
    struct mapping *mapping;
    size_t at;
    size_t listed; /* runs of the group; 0: the end */
    u32 done;
    u8 *buffer; /* of object_size bytes at least */
    size_t buffer_size;
};

struct walk {
    struct snapper *snapper;
    struct side a, b;
    enum status (*tell)(void *context, const struct snapper_difference *difference);
    void *context;
    struct snapper_difference next; /* grows until something else comes; count 0: none */
    struct snapper_diff_report report;
};

static struct mapping_run *runs_of(const struct side *side)
{
    return &side->mapping->runs[side->at];
}

static void find_group(struct side *side)
{
    side->listed =
        side->at < side->mapping->count ? mapping_group_size(side->mapping, side->at) : 0;
}

static u64 next_id(const struct side *side)
{
    return runs_of(side)->first_id + side->done;
}

static u32 left(const struct side *side)
{
    return runs_of(side)->count - side->done;
}

static void advance(struct side *side, u32 count)
{
    side->done += count;
    if (side->done < runs_of(side)->count)
        return;
    side->at += side->listed;
    side->done = 0;
    find_group(side);
}

static enum status flush(struct walk *walk)
{
    struct snapper_difference difference = walk->next;

    walk->next.count = 0;
    if (difference.count == 0 || walk->tell == NULL)
        return OK;
    return walk->tell(walk->context, &difference);
}

static enum status add(struct walk *walk, enum snapper_change change, u64 first,
                       u32 count)
{
    struct snapper_difference *next = &walk->next;
    u64 *const totals[] = { &walk->report.added, &walk->report.changed,
                            &walk->report.removed };

    *totals[change] += count;
    if (next->count > 0 && next->change == change &&
        next->first_id + next->count == first) {
        next->count += count;
        return OK;
    }
    enum status status = flush(walk);
    *next = (struct snapper_difference){ change, first, count };
    return status;
}

/* Do both list the same file for these objects, in whatever rank? */
static bool share_a_file(const struct side *a, const struct side *b)
{
    for (size_t i = 0; i < a->listed; i++)
        for (size_t j = 0; j < b->listed; j++) {
            const struct mapping_run *x = &runs_of(a)[i], *y = &runs_of(b)[j];
            if (x->generation == y->generation &&
                x->first_ordinal + a->done == y->first_ordinal + b->done)
                return true;
        }
    return false;
}

static enum status read_side(struct walk *walk, struct side *side, u64 id)
{
    u32 size = runs_of(side)->object_size;

    if (side->buffer == NULL || side->buffer_size < size) {
        port_free(side->buffer);
        side->buffer = port_alloc(size);
        side->buffer_size = size;
    }
    if (side->buffer == NULL)
        return ERR_NO_MEMORY;
    return object_read(walk->snapper, runs_of(side), side->listed, id, side->buffer);
}

/* One object that both have, in different files: bytes decide. */
static enum status compare(struct walk *walk, u64 id)
{
    u32 size = runs_of(&walk->a)->object_size;

    enum status status = read_side(walk, &walk->a, id);
    if (status == OK)
        status = read_side(walk, &walk->b, id);
    if (status != OK)
        return status;
    if (size == 0 || memcmp(walk->a.buffer, walk->b.buffer, size) == 0) {
        walk->report.same++;
        return OK;
    }
    return add(walk, CHANGE_CHANGED, id, 1);
}

/* Ids that both groups cover. */
static enum status step_both(struct walk *walk)
{
    u64 id = next_id(&walk->a);
    u32 count = (u32)min_u64(left(&walk->a), left(&walk->b));
    enum status status = OK;

    if (runs_of(&walk->a)->object_size != runs_of(&walk->b)->object_size)
        status = add(walk, CHANGE_CHANGED, id, count);
    else if (share_a_file(&walk->a, &walk->b))
        walk->report.same += count;
    else
        for (u32 i = 0; i < count && status == OK; i++)
            status = compare(walk, id + i);
    advance(&walk->a, count);
    advance(&walk->b, count);
    return status;
}

/* Ids of one side, up to where the other one begins. */
static enum status step_one(struct walk *walk, struct side *side,
                            const struct side *other, enum snapper_change change)
{
    u64 id = next_id(side);
    u32 count = left(side);

    if (other->listed > 0)
        count = (u32)min_u64(count, next_id(other) - id);
    advance(side, count);
    return add(walk, change, id, count);
}

static enum status step(struct walk *walk)
{
    if (walk->a.listed == 0)
        return step_one(walk, &walk->b, &walk->a, CHANGE_ADDED);
    if (walk->b.listed == 0)
        return step_one(walk, &walk->a, &walk->b, CHANGE_REMOVED);
    if (next_id(&walk->a) < next_id(&walk->b))
        return step_one(walk, &walk->a, &walk->b, CHANGE_REMOVED);
    if (next_id(&walk->b) < next_id(&walk->a))
        return step_one(walk, &walk->b, &walk->a, CHANGE_ADDED);
    return step_both(walk);
}

static enum status open_side(struct walk *walk, const char *name, struct side *side)
{
    struct generation *generation;

    enum status status = snapper_find(walk->snapper, name, &generation);
    if (status == OK)
        status = snapper_load_mapping(walk->snapper, generation, &side->mapping);
    if (status == OK)
        find_group(side);
    return status;
}

static void close_side(struct side *side)
{
    mapping_release(side->mapping);
    port_free(side->buffer);
}

enum status snapper_diff(struct snapper *snapper, const char *a, const char *b,
                         enum status (*tell)(void *context,
                                             const struct snapper_difference *difference),
                         void *context, struct snapper_diff_report *report)
{
    struct walk walk = { .snapper = snapper, .tell = tell, .context = context };

    enum status status = open_side(&walk, a, &walk.a);
    if (status == OK)
        status = open_side(&walk, b, &walk.b);
    while (status == OK && walk.a.listed + walk.b.listed > 0)
        status = step(&walk);
    if (status == OK)
        status = flush(&walk);
    close_side(&walk.a);
    close_side(&walk.b);
    if (status == OK)
        *report = walk.report;
    return status;
}
