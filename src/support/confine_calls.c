#include "confine_calls.h"

#include "confine.h"

#include <seccomp.h>

/* Names of a kind on a line. Where the same call has several names, older and narrower ones
 * among them, all are here: which of them the C library makes is its own matter. */

/* Bytes, and descriptors. */
static const int bytes[] = {SCMP_SYS(read),
			    SCMP_SYS(readv),
			    SCMP_SYS(pread64),
			    SCMP_SYS(write),
			    SCMP_SYS(writev),
			    SCMP_SYS(recv),
			    SCMP_SYS(recvfrom),
			    SCMP_SYS(recvmsg),
			    SCMP_SYS(recvmmsg),
			    SCMP_SYS(recvmmsg_time64),
			    SCMP_SYS(send),
			    SCMP_SYS(sendto),
			    SCMP_SYS(sendmsg),
			    SCMP_SYS(sendmmsg),
			    SCMP_SYS(splice),
			    SCMP_SYS(pipe),
			    SCMP_SYS(pipe2),
			    SCMP_SYS(accept),
			    SCMP_SYS(accept4),
			    SCMP_SYS(shutdown),
			    SCMP_SYS(getsockname),
			    SCMP_SYS(getpeername),
			    SCMP_SYS(getsockopt),
			    SCMP_SYS(setsockopt),
			    SCMP_SYS(close),
			    SCMP_SYS(close_range),
			    SCMP_SYS(dup),
			    SCMP_SYS(dup2),
			    SCMP_SYS(dup3),
			    SCMP_SYS(fcntl),
			    SCMP_SYS(fcntl64),
			    SCMP_SYS(lseek),
			    SCMP_SYS(_llseek),
			    SCMP_SYS(epoll_create),
			    SCMP_SYS(epoll_create1),
			    SCMP_SYS(epoll_ctl),
			    SCMP_SYS(epoll_wait),
			    SCMP_SYS(epoll_pwait),
			    SCMP_SYS(epoll_pwait2),
			    SCMP_SYS(poll),
			    SCMP_SYS(ppoll),
			    SCMP_SYS(ppoll_time64),
			    SCMP_SYS(select),
			    SCMP_SYS(_newselect),
			    SCMP_SYS(pselect6),
			    SCMP_SYS(pselect6_time64),
			    SCMP_SYS(eventfd2),
			    SCMP_SYS(timerfd_create),
			    SCMP_SYS(timerfd_settime),
			    SCMP_SYS(timerfd_settime64),
			    SCMP_SYS(timerfd_gettime),
			    SCMP_SYS(signalfd4)};

/* Memory, threads, time, and who this is: mostly the C library's. */
static const int process[] = {SCMP_SYS(brk),
			      SCMP_SYS(mmap),
			      SCMP_SYS(mmap2),
			      SCMP_SYS(mremap),
			      SCMP_SYS(munmap),
			      SCMP_SYS(mprotect),
			      SCMP_SYS(madvise),
			      SCMP_SYS(membarrier),
			      SCMP_SYS(memfd_create),
			      SCMP_SYS(futex),
			      SCMP_SYS(futex_time64),
			      SCMP_SYS(futex_waitv),
			      SCMP_SYS(rseq),
			      SCMP_SYS(set_robust_list),
			      SCMP_SYS(get_robust_list),
			      SCMP_SYS(set_tid_address),
			      SCMP_SYS(set_thread_area),
			      SCMP_SYS(arch_prctl),
			      SCMP_SYS(prctl),
			      SCMP_SYS(sched_yield),
			      SCMP_SYS(sched_getaffinity),
			      SCMP_SYS(getcpu),
			      SCMP_SYS(restart_syscall),
			      SCMP_SYS(rt_sigaction),
			      SCMP_SYS(rt_sigprocmask),
			      SCMP_SYS(rt_sigreturn),
			      SCMP_SYS(rt_sigtimedwait),
			      SCMP_SYS(sigreturn),
			      SCMP_SYS(sigaltstack),
			      SCMP_SYS(clock_gettime),
			      SCMP_SYS(clock_gettime64),
			      SCMP_SYS(clock_getres),
			      SCMP_SYS(clock_getres_time64),
			      SCMP_SYS(clock_nanosleep),
			      SCMP_SYS(clock_nanosleep_time64),
			      SCMP_SYS(nanosleep),
			      SCMP_SYS(gettimeofday),
			      SCMP_SYS(time),
			      SCMP_SYS(getrandom),
			      SCMP_SYS(getpid),
			      SCMP_SYS(gettid),
			      SCMP_SYS(getppid),
			      SCMP_SYS(getpgrp),
			      SCMP_SYS(getuid),
			      SCMP_SYS(getuid32),
			      SCMP_SYS(geteuid),
			      SCMP_SYS(geteuid32),
			      SCMP_SYS(getgid),
			      SCMP_SYS(getgid32),
			      SCMP_SYS(getegid),
			      SCMP_SYS(getegid32),
			      SCMP_SYS(getgroups),
			      SCMP_SYS(getgroups32),
			      SCMP_SYS(getrlimit),
			      SCMP_SYS(ugetrlimit),
			      SCMP_SYS(getrusage),
			      SCMP_SYS(sysinfo),
			      SCMP_SYS(uname),
			      SCMP_SYS(tgkill),
			      SCMP_SYS(exit),
			      SCMP_SYS(exit_group),
			      SCMP_SYS(wait4),
			      SCMP_SYS(waitid),
			      SCMP_SYS(waitpid)};

/* Files, which Landlock and the owner's mode rule over: a reload reads some. */
static const int files[] = {
	SCMP_SYS(open),       SCMP_SYS(openat),      SCMP_SYS(openat2),    SCMP_SYS(access),
	SCMP_SYS(faccessat),  SCMP_SYS(faccessat2),  SCMP_SYS(stat),       SCMP_SYS(stat64),
	SCMP_SYS(lstat),      SCMP_SYS(lstat64),     SCMP_SYS(fstat),      SCMP_SYS(fstat64),
	SCMP_SYS(fstatat64),  SCMP_SYS(newfstatat),  SCMP_SYS(statx),      SCMP_SYS(statfs),
	SCMP_SYS(statfs64),   SCMP_SYS(fstatfs),     SCMP_SYS(fstatfs64),  SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getdents),    SCMP_SYS(getdents64), SCMP_SYS(getcwd),
	SCMP_SYS(fadvise64),  SCMP_SYS(fadvise64_64)};

static const int listening[] = {SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(umask)};

static const int connecting[] = {SCMP_SYS(connect)};
static const int unlinking[] = {SCMP_SYS(unlink), SCMP_SYS(unlinkat)};
static const int signalling[] = {SCMP_SYS(kill), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal)};

#if CONFINE_SANITIZED
/* At the end a second process looks for leaks in this one. */
static const int sanitizers[] = {SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(sched_getparam),
				 SCMP_SYS(personality), SCMP_SYS(process_vm_readv)};
#endif

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define CALLS(wanted, array)                                                                       \
	{                                                                                          \
		.needs = (wanted), .numbers = (array), .count = COUNT(array)                       \
	}

const struct confine_calls confine_calls_left[] = {
	CALLS(0, bytes),
	CALLS(0, process),
	CALLS(0, files),
#if CONFINE_SANITIZED
	CALLS(0, sanitizers),
#endif
	CALLS(CONFINE_LISTEN | CONFINE_LISTEN_UNIX, listening),
	/* Whether somebody listens at a UNIX path is found out so. */
	CALLS(CONFINE_CONNECT | CONFINE_LISTEN | CONFINE_LISTEN_UNIX | CONFINE_LOG, connecting),
	CALLS(CONFINE_UNLINK | CONFINE_LISTEN | CONFINE_LISTEN_UNIX, unlinking),
	CALLS(CONFINE_SIGNAL, signalling),
	{.numbers = NULL}};

static const int machine[] = {SCMP_SYS(acct),
			      SCMP_SYS(add_key),
			      SCMP_SYS(adjtimex),
			      SCMP_SYS(bpf),
			      SCMP_SYS(clock_adjtime),
			      SCMP_SYS(clock_adjtime64),
			      SCMP_SYS(clock_settime),
			      SCMP_SYS(clock_settime64),
			      SCMP_SYS(create_module),
			      SCMP_SYS(delete_module),
			      SCMP_SYS(finit_module),
			      SCMP_SYS(fsconfig),
			      SCMP_SYS(fsmount),
			      SCMP_SYS(fsopen),
			      SCMP_SYS(fspick),
			      SCMP_SYS(init_module),
			      SCMP_SYS(ioperm),
			      SCMP_SYS(iopl),
			      SCMP_SYS(kexec_file_load),
			      SCMP_SYS(kexec_load),
			      SCMP_SYS(keyctl),
			      SCMP_SYS(lookup_dcookie),
			      SCMP_SYS(mount),
			      SCMP_SYS(mount_setattr),
			      SCMP_SYS(move_mount),
			      SCMP_SYS(nfsservctl),
			      SCMP_SYS(open_by_handle_at),
			      SCMP_SYS(open_tree),
			      SCMP_SYS(perf_event_open),
			      SCMP_SYS(pivot_root),
			      SCMP_SYS(quotactl),
			      SCMP_SYS(quotactl_fd),
			      SCMP_SYS(reboot),
			      SCMP_SYS(request_key),
			      SCMP_SYS(setdomainname),
			      SCMP_SYS(sethostname),
			      SCMP_SYS(setns),
			      SCMP_SYS(settimeofday),
			      SCMP_SYS(stime),
			      SCMP_SYS(swapoff),
			      SCMP_SYS(swapon),
			      SCMP_SYS(syslog),
			      SCMP_SYS(umount),
			      SCMP_SYS(umount2),
			      SCMP_SYS(unshare),
			      SCMP_SYS(userfaultfd),
			      SCMP_SYS(vhangup)};

const struct confine_calls confine_calls_taken = CALLS(CONFINE_PROGRAMS, machine);
