#ifndef SPFROM_SHOW_MESSAGE_STORY_H
#define SPFROM_SHOW_MESSAGE_STORY_H

#include "base/language.h"
#include "control/message_record.h"

/* What became of a message and why, in English sentences, one paragraph for each: a NULL-terminated
 * array, owned by the caller. Strangers' text in it is not made visible yet (show/page.h). */
char **message_story(const MessageRecord *record);

/* The same in another language. */
char **message_story_in(const Language *language, const MessageRecord *record);
#endif
