#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

void fixture_read(const char *name, struct fixture *ret)
{
	const char *source = getenv("srcdir");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", source ? source : ".", name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s cannot be read", path);
	ret->length = fread(ret->bytes, 1, sizeof ret->bytes, file);
	ck_assert_msg(ret->length > 0 && !ferror(file), "%s cannot be read", path);
	fclose(file);
}

enum verdict judge_all(judge_fn judge, size_t max_needed, const void *data, size_t length)
{
	enum verdict verdict = VERDICT_MORE;
	const char *problem = verdicts_problem(judge, max_needed, data, length, true, &verdict);

	ck_assert_msg(problem == NULL, "%s", problem);
	return verdict;
}

size_t decided_at(judge_fn judge, const void *data, size_t length)
{
	size_t unused, at = 0;

	while (at < length && judge(data, at, &unused) == VERDICT_MORE)
		at++;
	return at;
}

int run_case(TCase *tests, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
