//! What needs no server; conversations with one are told in `tests/stories/delivery.rs`.

use super::*;
use crate::mail::Envelope;

#[test]
fn plain_text_stays_on_this_machine() {
    for host in ["mail.county.invalid", "192.0.2.1", "127.0.0.1.county.invalid"] {
        let refused = SmtpTransport::new(host, 25, Tls::NoneOnLoopback, None).unwrap_err();
        assert!(refused.to_string().contains("use starttls or tls"), "{refused}");
    }
    assert!(SmtpTransport::new("::1", 25, Tls::NoneOnLoopback, None).is_ok());
}

#[tokio::test]
async fn what_would_make_the_program_stumble_is_an_error_or_refused() {
    let begun = AtomicBool::new(false);
    let outcome = guarded(Duration::from_secs(5), &begun, async { panic!("a poisoned message") }).await;
    assert!(matches!(&outcome, Outcome::GiveUp(why) if !why.contains("poisoned")), "{outcome:?}");
    let transport = SmtpTransport::new("127.0.0.1", 1, Tls::NoneOnLoopback, None).unwrap();
    let to = "a@b.invalid\r\nRCPT TO:<x@y>";
    let letter = |from, to, message| Letter { envelope: Envelope { from, to }, id: "<1@b>", message };
    let good = "watch@county.invalid";
    assert!(matches!(transport.send(letter(good, to, b"x")).await, Outcome::GiveUp(_)));
    assert!(matches!(transport.send(letter(good, good, "ü".as_bytes())).await, Outcome::GiveUp(_)));
    // Our own address is ours to mend: the message is kept.
    assert!(matches!(transport.send(letter(to, good, b"x")).await, Outcome::Configuration(_)));
}

#[tokio::test]
async fn a_time_out_tells_whether_the_message_was_begun() {
    for (begun, unknown) in [(false, false), (true, true)] {
        let begun = AtomicBool::new(begun);
        let outcome = guarded(Duration::from_millis(20), &begun, std::future::pending()).await;
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), unknown, "{outcome:?}");
    }
}
