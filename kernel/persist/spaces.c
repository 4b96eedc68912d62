#include "kernel/persist/spaces.h"

#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

struct user_space {
    struct space_member member;
    struct page_space space;
    physical_address top;
};

void spaces_init(struct spaces *spaces, struct page_space *window,
                 const struct page_backing *backing)
{
    /* A number below that of the first line means: there before it. */
    *spaces = (struct spaces){ .machine = window->machine, .line = 1 };
    if (backing)
        spaces->backing = *backing;
    spaces->window.space = window;
    list_init(&spaces->members);
    list_append(&spaces->members, &spaces->window.link);
    page_space_join(window, SPACE_KERNEL_WINDOW, &spaces->line);
    window->backing = backing ? &spaces->backing : NULL;
}

/* Its place in the list is kept by whoever asks. NULL: the first, or none after the last. */
static struct space_member *next_member(const struct spaces *spaces,
                                        const struct space_member *member)
{
    const struct list_link *next = member ? member->link.next : spaces->members.head.next;

    return next == &spaces->members.head ? NULL
                                         : CONTAINER_OF(next, struct space_member, link);
}

/* Is it part of the generation that is being taken? */
static bool is_part(const struct spaces *spaces, const struct space_member *member)
{
    return spaces->in_flight && member->joined < spaces->line;
}

static void destroy_member(struct spaces *spaces, struct space_member *member)
{
    struct user_space *user = CONTAINER_OF(member, struct user_space, member);

    list_remove(&member->link);
    page_space_reset(&user->space);
    spaces->machine->frame_free(user->top);
    port_free(user);
}

void spaces_destroy(struct spaces *spaces)
{
    ASSERT(!spaces->in_flight);

    for (struct space_member *member; (member = next_member(spaces, &spaces->window));)
        destroy_member(spaces, member);
}

static struct space_member *find_member(const struct spaces *spaces, u64 number)
{
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        if (member->space->number == number && !member->gone)
            return member;
    return NULL;
}

struct page_space *spaces_find(const struct spaces *spaces, u64 number)
{
    struct space_member *member = find_member(spaces, number);

    return member ? member->space : NULL;
}

physical_address spaces_top_frame(const struct page_space *space)
{
    return CONTAINER_OF(space, struct user_space, space)->top;
}

static void join(struct spaces *spaces, struct user_space *user, u64 number,
                 enum space_origin origin, const struct page_policy *policy)
{
    page_entry *top = spaces->machine->frame_memory(user->top);

    memset(top, 0, PAGE_SIZE);
    page_space_init(&user->space, spaces->machine, top, 0, USER_SPACE_GIB * GIB);
    page_space_set_policy(&user->space, policy);
    page_space_join(&user->space, number, &spaces->line);
    user->member.space = &user->space;
    user->member.is_new = origin == SPACE_NEW;
    user->member.joined = spaces->line;
    if (origin == SPACE_RESUMED && spaces->backing.holds)
        user->space.backing = &spaces->backing;
    list_append(&spaces->members, &user->member.link);
}

enum status spaces_attach(struct spaces *spaces, u64 number, enum space_origin origin,
                          const struct page_policy *policy, struct page_space **space)
{
    if (number == SPACE_KERNEL_WINDOW || number > SPACE_NUMBER_MAX)
        return ERR_INVALID_ARGUMENT;
    if (find_member(spaces, number))
        return ERR_EXISTS;

    struct user_space *user = port_alloc(sizeof *user);
    if (!user)
        return ERR_NO_MEMORY;
    enum status status = spaces->machine->frame_alloc(&user->top);
    if (status) {
        port_free(user);
        return status;
    }
    join(spaces, user, number, origin, policy);
    *space = &user->space;
    return OK;
}

void spaces_detach(struct spaces *spaces, struct page_space *space)
{
    struct space_member *member = find_member(spaces, space->number);

    ASSERT(member && member->space == space);
    member->gone = true;
    if (!is_part(spaces, member))
        destroy_member(spaces, member);
}

bool spaces_are_dirty(const struct spaces *spaces)
{
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        if (page_space_is_dirty(member->space))
            return true;
    return false;
}

u64 spaces_count_dirty(const struct spaces *spaces)
{
    u64 count = 0;

    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        count += page_space_count_dirty(member->space);
    return count;
}

u64 spaces_count_pages(const struct spaces *spaces)
{
    u64 count = 0;

    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        count += member->space->counters.pages;
    return count;
}

u64 spaces_entries_read(const struct spaces *spaces)
{
    u64 count = 0;

    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        count += member->space->counters.entries_read;
    return count;
}

/* --- a generation --- */

enum status spaces_prepare(struct spaces *spaces)
{
    ASSERT(!spaces->in_flight);

    LIST_FOR_EACH (struct space_member, member, &spaces->members, link) {
        enum status status = page_space_prepare(member->space);
        if (status)
            return status;
    }
    return OK;
}

void spaces_draw_line(struct spaces *spaces, struct page_space *running)
{
    spaces->line++;
    spaces->in_flight = true;
    page_space_enter(spaces->window.space);
    if (running)
        page_space_enter(running);
}

bool spaces_harvest_step(struct spaces *spaces)
{
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link) {
        page_space_enter(member->space);
        if (page_space_harvest_step(member->space))
            return true;
    }
    return false;
}

/* The member that the cursor stands at, or the next that is part; NULL: the end. */
static const struct space_member *part_at(const struct spaces *spaces,
                                          struct spaces_cursor *cursor)
{
    if (!cursor->member)
        cursor->member = &spaces->window;
    while (cursor->member && !is_part(spaces, cursor->member))
        cursor->member = next_member(spaces, cursor->member);
    return cursor->member;
}

/* False: it was the last. */
static bool go_on(const struct spaces *spaces, struct spaces_cursor *cursor)
{
    *cursor = (struct spaces_cursor){ .member = next_member(spaces, cursor->member) };
    return cursor->member != NULL;
}

bool spaces_next_taken(const struct spaces *spaces, struct spaces_cursor *cursor, u64 *id,
                       const void **memory)
{
    u64 page;

    while (part_at(spaces, cursor)) {
        const struct page_space *space = cursor->member->space;
        if (page_space_next_taken(space, &cursor->page, &page, memory)) {
            *id = object_id(space->number, page);
            return true;
        }
        if (!go_on(spaces, cursor))
            return false;
    }
    return false;
}

bool spaces_next_forgotten(const struct spaces *spaces, struct spaces_cursor *cursor,
                           u64 *id)
{
    u64 page;

    while (part_at(spaces, cursor)) {
        const struct page_space *space = cursor->member->space;
        if (page_space_next_forgotten(space, &cursor->forgotten, &page)) {
            *id = object_id(space->number, page);
            return true;
        }
        if (!go_on(spaces, cursor))
            return false;
    }
    return false;
}

bool spaces_lists_on(const struct spaces *spaces, u64 number)
{
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        if (member->space->number == number && is_part(spaces, member) && !member->is_new)
            return true;
    return false;
}

static void bury_the_gone(struct spaces *spaces)
{
    struct space_member *next;

    for (struct space_member *member = &spaces->window; member; member = next) {
        next = next_member(spaces, member);
        if (member->gone)
            destroy_member(spaces, member);
    }
}

void spaces_commit(struct spaces *spaces)
{
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link) {
        if (!is_part(spaces, member))
            continue;
        if (member->is_new && spaces->backing.holds)
            member->space->backing = &spaces->backing;
        member->is_new = false;
        page_space_commit(member->space);
    }
    spaces->in_flight = false;
    bury_the_gone(spaces);
}

void spaces_abort(struct spaces *spaces)
{
    while (spaces_harvest_step(spaces))
        ;
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        if (is_part(spaces, member))
            page_space_abort(member->space);
    spaces->in_flight = false;
    bury_the_gone(spaces);
}

/* --- eviction --- */

/* The first space whose number is not below, in the order of the list; NULL: none. */
static struct space_member *member_under(const struct spaces *spaces,
                                         const struct spaces_hand *hand)
{
    LIST_FOR_EACH (struct space_member, member, &spaces->members, link)
        if (member->space->number == hand->number)
            return member;
    return NULL;
}

u64 spaces_evict(struct spaces *spaces, struct spaces_hand *hand, u64 pinned, u64 wanted)
{
    struct space_member *member = member_under(spaces, hand);
    size_t rounds = 0;
    u64 freed = 0;

    LIST_FOR_EACH (struct space_member, each, &spaces->members, link)
        rounds++;
    /* One more, for what got its second chance in the first. */
    for (rounds = 2 * rounds; rounds > 0 && freed < wanted; rounds--) {
        if (!member) {
            member = &spaces->window;
            hand->page = 0;
        }
        u64 first = member == &spaces->window ? pinned : 0;
        freed += page_space_evict(member->space, &hand->page, first, wanted - freed);
        if (freed < wanted) {
            member = next_member(spaces, member);
            hand->page = 0;
        }
        hand->number = member ? member->space->number : SPACE_KERNEL_WINDOW;
    }
    return freed;
}
