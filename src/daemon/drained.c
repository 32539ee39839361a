#include "drained.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Returns where the name is, or where it would be added. */
static size_t find(const struct drained *drained, const char *name)
{
	size_t i = 0;

	while (i < drained->count && strcmp(drained->names[i], name) != 0)
		i++;
	return i;
}

bool drained_has(const struct drained *drained, const char *name)
{
	return find(drained, name) < drained->count;
}

int drained_add(struct drained *drained, const char *name)
{
	char **names, *copy;

	if (drained_has(drained, name))
		return 0;
	names = realloc(drained->names, (drained->count + 1) * sizeof *names);
	if (!names)
		return -ENOMEM;
	drained->names = names;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	names[drained->count++] = copy;
	return 0;
}

void drained_remove(struct drained *drained, const char *name)
{
	size_t i = find(drained, name);

	if (i == drained->count)
		return;
	free(drained->names[i]);
	drained->names[i] = drained->names[--drained->count];
}

void drained_keep(struct drained *drained, const struct config *config)
{
	for (size_t i = drained->count; i-- > 0;)
		if (!config_find_port(config, drained->names[i]))
			drained_remove(drained, drained->names[i]);
}

void drained_done(struct drained *drained)
{
	while (drained->count > 0)
		free(drained->names[--drained->count]);
	free(drained->names);
	*drained = (struct drained){0};
}
