/*
 * recovery_upload: one upload while it is read: who sent it, how far it is, what was found.
 */
#ifndef INGEST_RECOVERY_UPLOAD_H
#define INGEST_RECOVERY_UPLOAD_H

#include "crypto.h"
#include "ingest.h"
#include "recovery.h"

enum { RECOVERY_COLUMNS = 5 }; /* n, type, unique_id, at_ms, body */

struct recovery_bad_line {
	int64_t place;
	char why[120];
};

struct recovery_upload {
	struct recovery_owner owner;
	struct clock_zone *zone;
	struct str timestamp, signature; /* as sent */
	char digest[2 * CRYPTO_SHA256_BYTES + 1];
	bool streams;	/* the client wants to see progress */
	bool streaming; /* and has got some */

	struct crypto_hash *hash;
	int64_t hashed;
	struct recovery_gunzip *gunzip;
	int unpacked_fd;
	int fd; /* what is read in the end; not owned */
	struct recovery_source *source;
	struct arena *rows_arena, *batch_arena;
	struct pg_array columns[RECOVERY_COLUMNS];
	struct pg_batch *batch;

	int64_t id; /* in recovery_uploads */
	int64_t found, fresh, known, bad;
	struct recovery_bad_line bad_lines[RECOVERY_BAD_SHOWN];
	bool ended;
	struct error error; /* why it is refused */
	struct buf text;    /* of an answer */
};

/* Fill the owner from the request's headers. ERROR_AUTH when it proves nothing. */
bool recovery_admit(struct flow *flow, const struct tenants *tenants,
	struct recovery_upload *upload, struct error *error);
/* Does the signature fit what was hashed? Gives the hash back. */
bool recovery_verify(struct flow *flow, struct recovery_upload *upload, struct error *error);

/* Some milliseconds of reading into the columns; false when the whole is to be refused. */
bool recovery_read_some(struct recovery_upload *upload, struct error *error);

/* One line of JSON each, valid until the next. */
struct str recovery_progress(struct recovery_upload *upload);
struct str recovery_result(struct recovery_upload *upload);
struct str recovery_refusal(struct recovery_upload *upload);

void recovery_upload_end(struct recovery_upload *upload);

#endif
