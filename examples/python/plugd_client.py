#!/usr/bin/env python3
"""A client of plugd in Python with nothing but the standard library: a thing to start from.

One message is one line of JSON. A thread reads what the daemon says and gives each answer to
whoever waits for it; notifications go to a callback on that thread.

    with Client() as client:
        for marketplace in client.call("plugin/list")["marketplaces"]:
            ...

Run as a program it lists the plugins, and reads, installs or uninstalls one:

    plugd_client.py [--plugd PATH] [list | read ID | install ID | uninstall ID]
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import Any, Callable


class PlugdError(Exception):
    """A request that was refused. `kind` is what a program decides by."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        data = error.get("data") or {}
        self.code: int = error["code"]
        self.kind: str | None = data.get("kind")
        self.hint: str | None = data.get("hint")
        self.retryable: bool = data.get("retryable", False)


class Client:
    """A running daemon, and the conversation with it."""

    def __init__(
        self,
        command: list[str] | None = None,
        on_notification: Callable[[str, dict[str, Any]], None] = lambda method, params: None,
    ) -> None:
        self._process = subprocess.Popen(
            command or ["plugd", "app-server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._on_notification = on_notification
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._gone = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.server = self.call(
            "initialize",
            {
                "clientInfo": {"name": "python", "version": "1.0.0"},
                "capabilities": {"plugd": {"notifications": True}},
            },
        )
        self.notify("initialized")

    def send(self, method: str, params: dict[str, Any] | None = None) -> tuple[int, Future[Any]]:
        """Sends a request without waiting: its id, for `cancel`, and its answer to come."""
        number = next(self._numbers)
        answer: Future[Any] = Future()
        with self._lock:
            if self._gone:
                raise ConnectionError("the daemon has ended")
            self._waiting[number] = answer
        self._write({"id": number, "method": method, "params": params or {}})
        return number, answer

    def call(
        self, method: str, params: dict[str, Any] | None = None, timeout: float | None = None
    ) -> Any:
        """Sends a request and waits for its result; raises `PlugdError` when it is refused."""
        return self.send(method, params)[1].result(timeout)

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        """Sends what has no answer."""
        self._write({"method": method, "params": params or {}})

    def cancel(self, number: int) -> None:
        """Asks for the end of a request, which is then answered with the kind `cancelled`, or
        with its result when that was there first."""
        self.notify("$/cancelRequest", {"id": number})

    def close(self) -> int:
        """Ends the conversation: what was asked is finished. Answers the exit code."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        self._reader.join()
        return self._process.wait()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, message: dict[str, Any]) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}) + "\n"
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "method" in message:
                self._on_notification(message["method"], message.get("params") or {})
                continue
            with self._lock:
                answer = self._waiting.pop(message.get("id"), None)
            if answer is None:
                continue
            if "error" in message:
                answer.set_exception(PlugdError(message["error"]))
            else:
                answer.set_result(message["result"])
        with self._lock:
            self._gone = True
            left, self._waiting = self._waiting, {}
        for answer in left.values():
            answer.set_exception(ConnectionError("the daemon has ended"))


def plugins(client: Client) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Every plugin by its id: its summary, and the params that name it in a request."""
    found = {}
    for marketplace in client.call("plugin/list")["marketplaces"]:
        for plugin in marketplace["plugins"]:
            if marketplace["path"] is not None:
                named = {"marketplacePath": marketplace["path"], "pluginName": plugin["name"]}
            else:
                named = {
                    "remoteMarketplaceName": marketplace["name"],
                    "pluginName": plugin["remotePluginId"],
                }
            found[plugin["id"]] = (plugin, named)
    return found


def show_progress(method: str, params: dict[str, Any]) -> None:
    """Prints the stages of an installation to stderr."""
    if method == "$/progress" and params["value"]["kind"] == "report":
        percentage = params["value"].get("percentage")
        shown = "" if percentage is None else f" {percentage:.0f} %"
        print(f"{params['value']['stage']}{shown}", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """The demo: one action on one plugin."""
    parser = argparse.ArgumentParser(description="list, read, install or uninstall plugins")
    parser.add_argument("--plugd", default="plugd", help="the daemon's program")
    actions = ["list", "read", "install", "uninstall"]
    parser.add_argument("action", nargs="?", choices=actions, default="list")
    parser.add_argument("id", nargs="?", help="plugin@marketplace")
    options = parser.parse_args(arguments)
    if options.action != "list" and options.id is None:
        parser.error(f"{options.action} needs an id")
    with Client([options.plugd, "app-server"], show_progress) as client:
        try:
            return act(client, options.action, options.id)
        except PlugdError as refused:
            print(f"{refused} ({refused.hint})" if refused.hint else refused, file=sys.stderr)
            return 1


def act(client: Client, action: str, plugin_id: str) -> int:
    """Does one thing and prints what came of it."""
    if action == "uninstall":
        client.call("plugin/uninstall", {"pluginId": plugin_id})
        return 0
    known = plugins(client)
    if action == "list":
        for name, (plugin, _) in sorted(known.items()):
            print(f"{name:<40} {plugin['installedVersion'] or '-'}")
        return 0
    if plugin_id not in known:
        print(f"there is no plugin `{plugin_id}`", file=sys.stderr)
        return 1
    named = known[plugin_id][1]
    if action == "install":
        client.call("plugin/install", {**named, "workDoneToken": plugin_id})
        return 0
    detail = client.call("plugin/read", named)["plugin"]
    print(detail["description"] or "(no description)")
    for skill in detail["skills"]:
        print(f"skill {skill['name']}: {skill['description']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
