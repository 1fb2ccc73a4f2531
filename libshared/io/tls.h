/*
 * tls: TLS over a non-blocking socket, of either side; the one place beside base/crypto.c that knows
 * OpenSSL (ADR 0022).
 *
 * A client always checks the certificate and the host's name and sends SNI. TLS 1.2 at least.
 */
#ifndef CALLWEAVE_TLS_H
#define CALLWEAVE_TLS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct loop;
struct tls_context;
struct tls;

/* A server's certificate with its chain, and its key (PEM). NULL with words. */
struct tls_context *tls_server_context(
	const char *cert_file, const char *key_file, struct error *error);
/* Whom a client believes: NULL is the system's. */
struct tls_context *tls_client_context(const char *ca_file, struct error *error);
/* A client that believes this one certificate and asks for no name: a program that asks itself. */
struct tls_context *tls_self_context(const char *cert_file, struct error *error);
/* As tls_client_context(), kept for this loop; nobody frees it. At most 8 different files. */
struct tls_context *tls_client_of(struct loop *loop, const char *ca_file, struct error *error);
/* Connections that were made with it live on. NULL inside is allowed. */
void tls_context_free(struct tls_context **context);

/* `host`: the name or the numeric address that the certificate must be of ("" for tls_self_context()
 * alone); NULL: we are the server.
 * It does not own the descriptor. */
struct tls *tls_new(struct tls_context *context, int fd, const char *host);
void tls_free(struct tls **tls); /* before the descriptor is closed. NULL inside is allowed */

/* As recv(2) and send(2): -1 with errno EAGAIN when it has to wait; the handshake happens by itself.
 * After another errno (EPROTO), tls_words() says what is wrong. */
ssize_t tls_recv(struct tls *tls, void *to, size_t room);
ssize_t tls_send(struct tls *tls, const void *data, size_t size);
bool tls_wants_write(const struct tls *tls); /* EAGAIN meant: until it can be written */
bool tls_is_open(const struct tls *tls);     /* the handshake is over */
bool tls_has_more(const struct tls *tls);    /* taken from the kernel and not given out yet */
void tls_shutdown(struct tls *tls);	     /* we send nothing more */
const char *tls_words(const struct tls *tls);

/* -- a socket, with TLS or (NULL) without --------------------------------------------------------- */

ssize_t link_recv(int fd, struct tls *tls, void *to, size_t room);
ssize_t link_send(int fd, struct tls *tls, const void *data, size_t size);
void link_shutdown(int fd, struct tls *tls);
const char *link_words(const struct tls *tls, int number); /* of an errno */

#endif
