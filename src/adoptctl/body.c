#include "body.h"

#include "support/quote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void write_text(const char *name, const char *text, FILE *stream)
{
	if (!text)
		return;
	fprintf(stream, "\t\t%s = ", name);
	quote_print(text, stream);
	fputc('\n', stream);
}

static void write_number(const char *indent, const char *name, uint64_t number, FILE *stream)
{
	if (number > 0)
		fprintf(stream, "%s%s = %" PRIu64 "\n", indent, name, number);
}

static void write_words(const struct words *words, FILE *stream)
{
	for (size_t i = 0; i < words->count; i++) {
		fputs(i ? ", " : "", stream);
		quote_print(words->items[i], stream);
	}
}

static void write_list(const char *indent, const char *name, const struct words *words,
		       FILE *stream)
{
	if (words->count == 0)
		return;
	fprintf(stream, "%s%s = {", indent, name);
	write_words(words, stream);
	fputs("}\n", stream);
}

static void write_access(const struct service *service, FILE *stream)
{
	/* An empty `allow` would let everybody in. */
	if (service->restricted && service->allow.count == 0) {
		fputs("\tdeny = {\"0.0.0.0/0\", \"::/0\"}\n", stream);
		return;
	}
	write_list("\t", "allow", &service->allow, stream);
	write_list("\t", "deny", &service->deny, stream);
}

/* Programs that take the socket themselves come and go uncounted. */
static void write_limits(const struct service *service, FILE *stream)
{
	if (service->wait)
		return;
	if (service->handler != SERVICE_EXEC && !service->datagram)
		write_number("\t", "max-connections", service->instances, stream);
	write_number("\t", "max-connections-per-source", service->per_source, stream);
	if (service->per_minute > 0)
		fprintf(stream, "\trate-per-source = %" PRIu64 "/m\n", service->per_minute);
}

static void write_environment(const struct service *service, FILE *stream)
{
	const struct words *inherited = &service->inherited;
	bool more = service->environment.count > 0;

	if (service->environment.count + inherited->count == 0)
		return;
	fputs("\t\tenvironment = {", stream);
	write_words(&service->environment, stream);
	for (size_t i = 0; i < inherited->count; i++) {
		fprintf(stream, "%s\"%s=${%s:-}\"", more ? ", " : "", inherited->items[i],
			inherited->items[i]);
		more = true;
	}
	fputs("}\n", stream);
}

static void write_program(const struct service *service, FILE *stream)
{
	fputs("\texec {\n", stream);
	write_list("\t\t", "command", &service->command, stream);
	write_text("user", service->user, stream);
	write_text("group", service->group, stream);
	write_environment(service, stream);
	if (service->wait)
		fputs("\t\twait = true\n", stream);
	else
		write_number("\t\t", "max-processes", service->instances, stream);
	fputs("\t}\n", stream);
}

static void write_handler(const struct service *service, FILE *stream)
{
	switch (service->handler) {
	case SERVICE_INTERNAL:
		fprintf(stream, "\t%s {}\n", service->internal);
		break;
	case SERVICE_PROXY:
		fputs("\tproxy {\n\t\tupstream = {", stream);
		quote_print(service->upstream, stream);
		fputs("}\n\t}\n", stream);
		break;
	case SERVICE_EXEC:
		write_program(service, stream);
		break;
	}
}

int body_write(const struct service *service, char **ret)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return -ENOMEM;
	/* One configuration is for several units, each of which has some of the sockets; and
	 * not all that is imported has to be switched on. */
	fputs("\toptional = true\n", stream);
	write_access(service, stream);
	write_limits(service, stream);
	write_handler(service, stream);
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
