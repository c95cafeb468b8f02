#include "config.h"

#include "control/daemon_status.h"

#include <string.h>

#include "base/clock.h"

typedef enum {
    KIND_TEXT,    /* char * */
    KIND_TEXTS,   /* char **, an array of text */
    KIND_TIME,    /* gint64 */
    KIND_COUNT,   /* gint64, never negative */
    KIND_ANSWER,  /* DaemonStatusAnswer: null, false or true */
    KIND_ACTIONS, /* gint64[MESSAGE_ACTIONS], an object of counts */
    KIND_RESULTS, /* gint64[SPF_RESULTS], an object of counts */
} Kind;

typedef struct {
    const char *object; /* that the member is in; NULL: the answer itself */
    const char *name;
    Kind kind;
    size_t offset;
} Member;

#define STATUS(member) offsetof(DaemonStatus, member)

/* The members of an object follow one another. */
static const Member status_members[] = {
    {NULL, "version", KIND_TEXT, STATUS(version)},
    {NULL, "pid", KIND_COUNT, STATUS(pid)},
    {NULL, "up_since", KIND_TIME, STATUS(up_since)},
    {NULL, "socket", KIND_TEXT, STATUS(socket)},
    {NULL, "control_socket", KIND_TEXT, STATUS(control_socket)},
    {NULL, "state_dir", KIND_TEXT, STATUS(state_dir)},
    {NULL, "mode", KIND_TEXT, STATUS(mode.mode)},
    {NULL, "mode_since", KIND_TIME, STATUS(mode.since)},
    {NULL, "mode_by", KIND_TEXT, STATUS(mode.by)},
    {NULL, "mode_until", KIND_TIME, STATUS(mode.until)},
    {NULL, "mode_who", KIND_TEXT, STATUS(mode.who)},
    {NULL, "mode_next", KIND_TEXT, STATUS(mode.next)},
    {NULL, "mode_host", KIND_TEXT, STATUS(mode.host)},
    {NULL, "mode_here", KIND_ANSWER, STATUS(mode.here)},
    {NULL, "mode_configured", KIND_TEXT, STATUS(mode_configured)},
    {"configuration", "file", KIND_TEXT, STATUS(configuration.file)},
    {"configuration", "loaded", KIND_TIME, STATUS(configuration.loaded)},
    {"configuration", "error", KIND_TEXT, STATUS(configuration.error)},
    {"relay_set", "networks", KIND_TEXTS, STATUS(relay_set.networks)},
    {"relay_set", "complete", KIND_ANSWER, STATUS(relay_set.complete)},
    {"relay_set", "policy", KIND_TEXT, STATUS(relay_set.policy)},
    {"relay_set", "problems", KIND_TEXTS, STATUS(relay_set.problems)},
    {"fallback", "address", KIND_TEXT, STATUS(fallback.address)},
    {"fallback", "authorised", KIND_ANSWER, STATUS(fallback.authorised)},
    {"fallback", "result", KIND_TEXT, STATUS(fallback.result)},
    {"fallback", "relay", KIND_TEXT, STATUS(fallback.relay)},
    {"fallback", "mechanism", KIND_TEXT, STATUS(fallback.mechanism)},
    {"fallback", "reason", KIND_TEXT, STATUS(fallback.reason)},
    {"fallback", "checked", KIND_TIME, STATUS(fallback.checked)},
    {"other_fallbacks", "watched", KIND_COUNT, STATUS(other_fallbacks.watched)},
    {"other_fallbacks", "unauthorised", KIND_COUNT, STATUS(other_fallbacks.unauthorised)},
    {"other_fallbacks", "list", KIND_TEXTS, STATUS(other_fallbacks.list)},
    {NULL, "connections", KIND_COUNT, STATUS(connections)},
    {NULL, "messages", KIND_ACTIONS, STATUS(messages)},
    {NULL, "ledger_errors", KIND_COUNT, STATUS(ledger_errors)},
    {"ledger", "file", KIND_TEXT, STATUS(ledger.file)},
    {"ledger", "error", KIND_TEXT, STATUS(ledger.error)},
    {"ledger", "written", KIND_COUNT, STATUS(ledger.written)},
    {"ledger", "waiting", KIND_COUNT, STATUS(ledger.waiting)},
    {"ledger", "written_at", KIND_TIME, STATUS(ledger.written_at)},
    {NULL, "verdicts", KIND_RESULTS, STATUS(verdicts)},
    {"cache", "entries", KIND_COUNT, STATUS(cache.entries)},
    {"cache", "size", KIND_COUNT, STATUS(cache.size)},
    {"cache", "hit", KIND_COUNT, STATUS(cache.hit)},
    {"cache", "miss", KIND_COUNT, STATUS(cache.miss)},
    {"cache", "wait", KIND_COUNT, STATUS(cache.wait)},
    {"cache", "stale", KIND_COUNT, STATUS(cache.stale)},
    {"cache", "evaluations", KIND_COUNT, STATUS(cache.evaluations)},
    {"dns", "source", KIND_TEXT, STATUS(dns.source)},
    {"dns", "found", KIND_COUNT, STATUS(dns.found)},
    {"dns", "no_data", KIND_COUNT, STATUS(dns.no_data)},
    {"dns", "no_name", KIND_COUNT, STATUS(dns.no_name)},
    {"dns", "trouble", KIND_COUNT, STATUS(dns.trouble)},
    {"dns", "last_answer", KIND_TIME, STATUS(dns.last_answer)},
    {"dns", "last_trouble", KIND_TIME, STATUS(dns.last_trouble)},
    {"returns", "address", KIND_TEXT, STATUS(returns.address)},
    {"returns", "authorised", KIND_ANSWER, STATUS(returns.authorised)},
    {"returns", "socket", KIND_TEXT, STATUS(returns.socket)},
    {"returns", "file", KIND_TEXT, STATUS(returns.file)},
    {"returns", "error", KIND_TEXT, STATUS(returns.error)},
    {"returns", "addresses", KIND_COUNT, STATUS(returns.addresses)},
    {"returns", "found", KIND_COUNT, STATUS(returns.found)},
    {"returns", "unknown", KIND_COUNT, STATUS(returns.unknown)},
    {"returns", "trouble", KIND_COUNT, STATUS(returns.trouble)},
    {"fleet", "up", KIND_ANSWER, STATUS(fleet.up)},
    {"fleet", "store", KIND_TEXT, STATUS(fleet.store)},
    {"fleet", "since", KIND_TIME, STATUS(fleet.since)},
    {"fleet", "error", KIND_TEXT, STATUS(fleet.error)},
    {"fleet", "hosts", KIND_COUNT, STATUS(fleet.hosts)},
    {"fleet", "unseen", KIND_TEXTS, STATUS(fleet.unseen)},
    {"fleet", "differing", KIND_TEXTS, STATUS(fleet.differing)},
    {"fleet", "doubled", KIND_TEXTS, STATUS(fleet.doubled)},
};

static const Member mode_members[] = {
    {NULL, "mode", KIND_TEXT, offsetof(DaemonStatusMode, mode)},
    {NULL, "since", KIND_TIME, offsetof(DaemonStatusMode, since)},
    {NULL, "by", KIND_TEXT, offsetof(DaemonStatusMode, by)},
    {NULL, "until", KIND_TIME, offsetof(DaemonStatusMode, until)},
    {NULL, "who", KIND_TEXT, offsetof(DaemonStatusMode, who)}, /* the detail begins here */
    {NULL, "next", KIND_TEXT, offsetof(DaemonStatusMode, next)},
    {NULL, "digest", KIND_TEXT, offsetof(DaemonStatusMode, digest)},
};
#define MODE_MEMBERS_BRIEF 4

/* In a fleet, or if it was switched for this host alone. */
static const Member mode_fleet_members[] = {
    {NULL, "host", KIND_TEXT, offsetof(DaemonStatusMode, host)},
    {NULL, "here", KIND_ANSWER, offsetof(DaemonStatusMode, here)},
};

/* Of counts that belong to an enum: how many there are, and what each is called. */
static int counts_length(Kind kind)
{
    return kind == KIND_ACTIONS ? MESSAGE_ACTIONS : SPF_RESULTS;
}

static const char *counts_name(Kind kind, int i)
{
    return kind == KIND_ACTIONS ? message_action_text((MessageAction)i)
                                : spf_result_text((SpfResult)i);
}

static json_t *write_text(const char *text)
{
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

    return valid != NULL ? json_string(valid) : json_null();
}

static json_t *write_texts(char *const *texts)
{
    json_t *json = json_array();

    for (; texts != NULL && *texts != NULL; texts++)
        json_array_append_new(json, write_text(*texts));
    return json;
}

static json_t *write_time(gint64 wall)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : NULL;

    return write_text(text);
}

static json_t *write_counts(Kind kind, const gint64 *counts)
{
    json_t *json = json_object();

    for (int i = 0; i < counts_length(kind); i++)
        json_object_set_new(json, counts_name(kind, i), json_integer(counts[i]));
    return json;
}

static json_t *write_answer(DaemonStatusAnswer answer)
{
    return answer == DAEMON_STATUS_UNKNOWN ? json_null()
                                           : json_boolean(answer == DAEMON_STATUS_YES);
}

static json_t *write_member(Kind kind, const void *value)
{
    switch (kind) {
    case KIND_TEXT:
        return write_text(*(char *const *)value);
    case KIND_TEXTS:
        return write_texts(*(char **const *)value);
    case KIND_TIME:
        return write_time(*(const gint64 *)value);
    case KIND_COUNT:
        return json_integer(*(const gint64 *)value);
    case KIND_ANSWER:
        return write_answer(*(const DaemonStatusAnswer *)value);
    case KIND_ACTIONS:
    case KIND_RESULTS:
        return write_counts(kind, value);
    }
    return json_null();
}

/* Returns the object that member is in, which is made if it is not there yet. */
static json_t *object_of(json_t *json, const Member *member)
{
    json_t *object = member->object != NULL ? json_object_get(json, member->object) : json;

    if (object == NULL) {
        object = json_object();
        json_object_set_new(json, member->object, object);
    }
    return object;
}

static json_t *write_all(const Member *members, size_t count, const void *from)
{
    json_t *json = json_object();

    json_object_set_new(json, "ok", json_true());
    for (const Member *member = members; member < members + count; member++)
        json_object_set_new(object_of(json, member), member->name,
                            write_member(member->kind, (const char *)from + member->offset));
    return json;
}

static gint64 read_count(const json_t *value)
{
    return CLAMP(json_integer_value(value), 0, DAEMON_STATUS_COUNT_MAX);
}

static char **read_texts(const json_t *value)
{
    size_t count = json_array_size(value);
    char **texts = count > 0 ? g_new0(char *, count + 1) : NULL;

    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(value, i));

        texts[i] = g_strdup(text != NULL ? text : "?");
    }
    return texts;
}

static DaemonStatusAnswer read_answer(const json_t *value)
{
    if (!json_is_boolean(value))
        return DAEMON_STATUS_UNKNOWN;
    return json_is_true(value) ? DAEMON_STATUS_YES : DAEMON_STATUS_NO;
}

static void read_member(Kind kind, const json_t *json, void *value)
{
    switch (kind) {
    case KIND_TEXT:
        *(char **)value = g_strdup(json_string_value(json));
        return;
    case KIND_TEXTS:
        *(char ***)value = read_texts(json);
        return;
    case KIND_TIME:
        *(gint64 *)value = clock_rfc3339_parse(json_string_value(json));
        return;
    case KIND_COUNT:
        *(gint64 *)value = read_count(json);
        return;
    case KIND_ANSWER:
        *(DaemonStatusAnswer *)value = read_answer(json);
        return;
    case KIND_ACTIONS:
    case KIND_RESULTS:
        for (int i = 0; i < counts_length(kind); i++)
            ((gint64 *)value)[i] = read_count(json_object_get(json, counts_name(kind, i)));
        return;
    }
}

static void read_all(const Member *members, size_t count, const json_t *answer, void *to)
{
    for (const Member *member = members; member < members + count; member++) {
        const json_t *object =
            member->object != NULL ? json_object_get(answer, member->object) : answer;

        read_member(member->kind, json_object_get(object, member->name),
                    (char *)to + member->offset);
    }
}

static void free_all(const Member *members, size_t count, void *from)
{
    for (const Member *member = members; member < members + count; member++) {
        void *value = (char *)from + member->offset;

        if (member->kind == KIND_TEXT)
            g_free(*(char **)value);
        else if (member->kind == KIND_TEXTS)
            g_strfreev(*(char ***)value);
    }
    g_free(from);
}

json_t *daemon_status_write(const DaemonStatus *status)
{
    return write_all(status_members, G_N_ELEMENTS(status_members), status);
}

DaemonStatus *daemon_status_read(const json_t *answer)
{
    DaemonStatus *status = g_new0(DaemonStatus, 1);

    read_all(status_members, G_N_ELEMENTS(status_members), answer, status);
    return status;
}

void daemon_status_free(DaemonStatus *status)
{
    free_all(status_members, G_N_ELEMENTS(status_members), status);
}

json_t *daemon_status_mode_write(const DaemonStatusMode *mode, bool has_detail)
{
    json_t *json =
        write_all(mode_members, has_detail ? G_N_ELEMENTS(mode_members) : MODE_MEMBERS_BRIEF, mode);
    json_t *more;

    if (mode->here == DAEMON_STATUS_UNKNOWN)
        return json;
    more = write_all(mode_fleet_members, G_N_ELEMENTS(mode_fleet_members), mode);
    json_object_update(json, more);
    json_decref(more);
    return json;
}

DaemonStatusMode *daemon_status_mode_read(const json_t *answer)
{
    DaemonStatusMode *mode = g_new0(DaemonStatusMode, 1);

    read_all(mode_members, G_N_ELEMENTS(mode_members), answer, mode);
    read_all(mode_fleet_members, G_N_ELEMENTS(mode_fleet_members), answer, mode);
    return mode;
}

void daemon_status_mode_free(DaemonStatusMode *mode)
{
    g_free(mode->host);
    free_all(mode_members, G_N_ELEMENTS(mode_members), mode);
}
