//! A registry on loopback that does what a test says.

use std::thread::JoinHandle;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_disk::tree::AtEase;
use plugd_model::{AbsPath, OciReference, hex};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Artifact, Oci};
use crate::fixture::archive::{self, file, tgz};
use crate::fixture::environment;
use crate::fixture::registry::{Reply, Server, answer, ok, redirect, status};
use crate::{Chunks, FetchError, Rules, Unpacked, joined, unpack};

/// `ada:pass`, encoded.
const BASIC: &str = "YWRhOnBhc3M=";

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// An artifact as a registry has it: the archive, and the manifest that names it.
#[derive(Clone)]
struct Pushed {
    blob: Vec<u8>,
    manifest: Vec<u8>,
}

impl Pushed {
    fn new(blob: Vec<u8>) -> Self {
        let layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": digest(&blob), "size": blob.len()});
        Self::with(
            blob,
            &json!({"schemaVersion": 2, "config": {}, "layers": [layer]}),
        )
    }

    fn with(blob: Vec<u8>, manifest: &Value) -> Self {
        let manifest = manifest.to_string().into_bytes();
        Self { blob, manifest }
    }

    fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// The good answer to a request for the repository `a/b`, with the tag `v1`.
    fn answer(&self, asked: &str) -> Reply {
        let (method, target) = asked.split_once(' ').unwrap();
        let of = |what: &str| target.strip_prefix(&format!("/v2/a/b/{what}/"));
        let said = format!("Docker-Content-Digest: {}", self.digest());
        match (method, of("manifests"), of("blobs")) {
            ("HEAD", Some("v1"), _) => Reply::Whole(answer("200 OK", &[&said], b"")),
            (_, Some(name), _) if name == "v1" || name == self.digest() => {
                Reply::Whole(answer("200 OK", &[&said], &self.manifest))
            }
            (_, _, Some(name)) if name == digest(&self.blob) => ok(&self.blob),
            _ => status("404 Not Found"),
        }
    }
}

fn plugin() -> Vec<u8> {
    tgz(&[file("plugin.json", b"{}"), file("notes.md", b"hi\n")])
}

/// A home directory for a docker config and for what is unpacked.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A home with the login `ada:pass` for this server.
    fn logged_in(server: &Server) -> Self {
        let home = Self::new();
        let config = json!({"auths": {server.place(): {"auth": BASIC}}}).to_string();
        Disk::new().create_dir(&home.path(".docker")).unwrap();
        let path = home.path(".docker/config.json");
        Disk::new()
            .replace(&path, config.as_bytes(), 0o600)
            .unwrap();
        home
    }

    fn path(&self, name: &str) -> AbsPath {
        AbsPath::new(self.0.path().join(name)).unwrap()
    }

    fn oci(&self) -> Oci {
        let mut environment = environment(&[]);
        environment.home = Some(self.path(""));
        Oci::new(&environment, &Disk::new(), "plugd-test/1")
    }

    fn unpacking(
        &self,
        artifact: &Artifact,
        chunks: Chunks,
    ) -> JoinHandle<Result<Unpacked, FetchError>> {
        let rules = Rules::archive(Some(artifact.integrity.clone()));
        let dest = self.path("dest");
        std::thread::spawn(move || unpack(&Disk::new(), chunks, &dest, &rules, &AtEase))
    }

    /// Everything that an installation does.
    async fn pull(&self, reference: &OciReference) -> Result<(Artifact, Unpacked), FetchError> {
        let oci = self.oci().with_idle(Duration::from_millis(500));
        let artifact = oci.resolve(reference, std::future::pending()).await?;
        let (sender, chunks) = Chunks::channel();
        let unpacking = self.unpacking(&artifact, chunks);
        let cancel = std::future::pending();
        let downloaded = oci.download(&artifact, sender, |_, _| {}, cancel).await;
        let unpacked = joined(downloaded, unpacking.join().unwrap())?;
        Ok((artifact, unpacked))
    }
}

fn reference(server: &Server, rest: &str) -> OciReference {
    OciReference::parse(&format!("oci://{}/a/b{rest}", server.place())).unwrap()
}

fn chain(error: &FetchError) -> String {
    plugd_model::error_chain(error)
}

#[tokio::test]
async fn what_a_tag_means_and_its_archive() {
    let pushed = Pushed::new(plugin());
    let expected = pushed.digest();
    let server = Server::start(move |asked| pushed.answer(asked));
    let home = Home::new();
    let (artifact, unpacked) = home.pull(&reference(&server, ":v1")).await.unwrap();
    assert_eq!(artifact.digest, expected);
    assert_eq!((unpacked.entries, unpacked.bytes), (2, 5));
    assert!(unpacked.left_out.is_empty());
    let asked: Vec<_> = server.seen();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("/v2/a/b/manifests/v1 -"), "{asked:?}");
    assert!(asked[1].starts_with("/v2/a/b/blobs/sha256:"), "{asked:?}");
    assert!(asked[1].ends_with(" -"), "{asked:?}");
}

#[tokio::test]
async fn a_look_is_one_request_without_a_body() {
    let pushed = Pushed::new(plugin());
    let expected = pushed.digest();
    let server = Server::start(move |asked| pushed.answer(asked));
    let oci = Home::new().oci();
    let digest = |rest: &str| {
        let (oci, reference) = (oci.clone(), reference(&server, rest));
        async move {
            oci.digest(&reference, std::future::pending())
                .await
                .unwrap()
        }
    };
    assert_eq!(digest(":v1").await, expected);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("HEAD "), "{requests:?}");
    // A digest means itself.
    assert_eq!(digest(&format!(":v1@{expected}")).await, expected);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_registry_that_does_not_say_the_digest() {
    let pushed = Pushed::new(plugin());
    let expected = pushed.digest();
    let server = Server::start(move |asked| match asked.starts_with("HEAD ") {
        true => ok(b""),
        false => ok(&pushed.manifest),
    });
    let reference = reference(&server, ":v1");
    let found = Home::new()
        .oci()
        .digest(&reference, std::future::pending())
        .await;
    assert_eq!(found.unwrap(), expected);
}

#[tokio::test]
async fn an_archive_that_is_not_packed() {
    let tar = archive::tar(&[file("top/plugin.json", b"{}")]);
    let layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": digest(&tar), "size": tar.len(),
        "annotations": {"org.opencontainers.image.title": "top"}});
    let pushed = Pushed::with(tar, &json!({"layers": [layer]}));
    let server = Server::start(move |asked| pushed.answer(asked));
    let home = Home::new();
    let (_, unpacked) = home.pull(&reference(&server, ":v1")).await.unwrap();
    assert_eq!((unpacked.entries, unpacked.bytes), (2, 2));
    assert!(
        Disk::new()
            .read(&home.path("dest/top/plugin.json"), 10)
            .is_ok()
    );
}

#[tokio::test]
async fn an_index_leads_to_the_manifest() {
    let pushed = Pushed::new(plugin());
    let inner = json!({"digest": pushed.digest(), "size": pushed.manifest.len()});
    let index = json!({"manifests": [inner]}).to_string().into_bytes();
    let expected = digest(&index);
    let server = Server::start(move |asked| match asked.ends_with("/manifests/v1") {
        true => ok(&index),
        false => pushed.answer(asked),
    });
    let (artifact, _) = Home::new().pull(&reference(&server, ":v1")).await.unwrap();
    assert_eq!(artifact.digest, expected, "the tag means the index");
}

/// What a registry says to who has no token.
fn challenge(realm: &str) -> Reply {
    let header = format!(
        "WWW-Authenticate: Bearer realm=\"{realm}\",service=\"the registry\",\
         scope=\"repository:a/b:pull\""
    );
    Reply::Whole(answer("401 Unauthorized", &[&header], b"{}"))
}

#[tokio::test]
async fn a_token_for_one_repository() {
    let tokens = Server::start(|_| ok(br#"{"token": "t1", "expires_in": 60}"#));
    let realm = tokens.url("/token");
    let pushed = Pushed::new(plugin());
    let expected = pushed.digest();
    // The script does not see headers, so the first request is the one without a token.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |target| {
        match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => challenge(&realm),
            _ => pushed.answer(target),
        }
    });
    let home = Home::logged_in(&server);
    let (artifact, _) = home.pull(&reference(&server, ":v1")).await.unwrap();
    assert_eq!(artifact.digest, expected);
    let text = format!("{artifact:?}");
    assert!(!text.contains("t1"), "{text}");
    let seen = server.seen();
    let logins: Vec<_> = seen
        .iter()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(logins, ["-", "Bearer t1", "Bearer t1"]);
    assert_eq!(
        tokens.seen(),
        [format!(
            "/token?service=the%20registry&scope=repository:a/b:pull Basic {BASIC}"
        )]
    );
}

#[tokio::test]
async fn a_password() {
    let pushed = Pushed::new(plugin());
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |target| {
        match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => {
                let header = "WWW-Authenticate: Basic realm=\"r\"";
                Reply::Whole(answer("401 Unauthorized", &[header], b""))
            }
            _ => pushed.answer(target),
        }
    });
    let home = Home::logged_in(&server);
    home.pull(&reference(&server, ":v1")).await.unwrap();
    let basic = format!("Basic {BASIC}");
    let seen = server.seen();
    let logins: Vec<_> = seen
        .iter()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(logins, ["-", &basic, &basic]);
}

#[tokio::test]
async fn a_refusal_says_what_was_sent_and_no_secret() {
    let header = "WWW-Authenticate: Basic realm=\"r\"";
    let server = Server::start(move |_| Reply::Whole(answer("401 Unauthorized", &[header], b"")));
    let error = Home::new()
        .pull(&reference(&server, ":v1"))
        .await
        .unwrap_err();
    assert!(
        chain(&error).contains("no login was sent"),
        "{}",
        chain(&error)
    );
    let error = Home::logged_in(&server)
        .pull(&reference(&server, ":v1"))
        .await
        .unwrap_err();
    let text = chain(&error);
    assert!(text.contains("of the docker config was sent"), "{text}");
    assert!(!text.contains("pass") && !text.contains(BASIC), "{text}");
}

#[tokio::test]
async fn no_login_goes_over_a_line_that_others_read() {
    let server = Server::start(|_| challenge("http://tokens.example/t"));
    let home = Home::logged_in(&server);
    let error = home.pull(&reference(&server, ":v1")).await.unwrap_err();
    assert!(chain(&error).contains("plain http"), "{}", chain(&error));
}

#[tokio::test]
async fn a_blob_elsewhere_is_fetched_without_a_login() {
    let blob = plugin();
    let store = Server::start({
        let blob = blob.clone();
        move |_| ok(&blob)
    });
    let pushed = Pushed::new(blob);
    let place = store.url("/somewhere?signature=1");
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |target| {
        let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        match target {
            _ if first => {
                let header = "WWW-Authenticate: Basic realm=\"r\"";
                Reply::Whole(answer("401 Unauthorized", &[header], b""))
            }
            target if target.contains("/blobs/") => redirect(&place),
            target => pushed.answer(target),
        }
    });
    let home = Home::logged_in(&server);
    home.pull(&reference(&server, ":v1")).await.unwrap();
    assert_eq!(store.seen(), ["/somewhere?signature=1 -"]);
}

/// The error of a registry that answers so.
async fn refused(rest: &str, script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> String {
    let server = Server::start(script);
    let error = Home::new()
        .pull(&reference(&server, rest))
        .await
        .unwrap_err();
    let text = chain(&error);
    text.replace(&server.place(), "HOST")
}

#[tokio::test]
async fn what_is_not_what_was_promised() {
    let pushed = Pushed::new(plugin());
    let other = pushed.clone();
    let text = refused(":v1", move |asked| match asked.contains("/blobs/") {
        true => ok(tgz(&[file("plugin.json", b"no")])),
        false => other.answer(asked),
    });
    let text = text.await;
    assert!(
        text.contains("sha256 digest") || text.contains("more than"),
        "{text}"
    );

    let wanted = format!("@sha256:{}", "ab".repeat(32));
    let other = pushed.clone();
    let text = refused(&wanted, move |_| ok(&other.manifest)).await;
    assert!(text.contains("should have sha256:abab"), "{text}");

    let other = pushed.clone();
    let text = refused(":v1", move |_| {
        let said = format!("Docker-Content-Digest: sha256:{}", "ab".repeat(32));
        Reply::Whole(answer("200 OK", &[&said], &other.manifest))
    });
    assert!(text.await.contains("should have sha256:abab"));
}

#[tokio::test]
async fn a_registry_that_breaks_off_or_falls_silent() {
    let pushed = Pushed::new(plugin());
    let (cut, silent) = (pushed.clone(), pushed);
    let text = refused(":v1", move |asked| match asked.contains("/blobs/") {
        true => Reply::Cut(answer("200 OK", &[], &cut.blob)[..80].to_vec()),
        false => cut.answer(asked),
    });
    let text = text.await;
    assert!(text.contains("cannot fetch"), "{text}");
    let text = refused(":v1", move |asked| match asked.contains("/blobs/") {
        true => Reply::Stall(answer("200 OK", &[], &silent.blob)[..80].to_vec()),
        false => silent.answer(asked),
    });
    assert!(text.await.contains("cannot fetch"));
}

#[tokio::test]
async fn answers_that_are_too_large() {
    let text = refused(":v1", |_| ok(vec![b' '; 5 << 20])).await;
    assert!(text.contains("cannot fetch `oci://HOST/a/b:v1`"), "{text}");
    let layer = json!({"digest": digest(b""), "size": 200 << 20});
    let pushed = Pushed::with(Vec::new(), &json!({"layers": [layer]}));
    let text = refused(":v1", move |asked| pushed.answer(asked)).await;
    assert!(text.contains("more than"), "{text}");
    // A blob that is longer than its manifest says.
    let blob = plugin();
    let layer = json!({"digest": digest(&blob), "size": blob.len() - 1});
    let pushed = Pushed::with(blob, &json!({"layers": [layer]}));
    let text = refused(":v1", move |asked| pushed.answer(asked)).await;
    assert!(text.contains("more than"), "{text}");
}

#[tokio::test]
async fn what_is_not_there() {
    let text = refused(":gone", |_| status("404 Not Found")).await;
    assert!(
        text.starts_with("the registry HOST does not have `oci://HOST/a/b:gone`"),
        "{text}"
    );
    let text = refused(":v1", |_| redirect("http://127.0.0.1:9/v2/")).await;
    assert!(
        text.contains("cannot fetch"),
        "a manifest is never elsewhere: {text}"
    );
    let text = refused(":v1", |_| ok(b"<html>")).await;
    assert!(text.contains("cannot be read at line 1"), "{text}");
    let index = json!({"manifests": [{"digest": digest(b"x"), "size": 1}]}).to_string();
    let text = refused(":v1", move |_| ok(&index)).await;
    assert!(
        text.contains("should have"),
        "an index that names itself: {text}"
    );
}
