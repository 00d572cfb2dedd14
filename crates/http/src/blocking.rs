//! The client for code that does not know async: the git worker, whose library wants `Read` and
//! `Write`.
//!
//! It has a runtime of one thread, the caller's: while no call is under way, nothing moves. Its
//! connections are its own, because they live on that runtime.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Body, BodyWriter, Client, HttpError, Request, Response, Retry, Url};

/// How many bytes of a request are gathered before they travel: callers write line by line.
const GATHER: usize = 32 * 1024;

/// The client on a runtime of its own. Clones share it; it must not be used from async code.
#[derive(Clone)]
pub struct Blocking {
    client: Client,
    driver: Arc<Driver>,
}

/// Gives up everything that a [`Blocking`] does, from any thread.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

/// A request whose body is still being written. What was written travels once enough has come
/// together, or at the end.
pub struct Exchange {
    driver: Arc<Driver>,
    writer: BodyWriter,
    gathered: Vec<u8>,
    task: JoinHandle<Result<Response, HttpError>>,
}

/// An answer whose body is read with [`Read`]. An error of the network comes out as an
/// [`io::Error`] that holds the [`HttpError`].
pub struct Answer {
    driver: Arc<Driver>,
    response: Response,
    rest: Bytes,
}

struct Driver {
    /// Taken when it ends.
    runtime: Option<Runtime>,
    stop: Stop,
}

impl Blocking {
    /// A blocking face of the client.
    ///
    /// # Errors
    /// The system gives no means to wait for sockets.
    pub fn new(client: &Client) -> Result<Self, HttpError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| HttpError::Runtime { source })?;
        Ok(Self {
            client: client.with_own_connections(),
            driver: Arc::new(Driver {
                runtime: Some(runtime),
                stop: Stop(Arc::new(watch::Sender::new(false))),
            }),
        })
    }

    /// What gives everything up. Nothing can be sent afterwards.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.driver.stop.clone()
    }

    /// As [`Client::send`].
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn send(&self, request: Request) -> Result<Answer, HttpError> {
        let stopped = self.driver.stop.raised();
        self.answer(self.client.send(request, stopped))
    }

    /// As [`Client::read`].
    ///
    /// # Errors
    /// As [`Client::read`].
    pub fn read(&self, request: Request, retry: &Retry) -> Result<Answer, HttpError> {
        let stopped = self.driver.stop.raised();
        self.answer(self.client.read(request, retry, stopped))
    }

    /// Begins a request and leaves its body to be written. A redirect of it is an error.
    ///
    /// # Errors
    /// The runtime is gone, which cannot happen while this value lives.
    pub fn exchange(&self, request: Request) -> Result<Exchange, HttpError> {
        let (writer, body) = Body::chunks();
        let client = self.client.clone();
        let stop = self.driver.stop.clone();
        let request = request.body(body);
        let work = async move { client.send(request, stop.raised()).await };
        Ok(Exchange {
            task: self.driver.runtime()?.spawn(work),
            driver: self.driver.clone(),
            writer,
            gathered: Vec::new(),
        })
    }

    fn answer(
        &self,
        work: impl Future<Output = Result<Response, HttpError>>,
    ) -> Result<Answer, HttpError> {
        let response = self.driver.runtime()?.block_on(work)?;
        Ok(Answer::new(&self.driver, response))
    }
}

impl Stop {
    /// Gives everything up: what waits ends with [`HttpError::Cancelled`].
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    async fn raised(&self) {
        let mut receiver = self.0.subscribe();
        if receiver.wait_for(|stopped| *stopped).await.is_err() {
            // `self` holds the sender, so the channel cannot close while this waits.
            std::future::pending::<()>().await;
        }
    }
}

impl Driver {
    fn runtime(&self) -> Result<&Runtime, HttpError> {
        self.runtime.as_ref().ok_or_else(|| HttpError::Runtime {
            source: io::Error::other("it has ended"),
        })
    }
}

impl Drop for Driver {
    /// Without waiting: a name that the system still looks up must not hold the caller.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Exchange {
    /// Ends the body and waits for the answer, of any status.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn finish(mut self) -> Result<Answer, HttpError> {
        self.send_gathered()?;
        let Self {
            driver,
            writer,
            task,
            ..
        } = self;
        let response = driver.runtime()?.block_on(async {
            writer.finish().await;
            task.await
        });
        let response = response.map_err(|gone| HttpError::Runtime {
            source: io::Error::other(gone),
        })??;
        Ok(Answer::new(&driver, response))
    }

    /// Hands on what has come together. When nobody takes it any more, the answer is there already
    /// (or the error), and [`Exchange::finish`] tells.
    fn send_gathered(&mut self) -> Result<(), HttpError> {
        if !self.gathered.is_empty() {
            let bytes = std::mem::take(&mut self.gathered);
            let runtime = self.driver.runtime()?;
            runtime.block_on(self.writer.write(bytes));
        }
        Ok(())
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHER {
            self.send_gathered().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_gathered().map_err(io::Error::other)
    }
}

impl Answer {
    fn new(driver: &Arc<Driver>, response: Response) -> Self {
        Self {
            driver: driver.clone(),
            response,
            rest: Bytes::new(),
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// A header, where it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.header(name)
    }

    /// The address that answered, behind all redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// The answer, if its status is a success.
    ///
    /// # Errors
    /// The status is another one.
    pub fn success(self) -> Result<Self, HttpError> {
        let Self {
            driver,
            response,
            rest,
        } = self;
        let response = response.success()?;
        Ok(Self {
            driver,
            response,
            rest,
        })
    }

    /// The whole body, of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Response::read_all`].
    pub fn read_all(self, limit: u64) -> Result<Vec<u8>, HttpError> {
        let stopped = self.driver.stop.raised();
        let whole = self.response.read_all(limit, stopped);
        self.driver.runtime()?.block_on(whole)
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !buffer.is_empty() {
            let chunk = self.response.chunk(self.driver.stop.raised());
            let runtime = self.driver.runtime().map_err(io::Error::other)?;
            match runtime.block_on(chunk).map_err(io::Error::other)? {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "blocking_tests.rs"]
mod tests;
