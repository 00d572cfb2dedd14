//! The command line that test runners expect of a test program, and the table.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::Loop;
use crate::tally::{Form, Scale, Tally};

/// Set to `long` for the long form, and to `whole` for the one that takes hours.
const FORM: &str = "PLUGD_TORTURE";
/// What the random choices begin with.
const SEED: &str = "PLUGD_TORTURE_SEED";
/// Names one operation, for the loops that interrupt each.
const ONLY: &str = "PLUGD_TORTURE_ONLY";
/// The seed of the bounded form.
const FIXED_SEED: u64 = 20;

/// What a runner asks for.
#[derive(Debug, Default)]
struct Asked {
    list: bool,
    ignored: bool,
    exact: bool,
    names: Vec<String>,
    skipped: Vec<String>,
}

impl Asked {
    /// Flags that only concern how a runner shows its tests are passed over.
    fn of(args: &[String]) -> Self {
        let mut asked = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--list" => asked.list = true,
                "--ignored" => asked.ignored = true,
                "--exact" => asked.exact = true,
                "--skip" => asked.skipped.extend(args.next().cloned()),
                "--format" | "--test-threads" | "--color" | "--logfile" => drop(args.next()),
                flag if flag.starts_with('-') => {}
                name => asked.names.push(name.to_owned()),
            }
        }
        asked
    }

    fn wants(&self, name: &str) -> bool {
        let fits = |pattern: &String| match self.exact {
            true => name == pattern,
            false => name.contains(pattern.as_str()),
        };
        // No loop is an ignored test.
        !self.ignored
            && (self.names.is_empty() || self.names.iter().any(fits))
            && !self.skipped.iter().any(fits)
    }
}

/// Lists the loops or runs those that are asked for.
pub(crate) fn run(loops: &[Loop], args: &[String]) -> ExitCode {
    let asked = Asked::of(args);
    let wanted: Vec<_> = loops.iter().filter(|one| asked.wants(one.name)).collect();
    if asked.list {
        for one in wanted {
            say(&format!("{}: test", one.name));
        }
        return ExitCode::SUCCESS;
    }
    let scale = scale();
    say(&format!(
        "{} form, seed {}",
        match scale.form() {
            Form::Bounded => "bounded",
            Form::Long => "long",
            Form::Whole => "whole",
        },
        scale.seed()
    ));
    say(&format!(
        "{:<20} {:>8} {:>8} {:>8}  figures",
        "loop", "tries", "failures", "seconds"
    ));
    let mut failed = false;
    for one in wanted {
        let started = Instant::now();
        let result = whole(one, scale);
        say(&format!(
            "{:<20} {:>8} {:>8} {:>8.1}  {}",
            one.name,
            result.tries(),
            result.failed(),
            started.elapsed().as_secs_f64(),
            result.notes()
        ));
        for failure in result.told() {
            say(&format!("  failed: {failure}"));
        }
        failed |= result.failed() > 0;
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Runs a loop. One that dies outside its tries, or tries nothing, has failed as a whole.
fn whole(one: &Loop, scale: Scale) -> Tally {
    let mut outside = Tally::default();
    let mut result = Tally::default();
    outside.attempt("the loop itself", || result = (one.run)(scale));
    if outside.failed() > 0 {
        return outside;
    }
    if result.tries() == 0 {
        result.fail("nothing was tried".to_owned());
    }
    result
}

/// The one operation that is asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "it is told in the environment, as runners pass no arguments on"
)]
pub(crate) fn only() -> Option<String> {
    std::env::var(ONLY).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the form of a run of the tests is told in its environment, as runners pass no arguments on"
)]
fn scale() -> Scale {
    let form = match std::env::var(FORM).as_deref() {
        Ok("long") => Form::Long,
        Ok("whole") => Form::Whole,
        _ => Form::Bounded,
    };
    let named = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::from(since.subsec_nanos()) ^ since.as_secs()
    };
    let seed = named.unwrap_or_else(|| match form {
        Form::Bounded => FIXED_SEED,
        Form::Long | Form::Whole => now(),
    });
    Scale::new(form, seed)
}

fn say(line: &str) {
    // A reader that has gone away is no failure of a loop.
    let _ = writeln!(io::stdout(), "{line}");
}
