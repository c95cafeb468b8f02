#include "config.h"

#include "web/layout.h"

#include <stdbool.h>
#include <string.h>

static void add_head(Html *html, const View *view, const char *title)
{
    g_autofree char *full = g_strdup_printf("%s · spfrom", title);

    html_open_head(html, language_code(view->language), full);
    html_empty(html, "link", "rel", "icon", "type", "image/svg+xml", "href", "/assets/icon.svg",
               NULL);
    html_empty(html, "link", "rel", "stylesheet", "href", "/assets/spfrom.css", NULL);
    html_element(html, "script", "", "src", "/assets/spfrom.js", "defer", "", NULL);
    html_close(html);
}

static void add_page_link(Html *html, const Request *request, Route route, const char *target,
                          const char *text)
{
    html_open(html, "li", NULL);
    html_element(html, "a", text, "href", target, "aria-current",
                 request->route == route ? "page" : NULL, NULL);
    html_close(html);
}

static void add_language_link(Html *html, const View *view, const Request *request,
                              const char *language, const char *name)
{
    g_autofree char *target = request_target(request, language, request->days);
    bool is_current = strcmp(language_code(view->language), language) == 0;

    html_open(html, "li", NULL);
    html_element(html, "a", name, "href", target, "lang", language, "hreflang", language,
                 "aria-current", is_current ? "true" : NULL, NULL);
    html_close(html);
}

static void add_top(Html *html, const View *view, const Request *request)
{
    html_open(html, "header", "class", "top", NULL);
    html_open(html, "div", "class", "width", NULL);
    html_open(html, "a", "class", "brand", "href", "/", NULL);
    html_empty(html, "img", "src", "/assets/icon.svg", "alt", "", "width", "28", "height", "28",
               NULL);
    html_text(html, "spfrom");
    html_close(html);
    html_open(html, "nav", "aria-label", view_say(view, "Pages"), NULL);
    html_open(html, "ul", NULL);
    add_page_link(html, request, ROUTE_OVERVIEW, "/", view_say(view, "Overview"));
    add_page_link(html, request, ROUTE_DOMAINS, "/domains", view_say(view, "Domains"));
    if (view->has_fleet)
        add_page_link(html, request, ROUTE_FLEET, "/fleet", view_say(view, "Fleet"));
    if (view->has_changes)
        add_page_link(html, request, ROUTE_CHANGES, "/changes", view_say(view, "Changes"));
    if (view->has_letters)
        add_page_link(html, request, ROUTE_LETTERS, "/letters", view_say(view, "Letters"));
    html_close(html);
    html_close(html);
    html_open(html, "nav", "class", "languages", "aria-label", view_say(view, "Language"), NULL);
    html_open(html, "ul", NULL);
    add_language_link(html, view, request, "de", "Deutsch");
    add_language_link(html, view, request, "en", "English");
    html_close(html);
    html_close(html);
    html_close(html);
    html_close(html);
}

static void add_search(Html *html, const View *view, const Request *request)
{
    bool has_subject = request->route == ROUTE_SEARCH || request->route == ROUTE_DOMAIN;

    html_open(html, "search", "class", "search", NULL);
    html_open(html, "form", "class", "width", "action", "/search", "method", "get", "role",
              "search", NULL);
    html_element(html, "label", view_say(view, "Domain or mail address"), "for", "q", NULL);
    html_open(html, "div", "class", "field", NULL);
    html_empty(html, "input", "id", "q", "name", "q", "type", "text", "inputmode", "email",
               "enterkeyhint", "search", "autocomplete", "off", "autocapitalize", "none",
               "spellcheck", "false", "required", "", "maxlength", "320", "placeholder",
               "praxis-mueller.de", "value", has_subject ? request->subject : "", NULL);
    html_element(html, "button", view_say(view, "Check"), "type", "submit", NULL);
    html_close(html);
    html_element(html, "p", "", "id", "asking", "role", "status", "data-asking",
                 view_say(view, "DNS is being asked. If it is slow, that takes some seconds."),
                 NULL);
    html_close(html);
    html_close(html);
}

void layout_begin(Html *html, const View *view, const Request *request, const char *title)
{
    add_head(html, view, title);
    html_open(html, "body", NULL);
    html_element(html, "a", view_say(view, "To the content"), "class", "skip", "href", "#main",
                 NULL);
    add_top(html, view, request);
    add_search(html, view, request);
    html_open(html, "main", "id", "main", "class", "width", "tabindex", "-1", NULL);
}

char *layout_end(Html *html, const View *view)
{
    html_close(html);
    html_open(html, "footer", "class", "width", NULL);
    html_open(html, "p", NULL);
    html_text(html, "spfrom " PACKAGE_VERSION " · ");
    html_text(html, view_say(view, "These pages only show; nothing can be changed here."));
    html_close(html);
    html_close(html);
    return html_finish(html);
}

void layout_periods(Html *html, const View *view, const Request *request)
{
    static const guint choices[] = {7, 30, 90, 365};

    html_open(html, "nav", "class", "periods", "aria-label", view_say(view, "Time"), NULL);
    html_open(html, "ul", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        g_autofree char *target = request_target(request, NULL, choices[i]);
        g_autofree char *days = g_strdup_printf("%u", choices[i]);
        g_autofree char *text =
            language_fill(view->language, N_("{days} days"), "days", days, NULL);
        bool is_current = request->days == choices[i];

        html_open(html, "li", NULL);
        html_element(html, "a", text, "href", target, "aria-current", is_current ? "true" : NULL,
                     NULL);
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

void layout_nothing_seen(Html *html, const View *view)
{
    html_element(html, "p", view_say(view, "There was no outgoing mail in this time."), NULL);
    html_element(html, "p",
                 view_say(view, "If mail was sent, the MTA does not ask spfrom yet, or does not "
                                "count it as outgoing. On the mail server, this says what is "
                                "missing, and how to mend it:"),
                 NULL);
    html_element(html, "code", "spfrom doctor", "class", "quote", NULL);
    html_element(html, "p",
                 view_say(view, "Until then any domain can be checked in the field above."), NULL);
}

void layout_copy_button(Html *html, const View *view, const char *source, const char *text)
{
    g_autofree char *status = g_strconcat(source, "-status", NULL);

    html_open(html, "div", "class", "copy", NULL);
    html_element(html, "button", text, "type", "button", "hidden", "", "data-copy", source,
                 "data-done", view_say(view, "Copied."), "data-failed",
                 view_say(view, "Not copied: select the text and copy it by hand."), NULL);
    html_element(html, "span", "", "id", status, "role", "status", NULL);
    html_close(html);
}

static const char *mode_colour(const char *mode)
{
    if (g_strcmp0(mode, "rewrite") == 0)
        return "good";
    return g_strcmp0(mode, "log-only") == 0 ? "doubtful" : "bad";
}

void layout_mode(Html *html, const char *mode, const char *class)
{
    g_autofree char *classes = g_strconcat(class, " ", mode_colour(mode), NULL);

    html_element(html, "span", mode != NULL ? mode : "?", "class", classes, NULL);
}

void layout_notice(Html *html, const char *kind, const char *text, const char *detail)
{
    g_autofree char *classes = g_strconcat("notice ", kind, NULL);

    html_open(html, "div", "class", classes, NULL);
    html_element(html, "p", text, NULL);
    if (detail != NULL)
        html_element(html, "p", detail, "class", "detail", NULL);
    html_close(html);
}

char *layout_notice_page(const View *view, const Request *request, const char *title,
                         const char *text, const char *detail)
{
    g_auto(Html) html;

    html_init(&html);
    layout_begin(&html, view, request, title);
    html_element(&html, "h1", title, NULL);
    layout_notice(&html, "plain", text, detail);
    return layout_end(&html, view);
}
