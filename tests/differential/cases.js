'use strict';
// Cases from a seed: random policies over a small world, random schemas of that world, and both with tokens changed.

const UIDS = ['U::"a"', 'U::"b"', 'U::"zz"', 'G::"g1"', 'G::"g2"', 'G::"g3"', 'R::"r1"', 'R::"r2"', 'Action::"v"', 'Action::"w"',
    'Action::"all"', 'E::"x"'];
const ATTRS = ['n', 's', 'b', 'set', 'rec', 'ref', 'ip', 'dec', 'dt', 'dur', 'zz', 'if', 'a b'];
const TYPES = ['bool', 'long', 'str', 'ent', 'set', 'rec', 'ip', 'decimal', 'datetime', 'duration'];
const STRINGS = ['""', '"a"', '"abc"', '"1.0"', '"10.0.0.1"', '"2024-01-01"', '"1h"', '"t1"', '"\\u{1F600}"', '"a*"'];
const EXTENSIONS = {
    ip: ['"10.0.0.1"', '"10.0.0.0/8"', '"::1"', '"bad"'],
    decimal: ['"1.0"', '"-1.5"', '"x"'],
    datetime: ['"2024-01-01"', '"2024-01-01T00:00:00.001Z"', '"x"'],
    duration: ['"1h"', '"-1d2h"', '"x"'],
};
const POLICY_TOKENS = ['principal', 'action', 'resource', 'context', 'true', 'false', 'if', 'then', 'else', 'in', 'is', 'has', 'like',
    '(', ')', '[', ']', '{', '}', ',', ';', ':', '::', '.', '==', '!=', '<', '<=', '>', '>=', '&&', '||', '+', '-', '*', '!', '@a',
    '@a("x")', '"x"', '"\\*"', '"a*"', '0', '1', '9223372036854775808', 'ip', 'decimal', 'contains', 'isEmpty', 'hasTag',
    '?principal', '?resource', 'Action::"x"', 'A::"b"', 'permit', 'forbid', 'when', 'unless', '__cedar', '/', '%', '=', 'toDate',
    'offset', 'containsAll', 'getTag', 'isInRange', 'lessThan'];
const SCHEMA_TOKENS = ['entity', 'action', 'type', 'namespace', 'in', 'appliesTo', 'principal', 'resource', 'context', 'attributes',
    'tags', 'enum', 'Long', 'String', 'Bool', 'Set', '<', '>', '{', '}', '[', ']', ',', ';', ':', '::', '?', '=', '"x"', 'A', 'a',
    'B', '@a', 'Action', '__cedar', 'ipaddr', 'decimal', 'Boolean', 'Record', 'if', 'true', 'datetime'];
const isName = (a) => /^[A-Za-z_]\w*$/.test(a) && a !== 'if';

class Maker {
    constructor(seed) {
        this.state = seed >>> 0;
    }

    // mulberry32
    below(n) {
        this.state = (this.state + 0x6d2b79f5) >>> 0;
        let t = this.state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
    }

    pick(list) {
        return list[this.below(list.length)];
    }

    one(makers) {
        return this.pick(makers)();
    }

    // ---- expressions: mostly of the type that is asked for

    leaf(type) {
        switch (type) {
        case 'bool': return this.pick(['true', 'false', 'context.b', 'principal.b', 'resource.b']);
        case 'long': return this.pick(['0', '1', '2', '-1', '9223372036854775807', '-9223372036854775808', 'context.n', 'principal.n',
            'resource.n']);
        case 'str': return this.pick([...STRINGS, 'context.s', 'principal.s']);
        case 'ent': return this.pick(['principal', 'action', 'resource', 'principal.ref', 'context.ref', ...UIDS]);
        case 'set': return this.pick(['[]', '[1,2]', '["a"]', 'context.set', 'principal.set', '[principal,resource]']);
        case 'rec': return this.pick(['{}', '{a:1}', 'context', 'principal.rec', 'context.rec', '{n:1,s:"a"}']);
        default: return `${type}(${this.pick(EXTENSIONS[type])})`;
        }
    }

    expr(type, depth) {
        if (depth <= 0 || this.below(12) === 0)
            return this.leaf(type);
        const x = (t) => this.expr(this.below(15) === 0 ? this.pick(TYPES) : t, depth - 1);
        const any = () => x(this.pick(TYPES));
        const attr = (a) => (isName(a) ? `.${a}` : `["${a}"]`);
        const holder = () => x(this.pick(['ent', 'rec']));
        const order = () => this.pick(['<', '<=', '>', '>=']);
        const compare = () => this.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']);
        const unit = () => this.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']);
        const choice = (t) => () => `(if ${x('bool')} then ${x(t)} else ${x(t)})`;
        switch (type) {
        case 'bool': return this.one([
            () => `(${x('bool')} && ${x('bool')})`, () => `(${x('bool')} || ${x('bool')})`, () => `!(${x('bool')})`,
            () => { const t = this.pick(TYPES); return `(${x(t)} ${this.pick(['==', '!='])} ${x(t)})`; },
            () => { const t = this.pick(['long', 'datetime', 'duration']); return `(${x(t)} ${order()} ${x(t)})`; },
            () => `(${x('long')} ${order()} ${x('long')})`,
            () => `(${x('ent')} in ${x('ent')})`, () => `(${x('ent')} in [${x('ent')},${x('ent')}])`,
            () => `(${x('ent')} is ${this.pick(['U', 'G', 'R', 'Action'])}${this.below(3) ? '' : ` in ${x('ent')}`})`,
            () => { const a = this.pick(ATTRS); return `(${holder()} has ${isName(a) ? a : `"${a}"`})`; },
            () => { const v = this.pick(['principal', 'resource', 'context']); const a = this.pick(['b', 'rec.n']);
                return `(${v} has ${a} && ${v}.${a} == ${a === 'b' ? x('bool') : x('long')})`; },
            () => `(${x('str')} like ${this.pick(['"*"', '"a*"', '"*b*"', '"\\*"', '"a*c"'])})`,
            () => `(${x('set')}).contains(${any()})`,
            () => `(${x('set')}).${this.pick(['containsAll', 'containsAny'])}(${x('set')})`,
            () => `(${x('set')}).isEmpty()`, () => `(${x('ent')}).hasTag(${x('str')})`,
            () => `(${x('ip')}).${this.pick(['isIpv4()', 'isIpv6()', 'isLoopback()', 'isMulticast()', `isInRange(${x('ip')})`])}`,
            () => `(${x('decimal')}).${compare()}(${x('decimal')})`, choice('bool')]);
        case 'long': return this.one([
            () => `(${x('long')} ${this.pick(['+', '-', '*'])} ${x('long')})`, () => `-(${x('long')})`,
            () => `(${x('duration')}).${unit()}()`, () => `(${holder()}).n`, choice('long')]);
        case 'str': return this.one([
            () => `(${holder()})${attr(this.pick(['s', 'a b', 'zz']))}`, () => `(${x('ent')}).getTag(${x('str')})`]);
        case 'ent': return `(${holder()}).ref`;
        case 'set': return this.one([() => `[${any()},${any()}]`, () => `(${x('ent')}).set`]);
        case 'rec': return this.one([() => `{a:${any()},"n":${x('long')}}`, () => `(${x('ent')}).rec`]);
        case 'ip': return `(${x('ent')}).ip`;
        case 'decimal': return `(${x('ent')}).dec`;
        case 'datetime': return this.one([
            () => `(${x('datetime')}).offset(${x('duration')})`, () => `(${x('datetime')}).toDate()`, () => `(${x('ent')}).dt`]);
        default: return this.one([
            () => `(${x('datetime')}).durationSince(${x('datetime')})`, () => `(${x('datetime')}).toTime()`, () => `(${x('ent')}).dur`]);
        }
    }

    // ---- policies

    scope(name) {
        const type = () => this.pick(name === 'principal' ? ['U', 'G'] : ['R', 'U']);
        return this.one([() => name, () => name, () => `${name} == ${this.pick(UIDS)}`, () => `${name} in ${this.pick(UIDS)}`,
            () => `${name} is ${type()}`, () => `${name} is ${type()} in ${this.pick(UIDS)}`]);
    }

    action() {
        return this.pick(['action', 'action', 'action == Action::"v"', 'action in Action::"all"',
            'action in [Action::"w",Action::"all"]', 'action in []']);
    }

    policy(depth) {
        let text = this.below(6) ? '' : '@id("x") @note ';
        text += `${this.pick(['permit', 'permit', 'forbid'])}(${this.scope('principal')},${this.action()},${this.scope('resource')})`;
        for (let i = this.below(3); i > 0; i--)
            text += ` ${this.pick(['when', 'when', 'unless'])} { ${this.expr('bool', depth)} }`;
        return `${text};`;
    }

    template() {
        return `${this.pick(['permit', 'forbid'])}(principal ${this.pick(['==', 'in', 'is U in'])} ?principal,${this.action()},resource)`
            + ` when {${this.expr('bool', 2)}};`;
    }

    // ---- schemas of the same world

    attributes() {
        const of = { n: ['Long'], s: ['String'], b: ['Bool'], set: ['Set<Long>', 'Set<String>', 'Set<G>'],
            rec: ['{n: Long, s: String, ref?: U}', 'C', '{n?: Long}', '{}'], ref: ['U', 'G', 'Action'], ip: ['ipaddr'],
            dec: ['decimal', '__cedar::decimal'], dt: ['datetime'], dur: ['duration'] };
        const all = Object.values(of).flat();
        const parts = [];
        for (const name of Object.keys(of))
            if (this.below(5))
                parts.push(`${this.below(12) ? '' : '@doc("x") '}${name}${this.below(3) ? '' : '?'}: `
                    + this.pick(this.below(10) ? of[name] : all));
        if (!this.below(4))
            parts.push(`"a b"?: ${this.pick(all)}`);
        return `{${parts.join(', ')}}`;
    }

    schema() {
        const groups = () => this.pick(['', '', ' in G', ' in [G]', ' in [G, U]']);
        const tags = () => this.pick(['', '', ' tags String', ' tags Set<Long>', ' tags {n: Long}']);
        const shape = () => (this.below(6) ? ` ${this.pick(['', '= '])}${this.attributes()}` : '');
        const applies = () => ` appliesTo { principal: ${this.pick(['U', '[U]', '[U, G]'])}, resource: ${this.pick(['R', '[R, U]'])}`
            + `${this.below(5) ? `, context: ${this.attributes()}` : ''} }`;
        const parts = [`type C = ${this.pick(['{n: Long, s: String}', '{n?: Long}', 'Long', 'Set<String>'])};`,
            `entity U${groups()}${shape()}${tags()};`, `entity G${groups()}${shape()}${tags()};`,
            `entity R${groups()}${shape()}${tags()};`, 'entity E enum ["x", "y"];',
            `action v${this.pick(['', ' in all', ' in [all]', ' in Action::"all"'])}${applies()};`,
            `action "w"${this.below(5) ? applies() : ''};`, `action all${this.below(3) ? '' : applies()};`];
        if (!this.below(3))
            parts.push(`@a("b") namespace N { entity X in ${this.pick(['U', '[X, G]', 'N::X'])} = { q: ${this.pick(['X', 'C', 'Long'])} };`
                + ` type T = ${this.pick(['Long', 'X', 'C'])}; action x in [Action::"y"] appliesTo { principal: X, resource: [R, X] };`
                + ' action y; }');
        return parts.join('\n');
    }

    // ---- texts with tokens dropped, added, replaced, exchanged, repeated

    mutate(text, tokens) {
        const parts = text.match(/"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|\d+|::|==|!=|<=|>=|\|\||&&|\s+|./gs) || [];
        for (let left = this.pick([1, 1, 1, 2, 3]); left > 0 && parts.length > 0; left--) {
            let at = this.below(parts.length);
            while (at < parts.length - 1 && /^\s+$/.test(parts[at]))
                at++;
            const other = this.below(parts.length);
            switch (this.below(5)) {
            case 0: parts.splice(at, 1); break;
            case 1: parts.splice(at, 0, this.pick(tokens)); break;
            case 2: parts[at] = this.pick(tokens); break;
            case 3: [parts[at], parts[other]] = [parts[other], parts[at]]; break;
            default: parts.splice(at, 0, parts[other]);
            }
        }
        return parts.join('');
    }

    // ---- entities and requests

    value() {
        return this.one([() => this.below(5) - 2, () => true, () => 'abc', () => [1, 2], () => ['a', 't1'], () => ({ n: 1 }),
            () => ({ __entity: { type: 'G', id: 'g1' } }), () => ({ __extn: { fn: 'ip', arg: '10.0.0.1' } }),
            () => ({ __extn: { fn: 'decimal', arg: '1.5' } }), () => ({ __extn: { fn: 'datetime', arg: '2024-01-01' } }),
            () => ({ __extn: { fn: 'duration', arg: '1h' } })]);
    }

    record() {
        const r = {};
        const put = (odds, key, make) => { if (this.below(odds)) r[key] = make(); };
        put(4, 'n', () => this.below(5) - 2);
        put(4, 's', () => this.pick(['abc', 'a', '']));
        put(4, 'b', () => this.below(2) === 1);
        put(3, 'set', () => this.pick([[1, 2], ['a'], [], [{ __entity: { type: 'G', id: 'g1' } }]]));
        put(3, 'rec', () => ({ n: 1, s: 'a', ref: { __entity: { type: 'U', id: 'b' } } }));
        put(3, 'ref', () => ({ __entity: { type: this.pick(['U', 'G']), id: this.pick(['a', 'b', 'g1', 'zz']) } }));
        put(3, 'ip', () => ({ __extn: { fn: 'ip', arg: this.pick(['10.1.1.1', '::1']) } }));
        put(3, 'dec', () => ({ __extn: { fn: 'decimal', arg: '1.5' } }));
        put(3, 'dt', () => ({ __extn: { fn: 'datetime', arg: '2024-06-01T12:00:00Z' } }));
        put(3, 'dur', () => ({ __extn: { fn: 'duration', arg: '-90m' } }));
        if (!this.below(5))
            r['a b'] = this.value();
        if (!this.below(5))
            r.if = this.value();
        return r;
    }

    entities() {
        const uid = (type, id) => ({ type, id });
        const some = (...parents) => (this.below(2) ? parents : []);
        const list = [
            { uid: uid('U', 'a'), attrs: this.record(), parents: some(uid('G', 'g1')), tags: this.below(2) ? { t1: this.value() } : {} },
            { uid: uid('U', 'b'), attrs: this.record(), parents: some(uid('G', 'g2'), uid('G', 'g3')) },
            { uid: uid('R', 'r1'), attrs: this.record(), parents: some(uid('G', 'g2')),
                tags: this.below(2) ? { abc: this.value(), a: this.value() } : {} }];
        if (this.below(2))
            list.push({ uid: uid('G', 'g1'), attrs: this.record(), parents: some(uid('G', 'g3')) });
        if (this.below(2))
            list.push({ uid: uid('Action', 'v'), attrs: {}, parents: this.below(3) ? [uid('Action', 'all')] : [] });
        return list;
    }

    decide() {
        const c = { kind: 'decide', policies: [], entities: JSON.stringify(this.entities()), context: JSON.stringify(this.record()),
            principal: { type: 'U', id: this.pick(['a', 'b', 'zz']) }, action: { type: 'Action', id: this.pick(['v', 'w']) },
            resource: this.pick([{ type: 'R', id: 'r1' }, { type: 'R', id: 'r2' }, { type: 'U', id: 'a' }]) };
        for (let i = 1 + this.below(6); i > 0; i--)
            c.policies.push(this.policy(2 + this.below(3)));
        if (!this.below(3)) {
            c.template = this.template();
            c.link = { template: `policy${c.policies.length}`, id: 'linked',
                principal: { type: this.pick(['U', 'G']), id: this.pick(['a', 'b', 'g1', 'g3']) } };
        }
        c.text = [...c.policies, ...(c.template ? [c.template] : [])].join('\n');
        return c;
    }

    // One case. Those that are none for the reference are dropped by the caller, who asks for another.
    next() {
        // Integers travel as JavaScript numbers in the reference's JSON forms.
        const small = (text) => text.replace(/\d{15,}/g, '7');
        switch (this.below(10)) {
        case 0: return { kind: 'policy', text: this.mutate(this.policy(3), POLICY_TOKENS) };
        case 1: return { kind: 'schema', text: this.mutate(this.schema(), SCHEMA_TOKENS) };
        case 2: return { kind: 'validate', text: this.policy(this.below(3)), schema: this.schema() };
        case 3: return { kind: 'validate', text: this.mutate(this.policy(1), POLICY_TOKENS), schema: this.schema() };
        case 4: return { kind: 'policy-forms', text: small(this.below(5) ? this.policy(3) : this.template()) };
        case 5: return { kind: 'schema-forms', text: this.schema() };
        default: return this.decide();
        }
    }
}

module.exports = { Maker };
