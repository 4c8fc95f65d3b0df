//! Pictures of few colours as small files: a mail carries them, and every recipient gets a copy.

use super::chart::ChartError;
use resvg::tiny_skia::Pixmap;
use std::collections::{BTreeMap, HashMap};

/// More than these are no better to look at, and take more room.
const COLOURS: usize = 64;

/// As PNG of few colours: the commonest are kept as they are, so that plain grounds are exact; the rest, which are
/// steps between two of them at the edges of letters and lines, become the nearest of those. Nothing stays transparent.
pub(super) fn png(picture: &Pixmap) -> Result<Vec<u8>, ChartError> {
    // Plain grounds come in long runs of one colour.
    let runs = || {
        let runs = picture.pixels().chunk_by(|one, next| one == next);
        runs.map(|run| ([run[0].red(), run[0].green(), run[0].blue()], run.len()))
    };
    let mut counts: BTreeMap<[u8; 3], usize> = BTreeMap::new();
    for (colour, pixels) in runs() {
        *counts.entry(colour).or_default() += pixels;
    }
    let mut all: Vec<([u8; 3], usize)> = counts.into_iter().collect();
    all.sort_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    let kept = &all[..all.len().min(COLOURS)];
    let nearest = |colour: [u8; 3]| {
        let distance = |other: [u8; 3]| -> i32 {
            colour.iter().zip(other).map(|(a, b)| (i32::from(*a) - i32::from(b)).pow(2)).sum()
        };
        (0_u8..=255).zip(kept).min_by_key(|(_, (other, _))| distance(*other)).map_or(0, |(index, _)| index)
    };
    let index: HashMap<[u8; 3], u8> = all.iter().map(|(colour, _)| (*colour, nearest(*colour))).collect();
    let mut pixels: Vec<u8> = Vec::with_capacity(picture.pixels().len());
    for (colour, run) in runs() {
        pixels.resize(pixels.len() + run, index.get(&colour).copied().unwrap_or(0));
    }

    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(kept.iter().flat_map(|(colour, _)| *colour).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::High);
    // Indices are names, not amounts: differences between them say nothing.
    encoder.set_filter(png::Filter::NoFilter);
    let failed = |cause: png::EncodingError| ChartError(cause.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}
