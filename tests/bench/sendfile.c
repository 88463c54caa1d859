/*
 * What put's sending is measured against: sendfile(2) in a loop, and a sink.
 *
 *   sendfile sink            listens on loopback, prints its port, and drops
 *                            all that comes, one connection after another
 *   sendfile PORT FILE       sends the file there, and waits until all is taken
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

static void send_all(int port, const char *path)
{
	struct sockaddr_in address = loopback(port);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char end;
	ssize_t n;

	if (fd < 0 || to < 0 ||
	    connect(to, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	while ((n = sendfile(to, fd, NULL, 1 << 30)) > 0)
		;
	if (n < 0)
		die("sendfile");
	/* The sink closes once it has read everything. */
	shutdown(to, SHUT_WR);
	(void)!read(to, &end, 1);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sink") == 0)
		sink();
	else if (argc == 3)
		send_all(atoi(argv[1]), argv[2]);
	else
		return 64;
	return 0;
}
