#include "config.h"

#include "returns/return_share.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <string.h>

#include "ledger/ledger_tally.h"
#include "mail/mailboxes.h"
#include "returns/return_rows.h"

#define PIECE 100                     /* rows that are written in one go */
#define PAUSE (5 * CLOCK_MILLISECOND) /* between two pieces, so that messages go first */
#define WAITING_MAX 10000             /* tokens that wait to be told; of more, all rows are told */
#define PATIENCE 1                    /* seconds that one question of the thread takes at most */
#define RETRY CLOCK_SECOND            /* after one that was not answered */
#define EMPTY                                                                                      \
    (4 *                                                                                           \
     CLOCK_SECOND) /* in which the hosts fill a store that was emptied, or say that they did not yet */
#define FRESH (5 * CLOCK_SECOND)         /* a host that said nothing for so long has trouble … */
#define LIMIT (24 * 3600 * CLOCK_SECOND) /* … but nobody waits for it any more after this */
#define HOSTS_MAX 256
#define DAY_SECONDS 86400

/* What another host said last. */
typedef struct {
    char *text;      /* as it stands in the store */
    gint64 seen_at;  /* monotonic; when it last said something else */
    bool is_settled; /* it has told all its rows, and … */
    bool is_stopped; /* … there will be no more */
    bool is_there;   /* in the last answer */
} Host;

struct ReturnShare {
    Fleet *(*take_fleet)(void);
    char *host;
    char *file;
    GHmac *hmac; /* keyed */
    const Clock *clock;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t woken;
    guint days;
    GHashTable *waiting; /* tokens that the store does not have yet */
    bool is_all_waiting; /* all rows are to be told */
    bool is_telling;     /* what waited is on its way, or not yet said to be told */
    GHashTable *hosts;   /* name → Host; the others */
    gint64 answered_at;  /* monotonic; when the store last answered */
    gint64 emptied_at; /* monotonic; when this host's word was last seen to be missing; 0: never */
    bool is_stopping;
    Deadline stop_by; /* if it is to stop: what is not told until then is told by the next run */
    bool has_ended;
};

static gint64 now_of(const ReturnShare *share)
{
    return clock_monotonic(share->clock);
}

static guint32 today_of(const ReturnShare *share)
{
    return ledger_day_of(clock_wall(share->clock));
}

static const char *name_of(Fleet *fleet)
{
    return fleet_store_name(fleet_store(fleet));
}

/* --- what other hosts say --- */

static void host_free(gpointer data)
{
    Host *host = data;

    g_free(host->text);
    g_free(host);
}

/* With the lock held. Of a host that was not known, the time of its own clock says how old its word
 * is. */
static void note_host(ReturnShare *share, const char *name, const redisReply *value)
{
    Host *host = g_hash_table_lookup(share->hosts, name);
    gint64 age = 0;
    FleetReturnHost said;

    if (host != NULL)
        host->is_there = true;
    if ((host != NULL && strcmp(host->text, value->str) == 0) ||
        !fleet_return_host_parse(value->str, value->len, &said))
        return;
    if (host == NULL) {
        if (g_hash_table_size(share->hosts) >= HOSTS_MAX)
            return;
        age = CLAMP(clock_wall(share->clock) - said.seen, 0, LIMIT);
        host = g_new0(Host, 1);
        g_hash_table_insert(share->hosts, g_strdup(name), host);
    }
    g_free(host->text);
    host->text = g_strdup(value->str);
    host->seen_at = now_of(share) - age;
    host->is_settled = said.is_whole;
    host->is_stopped = said.is_stopped;
    host->is_there = true;
}

/* With the lock held. Takes the fields and values of NAME:returns. */
static void note_hosts(ReturnShare *share, const redisReply *answer)
{
    size_t count = fleet_answer_elements(answer);
    GHashTableIter iter;
    gpointer host;
    bool is_own_there = false;

    share->answered_at = now_of(share);
    g_hash_table_iter_init(&iter, share->hosts);
    while (g_hash_table_iter_next(&iter, NULL, &host))
        ((Host *)host)->is_there = false;
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (!fleet_answer_is_text(answer->element[i]) ||
            !fleet_answer_is_text(answer->element[i + 1]))
            continue;
        if (strcmp(answer->element[i]->str, share->host) == 0)
            is_own_there = true;
        else
            note_host(share, answer->element[i]->str, answer->element[i + 1]);
    }
    if (is_own_there)
        return;
    share->emptied_at = now_of(share);
    share->is_all_waiting = true;
}

static gboolean is_forgotten(gpointer name, gpointer data, gpointer share)
{
    (void)name;
    return now_of(share) - ((const Host *)data)->seen_at >= LIMIT;
}

/* With the lock held. Has everybody told all that he gave out? */
static bool is_complete(ReturnShare *share)
{
    GHashTableIter iter;
    gpointer data;

    if (share->emptied_at != 0 && now_of(share) - share->emptied_at < EMPTY)
        return false;
    g_hash_table_foreach_remove(share->hosts, is_forgotten, share);
    g_hash_table_iter_init(&iter, share->hosts);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const Host *host = data;

        if (host->is_settled && host->is_stopped)
            continue;
        if (!host->is_there || !host->is_settled || now_of(share) - host->seen_at > FRESH)
            return false;
    }
    return true;
}

/* --- a question --- */

/* Returns whether answer is the author that token stands for: anybody who can write into the store
 * could have put something else there. */
static bool take_row(const ReturnShare *share, const char *token, const redisReply *answer,
                     char **address, guint32 *day)
{
    g_autoptr(Mailbox) mailbox = NULL;
    ReturnToken own;
    FleetReturn row;

    if (!fleet_answer_is_text(answer) || !fleet_return_parse(answer->str, answer->len, &row))
        return false;
    mailbox = mailbox_parse_path(row.address);
    *day = row.day;
    fleet_return_clear(&row);
    if (mailbox->domain_name == NULL || mailbox->addr_spec == NULL)
        return false;
    return_token_make(share->hmac, mailbox, own);
    if (strcmp(own, token) != 0)
        return false;
    *address = g_strdup(mailbox->addr_spec);
    return true;
}

/* With the lock held. */
static ReturnShareOutcome unanswered(const ReturnShare *share)
{
    return now_of(share) - share->answered_at < LIMIT ? RETURN_SHARE_TROUBLE : RETURN_SHARE_UNKNOWN;
}

ReturnShareOutcome return_share_find(ReturnShare *share, const char *token, Deadline deadline,
                                     char **address, guint32 *day)
{
    g_autoptr(Fleet) fleet = share->take_fleet();
    g_autoptr(GPtrArray) answers = NULL;
    FleetCommands *commands;
    ReturnShareOutcome outcome;

    if (fleet == NULL)
        return RETURN_SHARE_UNKNOWN;
    commands = fleet_commands_new();
    fleet_commands_add(commands, "GET %s:return:%s", name_of(fleet), token);
    fleet_commands_add(commands, "HGETALL %s:returns", name_of(fleet));
    answers = fleet_store_ask(fleet_store(fleet), commands, fleet_patience(fleet, deadline));
    if (answers != NULL && take_row(share, token, fleet_answer_at(answers, 0), address, day))
        return RETURN_SHARE_FOUND;
    pthread_mutex_lock(&share->lock);
    if (answers != NULL) {
        note_hosts(share, fleet_answer_at(answers, 1));
        outcome = is_complete(share) ? RETURN_SHARE_UNKNOWN : RETURN_SHARE_TROUBLE;
    } else {
        outcome = unanswered(share);
    }
    pthread_mutex_unlock(&share->lock);
    return outcome;
}

/* --- the thread --- */

static GHashTable *tokens_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* With the lock held. */
static void wait_for(ReturnShare *share, const char *token)
{
    if (g_hash_table_size(share->waiting) < WAITING_MAX)
        g_hash_table_add(share->waiting, g_strdup(token));
    else
        share->is_all_waiting = true;
}

void return_share_note(ReturnShare *share, const char *token)
{
    pthread_mutex_lock(&share->lock);
    wait_for(share, token);
    pthread_cond_signal(&share->woken);
    pthread_mutex_unlock(&share->lock);
}

static GPtrArray *ask(Fleet *fleet, FleetCommands *commands)
{
    return fleet_store_ask(fleet_store(fleet), commands, deadline_in(PATIENCE));
}

static bool tell(Fleet *fleet, FleetCommands *commands)
{
    g_autoptr(GPtrArray) answers = ask(fleet, commands);

    return answers != NULL;
}

static guint days_of(ReturnShare *share)
{
    guint days;

    pthread_mutex_lock(&share->lock);
    days = share->days;
    pthread_mutex_unlock(&share->lock);
    return days;
}

/* A row lives as long in the store as in the file. */
static void add_row(ReturnShare *share, Fleet *fleet, FleetCommands *commands, const char *token,
                    const char *address, guint32 day)
{
    const FleetReturn row = {.address = (char *)address, .day = day};
    gint64 life = (gint64)day + days_of(share) + 1 - today_of(share);
    g_autofree char *text = fleet_return_text(&row);

    fleet_commands_add(commands, "SET %s:return:%s %s EX %lld", name_of(fleet), token, text,
                       (long long)MAX(life, 1) * DAY_SECONDS);
}

/* A row of another host's that was used here lives on in the store. */
static void add_use(ReturnShare *share, Fleet *fleet, FleetCommands *commands, const char *token)
{
    fleet_commands_add(commands, "EXPIRE %s:return:%s %lld", name_of(fleet), token,
                       ((long long)days_of(share) + 1) * DAY_SECONDS);
}

static bool add_from_file(ReturnShare *share, Fleet *fleet, ReturnRows *rows,
                          FleetCommands *commands, const char *token)
{
    g_autofree char *address = NULL;
    guint32 day = 0;

    if (!return_rows_find(rows, token, &address, &day, NULL))
        return false;
    if (address != NULL)
        add_row(share, fleet, commands, token, address, day);
    else
        add_use(share, fleet, commands, token);
    return true;
}

static GHashTable *take_waiting(ReturnShare *share)
{
    GHashTable *taken;

    pthread_mutex_lock(&share->lock);
    taken = share->waiting;
    share->waiting = tokens_new();
    share->is_telling = share->is_telling || g_hash_table_size(taken) > 0;
    pthread_mutex_unlock(&share->lock);
    return taken;
}

/* What was not told waits on. */
static void put_back(ReturnShare *share, GHashTable *tokens)
{
    GHashTableIter iter;
    gpointer token;

    pthread_mutex_lock(&share->lock);
    g_hash_table_iter_init(&iter, tokens);
    while (g_hash_table_iter_next(&iter, &token, NULL))
        wait_for(share, token);
    pthread_mutex_unlock(&share->lock);
}

/* Returns whether there is no time left: it is to stop, and for some time already. */
static bool is_over(ReturnShare *share)
{
    bool is;

    pthread_mutex_lock(&share->lock);
    is = share->is_stopping && deadline_is_over(share->stop_by);
    pthread_mutex_unlock(&share->lock);
    return is;
}

static bool tell_waiting(ReturnShare *share, Fleet *fleet, ReturnRows *rows)
{
    g_autoptr(GHashTable) tokens = take_waiting(share);

    while (g_hash_table_size(tokens) > 0) {
        g_autoptr(GPtrArray) piece = g_ptr_array_new_with_free_func(g_free);
        FleetCommands *commands = fleet_commands_new();
        bool is_read = true;
        GHashTableIter iter;
        gpointer token;

        g_hash_table_iter_init(&iter, tokens);
        while (is_read && piece->len < PIECE && g_hash_table_iter_next(&iter, &token, NULL)) {
            is_read = add_from_file(share, fleet, rows, commands, token);
            g_ptr_array_add(piece, g_strdup(token));
        }
        if (!tell(fleet, commands) || !is_read || is_over(share)) {
            put_back(share, tokens);
            return false;
        }
        for (guint i = 0; i < piece->len; i++)
            g_hash_table_remove(tokens, g_ptr_array_index(piece, i));
    }
    return true;
}

/* Tells the rows in pieces, by token. */
static bool tell_all(ReturnShare *share, Fleet *fleet, ReturnRows *rows)
{
    char last[RETURN_TOKEN_LENGTH + 1] = "";

    while (!is_over(share)) {
        g_autoptr(GPtrArray) piece = return_rows_after(rows, last, PIECE, NULL);
        FleetCommands *commands;

        if (piece == NULL)
            return false;
        if (piece->len == 0)
            return true;
        commands = fleet_commands_new();
        for (guint i = 0; i < piece->len; i++) {
            const ReturnRow *row = g_ptr_array_index(piece, i);

            add_row(share, fleet, commands, row->token, row->address, row->day);
            g_strlcpy(last, row->token, sizeof last);
        }
        if (!tell(fleet, commands))
            return false;
        g_usleep(PAUSE);
    }
    return false;
}

static bool is_all_waiting(ReturnShare *share)
{
    bool is_waiting;

    pthread_mutex_lock(&share->lock);
    is_waiting = share->is_all_waiting;
    share->is_all_waiting = false;
    share->is_telling = share->is_telling || is_waiting;
    pthread_mutex_unlock(&share->lock);
    return is_waiting;
}

static bool has_waiting(ReturnShare *share)
{
    bool has;

    pthread_mutex_lock(&share->lock);
    has = share->is_all_waiting || g_hash_table_size(share->waiting) > 0;
    pthread_mutex_unlock(&share->lock);
    return has;
}

/* Returns whether nothing is left to be told. */
static bool tell_rows(ReturnShare *share, Fleet *fleet)
{
    bool is_all = is_all_waiting(share);
    g_autoptr(ReturnRows) rows = NULL;
    bool is_told = true;

    if (!is_all && !has_waiting(share))
        return true;
    rows = return_rows_open_read_only(share->file, NULL);
    if (is_all)
        is_told = rows != NULL && tell_all(share, fleet, rows);
    if (!is_told) {
        pthread_mutex_lock(&share->lock);
        share->is_all_waiting = true;
        pthread_mutex_unlock(&share->lock);
    }
    return is_told && rows != NULL && tell_waiting(share, fleet, rows);
}

/* Reads what all hosts say, and mends a key that is no hash. */
static bool hear(ReturnShare *share, Fleet *fleet)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *said;

    fleet_commands_add(commands, "HGETALL %s:returns", name_of(fleet));
    answers = ask(fleet, commands);
    if (answers == NULL)
        return false;
    said = fleet_answer_at(answers, 0);
    pthread_mutex_lock(&share->lock);
    note_hosts(share, said);
    pthread_mutex_unlock(&share->lock);
    if (said != NULL)
        return true;
    commands = fleet_commands_new();
    fleet_commands_add(commands, "DEL %s:returns", name_of(fleet));
    return tell(fleet, commands);
}

static bool say(ReturnShare *share, Fleet *fleet, bool is_stopped)
{
    const FleetReturnHost own = {.seen = clock_wall(share->clock),
                                 .is_whole = !has_waiting(share),
                                 .is_stopped = is_stopped};
    g_autofree char *text = fleet_return_host_text(&own);
    FleetCommands *commands = fleet_commands_new();

    fleet_commands_add(commands, "HSET %s:returns %s %s", name_of(fleet), share->host, text);
    return tell(fleet, commands);
}

/* Returns whether the store answered all the time. That rows are missing is said before they are
 * told, which may take a while. */
static bool go_round(ReturnShare *share, Fleet *fleet)
{
    bool is_told;

    if (!hear(share, fleet) || (has_waiting(share) && !say(share, fleet, false)))
        return false;
    is_told = tell_rows(share, fleet);
    return say(share, fleet, false) && is_told;
}

/* What was taken is told, or waits again. */
static void end_telling(ReturnShare *share)
{
    pthread_mutex_lock(&share->lock);
    share->is_telling = false;
    pthread_mutex_unlock(&share->lock);
}

/* Waits until something is to be told or a round is due. Returns false if it is to stop. */
static bool wait_until(ReturnShare *share, gint64 next, bool is_answered)
{
    bool is_going_on;

    pthread_mutex_lock(&share->lock);
    while (!share->is_stopping && !(is_answered && g_hash_table_size(share->waiting) > 0) &&
           deadline_wait(next, &share->woken, &share->lock))
        ;
    is_going_on = !share->is_stopping;
    pthread_mutex_unlock(&share->lock);
    return is_going_on;
}

static void *run(void *data)
{
    ReturnShare *share = data;
    gint64 all_at = 0; /* when all rows are told whatever the store says */
    gint64 round_at = 0;
    bool is_answered = true;
    Fleet *fleet;

    pthread_setname_np(pthread_self(), "spfrom-share");
    while (wait_until(share, round_at, is_answered)) {
        if (now_of(share) >= all_at) {
            pthread_mutex_lock(&share->lock);
            share->is_all_waiting = true;
            pthread_mutex_unlock(&share->lock);
            all_at = now_of(share) + LIMIT;
        }
        fleet = share->take_fleet();
        if (fleet == NULL) {
            is_answered = false;
            round_at = now_of(share) + RETRY;
        } else if (is_answered && now_of(share) < round_at) {
            is_answered = tell_rows(share, fleet);
        } else {
            is_answered = go_round(share, fleet);
            round_at = now_of(share) + (is_answered ? RETURN_SHARE_ROUND * CLOCK_SECOND : RETRY);
        }
        end_telling(share);
        fleet_unref(fleet);
    }
    fleet = share->take_fleet();
    if (fleet != NULL) {
        tell_rows(share, fleet);
        say(share, fleet, true);
    }
    fleet_unref(fleet);
    pthread_mutex_lock(&share->lock);
    share->is_telling = false;
    share->has_ended = true;
    pthread_mutex_unlock(&share->lock);
    return NULL;
}

bool return_share_has_host(ReturnShare *share, const char *name)
{
    bool has;

    pthread_mutex_lock(&share->lock);
    has = g_hash_table_contains(share->hosts, name);
    pthread_mutex_unlock(&share->lock);
    return has;
}

bool return_share_is_unsent(ReturnShare *share)
{
    bool is_unsent;

    pthread_mutex_lock(&share->lock);
    is_unsent = share->is_all_waiting || share->is_telling || g_hash_table_size(share->waiting) > 0;
    pthread_mutex_unlock(&share->lock);
    return is_unsent;
}

void return_share_set_days(ReturnShare *share, guint days)
{
    pthread_mutex_lock(&share->lock);
    share->is_all_waiting = share->is_all_waiting || days != share->days;
    share->days = days;
    pthread_mutex_unlock(&share->lock);
}

ReturnShare *return_share_start(const ReturnShareOptions *options)
{
    ReturnShare *share = g_new0(ReturnShare, 1);

    share->take_fleet = options->take_fleet;
    share->host = g_strdup(options->host);
    share->file = g_strdup(options->file);
    share->days = options->days;
    share->clock = options->clock;
    share->hmac = return_token_hmac(options->key);
    share->waiting = tokens_new();
    share->is_all_waiting = true; /* the store may not have what the last run gave out */
    share->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, host_free);
    share->answered_at = now_of(share);
    pthread_mutex_init(&share->lock, NULL);
    deadline_init_condition(&share->woken);
    if (pthread_create(&share->thread, NULL, run, share) == 0)
        return share;
    share->has_ended = true;
    return_share_free(share);
    return NULL;
}

void return_share_stop(ReturnShare *share)
{
    pthread_mutex_lock(&share->lock);
    share->is_stopping = true;
    share->stop_by = deadline_in(PATIENCE);
    pthread_cond_signal(&share->woken);
    pthread_mutex_unlock(&share->lock);
    pthread_join(share->thread, NULL);
}

void return_share_free(ReturnShare *share)
{
    g_hash_table_unref(share->waiting);
    g_hash_table_unref(share->hosts);
    pthread_cond_destroy(&share->woken);
    pthread_mutex_destroy(&share->lock);
    g_hmac_unref(share->hmac);
    g_free(share->host);
    g_free(share->file);
    g_free(share);
}
