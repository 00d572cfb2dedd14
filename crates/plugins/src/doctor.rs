//! What a look over the whole home directory says, and what to do about each thing that is wrong.
//!
//! Everything here is a pure function of what was seen; looking is the neighbour's work. Nothing is
//! ever changed: a finding names the command that would.

use plugd_config::MarketplaceKind;
use plugd_disk::DiskError;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, Severity, error_chain};
use plugd_store::{StoreError, VerifyReport};

use crate::login_status::{LoginBy, LoginReport};

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The versions of the program and of what it writes.
    Versions,
    /// The home directory.
    Home,
    /// The layers of the configuration.
    Configuration,
    /// The marketplaces in use.
    Marketplaces,
    /// Installed copies against what is recorded about them.
    Store,
    /// Locks, and what dead processes left.
    Remains,
    /// The programs that bring objects of repositories.
    Git,
    /// The registries of packages.
    Npm,
    /// Who is logged in.
    Login,
    /// What is remembered of the remote catalog.
    RemoteCache,
    /// Room on the disk.
    Space,
}

impl Area {
    /// The word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::Home => "home",
            Self::Configuration => "configuration",
            Self::Marketplaces => "marketplaces",
            Self::Store => "store",
            Self::Remains => "remains",
            Self::Git => "git",
            Self::Npm => "npm",
            Self::Login => "login",
            Self::RemoteCache => "remoteCache",
            Self::Space => "space",
        }
    }
}

/// Something that is wrong, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, and where.
    pub problem: Problem,
    /// The plugin it is about.
    pub plugin: Option<PluginId>,
    /// What to do.
    pub advice: String,
}

/// One area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub area: Area,
    /// What is there, as names and values for people.
    pub facts: Vec<(String, String)>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// All areas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Each area once.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// How many findings are of that severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.checks.iter().flat_map(|check| &check.findings);
        findings
            .filter(|finding| finding.problem.severity == severity)
            .count()
    }

    /// What there is to say when there is no home directory to look at.
    #[must_use]
    pub fn without_home(reason: &str, advice: &str) -> Self {
        let mut home = Check::new(Area::Home);
        home.find(Problem::error(ProblemKind::Missing, reason), advice);
        Self {
            checks: vec![versions(None), home],
        }
    }
}

impl Check {
    pub(crate) fn new(area: Area) -> Self {
        Self {
            area,
            facts: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn fact(&mut self, name: &str, value: impl Into<String>) {
        self.facts.push((name.to_owned(), value.into()));
    }

    pub(crate) fn find(&mut self, problem: Problem, advice: impl Into<String>) {
        self.findings.push(Finding {
            problem,
            plugin: None,
            advice: advice.into(),
        });
    }

    /// Problems that a crate below has told.
    pub(crate) fn told<'a>(&mut self, problems: impl IntoIterator<Item = &'a Problem>) {
        for problem in problems {
            let is_there = self.findings.iter().any(|one| &one.problem == problem);
            if !is_there {
                self.find(problem.clone(), advice(self.area, problem.kind));
            }
        }
    }

    /// Something that could not be looked at.
    pub(crate) fn unreadable(&mut self, error: &DiskError) {
        self.told([&error.problem()]);
    }
}

/// What to do about a problem, by where it is and what it is.
fn advice(area: Area, kind: ProblemKind) -> &'static str {
    match (area, kind) {
        (Area::Configuration, ProblemKind::Config) => {
            "mend the file at that place; what it configures is not seen until then"
        }
        (_, ProblemKind::Unreadable) => "see who owns the file and what its rights are",
        (Area::Configuration, _) => "change the file at that place, or `plugd config write`",
        (Area::Marketplaces, _) => "`plugd validate` shows its author what to mend",
        (Area::Store, _) => "install the plugin again with `plugd plugin add`",
        (Area::Remains, _) => "`plugd gc` removes what nobody needs",
        (Area::Login, _) => "log in again with the login program",
        _ => "see what stands there; plugd does not use it",
    }
}

/// What to do about a configured marketplace that cannot be used.
pub(crate) fn about_marketplace(name: &str, source: &MarketplaceKind, kind: ProblemKind) -> String {
    let give_up = format!("`plugd marketplace remove {name}` gives it up");
    match (source, kind) {
        (MarketplaceKind::Local { source }, ProblemKind::Missing) => {
            format!("put `{source}` back where it was; {give_up}")
        }
        (MarketplaceKind::Git { .. } | MarketplaceKind::Packed { .. }, ProblemKind::Missing) => {
            format!("`plugd marketplace upgrade {name}` fetches it again; {give_up}")
        }
        (MarketplaceKind::Local { source }, _) => {
            format!("`plugd validate {source}` shows what to mend; {give_up}")
        }
        (MarketplaceKind::Git { .. } | MarketplaceKind::Packed { .. }, _) => {
            format!("`plugd marketplace upgrade {name}` once its author has mended it; {give_up}")
        }
    }
}

/// Says that plugins are switched off: nothing else would tell why nothing is there.
pub(crate) fn switched_off(check: &mut Check) {
    check.find(
        Problem::warning(
            ProblemKind::Policy,
            "plugins are disabled by the configuration, so nothing is listed or loaded",
        ),
        "`plugd config write features.plugins=true`, or `--enable plugins` for one command",
    );
}

/// The versions of the program and of its state.
pub(crate) fn versions(state: Option<&str>) -> Check {
    let mut check = Check::new(Area::Versions);
    check.fact("plugd", env!("CARGO_PKG_VERSION"));
    if let Some(state) = state {
        check.fact("state", state.trim());
    }
    check
}

/// What an installed copy is, compared with its record.
pub(crate) fn integrity(
    check: &mut Check,
    id: &PluginId,
    root: &AbsPath,
    compared: Result<VerifyReport, StoreError>,
) {
    let again = format!("`plugd plugin add {id}` installs it again");
    let (problem, advice) = match compared {
        Ok(report) if report.matches => return,
        Ok(VerifyReport { recorded: None, .. }) => (
            Problem::warning(
                ProblemKind::Missing,
                format!("nothing is recorded about the copy of `{id}`, so nothing was compared"),
            ),
            again,
        ),
        Ok(report) => (
            Problem::error(ProblemKind::Conflict, difference(id, &report)),
            again,
        ),
        // Another process has replaced it meanwhile; the new one is that process's work.
        Err(StoreError::Superseded { .. }) => return,
        Err(error) => (
            Problem::error(ProblemKind::Unreadable, error_chain(&error)),
            "see who owns the files and what their rights are".to_owned(),
        ),
    };
    check.findings.push(Finding {
        problem: problem.in_file(root),
        plugin: Some(id.clone()),
        advice,
    });
}

/// How many files are named.
const NAMED: usize = 5;

fn difference(id: &PluginId, report: &VerifyReport) -> String {
    let lists = [
        ("changed", &report.changed),
        ("missing", &report.missing),
        ("added", &report.added),
    ];
    let parts: Vec<String> = lists
        .into_iter()
        .filter(|(_, files)| !files.is_empty())
        .map(|(what, files)| {
            let named = files.iter().take(NAMED).cloned().collect::<Vec<_>>();
            let more = match files.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("{what} {}{more}", named.join(", "))
        })
        .collect();
    let text = format!("the copy of `{id}` is not what was installed");
    match parts.is_empty() {
        true => text,
        false => format!("{text}: {}", parts.join("; ")),
    }
}

/// What lies half done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Remains {
    /// Operations that recovery would undo.
    pub(crate) journals: usize,
    /// Journals that nobody can make sense of.
    pub(crate) bad_journals: Vec<Problem>,
    /// Directories of transactions whose process is gone.
    pub(crate) staged: usize,
    /// What such a transaction was removing.
    pub(crate) trash: usize,
    /// Leases of dead processes.
    pub(crate) dead_leases: usize,
    /// Whether a process holds the store's lock, so that all of it may be in work.
    pub(crate) is_held: bool,
}

/// What the remains mean.
pub(crate) fn remains(check: &mut Check, found: Remains) {
    let Remains {
        journals,
        bad_journals,
        staged,
        trash,
        dead_leases,
        is_held,
    } = found;
    let lock = match is_held {
        true => "held by a living process",
        false => "free",
    };
    check.fact("store lock", lock);
    if is_held {
        return;
    }
    for problem in bad_journals {
        check.find(
            problem,
            "move the file away: it says of no operation how to undo it, and is in the way of none",
        );
    }
    let rows = [
        (
            journals,
            "interrupted operation(s) that the next command undoes",
        ),
        (staged, "half made installation(s)"),
        (trash, "half removed directory(ies)"),
        (dead_leases, "lease(s) of dead processes"),
    ];
    for (count, what) in rows {
        if count > 0 {
            check.find(
                Problem::warning(ProblemKind::LeftOut, format!("{count} {what}")),
                "`plugd gc` cleans up; any command that changes something does, too",
            );
        }
    }
}

/// Which programs bring objects.
pub(crate) fn git(command: Option<(AbsPath, String)>, worker: Result<(), String>) -> Check {
    let mut check = Check::new(Area::Git);
    match worker {
        Ok(()) => check.fact("libgit2", "the worker starts"),
        Err(reason) => check.find(
            Problem::error(
                ProblemKind::Unreadable,
                format!("the git worker does not start: {reason}"),
            ),
            "install plugd again; repositories cannot be fetched until then",
        ),
    }
    match command {
        Some((path, version)) => {
            check.fact("git", format!("{version} ({})", path.to_text()));
        }
        None => check.fact("git", "there is no git command; libgit2 does without"),
    }
    check
}

/// Whether the login is of use.
pub(crate) fn login(report: &LoginReport) -> Check {
    let mut check = Check::new(Area::Login);
    let state = match report.by {
        None => "nobody is logged in",
        Some(LoginBy::ApiKey) => "an API key, which the remote catalog does not accept",
        Some(LoginBy::Account(_)) if report.is_expired => "an account whose token has expired",
        Some(LoginBy::Account(_)) => "an account",
    };
    check.fact("login", state);
    check.told(&report.problems);
    check
}

const MEBIBYTE: u64 = 1 << 20;
/// Below this the next installation may fail.
const SCARCE: u64 = 512 * MEBIBYTE;
/// Below this nearly everything fails.
const OUT: u64 = 16 * MEBIBYTE;

/// Whether there is room.
pub(crate) fn space(path: &AbsPath, free: Option<u64>) -> Check {
    let mut check = Check::new(Area::Space);
    let Some(free) = free else {
        check.fact("free", "the system does not tell");
        return check;
    };
    let text = format!("{} MiB", free / MEBIBYTE);
    check.fact("free", text.as_str());
    if free < SCARCE {
        let message = format!("only {text} are free");
        let problem = match free < OUT {
            true => Problem::error(ProblemKind::TooLarge, message),
            false => Problem::warning(ProblemKind::TooLarge, message),
        };
        check.find(
            problem.in_file(path),
            "`plugd gc --dry-run` tells what can go",
        );
    }
    check
}

/// The registries that a file of npm names, without what proves who asks.
pub(crate) fn registries(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with(['#', ';']));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .filter(|(key, _)| {
            *key == "registry" || (key.starts_with('@') && key.ends_with(":registry"))
        })
        .map(|(key, value)| {
            let value = plugd_model::git_url::without_credentials(value);
            (key.to_owned(), value)
        })
        .collect()
}

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;
