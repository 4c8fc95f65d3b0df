//! The area pack: its words, areas, links, outlines and directory.

use super::{Result, Store, StoreError, Tx, from_object, object};
use crate::model::{Area, AreaKind, AreaRef, Mailbox, Pack};
use chrono::{DateTime, NaiveDate, Utc};

statements! {
    SAVE_PACK = "INSERT INTO pack (id, body, loaded_at) VALUES ('pack', $1, $2)
        ON CONFLICT (id) DO UPDATE SET body = excluded.body, loaded_at = excluded.loaded_at";
    LOAD_PACK = "SELECT body FROM pack WHERE id = 'pack'";
    SAVE_AREA = "INSERT INTO area (kind, code, boundary_year, name, valid_from, valid_to, population,
            workday_population)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (kind, code, boundary_year) DO UPDATE SET name = excluded.name,
            valid_from = excluded.valid_from, valid_to = excluded.valid_to, population = excluded.population,
            workday_population = excluded.workday_population";
    LOAD_AREAS = "SELECT kind, code, boundary_year, name, valid_from, valid_to, population,
            workday_population FROM area
        ORDER BY kind, code, boundary_year";
    SAVE_LINK = "INSERT INTO area_link (ward, kind, code) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    FORGET_LINKS = "DELETE FROM area_link";
    LOAD_LINKS = "SELECT ward, kind, code FROM area_link ORDER BY ward, kind, code";
    SAVE_SHAPE = "INSERT INTO boundary (ward, boundary_year, in_metres, shape) VALUES ($1, $2, $3, $4)
        ON CONFLICT (ward, boundary_year) DO UPDATE SET in_metres = excluded.in_metres, shape = excluded.shape";
    LOAD_SHAPES = "SELECT b.ward, b.boundary_year, b.in_metres, b.shape FROM boundary b
        JOIN area a ON a.kind = 'ward' AND a.code = b.ward AND a.boundary_year = b.boundary_year
        WHERE a.valid_from <= $1 AND (a.valid_to IS NULL OR a.valid_to > $1) ORDER BY b.ward";
    FORGET_MAILBOXES = "DELETE FROM mailbox";
    SAVE_MAILBOX = "INSERT INTO mailbox (role, kind, code, address, active, mute) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING";
    LOAD_MAILBOXES = "SELECT role, kind, code, address, active, mute FROM mailbox ORDER BY role, kind, code, address";
}

/// A ward's outline.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct WardShape {
    /// The ward's code.
    pub ward: String,
    /// The year of its boundaries.
    pub boundary_year: i64,
    /// In metres on the pack's grid, or else in degrees.
    pub in_metres: bool,
    /// The geometry object of a GeoJSON feature.
    pub shape: serde_json::Value,
}

#[derive(sqlx::FromRow)]
struct AreaRow {
    kind: String,
    code: String,
    boundary_year: i64,
    name: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    population: Option<i64>,
    workday_population: Option<i64>,
}

impl TryFrom<AreaRow> for Area {
    type Error = StoreError;

    fn try_from(row: AreaRow) -> Result<Self> {
        Ok(Self {
            kind: kind(&row.kind)?,
            code: row.code,
            name: row.name,
            boundary_year: row.boundary_year as i32,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            population: row.population.and_then(|n| n.try_into().ok()),
            workday_population: row.workday_population.and_then(|n| n.try_into().ok()),
        })
    }
}

pub(super) fn kind(text: &str) -> Result<AreaKind> {
    text.parse().map_err(|_| StoreError::Unreadable { what: "kind of area" })
}

/// Kind and code of an area, both empty for the whole county.
pub(super) fn kind_and_code(area: Option<&AreaRef>) -> (&str, &str) {
    area.map_or(("", ""), |area| (area.kind.code(), area.code.as_str()))
}

/// The area that kind and code name, or none when both are empty.
pub(super) fn area_ref(kind_text: &str, code: String) -> Result<Option<AreaRef>> {
    if kind_text.is_empty() { Ok(None) } else { Ok(Some(AreaRef { kind: kind(kind_text)?, code })) }
}

impl Store {
    /// The area pack's words, or none before `init`.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn pack(&self) -> Result<Option<Pack>> {
        let body: Option<serde_json::Value> =
            on!(Self, self, pool => sqlx::query_scalar(LOAD_PACK).fetch_optional(pool).await?);
        body.map(|body| from_object(body, "area pack")).transpose()
    }

    /// Every area, of every boundary year.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn areas(&self) -> Result<Vec<Area>> {
        let rows: Vec<AreaRow> = on!(Self, self, pool => sqlx::query_as(LOAD_AREAS).fetch_all(pool).await?);
        rows.into_iter().map(Area::try_from).collect()
    }

    /// Every link: ward, kind and code of the area it belongs to.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn area_links(&self) -> Result<Vec<(String, AreaKind, String)>> {
        let rows: Vec<(String, String, String)> =
            on!(Self, self, pool => sqlx::query_as(LOAD_LINKS).fetch_all(pool).await?);
        rows.into_iter().map(|(ward, of, code)| Ok((ward, kind(&of)?, code))).collect()
    }

    /// The outlines of the wards in force on a day.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn ward_shapes(&self, day: NaiveDate) -> Result<Vec<WardShape>> {
        Ok(on!(Self, self, pool => sqlx::query_as(LOAD_SHAPES).bind(day).fetch_all(pool).await?))
    }

    /// The directory.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn directory(&self) -> Result<Vec<Mailbox>> {
        let rows: Vec<(String, String, String, String, bool, String)> =
            on!(Self, self, pool => sqlx::query_as(LOAD_MAILBOXES).fetch_all(pool).await?);
        rows.into_iter()
            .map(|(role, kind, code, address, active, mute)| {
                Ok(Mailbox {
                    role: role.parse().map_err(|_| StoreError::Unreadable { what: "role" })?,
                    area: area_ref(&kind, code)?,
                    address,
                    active,
                    mute: match mute.as_str() {
                        "" => None,
                        hours => {
                            Some(hours.parse().map_err(|_| StoreError::Unreadable { what: "mute hours" })?)
                        }
                    },
                })
            })
            .collect()
    }
}

impl Tx {
    /// Keeps the pack's words, in place of those before.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn save_pack(&mut self, pack: &Pack, now: DateTime<Utc>) -> Result<()> {
        let body = object(pack, "area pack")?;
        execute!(self, sqlx::query(SAVE_PACK).bind(body).bind(now));
        Ok(())
    }

    /// Keeps an area; the same kind, code and boundary year replaces what was there.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn save_area(&mut self, area: &Area) -> Result<()> {
        execute!(
            self,
            sqlx::query(SAVE_AREA)
                .bind(area.kind.code())
                .bind(&area.code)
                .bind(i64::from(area.boundary_year))
                .bind(&area.name)
                .bind(area.valid_from)
                .bind(area.valid_to)
                .bind(area.population.map(i64::from))
                .bind(area.workday_population.map(i64::from))
        );
        Ok(())
    }

    /// Keeps these links, in place of all before.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn replace_area_links(&mut self, links: &[(String, AreaKind, String)]) -> Result<()> {
        execute!(self, sqlx::query(FORGET_LINKS));
        for (ward, kind, code) in links {
            execute!(self, sqlx::query(SAVE_LINK).bind(ward).bind(kind.code()).bind(code));
        }
        Ok(())
    }

    /// Keeps a ward's outline.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn save_ward_shape(&mut self, shape: &WardShape) -> Result<()> {
        execute!(
            self,
            sqlx::query(SAVE_SHAPE)
                .bind(&shape.ward)
                .bind(shape.boundary_year)
                .bind(shape.in_metres)
                .bind(&shape.shape)
        );
        Ok(())
    }

    /// Keeps this directory, in place of the one before.
    ///
    /// # Errors
    ///
    /// As [`StoreError`] says.
    pub async fn replace_directory(&mut self, directory: &[Mailbox]) -> Result<()> {
        execute!(self, sqlx::query(FORGET_MAILBOXES));
        for mailbox in directory {
            let (kind, code) = kind_and_code(mailbox.area.as_ref());
            execute!(
                self,
                sqlx::query(SAVE_MAILBOX)
                    .bind(mailbox.role.code())
                    .bind(kind)
                    .bind(code)
                    .bind(&mailbox.address)
                    .bind(mailbox.active)
                    .bind(mailbox.mute.map_or_else(String::new, |mute| mute.to_string()))
            );
        }
        Ok(())
    }
}
