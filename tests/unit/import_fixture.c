#include "import_fixture.h"

#include "adoptctl/conf.h"
#include "adoptctl/inetd.h"
#include "adoptctl/units.h"
#include "adoptctl/xinetd.h"
#include "made_up_names.h"

#include <stdlib.h>
#include <string.h>

char *imported, *said;

static void print_faults(const struct faults *faults)
{
	size_t size;
	FILE *stream = open_memstream(&said, &size);

	faults_print(faults, stream);
	fclose(stream);
}

static void print_files(const struct services *services, const struct blocks *blocks)
{
	static const struct units_target target = {"/usr/sbin/adoptd", "/etc/adoptd/adoptd.conf"};
	struct output *output;
	size_t size;
	FILE *stream = open_memstream(&imported, &size);

	ck_assert_int_eq(output_new(&output), 0);
	ck_assert_int_eq(conf_write(services, blocks, output), 0);
	ck_assert_int_eq(units_write(blocks, &target, output), 0);
	ck_assert_int_eq(output_print(output, stream), 0);
	fclose(stream);
	output_free(&output);
}

void import_text(enum kind kind, const char *text)
{
	struct services *services = calloc(1, sizeof *services);
	struct blocks *blocks = NULL;
	struct faults *faults;
	int error;

	import_teardown();
	ck_assert_int_eq(faults_new(&faults), 0);
	error = (kind == KIND_XINETD ? xinetd_read : inetd_read)(text, strlen(text), "conf",
								 &made_up_names, faults, services);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(blocks_new(services, faults, &blocks), 0);
	print_files(services, blocks);
	print_faults(faults);
	blocks_free(&blocks);
	services_free(&services);
	faults_free(&faults);
}

void assert_imported(const char *text)
{
	ck_assert_msg(strstr(imported, text), "not found:\n%s\nin:\n%s", text, imported);
}

void assert_said(const char *text)
{
	ck_assert_msg(strstr(said, text), "not said: %s\nbut: %s", text, said);
}

void import_teardown(void)
{
	free(imported);
	free(said);
	imported = said = NULL;
}
