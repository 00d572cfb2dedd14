"""The reference's own Python package, told to start our program.

It knows no methods for plugins; its public `request` sends any method and its `notify` any
notification. It names requests by random UUIDs and does not tell them, so this listens to the
standard library's `uuid4` for the one that is to be cancelled.
"""

import os
import sys
import threading
import uuid

from openai_codex import CodexConfig, JsonRpcError
from openai_codex.client import CodexClient
from pydantic import BaseModel, ConfigDict


class Anything(BaseModel):
    """A result as it comes."""

    model_config = ConfigDict(extra="allow")


def check(step: str, fine: object, why: object) -> None:
    print(f"step {step} ok" if fine else f"step {step} failed: {why!r}", flush=True)
    if not fine:
        os._exit(1)


names = []
sent = threading.Event()
make_uuid = uuid.uuid4


def listened_uuid() -> uuid.UUID:
    made = make_uuid()
    names.append(str(made))
    return made


uuid.uuid4 = listened_uuid

client = CodexClient(CodexConfig(codex_bin=os.environ["PLUGD_BINARY"]))
client.start()
hello = client.initialize()
check("initialize", "0.169.0" in (hello.userAgent or ""), hello)


def call(method: str, params: dict) -> dict:
    return client.request(method, params, response_model=Anything).model_dump()


listing = call("plugin/list", {})
plugin = {"marketplacePath": listing["marketplaces"][0]["path"], "pluginName": "hello"}
check("list", listing["marketplaces"][0]["name"] == "demo", listing)
reading = call("plugin/read", plugin)
check("read", reading["plugin"]["description"] == "Says hello", reading)

def installed() -> "str | None":
    return call("plugin/list", {})["marketplaces"][0]["plugins"][0]["installedVersion"]


answers = []


def install() -> None:
    try:
        answers.append(call("plugin/install", plugin)["installedVersion"])
    except JsonRpcError as error:
        answers.append(error.code)


# Something holds the installation up, so only a cancelled one is answered soon.
known = len(names)
worker = threading.Thread(target=install)
worker.start()
while worker.is_alive() and len(names) == known:
    worker.join(0.001)
client.notify("$/cancelRequest", {"id": names[known]})
worker.join(3)
check("cancel", answers == [-32800] and installed() is None, answers)

done = call("plugin/install", {**plugin, "workDoneToken": "installing"})
kinds = []
while "end" not in kinds:
    told = client.next_notification()
    if told.method == "$/progress":
        params = getattr(told.payload, "params", told.payload)
        kinds.append(params["value"]["kind"])
check("progress", kinds[0] == "begin" and "report" in kinds, kinds)
check("install", done["installedVersion"] == "1.0.0" == installed(), done)
call("plugin/uninstall", {"pluginId": "hello@demo"})
check("uninstall", installed() is None, installed())
client.close()
