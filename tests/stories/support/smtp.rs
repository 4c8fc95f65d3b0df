//! A mail server that misbehaves as it is told, and keeps every message that it took.

use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As it should, without STARTTLS.
    Good,
    /// Greets with this line.
    Greeting(&'static str),
    /// Never greets.
    GreetingSilent,
    /// Greets with one character every tenth of a second, and does not come to an end.
    GreetingSlow,
    /// Greets with lines that never end.
    GreetingEndless,
    /// Answers this command, or with `END` the finished message, by this line.
    Refuses(&'static str, &'static str),
    /// Takes the message and never says so.
    EndSilent,
    /// Takes the message and says so when nobody listens any more.
    EndSlow,
    /// Takes the message and takes its time to say so.
    EndLate,
    /// Breaks off in the middle of the message.
    DropsInside,
    /// Breaks off when the message is there, before taking it.
    DropsBeforeTaking,
    /// Takes the message and breaks off without an answer.
    DropsAfterTaking,
    /// Takes the message, answers, and never says goodbye.
    GoodbyeSilent,
    /// Offers STARTTLS with a certificate that nobody trusts.
    BadCertificate,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its Message-ID header.
    pub id: String,
    /// The sender of the envelope.
    pub from: String,
    /// The recipient of the envelope.
    pub to: String,
    /// All of it, as it was sent.
    pub text: String,
}

/// The server; it ends with this value.
pub struct MailServer {
    /// Where it listens, on this machine.
    pub port: u16,
    inside: Arc<Inside>,
}

struct Inside {
    mode: Mutex<Mode>,
    taken: Mutex<Vec<Taken>>,
    connections: Mutex<usize>,
    over: AtomicBool,
}

impl MailServer {
    /// Starts it on a free port.
    pub fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let inside = Arc::new(Inside {
            mode: Mutex::new(mode),
            taken: Mutex::default(),
            connections: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.over.load(Ordering::SeqCst) {
                    return;
                }
                *locked(&shared.connections) += 1;
                let shared = Arc::clone(&shared);
                // A client that hangs up is no fault of the server's.
                thread::spawn(move || drop(converse(stream, &shared)));
            }
        });
        Self { port, inside }
    }

    /// Behaves like this from the next conversation on.
    pub fn set(&self, mode: Mode) {
        *locked(&self.inside.mode) = mode;
    }

    /// Every message taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        locked(&self.inside.taken).clone()
    }

    /// How often somebody has connected.
    pub fn connections(&self) -> usize {
        *locked(&self.inside.connections)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.inside.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn converse(stream: TcpStream, inside: &Inside) -> io::Result<()> {
    let mode = *locked(&inside.mode);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let mut stream = BufReader::new(stream);
    match mode {
        Mode::GreetingSilent => return silence(&mut stream),
        Mode::GreetingSlow => loop {
            stream.get_mut().write_all(b"2")?;
            thread::sleep(Duration::from_millis(100));
        },
        Mode::GreetingEndless => loop {
            stream.get_mut().write_all(b"220-and another thing\r\n")?;
        },
        Mode::Greeting(line) => say(&mut stream, line)?,
        _ => say(&mut stream, "220 ready")?,
    }
    if talk(&mut stream, mode, inside)? {
        let mut secret = BufReader::new(StreamOwned::new(untrusted(), stream.into_inner()));
        talk(&mut secret, mode, inside)?;
    }
    Ok(())
}

/// True when the client wants to go on in secret.
fn talk<S: Read + Write>(stream: &mut BufReader<S>, mode: Mode, inside: &Inside) -> io::Result<bool> {
    let (mut from, mut to) = (String::new(), String::new());
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let verb = line.get(..4).unwrap_or_default().to_uppercase();
        let refused = match mode {
            Mode::Refuses(refused, answer) if refused == verb => Some(answer),
            _ => None,
        };
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match (refused, verb.as_str()) {
            (Some(answer), _) => answer,
            (None, "EHLO") if mode == Mode::BadCertificate => "250-test\r\n250 STARTTLS",
            (None, "EHLO") => "250-test\r\n250 AUTH PLAIN LOGIN",
            (None, "STAR") if mode == Mode::BadCertificate => {
                say(stream, "220 go on in secret")?;
                return Ok(true);
            }
            (None, "STAR") => "502 not here",
            (None, "AUTH") => "235 welcome",
            (None, "MAIL") => {
                from = address();
                "250 ok"
            }
            (None, "RCPT") => {
                to = address();
                "250 ok"
            }
            (None, "DATA") => {
                say(stream, "354 go on")?;
                match message(stream, mode, inside, &from, &to)? {
                    Some(answer) => answer,
                    None => return Ok(false),
                }
            }
            (None, "QUIT") if mode == Mode::GoodbyeSilent => {
                silence(stream)?;
                return Ok(false);
            }
            (None, "QUIT") => "221 bye",
            (None, _) => "250 ok",
        };
        say(stream, answer)?;
    }
}

/// Reads a message and does with it what the mode says; the answer, if there is one.
fn message<S: Read + Write>(
    stream: &mut BufReader<S>,
    mode: Mode,
    inside: &Inside,
    from: &str,
    to: &str,
) -> io::Result<Option<&'static str>> {
    let mut text = String::new();
    while !text.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut text)? == 0 || mode == Mode::DropsInside {
            return Ok(None);
        }
    }
    match mode {
        Mode::DropsBeforeTaking => return Ok(None),
        Mode::Refuses("END", answer) => return Ok(Some(answer)),
        _ => {}
    }
    let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().to_owned();
    locked(&inside.taken).push(Taken { id, from: from.to_owned(), to: to.to_owned(), text });
    match mode {
        Mode::DropsAfterTaking => return Ok(None),
        Mode::EndSilent => {
            silence(stream)?;
            return Ok(None);
        }
        Mode::EndLate => thread::sleep(Duration::from_millis(60)),
        Mode::EndSlow => thread::sleep(Duration::from_secs(3)),
        _ => {}
    }
    Ok(Some("250 taken"))
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, line: &str) -> io::Result<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
    stream.get_mut().flush()
}

/// Until the client hangs up.
fn silence<S: Read>(stream: &mut BufReader<S>) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

/// With a certificate that it has signed itself.
fn untrusted() -> ServerConnection {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    ServerConnection::new(Arc::new(config)).unwrap()
}
