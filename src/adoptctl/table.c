#include "command.h"

#include <stddef.h>

const struct command *const command_table[] = {
	&command_status,    &command_ports,  &command_connections, &command_upstreams,
	&command_kill,      &command_drain,  &command_undrain,     &command_reload,
	&command_log_level, &command_import, &command_give,        NULL,
};
