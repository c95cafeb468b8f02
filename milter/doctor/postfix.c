#include "config.h"

#include "doctor/postfix.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "doctor/machine.h"

G_DEFINE_QUARK(spfrom_postfix_error, postfix_error)

static void service_free(PostfixService *service)
{
    g_free(service->name);
    g_free(service->type);
    g_free(service->program);
    g_hash_table_unref(service->overrides);
    g_free(service);
}

void postfix_free(Postfix *postfix)
{
    g_free(postfix->postconf);
    g_free(postfix->directory);
    g_hash_table_unref(postfix->parameters);
    g_ptr_array_unref(postfix->services);
    g_ptr_array_unref(postfix->complaints);
    g_free(postfix);
}

static GHashTable *table_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Splits "name = value". Returns false if line is no such thing. */
static bool split_setting(char *line, char **name, char **value)
{
    char *equals = strchr(line, '=');

    if (equals == NULL)
        return false;
    *equals = '\0';
    *name = g_strstrip(line);
    *value = g_strstrip(equals + 1);
    return true;
}

static void parse_parameters(Postfix *postfix, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char *name;
    char *value;

    for (guint i = 0; lines[i] != NULL; i++)
        if (split_setting(lines[i], &name, &value))
            g_hash_table_insert(postfix->parameters, g_strdup(name), g_strdup(value));
}

enum { COLUMN_NAME, COLUMN_TYPE, COLUMN_CHROOT = 4, COLUMN_PROGRAM = 7, COLUMNS };

/* The next word, up to the next blanks; NULL at the end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t");
    char *end = word + strcspn(word, " \t");

    if (*word == '\0')
        return NULL;
    *at = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

/* "-" stands for the default, which changed with compatibility_level 1 (master(5)). */
static bool is_chrooted(const Postfix *postfix, const char *column)
{
    const char *level = postfix_value(postfix, NULL, "compatibility_level");

    return strcmp(column, "y") == 0 ||
           (strcmp(column, "-") == 0 && level[strspn(level, "0.")] == '\0');
}

static void parse_service(Postfix *postfix, char *line)
{
    char *columns[COLUMNS];
    PostfixService *service;

    if (g_ascii_isspace(*line)) /* these are options of the service before */
        return;
    for (int i = 0; i < COLUMNS; i++)
        if ((columns[i] = next_word(&line)) == NULL)
            return;
    service = g_new0(PostfixService, 1);
    service->name = g_strdup(columns[COLUMN_NAME]);
    service->type = g_strdup(columns[COLUMN_TYPE]);
    service->is_chrooted = is_chrooted(postfix, columns[COLUMN_CHROOT]);
    service->program = g_strdup(columns[COLUMN_PROGRAM]);
    service->overrides = table_new();
    g_ptr_array_add(postfix->services, service);
}

static void parse_services(Postfix *postfix, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        parse_service(postfix, lines[i]);
}

/* Reads "submission/inet/smtpd_milters = …"; the name of a service may be a path. */
static void parse_override(Postfix *postfix, char *line)
{
    char *name;
    char *value;
    char *slash;
    char *type;
    const PostfixService *service;

    if (!split_setting(line, &name, &value) || (slash = strrchr(name, '/')) == NULL)
        return;
    *slash = '\0';
    type = strrchr(name, '/');
    if (type == NULL)
        return;
    *type = '\0';
    service = postfix_service(postfix, name, type + 1);
    if (service != NULL)
        g_hash_table_insert(service->overrides, g_strdup(slash + 1), g_strdup(value));
}

static void parse_overrides(Postfix *postfix, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        parse_override(postfix, lines[i]);
}

Postfix *postfix_parse(const char *parameters, const char *services, const char *overrides)
{
    Postfix *postfix = g_new0(Postfix, 1);

    postfix->parameters = table_new();
    postfix->services = g_ptr_array_new_with_free_func((GDestroyNotify)service_free);
    postfix->complaints = g_ptr_array_new_with_free_func(g_free);
    parse_parameters(postfix, parameters);
    parse_services(postfix, services);
    parse_overrides(postfix, overrides);
    return postfix;
}

/* Runs postconf. Each of its warnings is kept once, without the name of the program. */
static char *ask(const char *postconf, const char *directory, const char *options,
                 GPtrArray *complaints, Deadline deadline, GError **error)
{
    const char *argv[] = {postconf, options, directory != NULL ? "-c" : NULL, directory, NULL};
    g_autoptr(GError) cause = NULL;
    g_autoptr(MachineProgram) program = machine_program_run(argv, deadline, &cause);
    g_auto(GStrv) lines = NULL;

    if (program == NULL || program->status != 0) {
        g_set_error(error, POSTFIX_ERROR, POSTFIX_ERROR_POSTCONF, "%s",
                    program != NULL ? g_strstrip(program->complaints) : cause->message);
        return NULL;
    }
    lines = g_strsplit(program->complaints, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *warning = strstr(lines[i], "warning: ");
        const char *text = warning != NULL ? warning + strlen("warning: ") : lines[i];

        if (*text != '\0' && !g_ptr_array_find_with_equal_func(complaints, text, g_str_equal, NULL))
            g_ptr_array_add(complaints, g_strdup(text));
    }
    return g_steal_pointer(&program->output);
}

static Postfix *read_with(const char *postconf, const char *directory, Deadline deadline,
                          GError **error)
{
    g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *parameters = ask(postconf, directory, "-x", complaints, deadline, error);
    g_autofree char *services = NULL;
    g_autofree char *overrides = NULL;
    Postfix *postfix;

    if (parameters == NULL)
        return NULL;
    services = ask(postconf, directory, "-M", complaints, deadline, error);
    if (services != NULL)
        overrides = ask(postconf, directory, "-xP", complaints, deadline, error);
    if (overrides == NULL)
        return NULL;
    postfix = postfix_parse(parameters, services, overrides);
    g_ptr_array_unref(postfix->complaints);
    postfix->complaints = g_steal_pointer(&complaints);
    postfix->postconf = g_strdup(postconf);
    postfix->directory = g_strdup(directory);
    postfix->deadline = deadline;
    return postfix;
}

Postfix *postfix_read(const char *postconf, const char *directory, Deadline deadline,
                      GError **error)
{
    g_autofree char *found =
        postconf != NULL ? g_strdup(postconf) : machine_program_find("postconf");

    if (found == NULL) {
        g_set_error(error, POSTFIX_ERROR, POSTFIX_ERROR_MISSING, "there is no postconf");
        return NULL;
    }
    return read_with(found, directory, deadline, error);
}

const char *postfix_value(const Postfix *postfix, const PostfixService *service, const char *name)
{
    const char *value = service != NULL ? g_hash_table_lookup(service->overrides, name) : NULL;

    if (value == NULL)
        value = g_hash_table_lookup(postfix->parameters, name);
    return value != NULL ? value : "";
}

bool postfix_is_yes(const Postfix *postfix, const PostfixService *service, const char *name)
{
    return g_ascii_strcasecmp(postfix_value(postfix, service, name), "yes") == 0;
}

gint64 postfix_seconds(const Postfix *postfix, const PostfixService *service, const char *name)
{
    const char *text = postfix_value(postfix, service, name);
    gint64 seconds = clock_span_parse(text, NULL);

    return MAX(seconds, 0);
}

static bool is_separator(char octet)
{
    return octet == ',' || g_ascii_isspace(octet);
}

/* The end of the word that begins at text. */
static const char *word_end(const char *text)
{
    guint depth = 0;

    for (; *text != '\0'; text++) {
        if (*text == '{')
            depth++;
        else if (*text == '}' && depth > 0)
            depth--;
        else if (depth == 0 && is_separator(*text))
            break;
    }
    return text;
}

GPtrArray *postfix_words(const char *text)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    while (true) {
        const char *end;

        while (is_separator(*text))
            text++;
        if (*text == '\0')
            return words;
        end = word_end(text);
        g_ptr_array_add(words, g_strndup(text, (gsize)(end - text)));
        text = end;
    }
}

bool postfix_has_word(const char *value, const char *word)
{
    g_autoptr(GPtrArray) words = postfix_words(value);

    return g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL);
}

const PostfixService *postfix_service(const Postfix *postfix, const char *name, const char *type)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (strcmp(service->name, name) == 0 && strcmp(service->type, type) == 0)
            return service;
    }
    return NULL;
}

bool postfix_service_runs(const PostfixService *service, const char *program)
{
    return strcmp(service->program, program) == 0;
}

char *postfix_path(const Postfix *postfix, const PostfixService *service, const char *path)
{
    if (*path == '/' && (service == NULL || !service->is_chrooted))
        return g_strdup(path);
    return g_build_filename(postfix_value(postfix, NULL, "queue_directory"), path, NULL);
}

/* A command is written without its folder if a shell of root finds it. */
char *postfix_command(const Postfix *postfix, const char *name)
{
    g_autofree char *folder =
        postfix->postconf != NULL ? g_path_get_dirname(postfix->postconf) : g_strdup("/usr/sbin");
    g_autofree char *path =
        strcmp(folder, "/usr/sbin") == 0 ? g_strdup(name) : g_build_filename(folder, name, NULL);
    g_autofree char *directory = NULL;

    if (postfix->directory == NULL)
        return g_steal_pointer(&path);
    directory = g_shell_quote(postfix->directory);
    return g_strdup_printf("%s -c %s", path, directory);
}

char *postfix_set_command(const Postfix *postfix, const PostfixService *service, const char *name,
                          const char *value)
{
    g_autofree char *postconf = postfix_command(postfix, "postconf");
    g_autofree char *setting =
        service != NULL ? g_strdup_printf("%s/%s/%s=%s", service->name, service->type, name, value)
                        : g_strdup_printf("%s=%s", name, value);
    g_autofree char *quoted = g_shell_quote(setting);

    return g_strdup_printf("%s %s %s", postconf, service != NULL ? "-P" : "-e", quoted);
}

void postfix_mend(const Postfix *postfix, Finding *finding, const PostfixService *service,
                  const char *name, const char *value)
{
    g_autofree char *set = postfix_set_command(postfix, service, name, value);
    g_autofree char *reload = postfix_command(postfix, "postfix");

    finding_command(finding, "%s && %s reload", set, reload);
}

/* Runs postmap(1), with a key or, if it is NULL, without one, in the queue directory, which relative
 * paths in tables start from as they do for Postfix's own programs. Returns what it prints; NULL if that
 * is nothing, or with error set. */
static char *run_postmap(const Postfix *postfix, const char *option, const char *key,
                         const char *table, GError **error)
{
    g_autofree char *postmap =
        g_build_filename(postfix_value(postfix, NULL, "command_directory"), "postmap", NULL);
    const char *queue = postfix_value(postfix, NULL, "queue_directory");
    g_autofree char *directory =
        postfix->directory != NULL ? g_canonicalize_filename(postfix->directory, NULL) : NULL;
    const char *argv[7] = {postmap, option};
    g_autoptr(GError) cause = NULL;
    g_autoptr(MachineProgram) program = NULL;
    guint words = 2;

    if (key != NULL)
        argv[words++] = key;
    if (directory != NULL) {
        argv[words++] = "-c";
        argv[words++] = directory;
    }
    argv[words++] = table;
    program = machine_program_run_in(access(queue, X_OK) == 0 ? queue : NULL, argv,
                                     postfix->deadline, &cause);
    if (program != NULL && program->status == 0)
        return g_strchomp(g_steal_pointer(&program->output));
    if (program == NULL || *program->complaints != '\0')
        g_set_error(error, POSTFIX_ERROR, POSTFIX_ERROR_POSTCONF, "%s",
                    program != NULL ? g_strstrip(program->complaints) : cause->message);
    return NULL;
}

char *postfix_lookup(const Postfix *postfix, const char *table, const char *key, GError **error)
{
    return run_postmap(postfix, "-q", key, table, error);
}

char *postfix_dump(const Postfix *postfix, const char *table, GError **error)
{
    return run_postmap(postfix, "-s", NULL, table, error);
}

static void milter_free(PostfixMilter *milter)
{
    g_free(milter->text);
    g_free(milter->address_text);
    g_free(milter->misread);
    g_clear_pointer(&milter->address, milter_address_free);
    g_hash_table_unref(milter->settings);
    g_free(milter);
}

/* The text between the braces of word; NULL if it has none. */
static char *inside(const char *word)
{
    gsize length = strlen(word);

    if (length < 2 || word[0] != '{' || word[length - 1] != '}')
        return NULL;
    return g_strstrip(g_strndup(word + 1, length - 2));
}

static void read_setting(PostfixMilter *milter, const char *word)
{
    g_autofree char *inner = inside(word); /* { name = value } */
    const char *text = inner != NULL ? inner : word;
    const char *equals = strchr(text, '=');

    if (equals != NULL)
        g_hash_table_insert(milter->settings, g_strstrip(g_strndup(text, (gsize)(equals - text))),
                            g_strstrip(g_strdup(equals + 1)));
}

static void read_settings(PostfixMilter *milter, const char *text)
{
    g_autoptr(GPtrArray) words = postfix_words(text);

    if (words->len == 0)
        return;
    g_free(milter->address_text);
    milter->address_text = g_strdup(g_ptr_array_index(words, 0));
    for (guint i = 1; i < words->len; i++)
        read_setting(milter, g_ptr_array_index(words, i));
}

/* Puts the address of milter, which Postfix can't read, into its form if it is clear what it
 * means. */
static void correct_address(PostfixMilter *milter)
{
    g_auto(GStrv) parts = g_strsplit(milter->text, milter->address_text, 2);
    char *text;

    milter->misread = g_strdup(milter->address_text);
    milter->address = milter_address_guess(milter->misread);
    if (milter->address == NULL || *milter->misread == '\0')
        return;
    g_free(milter->address_text);
    milter->address_text = milter_address_postfix(milter->address);
    text = g_strjoinv(milter->address_text, parts);
    g_free(milter->text);
    milter->text = text;
}

static PostfixMilter *parse_milter(const char *word)
{
    PostfixMilter *milter = g_new0(PostfixMilter, 1);
    g_autofree char *inner = inside(word);

    milter->text = g_strdup(word);
    milter->address_text = g_strdup(word);
    milter->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (inner != NULL)
        read_settings(milter, inner);
    milter->address = milter_address_parse_postfix(milter->address_text);
    if (milter->address == NULL)
        correct_address(milter);
    return milter;
}

GPtrArray *postfix_milters_parse(const char *text)
{
    GPtrArray *milters = g_ptr_array_new_with_free_func((GDestroyNotify)milter_free);
    g_autoptr(GPtrArray) words = postfix_words(text);

    for (guint i = 0; i < words->len; i++)
        g_ptr_array_add(milters, parse_milter(g_ptr_array_index(words, i)));
    return milters;
}

const char *postfix_milter_setting(const PostfixMilter *milter, const char *name)
{
    return g_hash_table_lookup(milter->settings, name);
}

static void append_entry(GString *list, const char *entry)
{
    g_autofree char *inner = inside(entry);
    g_autoptr(GPtrArray) words = postfix_words(inner != NULL ? inner : "");

    if (list->len > 0)
        g_string_append_c(list, ',');
    if (words->len == 0) {
        g_string_append(list, entry);
        return;
    }
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "{" : ",",
                               (const char *)g_ptr_array_index(words, i));
    g_string_append_c(list, '}');
}

char *postfix_milters_with(const GPtrArray *milters, const bool *is_ours, const char *entry,
                           guint position)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i <= milters->len; i++) {
        if (i == position)
            append_entry(list, entry);
        if (i < milters->len && !is_ours[i])
            append_entry(list, ((const PostfixMilter *)g_ptr_array_index(milters, i))->text);
    }
    return g_string_free(list, FALSE);
}
