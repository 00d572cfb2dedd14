//! The files that count wherever a request comes from, as they were read at one moment.

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, Problem, ProblemKind};

use crate::layer::{LayerSource, read_text};
use crate::tree::Node;
use crate::{LastEdit, SessionFlags};

/// What a file says; `None` when it is not there, else why it cannot be read.
pub(crate) type Text = Result<Option<String>, Problem>;

/// All of them.
#[derive(Debug)]
pub(crate) struct Files {
    texts: Vec<(AbsPath, Text)>,
    /// What this process may have parsed already.
    last: LastEdit,
}

impl Files {
    /// Reads them all.
    pub(crate) fn read(disk: &Disk, layout: &Layout, flags: &SessionFlags) -> Self {
        let system = |name: &str| layout.system().join(name);
        let mut files = vec![
            (LayerSource::System, system("config.toml")),
            (LayerSource::User, layout.user_config()),
            (LayerSource::System, system("plugd.toml")),
            (LayerSource::User, layout.user_plugd_config()),
            (LayerSource::System, system("requirements.toml")),
        ];
        let managed = managed(layout);
        if !matches!(disk.stamp(&managed), Ok(None)) {
            files.push((LayerSource::Managed, managed));
        }
        files.extend(
            flags
                .profile
                .as_deref()
                .and_then(|name| profile(name, layout)),
        );
        let read = |(source, file): (LayerSource, AbsPath)| {
            let text = read_layer(disk, &source, &file);
            (file, text)
        };
        Self {
            texts: files.into_iter().map(read).collect(),
            last: LastEdit::default(),
        }
    }

    /// None that is known, so that each is read when somebody asks for it.
    pub(crate) fn none() -> Self {
        Self {
            texts: Vec::new(),
            last: LastEdit::default(),
        }
    }

    /// The same, parsed as far as this edit has done so.
    pub(crate) fn parsed_by(self, last: &LastEdit) -> Self {
        let last = last.clone();
        Self { last, ..self }
    }

    /// Whether they say the same, and so mean the same.
    pub(crate) fn say(&self, others: &Self) -> bool {
        self.texts == others.texts
    }

    /// The tree of a text, as the user's own file in a stack, where it is known.
    pub(crate) fn tree_of(&self, text: &str) -> Option<Node> {
        self.last.of(text).map(|parsed| parsed.tree.clone())
    }

    /// Whether it is one of them. What an administrator enforces is one only when it is there.
    pub(crate) fn has(&self, file: &AbsPath) -> bool {
        self.texts.iter().any(|(known, _)| known == file)
    }

    /// What a file said; one that is none of them is read now.
    pub(crate) fn text(&self, disk: &Disk, source: &LayerSource, file: &AbsPath) -> Text {
        let known = self.texts.iter().find(|(known, _)| known == file);
        match known {
            Some((_, text)) => text.clone(),
            None => read_layer(disk, source, file),
        }
    }
}

/// What an administrator enforces.
#[must_use]
pub fn managed(layout: &Layout) -> AbsPath {
    layout.system().join("managed_config.toml")
}

/// The layer of a profile, unless its name is none: the name becomes part of a path.
pub(crate) fn profile(name: &str, layout: &Layout) -> Option<(LayerSource, AbsPath)> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_name = !name.is_empty() && name.chars().all(legal);
    is_name.then(|| {
        let source = LayerSource::Profile {
            name: name.to_owned(),
        };
        (source, layout.profile_config(name))
    })
}

fn read_layer(disk: &Disk, source: &LayerSource, file: &AbsPath) -> Text {
    let looks = needs_a_look(source, file);
    let is_usual = *source == LayerSource::User && file.file_name() == Some("config.toml".as_ref());
    // Nearly everywhere it is absent, and then one look says both that and that no link stands there.
    if looks && !is_usual && matches!(disk.link_stamp(file), Ok(None)) {
        return Ok(None);
    }
    read_text(disk, file).and_then(|text| match looks {
        true => present(disk, file, text),
        false => Ok(text),
    })
}

/// Whether it matters that an absent file is one: what a user or a project expects to count, and what
/// an administrator enforces. The others are absent nearly everywhere, and each look costs a call.
fn needs_a_look(source: &LayerSource, file: &AbsPath) -> bool {
    let is = |name: &str| file.file_name().is_some_and(|found| found == name);
    match source {
        // What it asks for before something may come must not go with a link.
        LayerSource::User => is("config.toml") || is("plugd.toml"),
        LayerSource::Project { .. } => is("config.toml") || is("plugd.toml"),
        LayerSource::Profile { .. } => true,
        LayerSource::System => is("requirements.toml") || is("plugd.toml"),
        LayerSource::SessionFlags | LayerSource::Managed => false,
    }
}

/// A link that leads to nothing is not an absent file: somebody's configuration is not where it is
/// expected. A writer makes the file that it speaks of.
fn present(disk: &Disk, file: &AbsPath, text: Option<String>) -> Result<Option<String>, Problem> {
    if text.is_none() && matches!(disk.link_stamp(file), Ok(Some(_))) {
        let why = "the file is a link that leads to nothing";
        return Err(Problem::warning(ProblemKind::Missing, why).in_file(file));
    }
    Ok(text)
}
