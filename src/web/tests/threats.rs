//! Each threat by name: what somebody hostile would send, and what they get. `docs/SECURITY.md` lists them.

use super::{
    super::{client::Peer, serve::serve_router},
    *,
};
use std::{
    io::Write,
    sync::{Mutex, OnceLock},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::test]
async fn path_traversal_finds_no_file() {
    let pages = Pages::new().await;
    for path in [
        "/static/../Cargo.toml",
        "/static/..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/%2e%2e%2fsite.css",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/....//site.css",
        "/static/..%5c..%5csite.css",
        "/static/site.css/",
        "/static/site.css%00.png",
        "/static/./site.css",
        "/static/SITE.CSS",
        "/static/",
    ] {
        let (answer, text) = pages.get(path, "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(!text.contains("root:") && !text.contains("[package]"), "{path}");
    }
    assert_eq!(pages.get("/static/site.css", "").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn open_redirect_leads_nowhere_but_here() {
    let pages = Pages::new().await;
    let (answer, _) = pages.get("/alerts/LLR-2026-0001/mail/text?a=1&b=2", "").await;
    let first = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(first, "/sign-in?next=/alerts/LLR-2026-0001/mail/text?a=1%26b=2");
    let (_, form) = pages.get(&first, "").await;
    assert!(
        form.contains(
            "name=\"next\" value=\"&#x2f;alerts&#x2f;LLR-2026-0001&#x2f;mail&#x2f;text?a=1&amp;b=2\""
        ),
        "{form}"
    );
    let own = "name=leicester&password=a+long+password&next=";
    let (answer, _) = pages.post("/sign-in", "", OWN, &format!("{own}/alerts/LLR-2026-0001")).await;
    assert_eq!(answer.headers()["location"], "/alerts/LLR-2026-0001");
    for evil in [
        "//evil.example",
        "%2f%2fevil.example",
        "\\\\evil.example",
        "%5c%5cevil.example",
        "/%5cevil.example",
        "/%252f%252fevil.example",
        "javascript:alert(1)",
        "https://evil.example",
        "/%0d%0alocation:%20https://evil.example",
        "/%09/evil.example",
        "/%00",
        "%20//evil.example",
    ] {
        let (answer, _) = pages.post("/sign-in", "", OWN, &format!("{own}{evil}")).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{evil}");
        assert_eq!(answer.headers()["location"], "/", "{evil}");
        let (_, form) = pages.get(&format!("/sign-in?next={}", evil.replace(' ', "+")), "").await;
        assert!(!form.contains("evil.example") && !form.contains("javascript"), "{evil}");
    }
}

/// What is typed into fields by those who hope that it becomes SQL, as it stands in an address.
const HOSTILE: [&str; 52] = [
    "'",
    "''",
    "\"",
    "`",
    "%60",
    ";",
    "--",
    "/*",
    "*/",
    "%23",
    "\\",
    "\\'",
    "%27",
    "%2527",
    "%00",
    "%0a",
    "%25",
    "_",
    "%25%25",
    "NULL",
    "null",
    "0",
    "-1",
    "1e309",
    "1/0",
    "()",
    "(SELECT+1)",
    "'+OR+'1'='1",
    "'+OR+1=1--",
    "\"+OR+\"\"=\"",
    "1;DROP+TABLE+alert",
    "'+UNION+SELECT+name,password_hash+FROM+account--",
    "'||'",
    "'||(SELECT+1)||'",
    "$1",
    "$$",
    "?1",
    ":name",
    "@p",
    "x'41'",
    "E'\\x27'",
    "CAST(1+AS+TEXT)",
    "race'--",
    "race';--",
    "race%27+AND+1=1--",
    "race'+AND+SLEEP(5)--",
    "pg_sleep(5)",
    "';SELECT+pg_sleep(5)--",
    "randomblob(1000000000)",
    "%EF%BC%87",
    "%E2%80%98",
    "LLR-2026-0001'",
];

fn address_of(text: &str) -> String {
    text.replace('"', "%22").replace('`', "%60").replace('\\', "%5c")
}

#[tokio::test]
async fn sql_in_a_filter_is_a_text_like_any_other() {
    let pages = Pages::new().await;
    let analyst = pages.sign_in("the-analyst").await;
    let auditor = pages.sign_in("the-auditor").await;
    // A zero in an address is refused before anything looks at it.
    let literal = |text: &str| if text == "%00" { "" } else { "unknown" };
    for (cookie, filter) in [
        (&analyst, "/?area="),
        (&analyst, "/?strand="),
        (&analyst, "/?period="),
        (&analyst, "/?night="),
        (&analyst, "/map/figures.json?strand="),
        (&analyst, "/hotspots.csv?night="),
        (&analyst, "/alerts/"),
        (&analyst, "/rules/"),
        (&analyst, "/rules/why-not?strand="),
        (&analyst, "/rules/why-not?night="),
        (&analyst, "/rules/why-not?ward="),
        (&auditor, "/audit?day="),
        (&auditor, "/audit?page="),
        (&auditor, "/audit?account="),
    ] {
        let path = filter.ends_with('/') && filter != "/";
        let (plain, mut wanted) = pages.get(&format!("{filter}unknown"), cookie).await;
        if filter.starts_with("/audit") {
            wanted = "Who saw and did what".into();
        }
        for text in HOSTILE.into_iter().filter(|text| !(path && text.contains('/'))) {
            if literal(text).is_empty() {
                let (answer, _) = pages.get(&format!("{filter}{text}"), cookie).await;
                assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{filter}{text}");
                continue;
            }
            let begun = Instant::now();
            let (answer, said) = pages.get(&format!("{filter}{}", address_of(text)), cookie).await;
            assert!(begun.elapsed() < Duration::from_secs(4), "{filter}{text}");
            assert_eq!(answer.status(), plain.status(), "{filter}{text}: {said}");
            if filter.ends_with("ward=") && text == "%0a" {
                assert!(!said.contains("No ward has that name"), "an empty line asks for nothing");
            } else if filter.ends_with("ward=") {
                assert!(said.contains("No ward has that name"), "{text}: {said}");
            } else if filter.starts_with("/audit") {
                assert!(said.contains(&wanted), "{filter}{text}");
                let filtered = filter.ends_with("account=") && text != "%0a";
                assert!(!filtered || said.contains("Nothing is recorded for this"), "{text}");
            } else {
                assert_eq!(said, wanted, "{filter}{text}");
            }
        }
    }
    let forms = ["rule", "category", "area", "until", "reason"];
    let token = pages.token("/silences", &analyst).await;
    for (field, text) in forms.iter().flat_map(|field| HOSTILE.map(|text| (field, text))) {
        let form = format!("token={token}&step=preview&{field}={}", address_of(text));
        let (answer, said) = pages.post("/silences", &analyst, OWN, &form).await;
        assert!(answer.status().as_u16() < 500, "{form}: {said}");
    }
    for text in HOSTILE {
        let form = format!("name={}&password=a+long+password", address_of(text));
        pages.clock.by(TimeDelta::minutes(16));
        let (answer, _) = pages.post("/sign-in", "", OWN, &form).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{form}");
    }
    assert_eq!(pages.store.alerts(10).await.unwrap().len(), 1, "everything is still there");
    assert_eq!(pages.store.silences().await.unwrap().len(), 0);
    assert_eq!(pages.store.accounts().await.unwrap().len(), 4 + Role::ALL.len());
}

async fn asked_by(pages: &Pages, hosts: &[&str], uri: &str) -> Answer<()> {
    let mut request = Request::get(uri);
    for host in hosts {
        request = request.header("host", *host);
    }
    pages.ask(request.body(Body::empty()).unwrap()).await.0
}

#[tokio::test]
async fn host_headers_of_others_are_refused() {
    let pages = Pages::at("https://watch.county.example").await;
    for (hosts, status) in [
        (&["watch.county.example"][..], StatusCode::OK),
        (&["WATCH.county.example:443"], StatusCode::OK),
        (&["127.0.0.1:8080"], StatusCode::OK),
        (&["evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (&["watch.county.example.evil.example"], StatusCode::MISDIRECTED_REQUEST),
        (&["watch.county.example", "evil.example"], StatusCode::BAD_REQUEST),
        (&[], StatusCode::BAD_REQUEST),
        (&[""], StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(asked_by(&pages, hosts, "/sign-in").await.status(), status, "{hosts:?}");
    }
    let told = asked_by(&pages, &["watch.county.example"], "http://evil.example/sign-in").await;
    assert_eq!(told.status(), StatusCode::MISDIRECTED_REQUEST, "the whole address counts before the header");
    let request = Request::get("/alerts")
        .header("host", "watch.county.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("forwarded", "host=evil.example")
        .body(Body::empty())
        .unwrap();
    let (answer, text) = pages.ask(request).await;
    assert_eq!(answer.headers()["location"], "/sign-in?next=/alerts");
    assert!(!text.contains("evil"));
}

#[tokio::test]
async fn strict_transport_is_asked_for_only_over_https() {
    let https = Pages::at("https://watch.county.example").await;
    let plain = Pages::new().await;
    for path in ["/sign-in", "/health", "/nothing", "/static/site.css"] {
        let answer = asked_by(&https, &["watch.county.example"], path).await;
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000", "{path}");
        let answer = asked_by(&plain, &["127.0.0.1:8080"], path).await;
        assert!(!answer.headers().contains_key("strict-transport-security"), "{path}");
    }
    let form = "name=leicester&password=a+long+password";
    let (answer, _) = https.post("/sign-in", "", OWN, form).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-tension-watch=") && cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn proxy_headers_count_only_from_a_trusted_proxy() {
    let pages = Pages::new().await;
    let attempt = async |pages: &Pages, from: &str, told: &str| {
        let request = Request::post("/sign-in")
            .header("host", "127.0.0.1:8080")
            .header("x-forwarded-for", told)
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(Peer(from.parse().unwrap()))
            .body(Body::from(format!("name=nobody-{told}&password=guess")))
            .unwrap();
        pages.ask(request).await;
    };
    for n in 0..40 {
        attempt(&pages, "10.0.0.1", &format!("198.51.100.{n}")).await;
    }
    assert_eq!(pages.site.compared.load(Ordering::Relaxed), 30, "no proxy is trusted: one client");
    let behind = Pages::behind_proxy("10.0.0.0/8").await;
    for n in 0..40 {
        attempt(&behind, "10.0.0.1", &format!("198.51.100.{n}")).await;
    }
    assert_eq!(behind.site.compared.load(Ordering::Relaxed), 40, "forty clients behind a trusted one");
    for n in 0..40 {
        attempt(&behind, "192.0.2.1", &format!("198.51.100.{}", n + 100)).await;
    }
    assert_eq!(behind.site.compared.load(Ordering::Relaxed), 70, "whoever is no proxy can't pretend to be");
}

#[tokio::test]
async fn expensive_map_queries_are_bounded() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("analyst").await;
    let asked = async |query: &str| {
        let (answer, text) = pages.get(&format!("/map/figures.json?{query}"), &cookie).await;
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        text
    };
    // Whatever is no choice of the page is its usual: one question, worked out once.
    let usual = asked("").await;
    for strange in [
        "area=postcode",
        "area=",
        "strand=none+such",
        "class=none+such",
        "period=999999999",
        "period=-1",
        "night=",
        "night=x",
        "night=0001-01-01",
        "night=9999-12-31",
        "bbox=-180,-90,180,90&resolution=15&limit=1000000000",
    ] {
        assert_eq!(asked(strange).await, usual, "{strange}");
    }
    assert_eq!(pages.site.figures.len(), 1);
    // Nights that no run judged are not worked out.
    for night in ["1900-01-01", "2026-06-28", "2199-12-31"] {
        let (answer, _) = pages.get(&format!("/map/figures.json?night={night}"), &cookie).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{night}");
    }
    // All that can be asked of one night, at once: so many answers are kept and no more.
    let pack = &pages.site.engine.county.pack;
    let strands = pack.categories.codes().iter().map(|code| format!("&strand={code}"));
    let strands: Vec<String> = std::iter::once(String::new()).chain(strands).collect();
    let classes = pack.classes.iter().map(|class| format!("&class={}", class.code));
    let classes: Vec<String> = std::iter::once(String::new()).chain(classes).collect();
    let mut queries = Vec::new();
    for (strand, class) in strands.iter().flat_map(|strand| classes.iter().map(move |class| (strand, class)))
    {
        for area in ["ward", "district", "csp", "whole"] {
            queries.extend(
                ["1", "7", "28", "56"].map(|days| format!("area={area}&period={days}{strand}{class}")),
            );
        }
    }
    assert!(queries.len() > 2 * KEPT);
    futures_util::future::join_all(queries.iter().map(|query| asked(query))).await;
    assert_eq!(pages.site.figures.len(), KEPT);
}

#[tokio::test]
async fn oversize_bodies_are_refused() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("leicester").await;
    for path in ["/sign-in", "/sign-out", "/silences", "/alerts/LLR-2026-0001/answer"] {
        let (answer, _) = pages.post(path, &cookie, OWN, &format!("token={}", "a".repeat(70_000))).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    // A body that does not say how long it is.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(serve_router(pages.router.clone(), listener, std::future::pending()));
    let head = "POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("3e8\r\n{}\r\n", "a".repeat(1_000));
    for _ in 0..200 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_requests_are_closed_within_ten_seconds_and_nobody_waits_for_them() {
    let pages = Pages::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_router(pages.router.clone(), listener, std::future::pending()));
    let begun = Instant::now();
    let mut slow = Vec::new();
    for n in 0..50 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Some say nothing, some half a head.
        if n % 2 == 0 {
            stream.write_all(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ").await.unwrap();
        }
        slow.push(stream);
    }
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"GET /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    other.read_to_end(&mut said).await.unwrap();
    assert!(said.starts_with(b"HTTP/1.1 200") && begun.elapsed() < Duration::from_secs(5));
    for mut stream in slow {
        let mut said = Vec::new();
        let left = Duration::from_secs(14).saturating_sub(begun.elapsed());
        let closed = tokio::time::timeout(left, stream.read_to_end(&mut said)).await;
        assert!(closed.is_ok(), "still open after {:?}", begun.elapsed());
    }
    assert!(begun.elapsed() > Duration::from_secs(8), "slow people are given some time");
}

/// Everything that is logged, at the level that says most.
#[derive(Clone, Default)]
pub(super) struct Log(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn everything_logged() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_no_incident_text_is_logged_or_shown_in_an_error() {
    let log = everything_logged();
    let pages = Pages::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_router(pages.router.clone(), listener, std::future::pending()));
    let speak = async |head: &str, body: &str| -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let form = "content-type: application/x-www-form-urlencoded";
        let whole = format!(
            "{head}\r\nhost: 127.0.0.1:8080\r\nconnection: close\r\n{form}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(whole.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        String::from_utf8_lossy(&said).into_owned()
    };
    // Canaries: a password, a name that may be one, the secret of a link, the word of a reader, an alert's text.
    let mut saved = pages.store.alert("LLR-2026-0001").await.unwrap().unwrap();
    saved.latest.title = "CanaryTitle".into();
    let link = "00112233445566778899aabbccddeeff";
    let mut tx = pages.store.begin().await.unwrap();
    let now = pages.clock.now();
    tx.save_alert(&saved, saved.night).await.unwrap();
    tx.save_notice(saved.id, 1, &json!({"canary": "CanaryNotice"})).await.unwrap();
    let hash = crate::stages::letters::hash_of(link);
    tx.save_answer_link(&hash, saved.id, "canary-mailbox@x.invalid", &leicester(), now).await.unwrap();
    tx.commit().await.unwrap();
    speak("POST /sign-in HTTP/1.1", "name=CanaryName&password=CanaryPassword").await;
    let said = speak("POST /sign-in HTTP/1.1", "name=leicester&password=a+long+password").await;
    let cookie = said.split("tension-watch=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let get =
        async |path: &str| speak(&format!("GET {path} HTTP/1.1\r\ncookie: tension-watch={cookie}"), "").await;
    let page = get("/alerts/LLR-2026-0001").await;
    assert!(page.contains("CanaryTitle"));
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let act = format!("POST /alerts/LLR-2026-0001/answer HTTP/1.1\r\ncookie: tension-watch={cookie}");
    let form = format!("token={token}&answer=action&action=CanaryAction");
    assert!(speak(&act, &form).await.starts_with("HTTP/1.1 303"));
    // These fail inside: the mail's facts are not what they should be, and no run found the alert.
    let mut errors = String::new();
    for path in ["/alerts/LLR-2026-0001/mail/text", "/alerts/LLR-2026-0001/explained"] {
        let said = get(path).await;
        assert!(said.starts_with("HTTP/1.1 500"), "{said}");
        errors += &said;
    }
    get("/").await;
    speak(&format!("GET /answer/{link} HTTP/1.1"), "").await;
    speak(&format!("POST /answer/{link} HTTP/1.1"), "token=CanaryButton&answer=acknowledge&who=CanaryWho")
        .await;
    let account = pages.store.account("leicester").await.unwrap().unwrap();
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("a page failed") && logged.contains("TRACE"), "the log was caught");
    for secret in [
        "Canary",
        "canary-mailbox",
        "a long password",
        "a+long+password",
        &account.password_hash,
        &cookie,
        &token,
        link,
        &hash,
        "the-key-of-this-installation",
        "Belgrave",
    ] {
        assert!(!errors.contains(secret), "an error page tells {secret}");
        let told = logged.lines().find(|line| line.contains(secret));
        assert!(told.is_none(), "the log tells {secret}: {}", told.unwrap_or_default());
    }
}
