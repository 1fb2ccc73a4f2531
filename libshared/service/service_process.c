/*
 * service_process: see service_process.h. The names of the metrics are those that Prometheus'
 * client libraries agree on.
 */
#include "service_process.h"

#include "clock.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void service_process_prepare(void)
{
	struct rlimit files;

	(void)umask(umask(0027) | 0027); /* a stricter one stays */
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128] = "";
	struct str rest;
	int64_t pages = 0;

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL) {
		rest = str_from(line);
		(void)str_cut(&rest, ' '); /* the size; then what is resident */
		(void)str_to_int64(str_cut(&rest, ' '), &pages);
	}
	(void)fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	if (folder == NULL)
		return 0;
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count - 3; /* ".", "..", and the folder itself */
}

static double cpu_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void service_process_register(
	struct service_process *process, struct metrics *metrics, const char *service)
{
	char labels[128];

	(void)snprintf(labels, sizeof(labels), "service=\"%s\",version=\"%s\"", service,
		CALLWEAVE_VERSION);
	metric_set(metrics_gauge(metrics, "callweave_build_info", labels, "The program, always 1."),
		1);
	metric_set(metrics_gauge(metrics, "process_start_time_seconds", NULL,
			   "When the process started, in seconds since 1970."),
		(double)clock_wall_ms() / 1000);
	process->memory = metrics_gauge(
		metrics, "process_resident_memory_bytes", NULL, "Memory that is in RAM.");
	process->files = metrics_gauge(metrics, "process_open_fds", NULL, "Open file descriptors.");
	process->cpu = metrics_counter(metrics, "process_cpu_seconds_total", NULL,
		"User and system time of the processor.");
}

void service_process_measure(struct service_process *process)
{
	metric_set(process->memory, resident_bytes());
	metric_set(process->files, open_files());
	metric_add(process->cpu, cpu_seconds() - metric_value(process->cpu));
}
