#include "config.h"

#include "web/reply.h"

#include <string.h>

Reply *reply_new(guint status, const char *type, char *body)
{
    Reply *reply = g_new0(Reply, 1);

    reply->status = status;
    reply->type = type;
    reply->body = g_bytes_new_take(body, strlen(body));
    return reply;
}

Reply *reply_new_text(guint status, const char *line)
{
    return reply_new(status, REPLY_TEXT, g_strconcat(line, "\n", NULL));
}

void reply_free(Reply *reply)
{
    g_bytes_unref(reply->body);
    g_free(reply->location);
    g_free(reply);
}
