#ifndef SPFROM_BASE_LANGUAGE_H
#define SPFROM_BASE_LANGUAGE_H

#include <glib.h>
#include <stdbool.h>

/*
 * Texts for people in their language. The language is an argument and not a locale of the process:
 * a web server answers in several at the same time, and a machine need not have a German locale to
 * print German. Texts stand in the source in English; catalogues are what msgfmt makes of conf/po.
 * A Language is immutable, so it may be used from any thread.
 */
typedef struct Language Language;

#define LANGUAGE_ERROR (language_error_quark())
typedef enum { LANGUAGE_ERROR_UNKNOWN, LANGUAGE_ERROR_CATALOGUE } LanguageError;
GQuark language_error_quark(void);

#define LANGUAGE_ENGLISH "en"
#define LANGUAGE_GERMAN "de"

/* The languages in which there are texts, NULL at the end. */
extern const char *const language_codes[];

/*
 * Opens the texts in the language that code names; English needs no file.
 * Returns NULL with error set: LANGUAGE_ERROR_UNKNOWN for a code that is not in language_codes,
 * LANGUAGE_ERROR_CATALOGUE if its file can't be read.
 */
Language *language_new(const char *code, GError **error);
void language_free(Language *language);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Language, language_free)

/*
 * The code, of language_codes, that the environment asks for: LC_ALL, LC_MESSAGES, LANG in this
 * order say which, and LANGUAGE goes before, unless they say C. English if it asks for a language
 * in which there are no texts.
 */
const char *language_code_of_environment(void);

/*
 * Opens the language that a user chose, or, if code is NULL, the one that the environment asks for.
 * If the texts of the latter are not installed, English. NULL with error set as language_new().
 */
Language *language_choose(const char *code, GError **error);

/* For these three, a language that is NULL is English. */
const char *language_code(const Language *language);

/* Marks a text that is translated later. */
#define N_(text) text

/* Returns text in language, or text itself if it is not translated. */
const char *language_text(const Language *language, const char *text);

/*
 * Returns text in language, a new string, each {name} in it replaced by the value that follows name
 * in the arguments, which end with NULL. A name that is not among them stays as it is. Braces in a
 * value mean nothing.
 */
char *language_fill(const Language *language, const char *text, ...) G_GNUC_NULL_TERMINATED;

/* The same for a catalogue in memory, a .mo file's octets, which the language keeps a reference to.
 * name is that of the file, for errors. */
Language *language_from_catalogue(const char *code, GBytes *catalogue, const char *name,
                                  GError **error);
#endif
