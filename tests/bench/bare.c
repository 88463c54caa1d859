/*
 * bare FILE [sha256]: the least that can be done with a large body: a socket on
 * stdin, received in blocks of 1 MiB, written with O_DIRECT, the tail without
 * it, flushed. With sha256 each block also goes through nettle, in the same
 * thread. It parses nothing, judges nothing and waits for no deadline.
 */
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK (1024 * 1024) /* bytes */

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char *argv[])
{
	bool digest = argc == 3;
	struct sha256_ctx sha256;
	uint8_t *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(
	    argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0640);
	ssize_t n;

	if (argc < 2 || fd < 0 || block == MAP_FAILED)
		return fail("open");
	sha256_init(&sha256);
	while ((n = recv(0, block, BLOCK, MSG_WAITALL)) > 0) {
		if (n < BLOCK &&
		    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_DIRECT) < 0)
			return fail("fcntl");
		if (digest)
			sha256_update(&sha256, (size_t)n, block);
		if (write(fd, block, (size_t)n) != n)
			return fail("write");
	}
	sha256_digest(&sha256, SHA256_DIGEST_SIZE, block);
	if (n < 0 || fdatasync(fd) < 0 || close(fd) < 0)
		return fail("flush");
	return 0;
}
