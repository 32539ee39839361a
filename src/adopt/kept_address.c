#include "kept_address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a long one is. */
static void *apart(const struct kept_address *kept)
{
	void *address;

	if (kept->length <= sizeof kept->bytes)
		return NULL;
	memcpy(&address, kept->bytes, sizeof address);
	return address;
}

int address_keep(struct kept_address *kept, const struct adopt_address *address)
{
	const void *bytes = &address->name;
	void *copy = NULL;

	if (address->length > sizeof kept->bytes) {
		copy = malloc(address->length);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, bytes, address->length);
	}
	address_forget(kept);
	if (copy)
		memcpy(kept->bytes, &copy, sizeof copy);
	else
		memcpy(kept->bytes, bytes, address->length);
	kept->length = address->length;
	return 0;
}

void address_kept(const struct kept_address *kept, struct adopt_address *ret)
{
	const void *long_one = apart(kept);

	memcpy(&ret->name, long_one ? long_one : kept->bytes, kept->length);
	ret->length = kept->length;
}

void address_forget(struct kept_address *kept)
{
	free(apart(kept));
	kept->length = 0;
}
