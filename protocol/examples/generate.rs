//! Writes the files that are made from the protocol types below a directory: `make schemas`. One that no
//! type speaks of any more stays, and the suite names it.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a tool of the project's own, and no part of the daemon"
)]

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use plugd_protocol::generate::all_files;

fn main() -> ExitCode {
    let Some(out) = env::args_os().nth(1) else {
        eprintln!("error: name the directory for the generated files");
        return ExitCode::from(2);
    };
    match write(Path::new(&out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the generated files cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(out: &Path) -> io::Result<()> {
    for file in all_files() {
        let path = out.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // What is the same stays untouched, or everything that embeds it would be built anew.
        if !fs::read(&path).is_ok_and(|before| before == file.content.as_bytes()) {
            fs::write(path, &file.content)?;
        }
    }
    Ok(())
}
