//! The target `config_edit`.
#![no_main]
#[path = "../../torture/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| (targets::target("config_edit").run)(input));
