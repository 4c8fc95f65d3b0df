//! Maps of squares, of the county that comes with the program, and of shapes that are none.

use super::*;
use crate::{
    import::read_pack,
    model::AreaKind,
    synth::{llr, tessellation},
};
use geo::{Coord, LineString, Polygon, polygon};
use proptest::prelude::*;
use resvg::tiny_skia::Pixmap;
use std::collections::BTreeMap;

fn square(east: f64, north: f64, side: f64) -> Polygon<f64> {
    polygon![(x: east, y: north), (x: east + side, y: north), (x: east + side, y: north + side), (x: east, y: north + side)]
}

fn ward(name: &str, partnership: &str, shape: impl Into<MultiPolygon<f64>>) -> WardShape {
    WardShape {
        code: format!("W-{name}"),
        name: name.into(),
        partnership: partnership.into(),
        shape: shape.into(),
    }
}

/// Three in a row, and one beyond.
fn row() -> MapView {
    MapView {
        concerned: vec![
            ward("Belgrave", "Safer Leicester", square(0.0, 0.0, 1_000.0)),
            ward("Rushey Mead", "Safer Leicester", square(1_000.0, 0.0, 1_000.0)),
        ],
        around: vec![
            ward("Thurmaston", "Charnwood", square(2_000.0, 0.0, 1_000.0)),
            ward("Birstall", "Charnwood", square(3_000.0, 0.0, 1_000.0)),
        ],
        whole_county: false,
    }
}

/// The county that comes with the program, with some of its wards concerned.
fn county(codes: &[&str]) -> MapView {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap();
    let name = |kind, code: &str| {
        let area = files.areas.iter().find(|area| area.kind == kind && area.code == code);
        area.map_or(String::new(), |area| area.name.clone())
    };
    let csps: BTreeMap<&str, &str> = files
        .links
        .iter()
        .filter(|(_, kind, _)| *kind == AreaKind::Csp)
        .map(|(ward, _, csp)| (ward.as_str(), csp.as_str()))
        .collect();
    let wards = llr::wards();
    let centres: Vec<(f64, f64)> = wards.iter().map(|ward| ward.centre).collect();
    let shapes = wards.iter().zip(tessellation(&centres)).map(|(ward, cell)| WardShape {
        code: ward.code.clone(),
        name: name(AreaKind::Ward, &ward.code),
        partnership: csps.get(ward.code.as_str()).map_or(String::new(), |csp| name(AreaKind::Csp, csp)),
        shape: Polygon::new(LineString::from(cell), vec![]).into(),
    });
    let (mut concerned, around): (Vec<_>, Vec<_>) =
        shapes.partition(|ward| codes.contains(&ward.name.as_str()));
    concerned.sort_by_key(|ward| codes.iter().position(|name| *name == ward.name));
    assert_eq!(concerned.len(), codes.len(), "{codes:?}");
    MapView { concerned, around, whole_county: true }
}

#[test]
fn the_map_is_told_in_sentences_too() {
    insta::assert_snapshot!(
        alternative(&row()),
        @"Map of Belgrave and Rushey Mead, in Safer Leicester; Belgrave is drawn strongest. They border on Thurmaston."
    );
    let mut view = row();
    view.around.push(view.concerned.remove(1));
    insta::assert_snapshot!(alternative(&view), @"Map of Belgrave, in Safer Leicester. It borders on Rushey Mead.");
    view.concerned[0].partnership.clear();
    view.around.clear();
    assert_eq!(alternative(&view), "Map of Belgrave.");
    assert_eq!(alternative(&MapView::default()), "");
}

#[test]
fn the_first_ward_is_strongest_and_names_are_letters_not_markup() {
    let mut view = row();
    view.concerned[1].name = "<Rushey> & \"Mead\"\u{1}".into();
    let drawn = png(&view).unwrap();
    assert_eq!(drawn, png(&view).unwrap());
    let picture = Pixmap::decode_png(&drawn).unwrap();
    assert_eq!((picture.width(), picture.height()), (WIDTH * 2, HEIGHT * 2));
    assert!(picture.pixels().iter().all(|pixel| pixel.alpha() == 255));
    let focus = frame::together(view.concerned.iter().filter_map(|ward| bounds(&ward.shape))).unwrap();
    let frame = Frame::around(focus, ALONE);
    let at = |x: f64, y: f64| {
        let at = frame.at(Coord { x, y });
        let pixel = picture.pixel((at.x * 2.0) as u32, (at.y * 2.0) as u32).unwrap();
        format!("#{:02x}{:02x}{:02x}", pixel.red(), pixel.green(), pixel.blue())
    };
    let (first, second, beside) = (at(100.0, 100.0), at(1_100.0, 100.0), at(2_100.0, 100.0));
    assert_eq!([first, second, beside], [STRONGEST, CONCERNED, AROUND]);
    assert!(alternative(&view).contains("<Rushey> & \"Mead\""));
}

#[test]
fn a_border_is_where_two_partnerships_share_an_edge() {
    let (west, east) = (square(0.0, 0.0, 10.0).into(), square(10.0, 0.0, 10.0).into());
    // One edge of seven is shared: such outlines are not trusted.
    assert!(borders(&[("a", &west), ("b", &east)]).is_empty());
    let grid: Vec<MultiPolygon<f64>> =
        (0..9).map(|n| square(f64::from(n % 3) * 10.0, f64::from(n / 3) * 10.0, 10.0).into()).collect();
    let lines = |name: fn(usize) -> &'static str| {
        borders(&grid.iter().enumerate().map(|(n, shape)| (name(n), shape)).collect::<Vec<_>>())
    };
    let long = |lines: &[Vec<Coord>]| -> f64 {
        let edges = lines.iter().flat_map(|line| line.windows(2));
        edges.map(|pair| (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y)).sum()
    };
    assert!((long(&lines(|n| if n % 3 == 0 { "a" } else { "b" })) - 30.0).abs() < 1e-9);
    assert!(lines(|_| "a").is_empty());
    assert!(lines(|n| if n == 0 { "" } else { "b" }).is_empty(), "nobody knows whose it is");
}

#[test]
fn broken_shapes_do_no_harm() {
    let nan = polygon![(x: 0., y: 0.), (x: f64::NAN, y: 1.), (x: 1., y: 1.)];
    let far = polygon![(x: -1e308, y: -1e308), (x: 1e308, y: -1e308), (x: 1e308, y: 1e308)];
    let flat = polygon![(x: 0., y: 3.), (x: 5., y: 3.), (x: 9., y: 3.)];
    let dot = polygon![(x: 7., y: 7.)];
    let none = MultiPolygon(vec![polygon![], polygon![]]);
    for shape in [nan.into(), far.into(), none, MultiPolygon(vec![])] {
        let alone = MapView { concerned: vec![ward("A", "", shape)], ..MapView::default() };
        assert!(png(&alone).is_err());
        assert_eq!(alternative(&alone), "Map of A.");
        let mut view = row();
        view.concerned.insert(0, alone.concerned[0].clone());
        view.around.extend(alone.concerned);
        assert!(png(&view).is_ok());
    }
    for shape in [flat, dot] {
        let view =
            MapView { concerned: vec![ward("A", "", shape)], whole_county: true, ..MapView::default() };
        assert!(png(&view).is_ok());
    }
    assert!(png(&MapView::default()).is_err());
}

#[test]
fn maps_of_a_county_are_small_files() {
    for wards in [vec!["Belgrave"], vec!["Belgrave", "Rushey Mead"], vec!["Castle", "Billesdon & Tilton"]] {
        let drawn = png(&county(&wards)).unwrap();
        assert!(drawn.len() < 60_000, "{wards:?}: {}", drawn.len());
    }
    // Everything concerns everybody: no map beside it is needed, and few names fit.
    let mut view = county(&[]);
    std::mem::swap(&mut view.concerned, &mut view.around);
    assert!(png(&view).unwrap().len() < 90_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_outlines_can_be_drawn(
        shapes in prop::collection::vec(
            (prop::collection::vec((-30_000_i32..30_000, -30_000_i32..30_000), 0..9), "\\PC{0,30}", 0_u8..3), 1..12,
        ),
        odd in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e12), Just(0.0), any::<f64>()],
        concerned in 1_usize..6,
        whole_county: bool,
    ) {
        let wards: Vec<WardShape> = shapes
            .iter()
            .enumerate()
            .map(|(n, (corners, name, partnership))| {
                let mut ring: Vec<Coord> =
                    corners.iter().map(|(x, y)| Coord { x: (*x).into(), y: (*y).into() }).collect();
                if n % 4 == 3 {
                    ring.push(Coord { x: odd, y: 0.0 });
                }
                ward(name, &partnership.to_string(), Polygon::new(ring.into(), vec![]))
            })
            .collect();
        let (concerned, around) = wards.split_at(concerned.min(wards.len()));
        let view = MapView { concerned: concerned.to_vec(), around: around.to_vec(), whole_county };
        let has_place = |ward: &WardShape| !outline::sound(&ward.shape).0.is_empty();
        prop_assert_eq!(png(&view).is_ok(), view.concerned.iter().any(has_place));
        prop_assert!(alternative(&view).starts_with("Map of "));
    }
}
