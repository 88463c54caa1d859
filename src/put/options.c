/*
 * See options.h. put.1 describes the same options; the tests compare the two.
 */
#include "put/options.h"

#include "wire/cleanup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT 60	/* seconds */
#define TIMEOUT_MAX	1000000 /* seconds; in milliseconds it fits an int */
#define SERVER_VARIABLE "PUT_SERVER"

enum { OPTION_TIMEOUT = 256 }; /* those without a letter */

static const char short_options[] = ":s:n:lqvVh";

static const struct option long_options[] = {
    {"server", required_argument, NULL, 's'},
    {"name", required_argument, NULL, 'n'},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"legacy", no_argument, NULL, 'l'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL},
};

static const char help[] =
    "Usage: put [OPTION]... FILE...\n"
    "Send files to a putd server, and tell for each whether it is stored.\n"
    "\n"
    "Without a server the frames go to standard output, never to a terminal:\n"
    "  put a.txt b.txt | nc -N HOST 8080      put a.txt | ssh HOST putd DIR\n"
    "\n"
    "  -s, --server=ADDR   HOST:PORT, [V6]:PORT, unix:PATH or exec:COMMAND\n"
    "                      (default: $" SERVER_VARIABLE ")\n"
    "  -n, --name=NAME     the name on the server, for one FILE\n"
    "      --timeout=SEC   give up after SEC seconds without progress (60)\n"
    "  -l, --legacy        for a receiver that gives no receipts\n"
    "  -q, --quiet         say only what went wrong\n"
    "  -v, --verbose       say more\n"
    "  -V, --version       print the version and exit\n"
    "  -h, --help          print this help and exit\n"
    "\n"
    "Exit status: 0 all stored, 1 some refused or not readable, 64 usage,\n"
    "69 no server, 74 input/output error, 75 try again. See put(1).\n";

static bool set_server(struct options *options, const char *text)
{
	const char *why;

	if (address_parse(text, &options->address, &why) < 0) {
		report_usage("invalid server", text, why);
		return false;
	}
	options->has_server = true;
	return true;
}

static bool set_timeout(struct options *options, const char *text)
{
	unsigned long seconds = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && seconds <= TIMEOUT_MAX; at++)
		seconds = seconds * 10 + (unsigned long)(*at - '0');
	if (*at != '\0' || seconds < 1 || seconds > TIMEOUT_MAX) {
		report_usage("invalid timeout", text,
		    "not a number of seconds from 1 to 1000000");
		return false;
	}
	options->timeout_ms = (int)seconds * 1000;
	return true;
}

static bool is_letter(int option)
{
	return option > 0 && option < OPTION_TIMEOUT && option != ':' &&
	       strchr(short_options, option) != NULL;
}

/*
 * getopt_long returns ':' where an argument is missing, else '?'. optopt is 0
 * for an unknown long option; an option that exists for a long one with an
 * argument it does not take; else a letter that is unknown.
 */
static void tell_wrong(int option, char **argv)
{
	const char *given = argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};

	if (option == ':')
		report_usage("an argument is missing for",
		    strncmp(given, "--", 2) == 0 ? given : letter, NULL);
	else if (optopt == 0)
		report_usage("unknown option", given, NULL);
	else if (is_letter(optopt))
		report_usage("no argument belongs to", given, NULL);
	else
		report_usage("unknown option", letter, NULL);
}

static enum options_verdict show(const char *text)
{
	bool shown = fputs(text, stdout) != EOF && fflush(stdout) != EOF;

	return shown ? OPTIONS_SHOWN : OPTIONS_UNSHOWN;
}

static enum options_verdict take(
    struct options *options, int option, char **argv)
{
	switch (option) {
	case 's':
		return set_server(options, optarg) ? OPTIONS_RUN
						   : OPTIONS_WRONG;
	case 'n':
		options->name = optarg;
		return OPTIONS_RUN;
	case OPTION_TIMEOUT:
		return set_timeout(options, optarg) ? OPTIONS_RUN
						    : OPTIONS_WRONG;
	case 'l':
		options->legacy = true;
		return OPTIONS_RUN;
	case 'q':
		options->verbosity = VERBOSITY_QUIET;
		return OPTIONS_RUN;
	case 'v':
		options->verbosity = VERBOSITY_VERBOSE;
		return OPTIONS_RUN;
	case 'V':
		return show("put " PUTD_VERSION "\n");
	case 'h':
		return show(help);
	default:
		tell_wrong(option, argv);
		return OPTIONS_WRONG;
	}
}

static bool take_default_server(struct options *options)
{
	const char *server = getenv(SERVER_VARIABLE);

	if (options->has_server || server == NULL || *server == '\0')
		return true;
	return set_server(options, server);
}

static bool files_fit(const struct options *options)
{
	bool several = options->files[0] != NULL && options->files[1] != NULL;
	const char *wrong = NULL;

	if (options->files[0] == NULL)
		wrong = "no FILE is given";
	else if (several && options->name != NULL)
		wrong = "--name is for one FILE only";
	else if (several && options->legacy && !options->has_server)
		wrong = "--legacy without a server is for one FILE only";
	for (char **file = options->files; *file != NULL; file++)
		if (strcmp(*file, "-") == 0)
			wrong = "standard input cannot be sent; a file named "
				"'-' is ./-";
	if (wrong != NULL)
		report_usage(wrong, NULL, NULL);
	return wrong == NULL;
}

enum options_verdict options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {
	    .timeout_ms = TIMEOUT_DEFAULT * 1000,
	    .verbosity = VERBOSITY_NORMAL,
	};
	enum options_verdict verdict = OPTIONS_RUN;
	int option;

	opterr = 0;
	while (verdict == OPTIONS_RUN &&
	       (option = getopt_long(
		    argc, argv, short_options, long_options, NULL)) != -1)
		verdict = take(&options, option, argv);
	options.files = argv + optind;
	if (verdict == OPTIONS_RUN &&
	    (!take_default_server(&options) || !files_fit(&options)))
		verdict = OPTIONS_WRONG;
	if (verdict == OPTIONS_RUN)
		*ret = options;
	return verdict;
}
