//! The way into serving: flags, home and runtime, then the server has the process's streams.

use std::fs::File;
use std::io;

use plugd_disk::Disk;
use plugd_model::Environment;
use plugd_server::{ExitReason, Io, Limits, Options};
use tokio::runtime::Builder;

use crate::failure::Failure;
use crate::invocation::Serving;
use crate::page::Form;
use crate::session::setup;
use crate::signals::Signals;
use crate::style::Paint;
use crate::{DONE, Output, escape};

/// Threads that requests share. File work has threads of its own, so two keep a slow answer from
/// holding up a fast one.
const WORKERS: usize = 2;
/// The memory that a thread asks for when it starts, and gives back.
const ROOM: usize = 2 << 20;

/// Serves until the client goes, and answers the exit code.
///
/// A flag that cannot be understood is refused, as in the reference: it says how to behave, and
/// behaving otherwise is worse than not to serve.
///
/// # Errors
/// A failure to begin cannot be written to stdout.
pub(crate) fn serve(
    environment: &Environment,
    disk: &Disk,
    serving: &Serving,
    output: &mut Output<'_>,
) -> io::Result<u8> {
    let style = output.err_style(environment);
    let warnings = serving.warnings.iter().filter(|_| !serving.quiet);
    for warning in warnings {
        output.warn(&format!(
            "{} {}\n",
            style.paint(Paint::Warning, "warning:"),
            escape::line(warning)
        ));
    }
    match start(environment, disk, serving) {
        // Each of them is a way to say that the client is done.
        Ok(
            ExitReason::InputEnded
            | ExitReason::Exit
            | ExitReason::Signal
            | ExitReason::OutputClosed,
        ) => Ok(DONE),
        // Nothing was served, so stdout is free for the error.
        Err(failure) => {
            let form = if serving.json {
                Form::Json
            } else {
                Form::Text {
                    out: style,
                    err: style,
                }
            };
            output.failure(environment, failure, form)
        }
    }
}

fn start(environment: &Environment, disk: &Disk, serving: &Serving) -> Result<ExitReason, Failure> {
    let setup = setup(environment, disk, &serving.flags)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .on_thread_start(make_room)
        .enable_all()
        .build()
        .map_err(Failure::Start)?;
    let io = Io {
        stdin: io::stdin(),
        stdout: unbuffered_stdout().map_err(Failure::Start)?,
    };
    let options = Options {
        framing: serving.framing,
        limits: Limits::STANDARD,
    };
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(Failure::Start)?;
        let told_to_end = async move {
            signals.next().await;
        };
        plugd_server::serve(setup, io, options, told_to_end)
            .await
            .map_err(Failure::Serve)
    });
    // The server has ended its work and waits for nobody; neither does the process.
    runtime.shutdown_background();
    ended
}

/// Lets the allocator take at once what the first listing of a usual home needs. By itself glibc takes page
/// after page for whoever is not the first thread, with a call each. What nobody uses stays without memory.
fn make_room() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(ROOM)));
}

/// Standard output as a file. The one of the standard library looks through every answer for the last
/// end of a line in it, and an answer may have millions of bytes.
#[cfg(unix)]
fn unbuffered_stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    #[cfg(target_os = "linux")]
    widen(&stdout);
    Ok(stdout)
}

/// How much of an answer a pipe to the client holds. The listing of 180 plugins is 170 kB; more for
/// everybody would use up what a user's pipes may hold together, at which the system makes them tiny.
#[cfg(target_os = "linux")]
const PIPE: usize = 256 * 1024;

/// Makes room for a whole answer in the pipe to the client. With the 64 kB of the system, writer and
/// reader wake each other for every piece.
#[cfg(target_os = "linux")]
fn widen(stdout: &File) {
    // What is no pipe, or is at the user's bound, stays as it is.
    if rustix::pipe::fcntl_getpipe_size(stdout).is_ok_and(|size| size < PIPE) {
        let _ = rustix::pipe::fcntl_setpipe_size(stdout, PIPE);
    }
}

#[cfg(windows)]
fn unbuffered_stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

    use super::{PIPE, widen};

    #[test]
    fn a_pipe_gets_room_for_an_answer_and_never_less_than_it_had() {
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(writer));
        let size = || fcntl_getpipe_size(&pipe).unwrap();
        // A user whose pipes hold as much as they may gets no larger one, and there is nothing to see.
        let Ok(larger) = fcntl_setpipe_size(&pipe, 2 * PIPE) else {
            return;
        };
        widen(&pipe);
        assert_eq!(size(), larger);
        fcntl_setpipe_size(&pipe, 1).unwrap();
        widen(&pipe);
        assert_eq!(size(), PIPE);
    }

    #[test]
    fn what_is_no_pipe_stays_as_it_is() {
        widen(&tempfile::tempfile().unwrap());
    }
}
