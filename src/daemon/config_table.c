#include "config_table.h"

#include "handlers/handler.h"
#include "routing/router.h"
#include "support/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const cfg_opt_t global_options[] = {
	CFG_STR("workers", "1", CFGF_NONE),
	CFG_STR("idle-exit", "0", CFGF_NONE),
	CFG_STR("drain-timeout", "30s", CFGF_NONE),
	CFG_STR("max-connections", "0", CFGF_NONE),
	CFG_STR("log-level", "info", CFGF_NONE),
	CFG_STR("log-format", "auto", CFGF_NONE),
	CFG_BOOL("access-log", cfg_false, CFGF_NONE),
	CFG_STR("control", NULL, CFGF_NODEFAULT),
	CFG_STR("control-group", NULL, CFGF_NODEFAULT),
	CFG_STR("sandbox", "yes", CFGF_NONE),
	CFG_END(),
};

static const cfg_opt_t port_options[] = {
	CFG_STR_LIST("listen", NULL, CFGF_NONE),
	CFG_BOOL("optional", cfg_false, CFGF_NONE),
	CFG_STR("max-packet-size", "8192", CFGF_NONE),
	CFG_END(),
};

static const char *const port_unsupported[] = {"tls", NULL};

static size_t count_options(const cfg_opt_t *options)
{
	size_t count = 0;

	while (options && options[count].name)
		count++;
	return count;
}

static void free_options(cfg_opt_t *options)
{
	for (cfg_opt_t *option = options; option && option->name; option++)
		free_options(option->subopts);
	free(options);
}

/* The tables of a block, up to four in a row, NULL for none, writable as libconfuse's
 * type asks; with room for `more` options and the end. */
static cfg_opt_t *join_options(const cfg_opt_t *const tables[4], size_t more)
{
	size_t count = 0, at = 0;
	cfg_opt_t *joined;

	for (size_t i = 0; i < 4; i++)
		count += count_options(tables[i]);
	joined = calloc(count + more + 1, sizeof *joined);
	for (size_t i = 0; joined && i < 4; i++) {
		size_t length = count_options(tables[i]);

		if (length > 0)
			memcpy(joined + at, tables[i], length * sizeof *joined);
		at += length;
	}
	return joined;
}

/* Adds a block without a title to options with room for it. */
static int add_block(cfg_opt_t *options, const char *name, cfg_opt_t *subopts)
{
	cfg_opt_t block = CFG_SEC(name, NULL, CFGF_MULTI);

	if (!subopts)
		return -ENOMEM;
	block.subopts = subopts;
	options[count_options(options)] = block;
	return 0;
}

/* The options of a block that has a handler, and room for one more block. */
static cfg_opt_t *new_handled_options(const cfg_opt_t *const tables[4])
{
	size_t handlers = 0;
	cfg_opt_t *options;

	while (handler_table[handlers])
		handlers++;
	options = join_options(tables, handlers + 1);
	for (size_t i = 0; options && i < handlers; i++) {
		const cfg_opt_t *const own[4] = {handler_table[i]->options};

		if (add_block(options, handler_table[i]->name, join_options(own, 0)) < 0) {
			free_options(options);
			return NULL;
		}
	}
	return options;
}

static cfg_opt_t *new_port_options(void)
{
	const cfg_opt_t *const of_port[4] = {port_options, gate_options, router_options};
	const cfg_opt_t *const of_route[4] = {condition_options};
	cfg_opt_t *options = new_handled_options(of_port);

	if (options && add_block(options, "route", new_handled_options(of_route)) < 0) {
		free_options(options);
		return NULL;
	}
	return options;
}

bool config_lacked_memory(void)
{
	return errno == ENOMEM;
}

/* A tree that is not whole is left alone: see config_read(). */
static cfg_t *init_tree(cfg_opt_t *options)
{
	cfg_t *tree;

	errno = 0;
	tree = cfg_init(options, CFGF_NONE);
	return config_lacked_memory() ? NULL : tree;
}

int config_tree_new(cfg_t **ret)
{
	const cfg_opt_t *const of_root[4] = {global_options};
	cfg_opt_t *options = join_options(of_root, 1);
	cfg_t *tree = NULL;

	/* The reader compares titles itself: libconfuse would let the last win. */
	if (options && add_block(options, "port", new_port_options()) == 0)
		/* cfg_init() copies the tables. */
		tree = init_tree(options);
	free_options(options);
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
	ret[0] = ret[1] = ret[2] = NULL;
	if (strcmp(section->name, "port") == 0) {
		ret[0] = port_unsupported;
		ret[1] = handler_unsupported;
	} else if (strcmp(section->name, "route") == 0) {
		ret[0] = handler_unsupported;
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
