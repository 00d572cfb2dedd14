//! The bytes of HTTP/1.1, the server's side: reading a request, writing an answer in pieces.

use std::io::{self, BufRead, Read, Write};

use flate2::read::GzDecoder;

/// More than any request of a test.
const MOST_BODY: u64 = 64 * 1024 * 1024;

/// A request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The path, not decoded.
    pub path: String,
    /// What stands behind the `?`, or nothing.
    pub query: String,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked when it was sent packed.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The value of a header, whose name is given in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads one; `None` when the client has hung up.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let first = line(stream)?;
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let header = line(stream)?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            request.headers.push(header);
        }
        request.body = request.read_body(stream)?;
        Ok(Some(request))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding") == Some("chunked") {
            while let size @ 1.. = chunk_size(&line(stream)?)? {
                stream.take(size).read_to_end(&mut body)?;
                line(stream)?;
            }
            while !line(stream)?.is_empty() {}
        } else if let Some(length) = self.header("content-length") {
            let length: u64 = length.parse().map_err(io::Error::other)?;
            stream.take(length.min(MOST_BODY)).read_to_end(&mut body)?;
        }
        if self.header("content-encoding") == Some("gzip") {
            let mut plain = Vec::new();
            let packed = GzDecoder::new(body.as_slice());
            packed.take(MOST_BODY).read_to_end(&mut plain)?;
            return Ok(plain);
        }
        Ok(body)
    }
}

/// A line without its end; nothing at the end of the stream.
fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.take(64 * 1024).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn chunk_size(line: &str) -> io::Result<u64> {
    let digits = line.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(digits, 16).map_err(io::Error::other)?;
    Ok(size.min(MOST_BODY))
}

/// An answer that is ready to be sent.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    /// All of it, sent with its length.
    Whole(Vec<u8>),
    /// All of it, sent in chunks as servers do that do not know the length.
    Chunked(Vec<u8>),
    /// Whatever comes out, in chunks: it may never end.
    Stream(Box<dyn Read + Send>),
}

impl Reply {
    /// Success with a body of this type.
    pub(crate) fn ok(content_type: &str, body: Body) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", content_type.to_owned())],
            body,
        }
    }

    /// A status with a line of text.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", "text/plain".to_owned())],
            body: Body::Whole(format!("status {status}\n").into_bytes()),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Everything in front of the body.
    pub(crate) fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + &match &self.body {
            Body::Whole(body) => format!("Content-Length: {}\r\n\r\n", body.len()),
            Body::Chunked(_) | Body::Stream(_) => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 | 302 => "Moved",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Something",
    }
}

/// Writes a piece of a body.
pub(crate) fn write_piece(
    stream: &mut (impl Write + ?Sized),
    chunked: bool,
    bytes: &[u8],
) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    if chunked {
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        stream.write_all(&framed)?;
    } else {
        stream.write_all(bytes)?;
    }
    stream.flush()
}

/// Ends a body.
pub(crate) fn write_end(stream: &mut (impl Write + ?Sized), chunked: bool) -> io::Result<()> {
    if chunked {
        stream.write_all(b"0\r\n\r\n")?;
    }
    stream.flush()
}
