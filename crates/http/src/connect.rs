//! From an address to a stream that can carry a request: proxy, socket, TLS.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::activity::{Activity, Watched};
use crate::proxy::{Proxies, Proxy, ProxyKind};
use crate::url::Scheme;
use crate::{HttpError, Url, happy_eyeballs, tunnel};

/// What a request travels on.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

/// A stream and what is known about its socket.
pub(crate) struct Connected {
    pub(crate) wire: Box<dyn Wire>,
    pub(crate) activity: Arc<Activity>,
}

/// Connects to the host of the address, through the proxy that the settings name for it. `tls` is
/// asked for only where it is needed, so that plain http on this machine reads no certificate.
pub(crate) async fn connect<'a>(
    url: &Url,
    proxies: &Proxies,
    tls: impl Fn() -> &'a TlsConnector,
) -> Result<Connected, HttpError> {
    let activity = Arc::new(Activity::new());
    let proxy = proxies.for_url(url)?;
    let socket = happy_eyeballs::connect(proxy.map_or(url, |proxy| &proxy.url)).await;
    let socket = Watched::new(socket?, activity.clone());
    let mut wire: Box<dyn Wire> = Box::new(socket);
    if let Some(proxy) = proxy {
        wire = through(wire, proxy, url, &tls).await?;
    }
    if url.scheme == Scheme::Https {
        wire = secure(wire, url, tls()).await?;
    }
    Ok(Connected { wire, activity })
}

async fn through<'a>(
    mut wire: Box<dyn Wire>,
    proxy: &Proxy,
    url: &Url,
    tls: &impl Fn() -> &'a TlsConnector,
) -> Result<Box<dyn Wire>, HttpError> {
    if proxy.kind == ProxyKind::Http && proxy.url.scheme == Scheme::Https {
        wire = secure(wire, &proxy.url, tls()).await?;
    }
    tunnel::ask(&mut wire, proxy, url).await?;
    Ok(wire)
}

async fn secure(
    wire: Box<dyn Wire>,
    url: &Url,
    tls: &TlsConnector,
) -> Result<Box<dyn Wire>, HttpError> {
    let name = ServerName::try_from(url.host())
        .map_err(|_| HttpError::bad_url(&url.to_string(), "its host cannot be used with TLS"))?;
    match tls.connect(name, wire).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(source) => Err(HttpError::Tls {
            host: url.place(),
            source,
        }),
    }
}
