/*
 * putd: reads one connection and puts the files that arrive on disk. This file
 * is the table of contents; each step has a room of its own, and only here are
 * they put in order.
 */
#include "putd/check.h"
#include "putd/connection.h"
#include "putd/exit.h"
#include "putd/log.h"
#include "putd/options.h"
#include "putd/sandbox.h"
#include "putd/session.h"
#include "putd/store.h"
#include "putd/systemd.h"
#include "putd/wait.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* Says why nothing is served: to the log, never to the client. */
static enum exit_status fail(
    const struct log *log, enum exit_status status, const char *problem)
{
	log_line(log, LOG_FAILED, LOG_ERR, "%s", problem);
	return status;
}

static int print_only(const struct options *options)
{
	if (options->action == ACTION_HELP)
		options_print_help();
	else
		printf("putd %s\n", PUTD_VERSION);
	return fflush(stdout) == 0 ? EXIT_SERVED : EXIT_IO;
}

/* One peer's mistakes are not those of a process that serves many. */
static enum exit_status serve_many(struct connection *connection,
    const struct options *options, const struct log *log, struct store *store)
{
	enum exit_status status = EXIT_SERVED;

	for (unsigned long n = 0; n < options->connections; n++) {
		enum exit_status one;
		int r = connection_accept(connection, options->idle_exit);

		if (r < 0)
			return fail(log, EXIT_IO, strerror(-r));
		if (r == 0)
			return status;
		one = session_serve(connection, options, log, store);
		connection_close(connection);
		if (options->connections == 1 || one == EXIT_IO)
			status = one;
	}
	return status;
}

static enum exit_status open_directory(
    const struct log *log, const struct options *options, struct store *store)
{
	int r = store_open(store, options);
	struct stat status;
	bool link;

	if (r == 0)
		return EXIT_SERVED;
	link =
	    lstat(options->directory, &status) == 0 && S_ISLNK(status.st_mode);
	log_line(log, LOG_FAILED, LOG_ERR, "%s: %s", options->directory,
	    link ? "is a symbolic link: name the directory itself"
		 : strerror(-r));
	return EXIT_DIRECTORY;
}

/* A kernel that lacks a part is warned of; one that refuses it is not served.
 */
static enum exit_status confine(
    const struct log *log, const struct store *store)
{
	const char *part, *missing;
	int r = sandbox_enter(store->root, &part, &missing);

	if (r < 0) {
		log_line(log, LOG_FAILED, LOG_ERR,
		    "%s refused: %s (see --no-sandbox)", part, strerror(-r));
		return EXIT_SANDBOX;
	}
	if (missing != NULL)
		log_line(log, LOG_OTHER, LOG_WARNING, "this kernel has no %s",
		    missing);
	return EXIT_SERVED;
}

static enum exit_status check(
    const struct log *log, const struct options *options)
{
	struct store store;
	enum exit_status status = open_directory(log, options, &store);

	if (status != EXIT_SERVED)
		return status;
	status = check_print(options, &store);
	store_close(&store);
	return fflush(stdout) == 0 ? status : EXIT_IO;
}

static enum exit_status serve(const struct options *options,
    const struct log *log, struct connection *connection)
{
	enum exit_status status;
	struct store store;

	status = open_directory(log, options, &store);
	if (status == EXIT_SERVED && options->sandbox)
		status = confine(log, &store);
	if (status != EXIT_SERVED)
		return status;
	if (connection->listener >= 0)
		status = serve_many(connection, options, log, &store);
	else
		status = session_serve(connection, options, log, &store);
	store_close(&store);
	return status;
}

int main(int argc, char *argv[])
{
	char problem[PROBLEM_TEXT];
	struct connection connection = {STDIN_FILENO, STDOUT_FILENO, -1};
	struct options options;
	struct log log;
	const char *wrong = NULL;
	int closed = connection_fill_stdio();

	if (closed < 0)
		return EXIT_IO;
	wait_prepare_signals();
	(void)umask(0);
	if (options_parse(argc, argv, &options, problem) < 0)
		wrong = problem;
	(void)systemd_open(options.log == LOG_TO_JOURNAL);
	if (wrong == NULL && options.action == ACTION_SERVE)
		wrong = connection_find(&connection, closed);
	log = (struct log){.target = options.log, .verbose = options.verbose};
	if (options.action == ACTION_CHECK)
		log_open(&log, -1, -1);
	else
		log_open(&log, connection.in, connection.out);
	if (wrong != NULL)
		return fail(&log, EXIT_WRONG_USE, wrong);
	if (options.action == ACTION_CHECK)
		return check(&log, &options);
	if (options.action != ACTION_SERVE)
		return print_only(&options);
	return serve(&options, &log, &connection);
}
