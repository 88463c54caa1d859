/*
 * See options.h. put.1 describes the same options; the tests compare the two.
 */
#include "put/options.h"

#include "put/options_value.h"
#include "put/source.h"

#include "wire/cleanup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT 60 /* seconds */
#define RETRIES_DEFAULT 5
#define SERVER_VARIABLE "PUT_SERVER"

/* Those without a letter. */
enum {
	OPTION_TIMEOUT = 256,
	OPTION_COMMAND,
	OPTION_RETRIES,
	OPTION_BWLIMIT,
	OPTION_RECEIPTS,
	OPTION_JSON,
	OPTION_PROGRESS
};

static const char short_options[] = ":s:n:rRpce:liqvVh";

static const struct option long_options[] = {
    {"server", required_argument, NULL, 's'},
    {"name", required_argument, NULL, 'n'},
    {"recursive", no_argument, NULL, 'r'},
    {"relative", no_argument, NULL, 'R'},
    {"preserve", no_argument, NULL, 'p'},
    {"checksum", no_argument, NULL, 'c'},
    {"if-exists", required_argument, NULL, 'e'},
    {"from-command", required_argument, NULL, OPTION_COMMAND},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"bwlimit", required_argument, NULL, OPTION_BWLIMIT},
    {"legacy", no_argument, NULL, 'l'},
    {"interactive", no_argument, NULL, 'i'},
    {"receipts", no_argument, NULL, OPTION_RECEIPTS},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"progress", required_argument, NULL, OPTION_PROGRESS},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: put [OPTION]... FILE...    or: put [OPTION]... FILE... | nc -N "
    "HOST PORT\n"
    "Send files to a putd server, and tell for each whether it is stored.\n"
    "  -s, --server=ADDR       HOST:PORT, [V6]:PORT, unix:PATH or "
    "exec:COMMAND\n"
    "                          ($" SERVER_VARIABLE
    "); without one: on standard output\n"
    "  -n, --name=NAME         name on the server; FILE may be - for stdin\n"
    "  -r, --recursive         send what is in directories\n"
    "  -R, --relative          keep the given path as the name\n"
    "  -p, --preserve          keep the time of modification\n"
    "  -c, --checksum          SHA-256 from end to end\n"
    "  -e, --if-exists=POLICY  replace, reject, or keep what is there\n"
    "      --from-command=CMD  send its output; store it only if it exits 0\n"
    "      --retries=N         try again so often without progress (5)\n"
    "      --timeout=SEC       a try ends after SEC s without progress (60)\n"
    "      --bwlimit=SIZE      bytes a second, with K, M, G or T\n"
    "  -l, --legacy            for a receiver that gives no receipts\n"
    "  -i, --interactive       prompt for: put FILE..., help, quit\n"
    "      --receipts          judge the receipts on stdin, as nc prints them\n"
    "  -q, --quiet             say only what went wrong\n"
    "  -v, --verbose           say more\n"
    "      --json              a line for each file on standard output\n"
    "      --progress=WHEN     auto, always or never\n"
    "  -V, --version           print the version and exit\n"
    "  -h, --help              print this help and exit\n"
    "Exit: 0 stored, 1 some not, 64 usage, 69 no server, 74 I/O, 75 try "
    "again\n";

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

/* Those that only set something. */
static bool take_flag(struct options *options, int option)
{
	switch (option) {
	case 'r':
		return options->recursive = true;
	case 'R':
		return options->relative = true;
	case 'p':
		return options->preserve = true;
	case 'c':
		return options->checksum = true;
	case 'l':
		return options->legacy = true;
	case 'i':
		return options->interactive = true;
	case OPTION_RECEIPTS:
		return options->receipts = true;
	case OPTION_JSON:
		return options->json = true;
	case 'q':
		options->verbosity = VERBOSITY_QUIET;
		return true;
	case 'v':
		options->verbosity = VERBOSITY_VERBOSE;
		return true;
	default:
		return false;
	}
}

/* Those with a value. False where it is wrong, or the option is unknown. */
static bool take_value(struct options *options, int option, char **argv)
{
	switch (option) {
	case 's':
		return value_server(optarg, options);
	case 'n':
		options->name = optarg;
		return true;
	case 'e':
		return value_policy(optarg, &options->if_exists);
	case OPTION_COMMAND:
		options->command = optarg;
		return true;
	case OPTION_RETRIES:
		options->retries_given = true;
		return value_retries(optarg, &options->retries);
	case OPTION_TIMEOUT:
		return value_timeout(optarg, &options->timeout_ms);
	case OPTION_BWLIMIT:
		return value_size(optarg, &options->bwlimit);
	case OPTION_PROGRESS:
		return value_progress(optarg, &options->progress);
	default:
		tell_wrong(option, argv);
		return false;
	}
}

static enum options_verdict take(
    struct options *options, int option, char **argv)
{
	if (option == 'V')
		return show("put " PUTD_VERSION "\n");
	if (option == 'h')
		return show(help);
	if (take_flag(options, option) || take_value(options, option, argv))
		return OPTIONS_RUN;
	return OPTIONS_WRONG;
}

static bool take_default_server(struct options *options)
{
	const char *server = getenv(SERVER_VARIABLE);

	if (options->has_server || options->receipts || server == NULL ||
	    *server == '\0')
		return true;
	return value_server(server, options);
}

static bool has_stdin(const struct options *options)
{
	for (char **file = options->files; *file != NULL; file++)
		if (strcmp(*file, SOURCE_STDIN) == 0)
			return true;
	return false;
}

/* Of modes that have their files from elsewhere. */
static const char *mode_wrong(const struct options *options)
{
	if (options->files[0] != NULL)
		return options->receipts      ? "--receipts takes no FILE"
		       : options->interactive ? "--interactive takes no FILE"
					      : "--from-command takes no FILE";
	if (options->command != NULL && options->name == NULL)
		return "--from-command needs a --name";
	if (options->interactive && !options->has_server)
		return "--interactive needs a server";
	if (options->interactive && options->name != NULL)
		return "--name is for one FILE only";
	return NULL;
}

static const char *files_wrong(const struct options *options)
{
	if (options->files[0] == NULL)
		return "no FILE is given";
	if (options->files[1] != NULL && options->name != NULL)
		return "--name is for one FILE only";
	if (options->files[1] != NULL && options->legacy &&
	    !options->has_server)
		return "--legacy without a server is for one FILE only";
	if (has_stdin(options) && options->name == NULL)
		return "standard input needs a --name; a file named '-' "
		       "is ./-";
	return NULL;
}

/* What does not go together. */
static const char *mix_wrong(const struct options *options)
{
	if (options->json && !options->has_server)
		return "--json needs a server";
	if (!options->legacy)
		return NULL;
	if (options->command != NULL || has_stdin(options))
		return "--legacy sends files of a known size only";
	if (options->preserve || options->checksum ||
	    options->if_exists != POLICY_ABSENT)
		return "--legacy receivers know no -p, -c or -e";
	return NULL;
}

static bool all_fits(const struct options *options)
{
	bool mode = options->receipts || options->interactive ||
		    options->command != NULL;
	const char *wrong = mode ? mode_wrong(options) : files_wrong(options);

	if (wrong == NULL)
		wrong = mix_wrong(options);
	if (wrong != NULL)
		report_usage(wrong, NULL, NULL);
	return wrong == NULL;
}

enum options_verdict options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {
	    .timeout_ms = TIMEOUT_DEFAULT * 1000,
	    .retries = RETRIES_DEFAULT,
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
	    (!take_default_server(&options) || !all_fits(&options)))
		verdict = OPTIONS_WRONG;
	if (verdict == OPTIONS_RUN)
		*ret = options;
	return verdict;
}
