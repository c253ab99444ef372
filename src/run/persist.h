/* Keeps the answer "yes, start a local Authority" so that it is asked once. Layer: run (L3). Thread: start-up.
 * Source: [the Firma specification, run 5.3]. */
#ifndef RUN_PERSIST_H
#define RUN_PERSIST_H

struct fb_err;

/* Appends an [authority] table with listen_addr = "[::1]:0" to @config_path, or to the default place
 * (XDG_CONFIG_HOME or ~/.config, firma/firma.toml) when NULL. Everything else in the file survives; a file that has the
 * table already is left alone; a malformed one is FB_E_CONFIG_PARSE and untouched. */
int run_persist_authority(const char *config_path, struct fb_err *err);

#endif
