#ifndef SPFROM_FLEET_FLEET_STORE_H
#define SPFROM_FLEET_FLEET_STORE_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "policy/fleet_member.h"

struct redisReply;

/*
 * The way to the store that the hosts of a fleet share: one Redis or Valkey, or a replicated set of
 * them, of which the one that says it is the master is used (design section 17). It knows
 * connections, time and trouble; what stands under which key is its users' business.
 *
 * One thread has the connection. It sends what waits in one go and reads the answers. Whoever asks
 * waits for the answers until his deadline and not longer. Once the store is in trouble, nobody
 * waits for it at all, until the thread has seen it write and read a key of its own.
 *
 * Lock protocol: one lock inside guards the queue and what fleet_store_state() tells. The thread
 * does not hold it while it waits for the store.
 */
typedef struct FleetStore FleetStore;

typedef struct {
    GPtrArray *members;        /* of FleetMember; copied */
    const char *host;          /* this host's name: part of the key that the thread tries */
    const char *name;          /* begins every key */
    const char *ca;            /* file of authorities for TLS; NULL: the system's */
    const char *password_file; /* read for each connection; NULL: no password */
    guint timeout;             /* milliseconds that the store may take for what is sent in one go */
} FleetStoreOptions;

/* Starts the thread; the store need not be there. Returns NULL if there can be no thread. */
FleetStore *fleet_store_new(const FleetStoreOptions *options);
/* Sends what waits, for at most as long as the store may take, and ends the thread. */
void fleet_store_free(FleetStore *store);

/*
 * Commands that are sent together. format is that of redisvFormatCommand(): words apart by blanks,
 * %s a string, %b octets and their size_t length. %K is not needed: begin a key with "%s:" and
 * fleet_store_name().
 */
typedef struct FleetCommands FleetCommands;
FleetCommands *fleet_commands_new(void);
void fleet_commands_add(FleetCommands *commands, const char *format, ...);
void fleet_commands_free(FleetCommands *commands);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FleetCommands, fleet_commands_free)

const char *fleet_store_name(const FleetStore *store);

/*
 * Sends commands and waits for the answers, at most until deadline. Takes commands.
 *
 * Returns an array of struct redisReply, one a command, in their order; NULL in it stands for an
 * error that is the key's and not the store's (a value of another type). Returns NULL if the
 * store can't be asked or did not answer in time.
 */
GPtrArray *fleet_store_ask(FleetStore *store, FleetCommands *commands, Deadline deadline);

/* One of these answers, borrowed; NULL: an error of its key. */
const struct redisReply *fleet_answer_at(const GPtrArray *answers, guint position);
bool fleet_answer_is_text(const struct redisReply *answer);
/* How many elements an answer has; 0 if it is no array. */
size_t fleet_answer_elements(const struct redisReply *answer);

/*
 * Sends commands without waiting, and takes them. If the store can't be asked, or too much waits,
 * they are dropped: returns false.
 */
bool fleet_store_tell(FleetStore *store, FleetCommands *commands);

/* Waits until the store is there, at most until deadline. Returns whether it is. */
bool fleet_store_wait(FleetStore *store, Deadline deadline);

/* How often something was asked or told, by what became of it. */
typedef enum {
    FLEET_OUTCOME_OK,
    FLEET_OUTCOME_TIMEOUT, /* no answer in time */
    FLEET_OUTCOME_ERROR,   /* the connection ended, or the store refused */
    FLEET_OUTCOME_SKIPPED, /* it was not asked, since it was in trouble or too much waited */
    FLEET_OUTCOMES
} FleetOutcome;
const char *fleet_outcome_text(FleetOutcome outcome);

/* Upper bounds of the histogram, in seconds; the last bucket has none. */
#define FLEET_SECONDS_BUCKETS 9
extern const double fleet_seconds_bounds[FLEET_SECONDS_BUCKETS - 1];

typedef struct {
    bool is_up;
    char *member;      /* the one that is used, or was last; "" before the first */
    gint64 since;      /* wall time of the last change between up and down, or of the start */
    gint64 round_trip; /* microseconds, of the last exchange; -1: none yet */
    char *trouble;     /* why it is down; NULL: it is up, or the first try is under way */
    guint64 requests[FLEET_OUTCOMES];
    guint64 seconds[FLEET_SECONDS_BUCKETS]; /* exchanges by their time */
    gint64 seconds_sum;                     /* microseconds */
} FleetStoreState;

/* What is known of the store now; cleared with fleet_store_state_clear(). */
void fleet_store_state(FleetStore *store, FleetStoreState *state);
void fleet_store_state_clear(FleetStoreState *state);
#endif
