/*
 * See tree.h.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTSIDE "/nonexistent/outside"

static char root[4096];
static int root_fd;

static void remove_root(void)
{
	tree_empty();
	(void)rmdir(root);
}

const char *tree_open(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(root, sizeof(root), "%s/putd-fuzz.XXXXXX",
	    parent != NULL ? parent : "/dev/shm");
	if (mkdtemp(root) == NULL)
		abort();
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 || atexit(remove_root) != 0)
		abort();
	return root;
}

void tree_furnish(struct model *model, unsigned what)
{
	bool failed = false;

	if (what & 1) {
		failed |= mkdirat(root_fd, "d", 0755) < 0;
		model_add(model, "d", NODE_DIRECTORY);
	}
	if (what & 2) {
		failed |= symlinkat("d", root_fd, "s") < 0;
		failed |= symlinkat(OUTSIDE, root_fd, "t") < 0;
		failed |= symlinkat("a", root_fd, "u") < 0;
		model_add(model, "s", NODE_LINK);
		model_add(model, "t", NODE_LINK);
		model_add(model, "u", NODE_LINK);
	}
	if (what & 4) {
		failed |= mkfifoat(root_fd, "p", 0600) < 0;
		model_add(model, "p", NODE_FIFO);
	}
	if (failed)
		abort();
}

int tree_lock(const char *id)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char name[128];
	int fd;

	snprintf(name, sizeof(name), ".putd/%s.note", id);
	fd = openat(root_fd, name, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &whole) < 0)
		abort();
	return fd;
}

static bool disagree(const char *path, const char *how)
{
	fprintf(stderr, "%s: %s\n", path, how);
	return false;
}

static bool has_content(
    int directory, const char *name, const struct content *content)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	static uint8_t bytes[1 << 23];
	ssize_t n = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : -1;

	(void)close(fd);
	return n >= 0 && (size_t)n == content->size &&
	       memcmp(bytes, content->bytes, content->size) == 0;
}

static bool has_wishes(
    const struct node *node, const struct stat *status, mode_t mode)
{
	int64_t usec = (int64_t)status->st_mtim.tv_sec * 1000000 +
		       status->st_mtim.tv_nsec / 1000;

	return (status->st_mode & 07777) == mode && status->st_nlink == 1 &&
	       (!node->has_mtime || usec == (int64_t)node->mtime_usec);
}

static bool node_agrees(const struct model *model, const struct node *node,
    int directory, const char *name)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return disagree(node->path, "is not there");
	switch (node->type) {
	case NODE_DIRECTORY:
		return S_ISDIR(status.st_mode) ||
		       disagree(node->path, "is no directory");
	case NODE_LINK:
		return S_ISLNK(status.st_mode) ||
		       disagree(node->path, "is no link");
	case NODE_FIFO:
		return S_ISFIFO(status.st_mode) ||
		       disagree(node->path, "is no fifo");
	default:
		break;
	}
	if (!S_ISREG(status.st_mode))
		return disagree(node->path, "is no file");
	if (!has_wishes(node, &status, model->options->file_mode))
		return disagree(node->path, "has another mode, time, or link");
	return has_content(directory, name, &node->content) ||
	       disagree(node->path, "has other bytes");
}

static unsigned id_of(const char *name, size_t length)
{
	unsigned id = 0;

	while (id < IDS && (strlen(ids[id]) != length ||
			       memcmp(ids[id], name, length) != 0))
		id++;
	return id;
}

/* Of the private directory: what belongs to an upload that the model has. */
static bool private_agrees(
    const struct model *model, int directory, const char *name)
{
	const char *ending = strrchr(name, '.');
	const struct upload *upload;
	unsigned id;

	if (strcmp(name, "swept") == 0)
		return true;
	id = ending != NULL ? id_of(name, (size_t)(ending - name)) : IDS;
	if (id == IDS)
		return disagree(name, "is litter");
	upload = &model->uploads[id];
	if (strcmp(ending, ".done") == 0)
		return upload->state == STORED ||
		       disagree(name, "of an upload that is not stored");
	if (upload->state != PARTIAL)
		return disagree(name, "of an upload that is not partial");
	if (strcmp(ending, ".note") == 0)
		return true;
	return strcmp(ending, ".part") == 0 &&
	       (has_content(directory, name, &upload->content) ||
		   disagree(name, "has other bytes"));
}

typedef bool visit_function(struct model *model, int directory,
    const char *name, const char *path, unsigned char type);

/* Calls `visit` for all entries, those of a directory before itself. */
static bool walk(struct model *model, int at, const char *path, bool private,
    visit_function *visit)
{
	DIR *directory = fdopendir(at);
	const struct dirent *entry;
	bool fine = directory != NULL;

	while (fine && (entry = readdir(directory)) != NULL) {
		const char *name = entry->d_name;
		char below[NAME_ROOM + 256];
		bool is_private = private || strcmp(name, ".putd") == 0;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s%s%s", path,
		    path[0] != '\0' ? "/" : "", name);
		if (entry->d_type == DT_DIR)
			fine = walk(model,
			    openat(at, name, O_RDONLY | O_DIRECTORY),
			    is_private && path[0] == '\0' ? ".putd" : below,
			    is_private && path[0] == '\0', visit);
		fine = fine && visit(model, at, name, below, entry->d_type);
	}
	(void)closedir(directory);
	return fine;
}

static size_t seen;

static bool visit_compare(struct model *model, int directory, const char *name,
    const char *path, unsigned char type)
{
	const struct node *node;

	(void)type;
	if (strcmp(path, ".putd") == 0)
		return true;
	if (strncmp(path, ".putd/", 6) == 0)
		return private_agrees(model, directory, name);
	node = node_find(model, path, strlen(path));
	if (node == NULL)
		return disagree(path, "is not to be there");
	seen++;
	return node_agrees(model, node, directory, name);
}

static bool visit_remove(struct model *model, int directory, const char *name,
    const char *path, unsigned char type)
{
	(void)model, (void)path;
	return unlinkat(directory, name, type == DT_DIR ? AT_REMOVEDIR : 0) ==
	       0;
}

static int open_root(void)
{
	return openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What an upload needs must be there, too. */
static bool uploads_agree(const struct model *model)
{
	for (unsigned i = 0; i < IDS; i++) {
		static const char *const endings[] = {
		    [PARTIAL] = "part", [STORED] = "done"};
		char name[128];

		if (model->uploads[i].state == UNKNOWN)
			continue;
		snprintf(name, sizeof(name), ".putd/%s.%s", ids[i],
		    endings[model->uploads[i].state]);
		if (faccessat(root_fd, name, F_OK, 0) < 0)
			return disagree(name, "is not there");
	}
	return true;
}

bool tree_agrees(struct model *model)
{
	seen = 0;
	if (!walk(model, open_root(), "", false, visit_compare))
		return false;
	if (seen != model->node_count) {
		fprintf(
		    stderr, "%zu of %zu are there\n", seen, model->node_count);
		return false;
	}
	return uploads_agree(model);
}

void tree_empty(void)
{
	if (!walk(NULL, open_root(), "", false, visit_remove))
		abort();
}
