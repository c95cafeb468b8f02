/*
 * The RFC 7208 conformance suite (release 2014.04): scenarios of DNS data and of messages, with the
 * results that are right. The file is not part of this repository: tests/lab/rfc7208.py
 * fetches it, and SPFROM_RFC7208 says where it is.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "unit/dns/memory_dns.h"
#include "spf/evaluation.h"

#define DEADLINE G_MAXINT64

typedef struct {
    yaml_document_t document;
    Dns *dns;
} Scenario;

typedef struct {
    char *name;
    Scenario *scenario;
    yaml_node_t *test;
} Row;

static const char *text_of(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                          : "";
}

static yaml_node_t *value_at(Scenario *scenario, yaml_node_t *mapping, const char *key)
{
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++)
        if (strcmp(text_of(yaml_document_get_node(&scenario->document, pair->key)), key) == 0)
            return yaml_document_get_node(&scenario->document, pair->value);
    return NULL;
}

static bool is_text(const yaml_node_t *node, const char *text)
{
    return strcmp(text_of(node), text) == 0;
}

/* A TXT record: one string, or a list of strings to be put together. */
static void add_text(Scenario *scenario, const char *name, yaml_node_t *value)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (is_text(value, "NONE"))
        return;
    if (value->type == YAML_SCALAR_NODE)
        g_string_append_len(text, text_of(value), (gssize)value->data.scalar.length);
    if (value->type == YAML_SEQUENCE_NODE)
        for (yaml_node_item_t *item = value->data.sequence.items.start;
             item < value->data.sequence.items.top; item++) {
            yaml_node_t *string = yaml_document_get_node(&scenario->document, *item);

            g_string_append_len(text, text_of(string), (gssize)string->data.scalar.length);
        }
    memory_dns_add_data(scenario->dns, name, DNS_TXT, 0, text->str, text->len);
}

static void add_mx(Scenario *scenario, const char *name, yaml_node_t *value)
{
    yaml_node_item_t *items = value->data.sequence.items.start;
    yaml_node_t *host = yaml_document_get_node(&scenario->document, items[1]);
    g_autofree char *lower = g_ascii_strdown(text_of(host), -1);

    if (*lower != '\0')
        memory_dns_add_data(scenario->dns, name, DNS_MX, 10, lower, strlen(lower));
}

static const struct {
    const char *text;
    DnsType type;
} types[] = {{"A", DNS_A},     {"AAAA", DNS_AAAA}, {"MX", DNS_MX},
             {"PTR", DNS_PTR}, {"TXT", DNS_TXT},   {"SPF", DNS_TXT}};

static void add_record(Scenario *scenario, const char *name, const char *type, yaml_node_t *value)
{
    g_autofree char *lower = g_ascii_strdown(text_of(value), -1);

    if (strcmp(type, "CNAME") == 0)
        memory_dns_add_alias(scenario->dns, name, lower);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(type, types[i].text) != 0)
            continue;
        if (is_text(value, "TIMEOUT"))
            memory_dns_add_timeout(scenario->dns, name, types[i].type);
        else if (types[i].type == DNS_TXT)
            add_text(scenario, name, value);
        else if (types[i].type == DNS_MX)
            add_mx(scenario, name, value);
        else
            memory_dns_add(scenario->dns, name, types[i].type, lower);
    }
}

/* Records of type SPF stand for TXT records, where the name has no TXT of its own. */
static bool has_txt(Scenario *scenario, yaml_node_t *entries)
{
    for (yaml_node_item_t *item = entries->data.sequence.items.start;
         item < entries->data.sequence.items.top; item++) {
        yaml_node_t *entry = yaml_document_get_node(&scenario->document, *item);

        if (entry->type == YAML_MAPPING_NODE && value_at(scenario, entry, "TXT") != NULL)
            return true;
    }
    return false;
}

static void add_name(Scenario *scenario, const char *name, yaml_node_t *entries)
{
    bool is_txt_given = has_txt(scenario, entries);

    for (yaml_node_item_t *item = entries->data.sequence.items.start;
         item < entries->data.sequence.items.top; item++) {
        yaml_node_t *entry = yaml_document_get_node(&scenario->document, *item);
        yaml_node_pair_t *pair = entry->data.mapping.pairs.start;

        if (is_text(entry, "TIMEOUT")) {
            memory_dns_add_timeouts(scenario->dns, name);
            continue;
        }
        const char *type = text_of(yaml_document_get_node(&scenario->document, pair->key));

        if (strcmp(type, "SPF") != 0 || !is_txt_given)
            add_record(scenario, name, type,
                       yaml_document_get_node(&scenario->document, pair->value));
    }
}

static void add_zone(Scenario *scenario, yaml_node_t *zone)
{
    scenario->dns = memory_dns_new();
    for (yaml_node_pair_t *pair = zone->data.mapping.pairs.start;
         pair < zone->data.mapping.pairs.top; pair++) {
        const char *key = text_of(yaml_document_get_node(&scenario->document, pair->key));
        g_autofree char *name = g_ascii_strdown(key, -1);

        add_name(scenario, name, yaml_document_get_node(&scenario->document, pair->value));
    }
}

static bool is_wanted(Scenario *scenario, yaml_node_t *result, const char *got)
{
    if (result->type == YAML_SCALAR_NODE)
        return is_text(result, got);
    for (yaml_node_item_t *item = result->data.sequence.items.start;
         item < result->data.sequence.items.top; item++)
        if (is_text(yaml_document_get_node(&scenario->document, *item), got))
            return true;
    return false;
}

static void test_row(void **state)
{
    Row *row = *state;
    Scenario *scenario = row->scenario;
    const char *helo = text_of(value_at(scenario, row->test, "helo"));
    const char *sender = text_of(value_at(scenario, row->test, "mailfrom"));
    const char *at = strrchr(sender, '@');
    g_autofree char *local_part = at != NULL ? g_strndup(sender, (gsize)(at - sender)) : NULL;
    g_autofree char *domain = g_ascii_strdown(at != NULL ? at + 1 : helo, -1);
    EvaluationQuestion question = {.domain = domain, .local_part = local_part, .helo = helo};
    g_autoptr(EvaluationContext) context = evaluation_context_new(scenario->dns, DEADLINE);
    g_autoptr(Evaluation) evaluation = NULL;
    const char *got;

    assert_true(
        network_parse(text_of(value_at(scenario, row->test, "host")), &question.relay, NULL));
    evaluation = evaluation_run(context, &question);
    got = spf_result_text(evaluation->result);
    if (!is_wanted(scenario, value_at(scenario, row->test, "result"), got))
        fail_msg("got %s (%s)", got, evaluation->reason != NULL ? evaluation->reason : "no reason");
    if (evaluation->result == SPF_PERMERROR || evaluation->result == SPF_TEMPERROR)
        assert_non_null(evaluation->reason);
}

static void row_free(gpointer data)
{
    Row *row = data;

    g_free(row->name);
    g_free(row);
}

static void scenario_free(gpointer data)
{
    Scenario *scenario = data;

    g_clear_pointer(&scenario->dns, dns_free);
    yaml_document_delete(&scenario->document);
    g_free(scenario);
}

static void add_rows(GPtrArray *rows, Scenario *scenario)
{
    yaml_node_t *root = yaml_document_get_root_node(&scenario->document);
    yaml_node_t *tests = value_at(scenario, root, "tests");

    add_zone(scenario, value_at(scenario, root, "zonedata"));
    for (yaml_node_pair_t *pair = tests->data.mapping.pairs.start;
         pair < tests->data.mapping.pairs.top; pair++) {
        Row *row = g_new0(Row, 1);

        row->scenario = scenario;
        row->test = yaml_document_get_node(&scenario->document, pair->value);
        row->name =
            g_strdup_printf("%s: %s", text_of(value_at(scenario, root, "description")),
                            text_of(yaml_document_get_node(&scenario->document, pair->key)));
        g_ptr_array_add(rows, row);
    }
}

static void load(FILE *file, GPtrArray *scenarios, GPtrArray *rows)
{
    yaml_parser_t parser;
    bool is_more = true;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    while (is_more) {
        Scenario *scenario = g_new0(Scenario, 1);

        is_more = yaml_parser_load(&parser, &scenario->document) == 1 &&
                  yaml_document_get_root_node(&scenario->document) != NULL;
        g_ptr_array_add(scenarios, scenario);
        if (is_more)
            add_rows(rows, scenario);
    }
    yaml_parser_delete(&parser);
}

/* Where contrib/check has left it. */
static char *suite_path(void)
{
    const char *given = g_getenv("SPFROM_RFC7208");
    const char *build = g_getenv("SPFROM_BUILDDIR");

    if (given != NULL)
        return g_strdup(given);
    return g_build_filename(build != NULL ? build : ".", "rfc7208-tests.yml", NULL);
}

int main(void)
{
    g_autofree char *path = suite_path();
    FILE *file = fopen(path, "r");
    g_autoptr(GPtrArray) scenarios = g_ptr_array_new_with_free_func(scenario_free);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    g_autofree struct CMUnitTest *tests = NULL;

    if (file == NULL) {
        printf("1..0 # SKIP no rfc7208-tests.yml; tests/lab/rfc7208.py fetches it\n");
        return 0;
    }
    load(file, scenarios, rows);
    fclose(file);
    tests = g_new0(struct CMUnitTest, rows->len);
    for (guint i = 0; i < rows->len; i++) {
        Row *row = g_ptr_array_index(rows, i);

        tests[i] =
            (struct CMUnitTest){.name = row->name, .test_func = test_row, .initial_state = row};
    }
    if (!evaluation_init(NULL))
        return 1;
    return _cmocka_run_group_tests("rfc7208", tests, rows->len, NULL, NULL);
}
