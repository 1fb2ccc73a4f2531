/*
 * service_notify: systemd's sd_notify and socket activation, by hand (sd_notify(3),
 * sd_listen_fds(3)). Without systemd nothing happens. Private to service.
 */
#ifndef CALLWEAVE_SERVICE_NOTIFY_H
#define CALLWEAVE_SERVICE_NOTIFY_H

#include <stdint.h>

/* "READY=1\nSTATUS=..."; lost without a word when nobody listens. */
void service_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often WATCHDOG=1 is due: half of what the unit allows; 0: no watchdog. */
int64_t service_notify_watchdog_ms(void);

/* The listening socket that systemd holds for us, close-on-exec; 0 when there is none. */
int service_notify_listen_fd(void);

#endif
