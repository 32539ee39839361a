/* Addresses to text and back, hostile text included (contract row 6's forms). */
#include "adopt/adopt.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof(array)[0])
#define UN_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define UN_PATH_SIZE sizeof((struct sockaddr_un *)NULL)->sun_path

static struct adopt_address parsed(const char *text)
{
	struct adopt_address address;

	ck_assert_msg(adopt_address_parse(text, &address) == 0, "%s", text);
	return address;
}

static void assert_text(const struct adopt_address *address, const char *expected)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	ck_assert_ptr_eq(adopt_address_format(address, text, sizeof text), text);
	ck_assert_str_eq(text, expected);
}

/* A UNIX address as the kernel hands one out. */
static struct adopt_address unix_address(const char *name, size_t length)
{
	struct adopt_address address = {.length = (socklen_t)(UN_PATH_OFFSET + length)};

	address.name.un.sun_family = AF_UNIX;
	memcpy((char *)&address.name + UN_PATH_OFFSET, name, length);
	return address;
}

static const struct {
	const char *text;
	const char *written; /* NULL: as it was read */
	int family;
	unsigned port;
} good[] = {
	{"127.0.0.1:80", NULL, AF_INET, 80},
	{"0.0.0.0:0", NULL, AF_INET, 0},
	{"255.255.255.255:65535", NULL, AF_INET, 65535},
	{"192.0.2.1:00080", "192.0.2.1:80", AF_INET, 80},
	{"[::]:0", NULL, AF_INET6, 0},
	{"[::1]:80", NULL, AF_INET6, 80},
	{"[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535", AF_INET6, 65535},
	{"[::ffff:192.0.2.1]:80", NULL, AF_INET6, 80},
	{"[2001:db8:1111:2222:3333:4444:255.255.255.255]:80",
	 "[2001:db8:1111:2222:3333:4444:ffff:ffff]:80", AF_INET6, 80},
	{"unix:/run/web.sock", NULL, AF_UNIX, 0},
	{"unix:relative", NULL, AF_UNIX, 0},
	{"unix:/with space:80", NULL, AF_UNIX, 0},
	{"unix:@abstract", NULL, AF_UNIX, 0},
	{"unix:@@", NULL, AF_UNIX, 0},
	{"unix:@\\x00", NULL, AF_UNIX, 0},
	{"unix:@a\\x00b\\x0A", NULL, AF_UNIX, 0},
	{"unix:\\x40path", NULL, AF_UNIX, 0},
	{"unix:/back\\x5Cslash", NULL, AF_UNIX, 0},
	{"unix:/\\x2f\\x41\\xfF", "unix://A\\xFF", AF_UNIX, 0},
	{"unix:/\x01\x7f\xc3\xa9", "unix:/\\x01\\x7F\\xC3\\xA9", AF_UNIX, 0},
};

START_TEST(reads_and_writes)
{
	struct adopt_address address = parsed(good[_i].text), again;
	const char *written = good[_i].written ? good[_i].written : good[_i].text;

	ck_assert_int_eq(adopt_address_family(&address), good[_i].family);
	ck_assert_uint_eq(adopt_address_port(&address), good[_i].port);
	assert_text(&address, written);
	again = parsed(written);
	ck_assert(adopt_address_equal(&address, &again));
	ck_assert_uint_eq(address.length, again.length);
}
END_TEST

static const char *const bad[] = {
	"",
	":",
	":80",
	"80",
	"localhost:80",
	"127.0.0.1",
	"127.0.0.1:",
	"127.0.0.1:65536",
	"127.0.0.1:18446744073709551617",
	"127.0.0.1:-1",
	"127.0.0.1:+80",
	"127.0.0.1: 80",
	"127.0.0.1:80 ",
	"127.0.0.1:0x50",
	"127.0.0.1:http",
	" 127.0.0.1:80",
	"127.1:80",
	"2130706433:80",
	"0177.0.0.1:80",
	"127.0.0.256:80",
	"127.0.0.1.1:80",
	"127.0.0.1%lo:80",
	"::1:80",
	"[::1]",
	"[::1]:",
	"[::1]80",
	"[::1:80",
	"::1]:80",
	"[]:80",
	"[:80",
	"]:80",
	"[[::1]]:80",
	"[127.0.0.1]:80",
	"[::1::]:80",
	"[12345::]:80",
	"[junk%lo]:80",
	"[2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee]:80",
	"unix:",
	"unix:@",
	"unix:/a\\",
	"unix:/a\\b",
	"unix:/a\\x",
	"unix:/a\\x4",
	"unix:/a\\x4g",
	"unix:/a\\xg4",
	"unix:/a\\x-1",
	"unix:/a\\X41",
	"unix:/a\\x00",
	"unix:\\x00abstract",
	"Unix:/path",
	"unix",
	"vsock:",
	"vsock:2",
	"vsock:2:",
	"vsock::80",
	"vsock:2:80:",
	"vsock:-1:80",
	"vsock:2:-1",
	"vsock:any:80",
	"vsock:4294967296:80",
	"vsock:2:4294967296",
	"vsock:00000000000000000000000000000000002:80",
	"tcp:127.0.0.1:80",
};

static void assert_refused(const char *text, int error)
{
	struct adopt_address address, untouched;

	memset(&address, 0xa5, sizeof address);
	untouched = address;
	ck_assert_msg(adopt_address_parse(text, &address) == error, "%s", text);
	ck_assert_mem_eq(&address, &untouched, sizeof address);
}

START_TEST(refuses_text)
{
	assert_refused(bad[_i], -EINVAL);
}
END_TEST

START_TEST(refuses_long_text)
{
	static char text[100000];

	memset(text, '1', sizeof text - 1);
	assert_refused(text, -EINVAL);
	memcpy(text + sizeof text - 4, ":80", 4);
	assert_refused(text, -EINVAL);
	text[0] = '[';
	text[sizeof text - 5] = ']';
	assert_refused(text, -EINVAL);
	memcpy(text, "[::1%", 5);
	assert_refused(text, -EINVAL);
	memcpy(text, "unix:", 5);
	assert_refused(text, -ENAMETOOLONG);
	text[5] = '@';
	assert_refused(text, -ENAMETOOLONG);
}
END_TEST

START_TEST(refuses_scopes)
{
	assert_refused("[fe80::1%]:80", -ENODEV);
	assert_refused("[fe80::1%0]:80", -ENODEV);
	assert_refused("[fe80::1%4294967296]:80", -ENODEV);
	assert_refused("[fe80::1%no such link]:80", -ENODEV);
	assert_refused("[fe80::1%1%2]:80", -ENODEV);
}
END_TEST

START_TEST(keeps_the_scope)
{
	char name[IF_NAMESIZE], text[64];
	struct if_nameindex *links = if_nameindex();
	struct adopt_address by_name, by_index, other;
	unsigned index;

	ck_assert_ptr_nonnull(links);
	ck_assert_uint_ne(links[0].if_index, 0);
	index = links[0].if_index;
	snprintf(name, sizeof name, "%s", links[0].if_name);
	if_freenameindex(links);

	snprintf(text, sizeof text, "[fe80::1%%%u]:80", index);
	by_index = parsed(text);
	snprintf(text, sizeof text, "[fe80::1%%%s]:80", name);
	by_name = parsed(text);
	ck_assert_uint_eq(by_name.name.in6.sin6_scope_id, index);
	ck_assert(adopt_address_equal(&by_name, &by_index));
	assert_text(&by_index, text);

	/* An index that no interface has stays a number. */
	other = parsed("[fe80::1%4294967295]:80");
	ck_assert_uint_eq(other.name.in6.sin6_scope_id, 4294967295);
	ck_assert(!adopt_address_equal(&by_index, &other));
	assert_text(&other, "[fe80::1%4294967295]:80");
	other = parsed("[fe80::1]:80");
	ck_assert(!adopt_address_equal(&by_index, &other));
}
END_TEST

START_TEST(vsock)
{
	struct adopt_address address, other;

	if (adopt_address_parse("vsock:2:80", &address) == -EAFNOSUPPORT)
		return;
	ck_assert(adopt_family_supported(adopt_address_family(&address)));
	ck_assert_uint_eq(adopt_address_port(&address), 80);
	assert_text(&address, "vsock:2:80");
	other = parsed("vsock:3:80");
	ck_assert(!adopt_address_equal(&address, &other));
	other = parsed("vsock:2:81");
	ck_assert(!adopt_address_equal(&address, &other));
	other = parsed("vsock:2:80");
	ck_assert(adopt_address_equal(&address, &other));
	address = parsed("vsock:4294967295:4294967295");
	ck_assert_uint_eq(adopt_address_port(&address), 4294967295);
	assert_text(&address, "vsock:4294967295:4294967295");
}
END_TEST

/* The longest UNIX names: a path keeps a closing NUL, an abstract name has its
 * leading one. */
START_TEST(unix_limits)
{
	char text[5 + UN_PATH_SIZE + 1];
	struct adopt_address address;

	memcpy(text, "unix:", 5);
	memset(text + 5, 'a', UN_PATH_SIZE);
	text[5 + UN_PATH_SIZE] = '\0';
	assert_refused(text, -ENAMETOOLONG);
	text[5 + UN_PATH_SIZE - 1] = '\0';
	address = parsed(text);
	ck_assert_uint_eq(address.length, sizeof(struct sockaddr_un));
	assert_text(&address, text);

	text[5] = '@';
	text[5 + UN_PATH_SIZE - 1] = 'z';
	address = parsed(text);
	ck_assert_uint_eq(address.length, sizeof(struct sockaddr_un));
	assert_text(&address, text);
}
END_TEST

/* The text that needs the most room: a name of nothing but bytes to be escaped. */
START_TEST(longest_text)
{
	char name[UN_PATH_SIZE], text[ADOPT_ADDRESS_TEXT_SIZE];
	struct adopt_address address, again;

	memset(name, 0xff, sizeof name);
	address = unix_address(name, sizeof name);
	adopt_address_format(&address, text, sizeof text);
	ck_assert_uint_eq(strlen(text), 5 + 4 * sizeof name);
	name[0] = '\0';
	address = unix_address(name, sizeof name);
	again = parsed(adopt_address_format(&address, text, sizeof text));
	ck_assert(adopt_address_equal(&address, &again));
}
END_TEST

START_TEST(unnamed_and_unknown)
{
	struct adopt_address unknown = {0}, odd = {.length = sizeof odd.name.any};
	struct adopt_address unnamed = unix_address("", 0), named = parsed("unix:/a");

	assert_text(&unnamed, "unix:");
	assert_text(&unknown, "unknown");
	ck_assert_int_eq(adopt_address_family(&unnamed), AF_UNIX);
	ck_assert_int_eq(adopt_address_family(&unknown), AF_UNSPEC);
	ck_assert_uint_eq(adopt_address_port(&unknown), 0);
	ck_assert(!adopt_address_equal(&unnamed, &unnamed));
	ck_assert(!adopt_address_equal(&unknown, &unknown));
	ck_assert(!adopt_address_equal(&unnamed, &named));
	odd.name.any.sa_family = 200;
	assert_text(&odd, "unknown");
	ck_assert(!adopt_address_equal(&odd, &odd));
}
END_TEST

/* The kernel counts a path's NUL in, or (where 108 bytes are used) does not. */
START_TEST(unix_paths_of_the_kernel)
{
	char longest[UN_PATH_SIZE];
	struct adopt_address plain = unix_address("/a", 2), closed = unix_address("/a", 3), full;

	ck_assert(adopt_address_equal(&plain, &closed));
	assert_text(&plain, "unix:/a");
	memset(longest, 'p', sizeof longest);
	full = unix_address(longest, sizeof longest);
	ck_assert(adopt_address_equal(&full, &full));
	ck_assert(!adopt_address_equal(&full, &plain));
}
END_TEST

START_TEST(differences)
{
	static const char *const all[] = {
		"127.0.0.1:80",   "127.0.0.1:81", "127.0.0.2:80",      "[::1]:80",
		"[::1]:81",       "[::2]:80",     "[::7f00:1]:80",     "unix:/a",
		"unix:/ab",       "unix:/b",      "unix:@/a",          "unix:@/a\\x00",
		"unix:\\x40/a",   "unix:@a",      "unix:@a\\x00b",     "unix:@a\\x00c",
		"unix:127.0.0.1", "unix:[::1]",   "[::ffff:7f00:1]:80"};

	for (int i = 0; i < LENGTH(all); i++) {
		for (int j = 0; j < LENGTH(all); j++) {
			struct adopt_address a = parsed(all[i]), b = parsed(all[j]);

			ck_assert_msg(adopt_address_equal(&a, &b) == (i == j), "%s and %s", all[i],
				      all[j]);
		}
	}
}
END_TEST

START_TEST(cuts_to_size)
{
	struct adopt_address address = parsed(good[_i].text);
	char whole[ADOPT_ADDRESS_TEXT_SIZE];
	size_t length = strlen(adopt_address_format(&address, whole, sizeof whole));

	/* Each buffer of just its size, so that a checker sees a byte too many. */
	for (size_t size = 1; size <= length + 1; size++) {
		char *text = malloc(size);

		ck_assert_ptr_nonnull(text);
		ck_assert_ptr_eq(adopt_address_format(&address, text, size), text);
		ck_assert_uint_eq(strlen(text), size - 1);
		ck_assert_mem_eq(text, whole, size - 1);
		free(text);
	}
	memset(whole, 'x', sizeof whole);
	adopt_address_format(&address, whole, 0);
	ck_assert_int_eq(whole[0], 'x');
}
END_TEST

START_TEST(families)
{
	ck_assert(adopt_family_supported(AF_INET));
	ck_assert(adopt_family_supported(AF_INET6));
	ck_assert(adopt_family_supported(AF_UNIX));
	ck_assert(!adopt_family_supported(AF_UNSPEC));
	ck_assert(!adopt_family_supported(-1));
	ck_assert(!adopt_family_supported(200));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, reads_and_writes, 0, LENGTH(good));
	tcase_add_loop_test(tests, refuses_text, 0, LENGTH(bad));
	tcase_add_test(tests, refuses_long_text);
	tcase_add_test(tests, refuses_scopes);
	tcase_add_test(tests, keeps_the_scope);
	tcase_add_test(tests, vsock);
	tcase_add_test(tests, unix_limits);
	tcase_add_test(tests, longest_text);
	tcase_add_test(tests, unnamed_and_unknown);
	tcase_add_test(tests, unix_paths_of_the_kernel);
	tcase_add_test(tests, differences);
	tcase_add_loop_test(tests, cuts_to_size, 0, LENGTH(good));
	tcase_add_test(tests, families);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
