//! Everything the process is told from outside, as one value.
//!
//! It is made once, in the entry point. The library never asks the system for a variable, the
//! current directory, the time or a random number, so a test can set each of them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::AbsPath;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Time since the Unix epoch.
    fn now(&self) -> Duration;
}

/// Makes names that do not collide with those of other processes.
pub trait RandomNames: Send + Sync {
    /// Sixteen hexadecimal digits.
    fn next(&self) -> String;
}

/// What the process was started with.
#[derive(Clone)]
pub struct Environment {
    /// The program itself, to be started again as a worker. It may have been replaced on disk since.
    pub program: AbsPath,
    /// The arguments behind the program's name.
    pub args: Vec<OsString>,
    /// The variables.
    pub vars: BTreeMap<OsString, OsString>,
    /// The working directory.
    pub cwd: AbsPath,
    /// Whether that was removed; `cwd` is the root of the file system then. Only a server can do without:
    /// its requests carry their directories.
    pub cwd_is_gone: bool,
    /// The user's home directory, when there is one.
    pub home: Option<AbsPath>,
    /// Where an administrator's files lie. No variable moves it: that would switch policy off.
    pub system_dir: AbsPath,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for staging directories, journals and temporary files.
    pub names: Arc<dyn RandomNames>,
}

impl Environment {
    /// A variable that is set and not empty.
    pub fn var(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.vars
            .get(name.as_ref())
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    /// Leaves the variables out: they hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("cwd", &self.cwd)
            .field("home", &self.home)
            .field("system_dir", &self.system_dir)
            .finish_non_exhaustive()
    }
}
