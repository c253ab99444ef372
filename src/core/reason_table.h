/* Every reason for which a call is refused: symbol, wire name (JSON `reason`), display text (start of an audit
 * `deny_reason`), who raises it. The enum, the texts and docs/reference/denials.md come from here; the first row is the
 * zero value, so that a verdict nobody filled in reads as "fail closed".
 * Source: [the Firma specification, sidecar 8.3]. Layer: core. */
FC_REASON(FAIL_CLOSED, "FailClosed", "fail closed", "no bundle, evaluator error, anything unforeseen")
FC_REASON(TOKEN_INVALID, "TokenInvalid", "token invalid", "stage 1: no capability covers the call")
FC_REASON(TOKEN_EXPIRED, "TokenExpired", "token expired", "stage 1: the capability has run out")
FC_REASON(TOKEN_REVOKED, "TokenRevoked", "token revoked", "stage 1: the Authority took the capability back")
FC_REASON(POLICY_DENIED, "PolicyDenied", "policy denied", "stage 2: Cedar said no")
FC_REASON(CAPABILITY_SCOPE_MISMATCH, "CapabilityScopeMismatch", "capability scope mismatch",
          "stage 2: Cedar said no only because of the session's action count")
FC_REASON(SCOPE_VIOLATION, "ScopeViolation", "scope violation", "stage 2: class not in the capability's action set")
FC_REASON(TOOL_NOT_IN_SCOPE, "ToolNotInScope", "tool not in scope", "reserved for a tool transport")
FC_REASON(MALFORMED_REQUEST, "MalformedRequest", "malformed request", "intake")
FC_REASON(AUTHORITY_UNAVAILABLE, "AuthorityUnavailable", "authority unavailable", "reserved")
FC_REASON(POLICY_BUNDLE_STALE, "PolicyBundleStale", "policy bundle stale", "stage 2: the bundle's time to live ran out")
FC_REASON(POLICY_BUNDLE_NOT_READY, "PolicyBundleNotReady", "policy bundle not ready", "gate: no bundle yet")
FC_REASON(REVOCATION_CACHE_NOT_READY, "RevocationCacheNotReady", "revocation cache not ready",
          "gate: revocations not synced yet")
FC_REASON(ENFORCEMENT_TIMEOUT, "EnforcementTimeout", "enforcement timeout", "stage 2: evaluation took too many steps")
FC_REASON(CREDENTIAL_INJECTION_FAILED, "CredentialInjectionFailed", "credential injection failed", "old logs only")
FC_REASON(CONNECTOR_TIMEOUT, "ConnectorTimeout", "connector timeout", "old logs only")
FC_REASON(CONNECTOR_NETWORK_ERROR, "ConnectorNetworkError", "connector network error", "a refused WebSocket upgrade")
FC_REASON(CONNECTOR_INVALID_REQUEST, "ConnectorInvalidRequest", "connector invalid request", "old logs only")
FC_REASON(UNCLASSIFIED_INTENT, "UnclassifiedIntent", "unclassified intent", "normaliser: no mapping rule matches")
FC_REASON(TENANT_MISMATCH, "TenantMismatch", "tenant mismatch", "stage 1: another agent's capability")
FC_REASON(LOOPBACK_BLOCKED, "LoopbackBlocked", "loopback blocked", "the sandbox's own guard")
FC_REASON(STEP_UP_REQUIRED, "StepUpRequired", "step up required", "a forbid annotated @step_up")
FC_REASON(DEFERRED, "Deferred", "deferred", "a forbid annotated @defer")
