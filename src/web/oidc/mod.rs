//! Signing in through a provider of OpenID Connect: authorization code with PKCE, ID token verified here.
//!
//! In: `[sign_in.oidc]`, and people who press its button. Out: an account of this site with the role that the
//! configuration gives to one of their groups, renewed at every sign-in; or a page that says why not.
//!
//! `settings` judges the configuration, `http` is the only way out, `claims` says what a token makes of somebody, `doors`
//! are the two routes. This file speaks with the provider.

mod claims;
mod doors;
mod http;
mod settings;

pub(super) use claims::is_vouched_for;
pub(super) use doors::{back, begin};
pub use settings::OidcMistakes;

use crate::{
    clock::Clock,
    config::Config,
    import::hex,
    model::{AreaRef, Role},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Http, HttpError};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenVerifier,
        CoreJwsSigningAlgorithm as Alg, CoreProviderMetadata, CoreTokenResponse,
    },
    url::Url,
};
use settings::Settings;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// What a provider said of itself is asked again after this time.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);

/// Neither a failure nor an unknown key makes us ask more often than this.
const NOT_SOONER: TimeDelta = TimeDelta::seconds(5);

/// So long for everything that one page has to ask the provider; less than a page's own limit.
const PATIENCE: Duration = Duration::from_secs(20);

/// A site that started without its provider tries again after this time.
const TRIED_AGAIN: Duration = Duration::from_mins(1);

/// Clocks of two machines differ by no more.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// Signatures that need no shared secret: with one, whoever has the client's secret could be anybody.
const SIGNATURES: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

/// A client that knows where to send people and where to ask for a token.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why nobody was signed in. The texts are for the log.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The provider does not answer, or not as a provider would.
    #[error("the provider does not answer: {0}")]
    Down(String),
    /// The provider would not give a token.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The token proves nothing.
    #[error("the provider's token was not accepted: {0}")]
    Token(String),
}

/// What the way back is compared with.
struct Secrets {
    state: String,
    nonce: String,
    verifier: String,
}

/// Somebody, as a token that was verified tells of them.
struct Identity {
    /// The account that is theirs here.
    account: String,
    /// What the provider says they are, as far as it means something here.
    granted: Option<(Role, Option<AreaRef>)>,
}

/// What the provider said of itself last, or when it last said nothing.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<CoreProviderMetadata>, DateTime<Utc>)>,
    failed: Option<DateTime<Utc>>,
}

/// A provider of OpenID Connect that may say who somebody is.
pub struct Provider {
    settings: Settings,
    http: Http,
    known: Mutex<Known>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Provider {
    /// As the configuration says, which may name none; reads the secret's file. `is_area` knows the areas of the pack.
    /// The provider itself is not asked: a site starts without it.
    ///
    /// # Errors
    ///
    /// When nobody could be let in by these settings; says everything that is wrong with them.
    pub fn of(config: &Config, is_area: &dyn Fn(&AreaRef) -> bool) -> Result<Option<Self>, OidcMistakes> {
        let Some(oidc) = &config.sign_in.oidc else { return Ok(None) };
        let settings = Settings::of(config, oidc, is_area)?;
        let http = Http::to(settings.issuer.url())
            .map_err(|wrong| OidcMistakes(vec![format!("[sign_in.oidc] {wrong}")]))?;
        Ok(Some(Self { settings, http, known: Mutex::default() }))
    }

    /// Asks the provider until it answers, and says in the log how it stands.
    pub async fn greet(&self, clock: &dyn Clock) {
        let issuer = self.settings.issuer.as_str();
        while self.metadata(clock.now(), None).await.is_err() {
            tokio::time::sleep(TRIED_AGAIN).await;
        }
        tracing::info!(issuer, "the sign-in provider answers");
    }

    /// What its button says.
    pub(super) fn label(&self) -> &str {
        &self.settings.label
    }

    /// Whether the configuration still gives this to anybody.
    pub(super) fn gives(&self, role: Role, area: Option<&AreaRef>) -> bool {
        self.settings.granted.iter().any(|granted| granted.role == role && granted.area.as_ref() == area)
    }

    /// As if a value had been taken out of the configuration.
    #[cfg(test)]
    pub(super) fn forget(&mut self, value: &str) {
        self.settings.granted.retain(|granted| granted.value != value);
    }

    /// What the provider says of itself: as it is kept, unless that is older than an hour or was in use already when
    /// `unfit` was found not to do.
    async fn metadata(
        &self,
        now: DateTime<Utc>,
        unfit: Option<&Arc<CoreProviderMetadata>>,
    ) -> Result<Arc<CoreProviderMetadata>, Trouble> {
        // Held while the provider is asked: it is asked once for all who wait.
        let mut known = self.known.lock().await;
        if let Some((metadata, since)) = &known.metadata
            && now - *since < KNOWN_FOR
            && (now - *since < NOT_SOONER || !unfit.is_some_and(|unfit| Arc::ptr_eq(unfit, metadata)))
        {
            return Ok(Arc::clone(metadata));
        }
        if known.failed.is_some_and(|at| now - at < NOT_SOONER) {
            return Err(Trouble::Down("it did not a moment ago".into()));
        }
        let asked = CoreProviderMetadata::discover_async(self.settings.issuer.clone(), &self.http);
        let found = match timeout(PATIENCE, asked).await {
            Ok(Ok(metadata)) => self.usable(metadata),
            Ok(Err(failed)) => Err(format!("{:#}", anyhow::Error::from(failed))),
            Err(_) => Err("it took too long".into()),
        };
        match found {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known { metadata: Some((Arc::clone(&metadata), now)), failed: None };
                Ok(metadata)
            }
            Err(failed) => {
                known.failed = Some(now);
                tracing::warn!(
                    issuer = self.settings.issuer.as_str(),
                    error = failed,
                    "nobody can sign in through the provider; accounts kept here work, and it is tried again"
                );
                Err(Trouble::Down(failed))
            }
        }
    }

    /// Whether people can be sent where the provider says; where we ask ourselves is looked at by `http`.
    fn usable(&self, metadata: CoreProviderMetadata) -> Result<CoreProviderMetadata, String> {
        if metadata.token_endpoint().is_none() {
            return Err("its discovery document names no token_endpoint".into());
        }
        let sent = metadata.authorization_endpoint().url();
        if self.http.allows(sent) { Ok(metadata) } else { Err(format!("`{sent}` is not https")) }
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        let methods = metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let secret = ClientSecret::new(self.settings.client_secret.clone());
        let id = ClientId::new(self.settings.client_id.clone());
        CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret))
            .set_redirect_uri(self.settings.back.clone())
            .set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth })
    }

    /// Where to send somebody.
    async fn way_there(&self, secrets: &Secrets, now: DateTime<Utc>) -> Result<Url, Trouble> {
        let metadata = self.metadata(now, None).await?;
        let client = self.client(&metadata);
        let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
        let (state, nonce) = (secrets.state.clone(), secrets.nonce.clone());
        let (there, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(there)
    }

    /// Who came back with this code.
    async fn identity(
        &self,
        code: String,
        nonce: String,
        verifier: String,
        now: DateTime<Utc>,
    ) -> Result<Identity, Trouble> {
        let asked = self.verified(code, Nonce::new(nonce), PkceCodeVerifier::new(verifier), now);
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(Trouble::Down("it took too long".into())))
    }

    async fn verified(
        &self,
        code: String,
        nonce: Nonce,
        verifier: PkceCodeVerifier,
        now: DateTime<Utc>,
    ) -> Result<Identity, Trouble> {
        let metadata = self.metadata(now, None).await?;
        let answer = self
            .client(&metadata)
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|wrong| Trouble::Down(wrong.to_string()))?
            .set_pkce_verifier(verifier)
            .request_async(&self.http)
            .await
            .map_err(refused)?;
        let token = answer.id_token().ok_or_else(|| Trouble::Token("there is none".into()))?;
        let subject = match self.subject(&metadata, &answer, token, &nonce, now) {
            // Providers change their keys: a new one is looked for before it is called unknown.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let anew = self.metadata(now, Some(&metadata)).await?;
                self.subject(&anew, &answer, token, &nonce, now)
            }
            judged => judged,
        };
        let subject = subject.map_err(|wrong| Trouble::Token(format!("{:#}", anyhow::Error::from(wrong))))?;
        let claims = payload(token).ok_or_else(|| Trouble::Token("its claims can't be read".into()))?;
        let values = claims::values(&claims, &self.settings.role_claim);
        Ok(Identity {
            account: claims::account_name(self.settings.issuer.as_str(), &subject),
            granted: claims::granted(&self.settings.granted, &values).map(|one| (one.role, one.area.clone())),
        })
    }

    /// The subject of a token that this provider signed for this site, now, for this very sign-in.
    fn subject(
        &self,
        metadata: &CoreProviderMetadata,
        answer: &CoreTokenResponse,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: DateTime<Utc>,
    ) -> Result<String, ClaimsVerificationError> {
        let client = self.client(metadata);
        let verifier: CoreIdTokenVerifier<'_> = client
            .id_token_verifier()
            .set_allowed_algs(SIGNATURES)
            .set_time_fn(move || now)
            .set_issue_time_verifier_fn(move |issued| {
                if issued <= now + CLOCKS_DIFFER { Ok(()) } else { Err("it is from the future".into()) }
            });
        let claims = token.claims(&verifier, nonce)?;
        if let Some(told) = claims.access_token_hash() {
            let signature = ClaimsVerificationError::SignatureVerification;
            let alg = token.signing_alg().map_err(signature)?;
            let key = token.signing_key(&verifier).map_err(signature)?;
            let own = AccessTokenHash::from_token(answer.access_token(), alg, key);
            if !own.is_ok_and(|own| own.as_str() == told.as_str()) {
                return Err(ClaimsVerificationError::Other("it belongs to another access token".into()));
            }
        }
        Ok(claims.subject().as_str().to_owned())
    }
}

/// All claims of a token, once its signature has been verified: any of them may be the one that says who somebody is.
fn payload(token: &CoreIdToken) -> Option<serde_json::Value> {
    let text = token.to_string();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Why there was no token. What the provider wrote is not repeated: it could be anything.
fn refused<T>(failed: RequestTokenError<HttpError, T>) -> Trouble
where
    T: openidconnect::ErrorResponse + 'static,
{
    match failed {
        RequestTokenError::ServerResponse(_) => Trouble::Refused("it gave no token for the code".into()),
        RequestTokenError::Request(failed) => Trouble::Down(failed.to_string()),
        RequestTokenError::Parse(..) => Trouble::Token("the answer can't be read".into()),
        RequestTokenError::Other(_) => Trouble::Refused("it answered without a body".into()),
    }
}

/// Letters and digits that nobody can guess.
fn unguessable() -> String {
    hex(&super::password::random_bytes::<32>())
}
