/*
 * Who is on the other side, as one word for the log. Knows sockets and what
 * each launcher tells in the environment.
 */
#ifndef PUTD_PEER_H
#define PUTD_PEER_H

#include <stddef.h>

#define PEER_TEXT 80 /* bytes: an address, a port, a NUL */

/*
 * Writes "192.0.2.1:4711", "[2001:db8::1]:4711", "uid 1000 pid 42" or "pipe".
 * The kernel is asked first; the environment is believed only where the kernel
 * cannot know: on a pipe, and on a Unix socket, behind which stands a launcher
 * (stunnel, socat, sshd).
 */
void peer_describe(int fd, char text[PEER_TEXT]);

#endif
