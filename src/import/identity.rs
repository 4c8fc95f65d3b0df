//! What makes an incident the same one, and a version a new one.

use crate::model::Incident;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Names made here are in a space of their own.
const NAMESPACE: Uuid = Uuid::from_u128(0x7e45_10a1_c0de_4bad_9a7c_0f6e_21d3_58b4);

/// The lasting key of an incident: its source's own reference, in that source.
pub(super) fn id_of(source: &str, reference: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{source}\0{reference}").as_bytes())
}

/// Bytes as people copy them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

/// A hash of what a version says; when it became known, and which ward its place lies in, are not part of it. Versions
/// with equal hashes say the same.
#[must_use]
pub fn content_hash(incident: &Incident) -> [u8; 32] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let said = format!(
        "{}\0{:?}\0{}\0{}\0{}\0{:?}\0{:?}\0{:?}\0{}\0{}\0{}",
        incident.class,
        incident.status,
        incident.categories.bits(),
        incident.occurred_from.timestamp_micros(),
        incident.occurred_to.timestamp_micros(),
        incident.recorded_at.map(|at| at.timestamp_micros()),
        incident.place.map(|place| (place.lon, place.lat, place.easting, place.northing)),
        incident.precision,
        text(&incident.channel),
        text(&incident.offence),
        text(&incident.repeat_key),
    );
    Sha256::digest(said).into()
}
