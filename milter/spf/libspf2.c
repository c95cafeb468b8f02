#include "config.h"

#include "spf/libspf2.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <spf2/spf.h>

#include "base/log.h"

/* Of the buffer into which libspf2 reads the host name; it aborts if that is too small. */
#define HOST_NAME_SIZE 64

/*
 * libspf2 gets these in place of the real values, which only check_host.c knows. The relay is this
 * address for it, and a term that matches is answered with it. (With the real address, a relay on
 * 127.0.0.0/8 would always pass.)
 */
#define RELAY "192.0.2.1"
#define SENDER "postmaster@t0._spfrom"
#define HELO "helo._spfrom"

G_DEFINE_QUARK(spfrom_libspf2_error, libspf2_error)

static _Thread_local jmp_buf *rescue; /* of the evaluation that runs in this thread */
static gint failures;                 /* atomic */

/* libspf2 would abort: leave it. It must not return from here. */
static G_NORETURN void leave(const char *file, int line, const char *message)
{
    g_atomic_int_inc(&failures);
    log_write(LOG_ERR, "libspf2 gave up: %s (%s:%d)", message, file, line);
    longjmp(*rescue, 1);
}

bool libspf2_init(GError **error)
{
    char name[256] = "";

    if (gethostname(name, sizeof name - 1) != 0 || strlen(name) >= HOST_NAME_SIZE) {
        g_set_error(error, LIBSPF2_ERROR, LIBSPF2_ERROR_HOST_NAME,
                    "the host name of this system must be shorter than %d characters for libspf2",
                    HOST_NAME_SIZE);
        return false;
    }
    SPF_error_handler = leave;
    SPF_warning_handler = NULL;
    SPF_info_handler = NULL;
    SPF_debug_handler = NULL;
    return true;
}

guint libspf2_failures(void)
{
    return (guint)g_atomic_int_get(&failures);
}

/* An answer without records. If memory is out, libspf2 gives up on NULL: see leave(). */
static SPF_dns_rr_t *answer_empty(SPF_dns_server_t *server, const char *name, ns_type type,
                                  SPF_dns_stat_t status)
{
    return SPF_dns_rr_new_init(server, name, type, 0, status);
}

/* Adds a record of data to answer. */
static bool add_record(SPF_dns_rr_t *answer, const void *data, gsize length)
{
    if (SPF_dns_rr_buf_realloc(answer, answer->num_rr, MAX(length, sizeof(SPF_dns_rr_data_t))) !=
        SPF_E_SUCCESS)
        return false;
    memcpy(answer->rr[answer->num_rr], data, length);
    answer->num_rr++;
    return true;
}

static SPF_dns_rr_t *answer_record(SPF_dns_server_t *server, const char *name, ns_type type,
                                   const void *data, gsize length)
{
    SPF_dns_rr_t *answer = SPF_dns_rr_new_init(server, name, type, 0, NETDB_SUCCESS);

    if (answer != NULL && !add_record(answer, data, length))
        answer->herrno = TRY_AGAIN;
    return answer;
}

static SPF_dns_rr_t *answer_match(SPF_dns_server_t *server, const char *name, bool is_match)
{
    struct in_addr relay;

    if (!is_match)
        return answer_empty(server, name, ns_t_a, NO_DATA);
    inet_pton(AF_INET, RELAY, &relay);
    return answer_record(server, name, ns_t_a, &relay, sizeof relay);
}

static SPF_dns_rr_t *answer_text(SPF_dns_server_t *server, const char *name, guint term)
{
    g_autofree char *text = check_open_record(server->hook, term);

    if (text == NULL)
        return answer_empty(server, name, ns_t_txt, NO_DATA);
    return answer_record(server, name, ns_t_txt, text, strlen(text) + 1);
}

/* The hosts of an mx, under aliases: libspf2 will ask for their addresses. */
static SPF_dns_rr_t *answer_hosts(SPF_dns_server_t *server, const char *name, guint term)
{
    guint hosts = check_hosts(server->hook, term);
    SPF_dns_rr_t *answer = answer_empty(server, name, ns_t_mx, hosts > 0 ? NETDB_SUCCESS : NO_DATA);

    for (guint i = 0; answer != NULL && i < hosts; i++) {
        char alias[64];

        g_snprintf(alias, sizeof alias, "h%u.%s", i, name);
        if (!add_record(answer, alias, strlen(alias) + 1))
            answer->herrno = TRY_AGAIN;
    }
    return answer;
}

/* Reads letter and number off the beginning of name. */
static bool parse_alias(const char **name, char letter, guint *number)
{
    char *end;

    if (**name != letter)
        return false;
    *number = (guint)g_ascii_strtoull(*name + 1, &end, 10);
    *name = end;
    return *end == '.';
}

static SPF_dns_rr_t *answer(SPF_dns_server_t *server, const char *name, ns_type type)
{
    const char *at = name;
    guint term, host;

    if (parse_alias(&at, 'h', &host)) {
        at++;
        if (parse_alias(&at, 't', &term))
            return answer_match(server, name, check_match_host(server->hook, term, host));
    }
    if (!parse_alias(&at, 't', &term))
        return answer_empty(server, name, type, NO_DATA);
    if (type == ns_t_txt)
        return answer_text(server, name, term);
    if (type == ns_t_mx)
        return answer_hosts(server, name, term);
    if (type == ns_t_a)
        return answer_match(server, name, check_match(server->hook, term));
    /* Type SPF (99), which RFC 7208 has given up. */
    return answer_empty(server, name, type, NO_DATA);
}

/* The DNS of libspf2. Once the result is forced, every answer is trouble, so that libspf2
 * unwinds. */
static SPF_dns_rr_t *lookup(SPF_dns_server_t *server, const char *name, ns_type type,
                            int should_cache)
{
    const Check *check = server->hook;
    SPF_dns_rr_t *answered;

    (void)should_cache;
    if (check->is_forced)
        return answer_empty(server, name, type, TRY_AGAIN);
    answered = answer(server, name, type);
    if (answered != NULL && check->is_forced)
        answered->herrno = TRY_AGAIN;
    return answered;
}

static SpfResult result_of(Check *check, SPF_result_t result, SPF_errcode_t code)
{
    switch (result) {
    case SPF_RESULT_NEUTRAL:
        return SPF_NEUTRAL;
    case SPF_RESULT_PASS:
        return SPF_PASS;
    case SPF_RESULT_FAIL:
        return SPF_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return SPF_SOFTFAIL;
    case SPF_RESULT_NONE:
        return SPF_NONE;
    case SPF_RESULT_INVALID:
    case SPF_RESULT_TEMPERROR:
    case SPF_RESULT_PERMERROR:
        /* We force these with a reason of our own: here it can only be a failure inside libspf2. */
        break;
    }
    check_force(check, SPF_TEMPERROR, "libspf2: %s", SPF_strerror(code));
    return check->result;
}

static SpfResult query(Check *check, SPF_server_t *server)
{
    SPF_request_t *request = SPF_request_new(server);
    SPF_response_t *response = NULL;
    SPF_errcode_t code = SPF_request_set_ipv4_str(request, RELAY);
    SpfResult result;

    if (code == SPF_E_SUCCESS)
        code = SPF_request_set_env_from(request, SENDER);
    if (code == SPF_E_SUCCESS)
        code = SPF_request_set_helo_dom(request, HELO);
    if (code == SPF_E_SUCCESS)
        code = SPF_request_query_mailfrom(request, &response);
    result = result_of(check, response != NULL ? SPF_response_result(response) : SPF_RESULT_INVALID,
                       code);
    if (response != NULL)
        SPF_response_free(response);
    SPF_request_free(request);
    return result;
}

static SpfResult run(Check *check)
{
    SPF_dns_server_t dns = {.lookup = lookup, .name = "spfrom", .hook = check};
    SPF_server_t *server = SPF_server_new_dns(&dns, 0);
    SPF_response_t *response = NULL;
    SpfResult result;

    /* Its own explanation is expanded for each include that doesn't pass: a quarter of the time. */
    SPF_server_set_explanation(server, "-", &response);
    if (response != NULL)
        SPF_response_free(response);
    result = query(check, server);
    SPF_server_free(server);
    return result;
}

SpfResult libspf2_run(Check *check)
{
    jmp_buf frame;
    SpfResult result;

    rescue = &frame;
    if (setjmp(frame) != 0) {
        rescue = NULL;
        check_force(check, SPF_TEMPERROR, "libspf2 gave up");
        return check->result;
    }
    result = run(check);
    rescue = NULL;
    return check->is_forced ? check->result : result;
}
