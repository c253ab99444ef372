'use strict';
// node compare.js --package DIR --driver PROGRAM --seed S --count N [--fixed]
// Makes N cases, asks the reference and then libcedar, prints what differs. Exit 0 when all agree, 1 when not, 2 when it could
// not be done. The last line is "N passed, N failed" with what the cases were.
const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { isDeepStrictEqual } = require('util');
const { Maker } = require('./cases.js');
const { SCHEMAS } = require('./schemas.js');
const { explained } = require('./explained.js');

const args = {};
for (let i = 2; i < process.argv.length; i++) {
    const name = process.argv[i].slice(2);
    args[name] = name === 'fixed' ? true : process.argv[++i];
}

let reference;
// A WebAssembly instance that trapped is of no use any more.
function load() {
    const entry = require.resolve(path.join(path.resolve(args.package), 'nodejs', 'cedar_wasm.js'));
    delete require.cache[entry];
    reference = require(entry);
}

const said = (r) => ({ ok: r.type === 'success', why: r.type === 'success' ? '' : r.errors.map((e) => e.message).join(' | ') });

function onePolicy(text) {
    const parts = reference.policySetTextToParts(text);
    if (parts.type !== 'success' || parts.policies.length + parts.policy_templates.length !== 1)
        return null;
    const r = parts.policies.length ? reference.policyToJson(parts.policies[0]) : reference.templateToJson(parts.policy_templates[0]);
    return r.type === 'success' ? r.json : null;
}

function schemaOf(text) {
    const r = reference.schemaToJson(text);
    return r.type === 'success' ? r.json : null;
}

function validate(c) {
    const parts = reference.policySetTextToParts(c.text);
    if (parts.type !== 'success' || !said(reference.checkParseSchema(c.schema)).ok)
        return null;
    const named = (list, word) => Object.fromEntries(list.map((text, i) => [word + i, text]));
    const r = reference.validate({ schema: c.schema,
        policies: { staticPolicies: named(parts.policies, 'policy'), templates: named(parts.policy_templates, 'template') } });
    if (r.type !== 'success')
        return null;
    return { ok: r.validationErrors.length === 0, why: r.validationErrors.map((e) => e.error.message).join(' | ') };
}

function decide(c) {
    const id = (i) => `policy${i}`;
    const policies = { staticPolicies: Object.fromEntries(c.policies.map((text, i) => [id(i), text])) };
    if (c.template) {
        policies.templates = { [c.link.template]: c.template };
        policies.templateLinks = [{ templateId: c.link.template, newId: c.link.id, values: { '?principal': c.link.principal } }];
    }
    const r = reference.isAuthorized({ principal: c.principal, action: c.action, resource: c.resource, policies,
        context: JSON.parse(c.context), entities: JSON.parse(c.entities) });
    if (r.type !== 'success')
        return null;
    const { reason, errors } = r.response.diagnostics;
    return { ok: true, decision: r.response.decision, reasons: [...reason].sort(), errors: errors.map((e) => e.policyId).sort(),
        why: errors.map((e) => e.error.message).join(' | ') };
}

// What the reference says; null when the case is no case for it.
function expect(c) {
    switch (c.kind) {
    case 'policy': return said(reference.policySetTextToParts(c.text));
    case 'schema': return said(reference.checkParseSchema(c.text));
    case 'schema-json': return said(reference.checkParseSchema(JSON.parse(c.text)));
    case 'validate': return validate(c);
    case 'decide': return decide(c);
    default: {
        const json = c.kind === 'policy-forms' ? onePolicy(c.text) : schemaOf(c.text);
        if (json === null)
            return null;
        c.json = JSON.stringify(json);
        return { ok: true, json };
    }
    }
}

// The reason why the answers differ, or ''.
function difference(c, theirs, ours) {
    if (ours.ok !== theirs.ok)
        return 'accepted or refused';
    if (!ours.ok)
        return '';
    if (c.kind === 'decide') {
        for (const key of ['decision', 'reasons', 'errors'])
            if (!isDeepStrictEqual([ours[key]].flat().sort(), [theirs[key]].flat().sort()))
                return key;
        return '';
    }
    if (!c.kind.endsWith('-forms'))
        return '';
    const read = c.kind === 'policy-forms' ? onePolicy : schemaOf;
    const same = (json) => json !== null && isDeepStrictEqual(json, theirs.json);
    if (!same(JSON.parse(ours.json)))
        return 'our JSON is not theirs';
    if (!same(read(ours.text)))
        return 'they read our text in another way';
    return same(read(ours.again)) ? '' : 'they read our text of their JSON in another way';
}

// Asks the reference; a trap costs the case and an instance.
function guarded(ask) {
    try {
        return ask();
    } catch (e) {
        if (e instanceof WebAssembly.RuntimeError || /unreachable|recursion|memory access/.test(String(e))) {
            load();
            return null;
        }
        throw e;
    }
}

function collect() {
    const maker = new Maker(Number(args.seed));
    const pairs = [];
    const add = (c) => { const theirs = guarded(() => expect(c)); if (theirs !== null) pairs.push([c, theirs]); };
    if (args.fixed)
        SCHEMAS.forEach((s) => add({ kind: 'schema-json', text: JSON.stringify(s) }));
    const wanted = pairs.length + Number(args.count);
    for (let tries = 0; pairs.length < wanted && tries < 20 * wanted; tries++)
        add(maker.next());
    return pairs;
}

function askOurs(pairs) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'firma-differential-'));
    try {
        const file = path.join(folder, 'cases');
        fs.writeFileSync(file, pairs.map(([c]) => `${JSON.stringify(c)}\n`).join(''));
        const r = spawnSync(args.driver, [file], { encoding: 'utf8', maxBuffer: 1 << 30 });
        const lines = r.stdout ? r.stdout.split('\n').filter((l) => l) : [];
        if (r.status !== 0 || lines.length !== pairs.length) {
            const at = pairs[lines.length];
            throw new Error(`the driver ended with ${r.status ?? r.signal} at case ${lines.length}: ${r.stderr}\n`
                + (at ? JSON.stringify(at[0]) : ''));
        }
        return lines.map((l) => JSON.parse(l));
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
}

function main() {
    load();
    const pairs = collect();
    const answers = askOurs(pairs);
    let failed = 0;
    const seen = {};
    const count = (word) => { seen[word] = (seen[word] || 0) + 1; };
    pairs.forEach(([c, theirs], i) => {
        const ours = answers[i];
        const how = guarded(() => difference(c, theirs, ours));
        count(`${c.kind} ${theirs.decision || (theirs.ok ? 'yes' : 'no')}`);
        if (how === '')
            return;
        const reason = how === null ? 'the reference trapped on our text' : explained(c, theirs, ours);
        if (reason !== '') {
            count(`explained: ${reason}`);
            return;
        }
        failed++;
        console.log(`DIFFERS (${how})\n  case: ${JSON.stringify(c)}\n  reference: ${JSON.stringify(theirs)}\n  libcedar: ${JSON.stringify(ours)}`);
    });
    console.log(Object.keys(seen).sort().map((k) => `${k}: ${seen[k]}`).join(', '));
    console.log(`${pairs.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
}

try {
    process.exitCode = main();
} catch (e) {
    console.error(`compare.js: ${e.stack}`);
    process.exitCode = 2;
}
