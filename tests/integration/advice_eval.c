/*
 * Advises for advice_test.py. Each line of stdin is a JSON object {"zone": TEXT, "domain": NAME,
 * "settings": TEXT of a configuration without fallback_address, "providers": TEXT, "hosters": TEXT
 * (not needed)}; for each a line
 * of stdout is the advice as JSON, with "result" (of the check before) and "relays" (the relay
 * set).
 */
#include "config.h"

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/consultation.h"
#include "advice/words/advice_json.h"
#include "base/clock.h"
#include "policy/settings_parse.h"
#include "spf/evaluation.h"

#define FALLBACK "fallback_address = \"noreply@example.org\"\n"

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static const char *settings_text;

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strconcat(settings_text, "\n" FALLBACK, NULL);
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {read_file, "relay.lemniscus.de"};

static json_t *relays_json(const Relays *relays)
{
    json_t *json = json_array();

    for (guint i = 0; i < relays->networks->len; i++) {
        char text[NETWORK_TEXT_MAX];

        network_text(&g_array_index(relays->networks, Network, i), text);
        json_array_append_new(json, json_string(text));
    }
    return json;
}

static json_t *advise(Settings *settings, Dns *dns, const Relays *relays, const json_t *asked)
{
    g_autoptr(CheckSubject) subject = check_subject_parse(text_at(asked, "domain"));
    g_autoptr(Lists) lists = lists_new();
    g_autoptr(Language) language = language_new(LANGUAGE_ENGLISH, NULL);
    g_autoptr(Consultation) consultation = NULL;
    json_t *answer;

    lists_add(lists, LISTS_PROVIDERS, text_at(asked, "providers"), "providers", NULL);
    lists_add(lists, LISTS_HOSTERS, text_at(asked, "hosters"), "hosters", NULL);
    consultation = consultation_new(settings, dns, lists, relays, subject,
                                    deadline_in(settings->check_timeout));
    answer = advice_json(language, consultation->advice);
    json_object_set_new(answer, "result",
                        json_string(spf_result_text(consultation->check->result)));
    json_object_set_new(answer, "relays", relays_json(relays));
    return answer;
}

static bool answer_line(const char *line)
{
    json_t *asked = json_loads(line, 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_zone_file_new(text_at(asked, "zone"), "zone", &error);
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Relays) relays = NULL;
    json_t *answer;

    settings_text = text_at(asked, "settings");
    settings = dns != NULL ? settings_parse("/spfrom.conf", &source, &error) : NULL;
    if (settings != NULL)
        relays = relays_resolve(settings, dns, deadline_in(settings->check_timeout), &error);
    if (relays == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    answer = advise(settings, dns, relays, asked);
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(answer);
    json_decref(asked);
    return true;
}

int main(void)
{
    size_t size = 0;
    char *line = NULL;
    bool is_good = evaluation_init(NULL);

    while (is_good && getline(&line, &size, stdin) > 0)
        is_good = answer_line(line);
    free(line);
    return is_good ? 0 : 1;
}
