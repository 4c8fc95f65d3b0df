//! A signed message through the program to a real mail server: aiosmtpd, with STARTTLS and a password; dkimpy judges the
//! signature. And the commands that an operator has for the outbox.

use crate::delivery::{message, put};
use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};
use tension_watch::{
    clock::{Clock, SystemClock},
    mail::{Composed, Envelope, Signer, Thread, message_bytes},
    store::{OutboxMessage, Store},
};
use uuid::Uuid;

const KEY: &str = include_str!("../../src/mail/dkim/only-for-tests.pem");

/// Python with the server and the judge; None where there is no Python.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mail-server");
    let python = folder.join("bin/python");
    let works = |program: &Path| {
        let found = Command::new(program).args(["-c", "import aiosmtpd, dkim"]).output();
        found.is_ok_and(|output| output.status.success())
    };
    if !works(&python) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
        let made = made.is_ok_and(|output| output.status.success());
        let pip = ["-m", "pip", "install", "--quiet", "aiosmtpd==1.4.6", "dkimpy==1.1.8"];
        if made {
            let _ = Command::new(&python).args(pip).output();
        }
    }
    works(&python).then_some(python)
}

struct RealServer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl RealServer {
    fn start(python: &Path, folder: &Path, record: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = folder.join("server.py");
        fs::write(&script, include_str!("support/mail_server.py")).unwrap();
        let mut child = Command::new(python)
            .arg(script)
            .arg(port.to_string())
            .args([folder.join("server.pem"), folder.join("server.key")])
            .arg(record)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        Self { child, lines, port }
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority of our own and a certificate for localhost.
fn certificates(folder: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    fs::write(folder.join("authority.pem"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    fs::write(folder.join("server.pem"), leaf.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

fn tension_watch(site: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tension-watch"))
        .current_dir(site)
        .env("SSL_CERT_FILE", site.join("authority.pem"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn configure(site: &Path, mail: &str) {
    let file = site.join("tension-watch.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.split("[mail]").next().unwrap().to_owned();
    fs::write(&file, format!("{text}[mail]\nfrom = \"watch@county.invalid\"\n{mail}")).unwrap();
}

fn signed(signer: &Signer) -> OutboxMessage {
    let now = SystemClock.now();
    let composed = Composed {
        subject: "Tension signal: more than usual".into(),
        topic: "Tension signal LLR-2026-0147".into(),
        text: "9 reports \u{2013} more than usual\n\nOfficial\n".into(),
        html: "<p>9 reports</p>".into(),
        pictures: Vec::new(),
        attached: None,
        unsubscribe: None,
    };
    let envelope = Envelope { from: "watch@county.invalid", to: "csp1@mill.invalid" };
    let id = "<1@county.invalid>";
    let follows = ["<0@county.invalid>".to_owned()];
    let thread = Thread { id, follows: &follows, index: None };
    let bytes = message_bytes(&composed, envelope, thread, now, Some(signer)).unwrap();
    OutboxMessage { message: String::from_utf8(bytes).unwrap(), ..message(1, now) }
}

#[tokio::test]
async fn a_real_server_takes_a_signed_message_over_starttls() {
    let Some(python) = python() else {
        let needed = std::env::var_os("TENSION_WATCH_NEEDS_NPM").is_some();
        assert!(
            !needed,
            "Python with aiosmtpd and dkimpy could not be set up; scripts/test installs python3-venv"
        );
        eprintln!("SKIPPED: no Python with aiosmtpd and dkimpy: nothing was sent to a real server");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    assert!(tension_watch(site, &["init"]).status.success());
    certificates(site);
    let signer = Signer::new("county.invalid", "watch", KEY).unwrap();
    let mut server = RealServer::start(&python, site, &signer.record());
    fs::write(site.join("dkim.pem"), KEY).unwrap();
    fs::write(site.join("right"), "open sesame\n").unwrap();
    fs::write(site.join("wrong"), "open barley\n").unwrap();
    let mail = |password: &str| {
        format!(
            "return_path = \"bounces@county.invalid\"\n\
             transport = {{ kind = \"smtp\", host = \"localhost\", port = {}, user = \"watch\", password_file = \"{password}\" }}\n\
             dkim = {{ domain = \"county.invalid\", selector = \"watch\", key_file = \"dkim.pem\" }}\n",
            server.port
        )
    };
    configure(site, &mail("wrong"));
    let record = said(&tension_watch(site, &["outbox", "dkim"]));
    assert_eq!(record, format!("watch._domainkey.county.invalid\n{}\n", signer.record()));
    let store = Store::open(&format!("sqlite:{}", site.join("tension-watch.db").display())).await.unwrap();
    put(&store, &[signed(&signer)]).await;

    let refused = tension_watch(site, &["outbox", "send"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(!said(&refused).contains("barley"));
    let listed = said(&tension_watch(site, &["outbox", "list"]));
    assert!(listed.contains("535") && listed.contains("1 waiting"), "{listed}");

    configure(site, &mail("right"));
    std::thread::sleep(std::time::Duration::from_secs(7));
    let sent = tension_watch(site, &["outbox", "send"]);
    assert!(sent.status.success(), "{}", said(&sent));
    let taken: serde_json::Value = serde_json::from_str(&server.lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(taken["from"], "bounces@county.invalid");
    assert_eq!(taken["to"], serde_json::json!(["csp1@mill.invalid"]));
    assert_eq!(taken["encrypted"], true);
    assert_eq!(taken["signed"], true, "{}", taken["text"]);
    assert_eq!(taken["changed"], false);
}

#[tokio::test]
async fn an_operator_sees_what_failed_and_lets_it_go() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    assert!(tension_watch(site, &["init"]).status.success());
    let store = Store::open(&format!("sqlite:{}", site.join("tension-watch.db").display())).await.unwrap();
    let now = SystemClock.now();
    let nowhere = OutboxMessage { mailbox: "nobody".into(), ..message(1, now) };
    let held = OutboxMessage { held: true, ..message(2, now) };
    put(&store, &[nowhere, held]).await;
    fs::write(site.join("authority.pem"), "").unwrap();
    configure(site, "transport = { kind = \"smtp\", host = \"127.0.0.1\", port = 1, security = \"none\" }\n");
    let sent = tension_watch(site, &["outbox", "send"]);
    assert_eq!(sent.status.code(), Some(1));
    assert!(said(&sent).contains("1 given up") && said(&sent).contains("--state failed"), "{}", said(&sent));
    let one = Uuid::from_u128(1).to_string();
    let listed = said(&tension_watch(site, &["outbox", "list", "--state", "failed"]));
    assert!(listed.contains(&one) && listed.contains("`nobody` is not an address"), "{listed}");
    assert!(listed.contains("1 failed, 1 held") && !listed.contains("Subject"), "{listed}");
    let shown = said(&tension_watch(site, &["outbox", "show", &one]));
    assert!(shown.contains(&format!("tension-watch outbox retry {one}")), "{shown}");
    let text = tension_watch(site, &["outbox", "show", &one, "--message"]);
    assert_eq!(text.stdout, message(1, now).message.as_bytes());
    let json = tension_watch(site, &["outbox", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(2));

    for (wrong, remedy) in [
        (&["outbox", "list", "--state", "lost"][..], "waiting, sending, sent, failed, held"),
        (&["outbox", "show", "00000000-0000-0000-0000-000000000009"], "outbox list"),
        (&["outbox", "retry"], "--help"),
        (&["outbox", "dkim"], "[mail.dkim]"),
    ] {
        let output = tension_watch(site, wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", said(&output));
        assert!(said(&output).contains(remedy), "{wrong:?}: {}", said(&output));
    }

    configure(site, "transport = { kind = \"file\", folder = \"mail\" }\n");
    let retried = said(&tension_watch(site, &["outbox", "retry", &one]));
    assert!(retried.starts_with("1 messages wait"), "{retried}");
    let again = tension_watch(site, &["outbox", "retry", &one]);
    assert!(again.status.code() == Some(2) && said(&again).contains("is waiting"), "{}", said(&again));
    assert!(said(&tension_watch(site, &["outbox", "retry", "--all-held"])).starts_with("1 messages wait"));
    let sent = said(&tension_watch(site, &["outbox", "send"]));
    assert!(sent.starts_with("2 sent"), "{sent}");
    assert_eq!(fs::read(site.join("mail/2.eml")).unwrap(), message(2, now).message.as_bytes());
}
