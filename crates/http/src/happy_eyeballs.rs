//! From a name to a socket: all addresses of a host, tried a moment after one another.
//!
//! A host with an address that leads nowhere (often IPv6 on a line that has none) must cost a
//! moment and not the whole limit, so the next address starts while the first is still waited for.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::url::Scheme;
use crate::{HttpError, Url};

/// How long an address is tried alone before the next one joins.
const HEAD_START: Duration = Duration::from_millis(250);
/// How many addresses of a host are tried.
const MAX_ADDRESSES: usize = 8;

/// Connects to the host of the address. Plain http gets an address of this machine only, whatever
/// the name `localhost` means to the system.
pub(crate) async fn connect(url: &Url) -> Result<TcpStream, HttpError> {
    let addresses = addresses(url).await?;
    let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let socket = race(addresses).await.map_err(|source| HttpError::Connect {
        host: url.place(),
        tried: shown.join(", "),
        source,
    })?;
    // Small requests must not wait for one another; a socket that cannot do this still works.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, HttpError> {
    if let Some(address) = url.address() {
        return Ok(vec![SocketAddr::new(address, url.port())]);
    }
    let host = url.host();
    let fail = |source| HttpError::Dns {
        host: host.clone(),
        source,
    };
    let found = tokio::net::lookup_host((host.as_str(), url.port()))
        .await
        .map_err(fail)?;
    let usable = found.filter(|address| url.scheme == Scheme::Https || address.ip().is_loopback());
    let ordered = alternate(usable.collect());
    if ordered.is_empty() {
        let reason = "the name has no address that may be used";
        return Err(fail(io::Error::new(io::ErrorKind::NotFound, reason)));
    }
    Ok(ordered)
}

/// Puts the two families in turn, beginning with the one that the system prefers.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    while ordered.len() < MAX_ADDRESSES {
        let before = ordered.len();
        ordered.extend(first.next());
        ordered.extend(second.next());
        if ordered.len() == before {
            break;
        }
    }
    ordered
}

/// The first connection that stands; the others are dropped. The error is the last one.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.into_iter();
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "there is no address");
    loop {
        let more = waiting.len() > 1;
        match waiting.next() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
            }
            None if attempts.is_empty() => return Err(last),
            None => {}
        }
        tokio::select! {
            Some(ended) = attempts.join_next() => match ended {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(error)) => last = error,
                Err(gone) => last = io::Error::other(gone),
            },
            () = sleep(HEAD_START), if more => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use pretty_assertions::assert_eq;
    use tokio::net::TcpListener;

    use super::{alternate, race};

    #[track_caller]
    fn check(addresses: &[&str], expected: &[&str]) {
        let parsed = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(alternate(parsed(addresses)), parsed(expected));
    }

    #[test]
    fn families_take_turns() {
        check(&[], &[]);
        check(&["1.1.1.1:1", "2.2.2.2:1"], &["1.1.1.1:1", "2.2.2.2:1"]);
        check(
            &["[1::]:1", "[2::]:1", "1.1.1.1:1"],
            &["[1::]:1", "1.1.1.1:1", "[2::]:1"],
        );
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refusing = closed.local_addr().unwrap();
        drop(closed);
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = open.local_addr().unwrap();
        let socket = race(vec![refusing, refusing, good]).await.unwrap();
        assert_eq!(socket.peer_addr().unwrap(), good);
        assert!(race(vec![refusing, refusing]).await.is_err());
        assert!(race(Vec::new()).await.is_err());
    }
}
