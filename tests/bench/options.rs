//! What a run is asked for.

use std::path::PathBuf;

/// How often each workload is measured for each program, when nobody says.
const ROUNDS: usize = 15;

/// The parsed command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// Another app-server.
    pub(crate) peer: Option<PathBuf>,
    /// How often each program is measured.
    pub(crate) rounds: usize,
    /// Where to write which functions sessions call, instead of measuring.
    pub(crate) hot_functions: Option<PathBuf>,
    /// Words of which one must be in the name of a workload.
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments. Cargo adds `--bench` to them.
    pub(crate) fn of(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            peer: None,
            rounds: ROUNDS,
            hot_functions: None,
            only: Vec::new(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("`{arg}` needs a value"));
            match arg.as_str() {
                "--bench" => {}
                "--peer" => options.peer = Some(value()?.into()),
                "--rounds" => {
                    let text = value()?;
                    options.rounds = match text.parse() {
                        Ok(rounds) if rounds > 0 => rounds,
                        _ => return Err(format!("`{text}` is no number of rounds")),
                    };
                }
                "--hot-functions" => options.hot_functions = Some(value()?.into()),
                "--only" => options.only.push(value()?),
                _ => {
                    return Err(format!(
                        "`{arg}` is not known: --peer PATH, --rounds N, --only WORD, \
                         --hot-functions FILE"
                    ));
                }
            }
        }
        match &options.peer {
            Some(peer) if !peer.is_file() => Err(format!("there is no `{}`", peer.display())),
            _ => Ok(options),
        }
    }

    /// Whether a workload is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| name.contains(word.as_str()))
    }
}
