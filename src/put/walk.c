/*
 * See walk.h. Names within a tree begin with the name of its directory, as with
 * cp -r; a directory without a name of its own ("." or "..") gives none.
 */
#include "put/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void walk_begin(struct walk *walk, char **files, const struct walk_rules *rules)
{
	*walk = (struct walk){.files = files, .rules = *rules};
}

static void end_tree(struct walk *walk)
{
	if (walk->tree != NULL)
		(void)fts_close(walk->tree);
	walk->tree = NULL;
	free(walk->prefix);
	walk->prefix = NULL;
}

void walk_end(struct walk *walk)
{
	end_tree(walk);
}

/* A copy without leading slashes, empty and "." components; what it must not
 * have otherwise is source_name_flaw()'s business. */
static char *relative_name(const char *path)
{
	char *name = malloc(strlen(path) + 1);
	char *end = name;

	while (name != NULL && *path != '\0') {
		size_t length = strcspn(path, "/");

		if (length > 0 && !(length == 1 && *path == '.')) {
			if (end != name)
				*end++ = '/';
			end = mempcpy(end, path, length);
		}
		path += length + (path[length] == '/' ? 1 : 0);
	}
	if (name != NULL)
		*end = '\0';
	return name;
}

static char *own_name(const struct walk *walk, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (walk->rules.name != NULL)
		return strdup(walk->rules.name);
	if (walk->rules.relative)
		return relative_name(path);
	return strdup(slash != NULL ? slash + 1 : path);
}

/* The last component of a directory's path, whatever slashes follow it. */
static char *tree_prefix(const struct walk *walk, const char *path, size_t root)
{
	const char *slash = memrchr(path, '/', root);
	const char *last = slash != NULL ? slash + 1 : path;
	size_t length = (size_t)(path + root - last);

	if (walk->rules.name != NULL || walk->rules.relative)
		return own_name(walk, path);
	if (length <= 2 && strncmp(last, "..", length) == 0)
		length = 0; /* "." and ".." */
	return strndup(last, length);
}

static int by_name(const FTSENT **one, const FTSENT **other)
{
	return strcmp((*one)->fts_name, (*other)->fts_name);
}

static int begin_tree(struct walk *walk, char *path)
{
	char *roots[] = {path, NULL};

	walk->root = strlen(path);
	while (walk->root > 0 && path[walk->root - 1] == '/')
		walk->root--;
	walk->prefix = tree_prefix(walk, path, walk->root);
	if (walk->prefix == NULL)
		return -ENOMEM;
	walk->tree = fts_open(
	    roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	return walk->tree != NULL ? 0 : -ENOMEM;
}

static char *name_in_tree(const struct walk *walk, const FTSENT *entry)
{
	const char *rest = entry->fts_path + walk->root;
	char *name;
	const char *between;

	rest += strspn(rest, "/");
	between = *walk->prefix != '\0' && *rest != '\0' ? "/" : "";
	return asprintf(&name, "%s%s%s", walk->prefix, between, rest) < 0
		   ? NULL
		   : name;
}

/* Returns as walk_next(); 0 at the end of the tree. */
static int step_in_tree(struct walk *walk, struct walked *ret)
{
	FTSENT *entry;

	while ((entry = fts_read(walk->tree)) != NULL) {
		struct walked found = {.path = entry->fts_path};

		if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
			continue;
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
		    entry->fts_info == FTS_NS) {
			found.flaw = SOURCE_UNREADABLE;
			found.error = entry->fts_errno;
		} else if (entry->fts_info == FTS_SL ||
			   entry->fts_info == FTS_SLNONE) {
			found.flaw = SOURCE_LINK;
		} else {
			found.name = name_in_tree(walk, entry);
			if (found.name == NULL)
				return -ENOMEM;
		}
		*ret = found;
		return 1;
	}
	return 0;
}

static bool is_tree(const struct walk *walk, const char *path)
{
	struct stat st;

	return walk->rules.recursive && stat(path, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

int walk_next(struct walk *walk, struct walked *ret)
{
	for (;;) {
		char *path;
		int r;

		r = walk->tree != NULL ? step_in_tree(walk, ret) : 0;
		if (r != 0)
			return r;
		end_tree(walk);
		path = *walk->files;
		if (path == NULL)
			return 0;
		walk->files++;
		if (!is_tree(walk, path)) {
			*ret = (struct walked){
			    .path = path,
			    .name = own_name(walk, path),
			};
			return ret->name != NULL ? 1 : -ENOMEM;
		}
		r = begin_tree(walk, path);
		if (r < 0)
			return r;
	}
}
