//! DKIM signatures (RFC 6376, RFC 8463): who answers for a message, provable to every mail server on its way.
//!
//! Canonicalisation is relaxed for headers and body. The signature is part of the stored bytes: the same message is the
//! same bytes at every attempt.

use crate::config::Config;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use ring::{
    rand::SystemRandom,
    rsa::PublicKey,
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use std::{fmt, fs, path::PathBuf};

/// The headers that are signed where a message has them. What is not here may change on the way: mail servers add to the
/// others.
const SIGNED: [&str; 14] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "reply-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
];

/// A line of base64 in the header.
const LINE: usize = 70;

/// A key that no message can be signed with.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The key's file.
    #[error("[mail.dkim] key_file: {path} can't be read: {cause}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// What the file holds.
    #[error(
        "[mail.dkim] key_file: not a private key in PEM, RSA of at least 2048 bits or Ed25519 ({0}); \
         `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` makes one"
    )]
    Key(String),
    /// A name that can't stand in the header.
    #[error("[mail.dkim] {field}: `{value}` is not a name of the DNS")]
    Name {
        /// Which.
        field: &'static str,
        /// As it was given.
        value: String,
    },
    /// The key would not sign.
    #[error("a message could not be signed")]
    Sign,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Signs messages for a domain.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, selector, .. } = self;
        f.debug_struct("Signer").field("domain", domain).field("selector", selector).finish_non_exhaustive()
    }
}

impl Signer {
    /// As the configuration says; reads the key's file. None when messages are not signed.
    ///
    /// # Errors
    ///
    /// When no message could be signed with it; see [`DkimError`].
    pub fn of(config: &Config) -> Result<Option<Self>, DkimError> {
        let Some(dkim) = &config.mail.dkim else { return Ok(None) };
        let path = config.path(&dkim.key_file);
        let pem = fs::read_to_string(&path).map_err(|cause| DkimError::File { path, cause })?;
        Self::new(&dkim.domain, &dkim.selector, &pem).map(Some)
    }

    /// With a private key in PEM: RSA (PKCS 1 or 8) of at least 2048 bits, or Ed25519.
    ///
    /// # Errors
    ///
    /// When the key or a name can't be used; see [`DkimError`].
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, DkimError> {
        for (field, value) in [("domain", domain), ("selector", selector)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if value.is_empty() || value.len() > 200 || !value.chars().all(plain) {
                return Err(DkimError::Name { field, value: crate::words::clean(value) });
            }
        }
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|wrong| DkimError::Key(wrong.to_string()))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Box::new).map(Key::Rsa)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                    .map(Key::Ed25519)
                    .or_else(|_| RsaKeyPair::from_pkcs8(der).map(Box::new).map(Key::Rsa))
            }
            _ => return Err(DkimError::Key("another kind of key".into())),
        };
        let key = key.map_err(|wrong| DkimError::Key(wrong.to_string()))?;
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key })
    }

    /// Where its DNS record stands.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The text of the DNS record at SELECTOR._domainkey.DOMAIN.
    #[must_use]
    pub fn record(&self) -> String {
        match &self.key {
            Key::Rsa(key) => {
                format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public_info(key.public())))
            }
            Key::Ed25519(key) => {
                format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key().as_ref()))
            }
        }
    }

    /// The message with a signature in front. The same message and moment give the same bytes.
    ///
    /// # Errors
    ///
    /// When the key does not sign.
    pub fn sign(&self, message: &[u8], at: DateTime<Utc>) -> Result<Vec<u8>, DkimError> {
        let text = String::from_utf8_lossy(message);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let headers = headers(head);
        let find = |name: &str| headers.iter().rfind(|(own, _)| own == name);
        let present: Vec<_> = SIGNED.iter().filter_map(|name| find(name)).collect();
        let mut names: Vec<&str> = present.iter().map(|(name, _)| name.as_str()).collect();
        // Named once more than it is there: a second one added on the way breaks the signature.
        names.push("from");
        let unsigned = format!(
            "v=1; a={}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={};\r\n b=",
            match self.key {
                Key::Rsa(_) => "rsa-sha256",
                Key::Ed25519(_) => "ed25519-sha256",
            },
            self.domain,
            self.selector,
            at.timestamp(),
            names.join(":\r\n "),
            STANDARD.encode(Sha256::digest(relaxed_body(body))),
        );
        let mut lines: Vec<String> = present.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        lines.push(format!("dkim-signature:{}", relaxed(&unsigned)));
        let signed = lines.join("\r\n");
        let signature = STANDARD.encode(self.signature(signed.as_bytes())?);
        let folded: Vec<&str> = (0..signature.len())
            .step_by(LINE)
            .filter_map(|from| signature.get(from..signature.len().min(from + LINE)))
            .collect();
        let header = format!("DKIM-Signature: {unsigned}{}\r\n", folded.join("\r\n "));
        Ok([header.as_bytes(), message].concat())
    }

    fn signature(&self, signed: &[u8]) -> Result<Vec<u8>, DkimError> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed, &mut signature)
                    .map_err(|_| DkimError::Sign)?;
                Ok(signature)
            }
            // RFC 8463 signs the hash, not the text.
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(signed)).as_ref().to_vec()),
        }
    }
}

/// Names in lower case with relaxed values, in the order of the message.
fn headers(head: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim_end().to_ascii_lowercase(), value.to_owned()));
        }
    }
    found.into_iter().map(|(name, value)| (name, relaxed(&value))).collect()
}

/// Unfolded, with single spaces, and none at the ends.
fn relaxed(value: &str) -> String {
    value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Spaces as one, none at the end of a line, no empty lines at the end.
fn relaxed_body(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for line in body.split("\r\n") {
        let mut space = false;
        for c in line.trim_end_matches([' ', '\t']).chars() {
            if matches!(c, ' ' | '\t') {
                space = true;
                continue;
            }
            if std::mem::take(&mut space) {
                out.push(' ');
            }
            out.push(c);
        }
        out.push_str("\r\n");
    }
    let kept = out.trim_end_matches("\r\n").len();
    out.truncate(kept);
    if !out.is_empty() {
        out.push_str("\r\n");
    }
    out
}

/// The public key as the DNS wants it: wrapped in the name of its algorithm (`SubjectPublicKeyInfo`).
fn public_info(key: &PublicKey) -> Vec<u8> {
    const RSA: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    der(0x30, &[&RSA[..], &der(0x03, &[&[0], key.as_ref()].concat())].concat())
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests;
