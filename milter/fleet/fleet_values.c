#include "config.h"

#include "fleet/fleet_values.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"

#define VERSION 1
#define TEXT_MAX 512 /* octets of one text */
#define DIGEST_LENGTH 16
#define KEYS_MAX 256
#define DAY_MAX 2932896 /* 9999-12-31, from 1970 */

/* --- members --- */

/* Returns an object of this version, or NULL. */
static json_t *load(const char *text, gsize length)
{
    json_t *json =
        length <= FLEET_VALUE_MAX ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_integer_value(json_object_get(json, "v")) == VERSION)
        return json;
    json_decref(json);
    return NULL;
}

static char *dump(json_t *json)
{
    g_autofree char *raw = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(json);
    return g_steal_pointer(&raw);
}

/* Returns whether text is short and has no control: JSON has seen that it is UTF-8. */
static bool is_plain(const char *text)
{
    if (strlen(text) > TEXT_MAX)
        return false;
    for (; *text != '\0'; text = g_utf8_next_char(text))
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return false;
    return true;
}

/* Reads a text; a missing one is an error unless is_optional: NULL then. */
static bool read_text(const json_t *json, const char *name, bool is_optional, char **text)
{
    const json_t *value = json_object_get(json, name);
    const char *string = json_string_value(value);

    if (value == NULL)
        return is_optional;
    if (string == NULL || json_string_length(value) != strlen(string) || !is_plain(string))
        return false;
    *text = g_strdup(string);
    return true;
}

static bool read_flag(const json_t *json, const char *name, bool *flag)
{
    const json_t *value = json_object_get(json, name);

    *flag = json_is_true(value);
    return value == NULL || json_is_boolean(value);
}

/* Reads a time in milliseconds; a missing one is an error unless is_optional: 0 then. */
static bool read_time(const json_t *json, const char *name, bool is_optional, gint64 *wall)
{
    const json_t *value = json_object_get(json, name);
    json_int_t number = json_integer_value(value);

    *wall = 0;
    if (value == NULL)
        return is_optional;
    if (!json_is_integer(value) || number <= 0 || number > CLOCK_WALL_MAX / CLOCK_MILLISECOND)
        return false;
    *wall = number * CLOCK_MILLISECOND;
    return true;
}

static bool read_mode(const json_t *json, const char *name, Mode *mode)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text != NULL && mode_parse(text, mode);
}

/* Returns text such that is_plain() holds: what is written is read, whatever a user is called. */
static char *plain(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *made = g_string_new(NULL);

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);

        if (made->len + (gsize)(g_utf8_next_char(at) - at) > TEXT_MAX)
            break;
        g_string_append_unichar(made, g_unichar_iscntrl(character) ? '?' : character);
    }
    return g_string_free(made, FALSE);
}

static void put_text(json_t *json, const char *name, const char *text)
{
    g_autofree char *made = text != NULL ? plain(text) : NULL;

    if (made != NULL)
        json_object_set_new(json, name, json_string(made));
}

static void put_time(json_t *json, const char *name, gint64 wall)
{
    if (wall != 0)
        json_object_set_new(json, name, json_integer(wall / CLOCK_MILLISECOND));
}

static void put_flag(json_t *json, const char *name, bool flag)
{
    if (flag)
        json_object_set_new(json, name, json_true());
}

char *fleet_digest(const char *text)
{
    char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    digest[DIGEST_LENGTH] = '\0';
    return digest;
}

/* --- a verdict --- */

char *fleet_verdict_text(const FleetVerdict *verdict)
{
    json_t *json =
        json_pack("{si ss}", "v", VERSION, "result", spf_result_text(verdict->verdict->result));

    put_time(json, "until", verdict->until);
    put_text(json, "after", verdict->after);
    put_text(json, "relay", verdict->verdict->relay);
    put_text(json, "mechanism", verdict->verdict->mechanism);
    put_text(json, "reason", verdict->verdict->reason);
    put_text(json, "masked", verdict->verdict->masked_reason);
    put_flag(json, "unproven", verdict->verdict->is_unproven);
    put_text(json, "dkim", verdict->verdict->dkim);
    return dump(json);
}

static Verdict *read_verdict(const json_t *json)
{
    const char *result_text = json_string_value(json_object_get(json, "result"));
    g_autofree char *relay = NULL;
    g_autofree char *mechanism = NULL;
    g_autofree char *reason = NULL;
    g_autofree char *masked = NULL;
    g_autofree char *dkim = NULL;
    bool is_unproven;
    SpfResult result;
    Verdict *verdict;

    if (result_text == NULL || !spf_result_parse(result_text, &result) || result == SPF_TEMPERROR ||
        !read_text(json, "relay", true, &relay) ||
        !read_text(json, "mechanism", true, &mechanism) ||
        !read_text(json, "reason", true, &reason) || !read_text(json, "masked", true, &masked) ||
        !read_flag(json, "unproven", &is_unproven) || !read_text(json, "dkim", true, &dkim))
        return NULL;
    verdict = verdict_new(result, relay, mechanism, reason);
    verdict->masked_reason = g_steal_pointer(&masked);
    verdict->is_unproven = is_unproven;
    verdict->dkim = g_steal_pointer(&dkim);
    return verdict;
}

bool fleet_verdict_parse(const char *text, gsize length, FleetVerdict *verdict)
{
    json_t *json = load(text, length);
    bool is_read;

    *verdict = (FleetVerdict){.verdict = NULL};
    is_read = json != NULL && read_time(json, "until", false, &verdict->until) &&
              read_text(json, "after", true, &verdict->after) &&
              (verdict->verdict = read_verdict(json)) != NULL;
    json_decref(json);
    if (!is_read)
        fleet_verdict_clear(verdict);
    return is_read;
}

void fleet_verdict_clear(FleetVerdict *verdict)
{
    g_clear_pointer(&verdict->verdict, verdict_unref);
    g_clear_pointer(&verdict->after, g_free);
}

/* --- a switch --- */

char *fleet_switch_text(const FleetSwitch *made)
{
    json_t *json = json_pack("{si}", "v", VERSION);

    put_time(json, "at", made->at);
    put_text(json, "host", made->host);
    put_text(json, "who", made->who);
    if (!made->is_cleared)
        put_text(json, "mode", mode_text(made->mode));
    put_time(json, "until", made->until);
    if (made->has_before)
        put_text(json, "before", mode_text(made->before));
    return dump(json);
}

static bool read_switch(const json_t *json, FleetSwitch *made)
{
    made->is_cleared = json_object_get(json, "mode") == NULL;
    made->has_before = json_object_get(json, "before") != NULL;
    return read_time(json, "at", false, &made->at) && read_text(json, "host", false, &made->host) &&
           read_text(json, "who", true, &made->who) &&
           read_time(json, "until", true, &made->until) &&
           (made->is_cleared || read_mode(json, "mode", &made->mode)) &&
           (!made->has_before || read_mode(json, "before", &made->before)) &&
           !(made->is_cleared && (made->has_before || made->until != 0));
}

bool fleet_switch_parse(const char *text, gsize length, FleetSwitch *made)
{
    json_t *json = load(text, length);
    bool is_read;

    *made = (FleetSwitch){.at = 0};
    is_read = json != NULL && read_switch(json, made);
    json_decref(json);
    if (!is_read)
        fleet_switch_clear(made);
    return is_read;
}

void fleet_switch_clear(FleetSwitch *made)
{
    g_clear_pointer(&made->host, g_free);
    g_clear_pointer(&made->who, g_free);
}

int fleet_switch_compare(const FleetSwitch *a, const FleetSwitch *b)
{
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return g_strcmp0(a->host, b->host);
}

/* --- a host --- */

static json_t *keys_of(GHashTable *keys)
{
    json_t *json = json_object();
    GHashTableIter iter;
    gpointer name;
    gpointer digest;

    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, &name, &digest))
        put_text(json, name, digest);
    return json;
}

char *fleet_host_text(const FleetHost *host)
{
    json_t *json = json_pack("{si ss sf so}", "v", VERSION, "mode", mode_text(host->mode),
                             "per_minute", host->per_minute, "keys", keys_of(host->keys));

    put_text(json, "host", host->host);
    put_text(json, "id", host->id);
    put_text(json, "version", host->version);
    put_text(json, "by", host->by);
    put_text(json, "relays", host->relays);
    put_text(json, "return_key", host->return_key);
    put_time(json, "seen", host->seen);
    put_time(json, "up", host->up_since);
    put_flag(json, "here", host->is_here);
    put_flag(json, "stopped", host->is_stopped);
    put_flag(json, "unsent", host->is_unsent);
    put_flag(json, "double", host->is_double);
    return dump(json);
}

static bool read_keys(const json_t *json, GHashTable *keys)
{
    const char *name;
    json_t *value;

    if (!json_is_object(json) || json_object_size(json) > KEYS_MAX)
        return false;
    json_object_foreach((json_t *)json, name, value)
    {
        const char *digest = json_string_value(value);

        if (digest == NULL || !is_plain(digest) || !is_plain(name))
            return false;
        g_hash_table_insert(keys, g_strdup(name), g_strdup(digest));
    }
    return true;
}

static bool read_host(const json_t *json, FleetHost *host)
{
    const json_t *rate = json_object_get(json, "per_minute");

    host->per_minute = json_number_value(rate);
    return json_is_number(rate) && host->per_minute >= 0 && host->per_minute < 1e9 &&
           read_text(json, "host", false, &host->host) && read_text(json, "id", false, &host->id) &&
           read_text(json, "version", false, &host->version) &&
           read_text(json, "by", false, &host->by) &&
           read_text(json, "relays", false, &host->relays) &&
           read_text(json, "return_key", false, &host->return_key) &&
           read_time(json, "seen", false, &host->seen) &&
           read_time(json, "up", false, &host->up_since) && read_mode(json, "mode", &host->mode) &&
           read_flag(json, "here", &host->is_here) &&
           read_flag(json, "stopped", &host->is_stopped) &&
           read_flag(json, "unsent", &host->is_unsent) &&
           read_flag(json, "double", &host->is_double) &&
           read_keys(json_object_get(json, "keys"), host->keys);
}

FleetHost *fleet_host_parse(const char *text, gsize length)
{
    json_t *json = load(text, length);
    FleetHost *host = NULL;

    if (json == NULL)
        return NULL;
    host = g_new0(FleetHost, 1);
    host->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!read_host(json, host))
        g_clear_pointer(&host, fleet_host_free);
    json_decref(json);
    return host;
}

void fleet_host_free(FleetHost *host)
{
    if (host == NULL)
        return;
    g_free(host->host);
    g_free(host->id);
    g_free(host->version);
    g_free(host->by);
    g_free(host->relays);
    g_free(host->return_key);
    g_clear_pointer(&host->keys, g_hash_table_unref);
    g_free(host);
}

/* --- return addresses --- */

char *fleet_return_text(const FleetReturn *row)
{
    return dump(json_pack("{si ss si}", "v", VERSION, "address", row->address, "day", row->day));
}

bool fleet_return_parse(const char *text, gsize length, FleetReturn *row)
{
    json_t *json = load(text, length);
    const json_t *day = json_object_get(json, "day");
    json_int_t number = json_integer_value(day);
    bool is_read = json != NULL && json_is_integer(day) && number > 0 && number <= DAY_MAX;

    *row = (FleetReturn){.day = is_read ? (guint32)number : 0};
    is_read = is_read && read_text(json, "address", false, &row->address);
    json_decref(json);
    return is_read;
}

void fleet_return_clear(FleetReturn *row)
{
    g_clear_pointer(&row->address, g_free);
}

char *fleet_return_host_text(const FleetReturnHost *host)
{
    json_t *json = json_pack("{si}", "v", VERSION);

    put_time(json, "seen", host->seen);
    put_flag(json, "whole", host->is_whole);
    put_flag(json, "stopped", host->is_stopped);
    return dump(json);
}

bool fleet_return_host_parse(const char *text, gsize length, FleetReturnHost *host)
{
    json_t *json = load(text, length);
    bool is_read;

    *host = (FleetReturnHost){.seen = 0};
    is_read = json != NULL && read_time(json, "seen", false, &host->seen) &&
              read_flag(json, "whole", &host->is_whole) &&
              read_flag(json, "stopped", &host->is_stopped);
    json_decref(json);
    return is_read;
}
