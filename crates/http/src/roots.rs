//! Whom to trust: the system's certificates and the extra ones of the settings.
//!
//! Extra certificates are added and never replace the system's, as in the reference. A file that
//! cannot be used is a problem and no error: what it should have vouched for is simply not trusted.

use std::collections::HashSet;
use std::sync::Arc;

use plugd_disk::{Disk, Kind};
use plugd_model::{AbsPath, Problem, ProblemKind};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Largest file of certificates that is read; the bundle of a system has some 200 kB.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Most files of one directory that are read.
const MAX_FILES: usize = 4096;

/// Where systems keep their bundle; the first one that is there is taken. They are in the order of
/// how many systems use them.
#[cfg(not(any(windows, target_os = "macos")))]
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/openssl/certs/ca-certificates.crt",
    "/etc/ssl/certs",
];

/// What is needed to speak TLS.
pub(crate) struct Trust {
    pub(crate) connector: TlsConnector,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Default)]
struct Collected {
    certificates: Vec<CertificateDer<'static>>,
    /// What is trusted already: variables often name the system's own files.
    known: HashSet<CertificateDer<'static>>,
    problems: Vec<Problem>,
}

impl Trust {
    /// Reads the system's certificates and the extra ones. It blocks for the few milliseconds that
    /// this takes.
    pub(crate) fn load(disk: &Disk, extra: &[AbsPath]) -> Self {
        let mut store = RootCertStore::empty();
        // A system's bundle may hold certificates that no longer parse; they are no news to a user.
        let certificates = system_roots(disk);
        let mut collected = Collected {
            known: certificates.iter().cloned().collect(),
            ..Collected::default()
        };
        let (system, _) = store.add_parsable_certificates(certificates);
        for path in extra {
            collected.add(disk, path, &mut store);
        }
        let mut problems = collected.problems;
        if store.is_empty() {
            let message = "no trusted certificates were found on this system";
            problems.push(Problem::error(ProblemKind::Missing, message));
        }
        for problem in &problems {
            tracing::warn!(path = ?problem.path, "{}", problem.message);
        }
        tracing::debug!(system, all = store.len(), "loaded trusted certificates");
        Self {
            connector: connector(store),
            problems,
        }
    }
}

impl Collected {
    /// Adds the certificates of a file or directory.
    fn add(&mut self, disk: &Disk, path: &AbsPath, store: &mut RootCertStore) {
        self.certificates.clear();
        match disk.stamp(path) {
            Ok(Some(stamp)) if stamp.kind == Kind::Dir => self.read_directory(disk, path),
            Ok(_) => self.read_file(disk, path),
            Err(error) => self.problems.push(error.problem()),
        }
        let found = self.certificates.len();
        let known = &mut self.known;
        let fresh = self.certificates.drain(..);
        let fresh = fresh.filter(|certificate| known.insert(certificate.clone()));
        let (_, unusable) = store.add_parsable_certificates(fresh);
        let told = self
            .problems
            .iter()
            .any(|problem| problem.path.as_ref() == Some(path));
        if found == unusable && !told {
            let message = "holds no certificate that can be trusted";
            let problem = Problem::error(ProblemKind::BadValue, message).in_file(path);
            self.problems.push(problem);
        }
    }

    fn read_file(&mut self, disk: &Disk, path: &AbsPath) {
        match disk.read(path, MAX_FILE_BYTES) {
            Ok(bytes) => self.certificates.extend(parse(&bytes)),
            Err(error) => self.problems.push(error.problem()),
        }
    }

    /// Takes what is a certificate among the files of a directory; there may be others.
    fn read_directory(&mut self, disk: &Disk, path: &AbsPath) {
        let entries = match disk.list(path) {
            Ok(entries) => entries,
            Err(error) => return self.problems.push(error.problem()),
        };
        for entry in entries.iter().take(MAX_FILES) {
            if let Ok(bytes) = disk.read(&path.join(&entry.name), MAX_FILE_BYTES) {
                self.certificates.extend(parse(&bytes));
            }
        }
    }
}

/// The certificates of a file in PEM, or the one of a file in DER.
fn parse(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    let pem: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .filter_map(Result::ok)
        .collect();
    if pem.is_empty() && bytes.first() == Some(&0x30) {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    pem
}

#[cfg(not(any(windows, target_os = "macos")))]
fn system_roots(disk: &Disk) -> Vec<CertificateDer<'static>> {
    for path in BUNDLES {
        let Ok(path) = AbsPath::new(path) else {
            continue;
        };
        let mut collected = Collected::default();
        match disk.stamp(&path) {
            Ok(Some(stamp)) if stamp.kind == Kind::Dir => collected.read_directory(disk, &path),
            Ok(Some(_)) => collected.read_file(disk, &path),
            Ok(None) | Err(_) => {}
        }
        if !collected.certificates.is_empty() {
            return collected.certificates;
        }
    }
    Vec::new()
}

/// These systems keep their certificates behind an interface and not in files. The library behind
/// it takes `SSL_CERT_FILE` and `SSL_CERT_DIR` of the process in their place, where they are set.
#[cfg(any(windows, target_os = "macos"))]
fn system_roots(_: &Disk) -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

fn connector(store: RootCertStore) -> TlsConnector {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    #[expect(
        clippy::expect_used,
        reason = "the provider has suites for both versions; the build decides that, not the input"
    )]
    let mut config = builder
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}
