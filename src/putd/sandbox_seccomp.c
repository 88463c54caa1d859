/*
 * seccomp(2): the system calls that serving a connection makes, and no other.
 * Static tables say which, with no library. A call that is not in them fails
 * with EPERM; built with SANDBOX_KILL, as the tests do, it kills.
 *
 * The filter searches a call by its number, in halves, instead of comparing it
 * with one after another: a kernel that is given a filter tries it with every
 * call that it has, and a long way costs each start 0.06 ms.
 */
#include "putd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

/* With `bits` clear in the third argument: no memory that can be executed. */
#define ALLOW_WITHOUT(call, bits)                                              \
	UNLESS_EQUAL(SYS_##call, 4), LOAD(LOW(2)), UNLESS_CLEAR((bits), 1),    \
	    RETURN(SECCOMP_RET_ALLOW), RETURN(REFUSE)

#ifdef THIS_ARCHITECTURE
/* Allowed whatever their arguments are. */
static const int allowed[] = {
    /* The connection. */
    SYS_recvfrom, SYS_pwrite64, SYS_read, SYS_write, SYS_writev, SYS_sendto,
    SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_accept4, SYS_shutdown, SYS_getpeername, SYS_getsockopt,

    /* Files, all of them below the root (Landlock). */
    SYS_openat2, SYS_openat, SYS_newfstatat, SYS_statx, SYS_fstatfs,
    SYS_fdatasync, SYS_linkat, SYS_fsync, SYS_flock, SYS_close, SYS_fallocate,
    SYS_io_setup, SYS_io_submit, SYS_io_getevents, SYS_fchmod, SYS_fgetxattr,
    SYS_fsetxattr, SYS_fremovexattr, SYS_ftruncate, SYS_renameat2,
    SYS_getdents64, SYS_lseek, SYS_pread64, SYS_renameat, SYS_unlinkat,
    SYS_mkdirat, SYS_fchown, SYS_copy_file_range, SYS_fstat, SYS_faccessat,
    SYS_faccessat2,

    /* The process itself. */
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
    SYS_clock_gettime, SYS_getrandom, SYS_brk, SYS_munmap, SYS_mremap,
    SYS_madvise, SYS_futex, SYS_getpid,
    SYS_getuid, /* these four: sd_notify(3) tells who it is */
    SYS_geteuid, SYS_getgid, SYS_getegid,
    SYS_sysinfo, /* qsort(3) asks how large a memory it may use */
    SYS_gettid, SYS_exit_group,

    /* Records to journald, status to systemd. */
    SYS_sendmsg, SYS_setsockopt, /* SO_SNDBUF of that socket */
};

/* Those whose arguments are looked at, and how: what follows the search. */
static const int judged[] = {SYS_mmap, SYS_mprotect, SYS_fcntl, SYS_prlimit64,
    SYS_utimensat, SYS_socket, SYS_connect};

static const struct sock_filter judgement[] = {
    ALLOW_WITHOUT(mmap, PROT_EXEC), ALLOW_WITHOUT(mprotect, PROT_EXEC),

    /* Flags and locks; not F_SETOWN, by which another process gets signals. */
    UNLESS_EQUAL(SYS_fcntl, 16), LOAD(LOW(1)), ALLOW_VALUE(F_GETFD),
    ALLOW_VALUE(F_SETFD), /* fdopendir(3) */
    ALLOW_VALUE(F_GETFL), ALLOW_VALUE(F_SETFL), ALLOW_VALUE(F_OFD_GETLK),
    ALLOW_VALUE(F_OFD_SETLK), ALLOW_VALUE(F_DUPFD_CLOEXEC), RETURN(REFUSE),

    /* getrlimit(2): the new limit, third argument, must be NULL. */
    UNLESS_EQUAL(SYS_prlimit64, 6), LOAD(LOW(2)), UNLESS_EQUAL(0, 3),
    LOAD(HIGH(2)), UNLESS_EQUAL(0, 1), RETURN(SECCOMP_RET_ALLOW),
    RETURN(REFUSE),

    /* futimens(3) only: the path, second argument, must be NULL. Landlock does
     * not forbid setting the times of a file elsewhere. */
    UNLESS_EQUAL(SYS_utimensat, 6), LOAD(LOW(1)), UNLESS_EQUAL(0, 3),
    LOAD(HIGH(1)), UNLESS_EQUAL(0, 1), RETURN(SECCOMP_RET_ALLOW),
    RETURN(REFUSE),

    /* libsystemd makes a Unix datagram socket at its first record. syslog(3)
     * connects anew where its daemon has gone; that must not work, and not
     * kill either. */
    UNLESS_EQUAL(SYS_socket, 7), LOAD(LOW(0)), UNLESS_EQUAL(AF_UNIX, 4),
    LOAD(LOW(1)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
    UNLESS_EQUAL(SOCK_DGRAM, 1), RETURN(SECCOMP_RET_ALLOW),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    RETURN(SECCOMP_RET_ERRNO | EPERM), /* connect */
};

static const struct sock_filter beginning[] = {
    LOAD(offsetof(struct seccomp_data, arch)),
    UNLESS_EQUAL(THIS_ARCHITECTURE, 1),
    BPF_STMT(BPF_JMP | BPF_JA, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(NUMBER),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CALLS	     (COUNT(allowed) + COUNT(judged))
#define LEAF	     4	 /* calls that are compared one after another */
#define PROGRAM_MAX  255 /* instructions: as far as a jump goes */

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short length;
};

static void add(
    struct program *program, const struct sock_filter *code, size_t n)
{
	memcpy(program->code + program->length, code, n * sizeof(*code));
	program->length += (unsigned short)n;
}

static void add_jump(struct program *program, unsigned short test, int call)
{
	struct sock_filter jump =
	    BPF_JUMP(BPF_JMP | test | BPF_K, (unsigned)call, 0, 0);

	add(program, &jump, 1);
}

/* The tests that find a call among n sorted ones. Where those for equality lead
 * is not known yet. */
static void add_search(struct program *program, const int *calls, size_t n)
{
	size_t branch = program->length, half = n / 2;

	if (n <= LEAF) {
		for (size_t i = 0; i < n; i++)
			add_jump(program, BPF_JEQ, calls[i]);
		program->code[program->length - 1].jf = 1;
		return;
	}
	add_jump(program, BPF_JGE, calls[half]);
	add_search(program, calls, half);
	program->code[branch].jt = (uint8_t)(program->length - branch - 1);
	add_search(program, calls + half, n - half);
}

static bool is_judged(unsigned call)
{
	for (size_t i = 0; i < COUNT(judged); i++)
		if ((unsigned)judged[i] == call)
			return true;
	return false;
}

/* What a search ends with stands behind it: the refusal of a call that was not
 * found, then what allows one, then the judgement. */
static void add_ends(struct program *program)
{
	static const struct sock_filter ends[] = {
	    RETURN(REFUSE), RETURN(SECCOMP_RET_ALLOW)};
	size_t refusal = program->length;

	for (size_t i = COUNT(beginning); i < refusal; i++) {
		struct sock_filter *jump = &program->code[i];
		size_t to_refusal = refusal - i - 1;

		if (jump->code != (BPF_JMP | BPF_JEQ | BPF_K))
			continue;
		jump->jt = (uint8_t)(to_refusal + (is_judged(jump->k) ? 2 : 1));
		jump->jf = (uint8_t)(jump->jf == 0 ? 0 : to_refusal);
	}
	add(program, ends, COUNT(ends));
	add(program, judgement, COUNT(judgement));
}

static void insert(int *sorted, size_t n, int call)
{
	for (; n > 0 && sorted[n - 1] > call; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = call;
}

static void assemble(struct program *program)
{
	int sorted[CALLS];
	size_t n = 0;

	/* A leaf has two calls at least, and each branch two leaves. */
	_Static_assert(
	    COUNT(beginning) + CALLS + CALLS / 2 + 2 + COUNT(judgement) <=
		PROGRAM_MAX,
	    "jumps do not go so far");
	for (size_t i = 0; i < COUNT(allowed); i++)
		insert(sorted, n++, allowed[i]);
	for (size_t i = 0; i < COUNT(judged); i++)
		insert(sorted, n++, judged[i]);
	program->length = 0;
	add(program, beginning, COUNT(beginning));
	add_search(program, sorted, n);
	add_ends(program);
}

int sandbox_seccomp(void)
{
	struct program program;
	struct sock_fprog filter = {.filter = program.code};

	assemble(&program);
	filter.len = program.length;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		return -errno;
	return 0;
}
#else
int sandbox_seccomp(void)
{
	return -ENOSYS;
}
#endif
