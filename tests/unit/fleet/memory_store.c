#include "config.h"

#include "unit/fleet/memory_store.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/folder.h"
#include "unit/table.h"
#include "unit/verdict/settings_from.h"

#define WORDS_MAX 16

struct MemoryStore {
    char *folder;
    int fd;
    gint time; /* of a command; by g_atomic_int_*() only */
    pthread_t thread;
    pthread_mutex_t lock; /* guards keys */
    GHashTable *keys;     /* key → its fields as a table of texts; a string is the field "" */
};

static Fleet *fleet;

static GHashTable *fields_of(MemoryStore *store, const char *key)
{
    return g_hash_table_lookup(store->keys, key);
}

static void put(MemoryStore *store, const char *key, const char *field, const char *value)
{
    GHashTable *fields = fields_of(store, key);

    if (fields == NULL) {
        fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_insert(store->keys, g_strdup(key), fields);
    }
    g_hash_table_insert(fields, g_strdup(field), g_strdup(value));
}

static const char *get(MemoryStore *store, const char *key, const char *field)
{
    GHashTable *fields = fields_of(store, key);

    return fields != NULL ? g_hash_table_lookup(fields, field) : NULL;
}

static void drop(MemoryStore *store, const char *key, const char *field)
{
    GHashTable *fields = fields_of(store, key);

    if (fields != NULL && g_hash_table_remove(fields, field) && g_hash_table_size(fields) == 0)
        g_hash_table_remove(store->keys, key);
}

static void say_text(FILE *out, const char *text)
{
    if (text == NULL)
        fputs("$-1\r\n", out);
    else
        fprintf(out, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void say_fields(FILE *out, GHashTable *fields, bool has_names, bool has_values)
{
    GHashTableIter iter;
    gpointer name, value;

    fprintf(out, "*%u\r\n",
            fields != NULL ? g_hash_table_size(fields) * (guint)(has_names + has_values) : 0);
    if (fields == NULL)
        return;
    g_hash_table_iter_init(&iter, fields);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (has_names)
            say_text(out, name);
        if (has_values)
            say_text(out, value);
    }
}

static void say_type(FILE *out, MemoryStore *store, const char *key)
{
    const char *type = get(store, key, "") != NULL ? "string" : "hash";

    fprintf(out, "+%s\r\n", fields_of(store, key) != NULL ? type : "none");
}

/* With the lock held. words ends in NULLs. */
static void answer(MemoryStore *store, char *const words[], FILE *out)
{
    const char *name = words[0];
    const char *key = words[1];

    if (strcmp(name, "SELECT") == 0) {
        fputs("+OK\r\n", out);
    } else if (strcmp(name, "ROLE") == 0) {
        fputs("*1\r\n$6\r\nmaster\r\n", out);
    } else if (strcmp(name, "SET") == 0) {
        put(store, key, "", words[2]);
        fputs("+OK\r\n", out);
    } else if (strcmp(name, "GET") == 0) {
        say_text(out, get(store, key, ""));
    } else if (strcmp(name, "HGET") == 0) {
        say_text(out, get(store, key, words[2]));
    } else if (strcmp(name, "HSET") == 0) {
        put(store, key, words[2], words[3]);
        fputs(":1\r\n", out);
    } else if (strcmp(name, "HDEL") == 0) {
        drop(store, key, words[2]);
        fputs(":1\r\n", out);
    } else if (strcmp(name, "DEL") == 0) {
        g_hash_table_remove(store->keys, key);
        fputs(":1\r\n", out);
    } else if (strcmp(name, "TYPE") == 0) {
        say_type(out, store, key);
    } else if (g_str_has_prefix(name, "EXPIRE")) {
        fputs(":1\r\n", out);
    } else if (strcmp(name, "HKEYS") == 0) {
        say_fields(out, fields_of(store, key), true, false);
    } else if (strcmp(name, "HGETALL") == 0) {
        say_fields(out, fields_of(store, key), true, true);
    } else {
        fputs("-ERR unknown command\r\n", out);
    }
}

/* Reads "$3\r\nSET\r\n", say. NULL at the end of the connection. */
static char *read_word(FILE *in)
{
    char line[32];
    char *word;
    gsize length;

    if (fgets(line, sizeof line, in) == NULL)
        return NULL;
    length = strtoul(line + 1, NULL, 10);
    word = g_malloc0(length + 3);
    if (fread(word, 1, length + 2, in) != length + 2)
        g_clear_pointer(&word, g_free);
    else
        word[length] = '\0';
    return word;
}

/* Answers one command. Returns false at the end of the connection. */
static bool serve(MemoryStore *store, FILE *in, FILE *out)
{
    char *words[WORDS_MAX + 1] = {NULL};
    char line[32];
    bool is_whole = fgets(line, sizeof line, in) != NULL;
    gulong count = is_whole ? strtoul(line + 1, NULL, 10) : 0;

    for (gulong i = 0; is_whole && i < count && i < WORDS_MAX; i++)
        is_whole = (words[i] = read_word(in)) != NULL;
    if (is_whole) {
        g_usleep((gulong)g_atomic_int_get(&store->time));
        pthread_mutex_lock(&store->lock);
        answer(store, words, out);
        pthread_mutex_unlock(&store->lock);
        is_whole = fflush(out) == 0;
    }
    for (guint i = 0; words[i] != NULL; i++)
        g_free(words[i]);
    return is_whole;
}

static void *run(void *data)
{
    MemoryStore *store = data;
    int fd;

    while ((fd = accept(store->fd, NULL, NULL)) >= 0) {
        FILE *in = fdopen(fd, "r");
        FILE *out = fdopen(dup(fd), "w");

        while (serve(store, in, out))
            continue;
        fclose(in);
        fclose(out);
    }
    return NULL;
}

static void free_fields(gpointer fields)
{
    g_hash_table_unref(fields);
}

MemoryStore *memory_store_new(void)
{
    MemoryStore *store = g_new0(MemoryStore, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *text = NULL;
    Settings *settings;

    signal(SIGPIPE, SIG_IGN);
    store->folder = g_dir_make_tmp("spfrom-store-XXXXXX", NULL);
    store->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_fields);
    pthread_mutex_init(&store->lock, NULL);
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", store->folder);
    store->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(store->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(store->fd, 8), 0);
    assert_int_equal(pthread_create(&store->thread, NULL, run, store), 0);
    text = g_strdup_printf("relay_hosts = {\"192.0.2.25\"}\nfleet = {\"unix:%s\"}\n"
                           "fleet_timeout = 10s\n",
                           address.sun_path);
    settings = settings_from(text);
    fleet = fleet_new(settings);
    settings_unref(settings);
    assert_non_null(fleet);
    assert_true(fleet_store_wait(fleet_store(fleet), deadline_in(60)));
    return store;
}

void memory_store_free(MemoryStore *store)
{
    g_clear_pointer(&fleet, fleet_unref);
    shutdown(store->fd, SHUT_RDWR);
    pthread_join(store->thread, NULL);
    close(store->fd);
    g_hash_table_unref(store->keys);
    pthread_mutex_destroy(&store->lock);
    folder_remove(store->folder);
    g_free(store);
}

void memory_store_slow_down(MemoryStore *store, gint time)
{
    g_atomic_int_set(&store->time, time);
}

Fleet *memory_store_fleet(void)
{
    return fleet_ref(fleet);
}

void memory_store_put(MemoryStore *store, const char *key, const char *field, const char *value)
{
    pthread_mutex_lock(&store->lock);
    put(store, key, field != NULL ? field : "", value);
    pthread_mutex_unlock(&store->lock);
}

char *memory_store_get(MemoryStore *store, const char *key, const char *field)
{
    char *value;

    pthread_mutex_lock(&store->lock);
    value = g_strdup(get(store, key, field != NULL ? field : ""));
    pthread_mutex_unlock(&store->lock);
    return value;
}
