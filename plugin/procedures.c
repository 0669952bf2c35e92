/* procedures.c -- see procedures.h */
#include "config.h"
#include "plugin/procedures.h"
#include "plugin/host.h"
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>

G_DEFINE_QUARK (cam - plugin - error - quark, cam_plugin_error)

static const CamProcedure procedures[] = {
  { CAM_PROC_OVERLAY, N_ ("_Grad-CAM Overlay..."),
    N_ ("Show what an embedding network looks at, as a layer"),
    N_ ("Runs the embedding network over the layer (its part under the "
        "selection's bounding box), finds the nearest cluster of the database, "
        "weights the activations with the cluster's channel weights and adds "
        "the heat map as a new layer above. model and database are each the "
        "name of an installed one or a path; empty ones mean the bundled model "
        "and its database. top-k 0 keeps all channels. Colour maps: turbo, "
        "viridis, inferno, jet, gray (numbers 0 to 4 in GIMP 2.10). Layer "
        "modes: normal, multiply, screen, overlay, soft-light, hard-light, "
        "addition (in GIMP 2.10 the LAYER-MODE-... constants of these names). "
        "Transfer: cluster, neighbour (0, 1). Returns the layer, the cluster "
        "and the similarity.") },
  { CAM_PROC_EXAMPLE, N_ ("_Explain by Example..."),
    N_ ("Show what makes a picture like one example and unlike another"),
    N_ ("The gradient of cos (picture, positive) - cos (picture, negative) "
        "through the network, without a database. positive and negative are "
        "paths, or \"layer:NUMBER\" for a layer of an open image; without a "
        "negative a pair is explained. Otherwise as plug-in-camlens.") },
  { CAM_PROC_EXPORT, N_ ("E_xport Overlay..."),
    N_ ("Save an overlay, its composite, heat map or provenance"),
    N_ ("what: overlay (PNG with alpha), composite (PNG of the image as it "
        "shows), heat-map (TIFF, 32-bit float), array (NPY, float32), "
        "provenance (JSON); numbers 0 to 4 in GIMP 2.10. The drawable is an "
        "overlay layer that CamLens made.") },
  { CAM_PROC_BUILD, N_ ("_Build Cluster Database..."),
    N_ ("Make a cluster database from a folder of pictures"),
    N_ ("Runs the program 'camlens build' over a folder of pictures (a "
        "subfolder a label) and waits for it. A build that was cut short goes "
        "on where it stopped.") },
  { NULL, NULL, NULL, NULL },
};

const CamProcedure *
cam_procedures (void)
{
  return procedures;
}

const CamProcedure *
cam_procedure_find (const char *name)
{
  for (const CamProcedure *p = procedures; p->name; p++)
    if (! strcmp (p->name, name))
      return p;
  return NULL;
}

void
cam_open_layer_free (CamOpenLayer *layer)
{
  g_free (layer->title);
  g_free (layer);
}

char *
cam_locale_folder (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (program ? program
                                                        : g_get_prgname ());

  return g_build_filename (folder, "locale", NULL);
}

void
cam_bind_translations (void)
{
  g_autofree char *folder = cam_locale_folder ();

  bindtextdomain (GETTEXT_PACKAGE, folder);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

char *
cam_last_values_path (void)
{
  g_autofree char *folder = cam_host_folder ();

  return g_build_filename (folder, "camlens", "last-values", NULL);
}

char *
cam_presets_path (void)
{
  g_autofree char *folder = cam_host_folder ();

  return g_build_filename (folder, "camlens", "presets", NULL);
}

void
cam_end_on_faults (void)
{
  static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGABRT };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    signal (faults[i], SIG_DFL);
}
