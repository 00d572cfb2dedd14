//! From a declaration to what a host has to start or to call.
//!
//! The plugin's directories are put in; relative commands, arguments and working directories become
//! absolute, and none of them leaves the plugin. Whatever depends on the user is left as it stands:
//! a `${VAR}` stays in its text, and [`ResolvedMcpServer::needs`] says which variables the host has
//! to look up, where, and what the plugin gives as default. No value is ever invented here, an empty
//! one neither: a host without the variable may ask its user, leave the server out, or fail, and only
//! it can know which.
//!
//! In the Agent Plugins format nothing but its two placeholders is ever replaced (section 9.2), so
//! there are no such needs.

use std::path::Path;

use plugd_disk::{Disk, Kind};
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::item::clip;
use crate::placeholders::{Mention, Placeholders, Platform, Spelling, behind_directory, mentions};
use crate::tree::{PluginTree, resolve_as_far};

use super::agent::climbs;
use super::{McpDefinition, McpTransport};

/// What a host starts or calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedMcpServer {
    /// The server's name.
    pub name: String,
    /// How it is reached. A program below the plugin and a working directory are absolute; `env`
    /// holds the plugin's directories under every name that plugins look for; what is left in `${…}`
    /// stands among the needs, or is text in the Agent Plugins format.
    pub transport: McpTransport,
    /// The user's variables that a host has to look up, in the order of the members, each use once.
    pub needs: Vec<NeededVariable>,
    /// Warnings about what it is started with, or in, and is not there now. It may be by the time that
    /// somebody starts it: some plugins make their programs when they are first used.
    pub absent: Vec<Problem>,
}

/// A variable of the user that a server wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededVariable {
    /// Its name.
    pub name: String,
    /// What the plugin puts in its place when it is not set.
    pub default: Option<String>,
    /// What it is for.
    pub purpose: VariableUse,
    /// The member that wants it, such as `env.TOKEN` or `args[1]`.
    pub member: String,
}

/// What a variable is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableUse {
    /// Its value replaces `${NAME}` in the member.
    Text,
    /// The process gets it under the same name.
    Passed,
    /// Its value is that of a header.
    Header,
    /// Its value is the bearer token.
    BearerToken,
}

impl McpDefinition {
    /// What a host starts or calls for this server, with the plugin at `placeholders.plugin_root`.
    /// Whether the server is enabled is not asked.
    ///
    /// # Errors
    /// The server can never work: its program or working directory leaves the plugin, or its address
    /// is none that a host connects to. The problem has the place of the declaration.
    pub fn resolved(
        &self,
        disk: &Disk,
        placeholders: &Placeholders,
        platform: Platform,
    ) -> Result<ResolvedMcpServer, Problem> {
        let tree = PluginTree::open(disk, &placeholders.plugin_root)?;
        let mut directories = placeholders.clone();
        if self.spelling == Spelling::Portable {
            // Section 9.1: the variable is the path with every link resolved.
            directories.plugin_root = tree.root().clone();
        }
        let mut resolver = Resolver {
            definition: self,
            platform,
            tree,
            directories,
            needs: Vec::new(),
            absent: Vec::new(),
        };
        let transport = match &self.transport {
            McpTransport::Stdio {
                command,
                args,
                env,
                env_vars,
                cwd,
            } => {
                let command = resolver.command(command)?;
                let cwd = resolver.working_directory(cwd.as_deref())?;
                let args = resolver.args(args, cwd.as_deref());
                let env = resolver.env(env);
                for name in env_vars {
                    resolver.need(name, None, VariableUse::Passed, "env_vars");
                }
                McpTransport::Stdio {
                    command,
                    args,
                    env,
                    env_vars: env_vars.clone(),
                    cwd,
                }
            }
            McpTransport::Http { .. } => resolver.http(&self.transport)?,
        };
        Ok(ResolvedMcpServer {
            name: self.name.clone(),
            transport,
            needs: resolver.needs,
            absent: resolver.absent,
        })
    }
}

struct Resolver<'a> {
    definition: &'a McpDefinition,
    platform: Platform,
    tree: PluginTree<'a>,
    directories: Placeholders,
    needs: Vec<NeededVariable>,
    absent: Vec<Problem>,
}

impl Resolver<'_> {
    fn is_portable(&self) -> bool {
        self.definition.spelling == Spelling::Portable
    }

    fn problem(&self, member: &str, kind: ProblemKind, text: &str) -> Problem {
        self.definition.origin.below(member).problem(kind, text)
    }

    fn need(&mut self, name: &str, default: Option<String>, purpose: VariableUse, member: &str) {
        let need = NeededVariable {
            name: name.to_owned(),
            default,
            purpose,
            member: member.to_owned(),
        };
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
    }

    /// Puts the directories in and notes the variables that are left.
    fn expand(&mut self, text: &str, member: &str) -> String {
        if !self.is_portable() {
            for Mention { name, default } in mentions(text) {
                self.need(&name, default, VariableUse::Text, member);
            }
        }
        self.directories.expand(text, self.definition.spelling)
    }

    /// A program: a bare name is left to the host's search, everything else lies in the plugin or is
    /// absolute. In the Agent Plugins format nothing is put into it.
    fn command(&mut self, command: &str) -> Result<String, Problem> {
        let text = if self.is_portable() {
            command.to_owned()
        } else {
            self.expand(command, "command")
        };
        if text.trim().is_empty() {
            let message = "the command is blank, so nothing can start";
            return Err(self.problem("command", ProblemKind::BadValue, message));
        }
        let path = Path::new(&text);
        let is_bare = path.components().count() < 2;
        // An absolute path that the plugin spelled out is a program of the system.
        let is_foreign = path.is_absolute() && behind_directory(command).is_none();
        if is_bare || is_foreign || text.starts_with("${") || text.starts_with("~/") {
            return Ok(text);
        }
        let path = self.directories.plugin_root.join(&text);
        let is_inside = self.tree.contains(&path);
        if climbs_out(command) || !(is_inside || self.is_data(&path)) {
            let message = "the command leaves the plugin's directory";
            return Err(self.problem("command", ProblemKind::BadPath, message));
        }
        // Windows finds a program by a name without its suffix.
        if is_inside && self.platform == Platform::Unix {
            self.look_for("command", &text, &path, Kind::File);
        }
        Ok(path.to_text())
    }

    /// The working directory: in the plugin or in its data. A host chooses where a server starts
    /// that does not say, except in the Agent Plugins format, where that is the plugin (7.2.1).
    fn working_directory(&mut self, declared: Option<&str>) -> Result<Option<String>, Problem> {
        let Some(declared) = declared else {
            let root = self.directories.plugin_root.to_text();
            return Ok(self.is_portable().then_some(root));
        };
        let text = self.expand(declared, "cwd");
        if text.starts_with("${") {
            return Ok(Some(text));
        }
        let path = self.directories.plugin_root.join(&text);
        let is_inside = self.tree.contains(&path) && !climbs_out(declared);
        if is_inside {
            self.look_for("cwd", &text, &path, Kind::Dir);
        }
        if is_inside || self.is_data(&path) {
            return Ok(Some(path.to_text()));
        }
        let message = "the working directory lies outside of the plugin and its data";
        Err(self.problem("cwd", ProblemKind::BadPath, message))
    }

    /// Notes what a host could not start, or not start in, as things are. An installation leaves links
    /// out that lead out of the plugin, so what was one of those is missing in the copy. What depends on
    /// a variable is not judged, nor what cannot be looked at.
    fn look_for(&mut self, member: &str, text: &str, path: &AbsPath, kind: Kind) {
        let shown = match path.as_path().strip_prefix(&self.directories.plugin_root) {
            Ok(below) => clip(&below.to_string_lossy()),
            Err(_) => clip(text),
        };
        let (missing, message) = match self.tree.locate(path) {
            Ok(None) if !text.contains("${") => {
                (ProblemKind::Missing, format!("`{shown}` does not exist"))
            }
            Ok(Some(found)) if found.kind != kind => (
                ProblemKind::NotAFile,
                format!("`{shown}` is no {}", kind.word()),
            ),
            _ => return,
        };
        let problem = self.problem(member, missing, &message);
        self.absent.push(problem.as_warning());
    }

    /// Whether a path lies in the data directory, links resolved as far as they exist.
    fn is_data(&self, path: &AbsPath) -> bool {
        let data = &self.directories.plugin_data;
        let disk = self.tree.disk();
        path.starts_with(data)
            && match (resolve_as_far(disk, path), resolve_as_far(disk, data)) {
                (Ok(path), Ok(data)) => path.starts_with(&data),
                _ => false,
            }
    }

    /// The arguments. One that names a file of the plugin becomes absolute, because the host starts
    /// the server elsewhere; `./` alone and what is not there may mean the user's directory, and
    /// stay. In the Agent Plugins format arguments are opaque (section 4.1, 5).
    fn args(&mut self, args: &[String], cwd: Option<&str>) -> Vec<String> {
        let mut resolved = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let text = self.expand(arg, &format!("args[{index}]"));
            let rebased = match self.is_portable() {
                true => None,
                false => self.file_of_plugin(&text, cwd),
            };
            resolved.push(rebased.unwrap_or(text));
        }
        resolved
    }

    fn file_of_plugin(&self, text: &str, cwd: Option<&str>) -> Option<String> {
        if !text.starts_with("./") || climbs(text) {
            return None;
        }
        let exists = |path: &AbsPath| matches!(self.tree.disk().link_stamp(path), Ok(Some(_)));
        if let Some(cwd) = cwd.and_then(|cwd| AbsPath::new(cwd).ok())
            && exists(&cwd.join(text))
        {
            return None;
        }
        let root = &self.directories.plugin_root;
        let path = root.join(text);
        (path != *root && exists(&path) && self.tree.contains(&path)).then(|| path.to_text())
    }

    /// The variables of the process. In the Agent Plugins format the two of the host replace what
    /// the plugin says (9.1); elsewhere a plugin that sets one itself knows why.
    fn env(&mut self, env: &[(String, String)]) -> Vec<(String, String)> {
        let own = self.directories.environment(self.definition.spelling);
        let mut resolved: Vec<(String, String)> = Vec::new();
        for (name, value) in env {
            let value = self.expand(value, &format!("env.{name}"));
            resolved.push((name.clone(), value));
        }
        for (name, value) in own {
            let is_same = |other: &str| self.platform.same_variable(other, &name);
            if self.is_portable() {
                resolved.retain(|(other, _)| !is_same(other));
            } else if resolved.iter().any(|(other, _)| is_same(other)) {
                continue;
            }
            resolved.push((name, value));
        }
        resolved.sort();
        resolved
    }

    fn http(&mut self, transport: &McpTransport) -> Result<McpTransport, Problem> {
        let mut transport = transport.clone();
        let McpTransport::Http {
            url,
            protocol: _,
            headers,
            env_headers,
            bearer_token_env_var,
            headers_helper,
        } = &mut transport
        else {
            return Ok(transport);
        };
        // Section 7.2.1: nothing is put into addresses and headers.
        if self.is_portable() {
            return Ok(transport);
        }
        *url = self.expand(url, "url");
        let lower = url.to_ascii_lowercase();
        let is_http = ["http://", "https://", "${"];
        if !is_http.iter().any(|start| lower.starts_with(start)) {
            let message = "a host connects to addresses with `https` and `http` only";
            return Err(self.problem("url", ProblemKind::BadValue, message));
        }
        for (name, value) in headers {
            *value = self.expand(value, &format!("headers.{name}"));
        }
        for (header, variable) in env_headers {
            let member = format!("env_http_headers.{header}");
            self.need(variable, None, VariableUse::Header, &member);
        }
        if let Some(name) = bearer_token_env_var {
            let member = "bearer_token_env_var";
            self.need(name, None, VariableUse::BearerToken, member);
        }
        if let Some(command) = headers_helper {
            // As in the command of a hook: what else stands in it is for the shell.
            *command = self.directories.expand(command, self.definition.spelling);
        }
        Ok(transport)
    }
}

/// Whether a relative path climbs above where it begins; an absolute one is judged by its end.
fn climbs_out(declared: &str) -> bool {
    let relative = behind_directory(declared).unwrap_or(declared);
    !Path::new(declared).is_absolute() && climbs(relative)
}
