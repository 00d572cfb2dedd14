use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use flate2::read::GzDecoder;
use pretty_assertions::assert_eq;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use serde_json::{Value, json};

use super::{NpmRegistry, NpmRequest};
use crate::{Authority, Behaviour, Sandbox, TarEntry, TarKind, tgz};

const SHORT: &str = "Accept: application/vnd.npm.install-v1+json";

/// Status and body of an answer whose connection ends with it.
fn ask(stream: impl Read + Write, path: &str, header: &str) -> (u16, Vec<u8>) {
    let mut stream = BufReader::new(stream);
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    stream.get_mut().flush().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.split("Content-Length: ").nth(1).unwrap();
    let length: usize = length.split('\r').next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (status, body)
}

fn get(registry: &NpmRegistry, path: &str, header: &str) -> (u16, Vec<u8>) {
    let key = registry.npmrc_key();
    let address = key.trim_matches('/');
    ask(TcpStream::connect(address).unwrap(), path, header)
}

fn packument(registry: &NpmRegistry, path: &str, header: &str) -> Value {
    let (status, body) = get(registry, path, header);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// Runs `tar` on an archive, which must be what it understands.
fn files_in(archive: &[u8]) -> BTreeMap<String, String> {
    let mut plain = Vec::new();
    GzDecoder::new(archive).read_to_end(&mut plain).unwrap();
    let mut found = BTreeMap::new();
    let mut rest = plain.as_slice();
    while rest.len() >= 512 && rest[0] != 0 {
        let (header, behind) = rest.split_at(512);
        let text = |from: usize, to: usize| {
            let field = header[from..to].split(|byte| *byte == 0).next().unwrap();
            String::from_utf8(field.to_vec()).unwrap()
        };
        let number = |from: usize, to: usize| {
            let digits = text(from, to);
            usize::from_str_radix(digits.trim(), 8).unwrap()
        };
        let mut blank = header.to_vec();
        blank[148..156].fill(b' ');
        let sum: usize = blank.iter().map(|byte| usize::from(*byte)).sum();
        assert_eq!(number(148, 156), sum);
        let size = number(124, 136);
        let content = String::from_utf8_lossy(&behind[..size]).into_owned();
        let kind = char::from(header[156]);
        let name = format!(
            "{kind} {:o} {}{}",
            number(100, 108),
            text(0, 100),
            text(157, 257)
        );
        found.insert(name, content);
        rest = &behind[size.next_multiple_of(512)..];
    }
    found
}

#[test]
fn what_is_published_can_be_had() {
    let registry = NpmRegistry::start();
    registry.publish("@team/tool", "1.0.0", "== a.md\none\n");
    registry.publish(
        "@team/tool",
        "1.1.0",
        "== a.md\ntwo\n== run.sh (mode 755)\nx\n",
    );
    registry.tag("@team/tool", "beta", "1.0.0");
    let full = packument(&registry, "/@team%2ftool", "Accept: application/json");
    assert_eq!(
        full["dist-tags"],
        json!({"latest": "1.1.0", "beta": "1.0.0"})
    );
    assert!(full["readme"].is_string());
    assert!(full["versions"]["1.0.0"]["scripts"].is_object());
    let short = packument(&registry, "/@team/tool", SHORT);
    assert!(short["readme"].is_null() && short["versions"]["1.0.0"]["scripts"].is_null());
    let dist = &short["versions"]["1.1.0"]["dist"];
    assert_eq!(dist, &full["versions"]["1.1.0"]["dist"]);
    let url = dist["tarball"].as_str().unwrap();
    let path = url
        .strip_prefix(registry.url().trim_end_matches('/'))
        .unwrap();
    let (status, archive) = get(&registry, path, "");
    assert_eq!(
        (status, dist["integrity"].as_str().unwrap()),
        (200, super::integrity(&archive).as_str())
    );
    let manifest = json!({"name": "@team/tool", "version": "1.1.0"}).to_string();
    let expected = [
        ("0 644 package/package.json", manifest.as_str()),
        ("0 644 package/a.md", "two\n"),
        ("0 755 package/run.sh", "x\n"),
    ];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(files_in(&archive), BTreeMap::from(expected));
    assert_eq!(registry.count(NpmRequest::Packument), 2);
    assert_eq!(registry.count(NpmRequest::Tarball), 1);
    registry.forget();
    assert_eq!(
        (registry.requests(), registry.bytes_sent()),
        (Vec::new(), 0)
    );
}

#[test]
fn entries_are_packed_as_given() {
    let long = format!("package/{}", "x".repeat(120));
    let archive = tgz(&[
        TarEntry::file("../out", "x"),
        TarEntry::new("package/link", TarKind::Link("/etc/passwd".to_owned())),
        TarEntry::new("package/hard", TarKind::HardLink("package/link".to_owned())),
        TarEntry::file(&long, "long"),
        TarEntry::new("package/null", TarKind::Device),
    ]);
    let found = files_in(&archive);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let cut = format!("0 644 {}", &long[..100]);
    let expected = [
        "0 644 ../out",
        &cut,
        "1 644 package/hardpackage/link",
        "2 644 package/link/etc/passwd",
        "3 644 package/null",
        "x 644 PaxHeader",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        found["x 644 PaxHeader"],
        format!("{} path={long}\n", long.len() + 10)
    );
}

#[test]
fn digests_can_be_wrong_and_archives_anything() {
    let registry = NpmRegistry::start();
    registry.publish_bytes("p", "1.0.0", b"no archive".to_vec());
    registry.edit("p", "1.0.0", |about| {
        about["dist"]["integrity"] = json!("sha512-AAAA");
    });
    let said = packument(&registry, "/p", SHORT);
    assert_eq!(
        said["versions"]["1.0.0"]["dist"]["integrity"],
        "sha512-AAAA"
    );
    assert_eq!(get(&registry, "/p/-/p-1.0.0.tgz", "").1, b"no archive");
    assert_eq!(get(&registry, "/p/-/p-2.0.0.tgz", "").0, 404);
    assert_eq!(get(&registry, "/q", "").0, 404);
}

#[test]
fn a_login_and_a_fault() {
    let registry = NpmRegistry::start();
    registry.publish("p", "1.0.0", "");
    registry.require_authorization("Bearer secret");
    assert_eq!(get(&registry, "/p", "Authorization: Bearer other").0, 401);
    assert_eq!(get(&registry, "/p", "Authorization: Bearer secret").0, 200);
    registry.behave(NpmRequest::Packument, Behaviour::Status(503));
    assert_eq!(get(&registry, "/p", "Authorization: Bearer secret").0, 503);
    registry.behave_well();
    assert_eq!(get(&registry, "/p", "").0, 401);
}

#[test]
fn an_archive_without_an_end() {
    let registry = NpmRegistry::start();
    registry.publish("p", "1.0.0", "");
    registry.behave(NpmRequest::Tarball, Behaviour::Bomb);
    let key = registry.npmrc_key();
    let mut stream = TcpStream::connect(key.trim_matches('/')).unwrap();
    stream
        .write_all(b"GET /p/-/p-1.0.0.tgz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut stream = BufReader::new(stream);
    let mut archive = Vec::new();
    let mut line = String::new();
    while archive.len() < 20_000 {
        line.clear();
        stream.read_line(&mut line).unwrap();
        // What is no size is a part of the head, or the end of a chunk.
        let Ok(size) = usize::from_str_radix(line.trim(), 16) else {
            continue;
        };
        let start = archive.len();
        archive.resize(start + size, 0);
        stream.read_exact(&mut archive[start..]).unwrap();
    }
    let mut plain = vec![0; 5_000_000];
    GzDecoder::new(archive.as_slice())
        .read_exact(&mut plain)
        .unwrap();
    assert!(plain.starts_with(b"package/zeros\0"));
    assert!(plain[512..].iter().all(|byte| *byte == 0));
}

#[test]
fn tls_is_for_those_who_trust_the_authority() {
    let sandbox = Sandbox::new();
    let authority = Authority::new();
    let registry = NpmRegistry::start_secure(&authority);
    registry.publish("p", "1.0.0", "");
    let pem = authority.write_to(&sandbox);
    let mut roots = RootCertStore::empty();
    let connect = |roots: &RootCertStore| {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let key = registry.npmrc_key();
        let socket = TcpStream::connect(key.trim_matches('/')).unwrap();
        StreamOwned::new(client, socket)
    };
    let mut untrusted = connect(&roots);
    assert!(untrusted.write_all(b"GET").is_err());
    assert_eq!(registry.requests(), Vec::new());
    let certificate = CertificateDer::from_pem_file(pem).unwrap();
    roots.add(certificate).unwrap();
    let (status, _) = ask(connect(&roots), "/p", "");
    assert_eq!(status, 200);
    assert!(registry.url().starts_with("https://127.0.0.1:"));
    assert!(registry.base_by_name().starts_with("https://localhost:"));
}
