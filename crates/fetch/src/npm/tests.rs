mod credentials;
mod faults;

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use plugd_disk::Disk;
use plugd_disk::tree::AtEase;
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::{Npm, Package, Tarball, check_place};
use crate::fixture::archive;
use crate::fixture::environment;
use crate::fixture::registry::{Server, ok};
use crate::registries::Registries;
use crate::{Chunks, FetchError, Integrity, Rules, Unpacked, joined, unpack};

/// A home directory for an npmrc and for what is unpacked.
struct Home {
    dir: TempDir,
    vars: Vec<(&'static str, String)>,
}

impl Home {
    fn new(npmrc: &str) -> Self {
        let home = Self {
            dir: TempDir::new().unwrap(),
            vars: Vec::new(),
        };
        home.write(npmrc);
        home
    }

    /// A home whose registry is this server, with a token for a path of it.
    fn at(server: &Server, token_for: &str) -> Self {
        let url = server.url("/npm/");
        Self::new(&format!("registry={url}\n{token_for}:_authToken=hidden"))
    }

    fn path(&self, name: &str) -> AbsPath {
        AbsPath::new(self.dir.path().join(name)).unwrap()
    }

    fn write(&self, npmrc: &str) {
        let path = self.path(".npmrc");
        Disk::new().replace(&path, npmrc.as_bytes(), 0o600).unwrap();
    }

    fn npm(&self) -> Npm {
        let vars: Vec<_> = self
            .vars
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut environment = environment(&vars);
        environment.home = Some(self.path(""));
        Npm::new(&environment, &Disk::new(), "plugd-test/1")
    }

    /// Unpacks what comes on a thread of its own, as callers do.
    fn unpacking(
        &self,
        tarball: &Tarball,
        chunks: Chunks,
    ) -> JoinHandle<Result<Unpacked, FetchError>> {
        let (dest, rules) = (self.path("dest"), Rules::npm(tarball));
        std::thread::spawn(move || unpack(&Disk::new(), chunks, &dest, &rules, &AtEase))
    }
}

fn package(name: &str, version: Option<&str>) -> Package {
    Package {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        registry: None,
    }
}

/// What a registry says about version 1.0.0 of a package.
fn document(name: &str, tarball: &str, archive: &[u8]) -> String {
    let mut hasher = Integrity::parse(SOME_SHA256).unwrap().hasher();
    hasher.update(archive);
    let sha256 = crate::base64::encode(&hasher.finish());
    format!(
        r#"{{"name": "{name}", "dist-tags": {{"latest": "1.0.0"}}, "versions": {{"1.0.0":
            {{"name": "{name}", "version": "1.0.0",
              "dist": {{"tarball": "{tarball}", "integrity": "sha256-{sha256}"}}}}}}}}"#
    )
}

const SOME_SHA256: &str = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

async fn never() {
    std::future::pending::<()>().await;
}

async fn resolve(home: &Home, name: &str) -> Result<Tarball, FetchError> {
    home.npm().resolve(&package(name, None), never()).await
}

/// Resolves, downloads and unpacks.
async fn fetch(home: &Home, name: &str) -> Result<Unpacked, FetchError> {
    let npm = home.npm();
    let tarball = npm.resolve(&package(name, None), never()).await?;
    bring(home, &npm, &tarball).await
}

async fn bring(home: &Home, npm: &Npm, tarball: &Tarball) -> Result<Unpacked, FetchError> {
    let (sender, chunks) = Chunks::channel();
    let unpacking = home.unpacking(tarball, chunks);
    let download = npm.download(tarball, sender, |_, _| {}, never()).await;
    joined(download, unpacking.join().unwrap())
}

/// A registry with one package `p`, whose archive is at this address of any server.
fn serving(archive: Vec<u8>, tarball: String) -> Server {
    Server::start(move |asked| match asked {
        "GET /npm/p" => ok(document("p", &tarball, &archive)),
        _ => ok(&archive),
    })
}

/// A registry with one package `p` and its archive below a path.
fn registry(archive: Vec<u8>, path: &'static str) -> Server {
    // The address is known only when the server runs, and a request is a way to learn it.
    let place = Arc::new(Mutex::new(String::new()));
    let server = Server::start({
        let place = place.clone();
        move |asked| match asked {
            "GET /npm/p" | "GET /npm/@s%2fp" => {
                let name = if asked.ends_with("%2fp") { "@s/p" } else { "p" };
                let place = place.lock().unwrap();
                ok(document(name, &format!("http://{place}{path}"), &archive))
            }
            _ => ok(&archive),
        }
    });
    *place.lock().unwrap() = server.place();
    server
}

#[tokio::test]
async fn a_package_is_found_brought_and_unpacked() {
    let bytes = archive::package("@s/p", &[("skills/a/SKILL.md", b"text")]);
    let server = registry(bytes.clone(), "/npm/@s/p/-/p-1.0.0.tgz");
    let home = Home::new(&format!("@s:registry={}", server.url("/npm")));
    let npm = home.npm();
    let tarball = npm
        .resolve(&package("@s/p", Some("^1.0")), never())
        .await
        .unwrap();
    assert_eq!(
        (tarball.name.as_str(), tarball.version.as_str()),
        ("@s/p", "1.0.0")
    );
    assert_eq!(tarball.registry, server.url("/npm/"));
    assert_eq!(tarball.problems, []);
    let (sender, chunks) = Chunks::channel();
    let unpacking = home.unpacking(&tarball, chunks);
    let mut moved = Vec::new();
    let download = npm.download(
        &tarball,
        sender,
        |done, total| moved.push((done, total)),
        never(),
    );
    download.await.unwrap();
    let unpacked = unpacking.join().unwrap().unwrap();
    let size = u64::try_from(bytes.len()).unwrap();
    assert_eq!(moved.last(), Some(&(size, Some(size))));
    assert_eq!(unpacked.entries, 4);
    let file = home.path("dest").join("skills/a/SKILL.md");
    assert_eq!(Disk::new().read(&file, 10).unwrap(), b"text");
    assert_eq!(
        server.seen(),
        ["/npm/@s%2fp -", "/npm/@s/p/-/p-1.0.0.tgz -"]
    );
    let head = &server.requests()[0];
    assert!(
        head.contains("accept: application/vnd.npm.install-v1+json;"),
        "{head}"
    );
    assert!(head.contains("user-agent: plugd-test/1\r\n"), "{head}");
}

#[tokio::test]
async fn an_entry_may_name_the_registry() {
    let server = registry(archive::package("p", &[]), "/p.tgz");
    let home = Home::new("registry=https://registry.invalid/");
    let asked = Package {
        registry: Some(server.url("/npm")),
        ..package("p", None)
    };
    let tarball = home.npm().resolve(&asked, never()).await.unwrap();
    assert!(bring(&home, &home.npm(), &tarball).await.is_ok());
}

#[test]
fn where_an_archive_may_be() {
    let home = Home::new("");
    let mut environment = environment(&[]);
    environment.home = Some(home.path(""));
    let registries = Registries::load(&environment, &Disk::new()).unwrap();
    let check = |registry: &str, url: &str, expected: Result<&str, &str>| {
        let registry = registries.registry("p", Some(registry)).unwrap();
        let found = check_place(url, &registry).map_err(|fault| fault.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{url}");
    };
    let (secure, here) = ("https://h/", "http://127.0.0.1:1/");
    check(secure, "https://h/p.tgz", Ok("https://h/p.tgz"));
    check(secure, "https://cdn/p.tgz?a=b", Ok("https://cdn/p.tgz?a=b"));
    check(secure, "https://me:x@h/p.tgz", Ok("https://h/p.tgz"));
    check(here, "http://[::1]:2/p.tgz", Ok("http://[::1]:2/p.tgz"));
    for (registry, url, shown, reason) in [
        (
            secure,
            "http://h/p.tgz",
            "http://h/p.tgz",
            "it must begin with `https://`",
        ),
        (
            secure,
            "http://127.0.0.1/p.tgz",
            "http://127.0.0.1/p.tgz",
            "it must begin with `https://`",
        ),
        (
            here,
            "http://h/p.tgz",
            "http://h/p.tgz",
            "it must begin with `https://`",
        ),
        (
            secure,
            "https://h/a/../p.tgz?x",
            "https://h/a/../p.tgz",
            "its path climbs",
        ),
        (
            secure,
            "https://h/a/%2e%2E/p",
            "https://h/a/%2e%2E/p",
            "its path climbs",
        ),
        (
            secure,
            "file:///etc/passwd",
            "file:///etc/passwd",
            "it begins with neither `https://` nor `http://`",
        ),
        (
            secure,
            "p.tgz",
            "p.tgz",
            "it begins with neither `https://` nor `http://`",
        ),
    ] {
        let expected = format!("its archive is at `{shown}`: {reason}");
        check(registry, url, Err(&expected));
    }
}

#[tokio::test]
async fn names_that_are_none() {
    let home = Home::new("registry=http://127.0.0.1:1/");
    for name in [
        "", "..", "a/b", "@s", "@s/", "@/a", "@s/a/b", "@s/..", "_a", ".a", "a b", "a?b", "a#b",
        "ä", "a%2fb",
    ] {
        let error = resolve(&home, name).await.unwrap_err();
        assert!(
            matches!(error, FetchError::BadName { .. }),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_file_with_certificates_is_read() {
    let server = registry(archive::package("p", &[]), "/p.tgz");
    let home = Home::at(&server, "//other/");
    let npmrc = format!("registry={}\ncafile=~/missing.pem", server.url("/npm/"));
    home.write(&npmrc);
    let tarball = resolve(&home, "p").await.unwrap();
    let paths: Vec<_> = tarball
        .problems
        .iter()
        .map(|one| one.path.clone())
        .collect();
    assert_eq!(paths, [Some(home.path("missing.pem"))]);
}
