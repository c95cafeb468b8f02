#include "config.h"

#include "doctor/signer.h"

#include <string.h>

#include "base/domain_name.h"
#include "doctor/dns.h"
#include "doctor/fallback.h"
#include "spf/dkim_key.h"
#include "verdict/dkim_consent.h"

#define CHECK "dkim-consent"
#define OPENDKIM_FILE "/etc/opendkim.conf"
#define RSPAMD_DIRECTORY "/etc/rspamd"

static bool has_selector(const char *const *selectors, const char *selector)
{
    return g_strv_contains(selectors, selector);
}

/* --- OpenDKIM's tables --- */

/* A row of the KeyTable: "NAME DOMAIN:SELECTOR:KEY". */
typedef struct {
    char *domain; /* "%": that of the author */
    char *selector;
    char *key;
} Key;

static void key_free(gpointer data)
{
    Key *key = data;

    g_free(key->domain);
    g_free(key->selector);
    g_free(key->key);
    g_free(key);
}

/* Splits a row of a table at its first blanks. Returns false if there is nothing in it. */
static bool split_row(const char *line, char **name, char **value)
{
    g_autofree char *row = g_strndup(line, strcspn(line, "#"));
    gsize length;

    g_strstrip(row);
    length = strcspn(row, " \t");
    if (length == 0 || row[length] == '\0')
        return false;
    *name = g_strndup(row, length);
    *value = g_strdup(row + length + strspn(row + length, " \t"));
    return true;
}

/* name → Key. */
static GHashTable *read_keys(const char *text)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, key_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree char *name = NULL;
        g_autofree char *value = NULL;
        g_auto(GStrv) parts = NULL;
        Key *key;

        if (!split_row(lines[i], &name, &value))
            continue;
        parts = g_strsplit(value, ":", 3);
        if (g_strv_length(parts) != 3)
            continue;
        key = g_new0(Key, 1);
        key->domain = g_strdup(parts[0]);
        key->selector = g_strdup(parts[1]);
        key->key = g_strdup(parts[2]);
        g_hash_table_replace(keys, g_steal_pointer(&name), key);
    }
    return keys;
}

/* Does a pattern of the SigningTable match every address? */
static bool is_everybody(const char *pattern, bool is_pattern)
{
    return strcmp(pattern, "*") == 0 || (is_pattern && strcmp(pattern, "*@*") == 0);
}

/* The domain whose addresses a pattern matches; NULL if it is for single addresses or for several
 * domains. Borrowed. */
static const char *domain_of(const char *pattern)
{
    const char *at = strrchr(pattern, '@');
    const char *domain = at != NULL ? at + 1 : pattern;

    if ((at != NULL && strncmp(pattern, "*@", 2) != 0) || strpbrk(domain, "*%") != NULL ||
        *domain == '.')
        return NULL;
    return domain;
}

/* Notes a row of the SigningTable that is for one domain. */
static void note_domain(SignerTables *tables, const char *pattern, const Key *key)
{
    const char *domain = domain_of(pattern);

    if (domain == NULL ||
        (strcmp(key->domain, "%") != 0 && g_ascii_strcasecmp(key->domain, domain) != 0))
        return;
    tables->domains++;
    if (tables->domain == NULL)
        tables->domain = g_strdup(domain);
}

/* Notes a row that is for everybody: of these only the first one counts. */
static void note_everybody(SignerTables *tables, const Key *key, const char *const *selectors)
{
    if (strcmp(key->domain, "%") != 0)
        return;
    if (has_selector(selectors, key->selector)) {
        tables->reach = SIGNER_EVERYBODY;
        return;
    }
    tables->reach = SIGNER_OTHER_SELECTOR;
    tables->selector = g_strdup(key->selector);
}

static void note_key(SignerTables *tables, GHashTable *keys, const char *const *selectors)
{
    GHashTableIter iter;
    gpointer data;

    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const Key *key = data;

        if (*key->key == '/' && strpbrk(key->key, "%'") == NULL &&
            has_selector(selectors, key->selector) && g_strcmp0(key->key, tables->key) > 0) {
            g_free(tables->key);
            tables->key = g_strdup(key->key);
        }
    }
}

void signer_tables_read(SignerTables *tables, const char *key_table, const char *signing_table,
                        bool is_pattern, const char *const *selectors)
{
    g_autoptr(GHashTable) keys = read_keys(key_table);
    g_auto(GStrv) lines = g_strsplit(signing_table, "\n", -1);
    bool is_over = false;

    *tables = (SignerTables){.reach = SIGNER_NOBODY};
    note_key(tables, keys, selectors);
    for (guint i = 0; lines[i] != NULL && !is_over; i++) {
        g_autofree char *pattern = NULL;
        g_autofree char *value = NULL;
        const Key *key;

        if (!split_row(lines[i], &pattern, &value))
            continue;
        value[strcspn(value, ":, \t")] = '\0'; /* who is named as the signer may follow */
        key = g_hash_table_lookup(keys, value);
        is_over = is_everybody(pattern, is_pattern);
        tables->everybody = is_over ? i + 1 : 0;
        if (key != NULL && is_over)
            note_everybody(tables, key, selectors);
        else if (key != NULL && has_selector(selectors, key->selector))
            note_domain(tables, pattern, key);
    }
    if (tables->reach == SIGNER_NOBODY && tables->domains > 0)
        tables->reach = SIGNER_SOME;
}

void signer_tables_clear(SignerTables *tables)
{
    g_clear_pointer(&tables->domain, g_free);
    g_clear_pointer(&tables->selector, g_free);
    g_clear_pointer(&tables->key, g_free);
}

/* --- rspamd's configuration --- */

#define BLANKS " \t\r\n"

/* Behind blanks, commas and comments. */
static const char *skip_blanks(const char *at)
{
    for (;;) {
        at += strspn(at, BLANKS ",;");
        if (*at == '#')
            at += strcspn(at, "\n");
        else if (g_str_has_prefix(at, "/*"))
            at = strstr(at, "*/") != NULL ? strstr(at, "*/") + 2 : at + strlen(at);
        else
            return at;
    }
}

/* Behind the quoted string that begins at at; at its end if it has none. */
static const char *skip_quoted(const char *at)
{
    char quote = *at++;

    while (*at != '\0' && *at != quote)
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    return *at != '\0' ? at + 1 : at;
}

/* Behind the section or list that begins at at. */
static const char *skip_section(const char *at)
{
    guint depth = 0;

    do {
        at = skip_blanks(at);
        if (*at == '"' || *at == '\'') {
            at = skip_quoted(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        if (*at != '\0')
            at++;
    } while (depth > 0 && *at != '\0');
    return at;
}

/* Reads a word or a quoted string that ends before one of end. */
static char *read_word(const char **at, const char *end)
{
    const char *begin = *at;

    if (*begin == '"' || *begin == '\'') {
        *at = skip_quoted(begin);
        return *at > begin + 1 && (*at)[-1] == *begin
                   ? g_strndup(begin + 1, (gsize)(*at - begin) - 2)
                   : g_strdup(begin + 1);
    }
    *at += strcspn(begin, end);
    return g_strstrip(g_strndup(begin, (gsize)(*at - begin)));
}

char *signer_rspamd_value(const char *text, const char *key)
{
    char *value = NULL;

    for (const char *at = skip_blanks(text); *at != '\0'; at = skip_blanks(at)) {
        g_autofree char *name = NULL;
        const char *begin = at;

        if (*at == '.') { /* ".include …" */
            at += strcspn(at, "\n");
            continue;
        }
        name = read_word(&at, BLANKS "=:{[;}]\"");
        at += strspn(at, " \t");
        at += strspn(at, "=:");
        at += strspn(at, BLANKS);
        if (*at == '{' && strcmp(name, "dkim_signing") == 0)
            at++;
        else if (*at == '{' || *at == '[')
            at = skip_section(at);
        else if (*at != '}') {
            g_autofree char *given = read_word(&at, ";,\n{}#");

            if (*at == '{') /* "domain example.org {" */
                at = skip_section(at);
            else if (strcmp(name, key) == 0) {
                g_free(value);
                value = g_steal_pointer(&given);
            }
        } else
            at++;
        if (at == begin)
            at++;
    }
    return value;
}

/* --- findings --- */

/* The domain whose key owners publish. */
static const char *key_domain(const Doctor *doctor)
{
    return dkim_consent_key_domain(doctor->settings, NULL);
}

static const char *const *selectors_of(const Doctor *doctor)
{
    return (const char *const *)doctor->settings->dkim_consent;
}

static void add_fine(Doctor *doctor, const char *signer)
{
    findings_add(doctor, FINDING_FINE, CHECK,
                 "%s signs as the author's domain, which dkim_consent needs", signer);
}

/* The signer has a selector that nobody is asked to publish. */
static void add_other_selector(Doctor *doctor, const char *signer, const char *selector)
{
    g_autofree char *value = g_strdup_printf("{ \"%s\" }", selector);

    finding_mend_key(doctor,
                     findings_add(doctor, FINDING_ERROR, CHECK,
                                  "%s signs with the selector \"%s\", which is not in "
                                  "dkim_consent: mail that is kept for its owner's DKIM key is "
                                  "not signed with it",
                                  signer, selector),
                     "dkim_consent", value);
}

#define WORTHLESS                                                                                  \
    "mail whose author stays for the owner's DKIM key leaves without a signature of the author's " \
    "domain"

/* The path of a table in a file; NULL if it is none. Borrowed. */
static const char *table_path(const char *table)
{
    if (g_str_has_prefix(table, "refile:"))
        return table + strlen("refile:");
    if (g_str_has_prefix(table, "file:"))
        return table + strlen("file:");
    return *table == '/' ? table : NULL;
}

/* Mends finding by a row in each table that signs as the author's domain. In the SigningTable it takes
 * the place of the one that was for everybody. */
static void mend_tables(const Doctor *doctor, Finding *finding, const char *key_file,
                        const char *signing_file, bool is_pattern, const SignerTables *tables)
{
    const char *selector = selectors_of(doctor)[0];
    const char *row = is_pattern ? "*@* spfrom" : "* spfrom";
    g_autofree char *quoted_keys = g_shell_quote(key_file);
    g_autofree char *quoted_signing = g_shell_quote(signing_file);

    if (tables->key == NULL)
        finding_advise(finding,
                       "put \"spfrom %%:%s:FILE\" into %s, with the file of the private key of "
                       "%s._domainkey.%s, and \"%s\" into %s, in place of the row that is for "
                       "everybody now or at the end; then restart OpenDKIM",
                       selector, key_file, selector, key_domain(doctor), row, signing_file);
    else if (tables->everybody > 0)
        finding_command(finding,
                        "echo 'spfrom %%:%s:%s' >> %s && sed -i '%uc\\%s' %s && systemctl restart "
                        "opendkim",
                        selector, tables->key, quoted_keys, tables->everybody, row, quoted_signing);
    else
        finding_command(finding,
                        "echo 'spfrom %%:%s:%s' >> %s && echo '%s' >> %s && systemctl restart "
                        "opendkim",
                        selector, tables->key, quoted_keys, row, quoted_signing);
}

static void examine_tables(Doctor *doctor, const char *key_table, const char *signing_table)
{
    bool is_pattern = g_str_has_prefix(signing_table, "refile:");
    const char *key_file = table_path(key_table);
    const char *signing_file = table_path(signing_table);
    g_autofree char *key_text = NULL;
    g_autofree char *signing_text = NULL;
    g_auto(SignerTables) tables = {0};

    if (key_file == NULL || signing_file == NULL ||
        !g_file_get_contents(key_file, &key_text, NULL, NULL) ||
        !g_file_get_contents(signing_file, &signing_text, NULL, NULL)) {
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, CHECK,
                                    "OpenDKIM's KeyTable and SigningTable can't be read here (%s, "
                                    "%s)",
                                    key_table, signing_table),
                       "see that they sign as the author's domain (\"%%\") with a selector of "
                       "dkim_consent");
        return;
    }
    signer_tables_read(&tables, key_text, signing_text, is_pattern, selectors_of(doctor));
    switch (tables.reach) {
    case SIGNER_EVERYBODY:
        add_fine(doctor, "OpenDKIM");
        break;
    case SIGNER_OTHER_SELECTOR:
        add_other_selector(doctor, "OpenDKIM", tables.selector);
        break;
    case SIGNER_SOME:
        mend_tables(doctor,
                    findings_add(doctor, FINDING_WARNING, CHECK,
                                 "OpenDKIM signs as the author's domain for %s alone (%u %s in the "
                                 "SigningTable); of others, " WORTHLESS,
                                 tables.domain, tables.domains,
                                 tables.domains == 1 ? "domain" : "domains"),
                    key_file, signing_file, is_pattern, &tables);
        break;
    case SIGNER_NOBODY:
        mend_tables(doctor,
                    findings_add(
                        doctor, FINDING_ERROR, CHECK,
                        "OpenDKIM's SigningTable does not sign as the author's domain: " WORTHLESS),
                    key_file, signing_file, is_pattern, &tables);
        break;
    }
}

/* Domain, Selector and KeyFile sign for the domains of the list, and with one key. */
static void add_single(Doctor *doctor, const char *file, const char *text)
{
    g_autofree char *key = fallback_opendkim_value(text, "KeyFile");
    g_autofree char *directory = g_path_get_dirname(file);

    finding_advise(findings_add(doctor, FINDING_ERROR, CHECK,
                                "OpenDKIM signs for the domains in Domain alone: " WORTHLESS),
                   "in %s replace Domain, Selector and KeyFile by KeyTable %s/spfrom-keys with the "
                   "row \"spfrom %%:%s:%s\", and SigningTable refile:%s/spfrom-signing with the "
                   "row \"*@* spfrom\"; then restart OpenDKIM",
                   file, directory, selectors_of(doctor)[0],
                   key != NULL ? key : "/PATH/OF/THE/PRIVATE/KEY", directory);
}

static void examine_opendkim(Doctor *doctor)
{
    const char *file =
        doctor->options.opendkim_file != NULL ? doctor->options.opendkim_file : OPENDKIM_FILE;
    g_autofree char *text = NULL;
    g_autofree char *mode = NULL;
    g_autofree char *key_table = NULL;
    g_autofree char *signing_table = NULL;

    if (!g_file_get_contents(file, &text, NULL, NULL)) {
        finding_command(findings_add(doctor, FINDING_UNKNOWN, CHECK,
                                     "whether OpenDKIM signs as the author's domain is not to be "
                                     "seen here: %s can't be read",
                                     file),
                        "spfrom doctor --opendkim-conf FILE");
        return;
    }
    mode = fallback_opendkim_value(text, "Mode");
    key_table = fallback_opendkim_value(text, "KeyTable");
    signing_table = fallback_opendkim_value(text, "SigningTable");
    if (mode != NULL && strchr(mode, 's') == NULL)
        finding_advise(findings_add(doctor, FINDING_ERROR, CHECK,
                                    "OpenDKIM does not sign (Mode %s): " WORTHLESS, mode),
                       "in %s write Mode sv; then restart OpenDKIM", file);
    else if (key_table != NULL && signing_table != NULL)
        examine_tables(doctor, key_table, signing_table);
    else
        add_single(doctor, file, text);
}

/* rspamd's files, the one that counts most first; NULL if there is none. */
typedef struct {
    char *texts[3];
} RspamdFiles;

static bool read_rspamd(RspamdFiles *files, const char *directory)
{
    static const char *const folders[] = {"override.d", "local.d", "modules.d"};
    bool is_any = false;

    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *file = g_build_filename(directory, folders[i], "dkim_signing.conf", NULL);

        is_any |= g_file_get_contents(file, &files->texts[i], NULL, NULL);
    }
    return is_any;
}

static void rspamd_files_clear(RspamdFiles *files)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files->texts); i++)
        g_clear_pointer(&files->texts[i], g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RspamdFiles, rspamd_files_clear)

/* The value in force, owned by the caller. */
static char *rspamd_value(const RspamdFiles *files, const char *key, const char *otherwise)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files->texts); i++) {
        char *value = files->texts[i] != NULL ? signer_rspamd_value(files->texts[i], key) : NULL;

        if (value != NULL)
            return value;
    }
    return g_strdup(otherwise);
}

static bool rspamd_flag(const RspamdFiles *files, const char *key, bool otherwise)
{
    g_autofree char *value = rspamd_value(files, key, otherwise ? "true" : "false");

    return g_ascii_strcasecmp(value, "true") == 0 || g_ascii_strcasecmp(value, "yes") == 0 ||
           g_ascii_strcasecmp(value, "on") == 0;
}

/* Lines that rspamd's configuration lacks, each in the quotes of a shell. */
static void want(GString *lines, bool is_right, const char *line)
{
    if (!is_right)
        g_string_append_printf(lines, " '%s'", line);
}

/* Writes lines where they count more than what is there, unless such a file is there already: a
 * name that stands twice in one is a list. */
static void mend_rspamd(Finding *finding, const char *directory, const RspamdFiles *files,
                        const GString *lines)
{
    g_autofree char *folder = g_build_filename(directory, "override.d", NULL);
    g_autofree char *file = g_build_filename(folder, "dkim_signing.conf", NULL);
    g_autofree char *quoted_folder = g_shell_quote(folder);
    g_autofree char *quoted_file = g_shell_quote(file);

    if (files->texts[0] == NULL)
        finding_command(finding,
                        "mkdir -p %s && printf '%%s\\n'%s > %s && systemctl restart rspamd",
                        quoted_folder, lines->str, quoted_file);
    else
        finding_advise(finding, "in %s write%s; then restart rspamd", file, lines->str);
}

static void examine_rspamd_values(Doctor *doctor, const char *directory, const RspamdFiles *files)
{
    g_autofree char *path = rspamd_value(files, "path", "");
    g_autofree char *selector = rspamd_value(files, "selector", "dkim");
    g_autofree char *use_domain = rspamd_value(files, "use_domain", "header");
    g_autofree char *key_line = g_strdup_printf("path = \"/var/lib/rspamd/dkim/%s.%s.key\";",
                                                key_domain(doctor), selectors_of(doctor)[0]);
    g_autofree char *selector_line = g_strdup_printf("selector = \"%s\";", selectors_of(doctor)[0]);
    g_autoptr(GString) wrong = g_string_new(NULL);
    g_autoptr(GString) narrow = g_string_new(NULL);
    bool has_path = *path != '\0' && strstr(path, "$domain") == NULL;
    bool has_known_selector = has_selector(selectors_of(doctor), selector);

    want(wrong, rspamd_flag(files, "enabled", true), "enabled = true;");
    want(wrong, strcmp(use_domain, "header") == 0, "use_domain = \"header\";");
    want(wrong, rspamd_flag(files, "try_fallback", true), "try_fallback = true;");
    want(wrong, has_path, key_line);
    want(wrong, has_path || has_known_selector, selector_line);
    want(narrow, !rspamd_flag(files, "use_esld", true), "use_esld = false;");
    want(narrow, rspamd_flag(files, "allow_hdrfrom_mismatch", false),
         "allow_hdrfrom_mismatch = true;");
    want(narrow, rspamd_flag(files, "allow_username_mismatch", false),
         "allow_username_mismatch = true;");
    if (wrong->len > 0) {
        Finding *finding = findings_add(doctor, FINDING_ERROR, CHECK,
                                        "rspamd does not sign everybody's mail as the author's "
                                        "domain: " WORTHLESS);

        g_string_append(wrong, narrow->str);
        mend_rspamd(finding, directory, files, wrong);
        if (!has_path)
            finding_advise(finding, "path is the private key of %s._domainkey.%s",
                           selectors_of(doctor)[0], key_domain(doctor));
        return;
    }
    if (!has_known_selector)
        add_other_selector(doctor, "rspamd", selector);
    if (narrow->len > 0)
        mend_rspamd(findings_add(doctor, FINDING_WARNING, CHECK,
                                 "rspamd signs as the author's domain, but not mail of subdomains, "
                                 "or of somebody whose account or envelope has another domain"),
                    directory, files, narrow);
    else if (has_known_selector)
        add_fine(doctor, "rspamd");
}

static void examine_rspamd(Doctor *doctor)
{
    const char *directory = doctor->options.rspamd_directory != NULL
                                ? doctor->options.rspamd_directory
                                : RSPAMD_DIRECTORY;
    g_auto(RspamdFiles) files = {0};
    g_autofree char *tables = NULL;

    if (!read_rspamd(&files, directory)) {
        finding_command(findings_add(doctor, FINDING_UNKNOWN, CHECK,
                                     "whether rspamd signs as the author's domain is not to be "
                                     "seen here: there is no dkim_signing.conf in %s",
                                     directory),
                        "spfrom doctor --rspamd-config DIR");
        return;
    }
    tables = rspamd_value(&files, "signing_table", NULL);
    if (tables == NULL)
        tables = rspamd_value(&files, "selector_map", NULL);
    if (tables != NULL)
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, CHECK,
                                    "rspamd looks up in %s what it signs with", tables),
                       "see that everybody is signed for as the author's domain, with a selector "
                       "of dkim_consent");
    else
        examine_rspamd_values(doctor, directory, &files);
}

/* Without our own key nobody can agree to it. */
static void examine_own_key(Doctor *doctor, const char *selector)
{
    g_autofree char *name = g_strdup_printf("%s._domainkey.%s", selector, key_domain(doctor));
    g_autoptr(DnsAnswer) answer = doctor_dns_lookup(doctor, name, DNS_TXT);
    g_autoptr(DkimKey) key = NULL;

    if (answer->status == DNS_TROUBLE) {
        findings_add(doctor, FINDING_UNKNOWN, "dkim-consent-key", "%s: %s", name, answer->trouble);
        return;
    }
    if (answer->records->len == 1)
        key = dkim_key_parse(dns_answer_at(answer, 0)->data, dns_answer_at(answer, 0)->length);
    if (key == NULL)
        finding_advise(findings_add(doctor, FINDING_ERROR, "dkim-consent-key",
                                    "there is no usable DKIM key at %s: no domain can agree to it, "
                                    "and dkim_consent has no effect",
                                    name),
                       "publish the key that the signer uses as a TXT record at %s.", name);
    else
        findings_add(doctor, FINDING_FINE, "dkim-consent-key",
                     "%s is a key that domains can agree to", name);
}

void doctor_signer(Doctor *doctor)
{
    bool is_examined = false;

    if (doctor->settings->dkim_consent[0] == NULL)
        return;
    for (char **selector = doctor->settings->dkim_consent; *selector != NULL; selector++)
        if (doctor->dns != NULL)
            examine_own_key(doctor, *selector);
    for (guint i = 0; i < doctor->signers->len; i++) {
        const char *signer = g_ptr_array_index(doctor->signers, i);

        if (strcmp(signer, "OpenDKIM") == 0)
            examine_opendkim(doctor);
        else if (strcmp(signer, "rspamd") == 0)
            examine_rspamd(doctor);
        else
            finding_advise(findings_add(doctor, FINDING_UNKNOWN, CHECK,
                                        "whether %s signs as the author's domain is not known",
                                        signer),
                           "see that it does, with a selector of dkim_consent");
        is_examined = true;
    }
    if (!is_examined)
        finding_advise(findings_add(doctor, FINDING_WARNING, CHECK,
                                    "dkim_consent is set, and no milter behind spfrom is known to "
                                    "sign (DKIM)"),
                       "unless something else signs as the author's domain with a selector of "
                       "dkim_consent, put a signing milter behind spfrom");
}
