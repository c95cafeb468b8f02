#ifndef SPFROM_ADVICE_LIST_FILE_H
#define SPFROM_ADVICE_LIST_FILE_H

#include <glib.h>
#include <stdbool.h>

/* Lists that people keep: UTF-8, one entry a line, empty lines, comments that begin with "#". */
#define LIST_FILE_ERROR (list_file_error_quark())
typedef enum { LIST_FILE_ERROR_SYNTAX, LIST_FILE_ERROR_FILE } ListFileError;
GQuark list_file_error_quark(void);

#define LIST_FILE_MAX (1024 * 1024) /* octets */

/* Takes one entry, without blanks around it. Returns false with error set, without FILE:LINE. */
typedef bool ListFileEntry(gpointer data, const char *entry, GError **error);

/* Gives each entry of text to take. Returns false with error, which begins with FILE:LINE. */
bool list_file_parse(const char *text, const char *file, ListFileEntry *take, gpointer data,
                     GError **error);

/* The same for what file holds. One that is_optional need not be there. */
bool list_file_read(const char *file, bool is_optional, ListFileEntry *take, gpointer data,
                    GError **error);
#endif
