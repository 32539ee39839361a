#include "daemon/config.h"
#include "support/quote.h"

static void print_value(cfg_opt_t *option, unsigned index, FILE *stream)
{
	if (option->type == CFGT_STR)
		quote_print(cfg_opt_getnstr(option, index), stream);
	else
		cfg_opt_nprint_var(option, index, stream);
}

static void print_option(cfg_opt_t *option, int depth, FILE *stream)
{
	bool list = option->flags & CFGF_LIST;
	unsigned count = cfg_opt_size(option);

	/* An option without a default that is left out stays so. */
	if (!list && (count == 0 || (option->type == CFGT_STR && !cfg_opt_getnstr(option, 0))))
		return;
	fprintf(stream, "%*s%s = %s", 4 * depth, "", option->name, list ? "{" : "");
	for (unsigned i = 0; i < count; i++) {
		fputs(i ? ", " : "", stream);
		print_value(option, i, stream);
	}
	fprintf(stream, "%s\n", list ? "}" : "");
}

static void print_section(cfg_t *section, int depth, FILE *stream);

static void print_blocks(cfg_opt_t *option, int depth, FILE *stream)
{
	for (unsigned i = 0; i < cfg_opt_size(option); i++) {
		cfg_t *block = cfg_opt_getnsec(option, i);

		fprintf(stream, "%s%*s%s ", depth ? "" : "\n", 4 * depth, "", option->name);
		if (cfg_title(block)) {
			quote_print(cfg_title(block), stream);
			fputc(' ', stream);
		}
		fputs("{\n", stream);
		print_section(block, depth + 1, stream);
		fprintf(stream, "%*s}\n", 4 * depth, "");
	}
}

static void print_section(cfg_t *section, int depth, FILE *stream)
{
	for (cfg_opt_t *option = section->opts; option->name; option++) {
		if (option->type == CFGT_SEC)
			print_blocks(option, depth, stream);
		else
			print_option(option, depth, stream);
	}
}

void config_dump_port(const struct config *config, size_t port, FILE *stream)
{
	print_section(cfg_getnsec(config->tree, "port", (unsigned)port), 0, stream);
}

void config_dump(const struct config *config, FILE *stream)
{
	print_section(config->tree, 0, stream);
}
