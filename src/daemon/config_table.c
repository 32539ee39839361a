#include "config_table.h"

#include "handlers/handler.h"
#include "support/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const cfg_opt_t global_options[] = {
	CFG_STR("workers", "1", CFGF_NONE),
	CFG_STR("log-level", "info", CFGF_NONE),
	CFG_STR("log-format", "auto", CFGF_NONE),
};

static const char *const global_unsupported[] = {"idle-exit",  "drain-timeout", "max-connections",
						 "access-log", "control",       NULL};

static const cfg_opt_t port_options[] = {
	CFG_STR_LIST("listen", NULL, CFGF_NONE),
	CFG_BOOL("optional", cfg_false, CFGF_NONE),
	CFG_STR("max-packet-size", "8192", CFGF_NONE),
};

static const char *const port_unsupported[] = {
	"allow",           "deny",         "max-connections", "max-connections-per-source",
	"rate-per-source", "accept-proxy", "sniff-timeout",   "idle-timeout",
	"keepalive",       "tls",          "route",           NULL,
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The table of a handler's options, writable as libconfuse's type asks. */
static cfg_opt_t *copy_options(const cfg_opt_t *options)
{
	size_t count = 0;
	cfg_opt_t *copy;

	while (options[count].name)
		count++;
	copy = calloc(count + 1, sizeof *copy);
	if (copy)
		memcpy(copy, options, count * sizeof *copy);
	return copy;
}

static void free_port_options(cfg_opt_t *options)
{
	for (cfg_opt_t *option = options; option && option->name; option++)
		free(option->subopts);
	free(options);
}

static cfg_opt_t *new_port_options(void)
{
	size_t handlers = 0;
	cfg_opt_t *options;

	while (handler_table[handlers])
		handlers++;
	options = calloc(COUNT(port_options) + handlers + 1, sizeof *options);
	if (!options)
		return NULL;
	memcpy(options, port_options, sizeof port_options);
	for (size_t i = 0; i < handlers; i++) {
		cfg_opt_t block = CFG_SEC(handler_table[i]->name, NULL, CFGF_MULTI);

		block.subopts = copy_options(handler_table[i]->options);
		options[COUNT(port_options) + i] = block;
		if (!block.subopts) {
			free_port_options(options);
			return NULL;
		}
	}
	return options;
}

int config_tree_new(cfg_t **ret)
{
	cfg_opt_t options[COUNT(global_options) + 2] = {CFG_END()};
	/* The reader compares titles itself: libconfuse would let the last win. */
	cfg_opt_t ports = CFG_SEC("port", NULL, CFGF_MULTI);
	cfg_t *tree;

	ports.subopts = new_port_options();
	if (!ports.subopts)
		return -ENOMEM;
	memcpy(options, global_options, sizeof global_options);
	options[COUNT(global_options)] = ports;
	/* cfg_init() copies the tables. */
	tree = cfg_init(options, CFGF_NONE);
	free_port_options(ports.subopts);
	if (!tree)
		return -ENOMEM;
	*ret = tree;
	return 0;
}

bool config_block_titled(const char *name)
{
	return strcmp(name, "port") == 0;
}

/* Lists the names that a section refuses so far: up to two lists, then NULL. */
static void list_unsupported(const cfg_t *section, const char *const *ret[3])
{
	const struct handler *handler = handler_find(section->name);

	ret[0] = ret[1] = ret[2] = NULL;
	if (strcmp(section->name, "root") == 0) {
		ret[0] = global_unsupported;
	} else if (strcmp(section->name, "port") == 0) {
		ret[0] = port_unsupported;
		ret[1] = handler_unsupported;
	} else if (handler) {
		ret[0] = handler->unsupported;
	}
}

bool config_unsupported(const cfg_t *section, const char *name)
{
	const char *const *lists[3];

	list_unsupported(section, lists);
	for (size_t i = 0; lists[i]; i++)
		for (const char *const *word = lists[i]; *word; word++)
			if (strcmp(*word, name) == 0)
				return true;
	return false;
}

const char *config_suggest(const cfg_t *section, const char *name)
{
	const char *const *lists[3];
	const char *found = NULL;
	const char **words;
	size_t count = 0;

	while (section->opts[count].name)
		count++;
	/* One more, `include`, which is a word of the reader's. */
	words = calloc(count + 2, sizeof *words);
	for (size_t i = 0; words && i < count; i++)
		words[i] = section->opts[i].name;
	if (words && strcmp(section->name, "root") == 0)
		words[count] = "include";
	if (words)
		found = value_suggest(name, words);
	free(words);
	list_unsupported(section, lists);
	for (size_t i = 0; !found && lists[i]; i++)
		found = value_suggest(name, lists[i]);
	return found;
}
