//! `plugd new`: the first files of a plugin, a marketplace or a skill, and what to do next.

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment};
use plugd_plugins::{Scaffold, ScaffoldKind};
use serde::Serialize;

use crate::args::{NewArgs, NewCommand};
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    kind: &'static str,
    name: String,
    path: String,
    files: Vec<String>,
    next: Vec<String>,
}

/// Begins something. No home directory is asked for: an author need not have one.
///
/// # Errors
/// The name is none, something stands in its place, or the files cannot be written.
pub(super) fn run(
    environment: &Environment,
    disk: &Disk,
    command: &NewCommand,
    form: Form,
) -> Result<Page, Failure> {
    let (kind, args) = match command {
        NewCommand::Plugin(args) => (ScaffoldKind::Plugin, args),
        NewCommand::Marketplace(args) => (ScaffoldKind::Marketplace, args),
        NewCommand::Skill(args) => (ScaffoldKind::Skill, args),
    };
    let NewArgs { name, dir } = args;
    let dir = match dir {
        Some(dir) => environment.cwd.join(dir),
        None => environment.cwd.clone(),
    };
    let made = plugd_plugins::scaffold(disk, kind, name, &dir)?;
    Ok(page(&made, form))
}

fn page(made: &Scaffold, form: Form) -> Page {
    let next = next(made);
    let Scaffold {
        kind,
        name,
        root,
        plugin: _,
        files,
    } = made;
    if let Form::Json = form {
        return Page::json(&Shape {
            kind: kind.word(),
            name: name.clone(),
            path: root.to_text(),
            files: files.clone(),
            next,
        });
    }
    let mut text = format!("Created {} `{name}` in {root}:\n", kind.word());
    let files = files.iter();
    text.extend(files.map(|file| format!("  {}\n", escape::line(file))));
    text.push_str("Next:\n");
    text.extend(
        next.iter()
            .map(|line| format!("  {}\n", escape::line(line))),
    );
    Page::text(text)
}

/// The commands that its author needs then.
fn next(made: &Scaffold) -> Vec<String> {
    let root = made.plugin.as_ref().unwrap_or(&made.root);
    let place = quoted(root);
    let first = format!("plugd validate {place}");
    let second = match made.kind {
        ScaffoldKind::Plugin | ScaffoldKind::Skill => format!("plugd link {place}"),
        ScaffoldKind::Marketplace => format!("plugd marketplace add {place}"),
    };
    vec![first, second]
}

/// A path as a shell takes it.
fn quoted(path: &AbsPath) -> String {
    let text = path.to_text();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:\\".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
