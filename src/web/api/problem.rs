//! What programs are told when something is wrong (RFC 9457); the inside goes to the log.

use super::PREFIX;
use crate::web::error::PageError;
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The content type of problems.
pub(in crate::web) const CONTENT_TYPE: &str = "application/problem+json";

/// What was wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::web) struct Problem {
    /// What kind of problem it is, in a few words.
    #[schema(example = "The token is not good")]
    title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599, example = 401)]
    status: u16,
    /// What was wrong this time, and what to do.
    #[schema(example = "It may be mistyped, revoked or ended. Ask whoever runs the site for another.")]
    detail: String,
    /// The row to look at, counted from 1, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    /// The field or column to look at, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Seconds to wait before trying again.
    #[serde(skip)]
    wait: Option<u32>,
}

impl Problem {
    pub(in crate::web) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            title: title(status).into(),
            status: status.as_u16(),
            detail: detail.into(),
            row: None,
            field: None,
            wait: None,
        }
    }

    pub(in crate::web) fn at(mut self, row: u64, field: String) -> Self {
        (self.row, self.field) = (Some(row), Some(field));
        self
    }

    /// To be tried again after so many seconds.
    pub(in crate::web) const fn after(mut self, seconds: u32) -> Self {
        self.wait = Some(seconds);
        self
    }

    /// Nothing of that name that the token may see: both look the same.
    pub(in crate::web) fn not_found() -> Self {
        Self::of(StatusCode::NOT_FOUND)
    }

    /// What a status means where nothing more is known.
    fn of(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::BAD_REQUEST => "The address or a header can't be read; check what was sent.",
            StatusCode::NOT_FOUND => {
                "There is nothing at this address that the token may see. /api/v1/openapi.json lists the addresses."
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                "This address does not take this method; the header Allow names those it takes."
            }
            StatusCode::PAYLOAD_TOO_LARGE => "Send it in several parts; incidents in bodies of 8 MB or less.",
            StatusCode::FORBIDDEN => "It was sent by a page of another site. Programs send no Origin header.",
            StatusCode::MISDIRECTED_REQUEST => "Use the address that you were given.",
            StatusCode::SERVICE_UNAVAILABLE => {
                "It took too long. Try again in a minute, with the same Idempotency-Key."
            }
            _ => "The fault has been noted. Try again in a few minutes, with the same Idempotency-Key.",
        };
        Self::new(status, detail)
    }
}

/// The kind of a problem, in a few words.
const fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request can't be understood",
        StatusCode::UNAUTHORIZED => "The token is not good",
        StatusCode::FORBIDDEN => "The token does not allow this",
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::METHOD_NOT_ALLOWED => "This method is not taken here",
        StatusCode::CONFLICT => "The same call is under way",
        StatusCode::PAYLOAD_TOO_LARGE => "It is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "This content type is not taken here",
        StatusCode::MISDIRECTED_REQUEST => "This is not the address of this site",
        StatusCode::UNPROCESSABLE_ENTITY => "What was sent can't be used",
        StatusCode::TOO_MANY_REQUESTS => "Too many tries",
        StatusCode::SERVICE_UNAVAILABLE => "It can't be done now",
        _ => "It could not be done",
    }
}

impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(failed: E) -> Self {
        tracing::error!(error = format!("{:#}", failed.into()), "a call failed");
        Self::of(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// What a page would have said of it.
pub(in crate::web) fn of_page(failed: PageError) -> Problem {
    match failed {
        PageError::Inside(failed) => failed.into(),
        _ => Problem::not_found(),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response =
            (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(seconds) = self.wait {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Whatever refuses a call to the API, it is told as a problem.
pub(in crate::web) async fn problems(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let ours = path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !ours
        || !(status.is_client_error() || status.is_server_error())
        || kind.is_some_and(|is| is == CONTENT_TYPE)
    {
        return response;
    }
    let allowed = response.headers().get(header::ALLOW).cloned();
    let mut problem = Problem::of(status).into_response();
    if let Some(allowed) = allowed {
        problem.headers_mut().insert(header::ALLOW, allowed);
    }
    problem
}
