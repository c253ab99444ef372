'use strict';
// The differences that are meant to be. docs/reference/cedar-differences.md says why.

const isEmptyList = (v) => Array.isArray(v) && v.length === 0;

// A JSON schema that writes an entity type or an action as [] instead of {}.
function hasListForObject(text) {
    return Object.values(JSON.parse(text)).some((space) => [space.entityTypes, space.actions].some(
        (table) => Object.values(table || {}).some(isEmptyList)));
}

// The name of the difference, or '' when there is none that we know.
function explained(c, theirs, ours) {
    if (c.kind === 'schema-json' && theirs.ok && !ours.ok && ours.kind === 'InvalidForm' && hasListForObject(c.text))
        return 'list for an object';
    return '';
}

module.exports = { explained };
