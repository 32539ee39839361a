/* The logarithm, beside the mathematical library's. */
#include "support/logarithm.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static void assert_like_log(double number)
{
	double expected = log(number);

	ck_assert_double_le(fabs(logarithm(number) - expected), fabs(expected) * 1e-14);
}

START_TEST(agrees_with_log)
{
	for (int i = 1; i < 100000; i++)
		assert_like_log(i / 100000.0);
	/* The least and the largest that a hash of 53 bits gives. */
	assert_like_log(0x1p-54);
	assert_like_log(1 - 0x1p-53);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("logarithm");
	TCase *tests = tcase_create("logarithm");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, agrees_with_log);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
