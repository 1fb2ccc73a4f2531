/*
 * message_grammar: the little of Russian grammar that messages need. Private to model.
 */
#ifndef CALLWEAVE_MESSAGE_GRAMMAR_H
#define CALLWEAVE_MESSAGE_GRAMMAR_H

#include "buf.h"

/* Which of "раз, раза, раз" stands after the number: 1 -> 0, 2 -> 1, 5 -> 2 (Unicode CLDR, ru). */
unsigned grammar_plural_ru(uint64_t number);

/* Append "3 раза", "2 перевода"; in English "1 time", "2 transfers". */
void grammar_add_times(const char *locale, uint64_t number, struct buf *to);
void grammar_add_transfers(const char *locale, uint64_t number, struct buf *to);

/* Append a surname as it stands after "от": Иванова, Петровой, Савицкого. Others than the regular
 * ones in -ов -ев -ёв -ин -ын -ский -цкий, and their feminine forms, stay as they are. */
void grammar_add_genitive_ru(struct str surname, struct buf *to);

#endif
