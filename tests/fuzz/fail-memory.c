/* fail-memory.c -- lets one allocation of a program fail, or all from one on
 *
 * Preloaded; it counts the allocations of FAIL_MIN bytes and more (4096), in
 * all threads, and fails number FAIL_AT, where FAIL_ALL is set also all that
 * come later.  FAIL_MMAP counts anonymous maps, too.  FAIL_COUNT names a file
 * for how many there were, FAIL_THREADS fails to start threads instead, and
 * FAIL_TRACE prints who asked for what was not given.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *block, size_t size);
void *__libc_memalign (size_t alignment, size_t size);

static atomic_long counted;
static long at = -1, least = 4096;
static int all, maps, threads, trace;

static long
number (const char *name, long otherwise)
{
  const char *text = getenv (name);

  return text != NULL ? atol (text) : otherwise;
}

__attribute__ ((constructor)) static void
begin (void)
{
  least = number ("FAIL_MIN", least);
  all = getenv ("FAIL_ALL") != NULL;
  maps = getenv ("FAIL_MMAP") != NULL;
  threads = getenv ("FAIL_THREADS") != NULL;
  trace = getenv ("FAIL_TRACE") != NULL;
  if (trace)
    {
      void *frame;

      backtrace (&frame, 1); /* it loads a library the first time */
    }
  at = number ("FAIL_AT", -1); /* last: nothing fails before */
}

static void
print_trace (void)
{
  void *frames[40];
  int n;

  trace = 0;
  n = backtrace (frames, 40);
  backtrace_symbols_fd (frames, n, STDERR_FILENO);
}

/* Is this the one? */
static int
fails (void)
{
  long n = atomic_fetch_add (&counted, 1) + 1;

  if (at < 0 || (n != at && ! (all && n > at)))
    return 0;
  if (trace)
    print_trace ();
  errno = ENOMEM;
  return 1;
}

static int
fails_memory (size_t size)
{
  return size >= (size_t) least && ! threads && fails ();
}

#pragma GCC visibility push(default) /* they take the place of libc's */

void *
malloc (size_t size)
{
  return fails_memory (size) ? NULL : __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  return fails_memory (n * size) ? NULL : __libc_calloc (n, size);
}

void *
realloc (void *block, size_t size)
{
  return fails_memory (size) ? NULL : __libc_realloc (block, size);
}

void *
memalign (size_t alignment, size_t size)
{
  return fails_memory (size) ? NULL : __libc_memalign (alignment, size);
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **block, size_t alignment, size_t size)
{
  void *made = fails_memory (size) ? NULL : __libc_memalign (alignment, size);

  if (made == NULL)
    return ENOMEM;
  *block = made;
  return 0;
}

void *
mmap (void *address, size_t size, int protection, int flags, int fd,
      off_t offset)
{
  static void *(*original) (void *, size_t, int, int, int, off_t);

  if (original == NULL)
    original = (void *(*) (void *, size_t, int, int, int,
                           off_t)) dlsym (RTLD_NEXT, "mmap");
  if (maps && (flags & MAP_ANONYMOUS) && fails_memory (size))
    return MAP_FAILED;
  return original (address, size, protection, flags, fd, offset);
}

int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
                void *(*start) (void *), void *data)
{
  static int (*original) (pthread_t *, const pthread_attr_t *,
                          void *(*) (void *), void *);

  if (original == NULL)
    original = (int (*) (pthread_t *, const pthread_attr_t *,
                         void *(*) (void *), void *)) dlsym (RTLD_NEXT,
                                                             "pthread_create");
  if (threads && fails ())
    return EAGAIN;
  return original (thread, attributes, start, data);
}

#pragma GCC visibility pop

__attribute__ ((destructor)) static void
end (void)
{
  const char *name = getenv ("FAIL_COUNT");
  FILE *file = name != NULL ? fopen (name, "w") : NULL;

  if (file == NULL)
    return;
  fprintf (file, "%ld\n", atomic_load (&counted));
  fclose (file);
}
