//! How much a loop does, and what came of it.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many failures are told in full; after the first few they repeat each other.
const TOLD: usize = 10;

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Seconds for each loop: one of the tests.
    Bounded,
    /// Minutes for each loop.
    Long,
    /// Hours: nothing is a sample that can be tried in full.
    Whole,
}

/// How long a run is, and what its random choices begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    form: Form,
    seed: u64,
}

impl Scale {
    pub(crate) fn new(form: Form, seed: u64) -> Self {
        Self { form, seed }
    }

    pub(crate) fn form(self) -> Form {
        self.form
    }

    /// The first value in the bounded form, the second in the longer ones.
    pub(crate) fn pick<T>(self, bounded: T, long: T) -> T {
        match self.form {
            Form::Bounded => bounded,
            Form::Long | Form::Whole => long,
        }
    }

    /// How many of the tries that could be made are made.
    pub(crate) fn sample(self, all: usize, bounded: usize, long: usize) -> usize {
        match self.form {
            Form::Bounded => bounded.min(all),
            Form::Long => long.min(all),
            Form::Whole => all,
        }
    }

    /// The beginning of every random choice of the run: fixed in the bounded form, so that the
    /// tests do the same every time.
    pub(crate) fn seed(self) -> u64 {
        self.seed
    }
}

/// What a loop tried and what failed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    tries: u64,
    failed: u64,
    told: Vec<String>,
    notes: Vec<String>,
}

impl Tally {
    /// One try; it has failed when it panics.
    pub(crate) fn attempt(&mut self, what: impl Display, body: impl FnOnce()) {
        self.tries += 1;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            self.fail(format!(
                "{what}: {}",
                text.unwrap_or("a panic without text")
            ));
        }
    }

    /// Counts tries that were made elsewhere and went well.
    pub(crate) fn passed(&mut self, tries: u64) {
        self.tries += tries;
    }

    /// One try of those counted that went wrong.
    pub(crate) fn fail(&mut self, what: String) {
        self.failed += 1;
        if self.told.len() < TOLD {
            self.told.push(what);
        }
    }

    /// Adds a figure to the row of the table, for example the slowest recovery.
    pub(crate) fn note(&mut self, figure: String) {
        self.notes.push(figure);
    }

    pub(crate) fn tries(&self) -> u64 {
        self.tries
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// The first failures, in full.
    pub(crate) fn told(&self) -> &[String] {
        &self.told
    }

    pub(crate) fn notes(&self) -> String {
        self.notes.join(", ")
    }
}
