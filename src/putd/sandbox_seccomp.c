/*
 * seccomp(2): the system calls that serving a connection makes, and no other.
 * A static table, so that the filter is what stands here, with no library and
 * no generator. A call that is not in it fails with EPERM; built with
 * SANDBOX_KILL, as the tests do, it kills.
 */
#include "putd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef SANDBOX_KILL
#define REFUSE SECCOMP_RET_KILL_PROCESS
#else
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#endif

/* Offsets of a call's number and of the halves of its arguments. */
#define NUMBER	     offsetof(struct seccomp_data, nr)
#define LOW(n)	     (offsetof(struct seccomp_data, args) + 8 * (n))
#define HIGH(n)	     (LOW(n) + 4)

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define UNLESS_EQUAL(value, skip)                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define UNLESS_CLEAR(bits, skip)                                               \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (skip), 0)

#define ALLOW_VALUE(value) UNLESS_EQUAL((value), 1), RETURN(SECCOMP_RET_ALLOW)
#define ALLOW(call)	   ALLOW_VALUE(SYS_##call)

/* With `bits` clear in the third argument: no memory that can be executed. */
#define ALLOW_WITHOUT(call, bits)                                              \
	UNLESS_EQUAL(SYS_##call, 4), LOAD(LOW(2)), UNLESS_CLEAR((bits), 1),    \
	    RETURN(SECCOMP_RET_ALLOW), RETURN(REFUSE)

#ifdef THIS_ARCHITECTURE
static const struct sock_filter table[] = {
    LOAD(offsetof(struct seccomp_data, arch)),
    UNLESS_EQUAL(THIS_ARCHITECTURE, 1),
    BPF_STMT(BPF_JMP | BPF_JA, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(NUMBER),

    /* The connection; the most frequent ones first. */
    ALLOW(recvfrom),
    ALLOW(pwrite64),
    ALLOW(read),
    ALLOW(write),
    ALLOW(writev),
    ALLOW(sendto),
    ALLOW(ppoll),
#ifdef SYS_poll
    ALLOW(poll),
#endif
    ALLOW(accept4),
    ALLOW(shutdown),
    ALLOW(getpeername),
    ALLOW(getsockopt),

    /* Files, all of them below the root (Landlock). */
    ALLOW(openat2),
    ALLOW(openat),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(fstatfs),
    ALLOW(fdatasync),
    ALLOW(linkat),
    ALLOW(fsync),
    ALLOW(close),
    ALLOW(fallocate),
    ALLOW(io_setup),
    ALLOW(io_submit),
    ALLOW(io_getevents),
    ALLOW(fchmod),
    ALLOW(fgetxattr),
    ALLOW(fsetxattr),
    ALLOW(fremovexattr),
    ALLOW(ftruncate),
    ALLOW(renameat2),
    ALLOW(getdents64),
    ALLOW(lseek),
    ALLOW(pread64),
    ALLOW(renameat),
    ALLOW(unlinkat),
    ALLOW(mkdirat),
    ALLOW(fchown),
    ALLOW(copy_file_range),
    ALLOW(fstat),

    /* The process itself. */
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(restart_syscall),
    ALLOW(clock_gettime),
    ALLOW(getrandom),
    ALLOW(brk),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(futex),
    ALLOW(getpid),
    ALLOW(getuid), /* these four: sd_notify(3) tells who it is */
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(sysinfo), /* qsort(3) asks how large a memory it may use */
    ALLOW(gettid),
    ALLOW(exit_group),
    ALLOW_WITHOUT(mmap, PROT_EXEC),
    ALLOW_WITHOUT(mprotect, PROT_EXEC),

    /* Flags and locks; not F_SETOWN, by which another process gets signals. */
    UNLESS_EQUAL(SYS_fcntl, 16),
    LOAD(LOW(1)),
    ALLOW_VALUE(F_GETFD),
    ALLOW_VALUE(F_SETFD), /* fdopendir(3) */
    ALLOW_VALUE(F_GETFL),
    ALLOW_VALUE(F_SETFL),
    ALLOW_VALUE(F_OFD_GETLK),
    ALLOW_VALUE(F_OFD_SETLK),
    ALLOW_VALUE(F_DUPFD_CLOEXEC),
    RETURN(REFUSE),

    /* getrlimit(2): the new limit, third argument, must be NULL. */
    UNLESS_EQUAL(SYS_prlimit64, 6),
    LOAD(LOW(2)),
    UNLESS_EQUAL(0, 3),
    LOAD(HIGH(2)),
    UNLESS_EQUAL(0, 1),
    RETURN(SECCOMP_RET_ALLOW),
    RETURN(REFUSE),

    /* futimens(3) only: the path, second argument, must be NULL. Landlock does
     * not forbid setting the times of a file elsewhere. */
    UNLESS_EQUAL(SYS_utimensat, 6),
    LOAD(LOW(1)),
    UNLESS_EQUAL(0, 3),
    LOAD(HIGH(1)),
    UNLESS_EQUAL(0, 1),
    RETURN(SECCOMP_RET_ALLOW),
    RETURN(REFUSE),

    /* Records to journald, status to systemd: libsystemd makes a Unix
     * datagram socket at the first one. syslog(3) connects anew where its
     * daemon has gone; that must not work, and not kill either. */
    ALLOW(sendmsg),
    ALLOW(setsockopt), /* SO_SNDBUF of that socket */
    UNLESS_EQUAL(SYS_socket, 7),
    LOAD(LOW(0)),
    UNLESS_EQUAL(AF_UNIX, 4),
    LOAD(LOW(1)),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
    UNLESS_EQUAL(SOCK_DGRAM, 1),
    RETURN(SECCOMP_RET_ALLOW),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    UNLESS_EQUAL(SYS_connect, 1),
    RETURN(SECCOMP_RET_ERRNO | EPERM),

    RETURN(REFUSE),
};

int sandbox_seccomp(void)
{
	struct sock_fprog program = {
	    .len = sizeof(table) / sizeof(table[0]),
	    .filter = (struct sock_filter *)table,
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return -errno;
	return 0;
}
#else
int sandbox_seccomp(void)
{
	return -ENOSYS;
}
#endif
