//! The torture loops: ways to lose something or to get in, tried again and again, as figures.
//!
//! Each loop counts its tries and failures; a run prints one table and fails when a loop does. The
//! bounded form runs with the tests, each loop as a test of its own; `make torture` runs the long
//! one. `PLUGD_TORTURE_SEED` repeats a run whose table named that seed, and `PLUGD_TORTURE_ONLY` takes
//! one operation of those that are interrupted.
//!
//! Some loops drive the real binary, as the suite does. Others run the daemon inside this process,
//! where a probe sees every operation on the disk; that is why they are no part of the suite, which
//! knows the promises and not the code behind them. A loop that must die starts this program again.
#![expect(
    clippy::unwrap_used,
    reason = "in a test there is nothing else to do about what cannot be"
)]

use std::process::ExitCode;

mod command_line;
mod corrupt_files;
mod dice;
mod expected;
mod fail_operation;
mod foreign_writer;
mod fuzz;
mod history;
mod home;
mod hostile_content;
mod hostile_git;
mod inside;
mod kill_daemon;
mod kill_operation;
mod live_session;
mod locked;
mod many_daemons;
mod moving_content;
mod operations;
mod power_cut;
mod power_loss;
mod reader;
mod snapshot;
mod states;
mod steady_state;
mod stock;
mod tally;
mod together;
mod unsynced;
mod wire_abuse;
mod wire_raw;
mod worlds;

use crate::tally::{Scale, Tally};

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_plugd");

/// The first argument of this program when it is started again, to be killed.
const CHILD: &str = "child";

/// One loop, which is also one test.
struct Loop {
    name: &'static str,
    run: fn(Scale) -> Tally,
}

/// Every loop, in the order of the table.
const LOOPS: &[Loop] = &[
    Loop {
        name: "fail_operation",
        run: |scale| fail_operation::run(scale, &operations::chosen(), 3),
    },
    Loop {
        name: "kill_operation",
        run: |scale| kill_operation::run(scale, &operations::chosen(), 2),
    },
    Loop {
        name: "power_loss",
        run: |scale| power_loss::run(scale, &operations::chosen(), 3),
    },
    Loop {
        name: "kill_daemon",
        run: kill_daemon::run,
    },
    Loop {
        name: "many_daemons",
        run: many_daemons::run,
    },
    Loop {
        name: "beside_renames",
        run: many_daemons::run_beside_renames,
    },
    Loop {
        name: "beside_writes",
        run: many_daemons::run_beside_writes,
    },
    Loop {
        name: "beside_fast_renames",
        run: many_daemons::run_beside_fast_renames,
    },
    Loop {
        name: "beside_fast_writes",
        run: many_daemons::run_beside_fast_writes,
    },
    Loop {
        name: "corrupt_files",
        run: corrupt_files::run,
    },
    Loop {
        name: "fuzz_wire",
        run: fuzz::wire,
    },
    Loop {
        name: "fuzz_config",
        run: fuzz::config,
    },
    Loop {
        name: "fuzz_manifests",
        run: fuzz::manifests,
    },
    Loop {
        name: "fuzz_components",
        run: fuzz::components,
    },
    Loop {
        name: "fuzz_archives",
        run: fuzz::archives,
    },
    Loop {
        name: "hostile_content",
        run: hostile_content::run,
    },
    Loop {
        name: "hostile_git",
        run: hostile_git::run,
    },
    Loop {
        name: "moving_content",
        run: moving_content::run,
    },
    Loop {
        name: "wire_abuse",
        run: wire_abuse::run,
    },
    Loop {
        name: "steady_state",
        run: steady_state::run,
    },
    Loop {
        name: "live_session",
        run: live_session::run,
    },
];

#[expect(
    clippy::disallowed_methods,
    reason = "a test program of its own reads its own command line"
)]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = args.as_slice()
        && first == CHILD
    {
        return kill_operation::child(rest);
    }
    command_line::run(LOOPS, &args)
}
