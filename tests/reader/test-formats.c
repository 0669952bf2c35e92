/* test-formats.c -- docs/FORMATS.md lists the operators that there are */
#include "core/graph/operator.h"
#include <string.h>

static char *document;

static const char *
operators_section (void)
{
  const char *start = strstr (document, "### Operators");

  g_assert_nonnull (start);
  return start;
}

static void
test_all_listed (void)
{
  for (const CamOperator *const *op = cam_operators (); *op; op++)
    {
      g_autofree char *quoted = g_strdup_printf ("`%s`", (*op)->type);

      if (! *(*op)->domain && ! strstr (operators_section (), quoted))
        g_error ("docs/FORMATS.md does not list %s", (*op)->type);
    }
}

static gboolean
is_operator (const char *type)
{
  for (const CamOperator *const *op = cam_operators (); *op; op++)
    if (! *(*op)->domain && strcmp ((*op)->type, type) == 0)
      return TRUE;
  return FALSE;
}

/* The first paragraph of the section is the list. */
static void
test_no_others_listed (void)
{
  const char *list = strchr (operators_section (), '`');
  const char *end = strstr (list, "\n\n");
  g_autofree char *paragraph = g_strndup (list, end - list);
  g_auto (GStrv) parts = g_strsplit (paragraph, "`", -1);
  int n = 0;

  for (int i = 1; parts[i] && parts[i + 1]; i += 2)
    {
      if (! is_operator (parts[i]))
        g_error ("docs/FORMATS.md lists %s, which there is not", parts[i]);
      n++;
    }
  g_assert_cmpint (n, >, 50);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  g_assert_true (g_file_get_contents (argv[1], &document, NULL, NULL));
  g_test_add_func ("/formats/all-listed", test_all_listed);
  g_test_add_func ("/formats/no-others-listed", test_no_others_listed);
  result = g_test_run ();
  g_free (document);
  return result;
}
