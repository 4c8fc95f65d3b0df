//! A whole file of incidents.

use super::{
    Mapping, Reject,
    row::{Refusal, Rows},
    table::{Header, ImportError, check_fields, decode},
};
use crate::{
    locate::Grid,
    model::{Incident, Pack},
};
use chrono::{DateTime, Utc};
use csv::{ReaderBuilder, StringRecord};

/// What a file is read against.
#[derive(Debug, Clone, Copy)]
pub struct ImportContext<'a> {
    /// The county's words and bounds.
    pub pack: &'a Pack,
    /// Degrees and metres.
    pub grid: &'a Grid,
    /// Who supplied the file.
    pub source: &'a str,
    /// The present moment.
    pub imported_at: DateTime<Utc>,
}

/// A file as it was read: every row is an incident or a reject.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedFile {
    /// The header, for giving rejects back.
    pub header: Vec<String>,
    /// One version of one incident for each row that can be used; the ward is not yet known.
    pub incidents: Vec<Incident>,
    /// Rows that can't be used.
    pub rejects: Vec<Reject>,
    /// Whether each row can be used, in their order: the first that can is the first incident, and so on.
    pub usable: Vec<bool>,
    /// Rows below the header.
    pub rows: u64,
    /// What the reader should know beside that.
    pub notes: Vec<String>,
}

/// Reads a CSV file of incidents.
///
/// UTF-8 with or without a byte order mark, or else Windows-1252; lines may end in LF or CRLF; quoted fields may hold
/// line ends.
///
/// # Errors
///
/// When nothing of the file can be used: see [`ImportError`].
pub fn read_incidents(
    bytes: &[u8],
    mapping: &Mapping,
    context: &ImportContext<'_>,
) -> Result<ImportedFile, ImportError> {
    read_at_most(bytes, mapping, context, u64::MAX)
}

/// The same for a file of at most so many rows: one with more is refused as a whole, before they fill the memory.
///
/// # Errors
///
/// As [`read_incidents`], and when there are more.
pub fn read_at_most(
    bytes: &[u8],
    mapping: &Mapping,
    context: &ImportContext<'_>,
    most: u64,
) -> Result<ImportedFile, ImportError> {
    let text = decode(bytes);
    check_fields(&text)?;
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut row = StringRecord::new();
    if !matches!(reader.read_record(&mut row), Ok(true)) {
        return Err(ImportError::Empty);
    }
    let header = Header::new(row.iter().map(|name| name.trim().to_owned()).collect(), mapping)?;
    let mut rows = Rows::new(&header, mapping, context);
    let mut file = ImportedFile {
        header: header.names.clone(),
        incidents: Vec::new(),
        rejects: Vec::new(),
        usable: Vec::new(),
        rows: 0,
        notes: unused(&header, mapping),
    };
    // The text is valid UTF-8 and rows may differ in length, so reading on ends with the file and not before.
    while let Ok(true) = reader.read_record(&mut row) {
        if file.rows == most {
            return Err(ImportError::ManyRows(most));
        }
        file.add(rows.read(&row), &header, &row, line_of(&row, &text));
    }
    Ok(file)
}

impl ImportedFile {
    /// Adds what became of a row.
    pub(super) fn add(
        &mut self,
        read: Result<Incident, Refusal>,
        header: &Header,
        row: &StringRecord,
        line: u64,
    ) {
        self.rows += 1;
        self.usable.push(read.is_ok());
        match read {
            Ok(incident) => self.incidents.push(incident),
            Err(refusal) => self.rejects.push(reject(header, row, line, refusal)),
        }
    }
}

/// The line a row begins on. The reader takes its position before it steps over the LF of the CRLF before the row.
fn line_of(row: &StringRecord, text: &str) -> u64 {
    row.position().map_or(0, |at| {
        let on_line_feed = text.as_bytes().get(at.byte() as usize) == Some(&b'\n');
        at.line() + u64::from(on_line_feed)
    })
}

fn reject(header: &Header, row: &StringRecord, line: u64, refusal: Refusal) -> Reject {
    Reject {
        line,
        column: refusal.column,
        reason: refusal.reason,
        row: header
            .used
            .iter()
            .enumerate()
            .map(
                |(place, used)| {
                    if *used { row.get(place).unwrap_or_default().to_owned() } else { String::new() }
                },
            )
            .collect(),
    }
}

fn unused(header: &Header, mapping: &Mapping) -> Vec<String> {
    let names: Vec<String> = header
        .names
        .iter()
        .zip(&header.used)
        .filter(|(name, used)| !**used && !mapping.ignores(name))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        Vec::new()
    } else {
        vec![format!("columns that are not used: {}", names.join(", "))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bounds, Categories, Class, Precision, Projection, Status};
    use proptest::prelude::*;

    fn pack() -> Pack {
        let class = |code: &str| Class { code: code.into(), label: code.into(), from: None, to: None };
        Pack {
            name: "Leicester, Leicestershire and Rutland".into(),
            prefix: "LLR".into(),
            zone: chrono_tz::Europe::London,
            projection: Projection::BritishNationalGrid,
            bounds: Bounds { west: -1.7, south: 52.3, east: -0.3, north: 53.1 },
            categories: Categories::new([
                "race",
                "religion",
                "sexual_orientation",
                "disability",
                "transgender",
                "other",
            ])
            .unwrap(),
            category_labels: vec![],
            category_word: "strand".into(),
            classes: vec![class("crime"), class("incident")],
            holidays: Vec::new(),
            publish: crate::model::Terms::default(),
            reporting: Vec::new(),
        }
    }

    fn read(mapping: &str, text: &[u8]) -> Result<ImportedFile, ImportError> {
        let pack = pack();
        let grid = Grid::new(pack.projection);
        let mapping = Mapping::shipped(mapping).unwrap();
        let imported_at = "2026-06-30T05:00:00Z".parse().unwrap();
        let context = ImportContext { pack: &pack, grid: &grid, source: "police", imported_at };
        read_incidents(text, &mapping, &context)
    }

    const EXPORT: &str = "Occurrence Number,Record Type,Record Status,Committed From Date,Committed From Time,\
        Committed To Date,Recorded Date,Easting,Northing,How Reported,Offence Group,Repeat Key,Race,Religion,\
        Sexual Orientation,Disability,Transgender,Other Hate,Officer Number\r\n";

    fn export(rows: &str) -> ImportedFile {
        read("police-export", format!("{EXPORT}{rows}").as_bytes()).unwrap()
    }

    #[test]
    fn a_police_export_with_british_dates_and_flags() {
        let file = export(
            "26/1,Crime,Open,05/06/2026,23:40,,06/06/2026 09:00,458900,304500,101,violence,k1,Y,Y,N,N,N,N,77\r\n\
             26/2,Non-crime,Cancelled,46206,,,,,,online,\"two\r\nlines\",,,,yes,,,,78\r\n",
        );
        assert_eq!((file.rows, file.rejects.len()), (2, 1), "{:?}", file.rejects);
        let one = &file.incidents[0];
        assert_eq!(one.occurred_from, "2026-06-05T22:40:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(one.known_at, "2026-06-06T08:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(
            (one.categories.mentions(), one.status, one.precision),
            (2, Status::Pending, Precision::Street)
        );
        assert!((one.place.unwrap().lon + 1.13).abs() < 0.01);
        assert_eq!(one.id, super::super::identity::id_of("police", "26/1"));
        // The officer's number is not used, so it is not kept, not even with a rejected row.
        assert_eq!(file.rejects[0].row[18], "");
    }

    #[test]
    fn every_fault_of_a_place_or_word_has_its_own_reason() {
        let row = |place: &str, flags: &str| {
            format!("26/1,Crime,Open,05/06/2026,,,06/06/2026,{place},101,,,{flags},N,N,N,N,\r\n")
        };
        let file = export(
            &[
                row("0,0", "Y,N"),
                row("304500,458900", "Y,N"),
                row("538900,104500", "Y,N"),
                row("NaN,304500", "Y,N"),
                row("458900,", "Y,N"),
                row("458900,304500", "N,N"),
                row("458900,304500", "perhaps,N"),
                "26/9,Crime\r\n".to_owned(),
                "26/8,Crime,Open,05/13/2026,,,,,,,,,Y,N,N,N,N,N,\r\n".to_owned(),
                "26/8,Crime,Open,05/06/2062,,,,,,,,,Y,N,N,N,N,N,\r\n".to_owned(),
            ]
            .concat(),
        );
        let told: Vec<String> = file
            .rejects
            .iter()
            .map(|reject| {
                format!("{}: {}: {}", reject.line, reject.column.as_deref().unwrap_or("row"), reject.reason)
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        2: Easting: both coordinates are 0, which is no place here; leave them empty if it is unknown
        3: Easting: the two coordinates are swapped; exchange them
        4: Easting: the place lies outside Leicester, Leicestershire and Rutland; check the coordinates, or leave both empty
        5: Easting: `NaN` is not a finite number
        6: Northing: one coordinate is missing; give both or none
        7: row: there is no strand; name at least one
        8: Race: `perhaps` is neither yes nor no
        9: row: the row has 2 fields, the header 19; check for a missing or an extra comma
        10: Committed From Date: `05/13/2026` is not a date of the form %d/%m/%Y %H:%M or %d/%m/%Y
        11: Committed From Date: the date is in the future; check the year and the order of day and month
        ");
    }

    #[test]
    fn rows_without_a_reference_are_known_by_content_and_ordinal() {
        let head = "Crime ID,Month,Longitude,Latitude,Crime type\n";
        let mapping: Mapping = crate::import::SHIPPED_MAPPINGS[1].1.parse().unwrap();
        let mut pack = pack();
        pack.categories = Categories::new(["anti_social_behaviour", "other_theft"]).unwrap();
        let grid = Grid::new(pack.projection);
        let context = ImportContext {
            pack: &pack,
            grid: &grid,
            source: "police.uk",
            imported_at: "2022-09-01T00:00:00Z".parse().unwrap(),
        };
        let same = ",2022-06,-1.13,52.63,Anti-social behaviour\n";
        let text = format!("{head}{same}{same},2022-06,,,Other theft\n");
        let first = read_incidents(text.as_bytes(), &mapping, &context).unwrap();
        assert_eq!(first.incidents.len(), 3, "{:?}", first.rejects);
        assert_ne!(first.incidents[0].id, first.incidents[1].id, "two equal rows are two incidents");
        assert_eq!(first.incidents[2].precision, Precision::None);
        let again = read_incidents(text.as_bytes(), &mapping, &context).unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_what_to_do() {
        let told = |text: &str| read("own", text.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(told("referense,known_at,categories,occurred_from,lon,lat\n"), @"line 1: there is no column `reference`; the header has `referense`, `known_at`, `categories`, `occurred_from`, `lon`, `lat`; did the mapping mean `referense`?");
        insta::assert_snapshot!(told("reference,known_at,categories,occurred_from,Victim Name\n"), @"line 1: the column `Victim Name` looks as if it held names, which Tension Watch must not hold; remove it, or list it under `ignore` in the mapping if it holds something else");
        insta::assert_snapshot!(told("reference,known_at,categories,occurred_from,occurred_from\n"), @"line 1: the column `occurred_from` stands in the header twice; rename or remove one");
        insta::assert_snapshot!(told(""), @"line 1: the file is empty; it needs a header line that names the columns");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_every_row_is_somewhere(
            rows in proptest::collection::vec("[^\"\0]{0,40}", 0..8),
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let head = "reference,known_at,categories,occurred_from\n";
            if let Ok(file) = read("own", format!("{head}{}\n", rows.join("\n")).as_bytes()) {
                prop_assert_eq!(file.rows as usize, file.incidents.len() + file.rejects.len());
            }
            let _ = read("own", &[head.as_bytes(), &bytes].concat());
            let _ = read("own", &bytes);
        }
    }
}
