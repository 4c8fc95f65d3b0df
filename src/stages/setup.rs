//! Puts an area pack into the store.

use crate::{
    import::{PackFiles, geometry},
    locate::Boundary,
    model::{Area, AreaKind},
    store::{Store, WardShape},
};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

/// Keeps a pack: words, areas, links, directory and outlines, in one transaction. Loading it again replaces it.
///
/// # Errors
///
/// When the store fails, or an outline belongs to no ward of the pack.
pub async fn save_pack(
    store: &Store,
    files: &PackFiles,
    outlines: &[Boundary],
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tx = store.begin().await?;
    tx.save_pack(&files.pack, now).await.context("keeping the pack")?;
    for area in &files.areas {
        tx.save_area(area).await.context("keeping an area")?;
    }
    tx.replace_area_links(&files.links).await.context("keeping the links")?;
    tx.replace_directory(&files.directory).await.context("keeping the directory")?;
    for outline in outlines {
        let ward = latest(&files.areas, &outline.code)
            .with_context(|| format!("the outline of {} belongs to no ward of areas.csv", outline.code))?;
        tx.save_ward_shape(&shape(outline, ward.boundary_year)).await.context("keeping an outline")?;
    }
    tx.commit().await.context("keeping the pack")
}

/// An outline as it is kept.
#[must_use]
pub fn shape(outline: &Boundary, boundary_year: i32) -> WardShape {
    WardShape {
        ward: outline.code.clone(),
        boundary_year: boundary_year.into(),
        in_metres: outline.in_metres,
        shape: geometry(&outline.shape),
    }
}

fn latest<'a>(areas: &'a [Area], code: &str) -> Option<&'a Area> {
    areas
        .iter()
        .filter(|area| area.kind == AreaKind::Ward && area.code == code)
        .max_by_key(|area| area.boundary_year)
}
