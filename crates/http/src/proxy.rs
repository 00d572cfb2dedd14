//! Which proxy an address is reached through.
//!
//! Only `https` addresses ever are: plain http is spoken to this machine alone, and "this machine"
//! means another one to a proxy. For the same reason a loopback address never goes through one, and
//! `HTTP_PROXY`, which is for plain http, is not asked for. So a proxy sees a host, a port and
//! encrypted bytes, never a header.

use std::fmt;
use std::net::IpAddr;

use plugd_model::Environment;

use crate::url::UserInfo;
use crate::{HttpError, TunnelFailure, Url};

/// The proxy, and the hosts that are reached without it.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    proxy: Option<Configured>,
    direct: Vec<Rule>,
}

/// A proxy that can be used.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) kind: ProxyKind,
    /// Where it listens; for SOCKS the scheme means nothing.
    pub(crate) url: Url,
    pub(crate) user_info: Option<UserInfo>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    /// `CONNECT`, in the clear or inside TLS as the address says.
    Http,
    /// SOCKS 5. The name of the host is always resolved by the proxy.
    Socks,
}

/// A wrong setting must not send bytes past the proxy, so it is kept and fails each request.
#[derive(Debug, Clone)]
enum Configured {
    Good(Proxy),
    Bad { shown: String, reason: &'static str },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// The domain and everything below it; lower case.
    Domain(String),
    /// Addresses that share the leading bits.
    Network(IpAddr, u32),
}

impl Proxies {
    /// No proxy at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One proxy, such as `http://user:password@proxy:3128`, `https://…` or `socks5://…` (without a
    /// scheme: `http`), and a list in the form of `NO_PROXY`. A proxy that cannot be used makes each
    /// request that needs it fail: bytes do not go past it.
    #[must_use]
    pub fn new(proxy: &str, no_proxy: &str) -> Self {
        Self {
            proxy: Some(Configured::parse(proxy)),
            direct: no_proxy
                .split([',', ' ', '\t'])
                .filter_map(Rule::parse)
                .collect(),
        }
    }

    /// The proxy that the environment names. A lower-case variable wins, as it does elsewhere.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Self {
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| environment.var(name))
                .map(|value| value.to_string_lossy().trim().to_owned())
        };
        let proxy = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
        let direct = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        match proxy {
            Some(proxy) if !proxy.is_empty() => Self::new(&proxy, &direct),
            _ => Self::none(),
        }
    }

    /// The proxy for an address, if it is to go through one.
    pub(crate) fn for_url(&self, url: &Url) -> Result<Option<&Proxy>, HttpError> {
        if url.is_loopback() || self.direct.iter().any(|rule| rule.matches(url)) {
            return Ok(None);
        }
        match &self.proxy {
            None => Ok(None),
            Some(Configured::Good(proxy)) => Ok(Some(proxy)),
            Some(Configured::Bad { shown, reason }) => Err(HttpError::Tunnel {
                proxy: shown.clone(),
                host: url.place(),
                reason: TunnelFailure::BadAddress(reason),
            }),
        }
    }
}

impl Configured {
    fn parse(text: &str) -> Self {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, spoken) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (ProxyKind::Http, "http"),
            "https" => (ProxyKind::Http, "https"),
            "socks5" | "socks5h" => (ProxyKind::Socks, "http"),
            other => {
                let is_word = other.bytes().all(|byte| byte.is_ascii_alphanumeric());
                return Self::Bad {
                    shown: if is_word { scheme } else { "…" }.to_owned() + "://…",
                    reason: "its scheme is none of http, https, socks5",
                };
            }
        };
        // Without a port a proxy listens on the port that its kind is known for.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A part of the password would be taken for the proxy's name.
        if let Some((_, place)) = rest[authority.len()..].rsplit_once('@') {
            let place = place.split(['/', '?', '#']).next().unwrap_or_default();
            return Self::Bad {
                shown: format!("{scheme}://…@{place}"),
                reason: "a `/`, `?` or `#` in its user or password is written as %2F, %3F or %23",
            };
        }
        let place = authority.rsplit('@').next().unwrap_or_default();
        let bare = !place.rsplit(']').next().unwrap_or_default().contains(':');
        let port = match (kind, bare) {
            (ProxyKind::Socks, true) => ":1080",
            _ => "",
        };
        match Url::parse(&format!("{spoken}://{authority}{port}")) {
            Ok(url) => Self::Good(Proxy {
                kind,
                user_info: url.user_info().cloned(),
                url,
            }),
            Err(HttpError::BadUrl { url, reason }) => Self::Bad { shown: url, reason },
            Err(_) => Self::Bad {
                shown: scheme.to_owned() + "://…",
                reason: "it is no address",
            },
        }
    }
}

impl fmt::Debug for Proxy {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            let (hosts, port) = (Hosts::All, None);
            return Some(Self { hosts, port });
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            let (hosts, port) = (Hosts::Network(address, bits), None);
            return Some(Self { hosts, port });
        }
        if let Some(address) = plain_address(text) {
            let (hosts, port) = (Hosts::Network(address, width(address)), None);
            return Some(Self { hosts, port });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let hosts = match plain_address(name) {
            Some(address) => Hosts::Network(address, width(address)),
            None => {
                let name = name.trim_start_matches('*').trim_matches('.');
                Hosts::Domain(name.to_ascii_lowercase())
            }
        };
        Some(Self { hosts, port })
    }

    fn matches(&self, url: &Url) -> bool {
        if self.port.is_some_and(|port| port != url.port()) {
            return false;
        }
        match &self.hosts {
            Hosts::All => true,
            Hosts::Domain(domain) => {
                let host = url.host();
                host.strip_suffix(domain.as_str())
                    .is_some_and(|front| front.is_empty() || front.ends_with('.'))
            }
            Hosts::Network(network, bits) => url
                .address()
                .is_some_and(|address| shares_bits(*network, address, *bits)),
        }
    }
}

fn plain_address(text: &str) -> Option<IpAddr> {
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    inner.parse().ok()
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn shares_bits(left: IpAddr, right: IpAddr, bits: u32) -> bool {
    let different = match (left, right) {
        (IpAddr::V4(left), IpAddr::V4(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        (IpAddr::V6(left), IpAddr::V6(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        _ => return false,
    };
    different >= bits
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
