/* Outbound connects of the memory reactor (contract row 28). */
#include "memory_case.h"

#include <errno.h>

START_TEST(connect_succeeds)
{
	struct adopt_address address = address_of("[2001:db8::9]:80"), got;
	struct adopt_address own = address_of("[2001:db8::1]:80");
	struct adopt_transport *transport = NULL;

	connector_to(&address, 100);
	ck_assert_int_eq(adopt_memory_connect_finish(loop, 1, 0, &transport), -ENOENT);
	ck_assert_int_eq(adopt_memory_connect_finish(loop, 0, 0, &transport), 0);
	ck_assert(connect_record(0)->done);
	ck_assert_uint_eq(factory->count, 1);
	assert_same_address(&factory->built[0]->peer, &address);
	ck_assert_uint_eq(factory->built[0]->made, 1);
	ck_assert_ptr_eq(transport_of(factory->built[0]), transport);
	ck_assert_int_eq(adopt_transport_local(transport, &got), 0);
	assert_same_address(&got, &own);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
	ck_assert_int_eq(adopt_memory_connect_finish(loop, 0, 0, &transport), -ENOENT);
	adopt_memory_advance(loop, 1000);
	ck_assert_uint_eq(factory->connect_failed, 0);
}
END_TEST

START_TEST(connect_fails)
{
	struct adopt_address address = address_of("192.0.2.9:80");

	connector_to(&address, 100);
	ck_assert_int_eq(adopt_memory_connect_finish(loop, 0, -ECONNREFUSED, NULL), 0);
	ck_assert_uint_eq(factory->connect_failed, 1);
	ck_assert_int_eq(factory->connect_error, -ECONNREFUSED);
	ck_assert(connect_record(0)->done);
	adopt_memory_advance(loop, 1000);
	ck_assert_uint_eq(factory->connect_failed, 1);
}
END_TEST

START_TEST(connect_builds_nothing)
{
	struct adopt_address address = address_of("192.0.2.9:80");
	struct adopt_transport *transport = NULL;

	factory->refuse = 1;
	connector_to(&address, 0);
	ck_assert_int_eq(adopt_memory_connect_finish(loop, 0, 0, &transport), -ECONNABORTED);
	ck_assert_ptr_null(transport);
	ck_assert_uint_eq(factory->connect_failed, 1);
	ck_assert_int_eq(factory->connect_error, -ECONNABORTED);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
}
END_TEST

START_TEST(connect_times_out)
{
	struct adopt_address address = address_of("192.0.2.9:80");

	connector_to(&address, 0);
	connector_to(&address, 100);
	adopt_memory_advance(loop, 99);
	ck_assert_uint_eq(factory->connect_failed, 0);
	adopt_memory_advance(loop, 1);
	ck_assert_uint_eq(factory->connect_failed, 1);
	ck_assert_int_eq(factory->connect_error, -ETIMEDOUT);
	ck_assert(!connect_record(0)->done);
	ck_assert(connect_record(1)->done);
}
END_TEST

START_TEST(connect_is_cancelled)
{
	struct adopt_address address = address_of("192.0.2.9:80");
	struct adopt_connector *connector = connector_to(&address, 100);

	adopt_connector_cancel(&connector);
	ck_assert_ptr_null(connector);
	adopt_connector_cancel(&connector);
	ck_assert(connect_record(0)->done);
	ck_assert_int_eq(adopt_memory_connect_finish(loop, 0, 0, NULL), -ENOENT);
	adopt_memory_advance(loop, 1000);
	ck_assert_uint_eq(factory->connect_failed + factory->asked, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory connect");
	TCase *tests = memory_case("memory connect");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, connect_succeeds);
	tcase_add_test(tests, connect_fails);
	tcase_add_test(tests, connect_builds_nothing);
	tcase_add_test(tests, connect_times_out);
	tcase_add_test(tests, connect_is_cancelled);
	return harness_main(suite);
}
