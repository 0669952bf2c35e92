/* room.c -- see room.h */
#include "config.h"
#include "plugin/room.h"
#include "core/base/tensor.h"
#include <gegl.h>
#include <glib/gi18n.h>
#include <sys/mman.h>

gboolean
cam_room_check (int megabytes, GError **error)
{
  gsize size = (gsize) megabytes << 20;
  void *room = mmap (NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (room != MAP_FAILED)
    {
      munmap (room, size);
      return TRUE;
    }
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
               _ ("Out of memory: less than %d MB are free. Close other "
                  "programs or images; the image is as it was."),
               megabytes);
  return FALSE;
}

gboolean
cam_room_start (GError **error)
{
  if (! cam_room_check (CAM_ROOM_TO_START, error))
    return FALSE;
  gegl_init (NULL, NULL);
  return TRUE;
}
