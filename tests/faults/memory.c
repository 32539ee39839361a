/* Makes an allocation fail: put before the C library by LD_PRELOAD. The file that
 * FAIL_MEMORY names holds two numbers, which whoever tests reads and writes meanwhile: how
 * many allocations there have been, and which of them is to fail. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct ledger {
	_Atomic uint64_t made;
	_Atomic uint64_t failing;
};

static struct ledger *ledger;
static void *(*next_malloc)(size_t size);
static void *(*next_calloc)(size_t count, size_t size);
static void *(*next_realloc)(void *data, size_t size);

/* Data and function pointers are the same to dlsym(), not to the compiler. */
static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAIL_MEMORY");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory != MAP_FAILED)
		ledger = memory;
}

static bool fails(void)
{
	if (!ledger || atomic_fetch_add(&ledger->made, 1) + 1 != atomic_load(&ledger->failing))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	if (!next_malloc)
		find(&next_malloc, "malloc");
	return fails() ? NULL : next_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!next_calloc)
		find(&next_calloc, "calloc");
	return fails() ? NULL : next_calloc(count, size);
}

void *realloc(void *data, size_t size)
{
	if (!next_realloc)
		find(&next_realloc, "realloc");
	return fails() ? NULL : next_realloc(data, size);
}

/* AddressSanitizer's own would not come here for their memory. */
char *strndup(const char *text, size_t most)
{
	size_t length = strnlen(text, most);
	char *copy = malloc(length + 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, SIZE_MAX);
}

/* What LeakSanitizer is not to tell: what libconfuse's cfg_init() itself leaves where it is
 * refused memory. By its file, as adoptd's sandbox lets nobody look for the function. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfuse.so\n";
}
