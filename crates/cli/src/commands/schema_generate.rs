//! `plugd schema generate`, and the reference's two commands that write types.
//!
//! A file that already says the same is left alone, so that a build which watches the directory has
//! nothing to do. Files that are no longer generated are not removed: the directory is the user's.

use std::path::Path;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment};
use plugd_server::schema::GeneratedFile;
use serde::Serialize;

use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};

const MODE: u32 = 0o644;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    out: String,
    files: usize,
    changed: usize,
}

/// Writes the files below a directory, which is created when it is missing.
///
/// # Errors
/// The system refuses one of them; the others may have been written.
pub(super) fn write(
    environment: &Environment,
    disk: &Disk,
    out: &Path,
    files: &[GeneratedFile],
    form: Form,
) -> Result<Page, Failure> {
    let out = environment.cwd.join(out);
    disk.create_dirs(&out).map_err(Failure::Write)?;
    let mut changed = 0;
    for file in files {
        let path = out.join(&file.path);
        if !holds(disk, &path, file.content.as_bytes()) {
            disk.replace(&path, file.content.as_bytes(), MODE)
                .map_err(Failure::Write)?;
            changed += 1;
        }
    }
    Ok(page(&out, files.len(), changed, form))
}

/// What cannot be read, or is larger, is to be written.
fn holds(disk: &Disk, path: &AbsPath, content: &[u8]) -> bool {
    let limit = u64::try_from(content.len()).unwrap_or(u64::MAX);
    disk.read(path, limit).is_ok_and(|found| found == content)
}

fn page(out: &AbsPath, files: usize, changed: usize, form: Form) -> Page {
    match form {
        Form::Json => Page::json(&Shape {
            out: out.to_text(),
            files,
            changed,
        }),
        Form::Text { .. } => {
            let out = escape::line(&out.to_text());
            Page::text(match changed {
                0 => format!("All {files} files in {out} are up to date.\n"),
                all if all == files => format!("Wrote {files} files to {out}.\n"),
                _ => format!(
                    "Wrote {changed} of {files} files to {out}; the others are up to date.\n"
                ),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use plugd_disk::Disk;
    use plugd_server::schema::GeneratedFile;
    use plugd_testkit::{Sandbox, test_environment};
    use pretty_assertions::assert_eq;

    use super::{page, write};
    use crate::fixture::{path, text};
    use crate::page::Form;

    fn file(path: &str, content: &str) -> GeneratedFile {
        GeneratedFile {
            path: path.to_owned(),
            content: content.to_owned(),
        }
    }

    #[track_caller]
    fn check(sandbox: &Sandbox, out: &str, files: &[GeneratedFile], changed: usize) {
        let environment = test_environment(sandbox);
        let page = write(&environment, &Disk::new(), Path::new(out), files, text()).unwrap();
        let out = sandbox.root().join("cwd/types");
        assert_eq!(page, super::page(&out, files.len(), changed, text()));
    }

    #[test]
    fn files_are_written_once_and_again_when_they_differ() {
        let sandbox = Sandbox::from("== cwd/types/own.txt\nmine\n");
        let files = [file("json/v2/A.json", "{}\n"), file("openrpc.json", "[]\n")];
        check(&sandbox, "types", &files, 2);
        check(&sandbox, "./types/", &files, 0);
        sandbox.write("cwd/types/openrpc.json", "[] \n");
        check(&sandbox, "types", &files, 1);
        assert_eq!(
            sandbox.tree("cwd"),
            "== types/json/v2/A.json\n{}\n== types/openrpc.json\n[]\n== types/own.txt\nmine\n"
        );
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let sandbox = Sandbox::from("== cwd/types\nno directory\n");
        let environment = test_environment(&sandbox);
        let failure = write(&environment, &Disk::new(), Path::new("types"), &[], text());
        let failure = failure.unwrap_err().to_string();
        assert_eq!(failure, "the generated files cannot be written");
    }

    #[test]
    fn both_forms() {
        let out = path("/out");
        for (changed, expected) in [
            (3, "Wrote 3 files to /out.\n"),
            (
                1,
                "Wrote 1 of 3 files to /out; the others are up to date.\n",
            ),
            (0, "All 3 files in /out are up to date.\n"),
        ] {
            assert_eq!(page(&out, 3, changed, text()).body, expected);
        }
        assert_eq!(
            page(&out, 3, 1, Form::Json).body,
            "{\n  \"out\": \"/out\",\n  \"files\": 3,\n  \"changed\": 1\n}\n"
        );
    }
}
