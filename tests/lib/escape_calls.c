/*
 * Escape attempts with the network, other processes, memory and the kernel
 * (see escape.c).
 */
#define _GNU_SOURCE
#include "escape.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

/* --- the network ---------------------------------------------------------- */

ATTEMPT(tcp_socket)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

ATTEMPT(tcp6_socket)
{
	return socket(AF_INET6, SOCK_STREAM, 0);
}

ATTEMPT(udp_socket)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

ATTEMPT(raw_socket)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

ATTEMPT(netlink_socket)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

ATTEMPT(unix_stream_socket)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

ATTEMPT(socket_pair)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static struct sockaddr_un unix_address(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, PATH_BYTES, "%s", outside(name));
	return address;
}

ATTEMPT(unix_connect)
{
	struct sockaddr_un address = unix_address("../datagram");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

ATTEMPT(unix_bind)
{
	struct sockaddr_un address = unix_address("bound");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

ATTEMPT(path_send)
{
	struct sockaddr_un address = unix_address("../datagram");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return (int)sendto(
	    fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
}

ATTEMPT(abstract_send)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *name = getenv("ESCAPE_ABSTRACT");

	memcpy(address.sun_path + 1, name, strlen(name));
	return (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			strlen(name)));
}

/* --- programs, processes, memory ------------------------------------------ */

ATTEMPT(execute)
{
	static char *const arguments[] = {
	    "sh", "-c", "echo \"escape $ESCAPE: done\" >&2", NULL};

	return execve("/bin/sh", arguments, environ);
}

ATTEMPT(execute_descriptor)
{
	static char *const arguments[] = {
	    "sh", "-c", "echo \"escape $ESCAPE: done\" >&2", NULL};
	int fd = open_path("/bin/sh", O_PATH);

	return execveat(fd, fd < 0 ? "/bin/sh" : "", arguments, environ,
	    fd < 0 ? 0 : AT_EMPTY_PATH);
}

static int child(pid_t pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, __WALL);
	return pid;
}

ATTEMPT(fork_process)
{
	return child(fork());
}

ATTEMPT(clone_process)
{
	return child((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

ATTEMPT(stop_other)
{
	return kill(getppid(), SIGCONT);
}

ATTEMPT(signal_itself)
{
	return kill(getpid(), SIGCONT);
}

/* With O_ASYNC and F_SETSIG, the kernel then sends it any signal: before
 * Linux 6.12 Landlock has nothing against it. */
ATTEMPT(signal_by_owner)
{
	return fcntl(0, F_SETOWN, getppid());
}

ATTEMPT(trace_other)
{
	return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

ATTEMPT(be_traced)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

ATTEMPT(read_other)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};
	ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

	return (int)n;
}

ATTEMPT(open_process)
{
	return (int)syscall(SYS_pidfd_open, getppid(), 0);
}

ATTEMPT(map_executable)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -1 : 0;
}

ATTEMPT(map_file_executable)
{
	int fd = openat(root(), "inside", O_RDONLY | O_CLOEXEC);
	void *page =
	    mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	return page == MAP_FAILED ? -1 : 0;
}

static void *written_page(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

ATTEMPT(make_executable)
{
	return mprotect(written_page(), PAGE, PROT_READ | PROT_EXEC);
}

ATTEMPT(make_executable_by_key)
{
	return (int)syscall(
	    SYS_pkey_mprotect, written_page(), PAGE, PROT_READ | PROT_EXEC, -1);
}

ATTEMPT(memory_file)
{
	return memfd_create("escape", 0);
}

/* --- the kernel ----------------------------------------------------------- */

ATTEMPT(mount_memory)
{
	return mount("none", getenv("ESCAPE_OUTSIDE"), "tmpfs", 0, NULL);
}

ATTEMPT(unshare_user)
{
	return unshare(CLONE_NEWUSER);
}

ATTEMPT(unshare_mounts)
{
	return unshare(CLONE_NEWNS);
}

ATTEMPT(ring)
{
	char parameters[256] = {0};

	return (int)syscall(SYS_io_uring_setup, 4, parameters);
}

ATTEMPT(bpf_map)
{
	union bpf_attr attributes = {
	    .map_type = BPF_MAP_TYPE_ARRAY,
	    .key_size = 4,
	    .value_size = 4,
	    .max_entries = 1,
	};

	return (int)syscall(
	    SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
}

ATTEMPT(perf_event)
{
	struct perf_event_attr attributes = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attributes),
	    .config = PERF_COUNT_SW_CPU_CLOCK,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

ATTEMPT(fault_handler)
{
	return (int)syscall(SYS_userfaultfd, O_CLOEXEC);
}

ATTEMPT(raise_limit)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

ATTEMPT(change_user)
{
	return setresuid(getuid(), getuid(), getuid());
}

ATTEMPT(change_groups)
{
	return setresgid(getgid(), getgid(), getgid());
}

ATTEMPT(dumpable)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

ATTEMPT(device_control)
{
	int bytes;

	return ioctl(0, FIONREAD, &bytes);
}

#ifdef __x86_64__
/* The calls of another architecture have other numbers: 20 is getpid. */
ATTEMPT(other_architecture)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
	return result > 0 ? 0 : -1;
}
#else
ATTEMPT(other_architecture)
{
	errno = ENOSYS;
	return -1;
}
#endif
