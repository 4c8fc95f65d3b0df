//! What an address asks for: every parameter is known and can be read, or nothing is answered.

use super::problem::Problem;
use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, de::Error};
use utoipa::ToSchema;

/// The parameters of an address; a struct that denies unknown fields.
pub(in crate::web) struct Asked<T>(pub(in crate::web) T);

impl<T: serde::de::DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(asked)| Self(asked)).map_err(|wrong| {
            let text: String = wrong.body_text().chars().filter(|c| !c.is_control()).take(300).collect();
            Problem::new(StatusCode::BAD_REQUEST, text)
        })
    }
}

/// A day as YYYY-MM-DD, in a year that anybody can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-06-29")]
pub(in crate::web) struct Day(pub(in crate::web) NaiveDate);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        day.filter(|day| text.len() == 10 && (1900..2200).contains(&day.year()))
            .map(Self)
            .ok_or_else(|| D::Error::custom("a day is written YYYY-MM-DD, from 1900 to 2199"))
    }
}

/// Which part of a long list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct Page {
    pub(in crate::web) number: u32,
    pub(in crate::web) limit: u32,
}

impl Page {
    /// Pages are counted from 1; `usual` stand on one, `most` at most.
    pub(in crate::web) fn of(
        number: Option<u32>,
        limit: Option<u32>,
        usual: u32,
        most: u32,
    ) -> Result<Self, Problem> {
        let page = Self { number: number.unwrap_or(1), limit: limit.unwrap_or(usual) };
        if !(1..=MOST_PAGES).contains(&page.number) || !(1..=most).contains(&page.limit) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!("`page` is from 1 to {MOST_PAGES}, `limit` from 1 to {most}"),
            ));
        }
        Ok(page)
    }

    /// So many stand on the pages before.
    pub(in crate::web) const fn skip(self) -> usize {
        (self.number as usize - 1) * self.limit as usize
    }

    /// The number of the next page, where there is more than this.
    pub(in crate::web) const fn next(self, all: usize) -> Option<u32> {
        if all > self.skip() + self.limit as usize { Some(self.number + 1) } else { None }
    }
}

/// No list is longer.
pub(in crate::web) const MOST_PAGES: u32 = 100_000;
