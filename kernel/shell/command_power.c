/*
 * sync, shutdown, reboot: what is in memory and on its way to the disk, and then perhaps the end.
 */
#include "kernel/shell/command_power.h"
#include "drivers/power.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"
#include "kernel/proc/lives.h"
#include "kernel/shell/command.h"

static struct power_hooks hooks;

void command_power_set_hooks(const struct power_hooks *of_machine)
{
    hooks = *of_machine;
}

static bool go_on(void *context)
{
    (void)context;
    return shell_between_steps() == OK;
}

enum status command_sync(const struct shell_call *call)
{
    if (call->word_count != 1)
        return shell_usage(call);

    struct snapper_pace pace = { go_on, NULL };
    enum status status = persist_settle(&pace);
    if (status == OK && hooks.sync)
        status = hooks.sync();
    shell_print("sync: %s\n", status ? status_text(status) : "everything is on the disk");
    return status;
}

void command_power_restart(void)
{
    if (hooks.close)
        hooks.close();
    power_reset();
}

/* Whatever fails on the way, the machine ends: the image is as after a crash then, and says so. */
static enum status end(const struct shell_call *call, bool again)
{
    bool save = call->word_count == 2 && text_equal(call->words[1], "--save");

    if (call->word_count > 1 && !save)
        return shell_usage(call);
    shell_command_done();
    lives_close();
    enum status status = persist_wind_up(save ? PERSIST_SAVE : PERSIST_AS_CONFIGURED);
    if (status && save) {
        lives_reopen();
        shell_print("%s: not saved: %s; not ended\n", call->words[0],
                    status_text(status));
        return status;
    }
    if (status && persist_dirty_pages())
        shell_print("%s: not saved: %s; %lu dirty pages are dropped\n", call->words[0],
                    status_text(status), persist_dirty_pages());
    if (again)
        command_power_restart();
    if (hooks.close)
        hooks.close();
    power_off();
}

enum status command_shutdown(const struct shell_call *call)
{
    return end(call, false);
}

enum status command_reboot(const struct shell_call *call)
{
    return end(call, true);
}
