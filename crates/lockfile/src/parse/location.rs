//! Directories as a lock writes them: below the project, or absolute.

use plugd_model::AbsPath;

use crate::Location;

/// What is said of a text that is none.
pub(super) const BAD_LOCATION: &str =
    "this is a directory of the project, `./` first, or an absolute path";

/// A directory as a lock writes it; `None` when it could lead elsewhere.
pub(super) fn location(text: &str) -> Option<Location> {
    if text == "." {
        return Some(Location::InProject(String::new()));
    }
    let Some(path) = text.strip_prefix("./") else {
        return AbsPath::new(text).ok().map(Location::Machine);
    };
    let plain = |name: &str| {
        !matches!(name, "" | "." | "..")
            && !name.contains(['\\', '\0'])
            && !name.contains(char::is_control)
    };
    path.split('/')
        .all(plain)
        .then(|| Location::InProject(path.to_owned()))
}
