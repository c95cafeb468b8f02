/* The command that sets one key of our configuration. */
#include "config.h"

#include "doctor/findings.h"

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

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, mend_rows, test_mend);
    return table_run(tests, "findings");
}
