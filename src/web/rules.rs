//! A rule as it is in force: what the link in a mail opens.

use super::{Site, error::PageError, hotspots::frame, reader::Reader};
use crate::stages::rules::checked;
use axum::{
    extract::{Path, State},
    response::Html,
};
use minijinja::context;
use std::sync::Arc;

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let saved = site.engine.store.last_rules().await?.ok_or(PageError::NotFound)?;
    let county = &site.engine.county;
    let rules = checked(&saved.files, county, county.day_of(saved.accepted_at))?.rules;
    let rule = rules.iter().find(|rule| rule.id == id).ok_or(PageError::NotFound)?;
    let text = saved.files.values().find(|text| text.contains(&format!("\"{id}\"")));
    let values = context! {
        ..frame(&site, &reader),
        ..context! {
            heading => &rule.title,
            in_words => rule.in_words(),
            version => &rule.version,
            since => saved.accepted_at.with_timezone(&county.pack.zone).format("%-d %B %Y").to_string(),
            who => rule.who.iter().map(|role| role.label()).collect::<Vec<_>>(),
            text => text.map(String::as_str).unwrap_or_default(),
        },
    };
    Ok(Html(site.render("rule.html", values)?))
}
