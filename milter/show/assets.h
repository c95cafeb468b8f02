#ifndef SPFROM_SHOW_ASSETS_H
#define SPFROM_SHOW_ASSETS_H

/* The files of assets/, which the build puts into the programs (assets.awk): what all pages are made with. */
typedef struct {
    /* NULL ends the table. */
    const char *name;
    const char *text;
} Asset;

extern const Asset show_assets[];
#endif
