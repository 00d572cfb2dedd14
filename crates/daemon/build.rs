//! Has the linker put the functions that every session calls beside each other in a release, and keep
//! one of those that have the same code.
//!
//! The system maps code in pieces of 64 KiB around each place that is called. Functions lie in the
//! order in which the compiler made them, so that calling a twentieth of them mapped two thirds of
//! the program. `make hot-functions` writes which functions those are.
//!
//! Without any of this the program is the same and takes more memory: where names or linker are
//! others than the list was made for, nothing is asked of the linker.
#![expect(
    clippy::disallowed_methods,
    reason = "runs on the developer's machine, before there is a disk of ours"
)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

const FUNCTIONS: &str = "crates/daemon/hot_functions.txt";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={FUNCTIONS}");
    println!("cargo::rerun-if-changed=crates/daemon/build.rs");
    if !is_wanted() {
        return Ok(());
    }
    let functions = fs::read_to_string(FUNCTIONS)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let script = Path::new(&out).join("hot_functions.ld");
    fs::write(&script, linker_script(&functions))?;
    // Not by `-Wl,-T,`: a path may hold a comma.
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    // Functions with the same code are one in the program; what tells them apart by their addresses
    // here orders by them only. The compiler brings a linker that can do so for this machine alone.
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
    Ok(())
}

/// Only where the names are those of the list, and the linker is one that knows such a script; that
/// is the compiler's own and the one of the system, and not each that somebody may choose.
fn is_wanted() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    is("PROFILE", "release")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && flags.contains("symbol-mangling-version=v0")
        && !flags.contains("link")
        && env::var_os("RUSTC_LINKER").is_none()
}

/// The code, with the named functions in front, in the order of the list; all else is laid out as ever.
/// They stay in `.text`: what reads symbols, as valgrind does, finds none in a section of another name.
fn linker_script(functions: &str) -> String {
    let mut script = String::from("SECTIONS\n{\n  .text :\n  {\n");
    for name in functions.lines().filter(|line| !line.starts_with('#')) {
        // The optimiser numbers what it has made twice, and puts aside what it takes for rare.
        for prefix in [".text", ".text.unlikely"] {
            // Writing to a text does not fail.
            let _ = writeln!(script, "    *({prefix}.{name} {prefix}.{name}.[0-9]*)");
        }
    }
    script += "    *(.text .text.*)\n  }\n}\nINSERT BEFORE .fini;\n";
    script
}
