//! The way of an archive to the place that the service names for it.
//!
//! That place is another machine, and its address is good for whoever has it. So nothing goes there
//! that says who asks, and no error or `Debug` text shows more of the address than its host.

use plugd_http::header::{self, HeaderName};
use plugd_http::{Body, HttpError, Limits, Method, Redirects, Request, Url};
use plugd_model::RemotePluginId;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

use crate::pages::shown;
use crate::service::{Answer, Ask, ORIGINATOR, unless};
use crate::{Call, CatalogError, Detail, Secret, Service};

/// How long an upload may take as a whole: 50 MiB over a slow line.
const TOTAL: Duration = Duration::from_secs(600);

/// What storage is told that the upload is; without it some refuse.
const BLOB_TYPE: HeaderName = HeaderName::from_static("x-ms-blob-type");

/// Where to put an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPlace {
    file_id: String,
    etag: String,
    address: Secret,
    host: String,
}

/// An archive that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    pub(super) file_id: String,
    pub(super) etag: String,
}

impl UploadPlace {
    /// The machine that takes the archive.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Service {
    /// Asks for a place for an archive of so many bytes; `version_of` is the share that it will be a
    /// version of.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, or names no place that anything may be sent to: `https`,
    /// or plain http on this machine where the service is that itself.
    pub async fn upload_place(
        &self,
        file_name: &str,
        bytes: u64,
        version_of: Option<&RemotePluginId>,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<UploadPlace, CatalogError> {
        let mut body = json!({
            "filename": file_name,
            "mime_type": "application/gzip",
            "size_bytes": bytes,
        });
        if let Some(id) = version_of {
            body["plugin_id"] = id.as_str().into();
        }
        let path = "/public/plugins/workspace/upload-url";
        let ask = Ask::new(Call::UploadPlace, Method::POST, path).json(&body);
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        self.place(&answer)
    }

    fn place(&self, answer: &Answer) -> Result<UploadPlace, CatalogError> {
        let object = answer.object()?;
        let text = |key| {
            object
                .needed(key, object.text(key))
                .map_err(|problem| answer.bad(shown(&problem)))
        };
        let address = text("upload_url")?;
        let url = Url::parse(&address).map_err(|error| {
            let reason = match error {
                HttpError::BadUrl { reason, .. } => reason,
                _ => "it cannot be read",
            };
            answer.bad(format!("its upload address cannot be used: {reason}"))
        })?;
        let is_loopback_allowed = self.access().base.is_loopback_http();
        let is_allowed =
            has_scheme(&address, "https") || (is_loopback_allowed && url.is_loopback());
        if !is_allowed {
            return Err(answer.bad("its upload address is not `https://`"));
        }
        // A service does not choose what is sent to log in.
        if authority(&address).contains('@') {
            return Err(answer.bad("its upload address holds a user or password"));
        }
        Ok(UploadPlace {
            file_id: text("file_id")?,
            etag: text("etag")?,
            host: url.host(),
            address: Secret::new(address),
        })
    }

    /// Sends an archive of exactly so many bytes to its place.
    ///
    /// # Errors
    /// The place cannot be reached, or refuses; or the body was given up.
    pub async fn upload(
        &self,
        place: UploadPlace,
        bytes: u64,
        body: Body,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Uploaded, CatalogError> {
        let call = Call::Upload;
        let failed = |source| CatalogError::Http {
            call,
            host: place.host.clone(),
            // Also the path is a secret.
            source: HttpError::with_address(source, |_| place.host.clone()),
        };
        let end = Instant::now() + TOTAL;
        let limits = Limits {
            deadline: Some(deadline.map_or(end, |deadline| deadline.min(end))),
            ..Limits::CALL
        };
        let (originator, user_agent) = self.catalog().agent();
        // The length is told beforehand: storage of this kind takes no body whose end is open.
        let request = Request::new(Method::PUT, place.address.reveal())
            .and_then(|request| request.header(BLOB_TYPE, "BlockBlob"))
            .and_then(|request| request.header(header::CONTENT_TYPE, "application/gzip"))
            .and_then(|request| request.header(header::CONTENT_LENGTH, &bytes.to_string()))
            .and_then(|request| request.header(header::ACCEPT, "*/*"))
            .and_then(|request| request.header(ORIGINATOR, originator))
            .and_then(|request| request.header(header::USER_AGENT, user_agent))
            .map_err(failed)?
            .redirects(Redirects::None)
            .limits(limits)
            .body(body);
        let client = self.catalog().http();
        let work = async {
            let never = std::future::pending();
            client.send(request, never).await.map_err(failed)
        };
        let response = unless(cancelled, work).await?;
        match response.status().as_u16() {
            200 | 201 => Ok(Uploaded {
                file_id: place.file_id,
                etag: place.etag,
            }),
            status => Err(CatalogError::Status {
                call,
                url: place.host.clone(),
                host: place.host,
                status,
                // What storage says is not for people, and may repeat the address.
                detail: Detail::default(),
            }),
        }
    }
}

fn has_scheme(address: &str, scheme: &str) -> bool {
    let found = address.split_once("://").map(|(found, _)| found);
    found.is_some_and(|found| found.eq_ignore_ascii_case(scheme))
}

/// The part of an address that names the machine.
fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    &rest[..end]
}
