//! A provider that does what a test wants of it, right or wrong.

use super::SECRET;
use axum::{
    Form, Json, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What it does and what it saw.
#[derive(Default)]
pub struct Plan {
    /// Added to its discovery document, or instead of what stands there.
    pub document: Value,
    /// Answers instead of the document.
    pub instead: Option<Instead>,
    /// The answer of the token endpoint.
    pub token: Value,
    /// Every path that was asked for.
    pub asked: Vec<String>,
    /// What the token endpoint was sent: who asked, and the form.
    pub forms: Vec<(String, BTreeMap<String, String>)>,
    kid: String,
    keys: Vec<Value>,
}

/// What a provider should not do.
#[derive(Debug, Clone, Copy)]
pub enum Instead {
    Redirects,
    IsHuge,
    IsSilent,
    IsNonsense,
}

pub struct Fake {
    pub issuer: String,
    pub plan: Arc<Mutex<Plan>>,
    key: EcdsaKeyPair,
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn new_key() -> EcdsaKeyPair {
    let chance = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &chance).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &chance).unwrap()
}

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::new(Mutex::new(Plan::default()));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .fallback(any(|| async { StatusCode::NOT_FOUND }))
            .layer(axum::middleware::from_fn_with_state(
                Arc::clone(&plan),
                async |State(plan): State<Arc<Mutex<Plan>>>,
                       request: Request,
                       next: axum::middleware::Next| {
                    plan.lock().unwrap().asked.push(request.uri().path().to_owned());
                    next.run(request).await
                },
            ))
            .with_state(Arc::clone(&plan));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut fake = Self { issuer, plan, key: new_key() };
        fake.plan.lock().unwrap().document = json!({
            "issuer": fake.issuer,
            "authorization_endpoint": format!("{}/authorize", fake.issuer),
            "token_endpoint": format!("{}/token", fake.issuer),
            "jwks_uri": format!("{}/keys", fake.issuer),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        });
        fake.change_key("one");
        fake
    }

    /// From now on it signs with another key, and no longer knows the one of before.
    pub fn change_key(&mut self, kid: &str) {
        self.key = new_key();
        let point = self.key.public_key().as_ref();
        let key = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
            "x": encoded(&point[1..33]), "y": encoded(&point[33..]),
        });
        let mut plan = self.plan.lock().unwrap();
        (plan.kid, plan.keys) = (kid.to_owned(), vec![key]);
    }

    /// A token with these claims, signed as it should be.
    pub fn signed(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.plan.lock().unwrap().kid});
        sign(&header, claims, &self.key)
    }

    /// The same, by a key that is not the provider's.
    pub fn forged(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.plan.lock().unwrap().kid});
        sign(&header, claims, &new_key())
    }

    /// What it will answer when it is asked for a token.
    pub fn will_give(&self, token: impl Into<Value>) {
        self.plan.lock().unwrap().token =
            json!({"access_token": "an-access-token", "token_type": "Bearer", "id_token": token.into()});
    }

    pub fn asked(&self, path: &str) -> usize {
        self.plan.lock().unwrap().asked.iter().filter(|asked| *asked == path).count()
    }
}

fn sign(header: &Value, claims: &Value, key: &EcdsaKeyPair) -> String {
    let text = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", encoded(signature))
}

/// Signed by the secret that the site shares with its provider.
pub fn by_secret(claims: &Value) -> String {
    let text = format!("{}.{}", encoded(r#"{"alg":"HS256"}"#), encoded(claims.to_string()));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    format!("{text}.{}", encoded(ring::hmac::sign(&key, text.as_bytes())))
}

async fn document(State(plan): State<Arc<Mutex<Plan>>>) -> Response {
    let (instead, document) = {
        let plan = plan.lock().unwrap();
        (plan.instead, plan.document.clone())
    };
    match instead {
        None => Json(document).into_response(),
        Some(Instead::Redirects) => Redirect::temporary("/elsewhere").into_response(),
        Some(Instead::IsHuge) => "x".repeat(3_000_000).into_response(),
        Some(Instead::IsNonsense) => Json(json!(["what"])).into_response(),
        Some(Instead::IsSilent) => std::future::pending().await,
    }
}

async fn keys(State(plan): State<Arc<Mutex<Plan>>>) -> Json<Value> {
    Json(json!({"keys": plan.lock().unwrap().keys}))
}

async fn token(
    State(plan): State<Arc<Mutex<Plan>>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let mut plan = plan.lock().unwrap();
    let who = headers.get("authorization").map_or("", |who| who.to_str().unwrap()).to_owned();
    plan.forms.push((who, form));
    if plan.token.is_null() {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    Json(plan.token.clone()).into_response()
}
