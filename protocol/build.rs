//! Packs the committed files of `schemas/` into one compressed text, which the crate embeds. They are
//! written from the types by `examples/generate.rs`, so the daemon needs nothing of the generator.
#![expect(
    clippy::disallowed_methods,
    reason = "runs on the developer's machine, before there is a disk of ours"
)]

use std::env;
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
    match root.is_dir() {
        true => files_below(&root, "", &mut paths)?,
        false => println!("cargo::warning=there are no schemas; `make schemas` writes them"),
    }
    paths.sort();
    let out = Path::new(&variable("OUT_DIR")?).join("schemas.z");
    let mut packed = ZlibEncoder::new(fs::File::create(out)?, Compression::best());
    for path in paths {
        let content = fs::read(root.join(&path))?;
        writeln!(packed, "{path}\n{}", content.len())?;
        packed.write_all(&content)?;
    }
    packed.finish()?;
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// The files below a directory, as paths with `/` between the parts.
fn files_below(dir: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => files_below(&entry.path(), &format!("{path}/"), found)?,
            false => found.push(path),
        }
    }
    Ok(())
}
