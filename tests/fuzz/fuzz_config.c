/* Whatever adoptd.conf says: faults or a configuration, whose dump reads back the same. */
#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static char *dump(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	config_dump(config, stream);
	fclose(stream);
	return text;
}

static struct config *read_text(const char *text)
{
	struct faults *faults = NULL;
	struct config *config = NULL;
	int result;

	if (faults_new(&faults) < 0)
		abort();
	result = config_read(NULL, text, faults, &config);
	/* A configuration and an error exclude each other, and one of them there is. */
	if ((result == 0) != (config != NULL) ||
	    (result == 0) != (faults_count(faults, FAULT_ERROR) == 0))
		abort();
	faults_free(&faults);
	return config;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct config *config, *again;
	char *first, *second;

	/* Names cannot be written otherwise: no file of this machine is read. */
	config = strstr(text, "include") || strstr(text, "file") ? NULL : read_text(text);
	free(text);
	if (!config)
		return 0;
	first = dump(config);
	again = read_text(first);
	if (!again)
		abort();
	second = dump(again);
	if (strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	config_free(&config);
	config_free(&again);
	return 0;
}
