"""A directory with everything that `firma authority` needs, and the running server."""

import os
import re
import subprocess

FIRMA = os.environ.get("FIRMA_BIN") or os.path.join(
    os.environ.get("FIRMA_BUILD", os.path.join(os.path.dirname(__file__), "../../build")), "src/cli/firma")

OPEN = "permit(principal, action, resource);\n"


class AuthorityDir:
    def __init__(self, path):
        self.path = str(path)
        os.chmod(self.path, 0o700)
        for name in ("policies", "issuance", "keys"):
            os.mkdir(self.at(name), 0o700)
        self.write("policies/open.cedar", OPEN)
        self.write("issuance/open.cedar", OPEN)
        self.configure()
        self.run("generate-key", "-o", self.at("keys/authority.key"), check=True)

    def at(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        """Written beside and renamed, as an editor does it."""
        with open(self.at(name + ".new"), "w") as f:
            f.write(text)
        os.rename(self.at(name + ".new"), self.at(name))

    def read(self, name):
        with open(self.at(name)) as f:
            return f.read()

    def configure(self, **changes):
        values = {
            "listen_addr": "[::1]:0" if os.path.exists("/proc/net/if_inet6") else "127.0.0.1:0",
            "policy_dir": "policies",
            "issuance_policy_dir": "issuance",
            "key_file": "keys/authority.key",
            "revocation_file": self.at("revocations.txt"),
        }
        values.update(changes)
        text = "[authority]\n"
        for key, value in values.items():
            text += "%s = %s\n" % (key, '"%s"' % value if isinstance(value, str) else str(value).lower())
        self.write("firma.toml", text)
        os.chmod(self.at("firma.toml"), 0o600)

    def run(self, *args, check=False, env=None):
        done = subprocess.run([FIRMA, "authority", *args], capture_output=True, text=True, timeout=30, cwd=self.path,
                              env={**os.environ, **(env or {})})
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def tool(self, *args, **kw):
        return self.run("-c", self.at("firma.toml"), *args, **kw)

    def issue(self, *actions, output="capability.toml"):
        args = ["issue", "--agent-id", "agent_1", "--session-id", "sess_1", "--output", self.at(output)]
        for action in actions:
            args += ["--action", action]
        return self.tool(*args)


class Server:
    """`firma authority`, ready; its log lines are read as they come."""

    def __init__(self, where, env=None):
        self.proc = subprocess.Popen([FIRMA, "authority", "-c", where.at("firma.toml")], stderr=subprocess.PIPE,
                                     text=True, env={**os.environ, "FIRMA_LOG_FILTER": "info", **(env or {})})
        self.lines = []
        self.wait_line(r"authority ready$")
        self.addr = re.search(r' listening addr="([^"]+)"', "".join(self.lines)).group(1)

    def wait_line(self, pattern):
        for line in self.proc.stderr:
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError("the Authority ended: " + "".join(self.lines))

    def stop(self):
        """SIGTERM; the exit status."""
        self.proc.terminate()
        self.lines += self.proc.stderr.readlines()
        return self.proc.wait(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        self.proc.stderr.close()
