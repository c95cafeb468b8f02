#ifndef SPFROM_SHOW_REPORT_STYLE_H
#define SPFROM_SHOW_REPORT_STYLE_H

/* The style sheet of the page that `spfrom report --html` writes. */
extern const char report_style[];
#endif
