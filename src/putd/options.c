/*
 * See options.h. One table names every option, with what reads its value; the
 * help text stands beside it, and a test holds it against putd(8).
 */
#include "putd/options.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX	(366L * 24 * 3600) /* a year */
#define DAYS_MAX	3660		   /* ten years */
#define CONNECTIONS_MAX 1000000000UL
#define LONG_OPTION	256 /* above any character that stands for one */

static const char help_text[] =
    "Usage: putd [OPTION]... DIRECTORY\n"
    "Reads one connection and puts the files that arrive into DIRECTORY.\n"
    "\n"
    "      --if-exists=replace|reject|keep  (replace) keep: NAME.~1~, ...\n"
    "      --max-size=SIZE      refuse larger files (no limit)\n"
    "      --max-session=SIZE   bytes of a connection (no limit)\n"
    "      --min-free=SIZE|N%   refuse below this free space (5%)\n"
    "      --max-partial=SIZE|N%  of free space, for partial files (50%)\n"
    "      --keep-partial=DAYS  partial files, receipts of commits (7)\n"
    "      --mkdirs             make directories named in file names\n"
    "      --allow-hidden       allow components that start with a dot\n"
    "      --file-mode=OCTAL    of files (0640)\n"
    "      --idle-timeout=SEC   between frames (900)\n"
    "      --legacy-idle=SEC    the same, for a sender that stored a file and\n"
    "                           never asked for a receipt (14400)\n"
    "      --stall-timeout=SEC  inside a frame, without a byte (60)\n"
    "      --min-rate=SIZE      bytes a second inside a frame, over 60 s (0)\n"
    "      --session-timeout=SEC  of a whole connection (0: none)\n"
    "      --sync=full|none     flush before a receipt, or not at all (full)\n"
    "      --connections=N      listening socket: serve N, then exit (1)\n"
    "      --idle-exit=SEC      listening socket: exit when idle (0: never)\n"
    "      --proxy-protocol=NET[,NET...]\n"
    "                           a PROXY header is required of these peers\n"
    "      --log=auto|journal|syslog|stderr|none\n"
    "      --check              judge kernel and DIRECTORY, serve nothing\n"
    "      --no-sandbox         do not confine the process: for debuggers\n"
    "      --verbose            log each connection's end too\n"
    "      --version, --help\n"
    "\n"
    "SIZE takes K M G T (powers of 1024). putd listens on nothing: systemd,\n"
    "xinetd, inetd, socat or ssh start it. See putd(8).\n";

void options_print_help(void)
{
	(void)fputs(help_text, stdout);
}

/* Digits alone, up to `max`. Returns where they end, NULL where there are none
 * or too many. */
static const char *read_digits(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return NULL;
	}
	*ret = value;
	return text;
}

static bool read_number(const char *text, uint64_t max, uint64_t *ret)
{
	const char *end = read_digits(text, max, ret);

	return end != NULL && *end == '\0';
}

static bool read_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	uint64_t value;
	const char *end = read_digits(text, INTEGER_MAX, &value);
	const char *unit;

	if (end == NULL)
		return false;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return false;
		for (const char *u = units; u <= unit; u++)
			value *= value > INTEGER_MAX ? 1 : 1024;
	}
	*ret = value;
	return value <= INTEGER_MAX;
}

static bool read_amount(const char *text, struct amount *ret)
{
	uint64_t percent;
	const char *end = read_digits(text, 100, &percent);

	*ret = (struct amount){0};
	if (end != NULL && strcmp(end, "%") == 0) {
		ret->percent = (unsigned)percent;
		return true;
	}
	return read_size(text, &ret->bytes);
}

static bool read_seconds(const char *text, long min, long *ret)
{
	uint64_t value;

	if (!read_number(text, SECONDS_MAX, &value) || (long)value < min)
		return false;
	*ret = (long)value;
	return true;
}

static bool read_policy(struct options *o, const char *value)
{
	return policy_read(value, &o->policy);
}

static bool read_max_session(struct options *o, const char *value)
{
	return read_size(value, &o->max_session);
}

static bool read_max_partial(struct options *o, const char *value)
{
	return read_amount(value, &o->max_partial);
}

static bool read_keep(struct options *o, const char *value)
{
	uint64_t days;

	if (!read_number(value, DAYS_MAX, &days) || days == 0)
		return false;
	o->keep = (long)days * 24 * 3600;
	return true;
}

static bool read_mkdirs(struct options *o, const char *value)
{
	(void)value;
	o->mkdirs = true;
	return true;
}

static bool read_hidden(struct options *o, const char *value)
{
	(void)value;
	o->hidden = true;
	return true;
}

/* One to four octal digits, of permissions alone; the owner must read and
 * write. */
static bool read_mode(struct options *o, const char *value)
{
	size_t length = strspn(value, "01234567");
	unsigned long mode;

	if (length == 0 || length > 4 || value[length] != '\0')
		return false;
	mode = strtoul(value, NULL, 8);
	if (mode > 0777 || (mode & 0600) != 0600)
		return false;
	o->file_mode = (mode_t)mode;
	return true;
}

static bool read_min_rate(struct options *o, const char *value)
{
	return read_size(value, &o->min_rate);
}

static bool read_session_timeout(struct options *o, const char *value)
{
	return read_seconds(value, 0, &o->session_timeout);
}

static bool read_max_size(struct options *o, const char *value)
{
	return read_size(value, &o->max_size);
}

static bool read_min_free(struct options *o, const char *value)
{
	return read_amount(value, &o->min_free);
}

static bool read_idle(struct options *o, const char *value)
{
	return read_seconds(value, 1, &o->idle_timeout);
}

static bool read_legacy_idle(struct options *o, const char *value)
{
	return read_seconds(value, 1, &o->legacy_idle);
}

static bool read_stall(struct options *o, const char *value)
{
	return read_seconds(value, 1, &o->stall_timeout);
}

static bool read_sync(struct options *o, const char *value)
{
	o->durable = strcmp(value, "none") != 0;
	return strcmp(value, "full") == 0 || strcmp(value, "none") == 0;
}

static bool read_connections(struct options *o, const char *value)
{
	uint64_t n;

	if (!read_number(value, CONNECTIONS_MAX, &n) || n == 0)
		return false;
	o->connections = (unsigned long)n;
	return true;
}

static bool read_idle_exit(struct options *o, const char *value)
{
	return read_seconds(value, 0, &o->idle_exit);
}

static bool read_log(struct options *o, const char *value)
{
	static const char *const targets[] = {
	    [LOG_TO_AUTO] = "auto",
	    [LOG_TO_JOURNAL] = "journal",
	    [LOG_TO_SYSLOG] = "syslog",
	    [LOG_TO_STDERR] = "stderr",
	    [LOG_TO_NONE] = "none",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(targets); i++)
		if (strcmp(value, targets[i]) == 0) {
			o->log = (enum log_target)i;
			return true;
		}
	return false;
}

static bool read_no_sandbox(struct options *o, const char *value)
{
	(void)value;
	o->sandbox = false;
	return true;
}

static bool read_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose = true;
	return true;
}

static bool read_proxies(struct options *o, const char *value)
{
	return networks_parse(value, &o->proxies) == 0;
}

static bool read_check(struct options *o, const char *value)
{
	(void)value;
	o->action = ACTION_CHECK;
	return true;
}

static bool read_version(struct options *o, const char *value)
{
	(void)value;
	o->action = ACTION_VERSION;
	return true;
}

static bool read_help(struct options *o, const char *value)
{
	(void)value;
	o->action = ACTION_HELP;
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct options *o, const char *value);
	const char *wants; /* NULL: no value */
} table[] = {
    {"if-exists", read_policy, "replace, reject or keep"},
    {"max-session", read_max_session, "a SIZE, as 50G"},
    {"max-partial", read_max_partial, "a SIZE or a percentage, as 20G or 50%"},
    {"keep-partial", read_keep, "days, 1 to 3660"},
    {"mkdirs", read_mkdirs, NULL},
    {"allow-hidden", read_hidden, NULL},
    {"file-mode", read_mode, "permissions, as 0640, with 6 for the owner"},
    {"min-rate", read_min_rate, "a SIZE a second, as 1K"},
    {"session-timeout", read_session_timeout, "seconds, 0 to a year"},
    {"max-size", read_max_size, "a SIZE, as 500M"},
    {"min-free", read_min_free, "a SIZE or a percentage, as 2G or 5%"},
    {"idle-timeout", read_idle, "seconds, 1 to a year"},
    {"legacy-idle", read_legacy_idle, "seconds, 1 to a year"},
    {"stall-timeout", read_stall, "seconds, 1 to a year"},
    {"sync", read_sync, "full or none"},
    {"connections", read_connections, "a number, 1 to 1000000000"},
    {"idle-exit", read_idle_exit, "seconds, 0 to a year"},
    {"proxy-protocol", read_proxies,
	"at most 32 networks, as 192.0.2.0/24,2001:db8::1"},
    {"log", read_log, "auto, journal, syslog, stderr or none"},
    {"check", read_check, NULL},
    {"no-sandbox", read_no_sandbox, NULL},
    {"verbose", read_verbose, NULL},
    {"version", read_version, NULL},
    {"help", read_help, NULL},
};

static void fill_long_options(struct option out[ARRAY_LENGTH(table) + 1])
{
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		out[i] = (struct option){table[i].name,
		    table[i].wants != NULL ? required_argument : no_argument,
		    NULL, LONG_OPTION + (int)i};
	out[ARRAY_LENGTH(table)] = (struct option){0};
}

/* What getopt_long(3) found wrong: with ":" first, and nothing printed. It puts
 * a short option, or the value of a long one, into optopt. */
static int refuse(int found, char *const argv[], char problem[PROBLEM_TEXT])
{
	const char letter[] = {'-', (char)optopt, '\0'};
	const char *what = "no such option";

	if (found == ':')
		what = "a value is missing for";
	else if (optopt >= LONG_OPTION)
		what = "takes no value";
	(void)snprintf(problem, PROBLEM_TEXT, "%s: %.100s (see putd --help)",
	    what,
	    optopt > 0 && optopt < LONG_OPTION ? letter : argv[optind - 1]);
	return -EINVAL;
}

static int read_arguments(
    int argc, char *argv[], struct options *options, char problem[PROBLEM_TEXT])
{
	struct option long_options[ARRAY_LENGTH(table) + 1];
	int i;

	fill_long_options(long_options);
	opterr = 0;
	while ((i = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (i == '?' || i == ':')
			return refuse(i, argv, problem);
		i -= LONG_OPTION;
		if (table[i].read(options, optarg))
			continue;
		(void)snprintf(problem, PROBLEM_TEXT,
		    "--%s wants %s, not '%.60s'", table[i].name, table[i].wants,
		    optarg);
		return -EINVAL;
	}
	return 0;
}

/* "DIR/" would follow DIR where that is a symbolic link. */
static const char *without_slashes(char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	return path;
}

int options_parse(
    int argc, char *argv[], struct options *ret, char problem[PROBLEM_TEXT])
{
	*ret = (struct options){
	    .policy = POLICY_REPLACE,
	    .min_free = {.percent = 5},
	    .max_partial = {.percent = 50},
	    .keep = 7L * 24 * 3600,
	    .file_mode = 0640,
	    .durable = true,
	    .idle_timeout = 900,
	    .legacy_idle = 14400,
	    .stall_timeout = 60,
	    .connections = 1,
	    .sandbox = true,
	};
	if (read_arguments(argc, argv, ret, problem) < 0)
		return -EINVAL;
	if (ret->action == ACTION_HELP || ret->action == ACTION_VERSION)
		return 0;
	if (argc - optind != 1) {
		(void)snprintf(problem, PROBLEM_TEXT, "%s (see putd --help)",
		    argc == optind ? "which DIRECTORY?" : "one DIRECTORY only");
		return -EINVAL;
	}
	ret->directory = without_slashes(argv[optind]);
	return 0;
}
