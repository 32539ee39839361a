"""The system calls that adoptd makes, and the errors that each is made to fail with.

A call that a scenario makes and that is not here fails the test: it wants a row.
"""

FAULTS = {
    # sockets
    "accept4": ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EPERM", "EINTR"),
    "bind": ("EADDRINUSE", "EACCES"),
    "connect": ("ECONNREFUSED", "ENETUNREACH", "EAGAIN", "EADDRNOTAVAIL"),
    "getpeername": ("ENOBUFS", "ENOTCONN"),
    "getsockname": ("ENOBUFS",),
    "getsockopt": ("ENOBUFS",),
    "listen": ("EADDRINUSE",),
    "recvfrom": ("ECONNRESET", "ENOMEM", "EINTR"),
    "recvmsg": ("ENOMEM", "ECONNREFUSED", "EINTR"),
    "recvmmsg": ("ENOMEM", "ECONNREFUSED", "EINTR"),
    "sendmmsg": ("ENOBUFS", "EPERM", "EINTR"),
    "sendmsg": ("ENOBUFS", "EPERM", "EPIPE", "EINTR"),
    "sendto": ("ECONNRESET", "ENOBUFS", "EINTR"),
    "setsockopt": ("ENOBUFS", "EPERM"),
    "shutdown": ("ENOTCONN",),
    "socket": ("EMFILE", "EAFNOSUPPORT", "ENOBUFS"),
    "socketpair": ("EMFILE", "ENOMEM"),
    # descriptors
    "close_range": ("ENOSYS",),
    "dup": ("EMFILE",),
    "fcntl": ("EMFILE",),
    "fstat": ("ENOMEM",),
    "newfstatat": ("ENOMEM",),
    "open": ("EMFILE",),
    "openat": ("EMFILE", "ENFILE", "EACCES"),
    "pipe2": ("EMFILE", "ENFILE"),
    "read": ("EIO", "EINTR"),
    "pread64": ("EIO",),
    "readv": ("ECONNRESET",),
    "splice": ("ENOMEM", "ECONNRESET", "EINTR"),
    "write": ("ENOSPC", "ENOMEM", "EINTR"),
    "writev": ("ECONNRESET",),
    "lseek": ("ESPIPE",),
    "ioctl": ("ENOTTY",),
    "poll": ("EINTR", "ENOMEM"),
    # the loop
    "epoll_create1": ("EMFILE", "ENOMEM"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_wait": ("EINTR",),
    "epoll_pwait2": ("EINTR",),
    "eventfd2": ("EMFILE",),
    "timerfd_create": ("EMFILE",),
    "timerfd_settime": ("EINVAL",),
    # processes and threads
    "clone": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "vfork": ("EAGAIN", "ENOMEM"),
    "pidfd_open": ("EMFILE", "ENODEV"),
    "waitid": ("EINTR", "ECHILD"),
    "wait4": ("EINTR",),
    "kill": ("EPERM",),
    "prctl": ("EINVAL", "EPERM"),
    # what a process is before it runs its program
    "chdir": ("EACCES", "ENOENT"),
    "dup2": ("EMFILE", "EBUSY"),
    "execve": ("ENOMEM", "ENOENT", "EACCES", "E2BIG", "ETXTBSY"),
    "fork": ("EAGAIN", "ENOMEM"),
    "setgroups": ("EPERM", "ENOMEM"),
    "setresgid": ("EPERM",),
    "setresuid": ("EPERM", "EAGAIN"),
    "setsid": ("EPERM",),
    # the sandbox
    "capget": ("EPERM",),
    "capset": ("EPERM",),
    "landlock_add_rule": ("ENOMEM",),
    "landlock_create_ruleset": ("ENOSYS", "EOPNOTSUPP"),
    "landlock_restrict_self": ("EPERM", "E2BIG"),
    "seccomp": ("EINVAL", "EPERM", "ENOMEM"),
    # memory
    "mmap": ("ENOMEM",),
    "mprotect": ("ENOMEM",),
    # files, the process's own state
    "access": ("EACCES",),
    "chmod": ("EPERM",),
    "fchmod": ("EPERM",),
    "getcwd": ("ENOENT",),
    "getdents64": ("EIO",),
    "getrandom": ("EAGAIN", "ENOSYS"),
    "prlimit64": ("EPERM",),
    "readlink": ("ENOENT",),
    "readlinkat": ("ENOENT",),
    "sysinfo": ("EFAULT",),
    "sched_getaffinity": ("EINVAL",),
    "unlink": ("EACCES",),
    "uname": ("EFAULT",),
}

# What is not made to fail, and why.
SPARED = {
    "brk": "has no error, only an answer that has not grown; malloc is made to fail itself",
    "close": "an injected error keeps the descriptor open, which close(2) never does",
    "exit": "has no error",
    "exit_group": "has no error",
    "futex": "the C library ends the process where the kernel has no futexes",
    "clock_gettime": "has no error but for clocks that do not exist",
    "getegid": "has no error",
    "geteuid": "has no error",
    "getgid": "has no error",
    "getpid": "has no error",
    "getppid": "has no error",
    "gettid": "has no error",
    "getuid": "has no error",
    "madvise": "a hint of the C library's",
    "munmap": "an injected error keeps the memory, which munmap(2) never does",
    "restart_syscall": "the kernel's own",
    "rseq": "the C library's, of a new thread",
    "rt_sigaction": "has no error but for wrong arguments",
    "rt_sigprocmask": "has no error but for wrong arguments",
    "rt_sigreturn": "has no error",
    "set_robust_list": "the C library's, of a new thread",
    "umask": "has no error",
}

# What says that the peer is gone, so that adoptd waits for what it said before, and for
# its end. Here it lives on, and ends when the client has waited in vain. {(call, error)}
GONE = {("sendto", "ECONNRESET"), ("splice", "ECONNRESET"), ("sendmsg", "EPIPE"),
        ("shutdown", "ENOTCONN")}

# Where adoptd says it in other words than the system: {(call, error): words}.
WORDS = {
    ("socket", "EAFNOSUPPORT"): "address family is not supported",
    ("bind", "EADDRINUSE"): "already",
    ("listen", "EADDRINUSE"): "already",
    ("fcntl", "EMFILE"): "is not open",  # asked for the flags of what was handed over
    # pthread_create(3) has one error for both, and for memory that it could not have itself.
    ("clone3", "EAGAIN"): "no more processes and threads",
    ("clone3", "ENOMEM"): "no more processes and threads",
    ("malloc", "ENOMEM"): "no more processes and threads",
    ("mmap", "ENOMEM"): "failed to map segment",  # in dlopen(3)'s words
    # fork(2) and setresuid(2) of a process that is started
    **{(call, "EAGAIN"): "no more processes and threads"
       for call in ("clone", "fork", "setresuid", "vfork")},
    # asked whether a hand-over comes on it
    ("getpeername", "ENOBUFS"): "on non-socket",
    ("getpeername", "ENOTCONN"): "on non-socket",
}

# Whose fault may leave a path behind: unlinking itself, and finding out whose it is.
LEAVING = ("unlink", "newfstatat", "fstat")

# What a library makes of a fault, which adoptd cannot help: {(call, error): exit code}.
FATAL = {
    ("read", "EIO"): 1,  # libevent's, where it cannot read its own pipe for signals
}
