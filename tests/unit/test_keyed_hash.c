#include "support/keyed_hash.h"

#include <check.h>
#include <stdlib.h>

/* Appendix A of the SipHash paper. */
START_TEST(the_authors_example)
{
	struct hash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
	unsigned char bytes[15];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	ck_assert_uint_eq(keyed_hash(&key, bytes, sizeof bytes), UINT64_C(0xa129ca6149be45e5));
}
END_TEST

START_TEST(every_length_and_bit_counts)
{
	struct hash_key key = {{1, 2}};
	unsigned char bytes[33] = {0};
	uint64_t before = keyed_hash(&key, bytes, 0);

	for (size_t length = 1; length <= sizeof bytes; length++) {
		uint64_t plain = keyed_hash(&key, bytes, length);

		ck_assert_uint_ne(plain, before);
		bytes[length - 1] ^= 0x80;
		ck_assert_uint_ne(keyed_hash(&key, bytes, length), plain);
		bytes[length - 1] ^= 0x80;
		before = plain;
	}
}
END_TEST

START_TEST(keys_differ)
{
	struct hash_key a, b;

	hash_key_init(&a);
	hash_key_init(&b);
	ck_assert(a.words[0] != b.words[0] || a.words[1] != b.words[1]);
	ck_assert_uint_ne(keyed_hash(&a, "x", 1), keyed_hash(&b, "x", 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyed_hash");
	TCase *tests = tcase_create("hash");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, the_authors_example);
	tcase_add_test(tests, every_length_and_bit_counts);
	tcase_add_test(tests, keys_differ);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
