/* Writes the configuration of a per-run Sidecar into the marker. Layer: run (L3). Thread: one owner.
 * Source: [the Firma specification, run 5.4 step 2]. */
#ifndef RUN_SIDECAR_CONFIG_H
#define RUN_SIDECAR_CONFIG_H

#include "base/err.h"

struct run_settled;

struct run_sidecar_config {
    const struct run_settled *settled;
    const char *marker_dir;  /* where the marker is now */
    const char *marker_path; /* where it will be */
    const char *authority_url;
    const char *public_key_path; /* "" = unknown */
    const char *seed_path;
};

/* Template: --sidecar-config, else FIRMA_SIDECAR_CONFIG_FILE, else the discovered firma.toml, else built-in values. An
 * explicit template that is missing or malformed: FB_E_CONFIG_PARSE. Makes the audit key of the state directory and the
 * built-in mapping files when the template names none. Writes `sidecar.toml` below @marker_fd. */
int run_sidecar_config_write(const struct run_sidecar_config *in, int marker_fd, struct fb_err *err);

#endif
