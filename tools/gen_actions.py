#!/usr/bin/env python3
"""Turns data/actions/registry.toml into the table that src/core/action.c includes.

Usage: gen_actions.py REGISTRY.toml OUT.inc
Also looks for a seed under which the names do not collide in a table of four times their number, so that a lookup is one
hash and one comparison.
"""
import sys
import tomllib

RISKS = ("low", "medium", "high", "critical")


def name_hash(name: str, seed: int) -> int:
    h = seed
    for b in name.encode():
        h = ((h ^ b) * 16777619) & 0xFFFFFFFF
    return h ^ (h >> 15)


def find_slots(names):
    size = 4 * len(names)
    for seed in range(1, 1_000_000):
        taken = [name_hash(n, seed) % size for n in names]
        if len(set(taken)) == len(names):
            slots = [255] * size
            for i, t in enumerate(taken):
                slots[t] = i
            return seed, slots
    sys.exit("gen_actions: no collision-free seed found")


def main() -> None:
    registry, out = sys.argv[1:]
    with open(registry, "rb") as f:
        actions = tomllib.load(f)["action"]
    names = [a["name"] for a in actions]
    if len(set(names)) != len(names) or len(names) > 254:
        sys.exit("gen_actions: names must be distinct and fewer than 255")
    for a in actions:
        if a["risk"] not in RISKS or '"' in a["meaning"] or "\\" in a["meaning"]:
            sys.exit(f"gen_actions: bad row {a['name']}")
    seed, slots = find_slots(names)
    with open(out, "w", encoding="utf-8") as f:
        f.write("/* Made by tools/gen_actions.py from data/actions/registry.toml. */\n#ifdef FC_ACTION\n")
        for a in actions:
            f.write(f'FC_ACTION("{a["name"]}", {a["risk"].upper()}, "{a["meaning"]}")\n')
        f.write("#endif\n#ifdef FC_ACTION_HASH\n")
        f.write(f"static const uint32_t hash_seed = {seed}u;\n")
        f.write(f"static const unsigned char slots[{len(slots)}] = {{ {', '.join(map(str, slots))} }};\n#endif\n")


main()
