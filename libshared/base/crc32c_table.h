/*
 * crc32c_table: what a byte does to a CRC-32C, from each of four distances. Private to crypto.c.
 *
 * A CRC is linear: the entry of a byte is the exclusive-or of the entries of its bits. So eight
 * remainders a table are written down (the polynomial 0x82f63b78, reflected, shifted on), and
 * the compiler makes the 256 entries of them.
 */
#ifndef CALLWEAVE_CRC32C_TABLE_H
#define CALLWEAVE_CRC32C_TABLE_H

#include <stdint.h>

#define CRC32C_BITS_0(X, i)                                                                        \
	X(i, 0, 0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu) ^                              \
		X(i, 4, 0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu, 0x82f63b78u)
#define CRC32C_BITS_1(X, i)                                                                        \
	X(i, 0, 0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u) ^                              \
		X(i, 4, 0x3fc5f181u, 0x7f8be302u, 0xff17c604u, 0xfbc3faf9u)
#define CRC32C_BITS_2(X, i)                                                                        \
	X(i, 0, 0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u) ^                              \
		X(i, 4, 0x70a27d8au, 0xe144fb14u, 0xc76580d9u, 0x8b277743u)
#define CRC32C_BITS_3(X, i)                                                                        \
	X(i, 0, 0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u) ^                              \
		X(i, 4, 0xe964b13du, 0xd725148bu, 0xaba65fe7u, 0x52a0c93fu)
#define CRC32C_BIT(i, bit, remainder) (((i) & (1 << (bit))) != 0 ? (remainder) : 0)
#define CRC32C_NIBBLE(i, low, a, b, c, d)                                                          \
	(CRC32C_BIT(i, low, a) ^ CRC32C_BIT(i, low + 1, b) ^ CRC32C_BIT(i, low + 2, c) ^           \
		CRC32C_BIT(i, low + 3, d))

#define CRC32C_1(t, i)	CRC32C_BITS_##t(CRC32C_NIBBLE, i)
#define CRC32C_4(t, i)	CRC32C_1(t, i), CRC32C_1(t, i + 1), CRC32C_1(t, i + 2), CRC32C_1(t, i + 3)
#define CRC32C_16(t, i) CRC32C_4(t, i), CRC32C_4(t, i + 4), CRC32C_4(t, i + 8), CRC32C_4(t, i + 12)
#define CRC32C_64(t, i)                                                                            \
	CRC32C_16(t, i), CRC32C_16(t, i + 16), CRC32C_16(t, i + 32), CRC32C_16(t, i + 48)
#define CRC32C_256(t) CRC32C_64(t, 0), CRC32C_64(t, 64), CRC32C_64(t, 128), CRC32C_64(t, 192)

static const uint32_t crc32c_table[4][256] = {
	{CRC32C_256(0)},
	{CRC32C_256(1)},
	{CRC32C_256(2)},
	{CRC32C_256(3)},
};

#endif
