/*
 * service_signals: the end of a service, and what else signals ask for.
 *
 * A drain has two parts. First the service says "not ready" but still accepts, so that a balancer
 * can turn away in time; then it refuses connections and finishes what is under way.
 */
#include "alloc.h"
#include "clock.h"
#include "service_notify.h"
#include "service_private.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

enum { POLL_MS = 10, STATUS_MS = 5000 };

struct service_signals {
	struct service *service;
	struct loop_signal *term, *interrupt, *quit, *hangup, *user1;
	struct loop_timer *notice, *poll, *deadline; /* of the drain */
	struct loop_timer *tick;		     /* systemd's watchdog and status line */
	int64_t tick_ms;
};

/* -- the drain ------------------------------------------------------------------------------- */

static void on_notice_over(void *owner)
{
	struct service_signals *signals = owner;
	struct service *service = signals->service;

	http_server_drain(service->server);
	if (service->spec->drain != NULL)
		service->spec->drain(service->context);
	loop_timer_set(signals->poll, 0);
}

static void on_poll(void *owner)
{
	struct service_signals *signals = owner;
	struct service *service = signals->service;

	if (http_server_busy(service->server) == 0 &&
		(service->spec->drained == NULL || service->spec->drained(service->context)))
		loop_stop(service->loop);
	else
		loop_timer_set(signals->poll, POLL_MS);
}

static void on_deadline(void *owner)
{
	struct service_signals *signals = owner;
	struct service *service = signals->service;

	log_warn(&service->log, "the drain took too long, stopping with %u requests under way",
		http_server_busy(service->server));
	service->failed = true;
	loop_stop(service->loop);
}

static void on_term(void *owner)
{
	struct service_signals *signals = owner;
	struct service *service = signals->service;
	const struct service_settings *settings = service_config_common(service->config);

	if (service->draining) {
		log_warn(&service->log, "told twice to end: stopping at once");
		loop_stop(service->loop);
		return;
	}
	service->draining = true;
	log_info(&service->log, "draining, at most %" PRId64 " s", settings->drain_seconds);
	service_notify("STOPPING=1\nSTATUS=draining");
	loop_timer_set(signals->notice, settings->drain_notice_ms);
	loop_timer_set(
		signals->deadline, settings->drain_notice_ms + settings->drain_seconds * 1000);
}

static void on_quit(void *owner)
{
	struct service_signals *signals = owner;

	log_info(&signals->service->log, "stopping at once");
	service_notify("STOPPING=1");
	loop_stop(signals->service->loop);
}

/* -- logs ------------------------------------------------------------------------------------ */

static void on_user1(void *owner)
{
	struct service_signals *signals = owner;

	log_reopen(signals->service->sink);
	log_info(&signals->service->log, "log opened again");
}

/* Only the level: other settings live in half-open connections and want a restart. A mistake in
 * the file must not take a running service down. */
static void read_level(struct service *service)
{
	struct error error;
	enum log_level level;
	struct service_config *config =
		service_config_load(service->spec, service->config_path, &error);

	if (config == NULL) {
		log_error(&service->log, "settings not read again, the old ones stay: %s",
			error.text);
		return;
	}
	if (log_level_from(str_from(service_config_common(config)->log_level), &level))
		log_set_level(service->sink, level);
	log_info(&service->log, "log level is %s", service_config_common(config)->log_level);
	service_config_free(&config);
}

/* A certificate that was renewed: for connections from now on. */
static void read_certificate(struct service *service)
{
	struct error error;

	if (!service_listen_tls(service_config_listen(service->config)))
		return;
	if (http_server_read_tls(service->server, &error))
		log_info(&service->log, "the certificate is read again");
	else
		log_error(&service->log, "the certificate is not read again, the old one stays: %s",
			error.text);
}

static void on_hangup(void *owner)
{
	struct service_signals *signals = owner;

	service_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
	read_level(signals->service);
	read_certificate(signals->service);
	service_notify("READY=1");
}

/* -- systemd --------------------------------------------------------------------------------- */

/* Runs in the loop: a loop that hangs does not feed the watchdog. */
static void on_tick(void *owner)
{
	struct service_signals *signals = owner;
	struct service *service = signals->service;
	char words[256];
	const char *why = service_why_not(service, words, sizeof(words));

	if (service->draining)
		why = "draining";
	service_notify("WATCHDOG=1\nSTATUS=%s", why != NULL ? why : "serving");
	loop_timer_set(signals->tick, signals->tick_ms);
}

struct service_signals *service_signals_new(struct service *service)
{
	struct service_signals *signals = alloc_zeroed(1, sizeof(*signals));
	struct loop *loop = service->loop;
	int64_t watchdog_ms = service_notify_watchdog_ms();

	signals->service = service;
	signals->term = loop_signal_new(loop, SIGTERM, on_term, signals);
	signals->interrupt = loop_signal_new(loop, SIGINT, on_term, signals);
	signals->quit = loop_signal_new(loop, SIGQUIT, on_quit, signals);
	signals->hangup = loop_signal_new(loop, SIGHUP, on_hangup, signals);
	signals->user1 = loop_signal_new(loop, SIGUSR1, on_user1, signals);
	signals->notice = loop_timer_new(loop, on_notice_over, signals);
	signals->poll = loop_timer_new(loop, on_poll, signals);
	signals->deadline = loop_timer_new(loop, on_deadline, signals);
	signals->tick = loop_timer_new(loop, on_tick, signals);
	signals->tick_ms = watchdog_ms > 0 && watchdog_ms < STATUS_MS ? watchdog_ms : STATUS_MS;
	loop_timer_set(signals->tick, signals->tick_ms);
	return signals;
}

void service_signals_free(struct service_signals **signals)
{
	loop_timer_free(&(*signals)->tick);
	loop_timer_free(&(*signals)->deadline);
	loop_timer_free(&(*signals)->poll);
	loop_timer_free(&(*signals)->notice);
	loop_signal_free(&(*signals)->user1);
	loop_signal_free(&(*signals)->hangup);
	loop_signal_free(&(*signals)->quit);
	loop_signal_free(&(*signals)->interrupt);
	loop_signal_free(&(*signals)->term);
	free(*signals);
	*signals = NULL;
}
