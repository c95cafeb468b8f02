/* The command that sets one key of our configuration; how findings are printed. */
#include "config.h"

#include "doctor/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "unit/table.h"

static const struct mend_row {
    const char *name;
    const char *text;
    const char *command; /* NULL: none */
} mend_rows[] = {
    {"replaces the setting", "a = 1\nkey = { x }\n", "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"with blanks", "a = 1\n  key={ x }\n", "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"adds to the default", "key += { x }\n", "sed -i '1c\\key = { y }' '/etc/s.conf'"},
    {"takes the place of the default", "# key is\n# key = { x }\n# key = { z }\n",
     "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"the setting, not the default", "# key = { x }\nkey = { z }\n",
     "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"not in a section", "domain \"a\" {\nkey = x\n}\n", "echo 'key = { y }' >>'/etc/s.conf'"},
    {"after a section in one line", "domain \"a\" { key = x }\nkey = z\n",
     "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"another key", "key_2 = x\nmy key = x\n", "echo 'key = { y }' >>'/etc/s.conf'"},
    {"nothing there", "", "echo 'key = { y }' >>'/etc/s.conf'"},
    {"several lines", "key = {\n x\n}\n", NULL},
};

static void test_mend(void **state)
{
    const struct mend_row *row = *state;
    g_autofree char *command = findings_key_command("/etc/s.conf", row->text, "key", "{ y }");

    if (row->command == NULL)
        assert_null(command);
    else
        assert_string_equal(command, row->command);
}

/* What is printed of doctor's findings, owned by the caller of free(). */
static char *printed(Doctor *doctor)
{
    char *text = NULL;
    size_t length;

    doctor->out = open_memstream(&text, &length);
    findings_end(doctor);
    fclose(doctor->out);
    doctor->out = NULL;
    return text;
}

static guint count(const char *text, const char *word)
{
    g_auto(GStrv) parts = g_strsplit(text, word, -1);

    return g_strv_length(parts) - 1;
}

#define LONG_COMMAND                                                                               \
    "install -d -o spfrom -g postfix -m 2750 /var/spool/postfix/spfrom && postfix reload"

/* The mend of several findings is printed once if it is long; JSON has it with each. */
static void test_repeated(void **state)
{
    g_auto(Doctor) doctor;
    g_autofree char *json = NULL;
    json_t *object;
    char *text;

    (void)state;
    findings_init(&doctor);
    for (int i = 0; i < 3; i++) {
        finding_command(findings_add(&doctor, FINDING_ERROR, "chroot", "smtpd"), LONG_COMMAND);
        finding_command(findings_add(&doctor, FINDING_ERROR, "loaded", "old"), "spfrom reload");
    }
    text = printed(&doctor);
    assert_int_equal(count(text, LONG_COMMAND), 1);
    assert_int_equal(count(text, "do: the command above mends this, too"), 2);
    assert_int_equal(count(text, "mend: spfrom reload"), 3);
    free(text);
    object = findings_json(&doctor);
    json = json_dumps(object, 0);
    assert_int_equal(count(json, LONG_COMMAND), 3);
    json_decref(object);
}

static void test_late(void **state)
{
    g_auto(Doctor) doctor;
    char *text;

    (void)state;
    findings_init(&doctor);
    doctor.deadline = deadline_in(1000);
    assert_false(findings_late(&doctor, 120, "the MTA"));
    doctor.deadline = deadline_in(0);
    assert_true(findings_late(&doctor, 120, "the MTA"));
    assert_int_equal(findings_count(&doctor, FINDING_UNKNOWN), 1);
    text = printed(&doctor);
    assert_non_null(strstr(text, "Time  120 seconds are over: what the MTA did not answer"));
    free(text);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, mend_rows, test_mend);
    table_add(tests, "a long command once", test_repeated, NULL);
    table_add(tests, "the time is over", test_late, NULL);
    return table_run(tests, "findings");
}
