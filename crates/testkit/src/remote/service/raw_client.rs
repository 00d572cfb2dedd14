//! As little of a client as shows what the service sends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::{Item, PluginService};

/// An answer.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Said {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads one answer; an end that comes too early is an error.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let status = line(stream)?.split(' ').nth(1).unwrap().parse().unwrap();
        let mut said = Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        while let Some((name, value)) = line(stream)?.split_once(": ") {
            said.headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        if matches!(said.status, 204 | 304) {
            return Ok(said);
        }
        if let Some(length) = said.header("content-length") {
            said.body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut said.body)?;
            return Ok(said);
        }
        loop {
            let size = usize::from_str_radix(&line(stream)?, 16).unwrap();
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk)?;
            said.body.extend(chunk);
            line(stream)?;
            if size == 0 {
                return Ok(said);
            }
        }
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

/// A connection to the host of an address.
pub(super) fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.split('/').nth(2).unwrap()).unwrap()
}

#[track_caller]
pub(super) fn ask(
    stream: impl Read + Write,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> Said {
    try_ask(stream, method, target, headers, body).unwrap()
}

/// One request and its answer.
pub(super) fn try_ask(
    mut stream: impl Read + Write,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<Said> {
    let length = body.len();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n").as_bytes())?;
    stream.write_all(body)?;
    stream.flush()?;
    Said::read(&mut BufReader::new(stream))
}

pub(super) const LIST: &str = "/ps/plugins/list?scope=GLOBAL&limit=200";
pub(super) const INSTALLED: &str = "/ps/plugins/installed?limit=200";

/// What a client with the service's login gets.
pub(super) fn get(service: &PluginService, path: &str) -> Said {
    call(service, "GET", path, "", b"")
}

pub(super) fn call(
    service: &PluginService,
    method: &str,
    path: &str,
    more: &str,
    body: &[u8],
) -> Said {
    let login = service.login();
    let account = login.account_id().unwrap_or_default();
    let headers = format!(
        "Authorization: Bearer {}\r\nChatGPT-Account-Id: {account}\r\n{more}",
        login.access_token()
    );
    let path = format!("/backend-api{path}");
    ask(connect(&service.base()), method, &path, &headers, body)
}

pub(super) fn names(page: &Value) -> Vec<&str> {
    let rows = page["plugins"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

pub(super) fn shop(names: &[&str]) -> PluginService {
    let service = PluginService::start();
    for name in names {
        service.offer(Item::new(name));
    }
    service
}
