#include "config.h"

#include "policy/settings_parse.h"

#include <confuse.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "base/domain_name.h"
#include "policy/domain_map.h"
#include "policy/settings_keys.h"

/* The parts of a text, by libconfuse's rules. */
typedef enum {
    PIECE_WORD,
    PIECE_OTHER, /* a blank, a brace and the like */
    PIECE_QUOTED,
    PIECE_VARIABLE,
    PIECE_LINE_COMMENT,
    PIECE_COMMENT,
} Piece;

static bool is_word(char c)
{
    return c != '\0' && strchr(" #\"'\t\n\r={}()+,*", c) == NULL;
}

/* "//", "/" with "*" and "${" are special only outside of a word: inet:8894@host//x is one word. */
static Piece piece_at(const char *at, bool is_in_word)
{
    if (*at == '#')
        return PIECE_LINE_COMMENT;
    if (*at == '"' || *at == '\'')
        return PIECE_QUOTED;
    if (!is_in_word && at[0] == '/' && at[1] == '/')
        return PIECE_LINE_COMMENT;
    if (!is_in_word && at[0] == '/' && at[1] == '*')
        return PIECE_COMMENT;
    if (!is_in_word && at[0] == '$' && at[1] == '{')
        return PIECE_VARIABLE;
    return is_word(*at) ? PIECE_WORD : PIECE_OTHER;
}

/* Returns the place behind "${…}", which may hold quotes, at at; NULL if it has no end. */
static char *skip_variable(char *at)
{
    char *end = strchr(at, '}');

    return end != NULL ? end + 1 : NULL;
}

/* Returns the place behind the quotes at at; NULL if they have no end. */
static char *skip_quoted(char *at)
{
    const char quote = *at++;

    while (*at != quote) {
        if (*at == '\0')
            return NULL;
        if (quote == '"' && at[0] == '$' && at[1] == '{') {
            at = skip_variable(at);
            if (at == NULL)
                return NULL;
            continue;
        }
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    }
    return at + 1;
}

static char *skip_comment(char *at)
{
    char *end = strstr(at + 2, "*/");

    return end != NULL ? end + 2 : NULL;
}

/* Returns the place behind the piece at at; NULL if it has no end. */
static char *skip_piece(char *at, Piece piece)
{
    switch (piece) {
    case PIECE_WORD:
    case PIECE_OTHER:
        return at + 1;
    case PIECE_QUOTED:
        return skip_quoted(at);
    case PIECE_VARIABLE:
        return skip_variable(at);
    case PIECE_LINE_COMMENT:
        return at + strcspn(at, "\n");
    case PIECE_COMMENT:
        return skip_comment(at);
    }
    return NULL;
}

static void blank(char *from, const char *end)
{
    for (; from < end; from++)
        if (*from != '\n')
            *from = ' ';
}

/* The line, from 1, of a place in text. */
static guint line_at(const char *text, const char *at)
{
    guint line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static bool refuse_open(const char *text, const char *at, int length, GError **error)
{
    g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_SYNTAX,
                "%u: what begins here with %.*s has no end", line_at(text, at), length, at);
    return false;
}

/* Keeps the places of the braces that are open in open, of char *. */
static void note_brace(GPtrArray *open, char *at)
{
    if (*at == '{')
        g_ptr_array_add(open, at);
    else if (*at == '}' && open->len > 0)
        g_ptr_array_set_size(open, (gint)open->len - 1);
}

/* True if the brace at at begins a list, not a section: libconfuse misses the end of a list. */
static bool begins_list(const char *text, const char *at)
{
    while (at > text && g_ascii_isspace(at[-1]))
        at--;
    return at > text && at[-1] == '=';
}

bool settings_parse_blank_comments(char *text, GError **error)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    bool is_in_word = false;

    for (char *at = text; *at != '\0';) {
        Piece piece = piece_at(at, is_in_word);
        char *end = skip_piece(at, piece);

        if (end == NULL)
            return refuse_open(text, at, piece == PIECE_QUOTED ? 1 : 2, error);
        if (piece == PIECE_LINE_COMMENT || piece == PIECE_COMMENT)
            blank(at, end);
        if (piece == PIECE_OTHER)
            note_brace(open, at);
        is_in_word = piece == PIECE_WORD;
        at = end;
    }
    if (open->len == 0 || begins_list(text, g_ptr_array_index(open, open->len - 1)))
        return true;
    return refuse_open(text, g_ptr_array_index(open, open->len - 1), 1, error);
}

/* The line, from 1, on which text without comments gives key last; 0 if it does not. */
static guint line_of(const char *text, const char *key)
{
    size_t length = strlen(key);
    guint line = 0;

    for (const char *at = strstr(text, key); at != NULL; at = strstr(at + length, key)) {
        const char *behind = at + length + strspn(at + length, " \t\r\n");

        if ((at == text || !is_word(at[-1])) && (*behind == '=' || *behind == '+'))
            line = line_at(text, at);
    }
    return line;
}

/*
 * libconfuse's scanner, its error function and its callbacks have no room for a caller's pointer,
 * so one parse runs at a time, and what they note stands here.
 */
static pthread_mutex_t parse_lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards these two and the scanner */
static GError *complaint;      /* the first one */
static GHashTable *given; /* a set: each cfg_opt_t with a value; NULL while defaults are read */

/* Keeps the first thing that libconfuse or one of our callbacks complains of, with its line. */
static void G_GNUC_PRINTF(2, 0) note_complaint(cfg_t *cfg, const char *format, va_list arguments)
{
    g_autofree char *text = NULL;
    g_autofree char *shown = NULL;

    if (complaint != NULL)
        return;
    text = g_strdup_vprintf(format, arguments);
    shown = g_utf8_make_valid(text, -1); /* it quotes the file, and an escape can be any octet */
    complaint = g_error_new(SETTINGS_ERROR, SETTINGS_ERROR_SYNTAX, "%d: %s", cfg->line, shown);
}

/*
 * Notes that opt gets a value. Returns false, with a complaint, if an assignment before this one
 * gave it one: each value of a list comes here, the first after a "=" alone, one after a "+="
 * never.
 */
static bool note_given(cfg_t *cfg, cfg_opt_t *opt)
{
    if (!g_hash_table_add(given, opt) && cfg_opt_size(opt) == 1) {
        cfg_error(cfg, "%s: is given twice; leave one out", cfg_opt_name(opt));
        return false;
    }
    return true;
}

/*
 * Called by libconfuse for each value, of a section too, when its line is known. A value of a list
 * is checked alone, the list when it is whole.
 */
static int take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    g_autoptr(GError) error = NULL;

    *(const char **)result = value;
    if (given == NULL)
        return 0;
    if (!note_given(cfg, opt))
        return -1;
    if (settings_key_is_valid(settings_key_find(cfg_opt_name(opt)),
                              (const char *const[]){value, NULL}, &error))
        return 0;
    cfg_error(cfg, "%s", error->message);
    return -1;
}

/* Called by libconfuse behind the brace that closes a section. */
static int validate_section(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainSection) parsed = domain_section_new(cfg_title(section), &error);

    if (parsed != NULL)
        return 0;
    cfg_error(cfg, "domain: %s", error->message);
    return -1;
}

/* Returns the end of options. */
static cfg_opt_t *add_key(cfg_opt_t *options, const SettingsKey *key)
{
    *options =
        (key->flags & SETTINGS_KEY_LIST) != 0
            ? (cfg_opt_t)CFG_STR_LIST_CB(key->name, (char *)key->default_text, CFGF_NONE,
                                         take_value)
            : (cfg_opt_t)CFG_STR_CB(key->name, (char *)key->default_text, CFGF_NONE, take_value);
    return options + 1;
}

static cfg_opt_t *add_section_key(cfg_opt_t *options, const SettingsKey *key)
{
    *options = (cfg_opt_t)CFG_STR_CB(key->name, NULL, CFGF_NODEFAULT, take_value);
    return options + 1;
}

static cfg_t *reader_new(void)
{
    g_autofree cfg_opt_t *section_options = g_new0(cfg_opt_t, settings_keys_length + 1);
    g_autofree cfg_opt_t *options = g_new0(cfg_opt_t, settings_keys_length + 2);
    cfg_opt_t *section_end = section_options;
    cfg_opt_t *end = options;
    cfg_t *cfg;

    for (size_t i = 0; i < settings_keys_length; i++) {
        if ((settings_keys[i].flags & SETTINGS_KEY_MAP) == 0)
            end = add_key(end, &settings_keys[i]);
        if ((settings_keys[i].flags & SETTINGS_KEY_SECTION) != 0)
            section_end = add_section_key(section_end, &settings_keys[i]);
    }
    *section_end = (cfg_opt_t)CFG_END();
    *end++ = (cfg_opt_t)CFG_SEC("domain", section_options,
                                CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    *end = (cfg_opt_t)CFG_END();
    cfg = cfg_init(options, CFGF_NONE); /* copies all of them */
    if (cfg == NULL)
        return NULL;
    cfg_set_error_function(cfg, note_complaint);
    cfg_set_validate_func(cfg, "domain", validate_section);
    return cfg;
}

/* The values of one key, defaults included, borrowed, NULL-terminated. Freed with g_free(). */
static const char **values_of(cfg_opt_t *opt)
{
    guint length = cfg_opt_size(opt);
    const char **values = g_new0(const char *, length + 1);

    for (guint i = 0; i < length; i++)
        values[i] = cfg_opt_getnstr(opt, i);
    return values;
}

/* Prefixes error with FILE, and with LINE if settings give key. */
static void prefix_place(Settings *settings, const char *key, GError **error)
{
    guint line = line_of(settings->text, key);

    if (line > 0)
        g_prefix_error(error, "%s:%u: ", settings->file, line);
    else
        g_prefix_error(error, "%s: ", settings->file);
}

void settings_locate(Settings *settings, GError **error)
{
    g_autofree char *key = NULL;

    if (error == NULL)
        return;
    key = g_strndup((*error)->message, strcspn((*error)->message, ":"));
    prefix_place(settings, key, error);
}

static void append_quoted(GString *text, const char *value)
{
    g_string_append_c(text, '"');
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *value);
    }
    g_string_append_c(text, '"');
}

/* The values of one key as a file may have them: "a" or { "a", "b" }. */
static char *text_of_values(const SettingsKey *key, const char **values)
{
    bool is_list = (key->flags & SETTINGS_KEY_LIST) != 0;
    GString *text = g_string_new(is_list ? "{" : NULL);

    for (size_t i = 0; values[i] != NULL; i++) {
        g_string_append(text, i > 0 ? ", " : is_list ? " " : "");
        append_quoted(text, values[i]);
    }
    g_string_append(text, !is_list ? "" : values[0] != NULL ? " }" : "}");
    return g_string_free(text, FALSE);
}

static bool fill_keys(struct Settings *settings, cfg_t *cfg, GError **error)
{
    settings->texts = g_new0(char *, settings_keys_length);
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        g_autofree const char **values = NULL;

        if ((key->flags & SETTINGS_KEY_MAP) != 0)
            continue;
        values = values_of(cfg_getopt(cfg, key->name));
        if ((key->flags & SETTINGS_KEY_LIST) == 0 && values[0] == NULL)
            continue;
        settings->texts[i] = text_of_values(key, values);
        if (!settings_key_read(key, settings_key_member(settings, key), values, settings->file,
                               error)) {
            prefix_place(settings, key->name, error);
            return false;
        }
    }
    return true;
}

static bool fill_section(struct Settings *settings, cfg_t *cfg, GError **error)
{
    g_autoptr(DomainSection) section = domain_section_new(cfg_title(cfg), error);

    if (section == NULL)
        return false;
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];
        const char *text =
            (key->flags & SETTINGS_KEY_SECTION) != 0 ? cfg_getstr(cfg, key->name) : NULL;

        if (text != NULL && !domain_section_set(section, key, text, error))
            return false;
    }
    return domain_table_add(settings->sections, g_steal_pointer(&section), error);
}

static bool fill_sections(struct Settings *settings, cfg_t *cfg, GError **error)
{
    settings->sections = domain_table_new();
    for (guint i = 0; i < cfg_size(cfg, "domain"); i++) {
        cfg_t *section = cfg_getnsec(cfg, "domain", i);

        if (!fill_section(settings, section, error)) {
            g_prefix_error(error, "%s:%d: ", settings->file, section->line);
            return false;
        }
    }
    return true;
}

/* Makes *error of what note_complaint() has noted. */
static void take_complaint(struct Settings *settings, const cfg_t *cfg, GError **error)
{
    if (complaint == NULL)
        complaint = g_error_new(SETTINGS_ERROR, SETTINGS_ERROR_SYNTAX, "%d: the syntax is wrong",
                                cfg->line);
    g_propagate_prefixed_error(error, g_steal_pointer(&complaint), "%s:", settings->file);
}

static bool parse_locked(struct Settings *settings, const char *text, GError **error)
{
    cfg_t *cfg = reader_new();
    bool is_parsed;

    if (cfg == NULL) {
        g_set_error_literal(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE, "out of memory");
        return false;
    }
    given = g_hash_table_new(g_direct_hash, g_direct_equal);
    is_parsed = cfg_parse_buf(cfg, text) == CFG_SUCCESS && complaint == NULL;
    if (!is_parsed)
        take_complaint(settings, cfg, error);
    else
        is_parsed = fill_keys(settings, cfg, error) && fill_sections(settings, cfg, error);
    g_clear_pointer(&given, g_hash_table_unref);
    cfg_free(cfg);
    return is_parsed;
}

static bool has_fallback(Settings *settings, GError **error)
{
    if (settings->fallback_form == NULL)
        g_set_error(
            error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
            "%s: fallback_address must be given; write fallback_address = \"noreply@example.org\"",
            settings->file);
    return settings->fallback_form != NULL;
}

bool settings_check_together(Settings *settings, GError **error)
{
    if (settings->cache_min_ttl > settings->cache_max_ttl) {
        g_set_error_literal(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                            "cache_min_ttl is longer than cache_max_ttl; write a smaller one");
        prefix_place(settings, "cache_min_ttl", error);
        return false;
    }
    return true;
}

/* A byte order mark, as some editors write it, says nothing of UTF-8. */
static void blank_byte_order_mark(char *text)
{
    if (g_str_has_prefix(text, "\xef\xbb\xbf"))
        memset(text, ' ', 3);
}

static bool read_text(const SettingsSource *source, const char *file, gsize max, char **text,
                      GError **error)
{
    g_autoptr(GError) cause = NULL;
    const char *invalid = NULL;
    gsize length = 0;

    if (!source->read(file, text, &length, &cause)) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE, "%s: can't be read: %s", file,
                    cause->message);
        return false;
    }
    if (length > max) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE,
                    "%s: is longer than %" G_GSIZE_FORMAT " octets; write a shorter one", file,
                    max);
        return false;
    }
    if (!g_utf8_validate(*text, (gssize)length, &invalid)) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE,
                    "%s:%u: is not UTF-8 text; convert the file", file, line_at(*text, invalid));
        return false;
    }
    blank_byte_order_mark(*text);
    return true;
}

static bool read_map(struct Settings *settings, const SettingsSource *source, GError **error)
{
    g_autofree char *text = NULL;

    if (settings->domain_map == NULL)
        return true;
    if (!read_text(source, settings->domain_map, SETTINGS_MAP_MAX, &text, error)) {
        g_prefix_error(error, "domain_map: ");
        settings_locate(settings, error);
        return false;
    }
    settings->map_digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    settings->map = domain_map_parse(text, settings->domain_map, error);
    return settings->map != NULL;
}

/* The return address of form beside that fallback; NULL: none. Of another organizational domain, it
 * would cost the message its alignment. */
static const ReturnForm *return_in_force(const ReturnForm *form, const Mailbox *fallback)
{
    return form->plain != NULL &&
                   domain_name_is_aligned(form->plain->domain_name, fallback->domain_name)
               ? form
               : NULL;
}

static void note_forms(struct Settings *settings, const ReturnForm *fallback_form,
                       const ReturnForm *return_form)
{
    g_hash_table_add(settings->fallbacks, fallback_form->plain->addr_spec);
    return_forms_add(settings->return_forms, fallback_form);
    if (return_form != NULL)
        return_forms_add(settings->return_forms, return_form);
}

/* What follows from the addresses of the sections in table. */
static void fill_section_addresses(struct Settings *settings, GHashTable *table)
{
    GHashTableIter iter;
    gpointer value;

    if (table == NULL)
        return;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        DomainSection *section = value;
        const ReturnForm *fallback_form =
            section->fallback_form != NULL ? section->fallback_form : settings->fallback_form;
        const ReturnForm *return_form =
            section->return_form != NULL ? section->return_form : settings->return_form;

        section->return_in_force = return_in_force(return_form, fallback_form->plain);
        note_forms(settings, fallback_form, section->return_in_force);
    }
}

/* What follows from all addresses. */
static void fill_addresses(struct Settings *settings)
{
    settings->fallbacks = g_hash_table_new(g_str_hash, g_str_equal);
    settings->return_forms = return_forms_new();
    settings->fallback = settings->fallback_form->plain;
    settings->return_in_force = return_in_force(settings->return_form, settings->fallback);
    note_forms(settings, settings->fallback_form, settings->return_in_force);
    fill_section_addresses(settings, settings->sections);
    fill_section_addresses(settings, settings->map);
}

static bool fill_from_text(struct Settings *settings, char *text, GError **error)
{
    bool is_parsed;

    if (!settings_parse_blank_comments(text, error)) {
        g_prefix_error(error, "%s:", settings->file);
        return false;
    }
    pthread_mutex_lock(&parse_lock);
    is_parsed = parse_locked(settings, text, error);
    pthread_mutex_unlock(&parse_lock);
    return is_parsed;
}

static void fill_ledger(struct Settings *settings)
{
    settings->is_ledger_in_state_dir = settings->ledger == NULL && settings->state_dir != NULL;
    if (settings->is_ledger_in_state_dir)
        settings->ledger = g_build_filename(settings->state_dir, SETTINGS_LEDGER_NAME, NULL);
    else if (settings->ledger != NULL && settings->ledger[0] == '\0')
        g_clear_pointer(&settings->ledger, g_free);
}

static void fill_return_key(struct Settings *settings)
{
    if (settings->return_key != NULL)
        settings->return_key_file = g_strdup(settings->return_key);
    else if (settings->state_dir != NULL)
        settings->return_key_file =
            g_build_filename(settings->state_dir, SETTINGS_RETURN_KEY_NAME, NULL);
}

static void fill_rest(struct Settings *settings, const SettingsSource *source)
{
    if (settings->hostname == NULL)
        settings->hostname = domain_name_parse(source->hostname, NULL);
    if (settings->hostname == NULL)
        settings->hostname = g_strdup("localhost");
    fill_ledger(settings);
    fill_return_key(settings);
    fill_addresses(settings);
}

static bool fill(struct Settings *settings, const SettingsSource *source, GError **error)
{
    if (!fill_from_text(settings, settings->text, error) || !has_fallback(settings, error) ||
        !settings_check_together(settings, error) || !read_map(settings, source, error))
        return false;
    fill_rest(settings, source);
    return true;
}

Settings *settings_parse(const char *file, const SettingsSource *source, GError **error)
{
    g_autoptr(Settings) settings = settings_new(file);
    struct Settings *own = (struct Settings *)settings;

    if (!read_text(source, file, SETTINGS_FILE_MAX, &own->text, error) || !fill(own, source, error))
        return NULL;
    return g_steal_pointer(&settings);
}

#define NOBODY "nobody@example.org"

Settings *settings_parse_alone(const char *file, const char *text, const SettingsSource *source,
                               GError **error)
{
    g_autoptr(Settings) settings = settings_new(file);
    struct Settings *own = (struct Settings *)settings;

    own->text = g_strdup(text);
    if (!fill_from_text(own, own->text, error))
        return NULL;
    if (own->fallback_form == NULL &&
        !settings_key_read(settings_key_find("fallback_address"), &own->fallback_form,
                           (const char *const[]){NOBODY, NULL}, file, error))
        return NULL;
    fill_rest(own, source);
    g_hash_table_remove(own->fallbacks, NOBODY);
    return g_steal_pointer(&settings);
}

Settings *settings_parse_map(Settings *last, const SettingsSource *source, GError **error)
{
    g_autoptr(Settings) settings = settings_new(last->file);
    struct Settings *own = (struct Settings *)settings;

    own->text = g_strdup(last->text);
    if (!fill(own, source, error))
        return NULL;
    if (g_strcmp0(own->map_digest, last->map_digest) == 0)
        return settings_ref(last);
    settings_keep(settings, last, NULL);
    return g_steal_pointer(&settings);
}
