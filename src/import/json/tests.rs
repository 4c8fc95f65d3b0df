use super::*;
use crate::{
    import::read_pack,
    locate::Grid,
    model::{Incident, Pack},
    synth::llr,
};
use proptest::prelude::*;

fn pack() -> Pack {
    read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).unwrap().pack
}

fn read(text: &str) -> Result<ImportedFile, JsonError> {
    let pack = pack();
    let grid = Grid::new(pack.projection);
    let imported_at = "2026-06-30T05:00:00Z".parse().unwrap();
    read_json(text.as_bytes(), &ImportContext { pack: &pack, grid: &grid, source: "police", imported_at })
}

#[test]
fn an_incident_is_what_the_same_row_of_a_file_is() {
    let pack = pack();
    let grid = Grid::new(pack.projection);
    let imported_at = "2026-06-30T05:00:00Z".parse().unwrap();
    let context = ImportContext { pack: &pack, grid: &grid, source: "police", imported_at };
    let csv = "reference,known_at,class,status,categories,occurred_from,lon,lat,precision,offence\n\
               26/1,2026-06-29,incident,pending,race;religion,2026-06-28 23:40,-1.1332,52.6369,exact,shouting\n";
    let own = Mapping::shipped("own").unwrap();
    let of_csv: Vec<Incident> =
        crate::import::read_incidents(csv.as_bytes(), &own, &context).unwrap().incidents;
    let json = r#"[{"reference": "26/1", "known_at": "2026-06-29", "class": "incident", "status": "pending",
        "categories": ["race", "religion"], "occurred_from": "2026-06-28 23:40", "lon": -1.1332, "lat": 52.6369,
        "precision": "exact", "offence": "shouting", "channel": null}]"#;
    assert_eq!(read(json).unwrap().incidents, of_csv);
    assert_eq!(read(&format!("{{\"incidents\": {json}}}")).unwrap().incidents, of_csv);
}

#[test]
fn every_mistake_of_shape_is_told_with_its_row_and_field() {
    let told = |more: &str| {
        let row = r#"{"reference": "1", "categories": ["race"], "occurred_from": "2026-06-01""#;
        read(&format!("[{row}}}, {row}{more}}}]")).unwrap_err().to_string()
    };
    insta::assert_snapshot!(told(r#", "ofence": "x""#), @"row 2: there is no field `ofence`; did you mean `offence`?");
    insta::assert_snapshot!(told(r#", "surname": "x""#), @"row 2: the field `surname` looks as if it held names, which Tension Watch must not hold; remove it");
    insta::assert_snapshot!(told(r#", "lat": "52""#), @"row 2: `lat` is a text; it should be a number");
    insta::assert_snapshot!(told(r#", "class": ["crime"]"#), @"row 2: `class` is a list of texts; it should be a text");
    insta::assert_snapshot!(told(r#", "class": {"a": [1, {}]}"#), @"row 2: `class` is an object; it should be a text");
    insta::assert_snapshot!(told(r#", "class": true"#), @"row 2: `class` is true or false; it should be a text");
    insta::assert_snapshot!(told(r#", "class": "a", "class": "b""#), @"row 2: the field `class` stands there twice; remove one");
}

#[test]
fn a_body_of_nothing_but_rows_does_not_fill_the_memory() {
    let many = format!("[{}{{}}]", "{},".repeat(2_000_000));
    assert_eq!(read(&many), Err(JsonError::ManyRows(MOST_OBJECTS)));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_every_row_is_somewhere(
        text in ".{0,60}",
        number in any::<f64>(),
        field in 0..FIELDS.len(),
    ) {
        let mut row = serde_json::json!({"reference": "1", "categories": ["race"], "occurred_from": "2026-06-01"});
        let (name, kind, _) = FIELDS[field];
        row[name] = match kind {
            Kind::Text => text.clone().into(),
            Kind::Number => number.into(),
            Kind::Texts => vec![text.clone()].into(),
        };
        if let Ok(file) = read(&serde_json::json!([row]).to_string()) {
            prop_assert_eq!(file.rows as usize, file.incidents.len() + file.rejects.len());
            prop_assert_eq!(file.usable.len(), 1);
            prop_assert!(file.rejects.iter().flat_map(|reject| &reject.row).all(|cell| !cell.contains('\0')));
        }
        let _ = read(&text);
        let _ = read(&format!("[{{{text}}}]"));
    }
}
