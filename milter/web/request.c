#include "config.h"

#include "web/request.h"

#include <string.h>

#include "base/language.h"

#define COOKIE "spfrom_language"
#define COOKIE_SECONDS (365 * 24 * 60 * 60)

static const guint days_choices[] = REQUEST_DAYS;

static const struct {
    /* If it ends with "/", a subject follows. */
    const char *path;
    Route route;
} routes[] = {
    {"/", ROUTE_OVERVIEW},       {"/domains", ROUTE_DOMAINS}, {"/domains.csv", ROUTE_CSV},
    {"/domain/", ROUTE_DOMAIN},  {"/letter/", ROUTE_LETTER},  {"/search", ROUTE_SEARCH},
    {"/metrics", ROUTE_METRICS}, {"/healthz", ROUTE_HEALTH},  {"/assets/", ROUTE_ASSET},
    {"/fleet", ROUTE_FLEET},     {"/letters", ROUTE_LETTERS}, {"/changes", ROUTE_CHANGES},
};

/* Returns the code that text names ("de", "de-AT", "EN"), a constant; NULL for another. */
static const char *language_parse(const char *text)
{
    for (const char *const *code = language_codes; *code != NULL; code++) {
        size_t length = strlen(*code);

        if (g_ascii_strncasecmp(text, *code, length) == 0 &&
            (text[length] == '\0' || text[length] == '-'))
            return *code;
    }
    return NULL;
}

/* Returns the weight of a range such as "de;q=0.8", 0 if it is not a number. Cuts the range to its
 * tag. */
static double take_weight(char *range)
{
    char *parameter = strchr(range, ';');
    const char *value;

    if (parameter == NULL)
        return 1;
    *parameter++ = '\0';
    value = strstr(parameter, "q=");
    return value != NULL ? CLAMP(g_ascii_strtod(value + strlen("q="), NULL), 0, 1) : 1;
}

const char *request_language_negotiate(const char *accepted)
{
    g_auto(GStrv) ranges = g_strsplit(accepted != NULL ? accepted : "", ",", 32);
    const char *best = LANGUAGE_ENGLISH;
    double best_weight = 0;

    for (char **range = ranges; *range != NULL; range++) {
        double weight = take_weight(*range);
        const char *language = language_parse(g_strstrip(*range));

        if (language != NULL && weight > best_weight) {
            best = language;
            best_weight = weight;
        }
    }
    return best;
}

const char *request_language_of_cookies(const char *cookies)
{
    g_auto(GStrv) pairs = g_strsplit(cookies != NULL ? cookies : "", ";", 32);

    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *text = g_strstrip(*pair);

        if (g_str_has_prefix(text, COOKIE "="))
            return language_parse(text + strlen(COOKIE "="));
    }
    return NULL;
}

char *request_language_cookie(const char *code)
{
    return g_strdup_printf(COOKIE "=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax", code,
                           COOKIE_SECONDS);
}

/* Decodes percent escapes (RFC 3986 section 2.1), and "+" as a blank in a query. Returns NULL if an
 * escape is incomplete or means NUL. */
static char *decode(const char *text, gsize length, bool is_query)
{
    g_autoptr(GString) decoded = g_string_sized_new(length);

    for (gsize i = 0; i < length; i++) {
        char octet = text[i];

        if (octet == '+' && is_query)
            octet = ' ';
        if (octet == '%') {
            if (length - i < 3 || !g_ascii_isxdigit(text[i + 1]) || !g_ascii_isxdigit(text[i + 2]))
                return NULL;
            octet =
                (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        }
        if (octet == '\0')
            return NULL;
        g_string_append_c(decoded, octet);
    }
    return g_string_free(g_steal_pointer(&decoded), FALSE);
}

static void take_subject(Request *request, char *subject)
{
    g_free(request->subject);
    request->subject = subject;
    if (subject == NULL)
        request->route = ROUTE_NOTHING;
    else if (strlen(subject) > REQUEST_SUBJECT_MAX)
        request->is_too_long = true;
}

static bool is_route(const char *path, const char *text, gsize length)
{
    gsize wanted = strlen(path);

    if (wanted > 1 && path[wanted - 1] == '/')
        return length > wanted && strncmp(text, path, wanted) == 0;
    return length == wanted && strncmp(text, path, wanted) == 0;
}

static void parse_path(Request *request, const char *text, gsize length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
        gsize prefix = strlen(routes[i].path);

        if (!is_route(routes[i].path, text, length))
            continue;
        request->route = routes[i].route;
        if (length > prefix)
            take_subject(request, decode(text + prefix, length - prefix, false));
        return;
    }
}

static guint parse_days(const char *value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(days_choices); i++)
        if (g_ascii_strtoull(value, NULL, 10) == days_choices[i])
            return days_choices[i];
    return days_choices[0];
}

const char *request_order_text(LedgerOrder order)
{
    switch (order) {
    case LEDGER_BY_MESSAGES:
        return "messages";
    case LEDGER_BY_REWRITTEN:
        return "rewritten";
    case LEDGER_BY_NAME:
        return "domain";
    case LEDGER_BY_RESULT:
        return "result";
    case LEDGER_BY_LAST:
        return "last";
    }
    return "";
}

static guint parse_result(const char *value)
{
    guint result = 0;

    while (result < LEDGER_RESULTS && strcmp(ledger_result_text(result), value) != 0)
        result++;
    return result;
}

static AdviceKind parse_advice(const char *value)
{
    AdviceKind kind = 0;

    while (kind < ADVICE_KINDS && strcmp(advice_kind_row(kind)->name, value) != 0)
        kind++;
    return kind;
}

static void parse_order(RequestList *list, const char *value)
{
    bool is_reversed = *value == '-';

    for (LedgerOrder order = 0; order < LEDGER_ORDERS; order++) {
        if (strcmp(request_order_text(order), value + is_reversed) != 0)
            continue;
        list->order = order;
        list->is_reversed = is_reversed;
    }
}

static guint parse_page(const char *value)
{
    guint64 page = g_ascii_strtoull(value, NULL, 10);

    return (guint)CLAMP(page, 1, REQUEST_PAGE_MAX);
}

static bool is_list(const Request *request)
{
    return request->route == ROUTE_DOMAINS || request->route == ROUTE_CSV;
}

static void take_list_pair(RequestList *list, const char *name, const char *value)
{
    if (strcmp(name, "result") == 0)
        list->result = parse_result(value);
    else if (strcmp(name, "advice") == 0)
        list->advice = parse_advice(value);
    else if (strcmp(name, "sort") == 0)
        parse_order(list, value);
    else if (strcmp(name, "page") == 0)
        list->page = parse_page(value);
}

/* A list that is searched for nothing is the whole list. */
static void take_search(Request *request, const char *text)
{
    if (*text != '\0' || !is_list(request))
        take_subject(request, g_strdup(text));
    else
        g_clear_pointer(&request->subject, g_free);
}

static void take_pair(Request *request, const char *name, char *value)
{
    if (strcmp(name, "q") == 0 && (request->route == ROUTE_SEARCH || is_list(request)))
        take_search(request, g_strstrip(value));
    else if (strcmp(name, "lang") == 0)
        request->language = language_parse(value);
    else if (strcmp(name, "days") == 0)
        request->days = parse_days(value);
    else if (strcmp(name, "up") == 0)
        request->has_up = strcmp(value, "1") == 0;
    else if (is_list(request))
        take_list_pair(&request->list, name, value);
}

static void parse_query(Request *request, const char *query)
{
    while (*query != '\0') {
        gsize length = strcspn(query, "&");
        const char *equals = memchr(query, '=', length);

        if (equals != NULL) {
            g_autofree char *name = g_strndup(query, (gsize)(equals - query));
            g_autofree char *value = decode(equals + 1, length - (gsize)(equals + 1 - query), true);

            if (value != NULL)
                take_pair(request, name, value);
            else if (strcmp(name, "q") == 0)
                request->route = ROUTE_NOTHING;
        }
        query += length;
        query += *query == '&';
    }
}

Request *request_parse(const char *target)
{
    Request *request = g_new0(Request, 1);
    gsize length = strcspn(target, "?");

    request->route = ROUTE_NOTHING;
    request->days = days_choices[0];
    request->list = (RequestList){.result = LEDGER_RESULTS, .advice = ADVICE_KINDS, .page = 1};
    parse_path(request, target, length);
    if (request->route == ROUTE_SEARCH)
        request->subject = g_strdup("");
    if (target[length] == '?')
        parse_query(request, target + length + 1);
    return request;
}

void request_free(Request *request)
{
    g_free(request->subject);
    g_free(request);
}

char *request_domain_target(const char *domain)
{
    g_autofree char *escaped = g_uri_escape_bytes((const guint8 *)domain, strlen(domain), NULL);

    return g_strconcat("/domain/", escaped, NULL);
}

static bool has_word(const char *field, const char *word)
{
    g_autofree char *lower = g_ascii_strdown(field, -1);

    return strstr(lower, word) != NULL;
}

void request_note_accept(Request *request, const char *accept)
{
    request->is_prometheus = accept != NULL && has_word(accept, "text/plain") &&
                             !has_word(accept, "application/openmetrics-text");
}

static const char *path_of(Route route)
{
    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++)
        if (routes[i].route == route)
            return routes[i].path;
    return "/";
}

static void add_pair(GString *target, const char *name, const char *value)
{
    g_string_append_printf(target, "%c%s=%s", strchr(target->str, '?') != NULL ? '&' : '?', name,
                           value);
}

static void add_number(GString *target, const char *name, guint number)
{
    g_autofree char *text = g_strdup_printf("%u", number);

    add_pair(target, name, text);
}

static void add_list(GString *target, const RequestList *list)
{
    g_autofree char *order =
        g_strconcat(list->is_reversed ? "-" : "", request_order_text(list->order), NULL);

    if (list->result < LEDGER_RESULTS)
        add_pair(target, "result", ledger_result_text(list->result));
    if (list->advice < ADVICE_KINDS)
        add_pair(target, "advice", advice_kind_row(list->advice)->name);
    if (list->order != LEDGER_BY_MESSAGES || list->is_reversed)
        add_pair(target, "sort", order);
    if (list->page > 1)
        add_number(target, "page", list->page);
}

char *request_target(const Request *request, const char *language, guint days)
{
    GString *target = g_string_new(path_of(request->route));
    const char *subject = request->subject != NULL ? request->subject : "";
    g_autofree char *escaped = g_uri_escape_bytes((const guint8 *)subject, strlen(subject), NULL);

    if (request->route == ROUTE_SEARCH || (is_list(request) && *subject != '\0'))
        add_pair(target, "q", escaped);
    else
        g_string_append(target, escaped);
    if (is_list(request))
        add_list(target, &request->list);
    if (days != days_choices[0])
        add_number(target, "days", days);
    if (language != NULL)
        add_pair(target, "lang", language);
    return g_string_free(target, FALSE);
}
