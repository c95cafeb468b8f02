#include "config.h"

#include "policy/message_action.h"

const char *message_action_text(MessageAction action)
{
    switch (action) {
    case MESSAGE_ACTION_KEEP:
        return "keep";
    case MESSAGE_ACTION_REWRITE:
        return "rewrite";
    case MESSAGE_ACTION_WOULD_REWRITE:
        return "would-rewrite";
    case MESSAGE_ACTION_TEMPFAIL:
        return "tempfail";
    case MESSAGE_ACTION_WOULD_TEMPFAIL:
        return "would-tempfail";
    case MESSAGE_ACTION_ERROR:
        return "error";
    case MESSAGE_ACTION_INBOUND:
        return "inbound";
    case MESSAGE_ACTION_LOCAL:
        return "local";
    case MESSAGE_ACTION_REJECT:
        return "reject";
    case MESSAGE_ACTION_WOULD_REJECT:
        return "would-reject";
    }
    return "error";
}
