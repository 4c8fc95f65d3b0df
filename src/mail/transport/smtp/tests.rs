//! Real conversations with a small server of our own, which can be told to misbehave.

use super::*;
use crate::mail::Envelope as MailEnvelope;
use std::sync::Mutex;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server says instead of what is right.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    greeting: Option<&'static str>,
    recipient: Option<&'static str>,
    end: Option<&'static str>,
    sign_in: Option<&'static str>,
    /// Says nothing any more from here on.
    silent_at: Option<Moment>,
    /// Closes after the final dot without an answer.
    drops_at_the_end: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    Greeting,
    End,
    Goodbye,
}

type Received = Arc<Mutex<Vec<String>>>;

async fn server(faults: Faults) -> (u16, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, received) = (listener.local_addr().unwrap().port(), Received::default());
    let mailbox = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = talk(stream, faults, &mailbox).await;
        }
    });
    (port, received)
}

async fn talk(stream: TcpStream, faults: Faults, received: &Received) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let quiet = async |moment| {
        if faults.silent_at == Some(moment) {
            std::future::pending::<()>().await;
        }
    };
    quiet(Moment::Greeting).await;
    say(&mut stream, faults.greeting.unwrap_or("220 ready")).await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match line.get(..4).unwrap_or_default() {
            "EHLO" => "250-test\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => faults.sign_in.unwrap_or("235 welcome"),
            "RCPT" => faults.recipient.unwrap_or("250 ok"),
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") && stream.read_line(&mut message).await? > 0 {}
                received.lock().unwrap().push(message);
                if faults.drops_at_the_end {
                    return Ok(());
                }
                quiet(Moment::End).await;
                faults.end.unwrap_or("250 taken")
            }
            "QUIT" => {
                quiet(Moment::Goodbye).await;
                "221 bye"
            }
            _ => "250 ok",
        };
        say(&mut stream, answer).await?;
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await
}

const MESSAGE: &[u8] = b"Message-ID: <1@b.invalid>\r\nSubject: x\r\n\r\n.a line with a dot\r\n";

async fn sent(transport: &SmtpTransport) -> Outcome {
    let envelope = MailEnvelope { from: "watch@county.invalid", to: "csp@leicester.invalid" };
    transport.send(Letter { envelope, id: "<1@b.invalid>", message: MESSAGE }).await
}

fn to(port: u16) -> SmtpTransport {
    let transport = SmtpTransport::new("127.0.0.1", port, Tls::NoneOnLoopback, None).unwrap();
    transport.at_most(Duration::from_millis(1_500))
}

#[tokio::test]
async fn a_message_arrives_as_it_was_stored() {
    let (port, received) = server(Faults::default()).await;
    assert_eq!(sent(&to(port)).await, Outcome::Sent);
    let message = received.lock().unwrap().remove(0);
    assert_eq!(message.replace("\r\n..", "\r\n.").as_bytes(), [MESSAGE, b".\r\n"].concat());
}

#[tokio::test]
async fn each_answer_of_the_server_leads_to_what_it_means() {
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Sent => "sent",
        Outcome::Retry(_) => "retry",
        Outcome::GiveUp(_) => "give up",
        Outcome::Configuration(_) => "configuration",
    };
    let good = Faults::default();
    for (faults, expected) in [
        (Faults { greeting: Some("421 busy"), ..good }, "retry"),
        (Faults { greeting: Some("554 no service for you"), ..good }, "configuration"),
        (Faults { recipient: Some("450 greylisted"), ..good }, "retry"),
        (Faults { recipient: Some("550 no such mailbox"), ..good }, "give up"),
        (Faults { recipient: Some("553 bad mailbox name"), ..good }, "give up"),
        (Faults { recipient: Some("530 must issue STARTTLS"), ..good }, "configuration"),
        (Faults { end: Some("451 later"), ..good }, "retry"),
        (Faults { end: Some("552 mailbox full"), ..good }, "give up"),
        (Faults { end: Some("554 refused"), ..good }, "configuration"),
        (Faults { silent_at: Some(Moment::Goodbye), ..good }, "sent"),
    ] {
        let (port, _) = server(faults).await;
        let outcome = sent(&to(port).at_most(Duration::from_secs(10))).await;
        assert_eq!(kind(&outcome), expected, "{faults:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_silent_server_is_left_in_time_and_only_an_unanswered_message_may_have_arrived() {
    for (faults, perhaps) in [
        (Faults { silent_at: Some(Moment::Greeting), ..Faults::default() }, false),
        (Faults { silent_at: Some(Moment::End), ..Faults::default() }, true),
    ] {
        let (port, _) = server(faults).await;
        let began = std::time::Instant::now();
        let outcome = sent(&to(port)).await;
        let Outcome::Retry(why) = &outcome else { panic!("{outcome:?}") };
        assert_eq!(why.contains("may have arrived"), perhaps, "{why}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_lost_answer_after_the_message_is_told_as_perhaps_arrived() {
    let (port, received) = server(Faults { drops_at_the_end: true, ..Faults::default() }).await;
    let outcome = sent(&to(port)).await;
    assert!(matches!(&outcome, Outcome::Retry(why) if why.contains("may have arrived")), "{outcome:?}");
    assert_eq!(received.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_listening_is_tried_again_and_a_refused_password_is_ours_to_mend() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert!(matches!(sent(&to(unused)).await, Outcome::Retry(_)));

    let (port, received) = server(Faults { sign_in: Some("535 wrong"), ..Faults::default() }).await;
    let sign_in = Some(("watch".to_owned(), "open sesame".to_owned()));
    let transport = SmtpTransport::new("localhost", port, Tls::NoneOnLoopback, sign_in).unwrap();
    let outcome = sent(&transport).await;
    assert!(matches!(&outcome, Outcome::Configuration(why) if !why.contains("sesame")), "{outcome:?}");
    assert!(!format!("{transport:?}").contains("sesame"));
    assert_eq!(received.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_password_nor_message() {
    let (port, received) = server(Faults::default()).await;
    let sign_in = Some(("watch".to_owned(), "open sesame".to_owned()));
    let transport = SmtpTransport::new("localhost", port, Tls::StartTls, sign_in).unwrap();
    assert!(matches!(sent(&transport).await, Outcome::Configuration(_)));
    let transport = SmtpTransport::new("localhost", port, Tls::FromTheStart, None).unwrap();
    assert!(matches!(sent(&transport).await, Outcome::Configuration(_)));
    assert_eq!(received.lock().unwrap().len(), 0);
}

#[test]
fn plain_text_stays_on_this_machine() {
    for host in ["mail.county.invalid", "192.0.2.1", "127.0.0.1.county.invalid"] {
        let refused = SmtpTransport::new(host, 25, Tls::NoneOnLoopback, None).unwrap_err();
        assert!(refused.to_string().contains("use starttls or tls"), "{refused}");
    }
    assert!(SmtpTransport::new("::1", 25, Tls::NoneOnLoopback, None).is_ok());
}

#[tokio::test]
async fn a_message_that_makes_the_program_stumble_is_an_error_and_an_address_that_would_is_refused() {
    let outcome = guarded(Duration::from_secs(5), async { panic!("a poisoned message") }).await;
    assert!(matches!(&outcome, Outcome::GiveUp(why) if !why.contains("poisoned")), "{outcome:?}");
    let envelope = MailEnvelope { from: "watch@county.invalid", to: "a@b.invalid\r\nRCPT TO:<x@y>" };
    let outcome = to(1).send(Letter { envelope, id: "<1@b>", message: MESSAGE }).await;
    assert!(matches!(outcome, Outcome::GiveUp(_)));
}
