/* Upstart's socket event: UPSTART_EVENTS has the word `socket`, and UPSTART_FDS is one
 * descriptor; see socket-event(7). */
#include "environment.h"

#include <string.h>

static const struct dialect dialect = {.giver = "upstart", .example = "UPSTART_FDS=3"};

static bool is_socket_event(void)
{
	static const char word[] = "socket";
	const char *events = environment_value("UPSTART_EVENTS");

	while (*events) {
		size_t length = strcspn(events, " ");

		if (length == strlen(word) && memcmp(events, word, length) == 0)
			return true;
		events += length + (events[length] == ' ');
	}
	return false;
}

static int take(struct inherited_list *list, char **ret_message)
{
	const struct announced announced = {
		.variable = "UPSTART_FDS",
		.number = environment_value("UPSTART_FDS"),
	};

	if (!*announced.number)
		return 0;
	if (is_socket_event())
		return environment_take(&dialect, &announced, list, ret_message);
	inherited_note(list, "UPSTART_FDS=%s is ignored: UPSTART_EVENTS=%s has no `socket`",
		       announced.number, environment_value("UPSTART_EVENTS"));
	return 0;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {"UPSTART_FDS", "UPSTART_EVENTS", NULL};
	int r = take(list, ret_message);

	(void)request;
	environment_unset(announcing);
	return r;
}

const struct giver giver_upstart = {.name = "upstart", .collect = collect};
