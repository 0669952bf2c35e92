/* evaluate-page.h -- the frame of a report: one file with all that it shows */
#pragma once

#include <gio/gio.h>

/* Everything up to the cards, whose <div> stays open; the texts are
 * escaped. */
void evaluate_page_begin (GString *html, const char *title, const char *origin);
/* A large @value over @what it is, both escaped. */
void evaluate_page_card (GString *html, const char *value, const char *what);
/* Ends the page, and writes it, as valid UTF-8 whatever names are in it, to
 * index.html in @folder. */
gboolean evaluate_page_write (GString *html, const char *folder,
                              GError **error);
