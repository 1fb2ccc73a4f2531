/*
 * tls: see tls.h.
 *
 * OpenSSL reads and writes the socket through a BIO of ours: its own socket BIO uses write(2), which
 * raises SIGPIPE.
 */
#include "tls.h"

#include "alloc.h"
#include "loop_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *socket; /* lives as long as its BIOs: they hold the context */
	unsigned uses;
	bool given_up;
};

struct tls {
	struct tls_context *context;
	SSL *ssl;
	bool wants_write;
	bool broken; /* nothing may be called on it any more, not even a shutdown */
	char words[128];
};

/* -- the socket ----------------------------------------------------------------------------------- */

static int fd_of(BIO *bio)
{
	return (int)(intptr_t)BIO_get_data(bio);
}

static int bio_result(BIO *bio, ssize_t done, int retry)
{
	BIO_clear_retry_flags(bio);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	return (int)done;
}

static int bio_write(BIO *bio, const char *data, int size)
{
	return bio_result(bio, send(fd_of(bio), data, (size_t)size, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static int bio_read(BIO *bio, char *to, int room)
{
	return bio_result(bio, recv(fd_of(bio), to, (size_t)room, 0), BIO_FLAGS_READ);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH; /* nothing is held back */
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *socket_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");

	if (method == NULL || BIO_meth_set_write(method, bio_write) != 1 ||
		BIO_meth_set_read(method, bio_read) != 1 ||
		BIO_meth_set_ctrl(method, bio_control) != 1 ||
		BIO_meth_set_create(method, bio_create) != 1)
		abort();
	return method;
}

/* -- contexts ------------------------------------------------------------------------------------- */

static struct tls_context *context_new(const SSL_METHOD *method)
{
	struct tls_context *context = alloc_zeroed(1, sizeof(*context));

	context->ssl = SSL_CTX_new(method);
	if (context->ssl == NULL ||
		SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION) != 1)
		abort();
	/* Ours move within a turn, and a peer that just goes is found out by its protocol. */
	SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					       SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(context->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	context->socket = socket_method();
	return context;
}

static bool context_fails(
	struct tls_context **context, struct error *error, const char *what, const char *file)
{
	char words[120] = "unknown";
	unsigned long code = ERR_get_error();

	if (code != 0)
		ERR_error_string_n(code, words, sizeof(words));
	ERR_clear_error();
	tls_context_free(context);
	return error_set(error, ERROR_INPUT, "%s %s: %s", what, file, words);
}

struct tls_context *tls_server_context(
	const char *cert_file, const char *key_file, struct error *error)
{
	struct tls_context *context = context_new(TLS_server_method());

	SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_use_certificate_chain_file(context->ssl, cert_file) != 1)
		(void)context_fails(&context, error, "certificate", cert_file);
	else if (SSL_CTX_use_PrivateKey_file(context->ssl, key_file, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(context->ssl) != 1)
		(void)context_fails(&context, error, "key", key_file);
	return context;
}

struct tls_context *tls_client_context(const char *ca_file, struct error *error)
{
	struct tls_context *context = context_new(TLS_client_method());

	SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
	if (ca_file == NULL && SSL_CTX_set_default_verify_paths(context->ssl) != 1)
		(void)context_fails(&context, error, "certificates", "of the system");
	else if (ca_file != NULL && SSL_CTX_load_verify_locations(context->ssl, ca_file, NULL) != 1)
		(void)context_fails(&context, error, "certificates", ca_file);
	return context;
}

/* The chain need not end at an authority: the certificate itself is the one that is believed. */
struct tls_context *tls_self_context(const char *cert_file, struct error *error)
{
	struct tls_context *context = tls_client_context(cert_file, error);

	if (context != NULL)
		X509_VERIFY_PARAM_set_flags(
			SSL_CTX_get0_param(context->ssl), X509_V_FLAG_PARTIAL_CHAIN);
	return context;
}

static void context_drop(struct tls_context *context)
{
	if (!context->given_up || context->uses > 0)
		return;
	SSL_CTX_free(context->ssl);
	BIO_meth_free(context->socket);
	free(context);
}

void tls_context_free(struct tls_context **context)
{
	struct tls_context *gone = *context;

	*context = NULL;
	if (gone == NULL)
		return;
	gone->given_up = true;
	context_drop(gone);
}

static bool same_file(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct tls_context *tls_client_of(struct loop *loop, const char *ca_file, struct error *error)
{
	struct tls_context *context;

	for (unsigned i = 0; i < loop->tls_count; i++) {
		if (same_file(loop->tls[i].ca_file, ca_file))
			return loop->tls[i].context;
	}
	if (loop->tls_count == LOOP_TLS_MAX) {
		(void)error_set(error, ERROR_INTERNAL, "too many files of certificates");
		return NULL;
	}
	context = tls_client_context(ca_file, error);
	if (context == NULL)
		return NULL;
	loop->tls[loop->tls_count++] = (struct loop_tls){
		.ca_file = ca_file != NULL ? alloc_text(str_from(ca_file)) : NULL,
		.context = context,
	};
	return context;
}

void tls_loop_free(struct loop *loop)
{
	while (loop->tls_count > 0) {
		struct loop_tls *tls = &loop->tls[--loop->tls_count];

		free(tls->ca_file);
		tls_context_free(&tls->context);
	}
}

/* -- connections ---------------------------------------------------------------------------------- */

/* An address is checked as an address: SNI is for names only (RFC 6066 section 3). */
static void set_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char *name;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return;
	name = alloc_text(str_from(host)); /* the macro casts const away, which clang refuses */
	if (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1)
		abort();
	free(name);
}

struct tls *tls_new(struct tls_context *context, int fd, const char *host)
{
	struct tls *tls = alloc_zeroed(1, sizeof(*tls));
	BIO *bio = BIO_new(context->socket);

	tls->context = context;
	context->uses++;
	tls->ssl = SSL_new(context->ssl);
	if (tls->ssl == NULL || bio == NULL)
		abort();
	BIO_set_data(bio, (void *)(intptr_t)fd);
	SSL_set_bio(tls->ssl, bio, bio);
	if (host != NULL) {
		if (host[0] != '\0')
			set_host(tls->ssl, host);
		SSL_set_connect_state(tls->ssl);
	} else {
		SSL_set_accept_state(tls->ssl);
	}
	ERR_clear_error();
	return tls;
}

void tls_free(struct tls **tls)
{
	struct tls *gone = *tls;

	*tls = NULL;
	if (gone == NULL)
		return;
	tls_shutdown(gone);
	SSL_free(gone->ssl);
	gone->context->uses--;
	context_drop(gone->context);
	free(gone);
}

static void note_words(struct tls *tls)
{
	long verdict = SSL_get_verify_result(tls->ssl);
	unsigned long code = ERR_peek_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (verdict != X509_V_OK && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE)
		(void)snprintf(tls->words, sizeof(tls->words), "TLS: certificate: %s",
			X509_verify_cert_error_string(verdict));
	else
		(void)snprintf(tls->words, sizeof(tls->words), "TLS: %s",
			reason != NULL ? reason : "the connection broke");
}

/* What OpenSSL's answer is in the words of recv(2) and send(2). */
static ssize_t outcome(struct tls *tls, int done)
{
	int number = errno;

	tls->wants_write = false;
	if (done > 0)
		return done;
	switch (SSL_get_error(tls->ssl, done)) {
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		tls->wants_write = true;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_READ:
		errno = EAGAIN;
		return -1;
	default:
		tls->broken = true;
		note_words(tls);
		ERR_clear_error();
		errno = number != 0 && number != EAGAIN ? number : EPROTO;
		return -1;
	}
}

ssize_t tls_recv(struct tls *tls, void *to, size_t room)
{
	ERR_clear_error();
	errno = 0;
	return outcome(tls, SSL_read(tls->ssl, to, room > INT32_MAX ? INT32_MAX : (int)room));
}

ssize_t tls_send(struct tls *tls, const void *data, size_t size)
{
	ERR_clear_error();
	errno = 0;
	return outcome(tls, SSL_write(tls->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size));
}

bool tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

bool tls_is_open(const struct tls *tls)
{
	return SSL_is_init_finished(tls->ssl) != 0;
}

bool tls_has_more(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}

void tls_shutdown(struct tls *tls)
{
	if (!tls->broken && tls_is_open(tls) && SSL_get_shutdown(tls->ssl) == 0)
		(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

const char *tls_words(const struct tls *tls)
{
	return tls->words;
}

/* -- with TLS or without -------------------------------------------------------------------------- */

ssize_t link_recv(int fd, struct tls *tls, void *to, size_t room)
{
	return tls != NULL ? tls_recv(tls, to, room) : recv(fd, to, room, 0);
}

ssize_t link_send(int fd, struct tls *tls, const void *data, size_t size)
{
	return tls != NULL ? tls_send(tls, data, size) : send(fd, data, size, MSG_NOSIGNAL);
}

void link_shutdown(int fd, struct tls *tls)
{
	if (tls != NULL)
		tls_shutdown(tls);
	(void)shutdown(fd, SHUT_WR);
}

const char *link_words(const struct tls *tls, int number)
{
	return tls != NULL && tls->words[0] != '\0' ? tls->words : strerror(number);
}
