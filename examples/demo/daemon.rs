//! What both sessions need of a frontend: a daemon behind its pipes, and a few ways to look at what
//! it says.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program of its own: it starts a process and copies files"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

/// A daemon that speaks newline-delimited JSON over its stdin and stdout.
pub(crate) struct Daemon {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
}

impl Daemon {
    /// Starts one whose home is `home`, and greets it as a frontend that wants to be told of changes.
    pub(crate) fn greeted(binary: &Path, home: &Path) -> anyhow::Result<(Self, Value)> {
        let mut daemon = Self::start(binary, home)?;
        let hello = daemon.call(
            "initialize",
            &json!({
                "clientInfo": {"name": "demo", "version": "1.0.0"},
                "capabilities": {"plugd": {"notifications": true}},
            }),
        )?;
        daemon.send(&json!({"method": "initialized"}))?;
        Ok((daemon, hello))
    }

    fn start(binary: &Path, home: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(binary)
            .arg("app-server")
            .current_dir(home)
            .env_clear()
            .env("HOME", home)
            .env("CODEX_HOME", home.join("codex"))
            // The official marketplace would be fetched otherwise.
            .env("CODEX_DISABLE_CURATED_PLUGIN_SYNC", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the daemon has no stdout")?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
            next_id: 0,
        })
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        writeln!(stdin, "{message}")?;
        Ok(stdin.flush()?)
    }

    fn receive(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line)?;
        ensure!(read > 0, "the daemon closed its stdout");
        Ok(serde_json::from_str(&line)?)
    }

    /// Sends a request and reads until its answer; notifications in between are passed over.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let mut message = self.receive()?;
            if message["id"] != json!(id) {
                continue;
            }
            if let Some(error) = message.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(message["result"].take());
        }
    }

    /// Reads until a notification that `wanted` accepts.
    pub(crate) fn wait_for(
        &mut self,
        method: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        loop {
            let message = self.receive()?;
            if message["method"] == method && wanted(&message["params"]) {
                return Ok(message["params"].clone());
            }
        }
    }

    /// Ends its input, and expects that it ends well.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the daemon ended with {status}");
        Ok(())
    }
}

/// A text, or a dash.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// Copies a directory.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
