/*
 * service: main() of every process, from the command line to the last free.
 *
 * service_main() reads as the order of events; what a process does meanwhile is in
 * service_signals.c (drain, watchdog) and service_routes.c (health).
 */
#include "service.h"

#include "service_args.h"
#include "service_notify.h"
#include "service_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { TEXT_MAX_BYTES = 256 * 1024 };

/* -- what ends before anything starts -------------------------------------------------------- */

static void print_and_free(struct buf *text)
{
	(void)fputs(text->data != NULL ? text->data : "", stdout);
	buf_free(text);
}

static int print_help(const struct service_spec *spec)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	(void)buf_printf(&text,
		"%s: %s\n\n"
		"usage: %s [--config FILE] [--check-config | --healthcheck | --version | "
		"--help]\n\n"
		"  --config FILE    NAME=value lines; the environment goes before them\n"
		"  --check-config   print the settings that take effect, secrets as ***\n"
		"  --healthcheck    exit 0 when the running service is ready, else 1\n\n"
		"Settings and their defaults (NAME_FILE names a file that holds the value):\n",
		spec->name, spec->summary, spec->name);
	service_config_describe(&text, spec);
	print_and_free(&text);
	return EXIT_CLEAN;
}

static int print_config(const struct service_config *config)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	service_config_print(&text, config);
	print_and_free(&text);
	return EXIT_CLEAN;
}

static int complain(const struct service_spec *spec, const struct error *error, int exit_code)
{
	(void)fprintf(stderr, "%s: %s\n", spec->name, error->text);
	return exit_code;
}

/* -- start and stop, mirrors of each other --------------------------------------------------- */

static bool open_log(struct service *service, struct error *error)
{
	const struct service_settings *settings = service_config_common(service->config);
	struct log_options options = {
		.service = service->spec->name,
		.path = settings->log_file,
		.show_phones = settings->log_show_phones,
	};

	(void)log_level_from(str_from(settings->log_level), &options.level);
	service->sink = log_new(&options, error);
	service->log.log = service->sink;
	return service->sink != NULL;
}

static bool listen_now(struct service *service, struct error *error)
{
	const struct service_listen *listen = service_config_listen(service->config);
	struct http_server_options options = {
		.host = listen->host,
		.port = (int)listen->port,
		.listen_fd = service_notify_listen_fd(),
		.tls_cert_file = service_listen_tls(listen) ? listen->tls_cert : NULL,
		.tls_key_file = listen->tls_key,
		.max_body_bytes = service->spec->max_body_bytes,
		.spool_folder = service_config_common(service->config)->spool_folder,
		.routes = service->spec->routes,
		.context = service->context,
		.more_routes = service_routes,
		.more_context = service,
		.log = service->log,
		.metrics = service->metrics,
		.loose_slashes = service->spec->loose_slashes,
		.show_trace = service->spec->show_trace,
		.seen = service->spec->seen,
	};

	service->server = http_server_new(service->loop, &options, error);
	return service->server != NULL;
}

static bool start(struct service *service, struct error *error)
{
	service->loop = loop_new();
	service->metrics = metrics_new();
	service_process_register(&service->process, service->metrics, service->spec->name);
	service->context = service->spec->start(service, error);
	return service->context != NULL && listen_now(service, error);
}

/* Flows go first: after that nobody uses what stop() frees. */
static void stop(struct service *service)
{
	http_server_free(&service->server);
	flow_cancel_all(service->loop);
	if (service->context != NULL)
		service->spec->stop(service->context);
	metrics_free(&service->metrics);
	loop_free(&service->loop);
}

static void serve(struct service *service)
{
	struct service_signals *signals = service_signals_new(service);

	log_info(&service->log, "%s " CALLWEAVE_VERSION " listens on %s port %d, pid %d",
		service->spec->name, service_config_listen(service->config)->host,
		http_server_port(service->server), (int)getpid());
	service_notify("READY=1\nSTATUS=serving");
	loop_run(service->loop);
	service_signals_free(&signals);
}

static int run(struct service *service)
{
	struct error error = {.kind = ERROR_NONE};

	if (!open_log(service, &error))
		return complain(service->spec, &error, EXIT_FAILED);
	service_process_prepare();
	if (start(service, &error)) {
		serve(service);
	} else {
		service->failed = true;
		log_error(&service->log, "cannot start: %s", error.text);
		if (service_config_common(service->config)->log_file[0] != '\0')
			(void)complain(service->spec, &error, EXIT_FAILED);
	}
	stop(service);
	log_info(&service->log, "stopped");
	log_free(&service->sink);
	return service->failed ? EXIT_FAILED : EXIT_CLEAN;
}

int service_main(int argc, char **argv, const struct service_spec *spec)
{
	struct service service = {.spec = spec};
	struct service_args args;
	struct error error = {.kind = ERROR_NONE};
	int exit_code;

	if (!service_args_read(&args, argc, argv, &error))
		return complain(spec, &error, EXIT_USAGE);
	if (args.help)
		return print_help(spec);
	if (args.version)
		return printf("%s " CALLWEAVE_VERSION "\n", spec->name) < 0 ? EXIT_FAILED
									    : EXIT_CLEAN;
	service.config_path = args.config_path;
	service.config = service_config_load(spec, args.config_path, &error);
	if (service.config == NULL)
		return complain(spec, &error, EXIT_USAGE);
	if (args.check_config)
		exit_code = print_config(service.config);
	else if (args.healthcheck)
		exit_code = service_healthcheck(service_config_listen(service.config));
	else
		exit_code = run(&service);
	service_config_free(&service.config);
	return exit_code;
}

/* -- for start() ----------------------------------------------------------------------------- */

struct loop *service_loop(struct service *service)
{
	return service->loop;
}

const void *service_config(struct service *service)
{
	return service_config_own(service->config);
}

const void *service_argument(struct service *service)
{
	return service->spec->argument;
}

struct metrics *service_metrics(struct service *service)
{
	return service->metrics;
}

const struct log_context *service_log(struct service *service)
{
	return &service->log;
}

struct log *service_log_sink(struct service *service)
{
	return service->sink;
}

int service_port(struct service *service)
{
	if (service->server != NULL)
		return http_server_port(service->server);
	return (int)service_config_listen(service->config)->port;
}

struct str service_link_key(struct service *service)
{
	return str_from(service_config_common(service->config)->link_key.value);
}

struct str service_internal_secret(struct service *service)
{
	return str_from(service_config_common(service->config)->internal_secret.value);
}

const char *service_spool_folder(struct service *service)
{
	return service_config_common(service->config)->spool_folder;
}

const char *service_public_url(struct service *service)
{
	return service_config_common(service->config)->public_url;
}

const char *service_database_url(struct service *service)
{
	return service_config_common(service->config)->database_url.value;
}

const char *service_redis_url(struct service *service)
{
	return service_config_common(service->config)->redis_url.value;
}
