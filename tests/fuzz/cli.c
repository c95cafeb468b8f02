/* What the tool and the pages read: '0' an answer of the daemon, '1' a message. */
#include "config.h"

#include "control/control_client.h"
#include "cli/message_file.h"
#include "show/page.h"
#include "cli/status.h"

#include <string.h>

#include "check.h"

#define NOW G_GINT64_CONSTANT(1769904000) /* seconds since 1970 */

static void check_page(const char *text)
{
    check(g_utf8_validate(text, -1, NULL));
    for (; *text != '\0'; text++)
        check((guchar)*text >= ' ' || *text == '\n' || *text == '\t');
}

/* What was read is written such that the same is read and written again. */
static void check_status(const DaemonStatus *status)
{
    json_t *written = daemon_status_write(status);
    g_autoptr(DaemonStatus) again = daemon_status_read(written);
    json_t *rewritten = daemon_status_write(again);

    check(json_equal(written, rewritten));
    json_decref(written);
    json_decref(rewritten);
}

static void parse_answer(const char *text, size_t length)
{
    json_t *answer = control_client_parse(text, length);
    g_autoptr(DaemonStatus) status = NULL;
    g_autoptr(DaemonStatusMode) mode = NULL;
    g_auto(Page) page;

    page_init(&page, false);
    if (answer == NULL)
        return;
    status = daemon_status_read(answer);
    check_status(status);
    mode = daemon_status_mode_read(answer);
    check(g_strcmp0(mode->mode, status->mode.mode) == 0);
    status_add(&page, status, NOW);
    check_page(page.text->str);
    check((control_client_refusal(answer) == NULL) == json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
}

/* What came of the header in pieces is the header, whatever is edited. */
static void check_pieces(const GPtrArray *pieces, const char *text, size_t length)
{
    size_t at = 0;

    for (guint i = 0; i < pieces->len; i++) {
        const MessagePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->old_text == NULL)
            continue;
        check(piece->old_text == text + at && piece->old_length <= length - at);
        at += piece->old_length;
    }
    check(at == length);
}

static void parse_message(const char *text, size_t length)
{
    g_autoptr(MessageFile) message = message_file_parse(text, length, true, NULL);
    g_autoptr(HeaderFields) fields = message_file_fields(message);
    g_autoptr(Edits) edits = edits_new();
    g_autoptr(GPtrArray) kept = message_file_apply(message, NULL);
    g_autoptr(GPtrArray) changed = NULL;

    for (guint i = 1; i <= header_fields_count(fields, "From"); i++)
        i == 1 ? edits_change(edits, "From", i, "<a@fallback.example>")
               : edits_delete(edits, "From", i);
    edits_add(edits, "Reply-To", "<b@praxis.example>,\n <c@praxis.example>");
    edits_insert(edits, "X-SPFrom", "rewritten");
    edits_sort(edits);
    changed = message_file_apply(message, edits);
    check_pieces(kept, text, message_file_head_end(message));
    check_pieces(changed, text, message_file_head_end(message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {parse_answer, parse_message};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
