/* config_assign.h - NAME = VALUE, from the text to libconfuse's tree */
#ifndef DAEMON_CONFIG_ASSIGN_H
#define DAEMON_CONFIG_ASSIGN_H

#include "config_cursor.h"

#include <confuse.h>

/*
 * Reads an assignment into an option and remembers its place (option.h).
 * cursor: at the token after the name; afterwards at the last of the value.
 * option: of the section, and no section itself.
 * line: of the name.
 * Returns 0, also after a fault of meaning; -EINVAL after one of syntax; -ENOMEM.
 */
int config_assign(struct cursor *cursor, cfg_t *section, cfg_opt_t *option, int line);

#endif
