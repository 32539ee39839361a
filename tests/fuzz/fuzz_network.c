#include "fuzz_verdict.h"
#include "routing/network.h"

#include <string.h>

static struct adopt_address address_in(const struct network *network)
{
	struct adopt_address address = {0};

	address.name.any.sa_family = (sa_family_t)network->family;
	if (network->family == AF_INET) {
		address.length = sizeof address.name.in;
		memcpy(&address.name.in.sin_addr, network->address, 4);
	} else if (network->family == AF_INET6) {
		address.length = sizeof address.name.in6;
		memcpy(&address.name.in6.sin6_addr, network->address, 16);
	} else {
		address.length = sizeof address.name.un;
	}
	return address;
}

/* A network holds its own first address; what is wrong is told in words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	char text[128], problem[NETWORK_PROBLEM_SIZE] = "";
	struct network network = {0};
	struct adopt_address address;

	if (length >= sizeof text)
		return 0;
	if (length > 0)
		memcpy(text, data, length);
	text[length] = '\0';
	if (network_parse(text, &network, problem) < 0) {
		FUZZ_REQUIRE(problem[0] != '\0' && memchr(problem, '\0', sizeof problem));
		return 0;
	}
	address = address_in(&network);
	FUZZ_REQUIRE(network_contains(&network, &address));
	return 0;
}
