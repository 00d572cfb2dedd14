//! A smart HTTP server on loopback: `git http-backend` behind a few lines of HTTP, and whatever else
//! a test wants it to say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is done with a request.
pub(crate) type Handler = dyn Fn(&Asked, &mut TcpStream) + Send + Sync;

/// A server that lives as long as the test process.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, handler): (_, Arc<Handler>) = (Arc::clone(&asked), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, handler) = (Arc::clone(&log), Arc::clone(&handler));
                std::thread::spawn(move || serve(&mut stream.unwrap(), &log, &*handler));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &mut TcpStream, log: &Mutex<Vec<Asked>>, handler: &Handler) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut asked = Asked {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for line in reader.by_ref().lines() {
        let line = line.unwrap();
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        asked
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = asked
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    asked.body = vec![0; length];
    reader.read_exact(&mut asked.body).unwrap();
    log.lock().unwrap().push(asked.clone());
    handler(&asked, stream);
    let _ = stream.flush();
}

/// Sends a whole answer.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &[&str], body: &[u8]) {
    let mut text = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.write_all(body);
}

/// The place of git's own server, where this machine has it.
pub(crate) fn backend() -> Option<PathBuf> {
    let output = Command::new("git").arg("--exec-path").output().ok()?;
    let directory = String::from_utf8(output.stdout).ok()?;
    let path = Path::new(directory.trim()).join("git-http-backend");
    path.exists().then_some(path)
}

/// Lets git's own server answer for the repositories of a directory.
pub(crate) fn git_answers(
    backend: &Path,
    root: &Path,
    config: &str,
    asked: &Asked,
    stream: &mut TcpStream,
) {
    pass_on(&git_output(backend, root, config, asked), stream);
}

/// What git's own server says, as it says it. `config` is a list of `name=value`, separated by
/// blanks.
pub(crate) fn git_output(backend: &Path, root: &Path, config: &str, asked: &Asked) -> Vec<u8> {
    let settings: Vec<_> = config
        .split_whitespace()
        .filter_map(|setting| setting.split_once('='))
        .collect();
    let mut command = Command::new(backend);
    for (number, (key, value)) in settings.iter().enumerate() {
        command
            .env(format!("GIT_CONFIG_KEY_{number}"), key)
            .env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    let mut child = command
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", settings.len().to_string())
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", &asked.path)
        .env("QUERY_STRING", &asked.query)
        .env(
            "CONTENT_TYPE",
            asked.header("content-type").unwrap_or_default(),
        )
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .env(
            "HTTP_CONTENT_ENCODING",
            asked.header("content-encoding").unwrap_or_default(),
        )
        .env(
            "GIT_PROTOCOL",
            asked.header("git-protocol").unwrap_or_default(),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(&asked.body);
    let mut output = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut output)
        .unwrap();
    child.wait().unwrap();
    output
}

/// Makes an answer of HTTP of what git's own server says.
pub(crate) fn pass_on(output: &[u8], stream: &mut TcpStream) {
    let end = output
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(output[..end].to_vec()).unwrap();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
    let headers: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with("Status: "))
        .collect();
    answer(
        stream,
        status.unwrap_or("200 OK"),
        &headers,
        &output[end + 4..],
    );
}
