/*
 * prompt_file: see prompt_file.h.
 */
#include "prompt_file.h"

#include "prompts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool prompt_folder_make(const char *folder, struct error *error)
{
	if (mkdir(folder, 0755) == 0 || errno == EEXIST)
		return true;
	return error_set(error, ERROR_INTERNAL, "%s: %s", folder, strerror(errno));
}

bool prompt_file_exists(const char *path)
{
	struct stat is;

	return stat(path, &is) == 0 && S_ISREG(is.st_mode) && is.st_size > 0 &&
	       is.st_size <= PROMPT_MAX_BYTES;
}

bool prompt_file_write(const char *path, struct str audio, struct error *error)
{
	char beside[PROMPT_PATH_BYTES];
	bool good;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	good = fd >= 0 && write(fd, audio.data, audio.size) == (ssize_t)audio.size;
	if (fd >= 0)
		good = close(fd) == 0 && good;
	if (good && rename(beside, path) == 0)
		return true;
	return error_set(error, ERROR_INTERNAL, "%s: %s", beside, strerror(errno));
}

bool prompt_name_is_good(struct str name)
{
	if (name.size < 8 || name.size >= PROMPT_NAME_BYTES || !str_ends(name, STR(".wav")))
		return false;
	for (size_t i = 0; i + 4 < name.size; i++) {
		char c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

/* -- GET /static/tts/<file> ------------------------------------------------------------------------------ */

static bool read_whole(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = -1;

	while (fd >= 0) {
		char *room = buf_reserve(to, (size_t)64 << 10);

		got = room != NULL ? read(fd, room, (size_t)64 << 10) : -1;
		if (got <= 0)
			break;
		buf_grew(to, (size_t)got);
	}
	if (fd >= 0)
		close(fd);
	return got == 0 && to->size > 0;
}

static enum flow_status send_file(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct str name = http_request(flow)->tail;
	enum flow_status status;
	struct buf audio;
	char path[PROMPT_PATH_BYTES];

	if (!prompt_name_is_good(name))
		return http_reply_detail(flow, 404, "no such prompt");
	snprintf(path, sizeof(path), "%s/%.*s", hooks->settings->prompts_folder, STR_ARG(name));
	buf_init(&audio, PROMPT_MAX_BYTES + (64 << 10));
	if (read_whole(path, &audio)) {
		http_reply_header(flow, "Cache-Control", "public, max-age=86400");
		status = http_reply(flow, 200, "audio/wav", buf_str(&audio));
	} else {
		status = http_reply_detail(flow, 404, "no such prompt");
	}
	buf_free(&audio);
	return status;
}

static const struct flow_step file_steps[] = {
	{"send", send_file},
	{NULL, NULL},
};

const struct flow_spec prompt_file_flow = {
	.name = "prompt-file", .steps = file_steps, .deadline_ms = 10000};
