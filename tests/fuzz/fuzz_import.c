#include "fuzz_import.h"

#include "adoptctl/conf.h"
#include "adoptctl/inetd.h"
#include "adoptctl/units.h"
#include "adoptctl/xinetd.h"
#include "daemon/config.h"
#include "made_up_names.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Returns all files as adoptctl prints them. */
static char *print_files(const struct services *services, const struct blocks *blocks)
{
	static const struct units_target target = {"/usr/sbin/adoptd", "/etc/adoptd/adoptd.conf"};
	struct output *output;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	require(output_new(&output) == 0);
	require(conf_write(services, blocks, output) == 0);
	require(units_write(blocks, &target, output) == 0);
	require(output_print(output, stream) == 0);
	fclose(stream);
	output_free(&output);
	return text;
}

static char *import_text(enum kind kind, const char *text, size_t length)
{
	struct services *services = calloc(1, sizeof *services);
	struct faults *faults = NULL;
	struct blocks *blocks = NULL;
	char *files;

	require(services && faults_new(&faults) == 0);
	require((kind == KIND_XINETD ? xinetd_read : inetd_read)(
			text, length, "conf", &made_up_names, faults, services) == 0);
	require(blocks_new(services, faults, &blocks) == 0);
	files = print_files(services, blocks);
	blocks_free(&blocks);
	faults_free(&faults);
	services_free(&services);
	return files;
}

static void check_config(const char *text)
{
	struct faults *faults = NULL;
	struct config *config = NULL;

	/* Of no service adoptctl makes no configuration. */
	if (!strstr(text, "\nport \""))
		return;
	require(faults_new(&faults) == 0);
	/* Of programs that are not there it only warns. */
	if (config_read(NULL, text, faults, &config) < 0) {
		faults_print(faults, stderr);
		fputs(text, stderr);
		abort();
	}
	config_free(&config);
	faults_free(&faults);
}

/* A section, a comment, `Name=value` or nothing, in ASCII. */
static void check_unit(char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		for (const char *at = line; *at; at++)
			require(*at >= ' ' && *at < 0x7f);
		require(*line == '[' || *line == '#' || line[strspn(line, letters)] == '=');
	}
}

int fuzz_import(enum kind kind, const uint8_t *data, size_t length)
{
	char *text = malloc(length + 1);
	char *files, *units;

	require(text != NULL);
	memcpy(text, data, length);
	text[length] = '\0';
	if (memchr(text, '\0', length) || strstr(text, "include")) {
		free(text);
		return 0;
	}
	files = import_text(kind, text, length);
	units = strstr(files + 1, "\n#### ");
	if (units)
		*units++ = '\0';
	check_config(files);
	if (units)
		check_unit(units);
	free(files);
	free(text);
	return 0;
}
