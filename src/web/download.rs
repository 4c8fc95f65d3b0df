//! Files that readers take away. Each says in itself what it shows, as known when, and how it is marked: it is read without
//! the page it came from.

use super::{classes::Class, drawn::Drawn, error::PageError};
use crate::picture::county::{CountyMap, Step, png};
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use std::{collections::BTreeMap, fmt::Display, sync::LazyLock};
use tokio::sync::Semaphore;

/// A picture takes a tenth of a second of a core: so many are drawn side by side, the others wait.
static DRAWING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

/// So many areas of a class are named on a picture.
const NAMED: usize = 12;

/// A file of that name.
pub(super) fn file(kind: &str, name: &str, bytes: Vec<u8>) -> Response {
    let head = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (head, bytes).into_response()
}

/// What stands on a picture beside the wards.
pub(super) struct Told {
    pub(super) marking: &'static str,
    pub(super) heading: String,
    pub(super) about: String,
    /// Each class that is there, with its areas and their figures.
    pub(super) legend: Vec<(Class, Vec<String>)>,
    /// What wards without a class are, where there are any.
    pub(super) blank: &'static str,
    pub(super) notes: Vec<String>,
}

/// The map as a picture to take away; none without outlines.
pub(super) async fn picture(
    drawn: &Drawn,
    class_of: impl Fn(&str) -> Option<Class>,
    told: Told,
    name: &str,
) -> Result<Option<Response>, PageError> {
    let (wards, size) = drawn.paths_of(|ward| class_of(ward).map_or(Step::Blank, step));
    if wards.is_empty() {
        return Ok(None);
    }
    let permit = DRAWING.acquire().await.map_err(anyhow::Error::from)?;
    let made = tokio::task::spawn_blocking(move || {
        let _drawing = permit;
        let wards: Vec<(Step, &str)> = wards.iter().map(|(step, path)| (*step, path.as_str())).collect();
        let blank = wards.iter().any(|(step, _)| *step == Step::Blank);
        let counted = |(class, areas): &(Class, Vec<String>)| {
            (step(*class), format!("{}: {}", class.label(), areas.len()), named(*class, areas))
        };
        let legend: Vec<(Step, String, String)> = told
            .legend
            .iter()
            .map(counted)
            .chain(blank.then(|| (Step::Blank, told.blank.to_owned(), String::new())))
            .collect();
        let legend: Vec<(Step, &str, &str)> =
            legend.iter().map(|(step, words, names)| (*step, words.as_str(), names.as_str())).collect();
        let notes: Vec<&str> = told.notes.iter().map(String::as_str).collect();
        png(&CountyMap {
            marking: told.marking,
            heading: &told.heading,
            about: &told.about,
            wards: &wards,
            size,
            legend: &legend,
            notes: &notes,
        })
    });
    let bytes = made.await.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
    Ok(Some(file("image/png", name, bytes)))
}

/// Each class that is there with its areas, as they come.
pub(super) fn legend<'a, N: Display>(
    areas: impl Iterator<Item = (Class, &'a str, N)>,
) -> Vec<(Class, Vec<String>)> {
    let mut by_class = BTreeMap::<Class, Vec<String>>::new();
    for (class, name, reports) in areas {
        by_class.entry(class).or_default().push(format!("{name} {reports}"));
    }
    by_class.into_iter().collect()
}

/// The areas that are off their own normal: who looks at the picture elsewhere can't ask the map for them.
fn named(class: Class, areas: &[String]) -> String {
    if !class.is_off() {
        return String::new();
    }
    let shown = areas.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match areas.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

const fn step(class: Class) -> Step {
    match class {
        Class::WellAbove => Step::WellAbove,
        Class::Above => Step::Above,
        Class::SlightlyAbove => Step::SlightlyAbove,
        Class::Below => Step::Below,
        Class::TooEarly => Step::TooEarly,
        Class::Within => Step::Within,
    }
}
