//! Features that the administrator switches on or off for everybody.

use plugd_disk::Disk;
use plugd_model::Layout;
use serde_json::Value;

use crate::reader::Reader;
use crate::tree::Node;
use crate::{Edit, Features, KeyPath, WriteError};

const TABLE: &str = "features";

/// Which features have to be on or off, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RequiredFeatures(Vec<(String, bool)>);

impl RequiredFeatures {
    /// Reads the table. What cannot be understood switches off: it may have been meant to.
    pub(super) fn read(reader: &mut Reader<'_>, tree: &Node) -> Self {
        let field = KeyPath::of([TABLE]);
        let Some(table) = tree.get(TABLE) else {
            return Self::default();
        };
        let Ok(rows) = reader.table(Some(table), &field) else {
            let off = Features::NAMES.map(|name| (name.to_owned(), false));
            return Self(off.into());
        };
        let switches = rows.iter().map(|(name, _)| {
            let flag = reader.flag(table, &field.child(name));
            (name.clone(), flag.ok().flatten().unwrap_or(false))
        });
        Self(switches.collect())
    }

    /// What the configuration says, with what is required in its place.
    pub(crate) fn laid_over(&self, mut features: Features) -> Features {
        for (name, required) in &self.0 {
            if let Some(switch) = features.switch(name) {
                *switch = *required;
            }
        }
        features
    }

    fn of(&self, name: &str) -> Option<bool> {
        let mut rows = self.0.iter();
        rows.find(|(known, _)| known == name).map(|row| row.1)
    }
}

/// Refuses to write the contrary of what is required: it would be in the file and have no effect.
///
/// # Errors
/// An edit asks for the contrary.
pub(crate) fn refuse_contrary(
    disk: &Disk,
    layout: &Layout,
    edits: &[Edit],
) -> Result<(), WriteError> {
    let wishes: Vec<_> = edits.iter().flat_map(wishes).collect();
    if wishes.is_empty() {
        return Ok(());
    }
    let requirements = super::of_system(disk, layout);
    for (name, wish) in wishes {
        if let Some(required) = requirements.features().of(&name).filter(|it| *it != wish) {
            let file = requirements.file();
            return Err(WriteError::Invalid {
                field: KeyPath::of([TABLE, name.as_str()]).to_string(),
                reason: format!("`{file}` requires that this is {required}"),
            });
        }
    }
    Ok(())
}

/// The features that an edit switches, and to what.
fn wishes(edit: &Edit) -> Vec<(String, bool)> {
    let of_table = |table: &Value| -> Vec<(String, bool)> {
        let rows = table.as_object().into_iter().flatten();
        let switches = rows.filter_map(|(name, value)| Some((name.clone(), value.as_bool()?)));
        switches.collect()
    };
    let Some(value) = edit.written() else {
        return Vec::new();
    };
    match edit.key_path.segments() {
        [] => of_table(&value[TABLE]),
        [table] if table == TABLE => of_table(value),
        [table, name] if table == TABLE => match value.as_bool() {
            Some(wish) => vec![(name.clone(), wish)],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The hooks that only an administrator's word lets run.
pub(super) fn managed_hooks_only(reader: &mut Reader<'_>, tree: &Node) -> bool {
    let flag = reader.flag(tree, &KeyPath::of(["allow_managed_hooks_only"]));
    // What cannot be understood restricts.
    flag.map_or(true, |flag| flag.unwrap_or(false))
}
