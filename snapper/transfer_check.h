/*
 * What must hold before a generation, or an archive, is put on an image. Included by snapper/ alone.
 *
 * Each says in one line what does not.
 */
#pragma once

#include "snapper/session.h"
#include "snapper/transfer.h"

/* The crc field of a generation's archive. */
enum status transfer_archive_crc(struct snapper *snapper, struct generation *generation,
                                 u32 *crc);

/* ERR_EXISTS: another generation has this name. `was_there`: the very same has. */
enum status transfer_check_presence(struct snapper *snapper,
                                    const struct generation_name *name, const u8 *archive,
                                    size_t size, bool *was_there);
/* ERR_NOT_FOUND: the base that `name` builds on is not here; OK also if it builds on none. */
enum status transfer_check_base(struct snapper *snapper,
                                const struct stream_header *header,
                                const struct generation_name *name,
                                struct generation_name *base);
/*
 * Has the generations that the archive names, and that are here, say how their directories are laid out,
 * before it does: whoever contradicts them is refused (ERR_CORRUPT), not put among them.
 */
enum status transfer_ask_named(struct snapper *snapper, const struct archive *archive);
/*
 * ERR_EXISTS: the archive lists a file of a generation that is here and does not list it itself, so that
 * it cannot be that generation's. Only for archives whose files are yet to be written; `claims` is
 * what the archive says.
 */
enum status transfer_check_claims(struct snapper *snapper, const struct archive *archive,
                                  const struct mapping *claims);
/* ERR_INTEGRITY: not every file that the archive lists is here, as the archive's maker saw it. */
enum status transfer_check_files(struct snapper *snapper, const struct archive *archive);
