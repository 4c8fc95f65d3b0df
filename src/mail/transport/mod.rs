//! Where messages leave: a folder of files, a mail server, or a carrier of somebody else's making.

mod file;
mod smtp;

pub use file::FileTransport;
pub use smtp::{SmtpTransport, Tls};

use super::message::{Envelope, address};
use crate::config::{Config, Security, TransportConfig};
use async_trait::async_trait;
use std::{fs, path::PathBuf, sync::Arc};

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The mail server, or the file system, has taken it.
    Sent,
    /// Not now, for this message: it has not arrived; try again later with the same bytes.
    Retry(String),
    /// The server could not be reached, or broke off before it had the message: it has not arrived.
    Down(String),
    /// The message was begun and no answer came: it may have arrived. Try again with the same bytes.
    Unknown(String),
    /// This recipient will never get this message: the operator has to be told.
    GiveUp(String),
    /// Our own settings are wrong, or the server refuses us as a whole: keep the message, try again, tell the operator.
    Configuration(String),
}

impl Outcome {
    /// It was the server, or what it thinks of us, rather than this message or its recipient: others would fare the same.
    #[must_use]
    pub fn is_about_the_server(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Unknown(_) | Self::Configuration(_))
    }
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// From whom, to whom.
    pub envelope: Envelope<'a>,
    /// Its Message-ID.
    pub id: &'a str,
    /// Its bytes.
    pub message: &'a [u8],
}

/// Settings that no message can be sent with.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The password's file.
    #[error("[mail] password_file: {path} can't be read: {cause}", path = path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A user without a password, or the other way round.
    #[error("[mail] user and password_file belong together: give both or neither")]
    HalfSignIn,
    /// The sender's address.
    #[error("[mail] from and return_path: `{0}` is not an address")]
    From(String),
    /// Plain text to another machine.
    #[error(
        "[mail] security = \"none\" is for a server on this very machine; {0} is not: use starttls or tls"
    )]
    InTheClear(String),
    /// Host name or certificates.
    #[error("[mail] host: {0}")]
    Tls(String),
}

/// Carries messages in a way of its own.
#[async_trait]
pub trait Carrier: std::fmt::Debug + Send + Sync {
    /// Tries to send one message; must not wait for ever.
    async fn carry(&self, letter: Letter<'_>) -> Outcome;
}

/// Where messages leave.
#[derive(Debug, Clone)]
pub enum Transport {
    /// A folder.
    File(FileTransport),
    /// A mail server.
    Smtp(SmtpTransport),
    /// Anything else.
    Other(Arc<dyn Carrier>),
}

impl Transport {
    /// As the configuration says; reads the password's file.
    ///
    /// # Errors
    ///
    /// When no message could be sent with these settings; see [`TransportError`].
    pub fn of(config: &Config) -> Result<Self, TransportError> {
        for given in std::iter::once(&config.mail.from).chain(&config.mail.return_path) {
            address(given).map_err(|_| TransportError::From(given.clone()))?;
        }
        match &config.mail.transport {
            TransportConfig::File { folder } => Ok(Self::File(FileTransport::new(config.path(folder)))),
            TransportConfig::Smtp { host, port, security, user, password_file } => {
                let sign_in = match (user, password_file) {
                    (Some(user), Some(file)) => {
                        let path = config.path(file);
                        let password = fs::read_to_string(&path)
                            .map_err(|cause| TransportError::Password { path, cause })?;
                        Some((user.clone(), password.trim_end_matches(['\r', '\n']).to_owned()))
                    }
                    (None, None) => None,
                    _ => return Err(TransportError::HalfSignIn),
                };
                let tls = match security {
                    Security::StartTls => Tls::StartTls,
                    Security::Tls => Tls::FromTheStart,
                    Security::None => Tls::NoneOnLoopback,
                };
                SmtpTransport::new(host, *port, tls, sign_in).map(Self::Smtp)
            }
        }
    }

    /// Tries to send one message. Never panics and never waits for ever.
    pub async fn send(&self, letter: Letter<'_>) -> Outcome {
        match self {
            Self::File(files) => files.send(letter).await,
            Self::Smtp(server) => server.send(letter).await,
            Self::Other(carrier) => carrier.carry(letter).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mail: &str) -> Result<Transport, TransportError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tension-watch.toml");
        fs::write(folder.path().join("password"), "open sesame\n").unwrap();
        fs::write(&file, format!("[store]\naddress = \"sqlite:watch.db\"\n[mail]\n{mail}\n")).unwrap();
        Transport::of(&Config::read(&file).unwrap())
    }

    fn smtp(rest: &str) -> Result<Transport, TransportError> {
        of(&format!(
            "from = \"watch@county.invalid\"\ntransport = {{ kind = \"smtp\", host = \"mail.county.invalid\", {rest} }}"
        ))
    }

    #[test]
    fn settings_that_no_message_can_be_sent_with_are_named_at_once() {
        let said = |made: Result<Transport, TransportError>| {
            made.err().map(|wrong| wrong.to_string()).unwrap_or_default()
        };
        assert!(matches!(
            smtp("port = 587, user = \"watch\", password_file = \"password\""),
            Ok(Transport::Smtp(_))
        ));
        assert!(said(smtp("port = 25, security = \"none\"")).contains("use starttls or tls"));
        assert!(said(smtp("port = 587, user = \"watch\"")).contains("give both or neither"));
        assert!(
            said(smtp("port = 587, user = \"w\", password_file = \"gone\"")).contains("gone can't be read")
        );
        let file = "transport = { kind = \"file\", folder = \"mail\" }";
        assert!(matches!(of(&format!("from = \"watch@county.invalid\"\n{file}")), Ok(Transport::File(_))));
        assert!(said(of(&format!("from = \"nobody\"\n{file}"))).contains("`nobody` is not an address"));
    }
}
