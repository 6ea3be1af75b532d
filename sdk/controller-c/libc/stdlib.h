/* The part of the C library that controllers have; `libc.c` beside this file is all of it. */
#ifndef AIGEN_STDLIB_H
#define AIGEN_STDLIB_H

#include <stddef.h>

/* Aligned to 8 bytes. Memory beyond the request's bound ends the request as `memory_full`, so that none of these is
   ever NULL. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *at, size_t size);
void free(void *at);

/* Ends the request, as `trap`. */
_Noreturn void abort(void);

#endif
