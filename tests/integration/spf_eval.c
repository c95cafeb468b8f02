/*
 * Evaluates SPF for pyspf_differential_test.py. Each line of stdin is a JSON object
 * {"zone": TEXT, "domain": NAME, "local_part": TEXT, "helo": NAME, "relays": [ADDRESS, …]}; for
 * each a line of stdout is an array of {"result", "mechanism", "reason", "lookups", "voids"}, one
 * for each relay.
 */
#include "config.h"

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "spf/evaluation.h"

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *evaluate(Dns *dns, const EvaluationQuestion *question)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(Evaluation) evaluation = evaluation_run(context, question);
    json_t *answer = json_object();

    json_object_set_new(answer, "result", json_string(spf_result_text(evaluation->result)));
    json_object_set_new(answer, "mechanism", text_or_null(evaluation->mechanism));
    json_object_set_new(answer, "reason", text_or_null(evaluation->reason));
    json_object_set_new(answer, "lookups", json_integer(evaluation->lookups));
    json_object_set_new(answer, "voids", json_integer(evaluation->void_lookups));
    return answer;
}

static bool answer_line(const char *line)
{
    json_t *asked = json_loads(line, 0, NULL);
    json_t *answers = json_array();
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_zone_file_new(text_at(asked, "zone"), "zone", &error);
    EvaluationQuestion question = {.domain = text_at(asked, "domain"),
                                   .local_part = text_at(asked, "local_part"),
                                   .helo = text_at(asked, "helo")};
    size_t index;
    json_t *relay;

    if (dns == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    json_array_foreach(json_object_get(asked, "relays"), index,
                       relay) if (network_parse(json_string_value(relay), &question.relay, NULL))
        json_array_append_new(answers, evaluate(dns, &question));
    json_dumpf(answers, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(answers);
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
