//! The page that a link in a mail opens. Opening it changes nothing, however often and by whatever program; a pressed
//! button does, once, and only with a word on who pressed it.

use super::{
    Site,
    alerts::{Sent, answers, geography, heading, level, outcomes, own_answer, plan},
    classes::capital,
    error::PageError,
    hotspots::once_in,
    password::random_bytes,
};
use crate::{
    import::hex,
    model::{Alert, Party},
    stages::answers::Pressed,
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use minijinja::context;
use std::sync::Arc;

/// Longest word on who answers.
const LONGEST_WHO: usize = 60;

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    match site.engine.link(&token, site.clock.now()).await? {
        Some((link, alert)) => {
            let page = page(&site, &token, &alert, &link.party, None).await?;
            site.record("", Some(link.party.role), "alert, by the link of a mail", &alert.number, "shown")
                .await?;
            Ok(Html(page).into_response())
        }
        None => ended(&site),
    }
}

pub(super) async fn press(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    Form(form): Form<Sent>,
) -> Result<Response, PageError> {
    let now = site.clock.now();
    let Some((link, alert)) = site.engine.link(&token, now).await? else { return ended(&site) };
    let who: String = form.who.chars().filter(|letter| !letter.is_control()).take(LONGEST_WHO).collect();
    let geography = geography(&site).await?;
    let plays = site.engine.suggestions(&alert, &geography).await?;
    let answer = match (who.trim(), form.answer(&plays, site.engine.county.day_of(now))) {
        ("", _) => Err("Write your role or initials, so that others know who answered."),
        (_, answer) => answer,
    };
    let (said, good) = match answer {
        Err(missing) => (missing, false),
        Ok(answer) => match site.engine.press(&token, &form.token, who.trim(), &answer, now).await? {
            Pressed::Taken(_, true) => ("Thank you. Your answer is recorded.", true),
            Pressed::Taken(_, false) => {
                ("Nothing has changed: this was recorded before, or the alert is closed.", true)
            }
            Pressed::Before => (
                "This button has been pressed before. What you see below is how the alert stands now.",
                false,
            ),
            Pressed::TooOld => {
                ("The page was open for too long. Nothing has changed; please press the button again.", false)
            }
            Pressed::Ended => return ended(&site),
        },
    };
    let alert = site.engine.store.alert(&alert.number).await?.unwrap_or(alert);
    let page = page(&site, &token, &alert, &link.party, Some((said, good))).await?;
    let outcome = if good { "done" } else { "refused" };
    let what = "answer to an alert, by the link of a mail";
    if let Err(failed) = site.record("", Some(link.party.role), what, &alert.number, outcome).await {
        tracing::error!(error = %failed, "an answer could not be recorded in the audit log");
    }
    let status = if good { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page)).into_response())
}

async fn page(
    site: &Site,
    token: &str,
    alert: &Alert,
    party: &Party,
    said: Option<(&str, bool)>,
) -> Result<String, PageError> {
    let geography = geography(site).await?;
    let finding = &alert.latest;
    let chance = hex(&random_bytes::<12>());
    let values = context! {
        county => &site.engine.county.pack.name,
        prefix => &site.engine.county.pack.prefix,
        synthetic => site.engine.synthetic,
        heading => heading(alert, &geography),
        number => &alert.number,
        title => &finding.title,
        level => level(finding.level),
        state => alert.state.code(),
        usual => format!("{:.1}", finding.expected),
        rare => once_in(finding.recurrence),
        reader => party.label(&geography),
        reader_capital => capital(&party.label(&geography)),
        answers => answers(site, alert, &geography).await?,
        own => own_answer(alert, party),
        outcomes => outcomes(),
        plan => plan(site, alert, &geography).await?,
        action => format!("/answer/{token}"),
        token => site.engine.button(token, &chance, site.clock.now()),
        said => said.map(|(text, _)| text),
        good => said.is_some_and(|(_, good)| good),
    };
    Ok(site.render("answer.html", values)?)
}

fn ended(site: &Site) -> Result<Response, PageError> {
    let values = context! {
        county => &site.engine.county.pack.name,
        synthetic => site.engine.synthetic,
        heading => "This link has ended",
    };
    Ok((StatusCode::NOT_FOUND, Html(site.render("ended.html", values)?)).into_response())
}
