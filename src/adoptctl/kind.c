#include "kind.h"

#include "lines.h"
#include "program.h"
#include "words.h"

#include <errno.h>
#include <string.h>

int kind_parse(const char *text, enum kind *ret)
{
	if (strcmp(text, "inetd") == 0)
		*ret = KIND_INETD;
	else if (strcmp(text, "xinetd") == 0)
		*ret = KIND_XINETD;
	else
		return -EINVAL;
	return 0;
}

/* Tells whether a line begins an entry of xinetd.conf; one of inetd.conf is longer. */
static bool is_of_xinetd(const struct line *line)
{
	static const char *const keywords[] = {"defaults", "service", "include", "includedir"};
	struct words words = {0};
	bool found = false;

	if (words_split(&words, line->text, line->length, false) == 0 && words.count <= 3)
		for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
			found = found || strcmp(words.items[0], keywords[i]) == 0;
	words_done(&words);
	return found;
}

enum kind kind_guess(const char *text, size_t length, const char *name)
{
	struct lines lines = {.at = text, .end = text + length};
	struct line line;

	while (lines_next(&lines, &line)) {
		char first = line_first(&line);

		if (first != '#' && first != '\0')
			return is_of_xinetd(&line) ? KIND_XINETD : KIND_INETD;
	}
	return strncmp(program_name(name), "xinetd", 6) == 0 ? KIND_XINETD : KIND_INETD;
}
