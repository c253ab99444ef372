#!/usr/bin/env python3
"""Turns files under data/ into one C file with the functions of src/core/embed.h.

Usage: embed.py DATA_DIR OUT.c FILE...
Names are the paths below DATA_DIR, with '/' between parts, in bytewise order.
"""
import os
import sys


def c_bytes(content: bytes) -> str:
    lines = []
    for i in range(0, len(content), 24):
        lines.append("    " + " ".join(f"{b}," for b in content[i:i + 24]))
    return "\n".join(lines + ["    0,"])


def main() -> None:
    data_dir, out, *files = sys.argv[1:]
    assets = {}
    for path in files:
        name = os.path.relpath(path, data_dir).replace(os.sep, "/")
        if name.startswith("..") or '"' in name or "\\" in name:
            sys.exit(f"embed: {path} is not below {data_dir}")
        with open(path, "rb") as f:
            assets[name] = f.read()
    names = sorted(assets, key=lambda n: n.encode())
    with open(out, "w", encoding="ascii") as f:
        f.write("/* Made by tools/embed.py from the files under data/. */\n")
        f.write('#include "core/embed.h"\n\n#include <string.h>\n\n')
        for i, name in enumerate(names):
            f.write(f"/* {name} */\nstatic const unsigned char asset_{i}[] = {{\n{c_bytes(assets[name])}\n}};\n")
        f.write("\nstatic const struct {\n    const char *name;\n    const unsigned char *p;\n    size_t n;\n} assets[] = {\n")
        for i, name in enumerate(names):
            f.write(f'    {{ "{name}", asset_{i}, sizeof asset_{i} - 1 }},\n')
        f.write("    { NULL, NULL, 0 },\n};\n\n")
        f.write("""struct fb_str fc_asset_get(const char *name)
{
    for (size_t i = 0; assets[i].name != NULL; i++) {
        if (strcmp(assets[i].name, name) == 0)
            return fb_str_n((const char *)assets[i].p, assets[i].n);
    }
    return fb_str_n(NULL, 0);
}

const char *fc_asset_name(size_t index)
{
    return index < FB_COUNT(assets) ? assets[index].name : NULL;
}
""")


main()
