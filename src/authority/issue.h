/* May this agent be given such a capability, and if so: the signed token. Shared by gRPC and `issue`.
 * Source: [the Firma specification, authority 7-8]. Layer: authority (L3). Thread: one caller at a time. */
#ifndef AUTHORITY_ISSUE_H
#define AUTHORITY_ISSUE_H

#include "authority/policy.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "rpc/client.h"
#include "token/token.h"

struct au_issuer {
    const struct tk_secret_key *key;
    const struct au_policy *policy; /* one snapshot for the whole call */
    int32_t max_ttl_s;
};

struct au_verdict {
    bool granted;
    const char *reason;  /* denied: "POLICY_DENIED", ...; static */
    char message[768];   /* denied */
    struct fb_buf token; /* granted; wiped by au_verdict_done */
    char token_id[FB_UUID_TEXT_BYTES];
    char context_hash[TK_CONTEXT_HASH_CHARS + 1];
    int64_t issued_at_ns;
    int64_t expiry_ns;
};

/* 0: *@v holds the verdict, granted or denied. FB_E_PARSE or FB_E_LIMIT: an argument is no good (agent_id, session_id,
 * lengths, numbers), the text names it. Else an inner failure. *@v must be given to au_verdict_done in any case. */
int au_issue(const struct au_issuer *issuer, const struct rp_issue_request *request, int64_t now_ns,
             struct au_verdict *v, struct fb_err *err);
void au_verdict_done(struct au_verdict *v);

#endif
