#ifndef SPFROM_SHOW_ASSETS_H
#define SPFROM_SHOW_ASSETS_H

/* The files of assets/: what pages are made with. The build puts them into the programs
 * (assets.awk). */
typedef struct {
    /* NULL ends the table. */
    const char *name;
    const char *text;
} Asset;

extern const Asset show_assets[];
#endif
