#include "command.h"

const struct command *const command_table[] = {&command_import, NULL};

const char *const command_unsupported[] = {"status", "ports",   "connections", "upstreams", "kill",
					   "drain",  "undrain", "reload",      "log-level", NULL};
