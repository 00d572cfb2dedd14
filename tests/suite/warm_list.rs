//! Proves that a daemon which has listed before says what one says that has not: whatever changes, the
//! next listing has it.
#![expect(
    clippy::disallowed_methods,
    reason = "files are moved and removed behind the daemon's back"
)]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{DEMO, install, start};

const HELLO: &str = "demo/plugins/hello/.codex-plugin/plugin.json";

/// A daemon that was asked so often that nothing is new to it.
struct Warm<'a> {
    sandbox: &'a Sandbox,
    daemon: Daemon,
}

/// Waits until plugins were put under watch behind the answers, where the system can tell of changes.
#[track_caller]
fn await_watches(daemon: &Daemon) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let watches = || {
        let fds = fs::read_dir(format!("/proc/{}/fdinfo", daemon.id())).unwrap();
        let told = fds.filter_map(|fd| fs::read_to_string(fd.unwrap().path()).ok());
        let lines = |told: String| told.matches("inotify wd:").count();
        told.map(lines).sum::<usize>()
    };
    let (mut before, until) = (0, Instant::now() + Duration::from_secs(10));
    loop {
        thread::sleep(Duration::from_millis(100));
        let now = watches();
        if now > 0 && now == before {
            return;
        }
        assert!(Instant::now() < until, "{now} watches after ten seconds");
        before = now;
    }
}

impl<'a> Warm<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let mut daemon = start(sandbox);
        for _ in 0..2 {
            daemon.ok("plugin/list", json!({}));
        }
        await_watches(&daemon);
        daemon.ok("plugin/list", json!({}));
        Self { sandbox, daemon }
    }

    #[track_caller]
    fn agrees_after(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        // Twice: what is learned from the first must not spoil the next.
        for _ in 0..2 {
            let warm = self.daemon.ok("plugin/list", json!({}));
            let mut fresh = start(self.sandbox);
            assert_eq!(warm, fresh.ok("plugin/list", json!({})));
            fresh.shut_down();
        }
    }

    fn write(&self, path: &str, text: &str) {
        self.sandbox.write(path, text);
    }
}

#[test]
fn what_changes_in_the_files_is_in_the_next_answer() {
    let sandbox = Sandbox::from(DEMO);
    let mut warm = Warm::new(&sandbox);
    warm.agrees_after(|_| {});
    warm.agrees_after(|at| at.write(HELLO, r#"{"name": "hello", "version": "1.0.1"}"#));
    // The same number of bytes, right behind.
    warm.agrees_after(|at| at.write(HELLO, r#"{"name": "hello", "version": "1.0.2"}"#));
    warm.agrees_after(|at| at.write(HELLO, "{"));
    warm.agrees_after(|at| at.write(HELLO, r#"{"name": "hello", "version": "no good"}"#));
    warm.agrees_after(|at| fs::remove_file(at.sandbox.path(HELLO)).unwrap());
    warm.agrees_after(|at| {
        let front = "demo/plugins/hello/plugin.json";
        let schema = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
        at.write(
            front,
            &json!({"$schema": schema, "name": "hello"}).to_string(),
        );
    });
    warm.agrees_after(|at| {
        let tools = at.sandbox.path("demo/plugins/tools");
        fs::rename(&tools, at.sandbox.path("elsewhere")).unwrap();
    });
    warm.agrees_after(|at| {
        let tools = at.sandbox.path("demo/plugins/tools");
        // It leads out of the marketplace, which is told and not followed.
        std::os::unix::fs::symlink(at.sandbox.path("elsewhere"), tools).unwrap();
    });
    warm.agrees_after(|at| {
        let plugins = at.sandbox.path("demo/plugins");
        fs::rename(&plugins, at.sandbox.path("demo/away")).unwrap();
    });
    warm.agrees_after(|at| at.write(HELLO, r#"{"name": "hello", "version": "3.0.0"}"#));
    warm.agrees_after(|at| {
        let catalog =
            r#"{"name": "demo", "plugins": [{"name": "hello", "source": "./plugins/hello"}]}"#;
        at.write("demo/.agents/plugins/marketplace.json", catalog);
    });
    warm.daemon.shut_down();
}

#[test]
fn what_changes_beside_the_files_is_in_the_next_answer() {
    let sandbox = Sandbox::from(DEMO);
    let mut warm = Warm::new(&sandbox);
    let manifest = "$ROOT/demo/.agents/plugins/marketplace.json";
    warm.agrees_after(|at| drop(install(&mut at.daemon, manifest, "hello")));
    let switch = |on: bool| {
        move |at: &mut Warm<'_>| {
            let params = json!({
                "keyPath": "plugins.hello@demo.enabled", "value": on, "mergeStrategy": "replace",
            });
            at.daemon.ok("config/value/write", params);
        }
    };
    warm.agrees_after(switch(false));
    warm.agrees_after(switch(true));
    warm.agrees_after(|at| {
        at.daemon
            .ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    });
    // What goes first takes the plugin of the same name away, and gives it back.
    let demo = fs::read_to_string(sandbox.path("ch/config.toml")).unwrap();
    warm.agrees_after(|at| {
        let catalog = r#"{"name": "demo", "plugins": [{"name": "hello", "source": "./a"}]}"#;
        at.write("home/.agents/plugins/marketplace.json", catalog);
        at.write("home/a/.codex-plugin/plugin.json", r#"{"name": "hello"}"#);
    });
    warm.agrees_after(|at| at.write("ch/config.toml", ""));
    warm.agrees_after(|at| at.write("ch/config.toml", &demo));
    warm.daemon.shut_down();
}
