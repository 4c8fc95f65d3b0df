//! What people see when something is wrong; the inside goes to the log.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum PageError {
    /// Nobody is signed in.
    SignIn,
    /// There is no such page, or it is not for this reader: both look the same.
    NotFound,
    /// A form that was not sent from our pages, or too old.
    Form,
    /// It does not say for which host it is, or says so twice.
    NoHost,
    /// It was meant for another host.
    Elsewhere,
    /// Something failed here.
    Inside(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for PageError {
    fn from(failed: E) -> Self {
        Self::Inside(failed.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::SignIn => return Redirect::to("/sign-in").into_response(),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                "The address may be mistyped, or the page belongs to another partnership.",
            ),
            Self::Form => (
                StatusCode::FORBIDDEN,
                "The form is out of date",
                "Nothing was changed. Go back, load the page again and press the button once more.",
            ),
            Self::NoHost => (
                StatusCode::BAD_REQUEST,
                "The request names no host",
                "A browser always says which site it wants.",
            ),
            Self::Elsewhere => (
                StatusCode::MISDIRECTED_REQUEST,
                "This is not the address of this site",
                "Use the address that you were given. Whoever runs the site sets it in [site] address.",
            ),
            Self::Inside(failed) => {
                tracing::error!(error = format!("{failed:#}"), "a page failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "This page could not be made",
                    "The fault has been noted. Try again in a few minutes.",
                )
            }
        };
        let page = format!(
            "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>{title} - Tension Watch</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <link rel=\"stylesheet\" href=\"/static/site.css\"></head><body><main class=\"wrap\">\
             <h1>{title}</h1><p class=\"lede\">{text}</p><p><a href=\"/\">Go to the hotspot page</a></p></main></body></html>"
        );
        (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
    }
}
