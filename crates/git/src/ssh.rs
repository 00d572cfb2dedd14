//! Git over the user's own ssh program, so that their configuration, agent and known hosts count.
//!
//! The program runs in batch mode and without a terminal: it can fail, not ask.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::thread::JoinHandle;

use git2::transport::{Service, SmartSubtransportStream};

use crate::address::SshTarget;
use crate::failure::{Failure, quoted};
use crate::ssh_words::{self, Ssh};
use crate::transport::{Connection, Remotes};
use crate::{Address, process};

/// How much of what ssh says is kept; its last words matter.
const MAX_WORDS: usize = 4096;

/// ssh's own exit code for everything that is not the other side's.
const SSH_FAILED: i32 = 255;

/// One repository behind ssh.
pub(crate) struct SshRemote {
    remotes: Arc<Remotes>,
    address: Address,
    target: SshTarget,
}

impl SshRemote {
    pub(crate) fn new(remotes: Arc<Remotes>, address: Address, target: SshTarget) -> Self {
        Self {
            remotes,
            address,
            target,
        }
    }
}

impl Connection for SshRemote {
    fn begin(&self, service: Service) -> io::Result<Box<dyn SmartSubtransportStream>> {
        if service != Service::UploadPackLs {
            return Err(io::Error::other("the connection serves one fetch only"));
        }
        let said = Said::new(&self.remotes, &self.address);
        let failed = |reason: String| self.remotes.fail(said.unreachable(reason));
        let command = self.remotes.user.ssh_command();
        let (environment, patience) = (&self.remotes.environment, self.remotes.patience());
        let mut child = process::start_ssh(&self.target, command, environment, patience)
            .map_err(|error| failed(format!("cannot start ssh: {error}")))?;
        let (Some(input), Some(output), Some(words)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed("ssh has no pipes".to_owned()));
        };
        Ok(Box::new(Pipe {
            remotes: Arc::clone(&self.remotes),
            said: Said::new(&self.remotes, &self.address),
            child,
            input,
            output,
            words: Some(std::thread::spawn(move || last_words(words))),
            heard: false,
        }))
    }
}

/// What is known of a connection when ssh says why it failed.
struct Said {
    host: String,
    url: String,
    has_agent: bool,
}

impl Said {
    fn new(remotes: &Remotes, address: &Address) -> Self {
        Self {
            host: address.host(),
            url: address.shown(),
            has_agent: ssh_words::has_agent(&remotes.environment),
        }
    }

    /// What the words mean, where they are known.
    fn known(&self, words: &str) -> Option<Failure> {
        let ssh = Ssh {
            host: &self.host,
            url: &self.url,
            has_agent: self.has_agent,
        };
        ssh_words::failure(words, ssh)
    }

    fn unreachable(&self, reason: String) -> Failure {
        self.known(&reason).unwrap_or_else(|| Failure::Unreachable {
            host: self.host.clone(),
            reason,
        })
    }

    fn refused(&self, reason: String) -> Failure {
        self.known(&reason).unwrap_or_else(|| Failure::Refused {
            host: self.host.clone(),
            reason,
        })
    }
}

struct Pipe {
    remotes: Arc<Remotes>,
    said: Said,
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    words: Option<JoinHandle<String>>,
    heard: bool,
}

impl Pipe {
    /// ssh ended before it should; what it said tells why.
    fn ended(&mut self) -> io::Error {
        let code = self.child.wait().ok().and_then(|status| status.code());
        let words = self.words.take().and_then(|thread| thread.join().ok());
        let words = words.filter(|words| !words.is_empty());
        let reason = words.unwrap_or_else(|| "ssh ended without a word".to_owned());
        self.remotes.fail(match code {
            Some(code) if code != SSH_FAILED => self.said.refused(reason),
            _ => self.said.unreachable(reason),
        })
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        if read == 0 && !self.heard {
            return Err(self.ended());
        }
        self.heard = true;
        self.remotes.meter.bytes(read);
        Ok(read)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A server that is not told good-bye is not hurt; one that waits for more must not hold us.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn last_words(mut words: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read) = words.read(&mut buffer) {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * MAX_WORDS {
            kept.drain(..kept.len() - MAX_WORDS);
        }
    }
    quoted(&String::from_utf8_lossy(&kept), &[])
}
