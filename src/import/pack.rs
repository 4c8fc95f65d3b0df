//! An area pack: a county as four small files beside its outlines.

use crate::model::{
    Area, AreaKind, AreaRef, Bounds, Categories, Class, Mailbox, Pack, Projection, Reporting, Terms,
};
use chrono::NaiveDate;
use chrono_tz::Tz;
use csv::{ReaderBuilder, StringRecord, Trim};
use serde::Deserialize;

/// Everything that can't be used in the files of a pack, each with file, line and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct PackMistakes(pub Vec<String>);

/// A pack as its files say it.
#[derive(Debug, Clone, PartialEq)]
pub struct PackFiles {
    /// `pack.toml`.
    pub pack: Pack,
    /// `areas.csv`.
    pub areas: Vec<Area>,
    /// `links.csv`: ward, and kind and code of an area it belongs to.
    pub links: Vec<(String, AreaKind, String)>,
    /// `directory.csv`.
    pub directory: Vec<Mailbox>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackToml {
    name: String,
    prefix: String,
    zone: Tz,
    projection: Projection,
    bounds: Bounds,
    category_word: String,
    category: Vec<Word>,
    class: Vec<Class>,
    #[serde(default)]
    holidays: Vec<NaiveDate>,
    #[serde(default)]
    publish: Terms,
    #[serde(default)]
    reporting: Vec<Reporting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    code: String,
    label: String,
}

/// Reads the four files of a pack: `pack.toml`, `areas.csv` (a column `workday_population` may follow), `links.csv` (ward, kind, code) and `directory.csv` (role,
/// kind, code, mailbox; kind and code empty for the whole county).
///
/// # Errors
///
/// Every mistake in any of them.
pub fn read_pack(pack: &str, areas: &str, links: &str, directory: &str) -> Result<PackFiles, PackMistakes> {
    let mut mistakes = Vec::new();
    let pack = read_words(pack).map_err(|wrong| mistakes.push(wrong)).ok();
    let given = columns(areas).clamp(7, AREA_COLUMNS.len());
    let areas = table("areas.csv", areas, &AREA_COLUMNS[..given], &mut mistakes, read_area);
    let links = table("links.csv", links, &["ward", "kind", "code"], &mut mistakes, |row| {
        Ok((text(row, 0, "ward")?, kind(row, 1)?, text(row, 2, "code")?))
    });
    for (ward, of, code) in &links {
        for (wanted, of) in [(ward, AreaKind::Ward), (code, *of)] {
            if !areas.iter().any(|area| area.kind == of && area.code == *wanted) {
                mistakes.push(format!("links.csv: there is no {} `{wanted}` in areas.csv", of.code()));
            }
        }
    }
    let directory = match read_directory(directory, &areas) {
        Ok(directory) => directory,
        Err(PackMistakes(more)) => {
            mistakes.extend(more);
            Vec::new()
        }
    };
    match pack {
        Some(pack) if mistakes.is_empty() => Ok(PackFiles { pack, areas, links, directory }),
        _ => Err(PackMistakes(mistakes)),
    }
}

/// Reads a directory against the areas it may name. Two more columns may follow: `active` (yes or no) and `mute`, the hours
/// in which the mailbox wants no mail.
///
/// # Errors
///
/// Every mistake: an unknown role or area, a mailbox that is no address.
pub fn read_directory(directory: &str, areas: &[Area]) -> Result<Vec<Mailbox>, PackMistakes> {
    let mut mistakes = Vec::new();
    let names = ["role", "kind", "code", "mailbox", "active", "mute"];
    let given = columns(directory).clamp(4, names.len());
    let found = table("directory.csv", directory, &names[..given], &mut mistakes, |row| {
        let area = match row.get(1) {
            None | Some("") => None,
            Some(_) => Some(AreaRef { kind: kind(row, 1)?, code: text(row, 2, "code")? }),
        };
        if let Some(wanted) = &area
            && !areas.iter().any(|area| area.kind == wanted.kind && area.code == wanted.code)
        {
            return Err(format!("there is no {} `{}` in the area pack", wanted.kind.code(), wanted.code));
        }
        let role = text(row, 0, "role")?.parse().map_err(|wrong| format!("{wrong}"))?;
        let active = match row.get(4).unwrap_or_default() {
            "" | "yes" => true,
            "no" => false,
            other => {
                let other: String = other.chars().take(20).collect();
                return Err(format!("active is `{other}`; write yes or no"));
            }
        };
        let mute = match row.get(5).unwrap_or_default() {
            "" => None,
            hours => Some(hours.parse().map_err(|wrong| format!("{wrong}"))?),
        };
        Ok(Mailbox { role, area, address: address(&text(row, 3, "mailbox")?)?, active, mute })
    });
    if mistakes.is_empty() { Ok(found) } else { Err(PackMistakes(mistakes)) }
}

const AREA_COLUMNS: [&str; 8] =
    ["kind", "code", "name", "boundary_year", "valid_from", "valid_to", "population", "workday_population"];

/// Columns of a table's first line.
fn columns(text: &str) -> usize {
    text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().split(',').count()
}

fn read_words(text: &str) -> Result<Pack, String> {
    let read: PackToml =
        toml::from_str(text).map_err(|wrong| format!("pack.toml: {}", wrong.to_string().trim_end()))?;
    let says = |wrong: String| format!("pack.toml: {wrong}");
    if read.prefix.is_empty() || !read.prefix.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(says(format!(
            "prefix `{}` begins alert numbers; write letters and digits only",
            read.prefix
        )));
    }
    if read.category.is_empty() || read.class.is_empty() {
        return Err(says("it needs at least one [[category]] and one [[class]]".into()));
    }
    if let Some(way) = read.reporting.iter().find(|way| {
        way.label.trim().is_empty() || way.url.as_ref().is_some_and(|url| !url.starts_with("https://"))
    }) {
        return Err(says(format!(
            "[[reporting]] `{}`: it needs a label, and a url begins with https://",
            way.label.chars().take(40).collect::<String>()
        )));
    }
    let codes = read.category.iter().map(|word| word.code.clone());
    Ok(Pack {
        categories: Categories::new(codes).map_err(|wrong| says(wrong.to_string()))?,
        category_labels: read.category.into_iter().map(|word| word.label).collect(),
        name: read.name,
        prefix: read.prefix,
        zone: read.zone,
        projection: read.projection,
        bounds: read.bounds,
        category_word: read.category_word,
        classes: read.class,
        holidays: read.holidays,
        publish: read.publish,
        reporting: read.reporting,
    })
}

fn read_area(row: &StringRecord) -> Result<Area, String> {
    let day = |place: usize| {
        let text = row.get(place).unwrap_or_default();
        text.parse().map_err(|_| {
            format!("`{}` is not a date; write YYYY-MM-DD", text.chars().take(20).collect::<String>())
        })
    };
    let year = text(row, 3, "boundary_year")?;
    Ok(Area {
        kind: kind(row, 0)?,
        code: text(row, 1, "code")?,
        name: text(row, 2, "name")?,
        boundary_year: year
            .parse()
            .ok()
            .filter(|year| (1900..=2200).contains(year))
            .ok_or("boundary_year is not a year")?,
        valid_from: day(4)?,
        valid_to: if row.get(5).unwrap_or_default().is_empty() { None } else { Some(day(5)?) },
        population: people(row, 6, "population")?,
        workday_population: people(row, 7, "workday_population")?,
    })
}

fn people(row: &StringRecord, place: usize, name: &str) -> Result<Option<u32>, String> {
    match row.get(place).unwrap_or_default() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("{name} is not a whole number")),
    }
}

/// Reads a small table whose columns are known; every row that can't be used becomes a mistake with its line.
fn table<T>(
    file: &str,
    text: &str,
    columns: &[&str],
    mistakes: &mut Vec<String>,
    read: impl Fn(&StringRecord) -> Result<T, String>,
) -> Vec<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        ReaderBuilder::new().flexible(true).has_headers(false).trim(Trim::All).from_reader(text.as_bytes());
    let mut found = Vec::new();
    for (number, row) in reader.records().enumerate() {
        let line = |row: &StringRecord| row.position().map_or(number as u64 + 1, csv::Position::line);
        match row {
            Err(_) => mistakes.push(format!("{file}: row {} can't be read", number + 1)),
            Ok(row) if number == 0 => {
                if !row.iter().eq(columns.iter().copied()) {
                    mistakes.push(format!("{file}:1: the columns must be {}", columns.join(",")));
                    return found;
                }
            }
            Ok(row) => match read(&row) {
                Ok(value) => found.push(value),
                Err(reason) => mistakes.push(format!("{file}:{}: {reason}", line(&row))),
            },
        }
    }
    found
}

fn text(row: &StringRecord, place: usize, name: &str) -> Result<String, String> {
    match row.get(place) {
        Some(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err(format!("{name} is missing")),
    }
}

fn kind(row: &StringRecord, place: usize) -> Result<AreaKind, String> {
    text(row, place, "kind")?.parse().map_err(|wrong| format!("{wrong}"))
}

/// A mailbox that can't smuggle anything into a message's head.
fn address(text: &str) -> Result<String, String> {
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"<>()[],;:\\\"@".contains(c))
    };
    match text.split_once('@') {
        Some((local, domain)) if plain(local) && plain(domain) && text.len() <= 254 => Ok(text.to_owned()),
        _ => Err("mailbox is not an address of the form name@example.org".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACK: &str = r#"
        name = "A county"
        prefix = "AC"
        zone = "Europe/London"
        projection = { kind = "british-national-grid" }
        bounds = { west = -1.7, south = 52.3, east = -0.3, north = 53.1 }
        category_word = "strand"
        [[category]]
        code = "race"
        label = "Race"
        [[class]]
        code = "crime"
        label = "Crime"
    "#;
    const AREAS: &str = "kind,code,name,boundary_year,valid_from,valid_to,population\n\
                         ward,W1,Mill,2025,2019-05-02,,8000\ncsp,mill,Safer Mill,2025,2010-01-01,,\n";

    #[test]
    fn a_county_is_four_small_files() {
        let links = "ward,kind,code\nW1,csp,mill\n";
        let directory = "role,kind,code,mailbox\ncsp_coordinator,csp,mill,csp@mill.invalid\nhate_lead,,,lead@police.invalid\n";
        let read = read_pack(PACK, AREAS, links, directory).unwrap();
        assert_eq!(read.areas.len(), 2);
        assert_eq!(read.areas[0].workday_population, None);
        let by_day = AREAS
            .replace("population\n", "population,workday_population\n")
            .replace("8000\n", "8000,12000\n");
        let read = read_pack(PACK, &by_day, links, directory).unwrap();
        assert_eq!((read.areas[0].population, read.areas[0].workday_population), (Some(8_000), Some(12_000)));
        assert_eq!(read.areas[1].workday_population, None);
        assert_eq!(read.directory[1].area, None);
        assert_eq!(read.pack.category_labels, ["Race"]);
    }

    #[test]
    fn every_mistake_is_told_in_one_go() {
        let areas = "kind,code,name,boundary_year,valid_from,valid_to,population\nwrad,W1,Mill,2025,2019-05-02,,\n\
                     ward,W2,Hill,2025,02/05/2019,,\n";
        let links = "ward,kind,code\nW9,csp,mill\n";
        let directory =
            "role,kind,code,mailbox\ncsp_cordinator,,,a@b.invalid\nanalyst,,,\"a@b.invalid\nBcc: c\"\n";
        let wrong = read_pack(&PACK.replace("prefix", "prefixx"), areas, links, directory).unwrap_err();
        insta::assert_snapshot!(wrong, @r#"
        pack.toml: TOML parse error at line 3, column 9
          |
        3 |         prefixx = "AC"
          |         ^^^^^^^
        unknown field `prefixx`, expected one of `name`, `prefix`, `zone`, `projection`, `bounds`, `category_word`, `category`, `class`, `holidays`, `publish`, `reporting`
        areas.csv:2: `wrad` is not a kind of area; the kinds are ward, district, csp, npa and whole
        areas.csv:3: `02/05/2019` is not a date; write YYYY-MM-DD
        links.csv: there is no ward `W9` in areas.csv
        links.csv: there is no csp `mill` in areas.csv
        directory.csv:2: `csp_cordinator` is not a role; the roles are csp_coordinator, csp_chair, npt_sergeant, npa_commander, hate_lead, analyst, sog, spb, partner, auditor, admin
        directory.csv:3: mailbox is missing
        "#);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(a in ".{0,100}", b in ".{0,100}") {
            let _ = read_pack(&a, &b, &a, &b);
            let _ = read_pack(PACK, AREAS, &format!("ward,kind,code\n{a}"), &format!("role,kind,code,mailbox\n{b}"));
        }
    }
}
