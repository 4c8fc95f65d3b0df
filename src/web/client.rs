//! From which address somebody comes.

use super::Site;
use crate::stages::letters::keyed;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// The address of the reader's own machine, or of the last one on the way that we know nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client(IpAddr);

impl Client {
    /// Whoever speaks through a proxy we trust is the last address it was told that is no such proxy; whoever speaks to
    /// us directly is who they are, whatever they write.
    fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |at: &IpAddr| trusted.iter().any(|net| net.contains(at));
        let mut client = peer.to_canonical();
        let told: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for entry in told.iter().rev() {
            if !is_trusted(&client) {
                break;
            }
            // Nonsense was not written by a proxy of ours: the address that passed it on counts.
            let Ok(next) = entry.trim().parse::<IpAddr>() else { break };
            client = next.to_canonical();
        }
        Self(client)
    }

    /// Under what its failures are counted: a keyed hash, so that the table tells nobody's address. A customer has a
    /// whole /64 of IPv6, which counts as one.
    pub(super) fn counted(self, key: &str) -> String {
        let counted = match self.0 {
            IpAddr::V4(at) => IpAddr::V4(at),
            IpAddr::V6(at) => IpAddr::V6(Ipv6Addr::from_bits(at.to_bits() & !u128::from(u64::MAX))),
        };
        format!("client:{}", keyed(key, &format!("client/{counted}")))
    }
}

impl FromRequestParts<Arc<Site>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Infallible> {
        // Requests that came by no connection are those of tests.
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
        Ok(Self::of(peer, &parts.headers, &site.trusted_proxies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn x_forwarded_for_counts_only_from_a_proxy_we_trust() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, told, client) in [
            ("192.0.2.7", &[][..], "192.0.2.7"),
            ("192.0.2.7", &["198.51.100.1"], "192.0.2.7"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.2.0.9"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1", "10.2.0.9"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("fd00::1", &["2001:db8::5"], "2001:db8::5"),
        ] {
            let mut headers = HeaderMap::new();
            for line in told {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            let found = Client::of(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, Client(client.parse().unwrap()), "{peer} {told:?}");
        }
    }

    #[test]
    fn an_address_is_counted_by_a_hash_that_needs_the_key() {
        let of = |text: &str, key: &str| Client(text.parse().unwrap()).counted(key);
        assert_ne!(of("192.0.2.7", "a"), of("192.0.2.8", "a"));
        assert_ne!(of("192.0.2.7", "a"), of("192.0.2.7", "b"));
        assert!(!of("192.0.2.7", "a").contains("192.0"));
        assert_eq!(of("2001:db8::5", "a"), of("2001:db8::ffff:6", "a"), "a /64 is one customer");
        assert_ne!(of("2001:db8::5", "a"), of("2001:db8:0:1::5", "a"));
    }
}
