/*
 * put: sends files to putd. The steps only; each is in its own file.
 */
#include "put/interactive.h"
#include "put/judge.h"
#include "put/legacy.h"
#include "put/options.h"
#include "put/report.h"
#include "put/stream.h"
#include "put/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/*
 * A file must not be opened as descriptor 0, 1 or 2. In place of a closed one
 * comes /dev/null the wrong way round: reading, or writing, fails there.
 */
static int make_fds_valid(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null",
			fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct report report = {.status = PUT_EXIT_OK};

	if (make_fds_valid() < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return PUT_EXIT_IO;
	switch (options_parse(argc, argv, &options)) {
	case OPTIONS_SHOWN:
		return PUT_EXIT_OK;
	case OPTIONS_UNSHOWN:
		report_output_failed(&report, -errno);
		return PUT_EXIT_IO;
	case OPTIONS_WRONG:
		return PUT_EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	report.verbosity = options.verbosity;
	report.json = options.json;
	if (options.receipts)
		judge_receipts(&report);
	else if (options.interactive)
		interactive_run(&options, &report);
	else if (!options.has_server)
		stream_files(&options, &report);
	else if (options.legacy)
		legacy_files(&options, &report);
	else
		transfer_files(&options, &report);
	return (int)report.status;
}
