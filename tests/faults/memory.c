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
