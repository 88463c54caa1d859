/*
 * See server.h. Sockets are here, the child process is in child.c.
 */
#include "put/server.h"

#include "put/child.h"
#include "put/clock.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONNECT_LEAST_MS 500 /* each address gets this long */
/* No event tells that a queue is empty: looked at after 1, 2, 4 ... ms. */
#define DRAIN_LOOK_MOST_MS 16

/* SO_SNDTIMEO bounds connect(2) too, see socket(7). */
static int connect_within(const struct sockaddr *address, socklen_t length,
    int timeout_ms, int *ret_fd)
{
	struct timeval limit = {
	    .tv_sec = timeout_ms / 1000,
	    .tv_usec = timeout_ms % 1000 * 1000,
	};
	int one = 1;
	CLEANUP_CLOSE int fd =
	    socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, address, length) < 0)
		return errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT
							       : -errno;
	/* Otherwise a small frame waits for the receipt of the one before. */
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int open_unix(const char *path, int timeout_ms, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect_within(
	    (struct sockaddr *)&address, sizeof(address), timeout_ms, ret_fd);
}

/* One that does not answer leaves time for the others. */
static int try_each(const struct addrinfo *list, int timeout_ms, int *ret_fd)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int left = 0;
	int r = -EHOSTUNREACH;

	for (const struct addrinfo *one = list; one; one = one->ai_next)
		left++;
	for (; list != NULL; list = list->ai_next, left--) {
		int share = clock_left(deadline) / left;

		if (share < CONNECT_LEAST_MS)
			share = CONNECT_LEAST_MS;
		r = connect_within(
		    list->ai_addr, list->ai_addrlen, share, ret_fd);
		if (r == 0)
			break;
	}
	return r;
}

static int open_tcp(const struct address *address, int timeout_ms, int *ret_fd,
    const char **ret_why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int r = getaddrinfo(address->host, address->port, &hints, &list);

	if (r != 0) {
		*ret_why = gai_strerror(r);
		return -EADDRNOTAVAIL;
	}
	r = try_each(list, timeout_ms, ret_fd);
	freeaddrinfo(list);
	return r;
}

int server_open(const struct address *address, int timeout_ms,
    struct server *ret, const char **ret_why)
{
	const char *why = NULL;
	int fd = -1;
	int r;

	if (address->transport == TRANSPORT_EXEC)
		r = child_start(address->target, ret);
	else if (address->transport == TRANSPORT_UNIX)
		r = open_unix(address->target, timeout_ms, &fd);
	else
		r = open_tcp(address, timeout_ms, &fd, &why);
	if (r < 0)
		*ret_why = why != NULL ? why : strerrordesc_np(-r);
	else if (fd >= 0)
		*ret = (struct server){.in = fd, .out = fd};
	return r;
}

int server_close(struct server *server, int grace_ms)
{
	int status = 0;

	if (server->child != 0)
		status = child_end(server, grace_ms);
	else
		close_fd(&server->in);
	*server = SERVER_NONE;
	return status;
}

int server_reset(struct server *server, int grace_ms)
{
	struct linger none = {.l_onoff = 1, .l_linger = 0};

	if (server->child == 0)
		(void)setsockopt(
		    server->in, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	return server_close(server, grace_ms);
}

/* 0 while the connection lives. After a reset the queue is empty as well, so
 * this is asked after the queue was. */
static int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

int server_drain(struct server *server, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int before = -1;
	int look_ms = 1;

	while (server->child == 0) {
		int queued = 0;
		int error;

		if (ioctl(server->out, SIOCOUTQ, &queued) < 0)
			return -errno;
		error = socket_error(server->out);
		if (error < 0 || queued == 0)
			return error;
		if (queued != before)
			deadline = clock_ms() + timeout_ms;
		else if (clock_left(deadline) == 0)
			return -ETIMEDOUT;
		before = queued;
		(void)poll(NULL, 0, look_ms);
		if (look_ms < DRAIN_LOOK_MOST_MS)
			look_ms *= 2;
	}
	return 0;
}
