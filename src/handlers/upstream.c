#include "upstream.h"

#include "support/endpoint.h"
#include "support/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int append(struct upstreams *upstreams, const struct adopt_address *more, size_t count)
{
	struct upstream *grown =
		realloc(upstreams->items, (upstreams->count + count) * sizeof *grown);

	if (!grown)
		return -ENOMEM;
	upstreams->items = grown;
	for (size_t i = 0; i < count; i++)
		grown[upstreams->count++] = (struct upstream){.address = more[i]};
	return 0;
}

int upstreams_resolve(char *const *texts, size_t count, int type, struct upstreams *ret)
{
	struct upstreams upstreams = {0};

	for (size_t i = 0; i < count; i++) {
		struct adopt_address *found;
		size_t found_count;
		int error = endpoint_resolve(texts[i], type, &found, &found_count);

		if (error == 0) {
			error = append(&upstreams, found, found_count);
			free(found);
		}
		if (error < 0) {
			log_error("proxy: upstream %s cannot be resolved: %s", texts[i],
				  strerror(-error));
			upstreams_free(&upstreams);
			return error;
		}
	}
	*ret = upstreams;
	return 0;
}

void upstreams_free(struct upstreams *upstreams)
{
	free(upstreams->items);
	*upstreams = (struct upstreams){0};
}

size_t upstreams_begin(struct upstreams *upstreams)
{
	size_t begin = upstreams->next;

	upstreams->next = (begin + 1) % upstreams->count;
	return begin;
}

void upstream_note(struct upstream *upstream, int error)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	if (upstream->down == (error != 0))
		return;
	upstream->down = error != 0;
	adopt_address_format(&upstream->address, text, sizeof text);
	if (error)
		log_warning("proxy: upstream %s does not answer: %s", text, strerror(-error));
	else
		log_notice("proxy: upstream %s answers again", text);
}
