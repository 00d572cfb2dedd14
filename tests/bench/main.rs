//! How fast, and against what: the real binary over its pipes, any other app-server beside it, and
//! the barest program that touches the same bytes.
//!
//! Every round measures all programs one after the other, so that the moods of the machine meet all
//! of them; the table shows medians and ratios. Nothing here knows how the daemon is built.
//!
//! `make bench` runs all workloads, `make bench PEER=/path/to/app-server` with another program
//! beside, `make bench ONLY=install` those whose name holds a word. `make hot-functions` measures
//! nothing: it writes which functions the sessions call that the table times.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be taken ends with what went wrong"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "what is measured is started here, and the limit is what the system's own calls cost"
)]

use std::io::{self, Write};
use std::process::ExitCode;

mod client;
mod hot_functions;
mod limits;
mod market;
mod measure;
mod options;
mod places;
mod table;
mod workloads;

use crate::measure::Measured;
use crate::options::Options;
use crate::places::Places;

/// The binary that is measured, unless `PLUGD_TEST_RELEASED` names the one that is handed out.
const BINARY: &str = env!("CARGO_BIN_EXE_plugd");

fn main() -> ExitCode {
    let options = match Options::of(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            say(&mut io::stderr(), &reason);
            return ExitCode::FAILURE;
        }
    };
    let places = Places::new(&options);
    if let Some(list) = &options.hot_functions {
        hot_functions::write(list, &places);
        return ExitCode::SUCCESS;
    }
    let mut rows = Vec::new();
    for workload in workloads::ALL {
        if options.wants(workload.name) {
            let row = Measured::of(workload, &places, &options);
            say(&mut io::stderr(), &table::progress(&row));
            rows.push(row);
        }
    }
    say(&mut io::stdout(), &table::markdown(&rows, &options));
    ExitCode::SUCCESS
}

fn say(stream: &mut dyn Write, text: &str) {
    // Who reads no more has no use for the rest.
    let _ = writeln!(stream, "{text}");
}
