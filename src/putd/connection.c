/*
 * See connection.h. Under inetd and its kin the connection is fd 0 and fd 1;
 * systemd passes a connected socket (Accept=yes) or a listening one.
 */
#include "putd/connection.h"

#include "putd/systemd.h"
#include "putd/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

int connection_fill_stdio(void)
{
	int closed = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return -EBADF;
		closed = closed || fd != STDERR_FILENO;
	}
	return closed;
}

static int socket_option(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0)
		return -1;
	return value;
}

static const char *take_passed_socket(struct connection *ret)
{
	int fd = SYSTEMD_FIRST_FD;

	if (socket_option(fd, SO_TYPE) != SOCK_STREAM)
		return "the descriptor passed in LISTEN_FDS is not a stream "
		       "socket";
	if (socket_option(fd, SO_ACCEPTCONN) == 1)
		*ret = (struct connection){-1, -1, fd};
	else
		*ret = (struct connection){fd, fd, -1};
	return NULL;
}

const char *connection_find(struct connection *ret, int closed)
{
	int sockets = systemd_sockets();

	if (sockets == -ELIBACC)
		return "LISTEN_FDS is set, but libsystemd.so.0 cannot be "
		       "opened";
	if (sockets < 0)
		return "LISTEN_FDS is not understood";
	if (sockets > 1)
		return "LISTEN_FDS passes more than one socket: use one "
		       "ListenStream= a socket unit";
	if (sockets == 1)
		return take_passed_socket(ret);
	if (closed)
		return "stdin or stdout is closed: there is no connection";
	if (isatty(STDIN_FILENO))
		return "stdin is a terminal: putd reads one connection and is "
		       "started by systemd, xinetd or ssh; to try it, "
		       "`put FILE | putd DIRECTORY`";
	*ret = (struct connection){STDIN_FILENO, STDOUT_FILENO, -1};
	return NULL;
}

/* What accept(2) says of a client that has gone already, or of its network. */
static bool is_passing(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO ||
	       error == ENETDOWN || error == EHOSTUNREACH ||
	       error == ENETUNREACH || error == EAGAIN;
}

int connection_accept(struct connection *connection, long seconds)
{
	for (;;) {
		int fd;
		int r = wait_for(connection->listener, POLLIN,
		    seconds == 0 ? -1 : (int64_t)seconds * 1000,
		    WAIT_HEED_TERM);

		if (r == -ETIMEDOUT || r == -ECANCELED)
			return 0;
		if (r < 0)
			return r;
		fd = accept4(connection->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			connection->in = connection->out = fd;
			return 1;
		}
		if (!is_passing(errno))
			return -errno;
	}
}

void connection_close(struct connection *connection)
{
	(void)close(connection->in);
	connection->in = connection->out = -1;
}
