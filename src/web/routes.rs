//! Every route in one table: its path, its method, who may call it, and the word under which calls are recorded. The
//! router is built from it, so that a test which walks the table walks every door.

use super::{
    Site, accounts, actions, alerts, answer,
    api::{self, LARGEST_IMPORT},
    area, audit, campaigns,
    error::PageError,
    health, hotspot_files, hotspots, imports, map, metrics, oidc, outbox, published, published_area,
    reader::Reader,
    reporting, reports, rules, runs, sign_in, silences, tokens, trial,
};
use crate::model::{Role, Scope};
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::Method,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get, post},
};
use std::sync::Arc;
use tower_http::limit::RequestBodyLimitLayer;

/// What a route asks of whoever calls it. Which areas they see is decided by [`Reader::sight`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Nothing.
    Open,
    /// The secret of a link in a mail.
    Link,
    /// An account.
    SignedIn,
    /// Figures: exact ones of their own areas, or published ones.
    Figures,
    /// The same to take away.
    Download,
    /// One of their own areas closely.
    Area,
    /// The list of alerts of their own areas.
    AlertList,
    /// Exact data about alerts of their own areas.
    Alert,
    /// To answer an alert.
    Answer,
    /// The action register of their own areas.
    Actions,
    /// To record an action or say what came of it.
    Act,
    /// Quarterly reports.
    Reports,
    /// To let partners know of an alert of their own areas.
    Release,
    /// To see what quiet was asked for.
    Silences,
    /// To ask for quiet.
    Quiet,
    /// What the rules found everywhere.
    Rules,
    /// To have a rule tried over past nights.
    Try,
    /// What was imported, and the rows that could not be used.
    Imports,
    /// To take those rows away, to mend them.
    Mend,
    /// How the engine does.
    Runs,
    /// Where messages stand, never their text.
    Outbox,
    /// To have messages sent again.
    SendAgain,
    /// Who may sign in and which programs may call.
    Access,
    /// Who saw and did what.
    Audit,
    /// No account: a program's token with this scope.
    Token(Scope),
}

/// Whether a role sees exact figures at all.
pub(super) const fn is_exact(role: Role) -> bool {
    match role {
        Role::CspCoordinator
        | Role::CspChair
        | Role::NptSergeant
        | Role::NpaCommander
        | Role::HateLead
        | Role::Analyst
        | Role::Auditor => true,
        Role::Sog | Role::Spb | Role::Partner | Role::Admin => false,
    }
}

impl Right {
    /// Whether a role has it.
    pub(super) const fn allows(self, role: Role) -> bool {
        match self {
            Self::Open | Self::Link | Self::SignedIn => true,
            Self::Figures => !matches!(role, Role::Admin),
            Self::Download => !matches!(role, Role::Admin | Role::Auditor),
            Self::Alert | Self::AlertList | Self::Area | Self::Actions => is_exact(role),
            Self::Answer | Self::Act => is_exact(role) && !matches!(role, Role::Auditor),
            Self::Silences => Self::Quiet.allows(role) || matches!(role, Role::Auditor),
            Self::Quiet | Self::Release => {
                matches!(role, Role::CspCoordinator | Role::CspChair | Role::Analyst | Role::HateLead)
            }
            Self::Rules | Self::Imports => matches!(role, Role::Analyst | Role::HateLead | Role::Auditor),
            Self::Mend | Self::Try => matches!(role, Role::Analyst | Role::HateLead),
            Self::Access => matches!(role, Role::Admin),
            Self::Runs | Self::Outbox => matches!(role, Role::Analyst | Role::Auditor | Role::Admin),
            Self::SendAgain => matches!(role, Role::Analyst | Role::Admin),
            Self::Audit => matches!(role, Role::Auditor | Role::Admin),
            Self::Reports => is_exact(role) || matches!(role, Role::Sog | Role::Spb),
            Self::Token(_) => false,
        }
    }
}

/// One door.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) right: Right,
    /// The word for it in the audit log; handlers of open routes write theirs themselves.
    pub(super) what: Option<&'static str>,
    handler: fn() -> MethodRouter<Arc<Site>>,
}

const fn seen(
    path: &'static str,
    right: Right,
    what: &'static str,
    handler: fn() -> MethodRouter<Arc<Site>>,
) -> Route {
    Route { method: Method::GET, path, right, what: Some(what), handler }
}

const fn done(
    path: &'static str,
    right: Right,
    what: &'static str,
    handler: fn() -> MethodRouter<Arc<Site>>,
) -> Route {
    Route { method: Method::POST, path, right, what: Some(what), handler }
}

const fn quiet(
    method: Method,
    path: &'static str,
    right: Right,
    handler: fn() -> MethodRouter<Arc<Site>>,
) -> Route {
    Route { method, path, right, what: None, handler }
}

/// All of them.
pub(super) static ROUTES: [Route; 64] = [
    seen("/", Right::Figures, "hotspot page", || get(hotspots::page)),
    seen("/hotspots.csv", Right::Download, "download of the hotspot table", || get(hotspot_files::csv)),
    seen("/hotspots.geojson", Right::Download, "download of the hotspot figures", || {
        get(hotspot_files::geojson)
    }),
    seen("/hotspots.png", Right::Download, "download of the hotspot map", || get(hotspot_files::png)),
    seen("/areas/{kind}/{code}", Right::Area, "area", || get(area::page)),
    seen("/map/figures.json", Right::Figures, "figures of the map", || get(map::figures)),
    seen("/map/hexagons.json", Right::Area, "density on the map", || get(map::hexagons)),
    seen("/published", Right::Figures, "published figures", || get(published::page)),
    seen("/published/{area}/{code}", Right::Figures, "published figures of an area", || {
        get(published_area::page)
    }),
    seen("/published/figures.json", Right::Figures, "published figures of the map", || {
        get(published::figures)
    }),
    seen("/published.csv", Right::Download, "download of published figures", || get(published::csv)),
    seen("/published.geojson", Right::Download, "download of published figures", || get(published::geojson)),
    seen("/published.png", Right::Download, "download of the published map", || get(published::png)),
    seen("/alerts", Right::AlertList, "list of alerts", || get(alerts::list)),
    seen("/alerts/{number}", Right::Alert, "alert", || get(alerts::page)),
    done("/alerts/{number}/answer", Right::Answer, "answer to an alert", || post(alerts::answer)),
    done("/alerts/{number}/release", Right::Release, "releasing an alert to partners", || {
        post(alerts::release)
    }),
    seen("/alerts/{number}/mail/{part}", Right::Alert, "mail of an alert", || get(alerts::mail)),
    seen("/alerts/{number}/explained", Right::Alert, "explanation of an alert", || get(alerts::explained)),
    seen("/actions", Right::Actions, "action register", || get(actions::list)),
    done("/actions", Right::Act, "recording an action", || post(actions::add)),
    done("/actions/{id}/end", Right::Act, "ending an action", || post(actions::end)),
    seen("/reports", Right::Reports, "list of reports", || get(reports::list)),
    seen("/reports/{quarter}", Right::Reports, "quarterly report", || get(reports::page)),
    seen("/under-reporting", Right::Area, "under-reporting", || get(reporting::page)),
    seen("/campaigns", Right::Area, "campaigns", || get(campaigns::page)),
    seen("/silences", Right::Silences, "silences", || get(silences::list)),
    done("/silences", Right::Quiet, "asking for quiet", || post(silences::ask)),
    done("/silences/{id}/end", Right::Quiet, "ending a silence", || post(silences::end)),
    seen("/rules", Right::Rules, "rules", || get(rules::list)),
    seen("/rules/why-not", Right::Rules, "why a rule holds", || get(rules::why_not)),
    seen("/rules/{id}", Right::Alert, "rule", || get(rules::page)),
    seen("/rules/{id}/try", Right::Try, "trial of a rule", || get(trial::page)),
    done("/rules/{id}/try", Right::Try, "trying a rule", || post(trial::begin)),
    seen("/imports", Right::Imports, "list of imports", || get(imports::list)),
    seen("/imports/{id}", Right::Imports, "import with its rejected rows", || get(imports::page)),
    seen("/imports/{id}/rejects.csv", Right::Mend, "download of rejected rows", || get(imports::csv)),
    seen("/runs", Right::Runs, "runs of the engine", || get(runs::page)),
    seen("/outbox", Right::Outbox, "outbox", || get(outbox::page)),
    done("/outbox/{which}/retry", Right::SendAgain, "sending messages again", || post(outbox::retry)),
    seen("/accounts", Right::Access, "accounts", || get(accounts::list)),
    done("/accounts", Right::Access, "saving an account", || post(accounts::save)),
    done("/accounts/remove", Right::Access, "removing an account", || post(accounts::remove)),
    seen("/tokens", Right::Access, "tokens", || get(tokens::list)),
    done("/tokens", Right::Access, "making a token", || post(tokens::add)),
    done("/tokens/revoke", Right::Access, "revoking a token", || post(tokens::revoke)),
    seen("/audit", Right::Audit, "audit log", || get(audit::page)),
    quiet(Method::GET, "/sign-in", Right::Open, || get(sign_in::show)),
    quiet(Method::POST, "/sign-in", Right::Open, || post(sign_in::sign_in)),
    quiet(Method::GET, "/sign-in/oidc", Right::Open, || get(oidc::begin)),
    quiet(Method::GET, "/sign-in/oidc/back", Right::Open, || get(oidc::back)),
    done("/sign-out", Right::SignedIn, "sign-out", || post(sign_in::sign_out)),
    quiet(Method::GET, "/answer/{token}", Right::Link, || get(answer::show)),
    quiet(Method::POST, "/answer/{token}", Right::Link, || post(answer::press)),
    quiet(Method::GET, "/health", Right::Open, || get(health::get)),
    quiet(Method::GET, "/ready", Right::Open, || get(metrics::ready)),
    quiet(Method::GET, "/static/{file}", Right::Open, || get(map::asset)),
    quiet(Method::GET, "/api/v1/openapi.json", Right::Open, || get(api::document::openapi)),
    done("/api/v1/incidents", Right::Token(Scope::IncidentsWrite), "sending incidents", || {
        post(api::imports::post)
    }),
    seen("/api/v1/imports/{id}", Right::Token(Scope::IncidentsWrite), "import", || get(api::imports::get)),
    seen("/api/v1/alerts", Right::Token(Scope::AlertsRead), "list of alerts", || get(api::alerts::list)),
    seen("/api/v1/alerts/{number}", Right::Token(Scope::AlertsRead), "alert", || get(api::alerts::one)),
    seen("/api/v1/figures", Right::Token(Scope::FiguresRead), "figures", || get(api::figures::get)),
    seen("/api/v1/published", Right::Token(Scope::PublishedRead), "published figures", || {
        get(api::published::get)
    }),
];

/// Largest body of a request, in bytes.
const LARGEST_FORM: usize = 64 * 1024;

/// The table as a router.
pub(super) fn router(site: &Arc<Site>) -> Router<Arc<Site>> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let gate = from_fn_with_state((Arc::clone(site), route), gate);
        let largest =
            if route.right == Right::Token(Scope::IncidentsWrite) { LARGEST_IMPORT } else { LARGEST_FORM };
        let limit = RequestBodyLimitLayer::new(largest);
        router.route(route.path, (route.handler)().route_layer(gate).route_layer(limit))
    })
}

/// Lets those through who have the right, and records what they saw or did.
async fn gate(
    State((site, route)): State<(Arc<Site>, &'static Route)>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(route.right, Right::Open | Right::Link) {
        return next.run(request).await;
    }
    if let Right::Token(scope) = route.right {
        return whole(route, api::token::gate(site, route, scope, request, next)).await;
    }
    let (mut parts, body) = request.into_parts();
    let reader = match Reader::from_request_parts(&mut parts, &site).await {
        Ok(reader) => reader,
        Err(PageError::SignIn) => return sign_in::first(&parts).into_response(),
        Err(failed) => return failed.into_response(),
    };
    whole(route, answered(site, route, reader, Request::from_parts(parts, body), next)).await
}

/// An act and its line in the audit log belong together, whether or not its author waits for the answer.
async fn whole(route: &Route, answer: impl Future<Output = Response> + Send + 'static) -> Response {
    if route.method == Method::GET {
        return answer.await;
    }
    match tokio::spawn(answer).await {
        Ok(response) => response,
        Err(failed) => PageError::from(anyhow::Error::from(failed)).into_response(),
    }
}

/// The answer to a reader, and its line in the audit log.
async fn answered(
    site: Arc<Site>,
    route: &'static Route,
    reader: Reader,
    mut request: Request,
    next: Next,
) -> Response {
    let about = audit::about(request.uri());
    let response = if route.right.allows(reader.role) {
        request.extensions_mut().insert(reader.clone());
        next.run(request).await
    } else if route.path == "/" && Right::Runs.allows(reader.role) {
        // Administrators have no figures; this is where they begin.
        return Redirect::to("/runs").into_response();
    } else {
        PageError::NotFound.into_response()
    };
    let shown = route.method == Method::GET;
    // What is published already is nobody's secret.
    let Some(what) = route.what.filter(|_| {
        !shown
            || is_exact(reader.role)
            || matches!(route.right, Right::Audit | Right::Outbox | Right::Runs | Right::Access)
            || !route.right.allows(reader.role)
    }) else {
        return response;
    };
    let outcome = audit::outcome(response.status());
    match site.record(&reader.name, Some(reader.role), what, &about, outcome).await {
        Ok(()) => response,
        // Nobody sees what is not recorded. What was done is done, and its answer is the truth.
        Err(failed) if shown => PageError::from(failed).into_response(),
        Err(failed) => {
            tracing::error!(error = %failed, what, "an act could not be recorded");
            response
        }
    }
}
