//! Signing in by a provider of OpenID Connect that somebody else wrote: our program as it is started, its sign-in pages,
//! TLS between them, on both databases.

use crate::{
    nights::county,
    support::{
        postgres::Postgres,
        visitor::{Page, Visitor},
    },
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use tension_watch::store::Store;

const SECRET: &str = "what-only-client-and-provider-know";

/// The provider, where npm installed it; skipped aloud where it did not, and an error in `scripts/test`.
fn package() -> Option<PathBuf> {
    let package = PathBuf::from(concat!(env!("OUT_DIR"), "/ui-work/node_modules/oidc-provider"));
    if package.exists() {
        return Some(package);
    }
    let needed = std::env::var_os("TENSION_WATCH_NEEDS_NPM").is_some();
    assert!(!needed, "{} is not there: npm did not install ui/", package.display());
    eprintln!(
        "SKIPPED: nobody signs in by a real provider, because npm did not install it; see scripts/prepare"
    );
    None
}

/// Ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn tension_watch(site: &Path, arguments: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tension-watch"))
        .current_dir(site)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks nothing may have ended before it is told.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

struct Story {
    folder: tempfile::TempDir,
    certificate: rcgen::Certificate,
    issuer: String,
    provider_port: u16,
    site: String,
}

impl Story {
    /// A site set up by `init`, with the section that it leaves commented out.
    async fn new(database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let made = tension_watch(at, &["init"], "");
        assert!(made.status.success(), "{}", said(&made));
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        fs::write(at.join("provider.key"), key.serialize_pem()).unwrap();
        fs::write(at.join("provider.pem"), certificate.pem()).unwrap();
        fs::write(at.join("oidc-secret"), format!("{SECRET}\n")).unwrap();
        let (provider_port, site_port) = (free_port(), free_port());
        let issuer = format!("https://localhost:{provider_port}");
        let file = at.join("tension-watch.toml");
        let mut inside = false;
        let mut text = String::new();
        for line in fs::read_to_string(&file).unwrap().lines() {
            inside |= line.starts_with("# [sign_in.oidc]");
            text += if inside { line.strip_prefix("# ").unwrap() } else { line };
            text += "\n";
            inside &= line != "# ]";
        }
        for (from, to) in [
            ("127.0.0.1:8080", &*format!("127.0.0.1:{site_port}")),
            ("https://login.example.org", &issuer),
            ("role_claim = \"groups\"", "role_claim = \"realm_access.roles\""),
            ("sqlite:tension-watch.db", database.unwrap_or("sqlite:tension-watch.db")),
        ] {
            assert!(text.contains(from), "{from}\n{text}");
            text = text.replace(from, to);
        }
        fs::write(&file, text).unwrap();
        if let Some(database) = database {
            county(&Store::open(database).await.unwrap()).await;
        }
        let add = ["user", "add", "leicester", "--role", "partner"];
        let added = tension_watch(at, &add, "a long password\n");
        assert!(added.status.success(), "{}", said(&added));
        let site = format!("http://127.0.0.1:{site_port}");
        Self { folder, certificate, issuer, provider_port, site }
    }

    fn visitor(&self) -> Visitor {
        Visitor::new(&self.certificate)
    }

    /// Starts the program; waits until it listens.
    fn serve(&self) -> Running {
        let at = self.folder.path();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tension-watch"))
            .current_dir(at)
            .arg("serve")
            .env("SSL_CERT_FILE", at.join("provider.pem"))
            .env("TENSION_WATCH_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(at.join("log")).unwrap())
            .spawn()
            .unwrap();
        let first = BufReader::new(child.stdout.take().unwrap()).lines().next();
        let running = Running(child);
        assert!(first.is_some(), "{}", fs::read_to_string(at.join("log")).unwrap());
        running
    }

    fn provider(&self, package: &Path) -> Running {
        let at = self.folder.path();
        let plan = serde_json::json!({
            "port": self.provider_port,
            "key": at.join("provider.key"),
            "certificate": at.join("provider.pem"),
            "client": "tension-watch",
            "secret": SECRET,
            "back": format!("{}/sign-in/oidc/back", self.site),
            "people": {
                "desk-1": ["something", "charnwood-csp"],
                "desk-2": ["tension-watch-analysts"],
                "leicester": ["tension-watch-analysts"],
            },
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stories/support/oidc_provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(package)
            .arg(plan.to_string())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(at.join("provider-log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Running(child);
        let listening = lines.by_ref().map_while(Result::ok).any(|line| line == "listening");
        assert!(listening, "{}", fs::read_to_string(at.join("provider-log")).unwrap());
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        running
    }

    /// To the provider, through its pages as `login`, and where it sends them then.
    async fn through(&self, visitor: &mut Visitor, login: &str, next: &str) -> String {
        let page = visitor.get(&format!("{}/sign-in/oidc?next={next}", self.site)).await;
        assert_eq!(page.status, 303, "{}", page.text);
        assert!(page.location.as_ref().unwrap().starts_with(&self.issuer), "{page:?}");
        let (mut page, mut to) = visitor.follow(page, &self.site).await;
        for form in [format!("prompt=login&login={login}&password=x"), "prompt=consent".to_owned()] {
            if to.is_empty() {
                let action = page.text.split("action=\"").nth(1).expect("a form").split('"').next().unwrap();
                let sent = visitor.post(action, &form).await;
                (page, to) = visitor.follow(sent, &self.site).await;
            }
        }
        assert!(to.starts_with(&format!("{}/sign-in/oidc/back?", self.site)), "{to} {page:?}");
        to
    }

    async fn sign_in(&self, login: &str, next: &str) -> (Visitor, Page) {
        let mut visitor = self.visitor();
        let back = self.through(&mut visitor, login, next).await;
        let page = visitor.get(&back).await;
        (visitor, page)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn audit(&self) -> String {
        said(&tension_watch(self.folder.path(), &["audit", "list", "--since", "2026-01-01"], ""))
    }
}

async fn told(story: &Story, package: &Path) {
    let site = &story.site;
    let serving = story.serve();
    // Nobody listens at the provider's address yet.
    let mut visitor = story.visitor();
    let page = visitor.get(&format!("{site}/sign-in/oidc")).await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert!(
        page.text.contains("does not answer") && page.text.contains("name=\"password\""),
        "{}",
        page.text
    );
    let own = "name=leicester&password=a+long+password";
    assert_eq!(visitor.post(&format!("{site}/sign-in"), own).await.status, 303, "accounts of the site work");

    let _provider = story.provider(package);
    let mut answers = visitor.get(&format!("{site}/sign-in/oidc")).await;
    for _ in 0..40 {
        if answers.status == 303 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        answers = visitor.get(&format!("{site}/sign-in/oidc")).await;
    }
    assert_eq!(answers.status, 303, "{}\n{}", answers.text, story.log());

    let (mut desk, page) = story.sign_in("desk-1", "/alerts").await;
    assert_eq!(page.location, Some(format!("{site}/alerts")), "{}\n{}", page.text, story.log());
    let alerts = desk.get(&format!("{site}/alerts")).await;
    assert!(alerts.status == 200 && alerts.text.contains("class=\"who\">oidc:desk-1."), "{}", alerts.text);
    assert_eq!(desk.get(&format!("{site}/rules")).await.status, 404, "no analyst");
    let (mut analyst, _) = story.sign_in("desk-2", "/").await;
    assert!(analyst.get(&format!("{site}/alerts")).await.text.contains("href=\"/rules\""), "an analyst");

    // A name that an account of the site has, too.
    let (mut namesake, _) = story.sign_in("leicester", "/").await;
    assert!(namesake.get(&format!("{site}/alerts")).await.text.contains("href=\"/rules\""), "an analyst");
    assert_eq!(visitor.get(&format!("{site}/rules")).await.status, 404, "still a partner");
    assert_eq!(visitor.post(&format!("{site}/sign-in"), own).await.status, 303, "with their own password");

    let (mut nobody, page) = story.sign_in("desk-3", "/").await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("You have no access"), "{}", page.text);
    assert_eq!(nobody.get(&format!("{site}/published")).await.status, 303);

    // The way back, in another browser, with another state, and twice.
    let mut mine = story.visitor();
    let back = story.through(&mut mine, "desk-1", "/").await;
    assert_eq!(story.visitor().get(&back).await.status, 400, "another browser");
    assert_eq!(mine.get(&back.replace("state=", "state=0")).await.status, 400, "another state");
    assert_eq!(mine.get(&back).await.status, 303);
    assert_eq!(mine.get(&back).await.status, 400, "reused");

    let at = story.folder.path();
    let listed = said(&tension_watch(at, &["user", "list"], ""));
    let line = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(line("oidc:desk-1.").contains("csp/charnwood"), "{listed}");
    assert!(
        line("oidc:leicester.").contains("analyst") && line("leicester ").contains("partner"),
        "{listed}"
    );
    let name = line("oidc:desk-1.").split_whitespace().next().unwrap();
    assert!(tension_watch(at, &["user", "remove", name], "").status.success());
    assert_eq!(desk.get(&format!("{site}/alerts")).await.status, 303, "signed out by the command line");

    let audit = story.audit();
    for words in ["sign-in by the provider: done", "no role here", "no such sign-in under way", name] {
        assert!(audit.contains(words), "{words}\n{audit}");
    }
    drop(serving);
    let log = story.log();
    assert!(log.contains("nobody can sign in through the provider"), "{log}");
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    for secret in [SECRET, code] {
        assert!(!log.contains(secret) && !audit.contains(secret), "a secret is in the log");
    }
}

#[tokio::test]
async fn people_sign_in_by_a_real_provider_on_both_databases() {
    let Some(package) = package() else { return };
    told(&Story::new(None).await, &package).await;
    let server = Postgres::start();
    told(&Story::new(Some(&server.address())).await, &package).await;
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_accepted() {
    let Some(package) = package() else { return };
    let story = Story::new(None).await;
    let _provider = story.provider(&package);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    // The program trusts this one instead.
    let trusted = fs::read(story.folder.path().join("provider.pem")).unwrap();
    fs::write(story.folder.path().join("provider.pem"), other.cert.pem()).unwrap();
    let _serving = story.serve();
    fs::write(story.folder.path().join("provider.pem"), trusted).unwrap();
    let page = story.visitor().get(&format!("{}/sign-in/oidc", story.site)).await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert!(story.log().contains("certificate"), "{}", story.log());
}

#[tokio::test]
async fn a_wrong_configuration_does_not_start_and_says_all_of_it() {
    let story = Story::new(None).await;
    let at = story.folder.path();
    let file = at.join("tension-watch.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text =
        text.replace(&story.issuer, "http://login.example.org").replace("csp/charnwood", "csp/atlantis");
    fs::write(&file, text).unwrap();
    fs::remove_file(at.join("oidc-secret")).unwrap();
    let output = tension_watch(at, &["serve"], "");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for words in ["is not https", "there is no `csp/atlantis` in the area pack", "oidc-secret can't be read"]
    {
        assert!(said(&output).contains(words), "{words}\n{}", said(&output));
    }
}
