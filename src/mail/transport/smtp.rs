//! A conversation with a mail server: encrypted, never endless, and its end told apart.

use super::{Letter, Outcome, TransportError};
use crate::{failpoint, mail::message::address};
use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use std::{
    fmt, io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How the conversation is kept private. There is no "if the server offers it".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS, required before anything is said.
    StartTls,
    /// TLS from the first byte.
    FromTheStart,
    /// None, which is allowed to this very machine only.
    NoneOnLoopback,
}

/// A whole conversation takes at most this long.
const LONGEST: Duration = Duration::from_mins(1);
/// Saying goodbye after the message is through takes at most this long.
const GOODBYE: Duration = Duration::from_secs(2);

/// Sends each message in a conversation of its own.
#[derive(Clone)]
pub struct SmtpTransport {
    server: Arc<Server>,
    longest: Duration,
}

struct Server {
    host: String,
    port: u16,
    tls: Tls,
    parameters: Option<TlsParameters>,
    sign_in: Option<Credentials>,
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { host, port, tls, .. } = &*self.server;
        f.debug_struct("SmtpTransport")
            .field("host", host)
            .field("port", port)
            .field("tls", tls)
            .finish_non_exhaustive()
    }
}

impl SmtpTransport {
    /// To this server; `sign_in` is user and password.
    ///
    /// # Errors
    ///
    /// When the host's name is none, the machine's certificates can't be read, or plain text would leave this machine.
    pub fn new(
        host: &str,
        port: u16,
        tls: Tls,
        sign_in: Option<(String, String)>,
    ) -> Result<Self, TransportError> {
        let parameters = match tls {
            Tls::NoneOnLoopback if !is_this_machine(host) => {
                return Err(TransportError::InTheClear(host.to_owned()));
            }
            Tls::NoneOnLoopback => None,
            _ => Some(
                TlsParameters::new(host.to_owned()).map_err(|cause| TransportError::Tls(reason(&cause)))?,
            ),
        };
        let sign_in = sign_in.map(|(user, password)| Credentials::new(user, password));
        let server = Server { host: host.to_owned(), port, tls, parameters, sign_in };
        Ok(Self { server: Arc::new(server), longest: LONGEST })
    }

    /// The same, giving up a conversation after so long.
    #[must_use]
    pub fn at_most(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Tries to send one message, in a task of its own.
    pub(super) async fn send(&self, letter: Letter<'_>) -> Outcome {
        let (from, to) = match (address(letter.envelope.from), address(letter.envelope.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(wrong), _) => return Outcome::Configuration(wrong.to_string()),
            (_, Err(wrong)) => return Outcome::GiveUp(wrong.to_string()),
        };
        if !letter.message.is_ascii() {
            return Outcome::GiveUp("the message is not ASCII; it was not sent".into());
        }
        // The end of the last line is sent with the dot that ends the message.
        let message = letter.message.strip_suffix(b"\r\n").unwrap_or(letter.message).to_vec();
        let server = Arc::clone(&self.server);
        let patience = self.longest / 2;
        let begun = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&begun);
        guarded(
            self.longest,
            &begun,
            async move { server.converse(from, to, &message, patience, &watched).await },
        )
        .await
    }
}

/// Runs a conversation in a task of its own: a panic ends that task, and a server that says nothing is left behind.
/// `begun` tells whether any of the message was sent by then.
async fn guarded(
    longest: Duration,
    begun: &AtomicBool,
    conversation: impl Future<Output = Outcome> + Send + 'static,
) -> Outcome {
    let mut task = tokio::spawn(conversation);
    match tokio::time::timeout(longest, &mut task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => {
            Outcome::GiveUp("sending this message made the program stumble; it was not sent".into())
        }
        Err(_) => {
            task.abort();
            let why = format!("no answer from the mail server in {} s", longest.as_secs_f32());
            unanswered(begun.load(Ordering::SeqCst), why)
        }
    }
}

/// No answer: what that means depends on whether any of the message was sent.
fn unanswered(begun: bool, why: String) -> Outcome {
    if begun { Outcome::Unknown(format!("{why}; it may have arrived")) } else { Outcome::Down(why) }
}

impl Server {
    async fn converse(
        &self,
        from: Address,
        to: Address,
        message: &[u8],
        patience: Duration,
        begun: &AtomicBool,
    ) -> Outcome {
        let mut connection = match tokio::time::timeout(patience, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(wrong)) => return before_the_message(&wrong),
            Err(_) => {
                let seconds = patience.as_secs_f32();
                return Outcome::Down(format!("the mail server did not let us in within {seconds} s"));
            }
        };
        let outcome = hand_over(&mut connection, from, to, message, begun).await;
        // The message's fate is known: a server that does not say goodbye must not make it unknown by running out of time.
        tokio::spawn(async move { tokio::time::timeout(GOODBYE, connection.abort()).await });
        outcome
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        failpoint::reached("before-connecting");
        let hello = ClientId::default();
        let server = (self.host.as_str(), self.port);
        let from_the_start = match self.tls {
            Tls::FromTheStart => self.parameters.clone(),
            Tls::StartTls | Tls::NoneOnLoopback => None,
        };
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &hello, from_the_start, None).await?;
        if let (Tls::StartTls, Some(parameters)) = (self.tls, self.parameters.clone()) {
            connection.starttls(parameters, &hello).await?;
        }
        if let Some(sign_in) = &self.sign_in {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], sign_in).await?;
        }
        Ok(connection)
    }
}

/// One command after the other, because the same refusal means something else at each. Only from the message itself on
/// can nobody tell what became of it.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    from: Address,
    to: Address,
    message: &[u8],
    begun: &AtomicBool,
) -> Outcome {
    if let Err(wrong) = connection.command(Mail::new(Some(from), Vec::new())).await {
        return before_the_message(&wrong);
    }
    if let Err(wrong) = connection.command(Rcpt::new(to, Vec::new())).await {
        return of_the_message(&wrong, false);
    }
    if let Err(wrong) = connection.command(Data).await {
        return of_the_message(&wrong, false);
    }
    begun.store(true, Ordering::SeqCst);
    match connection.message(message).await {
        Ok(_) => Outcome::Sent,
        Err(wrong) => of_the_message(&wrong, true),
    }
}

/// Nothing of the message or its recipient has been said yet: whatever was refused, it was us.
fn before_the_message(wrong: &Error) -> Outcome {
    if wrong.is_permanent() || wrong.is_client() || wrong.is_tls() || is_unreadable(wrong) {
        Outcome::Configuration(reason(wrong))
    } else {
        Outcome::Down(reason(wrong))
    }
}

/// A certificate that is not trusted, or TLS with a server that does not speak it, reaches us as data that makes no sense.
fn is_unreadable(wrong: &Error) -> bool {
    let mut cause = std::error::Error::source(wrong);
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Only the codes that speak of a mailbox or a message are about this message; 530, 534, 535, 538 and 554 speak of us,
/// and 421 of the server.
fn of_the_message(wrong: &Error, begun: bool) -> Outcome {
    match wrong.status().map(|code| code.to_string()).as_deref() {
        Some("550" | "551" | "552" | "553" | "556") => Outcome::GiveUp(reason(wrong)),
        Some("421") => Outcome::Down(reason(wrong)),
        Some(code) if code.starts_with('5') => Outcome::Configuration(reason(wrong)),
        Some(_) => Outcome::Retry(reason(wrong)),
        None => unanswered(begun, reason(wrong)),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What went wrong, down to its cause, in one line that is not too long to read.
fn reason(wrong: &Error) -> String {
    crate::mail::told::clean_long(&wrong.to_string())
}

#[cfg(test)]
mod tests;
