/* Reading of one config section with errors that stick: after the first one every further call does nothing, so a
 * section is a plain list of calls. Private to sidecar/config*.c. Layer: sidecar (L3). Thread: start-up.
 * Source: [the Firma specification, sidecar 2]. */
#ifndef SIDECAR_CONFIG_READ_H
#define SIDECAR_CONFIG_READ_H

#include "sidecar/config.h"

struct sc_reader {
    const struct fb_toml_doc *doc;
    const char *dir;
    struct fb_arena *arena;
    struct fb_err *err;
    int code;            /* of the first error, 0 while all is well */
    const char *section; /* stands before every message */
    const char *where;   /* "interceptor.connect_relay": the table's name in messages; "" when keys stand alone */
};

enum { SC_READ_EMPTY_OK = 1, SC_READ_REBASE = 2 };

/* Reports the first error: "file:line:col: section: text". */
void sc_read_fail(struct sc_reader *r, const struct fb_toml *node, const char *fmt, ...) FB_PRINTF(3, 4);
/* The member @key as a table (NULL when absent), with its keys checked; sets r->where to @where. */
const struct fb_toml *sc_read_table(struct sc_reader *r, const struct fb_toml *parent, const char *key,
                                    const char *where, const char *const *allowed);
/* All leave *@ret alone when the key is absent. */
void sc_read_str(struct sc_reader *r, const struct fb_toml *t, const char *key, unsigned flags, const char **ret);
void sc_read_bool(struct sc_reader *r, const struct fb_toml *t, const char *key, bool *ret);
void sc_read_u64(struct sc_reader *r, const struct fb_toml *t, const char *key, uint64_t min, uint64_t max,
                 uint64_t *ret);
/* An integer under @int_key in units of @unit_ms, or a duration text under @text_key (NULL: no second spelling). */
void sc_read_ms(struct sc_reader *r, const struct fb_toml *t, const char *int_key, uint64_t unit_ms,
                const char *text_key, uint64_t min_ms, uint64_t *ret_ms);
/* An integer under @int_key, or a size text under @text_key; at least 1. */
void sc_read_size(struct sc_reader *r, const struct fb_toml *t, const char *int_key, const char *text_key,
                  uint64_t *ret);
/* The index of the text in @names (NULL-terminated). */
int sc_read_choice(struct sc_reader *r, const struct fb_toml *t, const char *key, const char *const *names,
                   int fallback);
void sc_read_list(struct sc_reader *r, const struct fb_toml *t, const char *key, unsigned flags,
                  struct sc_strings *ret);
/* "ip:port", the address in brackets when IPv6. @ret_addr may be NULL. */
void sc_read_addr(struct sc_reader *r, const struct fb_toml *t, const char *key, uint64_t min_port, const char **ret,
                  struct sockaddr_storage *ret_addr);
/* Array of tables: its items in *@ret_first, counted; bounded by SC_CONFIG_LIST_MAX. */
size_t sc_read_tables(struct sc_reader *r, const struct fb_toml *parent, const char *key, const char *where,
                      const struct fb_toml **ret_first);
/* Zeroed memory of the config; NULL after an error. */
void *sc_read_room(struct sc_reader *r, size_t count, size_t size);
/* A copy that lives as long as the config. */
const char *sc_read_copy(struct sc_reader *r, struct fb_str s);

/* Sections that speak of the network: sidecar/config_net.c. */
void sc_config_read_interceptor(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_mitm(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_resolver(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_authority(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
/* Sections about what goes out: sidecar/config_out.c. */
void sc_config_read_credentials(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_connector(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_local_exec(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_preflight(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);
void sc_config_read_tolerated(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c);

#endif
