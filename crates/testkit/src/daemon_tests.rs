//! The driver against small shell scripts that play the daemon, right or wrong on purpose.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::{Daemon, Framing, Launch, Sandbox, Signal};

/// Answers every request with its own method, after a notification with the same name.
const ECHO: &str = r#"
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  method=$(printf '%s' "$line" | sed -n 's/.*"method":"\([^"]*\)".*/\1/p')
  [ -n "$id" ] || continue
  printf '{"jsonrpc":"2.0","method":"heard","params":{"method":"%s"}}\n' "$method"
  case $method in
    bad) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"no"}}\n' "$id" ;;
    params) printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$line" ;;
    log) echo "spoken aside" >&2; printf '{"jsonrpc":"2.0","id":%s,"result":1}\n' "$id" ;;
    die) echo "last words" >&2; exit 3 ;;
    *) printf '{"jsonrpc":"2.0","id":%s,"result":"%s"}\n' "$id" "$method" ;;
  esac
done
"#;

fn script(text: &str) -> Launch {
    Launch::new("/bin/sh").args(&["-c", text])
}

fn start(text: &str) -> Daemon {
    script(text).start(&Sandbox::new())
}

/// Runs a script that must make `act` panic, and returns what the panic says.
#[track_caller]
fn failure(launch: &Launch, act: impl FnOnce(&mut Daemon) + Send) -> String {
    let run = || {
        let mut daemon = launch.start(&Sandbox::new());
        act(&mut daemon);
    };
    let joined = std::thread::scope(|scope| scope.spawn(run).join());
    *joined.unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn requests_are_answered_by_id() {
    let mut daemon = start(ECHO);
    assert_eq!(daemon.initialize(), json!("initialize"));
    let whole = json!({"jsonrpc": "2.0", "id": 2, "result": "b"});
    assert_eq!(daemon.call("b", json!({})), whole);
    let error = json!({"code": -32602, "message": "no"});
    assert_eq!(daemon.err("bad", json!(null)), error);
    let first = daemon.request("first", json!({}));
    let second = daemon.request("second", json!({}));
    assert_eq!(daemon.response(second)["result"], "second");
    assert_eq!(daemon.response(first)["result"], "first");
}

#[test]
fn the_root_is_filled_into_params() {
    let mut daemon = start(ECHO);
    let root = daemon.sandbox().root().to_text();
    let seen = daemon.ok("params", json!({"cwds": ["$ROOT/demo"]}));
    assert_eq!(seen["params"], json!({"cwds": [format!("{root}/demo")]}));
}

#[test]
fn notifications_wait_in_the_inbox() {
    let mut daemon = start(ECHO);
    daemon.ok("a", json!({}));
    daemon.ok("b", json!({}));
    let heard = |method: &str| json!({"method": method});
    assert_eq!(
        daemon.wait_notification("heard", |params| params["method"] == "b"),
        heard("b")
    );
    assert_eq!(daemon.take_notifications("heard"), [heard("a")]);
    assert_eq!(
        daemon.take_notifications("heard"),
        [] as [serde_json::Value; 0]
    );
}

#[test]
fn messages_come_one_by_one_and_as_text() {
    let mut daemon = start(r#"printf '{"jsonrpc":"2.0","id":1e2,"result":null}\n[]\n'; cat"#);
    let patience = Duration::from_secs(10);
    let text = daemon.next_text(patience).unwrap();
    assert_eq!(text, r#"{"jsonrpc":"2.0","id":1e2,"result":null}"#);
    drop(daemon);

    let mut daemon = script("printf '{}\n[]\n'").lenient().start(&Sandbox::new());
    assert_eq!(daemon.next_message(patience), Some(json!({})));
    assert_eq!(daemon.rest(), [json!([])]);
    assert_eq!(daemon.next_message(patience), None);
}

#[test]
fn both_framings_are_spoken() {
    let echo = r#"
        read -r header && read -r blank
        size=$(printf '%s' "$header" | tr -dc 0-9)
        body=$(head -c "$size")
        answer=$(printf '{"jsonrpc":"2.0","id":1,"result":[%s,"ü"]}' "$body")
        printf 'Content-Length: %s\r\n\r\n%s' "$(printf '%s' "$answer" | wc -c)" "$answer""#;
    let launch = script(echo).framing(Framing::Headers);
    let mut daemon = launch.start(&Sandbox::new());
    let result = daemon.ok("a", json!({"text": "é"}));
    assert_eq!(result[0]["params"], json!({"text": "é"}));
    assert_eq!(result[1], "ü");
    assert_eq!(daemon.shut_down(), [] as [serde_json::Value; 0]);
}

#[test]
fn the_end_of_input_ends_the_daemon_after_its_answers() {
    let mut daemon = start(ECHO);
    daemon.request("a", json!({}));
    assert_eq!(daemon.shut_down().len(), 2);
    let error = daemon.try_send_raw("x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn exits_and_signals() {
    let mut daemon = start("exit 7");
    assert_eq!(daemon.wait_exit().code(), Some(7));

    let ready = r#"echo '{"jsonrpc":"2.0","method":"ready","params":{}}'"#;
    let mut daemon = start(&format!(
        "trap 'exit 5' TERM; {ready}; while :; do read -r x; done"
    ));
    daemon.wait_notification("ready", |_| true);
    daemon.signal(Signal::Terminate);
    assert_eq!(daemon.wait_exit().code(), Some(5));
    daemon.signal(Signal::Terminate);

    let mut daemon = start("cat");
    daemon.kill();
    assert_eq!(daemon.wait_exit().code(), None);
}

#[test]
fn what_a_daemon_started_dies_with_it() {
    // The grandchild keeps stdout and stderr open: they end when it is gone, and not before.
    let mut killed = start("sleep 600 & echo started >&2; wait");
    killed.wait_stderr("started");
    killed.kill();
    assert_eq!(killed.rest(), [] as [serde_json::Value; 0]);

    let mut ended = start("sleep 600 & echo started >&2");
    assert_eq!(ended.wait_exit().code(), Some(0));
    assert_eq!(ended.rest(), [] as [serde_json::Value; 0]);
    assert_eq!(ended.stderr(), "started\n");
}

#[test]
fn stderr_can_be_waited_for() {
    let mut daemon = start(ECHO);
    daemon.ok("log", json!({}));
    assert_eq!(daemon.wait_stderr("aside"), "spoken aside\n");
}

#[test]
fn a_client_that_reads_only_when_asked_fills_the_pipe() {
    // The script reports on stderr how far it got: more than fits into a pipe, and it stalls.
    let flood = r#"
        line='{"jsonrpc":"2.0","method":"m","params":{"x":"0123456789012345678901234567890123456789"}}'
        i=0; while [ $i -lt 3000 ]; do echo "$line"; i=$((i+1)); done; echo all >&2"#;
    let launch = script(flood)
        .reads_when_asked()
        .patience(Duration::from_millis(300));
    let mut daemon = launch.start(&Sandbox::new());
    assert!(daemon.next_message(Duration::from_secs(10)).is_some());
    let stderr = daemon.process.stderr();
    assert!(!stderr.wait_for(daemon.deadline(), |all| all.contains("all")));
    drop(daemon);

    let mut daemon = script(flood).reads_when_asked().start(&Sandbox::new());
    assert_eq!(daemon.rest().len(), 3000);
}

#[test]
fn a_client_that_hangs_up_breaks_the_pipe() {
    let answer = r#"{"jsonrpc":"2.0","method":"m","params":{}}"#;
    let twice = format!("trap '' PIPE; echo '{answer}'; cat; echo '{answer}' || exit 9");
    let mut daemon = script(&twice).hangs_up_after(1).start(&Sandbox::new());
    assert_eq!(daemon.rest().len(), 1);
    daemon.close_stdin();
    assert_eq!(daemon.wait_exit().code(), Some(9));
}

#[test]
fn a_flood_is_queued_without_waiting() {
    let mut daemon = start("read -r go; cat >/dev/null; echo done >&2");
    let written = daemon.queue_raw(vec![b'x'; 1_000_000]).unwrap();
    assert!(
        written.try_recv().is_err(),
        "nobody has read a megabyte without a line end yet"
    );
    daemon.send_raw("\n");
    daemon.close_stdin();
    daemon.wait_stderr("done");
    written.recv().unwrap().unwrap();
}

#[test]
fn the_observer_sees_responses_and_notifications_with_their_method() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mine = Arc::clone(&seen);
    let launch = script(ECHO).observed_by(move |message| {
        let member = if message.message.get("id").is_some() {
            "response"
        } else {
            "notification"
        };
        mine.lock()
            .unwrap()
            .push(format!("{member} {}", message.method));
    });
    launch.start(&Sandbox::new()).ok("a", json!({}));
    assert_eq!(*seen.lock().unwrap(), ["notification heard", "response a"]);
}

#[test]
fn failures_show_what_came_instead_and_stderr() {
    let said = failure(&script(ECHO), |daemon| drop(daemon.ok("die", json!({}))));
    let expected = "the response to id 1 did not come before stdout ended\n\
                    not taken: {\"jsonrpc\":\"2.0\",\"method\":\"heard\",\"params\":{\"method\":\"die\"}}\n\
                    the process ended: exit status: 3\nstderr:\nlast words\n";
    assert_eq!(said, expected);

    let said = failure(&script(ECHO), |daemon| drop(daemon.ok("bad", json!({}))));
    assert!(said.starts_with("`bad` failed: {\n"), "{said}");
    let said = failure(&script(ECHO), |daemon| drop(daemon.err("good", json!({}))));
    assert!(said.starts_with("`good` did not fail: {\n"), "{said}");
}

#[test]
fn every_wait_has_an_end() {
    let silent = script("cat >/dev/null").patience(Duration::from_millis(50));
    let said = failure(&silent, |daemon| drop(daemon.call("a", json!({}))));
    assert_eq!(
        said,
        "the response to id 1 did not come within 50ms\nstderr:\n"
    );
    let said = failure(&silent, |daemon| drop(daemon.rest()));
    assert_eq!(said, "stdout did not end\nstderr:\n");
    let said = failure(&silent, |daemon| {
        daemon.wait_exit();
    });
    assert_eq!(said, "the process did not end\nstderr:\n");
    let said = failure(&silent, |daemon| drop(daemon.wait_stderr("x")));
    assert_eq!(said, "`x` did not come on stderr\nstderr:\n");
    let deaf = script("exec sleep 600").patience(Duration::from_millis(50));
    let said = failure(&deaf, |daemon| daemon.send_raw(vec![b'x'; 1_000_000]));
    assert_eq!(said, "cannot write to stdin: timed out\nstderr:\n");
}

#[test]
fn junk_on_stdout_is_never_accepted() {
    #[track_caller]
    fn check(output: &str, expected: &str) {
        let launch = script(&format!("printf '{output}'"));
        let said = failure(&launch, |daemon| drop(daemon.rest()));
        assert!(said.starts_with(expected), "{said}");
    }
    check(
        "hello\\n",
        "a message is not JSON, expected value at line 1 column 1: hello",
    );
    check("{}", "stdout is not protocol: a line that does not end");
    check(
        "{}\\n",
        "a message has a bad envelope, `jsonrpc` is not \"2.0\": {}",
    );
    check("\\n", "a message is not JSON");
}
