//! A browser without a screen: keeps cookies, speaks HTTP and HTTPS, follows nothing by itself.

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1::handshake};
use hyper_util::rt::TokioIo;
use openidconnect::url::Url;
use std::{collections::BTreeMap, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// Somebody at a browser.
pub struct Visitor {
    tls: TlsConnector,
    /// By port: both sites are on one machine.
    cookies: BTreeMap<u16, BTreeMap<String, String>>,
}

/// What they see.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    /// Where it leads, in full.
    pub location: Option<String>,
    pub text: String,
}

impl Visitor {
    /// Trusts this certificate.
    pub fn new(certificate: &rcgen::Certificate) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, address: &str) -> Page {
        self.ask("GET", address, String::new()).await
    }

    pub async fn post(&mut self, address: &str, form: &str) -> Page {
        self.ask("POST", address, form.to_owned()).await
    }

    /// The first page that leads nowhere further, or to an address that begins with `until`.
    pub async fn follow(&mut self, mut page: Page, until: &str) -> (Page, String) {
        for _ in 0..10 {
            match page.location.clone() {
                Some(to) if !to.starts_with(until) => page = self.get(&to).await,
                to => return (page, to.unwrap_or_default()),
            }
        }
        panic!("led round and round: {page:?}");
    }

    async fn ask(&mut self, method: &str, address: &str, form: String) -> Page {
        let url = Url::parse(address).unwrap();
        let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
        let jar = self.cookies.entry(port).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = &url[openidconnect::url::Position::BeforePath..];
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", format!("{host}:{port}"))
            .header("origin", url.origin().ascii_serialization())
            .header("cookie", cookies.join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .unwrap();
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let answer = if url.scheme() == "https" {
            let name = ServerName::try_from(host.to_owned()).unwrap();
            sent(self.tls.connect(name, stream).await.unwrap(), request).await
        } else {
            sent(stream, request).await
        };
        let (parts, text) = answer;
        for set in parts.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let location =
            parts.headers.get("location").map(|to| url.join(to.to_str().unwrap()).unwrap().to_string());
        Page { status: parts.status.as_u16(), location, text }
    }
}

async fn sent<S>(stream: S, request: Request<Full<Bytes>>) -> (hyper::http::response::Parts, String)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts, String::from_utf8_lossy(&bytes).into_owned())
}
