#include "config.h"

#include "spf/dkim_key.h"

#include <string.h>

#include "unit/table.h"

static const char ours[] = "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==";

typedef enum { UNUSABLE, SAME, OTHER } Wanted;

/* A record, and what it is beside ours. */
static const struct row {
    const char *name;
    Wanted wanted;
} rows[] = {
    {"v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", SAME},
    {"p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", SAME},
    {"v=DKIM1; p=MFwwDQYJKoZIhv\tcNAQEBBQADS wAwSAJBAA= =;", SAME},
    {" v = DKIM1 ;\r\n p = MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA== ; ", SAME},
    {"v=DKIM1; h=sha1 : sha256; s=email; t=s; n=ours; g=*; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==",
     SAME},
    {"s=*; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", SAME},
    {"p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAQ==", OTHER},
    {"k=ed25519; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", OTHER},
    {"v=DKIM1; p=", UNUSABLE}, /* revoked */
    {"v=DKIM1; k=rsa", UNUSABLE},
    {"v=DKIM1; t=y; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"v=DKIM1; t=s:y; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"v=DKIM1; h=sha1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"v=DKIM1; s=tlsrpt; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"v=DKIM2; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"v=dkim1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==; v=DKIM1", UNUSABLE},
    {"k=dsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"p=MFww; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==", UNUSABLE},
    {"p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA", UNUSABLE}, /* cut */
    {"p=MFww=DQYJKoZ", UNUSABLE},
    {"p=MF-wDQYJ", UNUSABLE},
    {"p====", UNUSABLE},
    {"p=MFww; x", UNUSABLE},
    {"1p=MFww; p=MFww", UNUSABLE},
    {";p=MFww", UNUSABLE},
    {"p=MFww;;k=rsa", UNUSABLE},
    {"v=spf1 include:example.org -all", UNUSABLE},
    {";", UNUSABLE},
    {"", UNUSABLE},
};

static void test_key(void **state)
{
    const struct row *row = *state;
    g_autoptr(DkimKey) our_key = dkim_key_parse(ours, strlen(ours));
    g_autoptr(DkimKey) key = dkim_key_parse(row->name, strlen(row->name));
    Wanted got = key == NULL ? UNUSABLE : dkim_key_equal(our_key, key) ? SAME : OTHER;

    assert_int_equal(got, row->wanted);
}

static void test_octets(void **state)
{
    static const char nul[] = "p=MFww\0; n=x";
    g_autofree char *base64 = g_strnfill(DKIM_KEY_RECORD_MAX, 'A');
    g_autoptr(DkimKey) of_nul = dkim_key_parse(nul, sizeof nul - 1);
    g_autoptr(DkimKey) longest = NULL;
    g_autoptr(DkimKey) longer = NULL;

    (void)state;
    memcpy(base64, "p= \t", 4);
    longest = dkim_key_parse(base64, DKIM_KEY_RECORD_MAX);
    assert_null(of_nul);
    assert_non_null(longest);
    g_free(base64);
    base64 = g_strnfill(DKIM_KEY_RECORD_MAX + 4, 'A');
    memcpy(base64, "p= \t", 4);
    longer = dkim_key_parse(base64, DKIM_KEY_RECORD_MAX + 4);
    assert_null(longer);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_key);
    table_add(tests, "odd octets", test_octets, NULL);
    return table_run(tests, "dkim_key");
}
