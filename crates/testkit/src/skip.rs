//! Tests that ask a program of the machine, and what becomes of them where it is missing.

/// The word in `PLUGD_TEST_CLIENTS` with which nothing may be passed over.
const REQUIRED: &str = "required";

/// Says that a test did not ask a program of the machine, and why.
///
/// # Panics
/// `PLUGD_TEST_CLIENTS` is `required`, as in CI, where every program is installed before.
#[expect(
    clippy::print_stdout,
    reason = "what was not tested is told to whoever reads the output of the tests"
)]
#[track_caller]
pub fn skip(what: &str, why: &str) {
    println!("{what} skipped: {why}");
    let required = std::env::var_os("PLUGD_TEST_CLIENTS").is_some_and(|word| word == REQUIRED);
    assert!(!required, "{what} was skipped: {why}");
}
