//! `[sign_in]`: who may say who somebody is, beside the accounts kept here.

use crate::model::Role;
use serde::Deserialize;
use std::path::PathBuf;

/// Who may say who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// A provider of OpenID Connect; none by default.
    pub oidc: Option<OidcConfig>,
}

/// A provider of OpenID Connect. What can be wrong beyond its form is found when the site starts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// Its address, exactly as its own discovery document writes it.
    pub issuer: String,
    /// The name by which it knows this site.
    pub client_id: String,
    /// A file that holds nothing but the secret that it shares with this site.
    pub client_secret_file: PathBuf,
    /// What the button says.
    #[serde(default = "label")]
    pub label: String,
    /// What is asked for beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim of the ID token that says which groups or roles somebody has; dots lead into objects.
    #[serde(default = "groups")]
    pub role_claim: String,
    /// Which of its values makes somebody what here; the first that somebody has counts.
    pub roles: Vec<MappedRole>,
}

/// What a value of the claim makes somebody here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedRole {
    /// The value.
    pub value: String,
    /// The role.
    pub role: Role,
    /// The area they answer for, as kind/code; the whole county otherwise.
    pub area: Option<String>,
}

fn label() -> String {
    "Sign in with your organisation's account".into()
}

fn groups() -> String {
    "groups".into()
}
