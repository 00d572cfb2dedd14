"""Takes every step with the client of examples/python, and runs its demo as a program."""

import os
import subprocess
import sys

sys.path.insert(0, os.environ["EXAMPLE"])
sys.dont_write_bytecode = True
import plugd_client  # noqa: E402

BINARY = os.environ["PLUGD_BINARY"]


def check(step: str, fine: object, why: object) -> None:
    print(f"step {step} ok" if fine else f"step {step} failed: {why!r}", flush=True)
    if not fine:
        sys.exit(1)


def demo(*arguments: str) -> subprocess.CompletedProcess:
    program = os.path.join(os.environ["EXAMPLE"], "plugd_client.py")
    command = [sys.executable, "-B", program, "--plugd", BINARY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


seen = []
client = plugd_client.Client(
    [BINARY, "app-server"], lambda method, params: seen.append((method, params))
)
check("initialize", client.server["serverInfo"]["name"] == "plugd", client.server)
known = plugd_client.plugins(client)
check("list", "hello@demo" in known, known)
_, named = known["hello@demo"]
reading = client.call("plugin/read", named)
check("read", reading["plugin"]["description"] == "Says hello", reading)

number, answer = client.send("plugin/install", named)
client.cancel(number)
try:
    given_up = answer.result(20)["installedVersion"]
except plugd_client.PlugdError as error:
    given_up = error.kind
check("cancel", given_up in ("cancelled", "1.0.0"), given_up)

installed = client.call("plugin/install", {**named, "workDoneToken": "t"}, timeout=20)
kinds = [params["value"]["kind"] for method, params in seen if method == "$/progress"]
check("progress", kinds[0] == "begin" and "report" in kinds and kinds[-1] == "end", seen)
check("install", installed["installedVersion"] == "1.0.0", installed)
client.call("plugin/uninstall", {"pluginId": "hello@demo"})
check("uninstall", not plugd_client.plugins(client)["hello@demo"][0]["installed"], seen)
check("close", client.close() == 0, "the exit code")

# The demo as a program.
done = demo("install", "hello@demo")
listed = demo("list").stdout.split()
read = demo("read", "hello@demo").stdout
removed = demo("uninstall", "hello@demo")
check("demo", done.returncode == 0 and "copying" in done.stderr, done)
check("demo-list", listed[listed.index("hello@demo") + 1] == "1.0.0", listed)
check("demo-read", "Says hello" in read and removed.returncode == 0, (read, removed))
refused = demo("uninstall", "no id")
check("refusal", refused.returncode == 1 and "no id" in refused.stderr, refused)
