//! The site: pages for those responsible, over the store.
//!
//! In: requests of signed-in people. Out: pages that work without a script, data for the map, health.
//!
//! Nothing but signing in, health and static files is open to everyone; `routes` is the whole list. What a page shows of counts goes through
//! `reader::Sight`; what a class, a colour or a download shows comes from the same rows.
//!
//! # Adding a page
//!
//! One file with a handler that takes a [`Reader`](reader::Reader), a template, and a line in [`routes::ROUTES`], which says
//! who may call it.

mod accounts;
mod actions;
mod alerts;
mod api;
mod answer;
mod area;
mod audit;
mod campaigns;
mod classes;
mod client;
mod curve;
mod desk;
mod drawn;
mod download;
mod error;
mod guard;
mod health;
mod hotspot_files;
mod hotspots;
mod imports;
mod kept;
mod map;
mod metrics;
mod oidc;
mod outbox;
mod password;
mod published;
mod published_area;
mod reporting;
mod reports;
mod reader;
mod routes;
mod rules;
mod runs;
mod serve;
mod session;
mod sign_in;
mod silences;
mod spark;
mod tokens;
mod trial;
#[cfg(test)]
mod tests;

pub use api::token::new_token;
pub use oidc::{OidcMistakes, Provider};
pub use password::{hash_password, new_key, new_password};
pub use serve::serve;

use desk::{AtDesk, Desk};
use hotspots::Rows;
use kept::{Edition, Kept, Turns};
use reader::Sight;

use crate::{
    clock::{Clock, SystemClock},
    import::Mapping,
    model::{Alert, AreaRef},
    report::{Definition, NoReport, Quarter, Report, SHIPPED_DEFINITIONS, definitions},
    schedule::{Leading, Schedule},
    stages::{
        campaigns::{self as campaign, CampaignView},
        county::Outlines,
        figures::{Figures, Question, figures},
        night::Engine,
        places::{self, Spot, density},
        reporting::{Reporting, reporting as quiet_on},
    },
    store::PublishedStore,
};
use anyhow::Result;
use axum::{
    Router,
    extract::FromRef,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
};
use chrono::{DateTime, NaiveDate, Utc};
use ipnet::IpNet;
use minijinja::{Environment, UndefinedBehavior, Value};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tower::ServiceBuilder;
use tower_http::{
    CompressionLevel, catch_panic::CatchPanicLayer, compression::CompressionLayer,
    set_header::SetResponseHeaderLayer, timeout::TimeoutLayer,
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};
use uuid::Uuid;

const TEMPLATES: [(&str, &str); 30] = [
    ("frame.html", include_str!("templates/frame.html")),
    ("sign_in.html", include_str!("templates/sign_in.html")),
    ("hotspots.html", include_str!("templates/hotspots.html")),
    ("hotspots_table.html", include_str!("templates/hotspots_table.html")),
    ("actions.html", include_str!("templates/actions.html")),
    ("alerts.html", include_str!("templates/alerts.html")),
    ("accounts.html", include_str!("templates/accounts.html")),
    ("alert.html", include_str!("templates/alert.html")),
    ("answer.html", include_str!("templates/answer.html")),
    ("answering.html", include_str!("templates/answering.html")),
    ("area.html", include_str!("templates/area.html")),
    ("audit.html", include_str!("templates/audit.html")),
    ("campaigns.html", include_str!("templates/campaigns.html")),
    ("ended.html", include_str!("templates/ended.html")),
    ("explained.html", include_str!("templates/explained.html")),
    ("import.html", include_str!("templates/import.html")),
    ("imports.html", include_str!("templates/imports.html")),
    ("missing.html", include_str!("templates/missing.html")),
    ("outbox.html", include_str!("templates/outbox.html")),
    ("published.html", include_str!("templates/published.html")),
    ("published_area.html", include_str!("templates/published_area.html")),
    ("reporting.html", include_str!("templates/reporting.html")),
    ("reports.html", include_str!("templates/reports.html")),
    ("rule.html", include_str!("templates/rule.html")),
    ("rules.html", include_str!("templates/rules.html")),
    ("runs.html", include_str!("templates/runs.html")),
    ("silences.html", include_str!("templates/silences.html")),
    ("tokens.html", include_str!("templates/tokens.html")),
    ("trial.html", include_str!("templates/trial.html")),
    ("why_not.html", include_str!("templates/why_not.html")),
];

const STYLE: &str = include_str!("assets/site.css");

/// Nothing from elsewhere, no script in a page, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; \
                      img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// So many answers of the hotspot page are kept: a year of weeks by the slider, and a few more questions.
const KEPT: usize = 64;

/// Of where reports lie on the map.
const KEPT_PLACES: usize = 16;

/// Of where the reports of clusters lie.
const KEPT_CLUSTERS: usize = 256;

/// Of what came of campaigns: a few campaigns, by those who see different areas.
const KEPT_CAMPAIGNS: usize = 40;

/// Of quarterly reports: two quarters of every partnership.
const KEPT_REPORTS: usize = 20;

/// A campaign by name, first and last day, with the areas looked at and the instant as known on.
type WhichCampaign = (String, NaiveDate, NaiveDate, Vec<AreaRef>, DateTime<Utc>);

/// What the pages stand on.
pub struct Site {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    address: String,
    demo_accounts: Vec<(String, String)>,
    /// What pages for partners get instead of a site.
    desk: Arc<Desk>,
    trusted_proxies: Vec<IpNet>,
    /// Who else says who somebody is.
    provider: Option<Arc<Provider>>,
    /// So many passwords have been compared: each costs a tenth of a second.
    compared: AtomicU64,
    figures: Kept<Question, Figures>,
    /// The same as far as somebody may see it.
    rows: Kept<(Question, Sight), Rows>,
    places: Kept<Question, Vec<Spot>>,
    /// Where the reports of clusters lie, by alert, its last night and the instant as known on.
    clusters: Kept<(Uuid, NaiveDate, DateTime<Utc>), Vec<Spot>>,
    /// Where fewer people may be reporting, by night and the instant as known on.
    quiet: Kept<(NaiveDate, DateTime<Utc>), Reporting>,
    /// What came of campaigns.
    campaigns: Kept<WhichCampaign, Option<CampaignView>>,
    /// Reports, by quarter, partnership and the instant as of.
    reports: Kept<(Quarter, String, DateTime<Utc>), Result<Report, NoReport>>,
    /// The terms that reports are counted by.
    definitions: Vec<Definition>,
    turns: Turns,
    audit: Arc<audit::Waiting>,
    /// When the engine looks each night; without it no rule can be tried over past nights.
    nightly: Option<Schedule>,
    /// Whether the engine runs here.
    leading: Leading,
    requests: metrics::Requests,
    trials: trial::Trials,
    /// How the columns of each source are read; none where that can't be known.
    mappings: BTreeMap<String, Option<Mapping>>,
    /// The same for every other source: our own format.
    own_mapping: Option<Mapping>,
    /// The wards of incidents that programs send; whoever holds it imports.
    outlines: tokio::sync::Mutex<Outlines>,
}

impl Site {
    /// Prepares the pages. `address` is what people type; with `https` the cookie is for `https` only. Accounts of the
    /// demonstration are shown on the sign-in page; give none elsewhere.
    ///
    /// # Errors
    ///
    /// When a template is wrong.
    pub fn new(engine: &Arc<Engine>, address: String, demo_accounts: Vec<(String, String)>) -> Result<Self> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            templates.add_template(name, text)?;
        }
        let store = PublishedStore::new(engine.store.clone());
        let desk = Desk::new(store, Arc::clone(&engine.county), engine.synthetic, templates);
        Ok(Self {
            engine: Arc::clone(engine),
            clock: Arc::new(SystemClock),
            address,
            demo_accounts,
            desk: Arc::new(desk),
            trusted_proxies: Vec::new(),
            provider: None,
            compared: AtomicU64::new(0),
            figures: Kept::new(KEPT),
            rows: Kept::new(KEPT),
            places: Kept::new(KEPT_PLACES),
            clusters: Kept::new(KEPT_CLUSTERS),
            quiet: Kept::new(2),
            campaigns: Kept::new(KEPT_CAMPAIGNS),
            reports: Kept::new(KEPT_REPORTS),
            definitions: definitions(SHIPPED_DEFINITIONS)?,
            turns: Turns::default(),
            audit: Arc::default(),
            nightly: None,
            leading: Leading::default(),
            requests: metrics::Requests::default(),
            trials: trial::Trials::default(),
            mappings: BTreeMap::new(),
            own_mapping: Some(Mapping::shipped("own")?),
            outlines: tokio::sync::Mutex::default(),
        })
    }

    /// What these proxies say of their clients' addresses is believed.
    #[must_use]
    pub fn behind(mut self, proxies: &[IpNet]) -> Self {
        proxies.clone_into(&mut self.trusted_proxies);
        self
    }

    /// This provider may say who somebody is, beside the accounts kept here.
    #[must_use]
    pub fn signing_in_by(mut self, provider: Option<Arc<Provider>>) -> Self {
        self.provider = provider;
        self
    }

    /// Reports say that figures are counted by these terms.
    #[must_use]
    pub fn defining(mut self, definitions: Vec<Definition>) -> Self {
        self.definitions = definitions;
        self
    }

    /// The engine looks at these times: past nights are replayed as of them.
    #[must_use]
    pub fn looking(mut self, nightly: Schedule) -> Self {
        self.nightly = Some(nightly);
        self
    }

    /// Whether this machine runs the engine is told by `/health`.
    #[must_use]
    pub fn leading(mut self, leading: Leading) -> Self {
        self.leading = leading;
        self
    }

    /// The CSV of these sources has columns of its own; of those without a mapping no CSV is taken.
    #[must_use]
    pub fn reading(mut self, mappings: BTreeMap<String, Option<Mapping>>) -> Self {
        self.mappings = mappings;
        self
    }

    /// Whether a password belongs to a hash, counted.
    async fn is_right(&self, password: String, hash: Option<String>) -> bool {
        self.compared.fetch_add(1, Ordering::Relaxed);
        password::is_right(password, hash).await
    }

    fn render(&self, template: &str, values: Value) -> Result<String> {
        self.desk.render(template, values)
    }

    /// Which state of what was known before an instant holds: so many imports have told of something known by then. Most of
    /// what is imported becomes known as it comes, but some files say themselves since when it is.
    async fn edition(&self, instant: DateTime<Utc>) -> Result<Edition> {
        Ok(self.engine.store.imports_telling_of(instant).await?)
    }

    /// Figures, kept for those who ask the same.
    async fn figures(&self, question: &Question) -> Result<Arc<Figures>> {
        let edition = self.edition(question.as_known_on).await?;
        self.figures.get(question, edition, self.judged(question)).await
    }

    /// The same, of what is known by now: what is made of it is kept, too.
    async fn fresh_figures(&self, question: &Question, edition: Edition) -> Result<Arc<Figures>> {
        self.figures.fresh(question, edition, self.judged(question)).await
    }

    fn judged(&self, question: &Question) -> impl Future<Output = Result<Figures>> + Send + use<> {
        let (engine, asked) = (Arc::clone(&self.engine), question.clone());
        self.turns.one(async move { figures(&engine, &asked).await })
    }

    /// Works out what the hotspot page shows at first, so that the first reader of the day, or after an import, does not wait
    /// for it.
    async fn prepare(&self) {
        let asked = hotspots::Asked::default();
        let Ok((question, _)) = hotspots::chosen(self, &asked).await else { return };
        let made = async { self.fresh_figures(&question, self.edition(question.as_known_on).await?).await };
        if let Err(failed) = made.await {
            tracing::warn!(
                error = format!("{failed:#}"),
                "the figures of the last night could not be prepared"
            );
        }
    }

    /// Where the reports of a cluster lie, kept in the same way.
    async fn cluster(&self, alert: &Alert, as_known_on: DateTime<Utc>) -> Result<Arc<Vec<Spot>>> {
        let edition = self.edition(as_known_on).await?;
        let (engine, asked) = (Arc::clone(&self.engine), alert.clone());
        let answer = async move { places::of_cluster(&engine, &asked, as_known_on).await };
        self.clusters.get(&(alert.id, alert.night, as_known_on), edition, answer).await
    }

    /// Where fewer people may be reporting, kept in the same way.
    async fn reporting(&self, night: NaiveDate, as_known_on: DateTime<Utc>) -> Result<Arc<Reporting>> {
        let edition = self.edition(as_known_on).await?;
        let engine = Arc::clone(&self.engine);
        let answer = self.turns.one(async move { quiet_on(&engine, night, as_known_on).await });
        self.quiet.get(&(night, as_known_on), edition, answer).await
    }

    /// What came of a campaign, kept in the same way.
    async fn campaign(&self, asked: &campaign::Asked) -> Result<Arc<Option<CampaignView>>> {
        let edition = self.edition(asked.as_known_on).await?;
        let (engine, one) = (Arc::clone(&self.engine), asked.clone());
        let answer = self.turns.one(async move { campaign::campaign_view(&engine, &one).await });
        let (event, instant) = (&asked.event, asked.as_known_on);
        let key = (event.name.clone(), event.window.first, event.window.last, asked.areas.clone(), instant);
        self.campaigns.get(&key, edition, answer).await
    }

    /// Where reports lie, kept in the same way.
    async fn places(&self, question: &Question) -> Result<Arc<Vec<Spot>>> {
        let edition = self.edition(question.as_known_on).await?;
        let (engine, asked) = (Arc::clone(&self.engine), question.clone());
        let answer = self.turns.one(async move { density(&engine, &asked).await });
        self.places.get(question, edition, answer).await
    }
}

impl FromRef<Arc<Site>> for AtDesk {
    fn from_ref(site: &Arc<Site>) -> Self {
        Self { desk: Arc::clone(&site.desk), now: site.clock.now() }
    }
}

/// Every page, with what surrounds them.
pub fn router(site: Site) -> Router {
    router_of(&Arc::new(site))
}

fn router_of(site: &Arc<Site>) -> Router {
    let sessions = session::Sessions::new(site.engine.store.clone(), Arc::clone(&site.clock));
    let secure = site.address.starts_with("https://");
    let session_layer = SessionManagerLayer::new(sessions)
        .with_name(if secure { "__Host-tension-watch" } else { "tension-watch" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnSessionEnd);
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let around = ServiceBuilder::new()
        .layer(set(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "same-origin"))
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .option_layer(secure.then(|| set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000")))
        .layer(CompressionLayer::new().quality(CompressionLevel::Precise(2)))
        .layer(from_fn(api::problem::problems))
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(30)))
        .layer(from_fn_with_state(Arc::clone(site), guard::guard));
    routes::router(site)
        .layer(session_layer)
        .fallback(|| async { error::PageError::NotFound })
        .with_state(Arc::clone(site))
        .layer(around)
        .layer(from_fn_with_state(Arc::clone(site), metrics::count))
}
