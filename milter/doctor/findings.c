#include "config.h"

#include "doctor/findings.h"

#include <stdarg.h>
#include <string.h>

#include "advice/words/advice_json.h"
#include "policy/settings_examine.h"
#include "policy/settings_keys.h"

struct Finding {
    FindingLevel level;
    char *area;
    char *check;
    char *text;
    /* NULL if no command mends it. */
    char *command;
    /* NULL if there is none. */
    char *advice;
};

static const struct {
    const char *text;
    PageStyle style;
} levels[] = {
    [FINDING_FINE] = {"fine", PAGE_GOOD},
    [FINDING_UNKNOWN] = {"unknown", PAGE_FAINT},
    [FINDING_WARNING] = {"warning", PAGE_DOUBTFUL},
    [FINDING_ERROR] = {"error", PAGE_BAD},
};

#define LEVEL_WIDTH 8 /* columns */

static void finding_free(Finding *finding)
{
    g_free(finding->area);
    g_free(finding->check);
    g_free(finding->text);
    g_free(finding->command);
    g_free(finding->advice);
    g_free(finding);
}

void findings_init(Doctor *doctor)
{
    *doctor = (Doctor){.area = ""};
    doctor->findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    doctor->problems = settings_problems_new();
    doctor->signers = g_ptr_array_new();
}

void findings_note_signer(Doctor *doctor, const char *name)
{
    if (!g_ptr_array_find_with_equal_func(doctor->signers, name, g_str_equal, NULL))
        g_ptr_array_add(doctor->signers, (char *)name);
}

Deadline findings_check_deadline(const Doctor *doctor)
{
    return deadline_shortened(doctor->deadline, doctor->settings->check_timeout);
}

void findings_clear(Doctor *doctor)
{
    g_ptr_array_unref(doctor->findings);
    g_ptr_array_unref(doctor->problems);
    g_ptr_array_unref(doctor->signers);
    g_free(doctor->text);
    g_clear_pointer(&doctor->lists, lists_free);
    g_clear_pointer(&doctor->relays, relays_free);
    g_clear_pointer(&doctor->dns, dns_free);
    g_clear_pointer(&doctor->settings, settings_unref);
}

bool findings_late(Doctor *doctor, guint seconds, const char *what)
{
    if (!deadline_is_over(doctor->deadline))
        return false;
    doctor->area = "Time";
    finding_advise(findings_add(doctor, FINDING_UNKNOWN, "time",
                                "%u seconds are over: what %s did not answer by then is not known",
                                seconds, what),
                   "see what is slow above, mend it, and run spfrom doctor again");
    return true;
}

static const Finding *finding_at(const Doctor *doctor, guint position)
{
    return g_ptr_array_index(doctor->findings, position);
}

guint findings_count(const Doctor *doctor, FindingLevel level)
{
    guint count = 0;

    for (guint i = 0; i < doctor->findings->len; i++)
        count += finding_at(doctor, i)->level == level;
    return count;
}

static guint area_width(const Doctor *doctor)
{
    glong width = 0;

    for (guint i = 0; i < doctor->findings->len; i++)
        width = MAX(width, g_utf8_strlen(finding_at(doctor, i)->area, -1));
    return (guint)width + 2;
}

static void add_mend(Page *page, const char *label, const char *mend)
{
    if (mend == NULL)
        return;
    page_add_padded(page, PAGE_PLAIN, "", LEVEL_WIDTH + 1);
    page_raw(page, PAGE_PLAIN, label);
    page_add(page, PAGE_STRONG, mend);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_count(GString *sum, guint count, const char *one, const char *many)
{
    if (count == 0)
        return;
    g_string_append_printf(sum, "%s%u %s", sum->len > 0 ? ", " : "", count,
                           count == 1 ? one : many);
}

static void add_sum(const Doctor *doctor, Page *page)
{
    g_autoptr(GString) sum = g_string_new(NULL);
    bool is_healthy = findings_count(doctor, FINDING_ERROR) == 0;

    add_count(sum, findings_count(doctor, FINDING_ERROR), "error", "errors");
    add_count(sum, findings_count(doctor, FINDING_WARNING), "warning", "warnings");
    add_count(sum, findings_count(doctor, FINDING_UNKNOWN), "unknown", "unknown");
    page_raw(page, is_healthy ? PAGE_GOOD : PAGE_BAD, is_healthy ? "healthy" : "not healthy");
    page_printf(page, PAGE_PLAIN, "%s%s", sum->len > 0 ? ": " : "", sum->str);
    page_raw(page, PAGE_PLAIN, "\n");
}

#define COMMAND_SHORT 64 /* columns; a command that is not longer may stand there again */

/* Does an earlier finding have the long command of the one at this position? */
static bool is_repeated(const Doctor *doctor, guint position)
{
    const char *command = finding_at(doctor, position)->command;

    if (command == NULL || g_utf8_strlen(command, -1) <= COMMAND_SHORT)
        return false;
    for (guint i = 0; i < position; i++)
        if (g_strcmp0(finding_at(doctor, i)->command, command) == 0)
            return true;
    return false;
}

static void add_finding(const Doctor *doctor, Page *page, guint position)
{
    const Finding *finding = finding_at(doctor, position);

    page_add_padded(page, levels[finding->level].style, levels[finding->level].text,
                    LEVEL_WIDTH + 1);
    page_add_padded(page, PAGE_PLAIN, finding->area, area_width(doctor));
    page_add(page, PAGE_PLAIN, finding->text);
    page_raw(page, PAGE_PLAIN, "\n");
    if (is_repeated(doctor, position))
        add_mend(page, "do: ", "the command above mends this, too");
    else
        add_mend(page, "mend: ", finding->command);
    add_mend(page, "do: ", finding->advice);
}

/* Prints the findings that are not printed yet, and the sum if this is the end. */
static void print(Doctor *doctor, bool is_end)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(doctor->out));
    for (; doctor->told < doctor->findings->len; doctor->told++)
        add_finding(doctor, &page, doctor->told);
    if (is_end) {
        page_raw(&page, PAGE_PLAIN, "\n");
        add_sum(doctor, &page);
    }
    page_print(&page, doctor->out);
    fflush(doctor->out);
}

static void tell(Doctor *doctor, bool is_end)
{
    if (doctor->out != NULL)
        print(doctor, is_end);
}

void findings_begin(Doctor *doctor, const char *area)
{
    tell(doctor, false);
    doctor->area = area;
}

void findings_end(Doctor *doctor)
{
    tell(doctor, true);
}

bool findings_is_known(const Doctor *doctor, const char *key)
{
    return !settings_problems_have(doctor->problems, key);
}

Finding *findings_add(Doctor *doctor, FindingLevel level, const char *check, const char *format,
                      ...)
{
    Finding *finding = g_new0(Finding, 1);
    va_list arguments;

    tell(doctor, false);
    va_start(arguments, format);
    finding->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    finding->level = level;
    finding->area = g_strdup(doctor->area);
    finding->check = g_strdup(check);
    g_ptr_array_add(doctor->findings, finding);
    return finding;
}

void finding_command(Finding *finding, const char *format, ...)
{
    va_list arguments;

    g_free(finding->command);
    va_start(arguments, format);
    finding->command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

void finding_advise(Finding *finding, const char *format, ...)
{
    va_list arguments;

    g_free(finding->advice);
    va_start(arguments, format);
    finding->advice = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

/* What follows "key =" or "key +=" in line; NULL if the line is about something else. */
static const char *value_in(const char *line, const char *key)
{
    line += strspn(line, " \t");
    if (!g_str_has_prefix(line, key))
        return NULL;
    line += strlen(key);
    line += strspn(line, " \t");
    if (*line == '+')
        line++;
    return *line == '=' ? line + 1 : NULL;
}

static bool is_whole(const char *value)
{
    return strchr(value, '{') == NULL || strchr(value, '}') != NULL;
}

/* In a section the keys have the same names, but are others. */
static bool begins_section(const char *line)
{
    line += strspn(line, " \t");
    return g_str_has_prefix(line, "domain ") || g_str_has_prefix(line, "domain\t");
}

/* Sets *active to the number of the line that sets key, and *shown to that of the line that shows
 * its default; 0 if there is no such line. Returns false if the value goes over several lines. */
static bool find_lines(char **lines, const char *key, guint *active, guint *shown)
{
    bool is_in_section = false;

    *active = *shown = 0;
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *value = is_in_section ? NULL : value_in(lines[i], key);

        is_in_section = is_in_section || begins_section(lines[i]);
        if (is_in_section && strchr(lines[i], '}') != NULL)
            is_in_section = false;
        if (value != NULL && !is_whole(value))
            return false;
        if (value != NULL)
            *active = i + 1;
        else if (*shown == 0 && lines[i][0] == '#' && value_in(lines[i] + 1, key) != NULL)
            *shown = i + 1;
    }
    return true;
}

char *findings_key_command(const char *file, const char *text, const char *key, const char *value)
{
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
    g_autofree char *setting = g_strdup_printf("%s = %s", key, value);
    g_autofree char *quoted_file = g_shell_quote(file);
    g_autofree char *script = NULL;
    g_autofree char *quoted = NULL;
    guint active;
    guint shown;

    if (!find_lines(lines, key, &active, &shown))
        return NULL;
    if (active == 0 && shown == 0) {
        quoted = g_shell_quote(setting);
        return g_strdup_printf("echo %s >>%s", quoted, quoted_file);
    }
    script = g_strdup_printf("%uc\\%s", active != 0 ? active : shown, setting);
    quoted = g_shell_quote(script);
    return g_strdup_printf("sed -i %s %s", quoted, quoted_file);
}

/* Does a reload leave the key as it was (design section 11)? */
static bool needs_restart(const char *key)
{
    const SettingsKey *row = settings_key_find(key);

    return row != NULL && (row->flags & SETTINGS_KEY_RESTART) != 0;
}

void finding_mend_key(const Doctor *doctor, Finding *finding, const char *key, const char *value)
{
    const char *then = needs_restart(key) ? "systemctl restart spfrom" : "spfrom reload";
    g_autofree char *command = findings_key_command(doctor->file, doctor->text, key, value);

    if (command != NULL)
        finding_command(finding, "%s && %s", command, then);
    else
        finding_advise(finding, "in %s write %s = %s, then: %s", doctor->file, key, value, then);
}

static json_t *finding_json(const Finding *finding)
{
    json_t *object = json_object();

    json_object_set_new(object, "level", json_string(levels[finding->level].text));
    json_object_set_new(object, "area", advice_json_text(finding->area));
    json_object_set_new(object, "check", advice_json_text(finding->check));
    json_object_set_new(object, "text", advice_json_text(finding->text));
    json_object_set_new(object, "command", advice_json_text(finding->command));
    json_object_set_new(object, "advice", advice_json_text(finding->advice));
    return object;
}

json_t *findings_json(const Doctor *doctor)
{
    json_t *object = json_object();
    json_t *all = json_array();

    for (guint i = 0; i < doctor->findings->len; i++)
        json_array_append_new(all, finding_json(finding_at(doctor, i)));
    json_object_set_new(object, "healthy",
                        json_boolean(findings_count(doctor, FINDING_ERROR) == 0));
    json_object_set_new(object, "errors", json_integer(findings_count(doctor, FINDING_ERROR)));
    json_object_set_new(object, "warnings", json_integer(findings_count(doctor, FINDING_WARNING)));
    json_object_set_new(object, "unknown", json_integer(findings_count(doctor, FINDING_UNKNOWN)));
    json_object_set_new(object, "findings", all);
    return object;
}
