/*
 * What put's sending is measured against: sendfile(2) in a loop, and a sink.
 *
 *   sendfile sink            listens on loopback, prints its port, and drops
 *                            all that comes, one connection after another
 *   sendfile PORT FILE       sends the file there, and waits until all is taken
 *   sendfile PORT FILE NAME [KEYS]
 *                            the same to a putd, in one frame, with `end`: it
 *                            is stored when that is answered. KEYS are more
 *                            of its header, each behind a comma. Prints what
 *                            is answered
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define SINK_BUFFER (1024 * 1024) /* bytes */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void sink(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *buffer = malloc(SINK_BUFFER);

	if (listener < 0 || buffer == NULL ||
	    bind(listener, (struct sockaddr *)&address, length) < 0 ||
	    listen(listener, 8) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		die("sink");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		while (fd >= 0 && read(fd, buffer, SINK_BUFFER) > 0)
			;
		close(fd);
	}
}

/* `header`, behind its length. */
static void send_header(int to, const char *header)
{
	unsigned length = (unsigned)strlen(header);
	unsigned char head[1024] = {length & 255, length >> 8 & 255};

	memcpy(head + 4, header, length);
	if (send(to, head, length + 4, MSG_MORE) != (ssize_t)length + 4)
		die("send");
}

static void send_put(int to, const char *name, const char *keys, off_t size)
{
	char header[512];

	(void)snprintf(header, sizeof(header),
	    "{\"cmd\":\"put\",\"filename\":\"%s\",\"filesize\":%lld%s}", name,
	    (long long)size, keys);
	send_header(to, header);
}

static void send_all(
    int port, const char *path, const char *name, const char *keys)
{
	struct sockaddr_in address = loopback(port);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[4096];
	ssize_t n;

	if (fd < 0 || to < 0 ||
	    connect(to, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	if (name != NULL)
		send_put(to, name, keys, lseek(fd, 0, SEEK_END));
	(void)lseek(fd, 0, SEEK_SET);
	while ((n = sendfile(to, fd, NULL, 1 << 30)) > 0)
		;
	if (n < 0)
		die("sendfile");
	if (name != NULL)
		send_header(to, "{\"cmd\":\"end\",\"reply\":true}");
	/* The other side closes once it has read, and perhaps flushed, all. */
	shutdown(to, SHUT_WR);
	while ((n = read(to, answer, sizeof(answer))) > 0)
		fwrite(answer, 1, (size_t)n, stdout);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sink") == 0)
		sink();
	else if (argc >= 3 && argc <= 5)
		send_all(atoi(argv[1]), argv[2], argc > 3 ? argv[3] : NULL,
		    argc > 4 ? argv[4] : "");
	else
		return 64;
	return 0;
}
