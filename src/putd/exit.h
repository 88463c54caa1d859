/*
 * Exit statuses, as sysexits.h numbers them; putd(8) lists them.
 * Only main, --check and the end of a session choose one.
 */
#ifndef PUTD_EXIT_H
#define PUTD_EXIT_H

enum exit_status {
	EXIT_SERVED = 0,
	EXIT_WRONG_USE = 64,
	EXIT_PROTOCOL = 65,
	EXIT_DIRECTORY = 73,
	EXIT_IO = 74,
	EXIT_DEADLINE = 75,
	EXIT_SANDBOX = 77,
};

#endif
