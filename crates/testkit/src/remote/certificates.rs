//! A certificate authority that nobody knows, for servers that speak TLS.

use std::fs;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use plugd_model::AbsPath;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;

use super::base64;
use crate::{Sandbox, must};

/// An authority with one server certificate for loopback (`localhost` and `127.0.0.1`).
#[derive(Clone)]
pub struct Authority {
    pub(crate) config: Arc<ServerConfig>,
    pem: String,
}

impl Authority {
    /// A new authority, which is trusted by nobody yet.
    ///
    /// # Panics
    /// The keys cannot be made.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        must(Self::make())
    }

    fn make() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let server_key = KeyPair::generate()?;
        let server = CertificateParams::new(names)?.signed_by(&server_key, &issuer)?;
        let key = PrivateKeyDer::try_from(server_key.serialize_der()).map_err(|e| anyhow!(e))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], key)?;
        let body = base64::encode(root.der());
        Ok(Self {
            config: Arc::new(config),
            pem: format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"),
        })
    }

    /// Writes the authority's certificate into the sandbox, where `SSL_CERT_FILE` or git's
    /// `http.sslCAInfo` may name it; returns its path.
    ///
    /// # Panics
    /// The system refuses.
    #[track_caller]
    pub fn write_to(&self, sandbox: &Sandbox) -> AbsPath {
        let path = sandbox.path("ca.pem");
        must(fs::write(&path, &self.pem).map_err(anyhow::Error::from));
        path
    }
}

impl Default for Authority {
    /// As [`Authority::new`].
    fn default() -> Self {
        Self::new()
    }
}
