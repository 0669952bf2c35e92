/* test-gradients.c -- every backward against central differences
 *
 * A case's loss is <seed, outputs>, added up in double.  Its slope in each
 * element is taken with two steps and extrapolated to step 0 (Richardson), so
 * that what is left is float32's own error.  Kinks are kept out of the inputs:
 * case.h's are 0.11 from each other and 0.055 from 0, and where a corner lies
 * elsewhere the table names it, and inputs near it are moved away.  Two seeds
 * go through backward at once; it must write every element, and give the same
 * bytes with one thread and with two.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tests/ops/case.h"
#include "tests/ops/gradient-rows.h"

#define STEP 0.02

static void
avoid_kinks (Case *c, const char *kinks)
{
  g_auto (GStrv) words = g_strsplit (kinks ? kinks : "", " ", -1);

  for (guint w = 0; words[w]; w++)
    for (guint i = 0; *words[w] && i < c->n_inputs; i++)
      for (gsize k = 0; c->wanted[i] && k < c->inputs[i]->n_elements; k++)
        {
          float *x = &cam_tensor_f32 (c->inputs[i])[k];
          double away = *x - g_ascii_strtod (words[w], NULL);

          if (fabs (away) < 2 * STEP)
            *x += (float) (away < 0 ? -2 * STEP : 2 * STEP);
        }
}

/* <seed number @s, outputs> */
static double
loss (Case *c, CamTensor *const *seeds, gint64 s)
{
  double sum = 0;

  case_forward (c, NULL);
  for (guint o = 0; o < c->n_outputs; o++)
    if (seeds[o])
      for (gsize i = 0; i < c->outputs[o]->n_elements; i++)
        sum += (double) cam_tensor_f32 (c->outputs[o])[i]
               * cam_tensor_f32 (seeds[o])[(gsize) s * c->outputs[o]->n_elements
                                           + i];
  return sum;
}

static double
difference (Case *c, CamTensor *const *seeds, gint64 s, float *x, double step)
{
  float was = *x, up = (float) (was + step), down = (float) (was - step);
  double high, low;

  *x = up;
  high = loss (c, seeds, s);
  *x = down;
  low = loss (c, seeds, s);
  *x = was;
  return (high - low) / ((double) up - (double) down);
}

static void
check_input (Case *c, guint i, CamTensor *const *seeds, const CamTensor *g,
             double tolerance)
{
  gsize n = c->inputs[i]->n_elements;
  double most = 1e-3, worst = 0;

  for (gsize k = 0; k < g->n_elements; k++)
    {
      g_assert_false (isnan (cam_tensor_f32 (g)[k]));
      most = MAX (most, fabs (cam_tensor_f32 (g)[k]));
    }
  for (gsize k = 0; k < g->n_elements; k++)
    {
      gint64 s = (gint64) (k / n);
      float *x = &cam_tensor_f32 (c->inputs[i])[k % n];
      double coarse = difference (c, seeds, s, x, STEP);
      double fine = difference (c, seeds, s, x, STEP / 2);
      double slope = (4 * fine - coarse) / 3;

      worst = MAX (worst, fabs (slope - cam_tensor_f32 (g)[k]) / most);
    }
  if (worst > tolerance)
    g_test_message ("input %u: off by %g of its largest element", i, worst);
  g_assert_cmpfloat (worst, <=, tolerance);
}

static void
check_threads (Case *c, CamTensor *const *seeds, CamTensor **one)
{
  g_autoptr (CamThreads) crew = cam_threads_new (2);
  CamTensor *two[CASE_INPUTS] = { NULL };

  case_backward (c, seeds, 2, two, crew);
  for (guint i = 0; i < c->n_inputs; i++)
    if (two[i])
      {
        g_assert_cmpmem (one[i]->data, one[i]->n_elements * sizeof (float),
                         two[i]->data, two[i]->n_elements * sizeof (float));
        cam_tensor_unref (two[i]);
      }
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (Case)
      c = case_new (row->type, row->opset, row->inputs, row->attributes,
                    MAX (row->n_outputs, 1), &error);
  CamTensor *gradients[CASE_INPUTS] = { NULL };
  CamTensor *seeds[CASE_OUTPUTS] = { NULL };

  g_assert_no_error (error);
  g_assert_nonnull (c->node->op->backward);
  avoid_kinks (c, row->kinks);
  for (guint o = 0; o < c->n_outputs; o++)
    if (c->outputs[o]->dtype == CAM_DTYPE_FLOAT32)
      seeds[o] = case_random (c->rand, &c->outputs[o]->shape, 2);
  case_forward (c, NULL);
  case_backward (c, seeds, 2, gradients, NULL);
  check_threads (c, seeds, gradients);
  for (guint i = 0; i < c->n_inputs; i++)
    if (c->wanted[i])
      check_input (c, i, seeds, gradients[i],
                   row->tolerance > 0 ? row->tolerance : 2e-3);
  for (guint i = 0; i < CASE_INPUTS; i++)
    g_clear_pointer (&gradients[i], cam_tensor_unref);
  for (guint o = 0; o < CASE_OUTPUTS; o++)
    g_clear_pointer (&seeds[o], cam_tensor_unref);
}

/* No operator with a backward is left out of the table. */
static void
test_complete (void)
{
  for (const CamOperator *const *op = cam_operators (); *op; op++)
    {
      gboolean found = *(*op)->domain != '\0' || (*op)->backward == NULL;

      for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
        found |= strcmp (rows[i].type, (*op)->type) == 0
                 && cam_operator_find ("", rows[i].type, rows[i].opset) == *op;
      if (! found)
        g_test_message ("%s of opset %d has no row", (*op)->type, (*op)->since);
      g_assert_true (found);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *inputs = g_strdelimit (g_strdup (rows[i].inputs), "/",
                                              '|');
      g_autofree char *path =
          g_strdup_printf ("/ops/gradient/%s/%u: opset %d, %s %s", rows[i].type,
                           i, rows[i].opset, inputs, rows[i].attributes);

      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/ops/gradient/complete", test_complete);
  return g_test_run ();
}
