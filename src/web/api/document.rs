//! The OpenAPI document, made from the handlers themselves.

use super::{alerts, figures, imports, problem, published};
use axum::Json;
use std::sync::LazyLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// The API, as the document begins.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tension Watch",
        description = "Incidents in; figures and alerts out. Every call but this document needs a token, which whoever runs the site makes with `tension-watch token add`. Whatever goes wrong is told as a problem (RFC 9457). Parameters that are not listed here are refused.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        openapi,
        imports::post,
        imports::get,
        alerts::list,
        alerts::one,
        figures::get,
        published::get,
    ),
    components(schemas(problem::Problem)),
    tags(
        (name = "incidents", description = "For the systems that supply incidents."),
        (name = "alerts", description = "For the systems of those responsible."),
        (name = "figures", description = "Exact counts, for the systems of those responsible."),
        (name = "published", description = "For the systems of partners."),
        (name = "document", description = "This document."),
    ),
    modifiers(&Tokens, &Problems),
)]
struct Api;

/// How programs say who they are.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("tw_ and 64 hexadecimal digits")
            .description(Some(
                "A token with scopes: incidents:write (of one source), figures:read and alerts:read (of an area, or of all), \
                 published:read.",
            ))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// What can go wrong everywhere.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let named = path.contains('{');
            if let Some(operation) = &mut item.get {
                add(operation, named, false);
            }
            if let Some(operation) = &mut item.post {
                add(operation, named, true);
            }
        }
    }
}

fn add(operation: &mut Operation, named: bool, writes: bool) {
    let protected = operation.security.is_some();
    for (status, told, applies) in [
        ("400", "The address, a parameter or a header can't be understood.", true),
        ("401", "There is no token, or it is not good: mistyped, revoked or ended.", protected),
        ("403", "The token does not have the scope.", protected),
        ("404", "There is none, or it is not the token's to see.", named),
        ("409", "The same call is under way; `Retry-After` says for how long to wait.", writes),
        ("413", "The body is too large, or has too many rows.", writes),
        ("415", "The content type is neither JSON nor CSV.", writes),
        ("421", "The request was meant for another host.", true),
        ("422", "What was sent has the wrong shape, or another body had this key. Nothing was kept.", writes),
        ("429", "Too many calls from this address had no good token.", protected),
        ("500", "Something failed here. It has been noted.", true),
        ("503", "It took too long, or can't be done now. Try again with the same key.", true),
    ] {
        if applies {
            let mut response = Response::new(told);
            let schema = Ref::from_schema_name("Problem");
            response.content.insert(problem::CONTENT_TYPE.into(), Content::new(Some(schema)));
            operation.responses.responses.insert(status.into(), RefOr::T(response));
        }
    }
}

static DOCUMENT: LazyLock<serde_json::Value> =
    LazyLock::new(|| serde_json::to_value(Api::openapi()).unwrap_or_default());

/// Read this document.
///
/// It needs no token.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "document",
    responses((status = 200, description = "The document, OpenAPI 3.1.", body = Object, content_type = "application/json"))
)]
pub(in crate::web) async fn openapi() -> Json<&'static serde_json::Value> {
    Json(&DOCUMENT)
}
