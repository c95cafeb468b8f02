#include "config.h"

#include "daemon/session.h"

#include <glib.h>
#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <string.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/in_flight.h"
#include "daemon/ledger_writer.h"
#include "daemon/live_settings.h"
#include "daemon/message_log.h"
#include "daemon/metrics.h"
#include "daemon/returns.h"
#include "mail/edits.h"
#include "mail/header_fields.h"
#include "mail/mailboxes.h"
#include "mail/returned.h"
#include "policy/outbound.h"
#include "policy/plan.h"
#include "returns/letter_rows.h"
#include "verdict/decision.h"

#define NEEDED_ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGFROM)
/* What the decision does not need is not sent at all; what it needs comes without waiting for an
 * answer. */
#define UNWANTED_STEPS (SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NOEOH | SMFIP_NOBODY)
#define SILENT_STEPS (SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR)

/* One message, from MAIL to its end. */
typedef struct {
    LiveSettings live;
    bool is_authenticated;
    bool is_smtputf8;
    Mailbox *sender;
    HeaderFields *fields;
    guint recipients;
    guint local_recipients;
    GPtrArray
        *return_tokens; /* of char *: of the recipients that are addresses of ours, each once */
    GPtrArray
        *return_domains; /* of char *: those of their authors, once it is known to be returned */
    bool is_returned;    /* it came back from outside, to them alone */
    bool has_other_recipients; /* or more than RETURN_TOKENS_MAX tokens */
    Deadline deadline;         /* of all that is looked up for it; set at its end */
} Message;

#define RETURN_TOKENS_MAX 1000
#define RETURN_PATIENCE 1 /* seconds to look them up */

/* One connection. */
typedef struct {
    unsigned long steps; /* as negotiated */
    bool has_client;
    Network client;
    char *daemon_name;
    gsize mailbox_max; /* see mail/rewrite.h */
    InFlight in_flight;
    Message *message; /* NULL between two messages, and for one that began while the daemon ends */
} Session;

static void message_free(Message *message)
{
    g_clear_pointer(&message->sender, mailbox_free);
    g_clear_pointer(&message->fields, header_fields_free);
    g_clear_pointer(&message->return_tokens, g_ptr_array_unref);
    g_clear_pointer(&message->return_domains, g_ptr_array_unref);
    live_settings_release(&message->live);
    g_free(message);
}

static void session_free(Session *session)
{
    in_flight_end(&session->in_flight);
    g_clear_pointer(&session->message, message_free);
    g_free(session->daemon_name);
    g_free(session);
    metrics_count_disconnection();
}

static Session *session_of(SMFICTX *context)
{
    return smfi_getpriv(context);
}

/* The value of a macro, borrowed until the next callback; NULL where the MTA sent none. */
static const char *macro(SMFICTX *context, const char *name)
{
    return smfi_getsymval(context, (char *)name); /* libmilter takes char * and changes nothing */
}

/* The answer of a callback whose step was negotiated as one without. */
static sfsistat answer(const Session *session, unsigned long silent_step)
{
    return session != NULL && (session->steps & silent_step) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* Asks for the macros that are read below, whatever the MTA is configured to send. */
static void ask_for_macros(SMFICTX *context)
{
    static char connect[] = "{daemon_name} v";
    static char mail[] = "i {auth_authen} {auth_type}";
    static char recipient[] = "{rcpt_mailer}";
    static char end[] = "i";

    smfi_setsymlist(context, SMFIM_CONNECT, connect);
    smfi_setsymlist(context, SMFIM_ENVFROM, mail);
    smfi_setsymlist(context, SMFIM_ENVRCPT, recipient);
    smfi_setsymlist(context, SMFIM_EOM, end);
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long unused_1 G_GNUC_UNUSED,
                             unsigned long unused_2 G_GNUC_UNUSED, unsigned long *wanted_actions,
                             unsigned long *wanted_steps, unsigned long *wanted_1,
                             unsigned long *wanted_2)
{
    Session *session;

    if ((actions & NEEDED_ACTIONS) != NEEDED_ACTIONS) {
        log_write(LOG_ERR, "the MTA does not let a milter change header and envelope sender; "
                           "Postfix from 2.6 and Sendmail from 8.14 do");
        return SMFIS_REJECT;
    }
    session = g_try_new0(Session, 1);
    if (session == NULL || smfi_setpriv(context, session) != MI_SUCCESS) {
        g_free(session);
        return SMFIS_REJECT;
    }
    metrics_count_connection();
    *wanted_actions = NEEDED_ACTIONS | (actions & SMFIF_SETSYMLIST);
    *wanted_steps = steps & (UNWANTED_STEPS | SILENT_STEPS | SMFIP_HDR_LEADSPC);
    *wanted_1 = 0;
    *wanted_2 = 0;
    session->steps = *wanted_steps;
    if ((actions & SMFIF_SETSYMLIST) != 0)
        ask_for_macros(context);
    return SMFIS_CONTINUE;
}

/* Sendmail sends no version, and reads the mailboxes that we write anew; Postfix does neither. */
static bool is_postfix(const char *version)
{
    return version != NULL && g_str_has_prefix(version, "Postfix");
}

static sfsistat on_connect(SMFICTX *context, char *host G_GNUC_UNUSED, _SOCK_ADDR *address)
{
    Session *session = session_of(context);

    if (session == NULL)
        return SMFIS_TEMPFAIL;
    session->has_client =
        address != NULL &&
        network_from_sockaddr((const struct sockaddr *)(const void *)address, &session->client);
    g_free(session->daemon_name);
    session->daemon_name = g_strdup(macro(context, "{daemon_name}"));
    session->mailbox_max = is_postfix(macro(context, "v")) ? 0 : REWRITE_MAILBOX_MAX_SENDMAIL;
    return answer(session, SMFIP_NR_CONN);
}

/* Has MAIL this parameter (RFC 5321 section 4.1.1.11)? arguments[0] is the path. */
static bool has_parameter(char **arguments, const char *name)
{
    for (size_t i = 1; arguments[i] != NULL; i++)
        if (g_ascii_strcasecmp(arguments[i], name) == 0)
            return true;
    return false;
}

static bool is_set(const char *macro)
{
    return macro != NULL && macro[0] != '\0';
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    Session *session = session_of(context);
    Message *message = NULL;

    if (session != NULL) {
        g_clear_pointer(&session->message, message_free);
        if (in_flight_begin(&session->in_flight))
            message = g_try_new0(Message, 1);
    }
    if (message == NULL || !live_settings_take(&message->live)) {
        g_free(message);
        return answer(session, SMFIP_NR_MAIL); /* on_end() finds no message, and tempfails */
    }
    message->is_authenticated =
        is_set(macro(context, "{auth_authen}")) || is_set(macro(context, "{auth_type}"));
    message->is_smtputf8 = has_parameter(arguments, "SMTPUTF8");
    message->sender = mailbox_parse_path(arguments[0]);
    message->fields = header_fields_new();
    session->message = message;
    return answer(session, SMFIP_NR_MAIL);
}

static bool has_token(const GPtrArray *tokens, const char *token)
{
    for (guint i = 0; i < tokens->len; i++)
        if (strcmp(g_ptr_array_index(tokens, i), token) == 0)
            return true;
    return false;
}

/* False if path has not enough letters and digits in a row: most recipients need no closer look. A
 * quoted one may hide them. */
static bool may_have_token(const char *path)
{
    guint length = 0;

    for (const char *at = path; *at != '\0' && length < RETURN_TOKEN_LENGTH; at++) {
        if (*at == '"')
            return true;
        length = g_ascii_isalnum(*at) ? length + 1 : 0;
    }
    return length == RETURN_TOKEN_LENGTH;
}

/* Notes the recipient's token, or that it has none. */
static void note_token(Message *message, const char *path)
{
    GHashTable *forms = message->live.settings->return_forms;
    g_autoptr(Mailbox) recipient = NULL;
    ReturnToken token;

    if (message->has_other_recipients || g_hash_table_size(forms) == 0)
        return;
    if (!may_have_token(path)) {
        message->has_other_recipients = true;
        return;
    }
    recipient = mailbox_parse_path(path);
    if (message->return_tokens == NULL)
        message->return_tokens = g_ptr_array_new_with_free_func(g_free);
    if (!return_forms_find(forms, recipient, token) ||
        message->return_tokens->len == RETURN_TOKENS_MAX)
        message->has_other_recipients = true;
    else if (!has_token(message->return_tokens, token))
        g_ptr_array_add(message->return_tokens, g_strdup(token));
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
    Session *session = session_of(context);
    Message *message = session != NULL ? session->message : NULL;
    const char *mailer = macro(context, "{rcpt_mailer}");

    if (message == NULL)
        return answer(session, SMFIP_NR_RCPT);
    message->recipients++;
    if (mailer != NULL && outbound_is_local_mailer(
                              (const char *const *)message->live.settings->local_mailers, mailer))
        message->local_recipients++;
    note_token(message, arguments[0]);
    return answer(session, SMFIP_NR_RCPT);
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    Session *session = session_of(context);

    if (session != NULL && session->message != NULL) {
        bool is_led = (session->steps & SMFIP_HDR_LEADSPC) != 0 && value[0] == ' ';

        header_fields_append(session->message->fields, name, is_led ? value + 1 : value, -1);
    }
    return answer(session, SMFIP_NR_HDR);
}

/* What is known of the recipients of a message from outside. */
typedef enum {
    RETURN_NONE,    /* not addresses of ours alone */
    RETURN_KNOWN,   /* each leads to an author */
    RETURN_TROUBLE, /* that can't be told now */
} ReturnState;

/* Looks the tokens up, and keeps the authors' domains. */
static ReturnState return_state(Message *message, Deadline deadline)
{
    ReturnStore *store = returns_store();

    if (message->return_tokens == NULL || message->has_other_recipients)
        return RETURN_NONE;
    if (store == NULL)
        return RETURN_TROUBLE;
    message->return_domains = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < message->return_tokens->len; i++) {
        g_auto(ReturnStoreRow) row = {0};

        switch (return_store_find(store, g_ptr_array_index(message->return_tokens, i), deadline,
                                  &row)) {
        case RETURN_STORE_FOUND:
            break;
        case RETURN_STORE_UNKNOWN:
            return RETURN_NONE;
        case RETURN_STORE_TROUBLE:
            return RETURN_TROUBLE;
        }
        g_ptr_array_add(message->return_domains, g_strdup(strrchr(row.address, '@') + 1));
    }
    return RETURN_KNOWN;
}

/* What becomes of a message that is not outgoing. */
typedef enum { WAY_DECIDE, WAY_LEAVE_ALONE, WAY_PUT_OFF } Way;

static Way way_from_outside(Message *message, MessageAction *action)
{
    *action = MESSAGE_ACTION_INBOUND;
    switch (return_state(message, deadline_shortened(message->deadline, RETURN_PATIENCE))) {
    case RETURN_NONE:
        break;
    case RETURN_KNOWN:
        message->is_returned = true;
        return WAY_DECIDE;
    case RETURN_TROUBLE:
        /* left alone, a strict policy of its From: may destroy it on its second way */
        if (message->live.mode.mode != MODE_REWRITE)
            break;
        *action = MESSAGE_ACTION_ERROR;
        return WAY_PUT_OFF;
    }
    return WAY_LEAVE_ALONE;
}

/* Is there a decision to be made? If not, sets what becomes of the message. */
static Way way_of(const Session *session, Message *message, MessageAction *action)
{
    const OutboundClient client = {.has_address = session->has_client,
                                   .address = session->client,
                                   .is_authenticated = message->is_authenticated,
                                   .daemon_name = session->daemon_name};

    if (!outbound_is_ours(message->live.settings->outbound, &client))
        return way_from_outside(message, action);
    if (message->recipients == 0 || message->recipients != message->local_recipients)
        return WAY_DECIDE;
    *action = MESSAGE_ACTION_LOCAL;
    return WAY_LEAVE_ALONE;
}

static sfsistat tempfail(SMFICTX *context)
{
    static char code[] = "451";
    static char extended_code[] = "4.7.24"; /* SPF validation error (RFC 7372 section 3.2) */
    static char text[] = "The sender's domain can't be checked for SPF now, try again later";

    smfi_setreply(context, code, extended_code, text);
    return SMFIS_TEMPFAIL;
}

/* A second From: that stays behind would show readers whom it likes, and no retry makes it fewer.
 */
static sfsistat refuse(SMFICTX *context)
{
    static char code[] = "550";
    static char extended_code[] = "5.6.0"; /* other media error (RFC 3463 section 3.7) */
    static char text[] = "More fields From:, Reply-To:, Sender: or DKIM-Signature: than can be "
                         "taken off";

    smfi_setreply(context, code, extended_code, text);
    return SMFIS_REJECT;
}

/* A return that is not passed on. */
static sfsistat reject(SMFICTX *context, const Decision *decision)
{
    static char code[] = "554";
    static char extended_code[] = "5.4.6"; /* routing loop detected (RFC 3463 section 3.5) */
    static char text[] = "This message was returned to its author before";
    static char unwanted_code[] = "550";
    static char unwanted_extended_code[] = "5.7.1"; /* not authorised (RFC 3463 section 3.8) */
    static char unwanted_text[] = "This address does not take such messages; write to the address "
                                  "in Reply-To";

    if (decision->is_loop)
        smfi_setreply(context, code, extended_code, text);
    else
        smfi_setreply(context, unwanted_code, unwanted_extended_code, unwanted_text);
    return SMFIS_REJECT;
}

static bool apply_edit(SMFICTX *context, const Edit *edit, const char *value)
{
    char *name = edit->name;
    char *text = (char *)value; /* libmilter takes char * and changes nothing */

    switch (edit->kind) {
    case EDIT_CHANGE:
        return smfi_chgheader(context, name, (int)edit->index, text) == MI_SUCCESS;
    case EDIT_DELETE:
        return smfi_chgheader(context, name, (int)edit->index, NULL) == MI_SUCCESS;
    case EDIT_ADD:
        return smfi_addheader(context, name, text) == MI_SUCCESS;
    case EDIT_INSERT:
        return smfi_insheader(context, 0, name, text) == MI_SUCCESS;
    }
    return false;
}

static bool apply_edits(SMFICTX *context, const Edits *edits, bool is_leading_space)
{
    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);
        g_autofree char *value = edit->value != NULL
                                     ? g_strconcat(is_leading_space ? " " : "", edit->value, NULL)
                                     : NULL;

        if (!apply_edit(context, edit, value))
            return false;
    }
    return true;
}

/*
 * Carries a plan out at the end of a message: the header first, then the envelope sender. Nothing
 * else calls those functions of libmilter that change a message.
 *
 * edits             of the header; NULL if it stays
 * is_leading_space  the MTA leaves the blank after the colon to us (SMFIP_HDR_LEADSPC)
 * Returns false if libmilter refused one: the message is then half changed, and must be
 * tempfailed.
 */
static bool apply_plan(SMFICTX *context, const Plan *plan, const Edits *edits,
                       bool is_leading_space)
{
    g_autofree char *path = NULL;

    if (edits != NULL && !apply_edits(context, edits, is_leading_space))
        return false;
    if (plan->envelope_sender == NULL)
        return true;
    path = g_strconcat("<", plan->envelope_sender, ">", NULL);
    return smfi_chgfrom(context, path, NULL) == MI_SUCCESS;
}

/* Carries the plan out. Returns libmilter's answer, and what became of the message. */
static sfsistat carry_out(SMFICTX *context, const Session *session, const Decision *decision,
                          MessageAction *action)
{
    const Plan *plan = decision->plan;

    if (decision->is_returned && (decision->is_loop || decision->is_unwanted)) {
        *action = plan->mode == MODE_REWRITE ? MESSAGE_ACTION_REJECT : MESSAGE_ACTION_WOULD_REJECT;
        return plan->mode == MODE_REWRITE ? reject(context, decision) : SMFIS_CONTINUE;
    }
    *action = plan_message_action(plan);
    if (plan->is_log_only || (plan->action == PLAN_KEEP && decision->edits == NULL))
        return SMFIS_CONTINUE;
    if (plan->action == PLAN_TEMPFAIL)
        return tempfail(context);
    if (decision->is_refused) {
        *action = MESSAGE_ACTION_ERROR;
        return refuse(context);
    }
    if (apply_plan(context, plan, decision->edits, (session->steps & SMFIP_HDR_LEADSPC) != 0))
        return SMFIS_CONTINUE;
    *action = MESSAGE_ACTION_ERROR;
    return SMFIS_TEMPFAIL;
}

/* The message was passed on to the authors. */
static void note_passed_on(const Message *message, ReturnKind kind)
{
    metrics_count_returned(kind);
    for (guint i = 0; i < message->return_domains->len; i++) {
        return_store_use(returns_store(), g_ptr_array_index(message->return_tokens, i));
        ledger_writer_add_returned(message->live.settings,
                                   g_ptr_array_index(message->return_domains, i), kind);
    }
}

/* Is it a bounce to addresses of ours, from outside or written by our own MTA, and not the mere warning
 * of a delay? The body that says so is not sent to us: a bounce whose header doesn't tell counts as one,
 * so that nobody writes to an address that is no more. */
static bool is_failure(const Message *message, const Decision *decision)
{
    bool is_bounce = message->is_returned
                         ? decision != NULL && decision->return_kind == RETURN_BOUNCE
                         : message->return_tokens != NULL && !message->has_other_recipients &&
                               mailbox_is_null_sender(message->sender) &&
                               returned_kind(message->fields, true) == RETURN_BOUNCE;

    return is_bounce && !returned_is_delay(message->fields);
}

/* A letter of ours came back, if the bounce is for the token of one. */
static void note_letter_bounce(const Message *message)
{
    g_autofree char *file = letter_rows_file(message->live.settings);

    for (guint i = 0; file != NULL && i < message->return_tokens->len; i++)
        letter_rows_note_bounce(file, g_ptr_array_index(message->return_tokens, i),
                                clock_wall(&clock_system));
}

/* Counts and logs what became of a message; decision is NULL where none was made. The ledger is
 * about our authors: the author of a message from outside is none of them. */
static void report(int level, const Message *message, const MessageLog *entry,
                   const Decision *decision, sfsistat status)
{
    metrics_count_message(entry->action);
    if (decision != NULL && decision->plan != NULL && decision->plan->dkim != NULL)
        metrics_count_consent();
    if (message->is_returned)
        ledger_writer_add(message->live.settings, MESSAGE_ACTION_INBOUND, NULL);
    else
        ledger_writer_add(message->live.settings, entry->action, decision);
    if (message->is_returned && status == SMFIS_CONTINUE)
        note_passed_on(message, decision->return_kind);
    if (is_failure(message, decision))
        note_letter_bounce(message);
    message_log_write(level, message->live.settings, entry, decision);
}

/* begin is when the work on the message's end began. */
static sfsistat decide(SMFICTX *context, Session *session, gint64 begin, MessageLog *entry)
{
    const Message *message = session->message;
    const DecisionMessage asked = {.fields = message->fields,
                                   .sender = message->sender,
                                   .is_smtputf8 = message->is_smtputf8,
                                   .mailbox_max = session->mailbox_max,
                                   .return_tokens =
                                       message->is_returned ? message->return_tokens : NULL,
                                   .store = returns_store(),
                                   .deadline = message->deadline};
    g_autoptr(Decision) decision =
        decision_new(message->live.settings, message->live.mode, message->live.verdicts, &asked);
    gint64 end = g_get_monotonic_time();
    sfsistat status = carry_out(context, session, decision, &entry->action);

    if (!in_flight_answer(&session->in_flight))
        return SMFIS_TEMPFAIL;
    metrics_count_check(end - begin);
    entry->duration = g_get_monotonic_time() - begin;
    report(LOG_INFO, message, entry, decision, status);
    return status;
}

/* Answers without a decision. */
static sfsistat leave(Session *session, const MessageLog *entry, int level, sfsistat status)
{
    if (!in_flight_answer(&session->in_flight))
        return SMFIS_TEMPFAIL;
    report(level, session->message, entry, NULL, status);
    return status;
}

static void log_unknown(const char *queue_id)
{
    g_autoptr(GString) begin = g_string_new(NULL);

    log_value(begin, queue_id != NULL ? queue_id : "-");
    log_write(LOG_ERR, "%s: action=error reason=\"the message's beginning is not known\"",
              begin->str);
}

/* What is between "<" and ">" of the first Message-ID:, owned by the caller; NULL: there is none. */
static char *message_id_of(const HeaderFields *fields)
{
    const HeaderField *field = header_fields_nth(fields, "Message-ID", 1);
    const char *begin = field != NULL ? strchr(field->value, '<') : NULL;
    const char *end = begin != NULL ? strchr(begin, '>') : NULL;

    return end != NULL ? g_strndup(begin + 1, (gsize)(end - begin) - 1) : NULL;
}

static sfsistat on_end(SMFICTX *context)
{
    Session *session = session_of(context);
    sfsistat status = SMFIS_CONTINUE;
    g_autofree char *message_id = NULL;
    Message *message;
    MessageLog entry = {.queue_id = macro(context, "i")};
    gint64 begin = g_get_monotonic_time();

    if ((session == NULL || session->message == NULL) && in_flight_is_draining())
        return SMFIS_TEMPFAIL; /* as if the daemon had gone already, so that is no event */
    if (session == NULL || session->message == NULL) {
        metrics_count_message(MESSAGE_ACTION_ERROR);
        ledger_writer_add(NULL, MESSAGE_ACTION_ERROR, NULL);
        log_unknown(entry.queue_id);
        return SMFIS_TEMPFAIL;
    }
    message = session->message;
    message->deadline = deadline_after(begin, message->live.settings->check_timeout);
    message_id = message_id_of(message->fields);
    entry.message_id = message_id;
    entry.sender = message->sender;
    entry.client = session->has_client ? &session->client : NULL;
    entry.return_tokens = message->return_tokens;
    switch (way_of(session, message, &entry.action)) {
    case WAY_DECIDE:
        status = decide(context, session, begin, &entry);
        break;
    case WAY_LEAVE_ALONE:
        status = leave(session, &entry, LOG_DEBUG, SMFIS_CONTINUE);
        break;
    case WAY_PUT_OFF:
        status = leave(session, &entry, LOG_INFO, SMFIS_TEMPFAIL);
        break;
    }
    g_clear_pointer(&session->message, message_free);
    return status;
}

static sfsistat on_abort(SMFICTX *context)
{
    Session *session = session_of(context);

    if (session != NULL) {
        in_flight_end(&session->in_flight);
        g_clear_pointer(&session->message, message_free);
    }
    return SMFIS_CONTINUE;
}

/* May be the only callback of a connection. */
static sfsistat on_close(SMFICTX *context)
{
    Session *session = session_of(context);

    if (session != NULL) {
        smfi_setpriv(context, NULL);
        session_free(session);
    }
    return SMFIS_CONTINUE;
}

bool session_register(void)
{
    static char name[] = PACKAGE_NAME;
    struct smfiDesc description = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = NEEDED_ACTIONS,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_recipient,
        .xxfi_header = on_header,
        .xxfi_eom = on_end,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };

    return smfi_register(description) == MI_SUCCESS;
}
