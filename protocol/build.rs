//! Packs the committed files of `schemas/` into one compressed text, which the crate embeds. They are
//! written from the types by `examples/generate.rs`, so the daemon needs nothing of the generator.
#![expect(
    clippy::disallowed_methods,
    reason = "runs on the developer's machine, before there is a disk of ours"
)]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../schemas");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../schemas");
    let mut paths = Vec::new();
    if root.is_dir() {
        files_below(&root, "", &mut paths)?;
    }
    if paths.is_empty() {
        println!("cargo::warning=there are no schemas; `make schemas` writes them");
    }
    paths.sort();
    let out = Path::new(&variable("OUT_DIR")?).join("schemas.z");
    let mut packed = ZlibEncoder::new(fs::File::create(out)?, Compression::best());
    for path in paths {
        // As they are committed, also where the checkout ends lines in another way.
        let content = fs::read_to_string(root.join(&path))?.replace("\r\n", "\n");
        write!(packed, "{path}\n{}\n{content}", content.len())?;
    }
    packed.finish()?;
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// The files of the kinds that are generated below a directory, as paths with `/` between the parts. What
/// an editor or a system leaves beside them is none of them.
fn files_below(dir: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = Path::new(&name).extension().and_then(OsStr::to_str);
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), &format!("{path}/"), found)?;
        } else if !name.starts_with('.') && matches!(kind, Some("json" | "ts" | "md")) {
            found.push(path);
        }
    }
    Ok(())
}
