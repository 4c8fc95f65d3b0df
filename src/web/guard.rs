//! What is asked of every request before anything else: that it was meant for this site, and that no other site sent it.

use super::{Site, error::PageError};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// The names by which a machine calls itself; nobody else's name can be made to mean them in a browser.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Refuses what was meant for another host, and whatever would change something and was sent by another site.
pub(super) async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let checked = host(request.uri(), request.headers()).and_then(|host| {
        if !answers_to(&site.address, &host) {
            return Err(PageError::Elsewhere);
        }
        // No text that we keep holds a zero, and PostgreSQL takes none.
        if request.uri().to_string().contains("%00") {
            return Err(PageError::NotFound);
        }
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if reads || own_form(&site.address, &host, request.headers()) { Ok(()) } else { Err(PageError::Form) }
    });
    match checked {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// For whom a request says it is, in small letters.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<String, PageError> {
    if let Some(authority) = uri.authority() {
        return Ok(authority.as_str().to_ascii_lowercase());
    }
    let mut told = headers.get_all(header::HOST).iter();
    match (told.next().and_then(|host| host.to_str().ok()), told.next()) {
        (Some(host), None) if !host.is_empty() => Ok(host.to_ascii_lowercase()),
        _ => Err(PageError::NoHost),
    }
}

/// Scheme and host of an address, without the port that goes without saying.
fn parts(address: &str) -> (&str, String) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
    let host = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    (scheme, without_usual_port(scheme, &host))
}

fn without_usual_port(scheme: &str, host: &str) -> String {
    let usual = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(usual).unwrap_or(host).to_owned()
}

fn is_loopback(host: &str) -> bool {
    LOOPBACK.iter().any(|name| {
        host.strip_prefix(name).is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

/// Whether the site answers to this name.
fn answers_to(address: &str, host: &str) -> bool {
    let (scheme, own) = parts(address);
    without_usual_port(scheme, host) == own || is_loopback(host)
}

/// Whether a form can have been sent by a page of ours, by what the browser says of it. Programs that are no browser say
/// nothing, and nobody's cookie can be used through them.
fn own_form(address: &str, host: &str, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if text("sec-fetch-site").is_some_and(|from| !matches!(from, "same-origin" | "none")) {
        return false;
    }
    text("origin").is_none_or(|origin| {
        let (scheme, from) = parts(origin);
        let own = parts(address);
        origin.contains("://")
            && ((scheme, &from) == (own.0, &own.1) || (is_loopback(host) && origin_is(origin, host)))
    })
}

fn origin_is(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, from)| from == host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_site_answers_to_its_own_address_and_to_its_own_machine() {
        let https = "https://watch.county.example/";
        for (address, host, answered) in [
            (https, "watch.county.example", true),
            (https, "watch.county.example:443", true),
            (https, "watch.county.example:80", false),
            (https, "evil.example", false),
            (https, "watch.county.example.evil.example", false),
            (https, "evil.example/watch.county.example", false),
            (https, "127.0.0.1", true),
            (https, "127.0.0.1:8080", true),
            (https, "localhost:9", true),
            (https, "[::1]:8080", true),
            (https, "127.0.0.1.evil.example", false),
            (https, "localhost:8080@evil.example", false),
            (https, "127.0.0.1:", false),
            ("http://10.1.2.3:8080", "10.1.2.3:8080", true),
            ("http://10.1.2.3:8080", "10.1.2.3", false),
        ] {
            assert_eq!(answers_to(address, host), answered, "{address} {host}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        let address = "https://watch.county.example";
        let host = "watch.county.example";
        for (origin, fetch, own) in [
            (None, None, true),
            (Some("https://watch.county.example"), None, true),
            (Some("https://watch.county.example"), Some("same-origin"), true),
            (Some("https://watch.county.example"), Some("cross-site"), false),
            (Some("https://watch.county.example"), Some("same-site"), false),
            (None, Some("cross-site"), false),
            (Some("http://watch.county.example"), None, false),
            (Some("https://evil.example"), None, false),
            (Some("https://watch.county.example.evil.example"), None, false),
            (Some("null"), None, false),
            (Some(""), None, false),
            (Some("watch.county.example"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("origin", origin), ("sec-fetch-site", fetch)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(own_form(address, host, &headers), own, "{origin:?} {fetch:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_static("http://localhost:8080"));
        assert!(own_form(address, "localhost:8080", &headers), "on the machine itself");
        assert!(!own_form(address, host, &headers));
    }
}
