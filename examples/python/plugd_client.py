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
import logging
import subprocess
import sys
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Callable

LOG = logging.getLogger("plugd")


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
    """A running daemon, and the conversation with it.

    Whatever becomes of the daemon, nobody waits for ever: what is open when the conversation ends
    fails with a `ConnectionError` that says why. An exception of `on_notification` is logged, and
    the conversation goes on.
    """

    def __init__(
        self,
        command: list[str] | None = None,
        on_notification: Callable[[str, dict[str, Any]], None] = lambda method, params: None,
        handshake_timeout: float = 30,
    ) -> None:
        self._process = subprocess.Popen(
            command or ["plugd", "app-server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self._on_notification = on_notification
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        # Two locks: while a full pipe holds up a writer, answers must still be taken.
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._gone: str | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.server = self._shake_hands(handshake_timeout)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _shake_hands(self, timeout: float) -> dict[str, Any]:
        params = {
            "clientInfo": {"name": "python", "version": "1.0.0"},
            "capabilities": {"plugd": {"notifications": True}},
        }
        try:
            server = self.call("initialize", params, timeout)
        except FutureTimeout:
            raise ConnectionError(f"no answer to the handshake in {timeout} seconds") from None
        self.notify("initialized")
        return server

    def send(self, method: str, params: dict[str, Any] | None = None) -> tuple[int, Future[Any]]:
        """Sends a request without waiting: its id, for `cancel`, and its answer to come."""
        number = next(self._numbers)
        answer: Future[Any] = Future()
        with self._lock:
            if self._gone is not None:
                raise ConnectionError(self._gone)
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
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # What could not be sent cannot be sent now either.
        self._reader.join()
        return self._process.wait()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, message: dict[str, Any]) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}) + "\n"
        with self._writing:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except BrokenPipeError:
                # The pipe may tell before the reader does.
                raise ConnectionError(self._gone or "the daemon has ended") from None

    def _read(self) -> None:
        """Takes what the daemon says to its end, and lets nobody wait after it."""
        assert self._process.stdout is not None
        why = "the daemon has ended"
        try:
            for line in self._process.stdout:
                message = parsed(line)
                if message is None:
                    # Whoever else writes there may spoil the next answer as well.
                    why = f"instead of a message came {line[:200]!r}"
                    self._process.kill()
                    break
                self._take(message)
        finally:
            with self._lock:
                self._gone = why
                left, self._waiting = self._waiting, {}
            for answer in left.values():
                if answer.set_running_or_notify_cancel():
                    answer.set_exception(ConnectionError(why))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            try:
                self._on_notification(message["method"], message.get("params") or {})
            except Exception:  # It is not ours, and must not end the conversation.
                LOG.exception("on_notification failed at %s", message["method"])
            return
        with self._lock:
            answer = self._waiting.pop(message.get("id"), None)
        if answer is None or not answer.set_running_or_notify_cancel():
            return
        if "error" in message:
            answer.set_exception(PlugdError(message["error"]))
        else:
            answer.set_result(message.get("result"))


def parsed(line: str) -> dict[str, Any] | None:
    """The message in a line; `None` when there is none."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def plugins(client: Client) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Every plugin by its id: its summary, and the params that name it in a request."""
    return plugins_of(client.call("plugin/list"))


def plugins_of(listing: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """As `plugins`, of a listing that is there already."""
    found = {}
    for marketplace in listing["marketplaces"]:
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


def plain(text: str) -> str:
    """A text of a stranger for a terminal: nothing in it moves the cursor, hides, or turns the line
    around."""
    return "".join(
        one if one.isprintable() or one == "\n" else " " if one.isspace() else "\ufffd"
        for one in text
    )


def show_progress(method: str, params: dict[str, Any]) -> None:
    """Prints the stages of an installation to stderr."""
    if method == "$/progress" and params["value"]["kind"] == "report":
        percentage = params["value"].get("percentage")
        shown = "" if percentage is None else f" {percentage:.0f} %"
        print(plain(f"{params['value']['stage']}{shown}"), file=sys.stderr)


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
    try:
        with Client([options.plugd, "app-server"], show_progress) as client:
            return act(client, options.action, options.id)
    except PlugdError as refused:
        said = f"{refused} ({refused.hint})" if refused.hint else str(refused)
    except OSError as error:
        # The program is missing, or the daemon went away; why, it has said itself on stderr.
        said = f"plugd_client: {error}"
    print(plain(said), file=sys.stderr)
    return 1


def act(client: Client, action: str, plugin_id: str) -> int:
    """Does one thing and prints what came of it."""
    if action == "uninstall":
        client.call("plugin/uninstall", {"pluginId": plugin_id})
        return 0
    listing = client.call("plugin/list")
    known = plugins_of(listing)
    if action == "list":
        for name, (plugin, _) in sorted(known.items()):
            print(plain(f"{name:<40} {plugin['installedVersion'] or '-'}"))
        for problem in listing["marketplaceLoadErrors"]:
            place = problem.get("path") or problem["marketplacePath"]
            line = f":{problem['line']}" if "line" in problem else ""
            print(plain(f"{place}{line}: {problem['message']}"), file=sys.stderr)
        return 0
    if plugin_id not in known:
        print(f"there is no plugin `{plugin_id}`", file=sys.stderr)
        return 1
    named = known[plugin_id][1]
    if action == "install":
        client.call("plugin/install", {**named, "workDoneToken": plugin_id})
        return 0
    detail = client.call("plugin/read", named)["plugin"]
    print(plain(detail["description"] or "(no description)"))
    for skill in detail["skills"]:
        print(plain(f"skill {skill['name']}: {skill['description']}"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
