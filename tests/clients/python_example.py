"""Takes every step with the client of examples/python, and runs its demo as a program."""

import logging
import os
import subprocess
import sys
from concurrent.futures import TimeoutError as FutureTimeout

sys.path.insert(0, os.environ["EXAMPLE"])
sys.dont_write_bytecode = True
import plugd_client  # noqa: E402

BINARY = os.environ["PLUGD_BINARY"]


def check(step: str, fine: object, why: object) -> None:
    print(f"step {step} ok" if fine else f"step {step} failed: {why!r}", flush=True)
    if not fine:
        sys.exit(1)


def demo(*arguments: str, binary: str = BINARY, **env: str) -> subprocess.CompletedProcess:
    program = os.path.join(os.environ["EXAMPLE"], "plugd_client.py")
    command = [sys.executable, "-B", program, "--plugd", binary, *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **env},
    )


def why_not(action) -> str:
    """The error that ends a conversation; it must come, and soon."""
    try:
        return f"no error: {action()!r}"
    except ConnectionError as error:
        return str(error)


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


def installed() -> "str | None":
    return plugd_client.plugins(client)["hello@demo"][0]["installedVersion"]


# Something holds the installation up, so only a cancelled one is answered soon.
number, answer = client.send("plugin/install", named)
client.cancel(number)
try:
    given_up = answer.result(3)
except plugd_client.PlugdError as error:
    given_up = (error.code, error.kind)
except FutureTimeout:
    given_up = "no answer in time"
check("cancel", given_up == (-32800, "cancelled") and installed() is None, given_up)

done = client.call("plugin/install", {**named, "workDoneToken": "t"}, timeout=20)
kinds = [params["value"]["kind"] for method, params in seen if method == "$/progress"]
check("progress", kinds[0] == "begin" and "report" in kinds and kinds[-1] == "end", seen)
check("install", done["installedVersion"] == "1.0.0" == installed(), done)
client.call("plugin/uninstall", {"pluginId": "hello@demo"})
check("uninstall", installed() is None, seen)
check("close", client.close() == 0, "the exit code")

# Nobody waits for ever: not when a callback fails, nor for a daemon that is no more, nor for a
# program that writes something else.
heard = []


def fails(method: str, _params: dict) -> None:
    heard.append(method)
    raise ValueError("a mistake of the caller")


logging.disable(logging.CRITICAL)
with plugd_client.Client([BINARY, "app-server"], fails) as client:
    client.call("plugin/install", {**named, "workDoneToken": "t"}, timeout=20)
    client.call("plugin/uninstall", {"pluginId": "hello@demo"}, timeout=20)
check("callback", heard.count("$/progress") >= 3, heard)
client = plugd_client.Client([BINARY, "app-server"])
client._process.kill()
ended = why_not(lambda: client.call("plugin/list", timeout=20))
after = why_not(lambda: client.call("plugin/list", timeout=20))
client.close()
check("dead", "ended" in after and "no error" not in ended, (ended, after))
shim = [sys.executable, "-c", "print('using plugd 0.1.0', flush=True); input(); input()"]
noise = why_not(lambda: plugd_client.Client(shim))
check("noise", "'using plugd 0.1.0\\n'" in noise, noise)
mute = [sys.executable, "-c", "input(); input()"]
silence = why_not(lambda: plugd_client.Client(mute, handshake_timeout=0.2))
check("silence", "0.2 seconds" in silence, silence)

# The demo as a program.
done = demo("install", "hello@demo")
listed = demo("list").stdout.split()
demo_root = named["marketplacePath"].split("/.agents/")[0]
manifest = f"{demo_root}/plugins/hello/.codex-plugin/plugin.json"
with open(manifest, encoding="utf-8") as file:
    text = file.read().replace("Says hello", "Says \\u001b[2Jhello")
with open(manifest, "w", encoding="utf-8") as file:
    file.write(text)
read = demo("read", "hello@demo").stdout
removed = demo("uninstall", "hello@demo")
check("demo", done.returncode == 0 and "activating" in done.stderr, done)
check("demo-list", listed[listed.index("hello@demo") + 1] == "1.0.0", listed)
check("demo-read", "Says \ufffd[2Jhello" in read and removed.returncode == 0, (read, removed))
refused = demo("uninstall", "no id")
check("refusal", refused.returncode == 1 and "no id" in refused.stderr, refused)
os.mkdir("other")
with open("other/config.toml", "w", encoding="utf-8") as file:
    file.write('[marketplaces.gone]\nsource_type = "local"\nsource = "/nowhere/gone"\n')
broken = demo("list", CODEX_HOME=os.path.abspath("other"))
check("complaint", "/nowhere/gone" in broken.stderr, broken)
missing = [demo("list", binary="/nowhere/plugd"), demo("list", CODEX_HOME="/nowhere/home")]
told = all(one.returncode == 1 and "Traceback" not in one.stderr for one in missing)
check("missing", told and "/nowhere/plugd" in missing[0].stderr, missing)
