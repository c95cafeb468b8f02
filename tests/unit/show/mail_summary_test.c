#include "config.h"

#include "show/mail_summary.h"

#include <string.h>

#include "base/clock.h"

#include "unit/table.h"

static GPtrArray *domains_of(const char *name, guint count)
{
    GPtrArray *domains = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_domain_free);

    for (guint i = 0; i < count; i++) {
        LedgerDomain *domain = g_new0(LedgerDomain, 1);

        domain->name = g_strdup(name);
        domain->result = SPF_PASS;
        domain->counts.by[MESSAGE_ACTION_KEEP] = 3;
        domain->counts.by[MESSAGE_ACTION_WOULD_REWRITE] = 1;
        domain->is_authorised = true;
        domain->authorised_since = ledger_day_begin(20000);
        g_ptr_array_add(domains, domain);
    }
    return domains;
}

static char *link_of(const char *domain)
{
    return g_strconcat("/to/", domain, NULL);
}

static const struct name_row {
    const char *name; /* as it is shown without links */
    const char *domain;
    const char *linked;
} name_rows[] = {
    {"<span class=\"domain\">a.example</span>", "a.example",
     "<a class=\"domain\" href=\"/to/a.example\">a.example</a>"},
    {"<span class=\"domain\">praxis-müller.de</span>", "xn--praxis-mller-klb.de",
     "<a class=\"domain\" href=\"/to/xn--praxis-mller-klb.de\">praxis-müller.de</a>"},
    {"<em>without a readable author</em>", LEDGER_NO_DOMAIN, "<em>without a readable author</em>"},
    {"<em>all others</em>", LEDGER_OTHER_DOMAINS, "<em>all others</em>"},
};

/* A page that stands alone has names, and no links that would lead nowhere. */
static void test_name(void **state)
{
    const struct name_row *row = *state;
    const View views[] = {{0}, {.domain_link = link_of}};
    const char *const wanted[] = {row->name, row->linked};

    for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
        g_autofree char *page = NULL;
        g_auto(Html) html;

        html_init(&html);
        mail_summary_add_domain_name(&html, &views[i], row->domain);
        page = html_finish(&html);
        assert_non_null(strstr(page, wanted[i]));
    }
}

static const struct table_row {
    const char *name;
    MailSummaryDetail detail;
    const char *columns[8];
} table_rows[] = {
    {"short", MAIL_SUMMARY_SHORT, {"SPF", "Rewritten", "Messages", "Share", "Last seen"}},
    {"full",
     MAIL_SUMMARY_FULL,
     {"SPF", "Rewritten", "Kept", "Messages", "First seen", "Last seen", "Authorised since"}},
};

/* Each cell of a row is below the column that it names. */
static void test_table(void **state)
{
    const struct table_row *row = *state;
    const View view = {0};
    g_autoptr(GPtrArray) domains = domains_of("a.example", 1);
    g_autoptr(GString) wanted = g_string_new(NULL);
    g_autofree char *page = NULL;
    g_auto(GStrv) cells = NULL;
    g_auto(GStrv) heads = NULL;
    guint count = 0;
    g_auto(Html) html;

    html_init(&html);
    mail_summary_add_domains(&html, &view, domains, "list", row->detail);
    page = html_finish(&html);
    cells = g_strsplit(page, "data-column=\"", -1);
    heads = g_strsplit(page, "role=\"columnheader\"", -1);
    while (count < G_N_ELEMENTS(row->columns) && row->columns[count] != NULL) {
        g_autofree char *cell = g_strconcat(row->columns[count], "\"", NULL);
        g_autofree char *head = g_strconcat(">", row->columns[count], "</th>", NULL);

        assert_non_null(cells[count + 1]);
        assert_true(g_str_has_prefix(cells[count + 1], cell));
        assert_non_null(strstr(heads[count + 2], head));
        count++;
    }
    assert_int_equal(g_strv_length(cells), count + 1);
    assert_int_equal(g_strv_length(heads), count + 2);
}

static const struct authorised_row {
    const char *name; /* is in the section */
    guint count;
} authorised_rows[] = {
    {"No owner has mended a record in this time.", 0},
    {"4 Oct 2024", 1},
    {"4 Oct 2024</span></li></ul></section>", 2},
    {"</ul><p class=\"detail\">and 3 more</p>", 5},
};

static void test_authorised(void **state)
{
    const struct authorised_row *row = *state;
    const View view = {0};
    g_autoptr(GPtrArray) domains = domains_of("a.example", row->count);
    g_autofree char *page = NULL;
    g_auto(GStrv) items = NULL;
    g_auto(Html) html;

    html_init(&html);
    mail_summary_add_authorised(&html, &view, domains, 2);
    page = html_finish(&html);
    items = g_strsplit(page, "<li>", -1);
    if (strstr(page, row->name) == NULL)
        fail_msg("no %s in %s", row->name, page);
    assert_int_equal(g_strv_length(items), MIN(row->count, 2) + 1);
}

static void test_tiles(void **state G_GNUC_UNUSED)
{
    const LedgerDay day = {.counts.by = {[MESSAGE_ACTION_KEEP] = 4,
                                         [MESSAGE_ACTION_REWRITE] = 2,
                                         [MESSAGE_ACTION_WOULD_REWRITE] = 1,
                                         [MESSAGE_ACTION_TEMPFAIL] = 1,
                                         [MESSAGE_ACTION_INBOUND] = 100}};
    static const char *const full[] = {"Kept</h2><p class=\"figure\">50.0",
                                       "Put off or failed</h2><p class=\"figure\">12.5"};
    const View view = {0};
    LedgerReport report = {.domains = 3, .newly_authorised = domains_of("a.example", 2)};

    report.days = g_array_new(FALSE, FALSE, sizeof(LedgerDay));
    g_array_append_val(report.days, day);
    for (MailSummaryDetail detail = MAIL_SUMMARY_SHORT; detail <= MAIL_SUMMARY_FULL; detail++) {
        g_autofree char *page = NULL;
        g_auto(Html) html;

        html_init(&html);
        mail_summary_add_tiles(&html, &view, &report, detail);
        page = html_finish(&html);
        assert_non_null(strstr(page, "Outgoing messages</h2><p class=\"figure\">8</p>"));
        assert_non_null(strstr(page, "3 messages, 1 of them in the log only"));
        for (size_t i = 0; i < G_N_ELEMENTS(full); i++)
            assert_int_equal(strstr(page, full[i]) != NULL, detail == MAIL_SUMMARY_FULL);
    }
    g_array_unref(report.days);
    g_ptr_array_unref(report.newly_authorised);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, name_rows, test_name);
    TABLE_ADD(tests, table_rows, test_table);
    TABLE_ADD(tests, authorised_rows, test_authorised);
    table_add(tests, "tiles", test_tiles, NULL);
    return table_run(tests, "mail_summary");
}
