#include "units.h"

#include "adoptctl/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Writes what came from outside, where any text may stand. */
static void write_text(const char *text, FILE *stream)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '%')
			fputs("%%", stream);
		else
			fputc(byte < 0x20 || byte > 0x7e || byte == '\\' ? '?' : byte, stream);
	}
}

/* Writes a word of a command line: systemd.service(5). */
static void write_word(const char *word, FILE *stream)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+@:=-";

	if (word[strspn(word, plain)] == '\0') {
		fputs(word, stream);
		return;
	}
	fputc('"', stream);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			fputc('\\', stream);
		else if (*word == '%' || *word == '$')
			fputc(*word, stream);
		fputc(*word, stream);
	}
	fputc('"', stream);
}

static void write_lines(const struct words *lines, FILE *stream)
{
	for (size_t i = 0; i < lines->count; i++)
		fprintf(stream, "%s\n", lines->items[i]);
}

/* Returns whether some address is of IPv6, and whether some is of one interface only. */
static void look_at(const struct words *addresses, bool *ret_v6, bool *ret_bound)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const char *address = addresses->items[i];

		*ret_v6 = *ret_v6 || address[0] == '[';
		*ret_bound =
			*ret_bound || (address[0] != '/' && strncmp(address, "[::]:", 5) != 0 &&
				       strncmp(address, "0.0.0.0:", 8) != 0);
	}
}

static void write_addresses(const char *name, const struct words *addresses, bool v4_mapped,
			    FILE *stream)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const char *address = addresses->items[i];

		/* Its port alone serves where there is no IPv6, too. */
		if (v4_mapped && strncmp(address, "[::]:", 5) == 0)
			address += 5;
		fprintf(stream, "%s=", name);
		write_text(address, stream);
		fputc('\n', stream);
	}
}

static int write_socket(const struct block *block, const struct blocks_unit *unit,
			struct output *output)
{
	bool v6 = false, bound = false;
	char *name = NULL;
	FILE *stream = NULL;

	if (asprintf(&name, "%s%s.socket", BLOCKS_UNIT_PREFIX, block->name) >= 0)
		stream = output_begin(output, name);
	free(name);
	if (!stream)
		return -ENOMEM;
	look_at(&block->streams, &v6, &bound);
	look_at(&block->datagrams, &v6, &bound);
	fprintf(stream, "[Unit]\nDescription=%s, as in ", block->name);
	write_text(block->sources.items[0], stream);
	fprintf(stream,
		"\nDocumentation=man:adoptd(8)\n"
		"\n[Socket]\n"
		"Service=%s.service\n"
		"FileDescriptorName=%s\n",
		unit->name, block->name);
	write_addresses("ListenStream", &block->streams, block->v4_mapped, stream);
	write_addresses("ListenDatagram", &block->datagrams, block->v4_mapped, stream);
	if (v6)
		fprintf(stream, "BindIPv6Only=%s\n", block->v4_mapped ? "both" : "ipv6-only");
	/* inetd tries again until there is such an address. */
	if (bound)
		fputs("FreeBind=yes\n", stream);
	write_lines(block->socket, stream);
	fputs("\n[Install]\nWantedBy=sockets.target\n", stream);
	return 0;
}

static void write_command(const char *name, const struct units_target *target, const char *option,
			  FILE *stream)
{
	fprintf(stream, "%s=", name);
	write_word(target->program, stream);
	fprintf(stream, "%s -c ", option);
	write_word(target->config, stream);
	fputc('\n', stream);
}

static const char unit_head[] =
	"[Unit]\n"
	"Description=%s\n"
	"Documentation=man:adoptd(8) man:adoptd.conf(5)\n"
	"After=network.target nss-lookup.target\n"
	"# A fault in the configuration is retried, not given up: giving up would close\n"
	"# the sockets (TriggerLimitBurst= in systemd.socket(5)).\n"
	"StartLimitIntervalSec=0\n"
	"\n"
	"[Service]\n"
	"Type=notify\n";

static const char unit_of_programs[] =
	"# When adoptd is to stop it waits for its programs, and then ends them itself.\n"
	"KillMode=mixed\n"
	"\n"
	"# The programs run as their users, and may do what those may: what they do not\n"
	"# need can be taken away here (systemd.exec(5)).\n";

static int write_service(const struct blocks_unit *unit, const struct units_target *target,
			 struct output *output)
{
	char *name = NULL;
	FILE *stream = NULL;

	if (asprintf(&name, "%s.service", unit->name) >= 0)
		stream = output_begin(output, name);
	free(name);
	if (!stream)
		return -ENOMEM;
	fprintf(stream, unit_head,
		unit->runs_programs ? "Programs on sockets, as inetd has them"
				    : "Internet services");
	write_command("ExecStartPre", target, " --check", stream);
	write_command("ExecStart", target, "", stream);
	write_command("ExecReload", target, " --check", stream);
	fputs("ExecReload=kill -HUP $MAINPID\nRestart=on-failure\nRestartSec=1s\n"
	      "WatchdogSec=1min\n",
	      stream);
	write_lines(unit->lines, stream);
	fputs(unit->runs_programs ? unit_of_programs : sandbox, stream);
	return 0;
}

int units_write(const struct blocks *blocks, const struct units_target *target,
		struct output *output)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < blocks->count; i++)
		error = write_socket(&blocks->items[i], &blocks->units[blocks->items[i].unit],
				     output);
	for (size_t i = 0; error == 0 && i < blocks->unit_count; i++)
		error = write_service(&blocks->units[i], target, output);
	return error;
}
