#include "config.h"

#include "web/letter_page.h"

#include <string.h>

#include "base/domain_name.h"
#include "show/paragraph.h"
#include "web/layout.h"

#define ROWS_MAX 30

/* The text behind the line with the subject, which ends at a blank line. */
static const char *body_of(const char *letter)
{
    const char *end = strstr(letter, "\n\n");

    return end != NULL ? end + strlen("\n\n") : letter;
}

/* What follows "Subject: ", owned by the caller. */
static char *subject_of(const char *letter)
{
    gsize length = strcspn(letter, "\n");
    const char *colon = memchr(letter, ':', length);

    if (colon == NULL)
        return g_strdup("");
    return g_strstrip(g_strndup(colon + 1, length - (gsize)(colon + 1 - letter)));
}

/* A URL that opens the letter in a mail program (RFC 6068, whose lines end with CRLF). Who the
 * owner is, we know only if an address was asked for. */
static char *mail_link(const CheckSubject *subject, const char *letter)
{
    g_autofree char *address = subject->local_part != NULL
                                   ? g_strdup_printf("%s@%s", subject->local_part, subject->domain)
                                   : g_strdup("");
    g_autofree char *to = g_uri_escape_string(address, "@", FALSE);
    g_autofree char *title = subject_of(letter);
    g_autofree char *title_escaped = g_uri_escape_string(title, NULL, FALSE);
    g_auto(GStrv) lines = g_strsplit(body_of(letter), "\n", -1);
    g_autofree char *body = g_strjoinv("\r\n", lines);
    g_autofree char *body_escaped = g_uri_escape_string(body, NULL, FALSE);

    return g_strdup_printf("mailto:%s?subject=%s&body=%s", to, title_escaped, body_escaped);
}

static char *rows_of(const char *letter)
{
    guint lines = 1;

    for (const char *at = letter; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return g_strdup_printf("%u", MIN(lines, ROWS_MAX));
}

void letter_page_add(Html *html, const View *view, const CheckSubject *subject, const char *letter)
{
    const Request paper = {.route = ROUTE_LETTER, .subject = subject->domain, .days = 30};
    g_autofree char *rows = rows_of(letter);
    g_autofree char *mail = mail_link(subject, letter);
    g_autofree char *print = request_target(&paper, NULL, paper.days);

    html_open(html, "section", "class", "card", "aria-labelledby", "letter", NULL);
    html_open(html, "details", NULL);
    html_open(html, "summary", NULL);
    html_element(html, "h2", view_say(view, "A letter to the owner"), "id", "letter", NULL);
    html_close(html);
    html_element(html, "label", view_say(view, "Ready to be sent"), "for", "letter-text", NULL);
    html_open(html, "textarea", "id", "letter-text", "readonly", "", "rows", rows, "spellcheck",
              "false", NULL);
    html_lines(html, letter);
    html_close(html);
    layout_copy_button(html, view, "letter-text", view_say(view, "Copy the letter"));
    html_open(html, "ul", "class", "ways", NULL);
    html_open(html, "li", NULL);
    html_element(html, "a", view_say(view, "Open it in the mail program"), "href", mail, NULL);
    html_close(html);
    html_open(html, "li", NULL);
    html_element(html, "a", view_say(view, "Print it"), "href", print, NULL);
    html_close(html);
    html_close(html);
    html_close(html);
    html_close(html);
}

/* Does next go on with the paragraph of line, and begins a line only since there was no room? */
static bool goes_on(const char *line, const char *next)
{
    glong word = g_utf8_strlen(next, (gssize)strcspn(next, " "));

    return *line != ' ' && *line != '\0' && *next != ' ' && *next != '\0' &&
           g_utf8_strlen(line, -1) + 1 + word > PARAGRAPH_WIDTH;
}

/* Lines that begin with a blank have columns, or are to be typed; others fill the screen's width. */
static void add_lines(Html *html, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        html_element(html, "span", *line, "class", **line == ' ' ? "fixed" : NULL, NULL);
        if (line[1] != NULL)
            html_lines(html, goes_on(*line, line[1]) ? " " : "\n");
    }
}

char *letter_page(const View *view, const Request *request, const CheckSubject *subject,
                  const char *letter)
{
    g_autofree char *shown = domain_name_shown(subject->domain);
    g_autofree char *back = request_domain_target(subject->domain);
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, shown != NULL ? shown : subject->domain);
    html_open(&html, "div", "class", "not-on-paper", NULL);
    html_element(&html, "h1", view_say(view, "A letter to the owner"), NULL);
    html_open(&html, "p", NULL);
    html_element(&html, "a", shown != NULL ? shown : subject->domain, "class", "domain", "href",
                 back, NULL);
    html_close(&html);
    if (letter != NULL)
        html_element(&html, "p",
                     view_say(view, "Print this page (Ctrl+P): on paper there is only the letter."),
                     NULL);
    else
        html_element(&html, "p", view_say(view, "There is nothing to write just now."), NULL);
    html_close(&html);
    if (letter != NULL) {
        g_autofree char *title = subject_of(letter);

        html_open(&html, "article", "class", "card paper", NULL);
        html_element(&html, "p", title, "class", "summary", NULL);
        html_open(&html, "pre", NULL);
        add_lines(&html, body_of(letter));
        html_close(&html);
        html_close(&html);
    }
    return layout_end(&html, view);
}
