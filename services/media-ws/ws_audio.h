/*
 * ws_audio: the engine that is a customer's own program, over a WebSocket: binary PCM both ways, texts
 * beside it (docs/protocol/ws-audio.md). We call it at config.url; without one it comes to us, at
 * /audio/<call>.
 */
#ifndef MEDIA_WS_WS_AUDIO_H
#define MEDIA_WS_WS_AUDIO_H

#include "bridge.h"
#include "websocket.h"

enum {
	WS_AUDIO_COMES_MS = 7000, /* an engine that comes to us, or comes back */
	WS_AUDIO_DIAL_MS = 5000,
	WS_AUDIO_PAUSE_MS = 400, /* of no audio, after which what it said was whole */
	WS_AUDIO_HISTORY = 200,	 /* entries; the oldest go first */
	WS_AUDIO_WORDS = 2000,	 /* bytes of an entry */
};

struct ws_audio_line;

/* Of the process: calls that wait for their engine, and sockets of calls that are over, until they are
 * closed. */
struct ws_audio_house;
struct ws_audio_house *ws_audio_house_new(void);
void ws_audio_house_free(struct ws_audio_house **house);
struct engine *ws_audio_waiting(const struct ws_audio_house *house, struct str call_sid);
void ws_audio_wait(struct ws_audio_house *house, struct str call_sid, struct engine *engine);
void ws_audio_wait_no_more(
	struct ws_audio_house *house, struct str call_sid, const struct engine *engine);

/* A socket and whose it is: it may outlive its engine by the time of a close. */
struct ws_audio_line *ws_audio_line_new(struct ws_audio_house *house, struct engine *engine);
struct websocket_options ws_audio_line_options(struct ws_audio_line *line);
void ws_audio_line_set(struct ws_audio_line *line, struct websocket *socket);
void ws_audio_line_drop(struct ws_audio_line *line); /* without a socket */
bool ws_audio_line_send(struct ws_audio_line *line, bool binary, struct str payload);
void ws_audio_line_leave(struct ws_audio_line *line, int code, const char *words);

/* What a line tells its engine. */
void ws_audio_on_open(struct engine *engine);
void ws_audio_on_message(struct engine *engine, bool binary, struct str payload);
void ws_audio_on_closed(struct engine *engine, int code, const char *words);

/* An engine has come to its call. */
void ws_audio_attach(struct engine *engine, struct ws_audio_line *line);

/* -- ws_audio_talk.c: texts ---------------------------------------------------------------------------- */

struct ws_audio_entry { /* of what was said */
	bool assistant;
	int64_t wall_ms;
	char *content;
};

struct resampler;

struct engine {
	struct bridge *bridge;
	struct ws_audio_house *house;
	const struct engine_call *call;
	struct ws_audio_line *line; /* NULL: nobody is there yet */
	bool comes;		    /* it comes to us */
	bool ready;		    /* hello was said */
	int64_t since_ms;	    /* waiting: since when */
	unsigned rate;		    /* of its PCM, in Hz */
	bool mulaw;		    /* no PCM: 8000 bytes a second, as Twilio has them */
	bool recording;		    /* it wants to hear the caller */
	struct resampler *to_it, *from_it;
	bool has_odd;
	unsigned char odd;    /* half a sample of a message before */
	bool talks;	      /* an utterance of its is not ended */
	int64_t last_said_ms; /* when the last audio of it came */
	struct buf out;
	struct ws_audio_entry history[WS_AUDIO_HISTORY];
	unsigned first, count, turn;
};

void ws_audio_say_hello(struct engine *engine);
void ws_audio_take_text(struct engine *engine, struct str text);
void ws_audio_tell_played(struct engine *engine, unsigned utterance, bool whole, int64_t played_ms);
void ws_audio_tell_digit(struct engine *engine, char digit);
void ws_audio_tell_end(struct engine *engine);
void ws_audio_tell_error(struct engine *engine, const char *words);
void ws_audio_forget_history(struct engine *engine);

#endif
