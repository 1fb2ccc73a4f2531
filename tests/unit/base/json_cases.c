/*
 * json_cases: see json_cases.h.
 */
#include "json_cases.h"

#define TAKEN(literal)                                                                             \
	{                                                                                          \
		STR(literal), NULL, true                                                           \
	}
#define REFUSED(literal, words)                                                                    \
	{                                                                                          \
		STR(literal), words, false                                                         \
	}
#define STRICTER_THAN_JSONB(literal, words)                                                        \
	{                                                                                          \
		STR(literal), words, true                                                          \
	}

#define DIGITS_60 "123456789012345678901234567890123456789012345678901234567890"

const struct json_case json_cases[] = {
	/* Each kind of value may stand alone. */
	TAKEN("null"),
	TAKEN("true"),
	TAKEN("false"),
	TAKEN("0"),
	TAKEN("\"\""),
	TAKEN("[]"),
	TAKEN("{}"),
	TAKEN(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n"),
	TAKEN("{\"a\":{\"b\":[{},[],\"\",null]}}"),
	/* Words. */
	REFUSED("", "empty: JSON is needed"),
	REFUSED(" ", "invalid JSON at byte 1"),
	REFUSED("nul", "invalid JSON at byte 0"),
	REFUSED("nullx", "invalid JSON at byte 4"),
	REFUSED("True", "invalid JSON at byte 0"),
	REFUSED("NaN", "invalid JSON at byte 0"),
	REFUSED("Infinity", "invalid JSON at byte 0"),
	REFUSED("undefined", "invalid JSON at byte 0"),
	/* Structure. */
	REFUSED("{} {}", "invalid JSON at byte 3"),
	REFUSED("[] x", "invalid JSON at byte 3"),
	REFUSED("[1,]", "invalid JSON at byte 3"),
	REFUSED("[,1]", "invalid JSON at byte 1"),
	REFUSED("[1 2]", "invalid JSON at byte 3"),
	REFUSED("[1", "invalid JSON at byte 2"),
	REFUSED("[1}", "invalid JSON at byte 2"),
	REFUSED("]", "invalid JSON at byte 0"),
	REFUSED("{\"a\":1,}", "invalid JSON at byte 7"),
	REFUSED("{\"a\"}", "invalid JSON at byte 4"),
	REFUSED("{\"a\":}", "invalid JSON at byte 5"),
	REFUSED("{\"a\" 1}", "invalid JSON at byte 5"),
	REFUSED("{a:1}", "invalid JSON at byte 1"),
	REFUSED("{'a':1}", "invalid JSON at byte 1"),
	REFUSED("{1:1}", "invalid JSON at byte 1"),
	REFUSED("{\"a\":1]", "invalid JSON at byte 6"),
	REFUSED("{", "invalid JSON at byte 1"),
	REFUSED("{\"a\":1 /* x */}", "invalid JSON at byte 7"),
	REFUSED("\xef\xbb\xbf{}", "invalid JSON at byte 0"), /* a byte order mark */
	REFUSED("[1\v]", "invalid JSON at byte 2"),
	REFUSED("[\f1]", "invalid JSON at byte 1"),
	REFUSED("[1]\0", "invalid JSON at byte 3"),
	REFUSED("[1,\xc2\xa0"
		"2]",
		"invalid JSON at byte 3"), /* a no-break space */
	TAKEN("{\"a\":1,\"a\":2}"),	   /* the last one counts for both */
	TAKEN("{\"\":1}"),
	/* Numbers. */
	TAKEN("-0"),
	TAKEN("-0.0"),
	TAKEN("1e5"),
	TAKEN("1E+5"),
	TAKEN("1.5e-5"),
	TAKEN("0e0"),
	TAKEN("0.000000000000000000000000000001"),
	TAKEN("123456789012345678901234567890"),
	TAKEN("1.7976931348623157e308"),
	TAKEN("4.9e-324"),
	TAKEN("1e-400"), /* zero for a double, a number for jsonb */
	REFUSED("01", "invalid JSON at byte 1"),
	REFUSED("-01", "invalid JSON at byte 2"),
	REFUSED("00", "invalid JSON at byte 1"),
	REFUSED("1.", "invalid JSON at byte 2"),
	REFUSED(".5", "invalid JSON at byte 0"),
	REFUSED("-.5", "invalid JSON at byte 1"),
	REFUSED("-", "invalid JSON at byte 1"),
	REFUSED("--1", "invalid JSON at byte 1"),
	REFUSED("+1", "invalid JSON at byte 0"),
	REFUSED("1e", "invalid JSON at byte 2"),
	REFUSED("1e+", "invalid JSON at byte 3"),
	REFUSED("1.e5", "invalid JSON at byte 2"),
	REFUSED("1.5.5", "invalid JSON at byte 3"),
	REFUSED("0x10", "invalid JSON at byte 1"),
	REFUSED("1a", "invalid JSON at byte 1"),
	REFUSED("1 1", "invalid JSON at byte 2"),
	REFUSED("-Infinity", "invalid JSON at byte 1"),
	REFUSED("1_000", "invalid JSON at byte 1"),
	STRICTER_THAN_JSONB("1e309", "number out of range at byte 0"),	  /* no double */
	STRICTER_THAN_JSONB("[-1e400]", "number out of range at byte 1"), /* no double */
	STRICTER_THAN_JSONB("1e-401", "number out of range at byte 0"),	  /* far from any double */
	REFUSED("1e-20000", "number out of range at byte 0"),
	REFUSED("1e200000", "number out of range at byte 0"),
	REFUSED("1e99999999999999999999", "number out of range at byte 0"),
	REFUSED("1e-99999999999999999999", "number out of range at byte 0"),
	TAKEN(DIGITS_60 "123"),
	STRICTER_THAN_JSONB(
		DIGITS_60 "1234", "number longer than 63 characters at byte 0"), /* cJSON */
	STRICTER_THAN_JSONB("1." DIGITS_60 "e10", "number longer than 63 characters at byte 0"),
	/* Strings. */
	TAKEN("\"жизнь \xf0\x9f\x93\x9e\""),
	TAKEN("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0436\""),
	TAKEN("\"\\ud83d\\udcde\""),
	TAKEN("\"\\uD83D\\uDCDE\""),
	TAKEN("\"\x7f\""),
	TAKEN("\"\\u0001\\u001f\\uffff\\ufdd0\""),
	TAKEN("\"\\\\u0000\""), /* a backslash and text, no escape */
	REFUSED("\"", "invalid JSON at byte 1"),
	REFUSED("\"abc", "invalid JSON at byte 4"),
	REFUSED("\"abc\\\"", "invalid JSON at byte 6"),
	REFUSED("\"\\", "invalid JSON at byte 2"),
	REFUSED("\"\\x41\"", "invalid JSON at byte 2"),
	REFUSED("\"\\'\"", "invalid JSON at byte 2"),
	REFUSED("\"\\U0041\"", "invalid JSON at byte 2"),
	REFUSED("\"\\u12\"", "invalid JSON at byte 3"),
	REFUSED("\"\\u12g4\"", "invalid JSON at byte 3"),
	REFUSED("\"\\u+123\"", "invalid JSON at byte 3"),
	REFUSED("\"\\u", "invalid JSON at byte 3"),
	REFUSED("\"a\nb\"", "control character in a string at byte 2"),
	REFUSED("\"a\tb\"", "control character in a string at byte 2"),
	REFUSED("\"a\0b\"", "control character in a string at byte 2"),
	REFUSED("\"\x1f\"", "control character in a string at byte 1"),
	REFUSED("{\"a\n\":1}", "control character in a string at byte 3"),
	/* What text cannot hold. */
	REFUSED("\"a\\u0000b\"", "\\u0000 is not allowed at byte 2"),
	REFUSED("{\"\\u0000\":1}", "\\u0000 is not allowed at byte 2"),
	REFUSED("\"\\ud83d\"", "lone surrogate at byte 1"),
	REFUSED("\"\\ud83dx\"", "lone surrogate at byte 1"),
	REFUSED("\"\\ud83d\\n\"", "lone surrogate at byte 1"),
	REFUSED("\"\\ud83d\\u0041\"", "lone surrogate at byte 1"),
	REFUSED("\"\\ud83d\\ud83d\"", "lone surrogate at byte 1"),
	REFUSED("\"\\ud83d\\u00\"", "lone surrogate at byte 1"),
	REFUSED("\"\\udcde\"", "lone surrogate at byte 1"),
	REFUSED("\"\\udcde\\ud83d\"", "lone surrogate at byte 1"),
	REFUSED("\"\xff\"", "not valid UTF-8 at byte 1"),
	REFUSED("\"ab\xc0\x80\"", "not valid UTF-8 at byte 3"),
	REFUSED("\"\xed\xa0\xbd\xed\xb3\x9e\"", "not valid UTF-8 at byte 1"), /* CESU-8 */
	REFUSED("\"\xd0\"", "not valid UTF-8 at byte 1"),
	REFUSED("\"\xf4\x90\x80\x80\"", "not valid UTF-8 at byte 1"),
	REFUSED("{\"\xd0\":1}", "not valid UTF-8 at byte 2"),
};

const size_t json_case_count = sizeof(json_cases) / sizeof(json_cases[0]);
