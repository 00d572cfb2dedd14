//! What is inside a plugin: skills, hooks, MCP servers, apps, and the commands that an installation
//! turns into skills.
//!
//! Each function takes a plugin's root and its manifest and answers everything that could be
//! understood, in a stable order, beside the problems of everything that could not. Three questions
//! build on that: what a host has to load ([`list_skills`], [`McpDefinition::resolved`],
//! [`HookDeclaration::command_text`]), what somebody says yes to ([`inspect()`]), and what an author
//! should repair ([`plugin_findings`], [`marketplace_findings`]).
//!
//! Invariants:
//! - One bad item spoils itself only. A broken skill, hook handler, server or app is a [`Problem`]
//!   with its place, and its neighbours stay. There is no error that hides a whole plugin.
//! - No file outside the resolved plugin root is read or named: a link is followed only when its
//!   target lies inside. Only directories of skills that belong to no plugin are the user's own, and
//!   there its links count.
//! - Work is bounded before it starts: files by size, directories by number and depth, YAML and JSON
//!   by nesting.
//!
//! This crate only tells what is declared. It starts nothing, knows no value of a variable, and does
//! not decide what is enabled, trusted or allowed.

use plugd_model::{Problem, ProblemKind};

mod apps;
mod author;
mod budget;
mod commands;
mod front_matter;
mod hooks;
mod inspect;
mod item;
mod mcp;
mod placeholders;
mod programs;
mod skills;
mod spelling;
mod tree;
mod yaml;

#[cfg(test)]
mod bad_input_tests;
#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod links_tests;
#[cfg(test)]
#[cfg(unix)]
mod swapped_tests;

pub use apps::{App, apps};
pub use author::{
    EntryPlaces, MemberPlaces, manifest_findings, marketplace_findings, plugin_findings,
};
pub use commands::{GeneratedFile, migrated_commands};
pub use hooks::{
    HookDeclaration, HookEvent, HookHandler, HookObstacle, hooks, hooks_in_file, hooks_in_table,
};
pub use inspect::{
    Categories, Category, Change, Changes, Difference, EnvironmentNames, Executable,
    ExecutableKind, HiddenCharacter, HiddenClass, HiddenText, InspectedFiles, InspectedServer,
    Inspection, InspectionLimits, LicenceFile, ModelText, Oddity, OddityKind, TextKind, Unread,
    UnreadKind, hidden_characters, inspect,
};
pub use item::Origin;
pub use mcp::{
    HttpProtocol, McpDefinition, McpOauth, McpTransport, NeededVariable, ResolvedMcpServer,
    VariableUse, is_startable, mcp_definitions, mcp_server_names,
};
pub use placeholders::{Mention, Placeholders, Platform, Spelling, mentions};
pub use skills::{
    ListedProblem, ListedSkill, Skill, SkillInterface, SkillListing, SkillMemory, SkillScope,
    SkillSource, ToolDependency, list_skills, onboarding_skill, skill_at, skill_text, skills,
};
pub use spelling::meant;

/// How many problems of one kind of component are listed.
const MAX_PROBLEMS: usize = 500;

/// What was found, and what was wrong with the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The usable items, in the order in which they are shown.
    pub items: Vec<T>,
    /// Why something is missing or incomplete, in the order in which it was met.
    pub problems: Vec<Problem>,
}

impl<T> Found<T> {
    fn nothing() -> Self {
        Self {
            items: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn only(problem: Problem) -> Self {
        Self {
            items: Vec::new(),
            problems: vec![problem],
        }
    }

    /// Keeps the first problems, each once, and says how many more there were: the list goes into an
    /// answer, and a plugin may be made of nothing but mistakes. A link that leads out is met by the
    /// walk and by whoever reads the file.
    fn bounded(mut self) -> Self {
        let more = self.problems.len().saturating_sub(MAX_PROBLEMS);
        self.problems.truncate(MAX_PROBLEMS);
        let mut told: Vec<Problem> = Vec::with_capacity(self.problems.len());
        for problem in self.problems.drain(..) {
            if !told.contains(&problem) {
                told.push(problem);
            }
        }
        self.problems = told;
        if more > 0 {
            let text = format!("{more} more problems are not listed");
            self.problems
                .push(Problem::warning(ProblemKind::TooLarge, text));
        }
        self
    }
}
