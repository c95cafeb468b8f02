#ifndef SPFROM_WEB_ASSETS_H
#define SPFROM_WEB_ASSETS_H

/* The files of assets/, which the build puts into the program (assets.awk). */
typedef struct {
    const char *name; /* NULL: the end of the table */
    const char *text;
} Asset;

extern const Asset web_assets[];
#endif
