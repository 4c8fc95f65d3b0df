//! The configuration file: everything that differs from one site to the next, read once at the start.
//!
//! Paths in it are relative to its own folder, so that a site can be moved as a whole.

mod sign_in;

pub use sign_in::{MappedRole, OidcConfig, SignInConfig};

use crate::schedule::Schedule;
use ipnet::IpNet;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// A configuration that cannot be used; says which file, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or may not be read.
    #[error("{}: can't be read ({cause}). `tension-watch init` writes one; --config names another", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {text}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        text: String,
    },
}

/// So many mistakes are told at once.
const MOST_MISTAKES: usize = 20;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub store: StoreConfig,
    /// The pages.
    #[serde(default)]
    pub site: SiteConfig,
    /// Who may say who somebody is, beside the accounts kept here.
    #[serde(default)]
    pub sign_in: SignInConfig,
    /// What analysts own.
    #[serde(default)]
    pub rules: RulesConfig,
    /// When the engine runs.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// Files that arrive.
    #[serde(default)]
    pub import: ImportConfig,
    /// What the boards read.
    #[serde(default)]
    pub report: ReportConfig,
    /// What programs that watch the site read.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// How long what is kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// How messages leave.
    pub mail: MailConfig,
    /// The folder of the file itself.
    #[serde(skip)]
    folder: PathBuf,
}

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:FILE`, or `postgres://USER@HOST/NAME` when several machines share the work.
    pub address: String,
}

/// The pages.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// Where the site listens.
    pub listen: SocketAddr,
    /// What links in mails begin with; `https://…` behind a proxy that holds the certificate.
    pub address: String,
    /// Proxies in front of the site, as networks: only what these say of a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8080).into(),
            address: "http://127.0.0.1:8080".into(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// What analysts own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesConfig {
    /// The folder of rule files.
    pub folder: PathBuf,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self { folder: "rules".into() }
    }
}

/// What the boards read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportConfig {
    /// The browser that prints PDF; without it Chromium is looked for on the PATH.
    pub browser: Option<PathBuf>,
    /// The terms that figures are counted by; without it those that come with the program.
    pub definitions: Option<PathBuf>,
}

/// How long what is kept, in days; for ever where nothing is said. What is over goes each night, for good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Incidents, counted from when they happened. Detection learns from five years.
    pub incidents_days: Option<u32>,
    /// Rows that could not be used, counted from when their file was read.
    pub rejects_days: Option<u32>,
    /// Messages that have left or were given up.
    pub messages_days: Option<u32>,
    /// Files that were put away in the inbox after they were read.
    pub files_days: Option<u32>,
}

/// What programs that watch the site read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where `/metrics` and `/ready` are answered, without signing in: an address that only such programs reach. Nowhere by
    /// default.
    pub listen: Option<SocketAddr>,
}

/// When the engine runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// A cron expression of five fields, in the time zone of the area pack.
    pub nightly: String,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self { nightly: "30 4 * * *".into() }
    }
}

/// Files that arrive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImportConfig {
    /// Files dropped into `inbox/SOURCE/` are read before the nightly run.
    pub inbox: PathBuf,
    /// The mapping of each source: the name of one that is shipped, or a TOML file.
    pub mappings: BTreeMap<String, String>,
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self { inbox: "inbox".into(), mappings: BTreeMap::new() }
    }
}

/// How messages leave.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The sender of every message.
    pub from: String,
    /// The protective marking, top and bottom and in the subject; empty for none.
    #[serde(default = "official_sensitive")]
    pub marking: String,
    /// The sender of every envelope, to which mail servers send back what they can't deliver; `from` by default.
    pub return_path: Option<String>,
    /// How messages are signed; not at all by default.
    pub dkim: Option<DkimConfig>,
    /// Where they go.
    pub transport: TransportConfig,
}

fn official_sensitive() -> String {
    "OFFICIAL-SENSITIVE".into()
}

impl MailConfig {
    /// The sender of every envelope.
    #[must_use]
    pub fn envelope_sender(&self) -> &str {
        self.return_path.as_deref().unwrap_or(&self.from)
    }
}

/// How messages are signed (DKIM, RFC 6376): the public key stands in the DNS at SELECTOR._domainkey.DOMAIN.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimConfig {
    /// Who signs: the domain of `from`, or one above it.
    pub domain: String,
    /// Which of the domain's keys.
    pub selector: String,
    /// The private key, PEM: RSA of at least 2048 bits, or Ed25519.
    pub key_file: PathBuf,
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
pub enum TransportConfig {
    /// Files, one for each message, that any mail program opens.
    File {
        /// The folder.
        folder: PathBuf,
    },
    /// A mail server, over TLS.
    Smtp {
        /// Its name.
        host: String,
        /// Its port.
        port: u16,
        /// `starttls` (port 587), `tls` (port 465), or `none`, which is for a server on this very machine only.
        #[serde(default)]
        security: Security,
        /// Who signs in, if the server asks.
        user: Option<String>,
        /// A file that holds nothing but the password.
        password_file: Option<PathBuf>,
    },
}

/// How the conversation with the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS is asked for and required before anything is sent.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: loopback only.
    None,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// When the file can't be read, a field is unknown or missing, or the schedule can't be understood.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::parse(&text, folder).map_err(|text| ConfigError::Wrong { path: path.to_owned(), text })
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let (config, mut mistakes) = Self::with_mistakes(text);
        if let Some(config) = &config
            && let Err(wrong) = Schedule::new(&config.schedule.nightly, chrono_tz::UTC)
        {
            mistakes.push(format!("[schedule] nightly: {wrong}"));
        }
        match config {
            Some(mut config) if mistakes.is_empty() => {
                folder.clone_into(&mut config.folder);
                Ok(config)
            }
            _ => Err(mistakes.join("\n\n")),
        }
    }

    /// What can be read of it, and every mistake: the lines of each are left out, and the rest is read again. One that only
    /// follows from that is not told.
    fn with_mistakes(text: &str) -> (Option<Self>, Vec<String>) {
        let shown = |wrong: &toml::de::Error| wrong.to_string().trim_end().to_owned();
        // A file that is no TOML has no parts that could be read by themselves.
        if let Err(wrong) = toml::from_str::<toml::Table>(text) {
            return (None, vec![shown(&wrong)]);
        }
        let (mut rest, mut mistakes) = (text.to_owned(), Vec::new());
        while mistakes.len() < MOST_MISTAKES {
            let wrong = match toml::from_str::<Self>(&rest) {
                Ok(config) => return (Some(config), mistakes),
                Err(wrong) => wrong,
            };
            let follows = wrong.message().starts_with("missing field") && !mistakes.is_empty();
            if !follows {
                mistakes.push(shown(&wrong));
            }
            let Some(lines) = wrong.span().map(|span| lines_of(&rest, span)) else { break };
            let left_out = rest[lines.clone()].replace(|c: char| c != '\n', " ");
            // Nothing can be left out any more, or what is left is no TOML.
            if follows || left_out == rest[lines.clone()] {
                break;
            }
            rest.replace_range(lines, &left_out);
            if toml::from_str::<toml::Table>(&rest).is_err() {
                break;
            }
        }
        (None, mistakes)
    }

    /// A path of the file, seen from where the program runs.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The address of the store; a SQLite file is taken relative to the configuration's folder.
    #[must_use]
    pub fn store_address(&self) -> String {
        match self.store.address.strip_prefix("sqlite:") {
            Some(file) => format!("sqlite:{}", self.path(Path::new(file)).display()),
            None => self.store.address.clone(),
        }
    }
}

/// The whole lines in which a part of a text lies.
fn lines_of(text: &str, part: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let begin = text[..part.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[part.end..].find('\n').map_or(text.len(), |at| part.end + at);
    begin..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_a_configuration_or_mistakes(text in "(\\[(store|mail|site|x)\\]\n|[a-z]{1,8} = (\"[a-z:/.]{0,9}\"|[0-9]{1,3}|\\{[a-z]{0,4}|é)\n){0,8}") {
            if let Err(told) = Config::parse(&text, Path::new(".")) {
                prop_assert!(!told.is_empty());
            }
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let wrong = "[store]\naddress = \"sqlite:a.db\"\n[site]\nlisten = \"anywhere\"\nadress = \"x\"\n[mail]\n\
                     from = \"watch@county.invalid\"\nmarkng = \"\"\ntransport = { kind = \"file\", folder = \"mail\" }\n\
                     [retention]\nrejects_days = \"a year\"\n[schedule]\nnightly = \"30 25 * * *\"\n";
        let told = Config::parse(wrong, Path::new(".")).unwrap_err();
        for (line, word) in
            [("line 4", "anywhere"), ("line 5", "adress"), ("line 8", "markng"), ("line 11", "a year")]
        {
            assert!(told.contains(line) && told.contains(word), "{line}, {word}:\n{told}");
        }
        assert!(told.contains("30 25 * * *"), "{told}");
        // A field that is missing is told when nothing else is to blame.
        let told = Config::parse("[store]\naddress = \"sqlite:a.db\"\n", Path::new(".")).unwrap_err();
        assert!(told.contains("missing field `mail`"), "{told}");
    }

    const SMALLEST: &str = "[store]\naddress = \"sqlite:watch.db\"\n[mail]\nfrom = \"watch@county.invalid\"\n\
                            transport = { kind = \"file\", folder = \"mail\" }\n";

    #[test]
    fn what_is_not_said_has_a_sensible_value() {
        let config = Config::parse(SMALLEST, Path::new("/srv/watch")).unwrap();
        assert_eq!(config.store_address(), "sqlite:/srv/watch/watch.db");
        assert_eq!(config.path(&config.rules.folder), Path::new("/srv/watch/rules"));
        assert_eq!(config.site.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.schedule.nightly, "30 4 * * *");
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let wrong = format!("{SMALLEST}[schedule]\nnigthly = \"30 4 * * *\"\n");
        let message = Config::parse(&wrong, Path::new(".")).unwrap_err();
        assert!(message.contains("line 7") && message.contains("nigthly"), "{message}");
        let wrong = format!("{SMALLEST}[schedule]\nnightly = \"30 25 * * *\"\n");
        let message = Config::parse(&wrong, Path::new(".")).unwrap_err();
        assert!(message.contains("30 25 * * *"), "{message}");
    }
}
