/* build-cache.c -- activations between the passes, in a scratch file */
#include "core/builder/build-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct _CamBuildCache
{
  int fd; /* -1: nothing is kept */
  gsize slot_bytes;
  int n_slots;   /* that the bound leaves room for */
  guint64 reserve;
  gint full;     /* the disk is: no more is put */
  gint dropped;  /* nothing is there any more */
  guint8 *there; /* [n_slots] */
};

CamBuildCache *
cam_build_cache_new (const char *path, gsize slot_bytes, int n_slots,
                     guint64 bound, guint64 reserve)
{
  CamBuildCache *cache = g_new0 (CamBuildCache, 1);
  g_autofree char *pattern = g_strconcat (path, ".XXXXXX", NULL);

  cache->slot_bytes = slot_bytes;
  cache->reserve = reserve;
  cache->n_slots = (int) MIN ((guint64) n_slots, bound / slot_bytes);
  cache->there = g_new0 (guint8, cache->n_slots + 1);
  cache->fd = cache->n_slots > 0
                  ? g_mkstemp_full (pattern, O_RDWR | O_CLOEXEC, 0600)
                  : -1;
  if (cache->fd != -1)
    g_unlink (pattern);
  return cache;
}

void
cam_build_cache_free (CamBuildCache *cache)
{
  if (cache == NULL)
    return;
  if (cache->fd != -1)
    close (cache->fd);
  g_free (cache->there);
  g_free (cache);
}

/* Is there room for a slot, beside what others must write? */
static gboolean
has_room (const CamBuildCache *cache)
{
  struct statvfs disk;

  return fstatvfs (cache->fd, &disk) != 0
         || (guint64) disk.f_bavail * disk.f_frsize
                >= cache->reserve + cache->slot_bytes;
}

/* Another program has filled the disk: the build needs the room more. */
static void
give_back (CamBuildCache *cache)
{
  g_atomic_int_set (&cache->full, 1);
  g_atomic_int_set (&cache->dropped, 1);
  if (ftruncate (cache->fd, 0) != 0)
    g_debug ("the scratch file cannot be cut: %s", g_strerror (errno));
}

void
cam_build_cache_put (CamBuildCache *cache, int slot, gconstpointer data)
{
  const char *from = data;
  off_t at = (off_t) slot * (off_t) cache->slot_bytes;
  gsize left = cache->slot_bytes;

  if (cache->fd == -1 || slot >= cache->n_slots
      || g_atomic_int_get (&cache->full))
    return;
  if (! has_room (cache))
    {
      g_atomic_int_set (&cache->full, 1);
      return;
    }
  while (left > 0)
    {
      ssize_t n = pwrite (cache->fd, from, left, at);

      if (n == -1 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          give_back (cache);
          return;
        }
      from += n;
      at += n;
      left -= n;
    }
  cache->there[slot] = 1;
}

gboolean
cam_build_cache_has (CamBuildCache *cache, int slot)
{
  return slot < cache->n_slots && cache->there[slot]
         && ! g_atomic_int_get (&cache->dropped);
}

gboolean
cam_build_cache_is_short (CamBuildCache *cache)
{
  return g_atomic_int_get (&cache->full);
}

gboolean
cam_build_cache_get (CamBuildCache *cache, int slot, gpointer data)
{
  char *to = data;
  off_t at = (off_t) slot * (off_t) cache->slot_bytes;
  gsize left = cache->slot_bytes;

  if (! cam_build_cache_has (cache, slot))
    return FALSE;
  while (left > 0)
    {
      ssize_t n = pread (cache->fd, to, left, at);

      if (n == -1 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      to += n;
      at += n;
      left -= n;
    }
  return TRUE;
}
