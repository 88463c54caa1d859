/*
 * frames CONNECTIONS FILES -- COMMAND...: as many COMMANDs, each with a socket
 * pair as stdin and stdout, and FILES puts of 4 KiB to each, at most 256 ahead
 * of their receipts. Each has said hello before the clock starts. At each power
 * of ten of receipts in all, and at the end, a line: receipts, seconds, and
 * private dirty KiB of the first COMMAND.
 *
 * In C and in one process, since it shares the processors with what it
 * measures.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AHEAD		256  /* frames that have no receipt yet */
#define BODY		4096 /* bytes */
#define CONNECTIONS_MAX 64
#define PATIENCE	60000 /* ms without anything from anybody */
#define HELLO		"\x1c\0\0\0{\"cmd\":\"hello\",\"reply\":true}  "
#define GOOD		"{\"ok\":true,"

struct connection {
	pid_t pid;
	int fd, number;
	long sent, answered;
	char frame[BODY + 128];
	size_t size, at; /* of the frame that is being sent */
	size_t column;	 /* in the receipt that is being read */
};

static struct connection connections[CONNECTIONS_MAX];
static struct pollfd polled[CONNECTIONS_MAX];
static long files, total, mark = 1000;
static double began;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void run(struct connection *c, char *command[])
{
	char answer[4096];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	c->pid = fork();
	if (c->pid == 0) {
		if (dup2(pair[1], 0) == 0 && dup2(pair[1], 1) == 1)
			execvp(command[0], command);
		_exit(127);
	}
	close(pair[1]);
	c->fd = pair[0];
	if (send(c->fd, HELLO, sizeof(HELLO) - 3, MSG_NOSIGNAL) < 0 ||
	    read(c->fd, answer, sizeof(answer)) <= 0)
		die(command[0]);
}

static void next_frame(struct connection *c)
{
	int n = snprintf(c->frame + 4, 124,
	    "{\"cmd\":\"put\",\"filename\":\"f%d-%ld\",\"filesize\":%d,"
	    "\"reply\":true}",
	    c->number, c->sent++, BODY);

	memcpy(c->frame, &(int){n}, 4); /* little-endian, as this machine is */
	memset(c->frame + 4 + n, 'y', BODY);
	c->size = (size_t)n + 4 + BODY;
	c->at = 0;
}

static int may_send(const struct connection *c)
{
	return c->at < c->size ||
	       (c->sent < files && c->sent - c->answered < AHEAD);
}

static void send_some(struct connection *c)
{
	while (may_send(c)) {
		ssize_t n;

		if (c->at == c->size)
			next_frame(c);
		n = send(c->fd, c->frame + c->at, c->size - c->at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("send");
		c->at += (size_t)n;
	}
}

static long dirty(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "Private_Dirty: %ld", &kib);
	if (file != NULL)
		fclose(file);
	return kib;
}

static void tell(void)
{
	printf("%ld %.6f %ld\n", total, now() - began, dirty(connections->pid));
}

static void count(struct connection *c)
{
	c->answered++;
	if (++total == mark) {
		tell();
		mark *= 10;
	}
}

static void read_some(struct connection *c)
{
	static char buffer[1 << 16];
	ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);

	if (n <= 0)
		die("recv");
	for (ssize_t i = 0; i < n; i++, c->column++) {
		if (c->column < strlen(GOOD) && buffer[i] != GOOD[c->column]) {
			fprintf(
			    stderr, "frames: %.*s\n", (int)(n - i), buffer + i);
			exit(1);
		}
		if (buffer[i] == '\n') {
			count(c);
			c->column = (size_t)-1; /* the loop makes it 0 */
		}
	}
}

static void serve(int n)
{
	while (total < n * files) {
		for (int i = 0; i < n; i++) {
			int events = may_send(&connections[i])
					 ? POLLIN | POLLOUT
					 : POLLIN;

			polled[i] = (struct pollfd){
			    .fd = connections[i].fd, .events = (short)events};
		}
		if (poll(polled, (nfds_t)n, PATIENCE) <= 0)
			die("nothing comes");
		for (int i = 0; i < n; i++) {
			if (polled[i].revents & POLLOUT)
				send_some(&connections[i]);
			if (polled[i].revents & ~POLLOUT)
				read_some(&connections[i]);
		}
	}
}

int main(int argc, char *argv[])
{
	int n = argc > 4 ? atoi(argv[1]) : 0;

	files = argc > 4 ? atol(argv[2]) : 0;
	if (n < 1 || n > CONNECTIONS_MAX || files < 1)
		return 64;
	for (int i = 0; i < n; i++) {
		connections[i].number = i;
		run(&connections[i], argv + 4);
	}
	began = now();
	serve(n);
	if (total != mark / 10)
		tell();
	for (int i = 0; i < n; i++) {
		int status;

		(void)shutdown(connections[i].fd, SHUT_WR);
		if (waitpid(connections[i].pid, &status, 0) < 0 || status != 0)
			die("status");
	}
	return 0;
}
