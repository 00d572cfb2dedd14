//! Marketplaces in repositories, over smart HTTP on loopback. The limit is the git command, where there
//! is one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::client;
use crate::limits::milliseconds;
use crate::measure::Sample;
use crate::places::{Places, Program};

pub(super) fn add<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    let params = json!({"source": places.repository().url});
    Box::new(move || client(places, program, &[]).try_time("marketplace/add", &params))
}

pub(super) fn upgrade_nothing<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    upgrade(places, program, || {})
}

pub(super) fn upgrade_one<'a>(places: &'a Places, program: &'a Program) -> Sample<'a> {
    upgrade(places, program, || places.repository().move_on())
}

/// An upgrade of a marketplace that was added before, after something has happened to it.
fn upgrade<'a>(places: &'a Places, program: &'a Program, before: impl Fn() + 'a) -> Sample<'a> {
    let mut client = client(places, program, &[]);
    let source = json!({"source": places.repository().url});
    let is_added = client.try_time("marketplace/add", &source).is_some();
    Box::new(move || {
        before();
        is_added.then(|| client.try_time("marketplace/upgrade", &json!({})))?
    })
}

pub(super) fn clone(places: &Places) -> Sample<'_> {
    Box::new(|| {
        let to = places.fresh().join("clone");
        cloned(places, &to)
    })
}

/// A fetch of one more commit, and what it changes in the working directory.
pub(super) fn fetch(places: &Places) -> Sample<'_> {
    let to: PathBuf = places.fresh().join("clone");
    let is_cloned = cloned(places, &to).is_some();
    Box::new(move || {
        places.repository().move_on();
        let work = || {
            git(&to, &["fetch", "--quiet", "--depth", "1"])
                && git(&to, &["reset", "--quiet", "--hard", "FETCH_HEAD"])
        };
        is_cloned.then(|| timed(work))?
    })
}

fn cloned(places: &Places, to: &Path) -> Option<f64> {
    let (url, to) = (&places.repository().url, to.to_str()?);
    timed(|| {
        git(
            Path::new("/"),
            &["clone", "--quiet", "--depth", "1", url, to],
        )
    })
}

/// How long it takes, if it works.
fn timed(work: impl FnOnce() -> bool) -> Option<f64> {
    let mut worked = false;
    let took = milliseconds(|| worked = work());
    worked.then_some(took)
}

fn git(dir: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
