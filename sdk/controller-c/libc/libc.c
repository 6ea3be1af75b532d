/* As much of a C library as controllers need: memory and bytes. It imports nothing. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 65536u
/* Blocks are powers of two, from 16 bytes; a block begins with its class. */
#define CLASSES 32u
#define HEADER 8u

typedef struct block {
  size_t class;
  struct block *next;
} block;

extern unsigned char __heap_base;

static block *vacant[CLASSES];
/* Where memory begins that nobody had yet, and where there is no more. */
static uintptr_t fresh, end;

static size_t class_of(size_t size) {
  size_t class = 4;
  while (((size_t)1 << class) < size) class++;
  return class;
}

static block *take(size_t class) {
  size_t size = (size_t)1 << class;
  if (fresh == 0) {
    fresh = ((uintptr_t)&__heap_base + 15u) & ~(uintptr_t)15u;
    end = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
  }
  if (end - fresh < size) {
    size_t pages = (size - (end - fresh) + PAGE - 1u) / PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) abort();
    end += pages * PAGE;
  }
  block *taken = (block *)fresh;
  fresh += size;
  return taken;
}

void *malloc(size_t size) {
  /* More than half of what can be addressed is never there. */
  if (size > ((size_t)1 << 30)) abort();
  size_t class = class_of(size + HEADER);
  block *taken = vacant[class];
  if (taken) {
    vacant[class] = taken->next;
  } else {
    taken = take(class);
  }
  taken->class = class;
  return (unsigned char *)taken + HEADER;
}

void free(void *at) {
  if (!at) return;
  block *freed = (block *)((unsigned char *)at - HEADER);
  freed->next = vacant[freed->class];
  vacant[freed->class] = freed;
}

void *calloc(size_t count, size_t size) {
  if (size && count > (size_t)-1 / size) abort();
  return memset(malloc(count * size), 0, count * size);
}

void *realloc(void *at, size_t size) {
  if (!at) return malloc(size);
  block *old = (block *)((unsigned char *)at - HEADER);
  size_t room = ((size_t)1 << old->class) - HEADER;
  if (size <= room) return at;
  void *more = memcpy(malloc(size), at, room);
  free(at);
  return more;
}

_Noreturn void abort(void) { __builtin_trap(); }

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  while (size--) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (t <= f) {
    while (size--) *t++ = *f++;
  } else {
    while (size--) t[size] = f[size];
  }
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *t = to;
  while (size--) *t++ = (unsigned char)byte;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (; size--; x++, y++) {
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}
