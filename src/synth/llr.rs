//! The area pack of Leicester, Leicestershire and Rutland, as it comes with the program. See `fixtures/llr/README.md`
//! for what is illustrative.

use super::Ward;
use std::sync::LazyLock;

/// `pack.toml`.
pub const PACK: &str = include_str!("../../fixtures/llr/pack.toml");
/// `areas.csv`.
pub const AREAS: &str = include_str!("../../fixtures/llr/areas.csv");
/// `links.csv`.
pub const LINKS: &str = include_str!("../../fixtures/llr/links.csv");
/// `directory.csv`.
pub const DIRECTORY: &str = include_str!("../../fixtures/llr/directory.csv");
const CENTRES: &str = include_str!("../../fixtures/llr/ward-centres.csv");

/// What share of the county's incidents each district has, in hundredths.
const SHARES: [(&str, f64); 9] = [
    ("E06000016", 56.0),
    ("E07000130", 11.5),
    ("E07000129", 6.0),
    ("E07000132", 5.5),
    ("E07000134", 5.5),
    ("E07000135", 4.5),
    ("E07000131", 4.0),
    ("E07000133", 2.5),
    ("E06000017", 2.0),
];

/// The wards with their districts' shares. Lines of the pack that can't be read are left out; a test reads them all.
#[must_use]
pub fn wards() -> &'static [Ward] {
    static WARDS: LazyLock<Vec<Ward>> = LazyLock::new(read);
    &WARDS
}

fn read() -> Vec<Ward> {
    let rows = |text: &'static str| text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows(CENTRES)
        .filter_map(|row| {
            let [code, easting, northing, factor] = row[..] else { return None };
            let district = rows(LINKS).find(|link| link[0] == code && link[1] == "district")?[2];
            // From the end: some names have a comma.
            let population = rows(AREAS)
                .find(|area| area[0] == "ward" && area[1] == code)?
                .iter()
                .nth_back(1)?
                .parse()
                .ok()?;
            Some(Ward {
                code: code.to_owned(),
                district: district.to_owned(),
                district_share: SHARES.iter().find(|(of, _)| *of == district)?.1 / 100.0,
                population,
                factor: factor.parse().ok()?,
                centre: (easting.parse().ok()?, northing.parse().ok()?),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        import::read_pack,
        model::{AreaKind, Role},
    };

    #[test]
    fn every_ward_has_a_district_a_partnership_and_somebody_to_tell() {
        let files = read_pack(PACK, AREAS, LINKS, DIRECTORY).unwrap();
        let wards = wards();
        assert_eq!(wards.len(), 176);
        assert_eq!(files.areas.iter().filter(|area| area.kind == AreaKind::Ward).count(), 176);
        for ward in wards {
            for (kind, role) in [
                (AreaKind::District, None),
                (AreaKind::Csp, Some(Role::CspCoordinator)),
                (AreaKind::Npa, Some(Role::NptSergeant)),
                (AreaKind::Whole, None),
            ] {
                let links: Vec<_> =
                    files.links.iter().filter(|(of, to, _)| *of == ward.code && *to == kind).collect();
                assert_eq!(links.len(), 1, "{} {kind:?}", ward.code);
                let told = |role: Role| {
                    files.directory.iter().any(|mailbox| {
                        mailbox.role == role
                            && mailbox.area.as_ref().is_some_and(|area| area.code == links[0].2)
                    })
                };
                assert!(role.is_none_or(told), "{}: no {role:?}", ward.code);
            }
        }
        let partners = files.directory.iter().filter(|mailbox| mailbox.role == Role::Partner).count();
        assert_eq!(partners, 13);
        assert!(files.directory.iter().all(|mailbox| mailbox.address.ends_with(".invalid")));
    }
}
