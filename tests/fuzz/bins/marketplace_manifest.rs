//! The target `marketplace_manifest`.
#![no_main]
#[path = "../../torture/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| (targets::target("marketplace_manifest").run)(input));
