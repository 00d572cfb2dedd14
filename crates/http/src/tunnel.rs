//! How a proxy is asked to connect to a host: HTTP `CONNECT` (RFC 9110, 9.3.6) and SOCKS 5
//! (RFC 1928, RFC 1929).
//!
//! Not a byte behind the proxy's answer is read here: those belong to the host.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::proxy::{Proxy, ProxyKind};
use crate::{HttpError, TunnelFailure, Url};

/// Longest answer to `CONNECT`.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// What SOCKS says when all went well.
const SOCKS_GRANTED: u8 = 0;
/// SOCKS 5: methods without and with a password, and none that fits.
const SOCKS_OPEN: u8 = 0;
const SOCKS_PASSWORD: u8 = 2;
const SOCKS_NO_METHOD: u8 = 0xff;

/// Asks the proxy at the other end of the stream to connect to the host of the address.
pub(crate) async fn ask<S>(stream: &mut S, proxy: &Proxy, url: &Url) -> Result<(), HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let outcome = match proxy.kind {
        ProxyKind::Http => connect(stream, proxy, url).await,
        ProxyKind::Socks => socks(stream, proxy, url).await,
    };
    let reason = match outcome {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(reason)) => reason,
        Err(_) => TunnelFailure::NoAnswer,
    };
    Err(HttpError::Tunnel {
        proxy: proxy.url.place(),
        host: url.place(),
        reason,
    })
}

async fn connect<S>(
    stream: &mut S,
    proxy: &Proxy,
    url: &Url,
) -> io::Result<Result<(), TunnelFailure>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let place = url.place();
    let mut head = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
    if let Some(user_info) = &proxy.user_info {
        head.push_str(&format!("Proxy-Authorization: {}\r\n", user_info.basic()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == MAX_ANSWER_BYTES {
            return Ok(Err(TunnelFailure::NoAnswer));
        }
        // One byte at a time: what follows the blank line is the host's.
        answer.push(stream.read_u8().await?);
    }
    Ok(match status(&answer) {
        Some(200..=299) => Ok(()),
        Some(status) => Err(TunnelFailure::Status(status)),
        None => Err(TunnelFailure::NoAnswer),
    })
}

/// The status code of an answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|word| word.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

async fn socks<S>(stream: &mut S, proxy: &Proxy, url: &Url) -> io::Result<Result<(), TunnelFailure>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let method = match proxy.user_info {
        Some(_) => SOCKS_PASSWORD,
        None => SOCKS_OPEN,
    };
    stream.write_all(&[5, 1, method]).await?;
    stream.flush().await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    if answer != [5, method] {
        return Ok(Err(TunnelFailure::Socks(SOCKS_NO_METHOD)));
    }
    if let Some(user_info) = &proxy.user_info {
        let (Some(user), Some(password)) = (counted(&user_info.user), counted(&user_info.password))
        else {
            let reason = "its user name or password is too long";
            return Ok(Err(TunnelFailure::BadAddress(reason)));
        };
        let login = [&[1][..], &user, &password].concat();
        stream.write_all(&login).await?;
        stream.flush().await?;
        stream.read_exact(&mut answer).await?;
        if answer[1] != SOCKS_GRANTED {
            return Ok(Err(TunnelFailure::Status(407)));
        }
    }
    // Always by name: the proxy resolves it, and an address in text is a name to it as well.
    let Some(host) = counted(url.host().as_bytes()) else {
        return Ok(Err(TunnelFailure::NoAnswer));
    };
    let request = [&[5, 1, 0, 3][..], &host, &url.port().to_be_bytes()].concat();
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    if head[1] != SOCKS_GRANTED {
        return Ok(Err(TunnelFailure::Socks(head[1])));
    }
    // Where the proxy stands on the other side: nobody asks, but the bytes must be taken.
    let length = match head[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Ok(Err(TunnelFailure::NoAnswer)),
    };
    stream.read_exact(&mut vec![0; length + 2]).await?;
    Ok(Ok(()))
}

/// The bytes behind their length; `None` where one byte cannot hold it.
fn counted(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(bytes.len()).ok()?;
    Some([&[length][..], bytes].concat())
}

#[cfg(test)]
#[path = "tunnel_tests.rs"]
mod tests;
