//! The settings of a provider, judged all at once before anybody is let in by them.

use crate::{
    config::{Config, OidcConfig},
    model::{AreaRef, Role},
};
use openidconnect::{IssuerUrl, RedirectUrl, url::Url};
use std::{fmt, fs};

/// Where a provider sends people back to.
pub(super) const BACK: &str = "/sign-in/oidc/back";

/// What is wrong with `[sign_in.oidc]`: every mistake, one a line, each with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct OidcMistakes(pub(super) Vec<String>);

/// Settings that hold.
pub(super) struct Settings {
    pub(super) issuer: IssuerUrl,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) back: RedirectUrl,
    pub(super) label: String,
    pub(super) scopes: Vec<String>,
    pub(super) role_claim: String,
    pub(super) granted: Vec<Granted>,
}

// The secret is nobody's to print.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("issuer", &self.issuer.as_str()).finish_non_exhaustive()
    }
}

/// What a value of the claim gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) value: String,
    pub(super) role: Role,
    pub(super) area: Option<AreaRef>,
}

impl Settings {
    /// Judges what the configuration says; `is_area` knows the areas of the pack.
    pub(super) fn of(
        config: &Config,
        oidc: &OidcConfig,
        is_area: &dyn Fn(&AreaRef) -> bool,
    ) -> Result<Self, OidcMistakes> {
        let mut mistakes = Mistakes::default();
        let issuer = mistakes.note(issuer(&oidc.issuer));
        let back = format!("{}{BACK}", config.site.address.trim_end_matches('/'));
        let back = mistakes.note(RedirectUrl::new(back).map_err(|wrong| {
            format!("[site] address: `{}` is no address ({wrong}); write http(s)://HOST", config.site.address)
        }));
        let path = config.path(&oidc.client_secret_file);
        let secret = fs::read_to_string(&path).map_err(|cause| {
            let path = path.display();
            format!("client_secret_file: {path} can't be read ({cause}); it holds nothing but the secret")
        });
        let secret = mistakes.note(secret).unwrap_or_default().trim_end_matches(['\r', '\n']).to_owned();
        for (name, text) in
            [("client_id", &oidc.client_id), ("label", &oidc.label), ("role_claim", &oidc.role_claim)]
        {
            mistakes
                .when(text.trim().is_empty(), || format!("{name} is empty; say what the provider calls it"));
        }
        mistakes.when(secret.trim().is_empty() && path.exists(), || {
            format!("client_secret_file: {} is empty; write the secret into it", path.display())
        });
        let is_scope = |scope: &String| {
            !scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b))
        };
        for scope in oidc.scopes.iter().filter(|scope| !is_scope(scope)) {
            mistakes.add(format!("scopes: `{scope}` is no scope; write one word an entry"));
        }
        let granted = granted(oidc, is_area, &mut mistakes);
        match (issuer, back, mistakes.0.is_empty()) {
            (Some(issuer), Some(back), true) => Ok(Self {
                issuer,
                client_id: oidc.client_id.clone(),
                client_secret: secret,
                back,
                label: oidc.label.clone(),
                scopes: oidc.scopes.iter().filter(|scope| *scope != "openid").cloned().collect(),
                role_claim: oidc.role_claim.clone(),
                granted,
            }),
            _ => Err(OidcMistakes(mistakes.0)),
        }
    }
}

/// Mistakes, as they are found.
#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn add(&mut self, text: String) {
        self.0.push(if text.starts_with('[') { text } else { format!("[sign_in.oidc] {text}") });
    }

    fn when(&mut self, wrong: bool, text: impl FnOnce() -> String) {
        if wrong {
            self.add(text());
        }
    }

    fn note<T>(&mut self, found: Result<T, String>) -> Option<T> {
        found.map_err(|wrong| self.add(wrong)).ok()
    }
}

/// An address that nobody on the way can read or change.
fn issuer(text: &str) -> Result<IssuerUrl, String> {
    let url = Url::parse(text)
        .map_err(|wrong| format!("issuer: `{text}` is no address ({wrong}); write https://HOST/PATH"))?;
    if !(url.scheme() == "https" || (url.scheme() == "http" && on_this_machine(&url))) {
        return Err(format!(
            "issuer: `{text}` is not https; http is for a provider on this very machine only"
        ));
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("issuer: an issuer has no name, password, `?` or `#` in it; take them out".into());
    }
    IssuerUrl::new(text.to_owned()).map_err(|wrong| format!("issuer: `{text}` is no address ({wrong})"))
}

/// Whether an address names the machine itself.
pub(super) fn on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(openidconnect::url::Host::Domain(name)) => name == "localhost",
        Some(openidconnect::url::Host::Ipv4(at)) => at.is_loopback(),
        Some(openidconnect::url::Host::Ipv6(at)) => at.is_loopback(),
        None => false,
    }
}

const fn needs_area(role: Role) -> bool {
    matches!(role, Role::CspCoordinator | Role::CspChair | Role::NptSergeant | Role::NpaCommander)
}

fn granted(oidc: &OidcConfig, is_area: &dyn Fn(&AreaRef) -> bool, mistakes: &mut Mistakes) -> Vec<Granted> {
    mistakes.when(oidc.roles.is_empty(), || {
        "roles: nobody would be let in; say which value makes somebody what: \
         roles = [{ value = \"…\", role = \"analyst\" }]"
            .into()
    });
    let mut granted: Vec<Granted> = Vec::new();
    for mapped in &oidc.roles {
        let value = mapped.value.clone();
        let at = format!("roles, `{value}`");
        mistakes.when(value.is_empty(), || {
            "roles: a value is empty; write what the provider calls the group".into()
        });
        mistakes.when(granted.iter().any(|before| before.value == value), || {
            format!("{at}: stands there twice; only the first would count, take one out")
        });
        let area = mapped.area.as_deref().and_then(|text| {
            let found = area(text).and_then(|area| {
                let known = is_area(&area);
                known.then_some(area).ok_or_else(|| format!("there is no `{text}` in the area pack"))
            });
            mistakes.note(found.map_err(|wrong| format!("{at}: {wrong}")))
        });
        mistakes.when(mapped.area.is_none() && needs_area(mapped.role), || {
            format!("{at}: a {} answers for an area; add area = \"kind/code\"", mapped.role.code())
        });
        granted.push(Granted { value, role: mapped.role, area });
    }
    granted
}

/// `csp/charnwood`.
fn area(text: &str) -> Result<AreaRef, String> {
    let (kind, code) = text
        .split_once('/')
        .ok_or_else(|| format!("`{text}`: an area is written kind/code, for example csp/charnwood"))?;
    let kind = kind.parse().map_err(|wrong| format!("{wrong}"))?;
    Ok(AreaRef { kind, code: code.to_owned() })
}
