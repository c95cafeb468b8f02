#include "config.h"

#include "policy/settings_examine.h"

#include <string.h>

#include "base/spelling.h"
#include "policy/domain_map.h"
#include "policy/settings_keys.h"

#define TYPO_MAX 2 /* letters that a word may be off */

static void problem_free(SettingsProblem *problem)
{
    g_free(problem->text);
    g_free(problem->key);
    g_free(problem->corrected);
    g_free(problem);
}

GPtrArray *settings_problems_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)problem_free);
}

bool settings_problems_have(const GPtrArray *problems, const char *key)
{
    for (guint i = 0; i < problems->len; i++)
        if (g_strcmp0(((const SettingsProblem *)g_ptr_array_index(problems, i))->key, key) == 0)
            return true;
    return false;
}

static SettingsProblem *add_problem(GPtrArray *problems, const char *text)
{
    SettingsProblem *problem = g_new0(SettingsProblem, 1);

    problem->text = g_strdup(text);
    g_ptr_array_add(problems, problem);
    return problem;
}

/* A configuration while its errors are looked for. */
typedef struct {
    const char *file;
    const SettingsSource *source;
    /* The file's lines, and the same without what was found wrong; comments are blanks in both. */
    char **written;
    char **left;
    /* The file's lines as they are. */
    char **raw;
    guint length;
} Work;

/* The octets of an assignment's key at the start of line, behind its blanks; 0 if there is none. */
static gsize key_length(const char *line)
{
    const char *at = line + strspn(line, " \t");
    gsize length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-0123456789");

    return length;
}

static char *key_of(const char *line)
{
    return g_strndup(line + strspn(line, " \t"), key_length(line));
}

/* The text behind "KEY =", without blanks around it; NULL if line is no such thing. Owned by the
 * caller. */
static char *value_of(const char *line)
{
    const char *at = line + strspn(line, " \t");

    at += key_length(line);
    at += strspn(at, " \t");
    if (*at != '=' || key_length(line) == 0)
        return NULL;
    return g_strstrip(g_strdup(at + 1));
}

/* How many braces line opens, less those that it closes. Quotes hold no brace. */
static int depth_of(const char *line)
{
    char quote = '\0';
    int depth = 0;

    for (; *line != '\0'; line++) {
        if (quote != '\0') {
            if (*line == '\\' && line[1] != '\0')
                line++;
            else if (*line == quote)
                quote = '\0';
        } else if (*line == '"' || *line == '\'') {
            quote = *line;
        } else {
            depth += (*line == '{') - (*line == '}');
        }
    }
    return depth;
}

/* The index of the line that begins the assignment that goes on at index. */
static guint first_of(const Work *work, guint index)
{
    int depth = 0;

    for (guint back = index; back > 0; back--) {
        depth += depth_of(work->left[back - 1]);
        if (depth > 0) /* a list is open at index, or a section */
            return strchr(work->left[back - 1], '=') != NULL ? back - 1 : index;
    }
    return index;
}

/* Empties the assignment or the section at index. Returns false if there is nothing left in it. */
static bool empty(Work *work, guint index)
{
    guint at = first_of(work, index);
    int depth = 0;
    bool is_full = false;

    do {
        is_full = is_full || work->left[at][strspn(work->left[at], " \t\r")] != '\0';
        depth += depth_of(work->left[at]);
        g_free(work->left[at]);
        work->left[at] = g_strdup(depth < 0 ? "}" : "");
        at++;
    } while (depth > 0 && at < work->length);
    return is_full;
}

static Settings *parse(const Work *work, GError **error)
{
    g_autofree char *text = g_strjoinv("\n", work->left);

    return settings_parse_alone(work->file, text, work->source, error);
}

/* Is the error at this line another one, or none, with corrected in its place? */
static bool is_better(const Work *work, guint index, const char *corrected, const char *message)
{
    char *before = work->left[index];
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autofree char *text = g_strdup(corrected);

    settings_parse_blank_comments(text, NULL);
    work->left[index] = text;
    settings = parse(work, &error);
    work->left[index] = before;
    return error == NULL || strcmp(error->message, message) != 0;
}

/* Adds what was meant to problem, if writing it helps. Takes hint and corrected. */
static void add_hint(const Work *work, SettingsProblem *problem, guint index, char *hint,
                     char *corrected)
{
    g_autofree char *before = problem->text;

    if (corrected != NULL && !is_better(work, index, corrected, before))
        g_clear_pointer(&corrected, g_free);
    problem->text = g_strdup_printf("%s; %s", before, hint);
    problem->line = index + 1;
    problem->corrected = corrected;
    g_free(hint);
}

/* line with the first word from in it replaced by to. Owned by the caller. */
static char *replaced(const char *line, const char *from, const char *to)
{
    const char *at = strstr(line, from);

    if (at == NULL)
        return NULL;
    return g_strdup_printf("%.*s%s%s", (int)(at - line), line, to, at + strlen(from));
}

static const SettingsKey *closest_key(const char *word, bool is_in_section)
{
    g_autofree char *lower = g_ascii_strdown(word, -1);
    const SettingsKey *best = NULL;
    guint best_distance = TYPO_MAX + 1;

    g_strdelimit(lower, "-", '_');
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        guint distance = spelling_distance(lower, key->name);

        if ((key->flags & SETTINGS_KEY_MAP) != 0 ||
            (is_in_section && (key->flags & SETTINGS_KEY_SECTION) == 0))
            continue;
        if (distance < best_distance) {
            best = key;
            best_distance = distance;
        }
    }
    return best;
}

static bool is_in_section(const Work *work, guint index)
{
    int depth = 0;

    for (guint i = 0; i < index; i++)
        depth += depth_of(work->left[i]);
    return depth > 0;
}

/* A value of several words, without quotes: "Praxis Mail <a@b>". */
static bool hint_quotes(const Work *work, SettingsProblem *problem, guint index)
{
    const char *line = work->written[index];
    g_autofree char *key_text = key_of(line);
    g_autofree char *value = value_of(line);
    const SettingsKey *key = settings_key_find(key_text);
    g_autofree char *quoted = NULL;

    if (key == NULL || value == NULL || (key->flags & SETTINGS_KEY_LIST) != 0 ||
        strpbrk(value, "\"'{}") != NULL || strpbrk(value, " \t,()+*") == NULL)
        return false;
    quoted = g_strdup_printf("\"%s\"", value);
    g_free(problem->key);
    problem->key = g_strdup(key->name);
    add_hint(work, problem, index,
             g_strdup_printf("a value of several words needs quotes: %s = %s", key->name, quoted),
             replaced(work->raw[index], value, quoted));
    return true;
}

/* A list without its braces, or without a comma in it. */
static bool hint_list(const Work *work, SettingsProblem *problem, guint index, const char *token)
{
    guint first = first_of(work, index);
    g_autofree char *key_text = key_of(work->written[first]);
    g_autofree char *value = value_of(work->written[first]);
    const SettingsKey *key = settings_key_find(key_text);
    g_autofree char *braced = NULL;
    guint before = index;

    if (key == NULL || value == NULL || (key->flags & SETTINGS_KEY_LIST) == 0)
        return false;
    g_free(problem->key);
    problem->key = g_strdup(key->name);
    if (*value != '{') {
        braced = g_strdup_printf("{ %s }", value);
        add_hint(work, problem, index,
                 g_strdup_printf("a list needs braces: %s = %s", key->name, braced),
                 replaced(work->raw[index], value, braced));
        return true;
    }
    const char *at = strstr(work->written[index], token);
    const char *start = at;

    while (start != NULL && start > work->written[index] && strchr(" \t\"'", start[-1]) != NULL)
        start--;
    if (start != NULL && start > work->written[index]) {
        gsize length = (gsize)(start - work->written[index]);

        /* The quote that ends the value before belongs to that. */
        if (work->written[index][length] == '"' || work->written[index][length] == '\'')
            length++;
        add_hint(
            work, problem, index, g_strdup_printf("a comma is missing before \"%s\"", token),
            g_strdup_printf("%.*s,%s", (int)length, work->raw[index], work->raw[index] + length));
        return true;
    }
    while (before > 0 && *g_strstrip(work->left[before - 1]) == '\0')
        before--;
    if (before > 0) {
        gsize length = strlen(g_strchomp(work->written[before - 1]));

        add_hint(work, problem, before - 1,
                 g_strdup_printf("a comma is missing before \"%s\"", token),
                 g_strdup_printf("%.*s,%s", (int)length, work->raw[before - 1],
                                 work->raw[before - 1] + length));
    }
    return true;
}

/* A key that there is not. */
static void hint_key(const Work *work, SettingsProblem *problem, guint index, const char *word)
{
    g_autofree char *first = key_of(work->written[index]);
    const SettingsKey *key;
    bool is_section = is_in_section(work, index);

    if (strcmp(first, word) != 0 && hint_quotes(work, problem, index))
        return;
    if (is_section && settings_key_find(word) != NULL) {
        g_autofree char *before = problem->text;

        problem->text = g_strdup_printf("%s; it can't stand in a domain section", before);
        return;
    }
    key = closest_key(word, is_section);
    if (key == NULL)
        return;
    g_free(problem->key);
    problem->key = g_strdup(key->name);
    add_hint(work, problem, index, g_strdup_printf("did you mean %s?", key->name),
             replaced(work->raw[index], word, key->name));
}

/* A value that is not one of the key's words. */
static void hint_value(const Work *work, SettingsProblem *problem, guint index)
{
    const SettingsKey *key = settings_key_find(problem->key);
    g_autofree char *value = value_of(work->written[index]);
    g_autofree char *lower = NULL;

    if (hint_quotes(work, problem, index) || key == NULL || key->words == NULL || value == NULL)
        return;
    if (strlen(value) > 1 && (value[0] == '"' || value[0] == '\'')) {
        value[strlen(value) - 1] = '\0';
        memmove(value, value + 1, strlen(value));
    }
    lower = g_ascii_strdown(value, -1);
    for (guint i = 0; key->words[i] != NULL; i++) {
        guint distance = spelling_distance(lower, key->words[i]);

        if (distance <= TYPO_MAX && distance < strlen(key->words[i]) / 2 + 1 &&
            (distance == 0 || strlen(key->words[i]) > TYPO_MAX + 1)) {
            add_hint(work, problem, index, g_strdup_printf("did you mean %s?", key->words[i]),
                     replaced(work->raw[index], value, key->words[i]));
            return;
        }
    }
}

/* The text between the quotes at the end of "no such option 'word'". */
static char *quoted_word(const char *said, const char *beginning)
{
    if (!g_str_has_prefix(said, beginning))
        return NULL;
    said += strlen(beginning);
    return g_strndup(said, strcspn(said, "'"));
}

static void add_meaning(const Work *work, SettingsProblem *problem, guint index, const char *said)
{
    g_autofree char *option = quoted_word(said, "no such option '");
    g_autofree char *token = quoted_word(said, "unexpected token '");

    if (option != NULL) {
        hint_key(work, problem, index, option);
        return;
    }
    if (token != NULL) {
        if (!hint_list(work, problem, index, token))
            hint_quotes(work, problem, index);
        return;
    }
    problem->key = g_strndup(said, strcspn(said, ": "));
    if (settings_key_find(problem->key) == NULL)
        g_clear_pointer(&problem->key, g_free);
    else if (strstr(said, ": invalid value ") != NULL)
        hint_value(work, problem, index);
}

/* The line that the message, "FILE:LINE: …", names, from 1, and what it says of it; 0 if none. */
static guint line_of_message(const char *file, const char *message, const char **said)
{
    guint64 line = 0;

    *said = message;
    if (!g_str_has_prefix(message, file) || message[strlen(file)] != ':')
        return 0;
    line = g_ascii_strtoull(message + strlen(file) + 1, (char **)said, 10);
    *said += strspn(*said, ": ");
    return line <= G_MAXINT ? (guint)line : 0;
}

/* libconfuse takes the next line for a value that is missing: the key's own line is in error. */
static guint true_index(const Work *work, guint index, const char *said)
{
    g_autofree char *key = g_strndup(said, strcspn(said, ":"));

    for (guint i = MIN(index, work->length - 1) + 1; i > 0; i--) {
        g_autofree char *of_line = key_of(work->left[i - 1]);

        if (strcmp(of_line, key) == 0)
            return i - 1;
    }
    return MIN(index, work->length - 1);
}

/* Notes what error says, and takes its place out of the text. Returns false if it has none. */
static bool take_out(Work *work, const GError *error, GPtrArray *problems)
{
    const char *said;
    guint line = line_of_message(work->file, error->message, &said);
    SettingsProblem *problem;
    guint index;

    problem = add_problem(problems, error->message);
    if (line == 0)
        return false;
    index = true_index(work, line - 1, said);
    add_meaning(work, problem, index, said);
    return empty(work, index);
}

/* Blanks the lines of comments, as far as that is possible. */
static void blank_comments(char **lines)
{
    g_autofree char *text = g_strjoinv("\n", lines);
    g_auto(GStrv) blanked = NULL;

    settings_parse_blank_comments(text, NULL);
    blanked = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_free(lines[i]);
        lines[i] = g_strdup(blanked[i]);
    }
}

static Settings *parse_all(Work *work, GPtrArray *problems)
{
    while (problems->len < SETTINGS_PROBLEMS_MAX) {
        g_autoptr(GError) error = NULL;
        Settings *settings = parse(work, &error);

        if (settings != NULL)
            return settings;
        if (!take_out(work, error, problems))
            return NULL;
    }
    return NULL;
}

/* Does one of the lines give key, right or wrong? */
static bool is_given(const Work *work, const GPtrArray *problems, const char *key)
{
    for (guint i = 0; i < work->length; i++) {
        g_autofree char *of_line = key_of(work->written[i]);

        if (strcmp(of_line, key) == 0)
            return true;
    }
    return settings_problems_have(problems, key);
}

static bool read_text(const char *file, const SettingsSource *source, char **text)
{
    gsize length = 0;

    return source->read(file, text, &length, NULL) && length <= SETTINGS_FILE_MAX &&
           g_utf8_validate(*text, (gssize)length, NULL);
}

/* The lines of domain_map that are wrong. */
static void examine_map(const Work *work, Settings *settings, GPtrArray *problems)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (settings->domain_map == NULL || !read_text(settings->domain_map, work->source, &text))
        return;
    lines = g_strsplit(text, "\n", -1);
    while (problems->len < SETTINGS_PROBLEMS_MAX) {
        g_autoptr(GError) error = NULL;
        g_autofree char *left = g_strjoinv("\n", lines);
        g_autoptr(GHashTable) map = domain_map_parse(left, settings->domain_map, &error);
        const char *said;
        guint line;

        if (map != NULL)
            return;
        line = line_of_message(settings->domain_map, error->message, &said);
        add_problem(problems, error->message);
        if (line == 0 || line > g_strv_length(lines) || *lines[line - 1] == '\0')
            return;
        *lines[line - 1] = '\0';
    }
}

/* What has no line, and the file that the configuration names. */
static void examine_rest(const Work *work, Settings *settings, GPtrArray *problems)
{
    g_autoptr(GError) error = NULL;

    if (!is_given(work, problems, "fallback_address")) {
        g_autofree char *text = g_strdup_printf(
            "%s: fallback_address must be given; write fallback_address = \"noreply@example.org\"",
            work->file);

        add_problem(problems, text)->key = g_strdup("fallback_address");
    }
    if (!settings_check_together(settings, &error))
        add_problem(problems, error->message);
    examine_map(work, settings, problems);
}

static void work_begin(Work *work, char *text)
{
    if (g_str_has_prefix(text, "\xef\xbb\xbf"))
        memset(text, ' ', 3);
    work->raw = g_strsplit(text, "\n", -1);
    work->written = g_strdupv(work->raw);
    work->length = g_strv_length(work->raw);
    blank_comments(work->written);
    work->left = g_strdupv(work->written);
}

static void work_end(Work *work)
{
    g_strfreev(work->raw);
    g_strfreev(work->written);
    g_strfreev(work->left);
}

Settings *settings_examine(const char *file, const SettingsSource *source, GPtrArray *problems)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Work work = {.file = file, .source = source};
    Settings *settings = settings_parse(file, source, &error);

    if (settings != NULL)
        return settings;
    if (read_text(file, source, &text)) {
        work_begin(&work, text);
        settings = parse_all(&work, problems);
        if (settings != NULL)
            examine_rest(&work, settings, problems);
        work_end(&work);
    }
    if (problems->len == 0)
        add_problem(problems, error->message);
    return settings;
}
