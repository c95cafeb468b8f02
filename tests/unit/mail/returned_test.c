#include "config.h"

#include "mail/returned.h"

#include <string.h>

#include "unit/table.h"

/* The fields of header, a line each. */
static HeaderFields *fields_of(const char *header)
{
    HeaderFields *fields = header_fields_new();
    g_auto(GStrv) lines = g_strsplit(header, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *colon = strchr(lines[i], ':');

        if (colon == NULL)
            continue;
        *colon = '\0';
        header_fields_append(fields, lines[i], g_strchug(colon + 1), -1);
    }
    return fields;
}

static const struct kind_row {
    const char *name;
    const char *header;
    ReturnKind with_null, with_sender;
} kind_rows[] = {
    {"nothing", "Subject: x", RETURN_BOUNCE, RETURN_REPLY},
    {"no header", "", RETURN_BOUNCE, RETURN_REPLY},
    {"auto-replied", "Auto-Submitted: auto-replied", RETURN_AUTO_REPLY, RETURN_AUTO_REPLY},
    {"any case", "AUTO-SUBMITTED: Auto-Replied; owner-email=\"a@b.de\"", RETURN_AUTO_REPLY,
     RETURN_AUTO_REPLY},
    {"a comment before it", "Auto-Submitted: (out (of) \\) office) auto-replied(x)",
     RETURN_AUTO_REPLY, RETURN_AUTO_REPLY},
    {"a report", "Auto-Submitted: auto-replied\nContent-Type: multipart/report; boundary=x",
     RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"a report in any case", "Content-Type: Multipart/Report\nAuto-Submitted: auto-replied",
     RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"no report", "Auto-Submitted: auto-replied\nContent-Type: multipart/reporting",
     RETURN_AUTO_REPLY, RETURN_AUTO_REPLY},
    {"auto-generated", "Auto-Submitted: auto-generated", RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"no", "Auto-Submitted: No", RETURN_BOUNCE, RETURN_REPLY},
    {"no, with a parameter", "Auto-Submitted: no; x=y", RETURN_BOUNCE, RETURN_REPLY},
    {"notified", "Auto-Submitted: notified", RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"several fields", "Auto-Submitted: no\nAuto-Submitted: auto-replied", RETURN_AUTO_REPLY,
     RETURN_AUTO_REPLY},
    {"an empty one", "Auto-Submitted:", RETURN_BOUNCE, RETURN_REPLY},
    {"Precedence: bulk", "Precedence: bulk", RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"Precedence: JUNK", "precedence: JUNK", RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"Precedence: auto_reply", "Precedence: auto_reply", RETURN_BOUNCE, RETURN_AUTO_REPLY},
    {"Precedence: list", "Precedence: list", RETURN_BOUNCE, RETURN_REPLY},
};

static void test_kind(void **state)
{
    const struct kind_row *row = *state;
    g_autoptr(HeaderFields) fields = fields_of(row->header);

    assert_int_equal(returned_kind(fields, true), row->with_null);
    assert_int_equal(returned_kind(fields, false), row->with_sender);
}

static const struct delay_row {
    const char *name;
    const char *header;
    bool is_delay;
} delay_rows[] = {
    {"Postfix", "Subject: Delayed Mail (still being retried)", true},
    {"Sendmail", "Subject: Warning: could not send message for past 4 hours", true},
    {"Exim", "Subject: Warning: message 1qJ3aB-0003xY-1Z delayed 24 hours", true},
    {"Google", "Subject: Delivery Status Notification (Delay)", true},
    {"Exchange", "SUBJECT: Delivery Delayed: Ihre Domain praxis.example", true},
    {"no subject", "From: x", false},
    {"an empty one", "Subject:", false},
    {"Postfix's failure", "Subject: Undelivered Mail Returned to Sender", false},
    {"Sendmail's failure", "Subject: Returned mail: see transcript for details", false},
    {"Exim's failure", "Subject: Mail delivery failed: returning message to sender", false},
    {"Google's failure", "Subject: Delivery Status Notification (Failure)", false},
    {"Exchange's failure", "Subject: Undeliverable: Delivery delayed: x", false},
    {"a warning of something else", "Subject: Warning: message refused", false},
    {"in another field", "Comments: Delayed Mail (still being retried)", false},
};

static void test_delay(void **state)
{
    const struct delay_row *row = *state;
    g_autoptr(HeaderFields) fields = fields_of(row->header);

    assert_int_equal(returned_is_delay(fields), row->is_delay);
}

static const struct loop_row {
    const char *name;
    const char *header;
    bool is_loop;
} loop_rows[] = {
    {"no mark", "Subject: token=aaaabbbbccccdddd", false},
    {"its own token", "X-SPFrom: returned; kind=reply; token=aaaabbbbccccdddd", true},
    {"the other of its own", "X-SPFrom: returned; kind=reply; token=eeeeffffgggghhhh", true},
    {"in a list", "X-SPFrom: returned; kind=reply; token=zzzzzzzzzzzzzzzz,eeeeffffgggghhhh", true},
    {"upper case", "x-spfrom: Returned; Kind=reply; Token=AAAABBBBCCCCDDDD; domain=x", true},
    {"another's", "X-SPFrom: returned; kind=reply; token=zzzzzzzzzzzzzzzz", false},
    {"a longer one", "X-SPFrom: returned; token=aaaabbbbccccdddde", false},
    {"a second mark",
     "X-SPFrom: returned; token=zzzzzzzzzzzzzzzz\nX-SPFrom: returned;token=aaaabbbbccccdddd", true},
    {"no return", "X-SPFrom: rewritten; token=aaaabbbbccccdddd", false},
    {"behind the list", "X-SPFrom: returned; token=z; x=aaaabbbbccccdddd", false},
    {"nothing in it", "X-SPFrom: returned; token=", false},
    {"no parts", "X-SPFrom: returned", false},
};

static void test_loop(void **state)
{
    static char first[] = "aaaabbbbccccdddd";
    static char second[] = "eeeeffffgggghhhh";
    const struct loop_row *row = *state;
    g_autoptr(HeaderFields) fields = fields_of(row->header);
    g_autoptr(GPtrArray) tokens = g_ptr_array_new();

    g_ptr_array_add(tokens, first);
    g_ptr_array_add(tokens, second);
    assert_int_equal(returned_is_loop(fields, tokens), row->is_loop);
}

static void test_texts(void **state G_GNUC_UNUSED)
{
    for (ReturnKind kind = 0; kind < RETURN_KINDS; kind++) {
        ReturnKind read = RETURN_KINDS;

        assert_true(return_kind_parse(return_kind_text(kind), &read));
        assert_int_equal(read, kind);
    }
    assert_false(return_kind_parse("Bounce", &(ReturnKind){0}));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, kind_rows, test_kind);
    TABLE_ADD(tests, delay_rows, test_delay);
    TABLE_ADD(tests, loop_rows, test_loop);
    table_add(tests, "texts", test_texts, NULL);
    return table_run(tests, "returned");
}
