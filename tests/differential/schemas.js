'use strict';
// Schemas in JSON syntax that stand at the edges of the format. Each is accepted by both or refused by both.

const EMPTY = { entityTypes: {}, actions: {} };
const SCHEMAS = [];
const entity = (x) => SCHEMAS.push({ '': { entityTypes: { A: x }, actions: {} } });
const attribute = (t) => entity({ shape: { type: 'Record', attributes: { x: t } } });
const action = (x) => SCHEMAS.push({ N: { entityTypes: { U: {}, R: {} }, actions: { a: x, g: {} } } });
const applies = (o) => ({ principalTypes: ['U'], resourceTypes: ['R'], ...o });

SCHEMAS.push({}, {'': EMPTY}, {N: EMPTY}, {'N::M': EMPTY}, {'1': EMPTY}, {'if': EMPTY}, {'__cedar': EMPTY},
    {N: {entityTypes: {}}}, {N: {actions: {}}}, {N: {...EMPTY, x: 1}}, {N: {...EMPTY, commonTypes: {}}},
    {N: {...EMPTY, annotations: {a: 'b', c: null}}}, {'': {...EMPTY, annotations: {}}}, {N: {...EMPTY,
    annotations: {'a b': ''}}}, {N: []}, [], {N: {entityTypes: [], actions: {}}});
for (const w of ['Action', 'in', '__cedar', 'Long', 'a b', 'A::B', ''])
    SCHEMAS.push({N: {entityTypes: {[w]: {}},
    actions: {}}}, {N: {...EMPTY, commonTypes: {[w]: {type: 'Long'}}}}, {N: {entityTypes: {}, actions: {[w]: {}}}});
entity({});
entity({x: 1});
entity({memberOfTypes: []});
entity({memberOfTypes: ['A']});
entity({memberOfTypes: ['B']});
entity({memberOfTypes: 'A'});
entity({shape: {type: 'Record', attributes: {}}});
entity({shape: {type: 'Long'}});
entity({shape: {type: 'Record'}});
entity({shape: {type: 'Record', attributes: {}, additionalAttributes: false}});
entity({shape: {type: 'Record', attributes: {}, additionalAttributes: true}});
entity({tags: {type: 'String'}});
entity({tags: {type: 'Nope'}});
entity({enum: ['a']});
entity({enum: []});
entity({enum: ['a', 'a']});
entity({enum: ['a'], tags: {type: 'String'}});
entity({enum: ['a'], memberOfTypes: []});
entity({enum: [1]});
entity({annotations: {a: ''}});
entity({annotations: {a: 1}});
entity(null);
entity([]);
entity({shape: null});
entity({memberOfTypes: null});
entity({tags: null});
for (const t of [{type: 'String'}, {type: 'Long'}, {type: 'Boolean'}, {type: 'Bool'}, {type: 'ipaddr'},
    {type: '__cedar::Long'}, {type: '__cedar::ipaddr'}, {type: '__cedar::Nope'}, {type: 'A'}, {type: 'Entity',
    name: 'A'}, {type: 'Entity', name: 'B'}, {type: 'Entity'}, {type: 'Extension', name: 'ipaddr'},
    {type: 'Extension', name: 'nope'}, {type: 'Extension', name: 'ip'}, {type: 'EntityOrCommon',
    name: 'A'}, {type: 'EntityOrCommon', name: 'Long'}, {type: 'EntityOrCommon', name: 'Bool'},
    {type: 'EntityOrCommon', name: 'Boolean'}, {type: 'EntityOrCommon', name: 'Nope'}, {type: 'EntityOrCommon',
    name: '__cedar::Long'}, {type: 'Set', element: {type: 'Long'}}, {type: 'Set'}, {type: 'Set',
    element: {type: 'Long', required: true}}, {type: 'Long', required: false}, {type: 'Long', required: 'x'},
    {type: 'Long', x: 1}, {type: 'Long', name: 'A'}, {type: 'Record', attributes: {y: {type: 'Long', required: false}}},
    {type: 'Record', attributes: {y: {type: 'Long'}}, required: false}, {type: 'Record', attributes: []},
    {type: 'Record', attributes: {}, element: {type: 'Long'}}, {type: 'Long', annotations: {a: 'b'}},
    {type: 'Set', element: {type: 'Long', annotations: {}}}, {name: 'A'}, 'Long', null, {type: 1},
    {type: 'Entity', name: '__cedar::Long'}, {type: 'Entity', name: 'A B'}, {type: 'Long', element: {type: 'Long'}},
    {type: 'Record', attributes: {}, additionalAttributes: null}, {type: 'Extension', name: '__cedar::ipaddr'},
    {type: 'if'}, {type: 'A B'}, {type: 'Entity', name: 'Action'}, {type: 'EntityOrCommon', name: 'Action'}])attribute(t);
for (const x of [{}, {appliesTo: applies()}, {appliesTo: applies({context: {type: 'Record', attributes: {}}})},
    {appliesTo: applies({context: {type: 'Long'}})}, {appliesTo: applies({context: {type: 'U'}})},
    {appliesTo: applies({context: null})}, {appliesTo: {principalTypes: [], resourceTypes: []}},
    {appliesTo: {principalTypes: [], resourceTypes: ['R']}}, {appliesTo: {principalTypes: ['U']}},
    {appliesTo: null}, {appliesTo: {}}, {appliesTo: applies({x: 1})}, {appliesTo: applies({principalTypes: ['N::U']})},
    {appliesTo: applies({principalTypes: ['X']})}, {appliesTo: applies({principalTypes: ['U', 'U']})},
    {memberOf: []}, {memberOf: [{id: 'g'}]}, {memberOf: [{id: 'g', type: 'N::Action'}]}, {memberOf: [{id: 'g', type: 'Action'}]},
    {memberOf: [{id: 'x'}]}, {memberOf: [{id: 'a'}]}, {memberOf: null}, {memberOf: [{id: 'g', x: 1}]},
    {memberOf: [{type: 'Action'}]}, {attributes: {}}, {attributes: null}, {attributes: {x: 1}},
    {annotations: {a: 'b'}}, {annotations: {a: null}}, {x: 1}, null, [], {memberOf: [{id: 'g', type: null}]},
    {memberOf: ['g']}])action(x);
SCHEMAS.push({N: {...EMPTY, commonTypes: {A: {type: 'B'}, B: {type: 'A'}}}}, {N: {...EMPTY, commonTypes: {A: {type: 'Long',
        annotations: {a: 'b'}}}}},
    {N: {...EMPTY, commonTypes: {A: {type: 'Long', required: true}}}}, {N: {entityTypes: {X: {shape: {type: 'T'}}},
    actions: {}, commonTypes: {T: {type: 'Record', attributes: {}}}}}, {N: {entityTypes: {X: {}},
    actions: {}, commonTypes: {X: {type: 'Long'}}}}, {N: {entityTypes: {X: {shape: {type: 'Record',
        attributes: {x: {type: 'Entity', name: 'X'}}}}},
    actions: {}, commonTypes: {X: {type: 'Long'}}}}, {'': {entityTypes: {A: {}}, actions: {}}, N: {entityTypes: {A: {}},
    actions: {}}}, {'': {entityTypes: {}, actions: {q: {}}}, N: {entityTypes: {}, actions: {z: {memberOf: [{id: 'q'}]}}}},
    {'': {entityTypes: {}, actions: {q: {}}}, N: {entityTypes: {}, actions: {z: {memberOf: [{id: 'q', type: 'Action'}]}}}});

module.exports = { SCHEMAS };
