/*
 * connect HOST PORT COUNT AT_ONCE PREFIX [silent]: uploads of 1 KiB per second,
 * each on a connection of its own. COUNT of them, AT_ONCE at a time; each waits
 * for its receipt and for the server's end. Prints the rate, and the longest
 * that one took in ms. A receipt that is not ok, or is another's, ends it with
 * status 1; a silent server sends none.
 *
 * In C and in one process, since it shares the processors with what it
 * measures.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY	    1024  /* bytes */
#define AT_ONCE_MAX 1024  /* connections */
#define PATIENCE    30000 /* ms without anything from anybody */

struct upload {
	char name[64];
	char answer[512];
	size_t answered;
	int64_t started;
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static struct pollfd fds[AT_ONCE_MAX];
static struct upload uploads[AT_ONCE_MAX];
static int64_t longest;
static int silent;

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what, const char *detail)
{
	fprintf(stderr, "connect: %s: %s\n", what, detail);
	exit(1);
}

static void start(int slot, const char *prefix, long number)
{
	struct upload *upload = &uploads[slot];
	char frame[BODY + 512];
	int n, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*upload = (struct upload){.started = now_us()};
	(void)snprintf(
	    upload->name, sizeof(upload->name), "%.32s-%ld", prefix, number);
	n = snprintf(frame + 4, 508,
	    "{\"cmd\":\"put\",\"filename\":\"%s\",\"filesize\":%d,"
	    "\"reply\":true}",
	    upload->name, BODY);
	memcpy(frame, &(int32_t){n}, 4); /* little-endian, as this machine is */
	memset(frame + 4 + n, 'x', BODY);
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0)
		fail("connect", upload->name);
	if (send(fd, frame, (size_t)n + 4 + BODY, MSG_NOSIGNAL) != n + 4 + BODY)
		fail("send", upload->name);
	(void)shutdown(fd, SHUT_WR);
	fds[slot] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* True once it has ended, with its own receipt. */
static int read_some(int slot)
{
	struct upload *upload = &uploads[slot];
	char wanted[sizeof(upload->name) + 64];
	ssize_t n = recv(fds[slot].fd, upload->answer + upload->answered,
	    sizeof(upload->answer) - upload->answered - 1, 0);

	if (n < 0)
		fail("recv", upload->name);
	upload->answered += (size_t)n;
	if (n > 0)
		return 0;
	(void)close(fds[slot].fd);
	(void)snprintf(wanted, sizeof(wanted),
	    "{\"ok\":true,\"cmd\":\"put\",\"filename\":\"%.63s\",",
	    upload->name);
	if (!silent && strncmp(upload->answer, wanted, strlen(wanted)) != 0)
		fail(upload->name, upload->answer);
	if (now_us() - upload->started > longest)
		longest = now_us() - upload->started;
	return 1;
}

static void run(long count, int at_once, const char *prefix)
{
	long started = 0, done = 0;

	for (; started < at_once; started++)
		start((int)started, prefix, started);
	while (done < count) {
		if (poll(fds, (nfds_t)at_once, PATIENCE) <= 0)
			fail("poll", "nothing comes");
		for (int slot = 0; slot < at_once; slot++) {
			if (fds[slot].revents == 0 || !read_some(slot))
				continue;
			fds[slot].fd = -1;
			done++;
			if (started < count)
				start(slot, prefix, started++);
		}
	}
}

int main(int argc, char *argv[])
{
	int64_t began = now_us();
	long count, at_once;

	if (argc < 6 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
		fputs(
		    "usage: connect HOST PORT COUNT AT_ONCE PREFIX [silent]\n",
		    stderr);
		return 64;
	}
	server.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	count = strtol(argv[3], NULL, 10);
	at_once = strtol(argv[4], NULL, 10);
	if (at_once < 1 || at_once > AT_ONCE_MAX || count < at_once)
		fail("AT_ONCE", "between 1 and COUNT");
	silent = argc > 6;
	run(count, (int)at_once, argv[5]);
	printf("%.0f %.1f\n", (double)count * 1e6 / (double)(now_us() - began),
	    (double)longest / 1e3);
	return 0;
}
