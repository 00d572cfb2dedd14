//! Somebody whom permissions stop, and what an answer complains about.

use plugd_testkit::{Launch, Sandbox};
use serde_json::Value;

/// Runs the daemon and the commands as somebody who cannot read what has no permissions: where the
/// tests run as the superuser, without the capabilities by which modes mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Permissions count for the user of the tests.
    Plain,
    /// They count after this program has given the capabilities away.
    Stripped,
}

const STRIP: &str = "/usr/bin/setpriv";

impl Reader {
    /// Finds out which one is needed; `None` when permissions cannot be made to count.
    pub(crate) fn find() -> Option<Self> {
        let sandbox = Sandbox::from("== closed (mode 000)\nx\n");
        let closed = |reader: &Self| {
            let probe = reader.launch("/bin/cat").args(&["$ROOT/closed"]);
            // A program that is not there is none that can read.
            let run = || probe.run(&sandbox);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
                .is_ok_and(|output| !output.status.success() && output.stderr.contains("denied"))
        };
        [Self::Plain, Self::Stripped].into_iter().find(closed)
    }

    /// A program that is run by such a reader.
    pub(crate) fn launch(self, program: &str) -> Launch {
        match self {
            Self::Plain => Launch::new(program),
            Self::Stripped => Launch::new(STRIP).args(&[
                "--bounding-set=-dac_override,-dac_read_search",
                "--inh-caps=-dac_override,-dac_read_search",
                program,
            ]),
        }
    }
}

/// Every complaint in an answer, in full: an object that says what is wrong, wherever it stands.
pub(crate) fn complaints(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if members.get("message").is_some_and(Value::is_string) {
                found.push(value.to_string());
            }
            members.values().for_each(|value| complaints(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| complaints(value, found)),
        _ => {}
    }
}
