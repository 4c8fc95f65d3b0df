//! Requests to the provider: few, short, and to nowhere else. No redirect is followed, no proxy is asked.

use super::settings::on_this_machine;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Bytes, client::conn::http1::handshake, header};
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, url::Url};
use rustls_pki_types::ServerName;
use std::{net::IpAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};

/// So long for a connection, and as long again for its answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// No document of a provider is larger, in bytes.
const LARGEST: usize = 512 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("{0} is not https; http is for a provider on this very machine only")]
    NotAllowed(String),
    #[error(
        "{0} is an address of this machine or its own network segment, where a provider elsewhere has nothing"
    )]
    Inside(String),
    #[error("{0} did not answer in time")]
    Late(String),
    #[error("{0} could not be reached: {1}")]
    Unreachable(String, #[source] std::io::Error),
    #[error("the answer of {0} is no HTTP, or ended early: {1}")]
    Broken(String, #[source] hyper::Error),
    #[error("the answer of {0} is larger than {LARGEST} bytes, or ended early")]
    TooLarge(String),
    #[error("a request could not be made: {0}")]
    Request(#[from] openidconnect::http::Error),
}

/// The way to one provider.
pub(super) struct Http {
    tls: TlsConnector,
    /// The provider is on this very machine: only then may addresses of it be.
    here: bool,
}

impl Http {
    /// For the provider with this address.
    pub(super) fn to(issuer: &Url) -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() && issuer.scheme() == "https" {
            return Err(
                "issuer: this machine trusts no certificate authority; install ca-certificates, or name a \
                        file in SSL_CERT_FILE"
                    .into(),
            );
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|wrong| format!("issuer: TLS can't be set up: {wrong}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), here: on_this_machine(issuer) })
    }

    /// Whether an address that the provider names may be used: `https`, or both of them on this machine.
    pub(super) fn allows(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => self.here || !on_this_machine(url),
            "http" => self.here && on_this_machine(url),
            _ => false,
        }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut parts, body) = request.into_parts();
        let whole = parts.uri.to_string();
        let url = Url::parse(&whole).map_err(|_| HttpError::NotAllowed(whole.chars().take(200).collect()))?;
        let (Some(host), Some(port), true) = (url.host_str(), url.port_or_known_default(), self.allows(&url))
        else {
            return Err(HttpError::NotAllowed(url.origin().ascii_serialization()));
        };
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let late = |_| HttpError::Late(authority.clone());
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        parts.uri = path.parse().map_err(openidconnect::http::Error::from)?;
        let named = header::HeaderValue::from_str(&authority).map_err(openidconnect::http::Error::from)?;
        parts.headers.insert(header::HOST, named);
        parts.headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        let request = hyper::Request::from_parts(parts, Full::new(Bytes::from(body)));
        if url.scheme() == "http" {
            let stream = timeout(PATIENCE, self.connect(host, port)).await.map_err(late)??;
            return timeout(PATIENCE, exchange(stream, request, &authority)).await.map_err(late)?;
        }
        let secure = async {
            let stream = self.connect(host, port).await?;
            let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let failed = |cause| HttpError::Unreachable(authority.clone(), cause);
            let name = ServerName::try_from(bare).map_err(|wrong| failed(std::io::Error::other(wrong)))?;
            self.tls.connect(name, stream).await.map_err(failed)
        };
        let stream = timeout(PATIENCE, secure).await.map_err(late)??;
        timeout(PATIENCE, exchange(stream, request, &authority)).await.map_err(late)?
    }

    /// Connects to the first address of a name that answers and is where a provider can be.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, HttpError> {
        let failed = |cause| HttpError::Unreachable(host.to_owned(), cause);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let mut last = HttpError::Unreachable(host.to_owned(), std::io::ErrorKind::NotFound.into());
        for at in lookup_host((bare, port)).await.map_err(failed)? {
            if is_inside(at.ip()) != self.here {
                last = HttpError::Inside(host.to_owned());
                continue;
            }
            match TcpStream::connect(at).await {
                Ok(stream) => return Ok(stream),
                Err(cause) => last = failed(cause),
            }
        }
        Err(last)
    }
}

/// Addresses that only this machine, or its own segment, can mean: a name elsewhere that leads to one is a trap. Those
/// of private networks are where many organisations have their provider.
fn is_inside(at: IpAddr) -> bool {
    match at.to_canonical() {
        IpAddr::V4(at) => {
            at.is_loopback()
                || at.is_link_local()
                || at.is_unspecified()
                || at.is_multicast()
                || at.is_broadcast()
        }
        IpAddr::V6(at) => {
            at.is_loopback() || at.is_unicast_link_local() || at.is_unspecified() || at.is_multicast()
        }
    }
}

async fn exchange<S>(
    stream: S,
    request: hyper::Request<Full<Bytes>>,
    host: &str,
) -> Result<HttpResponse, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |cause| HttpError::Broken(host.to_owned(), cause);
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with the sender, however this function is left.
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
    let body =
        Limited::new(body, LARGEST).collect().await.map_err(|_| HttpError::TooLarge(host.to_owned()))?;
    Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_provider_can_be_asked() {
        let elsewhere = Http::to(&Url::parse("https://login.county.example").unwrap()).unwrap();
        let here = Http::to(&Url::parse("http://127.0.0.1:3000").unwrap()).unwrap();
        for (address, by_elsewhere, by_here) in [
            ("https://login.county.example/keys", true, true),
            ("https://10.1.2.3/keys", true, true),
            ("http://login.county.example/keys", false, false),
            ("http://127.0.0.1:3000/keys", false, true),
            ("https://127.0.0.1/keys", false, true),
            ("https://localhost/keys", false, true),
            ("https://[::1]/keys", false, true),
            ("https://0x7f000001/keys", false, true),
            ("https://2130706433/keys", false, true),
            ("http://127.0.0.1.evil.example/keys", false, false),
            ("file:///etc/passwd", false, false),
            ("javascript:alert(1)", false, false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!((elsewhere.allows(&url), here.allows(&url)), (by_elsewhere, by_here), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_leads_nowhere() {
        let elsewhere = Http::to(&Url::parse("https://login.county.example").unwrap()).unwrap();
        for host in
            ["127.0.0.1", "localhost", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "::ffff:127.0.0.1"]
        {
            let found = elsewhere.connect(host, 443).await;
            assert!(matches!(found, Err(HttpError::Inside(_))), "{host}");
        }
        let here = Http::to(&Url::parse("http://127.0.0.1:3000").unwrap()).unwrap();
        assert!(matches!(here.connect("10.255.255.1", 80).await, Err(HttpError::Inside(_))));
    }
}
