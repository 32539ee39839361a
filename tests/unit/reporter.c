/* A program to be started: says on its descriptor 1 what it was started with. Compiled
 * without sanitizers' help it has nothing open and nothing set of its own. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS 1024

extern char **environ;

static void report_descriptors(void)
{
	printf("descriptors");
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf("\n");
}

static void report_ids(void)
{
	gid_t groups[64];
	int count = getgroups(64, groups);

	printf("user %d %d group %d %d groups", (int)getuid(), (int)geteuid(), (int)getgid(),
	       (int)getegid());
	for (int i = 0; i < count; i++)
		printf(" %d", (int)groups[i]);
	printf("\n");
}

/* Those of signals that are not at their default, or that are blocked. */
static void report_signals(void)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	printf("signals");
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigismember(&blocked, number) == 1)
			printf(" blocked-%d", number);
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			printf(" ignored-%d", number);
	}
	printf("\n");
}

int main(int argc, char *argv[])
{
	char directory[4096];
	struct rlimit limit = {0};

	for (int i = 0; i < argc; i++)
		printf("argument %s\n", argv[i]);
	for (char **variable = environ; *variable; variable++)
		printf("variable %s\n", *variable);
	report_descriptors();
	report_ids();
	report_signals();
	getrlimit(RLIMIT_NOFILE, &limit);
	printf("limit %lu\n", (unsigned long)limit.rlim_cur);
	printf("leader %d %d\n", getpgid(0) == getpid(), getsid(0) == getpid());
	printf("blocking %d\n", !(fcntl(0, F_GETFL) & O_NONBLOCK));
	printf("directory %s\n", getcwd(directory, sizeof directory) ? directory : strerror(errno));
	return 0;
}
