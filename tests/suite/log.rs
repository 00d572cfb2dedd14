//! Proves what goes to stderr: nothing as long as all is well, as much as was asked for, JSON on
//! request, and never a plugin's control characters or somebody's password.

use plugd_testkit::{Launch, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{BINARY, DEMO, DEMO_MANIFEST, install, launch};
use crate::schemas;

/// A session with a success and a refusal; what it left on stderr.
#[track_caller]
fn stderr_of(launch: &Launch) -> String {
    let mut daemon = launch.start(&Sandbox::from(DEMO));
    daemon.initialize();
    install(&mut daemon, DEMO_MANIFEST, "hello");
    daemon.err(
        "plugin/install",
        json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "nobody"}),
    );
    daemon.shut_down();
    daemon.stderr()
}

#[test]
fn it_is_quiet_unless_it_was_asked() {
    assert_eq!(stderr_of(&launch().without_var("PLUGD_LOG")), "");
    let asked = stderr_of(&launch().var("PLUGD_LOG", "debug"));
    assert!(asked.contains("request failed"), "{asked}");
    let other = stderr_of(&launch().without_var("PLUGD_LOG").var("RUST_LOG", "debug"));
    assert!(other.contains("request failed"), "{other}");
    let own = stderr_of(&launch().var("PLUGD_LOG", "error").var("RUST_LOG", "debug"));
    assert_eq!(own, "");
    assert!(!asked.contains('\u{1b}'), "{asked:?}");
}

#[test]
fn one_json_object_per_line_on_request() {
    let log = stderr_of(
        &launch()
            .var("PLUGD_LOG", "debug")
            .var("PLUGD_LOG_FORMAT", "json"),
    );
    assert!(!log.is_empty());
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry["level"].is_string(), "{line}");
    }
}

#[test]
fn text_of_others_is_escaped() {
    let sandbox = Sandbox::from(DEMO);
    let evil = "\u{1b}[2J\r\nforged line\u{7}";
    sandbox.write(
        "demo/plugins/hello/.codex-plugin/plugin.json",
        json!({"name": evil, "version": "1.0.0"}).to_string(),
    );
    let mut daemon = launch().var("PLUGD_LOG", "trace").start(&sandbox);
    daemon.initialize();
    daemon.ok("plugin/list", json!({}));
    daemon.err(
        "plugin/install",
        json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"}),
    );
    daemon.err(evil, json!({}));
    daemon.err("plugin/uninstall", json!({"pluginId": evil}));
    daemon.err(
        "plugin/install",
        json!({"marketplacePath": DEMO_MANIFEST, "pluginName": evil}),
    );
    daemon.shut_down();
    let log = daemon.stderr();
    assert!(!log.contains(['\u{1b}', '\u{7}', '\r']), "{log:?}");
    assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
}

#[test]
fn passwords_go_nowhere() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = launch().var("PLUGD_LOG", "trace").start(&sandbox);
    daemon.initialize();
    for source in [
        "https://ada:sesame@example.invalid/x.git",
        "ssh://ada:sesame@example.invalid/x",
    ] {
        let error = daemon.err("marketplace/add", json!({"source": source}));
        assert!(!error.to_string().contains("sesame"), "{error:#}");
        assert_eq!(error["code"], -32600, "{error:#}");
    }
    daemon.shut_down();
    let log = daemon.stderr();
    assert!(!log.contains("sesame"), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_changes_no_answer() {
    // Each message of the log fails as on a full disk.
    let script = "exec \"$0\" app-server 2>/dev/full";
    let launch = Launch::new("/bin/sh")
        .args(&["-c", script, BINARY])
        .var("PLUGD_LOG", "debug")
        .observed_by(schemas::validate);
    let mut daemon = launch.start(&Sandbox::from(DEMO));
    daemon.initialize();
    install(&mut daemon, DEMO_MANIFEST, "hello");
    for _ in 0..3 {
        let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "nobody"});
        let error = daemon.err("plugin/install", params);
        assert_eq!(error["data"]["kind"], "notFound");
    }
    daemon.shut_down();
}
