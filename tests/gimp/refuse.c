/* refuse.c -- a GIMP that refuses: preloaded into the plug-in, it answers the
 * call that CAMLENS_TEST_REFUSE names as libgimp does when GIMP says no, and
 * hands the others on */
#include <dlfcn.h>
#include <libgimp/gimp.h>
#include <string.h>

#if CAMLENS_HOST == 3
typedef GimpImage *Image;
typedef GimpLayer *Layer;
typedef GimpDrawable *Drawable;
#define NO_LAYER NULL
#else
typedef gint32 Image;
typedef gint32 Layer;
typedef gint32 Drawable;
#define NO_LAYER -1
#endif

#define EXPORTED __attribute__ ((visibility ("default")))

static gboolean
refused (const char *name)
{
  const char *which = g_getenv ("CAMLENS_TEST_REFUSE");

  return which && ! strcmp (which, name);
}

EXPORTED gboolean
gimp_image_insert_layer (Image image, Layer layer, Layer parent, gint position)
{
  gboolean (*next) (Image, Layer, Layer, gint) = dlsym (RTLD_NEXT, __func__);

  return refused (__func__) ? FALSE : next (image, layer, parent, position);
}

EXPORTED gboolean
gimp_image_convert_rgb (Image image)
{
  gboolean (*next) (Image) = dlsym (RTLD_NEXT, __func__);

  return refused (__func__) ? FALSE : next (image);
}

EXPORTED Layer
gimp_layer_new_from_drawable (Drawable drawable, Image image)
{
  Layer (*next) (Drawable, Image) = dlsym (RTLD_NEXT, __func__);

  return refused (__func__) ? NO_LAYER : next (drawable, image);
}
